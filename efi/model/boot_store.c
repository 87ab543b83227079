#include "model/boot_store.h"

static bool is_named(const struct machine *machine, size_t index, const struct bcd_partition *named)
{
    struct bcd_partition own = boot_store_name(machine, index);

    return bcd_partition_equal(&own, named);
}

size_t boot_store_partition(const struct machine *machine, const struct bcd_partition *named,
                            size_t from)
{
    for (size_t i = from; i < machine->partition_count; i++) {
        if (is_named(machine, i, named))
            return i;
    }
    return NO_INDEX;
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

    if (esp->store_file.size == 0 ||
        choose(arena, esp->store_file, manager, ret_choice, &end) != ST_OK)
        return BCD_NOT_UNDERSTOOD;
    return end;
}

enum status boot_store_take(struct arena *arena, struct span file, struct esp *io_esp)
{
    struct bcd_choice choice;

    io_esp->store_status = ST_OK;
    io_esp->store = regf_check(file);
    io_esp->store_file = span_of(NULL, 0);
    if (io_esp->store != REGF_GOOD)
        return ST_OK;
    io_esp->store_file = file;
    return choose(arena, file, &bcd_manager, &choice, &io_esp->store_end);
}
