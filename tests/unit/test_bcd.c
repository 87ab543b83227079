/*
 * Boot stores: objects, elements, devices, and what Windows' boot manager starts by them. Stores
 * built by store_fixture, and those of real machines where the reference data is there. Expected
 * values of real ones are those of hivexml, and of a decoding by hand; what the boot manager
 * does was seen with that of Windows 10 (10.0.19041).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "format/bcd/bcd.h"
#include "unit/bytes_fixture.h"
#include "unit/store_fixture.h"
#include "unit/machine_fixture.h"
#include "unit/skip_fixture.h"

#define ROOM (1u << 20)

#define ESP_GUID   "36be3955-63bf-4068-a6ab-00195cca3a22"
#define OS_GUID    "8e0f2c38-e4ea-47ba-b7fc-9d8c74dccf0b"
#define RE_GUID    "6cdfcd69-de75-4490-8f99-5a84bf264917"
#define LINUX_GUID "24e0e103-9bc2-477e-a5e2-3e42d2bb134f"
#define DISK_GUID  "0b2394a9-095e-487d-8d48-719ecd4d78ca"

static uint8_t file[ROOM];
static struct arena arena;

static struct bcd_store open_bytes(size_t size)
{
    struct bcd_store store;

    arena = fixture_scratch();
    assert_int_equal(bcd_open(&arena, span_of(file, size), &store), ST_OK);
    return store;
}

static struct bcd_store open_tree(const struct store_fixture *tree)
{
    return open_bytes(store_fixture_write(tree, file, ROOM));
}

static bool same_guid(const struct guid *guid, const char *text)
{
    struct guid other = fixture_guid(text);

    return guid_equal(guid, &other);
}

/* --- Devices -------------------------------------------------------------------------------- */

static void partition_is_read(void **state)
{
    uint8_t data[STORE_DEVICE_SIZE];
    struct bcd_device device;

    (void)state;
    store_fixture_partition(OS_GUID, DISK_GUID, data);
    assert_int_equal(bcd_device_read(span_of(data, sizeof(data)), &device), ST_OK);
    assert_int_equal(device.kind, BCD_DEVICE_PARTITION);
    assert_true(device.has_partition && device.partition.is_gpt);
    assert_true(same_guid(&device.partition.partition, OS_GUID));
    assert_true(same_guid(&device.partition.disk, DISK_GUID));
    assert_true(guid_is_zero(&device.options));
}

static void partition_of_mbr_is_read(void **state)
{
    uint8_t data[STORE_DEVICE_SIZE];
    struct bcd_device device;

    (void)state;
    store_fixture_partition(OS_GUID, DISK_GUID, data);
    memset(data + 0x20, 0, 0x38);
    fixture_store_le(data + 0x20, 0x1f500000, 8);
    fixture_store_le(data + 0x34, 1, 4);
    fixture_store_le(data + 0x38, 0xa1b2c3d4, 4);
    assert_int_equal(bcd_device_read(span_of(data, sizeof(data)), &device), ST_OK);
    assert_int_equal(device.kind, BCD_DEVICE_PARTITION);
    assert_false(device.partition.is_gpt);
    assert_int_equal(device.partition.offset, 0x1f500000);
    assert_int_equal(device.partition.signature, 0xa1b2c3d4);
    /* Both are the name of one: two disks have partitions at the same place. */
    struct bcd_partition other = device.partition;
    assert_true(bcd_partition_equal(&device.partition, &other));
    other.signature++;
    assert_false(bcd_partition_equal(&device.partition, &other));
    other = device.partition;
    other.offset += 512;
    assert_false(bcd_partition_equal(&device.partition, &other));
}

static void locate_and_boot_name_no_partition(void **state)
{
    uint8_t data[STORE_DEVICE_SIZE];
    struct bcd_device device;

    (void)state;
    size_t size = store_fixture_locate(0x22000002, data);
    assert_int_equal(bcd_device_read(span_of(data, size), &device), ST_OK);
    assert_int_equal(device.kind, BCD_DEVICE_LOCATE);
    assert_int_equal(device.element, 0x22000002);
    assert_false(device.has_partition);
    memset(data, 0, sizeof(data));
    fixture_store_le(data + 0x10, 5, 4);
    fixture_store_le(data + 0x18, 0x48, 4);
    assert_int_equal(bcd_device_read(span_of(data, sizeof(data)), &device), ST_OK);
    assert_int_equal(device.kind, BCD_DEVICE_BOOT);
    assert_false(device.has_partition);
}

/* A RAM disk made from `path` on a partition: as of the recovery environment. */
static size_t put_ramdisk(uint8_t *data, const char *path)
{
    size_t text = 2 * (strlen(path) + 1);
    size_t size = 0x8c + text;

    memset(data, 0, size);
    fixture_store_le(data + 0x14, 1, 4);
    fixture_store_le(data + 0x18, size - 16, 4);
    fixture_store_le(data + 0x20, 3, 4);
    fixture_store_le(data + 0x38, 1, 4);
    fixture_store_le(data + 0x3c, 12 + 0x48 + text, 4);
    fixture_store_le(data + 0x40, 5, 4);
    uint8_t parent[STORE_DEVICE_SIZE];
    store_fixture_partition(RE_GUID, DISK_GUID, parent);
    memcpy(data + 0x44, parent + 16, 0x48);
    for (size_t i = 0; i < strlen(path); i++)
        data[0x8c + 2 * i] = (uint8_t)path[i];
    return size;
}

/* Byte for byte what Windows writes. */
static void devices_are_made_as_they_are_read(void **state)
{
    uint8_t expected[STORE_DEVICE_SIZE];
    uint8_t data[BCD_DEVICE_SIZE_MAX];
    struct bcd_device device;

    (void)state;
    store_fixture_partition(OS_GUID, DISK_GUID, expected);
    assert_int_equal(bcd_device_read(span_of(expected, sizeof(expected)), &device), ST_OK);
    memset(data, 0xee, sizeof(data));
    assert_int_equal(bcd_device_write(&device, data), sizeof(expected));
    assert_memory_equal(data, expected, sizeof(expected));
    size_t size = store_fixture_locate(0x22000002, expected);
    assert_int_equal(bcd_device_read(span_of(expected, size), &device), ST_OK);
    assert_int_equal(bcd_device_write(&device, data), size);
    assert_memory_equal(data, expected, size);
    memset(expected, 0, sizeof(expected));
    expected[0x10] = 5;
    expected[0x18] = 0x48;
    device.kind = BCD_DEVICE_BOOT;
    assert_int_equal(bcd_device_write(&device, data), sizeof(expected));
    assert_memory_equal(data, expected, sizeof(expected));
    device.kind = BCD_DEVICE_RAMDISK;
    assert_int_equal(bcd_device_write(&device, data), 0);
}

/* Its first byte on the disk and the signature, as in a store of a machine with BIOS. */
static void partition_of_mbr_is_made(void **state)
{
    struct bcd_device device = {
        .kind = BCD_DEVICE_PARTITION,
        .partition = {.offset = 0x1f500000, .signature = 0xa1b2c3d4},
    };
    uint8_t data[BCD_DEVICE_SIZE_MAX];

    (void)state;
    assert_int_equal(bcd_device_write(&device, data), 0x58);
    assert_int_equal(ld_le64(data + 0x20), 0x1f500000);
    assert_int_equal(ld_le32(data + 0x34), 1);
    assert_int_equal(ld_le32(data + 0x38), 0xa1b2c3d4);
    assert_true(span_is_zero(span_of(data + 0x3c, 0x58 - 0x3c)));
}

static void ramdisk_names_its_file_and_where_it_lies(void **state)
{
    uint8_t data[256];
    struct bcd_device device;

    (void)state;
    size_t size = put_ramdisk(data, "\\Winre.wim");
    assert_int_equal(bcd_device_read(span_of(data, size), &device), ST_OK);
    assert_int_equal(device.kind, BCD_DEVICE_RAMDISK);
    assert_true(same_guid(&device.partition.partition, RE_GUID));
    assert_int_equal(device.path.size, 20);
    assert_int_equal(ld_le16(device.path.at + 2), 'W');
}

static void device_of_unknown_type_is_told_as_such(void **state)
{
    uint8_t data[STORE_DEVICE_SIZE];
    struct bcd_device device;

    (void)state;
    store_fixture_partition(OS_GUID, DISK_GUID, data);
    fixture_store_le(data + 0x10, 99, 4);
    assert_int_equal(bcd_device_read(span_of(data, sizeof(data)), &device), ST_OK);
    assert_int_equal(device.kind, BCD_DEVICE_OTHER);
    assert_int_equal(device.type, 99);
    assert_false(device.has_partition);
    fixture_store_le(data + 0x10, 6, 4);
    fixture_store_le(data + 0x34, 7, 4); /* a scheme that does not exist */
    assert_int_equal(bcd_device_read(span_of(data, sizeof(data)), &device), ST_OK);
    assert_int_equal(device.kind, BCD_DEVICE_OTHER);
}

static void device_cut_anywhere_is_damaged(void **state)
{
    uint8_t data[256];
    struct bcd_device device;

    (void)state;
    size_t size = put_ramdisk(data, "\\Winre.wim");
    for (size_t cut = 0; cut < size; cut++) {
        struct span copy = fixture_exact(data, cut);
        assert_int_equal(bcd_device_read(copy, &device), ST_DAMAGED);
        fixture_drop(copy);
    }
}

static void device_with_bytes_behind_it_is_damaged(void **state)
{
    uint8_t data[STORE_DEVICE_SIZE + 8] = {0};
    struct bcd_device device;

    (void)state;
    store_fixture_partition(OS_GUID, DISK_GUID, data);
    assert_int_equal(bcd_device_read(span_of(data, STORE_DEVICE_SIZE), &device), ST_OK);
    assert_int_equal(bcd_device_read(span_of(data, sizeof(data)), &device), ST_DAMAGED);
}

/* Every byte set to every value that a size or a place may have: it must end, inside the bytes. */
static void device_with_any_byte_wrong_is_read_inside_its_bytes(void **state)
{
    static const uint8_t values[] = {0, 1, 4, 8, 16, 28, 0x48, 0x80, 0xff};
    uint8_t data[256];
    struct bcd_device device;

    (void)state;
    size_t size = put_ramdisk(data, "\\Winre.wim");
    for (size_t at = 0; at < size; at++) {
        for (size_t i = 0; i < sizeof(values); i++) {
            struct span copy = fixture_exact(data, size);
            ((uint8_t *)(uintptr_t)copy.at)[at] = values[i];
            enum status status = bcd_device_read(copy, &device);
            assert_true(status == ST_OK || status == ST_DAMAGED);
            fixture_drop(copy);
        }
    }
}

/* Locate around locate around ...: as deep as there is room. */
static void device_too_deep_is_damaged(void **state)
{
    uint8_t data[16 + 32 * 20];
    struct bcd_device device;

    (void)state;
    for (unsigned levels = 8; levels <= 9; levels++) {
        size_t size = 16 + 32 * levels;
        memset(data, 0, sizeof(data));
        for (unsigned i = 0; i < levels; i++) {
            uint8_t *own = data + 16 + 32 * i;
            bool last = i + 1 == levels;
            fixture_store_le(own, last ? 5 : 8, 4);
            fixture_store_le(own + 8, size - 16 - 32 * i, 4);
            fixture_store_le(own + 24, last ? 0 : 32, 4);
        }
        assert_int_equal(bcd_device_read(span_of(data, size), &device),
                         levels == 8 ? ST_OK : ST_DAMAGED);
    }
}

static void retargeting_changes_the_partition_and_nothing_else(void **state)
{
    uint8_t data[256];
    uint8_t before[256];
    struct bcd_partition from = {.is_gpt = true, .partition = fixture_guid(RE_GUID)};
    struct bcd_partition to = {
        .is_gpt = true, .partition = fixture_guid(ESP_GUID), .disk = fixture_guid(LINUX_GUID)};
    size_t count = 0;

    (void)state;
    size_t size = put_ramdisk(data, "\\Winre.wim");
    memcpy(before, data, size);
    assert_int_equal(bcd_device_retarget(data, size, &to, &from, &count), ST_OK);
    assert_int_equal(count, 0);
    assert_memory_equal(data, before, size);
    assert_int_equal(bcd_device_retarget(data, size, &from, &to, &count), ST_OK);
    assert_int_equal(count, 1);
    memcpy(before + 0x54, to.partition.bytes, 16);
    memcpy(before + 0x6c, to.disk.bytes, 16);
    assert_memory_equal(data, before, size);
}

/* --- Stores --------------------------------------------------------------------------------- */

static void objects_and_elements_are_listed(void **state)
{
    struct store_fixture tree;
    struct bcd_object object;
    struct bcd_element element;
    struct span data;
    struct guid guid;

    (void)state;
    store_fixture_usual(&tree, NULL, 0);
    struct bcd_store store = open_tree(&tree);
    assert_int_equal(bcd_object_count(&store), 2);
    assert_int_equal(bcd_object_at(&store, 0, &object), ST_OK);
    assert_true(same_guid(&object.guid, "4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3"));
    assert_int_equal(object.type, BCD_TYPE_LOADER);
    assert_int_equal(bcd_element_count(&store, &object), 5);
    assert_int_equal(bcd_element_at(&store, &object, 1, &element), ST_OK);
    assert_int_equal(element.code, BCD_PATH);
    assert_int_equal(bcd_format(element.code), 2);
    assert_int_equal(bcd_element_at(&store, &object, 5, &element), ST_ABSENT);
    assert_int_equal(bcd_object_at(&store, 2, &object), ST_ABSENT);
    assert_int_equal(bcd_find(&store, &bcd_manager, &object), ST_OK);
    assert_int_equal(bcd_element(&store, &object, BCD_DISPLAY_ORDER, &data), ST_OK);
    assert_int_equal(bcd_guid_at(data, 0, &guid), ST_OK);
    assert_true(same_guid(&guid, "4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3"));
    assert_int_equal(bcd_guid_at(data, 1, &guid), ST_ABSENT);
    assert_int_equal(bcd_element(&store, &object, BCD_LOCALE, &data), ST_ABSENT);
}

static void loader_and_its_volume_are_chosen(void **state)
{
    struct store_fixture tree;
    struct bcd_choice choice;
    uint8_t device[STORE_DEVICE_SIZE];

    (void)state;
    store_fixture_partition(OS_GUID, DISK_GUID, device);
    store_fixture_usual(&tree, device, sizeof(device));
    struct bcd_store store = open_tree(&tree);
    assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), BCD_STARTS);
    assert_int_equal(choice.device.kind, BCD_DEVICE_PARTITION);
    assert_true(same_guid(&choice.device.partition.partition, OS_GUID));
    assert_true(choice.has_os_device);
    assert_int_equal(choice.path.size, 2 * strlen("\\Windows\\system32\\winload.efi"));
}

/* Removes a key: what is called so is no element or object any more. */
static void drop_key(struct store_fixture *tree, const char *name)
{
    for (size_t i = 1; i < tree->key_count; i++) {
        if (strcmp(tree->keys[i].name, name) == 0)
            strcpy(tree->keys[i].name, "99999999");
    }
}

static enum bcd_end end_without(const char *first, const char *second)
{
    struct store_fixture tree;
    struct bcd_choice choice;

    store_fixture_usual(&tree, NULL, 0);
    drop_key(&tree, first);
    drop_key(&tree, second);
    struct bcd_store store = open_tree(&tree);
    return bcd_choose(&store, &bcd_manager, &choice);
}

static void default_or_order_alone_is_enough(void **state)
{
    (void)state;
    assert_int_equal(end_without("23000003", ""), BCD_STARTS);
    assert_int_equal(end_without("24000001", ""), BCD_STARTS);
    assert_int_equal(end_without("23000003", "24000001"), BCD_NO_ENTRY);
}

static void loader_that_lacks_something_does_not_start(void **state)
{
    (void)state;
    assert_int_equal(end_without("11000001", ""), BCD_ENTRY_NOT_WHOLE);
    /* The manager's description is called the same; it is not needed. */
    assert_int_equal(end_without("12000004", ""), BCD_ENTRY_NOT_WHOLE);
    assert_int_equal(end_without("12000002", ""), BCD_STARTS);
    assert_int_equal(end_without("22000002", ""), BCD_SYSTEM_NOT_NAMED);
    assert_int_equal(end_without("21000001", ""), BCD_SYSTEM_NOT_NAMED);
    assert_int_equal(end_without("21000001", "12000002"), BCD_SYSTEM_NOT_NAMED);
}

/* What another program goes by nobody knows. */
static void only_winload_has_to_be_told_where_windows_is(void **state)
{
    static const struct {
        const char *path;
        enum bcd_end end;
    } rows[] = {
        {"\\Windows\\System32\\WINLOAD.EXE", BCD_SYSTEM_NOT_NAMED},
        {"winload.efi", BCD_SYSTEM_NOT_NAMED},
        {"\\winload.efi\\other.efi", BCD_STARTS},
        {"\\Windows\\winresume.efi", BCD_STARTS},
        {"\\EFI\\wiki.efi", BCD_STARTS},
        {"\\win", BCD_STARTS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct store_fixture tree;
        struct bcd_choice choice;
        store_fixture_usual(&tree, NULL, 0);
        drop_key(&tree, "21000001");
        for (size_t j = 1; j < tree.key_count; j++) {
            if (strcmp(tree.keys[j].name, "12000002") == 0) {
                size_t loader = tree.keys[j].parent;
                strcpy(tree.keys[j].name, "99999999");
                store_fixture_string(&tree, loader, "12000002", rows[i].path);
                break;
            }
        }
        struct bcd_store store = open_tree(&tree);
        assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), rows[i].end);
    }
}

static void loader_that_is_gone_is_told(void **state)
{
    (void)state;
    assert_int_equal(end_without(STORE_LOADER, ""), BCD_ENTRY_GONE);
}

static void store_without_objects_is_empty(void **state)
{
    struct store_fixture tree;
    struct bcd_choice choice;

    (void)state;
    store_fixture_start(&tree);
    struct bcd_store store = open_tree(&tree);
    assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), BCD_EMPTY);
}

/* Seen with a real one: an entry behind the default is not tried when that fails. */
static void default_goes_before_what_is_first_in_the_order(void **state)
{
    static const char other[] = "{11111111-9cb2-11e9-8d5c-525400a1b2c3}";
    static const char *const order[] = {other, STORE_LOADER};
    struct store_fixture tree;
    struct bcd_choice choice;
    uint8_t device[STORE_DEVICE_SIZE];

    (void)state;
    store_fixture_partition(OS_GUID, DISK_GUID, device);
    store_fixture_start(&tree);
    size_t manager = store_fixture_object(&tree, STORE_MANAGER, STORE_TYPE_MANAGER);
    store_fixture_string(&tree, manager, "23000003", STORE_LOADER);
    store_fixture_objects(&tree, manager, "24000001", order, 2);
    for (size_t i = 0; i < 2; i++) {
        size_t loader = store_fixture_object(&tree, order[i], STORE_TYPE_LOADER);
        store_fixture_string(&tree, loader, "12000004", "Windows");
        store_fixture_device(&tree, loader, "11000001", device, sizeof(device));
        store_fixture_device(&tree, loader, "21000001", device, sizeof(device));
        store_fixture_string(&tree, loader, "22000002", "\\Windows");
    }
    struct bcd_store store = open_tree(&tree);
    assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), BCD_STARTS);
    assert_true(same_guid(&choice.loader.guid, "4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3"));
    drop_key(&tree, STORE_LOADER);
    store = open_tree(&tree);
    assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), BCD_STARTS);
    assert_true(same_guid(&choice.loader.guid, "11111111-9cb2-11e9-8d5c-525400a1b2c3"));
}

static void what_a_loader_lacks_it_has_from_its_settings(void **state)
{
    static const char settings[] = "{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}";
    static const char *const list[] = {settings};
    struct store_fixture tree;
    struct bcd_choice choice;

    (void)state;
    store_fixture_usual(&tree, NULL, 0);
    drop_key(&tree, "12000004");
    size_t own = store_fixture_object(&tree, settings, 0x20200003);
    store_fixture_string(&tree, own, "12000004", "Windows Server");
    store_fixture_objects(&tree, own, "14000006", list, 1); /* itself: that has to end */
    for (size_t i = 0; i < tree.key_count; i++) {
        if (strcmp(tree.keys[i].name, "22000002") == 0)
            store_fixture_objects(&tree, tree.keys[i].parent, "14000006", list, 1);
    }
    struct bcd_store store = open_tree(&tree);
    assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), BCD_STARTS);
}

static void manager_that_is_not_there_or_other_loaders_are_not_understood(void **state)
{
    struct store_fixture tree;
    struct bcd_choice choice;
    struct guid other = fixture_guid(OS_GUID);

    (void)state;
    store_fixture_usual(&tree, NULL, 0);
    struct bcd_store store = open_tree(&tree);
    assert_int_equal(bcd_choose(&store, &other, &choice), BCD_NOT_UNDERSTOOD);
    for (size_t i = 0; i < tree.value_count; i++) {
        if (ld_le32(tree.values[i].data) == STORE_TYPE_LOADER)
            fixture_store_le(tree.values[i].data, 0x10200004, 4);
    }
    store = open_tree(&tree);
    assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), BCD_NOT_UNDERSTOOD);
}

/* --- Real ones ------------------------------------------------------------------------------ */

/* Reads what `command` prints of a file of the reference data; 0 when it is not there. */
static size_t load_shared(const char *name, const char *command)
{
    const char *shared = getenv("SHADOWBOOT_SHARED");
    char path[512];
    char line[600];

    snprintf(path, sizeof(path), "%s/data/%s", shared != NULL ? shared : "../shared", name);
    if (access(path, R_OK) != 0)
        return 0;
    snprintf(line, sizeof(line), "%s '%s'", command, path);
    FILE *pipe = popen(line, "r");
    if (pipe == NULL)
        return 0;
    size_t used = fread(file, 1, sizeof(file), pipe);
    pclose(pipe);
    return used;
}

static size_t count_named(const struct bcd_store *store, const char *partition)
{
    struct bcd_partition from = {.is_gpt = true, .partition = fixture_guid(partition)};
    struct bcd_object object;
    struct bcd_element element;
    size_t count = 0;

    for (size_t i = 0; bcd_object_at(store, i, &object) == ST_OK; i++) {
        for (size_t j = 0; bcd_element_at(store, &object, j, &element) == ST_OK; j++) {
            uint8_t data[1024];
            size_t hits = 0;
            if (bcd_format(element.code) != 1)
                continue;
            assert_true(element.data.size <= sizeof(data));
            memcpy(data, element.data.at, element.data.size);
            assert_int_equal(bcd_device_retarget(data, element.data.size, &from, &from, &hits),
                             ST_OK);
            count += hits;
        }
    }
    return count;
}

static void real_store_is_read_as_it_was_decoded_by_hand(void **state)
{
    size_t size = load_shared("bcd-win10-uefi.xz", "xz -dc");
    struct bcd_choice choice;
    struct bcd_object object;
    size_t elements = 0;

    (void)state;
    if (size == 0)
        SKIP_BECAUSE("data/bcd-win10-uefi.xz" NO_SHARED_DATA);
    struct bcd_store store = open_bytes(size);
    assert_int_equal(bcd_object_count(&store), 17);
    for (size_t i = 0; i < 17; i++) {
        assert_int_equal(bcd_object_at(&store, i, &object), ST_OK);
        elements += bcd_element_count(&store, &object);
    }
    assert_int_equal(elements, 78);
    assert_int_equal(count_named(&store, OS_GUID), 4);
    assert_int_equal(count_named(&store, RE_GUID), 3);
    assert_int_equal(count_named(&store, ESP_GUID), 2);
    assert_int_equal(count_named(&store, LINUX_GUID), 3);
    assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), BCD_STARTS);
    assert_true(same_guid(&choice.loader.guid, "733b62e5-f608-11eb-825c-c112f60133ab"));
    assert_true(same_guid(&choice.device.partition.partition, OS_GUID));
    assert_true(same_guid(&choice.os_device.partition.partition, OS_GUID));
}

static void real_stores_of_other_kinds_are_read(void **state)
{
    static const struct {
        const char *name;
        size_t objects;
        enum bcd_end end;
        enum bcd_device_kind device;
    } rows[] = {
        {"bcd/bcd-uefi-locate-3objects", 3, BCD_STARTS, BCD_DEVICE_LOCATE},
        {"bcd/bcd-empty-bcdsys", 0, BCD_EMPTY, 0},
        {"bcd/bcd-synthetic-minimal", 2, BCD_STARTS, BCD_DEVICE_PARTITION},
        {"bcd/bcd-synthetic-minimal2", 2, BCD_STARTS, BCD_DEVICE_PARTITION},
        {"bcd/bcd-bios-mbr-boot", 11, BCD_STARTS, BCD_DEVICE_BOOT},
    };
    struct bcd_choice choice;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size = load_shared(rows[i].name, "cat");
        if (size == 0)
            SKIP_BECAUSE("data/bcd" NO_SHARED_DATA);
        struct bcd_store store = open_bytes(size);
        assert_int_equal(bcd_object_count(&store), rows[i].objects);
        assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), rows[i].end);
        if (rows[i].end == BCD_STARTS)
            assert_int_equal(choice.device.kind, rows[i].device);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partition_is_read),
        cmocka_unit_test(partition_of_mbr_is_read),
        cmocka_unit_test(locate_and_boot_name_no_partition),
        cmocka_unit_test(devices_are_made_as_they_are_read),
        cmocka_unit_test(partition_of_mbr_is_made),
        cmocka_unit_test(ramdisk_names_its_file_and_where_it_lies),
        cmocka_unit_test(device_of_unknown_type_is_told_as_such),
        cmocka_unit_test(device_cut_anywhere_is_damaged),
        cmocka_unit_test(device_with_bytes_behind_it_is_damaged),
        cmocka_unit_test(device_with_any_byte_wrong_is_read_inside_its_bytes),
        cmocka_unit_test(device_too_deep_is_damaged),
        cmocka_unit_test(retargeting_changes_the_partition_and_nothing_else),
        cmocka_unit_test(objects_and_elements_are_listed),
        cmocka_unit_test(loader_and_its_volume_are_chosen),
        cmocka_unit_test(default_or_order_alone_is_enough),
        cmocka_unit_test(loader_that_lacks_something_does_not_start),
        cmocka_unit_test(only_winload_has_to_be_told_where_windows_is),
        cmocka_unit_test(loader_that_is_gone_is_told),
        cmocka_unit_test(store_without_objects_is_empty),
        cmocka_unit_test(default_goes_before_what_is_first_in_the_order),
        cmocka_unit_test(what_a_loader_lacks_it_has_from_its_settings),
        cmocka_unit_test(manager_that_is_not_there_or_other_loaders_are_not_understood),
        cmocka_unit_test(real_store_is_read_as_it_was_decoded_by_hand),
        cmocka_unit_test(real_stores_of_other_kinds_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
