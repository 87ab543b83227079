#include "format/bcd/bcd.h"

#include "base/text.h"

#define CODE_DIGITS  8u
#define NAME_SIZE    64u /* of a key: longer ones are none of a store's */
#define GUID_UNITS   39u /* "{8-4-4-4-12}" and the closing NUL */
#define FORMAT_SHIFT 24

/* Of settings: real stores go three deep, and name two at most. */
#define INHERIT_DEPTH 4u
#define INHERIT_MAX   4u

const struct guid bcd_manager = GUID_INIT(0x9dea862c, 0x5cdd, 0x4e70, 0xacc1, 0xf32b344d4795);

/* --- Keys ----------------------------------------------------------------------------------- */

static enum status find_key(const struct bcd_store *store, uint32_t key, const char *name,
                            uint32_t *ret_key)
{
    return regf_find_subkey(&store->hive, key, regf_name_of(name), ret_key);
}

/* The data of a key's value. */
static enum status find_data(const struct bcd_store *store, uint32_t key, const char *name,
                             struct span *ret_data)
{
    struct regf_value value;

    enum status status = regf_find_value(&store->hive, key, regf_name_of(name), &value);
    return status == ST_OK ? regf_value_data(&store->hive, &value, ret_data) : status;
}

/* The name of a key in ASCII; ST_DAMAGED for one that a store does not have. */
static enum status name_of(const struct bcd_store *store, uint32_t key, char ret_name[NAME_SIZE])
{
    struct regf_key own;

    enum status status = regf_read_key(&store->hive, key, &own);
    if (status != ST_OK)
        return status;
    size_t length = regf_name_length(own.name);
    if (length >= NAME_SIZE)
        return ST_DAMAGED;
    for (size_t i = 0; i < length; i++) {
        uint16_t unit = regf_name_unit(own.name, i);
        if (unit < ' ' || unit > '~')
            return ST_DAMAGED;
        ret_name[i] = (char)unit;
    }
    ret_name[length] = '\0';
    return ST_OK;
}

static size_t subkey_count(const struct bcd_store *store, uint32_t key)
{
    struct regf_subkeys place;
    struct regf_key own;

    if (regf_list_subkeys(&store->hive, key, &place) != ST_OK ||
        regf_read_key(&store->hive, key, &own) != ST_OK)
        return 0;
    return own.subkey_count;
}

enum status bcd_open(struct arena *arena, struct span file, struct bcd_store *ret_store)
{
    struct bcd_store store;

    enum status status = regf_open(arena, file, &store.hive);
    if (status == ST_OK)
        status = find_key(&store, store.hive.root, "Objects", &store.objects);
    if (status == ST_OK)
        *ret_store = store;
    return status;
}

/* --- Objects -------------------------------------------------------------------------------- */

size_t bcd_object_count(const struct bcd_store *store)
{
    return subkey_count(store, store->objects);
}

static enum status object_of(const struct bcd_store *store, uint32_t key,
                             struct bcd_object *ret_object)
{
    struct bcd_object object = {.has_elements = true};
    char name[NAME_SIZE];
    uint32_t description = 0;
    struct span type;

    if (name_of(store, key, name) != ST_OK || guid_parse(name, &object.guid) != ST_OK ||
        find_key(store, key, "Description", &description) != ST_OK ||
        find_data(store, description, "Type", &type) != ST_OK || type.size != 4)
        return ST_DAMAGED;
    object.type = ld_le32(type.at);
    enum status status = find_key(store, key, "Elements", &object.elements);
    if (status != ST_OK && status != ST_ABSENT)
        return status;
    object.has_elements = status == ST_OK;
    *ret_object = object;
    return ST_OK;
}

enum status bcd_object_at(const struct bcd_store *store, size_t index,
                          struct bcd_object *ret_object)
{
    uint32_t key = 0;

    enum status status = regf_subkey_at(&store->hive, store->objects, (uint32_t)index, &key);
    return status == ST_OK ? object_of(store, key, ret_object) : status;
}

enum status bcd_find(const struct bcd_store *store, const struct guid *guid,
                     struct bcd_object *ret_object)
{
    char name[GUID_TEXT_SIZE];
    uint32_t key = 0;

    guid_format(guid, name);
    enum status status = find_key(store, store->objects, name, &key);
    return status == ST_OK ? object_of(store, key, ret_object) : status;
}

/* --- Elements ------------------------------------------------------------------------------- */

unsigned bcd_format(uint32_t code)
{
    return code >> FORMAT_SHIFT & 0xf;
}

size_t bcd_element_count(const struct bcd_store *store, const struct bcd_object *object)
{
    return object->has_elements ? subkey_count(store, object->elements) : 0;
}

static enum status data_of(const struct bcd_store *store, uint32_t key, struct span *ret_data)
{
    enum status status = find_data(store, key, "Element", ret_data);

    return status == ST_ABSENT ? ST_DAMAGED : status;
}

enum status bcd_element_at(const struct bcd_store *store, const struct bcd_object *object,
                           size_t index, struct bcd_element *ret_element)
{
    struct bcd_element element;
    char name[NAME_SIZE];
    uint64_t code = 0;
    uint32_t key = 0;

    if (!object->has_elements)
        return ST_ABSENT;
    enum status status = regf_subkey_at(&store->hive, object->elements, (uint32_t)index, &key);
    if (status == ST_OK)
        status = name_of(store, key, name);
    if (status != ST_OK)
        return status;
    if (text_length(name) != CODE_DIGITS || text_parse_number(name, 16, &code) != ST_OK)
        return ST_DAMAGED;
    element.code = (uint32_t)code;
    status = data_of(store, key, &element.data);
    if (status == ST_OK)
        *ret_element = element;
    return status;
}

enum status bcd_element(const struct bcd_store *store, const struct bcd_object *object,
                        uint32_t code, struct span *ret_data)
{
    char name[CODE_DIGITS + 1] = "";
    uint32_t key = 0;

    if (!object->has_elements)
        return ST_ABSENT;
    for (unsigned i = 0; i < CODE_DIGITS; i++)
        name[i] = "0123456789abcdef"[code >> (4 * (CODE_DIGITS - 1 - i)) & 0xf];
    enum status status = find_key(store, object->elements, name, &key);
    return status == ST_OK ? data_of(store, key, ret_data) : status;
}

/* The element, or what the objects have of it from which it inherits. */
static enum status inherited(const struct bcd_store *store, const struct bcd_object *object,
                             uint32_t code, unsigned depth, struct span *ret_data)
{
    struct bcd_object other;
    struct span list;
    struct guid guid;

    enum status status = bcd_element(store, object, code, ret_data);
    if (status != ST_ABSENT || depth == INHERIT_DEPTH)
        return status;
    if (bcd_element(store, object, BCD_INHERIT, &list) != ST_OK)
        return ST_ABSENT;
    for (size_t i = 0; i < INHERIT_MAX && bcd_guid_at(list, i, &guid) == ST_OK; i++) {
        if (bcd_find(store, &guid, &other) != ST_OK)
            continue;
        status = inherited(store, &other, code, depth + 1, ret_data);
        if (status != ST_ABSENT)
            return status;
    }
    return ST_ABSENT;
}

enum status bcd_inherited(const struct bcd_store *store, const struct bcd_object *object,
                          uint32_t code, struct span *ret_data)
{
    return inherited(store, object, code, 0, ret_data);
}

/* Reads the text of a GUID from units of UCS-2 up to their end or a NUL. */
static enum status read_guid_element(struct span units, struct guid *ret_guid)
{
    char text[GUID_UNITS + 1] = "";
    size_t count = 0;

    while (count * 2 + 1 < units.size && ld_le16(units.at + count * 2) != 0) {
        uint16_t unit = ld_le16(units.at + count * 2);
        if (count == GUID_UNITS || unit > 0x7e)
            return ST_DAMAGED;
        text[count++] = (char)unit;
    }
    return guid_parse(text, ret_guid) == ST_OK ? ST_OK : ST_DAMAGED;
}

enum status bcd_guid_at(struct span data, size_t index, struct guid *ret_guid)
{
    size_t at = 0;

    for (size_t passed = 0; at + 1 < data.size && ld_le16(data.at + at) != 0; passed++) {
        struct span rest = span_part(data, at, data.size - at);
        if (passed == index)
            return read_guid_element(rest, ret_guid);
        while (at + 1 < data.size && ld_le16(data.at + at) != 0)
            at += 2;
        at += 2;
    }
    return ST_ABSENT;
}

/* True when the store has the object with at least these elements. */
static bool has_equal(const struct bcd_store *store, const struct bcd_store *from,
                      const struct bcd_object *object)
{
    struct bcd_element element;
    struct bcd_object own;
    struct span data;

    if (bcd_find(store, &object->guid, &own) != ST_OK || own.type != object->type ||
        bcd_element_count(store, &own) != bcd_element_count(from, object))
        return false;
    for (size_t i = 0; bcd_element_at(from, object, i, &element) == ST_OK; i++) {
        if (bcd_element(store, &own, element.code, &data) != ST_OK ||
            !span_equal(data, element.data))
            return false;
    }
    return true;
}

bool bcd_equal(const struct bcd_store *a, const struct bcd_store *b)
{
    size_t count = bcd_object_count(a);
    struct bcd_object object;

    for (size_t i = 0; i < count; i++) {
        if (bcd_object_at(a, i, &object) != ST_OK || !has_equal(b, a, &object))
            return false;
    }
    return count == bcd_object_count(b);
}

/* --- What is started ------------------------------------------------------------------------ */

/* The object that element `code` names first of those that exist. ST_ABSENT: none; ST_UNSUPPORTED:
 * it is not even named. */
static enum status first_of(const struct bcd_store *store, const struct bcd_object *manager,
                            uint32_t code, struct bcd_object *ret_object)
{
    struct guid guid;
    struct span data;

    enum status status = bcd_element(store, manager, code, &data);
    if (status != ST_OK)
        return status == ST_ABSENT ? ST_UNSUPPORTED : status;
    for (size_t i = 0; (status = bcd_guid_at(data, i, &guid)) == ST_OK; i++) {
        status = bcd_find(store, &guid, ret_object);
        if (status != ST_ABSENT)
            return status;
    }
    return status;
}

uint64_t bcd_number(struct span data)
{
    uint64_t number = 0;

    for (size_t i = 0; i < data.size && data.size <= sizeof(number); i++)
        number |= (uint64_t)data.at[i] << (8 * i);
    return number;
}

bool bcd_is_reference(uint32_t code)
{
    return (bcd_format(code) == BCD_FORMAT_OBJECT || bcd_format(code) == BCD_FORMAT_LIST) &&
           code != BCD_INHERIT;
}

size_t bcd_count_gone(const struct bcd_store *store, struct span data)
{
    struct bcd_object object;
    struct guid guid;
    size_t count = 0;

    for (size_t i = 0; bcd_guid_at(data, i, &guid) == ST_OK; i++)
        count += bcd_find(store, &guid, &object) == ST_ABSENT;
    return count;
}

/* The text of a string element without its NULs. */
static struct span trimmed(struct span data)
{
    size_t size = 0;

    while (size + 1 < data.size && ld_le16(data.at + size) != 0)
        size += 2;
    return span_of(data.at, size);
}

/* True for the loader of Windows, which goes by osdevice and systemroot: it is the one without a path. */
static bool is_winload(struct span path)
{
    static const char name[] = "winl";
    size_t at = path.size;

    while (at > 0 && ld_le16(path.at + at - 2) != '\\')
        at -= 2;
    for (size_t i = 0; path.size > 0 && name[i] != '\0'; i++) {
        if (at + 2 * i >= path.size || (path.at[at + 2 * i] | 0x20) != name[i])
            return false;
    }
    return true;
}

/* What the loader's own elements say. */
static enum bcd_end read_loader(const struct bcd_store *store, struct bcd_choice *io_choice)
{
    const struct bcd_object *loader = &io_choice->loader;
    struct span data;

    if (loader->type != BCD_TYPE_LOADER)
        return BCD_NOT_UNDERSTOOD;
    enum status description = bcd_inherited(store, loader, BCD_DESCRIPTION, &data);
    enum status device = bcd_inherited(store, loader, BCD_DEVICE, &data);
    if (description == ST_ABSENT || device == ST_ABSENT)
        return BCD_ENTRY_NOT_WHOLE;
    if (description != ST_OK || device != ST_OK ||
        bcd_device_read(data, &io_choice->device) != ST_OK)
        return BCD_NOT_UNDERSTOOD;
    enum status os = bcd_inherited(store, loader, BCD_OS_DEVICE, &data);
    io_choice->has_os_device = os == ST_OK;
    if (os != ST_ABSENT && (os != ST_OK || bcd_device_read(data, &io_choice->os_device) != ST_OK))
        return BCD_NOT_UNDERSTOOD;
    enum status path = bcd_inherited(store, loader, BCD_PATH, &data);
    io_choice->path = path == ST_OK ? trimmed(data) : span_of(NULL, 0);
    enum status root = bcd_inherited(store, loader, BCD_SYSTEM_ROOT, &data);
    io_choice->root = root == ST_OK ? trimmed(data) : span_of(NULL, 0);
    if ((path != ST_OK && path != ST_ABSENT) || (root != ST_OK && root != ST_ABSENT))
        return BCD_NOT_UNDERSTOOD;
    bool lacks = os == ST_ABSENT || root == ST_ABSENT;
    return lacks && is_winload(io_choice->path) ? BCD_SYSTEM_NOT_NAMED : BCD_STARTS;
}

/* The manager's first element that may lead it to what is no entry of this store; 0 without one. */
static uint32_t find_aside(const struct bcd_store *store, const struct bcd_object *manager)
{
    struct span data;

    if (bcd_element(store, manager, BCD_STORE_DEVICE, &data) != ST_ABSENT)
        return BCD_STORE_DEVICE;
    if (bcd_element(store, manager, BCD_STORE_PATH, &data) != ST_ABSENT)
        return BCD_STORE_PATH;
    enum status resumes = bcd_element(store, manager, BCD_ATTEMPT_RESUME, &data);
    if (resumes == ST_ABSENT || (resumes == ST_OK && bcd_number(data) == 0) ||
        bcd_element(store, manager, BCD_RESUMES_BY, &data) == ST_ABSENT)
        return 0;
    return BCD_ATTEMPT_RESUME;
}

/* By the entries of the store alone. */
static enum bcd_end choose_entry(const struct bcd_store *store, const struct bcd_object *manager,
                                 struct bcd_choice *io_choice)
{
    struct bcd_object *loader = &io_choice->loader;

    io_choice->once = first_of(store, manager, BCD_BOOT_SEQUENCE, loader) == ST_OK;
    enum status first = io_choice->once ? ST_OK : first_of(store, manager, BCD_DEFAULT, loader);
    enum status status = first;
    if (first == ST_ABSENT || first == ST_UNSUPPORTED)
        status = first_of(store, manager, BCD_DISPLAY_ORDER, loader);
    if (status == ST_UNSUPPORTED && first == ST_UNSUPPORTED)
        return BCD_NO_ENTRY;
    if (status == ST_ABSENT || status == ST_UNSUPPORTED)
        return BCD_ENTRY_GONE;
    return status == ST_OK ? read_loader(store, io_choice) : BCD_NOT_UNDERSTOOD;
}

enum bcd_end bcd_choose(const struct bcd_store *store, const struct guid *manager,
                        struct bcd_choice *ret_choice)
{
    struct bcd_choice choice = {.has_os_device = false};
    struct bcd_object own;

    ret_choice->aside = 0;
    if (bcd_object_count(store) == 0)
        return BCD_EMPTY;
    if (bcd_find(store, manager, &own) != ST_OK)
        return BCD_NOT_UNDERSTOOD;
    choice.aside = find_aside(store, &own);
    enum bcd_end end = choose_entry(store, &own, &choice);
    if (end == BCD_STARTS)
        *ret_choice = choice;
    ret_choice->aside = choice.aside;
    return end != BCD_STARTS && choice.aside != 0 ? BCD_NOT_UNDERSTOOD : end;
}
