/* What plan/disk_ids.h and plan/new_guids.h have in common. */
#ifndef SHADOWBOOT_PLAN_DISK_IDS_PARTS_H
#define SHADOWBOOT_PLAN_DISK_IDS_PARTS_H

#include "plan/plan.h"

/*
 * Adds to the plan, which holds the change of the disk's identities, what it takes for entries and
 * stores that name an old one to name the new one. An identity that something else has too means
 * that one: only the stores on the disk itself follow then. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status disk_ids_follow(struct plan *plan, size_t disk);

#endif
