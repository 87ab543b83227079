#include "disk_ids_parts.h"

#include "model/boot_name.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "model/firmware_entry.h"
#include "plan/place.h"
#include "plan/project.h"
#include "plan/retarget.h"
#include "store_work.h"
#include "store_write.h"

struct following {
    struct plan *plan;
    size_t disk;
    const struct machine *later;
};

/* True when something else on the machine is called like the partition of the disk. */
static bool name_is_shared(const struct machine *machine, size_t partition)
{
    const struct partition *own = &machine->partitions[partition];
    const struct disk *disk = &machine->disks[own->disk];

    return disk->style == DISK_GPT ? own->guid_repeated : disk->guid_repeated;
}

/* --- Boot entries --------------------------------------------------------------------------- */

/* The entry's value with the partition's new name in the place of the old one. */
static enum status entry_value(const struct following *work, const struct entry *entry,
                               size_t partition, struct span *ret_value)
{
    struct arena *arena = work->plan->arena;
    const struct disk *disk = &work->plan->machine->disks[work->disk];
    const struct partition *old = &work->plan->machine->partitions[partition];
    struct devpath_retarget how = retarget_to(work->later, &old->unique, partition, PATH_KEEP);
    struct load_option option = entry->option;

    if (disk->style == DISK_GPT) {
        enum status status = retarget_option(arena, &entry->option, &how, &option);
        return status == ST_OK ? load_option_build(arena, &option, ret_value) : status;
    }
    uint8_t *paths = arena_copy(arena, option.paths.at, option.paths.size);
    if (paths == NULL)
        return ST_NO_MEMORY;
    (void)devpath_set_signature(paths, option.paths.size, disk->mbr.signature,
                                work->later->disks[work->disk].mbr.signature);
    option.paths = span_of(paths, option.paths.size);
    return load_option_build(arena, &option, ret_value);
}

static enum status rename_in_entry(const struct following *work, const struct entry *entry,
                                   size_t partition)
{
    struct plan *plan = work->plan;
    char name[VAR_NAME_SIZE];
    struct span value;

    enum status status = entry_value(work, entry, partition, &value);
    if (status != ST_OK)
        return status;
    if (span_equal(value, entry->value))
        return ST_OK;
    boot_variable_name(entry->number, name);
    (void)plan_set_variable(
        plan, name, entry->attributes, value,
        arena_printf(plan->arena, "let %s \"%s\" name Disk %zu Partition %u as it is then", name,
                     entry->description, work->disk, plan->machine->partitions[partition].number));
    return plan->status;
}

/* Firmware's own entries lead to a whole disk, or are made anew by it. */
static enum status rename_in_entries(const struct following *work)
{
    const struct machine *machine = work->plan->machine;
    enum status status = ST_OK;

    for (size_t i = 0; i < machine->entry_count && status == ST_OK; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->status != ST_OK || entry_is_firmwares(entry) || !entry->boot.has_hd ||
            entry->boot.partition == NO_INDEX ||
            machine->partitions[entry->boot.partition].disk != work->disk ||
            name_is_shared(machine, entry->boot.partition))
            continue;
        status = rename_in_entry(work, entry, entry->boot.partition);
    }
    return status;
}

/* --- Boot stores ---------------------------------------------------------------------------- */

/* Renames the disk's partitions in the store, which lies in `bytes`. */
static void rename_partitions(const struct following *work, bool at_home,
                              const struct bcd_store *store, uint8_t *bytes)
{
    const struct machine *machine = work->plan->machine;
    const struct disk *disk = &machine->disks[work->disk];

    for (size_t i = 0; i < disk->partition_count; i++) {
        size_t partition = disk->first_partition + i;
        struct bcd_partition from = boot_store_name(machine, partition);
        struct bcd_partition to = boot_store_name(work->later, partition);
        /* Windows goes by the partition's GUID; a new one of the disk alone is for order's sake. */
        if (!at_home && (name_is_shared(machine, partition) || bcd_partition_equal(&from, &to)))
            continue;
        (void)store_exchange(store, bytes, &from, &to);
    }
}

static enum status rename_in_store(const struct following *work, size_t index)
{
    struct plan *plan = work->plan;
    const struct machine *machine = plan->machine;
    const struct esp *esp = &machine->esps[index];
    uint8_t *bytes = arena_copy(plan->arena, esp->store_file.at, esp->store_file.size);
    struct span file = span_of(bytes, esp->store_file.size);
    struct bcd_store store;

    enum status status = bytes == NULL ? ST_NO_MEMORY : bcd_open(plan->arena, file, &store);
    if (status != ST_OK)
        return status;
    rename_partitions(work, machine->partitions[esp->partition].disk == work->disk, &store, bytes);
    if (span_equal(file, esp->store_file))
        return ST_OK;
    store_stamp(bytes);
    const char *text = arena_printf(plan->arena,
                                    "write the boot store of %s anew, to name the partitions of "
                                    "Disk %zu as they are called then",
                                    place_text(plan->arena, machine, esp->partition), work->disk);
    const struct store_writing writing = {
        .esp = index,
        .path = BOOT_STORE_PATH,
        .file = file,
        .renames = true,
        .text = text,
    };
    status = plan_write_store(plan, &writing);
    if (status == ST_OK || status == ST_NO_MEMORY)
        return status;
    plan_warn_of_refusal(plan, status);
    return plan->status;
}

static enum status rename_in_stores(const struct following *work)
{
    const struct machine *machine = work->plan->machine;
    enum status status = ST_OK;

    for (size_t i = 0; i < machine->esp_count && status == ST_OK; i++) {
        if (boot_store_is_usable(&machine->esps[i]))
            status = rename_in_store(work, i);
    }
    return status;
}

/* Stores on NTFS are only read. */
static void warn_of_bios_store(const struct following *work, const struct boot_store *own)
{
    struct plan *plan = work->plan;
    const struct machine *machine = plan->machine;
    struct bcd_choice choice;

    if (boot_store_choose_by(plan->arena, own, &bcd_manager, &choice) != BCD_STARTS ||
        choice.device.kind != BCD_DEVICE_PARTITION)
        return;
    size_t named = boot_store_partition(machine, &choice.device.partition, 0);
    if (named == NO_INDEX || machine->partitions[named].disk != work->disk ||
        boot_store_partition(work->later, &choice.device.partition, 0) != NO_INDEX)
        return;
    plan_warn(
        plan,
        "The boot store for BIOS on Disk %zu Partition %u, \\Boot\\BCD, names the old "
        "identity and is only read here: started by BIOS, Windows stops with 0xc000000e until "
        "bcdedit or bootrec /rebuildbcd of a recovery medium has named the new one.",
        machine->partitions[own->partition].disk, machine->partitions[own->partition].number);
}

static void warn_of_bios_stores(const struct following *work)
{
    const struct machine *machine = work->plan->machine;
    struct boot_store store;

    for (size_t i = 0; i < boot_store_count(machine); i++) {
        if (boot_store_at(machine, i, &store) && store.is_bios)
            warn_of_bios_store(work, &store);
    }
}

enum status disk_ids_follow(struct plan *plan, size_t disk)
{
    struct machine *later = arena_alloc(plan->arena, 1, sizeof(*later));
    struct following work = {.plan = plan, .disk = disk, .later = later};

    if (later == NULL)
        return ST_NO_MEMORY;
    enum status status = project_machine(plan->arena, plan, later);
    if (status == ST_OK)
        status = rename_in_entries(&work);
    if (status == ST_OK)
        warn_of_bios_stores(&work);
    return status == ST_OK ? rename_in_stores(&work) : status;
}
