/* New identities for a disk that was copied with another one's. */
#ifndef SHADOWBOOT_PLAN_NEW_GUIDS_H
#define SHADOWBOOT_PLAN_NEW_GUIDS_H

#include "base/date.h"
#include "plan/plan.h"

/*
 * Plans to give the disk, where its GUID or that of one of its partitions is on another disk or
 * partition as well, a new disk GUID and all its partitions new GUIDs, in both copies of its GPT;
 * all else of the table stays. The boot store on it follows. Boot entries that name a GUID which
 * the other disk has too are left alone: they mean that one from then on. `now` as in
 * identity_begin.
 *
 * Statuses: ST_OK, without actions when no GUID of the disk is repeated; ST_REFUSED with
 * plan->refusal: as plan_mend_gpt; where the disk's LDM database or a part of an md array is one
 * that another disk has too, or the database cannot be read, since a new GUID would not tell those
 * apart; where a boot entry names the disk by its hardware, so that it is not the copy;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_new_guids(struct plan *plan, size_t disk, const struct date_time *now);

/*
 * Refuses a disk whose GUIDs cannot be changed: a table that cannot be written, and where
 * `repeated`, that is the disk is a copy of another one or may be, what makes plan_new_guids
 * refuse. Statuses: ST_OK; ST_REFUSED with plan->refusal; ST_NO_MEMORY.
 */
MUST_CHECK enum status new_guids_check(struct plan *plan, size_t disk, bool repeated);

#endif
