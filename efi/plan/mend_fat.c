#include "plan/mend_fat.h"

#include "format/fat/fat_mend.h"
#include "plan/esp_guard.h"
#include "plan/place.h"

bool mend_fat_is_enough(const struct esp *esp)
{
    return esp->status == ST_OK && fat_mend_is_possible(&esp->volume, &esp->report);
}

enum status plan_mend_fat(struct plan *plan, size_t esp)
{
    size_t index = plan->machine->esps[esp].partition;
    const struct partition *partition = &plan->machine->partitions[index];
    struct disk_change change = {.kind = DISK_CHANGE_BOOT_SECTOR,
                                 .disk = partition->disk,
                                 .first_lba = partition->first_lba,
                                 .block_count = partition->block_count,
                                 .esp = esp};

    enum status status = esp_guard_check(plan, index);
    if (status != ST_OK)
        return status;
    plan_change_disk(plan, &change,
                     arena_printf(plan->arena,
                                  "write the boot sector of %s back from its backup, one sector",
                                  place_text(plan->arena, plan->machine, index)));
    return plan->status;
}
