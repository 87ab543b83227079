#include "base/mem.h"
#include "regf_edit_parts.h"
#include "regf_layout.h"
#include "regf_room.h"

/* A list that grows gets room for so great a part of it more: else each new subkey of a long one
 * would leave a hole that the next list does not fit. */
#define SPARE_PART 8u

static uint32_t list_of(const struct regf_edit *edit, uint32_t key)
{
    struct regf_key found;

    if (regf_read_key(&edit->hive, key, &found) != ST_OK || found.subkey_count == 0)
        return REGF_NIL;
    return found.subkey_list;
}

/* --- Where a subkey goes -----------------------------------------------------------------------*/

/* The form of a key's first list: that of the list that its parent is in. Only the root has
 * none. */
static void choose_form(const struct regf_edit *edit, uint32_t key, struct regf_leaf *ret_form)
{
    struct regf_key found;
    struct regf_leaf leaf;
    struct regf_leaf form = {.kind = REGF_LIST_LF, .step = 8};

    if (edit->hive.minor >= REGF_MINOR_HASHES)
        form.kind = REGF_LIST_LH;
    if (key != edit->hive.root && regf_read_key(&edit->hive, key, &found) == ST_OK &&
        regf_leaf_at(&edit->hive, list_of(edit, found.parent), 0, &leaf) == ST_OK) {
        form.kind = leaf.kind;
        form.step = leaf.step;
    }
    *ret_form = form;
}

/* Looks for the first entry of the leaf that comes behind the name. */
static enum status look_in_leaf(const struct regf_edit *edit, const struct regf_leaf *leaf,
                                struct regf_name name, uint32_t *ret_entry)
{
    struct regf_key key;

    for (uint32_t entry = 0; entry < leaf->count; entry++) {
        if (regf_read_key(&edit->hive, regf_leaf_key(leaf, entry), &key) != ST_OK)
            return ST_DAMAGED;
        int order = regf_name_compare(key.name, name);
        if (order == 0)
            return ST_EXISTS;
        if (order > 0) {
            *ret_entry = entry;
            return ST_OK;
        }
    }
    return ST_ABSENT;
}

static enum status look_in_list(const struct regf_edit *edit, uint32_t list, struct regf_name name,
                                struct regf_slot *slot)
{
    for (uint32_t number = 0;; number++) {
        struct regf_leaf leaf;
        enum status status = regf_leaf_at(&edit->hive, list, number, &leaf);
        if (status == ST_ABSENT)
            return number > 0 ? ST_OK : ST_DAMAGED;
        if (status != ST_OK)
            return status;
        slot->leaf = leaf;
        slot->number = number;
        slot->entry = leaf.count;
        status = look_in_leaf(edit, &leaf, name, &slot->entry);
        if (status != ST_ABSENT)
            return status;
    }
}

enum status regf_find_slot(const struct regf_edit *edit, uint32_t parent, struct regf_name name,
                           struct regf_slot *ret_slot)
{
    struct regf_slot slot = {.none = list_of(edit, parent) == REGF_NIL};

    if (slot.none) {
        choose_form(edit, parent, &slot.leaf);
        *ret_slot = slot;
        return ST_OK;
    }
    enum status status = look_in_list(edit, list_of(edit, parent), name, &slot);
    if (status != ST_OK)
        return status;
    if (slot.leaf.count >= REGF_LIST_MAX)
        return ST_UNSUPPORTED;
    slot.has_room = regf_cell(&edit->hive, slot.leaf.cell).size >=
                    REGF_LIST_HEADER_SIZE + ((size_t)slot.leaf.count + 1) * slot.leaf.step;
    *ret_slot = slot;
    return ST_OK;
}

size_t regf_slot_size(const struct regf_slot *slot)
{
    size_t spare = slot->leaf.count / SPARE_PART;

    return REGF_LIST_HEADER_SIZE + (slot->leaf.count + 1 + spare) * slot->leaf.step;
}

/* --- Entering ----------------------------------------------------------------------------------*/

/* Makes the key's list, or the list in it, another cell. */
static void relink_leaf(struct regf_edit *edit, uint32_t parent, const struct regf_slot *slot,
                        uint32_t cell)
{
    uint8_t *record = regf_content(edit, parent);
    uint32_t list = list_of(edit, parent);

    if (slot->none || list == slot->leaf.cell)
        st_le32(record + REGF_KEY_LIST_AT, cell);
    else
        st_le32(regf_content(edit, list) + REGF_LIST_HEADER_SIZE + 4 * (size_t)slot->number, cell);
}

/* Moves the leaf to a larger cell. */
static void move_leaf(struct regf_edit *edit, uint32_t parent, const struct regf_slot *slot,
                      uint32_t cell)
{
    static const char signatures[][3] = {
        [REGF_LIST_LI] = "li", [REGF_LIST_LF] = "lf", [REGF_LIST_LH] = "lh"};
    uint8_t *list = regf_content(edit, cell);

    memcpy(list, signatures[slot->leaf.kind], 2);
    if (slot->leaf.count > 0)
        memcpy(list + REGF_LIST_HEADER_SIZE, slot->leaf.entries,
               (size_t)slot->leaf.count * slot->leaf.step);
    relink_leaf(edit, parent, slot, cell);
    if (!slot->none)
        regf_release(edit, slot->leaf.cell);
}

static void put_list_entry(uint8_t *entry, enum regf_list_kind kind, uint32_t key,
                           struct regf_name name)
{
    st_le32(entry, key);
    if (kind == REGF_LIST_LF)
        regf_name_hint(name, entry + 4);
    if (kind == REGF_LIST_LH)
        st_le32(entry + 4, regf_name_hash(name));
}

void regf_insert(struct regf_edit *edit, uint32_t parent, const struct regf_slot *slot,
                 uint32_t new_leaf, uint32_t key, struct regf_name name)
{
    uint8_t *record = regf_content(edit, parent);
    uint32_t step = slot->leaf.step;

    if (!slot->has_room)
        move_leaf(edit, parent, slot, new_leaf);
    uint8_t *list = regf_content(edit, slot->has_room ? slot->leaf.cell : new_leaf);
    uint8_t *entry = list + REGF_LIST_HEADER_SIZE + (size_t)slot->entry * step;
    memmove(entry + step, entry, (size_t)(slot->leaf.count - slot->entry) * step);
    put_list_entry(entry, slot->leaf.kind, key, name);
    st_le16(list + REGF_LIST_COUNT_AT, (uint16_t)(slot->leaf.count + 1));
    st_le32(record + REGF_KEY_SUBKEYS_AT, ld_le32(record + REGF_KEY_SUBKEYS_AT) + 1);
}

/* --- Taking out --------------------------------------------------------------------------------*/

/* Finds a subkey's entry by its cell. */
static bool find_list_entry(const struct regf_edit *edit, uint32_t parent, uint32_t key,
                            struct regf_slot *ret_slot)
{
    struct regf_slot slot = {0};

    while (regf_leaf_at(&edit->hive, list_of(edit, parent), slot.number, &slot.leaf) == ST_OK) {
        for (slot.entry = 0; slot.entry < slot.leaf.count; slot.entry++) {
            if (regf_leaf_key(&slot.leaf, slot.entry) == key) {
                *ret_slot = slot;
                return true;
            }
        }
        slot.number++;
    }
    return false;
}

/* Takes entry `place` out of a list in `cell` with entries of `step` bytes. The entries left. */
static uint32_t drop_list_entry(struct regf_edit *edit, uint32_t cell, uint32_t step,
                                uint32_t place)
{
    uint8_t *list = regf_content(edit, cell);
    uint32_t left = ld_le16(list + REGF_LIST_COUNT_AT) - 1u;
    uint8_t *entry = list + REGF_LIST_HEADER_SIZE + (size_t)place * step;

    memmove(entry, entry + step, (size_t)(left - place) * step);
    memset(list + REGF_LIST_HEADER_SIZE + (size_t)left * step, 0, step);
    st_le16(list + REGF_LIST_COUNT_AT, (uint16_t)left);
    return left;
}

void regf_remove(struct regf_edit *edit, uint32_t parent, uint32_t key)
{
    uint8_t *record = regf_content(edit, parent);
    uint32_t list = list_of(edit, parent);
    struct regf_slot slot;

    if (!find_list_entry(edit, parent, key, &slot))
        return;
    st_le32(record + REGF_KEY_SUBKEYS_AT, ld_le32(record + REGF_KEY_SUBKEYS_AT) - 1);
    if (drop_list_entry(edit, slot.leaf.cell, slot.leaf.step, slot.entry) > 0)
        return;
    regf_release(edit, slot.leaf.cell);
    if (list != slot.leaf.cell) {
        if (drop_list_entry(edit, list, 4, slot.number) > 0)
            return;
        regf_release(edit, list);
    }
    st_le32(record + REGF_KEY_LIST_AT, REGF_NIL);
}
