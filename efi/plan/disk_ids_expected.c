#include "plan/disk_ids.h"

#include "model/boot_store.h"
#include "plan/place.h"

/* The partition with Windows on the disk. Statuses: ST_OK; ST_REFUSED when there is none, or more
 * than one. */
static enum status windows_on(struct plan *plan, size_t disk, size_t *ret_partition)
{
    const struct machine *machine = plan->machine;
    size_t count = 0;

    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].disk != disk || machine->copies[i].partition == NO_INDEX)
            continue;
        *ret_partition = machine->copies[i].partition;
        count++;
    }
    if (count == 1)
        return ST_OK;
    return plan_refuse(
        plan, ST_REFUSED,
        "The boot store on Disk %zu names a partition that no disk has, and %s of "
        "Disk %zu has Windows on it, so it cannot be told which one is meant. Name it: "
        "shadowboot diskid %zu -partition NUMBER -set GUID.",
        disk, count == 0 ? "no partition" : "more than one partition", disk, disk);
}

static enum status expect_gpt(struct plan *plan, size_t disk, const struct bcd_partition *named,
                              struct disk_ids *ret_ids)
{
    enum status status = windows_on(plan, disk, &ret_ids->partition);

    if (status != ST_OK)
        return status;
    ret_ids->sets_partition = true;
    ret_ids->partition_guid = named->partition;
    ret_ids->sets_disk =
        !guid_is_zero(&named->disk) && !boot_store_disk_is_here(plan->machine, named);
    ret_ids->disk_guid = named->disk;
    return ST_OK;
}

static enum status expect_mbr(struct plan *plan, size_t disk, const struct bcd_partition *named,
                              struct disk_ids *ret_ids)
{
    const struct machine *machine = plan->machine;
    const struct disk *own = &machine->disks[disk];

    for (size_t i = 0; i < own->partition_count; i++) {
        const struct partition *partition = &machine->partitions[own->first_partition + i];
        if (partition_offset(machine, partition) != named->offset)
            continue;
        ret_ids->sets_disk = true;
        ret_ids->signature = named->signature;
        return ST_OK;
    }
    return plan_refuse(
        plan, ST_REFUSED,
        "The boot store on Disk %zu names a partition that begins at byte %llu of a "
        "disk with the signature %08X. No disk has that signature, and Disk %zu has no "
        "partition that begins there.",
        disk, (unsigned long long)named->offset, named->signature, disk);
}

enum status plan_disk_ids_expected(struct plan *plan, size_t disk, struct disk_ids *ret_ids)
{
    const struct machine *machine = plan->machine;
    bool gpt = machine->disks[disk].style == DISK_GPT;
    struct bcd_choice choice;
    struct boot_store store;

    *ret_ids = (struct disk_ids){.disk = disk, .partition = NO_INDEX};
    for (size_t i = 0; i < boot_store_count(machine); i++) {
        if (!boot_store_at(machine, i, &store) ||
            machine->partitions[store.partition].disk != disk ||
            boot_store_choose_by(plan->arena, &store, &bcd_manager, &choice) != BCD_STARTS ||
            choice.device.kind != BCD_DEVICE_PARTITION || choice.device.partition.is_gpt != gpt ||
            boot_store_partition(machine, &choice.device.partition, 0) != NO_INDEX)
            continue;
        return gpt ? expect_gpt(plan, disk, &choice.device.partition, ret_ids)
                   : expect_mbr(plan, disk, &choice.device.partition, ret_ids);
    }
    return ST_ABSENT;
}
