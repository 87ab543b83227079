/*
 * What a change asks of those whose Windows lies under BitLocker. The key is sealed to what was
 * measured at the start: by default the boot manager and, of the boot store, what bears on security
 * (Microsoft: "BCD settings and BitLocker"); partition tables where a policy has them in. After a
 * change of these Windows asks for the recovery key. Boot entries are in no profile of its own.
 */
#ifndef SHADOWBOOT_PLAN_BITLOCKER_H
#define SHADOWBOOT_PLAN_BITLOCKER_H

#include "plan/plan.h"

/*
 * True when the plan changes a disk of a machine that has a volume under BitLocker; which of them
 * Windows is on cannot be seen. A sentence that says what will be asked and how to be ready for it
 * is added to the plan's then. Nothing is known of machines that were scanned less deep than
 * SCAN_QUICK. The plan's status may become ST_NO_MEMORY.
 */
bool plan_asks_for_key(struct plan *io_plan);

#endif
