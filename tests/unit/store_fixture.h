/*
 * Boot stores as Windows writes them, made of a tree of keys: hives of version 1.3 with one bin,
 * lists of the kind "lf" and one security cell (unit/hive_fixture.h).
 */
#ifndef SHADOWBOOT_UNIT_STORE_FIXTURE_H
#define SHADOWBOOT_UNIT_STORE_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#define STORE_SZ       1u
#define STORE_BINARY   3u
#define STORE_DWORD    4u
#define STORE_MULTI_SZ 7u

#define STORE_ROOT 0u /* the root key */

#define STORE_KEYS_MAX   200
#define STORE_VALUES_MAX 200
#define STORE_DATA_MAX   512

struct store_fixture_value {
    size_t key;
    char name[24];
    uint32_t type;
    uint8_t data[STORE_DATA_MAX];
    size_t size;
};

struct store_fixture {
    struct {
        size_t parent;
        char name[48];
    } keys[STORE_KEYS_MAX];
    struct store_fixture_value values[STORE_VALUES_MAX];
    size_t key_count, value_count;
    size_t objects; /* of a store: the key of that name */
};

/* Adds a key; gives its number. */
size_t store_fixture_key(struct store_fixture *store, size_t parent, const char *name);

void store_fixture_value(struct store_fixture *store, size_t key, const char *name, uint32_t type,
                         const void *data, size_t size);

/* Writes it, clean; gives the size, a multiple of 4096. */
size_t store_fixture_write(const struct store_fixture *store, uint8_t *ret_bytes, size_t room);

#define STORE_MANAGER "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
#define STORE_LOADER  "{4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3}"

#define STORE_TYPE_MANAGER 0x10100002u
#define STORE_TYPE_LOADER  0x10200003u

#define STORE_DEVICE_SIZE 0x58u /* a partition's, of a hard disk */

/* Starts a store without objects. */
void store_fixture_start(struct store_fixture *store);

/* Adds an object; gives the key of its elements. */
size_t store_fixture_object(struct store_fixture *store, const char *guid, uint32_t type);

/* Adds elements of the formats string, object, object list (`count` of them), and device. */
void store_fixture_string(struct store_fixture *store, size_t elements, const char *code,
                          const char *text);
void store_fixture_objects(struct store_fixture *store, size_t elements, const char *code,
                           const char *const *guids, size_t count);
void store_fixture_device(struct store_fixture *store, size_t elements, const char *code,
                          const uint8_t *data, size_t size);

/* A device element that names a GPT partition, by the text of both GUIDs. */
void store_fixture_partition(const char *partition, const char *disk,
                             uint8_t ret_data[STORE_DEVICE_SIZE]);

/* A device element "locate": the volume with the path that the element `code` holds. */
size_t store_fixture_locate(uint32_t code, uint8_t ret_data[STORE_DEVICE_SIZE]);

/* The usual store: {bootmgr} with one loader as default and in displayorder. The loader's device
 * and osdevice are `device`, or plain locate where that is NULL. */
void store_fixture_usual(struct store_fixture *store, const uint8_t *device, size_t size);

#endif
