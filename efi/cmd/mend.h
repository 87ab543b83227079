/* What copy, prepare and repair have in common: they change disks. */
#ifndef SHADOWBOOT_CMD_MEND_H
#define SHADOWBOOT_CMD_MEND_H

#include "audit/audit_machine.h"
#include "cmd/context.h"
#include "plan/plan.h"

/*
 * Scans the machine; what an earlier change has left half done is taken back first, and the machine
 * scanned anew. Statuses: ST_OK; those of context_scan and take_back_interrupted, reported.
 */
MUST_CHECK enum status mend_begin(struct context *context, enum scan_depth depth);

/*
 * Finishes what a plan_... call began with the status `made`, as run_plan does, and ends with the
 * verdict on the machine as it is then, which goes to `*ret_judgement`. Earlier changes that could
 * not be taken back are given up once this one is done. `with_findings` has what is still wrong shown as
 * well. Returns the command's status, reported.
 */
enum status mend_run(struct context *context, struct plan *plan, enum status made,
                     bool with_findings, struct judgement *ret_judgement);

/* The same where all that was asked for is meant: what the plan leaves out decides the exit status. */
enum status mend_run_whole(struct context *context, struct plan *plan, enum status made,
                           bool with_findings, struct judgement *ret_judgement);

#endif
