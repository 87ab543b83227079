/* The verbs of the bcd command, each with the line's words behind the verb at words[1]. Statuses:
 * the command's, reported. */
#ifndef SHADOWBOOT_CMD_BCD_H
#define SHADOWBOOT_CMD_BCD_H

#include "bcd_source.h"

enum status bcd_list(struct context *context);
enum status bcd_export(struct context *context);

/* Prints the stores as bcdedit does: the boot manager and what is on its menu, or `all` objects.
 * Statuses: ST_OK; else, reported, what the worst of them gave. */
enum status bcd_show_stores(struct context *context, const struct bcd_source *sources, size_t count,
                            bool all);

#endif
