/* The verbs of the bcd command, each with the line's words behind the verb at words[1]. Statuses:
 * the command's, reported. */
#ifndef SHADOWBOOT_CMD_BCD_H
#define SHADOWBOOT_CMD_BCD_H

#include "audit/audit_machine.h"
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
enum status bcd_retarget(struct context *context);
enum status bcd_start(struct context *context);

/* The name of a way to start, and what it means in a few words; NULL behind the last. Static lifetime. */
const char *bcd_start_mode(size_t index, const char **ret_meaning);
enum status bcd_check(struct context *context);

/*
 * Carries the steps out on the stores that -store and -on name, without them on those of the
 * mirror's disks: planned, shown, asked for, or `silent` as bcdedit's lines are. `ret_copy` (may be
 * NULL): what copies are called. Statuses: the command's, reported.
 */
MUST_CHECK enum status bcd_change(struct context *context, const struct bcd_step *steps,
                                  size_t count, bool silent, struct guid *ret_copy);

/* What comes of each disk by the plan (plan/prospect.h); refused where one would start less well (I9),
 * unless -force is given. Statuses: ST_OK; ST_REFUSED; ST_NO_MEMORY. */
MUST_CHECK enum status bcd_check_prospect(struct context *context, struct plan *io_plan,
                                          const struct judgement *now);

#define BCD_LIST_ALL   1u /* not only what is on the menu */
#define BCD_LIST_GUIDS 2u /* GUIDs in the place of names */

/* Prints the stores as bcdedit does. Statuses: ST_OK; else, reported, what the worst of them gave.
 */
enum status bcd_show_stores(struct context *context, const struct bcd_source *sources, size_t count,
                            unsigned flags);

#endif
