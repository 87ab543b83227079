/*
 * A boot store: objects, elements, devices, what is started by it, and partitions put in each
 * other's place. The input: one byte, 1 for a device element by itself, else a store whose checksum
 * is corrected; then the data.
 */
#include "format/bcd/bcd.h"
#include "fuzz/fuzz.h"
#include "fuzz/regf_checksum.h"

#define SIZE_LIMIT 65536u
#define ARENA_SIZE (1u << 16)

static const struct bcd_partition other = {.is_gpt = true, .partition = {{1, 2, 3}}};

/* What is read is what is written: there and back again gives the same bytes. */
static void try_device(const uint8_t *data, size_t size)
{
    struct bcd_device device;
    struct bcd_device changed;
    size_t count = 0;

    enum status status = bcd_device_read(span_of(data, size), &device);
    require(status == ST_OK || status == ST_DAMAGED);
    if (status != ST_OK)
        return;
    require(device.kind < BCD_DEVICE_KIND_COUNT);
    require(device.path.size == 0 ||
            (device.path.at >= data && device.path.at + device.path.size <= data + size));
    if (!device.has_partition)
        return;
    uint8_t *copy = exact_copy(data, size);
    require(bcd_device_retarget(copy, size, &device.partition, &other, &count) == ST_OK);
    require(count > 0);
    require(bcd_device_read(span_of(copy, size), &changed) == ST_OK);
    require(changed.kind == device.kind && bcd_partition_equal(&changed.partition, &other));
    free(copy);
}

static void try_elements(const struct bcd_store *store, const struct bcd_object *object)
{
    struct bcd_element element;
    struct guid guid;

    for (size_t i = 0; i < bcd_element_count(store, object) && i < 64; i++) {
        if (bcd_element_at(store, object, i, &element) != ST_OK)
            continue;
        for (size_t j = 0; j < 8 && bcd_guid_at(element.data, j, &guid) == ST_OK; j++)
            ;
        if (bcd_format(element.code) == BCD_FORMAT_DEVICE)
            try_device(element.data.at, element.data.size);
    }
}

static void try_store(const uint8_t *data, size_t size)
{
    static uint8_t memory[ARENA_SIZE];
    struct bcd_store store;
    struct bcd_object object;
    struct bcd_choice choice;
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    if (bcd_open(&arena, span_of(data, size), &store) != ST_OK)
        return;
    for (size_t i = 0; i < bcd_object_count(&store) && i < 64; i++) {
        if (bcd_object_at(&store, i, &object) == ST_OK)
            try_elements(&store, &object);
    }
    require(bcd_choose(&store, &bcd_manager, &choice) < BCD_END_COUNT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > SIZE_LIMIT)
        return 0;
    uint8_t *copy = exact_copy(data + 1, size - 1);

    if (data[0] != 1 && size - 1 >= 512)
        correct_checksum(copy);
    if (data[0] == 1)
        try_device(copy, size - 1);
    else
        try_store(copy, size - 1);
    free(copy);
    return 0;
}
