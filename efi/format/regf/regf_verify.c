#include "format/regf/regf_verify.h"

#include "base/mem.h"
#include "regf_cell.h"
#include "regf_layout.h"
#include "regf_marks.h"

/* A key on the way from the root to the one that is looked at. */
struct step {
    uint32_t key;
    struct regf_subkeys place; /* of the next subkey */
    struct regf_name last;     /* the name of the last one; at NULL before the first */
    uint32_t longest_name;     /* what the key says, bytes of UTF-16 */
    uint32_t longest_class;
};

/* --- Keys --------------------------------------------------------------------------------------*/

static bool verify_class(struct regf_walk *walk, const struct regf_key *key)
{
    if (key->class_size == 0 || key->class_name == REGF_NIL)
        return true;
    if (!regf_claim(walk, key->class_name))
        return false;
    return regf_cell(walk->hive, key->class_name).size >= key->class_size ||
           regf_note(walk, REGF_KEY_BAD, walk->key);
}

/* Looks at a key and at what it owns but its subkeys. */
static bool verify_key(struct regf_walk *walk, uint32_t cell, struct regf_key *ret_key)
{
    walk->key = cell;
    if (!regf_claim(walk, cell))
        return false;
    if (regf_read_key(walk->hive, cell, ret_key) != ST_OK ||
        (ret_key->name.bytes.size == 0 && cell != walk->hive->root))
        return regf_note(walk, REGF_KEY_BAD, cell);
    if (!regf_claim_security(walk, ret_key->security) || !verify_class(walk, ret_key) ||
        !regf_verify_values(walk, ret_key) || !regf_verify_lists(walk, ret_key))
        return false;
    walk->report->key_count++;
    return true;
}

static bool enter(struct regf_walk *walk, struct step *step, uint32_t cell)
{
    const uint8_t *record = walk->hive->bins.at + cell + REGF_CELL_SIZE_SIZE;

    *step = (struct step){.key = cell,
                          .longest_name = ld_le16(record + REGF_KEY_MAX_NAME_AT),
                          .longest_class = ld_le32(record + REGF_KEY_MAX_CLASS_AT)};
    return regf_list_subkeys(walk->hive, cell, &step->place) == ST_OK ||
           regf_note(walk, REGF_LIST_COUNT, cell);
}

/* What the entry in front of `place` holds beside the key. */
static bool hint_is_right(struct regf_walk *walk, const struct regf_subkeys *place,
                          struct regf_name name)
{
    struct regf_leaf leaf;
    uint8_t hint[REGF_HINT_SIZE];

    if (regf_leaf_at(walk->hive, place->list, place->number, &leaf) != ST_OK)
        return false;
    const uint8_t *entry = leaf.entries + (size_t)(place->entry - 1) * leaf.step;
    if (leaf.kind == REGF_LIST_LI)
        return true;
    if (leaf.kind == REGF_LIST_LH)
        return ld_le32(entry + 4) == regf_name_hash(name);
    regf_name_hint(name, hint);
    for (size_t i = 0; i < REGF_HINT_SIZE; i++) {
        if (regf_upcase(entry[4 + i]) != regf_upcase(hint[i]))
            return false;
    }
    return true;
}

/* A key that was found sound, in its parent's list. */
static bool verify_place(struct regf_walk *walk, struct step *parent, uint32_t cell,
                         const struct regf_key *key)
{
    if (key->parent != parent->key)
        return regf_note(walk, REGF_KEY_PARENT, cell);
    if (parent->last.bytes.at != NULL && regf_name_compare(parent->last, key->name) >= 0)
        return regf_note(walk, REGF_LIST_ORDER, cell);
    if (!hint_is_right(walk, &parent->place, key->name))
        return regf_note(walk, REGF_LIST_HINT, cell);
    parent->last = key->name;
    if (2 * regf_name_length(key->name) > parent->longest_name ||
        key->class_size > parent->longest_class)
        return regf_note(walk, REGF_MAXIMUM_LOW, parent->key);
    return true;
}

static bool walk_keys(struct regf_walk *walk)
{
    struct step steps[REGF_DEPTH_MAX];
    struct regf_key key;
    size_t depth = 1;

    if (!verify_key(walk, walk->hive->root, &key) || !enter(walk, &steps[0], walk->hive->root))
        return false;
    while (depth > 0) {
        struct step *parent = &steps[depth - 1];
        uint32_t cell;
        enum status status = regf_next_subkey(walk->hive, &parent->place, &cell);
        if (status == ST_ABSENT) {
            depth--;
            continue;
        }
        if (status != ST_OK)
            return regf_note(walk, REGF_LIST_BAD, parent->key);
        if (!verify_key(walk, cell, &key) || !verify_place(walk, parent, cell, &key))
            return false;
        if (depth == REGF_DEPTH_MAX)
            return regf_note(walk, REGF_TOO_DEEP, cell);
        if (!enter(walk, &steps[depth], cell))
            return false;
        depth++;
    }
    return true;
}

/* --- Cells -------------------------------------------------------------------------------------*/

static void look_at_bin(struct regf_walk *walk, struct span bin, uint32_t place)
{
    bool after_free = false;

    for (uint32_t at = REGF_BIN_HEADER_SIZE; at < bin.size;) {
        uint32_t size = regf_cell_step(bin.at + at, bin.size - at);
        bool used = regf_cell_is_used(bin.at + at);
        if (used && *regf_mark_of(walk, place + at) == 0)
            (void)regf_note(walk, REGF_CELL_LOST, place + at);
        if (!used && after_free)
            (void)regf_note(walk, REGF_CELLS_APART, place + at);
        walk->report->cell_count += used;
        walk->report->free_bytes += used ? 0 : size;
        after_free = !used;
        at += size;
    }
}

static void look_at_cells(struct regf_walk *walk)
{
    struct span bins = walk->hive->bins;

    for (uint32_t at = 0; at < bins.size;) {
        struct span bin = regf_bin_at(bins, at);
        look_at_bin(walk, bin, at);
        at += (uint32_t)bin.size;
    }
}

enum status regf_verify(struct arena *arena, const struct regf_hive *hive,
                        struct regf_report *ret_report)
{
    size_t mark = arena_mark(arena);
    struct regf_report report = {0};
    struct regf_walk walk = {
        .hive = hive,
        .report = &report,
        .marks = arena_alloc(arena, hive->bins.size / REGF_CELL_UNIT, sizeof(uint32_t)),
        .key = hive->root,
    };

    if (walk.marks == NULL)
        return ST_NO_MEMORY;
    if (walk_keys(&walk) && regf_verify_security(&walk)) {
        walk.key = hive->root;
        look_at_cells(&walk);
    }
    arena_release(arena, mark);
    *ret_report = report;
    return ST_OK;
}
