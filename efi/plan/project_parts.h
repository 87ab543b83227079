/* Parts of project_machine (plan/project.h): what becomes of file systems and of boot variables. */
#ifndef SHADOWBOOT_PLAN_PROJECT_PARTS_H
#define SHADOWBOOT_PLAN_PROJECT_PARTS_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "plan/disk_change.h"
#include "plan/plan.h"

/*
 * Puts what a FORMAT or FILES change makes into `*io_after`, which has the partition already and
 * room for one ESP more: the ESP's facts, its list of files (those that stay and those that are
 * brought, with what is known of their contents where they come from, in `before`), and whether the
 * files that entries name are there. Nothing when there is no ESP at the change's place. Statuses:
 * ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status project_files(struct arena *arena, const struct machine *before,
                                     const struct disk_change *change, struct machine *io_after);

/*
 * The boot variables after the plan's actions on them: entries made, changed and deleted, BootOrder
 * and BootNext; entries come in the new sequence and with new ids. Statuses as above.
 */
MUST_CHECK enum status project_variables(struct arena *arena, const struct plan *plan,
                                         struct machine *io_after);

/* Whether the file that an entry names is there, by the list of files of its ESP; as it was where
 * that list does not tell. */
void project_boot_file(const struct machine *after, struct entry *io_entry);

#endif
