/* What of a disk is somebody else's, and therefore not written (I8): said in words. */
#ifndef SHADOWBOOT_PLAN_OWNER_GUARD_H
#define SHADOWBOOT_PLAN_OWNER_GUARD_H

#include "plan/plan.h"

/* Refuses a disk that is a member of a RAID of whole disks, whatever is to be written to it: its
 * disks are one volume. Statuses: ST_OK; ST_REFUSED with plan->refusal. */
MUST_CHECK enum status owner_guard_raid(struct plan *plan, size_t disk);

/* The same for each disk that somebody else has as a whole (disk_is_taken). */
MUST_CHECK enum status owner_guard_disk(struct plan *plan, size_t disk);

/*
 * Refuses to write the partition table of a disk where somebody's mark lies in its way. `trouble`:
 * why it would be written, as gpt_state_trouble says it; NULL to put a partition in. Statuses as
 * above.
 */
MUST_CHECK enum status owner_guard_table(struct plan *plan, size_t disk, const char *trouble);

/* Sentences, each with a space before it, about free space of the disk that is not taken because
 * somebody claims it; "" when there is none, NULL without memory. */
const char *owner_guard_claims(struct plan *plan, size_t disk);

/* True when somebody claims any of these blocks. */
bool owner_guard_is_claimed(const struct machine *machine, size_t disk, uint64_t first_lba,
                            uint64_t block_count);

#endif
