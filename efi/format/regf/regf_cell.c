#include "regf_cell.h"

#include "base/mem.h"
#include "regf_layout.h"

struct span regf_cell(const struct regf_hive *hive, uint32_t cell)
{
    uint32_t unit = cell / REGF_CELL_UNIT;

    if (cell % REGF_CELL_UNIT != 0 || cell >= hive->bins.size ||
        (hive->in_use[unit / 8] >> unit % 8 & 1) == 0)
        return span_of(NULL, 0);
    const uint8_t *at = hive->bins.at + cell;
    return span_of(at + REGF_CELL_SIZE_SIZE, 0 - ld_le32(at) - REGF_CELL_SIZE_SIZE);
}

struct span regf_record(const struct regf_hive *hive, uint32_t cell, const char *signature,
                        size_t least)
{
    struct span content = regf_cell(hive, cell);

    if (content.size < least || content.size < 2 || memcmp(content.at, signature, 2) != 0)
        return span_of(NULL, 0);
    return content;
}

/* The number of entries of `step` bytes that the list has; false when they pass its end. */
static bool entry_count(struct span list, uint32_t step, uint32_t *ret_count)
{
    uint32_t count = ld_le16(list.at + REGF_LIST_COUNT_AT);

    if (!span_holds(list, REGF_LIST_HEADER_SIZE, (uint64_t)count * step))
        return false;
    *ret_count = count;
    return true;
}

static enum status read_leaf(const struct regf_hive *hive, uint32_t cell,
                             struct regf_leaf *ret_leaf)
{
    static const struct {
        char signature[3];
        uint32_t step;
    } kinds[] = {
        [REGF_LIST_LI] = {"li", 4}, [REGF_LIST_LF] = {"lf", 8}, [REGF_LIST_LH] = {"lh", 8}};

    for (enum regf_list_kind kind = REGF_LIST_LI; kind <= REGF_LIST_LH; kind++) {
        struct span list = regf_record(hive, cell, kinds[kind].signature, REGF_LIST_HEADER_SIZE);
        uint32_t count;
        if (list.at == NULL)
            continue;
        if (!entry_count(list, kinds[kind].step, &count))
            return ST_DAMAGED;
        *ret_leaf = (struct regf_leaf){.cell = cell,
                                       .kind = kind,
                                       .count = count,
                                       .step = kinds[kind].step,
                                       .entries = list.at + REGF_LIST_HEADER_SIZE};
        return ST_OK;
    }
    return ST_DAMAGED;
}

enum status regf_leaf_count(const struct regf_hive *hive, uint32_t list, uint32_t *ret_count)
{
    struct span index = regf_record(hive, list, "ri", REGF_LIST_HEADER_SIZE);

    if (index.at != NULL)
        return entry_count(index, 4, ret_count) ? ST_OK : ST_DAMAGED;
    *ret_count = list == REGF_NIL ? 0 : 1;
    return ST_OK;
}

enum status regf_leaf_at(const struct regf_hive *hive, uint32_t list, uint32_t number,
                         struct regf_leaf *ret_leaf)
{
    struct span index = regf_record(hive, list, "ri", REGF_LIST_HEADER_SIZE);
    uint32_t count;
    enum status status = regf_leaf_count(hive, list, &count);

    if (status != ST_OK)
        return status;
    if (number >= count)
        return ST_ABSENT;
    if (index.at == NULL)
        return read_leaf(hive, list, ret_leaf);
    return read_leaf(hive, ld_le32(index.at + REGF_LIST_HEADER_SIZE + 4 * (size_t)number),
                     ret_leaf);
}

enum status regf_big_data(const struct regf_hive *hive, const struct regf_value *value,
                          uint32_t *ret_count, struct span *ret_cells)
{
    struct span record = regf_record(hive, value->data, "db", REGF_BIG_SIZE);

    if (record.at == NULL)
        return ST_DAMAGED;
    uint32_t count = ld_le16(record.at + REGF_BIG_COUNT_AT);
    struct span cells = regf_cell(hive, ld_le32(record.at + REGF_BIG_LIST_AT));
    if (cells.size / 4 < count || (uint64_t)count * REGF_BIG_SEGMENT < value->size)
        return ST_DAMAGED;
    *ret_count = count;
    *ret_cells = cells;
    return ST_OK;
}
