#include "model/boot_store.h"
#include "model/boot_paths.h"

/* What a log may add to a hive without holding it: the rest of a bin. */
#define REGF_BINS_SPARE 8192u

static bool store_is_on(const struct machine *machine, size_t index,
                        const struct bcd_partition *named)
{
    struct bcd_partition own = boot_store_name(machine, index);

    return bcd_partition_equal(&own, named);
}

size_t boot_store_partition(const struct machine *machine, const struct bcd_partition *named,
                            size_t from)
{
    for (size_t i = from; i < machine->partition_count; i++) {
        if (store_is_on(machine, i, named))
            return i;
    }
    return NO_INDEX;
}

size_t boot_store_partition_near(const struct machine *machine, const struct bcd_partition *named,
                                 size_t disk)
{
    size_t first = boot_store_partition(machine, named, 0);

    for (size_t i = first; i != NO_INDEX; i = boot_store_partition(machine, named, i + 1)) {
        if (machine->partitions[i].disk == disk)
            return i;
    }
    return first;
}

bool boot_store_disk_is_here(const struct machine *machine, const struct bcd_partition *named)
{
    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *disk = &machine->disks[i];
        if (named->is_gpt ? disk->style == DISK_GPT && guid_equal(&disk->guid, &named->disk)
                          : disk->style == DISK_MBR && disk->mbr.signature == named->signature)
            return true;
    }
    return false;
}

struct bcd_partition boot_store_name(const struct machine *machine, size_t partition)
{
    const struct partition *own = &machine->partitions[partition];
    const struct disk *disk = &machine->disks[own->disk];
    struct bcd_partition name = {.is_gpt = disk->style == DISK_GPT};

    if (name.is_gpt) {
        name.partition = own->unique;
        name.disk = disk->guid;
    } else {
        name.offset = partition_offset(machine, own);
        name.signature = disk->mbr.signature;
    }
    return name;
}

/* What the object comes to, as bcd_choose says. Statuses: ST_OK; ST_NO_MEMORY. */
static enum status choose(struct arena *arena, struct span file, const struct guid *manager,
                          struct bcd_choice *ret_choice, enum bcd_end *ret_end)
{
    size_t mark = arena_mark(arena);
    struct bcd_store store;

    enum status status = bcd_open(arena, file, &store);
    *ret_end = status == ST_OK       ? bcd_choose(&store, manager, ret_choice)
               : status == ST_ABSENT ? BCD_EMPTY
                                     : BCD_NOT_UNDERSTOOD;
    arena_release(arena, mark);
    return status == ST_NO_MEMORY ? status : ST_OK;
}

enum bcd_end boot_store_choose(struct arena *arena, const struct esp *esp,
                               const struct guid *manager, struct bcd_choice *ret_choice)
{
    enum bcd_end end = BCD_NOT_UNDERSTOOD;

    if (!boot_store_is_usable(esp) ||
        choose(arena, esp->store_file, manager, ret_choice, &end) != ST_OK)
        return BCD_NOT_UNDERSTOOD;
    return end;
}

bool boot_store_has_loader(struct arena *arena, const struct esp *esp, const struct guid *guid)
{
    size_t mark = arena_mark(arena);
    struct bcd_object loader;
    struct bcd_store store;

    bool has = boot_store_is_usable(esp) && bcd_open(arena, esp->store_file, &store) == ST_OK &&
               bcd_find(&store, guid, &loader) == ST_OK && loader.type == BCD_TYPE_LOADER;
    arena_release(arena, mark);
    return has;
}

size_t boot_store_count(const struct machine *machine)
{
    return machine->esp_count + machine->copy_count;
}

bool boot_store_at(const struct machine *machine, size_t index, struct boot_store *ret_store)
{
    if (index < machine->esp_count) {
        const struct esp *esp = &machine->esps[index];
        *ret_store = (struct boot_store){.partition = esp->partition, .file = esp->store_file};
        return boot_store_is_usable(esp);
    }
    if (index >= boot_store_count(machine))
        return false;
    const struct system_copy *copy = &machine->copies[index - machine->esp_count];
    *ret_store = (struct boot_store){
        .partition = copy->partition, .is_bios = true, .file = copy->bios_store};
    return copy->bios_store_status == ST_OK && regf_check(copy->bios_store) == REGF_GOOD;
}

enum bcd_end boot_store_choose_by(struct arena *arena, const struct boot_store *store,
                                  const struct guid *manager, struct bcd_choice *ret_choice)
{
    enum bcd_end end = BCD_NOT_UNDERSTOOD;

    return choose(arena, store->file, manager, ret_choice, &end) == ST_OK ? end
                                                                          : BCD_NOT_UNDERSTOOD;
}

bool boot_store_is_usable(const struct esp *esp)
{
    return esp->store_status == ST_OK &&
           (esp->store == REGF_GOOD ||
            (esp->store == REGF_DIRTY && esp->store_recovery == REGF_RECOVERED));
}

bool boot_store_is_folder(const struct esp *esp)
{
    size_t file = fat_find(&esp->report, BOOT_STORE_PATH);

    return file != FAT_NO_FILE && esp->report.files[file].is_directory;
}

/* What a write left that was cut short may be inconsistent in itself. A base block that is damaged
 * was seen to stop the boot manager. */
static bool may_be_recovered(enum regf_state state)
{
    return state == REGF_DIRTY || state == REGF_DAMAGED || state == REGF_TRUNCATED;
}

/* Completes the store from its log. The result lies in the arena. */
static enum status recover(struct arena *arena, struct span file, struct span log,
                           struct esp *io_esp)
{
    size_t mark = arena_mark(arena);
    size_t capacity = file.size + log.size + REGF_BINS_SPARE;
    uint8_t *buffer = arena_alloc(arena, 1, capacity);

    if (buffer == NULL)
        return ST_NO_MEMORY;
    io_esp->store_recovery =
        regf_recover(file, &log, log.size > 0, buffer, capacity, &io_esp->store_file);
    if (io_esp->store_recovery != REGF_RECOVERED)
        arena_release(arena, mark);
    else
        io_esp->store = REGF_DIRTY;
    return ST_OK;
}

enum status boot_store_take(struct arena *arena, struct span file, struct span log,
                            struct esp *io_esp)
{
    struct bcd_choice choice;
    enum status status = ST_OK;

    io_esp->store_status = ST_OK;
    io_esp->store = regf_check(file);
    io_esp->store_file = span_of(NULL, 0);
    if (io_esp->store == REGF_GOOD)
        io_esp->store_file = file;
    else if (may_be_recovered(io_esp->store))
        status = recover(arena, file, log, io_esp);
    if (status != ST_OK || !boot_store_is_usable(io_esp))
        return status;
    return choose(arena, io_esp->store_file, &bcd_manager, &choice, &io_esp->store_end);
}
