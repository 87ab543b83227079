/* From a plan to a changed machine: show, ask, apply, scan and audit again. */
#ifndef SHADOWBOOT_CMD_RUN_H
#define SHADOWBOOT_CMD_RUN_H

#include "apply/apply.h"
#include "cmd/context.h"
#include "plan/plan.h"

/* Starts an empty plan for the machine that was scanned. */
void run_begin(struct context *context, struct plan *ret_plan);

/*
 * Finishes what a plan_... call began with the status `made`: reports a refusal; says that there is
 * nothing to do; or shows the plan, and unless -n asks (not under -y) and applies it, then scans
 * again and compares. Returns the command's status. `*ret_result` (may be NULL) is what apply said.
 */
enum status run_plan(struct context *context, struct plan *plan, enum status made,
                     struct apply_result *ret_result);

/* The same for a plan that takes this journal back. */
enum status run_undo(struct context *context, struct plan *plan, enum status made,
                     const struct journal_file *undone);

/* Asks a question, unless -y was given. Statuses: ST_OK for yes; ST_CANCELLED or ST_REFUSED, reported. */
enum status run_ask(struct context *context, const char *question);

/* run_plan without showing, asking or a closing word, for bootcfg and bcdedit, whose lines are not
 * questions: only failures and warnings are reported, and BitLocker's recovery key is asked for. Under -n it shows the plan like run_plan. */
enum status run_plan_silently(struct context *context, struct plan *plan, enum status made);

#endif
