#include "audit_stores.h"

#include "audit_store_entries.h"
#include "base/print.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"

#define NOT_WHOLE " its default lacks a device, description or systemroot."

static void audit_end(struct collector *to, const struct esp *esp, enum bcd_end end)
{
    static const char *const texts[BCD_END_COUNT] = {
        [BCD_EMPTY] = " it is empty.",
        [BCD_NO_ENTRY] = " it has neither a default nor an order.",
        [BCD_ENTRY_GONE] = " its default is not in it.",
        [BCD_ENTRY_NOT_WHOLE] = NOT_WHOLE,
        [BCD_SYSTEM_NOT_NAMED] = NOT_WHOLE,
    };

    if (texts[end] != NULL)
        collect_at_partition(to, FINDING_ESP_STORE_NO_SYSTEM, esp->partition, texts[end]);
}

static void say_gone(struct collector *to, const struct esp *esp, const struct bcd_partition *named)
{
    char guid[GUID_TEXT_SIZE];

    guid_format(&named->partition, guid);
    collect_at_partition(to, FINDING_ESP_STORE_GONE, esp->partition,
                         named->is_gpt ? arena_printf(to->arena, " %s.", guid) : "");
}

/* The volume that the loader, or the system, is on. True when something was said. */
static bool audit_device(struct collector *to, const struct machine *machine,
                         const struct member *member, const struct esp *esp,
                         const struct bcd_device *device)
{
    size_t disk = machine->partitions[esp->partition].disk;

    if (device->kind != BCD_DEVICE_PARTITION)
        return false;
    size_t partition = boot_store_partition_near(machine, &device->partition, disk);
    if (partition == NO_INDEX) {
        say_gone(to, esp, &device->partition);
        return true;
    }
    const struct partition *own = &machine->partitions[partition];
    if (own->disk == disk || member->copy == NO_INDEX)
        return false;
    collect_at_partition(
        to, FINDING_ESP_STORE_OTHER_DISK, esp->partition,
        arena_printf(to->arena, " Disk %zu Partition %u.", own->disk, own->number));
    return true;
}

static void audit_store(struct collector *to, const struct machine *machine,
                        const struct member *member, const struct esp *esp)
{
    struct bcd_choice choice;

    if (!boot_store_is_usable(esp) || fat_find(&esp->report, BOOT_MANAGER_PATH) == FAT_NO_FILE)
        return;
    audit_store_entries(to, machine, member, esp);
    enum bcd_end end = boot_store_choose(to->arena, esp, &bcd_manager, &choice);
    if (end != BCD_STARTS) {
        audit_end(to, esp, end);
        return;
    }
    if (!audit_device(to, machine, member, esp, &choice.device) && choice.has_os_device)
        (void)audit_device(to, machine, member, esp, &choice.os_device);
}

/* The program that a store starts. */
static void audit_loader(struct collector *to, const struct system_copy *copy)
{
    if (copy->loader == LOADER_NO_PROGRAM)
        collect_at_partition(to, FINDING_WINDOWS_LOADER_DAMAGED, copy->partition, "");
    else if (copy->loader == LOADER_OF_OTHER_MACHINE)
        collect_at_partition(to, FINDING_WINDOWS_OTHER_MACHINE, copy->partition, "");
}

void audit_stores(struct collector *to, const struct machine *machine, const struct roles *roles)
{
    for (size_t i = 0; i < roles->member_count && roles->windows; i++) {
        const struct member *member = &roles->members[i];
        if (member->copy != NO_INDEX)
            audit_loader(to, &machine->copies[member->copy]);
        if (member->esp != NO_INDEX)
            audit_store(to, machine, member, &machine->esps[member->esp]);
    }
}
