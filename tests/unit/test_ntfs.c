/*
 * NTFS. The volumes are those of ntfs_fixture.h, made from the published format; and, where they
 * are at hand, five that Windows Server 2008 R2 made. Volumes of mkntfs and ntfs-3g are compared in
 * ovmf-harness/test_ntfs_probe.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/ntfs/ntfs.h"
#include "format/ntfs/ntfs_boot.h"
#include "format/ntfs/ntfs_record.h"
#include "host/image_block.h"
#include "unit/bytes_fixture.h"
#include "unit/ldm_fixture.h"
#include "unit/ntfs_fixture.h"
#include "unit/skip_fixture.h"

#define KIB 1024u

/* A volume and what was opened of it. */
struct bench {
    struct ntfs_fixture *fixture;
    struct block_port port;
    struct arena arena;
    struct ntfs_volume volume;
};

static struct bench bench_of(struct ntfs_fixture_shape shape)
{
    struct bench bench = {.fixture = ntfs_fixture_new(&shape)};

    bench.fixture->first_lba = 63;
    return bench;
}

static struct bench small_bench(void)
{
    return bench_of(ntfs_fixture_small());
}

static enum status open_blocks(struct bench *bench, uint64_t blocks)
{
    bench->port = ntfs_fixture_port(bench->fixture);
    bench->arena = fixture_scratch();
    memset(&bench->volume, 0xa5, sizeof bench->volume);
    return ntfs_open(&bench->arena, &bench->port, bench->fixture->first_lba, blocks,
                     &bench->volume);
}

static enum status open_bench(struct bench *bench)
{
    return open_blocks(bench, ntfs_fixture_blocks(bench->fixture));
}

static void close_bench(struct bench *bench)
{
    ntfs_fixture_free(bench->fixture);
}

/* Opens, which must succeed, and looks one path up. */
static enum status open_and_find(struct bench *bench, const char *path, struct ntfs_file *ret_file)
{
    assert_int_equal(open_bench(bench), ST_OK);
    return ntfs_lookup(&bench->volume, path, ret_file);
}

static enum status find(struct bench *bench, const char *path)
{
    struct ntfs_file file;

    return ntfs_lookup(&bench->volume, path, &file);
}

static uint8_t *open_record(struct bench *bench, uint64_t number)
{
    uint8_t *record = ntfs_fixture_record(bench->fixture, number);

    ntfs_fixture_unseal(record, bench->fixture->shape.record_size);
    return record;
}

static void close_record(struct bench *bench, uint64_t number)
{
    ntfs_fixture_seal(ntfs_fixture_record(bench->fixture, number),
                      bench->fixture->shape.record_size);
}

/* --- What a volume holds ---------------------------------------------------------------------- */

static const uint8_t fve_guid[16] = {0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a,
                                     0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01};

static void fat_block(uint8_t *block)
{
    memset(block, 0, 512);
    memcpy(block, "\xeb\x3c\x90MSDOS5.0", 11);
    st_le16(block + 11, 512);
    block[13] = 4;
    st_le16(block + 14, 1);
    block[16] = 2;
    block[21] = 0xf8;
    st_le16(block + 510, 0xaa55);
}

static void named_block(uint8_t *block, const char *start)
{
    memset(block, 0, 512);
    memcpy(block, start, 11);
    st_le16(block + 510, 0xaa55);
}

static enum volume_content content_of(const uint8_t *block)
{
    struct span copy = fixture_exact(block, 512);
    enum volume_content content = volume_content_of(copy);

    fixture_drop(copy);
    return content;
}

static void content_is_told_from_the_first_block(void **state)
{
    static const struct {
        const char *start;
        enum volume_content content;
        const char *name;
    } cases[] = {
        {"\xeb\x52\x90NTFS    ", CONTENT_NTFS, "NTFS"},
        {"\xeb\x52\x90-FVE-FS-", CONTENT_BITLOCKER, "BitLocker"},
        {"\xeb\x58\x90-FVE-FS-", CONTENT_BITLOCKER, "BitLocker"},
        {"\xeb\x76\x90"
         "EXFAT   ",
         CONTENT_EXFAT, "exFAT"},
        {"\0\0\0ReFS\0\0\0\0", CONTENT_REFS, "ReFS"},
        {"\xeb\x58\x90mkfs.xyz", CONTENT_UNKNOWN, ""},
        {"NTFS    \0\0\0", CONTENT_UNKNOWN, ""},
    };
    uint8_t block[512];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        named_block(block, cases[i].start);
        assert_int_equal(content_of(block), cases[i].content);
        assert_string_equal(volume_content_name(cases[i].content), cases[i].name);
    }
}

static void empty_block_is_empty_and_a_short_one_unknown(void **state)
{
    uint8_t block[512] = {0};

    (void)state;
    assert_int_equal(content_of(block), CONTENT_EMPTY);
    assert_string_equal(volume_content_name(CONTENT_EMPTY), "");
    block[400] = 1;
    assert_int_equal(content_of(block), CONTENT_UNKNOWN);
    named_block(block, "\xeb\x52\x90NTFS    ");
    assert_int_equal(volume_content_of(span_of(block, 511)), CONTENT_UNKNOWN);
}

static void bitlocker_to_go_is_not_taken_for_fat(void **state)
{
    uint8_t block[512];

    (void)state;
    fat_block(block);
    assert_int_equal(content_of(block), CONTENT_FAT);
    assert_string_equal(volume_content_name(CONTENT_FAT), "FAT");
    memcpy(block, "\xeb\x58\x90MSWIN4.1", 11);
    assert_int_equal(content_of(block), CONTENT_FAT);
    memcpy(block + 424, fve_guid, 16);
    assert_int_equal(content_of(block), CONTENT_BITLOCKER);
    memset(block + 424, 0, 16);
    memcpy(block + 160, fve_guid, 16);
    assert_int_equal(content_of(block), CONTENT_BITLOCKER);
}

static void fat_needs_a_sound_parameter_block(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 0xea}, {2, 0x91}, {12, 3},    {13, 3}, {14, 0},
                 {16, 0},   {16, 9},   {21, 0xf1}, {510, 0}};
    uint8_t block[512];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fat_block(block);
        block[wrong[i].at] = wrong[i].value;
        assert_int_equal(content_of(block), CONTENT_UNKNOWN);
    }
}

/* --- Boot sectors ----------------------------------------------------------------------------- */

static enum status parse_boot(struct bench *bench, struct ntfs_geometry *ret_geometry)
{
    struct span copy = fixture_exact(bench->fixture->bytes, 512);
    enum status status = ntfs_boot_parse(copy, ret_geometry);

    fixture_drop(copy);
    return status;
}

static void boot_sector_gives_geometry(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_geometry geometry;

    (void)state;
    assert_int_equal(parse_boot(&bench, &geometry), ST_OK);
    assert_int_equal(geometry.sector_size, 512);
    assert_int_equal(geometry.cluster_size, 1024);
    assert_int_equal(geometry.record_size, 1024);
    assert_int_equal(geometry.index_size, 4096);
    assert_int_equal(geometry.sectors, 2047);
    assert_int_equal(geometry.clusters, 1023);
    assert_int_equal(geometry.bytes, 2047 * 512);
    assert_true(geometry.serial == 0x5eed0123456789abull);
    close_bench(&bench);
}

static void cluster_size_may_be_a_power(void **state)
{
    static const struct {
        uint8_t field;
        enum status status;
        uint32_t bytes;
    } cases[] = {
        {1, ST_OK, 512},       {0x80, ST_OK, 65536},    {0xf9, ST_OK, 65536},
        {0xf8, ST_OK, 131072}, {0xf4, ST_OK, 2u << 20}, {0xf3, ST_UNSUPPORTED, 0},
        {0xff, ST_OK, 1024},   {0, ST_DAMAGED, 0},      {3, ST_DAMAGED, 0},
        {0x81, ST_DAMAGED, 0}, {0xe0, ST_DAMAGED, 0},
    };
    struct bench bench = small_bench();
    struct ntfs_geometry geometry;

    (void)state;
    st_le64(bench.fixture->bytes + 40, 1u << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench.fixture->bytes[13] = cases[i].field;
        bench.fixture->bytes[64] = 0xf6;
        bench.fixture->bytes[68] = 0xf4;
        assert_int_equal(parse_boot(&bench, &geometry), cases[i].status);
        if (cases[i].status == ST_OK)
            assert_int_equal(geometry.cluster_size, cases[i].bytes);
    }
    close_bench(&bench);
}

static void record_sizes_are_clusters_or_a_power(void **state)
{
    static const struct {
        uint8_t field;
        enum status status;
        uint32_t bytes;
    } cases[] = {
        {1, ST_OK, 1024},     {4, ST_OK, 4096},          {64, ST_OK, 65536},
        {0xf6, ST_OK, 1024},  {0xf7, ST_OK, 512},        {0xf4, ST_OK, 4096},
        {0xf0, ST_OK, 65536}, {0xef, ST_UNSUPPORTED, 0}, {0xf8, ST_UNSUPPORTED, 0},
        {0, ST_DAMAGED, 0},   {3, ST_DAMAGED, 0},        {0x80, ST_DAMAGED, 0},
    };
    struct bench bench = small_bench();
    struct ntfs_geometry geometry;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench.fixture->bytes[64] = cases[i].field;
        bench.fixture->bytes[68] = 4;
        assert_int_equal(parse_boot(&bench, &geometry), cases[i].status);
        if (cases[i].status == ST_OK)
            assert_int_equal(geometry.record_size, cases[i].bytes);
        bench.fixture->bytes[64] = 1;
        bench.fixture->bytes[68] = cases[i].field;
        assert_int_equal(parse_boot(&bench, &geometry), cases[i].status);
        if (cases[i].status == ST_OK)
            assert_int_equal(geometry.index_size, cases[i].bytes);
    }
    close_bench(&bench);
}

static void contradicting_boot_sector_is_damaged(void **state)
{
    static const struct {
        size_t at;
        size_t size;
        uint64_t value;
        enum status status;
    } cases[] = {
        {3, 1, 'M', ST_ABSENT},          {510, 1, 0, ST_DAMAGED},
        {11, 2, 0, ST_DAMAGED},          {11, 2, 513, ST_DAMAGED},
        {11, 2, 128, ST_UNSUPPORTED},    {11, 2, 8192, ST_UNSUPPORTED},
        {14, 1, 1, ST_DAMAGED},          {16, 1, 2, ST_DAMAGED},
        {19, 2, 9, ST_DAMAGED},          {22, 1, 1, ST_DAMAGED},
        {32, 4, 99, ST_DAMAGED},         {40, 8, 0, ST_DAMAGED},
        {40, 8, UINT64_MAX, ST_DAMAGED}, {40, 8, 1ull << 55, ST_DAMAGED},
        {48, 8, 0, ST_DAMAGED},          {48, 8, 1023, ST_DAMAGED},
        {56, 8, 0, ST_DAMAGED},          {56, 8, UINT64_MAX, ST_DAMAGED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench = small_bench();
        struct ntfs_geometry geometry;
        fixture_store_le(bench.fixture->bytes + cases[i].at, cases[i].value, cases[i].size);
        assert_int_equal(parse_boot(&bench, &geometry), cases[i].status);
        close_bench(&bench);
    }
}

/* --- Opening ---------------------------------------------------------------------------------- */

static void volume_is_described(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    assert_int_equal(open_bench(&bench), ST_OK);
    const struct ntfs_volume *volume = &bench.volume;
    assert_int_equal(volume->boot, NTFS_BOOT_GOOD);
    assert_int_equal(volume->backup, NTFS_BOOT_GOOD);
    assert_int_equal(volume->sector_size, 512);
    assert_int_equal(volume->cluster_size, 1024);
    assert_int_equal(volume->record_size, 1024);
    assert_int_equal(volume->index_size, 4096);
    assert_int_equal(volume->sectors, 2047);
    assert_true(volume->serial == 0x5eed0123456789abull);
    assert_int_equal(volume->mft_cluster, bench.fixture->mft_cluster[0]);
    assert_int_equal(volume->mirror_cluster, bench.fixture->mirror_cluster);
    assert_int_equal(volume->facts_status, ST_OK);
    assert_int_equal(volume->version_major, 3);
    assert_int_equal(volume->version_minor, 1);
    assert_false(volume->dirty);
    assert_false(volume->mirror_used);
    assert_string_equal(volume->label, "Tést");
    assert_int_equal(volume->read_bytes, bench.fixture->read_bytes);
    assert_true(volume->read_bytes <= 24 * KIB);
    close_bench(&bench);
}

static void dirty_flag_is_reported(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    open_record(&bench, 3);
    uint8_t *information = ntfs_fixture_attribute(bench.fixture, 3, 0x70);
    information[ld_le16(information + 0x14) + 10] = 1;
    close_record(&bench, 3);
    assert_int_equal(open_bench(&bench), ST_OK);
    assert_true(bench.volume.dirty);
    close_bench(&bench);
}

static void check_boots(struct bench *bench, enum status status, enum ntfs_boot_state boot,
                        enum ntfs_boot_state backup)
{
    static struct ntfs_volume untouched;

    memset(&untouched, 0xa5, sizeof untouched);
    assert_int_equal(open_bench(bench), status);
    if (status != ST_OK) {
        assert_memory_equal(&bench->volume, &untouched, sizeof untouched);
        assert_int_equal(bench->arena.used, 0);
        return;
    }
    assert_int_equal(bench->volume.boot, boot);
    assert_int_equal(bench->volume.backup, backup);
    assert_true(bench->volume.serial == 0x5eed0123456789abull);
    assert_int_equal(find(bench, "\\Windows\\System32\\winload.efi"), ST_OK);
}

static void each_boot_sector_stands_in_for_the_other(void **state)
{
    struct bench bench = small_bench();
    uint8_t *boot = bench.fixture->bytes;
    uint8_t *backup = bench.fixture->bytes + bench.fixture->size - 512;
    uint8_t saved[512];

    (void)state;
    memcpy(saved, boot, 512);
    memset(backup, 0, 512);
    check_boots(&bench, ST_OK, NTFS_BOOT_GOOD, NTFS_BOOT_DAMAGED);
    memcpy(backup, saved, 512);
    backup[13] = 3;
    check_boots(&bench, ST_OK, NTFS_BOOT_GOOD, NTFS_BOOT_DAMAGED);
    memcpy(backup, saved, 512);
    memset(boot, 0, 512);
    check_boots(&bench, ST_OK, NTFS_BOOT_DAMAGED, NTFS_BOOT_GOOD);
    memcpy(boot, saved, 512);
    boot[510] = 0;
    check_boots(&bench, ST_OK, NTFS_BOOT_DAMAGED, NTFS_BOOT_GOOD);
    backup[510] = 0;
    check_boots(&bench, ST_DAMAGED, 0, 0);
    memset(boot, 0, 512);
    check_boots(&bench, ST_DAMAGED, 0, 0);
    memset(backup, 0, 512);
    check_boots(&bench, ST_ABSENT, 0, 0);
    close_bench(&bench);
}

static void other_file_system_in_the_backup_is_reported(void **state)
{
    struct bench bench = small_bench();
    uint8_t *backup = bench.fixture->bytes + bench.fixture->size - 512;

    (void)state;
    backup[100] = 0x77; /* code, no fact */
    check_boots(&bench, ST_OK, NTFS_BOOT_GOOD, NTFS_BOOT_GOOD);
    backup[72] ^= 1;
    check_boots(&bench, ST_OK, NTFS_BOOT_GOOD, NTFS_BOOT_DIFFERS);
    backup[72] ^= 1;
    backup[40] ^= 1;
    check_boots(&bench, ST_OK, NTFS_BOOT_GOOD, NTFS_BOOT_DIFFERS);
    /* By itself it must count the sectors before it. */
    memset(bench.fixture->bytes, 0, 512);
    check_boots(&bench, ST_ABSENT, 0, 0);
    close_bench(&bench);
}

static void unreadable_boot_sector_is_not_a_damaged_one(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    bench.fixture->bad_size = 512;
    check_boots(&bench, ST_OK, NTFS_BOOT_UNREADABLE, NTFS_BOOT_GOOD);
    memset(bench.fixture->bytes + bench.fixture->size - 512, 0, 512);
    check_boots(&bench, ST_IO, 0, 0);
    close_bench(&bench);

    bench = small_bench();
    bench.fixture->bad_offset = bench.fixture->size - 512;
    bench.fixture->bad_size = 512;
    check_boots(&bench, ST_OK, NTFS_BOOT_GOOD, NTFS_BOOT_UNREADABLE);
    memset(bench.fixture->bytes, 0, 512);
    check_boots(&bench, ST_IO, 0, 0);
    close_bench(&bench);
}

static void volume_must_fit_its_place(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    assert_int_equal(open_blocks(&bench, 2047), ST_OK);
    assert_int_equal(bench.volume.boot, NTFS_BOOT_GOOD);
    assert_int_equal(bench.volume.backup, NTFS_BOOT_DAMAGED);
    assert_int_equal(open_blocks(&bench, 2046), ST_DAMAGED);
    assert_int_equal(open_blocks(&bench, 1), ST_DAMAGED);
    assert_int_equal(open_blocks(&bench, 0), ST_ABSENT);
    assert_int_equal(open_blocks(&bench, UINT64_MAX), ST_UNSUPPORTED);
    assert_int_equal(open_blocks(&bench, 2052), ST_OK);
    assert_int_equal(bench.volume.backup, NTFS_BOOT_GOOD);
    close_bench(&bench);
}

static void sectors_smaller_than_the_disks_blocks_are_unsupported(void **state)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    struct bench bench;

    (void)state;
    shape.sector_size = 4096;
    shape.cluster_size = 4096;
    shape.sectors = 255;
    bench = bench_of(shape);
    assert_int_equal(open_bench(&bench), ST_OK);
    memset(bench.fixture->bytes + bench.fixture->size - 4096, 0, 512);
    st_le16(bench.fixture->bytes + 11, 512);
    assert_int_equal(open_bench(&bench), ST_UNSUPPORTED);
    close_bench(&bench);
}

static void backup_of_large_sectors_is_found_on_a_disk_of_small_blocks(void **state)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    struct bench bench;

    (void)state;
    shape.sector_size = 4096;
    shape.cluster_size = 4096;
    shape.sectors = 255;
    bench = bench_of(shape);
    bench.fixture->shape.sector_size = 512;
    check_boots(&bench, ST_OK, NTFS_BOOT_GOOD, NTFS_BOOT_GOOD);
    memset(bench.fixture->bytes, 0, 512);
    check_boots(&bench, ST_OK, NTFS_BOOT_DAMAGED, NTFS_BOOT_GOOD);
    close_bench(&bench);
}

/* Every fact about the files of the fixture. */
static void check_tree(struct bench *bench)
{
    static const char *const there[] = {
        "\\",
        "\\Windows",
        "\\Windows\\System32\\",
        "\\Windows\\System32\\winload.efi",
        "\\WINDOWS\\system32\\NTOSKRNL.EXE",
        "\\Windows\\Boot\\EFI\\bootmgfw.efi",
        "\\small.txt",
        "\\SCATTERED.BIN",
        "\\$UpCase",
        "\\äPFEL.TXT",
        "\\Äpfel.txt",
        "\\ωMEGA",
        "\\жУК",
    };
    static const char *const missing[] = {
        "\\Window",
        "\\Windows0",
        "\\Windows\\System32\\winload.ef",
        "\\Windows\\System32\\winload.efi\\x",
        "\\zzz",
        "\\!",
        "\\Windows\\System32\\zzz",
        "\\Windows\\System32\\!",
        "\\Windows\\System32\\file00001namf.dll",
        "\\Öpfel.txt",
        "\\жук ",

    };

    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
        assert_int_equal(find(bench, there[i]), ST_OK);
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
        assert_int_equal(find(bench, missing[i]), ST_ABSENT);
}

static void every_geometry_is_read(void **state)
{
    static const struct {
        uint32_t sector, cluster, record, index;
        bool split_mft, split_index;
    } cases[] = {
        {512, 512, 1024, 4096, false, false},   {512, 1024, 1024, 4096, true, true},
        {512, 4096, 1024, 4096, true, false},   {512, 65536, 1024, 4096, false, true},
        {4096, 4096, 4096, 4096, true, true},   {4096, 65536, 4096, 4096, true, true},
        {512, 131072, 1024, 4096, true, false}, {2048, 2048, 4096, 8192, true, true},
        {1024, 1024, 2048, 1024, true, true},   {512, 2u << 20, 1024, 4096, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ntfs_fixture_shape shape = {
            .sector_size = cases[i].sector,
            .cluster_size = cases[i].cluster,
            .record_size = cases[i].record,
            .index_size = cases[i].index,
            .sectors = (2048 * KIB + 60ull * cases[i].cluster) / cases[i].sector,
            .names = 200,
            .split_mft = cases[i].split_mft,
            .split_index = cases[i].split_index,
        };
        struct bench bench = bench_of(shape);
        assert_int_equal(open_bench(&bench), ST_OK);
        assert_int_equal(bench.volume.cluster_size, cases[i].cluster);
        assert_int_equal(bench.volume.record_size, cases[i].record);
        check_tree(&bench);
        close_bench(&bench);
    }
}

/* --- $MFT and $Volume ------------------------------------------------------------------------- */

static void mirror_stands_in_for_a_damaged_first_record(void **state)
{
    for (uint64_t number = 0; number <= 3; number += 3) {
        struct bench bench = small_bench();
        ntfs_fixture_record(bench.fixture, number)[510] ^= 1;
        assert_int_equal(open_bench(&bench), ST_OK);
        assert_true(bench.volume.mirror_used);
        assert_int_equal(bench.volume.facts_status, ST_OK);
        assert_string_equal(bench.volume.label, "Tést");
        check_tree(&bench);
        close_bench(&bench);
    }
    (void)state;
}

static void mirror_stands_in_for_an_unreadable_record(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    bench.fixture->bad_offset = bench.fixture->mft_cluster[0] * 1024 + 3 * 1024;
    bench.fixture->bad_size = 512;
    assert_int_equal(open_bench(&bench), ST_OK);
    assert_true(bench.volume.mirror_used);
    assert_int_equal(bench.volume.facts_status, ST_OK);
    check_tree(&bench);
    close_bench(&bench);
}

static void without_its_first_record_the_volume_is_damaged(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    memset(ntfs_fixture_record(bench.fixture, 0), 0, 1024);
    memset(ntfs_fixture_cluster(bench.fixture, bench.fixture->mirror_cluster), 0, 1024);
    assert_int_equal(open_bench(&bench), ST_DAMAGED);
    close_bench(&bench);
}

static void facts_that_are_lost_do_not_hide_the_files(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    memset(ntfs_fixture_record(bench.fixture, 3), 0, 1024);
    ntfs_fixture_mirror(bench.fixture);
    assert_int_equal(open_bench(&bench), ST_OK);
    assert_int_equal(bench.volume.facts_status, ST_DAMAGED);
    assert_string_equal(bench.volume.label, "");
    check_tree(&bench);
    close_bench(&bench);
}

/* A field of the mapping of $MFT that is wrong in both copies. */
static void mft_that_contradicts_itself_is_damaged(void **state)
{
    static const struct {
        size_t at; /* in the attribute */
        size_t size;
        uint64_t value;
    } cases[] = {
        {0x18, 8, 5},          /* fewer clusters than the pairs */
        {0x18, 8, 5000},       /* more */
        {0x10, 8, 1},          /* not from its beginning */
        {0x20, 2, 0xffff},     /* no pairs */
        {0x20, 2, 0x20},       /* pairs in the header */
        {0x30, 8, 1ull << 40}, /* larger than its clusters */
        {0x30, 8, UINT64_MAX}, /* negative */
        {0x38, 8, 1ull << 40}, /* more written than there is */
        {0x08, 1, 7},          /* neither resident nor not */
        {0x04, 4, 0},          /* no length */
        {0x04, 4, 0x4c},       /* not a multiple of 8 */
        {0x04, 4, 0xfffffff8}, /* far too long */
        {0x00, 4, 0xb0},       /* not there */
        {0x09, 1, 200},        /* name past the end */
        {0x40, 1, 0x99},       /* numbers of 9 bytes */
        {0x40, 1, 0x30},       /* no length */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench = small_bench();
        open_record(&bench, 0);
        uint8_t *data = ntfs_fixture_attribute(bench.fixture, 0, 0x80);
        fixture_store_le(data + cases[i].at, cases[i].value, cases[i].size);
        close_record(&bench, 0);
        ntfs_fixture_mirror(bench.fixture);
        assert_int_equal(open_bench(&bench), ST_DAMAGED);
        close_bench(&bench);
    }
}

static void record_header_is_checked(void **state)
{
    static const struct {
        size_t at;
        size_t size;
        uint64_t value;
    } cases[] = {
        {0x04, 2, 0x29},  {0x04, 2, 0x20},  {0x04, 2, 0x1fc},
        {0x06, 2, 2},     {0x06, 2, 4},     {0x14, 2, 0x20},
        {0x14, 2, 0x3c},  {0x14, 2, 0x3f8}, {0x16, 2, 0},
        {0x18, 4, 0x401}, {0x18, 4, 0x40},  {0x1c, 4, 0x800},
        {0x20, 8, 7},     {0x2c, 4, 1},     {0x00, 4, 0x44414142 /* BAAD */},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench = small_bench();
        struct ntfs_file file;
        uint8_t *record = ntfs_fixture_record(bench.fixture, bench.fixture->small);
        fixture_store_le(record + cases[i].at, cases[i].value, cases[i].size);
        assert_int_equal(open_and_find(&bench, "\\small.txt", &file), ST_DAMAGED);
        assert_int_equal(find(&bench, "\\Windows"), ST_OK);
        close_bench(&bench);
    }
}

static void mft_in_pieces_is_followed(void **state)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    struct bench bench;

    (void)state;
    shape.split_mft = true;
    bench = bench_of(shape);
    assert_int_equal(open_bench(&bench), ST_OK);
    check_tree(&bench);
    /* The record that describes the second piece. */
    ntfs_fixture_record(bench.fixture, 15)[510] ^= 1;
    assert_int_equal(open_bench(&bench), ST_DAMAGED);
    close_bench(&bench);
}

/* --- Lookup ----------------------------------------------------------------------------------- */

static void files_are_described(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;

    (void)state;
    assert_int_equal(open_and_find(&bench, "\\small.txt", &file), ST_OK);
    assert_int_equal(file.record, bench.fixture->small);
    assert_int_equal(file.size, 24);
    assert_false(file.is_directory || file.compressed || file.sparse || file.encrypted);
    assert_int_equal(open_and_find(&bench, "\\Windows\\System32\\winload.efi", &file), ST_OK);
    assert_int_equal(file.record, bench.fixture->winload);
    assert_int_equal(file.size, 3 * 1024 - 100);
    assert_int_equal(open_and_find(&bench, "\\windows", &file), ST_OK);
    assert_int_equal(file.record, bench.fixture->windows);
    assert_true(file.is_directory);
    assert_int_equal(file.size, 0);
    assert_int_equal(open_and_find(&bench, "\\sparse.bin", &file), ST_OK);
    assert_true(file.sparse && !file.compressed);
    assert_int_equal(open_and_find(&bench, "\\packed.bin", &file), ST_OK);
    assert_true(file.compressed && !file.sparse);
    assert_int_equal(open_and_find(&bench, "\\secret.bin", &file), ST_OK);
    assert_true(file.encrypted);
    assert_int_equal(open_and_find(&bench, "\\scattered.bin", &file), ST_OK);
    assert_int_equal(file.size, 6 * 1024);
    close_bench(&bench);
}

static void every_name_of_a_large_directory_is_found(void **state)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    struct bench bench;
    char path[80];

    (void)state;
    shape.names = 1500;
    shape.sectors = 8191;
    shape.split_index = true;
    bench = bench_of(shape);
    assert_int_equal(open_bench(&bench), ST_OK);
    for (unsigned i = 0; i < shape.names; i++) {
        snprintf(path, sizeof path, "\\Windows\\System32\\FILE%05uName.dll", i);
        assert_int_equal(find(&bench, path), ST_OK);
        snprintf(path, sizeof path, "\\Windows\\System32\\file~%03x.dll", i);
        assert_int_equal(find(&bench, path), ST_OK);
        snprintf(path, sizeof path, "\\Windows\\System32\\file%05uName.dl", i);
        assert_int_equal(find(&bench, path), ST_ABSENT);
    }
    close_bench(&bench);
}

static void lookups_give_their_memory_back(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    assert_int_equal(open_bench(&bench), ST_OK);
    size_t used = bench.arena.used;
    assert_true(used <= 96 * KIB);
    for (int i = 0; i < 1000; i++)
        check_tree(&bench);
    assert_int_equal(bench.arena.used, used);
    assert_true(bench.arena.peak <= used + 16 * KIB);
    close_bench(&bench);
}

/* The root directory holds itself as ".", so that paths can be as long as one likes. */
static void long_path_takes_no_more_memory(void **state)
{
    struct bench bench = small_bench();
    char path[400] = "";

    (void)state;
    for (size_t i = 0; i < 150; i++)
        strcat(path, "\\.");
    strcat(path, "\\Windows\\System32\\winload.efi");
    assert_int_equal(open_bench(&bench), ST_OK);
    size_t used = bench.arena.used;
    assert_int_equal(find(&bench, path), ST_OK);
    assert_true(bench.arena.peak <= used + 16 * KIB);
    close_bench(&bench);
}

static void windows_is_recognised_with_few_reads(void **state)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    struct bench bench;

    (void)state;
    shape.cluster_size = 4096;
    shape.names = 4000;
    shape.sectors = 32767;
    bench = bench_of(shape);
    assert_int_equal(open_bench(&bench), ST_OK);
    assert_int_equal(find(&bench, "\\Windows\\System32\\winload.efi"), ST_OK);
    assert_int_equal(find(&bench, "\\Windows\\System32\\ntoskrnl.exe"), ST_OK);
    assert_int_equal(find(&bench, "\\Windows\\Boot\\EFI\\bootmgfw.efi"), ST_OK);
    assert_int_equal(bench.volume.read_bytes, bench.fixture->read_bytes);
    assert_true(bench.fixture->read_bytes < 200 * KIB);
    print_message("opening and three lookups: %llu bytes in %llu reads\n",
                  (unsigned long long)bench.fixture->read_bytes,
                  (unsigned long long)bench.fixture->reads);
    close_bench(&bench);
}

static void reparse_point_is_found_and_not_followed(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;

    (void)state;
    assert_int_equal(open_and_find(&bench, "\\Junction", &file), ST_OK);
    assert_true(file.reparse && file.is_directory);
    assert_int_equal(find(&bench, "\\Junction\\x"), ST_UNSUPPORTED);
    close_bench(&bench);
}

static void malformed_path_names_nothing(void **state)
{
    struct bench bench = small_bench();
    char path[400] = "\\";

    (void)state;
    assert_int_equal(open_bench(&bench), ST_OK);
    assert_int_equal(find(&bench, "\\\xff\xfe"), ST_ABSENT);
    assert_int_equal(find(&bench, "\\\\Windows\\\\System32"), ST_OK);
    assert_int_equal(find(&bench, ""), ST_OK);
    memset(path + 1, 'a', 300);
    assert_int_equal(find(&bench, path), ST_ABSENT);
    close_bench(&bench);
}

static void name_that_is_there_is_damaged_when_its_record_is_not_its_own(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;

    (void)state;
    uint8_t *record = open_record(&bench, bench.fixture->small);
    st_le16(record + 0x10, 99); /* given to another file since */
    close_record(&bench, bench.fixture->small);
    assert_int_equal(open_and_find(&bench, "\\small.txt", &file), ST_DAMAGED);
    close_bench(&bench);
}

static void zeroed_root_directory_is_damaged_not_empty(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;

    (void)state;
    memset(ntfs_fixture_record(bench.fixture, 5), 0, 1024);
    assert_int_equal(open_and_find(&bench, "\\Windows", &file), ST_DAMAGED);
    assert_int_equal(find(&bench, "\\nothing"), ST_DAMAGED);
    close_bench(&bench);
}

/* Changes all blocks of the root's index. */
static void index_block_is_checked(void **state)
{
    static const struct {
        size_t at;
        size_t size;
        uint64_t value;
    } cases[] = {
        {0x00, 1, 'X'},               /* magic */
        {0x1fe, 1, 0xee},             /* update sequence */
        {0x10, 8, 999},               /* number */
        {0x18, 4, 0x20},              /* entries begin in the update sequence */
        {0x18, 4, 0x29},              /* not a multiple of 8 */
        {0x1c, 4, 0x10},              /* end before they begin */
        {0x1c, 4, 0x2000},            /* past the block */
        {0x20, 4, 0x2000},            /* room past the block */
        {0x40 + 8, 2, 0},             /* entry without length */
        {0x40 + 8, 2, 0x18},          /* shorter than its key */
        {0x40 + 8, 2, 0x53},          /* not a multiple of 8 */
        {0x40 + 8, 2, 0xfff8},        /* past the end */
        {0x40 + 0x0a, 2, 0x40},       /* key without a name */
        {0x40 + 0x0c, 2, 1},          /* child of a leaf */
        {0x40 + 0x10 + 0x40, 1, 255}, /* name past its key */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench = small_bench();
        struct ntfs_file file;
        uint8_t *block = ntfs_fixture_cluster(bench.fixture, bench.fixture->root_index);
        fixture_store_le(block + cases[i].at, cases[i].value, cases[i].size);
        assert_int_equal(open_and_find(&bench, "\\$Volume", &file), ST_DAMAGED);
        close_bench(&bench);
    }
}

static void index_root_is_checked(void **state)
{
    static const struct {
        size_t at; /* in the value */
        size_t size;
        uint64_t value;
        enum status status;
    } cases[] = {
        {0, 4, 0x80, ST_UNSUPPORTED}, {4, 4, 16, ST_UNSUPPORTED},   {8, 4, 0, ST_DAMAGED},
        {8, 4, 4097, ST_DAMAGED},     {8, 4, 1u << 20, ST_DAMAGED}, {16, 4, 0, ST_DAMAGED},
        {20, 4, 0xfff0, ST_DAMAGED},  {24, 4, 0xfff0, ST_DAMAGED},  {28, 1, 0, ST_DAMAGED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench = small_bench();
        struct ntfs_file file;
        open_record(&bench, 5);
        uint8_t *root = ntfs_fixture_attribute(bench.fixture, 5, 0x90);
        fixture_store_le(root + ld_le16(root + 0x14) + cases[i].at, cases[i].value, cases[i].size);
        close_record(&bench, 5);
        assert_int_equal(open_and_find(&bench, "\\$Volume", &file), cases[i].status);
        close_bench(&bench);
    }
}

/* The last entry of the root's $INDEX_ROOT leads to a block that leads to itself. */
static void circle_in_an_index_ends(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;

    (void)state;
    open_record(&bench, 5);
    uint8_t *root = ntfs_fixture_attribute(bench.fixture, 5, 0x90);
    uint8_t *value = root + ld_le16(root + 0x14);
    uint64_t vcn = ld_le64(value + ld_le32(root + 0x10) - 8);
    close_record(&bench, 5);
    /* Found by its number, because it may lie in either part of the index. */
    uint8_t *block = ntfs_fixture_cluster(bench.fixture, bench.fixture->root_index);
    for (; block < bench.fixture->bytes + bench.fixture->size; block += 1024)
        if (memcmp(block, "INDX", 4) == 0 && ld_le64(block + 0x10) == vcn)
            break;
    ntfs_fixture_unseal(block, 4096);
    memset(block + 0x40, 0, 0x18);
    st_le16(block + 0x40 + 8, 0x18);
    st_le16(block + 0x40 + 0x0c, 3);
    st_le64(block + 0x40 + 0x10, vcn);
    st_le32(block + 0x18 + 4, 0x28 + 0x18);
    block[0x18 + 0x0c] = 1;
    ntfs_fixture_seal(block, 4096);
    assert_int_equal(open_and_find(&bench, "\\\xd0\xb6zz", &file), ST_DAMAGED);
    assert_true(bench.fixture->reads < 40);
    close_bench(&bench);
}

static void index_allocation_must_lie_in_the_volume(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;

    (void)state;
    open_record(&bench, bench.fixture->system32);
    uint8_t *allocation = ntfs_fixture_attribute(bench.fixture, bench.fixture->system32, 0xa0);
    uint8_t *pairs = allocation + ld_le16(allocation + 0x20);
    assert_int_equal(pairs[0], 0x21);
    st_le16(pairs + 2, 1022); /* the last whole cluster of the volume; the run has more */
    close_record(&bench, bench.fixture->system32);
    assert_int_equal(open_and_find(&bench, "\\Windows\\System32\\winload.efi", &file), ST_DAMAGED);
    assert_int_equal(find(&bench, "\\Windows"), ST_OK);
    close_bench(&bench);
}

/* A run that begins 2^54 clusters of 1 KiB too far: in 64 bits its bytes are where they were. */
static void far_run_does_not_wrap_around(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;
    uint64_t number = bench.fixture->system32;

    (void)state;
    uint8_t *record = open_record(&bench, number);
    uint8_t *allocation = ntfs_fixture_attribute(bench.fixture, number, 0xa0);
    uint8_t *pairs = allocation + ld_le16(allocation + 0x20);
    uint8_t clusters = pairs[1];
    assert_int_equal(pairs[0], 0x21);
    st_le64(allocation + 0x18, clusters - 1u);
    fixture_store_le(allocation + 0x30, clusters * 1024u, 8);
    fixture_store_le(allocation + 0x38, clusters * 1024u, 8);
    pairs[0] = 0x81;
    st_le64(pairs + 2, bench.fixture->system32_index + (1ull << 54));
    pairs[10] = 0;
    st_le32(allocation + 4, 0x58);
    st_le32(allocation + 0x58, 0xffffffff);
    st_le32(record + 0x18, (uint32_t)(allocation + 0x60 - record));
    close_record(&bench, number);
    assert_int_equal(open_and_find(&bench, "\\Windows\\System32\\file00000name.dll", &file),
                     ST_DAMAGED);

    open_record(&bench, number);
    st_le64(pairs + 2, bench.fixture->system32_index);
    close_record(&bench, number);
    assert_int_equal(open_and_find(&bench, "\\Windows\\System32\\file00000name.dll", &file), ST_OK);
    close_bench(&bench);
}

static void directory_without_its_index_is_damaged(void **state)
{
    static const uint32_t types[] = {0x90, 0xa0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench bench = small_bench();
        struct ntfs_file file;
        open_record(&bench, bench.fixture->system32);
        uint8_t *at = ntfs_fixture_attribute(bench.fixture, bench.fixture->system32, types[i]);
        st_le32(at, 0xd0);
        close_record(&bench, bench.fixture->system32);
        assert_int_equal(open_and_find(&bench, "\\Windows\\System32\\winload.efi", &file),
                         ST_DAMAGED);
        close_bench(&bench);
    }
}

static void names_of_ascii_do_not_need_the_table(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;

    (void)state;
    memset(ntfs_fixture_record(bench.fixture, 10), 0, 1024);
    assert_int_equal(open_and_find(&bench, "\\Windows\\System32\\winload.efi", &file), ST_OK);
    assert_int_equal(find(&bench, "\\\xd0\x96\xd1\x83\xd0\xba"), ST_DAMAGED);
    close_bench(&bench);
}

static void the_volumes_own_table_decides(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;

    (void)state;
    open_record(&bench, 10);
    uint8_t *data = ntfs_fixture_attribute(bench.fixture, 10, 0x80);
    uint8_t *pairs = data + ld_le16(data + 0x20);
    uint64_t lcn = pairs[0] == 0x12 ? pairs[3] : ld_le16(pairs + 3);
    close_record(&bench, 10);
    uint8_t *table = ntfs_fixture_cluster(bench.fixture, lcn);
    assert_int_equal(ld_le16(table + 2 * 'a'), 'A');
    assert_int_equal(open_and_find(&bench, "\\\xc7\x85ngstr", &file), ST_ABSENT);
    /* U+01C5 becomes U+0416: then the beetle can be written with it. */
    st_le16(table + 2 * 0x1c5, 0x416);
    assert_int_equal(open_and_find(&bench, "\\\xc7\x85\xd1\x83\xd0\xba", &file), ST_OK);
    close_bench(&bench);
}

/* U+24D0 and U+0436 are in parts of the table that cannot be kept both at a time. */
static void parts_of_the_table_are_not_confused(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    assert_int_equal(open_bench(&bench), ST_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(find(&bench, "\\\xe2\x93\x90zz"), ST_ABSENT);
        assert_int_equal(find(&bench, "\\\xd0\xb6\xd0\xa3\xd0\x9a"), ST_OK);
    }
    close_bench(&bench);
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* The byte that a file of the fixture has at an offset. */
typedef uint8_t expected_byte(const struct ntfs_fixture *fixture, uint64_t offset);

static uint8_t small_byte(const struct ntfs_fixture *fixture, uint64_t offset)
{
    (void)fixture;
    return (uint8_t) "What is in a file record"[offset];
}

static uint8_t sparse_byte(const struct ntfs_fixture *fixture, uint64_t offset)
{
    return offset / 1024 == 0 || offset / 1024 == 3 ? ntfs_fixture_byte(fixture->sparse, offset)
                                                    : 0;
}

static uint8_t short_byte(const struct ntfs_fixture *fixture, uint64_t offset)
{
    return offset < 1024 + 512 ? ntfs_fixture_byte(fixture->short_one, offset) : 0;
}

static uint8_t scattered_byte(const struct ntfs_fixture *fixture, uint64_t offset)
{
    return ntfs_fixture_byte(fixture->scattered, offset);
}

static uint8_t kernel_byte(const struct ntfs_fixture *fixture, uint64_t offset)
{
    return ntfs_fixture_byte(fixture->winload + 1, offset);
}

static void check_range(struct bench *bench, const struct ntfs_file *file, expected_byte *expected,
                        uint64_t offset, size_t size)
{
    uint64_t left = offset < file->size ? file->size - offset : 0;
    uint8_t *data = malloc(size > 0 ? size : 1);
    size_t got = 12345;

    assert_int_equal(ntfs_read(&bench->volume, file, offset, data, size, &got), ST_OK);
    assert_int_equal(got, size < left ? size : left);
    for (size_t i = 0; i < got; i++)
        assert_int_equal(data[i], expected(bench->fixture, offset + i));
    free(data);
}

static void content_is_read_from_any_place(void **state)
{
    static const struct {
        const char *path;
        expected_byte *expected;
    } files[] = {
        {"\\small.txt", small_byte},
        {"\\sparse.bin", sparse_byte},
        {"\\short.bin", short_byte},
        {"\\scattered.bin", scattered_byte},
        {"\\Windows\\System32\\ntoskrnl.exe", kernel_byte},
    };
    static const uint64_t offsets[] = {0,    1,    511,  1023, 1024,   1536,
                                       2047, 3000, 6143, 6144, 1 << 20};
    static const size_t sizes[] = {0, 1, 512, 1024, 4096, 5000, 20000};
    struct bench bench = small_bench();

    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        struct ntfs_file file;
        assert_int_equal(open_and_find(&bench, files[f].path, &file), ST_OK);
        size_t used = bench.arena.used;
        for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
            for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++)
                check_range(&bench, &file, files[f].expected, offsets[i], sizes[j]);
        assert_int_equal(bench.arena.used, used);
    }
    close_bench(&bench);
}

static enum status read_some(struct bench *bench, const char *path)
{
    struct ntfs_file file;
    uint8_t data[64];
    size_t got = 77;

    assert_int_equal(open_and_find(bench, path, &file), ST_OK);
    enum status status = ntfs_read(&bench->volume, &file, 0, data, sizeof data, &got);
    assert_int_equal(got == 77, status != ST_OK);
    return status;
}

static void data_in_another_form_is_unsupported(void **state)
{
    struct bench bench = small_bench();

    (void)state;
    assert_int_equal(read_some(&bench, "\\packed.bin"), ST_UNSUPPORTED);
    assert_int_equal(read_some(&bench, "\\secret.bin"), ST_UNSUPPORTED);
    assert_int_equal(read_some(&bench, "\\Junction"), ST_UNSUPPORTED);
    close_bench(&bench);
}

static void directory_has_no_content(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;
    uint8_t byte;
    size_t got = 1;

    (void)state;
    assert_int_equal(open_and_find(&bench, "\\Windows", &file), ST_OK);
    assert_int_equal(ntfs_read(&bench.volume, &file, 0, &byte, 1, &got), ST_OK);
    assert_int_equal(got, 0);
    close_bench(&bench);
}

/* \scattered.bin: what its list and its further records say must fit together. */
static void parts_of_a_file_must_belong_together(void **state)
{
    static const struct {
        int record; /* 0: the file's own, at the list; 1 and 2: further ones, at the record */
        size_t at;
        size_t size;
        uint64_t value;
    } cases[] = {
        {0, 4, 2, 0},               /* entry without length */
        {0, 4, 2, 0x1c},            /* not a multiple of 8 */
        {0, 4, 2, 0x8000},          /* past the list */
        {0, 6, 1, 100},             /* name past the entry */
        {0, 0x60 + 8, 8, 3},        /* not where the first part ends */
        {0, 0x60 + 0x10, 8, 0},     /* in record 0 */
        {0, 0x60 + 0x10, 4, 0xfff}, /* in a record that is not there */
        {0, 0x60 + 0x16, 2, 0x55},  /* of another sequence number */
        {1, 0x20, 1, 7},            /* of another file */
        {2, 0x26, 1, 0x55},         /* of an earlier file of that number */
        {2, 0x16, 2, 0},            /* not in use */
        {2, 0x38, 4, 0xb0},         /* without the attribute */
        {2, 0x38 + 8, 1, 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench = small_bench();
        struct ntfs_file file;
        uint64_t number = cases[i].record == 0 ? bench.fixture->scattered
                                               : bench.fixture->extensions[cases[i].record - 1];
        uint8_t data[64];
        size_t got = 0;
        uint8_t *at = open_record(&bench, number);
        if (cases[i].record == 0) {
            at = ntfs_fixture_attribute(bench.fixture, number, 0x20);
            at += ld_le16(at + 0x14);
        }
        fixture_store_le(at + cases[i].at, cases[i].value, cases[i].size);
        close_record(&bench, number);
        assert_int_equal(open_bench(&bench), ST_OK);
        enum status status = ntfs_lookup(&bench.volume, "\\scattered.bin", &file);
        if (status == ST_OK)
            status = ntfs_read(&bench.volume, &file, 0, data, sizeof data, &got);
        assert_int_equal(status, ST_DAMAGED);
        close_bench(&bench);
    }
}

/* --- Mapping pairs ---------------------------------------------------------------------------- */

static enum status all_pairs(const void *bytes, size_t size, struct ntfs_pair *ret_pairs,
                             size_t *ret_count)
{
    struct span copy = fixture_exact(bytes, size);
    struct ntfs_pair_cursor cursor = {.pairs = copy};
    enum status status;

    *ret_count = 0;
    while ((status = ntfs_pair_next(&cursor, &ret_pairs[*ret_count])) == ST_OK)
        ++*ret_count;
    fixture_drop(copy);
    return status;
}

static void mapping_pairs_are_read(void **state)
{
    /* 0x38 clusters from 0x342573, 0x114 from 0x363758 (0x211e5 on), a hole of 3, 0x42 from
     * 0x393802 less 0x300aa. */
    static const uint8_t bytes[] = {0x31, 0x38, 0x73, 0x25, 0x34, 0x32, 0x14, 0x01, 0xe5, 0x11,
                                    0x02, 0x01, 0x03, 0x31, 0x42, 0xaa, 0x00, 0xfd, 0x00};
    struct ntfs_pair pairs[8];
    size_t count = 0;

    (void)state;
    assert_int_equal(all_pairs(bytes, sizeof bytes, pairs, &count), ST_ABSENT);
    assert_int_equal(count, 4);
    assert_int_equal(pairs[0].clusters, 0x38);
    assert_int_equal(pairs[0].lcn, 0x342573);
    assert_int_equal(pairs[1].clusters, 0x114);
    assert_int_equal(pairs[1].lcn, 0x363758);
    assert_false(pairs[1].hole);
    assert_true(pairs[2].hole);
    assert_int_equal(pairs[2].clusters, 3);
    assert_int_equal(pairs[3].lcn, 0x363758 - 0x2ff56);
}

static void malformed_mapping_pairs_are_damaged(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"", 0},
        {"\x11\x05\x05", 3},                                      /* no end */
        {"\x11\x05", 2},                                          /* cut */
        {"\x21\x05\x05", 3},                                      /* cut */
        {"\x10\x05\0", 3},                                        /* no length */
        {"\x11\xff\x05\0", 4},                                    /* negative length */
        {"\x11\0\x05\0", 4},                                      /* length 0 */
        {"\x11\x05\xff\0", 4},                                    /* before the volume */
        {"\x19\1\1\1\1\1\1\1\1\1\1\0", 12},                       /* length of 9 bytes */
        {"\x91\1\1\1\1\1\1\1\1\1\1\0", 12},                       /* distance of 9 bytes */
        {"\x81\1\xff\xff\xff\xff\xff\xff\xff\x7f\x11\1\1\0", 14}, /* past 2^63 */
    };
    struct ntfs_pair pairs[8];
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(all_pairs(cases[i].bytes, cases[i].size, pairs, &count), ST_DAMAGED);
}

/* --- Trouble ---------------------------------------------------------------------------------- */

static const char *const wanted[] = {"\\Windows\\System32\\winload.efi", "\\scattered.bin",
                                     "\\\xd0\xb6\xd1\x83\xd0\xba"};

static void little_memory_is_reported(void **state)
{
    struct bench bench = small_bench();
    struct ntfs_file file;
    bool complete = false;

    (void)state;
    bench.port = ntfs_fixture_port(bench.fixture);
    for (size_t size = 0; !complete; size += 512) {
        bench.arena = fixture_scratch_of(size);
        enum status status = ntfs_open(&bench.arena, &bench.port, 63,
                                       ntfs_fixture_blocks(bench.fixture), &bench.volume);
        complete = status == ST_OK;
        assert_true(complete || (status == ST_NO_MEMORY && bench.arena.used == 0));
        for (size_t i = 0; complete && i < 3; i++) {
            status = ntfs_lookup(&bench.volume, wanted[i], &file);
            assert_true(status == ST_OK || status == ST_NO_MEMORY);
            complete = status == ST_OK;
        }
    }
    assert_true(bench.arena.size <= 96 * KIB);
    close_bench(&bench);
}

/* One block after the other is bad: whatever is still said must be true. */
static void bad_block_never_makes_a_file_absent(void **state)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    struct bench bench;
    unsigned unreadable = 0;

    (void)state;
    shape.split_mft = true;
    shape.split_index = true;
    bench = bench_of(shape);
    bench.fixture->bad_size = 512;
    for (uint64_t block = 0; block < ntfs_fixture_blocks(bench.fixture); block++) {
        bench.fixture->bad_offset = block * 512;
        enum status status = open_bench(&bench);
        assert_true(status == ST_OK || status == ST_IO);
        for (size_t i = 0; status == ST_OK && i < 3; i++) {
            status = find(&bench, wanted[i]);
            assert_true(status == ST_OK || status == ST_IO);
        }
        unreadable += status == ST_IO;
    }
    /* Records and index blocks on the way take some twenty blocks of 512 bytes. */
    assert_in_range(unreadable, 8, 60);
    close_bench(&bench);
}

/* --- Volumes that Windows made ---------------------------------------------------------------- */

#define CHUNK 128u /* blocks of a stripe */

enum layout { CONCATENATED, STRIPED, RAID5 };

struct extent {
    const char *image;
    uint64_t lba;
    uint64_t blocks;
};

static const struct windows_volume {
    enum layout layout;
    uint64_t serial;
    struct extent extents[3];
} windows_volumes[] = {
    {CONCATENATED, 0xbe50e0ff50e0bef1ull, {{"spanned-1", 128, 96256}, {"spanned-2", 65664, 32768}}},
    {STRIPED, 0x6c7c0afd7c0ac236ull, {{"striped-1", 128, 32768}, {"striped-2", 65664, 32768}}},
    {CONCATENATED, 0xfc9061279060ea1aull, {{"mirrored-1", 128, 32768}}},
    {CONCATENATED, 0xfc9061279060ea1aull, {{"mirrored-2", 65664, 32768}}},
    {RAID5,
     0x86e88f74e88f60f3ull,
     {{"raid5-1", 128, 32768}, {"raid5-2", 65664, 32768}, {"raid5-3", 65664, 32768}}},
    {CONCATENATED,
     0xd8dcba6bdcba4412ull,
     {{"raid5-1", 32896, 63488}, {"striped-1", 32896, 63488}, {"mirrored-1", 32896, 63488}}},
};

/* A volume over several images. */
struct assembly {
    const struct windows_volume *volume;
    struct block_port columns[3];
    struct image_block *images[3];
    size_t count;
    uint64_t bytes; /* read */
};

static const char *image_folder;

static int unpack_images(void **state)
{
    (void)state;
    image_folder = ldm_images_unpack("*.img");
    return 0;
}

static int remove_images(void **state)
{
    (void)state;
    ldm_images_remove();
    return 0;
}

/* The column of a block, and its number there. In RAID-5 the parity of row r is in the column that
 * r counts from the last one backwards, and data goes on in the column behind it. */
static size_t locate(const struct assembly *assembly, uint64_t lba, uint64_t *ret_block)
{
    const struct windows_volume *volume = assembly->volume;
    uint64_t chunk = lba / CHUNK;
    size_t columns = assembly->count;
    size_t column = 0;

    if (volume->layout == CONCATENATED) {
        while (lba >= volume->extents[column].blocks)
            lba -= volume->extents[column++].blocks;
        *ret_block = lba;
        return column;
    }
    size_t data = volume->layout == RAID5 ? columns - 1 : columns;
    uint64_t row = chunk / data;
    *ret_block = row * CHUNK + lba % CHUNK;
    if (volume->layout == STRIPED)
        return chunk % data;
    size_t parity = columns - 1 - row % columns;
    return (parity + 1 + chunk % data) % columns;
}

static enum status read_assembly(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct assembly *assembly = ctx;
    uint8_t *to = ret_data;

    assembly->bytes += count * 512ull;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t block = 0;
        size_t column = locate(assembly, lba + i, &block);
        const struct block_port *port = &assembly->columns[column];
        enum status status = port->read(port->ctx, assembly->volume->extents[column].lba + block, 1,
                                        to + 512ull * i);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static struct block_port assemble(struct assembly *assembly, const struct windows_volume *volume)
{
    static const uint8_t end_node[] = {0x7f, 0xff, 0x04, 0x00};
    uint64_t blocks = 0;
    char path[256];

    *assembly = (struct assembly){.volume = volume};
    for (; assembly->count < 3 && volume->extents[assembly->count].image != NULL;
         assembly->count++) {
        const struct extent *extent = &volume->extents[assembly->count];
        snprintf(path, sizeof path, "%s/ldm-2008r2-%s.img", image_folder, extent->image);
        assert_int_equal(image_block_open(path, 512, span_of(end_node, 4), "image",
                                          &assembly->images[assembly->count]),
                         ST_OK);
        assembly->columns[assembly->count] = image_block_port(assembly->images[assembly->count]);
        blocks += extent->blocks;
    }
    if (volume->layout == RAID5)
        blocks = blocks / 3 * 2;
    return (struct block_port){.ctx = assembly,
                               .model = "",
                               .block_size = 512,
                               .block_count = blocks,
                               .read = read_assembly};
}

static void check_windows_volume(const struct windows_volume *expected)
{
    struct assembly assembly;
    struct block_port port = assemble(&assembly, expected);
    struct arena arena = fixture_scratch();
    struct ntfs_volume volume;
    struct ntfs_file file;

    assert_int_equal(ntfs_open(&arena, &port, 0, port.block_count, &volume), ST_OK);
    assert_true(volume.serial == expected->serial);
    assert_int_equal(volume.boot, NTFS_BOOT_GOOD);
    assert_int_equal(volume.backup, NTFS_BOOT_GOOD);
    assert_int_equal(volume.facts_status, ST_OK);
    assert_int_equal(volume.version_major, 3);
    assert_int_equal(volume.version_minor, 1);
    assert_false(volume.dirty || volume.mirror_used);
    assert_int_equal(ntfs_lookup(&volume, "\\$Extend\\$RmMetadata\\$Txf", &file), ST_OK);
    assert_true(file.is_directory);
    assert_int_equal(ntfs_lookup(&volume, "\\$UpCase", &file), ST_OK);
    assert_int_equal(file.record, 10);
    assert_int_equal(file.size, 131072);
    assert_int_equal(ntfs_lookup(&volume, "\\Windows", &file), ST_ABSENT);
    assert_int_equal(assembly.bytes, volume.read_bytes);
    assert_true(assembly.bytes < 100 * KIB);
    for (size_t i = 0; i < assembly.count; i++)
        image_block_close(assembly.images[i]);
}

static void volumes_of_windows_are_read(void **state)
{
    (void)state;
    if (image_folder == NULL)
        SKIP_BECAUSE(LDM_IMAGES NO_SHARED_DATA);
    for (size_t i = 0; i < sizeof windows_volumes / sizeof windows_volumes[0]; i++)
        check_windows_volume(&windows_volumes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_told_from_the_first_block),
        cmocka_unit_test(empty_block_is_empty_and_a_short_one_unknown),
        cmocka_unit_test(bitlocker_to_go_is_not_taken_for_fat),
        cmocka_unit_test(fat_needs_a_sound_parameter_block),
        cmocka_unit_test(boot_sector_gives_geometry),
        cmocka_unit_test(cluster_size_may_be_a_power),
        cmocka_unit_test(record_sizes_are_clusters_or_a_power),
        cmocka_unit_test(contradicting_boot_sector_is_damaged),
        cmocka_unit_test(volume_is_described),
        cmocka_unit_test(dirty_flag_is_reported),
        cmocka_unit_test(each_boot_sector_stands_in_for_the_other),
        cmocka_unit_test(other_file_system_in_the_backup_is_reported),
        cmocka_unit_test(unreadable_boot_sector_is_not_a_damaged_one),
        cmocka_unit_test(volume_must_fit_its_place),
        cmocka_unit_test(sectors_smaller_than_the_disks_blocks_are_unsupported),
        cmocka_unit_test(backup_of_large_sectors_is_found_on_a_disk_of_small_blocks),
        cmocka_unit_test(every_geometry_is_read),
        cmocka_unit_test(mirror_stands_in_for_a_damaged_first_record),
        cmocka_unit_test(mirror_stands_in_for_an_unreadable_record),
        cmocka_unit_test(without_its_first_record_the_volume_is_damaged),
        cmocka_unit_test(facts_that_are_lost_do_not_hide_the_files),
        cmocka_unit_test(mft_that_contradicts_itself_is_damaged),
        cmocka_unit_test(record_header_is_checked),
        cmocka_unit_test(mft_in_pieces_is_followed),
        cmocka_unit_test(files_are_described),
        cmocka_unit_test(every_name_of_a_large_directory_is_found),
        cmocka_unit_test(lookups_give_their_memory_back),
        cmocka_unit_test(long_path_takes_no_more_memory),
        cmocka_unit_test(windows_is_recognised_with_few_reads),
        cmocka_unit_test(reparse_point_is_found_and_not_followed),
        cmocka_unit_test(malformed_path_names_nothing),
        cmocka_unit_test(name_that_is_there_is_damaged_when_its_record_is_not_its_own),
        cmocka_unit_test(zeroed_root_directory_is_damaged_not_empty),
        cmocka_unit_test(index_block_is_checked),
        cmocka_unit_test(index_root_is_checked),
        cmocka_unit_test(circle_in_an_index_ends),
        cmocka_unit_test(index_allocation_must_lie_in_the_volume),
        cmocka_unit_test(far_run_does_not_wrap_around),
        cmocka_unit_test(directory_without_its_index_is_damaged),
        cmocka_unit_test(names_of_ascii_do_not_need_the_table),
        cmocka_unit_test(the_volumes_own_table_decides),
        cmocka_unit_test(parts_of_the_table_are_not_confused),
        cmocka_unit_test(content_is_read_from_any_place),
        cmocka_unit_test(data_in_another_form_is_unsupported),
        cmocka_unit_test(directory_has_no_content),
        cmocka_unit_test(parts_of_a_file_must_belong_together),
        cmocka_unit_test(mapping_pairs_are_read),
        cmocka_unit_test(malformed_mapping_pairs_are_damaged),
        cmocka_unit_test(little_memory_is_reported),
        cmocka_unit_test(bad_block_never_makes_a_file_absent),
        cmocka_unit_test_setup_teardown(volumes_of_windows_are_read, unpack_images, remove_images),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
