/* An ESP whose FAT32 has lost its boot sector, and nothing else. */
#ifndef SHADOWBOOT_PLAN_MEND_FAT_H
#define SHADOWBOOT_PLAN_MEND_FAT_H

#include "plan/plan.h"

/* True when the backup boot sector has to be written back, and that is all that is wrong. */
bool mend_fat_is_enough(const struct esp *esp);

/* Plans it, for an ESP of which that is true. Statuses: ST_OK; ST_REFUSED when nothing may be
 * written there (plan/esp_guard.h); ST_NO_MEMORY. */
MUST_CHECK enum status plan_mend_fat(struct plan *plan, size_t esp);

#endif
