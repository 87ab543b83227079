#include "format/bcd/bcd_edit.h"

#include "base/print.h"
#include "format/bcd/bcd_value.h"

#define CODE_NAME_SIZE 9 /* eight digits and the closing NUL */
#define REGISTRY_DWORD 4u

enum status bcd_edit_open(struct arena *arena, uint8_t *file, size_t size, size_t capacity,
                          uint64_t now, struct bcd_edit *ret_edit)
{
    struct bcd_edit edit = {.changed = false};

    enum status status = regf_edit_open(arena, file, size, capacity, now, &edit.hive);
    if (status == ST_OK)
        status = bcd_open(arena, span_of(file, size), &edit.store);
    if (status != ST_OK)
        return status;
    edit.store.hive = edit.hive.hive;
    *ret_edit = edit;
    return ST_OK;
}

/* After a change: cells may lie behind what was the end. */
static enum status note_change(struct bcd_edit *edit, enum status status)
{
    edit->store.hive = edit->hive.hive;
    edit->changed |= status == ST_OK;
    return status;
}

static void code_name(uint32_t code, char ret_name[CODE_NAME_SIZE])
{
    struct text_buffer text;

    text_buffer_init(&text, ret_name, CODE_NAME_SIZE);
    text_buffer_printf(&text, "%08x", code);
}

/* The subkey of that name, made where it is not there. */
static enum status need_key(struct bcd_edit *edit, uint32_t parent, const char *name,
                            uint32_t *ret_key)
{
    enum status status = regf_find_subkey(&edit->hive.hive, parent, regf_name_of(name), ret_key);

    if (status != ST_ABSENT)
        return status;
    status = regf_create_key(&edit->hive, parent, regf_name_of(name), ret_key);
    return note_change(edit, status);
}

/* The key of an object. */
static enum status object_key(struct bcd_edit *edit, const struct guid *guid, uint32_t *ret_key)
{
    char name[GUID_TEXT_SIZE];

    guid_format(guid, name);
    return regf_find_subkey(&edit->hive.hive, edit->store.objects, regf_name_of(name), ret_key);
}

static enum status set_value(struct bcd_edit *edit, uint32_t key, const char *name, uint32_t type,
                             struct span data)
{
    return note_change(edit, regf_set_value(&edit->hive, key, regf_name_of(name), type, data));
}

enum status bcd_edit_set(struct bcd_edit *edit, const struct guid *object, uint32_t code,
                         struct span data)
{
    char name[CODE_NAME_SIZE];
    struct bcd_object own;
    struct span old;
    uint32_t key = 0;

    enum status status = bcd_find(&edit->store, object, &own);
    if (status != ST_OK)
        return status;
    if (bcd_element(&edit->store, &own, code, &old) == ST_OK && span_equal(old, data))
        return ST_OK;
    code_name(code, name);
    status = object_key(edit, object, &key);
    if (status == ST_OK)
        status = need_key(edit, key, "Elements", &key);
    if (status == ST_OK)
        status = need_key(edit, key, name, &key);
    return status == ST_OK ? set_value(edit, key, "Element", bcd_value_type(code), data) : status;
}

enum status bcd_edit_unset(struct bcd_edit *edit, const struct guid *object, uint32_t code)
{
    char name[CODE_NAME_SIZE];
    struct bcd_object own;
    uint32_t key = 0;

    enum status status = bcd_find(&edit->store, object, &own);
    if (status == ST_OK && !own.has_elements)
        status = ST_ABSENT;
    code_name(code, name);
    if (status == ST_OK)
        status = regf_find_subkey(&edit->hive.hive, own.elements, regf_name_of(name), &key);
    return status == ST_OK ? note_change(edit, regf_delete_key(&edit->hive, key)) : status;
}

enum status bcd_edit_delete(struct bcd_edit *edit, const struct guid *object)
{
    uint32_t key = 0;
    enum status status = object_key(edit, object, &key);

    return status == ST_OK ? note_change(edit, regf_delete_key(&edit->hive, key)) : status;
}

enum status bcd_edit_create(struct bcd_edit *edit, const struct guid *guid, uint32_t type)
{
    char name[GUID_TEXT_SIZE];
    uint8_t number[4];
    uint32_t object = 0;
    uint32_t key = 0;

    guid_format(guid, name);
    st_le32(number, type);
    enum status status =
        regf_create_key(&edit->hive, edit->store.objects, regf_name_of(name), &object);
    status = note_change(edit, status);
    if (status == ST_OK)
        status = need_key(edit, object, "Description", &key);
    if (status == ST_OK)
        status = set_value(edit, key, "Type", REGISTRY_DWORD, span_of(number, sizeof(number)));
    return status == ST_OK ? need_key(edit, object, "Elements", &key) : status;
}

enum status bcd_edit_copy(struct bcd_edit *edit, const struct guid *from, const struct guid *to)
{
    struct bcd_object object;
    struct bcd_element element;
    enum status next = ST_OK;

    enum status status = bcd_find(&edit->store, from, &object);
    if (status == ST_OK)
        status = bcd_edit_create(edit, to, object.type);
    for (size_t i = 0; status == ST_OK && next == ST_OK; i++) {
        next = bcd_element_at(&edit->store, &object, i, &element);
        if (next == ST_OK)
            status = bcd_edit_set(edit, to, element.code, element.data);
    }
    return status != ST_OK || next == ST_ABSENT ? status : next;
}
