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
 * The machine after the disk changes of the plan: a partition that a gpt_slot makes, changes or
 * takes away; a table that is sound again; files that entries name and that will be there, and the
 * removable-media file. ESPs that are formatted or get files have status ST_OK, but no report to go
 * by (file_count 0, not complete). Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status project_machine(struct arena *arena, const struct plan *plan,
                                       struct machine *ret_machine);

#endif
