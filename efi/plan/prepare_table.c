#include "prepare_parts.h"

#include "gpt_state.h"
#include "plan/owner_guard.h"

/* --- Refusals --------------------------------------------------------------------------------- */

/* What keeps this program's hands off the disk, whatever is on it; NULL when nothing does. */
static const char *disk_obstacle(const struct disk *disk, bool files_only)
{
    if (disk->removable)
        return "is removable or on USB, and only fixed disks are prepared";
    if (disk->has_self && !files_only)
        return "carries the volume shadowboot was started from. Start shadowboot from a stick or "
               "from another disk";
    if (disk->status != ST_OK)
        return "cannot be read. Check cables and power; if it stays so, replace it";
    if (disk->read_only)
        return "is write-protected";
    if (disk->block_size != 512 && disk->block_size != 4096)
        return "has blocks of a size that firmware does not read FAT on";
    if (disk->style == DISK_MBR)
        return "has an MBR partition table, as disks have that BIOS starts, and is left as it is: "
               "only disks with a GPT, and blank ones, are prepared";
    if (disk->style == DISK_RAW && !disk->blank)
        return "has no partition table, but it is not blank: it may be part of an array, or hold a "
               "file system of its own. If nothing on it is wanted, wipe it (diskpart: clean all), "
               "or take another disk";
    return NULL;
}

enum status prepare_check_disk(struct plan *plan, size_t disk, bool files_only)
{
    if (disk >= plan->machine->disk_count)
        return plan_refuse(plan, ST_ABSENT,
                           "There is no Disk %zu. \"shadowboot disks\" lists them.", disk);
    const struct disk *on = &plan->machine->disks[disk];
    const char *obstacle = NULL;
    enum status status = owner_guard_disk(plan, disk);
    if (status == ST_OK)
        obstacle = disk_obstacle(on, files_only);
    if (obstacle == NULL)
        return status;
    bool is_protection = on->read_only && !on->removable && !on->has_self && on->status == ST_OK;
    return plan_refuse(plan, is_protection ? ST_READ_ONLY : ST_REFUSED, "Disk %zu %s.", disk,
                       obstacle);
}

/* --- Mending the table ------------------------------------------------------------------------ */

enum status plan_mend_gpt(struct plan *plan, size_t disk)
{
    enum status status = prepare_check_disk(plan, disk, true);

    if (status != ST_OK)
        return status;
    const struct disk *on = &plan->machine->disks[disk];
    if (on->style != DISK_GPT)
        return plan_refuse(plan, ST_REFUSED,
                           "Disk %zu has no partition table to mend. \"shadowboot prepare %zu\" "
                           "makes one.",
                           disk, disk);
    gpt_state_warn_of_mbr(plan, disk);
    status = gpt_state_check(plan, disk);
    const char *trouble = status == ST_OK ? gpt_state_trouble(on) : NULL;
    if (trouble != NULL)
        status = owner_guard_table(plan, disk, trouble);
    if (trouble != NULL && status == ST_OK)
        status = prepare_check_disk(plan, disk, false);
    if (trouble == NULL || status != ST_OK)
        return status;
    struct disk_change change = {
        .kind = DISK_CHANGE_GPT,
        .disk = disk,
        .gpt = {.write_mbr = gpt_state_needs_mbr(on)},
        .esp = NO_INDEX,
    };
    plan_change_disk(plan, &change,
                     arena_printf(plan->arena,
                                  "write the partition table (GPT) of Disk %zu anew from its good "
                                  "copy: %s",
                                  disk, trouble));
    return plan->status;
}
