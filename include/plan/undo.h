/* Taking a journaled change back (invariant I4: what was there before comes back, byte for
 * byte). */
#ifndef SHADOWBOOT_PLAN_UNDO_H
#define SHADOWBOOT_PLAN_UNDO_H

#include "base/status.h"
#include "format/journal.h"
#include "plan/plan.h"

/*
 * Plans the way back: variables, the last one first, then the blocks of disks, whose old content
 * was there before. A variable that holds neither the journal's old nor its new content was changed
 * by somebody else: then nothing is planned. Firmware's own changes are no obstacle: entries it has
 * added to BootOrder since stay, at the end, and BootNext and Timeout, which it uses up or resets
 * at every start, are left as they are.
 *
 * A disk is known by its GUID, before or after the change, where only one has that; else by its
 * place in the machine, unless another GUID stands there; its size must agree. Whether its blocks
 * are still what the change made of them is looked at when the plan is applied. `journal` must
 * outlive the plan.
 *
 * Statuses: ST_OK, with no actions when the old state is there already or BootNext was used up;
 * ST_CHANGED, also when the change was of BootNext or Timeout only and they have been set anew
 * since; ST_ABSENT when a disk is not here; ST_DAMAGED when the journal names another variable than
 * those of boot entries, or one disk twice; ST_REFUSED when a variable cannot be read now, and for
 * an undo that changed blocks; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_undo(struct plan *plan, const struct journal *journal);

#endif
