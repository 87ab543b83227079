/* Cells of a registry hive, and lists of subkeys in them; for efi/format alone. */
#ifndef SHADOWBOOT_FORMAT_REGF_CELL_H
#define SHADOWBOOT_FORMAT_REGF_CELL_H

#include "base/bytes.h"
#include "base/status.h"
#include "format/regf/regf_read.h"

enum regf_list_kind {
    REGF_LIST_LI, /* cells */
    REGF_LIST_LF, /* cells with hints */
    REGF_LIST_LH, /* cells with hashes */
};

/* A list of subkeys that is no list of lists. */
struct regf_leaf {
    uint32_t cell;
    enum regf_list_kind kind;
    uint32_t count;
    uint32_t step;          /* bytes from entry to entry */
    const uint8_t *entries; /* of the hive; count * step bytes */
};

/* Bytes of the map of cells in use for all bins that a file of that size can have. */
size_t regf_map_size(size_t file_size);

/* The same as regf_open with memory for the map, which is zero: regf_map_size of the file's
 * size. */
MUST_CHECK enum status regf_open_in(struct span file, uint8_t *in_use, struct regf_hive *ret_hive);

/* The content of the cell in use that begins at `cell`; an empty span at NULL when none does. */
struct span regf_cell(const struct regf_hive *hive, uint32_t cell);

/* The same when it has `least` bytes and begins with the two characters `signature`. */
struct span regf_record(const struct regf_hive *hive, uint32_t cell, const char *signature,
                        size_t least);

/* How many lists there are in `list`: 1 unless it is an "ri". Statuses: ST_OK; ST_DAMAGED. */
MUST_CHECK enum status regf_leaf_count(const struct regf_hive *hive, uint32_t list,
                                       uint32_t *ret_count);

/* List `number` in `list`, or `list` itself. Statuses: ST_OK; ST_ABSENT behind the last one and
 * where `list` is nil; ST_DAMAGED. */
MUST_CHECK enum status regf_leaf_at(const struct regf_hive *hive, uint32_t list, uint32_t number,
                                    struct regf_leaf *ret_leaf);

/* The key that an entry names. */
static inline uint32_t regf_leaf_key(const struct regf_leaf *leaf, uint32_t entry)
{
    return ld_le32(leaf->entries + (size_t)entry * leaf->step);
}

/* The segments of a value whose data is `big`: how many, and the list of their cells, borrowed from
 * the hive. Statuses: ST_OK; ST_DAMAGED. */
MUST_CHECK enum status regf_big_data(const struct regf_hive *hive, const struct regf_value *value,
                                     uint32_t *ret_count, struct span *ret_cells);

#endif
