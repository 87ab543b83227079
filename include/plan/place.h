/* What a new entry needs to know of the partition it is to start from. */
#ifndef SHADOWBOOT_PLAN_PLACE_H
#define SHADOWBOOT_PLAN_PLACE_H

#include <stdbool.h>

#include "base/builder.h"
#include "base/guid.h"
#include "base/status.h"
#include "format/devpath.h"
#include "plan/plan.h"

/*
 * The partition with the GUID, fit to be written into an entry: on exactly one disk, inside it, and
 * overlapping nothing, with a partition table that firmware goes by. Its disk becomes
 * plan->target_disk. Statuses: ST_OK; ST_ABSENT or ST_REFUSED
 * with plan->refusal set.
 */
MUST_CHECK enum status place_find(struct plan *plan, const struct guid *guid,
                                  size_t *ret_partition);

/* The partition with the GUID, of whatever use it is: on exactly one disk. Statuses: ST_OK; ST_ABSENT or
 * ST_REFUSED with plan->refusal set, and nothing in `*ret_partition` that means anything. */
MUST_CHECK enum status place_find_only(struct plan *plan, const struct guid *guid,
                                       size_t *ret_partition);

/* True for an EFI system partition in the GPT of a disk that is not removable. */
bool place_is_fixed_esp(const struct machine *machine, size_t partition);

/* "Disk 1 Partition 1 {guid}", without the GUID where it has none; in the arena; NULL when that is
 * full. */
const char *place_text(struct arena *arena, const struct machine *machine, size_t partition);

/*
 * Finds an entry of the machine that starts the same as the load option `value` would, and as
 * surely: active if the option is, and with a path to where the partition is now. Only entries
 * whose path has the form `form` count, unless that is DEVPATH_FORM_EMPTY. Statuses: ST_OK with the
 * index in `*ret_entry`; ST_ABSENT when there is none; ST_DAMAGED when `value` is no load option;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status place_find_equal(struct plan *plan, struct span value,
                                        enum devpath_form form, size_t *ret_entry);

/* True when the plan already creates an entry with the same path and optional data. */
bool place_is_planned(const struct plan *plan, struct span value);

#endif
