#include "unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"
#include "unit/hive_fixture.h"
#include "unit/machine_fixture.h"

/* --- The tree ------------------------------------------------------------------------------- */

size_t store_fixture_key(struct store_fixture *store, size_t parent, const char *name)
{
    if (store->key_count == STORE_KEYS_MAX || strlen(name) >= sizeof(store->keys[0].name))
        host_fail("a store that is too large for the fixture");
    store->keys[store->key_count].parent = parent;
    strcpy(store->keys[store->key_count].name, name);
    return store->key_count++;
}

void store_fixture_value(struct store_fixture *store, size_t key, const char *name, uint32_t type,
                         const void *data, size_t size)
{
    if (store->value_count == STORE_VALUES_MAX || size > STORE_DATA_MAX)
        host_fail("a store that is too large for the fixture");
    struct store_fixture_value *value = &store->values[store->value_count++];
    value->key = key;
    snprintf(value->name, sizeof(value->name), "%s", name);
    value->type = type;
    memcpy(value->data, data, size);
    value->size = size;
}

/* --- Writing -------------------------------------------------------------------------------- */

struct writer {
    const struct store_fixture *store;
    struct hive_fixture *hive;
    uint32_t security;
};

static void add_values(struct writer *writer, size_t key, uint32_t cell)
{
    const struct store_fixture *store = writer->store;
    uint32_t cells[STORE_VALUES_MAX];
    uint32_t count = 0;

    for (size_t i = 0; i < store->value_count; i++) {
        const struct store_fixture_value *value = &store->values[i];
        if (value->key == key)
            cells[count++] = hive_value(writer->hive, value->name, value->type, value->data,
                                        (uint32_t)value->size);
    }
    if (count > 0)
        hive_set_values(writer->hive, cell, cells, count, 2 * sizeof(store->values[0].name),
                        STORE_DATA_MAX);
}

static int by_name(const void *a, const void *b)
{
    const char *const *one = a;
    const char *const *other = b;

    return strcasecmp(*one, *other);
}

/* The names of a key's children in the order of lists. */
static size_t children_of(const struct store_fixture *store, size_t key, const char *names[])
{
    size_t count = 0;

    for (size_t i = 1; i < store->key_count; i++) {
        if (store->keys[i].parent == key)
            names[count++] = store->keys[i].name;
    }
    qsort(names, count, sizeof(names[0]), by_name);
    return count;
}

static size_t number_of(const struct store_fixture *store, const char *name)
{
    size_t key = 0;

    while (store->keys[key].name != name)
        key++;
    return key;
}

static uint32_t add_key(struct writer *writer, size_t key, uint32_t parent)
{
    const char *names[STORE_KEYS_MAX];
    uint32_t children[STORE_KEYS_MAX];
    size_t count = children_of(writer->store, key, names);
    uint32_t cell = hive_key(writer->hive, parent, writer->security, writer->store->keys[key].name);

    add_values(writer, key, cell);
    for (size_t i = 0; i < count; i++)
        children[i] = add_key(writer, number_of(writer->store, names[i]), cell);
    if (count > 0)
        hive_set_subkeys(writer->hive, cell,
                         hive_list(writer->hive, "lf", children, (uint16_t)count), (uint32_t)count);
    return cell;
}

size_t store_fixture_write(const struct store_fixture *store, uint8_t *ret_bytes, size_t room)
{
    struct hive_fixture *hive = host_alloc(1, sizeof(*hive));
    struct writer writer = {.store = store, .hive = hive};

    hive_start(hive, 3);
    writer.security = hive_security(hive, (uint32_t)store->key_count);
    struct span file = hive_finish(hive, add_key(&writer, STORE_ROOT, 0));
    if (file.size > room)
        host_fail("no room for a store");
    memcpy(ret_bytes, file.at, file.size);
    free(hive);
    return file.size;
}

/* --- Objects and elements ------------------------------------------------------------------- */

void store_fixture_start(struct store_fixture *store)
{
    memset(store, 0, sizeof(*store));
    strcpy(store->keys[STORE_ROOT].name, "NewStoreRoot");
    store->key_count = 1;
    size_t description = store_fixture_key(store, STORE_ROOT, "Description");
    static const uint8_t name[] = "B\0C\0D\0000\0000\0000\0000\0000\0000\0000\0000\0\0";
    store_fixture_value(store, description, "KeyName", STORE_SZ, name, 24);
    store->objects = store_fixture_key(store, STORE_ROOT, "Objects");
}

size_t store_fixture_object(struct store_fixture *store, const char *guid, uint32_t type)
{
    size_t object = store_fixture_key(store, store->objects, guid);
    size_t description = store_fixture_key(store, object, "Description");
    uint8_t data[4];

    fixture_store_le(data, type, 4);
    store_fixture_value(store, description, "Type", STORE_DWORD, data, sizeof(data));
    return store_fixture_key(store, object, "Elements");
}

static void add_element(struct store_fixture *store, size_t elements, const char *code,
                        uint32_t type, const void *data, size_t size)
{
    size_t key = store_fixture_key(store, elements, code);

    store_fixture_value(store, key, "Element", type, data, size);
}

/* Appends UCS-2 with its NUL. */
static size_t put_text(uint8_t *data, size_t at, const char *text)
{
    for (size_t i = 0; i <= strlen(text); i++)
        fixture_store_le(data + at + 2 * i, (uint8_t)text[i], 2);
    return at + 2 * (strlen(text) + 1);
}

void store_fixture_string(struct store_fixture *store, size_t elements, const char *code,
                          const char *text)
{
    uint8_t data[STORE_DATA_MAX];

    add_element(store, elements, code, STORE_SZ, data, put_text(data, 0, text));
}

void store_fixture_objects(struct store_fixture *store, size_t elements, const char *code,
                           const char *const *guids, size_t count)
{
    uint8_t data[STORE_DATA_MAX];
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size = put_text(data, size, guids[i]);
    size = put_text(data, size, "");
    add_element(store, elements, code, STORE_MULTI_SZ, data, size);
}

void store_fixture_device(struct store_fixture *store, size_t elements, const char *code,
                          const uint8_t *data, size_t size)
{
    add_element(store, elements, code, STORE_BINARY, data, size);
}

void store_fixture_partition(const char *partition, const char *disk,
                             uint8_t ret_data[STORE_DEVICE_SIZE])
{
    struct guid own = fixture_guid(partition);
    struct guid whole = fixture_guid(disk);

    memset(ret_data, 0, STORE_DEVICE_SIZE);
    fixture_store_le(ret_data + 0x10, 6, 4);
    fixture_store_le(ret_data + 0x18, 0x48, 4);
    memcpy(ret_data + 0x20, own.bytes, 16);
    memcpy(ret_data + 0x38, whole.bytes, 16);
}

size_t store_fixture_locate(uint32_t code, uint8_t ret_data[STORE_DEVICE_SIZE])
{
    memset(ret_data, 0, STORE_DEVICE_SIZE);
    fixture_store_le(ret_data + 0x10, 8, 4);
    fixture_store_le(ret_data + 0x18, 0x1e, 4);
    fixture_store_le(ret_data + 0x24, code, 4);
    return 0x2e;
}

static void add_devices(struct store_fixture *store, size_t loader, const uint8_t *device,
                        size_t size)
{
    static const struct {
        const char *code;
        uint32_t path;
    } rows[] = {{"11000001", 0x12000002}, {"21000001", 0x22000002}};

    for (size_t i = 0; i < 2; i++) {
        uint8_t located[STORE_DEVICE_SIZE];
        size_t length = store_fixture_locate(rows[i].path, located);
        store_fixture_device(store, loader, rows[i].code, device == NULL ? located : device,
                             device == NULL ? length : size);
    }
}

void store_fixture_usual(struct store_fixture *store, const uint8_t *device, size_t size)
{
    static const char *const loaders[] = {STORE_LOADER};

    store_fixture_start(store);
    size_t manager = store_fixture_object(store, STORE_MANAGER, STORE_TYPE_MANAGER);
    store_fixture_string(store, manager, "12000004", "Windows Boot Manager");
    store_fixture_string(store, manager, "23000003", STORE_LOADER);
    store_fixture_objects(store, manager, "24000001", loaders, 1);
    size_t loader = store_fixture_object(store, STORE_LOADER, STORE_TYPE_LOADER);
    add_devices(store, loader, device, size);
    store_fixture_string(store, loader, "12000002", "\\Windows\\system32\\winload.efi");
    store_fixture_string(store, loader, "12000004", "Windows Server");
    store_fixture_string(store, loader, "22000002", "\\Windows");
}
