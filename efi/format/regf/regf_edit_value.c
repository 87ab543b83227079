#include "base/mem.h"
#include "format/regf/regf.h"
#include "regf_cell.h"
#include "regf_edit_parts.h"
#include "regf_layout.h"
#include "regf_room.h"

void regf_touch(struct regf_edit *edit, uint32_t key)
{
    st_le64(regf_content(edit, key) + REGF_KEY_TIME_AT, edit->now);
}

void regf_raise(uint8_t *field, uint32_t least)
{
    if (ld_le32(field) < least)
        st_le32(field, least);
}

size_t regf_name_size(struct regf_name name)
{
    return regf_name_length(name) * (regf_name_is_narrow(name) ? 1 : 2);
}

void regf_put_name(uint8_t *to, struct regf_name name)
{
    bool narrow = regf_name_is_narrow(name);

    for (size_t i = 0; i < regf_name_length(name); i++) {
        if (narrow)
            to[i] = (uint8_t)regf_name_unit(name, i);
        else
            st_le16(to + 2 * i, regf_name_unit(name, i));
    }
}

/* --- Data --------------------------------------------------------------------------------------*/

void regf_release_data(struct regf_edit *edit, const struct regf_value *value)
{
    struct span cells;
    uint32_t count;

    if (value->resident || value->size == 0)
        return;
    if (value->big && regf_big_data(&edit->hive, value, &count, &cells) == ST_OK) {
        for (uint32_t i = 0; i < count; i++)
            regf_release(edit, ld_le32(cells.at + 4 * (size_t)i));
        regf_release(edit, ld_le32(regf_content(edit, value->data) + REGF_BIG_LIST_AT));
    }
    regf_release(edit, value->data);
}

/* True when the data fits the cell that the value has for it now. */
static bool fits_present_cell(const struct regf_edit *edit, const struct regf_value *value,
                              size_t size)
{
    return !value->resident && value->size > 0 && !value->big && size > REGF_INLINE_MAX &&
           regf_cell(&edit->hive, value->data).size >= size;
}

/* Writes data of more than REGF_INLINE_MAX bytes into its cell, and zeros behind it. */
static void put_value_data(struct regf_edit *edit, uint32_t cell, struct span data)
{
    uint8_t *to = regf_content(edit, cell);
    size_t room = regf_cell(&edit->hive, cell).size;

    memmove(to, data.at, data.size);
    memset(to + data.size, 0, room - data.size);
}

/* Makes a value's cell say what its data is; that of more than REGF_INLINE_MAX bytes is in
 * `place`. */
static void describe_value(struct regf_edit *edit, uint32_t cell, uint32_t type, struct span data,
                           uint32_t place)
{
    uint8_t *record = regf_content(edit, cell);
    uint32_t size = (uint32_t)data.size;
    uint8_t resident[REGF_INLINE_MAX] = {0};

    if (size <= REGF_INLINE_MAX) {
        if (size > 0)
            memcpy(resident, data.at, size);
        place = ld_le32(resident);
        size |= REGF_VALUE_INLINE;
    }
    st_le32(record + REGF_VALUE_DATA_SIZE_AT, size);
    st_le32(record + REGF_VALUE_DATA_AT, place);
    st_le32(record + REGF_VALUE_TYPE_AT, type);
}

static enum status replace_value(struct regf_edit *edit, const struct regf_value *value,
                                 uint32_t type, struct span data)
{
    struct regf_room room = regf_room_begin(edit);
    uint32_t place = value->data;

    if (fits_present_cell(edit, value, data.size)) {
        put_value_data(edit, place, data);
        describe_value(edit, value->cell, type, data, place);
        return ST_OK;
    }
    if (data.size > REGF_INLINE_MAX) {
        enum status status = regf_room_take(&room, data.size, &place);
        if (status != ST_OK)
            return status;
        regf_room_keep(&room);
        put_value_data(edit, place, data);
    }
    describe_value(edit, value->cell, type, data, place);
    regf_release_data(edit, value);
    return ST_OK;
}

/* --- A new value -------------------------------------------------------------------------------*/

/* The cells of a new value. */
struct value_cells {
    uint32_t value;
    uint32_t data;
    uint32_t list; /* the present one of the key where it has room */
};

static enum status take_cells(struct regf_edit *edit, const struct regf_key *key, size_t name_size,
                              size_t data_size, struct value_cells *ret_cells)
{
    struct regf_room room = regf_room_begin(edit);
    struct value_cells cells = {.list = key->value_list, .data = REGF_NIL};
    size_t list_size = 4 * ((size_t)key->value_count + 1);
    bool has_room = key->value_count > 0 && regf_cell(&edit->hive, cells.list).size >= list_size;

    enum status status = regf_room_take(&room, REGF_VALUE_SIZE + name_size, &cells.value);
    if (status == ST_OK && data_size > REGF_INLINE_MAX)
        status = regf_room_take(&room, data_size, &cells.data);
    if (status == ST_OK && !has_room)
        status = regf_room_take(&room, list_size, &cells.list);
    if (status != ST_OK)
        return status;
    regf_room_keep(&room);
    *ret_cells = cells;
    return ST_OK;
}

/* Adds a value's cell to the list of its key. */
static void enlist(struct regf_edit *edit, uint32_t cell, const struct regf_key *key,
                   const struct value_cells *cells)
{
    uint8_t *record = regf_content(edit, cell);
    uint8_t *list = regf_content(edit, cells->list);

    if (key->value_count > 0 && cells->list != key->value_list) {
        memcpy(list, regf_content(edit, key->value_list), 4 * (size_t)key->value_count);
        regf_release(edit, key->value_list);
    }
    st_le32(list + 4 * (size_t)key->value_count, cells->value);
    st_le32(record + REGF_KEY_VALUE_LIST_AT, cells->list);
    st_le32(record + REGF_KEY_VALUES_AT, key->value_count + 1);
}

static enum status add_value(struct regf_edit *edit, uint32_t cell, struct regf_name name,
                             uint32_t type, struct span data)
{
    struct value_cells cells;
    struct regf_key key;
    size_t name_size = regf_name_size(name);
    enum status status = regf_read_key(&edit->hive, cell, &key);

    if (status == ST_OK)
        status = take_cells(edit, &key, name_size, data.size, &cells);
    if (status != ST_OK)
        return status;
    uint8_t *record = regf_content(edit, cells.value);
    memcpy(record, "vk", 2);
    st_le16(record + REGF_VALUE_NAME_SIZE_AT, (uint16_t)name_size);
    st_le16(record + REGF_VALUE_FLAGS_AT,
            regf_name_is_narrow(name) ? REGF_VALUE_FLAG_COMPRESSED : 0);
    regf_put_name(record + REGF_VALUE_SIZE, name);
    if (data.size > REGF_INLINE_MAX)
        put_value_data(edit, cells.data, data);
    describe_value(edit, cells.value, type, data, cells.data);
    enlist(edit, cell, &key, &cells);
    return ST_OK;
}

enum status regf_set_value(struct regf_edit *edit, uint32_t key, struct regf_name name,
                           uint32_t type, struct span data)
{
    struct regf_value value;

    if (regf_name_length(name) > REGF_VALUE_NAME_MAX)
        return ST_USAGE;
    if (data.size > REGF_BINS_MAX ||
        (edit->hive.minor >= REGF_MINOR_BIG_DATA && data.size > REGF_BIG_SEGMENT))
        return ST_UNSUPPORTED;
    enum status status = regf_find_value(&edit->hive, key, name, &value);
    if (status == ST_OK)
        status = replace_value(edit, &value, type, data);
    else if (status == ST_ABSENT)
        status = add_value(edit, key, name, type, data);
    if (status != ST_OK)
        return status;
    uint8_t *record = regf_content(edit, key);
    regf_raise(record + REGF_KEY_MAX_VALUE_AT, 2 * (uint32_t)regf_name_length(name));
    regf_raise(record + REGF_KEY_MAX_DATA_AT, (uint32_t)data.size);
    regf_touch(edit, key);
    return ST_OK;
}

/* --- Deleting ----------------------------------------------------------------------------------*/

/* The place of a value's cell in the list; `count` when it is not there. */
static uint32_t place_in_list(const uint8_t *list, uint32_t count, uint32_t cell)
{
    uint32_t place = 0;

    while (place < count && ld_le32(list + 4 * (size_t)place) != cell)
        place++;
    return place;
}

enum status regf_delete_value(struct regf_edit *edit, uint32_t key, struct regf_name name)
{
    struct regf_value value;
    struct regf_key found;
    enum status status = regf_find_value(&edit->hive, key, name, &value);

    if (status == ST_OK)
        status = regf_read_key(&edit->hive, key, &found);
    if (status != ST_OK)
        return status;
    uint8_t *record = regf_content(edit, key);
    uint8_t *list = regf_content(edit, found.value_list);
    uint32_t left = found.value_count - 1;
    uint32_t place = place_in_list(list, found.value_count, value.cell);
    memmove(list + 4 * (size_t)place, list + 4 * (size_t)place + 4, 4 * (size_t)(left - place));
    st_le32(list + 4 * (size_t)left, 0);
    st_le32(record + REGF_KEY_VALUES_AT, left);
    if (left == 0) {
        regf_release(edit, found.value_list);
        st_le32(record + REGF_KEY_VALUE_LIST_AT, REGF_NIL);
    }
    regf_release_data(edit, &value);
    regf_release(edit, value.cell);
    regf_touch(edit, key);
    return ST_OK;
}
