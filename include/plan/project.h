/*
 * The machine as it will be once a part of the plan is carried out: what the rest of the plan goes
 * by, such as the boot entries for a partition that is yet to be made.
 *
 * All indices change: whoever plans on has to look things up anew. The machine that was given stays
 * as it is, and the new one points into it.
 */
#ifndef SHADOWBOOT_PLAN_PROJECT_H
#define SHADOWBOOT_PLAN_PROJECT_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "plan/plan.h"

/*
 * The machine after the plan's actions: a partition that a gpt_slot makes, changes or takes away; a
 * table that is sound again; the files of each ESP that is formatted or gets some, with what is
 * known of their contents; boot entries, BootOrder and BootNext. It can be judged like one that was
 * scanned. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status project_machine(struct arena *arena, const struct plan *plan,
                                       struct machine *ret_machine);

#endif
