#include "base/mem.h"
#include "regf_edit_parts.h"
#include "regf_layout.h"
#include "regf_room.h"
#include "format/regf/regf_verify.h"

/* --- Creating ----------------------------------------------------------------------------------*/

static bool name_is_allowed(struct regf_name name)
{
    size_t length = regf_name_length(name);

    for (size_t i = 0; i < length; i++) {
        if (regf_name_unit(name, i) == '\\')
            return false;
    }
    return length > 0 && length <= REGF_KEY_NAME_MAX;
}

/* How deep a key is, the root being at 1; more than REGF_DEPTH_MAX for what is no key. */
static uint32_t depth_of(const struct regf_edit *edit, uint32_t cell)
{
    uint32_t depth = 1;

    while (cell != edit->hive.root && depth <= REGF_DEPTH_MAX) {
        struct regf_key key;
        if (regf_read_key(&edit->hive, cell, &key) != ST_OK)
            return REGF_DEPTH_MAX + 1;
        cell = key.parent;
        depth++;
    }
    return depth;
}

void regf_put_key(uint8_t *record, uint32_t parent, uint32_t security, struct regf_name name,
                  uint64_t now)
{
    bool narrow = regf_name_is_narrow(name);

    memcpy(record, "nk", 2);
    st_le16(record + REGF_KEY_FLAGS_AT, narrow ? REGF_KEY_FLAG_COMPRESSED : 0);
    st_le64(record + REGF_KEY_TIME_AT, now);
    st_le32(record + REGF_KEY_PARENT_AT, parent);
    st_le32(record + REGF_KEY_LIST_AT, REGF_NIL);
    st_le32(record + REGF_KEY_VOLATILE_AT, REGF_NIL);
    st_le32(record + REGF_KEY_VALUE_LIST_AT, REGF_NIL);
    st_le32(record + REGF_KEY_SECURITY_AT, security);
    st_le32(record + REGF_KEY_CLASS_AT, REGF_NIL);
    st_le16(record + REGF_KEY_NAME_SIZE_AT, (uint16_t)regf_name_size(name));
    regf_put_name(record + REGF_KEY_SIZE, name);
}

static void raise_longest_name(uint8_t *record, struct regf_name name)
{
    uint16_t size = (uint16_t)(2 * regf_name_length(name));

    if (ld_le16(record + REGF_KEY_MAX_NAME_AT) < size)
        st_le16(record + REGF_KEY_MAX_NAME_AT, size);
}

/* Takes the cells of a new key, and of a new list where the slot has no room. */
static enum status take_key_cells(struct regf_edit *edit, struct regf_name name,
                                  const struct regf_slot *slot, uint32_t *ret_key,
                                  uint32_t *ret_leaf)
{
    struct regf_room room = regf_room_begin(edit);
    uint32_t leaf = REGF_NIL;
    uint32_t key;

    enum status status = regf_room_take(&room, REGF_KEY_SIZE + regf_name_size(name), &key);
    if (status == ST_OK && !slot->has_room)
        status = regf_room_take(&room, regf_slot_size(slot), &leaf);
    if (status != ST_OK)
        return status;
    regf_room_keep(&room);
    *ret_key = key;
    *ret_leaf = leaf;
    return ST_OK;
}

enum status regf_create_key(struct regf_edit *edit, uint32_t parent, struct regf_name name,
                            uint32_t *ret_key)
{
    struct regf_key found;
    struct regf_slot slot;
    uint32_t key;
    uint32_t leaf;
    enum status status = regf_read_key(&edit->hive, parent, &found);

    if (status == ST_OK && !name_is_allowed(name))
        status = ST_USAGE;
    if (status == ST_OK)
        status = regf_find_slot(edit, parent, name, &slot);
    if (status == ST_OK && depth_of(edit, parent) >= REGF_DEPTH_MAX)
        status = ST_UNSUPPORTED;
    if (status == ST_OK)
        status = take_key_cells(edit, name, &slot, &key, &leaf);
    if (status != ST_OK)
        return status;
    regf_put_key(regf_content(edit, key), parent, found.security, name, edit->now);
    regf_insert(edit, parent, &slot, leaf, key, name);
    uint8_t *users = regf_content(edit, found.security) + REGF_SECURITY_COUNT_AT;
    st_le32(users, ld_le32(users) + 1);
    raise_longest_name(regf_content(edit, parent), name);
    regf_touch(edit, parent);
    *ret_key = key;
    return ST_OK;
}

/* --- Deleting ----------------------------------------------------------------------------------*/

/* One user less; without any the cell is taken out of the ring and freed. */
static void leave_security(struct regf_edit *edit, uint32_t cell)
{
    uint8_t *record = regf_content(edit, cell);
    uint32_t users = ld_le32(record + REGF_SECURITY_COUNT_AT) - 1;
    uint32_t next = ld_le32(record + REGF_SECURITY_NEXT_AT);
    uint32_t previous = ld_le32(record + REGF_SECURITY_PREVIOUS_AT);

    st_le32(record + REGF_SECURITY_COUNT_AT, users);
    if (users > 0)
        return;
    st_le32(regf_content(edit, previous) + REGF_SECURITY_NEXT_AT, next);
    st_le32(regf_content(edit, next) + REGF_SECURITY_PREVIOUS_AT, previous);
    regf_release(edit, cell);
}

static void release_values(struct regf_edit *edit, uint32_t cell, const struct regf_key *key)
{
    struct regf_value value;

    if (key->value_count == 0)
        return;
    for (uint32_t i = 0; i < key->value_count; i++) {
        if (regf_value_at(&edit->hive, cell, i, &value) != ST_OK)
            continue;
        regf_release_data(edit, &value);
        regf_release(edit, value.cell);
    }
    regf_release(edit, key->value_list);
}

/* Deletes a key that has no subkeys. */
static void delete_leaf(struct regf_edit *edit, uint32_t cell, const struct regf_key *key)
{
    release_values(edit, cell, key);
    if (key->class_size > 0 && key->class_name != REGF_NIL)
        regf_release(edit, key->class_name);
    regf_remove(edit, key->parent, cell);
    leave_security(edit, key->security);
    regf_release(edit, cell);
}

/* The first key at or below `cell` that has no subkeys, going by the last ones. */
static enum status find_bottom(const struct regf_edit *edit, uint32_t *cell, struct regf_key *key)
{
    enum status status = regf_read_key(&edit->hive, *cell, key);

    while (status == ST_OK && key->subkey_count > 0) {
        status = regf_subkey_at(&edit->hive, *cell, key->subkey_count - 1, cell);
        if (status == ST_OK)
            status = regf_read_key(&edit->hive, *cell, key);
    }
    return status;
}

enum status regf_delete_key(struct regf_edit *edit, uint32_t key)
{
    struct regf_key found;
    struct regf_key bottom;
    enum status status = regf_read_key(&edit->hive, key, &found);

    if (status != ST_OK)
        return status;
    if (key == edit->hive.root)
        return ST_REFUSED;
    for (uint32_t cell = REGF_NIL; cell != key;) {
        cell = key;
        status = find_bottom(edit, &cell, &bottom);
        if (status != ST_OK)
            return status;
        delete_leaf(edit, cell, &bottom);
    }
    regf_touch(edit, found.parent);
    return ST_OK;
}
