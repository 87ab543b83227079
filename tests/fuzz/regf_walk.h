/* Reads all that there is in a registry hive, sound or not, as the fuzz targets do. */
#ifndef SHADOWBOOT_FUZZ_REGF_WALK_H
#define SHADOWBOOT_FUZZ_REGF_WALK_H

#include "format/regf/regf_verify.h"
#include "fuzz/fuzz.h"

#define REGF_WALK_STEPS 3000u /* keys and values; a hive that deceives may have no end */
#define REGF_WALK_DEPTH 70u

struct regf_walk_counts {
    uint32_t left; /* steps */
    uint32_t keys, values;
    bool damaged;
};

static inline void regf_walk_value(const struct regf_hive *hive, const struct regf_value *value)
{
    struct span data;
    uint8_t *copy = malloc(value->size < 65536 ? value->size + 1 : 1);

    require(copy != NULL);
    enum status status = regf_value_data(hive, value, &data);
    if (value->size < 65536) {
        enum status copied = regf_copy_data(hive, value, copy, value->size);
        require(copied == ST_OK || copied == ST_DAMAGED);
        require(status != ST_OK || copied == ST_OK);
        require(status != ST_OK || memcmp(copy, data.at, value->size) == 0);
    }
    free(copy);
}

static inline void regf_walk_values(const struct regf_hive *hive, uint32_t key,
                                    struct regf_walk_counts *counts)
{
    struct regf_value value, found;

    for (uint32_t i = 0; counts->left > 0; i++) {
        enum status status = regf_value_at(hive, key, i, &value);
        require(status == ST_OK || status == ST_ABSENT || status == ST_DAMAGED);
        counts->damaged = counts->damaged || status == ST_DAMAGED;
        if (status != ST_OK)
            return;
        counts->left--;
        counts->values++;
        require(regf_find_value(hive, key, value.name, &found) == ST_OK);
        regf_walk_value(hive, &value);
    }
}

static inline void regf_walk_key(const struct regf_hive *hive, uint32_t cell, unsigned depth,
                                 struct regf_walk_counts *counts)
{
    struct regf_subkeys place;
    struct regf_key key;
    uint32_t subkey, again;

    if (counts->left == 0 || depth == REGF_WALK_DEPTH)
        return;
    counts->left--;
    if (regf_read_key(hive, cell, &key) != ST_OK) {
        counts->damaged = true;
        return;
    }
    counts->keys++;
    regf_walk_values(hive, cell, counts);
    enum status status = regf_list_subkeys(hive, cell, &place);
    for (uint32_t i = 0; status == ST_OK && counts->left > 0; i++) {
        status = regf_next_subkey(hive, &place, &subkey);
        require(status == ST_OK || status == ST_ABSENT || status == ST_DAMAGED);
        require(regf_subkey_at(hive, cell, i, &again) == status);
        if (status != ST_OK)
            break;
        require(subkey == again);
        regf_walk_key(hive, subkey, depth + 1, counts);
    }
    counts->damaged = counts->damaged || status == ST_DAMAGED;
}

/* Reads all; what was found sound has to be just what is there. */
static inline void regf_walk_all(const struct regf_hive *hive, const struct regf_report *report)
{
    struct regf_walk_counts counts = {.left = REGF_WALK_STEPS};

    regf_walk_key(hive, hive->root, 1, &counts);
    if (report->damage.problem != REGF_NO_PROBLEM || counts.left == 0)
        return;
    require(!counts.damaged);
    require(counts.keys == report->key_count && counts.values == report->value_count);
}

#endif
