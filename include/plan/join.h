/*
 * One plan of two, the second of which is for the machine as the first makes it: what two commands
 * would do, one does, with one journal.
 */
#ifndef SHADOWBOOT_PLAN_JOIN_H
#define SHADOWBOOT_PLAN_JOIN_H

#include "plan/plan.h"

/*
 * `later` is a plan for a machine that project_machine has made of `first`. The joined plan is for
 * first->machine: files come from where they are now, also those that `first` would have brought to
 * where `later` takes them from; each variable, table and file system is changed once. Disks of
 * `later` come when boot entries and BootOrder are as they will be, deletions last. What `first`
 * says of what it leaves as it is gives way to what `later` says. Statuses: ST_OK; ST_UNSUPPORTED
 * when one plan cannot do both; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_join(const struct plan *first, const struct plan *later,
                                 struct plan *ret_plan);

#endif
