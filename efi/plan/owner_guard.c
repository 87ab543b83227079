#include "plan/owner_guard.h"

#include "base/print.h"

enum status owner_guard_raid(struct plan *plan, size_t disk)
{
    enum owner owner = plan->machine->disks[disk].owner.owner;

    if (!owner_is_raid(owner))
        return ST_OK;
    return plan_refuse(plan, ST_REFUSED,
                       "Disk %zu is a member of a RAID of whole disks: %s. Its disks are one "
                       "volume, and shadowboot writes to none of them by itself. Change files and "
                       "partitions from the system that runs on the volume, the RAID with %s.",
                       disk, owner_name(owner), owner_tool(owner));
}

enum status owner_guard_disk(struct plan *plan, size_t disk)
{
    const struct disk *on = &plan->machine->disks[disk];
    enum owner owner = on->owner.owner;

    enum status status = owner_guard_raid(plan, disk);
    if (status != ST_OK || !disk_is_taken(on))
        return status;
    return plan_refuse(
        plan, ST_REFUSED,
        "Disk %zu is in use as a whole by somebody else: %s.%s Look at it with %s. If "
        "nothing on it is wanted, wipe it (wipefs -a, or diskpart: clean), or take "
        "another disk.",
        disk, owner_name(owner),
        on->style == DISK_GPT ? " The partition table at its end is what is left of an earlier use."
                              : "",
        owner_tool(owner));
}

enum status owner_guard_table(struct plan *plan, size_t disk, const char *trouble)
{
    const struct owner_mark *mark = &plan->machine->disks[disk].owner;
    char offset[THOUSANDS_SIZE];

    if (mark->owner == OWNER_NOBODY)
        return ST_OK;
    return plan_refuse(plan, ST_REFUSED,
                       "The partition table of Disk %zu is not written%s%s: at byte %s of the "
                       "disk, where it would come to lie, is a mark of somebody else, %s. Look at "
                       "it with %s. If it is not wanted, wipe it (wipefs) first.",
                       disk, trouble == NULL ? "" : ", though ", trouble == NULL ? "" : trouble,
                       format_thousands(mark->offset, offset), owner_name(mark->owner),
                       owner_tool(mark->owner));
}

const char *owner_guard_claims(struct plan *plan, size_t disk)
{
    const struct machine *machine = plan->machine;
    const char *text = "";

    for (size_t i = 0; i < machine->claim_count && text != NULL; i++) {
        const struct claim *claim = &machine->claims[i];
        char offset[THOUSANDS_SIZE];
        if (claim->disk != disk)
            continue;
        text = arena_printf(
            plan->arena,
            "%s The %llu blocks from LBA %llu on are not taken: at byte %s is a mark of %s. "
            "Look at it with %s; if it is not wanted, wipe it (wipefs) first.",
            text, (unsigned long long)claim->block_count, (unsigned long long)claim->first_lba,
            format_thousands(claim->mark.offset, offset), owner_name(claim->mark.owner),
            owner_tool(claim->mark.owner));
    }
    return text;
}

bool owner_guard_is_claimed(const struct machine *machine, size_t disk, uint64_t first_lba,
                            uint64_t block_count)
{
    for (size_t i = 0; i < machine->claim_count; i++) {
        const struct claim *claim = &machine->claims[i];
        if (claim->disk == disk && first_lba < claim->first_lba + claim->block_count &&
            claim->first_lba < first_lba + block_count)
            return true;
    }
    return false;
}
