/* A disk with its boot entries: all that `prepare` does. */
#ifndef SHADOWBOOT_PLAN_MAKE_READY_H
#define SHADOWBOOT_PLAN_MAKE_READY_H

#include "audit/audit_machine.h"
#include "plan/prepare.h"

/*
 * Plans the disk (plan_prepare; `request->use` is found from the judgement), then the entries for
 * its ESP, which are cloned from those of the ESP that the files come from, or of the primary's; no
 * entries where the first block of the disk cannot be read. Refuses what would leave a disk
 * starting less well than now (I9). `now` is the judgement of io_plan->machine. Statuses: those of
 * plan_prepare and plan_esp_entries; ST_REFUSED with io_plan->refusal.
 */
MUST_CHECK enum status plan_make_ready(struct plan *io_plan, const struct judgement *now,
                                       const struct prepare_request *request);

#endif
