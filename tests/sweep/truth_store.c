#include "sweep/truth_store.h"

#include <string.h>
#include <strings.h>

#include "base/bytes.h"

#define BINS    4096u
#define NO_CELL 0xffffffffu
#define MANAGER "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
#define GUID    39u /* its text and the NUL */

struct hive {
    const uint8_t *data;
    size_t size;
};

/* The content of a cell in use with at least `size` bytes; NULL when there is none. */
static const uint8_t *cell(const struct hive *hive, uint32_t at, size_t size)
{
    if (at == NO_CELL || BINS + (size_t)at + 4 > hive->size)
        return NULL;
    uint32_t whole = 0u - ld_le32(hive->data + BINS + at);
    if (whole > hive->size - BINS - at || whole < 4 + size)
        return NULL;
    return hive->data + BINS + at + 4;
}

static uint32_t child(const struct hive *hive, uint32_t key, const char *name)
{
    const uint8_t *own = cell(hive, key, 76);
    const uint8_t *list = own == NULL ? NULL : cell(hive, ld_le32(own + 28), 4);
    size_t length = strlen(name);

    for (size_t i = 0; list != NULL && i < ld_le16(list + 2); i++) {
        uint32_t at = ld_le32(list + 4 + 8 * i);
        const uint8_t *other = cell(hive, at, 76 + length);
        if (other != NULL && ld_le16(other + 72) == length &&
            strncasecmp((const char *)other + 76, name, length) == 0)
            return at;
    }
    return NO_CELL;
}

/* The data of the key's only value, and its size; NULL without one. */
static const uint8_t *only_value(const struct hive *hive, uint32_t key, size_t *ret_size)
{
    const uint8_t *own = cell(hive, key, 76);
    const uint8_t *list =
        own == NULL || ld_le32(own + 36) == 0 ? NULL : cell(hive, ld_le32(own + 40), 4);
    const uint8_t *value = list == NULL ? NULL : cell(hive, ld_le32(list), 20);

    if (value == NULL || ld_le32(value + 4) >= 0x80000000u)
        return NULL;
    *ret_size = ld_le32(value + 4);
    return cell(hive, ld_le32(value + 8), *ret_size);
}

static const uint8_t *element(const struct hive *hive, uint32_t object, const char *code,
                              size_t *ret_size)
{
    return only_value(hive, child(hive, child(hive, object, "Elements"), code), ret_size);
}

/* The first object that the element names and that is there. `*ret_named`: it names any. */
static uint32_t named_by(const struct hive *hive, uint32_t objects, uint32_t manager,
                         const char *code, bool *ret_named)
{
    size_t size = 0;
    const uint8_t *data = element(hive, manager, code, &size);

    for (size_t at = 0; data != NULL && at + 2 * GUID <= size; at += 2 * GUID) {
        char text[GUID];
        for (size_t i = 0; i < GUID; i++)
            text[i] = (char)data[at + 2 * i];
        text[GUID - 1] = 0;
        *ret_named = true;
        uint32_t object = child(hive, objects, text);
        if (object != NO_CELL)
            return object;
    }
    return NO_CELL;
}

static enum truth_place place_of(const uint8_t *data, size_t size, uint8_t ret_guid[16])
{
    static const enum truth_place places[] = {
        [5] = PLACE_ESP, [6] = PLACE_PARTITION, [8] = PLACE_ANYWHERE};
    uint32_t type = size < 32 ? 0 : ld_le32(data + 16);
    enum truth_place place = type == 5 || type == 6 || type == 8 ? places[type] : PLACE_ODD;

    if (place == PLACE_PARTITION && (size != 88 || ld_le32(data + 52) != 0))
        return PLACE_ODD;
    if (place == PLACE_PARTITION)
        memcpy(ret_guid, data + 32, 16);
    return place;
}

/* True for a text that ends in \winload.efi. */
static bool is_winload(const uint8_t *data, size_t size)
{
    static const char name[] = "\\winload.efi";
    size_t count = size / 2;

    while (count > 0 && ld_le16(data + 2 * (count - 1)) == 0)
        count--;
    for (size_t i = 0; i < sizeof(name) - 1; i++) {
        char c = count < sizeof(name) ? 0 : (char)data[2 * (count - (sizeof(name) - 1) + i)];
        if (strncasecmp(&c, &name[i], 1) != 0)
            return false;
    }
    return true;
}

static const char *read_loader(const struct hive *hive, uint32_t loader,
                               struct truth_store *ret_store)
{
    size_t size = 0;
    const uint8_t *data = element(hive, loader, "11000001", &size);

    if (data == NULL || element(hive, loader, "12000004", &size) == NULL)
        return "the loader has no device or no description";
    data = element(hive, loader, "11000001", &size);
    ret_store->loader.place = place_of(data, size, ret_store->loader.guid);
    data = element(hive, loader, "21000001", &size);
    if (data == NULL)
        return "nobody says where \\Windows is";
    ret_store->system.place = place_of(data, size, ret_store->system.guid);
    data = element(hive, loader, "12000002", &size);
    ret_store->odd_file |= data != NULL && !is_winload(data, size);
    return NULL;
}

/* To another store, or to a hibernated Windows: what the boot manager does then nobody has seen. */
static bool leads_aside(const struct hive *hive, uint32_t manager)
{
    size_t size = 0;

    if (element(hive, manager, "21000022", &size) != NULL ||
        element(hive, manager, "22000023", &size) != NULL)
        return true;
    const uint8_t *resumes = element(hive, manager, "26000005", &size);
    bool on = resumes != NULL && size > 0 && resumes[0] != 0;
    return on && element(hive, manager, "23000006", &size) != NULL;
}

const char *truth_store_read(const struct truth_file *file, struct truth_store *ret_store)
{
    struct hive hive = {file->data, file->size};
    uint32_t objects = child(&hive, ld_le32(file->data + 36), "Objects");
    uint32_t manager = child(&hive, objects, MANAGER);
    bool named = false;

    memset(ret_store, 0, sizeof(*ret_store));
    if (manager == NO_CELL)
        return "the store is empty";
    ret_store->odd_file = leads_aside(&hive, manager);
    bool once = false;
    uint32_t loader = named_by(&hive, objects, manager, "24000002", &once);
    if (loader == NO_CELL)
        loader = named_by(&hive, objects, manager, "23000003", &named);
    if (loader == NO_CELL)
        loader = named_by(&hive, objects, manager, "24000001", &named);
    if (loader == NO_CELL)
        return named ? "the store names what it does not have" : "the store names nothing";
    return read_loader(&hive, loader, ret_store);
}
