#include "store_work.h"

#include "base/date.h"
#include "base/mem.h"
#include "format/regf/regf_edit.h"
#include "model/boot_store.h"

#define WRITTEN_AT 12u /* in the base block: when the hive was written last */

/* --- What has to change --------------------------------------------------------------------- */

size_t store_copy_partition(const struct plan *plan, const struct machine *later,
                            const struct member *member)
{
    if (member->copy == NO_INDEX)
        return NO_INDEX;
    const struct system_copy *copy = &plan->machine->copies[member->copy];
    for (size_t i = 0; i < later->copy_count; i++) {
        if (later->copies[i].disk == copy->disk && later->copies[i].lba == copy->lba)
            return later->copies[i].partition;
    }
    return NO_INDEX;
}

/* True for a copy of the same volume on another disk, and for what is nowhere. */
static bool may_be_replaced(const struct store_work *work, const struct bcd_partition *named)
{
    size_t partition = boot_store_partition(work->later, named, 0);

    if (partition == NO_INDEX)
        return true;
    for (size_t i = 0; i < work->roles->member_count; i++) {
        if (store_copy_partition(work->plan, work->later, &work->roles->members[i]) == partition)
            return true;
    }
    return false;
}

bool store_is_elsewhere(const struct store_work *work, const struct bcd_device *device)
{
    if (work->own == NO_INDEX)
        return false;
    struct bcd_partition own = boot_store_name(work->later, work->own);
    return device->kind == BCD_DEVICE_PARTITION && !bcd_partition_equal(&device->partition, &own) &&
           may_be_replaced(work, &device->partition);
}

bool store_choice_is_elsewhere(const struct store_work *work, const struct bcd_choice *choice)
{
    return store_is_elsewhere(work, &choice->device) ||
           (choice->has_os_device && store_is_elsewhere(work, &choice->os_device));
}

/* --- The new store -------------------------------------------------------------------------- */

struct exchange {
    const struct bcd_partition *from, *to;
};

/* Carries out the steps on each device of an object; returns how often. What is not understood
 * stays as it is. */
static size_t exchange_in(const struct bcd_store *store, const struct bcd_object *object,
                          uint8_t *bytes, const struct exchange *steps, size_t count)
{
    struct bcd_element element;
    size_t total = 0;

    for (size_t i = 0; bcd_element_at(store, object, i, &element) == ST_OK; i++) {
        uint8_t *data = bytes + (element.data.at - bytes);
        if (bcd_format(element.code) != BCD_FORMAT_DEVICE)
            continue;
        for (size_t j = 0; j < count; j++) {
            size_t changed = 0;
            if (bcd_device_retarget(data, element.data.size, steps[j].from, steps[j].to,
                                    &changed) != ST_OK)
                break;
            total += changed;
        }
    }
    return total;
}

/* The same for all objects of a store. */
static size_t exchange_all(const struct bcd_store *store, uint8_t *bytes,
                           const struct exchange *steps, size_t count)
{
    struct bcd_object object;
    size_t total = 0;

    for (size_t i = 0;; i++) {
        enum status found = bcd_object_at(store, i, &object);
        if (found == ST_ABSENT)
            return total;
        if (found == ST_OK)
            total += exchange_in(store, &object, bytes, steps, count);
    }
}

size_t store_exchange(const struct bcd_store *store, uint8_t *bytes,
                      const struct bcd_partition *from, const struct bcd_partition *to)
{
    const struct exchange step = {from, to};

    return exchange_all(store, bytes, &step, 1);
}

void store_stamp(uint8_t *bytes)
{
    regf_stamp(bytes, ld_le64(bytes + WRITTEN_AT) + FILETIME_SECOND);
}

/* Changes places of two partitions in all devices of a store. */
static enum status swap_partitions(struct arena *arena, uint8_t *bytes, size_t size,
                                   const struct bcd_partition *a, const struct bcd_partition *b)
{
    const struct bcd_partition nowhere = {
        .is_gpt = true, .partition = GUID_INIT(0x5ad0b007, 0x7e3d, 0x4c1a, 0x9b52, 0x6f0c3a9e41d7)};
    const struct exchange steps[] = {{a, &nowhere}, {b, a}, {&nowhere, b}};
    struct bcd_store store;

    enum status status = bcd_open(arena, span_of(bytes, size), &store);
    if (status == ST_OK)
        (void)exchange_all(&store, bytes, steps, sizeof(steps) / sizeof(steps[0]));
    return status;
}

/* Puts `to` in the place of `from` in the chosen loader alone. */
static enum status replace(const struct store_work *work, uint8_t *bytes, size_t size,
                           const struct bcd_partition *from, const struct bcd_partition *to)
{
    const struct exchange step = {from, to};
    struct bcd_store store;
    struct bcd_object loader;

    enum status status = bcd_open(work->plan->arena, span_of(bytes, size), &store);
    if (status == ST_OK)
        status = bcd_find(&store, &work->choice.loader.guid, &loader);
    if (status == ST_OK)
        (void)exchange_in(&store, &loader, bytes, &step, 1);
    return status;
}

/* Where the boot manager says that it lies itself; ST_ABSENT when that is no partition. */
static enum status manager_place(struct arena *arena, struct span file,
                                 struct bcd_partition *ret_place)
{
    struct bcd_store store;
    struct bcd_object manager;
    struct bcd_device device;
    struct span data;

    enum status status = bcd_open(arena, file, &store);
    if (status == ST_OK)
        status = bcd_find(&store, &bcd_manager, &manager);
    if (status == ST_OK)
        status = bcd_element(&store, &manager, BCD_DEVICE, &data);
    if (status == ST_OK)
        status = bcd_device_read(data, &device);
    if (status != ST_OK || device.kind != BCD_DEVICE_PARTITION)
        return status == ST_NO_MEMORY ? status : ST_ABSENT;
    *ret_place = device.partition;
    return ST_OK;
}

static bool is_esp_or_nowhere(const struct machine *machine, const struct bcd_partition *named)
{
    size_t partition = boot_store_partition(machine, named, 0);

    return partition == NO_INDEX || machine->partitions[partition].kind == PT_ESP;
}

/* The loader's volume is swapped with the own one, so that a second loader keeps the other; a
 * system that is elsewhere all the same comes home. */
static enum status retarget(const struct store_work *work, uint8_t *bytes, size_t size)
{
    const struct bcd_device *device = &work->choice.device;
    const struct bcd_device *os = &work->choice.os_device;
    struct bcd_partition own = boot_store_name(work->later, work->own);
    bool moves = store_is_elsewhere(work, device);
    enum status status = ST_OK;

    if (moves)
        status = swap_partitions(work->plan->arena, bytes, size, &device->partition, &own);
    if (status != ST_OK || !work->choice.has_os_device ||
        (moves && bcd_partition_equal(&device->partition, &os->partition)))
        return status;
    /* What was the own one has been swapped away. */
    if (moves && bcd_partition_equal(&own, &os->partition))
        return replace(work, bytes, size, &device->partition, &own);
    return store_is_elsewhere(work, os) ? replace(work, bytes, size, &os->partition, &own) : ST_OK;
}

/* Loader and system come home, and the boot manager's own place with them. */
static enum status move(const struct store_work *work, uint8_t *bytes, size_t size)
{
    struct arena *arena = work->plan->arena;
    struct bcd_partition esp = boot_store_name(work->later, work->esp->partition);
    struct bcd_partition manager;

    enum status status = retarget(work, bytes, size);
    if (status == ST_OK)
        status = manager_place(arena, span_of(bytes, size), &manager);
    if (status == ST_OK && !bcd_partition_equal(&manager, &esp) &&
        is_esp_or_nowhere(work->later, &manager))
        status = swap_partitions(arena, bytes, size, &manager, &esp);
    return status == ST_ABSENT ? ST_OK : status;
}

/* What resumes a hibernated Windows comes home as well. It is no part of the swap where it was
 * elsewhere than the loader. */
static enum status bring_resume(struct store_work *work, uint8_t *bytes, size_t size)
{
    struct bcd_object resume;
    struct bcd_device device;
    struct bcd_choice choice;
    struct bcd_store store;
    struct guid guid;
    struct span data;

    enum status status = bcd_open(work->plan->arena, span_of(bytes, size), &store);
    if (status != ST_OK)
        return status == ST_NO_MEMORY ? status : ST_OK;
    if (work->own == NO_INDEX || bcd_choose(&store, &bcd_manager, &choice) != BCD_STARTS ||
        bcd_inherited(&store, &choice.loader, BCD_RESUME_OBJECT, &data) != ST_OK ||
        bcd_guid_at(data, 0, &guid) != ST_OK || bcd_find(&store, &guid, &resume) != ST_OK ||
        bcd_element(&store, &resume, BCD_DEVICE, &data) != ST_OK ||
        bcd_device_read(data, &device) != ST_OK || !store_is_elsewhere(work, &device))
        return ST_OK;
    struct bcd_partition own = boot_store_name(work->later, work->own);
    const struct exchange step = {&device.partition, &own};
    exchange_in(&store, &resume, bytes, &step, 1);
    work->resumes = true;
    return ST_OK;
}

enum status store_make(struct store_work *work, struct span *io_file)
{
    size_t size = io_file->size;
    uint8_t *bytes = arena_copy(work->plan->arena, io_file->at, size);

    if (bytes == NULL)
        return ST_NO_MEMORY;
    enum status status = work->moves ? move(work, bytes, size) : ST_OK;
    if (status == ST_OK)
        status = bring_resume(work, bytes, size);
    if (status != ST_OK)
        return status;
    struct span made = span_of(bytes, size);
    if (span_equal(made, *io_file)) { /* what leads elsewhere cannot be changed */
        work->moves = false;
        work->resumes = false;
        return ST_OK;
    }
    store_stamp(bytes);
    *io_file = made;
    return ST_OK;
}
