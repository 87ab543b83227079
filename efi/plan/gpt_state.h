/* Whether a GPT can be gone by, and what is wrong with it. */
#ifndef SHADOWBOOT_PLAN_GPT_STATE_H
#define SHADOWBOOT_PLAN_GPT_STATE_H

#include "plan/plan.h"

/*
 * Refuses a disk whose partitions are not known for sure or cannot all be kept when the table is
 * written anew: no copy good, both good and different, partitions that overlap or lie outside.
 * Statuses: ST_OK; ST_REFUSED with plan->refusal.
 */
MUST_CHECK enum status gpt_state_check(struct plan *plan, size_t disk);

/* What writing both copies anew would mend: "its backup is damaged", ...; NULL when nothing. For a
 * disk that passed the check. Static lifetime. */
const char *gpt_state_trouble(const struct disk *disk);

/* True when the disk has no protective MBR. One that cannot be read may be there. */
bool gpt_state_needs_mbr(const struct disk *disk);

/* Says that block 0 cannot be read, where that is so: writing it is no cure that can be relied on,
 * nor could the change be taken back. */
void gpt_state_warn_of_mbr(struct plan *plan, size_t disk);

/* The lowest entry of the table that is not in use; false when all are. */
bool gpt_state_free_slot(const struct machine *machine, size_t disk, uint32_t *ret_slot);

#endif
