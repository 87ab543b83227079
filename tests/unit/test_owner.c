/*
 * Marks of other owners: each is found where its format puts it, and the places that are read hold
 * all of them. Real samples are judged by the harness (test_owners.py); here are the rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/owner.h"
#include "format/owner_rows.h"
#include "unit/bytes_fixture.h"

#define DISK_BYTES (64u << 20)

static uint8_t disk[DISK_BYTES];

/* What is found when all of the disk was read. */
static struct owner_mark found_on(size_t size)
{
    struct owner_piece piece = {0, span_of(disk, size)};
    struct owner_view view = {size, &piece, 1};
    struct owner_mark mark;

    owner_find(&view, NULL, NULL, &mark);
    return mark;
}

/* What is found when only the places were read. */
static struct owner_mark found_in_places(size_t size)
{
    struct owner_place places[OWNER_PLACES_MAX];
    struct owner_piece pieces[OWNER_PLACES_MAX];
    size_t count = owner_places(size, places);
    struct owner_view view = {size, pieces, count};
    struct owner_mark mark;

    assert_in_range(count, 1, OWNER_PLACES_MAX);
    for (size_t i = 0; i < count; i++) {
        uint64_t at = places[i].from_end ? size - places[i].distance : places[i].distance;
        assert_true(places[i].distance % 512 == 0 && places[i].bytes % 512 == 0);
        assert_true(at + places[i].bytes <= size);
        pieces[i] = (struct owner_piece){at, span_of(disk + at, places[i].bytes)};
    }
    owner_find(&view, NULL, NULL, &mark);
    return mark;
}

/* Rows whose structure is not looked at any closer: the magic alone has to do. */
static void every_magic_is_found_where_it_lies(void **state)
{
    size_t count = 0;
    const struct owner_row *rows = owner_rows(&count);

    (void)state;
    assert_true(count > 100);
    for (size_t i = 0; i < count; i++) {
        const struct owner_row *row = &rows[i];
        uint64_t at = row->from_end ? DISK_BYTES - row->distance : row->distance;
        if (row->check != NULL)
            continue;
        memcpy(disk + at + row->magic_at, row->magic, row->length);
        struct owner_mark mark = found_in_places(DISK_BYTES);
        assert_int_equal(mark.owner, row->owner);
        assert_int_equal(mark.offset, at + row->magic_at);
        disk[at + row->magic_at + row->length - 1] ^= 0x10;
        assert_int_equal(found_in_places(DISK_BYTES).owner, OWNER_NOBODY);
        memset(disk + at + row->magic_at, 0, row->length);
    }
}

/* A short magic by itself, amid zeros or ones, is chance. */
static void short_magics_need_a_structure_around_them(void **state)
{
    size_t count = 0;
    const struct owner_row *rows = owner_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct owner_row *row = &rows[i];
        uint64_t at = row->from_end ? DISK_BYTES - row->distance : row->distance;
        bool is_short = row->length < 4;
        if (is_short)
            assert_non_null(row->check);
        if (row->check == NULL || !is_short)
            continue;
        memset(disk + at, 0xff, row->size);
        memcpy(disk + at + row->magic_at, row->magic, row->length);
        assert_int_equal(found_on(DISK_BYTES).owner, OWNER_NOBODY);
        memset(disk + at, 0, row->size);
    }
}

/* libblkid: the metadata of VIA begins with the signature of a boot sector. */
static void boot_signature_is_no_via_raid(void **state)
{
    uint8_t *last = disk + DISK_BYTES - 512;

    (void)state;
    last[0] = 0x55;
    last[1] = 0xaa;
    last[2] = 2;
    assert_int_equal(found_on(DISK_BYTES).owner, OWNER_NOBODY);
    last[50] = 1; /* the sum of all before it */
    assert_int_equal(found_on(DISK_BYTES).owner, OWNER_VIA);
    memset(last, 0, 512);
}

/* Sums and fields as libblkid checks them: the structure is the owner's, and with one bit of it
 * another nobody's. */
static void assert_structure(size_t at, size_t size, size_t flip, enum owner owner)
{
    assert_int_equal(found_on(DISK_BYTES).owner, owner);
    disk[at + flip] ^= 0x80;
    assert_int_equal(found_on(DISK_BYTES).owner, OWNER_NOBODY);
    memset(disk + at, 0, size);
}

static void jmicron_and_silicon_image_are_known_by_their_sums(void **state)
{
    size_t last = DISK_BYTES - 512;

    (void)state;
    for (uint16_t sum = 0; sum <= 1; sum++) { /* some controllers leave 1 */
        memcpy(disk + last, "JM", 2);
        disk[last + 48] = 1;
        st_le16(disk + last + 126, (uint16_t)(sum - 0x4d4a - 1));
        assert_structure(last, 512, 100, OWNER_JMICRON);
    }
    disk[last + 0x63] = 0x2f;
    disk[last + 0x116] = 1;
    st_le16(disk + last + 0x13e, (uint16_t)(0 - 0x2f00 - 1));
    assert_structure(last, 512, 0x20, OWNER_SILICON_IMAGE);
}

static void ext_and_lvm1_are_known_by_their_fields(void **state)
{
    (void)state;
    st_le16(disk + 1024 + 56, 0xef53);
    assert_int_equal(found_on(DISK_BYTES).owner, OWNER_NOBODY); /* a file system of no blocks */
    st_le32(disk + 1024 + 4, 16384);
    st_le32(disk + 1024 + 24, 2);
    assert_structure(1024, 1024, 24, OWNER_EXT);
    memcpy(disk, "HM", 2);
    assert_int_equal(found_on(DISK_BYTES).owner, OWNER_NOBODY);
    st_le16(disk + 2, 2);
    st_le32(disk + 8, 1024);
    assert_structure(0, 512, 4, OWNER_LVM1);
}

/* Of version 8, of 8.4 while it is in use, and of version 9. */
static void drbd_of_each_version_is_found(void **state)
{
    static const uint8_t magic[] = {0x83, 0x74, 0x02};
    uint8_t *at = disk + DISK_BYTES - 4096;

    (void)state;
    memcpy(at + 60, magic, sizeof(magic));
    for (uint8_t last = 0x6a; last <= 0x6e; last++) {
        at[63] = last;
        bool known = last > 0x6a && last < 0x6e;
        assert_int_equal(found_on(DISK_BYTES).owner, known ? OWNER_DRBD : OWNER_NOBODY);
    }
    memset(at, 0, 64);
}

/* mdadm's super-intel.c: the anchor is in the last but one sector, of whatever size. */
static void imsm_is_found_whatever_the_size_of_sectors(void **state)
{
    const size_t distances[] = {1024, 8192};

    (void)state;
    for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
        uint8_t *at = disk + DISK_BYTES - distances[i];
        memcpy(at, "Intel Raid ISM Cfg Sig. 1.0", 27);
        assert_int_equal(found_in_places(DISK_BYTES).owner, OWNER_IMSM);
        memset(at, 0, 27);
    }
}

/* A disk without a table may be a volume by itself. */
static void file_system_in_the_first_block_is_an_owner(void **state)
{
    static const struct {
        const char *name;
        enum owner owner;
    } cases[] = {{"NTFS    ", OWNER_NTFS},
                 {"EXFAT   ", OWNER_EXFAT},
                 {"-FVE-FS-", OWNER_BITLOCKER},
                 {"ReFS\0\0\0\0", OWNER_REFS}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memcpy(disk + 3, cases[i].name, 8);
        struct owner_mark mark = found_in_places(DISK_BYTES);
        assert_int_equal(mark.owner, cases[i].owner);
        assert_int_equal(mark.offset, 0);
        memset(disk, 0, 16);
    }
}

/* Format 1.0 lies from 8 to 12 KiB before the end, at a whole 4 KiB. */
static void md_1_0_is_found_on_a_disk_of_any_size(void **state)
{
    (void)state;
    for (size_t less = 0; less < 8; less++) {
        size_t size = DISK_BYTES - less * 512;
        size_t sector = (size / 512 - 16) / 8 * 8;
        uint8_t *at = disk + sector * 512;
        st_le32(at, 0xa92b4efc);
        st_le32(at + 4, 1);
        st_le64(at + 144, sector);
        struct owner_mark mark = found_in_places(size);
        assert_int_equal(mark.owner, OWNER_MD_1_0);
        assert_int_equal(mark.offset, sector * 512);
        memset(at, 0, 4096);
    }
}

/* The place of a 1.0 superblock is in it: one of another device is none. */
static void md_1_0_of_another_device_is_none(void **state)
{
    uint8_t *at = disk + DISK_BYTES - 8192;

    (void)state;
    st_le32(at, 0xa92b4efc);
    st_le32(at + 4, 1);
    st_le64(at + 144, DISK_BYTES / 512 - 16);
    assert_int_equal(found_in_places(DISK_BYTES).owner, OWNER_MD_1_0); /* its checksum is wrong */
    st_le64(at + 144, DISK_BYTES / 512 - 24);
    assert_int_equal(found_in_places(DISK_BYTES).owner, OWNER_NOBODY);
    memset(at, 0, 4096);
}

static void md_0_90_of_either_byte_order_is_found(void **state)
{
    uint8_t *at = disk + DISK_BYTES - 65536;

    (void)state;
    st_le32(at, 0xa92b4efc);
    st_le32(at + 8, 90);
    assert_int_equal(found_in_places(DISK_BYTES).owner, OWNER_MD_0_90);
    static const uint8_t big[] = {0xa9, 0x2b, 0x4e, 0xfc};
    memcpy(at, big, sizeof(big));
    assert_int_equal(found_in_places(DISK_BYTES).owner, OWNER_MD_0_90);
    memset(at, 0, 4096);
}

/* A pool whose labels were wiped: any of the 128 uberblocks behind each of them is enough. */
static void uberblocks_of_zfs_are_found_by_themselves(void **state)
{
    static const uint8_t little[] = {0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0};
    static const uint8_t big[] = {0, 0, 0, 0, 0, 0xba, 0xb1, 0x0c};
    const uint64_t offsets[] = {128 * 1024, 128 * 1024 + 127 * 1024, DISK_BYTES - 128 * 1024,
                                DISK_BYTES - 128 * 1024 + 111 * 1024};

    (void)state;
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        for (int is_big = 0; is_big < 2; is_big++) {
            memcpy(disk + offsets[i], is_big ? big : little, 8);
            struct owner_mark mark = found_in_places(DISK_BYTES);
            assert_int_equal(mark.owner, OWNER_ZFS);
            assert_int_equal(mark.offset, offsets[i]);
        }
        disk[offsets[i] + 7] ^= 1;
        assert_int_equal(found_in_places(DISK_BYTES).owner, OWNER_NOBODY);
        memset(disk + offsets[i], 0, 8);
    }
}

static bool not_lvm(const void *ctx, const struct owner_mark *mark)
{
    *(uint64_t *)ctx += mark->owner == OWNER_LVM2;
    return mark->owner != OWNER_LVM2;
}

static void mark_that_does_not_count_hides_no_other(void **state)
{
    struct owner_piece piece = {0, span_of(disk, DISK_BYTES)};
    struct owner_view view = {DISK_BYTES, &piece, 1};
    struct owner_mark mark;
    uint64_t refused = 0;

    (void)state;
    memcpy(disk + 512, "LABELONE", 8);
    memcpy(disk + 65536 + 64, "_BHRfS_M", 8);
    owner_find(&view, not_lvm, &refused, &mark);
    assert_int_equal(mark.owner, OWNER_BTRFS);
    assert_int_equal(refused, 1);
    assert_int_equal(found_on(DISK_BYTES).owner, OWNER_LVM2);
    memset(disk + 512, 0, 8);
    memset(disk + 65536 + 64, 0, 8);
}

/* Bad input is a normal case: no place lies outside, however small the disk. */
static void small_areas_are_looked_at_as_far_as_they_go(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 1024 * 1024; size += size < 65536 ? 512 : 65536)
        assert_int_equal(found_on(size).owner, OWNER_NOBODY);
}

static void random_bytes_belong_to_nobody(void **state)
{
    uint64_t seed = 20261129;

    (void)state;
    for (size_t i = 0; i < DISK_BYTES; i += 8) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        st_le64(disk + i, seed ^ seed >> 29);
    }
    assert_int_equal(found_on(DISK_BYTES).owner, OWNER_NOBODY);
    memset(disk, 0, DISK_BYTES);
}

static void every_owner_has_a_name_and_a_tool(void **state)
{
    (void)state;
    for (enum owner i = OWNER_NOBODY + 1; i < OWNER_COUNT; i++) {
        assert_true(owner_name(i)[0] != '\0');
        assert_true(owner_tool(i)[0] != '\0');
        assert_int_equal(owner_is_raid(i), i < OWNER_LVM1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_magic_is_found_where_it_lies),
        cmocka_unit_test(short_magics_need_a_structure_around_them),
        cmocka_unit_test(boot_signature_is_no_via_raid),
        cmocka_unit_test(jmicron_and_silicon_image_are_known_by_their_sums),
        cmocka_unit_test(ext_and_lvm1_are_known_by_their_fields),
        cmocka_unit_test(drbd_of_each_version_is_found),
        cmocka_unit_test(imsm_is_found_whatever_the_size_of_sectors),
        cmocka_unit_test(file_system_in_the_first_block_is_an_owner),
        cmocka_unit_test(md_1_0_is_found_on_a_disk_of_any_size),
        cmocka_unit_test(md_1_0_of_another_device_is_none),
        cmocka_unit_test(md_0_90_of_either_byte_order_is_found),
        cmocka_unit_test(uberblocks_of_zfs_are_found_by_themselves),
        cmocka_unit_test(mark_that_does_not_count_hides_no_other),
        cmocka_unit_test(small_areas_are_looked_at_as_far_as_they_go),
        cmocka_unit_test(random_bytes_belong_to_nobody),
        cmocka_unit_test(every_owner_has_a_name_and_a_tool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
