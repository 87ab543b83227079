/* What a device element of a boot store is called on the screen, one of every kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "model/boot_store_text.h"
#include "unit/bytes_fixture.h"
#include "unit/mirror_store_fixture.h"

/* Offsets and numbers as format/bcd/bcd_device.h has them. */
#define DESCRIPTOR 16u /* behind the GUID of the options */
#define HEADER     16u
#define DEVICE     (DESCRIPTOR + HEADER)
#define VOLUME     72u /* the descriptor of one, zeros where it has no partition */
#define DISK       40u /* a device of the machine */
#define LOADER     0x10200003u

enum { OF_MACHINE = 0, BOOT = 5, PARTITION = 6, LOCATE = 8 };
enum { HARD_DISK = 0, FILE_PATH = 5, VIRTUAL_DISK = 6 };

static uint8_t data[512];

static const char *text_of(struct mirror *m, size_t size)
{
    const char *text =
        boot_store_device_text(&m->arena, &m->machine, NULL, LOADER, span_of(data, size));

    assert_non_null(text);
    return text;
}

/* A descriptor's header, `size` bytes with what follows. */
static void put_header(uint8_t *at, uint32_t type, size_t size)
{
    memset(at, 0, size);
    st_le32(at, type);
    st_le32(at + 8, (uint32_t)size);
}

static void put_ucs2(uint8_t *at, const char *text)
{
    for (size_t i = 0; i <= strlen(text); i++)
        st_le16(at + 2 * i, (uint16_t)text[i]);
}

/* A descriptor of a file on the volume that was started from; gives its size. */
static size_t put_file(uint8_t *at, const char *path)
{
    uint8_t *device = at + HEADER;
    size_t text = 2 * (strlen(path) + 1);
    size_t size = HEADER + 4 + 12 + VOLUME + text;

    put_header(at, OF_MACHINE, size);
    st_le32(device, FILE_PATH);
    st_le32(device + 4, 1);
    st_le32(device + 8, (uint32_t)(12 + VOLUME + text));
    st_le32(device + 12, 5);
    put_header(device + 16, BOOT, VOLUME);
    put_ucs2(device + 16 + VOLUME, path);
    return size;
}

static void assert_called(struct mirror *m, size_t size, const char *text)
{
    assert_string_equal(text_of(m, size), text);
}

/* --- Partitions ----------------------------------------------------------------------------- */

static void partition_is_called_by_where_it_is_and_what_it_holds(void **state)
{
    struct mirror *m = *state;

    mirror_device(m, MIRROR_ESP(1), data);
    assert_called(m, STORE_DEVICE_SIZE, "Disk 1 Partition 1 (EFI system)");
    m->partitions[MIRROR_ESP(1)].kind = PT_UNKNOWN;
    assert_called(m, STORE_DEVICE_SIZE, "Disk 1 Partition 1");
}

static void partitions_of_one_name_are_all_told(void **state)
{
    struct mirror *m = *state;

    m->partitions[MIRROR_MSR(1)].unique = m->partitions[MIRROR_ESP(0)].unique;
    mirror_device(m, MIRROR_ESP(0), data);
    assert_called(m, STORE_DEVICE_SIZE, "Disk 0 Partition 1 (EFI system) or Disk 1 Partition 3");
}

static void partition_that_is_not_here_is_called_as_the_store_does(void **state)
{
    struct mirror *m = *state;

    mirror_device(m, NO_INDEX, data);
    assert_called(m, STORE_DEVICE_SIZE, "partition {" MIRROR_NOWHERE "}, on no disk here");
    memset(data + DEVICE, 0, VOLUME - HEADER);
    st_le64(data + DEVICE, 0x1f500000);
    st_le32(data + DEVICE + 16 + 4, 1);
    st_le32(data + DEVICE + 16 + 8, 0xa1b2c3d4);
    assert_called(m, STORE_DEVICE_SIZE,
                  "byte 525336576 of the disk with signature a1b2c3d4, which is not here");
}

/* --- All others ----------------------------------------------------------------------------- */

static void what_lies_in_a_file_is_called_by_it(void **state)
{
    struct mirror *m = *state;
    uint8_t *descriptor = data + DESCRIPTOR;

    memset(data, 0, sizeof(data));
    size_t file = put_file(descriptor, "\\a.vhd");
    assert_called(m, DESCRIPTOR + file, "file=[boot]\\a.vhd");
    /* The disk in that file, and the first partition on it. */
    put_header(descriptor, OF_MACHINE, HEADER + 24 + file);
    st_le32(data + DEVICE, VIRTUAL_DISK);
    put_file(data + DEVICE + 24, "\\a.vhd");
    assert_called(m, DEVICE + 24 + file, "vhd=[boot]\\a.vhd");
    put_header(descriptor, PARTITION, HEADER + 16 + 24 + file);
    st_le32(data + DEVICE + 16, VIRTUAL_DISK);
    put_file(data + DEVICE + 16 + 24, "\\a.vhd");
    assert_called(m, DEVICE + 16 + 24 + file, "vhd=[boot]\\a.vhd");
}

static void volume_that_is_searched_for_is_called_by_what_has_to_be_there(void **state)
{
    struct mirror *m = *state;

    memset(data, 0, sizeof(data));
    size_t size = store_fixture_locate(0x22000002, data);
    assert_called(m, size, "locate=systemroot");
    put_header(data + DESCRIPTOR, LOCATE, 28 + 2 * sizeof("\\here"));
    st_le32(data + DEVICE, 1);
    put_ucs2(data + DESCRIPTOR + 28, "\\here");
    assert_called(m, DESCRIPTOR + 28 + 2 * sizeof("\\here"), "locate=\\here");
}

static void what_has_no_file_and_no_partition_is_called_by_its_kind(void **state)
{
    struct mirror *m = *state;

    memset(data, 0, sizeof(data));
    put_header(data + DESCRIPTOR, BOOT, VOLUME);
    assert_called(m, DESCRIPTOR + VOLUME, "boot");
    put_header(data + DESCRIPTOR, OF_MACHINE, HEADER + DISK);
    st_le32(data + DEVICE, HARD_DISK);
    assert_called(m, DEVICE + DISK, "a whole disk");
    put_header(data + DESCRIPTOR, 99, VOLUME);
    assert_called(m, DESCRIPTOR + VOLUME, "unknown");
    assert_called(m, DESCRIPTOR + VOLUME - 1, "damaged");
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(partition_is_called_by_where_it_is_and_what_it_holds),
        ROW(partitions_of_one_name_are_all_told),
        ROW(partition_that_is_not_here_is_called_as_the_store_does),
        ROW(what_lies_in_a_file_is_called_by_it),
        ROW(volume_that_is_searched_for_is_called_by_what_has_to_be_there),
        ROW(what_has_no_file_and_no_partition_is_called_by_its_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
