#include "regf_marks.h"

#include "regf_cell.h"
#include "regf_layout.h"

bool regf_note(struct regf_walk *walk, enum regf_problem problem, uint32_t cell)
{
    bool damage = regf_problem_is_damage(problem);
    struct regf_flaw *flaw = damage ? &walk->report->damage : &walk->report->untidy;

    if (flaw->problem == REGF_NO_PROBLEM)
        *flaw = (struct regf_flaw){.problem = problem, .cell = cell, .key = walk->key};
    return !damage;
}

uint32_t *regf_mark_of(struct regf_walk *walk, uint32_t cell)
{
    return &walk->marks[cell / REGF_CELL_UNIT];
}

bool regf_claim(struct regf_walk *walk, uint32_t cell)
{
    if (regf_cell(walk->hive, cell).at == NULL)
        return regf_note(walk, REGF_CELL_UNUSED, cell);
    if (*regf_mark_of(walk, cell) != 0)
        return regf_note(walk, REGF_CELL_TWICE, cell);
    *regf_mark_of(walk, cell) = REGF_MARK_OWNED;
    return true;
}

/* --- Values ------------------------------------------------------------------------------------*/

static bool claim_segments(struct regf_walk *walk, const struct regf_value *value)
{
    struct span cells;
    uint32_t count;
    uint32_t left = value->size;

    if (regf_big_data(walk->hive, value, &count, &cells) != ST_OK)
        return regf_note(walk, REGF_VALUE_DATA, value->cell);
    struct span record = regf_cell(walk->hive, value->data);
    if (!regf_claim(walk, ld_le32(record.at + REGF_BIG_LIST_AT)))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t segment = ld_le32(cells.at + 4 * (size_t)i);
        uint32_t part = left < REGF_BIG_SEGMENT ? left : REGF_BIG_SEGMENT;
        if (!regf_claim(walk, segment))
            return false;
        if (regf_cell(walk->hive, segment).size < part)
            return regf_note(walk, REGF_VALUE_DATA, value->cell);
        left -= part;
    }
    return true;
}

static bool verify_data(struct regf_walk *walk, const struct regf_value *value)
{
    struct span data;

    if (value->resident || value->size == 0)
        return true;
    if (!regf_claim(walk, value->data))
        return false;
    if (value->big)
        return claim_segments(walk, value);
    return regf_value_data(walk->hive, value, &data) == ST_OK ||
           regf_note(walk, REGF_VALUE_DATA, value->cell);
}

bool regf_verify_values(struct regf_walk *walk, const struct regf_key *key)
{
    const uint8_t *record = walk->hive->bins.at + walk->key + REGF_CELL_SIZE_SIZE;
    struct regf_value value;

    if (key->value_count == 0)
        return true;
    if (!regf_claim(walk, key->value_list))
        return false;
    struct span list = regf_cell(walk->hive, key->value_list);
    if (list.size / 4 < key->value_count)
        return regf_note(walk, REGF_KEY_BAD, walk->key);
    for (uint32_t i = 0; i < key->value_count; i++) {
        uint32_t cell = ld_le32(list.at + 4 * (size_t)i);
        if (!regf_claim(walk, cell))
            return false;
        if (regf_value_at(walk->hive, walk->key, i, &value) != ST_OK)
            return regf_note(walk, REGF_VALUE_BAD, cell);
        if (!verify_data(walk, &value))
            return false;
        if (2 * regf_name_length(value.name) > ld_le32(record + REGF_KEY_MAX_VALUE_AT) ||
            value.size > ld_le32(record + REGF_KEY_MAX_DATA_AT))
            (void)regf_note(walk, REGF_MAXIMUM_LOW, walk->key);
        walk->report->value_count++;
    }
    return true;
}

/* --- Lists of subkeys --------------------------------------------------------------------------*/

bool regf_verify_lists(struct regf_walk *walk, const struct regf_key *key)
{
    struct regf_leaf leaf;
    uint32_t count;
    uint64_t total = 0;

    if (key->subkey_count == 0)
        return true;
    if (!regf_claim(walk, key->subkey_list))
        return false;
    if (regf_leaf_count(walk->hive, key->subkey_list, &count) != ST_OK)
        return regf_note(walk, REGF_LIST_BAD, key->subkey_list);
    for (uint32_t i = 0; i < count; i++) {
        if (regf_leaf_at(walk->hive, key->subkey_list, i, &leaf) != ST_OK)
            return regf_note(walk, REGF_LIST_BAD, key->subkey_list);
        if (leaf.cell != key->subkey_list && !regf_claim(walk, leaf.cell))
            return false;
        total += leaf.count;
    }
    return total == key->subkey_count || regf_note(walk, REGF_LIST_COUNT, walk->key);
}

/* --- Security ----------------------------------------------------------------------------------*/

bool regf_claim_security(struct regf_walk *walk, uint32_t cell)
{
    if (regf_cell(walk->hive, cell).at == NULL)
        return regf_note(walk, REGF_CELL_UNUSED, cell);
    uint32_t *mark = regf_mark_of(walk, cell);
    if ((*mark & REGF_MARK_OWNED) != 0)
        return regf_note(walk, REGF_CELL_TWICE, cell);
    ++*mark;
    return true;
}

/* One cell of the ring; `*ret_next` is the one behind it. */
static bool verify_ring_cell(struct regf_walk *walk, uint32_t cell, uint32_t *ret_next)
{
    struct span record = regf_record(walk->hive, cell, "sk", REGF_SECURITY_SIZE);

    if (record.at == NULL ||
        !span_holds(record, REGF_SECURITY_SIZE, ld_le32(record.at + REGF_SECURITY_DESCRIPTOR_AT)))
        return regf_note(walk, REGF_SECURITY_BAD, cell);
    uint32_t *mark = regf_mark_of(walk, cell);
    if ((*mark & (REGF_MARK_OWNED | REGF_MARK_RING)) != 0)
        return regf_note(walk, REGF_SECURITY_RING, cell);
    if (*mark != ld_le32(record.at + REGF_SECURITY_COUNT_AT))
        return regf_note(walk, REGF_SECURITY_COUNT, cell);
    *mark |= REGF_MARK_RING;
    uint32_t next = ld_le32(record.at + REGF_SECURITY_NEXT_AT);
    struct span behind = regf_record(walk->hive, next, "sk", REGF_SECURITY_SIZE);
    if (behind.at == NULL || ld_le32(behind.at + REGF_SECURITY_PREVIOUS_AT) != cell)
        return regf_note(walk, REGF_SECURITY_RING, cell);
    *ret_next = next;
    return true;
}

bool regf_verify_security(struct regf_walk *walk)
{
    struct regf_key root;
    uint64_t total = 0;

    walk->key = walk->hive->root;
    if (regf_read_key(walk->hive, walk->hive->root, &root) != ST_OK)
        return regf_note(walk, REGF_KEY_BAD, walk->key);
    for (uint32_t cell = root.security;;) {
        uint32_t next = REGF_NIL;
        if (!verify_ring_cell(walk, cell, &next))
            return false;
        total += *regf_mark_of(walk, cell) & REGF_MARK_SHARES;
        if (next == root.security)
            break;
        cell = next;
    }
    /* All keys are counted in the ring, or one has a security that is not in it. */
    return total == walk->report->key_count || regf_note(walk, REGF_SECURITY_RING, root.security);
}
