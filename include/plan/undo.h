/* Taking a journaled change back (invariant I4: what was there before comes back, byte for byte).
 */
#ifndef SHADOWBOOT_PLAN_UNDO_H
#define SHADOWBOOT_PLAN_UNDO_H

#include "base/status.h"
#include "format/journal.h"
#include "plan/plan.h"

/*
 * Plans the way back, last record first. A variable that holds neither the journal's old nor its
 * new content was changed by somebody else: then nothing is planned. Firmware's own changes are no
 * obstacle: entries it has added to BootOrder since stay, at the end, and BootNext and Timeout,
 * which it uses up or resets at every start, are left as they are. Statuses: ST_OK, with no actions
 * when the old state is there already or BootNext was used up; ST_CHANGED, also when the change was
 * of BootNext or Timeout only and they have been set anew since; ST_DAMAGED when the journal names
 * another variable than those of boot entries; ST_REFUSED when a variable cannot be read now;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_undo(struct plan *plan, const struct journal *journal);

#endif
