#include "gpt_state.h"

#include "format/gpt_edit.h"
#include "plan/free_space.h"
#include "plan/place.h"

static enum status check_partition(struct plan *plan, size_t index, uint64_t first, uint64_t last)
{
    const struct partition *own = &plan->machine->partitions[index];
    bool inside = own->block_count > 0 && own->first_lba >= first && own->first_lba <= last &&
                  own->block_count - 1 <= last - own->first_lba;

    if (inside && !own->out_of_range && !own->overlaps)
        return ST_OK;
    return plan_refuse(plan, ST_REFUSED,
                       "%s lies outside the usable part of its disk or overlaps another "
                       "partition, so nothing is written to this disk before its table is "
                       "understood. \"shadowboot disks %zu\" shows it.",
                       place_text(plan->arena, plan->machine, index), own->disk);
}

static enum status check_copies(struct plan *plan, size_t index)
{
    const struct disk *disk = &plan->machine->disks[index];

    if (disk->table_block_size != 0)
        return plan_refuse(
            plan, ST_REFUSED,
            "The partition table of Disk %zu was written for blocks of %u bytes, and "
            "here the disk has blocks of %u: connect it as it was when it was "
            "partitioned.",
            index, disk->table_block_size, disk->block_size);
    if (disk->primary.problem == GPT_OF_LARGER_DISK)
        return plan_refuse(
            plan, ST_REFUSED,
            "The partition table of Disk %zu is that of a larger disk, so nothing is "
            "written to this one: copy it to a disk that is large enough, or "
            "partition it anew.",
            index);
    if (disk_good_table(disk) == NULL)
        return plan_refuse(plan, ST_REFUSED,
                           "Both copies of the partition table of Disk %zu are damaged. Its "
                           "partitions can be found again with testdisk or from a saved table "
                           "(sgdisk --load-backup).",
                           index);
    if (disk->copies_differ)
        return plan_refuse(plan, ST_REFUSED,
                           "Both copies of the partition table of Disk %zu are good by themselves, "
                           "and they do not agree: which one is right cannot be told from here. "
                           "Compare them (sgdisk) and write the right one to both places.",
                           index);
    return ST_OK;
}

enum status gpt_state_check(struct plan *plan, size_t disk)
{
    const struct disk *on = &plan->machine->disks[disk];
    uint64_t first = 0;
    uint64_t last = 0;

    enum status status = check_copies(plan, disk);
    if (status != ST_OK)
        return status;
    if (!free_space_usable(on, &first, &last))
        return plan_refuse(plan, ST_REFUSED, "Disk %zu is too small for a partition table.", disk);
    for (size_t i = 0; status == ST_OK && i < on->partition_count; i++)
        status = check_partition(plan, on->first_partition + i, first, last);
    return status;
}

bool gpt_state_needs_mbr(const struct disk *disk)
{
    return !disk->mbr_unreadable && !disk->mbr.protective_at_lba_1;
}

void gpt_state_warn_of_mbr(struct plan *plan, size_t disk)
{
    if (!plan->machine->disks[disk].mbr_unreadable)
        return;
    plan_warn_of_rest(
        plan,
        "Block 0 of Disk %zu, where its protective MBR is, cannot be read, and is left "
        "alone: firmware may not find the partitions. The disk is failing; replace it.",
        disk);
    plan->left_out = true;
}

const char *gpt_state_trouble(const struct disk *disk)
{
    if (disk->primary.problem != GPT_FINE)
        return "its primary copy is damaged";
    /* A disk that has grown: the backup may be good where it is, and is not looked for there. */
    if (disk->primary.header.alternate_lba != disk->block_count - 1)
        return "its backup is not at the end of the disk";
    if (disk->backup.problem != GPT_FINE)
        return "its backup is damaged";
    return gpt_state_needs_mbr(disk) ? "its protective MBR is missing" : NULL;
}

static bool slot_is_used(const struct machine *machine, size_t disk, uint32_t slot)
{
    const struct disk *on = &machine->disks[disk];

    for (size_t i = 0; i < on->partition_count; i++) {
        if (machine->partitions[on->first_partition + i].hd_number == slot + 1)
            return true;
    }
    return false;
}

bool gpt_state_free_slot(const struct machine *machine, size_t disk, uint32_t *ret_slot)
{
    const struct gpt_copy *table = disk_good_table(&machine->disks[disk]);
    uint32_t count = GPT_ENTRIES_MIN;

    if (table != NULL && table->header.entry_count > count)
        count = table->header.entry_count;
    for (uint32_t slot = 0; slot < count; slot++) {
        if (!slot_is_used(machine, disk, slot)) {
            *ret_slot = slot;
            return true;
        }
    }
    return false;
}
