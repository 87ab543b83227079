/* The verbs of the bcd command, each with the line's words behind the verb at words[1]. Statuses:
 * the command's, reported. */
#ifndef SHADOWBOOT_CMD_BCD_H
#define SHADOWBOOT_CMD_BCD_H

#include "bcd_source.h"
#include "plan/bcd_edit.h"

enum status bcd_list(struct context *context);
enum status bcd_export(struct context *context);
enum status bcd_set(struct context *context);
enum status bcd_delete(struct context *context);
enum status bcd_copy(struct context *context);
enum status bcd_default(struct context *context);
enum status bcd_order(struct context *context);
enum status bcd_timeout(struct context *context);

/*
 * Carries the steps out on the stores that -store and -on name, without them on those of the
 * mirror's disks: planned, shown, asked for, or `silent` as bcdedit's lines are. Statuses: the
 * command's, reported.
 */
MUST_CHECK enum status bcd_change(struct context *context, const struct bcd_step *steps,
                                  size_t count, bool silent);

/* Prints the stores as bcdedit does: the boot manager and what is on its menu, or `all` objects.
 * Statuses: ST_OK; else, reported, what the worst of them gave. */
enum status bcd_show_stores(struct context *context, const struct bcd_source *sources, size_t count,
                            bool all);

#endif
