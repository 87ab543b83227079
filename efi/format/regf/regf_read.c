#include "format/regf/regf_read.h"

#include "base/mem.h"
#include "format/regf/regf.h"
#include "regf_cell.h"
#include "regf_layout.h"

static enum status open_status(enum regf_state state)
{
    static const enum status statuses[REGF_STATE_COUNT] = {
        [REGF_GOOD] = ST_OK,
        [REGF_NOT_A_HIVE] = ST_ABSENT,
        [REGF_TRUNCATED] = ST_DAMAGED,
        [REGF_BAD_CHECKSUM] = ST_DAMAGED,
        [REGF_UNSUPPORTED] = ST_UNSUPPORTED,
        [REGF_DAMAGED] = ST_DAMAGED,
        [REGF_DIRTY] = ST_REFUSED,
    };

    return statuses[state];
}

size_t regf_map_size(size_t file_size)
{
    size_t bins_size = file_size > REGF_BASE_SIZE ? file_size - REGF_BASE_SIZE : 0;

    if (bins_size > REGF_BINS_MAX)
        bins_size = REGF_BINS_MAX;
    return bins_size / REGF_CELL_UNIT / 8;
}

enum status regf_open_in(struct span file, uint8_t *in_use, struct regf_hive *ret_hive)
{
    enum status status = open_status(regf_check_frame(file, in_use));

    if (status != ST_OK)
        return status;
    *ret_hive = (struct regf_hive){
        .bins = span_part(file, REGF_BASE_SIZE, ld_le32(file.at + REGF_BINS_SIZE_AT)),
        .in_use = in_use,
        .root = ld_le32(file.at + REGF_ROOT_AT),
        .minor = ld_le32(file.at + REGF_MINOR_AT),
    };
    return ST_OK;
}

enum status regf_open(struct arena *arena, struct span file, struct regf_hive *ret_hive)
{
    size_t mark = arena_mark(arena);
    uint8_t *in_use = arena_alloc(arena, regf_map_size(file.size), 1);

    if (in_use == NULL)
        return ST_NO_MEMORY;
    enum status status = regf_open_in(file, in_use, ret_hive);
    if (status != ST_OK)
        arena_release(arena, mark);
    return status;
}

/* The smallest cell of a key: its size, and a record with a name of no length. */
#define KEY_CELL_MIN (4u + REGF_KEY_SIZE)

/* --- Keys --------------------------------------------------------------------------------------*/

enum status regf_read_key(const struct regf_hive *hive, uint32_t key, struct regf_key *ret_key)
{
    struct span record = regf_record(hive, key, "nk", REGF_KEY_SIZE);

    if (record.at == NULL)
        return ST_DAMAGED;
    uint16_t flags = ld_le16(record.at + REGF_KEY_FLAGS_AT);
    uint16_t name_size = ld_le16(record.at + REGF_KEY_NAME_SIZE_AT);
    struct regf_name name = {.bytes = span_part(record, REGF_KEY_SIZE, name_size),
                             .wide = (flags & REGF_KEY_FLAG_COMPRESSED) == 0};
    if (name.bytes.at == NULL || (name.wide && name_size % 2 != 0))
        return ST_DAMAGED;
    *ret_key = (struct regf_key){
        .name = name,
        .written = ld_le64(record.at + REGF_KEY_TIME_AT),
        .parent = ld_le32(record.at + REGF_KEY_PARENT_AT),
        .subkey_count = ld_le32(record.at + REGF_KEY_SUBKEYS_AT),
        .subkey_list = ld_le32(record.at + REGF_KEY_LIST_AT),
        .value_count = ld_le32(record.at + REGF_KEY_VALUES_AT),
        .value_list = ld_le32(record.at + REGF_KEY_VALUE_LIST_AT),
        .security = ld_le32(record.at + REGF_KEY_SECURITY_AT),
        .class_name = ld_le32(record.at + REGF_KEY_CLASS_AT),
        .class_size = ld_le16(record.at + REGF_KEY_CLASS_SIZE_AT),
        .flags = flags,
    };
    return ST_OK;
}

enum status regf_list_subkeys(const struct regf_hive *hive, uint32_t key,
                              struct regf_subkeys *ret_place)
{
    struct regf_key found;
    struct regf_leaf leaf;
    enum status status = regf_read_key(hive, key, &found);
    uint32_t list = REGF_NIL;
    uint64_t total = 0;

    if (status != ST_OK)
        return status;
    /* Each is listed once, so there are no more than keys have room for. A list of lists that names
     * one of them again and again could otherwise claim thousands of millions. */
    if (found.subkey_count > hive->bins.size / KEY_CELL_MIN)
        return ST_DAMAGED;
    if (found.subkey_count > 0)
        list = found.subkey_list;
    for (uint32_t number = 0; total <= found.subkey_count; number++) {
        status = regf_leaf_at(hive, list, number, &leaf);
        if (status != ST_OK)
            break;
        total += leaf.count;
    }
    if (status != ST_ABSENT || total != found.subkey_count)
        return ST_DAMAGED;
    *ret_place = (struct regf_subkeys){.list = list};
    return ST_OK;
}

enum status regf_next_subkey(const struct regf_hive *hive, struct regf_subkeys *place,
                             uint32_t *ret_key)
{
    for (;;) {
        struct regf_leaf leaf;
        enum status status = regf_leaf_at(hive, place->list, place->number, &leaf);
        if (status != ST_OK)
            return status;
        if (place->entry < leaf.count) {
            *ret_key = regf_leaf_key(&leaf, place->entry);
            place->entry++;
            return ST_OK;
        }
        place->number++;
        place->entry = 0;
    }
}

enum status regf_subkey_at(const struct regf_hive *hive, uint32_t key, uint32_t index,
                           uint32_t *ret_key)
{
    struct regf_subkeys place;
    enum status status = regf_list_subkeys(hive, key, &place);

    while (status == ST_OK) {
        struct regf_leaf leaf;
        status = regf_leaf_at(hive, place.list, place.number, &leaf);
        if (status == ST_OK && index < leaf.count) {
            *ret_key = regf_leaf_key(&leaf, index);
            return ST_OK;
        }
        if (status == ST_OK)
            index -= leaf.count;
        place.number++;
    }
    return status;
}

enum status regf_find_subkey(const struct regf_hive *hive, uint32_t key, struct regf_name name,
                             uint32_t *ret_key)
{
    struct regf_subkeys place;
    enum status status = regf_list_subkeys(hive, key, &place);

    while (status == ST_OK) {
        struct regf_key found;
        uint32_t cell;
        status = regf_next_subkey(hive, &place, &cell);
        if (status == ST_OK)
            status = regf_read_key(hive, cell, &found);
        if (status == ST_OK && regf_name_compare(found.name, name) == 0) {
            *ret_key = cell;
            return ST_OK;
        }
    }
    return status;
}

/* --- Values ------------------------------------------------------------------------------------*/

static enum status read_value(const struct regf_hive *hive, uint32_t cell,
                              struct regf_value *ret_value)
{
    struct span record = regf_record(hive, cell, "vk", REGF_VALUE_SIZE);

    if (record.at == NULL)
        return ST_DAMAGED;
    uint16_t name_size = ld_le16(record.at + REGF_VALUE_NAME_SIZE_AT);
    uint32_t size = ld_le32(record.at + REGF_VALUE_DATA_SIZE_AT);
    bool resident = (size & REGF_VALUE_INLINE) != 0;
    struct regf_name name = {
        .bytes = span_part(record, REGF_VALUE_SIZE, name_size),
        .wide = (ld_le16(record.at + REGF_VALUE_FLAGS_AT) & REGF_VALUE_FLAG_COMPRESSED) == 0};
    if (name.bytes.at == NULL || (name.wide && name_size % 2 != 0))
        return ST_DAMAGED;
    size &= ~REGF_VALUE_INLINE;
    if (resident && size > REGF_INLINE_MAX)
        return ST_DAMAGED;
    *ret_value = (struct regf_value){
        .name = name,
        .cell = cell,
        .type = ld_le32(record.at + REGF_VALUE_TYPE_AT),
        .size = size,
        .data = ld_le32(record.at + REGF_VALUE_DATA_AT),
        .resident = resident,
        .big = hive->minor >= REGF_MINOR_BIG_DATA && size > REGF_BIG_SEGMENT,
    };
    return ST_OK;
}

enum status regf_value_at(const struct regf_hive *hive, uint32_t key, uint32_t index,
                          struct regf_value *ret_value)
{
    struct regf_key found;
    enum status status = regf_read_key(hive, key, &found);

    if (status != ST_OK)
        return status;
    if (index >= found.value_count)
        return ST_ABSENT;
    struct span list = regf_cell(hive, found.value_list);
    if (list.size / 4 < found.value_count)
        return ST_DAMAGED;
    return read_value(hive, ld_le32(list.at + 4 * (size_t)index), ret_value);
}

enum status regf_find_value(const struct regf_hive *hive, uint32_t key, struct regf_name name,
                            struct regf_value *ret_value)
{
    struct regf_value value;

    for (uint32_t index = 0;; index++) {
        enum status status = regf_value_at(hive, key, index, &value);
        if (status != ST_OK)
            return status;
        if (regf_name_compare(value.name, name) != 0)
            continue;
        *ret_value = value;
        return ST_OK;
    }
}

enum status regf_value_data(const struct regf_hive *hive, const struct regf_value *value,
                            struct span *ret_data)
{
    struct span cell = regf_cell(hive, value->resident ? value->cell : value->data);

    if (value->big)
        return ST_UNSUPPORTED;
    if (value->size == 0) {
        *ret_data = span_of(hive->bins.at, 0);
        return ST_OK;
    }
    struct span data = span_part(cell, value->resident ? REGF_VALUE_DATA_AT : 0, value->size);
    if (data.at == NULL)
        return ST_DAMAGED;
    *ret_data = data;
    return ST_OK;
}

static enum status copy_segments(const struct regf_hive *hive, const struct regf_value *value,
                                 uint8_t *to)
{
    struct span cells;
    uint32_t count;
    size_t done = 0;
    enum status status = regf_big_data(hive, value, &count, &cells);

    for (uint32_t i = 0; status == ST_OK && done < value->size; i++) {
        size_t part = value->size - done;
        if (part > REGF_BIG_SEGMENT)
            part = REGF_BIG_SEGMENT;
        struct span segment = regf_cell(hive, ld_le32(cells.at + 4 * (size_t)i));
        if (segment.size < part)
            return ST_DAMAGED;
        memcpy(to + done, segment.at, part);
        done += part;
    }
    return status;
}

enum status regf_copy_data(const struct regf_hive *hive, const struct regf_value *value,
                           uint8_t *to, size_t capacity)
{
    struct span data;

    if (value->size > capacity)
        return ST_TOO_SMALL;
    if (value->big)
        return copy_segments(hive, value, to);
    enum status status = regf_value_data(hive, value, &data);
    if (status == ST_OK && data.size > 0)
        memcpy(to, data.at, data.size);
    return status;
}
