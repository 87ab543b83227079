/*
 * What a plan would make of the machine: it is projected (plan/project.h) and judged like the one
 * that is there, before anybody is asked to carry it out.
 *
 * I9: no plan leaves a disk starting less well than it does, nor fewer disks starting than do, nor
 * the machine with all its disks, nor another system as long as this one may start; whichever disks
 * are in, and whether firmware follows the path of
 * a file alone or not.
 */
#ifndef SHADOWBOOT_PLAN_PROSPECT_H
#define SHADOWBOOT_PLAN_PROSPECT_H

#include "audit/audit_machine.h"
#include "plan/plan.h"

#define EVERY_DISK (NO_INDEX - 1)

struct prospect {
    size_t worse;     /* disk that would start less well than now (I9), or EVERY_DISK: the machine
                       * with all of them; NO_INDEX for none */
    size_t hopeful;   /* how many members would start, be it perhaps */
    const char *text; /* of `worse`: the verdict now and then, "yes" and "no" */
    const char *then;
};

/*
 * Judges the machine as it would be after the plan, and puts what comes of it for each of `now`'s
 * members into plan->promises. `now` is the judgement of plan->machine. The memory that this takes
 * is given back but for the promises. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status prospect_find(struct plan *plan, const struct judgement *now,
                                     struct prospect *ret_prospect);

/* What would start less well: "Disk 1", in the arena; NULL when there is no memory. */
const char *prospect_worse_name(struct arena *arena, const struct prospect *prospect);

/* Refuses a plan after which something would start less well than it does. Statuses: ST_OK; that of
 * the plan; ST_REFUSED with plan->refusal; ST_NO_MEMORY. */
MUST_CHECK enum status prospect_check(struct plan *io_plan, const struct judgement *now);

/* True when the plan deletes a boot entry. */
bool prospect_deletes_entries(const struct plan *plan);

#endif
