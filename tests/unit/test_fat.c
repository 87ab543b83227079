/*
 * The FAT reader over volumes that tests/unit/fat_fixture.c lays down after the specification. What
 * other programs write is looked at in ovmf-harness/test_fat_check.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "format/fat/fat.h"
#include "format/fat/fat_mend.h"
#include "host/disk_path.h"
#include "host/host_alloc.h"
#include "host/mem_block.h"
#include "unit/bytes_fixture.h"
#include "unit/fat_fixture.h"

#define KIB       1024u
#define MIB       (1024u * 1024u)
#define FIRST_LBA 63u
#define ARENA     (64u * MIB)

/* A volume in memory, and what the reader says about it. */
struct bed {
    uint8_t *image;
    struct fat_fixture fat;
    uint32_t block_size;
    struct mem_block *disk;
    struct block_port port;
    void *memory;
    struct arena arena;
    enum status opened;
    struct fat_volume volume;
    struct fat_report report;
};

static void bed_make(struct bed *bed, uint64_t size, int type, uint32_t sector_size,
                     uint32_t sectors_per_cluster)
{
    memset(bed, 0, sizeof(*bed));
    bed->image = host_alloc(1, size);
    bed->block_size = 512;
    fat_fixture_format(&bed->fat, bed->image, size, type, sector_size, sectors_per_cluster);
}

/* Small volumes of each type; FAT32 with fewer clusters than it should have. */
static void bed_make_small(struct bed *bed, int type)
{
    static const uint32_t kib[] = {[12 / 4] = 256, [16 / 4] = 2560, [32 / 4] = 512};

    bed_make(bed, kib[type / 4] * KIB, type, 512, 1);
}

/* Puts the image on a disk behind other blocks, and nothing behind it. */
static void bed_insert(struct bed *bed)
{
    uint8_t path[DISK_PATH_SIZE];
    size_t path_size = disk_path_make(DISK_NVME, 0, path);
    uint64_t blocks = bed->fat.size / bed->block_size;
    uint8_t *junk = host_alloc(FIRST_LBA, bed->block_size);

    mem_block_free(bed->disk);
    bed->disk = mem_block_new(bed->block_size, FIRST_LBA + blocks, span_of(path, path_size), "");
    memset(junk, 0xcc, FIRST_LBA * (size_t)bed->block_size);
    mem_block_write(bed->disk, 0, junk, FIRST_LBA * (size_t)bed->block_size);
    for (uint64_t at = 0; at < bed->fat.size; at += 4096) {
        size_t size = bed->fat.size - at < 4096 ? (size_t)(bed->fat.size - at) : 4096;
        if (!span_is_zero(span_of(bed->image + at, size)))
            mem_block_write(bed->disk, FIRST_LBA * bed->block_size + at, bed->image + at, size);
    }
    bed->port = mem_block_port(bed->disk);
    free(junk);
}

static enum status bed_open(struct bed *bed)
{
    if (bed->disk == NULL)
        bed_insert(bed);
    host_return(bed->memory);
    bed->memory = host_borrow(ARENA);
    arena_init(&bed->arena, bed->memory, ARENA);
    bed->opened =
        fat_open(&bed->arena, &bed->port, FIRST_LBA, bed->fat.size / bed->block_size, &bed->volume);
    return bed->opened;
}

static void bed_check_limited(struct bed *bed, uint64_t limit)
{
    assert_int_equal(bed_open(bed), ST_OK);
    assert_int_equal(fat_check(&bed->arena, &bed->volume, limit, &bed->report), ST_OK);
}

static void bed_check(struct bed *bed)
{
    bed_check_limited(bed, UINT64_MAX);
    assert_true(bed->report.complete);
}

static void bed_free(struct bed *bed)
{
    mem_block_free(bed->disk);
    host_return(bed->memory);
    free(bed->image);
}

/* FAT32 of these tests has too few clusters; that apart nothing else was found but `problem`. */
static void expect_only(const struct bed *bed, enum fat_problem problem, uint32_t count)
{
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++) {
        uint32_t expected = i == problem ? count : 0;
        if (i == FAT_FORM_UNUSUAL && i != problem)
            expected = bed->volume.type == FAT_32 && bed->volume.cluster_count < 65525;
        if (i == FAT_SECTOR_SIZE && i != problem)
            expected = bed->volume.sector_size != bed->port.block_size;
        if (bed->report.problems[i] != expected)
            print_message("%s: %s\n", fat_problem_text(i), bed->report.first_place[i]);
        assert_int_equal(bed->report.problems[i], expected);
        assert_non_null(bed->report.first_place[i]);
    }
    assert_int_equal(fat_report_has_damage(&bed->report),
                     count > 0 && fat_problem_is_damage(problem));
}

static void expect_clean(const struct bed *bed)
{
    expect_only(bed, FAT_PROBLEM_COUNT, 0);
}

static const struct fat_file *file_at(const struct bed *bed, const char *path)
{
    size_t index = fat_find(&bed->report, path);

    if (index == FAT_NO_FILE)
        fail_msg("%s is not listed", path);
    return &bed->report.files[index];
}

/* Bytes that differ from place to place. */
static uint8_t *pattern(size_t size)
{
    uint8_t *data = host_alloc(1, size);

    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 7 + i / 251 + i / 65521);
    return data;
}

/* Reads a file in pieces of `piece` bytes; the last status, and all bytes in `ret_data`. */
static enum status read_file(struct bed *bed, const char *path, size_t piece, uint8_t *ret_data,
                             size_t *ret_size)
{
    struct fat_reader reader;
    uint8_t *buffer = host_alloc(1, piece);
    size_t total = 0;
    size_t got = 0;
    enum status status;

    fat_reader_start(&reader, &bed->volume, file_at(bed, path));
    while ((status = fat_reader_next(&reader, buffer, piece, &got)) == ST_OK && got > 0) {
        memcpy(ret_data + total, buffer, got);
        total += got;
        assert_int_equal(reader.left, file_at(bed, path)->size - total);
    }
    *ret_size = total;
    free(buffer);
    return status;
}

static const int types[] = {12, 16, 32};

/* --- The boot sector -------------------------------------------------------------------------- */
static void boot_sector_tells_the_volume(void **state)
{
    (void)state;
    static const enum fat_type expected[] = {FAT_12, FAT_16, FAT_32};
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make_small(&bed, types[i]);
        assert_int_equal(bed_open(&bed), ST_OK);
        assert_int_equal(bed.volume.type, expected[i]);
        assert_int_equal(bed.volume.sector_size, 512);
        assert_int_equal(bed.volume.cluster_size, 512);
        assert_int_equal(bed.volume.cluster_count, bed.fat.clusters);
        assert_int_equal(bed.volume.sectors, bed.fat.size / 512);
        assert_int_equal(bed.volume.fat_count, 2);
        assert_int_equal(bed.volume.fat_offset, bed.fat.fat_offset);
        assert_int_equal(bed.volume.fat_bytes, bed.fat.fat_bytes);
        assert_int_equal(bed.volume.data_offset, bed.fat.data_offset);
        assert_int_equal(bed.volume.serial, 0x1234abcd);
        assert_string_equal(bed.volume.label, "FIXTURE");
        assert_false(bed.volume.from_backup);
        assert_int_equal(bed.volume.read_bytes, 512);
        bed_free(&bed);
    }
}

static void type_follows_from_the_number_of_clusters(void **state)
{
    (void)state;
    static const struct {
        uint32_t data_sectors;
        uint32_t fat_sectors;
        enum fat_type type;
    } cases[] = {{4084, 16, FAT_12}, {4085, 16, FAT_16}, {65524, 256, FAT_16}};
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make(&bed, 48 * MIB, 32, 512, 1);
        uint32_t sectors = 1 + 2 * cases[i].fat_sectors + 32 + cases[i].data_sectors;
        fixture_store_le(bed.image + 14, 1, 2);
        fixture_store_le(bed.image + 17, 512, 2);
        fixture_store_le(bed.image + 22, cases[i].fat_sectors, 2);
        fixture_store_le(bed.image + 32, sectors, 4);
        assert_int_equal(bed_open(&bed), ST_OK);
        assert_int_equal(bed.volume.type, cases[i].type);
        assert_int_equal(bed.volume.cluster_count, cases[i].data_sectors);
        bed_free(&bed);
    }
}

/* One field of the boot sector with another value, and what is said then. */
static void boot_sector_that_contradicts_itself_is_damaged(void **state)
{
    (void)state;
    static const struct {
        int type;
        unsigned at;
        unsigned size;
        uint32_t value;
        enum status status;
    } cases[] = {
        {16, 11, 2, 500, ST_DAMAGED},  {16, 11, 2, 256, ST_DAMAGED},
        {16, 11, 2, 8192, ST_DAMAGED}, {16, 11, 2, 0, ST_DAMAGED},
        {16, 13, 1, 0, ST_DAMAGED},    {16, 13, 1, 3, ST_DAMAGED},
        {16, 14, 2, 0, ST_DAMAGED},    {16, 14, 2, 65535, ST_DAMAGED},
        {16, 16, 1, 0, ST_DAMAGED},    {16, 17, 2, 0, ST_DAMAGED},
        {16, 19, 2, 0, ST_DAMAGED},    {16, 19, 2, 30, ST_DAMAGED},
        {16, 19, 2, 5121, ST_OK},      {16, 21, 1, 0x20, ST_DAMAGED},
        {16, 21, 1, 0, ST_OK},         {16, 21, 1, 1, ST_OK},
        {16, 22, 2, 1, ST_DAMAGED},    {16, 22, 2, 65535, ST_DAMAGED},
        {16, 510, 2, 0, ST_OK},        {12, 22, 2, 0, ST_DAMAGED},
        {16, 19, 2, 5120, ST_OK},      {16, 21, 1, 0xf0, ST_OK},
        {16, 3, 4, 0, ST_OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        bed_make_small(&bed, cases[i].type);
        fixture_store_le(bed.image + cases[i].at, cases[i].value, cases[i].size);
        assert_int_equal(bed_open(&bed), cases[i].status);
        bed_free(&bed);
    }
}

/* FAT32 without a backup to fall back on. */
static void fat32_fields_are_checked(void **state)
{
    (void)state;
    static const struct {
        unsigned at;
        unsigned size;
        uint32_t value;
        enum status status;
    } cases[] = {
        {44, 4, 1, ST_DAMAGED},    {44, 4, 0x0fffffff, ST_DAMAGED}, {36, 4, 0, ST_DAMAGED},
        {36, 4, 1, ST_DAMAGED},    {36, 4, 0xffffffff, ST_DAMAGED}, {42, 2, 1, ST_UNSUPPORTED},
        {40, 2, 0x82, ST_DAMAGED}, {17, 2, 16, ST_DAMAGED},         {32, 4, 0xffffffff, ST_DAMAGED},
        {40, 2, 0x81, ST_OK},      {32, 4, 1, ST_DAMAGED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        bed_make_small(&bed, 32);
        memset(bed.image + 6 * 512, 0, 512);
        fixture_store_le(bed.image + cases[i].at, cases[i].value, cases[i].size);
        assert_int_equal(bed_open(&bed), cases[i].status);
        bed_free(&bed);
    }
}

static void what_is_not_fat_is_absent(void **state)
{
    (void)state;
    static const char *const makers[] = {"NTFS    ", "EXFAT   ", "-FVE-FS-", "ReFS\0\0\0\0"};
    struct bed bed;

    for (size_t i = 0; i < 4; i++) {
        bed_make_small(&bed, 32);
        memcpy(bed.image + 3, makers[i], 8);
        assert_int_equal(bed_open(&bed), ST_ABSENT);
        bed_free(&bed);
    }
    for (int fill = 0; fill < 256; fill += 85) {
        bed_make_small(&bed, 16);
        memset(bed.image, fill, bed.fat.size);
        assert_int_equal(bed_open(&bed), ST_ABSENT);
        bed_free(&bed);
    }
}

/* Opens it in a partition of this many blocks. */
static void check_in(struct bed *bed, uint64_t blocks)
{
    assert_int_equal(fat_open(&bed->arena, &bed->port, FIRST_LBA, blocks, &bed->volume), ST_OK);
    assert_int_equal(fat_check(&bed->arena, &bed->volume, UINT64_MAX, &bed->report), ST_OK);
    assert_true(bed->report.complete);
}

static void free_clusters_past_the_partition_are_no_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make_small(&bed, types[i]);
        fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", "x", 1);
        bed_open(&bed);
        uint64_t left_out = bed.fat.size / 512 - bed.fat.data_offset / 512 - bed.fat.clusters;
        check_in(&bed, bed.fat.size / 512 - left_out - 7);
        expect_only(&bed, FAT_PAST_PARTITION, 1);
        assert_false(fat_report_has_damage(&bed.report));
        assert_int_equal(bed.volume.cluster_count, bed.fat.clusters);
        assert_int_equal(bed.volume.clusters_present, bed.fat.clusters - 7);
        assert_int_equal(bed.report.used_clusters + bed.report.free_clusters, bed.fat.clusters - 7);
        bed_free(&bed);
    }
}

/* A file of ten clusters, of which the partition has six. */
static void file_past_the_partition_is_damaged(void **state)
{
    (void)state;
    uint8_t data[10 * 512] = {1};
    uint8_t got[10 * 512];

    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        size_t size = 0;
        bed_make_small(&bed, types[i]);
        fat_fixture_add_file(&bed.fat, 0, "GOOD.BIN", data, sizeof(data));
        uint32_t first = fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", data, sizeof(data));
        bed_open(&bed);
        check_in(&bed, bed.fat.data_offset / 512 + (first + 6 - 2));
        assert_int_equal(bed.report.problems[FAT_PAST_PARTITION], 1);
        assert_int_equal(bed.report.problems[FAT_CHAIN_OUT_OF_RANGE], 1 + 4);
        assert_string_equal(bed.report.first_place[FAT_CHAIN_OUT_OF_RANGE], "\\FILE.BIN");
        assert_int_equal(bed.report.problems[FAT_CHAIN_LOST], 0);
        assert_true(fat_report_has_damage(&bed.report));
        assert_int_equal(file_at(&bed, "\\FILE.BIN")->status, ST_DAMAGED);
        assert_int_equal(file_at(&bed, "\\GOOD.BIN")->status, ST_OK);
        assert_int_equal(read_file(&bed, "\\FILE.BIN", 512, got, &size), ST_DAMAGED);
        assert_int_equal(size, 6 * 512);
        assert_int_equal(read_file(&bed, "\\FILE.BIN", sizeof(got), got, &size), ST_DAMAGED);
        assert_int_equal(size, 6 * 512);
        bed_free(&bed);
    }
}

static void partition_without_a_whole_cluster_is_damaged(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 16);
    bed_insert(&bed);
    bed_open(&bed);
    uint64_t blocks = bed.fat.data_offset / 512;
    assert_int_equal(fat_open(&bed.arena, &bed.port, FIRST_LBA, blocks + 1, &bed.volume), ST_OK);
    assert_int_equal(fat_open(&bed.arena, &bed.port, FIRST_LBA, blocks, &bed.volume), ST_DAMAGED);
    /* A partition that reaches beyond the disk has no more than the disk has. */
    assert_int_equal(fat_open(&bed.arena, &bed.port, FIRST_LBA, UINT64_MAX, &bed.volume), ST_OK);
    assert_int_equal(fat_open(&bed.arena, &bed.port, FIRST_LBA, 0, &bed.volume), ST_IO);
    assert_int_equal(fat_open(&bed.arena, &bed.port, UINT64_MAX, 9, &bed.volume), ST_IO);
    bed_free(&bed);
}

static void missing_signature_is_no_reason_to_refuse(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make_small(&bed, types[i]);
        fat_fixture_add_file(&bed.fat, 0, "FILE.TXT", "content", 7);
        memset(bed.image + 510, 0, 2);
        bed_check(&bed);
        assert_false(bed.volume.from_backup);
        expect_only(&bed, FAT_SIGNATURE_MISSING, 1);
        assert_int_equal(file_at(&bed, "\\FILE.TXT")->size, 7);
        bed_free(&bed);
    }
}

/* A backup that is to stand in must be good in all. */
static void backup_without_signature_does_not_stand_in(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 32);
    bed.image[13] = 0;
    bed.image[6 * 512 + 511] = 0;
    assert_int_equal(bed_open(&bed), ST_DAMAGED);
    bed_free(&bed);
}

static void backup_boot_sector_stands_in(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct bed bed;
        bed_make_small(&bed, 32);
        fat_fixture_add_file(&bed.fat, 0, "FILE.TXT", "content", 7);
        if (kind == 0)
            memset(bed.image, 0, 512);
        if (kind == 1)
            memset(bed.image, 0x5a, 512);
        if (kind == 2)
            bed.image[13] = 0;
        bed_insert(&bed);
        if (kind == 3)
            mem_block_spoil(bed.disk, FIRST_LBA, 1);
        bed_check(&bed);
        assert_true(bed.volume.from_backup);
        expect_only(&bed, FAT_BOOT_SECTOR_FROM_BACKUP, 1);
        assert_int_equal(file_at(&bed, "\\FILE.TXT")->size, 7);
        bed_free(&bed);
    }
}

static void apply_edit(struct bed *bed, const struct disk_edit *edit)
{
    for (size_t i = 0; i < edit->write_count; i++)
        mem_block_write(bed->disk, edit->writes[i].lba * bed->block_size, edit->writes[i].data.at,
                        edit->writes[i].data.size);
}

/* FAT32 with as many clusters as it must have. */
static void bed_make_large(struct bed *bed)
{
    bed_make(bed, 34 * MIB, 32, 512, 1);
    fat_fixture_add_file(&bed->fat, 0, "FILE.TXT", "content", 7);
}

/* One block is written, and the file system is what it was. */
static void dead_boot_sector_is_mended_by_one_block(void **state)
{
    (void)state;
    struct bed bed;
    struct disk_edit edit;
    uint8_t sector[512];

    bed_make_large(&bed);
    memcpy(sector, bed.image, 512);
    memset(bed.image, 0x5a, 512);
    bed_check(&bed);
    assert_true(fat_mend_is_possible(&bed.volume, &bed.report));
    assert_int_equal(fat_mend(&bed.arena, &bed.volume, &edit), ST_OK);
    assert_int_equal(edit.phase_count, 1);
    assert_int_equal(edit.write_count, 1);
    assert_int_equal(edit.file_count, 0);
    assert_int_equal(edit.writes[0].lba, FIRST_LBA);
    assert_false(edit.writes[0].free_space);
    assert_int_equal(edit.writes[0].data.size, 512);
    assert_memory_equal(edit.writes[0].data.at, sector, 512);
    apply_edit(&bed, &edit);
    bed_check(&bed);
    assert_false(bed.volume.from_backup);
    expect_only(&bed, FAT_BOOT_SECTOR_FROM_BACKUP, 0);
    assert_false(fat_mend_is_possible(&bed.volume, &bed.report));
    assert_int_equal(fat_mend(&bed.arena, &bed.volume, &edit), ST_REFUSED);
    bed_free(&bed);
}

/* It may be that of a file system that was here before. */
static void backup_that_nothing_agrees_with_is_not_written_back(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct bed bed;
        bed_make_large(&bed);
        memset(bed.image, 0, 512);
        if (kind == 0)
            memset(bed.image + bed.fat.fat_offset, 0, 4096); /* the first FAT alone */
        if (kind == 1)
            fat_fixture_set_link(&bed.fat, 0, 0x0ffffff0);
        if (kind == 2)
            memset(fat_fixture_cluster(&bed.fat, 2), 0, 512); /* no files */
        if (kind == 3)
            fat_fixture_set_link(&bed.fat, 3, 3);
        bed_check(&bed);
        assert_true(bed.volume.from_backup);
        assert_false(fat_mend_is_possible(&bed.volume, &bed.report));
        bed_free(&bed);
    }
}

/* The disk is not what it was when it was looked at. */
static void backup_that_has_changed_is_not_written_back(void **state)
{
    (void)state;
    struct bed bed;
    struct disk_edit edit;

    bed_make_large(&bed);
    memset(bed.image, 0, 512);
    bed_check(&bed);
    bed.image[6 * 512 + 67] ^= 1; /* the serial number */
    mem_block_write(bed.disk, (FIRST_LBA + 6) * 512, bed.image + 6 * 512, 512);
    assert_int_equal(fat_mend(&bed.arena, &bed.volume, &edit), ST_CHANGED);
    mem_block_spoil(bed.disk, FIRST_LBA + 6, 1);
    assert_int_equal(fat_mend(&bed.arena, &bed.volume, &edit), ST_IO);
    bed_free(&bed);
}

/* As a copy of a disk with smaller blocks has them: all is read, and it is told. */
static void sectors_shorter_than_blocks_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct bed bed;
        uint8_t content[5000];
        uint8_t read[8192];
        size_t size = 0;
        for (size_t k = 0; k < sizeof(content); k++)
            content[k] = (uint8_t)(k * 7 + k / 256);
        bed_make_small(&bed, types[i]);
        bed.block_size = 4096;
        uint32_t folder = fat_fixture_add_directory(&bed.fat, 0, "FOLDER");
        fat_fixture_add_file(&bed.fat, 0, "SMALL.TXT", "content", 7);
        fat_fixture_add_file(&bed.fat, folder, "LARGE.BIN", content, sizeof(content));
        bed_check(&bed);
        assert_true(bed.volume.is_narrow);
        assert_int_equal(bed.volume.sector_size, 512);
        expect_only(&bed, FAT_SECTOR_SIZE, 1);
        assert_int_equal(read_file(&bed, "\\FOLDER\\LARGE.BIN", 4096, read, &size), ST_OK);
        assert_int_equal(size, sizeof(content));
        assert_memory_equal(read, content, sizeof(content));
        assert_int_equal(bed.volume.port->write(bed.volume.port->ctx, 0, 1, content), ST_READ_ONLY);
        bed_free(&bed);
    }
}

static void root_directory_that_does_not_grow_is_counted(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 16);
    fat_fixture_add_file(&bed.fat, 0, "ONE.TXT", "content", 7);
    fat_fixture_add_file(&bed.fat, 0, "A long name", "content", 7); /* two entries */
    fat_fixture_add_file(&bed.fat, 0, "GONE.TXT", "", 0);
    uint32_t folder = fat_fixture_add_directory(&bed.fat, 0, "FOLDER");
    fat_fixture_add_file(&bed.fat, folder, "TWO.TXT", "content", 7);
    bed_check(&bed);
    uint32_t free = bed.report.root_free;
    assert_int_equal(bed.report.root_entries, 512);
    assert_in_range(free, 512 - 6, 512 - 5); /* a label may be there */
    fat_fixture_entry(&bed.fat, 0, "GONE.TXT")[0] = 0xe5;
    bed_insert(&bed);
    bed_check(&bed);
    assert_int_equal(bed.report.root_free, free + 1);
    bed_free(&bed);
    bed_make_small(&bed, 32);
    bed_check(&bed);
    assert_int_equal(bed.report.root_entries, 0);
    bed_free(&bed);
}

static void backup_is_found_where_the_field_says(void **state)
{
    (void)state;
    struct bed bed;

    bed_make(&bed, 4 * MIB, 32, 4096, 1);
    uint8_t *backup = bed.image + 11 * 4096;
    memcpy(backup, bed.image, 512);
    memset(bed.image + 6 * 4096, 0, 512);
    fixture_store_le(backup + 50, 11, 2);
    fixture_store_le(bed.image + 50, 11, 2);
    bed.image[13] = 0;
    bed_check(&bed);
    expect_only(&bed, FAT_BOOT_SECTOR_FROM_BACKUP, 1);
    /* One that does not say itself that it is there is not believed. */
    fixture_store_le(bed.image + 11 * 4096 + 50, 6, 2);
    bed_insert(&bed);
    assert_int_equal(bed_open(&bed), ST_DAMAGED);
    bed_free(&bed);
}

static void backup_of_another_volume_is_noted(void **state)
{
    (void)state;
    static const struct {
        unsigned at;
        uint32_t count;
    } cases[] = {{67, 1}, {13, 1}, {510, 1}, {3, 0}, {100, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        bed_make_small(&bed, 32);
        bed.image[6 * 512 + cases[i].at] ^= 2;
        bed_check(&bed);
        expect_only(&bed, FAT_BACKUP_DIFFERS, cases[i].count);
        bed_free(&bed);
    }
}

static void unreadable_boot_sector_is_an_io_error(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 16);
    bed_insert(&bed);
    mem_block_spoil(bed.disk, FIRST_LBA, 1);
    assert_int_equal(bed_open(&bed), ST_IO);
    mem_block_set_gone(bed.disk, true);
    assert_int_equal(bed_open(&bed), ST_IO);
    bed_free(&bed);
}

/* Its files can be read from here, but not by every firmware. */
static void sector_smaller_than_a_block_is_read_and_noted(void **state)
{
    (void)state;
    struct bed bed;

    bed_make(&bed, 8 * MIB, 12, 2048, 1);
    bed.block_size = 4096;
    assert_int_equal(bed_open(&bed), ST_OK);
    assert_true(bed.volume.is_narrow);
    bed_free(&bed);
}

static void label_is_made_harmless(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 16);
    memcpy(bed.image + 43, "A\x1b[ \xe4  B   ", 11);
    assert_int_equal(bed_open(&bed), ST_OK);
    assert_string_equal(bed.volume.label, "A?[ ?  B");
    bed.image[38] = 0;
    bed_insert(&bed);
    assert_int_equal(bed_open(&bed), ST_OK);
    assert_string_equal(bed.volume.label, "");
    assert_int_equal(bed.volume.serial, 0);
    bed_free(&bed);
}

/* --- Healthy volumes -------------------------------------------------------------------------- */
static void files_are_listed_and_read(void **state)
{
    (void)state;
    static const struct {
        uint32_t kib;
        int type;
        uint32_t sector_size;
        uint32_t sectors_per_cluster;
        uint32_t block_size;
    } cases[] = {
        {2048, 12, 512, 2, 512},  {8192, 12, 4096, 1, 4096},  {8192, 12, 4096, 1, 512},
        {10240, 16, 512, 4, 512}, {20480, 16, 4096, 1, 4096}, {4096, 32, 512, 1, 512},
        {40960, 32, 512, 1, 512}, {8192, 32, 4096, 1, 2048},  {8192, 32, 1024, 8, 512},
    };
    uint8_t *data = pattern(300001);
    uint8_t *got = host_alloc(1, 300001);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        size_t size = 0;
        bed_make(&bed, cases[i].kib * KIB, cases[i].type, cases[i].sector_size,
                 cases[i].sectors_per_cluster);
        bed.block_size = cases[i].block_size;
        uint32_t efi = fat_fixture_add_directory(&bed.fat, 0, "EFI");
        uint32_t microsoft = fat_fixture_add_directory(&bed.fat, efi, "Microsoft");
        uint32_t boot = fat_fixture_add_directory(&bed.fat, microsoft, "Boot");
        fat_fixture_add_file(&bed.fat, boot, "bootmgfw.efi", data, 300001);
        fat_fixture_add_file(&bed.fat, boot, "BCD", data, 4096);
        fat_fixture_add_file(&bed.fat, boot, "BCD.LOG", NULL, 0);
        fat_fixture_add_file(&bed.fat, 0, "A long name of a file.txt", "x", 1);
        bed_check(&bed);
        expect_clean(&bed);
        assert_int_equal(bed.report.file_count, 7);
        assert_int_equal(bed.report.used_clusters, bed.fat.next_cluster - 2);
        assert_int_equal(bed.report.free_clusters, bed.fat.clusters - bed.report.used_clusters);
        assert_int_equal(fat_used_bytes(&bed.volume, &bed.report),
                         bed.fat.data_offset +
                             (uint64_t)bed.report.used_clusters * bed.fat.cluster_size);
        assert_true(file_at(&bed, "\\EFI\\Microsoft\\Boot")->is_directory);
        assert_int_equal(file_at(&bed, "\\EFI\\Microsoft\\Boot\\BCD")->attributes, 0x20);
        assert_int_equal(fat_find(&bed.report, "\\EFI\\Microsoft\\Boo"), FAT_NO_FILE);
        size_t piece = 4 * (size_t)bed.fat.cluster_size;
        assert_int_equal(read_file(&bed, "\\efi\\microsoft\\BOOT\\BOOTMGFW.EFI", piece, got, &size),
                         ST_OK);
        assert_int_equal(size, 300001);
        assert_memory_equal(got, data, size);
        assert_int_equal(read_file(&bed, "\\EFI\\Microsoft\\Boot\\BCD.LOG", piece, got, &size),
                         ST_OK);
        assert_int_equal(size, 0);
        assert_int_equal(read_file(&bed, "\\A long name of a file.txt", piece, got, &size), ST_OK);
        assert_int_equal(size, 1);
        bed_free(&bed);
    }
    free(data);
    free(got);
}

static void time_written_is_known(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 16);
    fat_fixture_add_file(&bed.fat, 0, "FILE.TXT", "x", 1);
    fixture_store_le(fat_fixture_add(&bed.fat, 0, "NODATE", 0x20, 0, 0) + 24, 0, 2);
    fixture_store_le(fat_fixture_add(&bed.fat, 0, "LATE", 0x20, 0, 0) + 22, 0xbf7d | 31u, 2);
    bed_check(&bed);
    struct date_time at = file_at(&bed, "\\FILE.TXT")->written;
    assert_int_equal(at.year, 2021);
    assert_int_equal(at.month, 6);
    assert_int_equal(at.day, 15);
    assert_int_equal(at.hour, 12);
    assert_int_equal(at.minute, 34);
    assert_int_equal(at.second, 56);
    assert_int_equal(file_at(&bed, "\\NODATE")->written.year, 0);
    assert_int_equal(file_at(&bed, "\\LATE")->written.year, 0);
    bed_free(&bed);
}

static void fragmented_file_is_read_in_its_order(void **state)
{
    (void)state;
    uint8_t *data = pattern(20 * 512 - 100);
    uint8_t *got = host_alloc(1, 20 * 512);
    size_t size = 0;

    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make_small(&bed, types[i]);
        uint32_t first = fat_fixture_take(&bed.fat, 20);
        /* First, then backwards: 0, 19, 18, ..., 1. */
        for (uint32_t c = 0; c < 20; c++) {
            uint32_t cluster = c == 0 ? first : first + 20 - c;
            uint32_t next = c == 0 ? first + 19 : first + 19 - c;
            memcpy(fat_fixture_cluster(&bed.fat, cluster), data + (size_t)c * 512,
                   c < 19 ? 512 : 412);
            fat_fixture_set_link(&bed.fat, cluster, c < 19 ? next : fat_fixture_end(&bed.fat));
        }
        fat_fixture_add(&bed.fat, 0, "BACK.BIN", 0x20, first, 20 * 512 - 100);
        bed_check(&bed);
        expect_clean(&bed);
        for (size_t piece = 512; piece <= 8192; piece *= 4) {
            assert_int_equal(read_file(&bed, "\\BACK.BIN", piece, got, &size), ST_OK);
            assert_int_equal(size, 20 * 512 - 100);
            assert_memory_equal(got, data, size);
        }
        bed_free(&bed);
    }
    free(data);
    free(got);
}

/* A port that counts the calls. */
struct counting {
    struct block_port below;
    size_t calls;
    uint32_t largest;
};

static enum status counting_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct counting *counting = ctx;

    counting->calls++;
    if (count > counting->largest)
        counting->largest = count;
    return counting->below.read(counting->below.ctx, lba, count, ret_data);
}

static void clusters_that_lie_together_are_read_at_once(void **state)
{
    (void)state;
    struct bed bed;
    struct counting counting = {0};
    size_t size = 0;
    uint8_t *got = host_alloc(1, MIB);

    bed_make(&bed, 4 * MIB, 16, 512, 1);
    uint8_t *data = pattern(MIB);
    fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", data, MIB);
    bed_insert(&bed);
    counting.below = bed.port;
    bed.port.ctx = &counting;
    bed.port.read = counting_read;
    bed_check(&bed);
    /* Boot sector, FAT (14 KiB), root directory, the other FAT. */
    assert_int_equal(counting.calls, 4);
    counting.calls = 0;
    assert_int_equal(read_file(&bed, "\\FILE.BIN", 256 * KIB, got, &size), ST_OK);
    assert_int_equal(counting.calls, 4);
    assert_int_equal(counting.largest, 512);
    assert_memory_equal(got, data, MIB);
    bed_free(&bed);
    free(data);
    free(got);
}

/* --- Names ------------------------------------------------------------------------------------ */
static void short_names_are_shown_as_stored(void **state)
{
    (void)state;
    static const struct {
        char stored[12];
        uint8_t flags;
        const char *path;
    } cases[] = {
        {"A          ", 0, "\\A"},
        {"NAME    EXT", 0, "\\NAME.EXT"},
        {"BCD     LOG", 0x08, "\\bcd.LOG"},
        {"NAME2   EXT", 0x10, "\\NAME2.ext"},
        {"BOTH    EXT", 0x18, "\\both.ext"},
        {"\x05"
         "ABC    TXT",
         0, "\\%e5ABC.TXT"},
        {"\x80\xffX     T\xe1 ", 0x18, "\\%80%ffx.t%e1"},
        {"A B     C  ", 0, "\\A B.C"},
        {"#$%&'()-@^_", 0, "\\#$%&'()-.@^_"},
    };
    struct bed bed;

    bed_make_small(&bed, 16);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t entry[32] = {0};
        memcpy(entry, cases[i].stored, 11);
        entry[12] = cases[i].flags;
        fat_fixture_put_entry(&bed.fat, 0, entry);
    }
    bed_check(&bed);
    expect_clean(&bed);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(bed.report.files[i].path, cases[i].path);
    bed_free(&bed);
}

static void impossible_short_names_are_damage_and_harmless_to_show(void **state)
{
    (void)state;
    static const struct {
        char stored[12];
        const char *path;
    } cases[] = {
        {"A\\B        ", "\\A%5cB"}, {"\x1b[2J       ", "\\%1b[2J"}, {"A/B     /  ", "\\A%2fB.%2f"},
        {" BLANK     ", "\\ BLANK"}, {"A*      ?  ", "\\A%2a.%3f"},  {"DEL\x7f       ", "\\DEL%7f"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        uint8_t entry[32] = {0};
        bed_make_small(&bed, 12);
        memcpy(entry, cases[i].stored, 11);
        fat_fixture_put_entry(&bed.fat, 0, entry);
        bed_check(&bed);
        expect_only(&bed, FAT_DIRECTORY_BROKEN, 1);
        assert_string_equal(bed.report.files[0].path, cases[i].path);
        assert_string_equal(bed.report.first_place[FAT_DIRECTORY_BROKEN], cases[i].path);
        bed_free(&bed);
    }
}

/* A file under a long name of any units, with the short name SHORT. */
static void add_units(struct bed *bed, const uint16_t *units, size_t count)
{
    uint8_t pieces[20 * 32];
    uint8_t entry[32] = "SHORT      ";
    size_t used = fat_fixture_long_pieces(units, count, entry, pieces);

    for (size_t i = 0; i < used; i++)
        fat_fixture_put_entry(&bed->fat, 0, pieces + 32 * i);
    entry[11] = 0x20;
    fat_fixture_put_entry(&bed->fat, 0, entry);
}

static void long_names_become_utf8(void **state)
{
    (void)state;
    static const struct {
        uint16_t units[14];
        size_t count;
        const char *path;
    } cases[] = {
        {{'a', 0xe4, 0x20ac}, 3, "\\a\u00e4\u20ac"},
        {{0xd83d, 0xde00}, 2, "\\\xf0\x9f\x98\x80"},
        {{'1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '1', '2', '3'}, 13, "\\1234567890123"},
        {{'1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '1', '2', '3', '4'},
         14,
         "\\12345678901234"},
        {{'x', 0x202e, 'y'}, 3, "\\x\\u202ey"},
        {{'.', 'a'}, 2, "\\.a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        bed_make_small(&bed, 12);
        add_units(&bed, cases[i].units, cases[i].count);
        bed_check(&bed);
        expect_clean(&bed);
        assert_string_equal(bed.report.files[0].path, cases[i].path);
        bed_free(&bed);
    }
}

static void long_name_that_leads_elsewhere_is_not_used(void **state)
{
    (void)state;
    static const struct {
        uint16_t units[4];
        size_t count;
    } cases[] = {{{'E', '\\', 'B'}, 3}, {{'.', '.'}, 2}, {{'.'}, 1},     {{'a', '/'}, 2},
                 {{'a', 0x1b}, 2},      {{0, 'a'}, 2},   {{'a', ':'}, 2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        bed_make_small(&bed, 12);
        add_units(&bed, cases[i].units, cases[i].count);
        bed_check(&bed);
        expect_only(&bed, FAT_NAME_BROKEN, 1);
        assert_string_equal(bed.report.files[0].path, "\\SHORT");
        bed_free(&bed);
    }
}

static void longest_name_is_listed(void **state)
{
    (void)state;
    char name[256];
    struct bed bed;

    memset(name, 'n', 255);
    name[255] = '\0';
    bed_make_small(&bed, 32);
    fat_fixture_add_file(&bed.fat, 0, name, "x", 1);
    bed_check(&bed);
    expect_clean(&bed);
    assert_int_equal(strlen(bed.report.files[0].path), 256);
    bed_free(&bed);
}

static void orphaned_pieces_of_long_names_are_noted(void **state)
{
    (void)state;
    struct bed bed;

    /* The name takes three pieces, numbers 3, 2, 1 before its entry. */
    for (int kind = 0; kind < 7; kind++) {
        bed_make_small(&bed, 16);
        fat_fixture_add_file(&bed.fat, 0, "A name that takes three pieces.txt", "x", 1);
        fat_fixture_add_file(&bed.fat, 0, "AFTER.TXT", "y", 1);
        uint8_t *entry = fat_fixture_entry(&bed.fat, 0, "A name that takes three pieces.txt");
        assert_non_null(entry);
        if (kind == 0)
            entry[0] = 0xe5; /* it alone is deleted */
        if (kind == 1)
            entry[-32 + 13] ^= 1;
        if (kind == 2)
            entry[-64] = 0xe5;
        if (kind == 3)
            entry[-96] = 3; /* no longer the last piece */
        if (kind == 4)
            entry[-96] = 0x55; /* number 21 */
        if (kind == 5)
            entry[3] ^= 1; /* no longer the short name it belongs to */
        if (kind == 6)
            entry[-32] = 2;
        if (kind == 0)
            fat_fixture_set_link(&bed.fat, 2, 0);
        bed_check(&bed);
        assert_in_range(bed.report.problems[FAT_NAME_BROKEN], 1, 3);
        assert_false(fat_report_has_damage(&bed.report));
        assert_int_equal(bed.report.file_count, kind == 0 ? 1 : 2);
        if (kind != 0)
            assert_int_equal(strncmp(bed.report.files[0].path, "\\L", 2), 0);
        bed_free(&bed);
    }
}

static void pieces_at_the_end_of_a_directory_are_orphans(void **state)
{
    (void)state;
    uint8_t piece[20 * 32];
    uint16_t unit = 'x';
    struct bed bed;

    bed_make_small(&bed, 12);
    fat_fixture_long_pieces(&unit, 1, (const uint8_t *)"SHORT      ", piece);
    fat_fixture_put_entry(&bed.fat, 0, piece);
    bed_check(&bed);
    expect_only(&bed, FAT_NAME_BROKEN, 1);
    bed_free(&bed);
}

static void names_used_twice_are_noted(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 16);
    fat_fixture_add(&bed.fat, 0, "SAME.TXT", 0x20, 0, 0);
    fat_fixture_add(&bed.fat, 0, "other.txt", 0x20, 0, 0);
    fat_fixture_add(&bed.fat, 0, "SAME.TXT", 0x20, 0, 0);
    fat_fixture_add(&bed.fat, 0, "Other.TXT", 0x20, 0, 0);
    uint32_t folder = fat_fixture_add_directory(&bed.fat, 0, "FOLDER");
    fat_fixture_add(&bed.fat, folder, "SAME.TXT", 0x20, 0, 0);
    bed_check(&bed);
    expect_only(&bed, FAT_NAME_REPEATED, 2);
    assert_string_equal(bed.report.first_place[FAT_NAME_REPEATED], "\\SAME.TXT");
    bed_free(&bed);
}

/* --- Chains ----------------------------------------------------------------------------------- */
enum chain_damage {
    CHAIN_PAST_END,
    CHAIN_TO_ONE,
    CHAIN_TO_FREE,
    CHAIN_TO_BAD,
    CHAIN_BACK,
    CHAIN_TO_SELF,
    CHAIN_SHORTER,
    CHAIN_LONGER,
    CHAIN_OF_NONE,
    CHAIN_OF_EMPTY,
    CHAIN_START_PAST_END,
    CHAIN_DAMAGES
};

static void damage_chain(struct bed *bed, enum chain_damage kind, uint32_t first, uint8_t *entry)
{
    uint32_t middle = first + 4;

    switch (kind) {
    case CHAIN_PAST_END:
        fat_fixture_set_link(&bed->fat, middle, bed->fat.clusters + 2);
        break;
    case CHAIN_TO_ONE:
        fat_fixture_set_link(&bed->fat, middle, 1);
        break;
    case CHAIN_TO_FREE:
        fat_fixture_set_link(&bed->fat, middle, 0);
        break;
    case CHAIN_TO_BAD:
        fat_fixture_set_link(&bed->fat, middle, fat_fixture_bad(&bed->fat));
        break;
    case CHAIN_BACK:
        fat_fixture_set_link(&bed->fat, first + 9, first + 2);
        break;
    case CHAIN_TO_SELF:
        fat_fixture_set_link(&bed->fat, first, first);
        break;
    case CHAIN_SHORTER:
        fixture_store_le(entry + 28, 10 * 512 + 1, 4);
        break;
    case CHAIN_LONGER:
        fixture_store_le(entry + 28, 9 * 512, 4);
        break;
    case CHAIN_OF_NONE:
        fixture_store_le(entry + 26, 0, 2);
        break;
    case CHAIN_OF_EMPTY:
        fixture_store_le(entry + 28, 0, 4);
        break;
    case CHAIN_START_PAST_END:
        fixture_store_le(entry + 26, bed->fat.clusters + 2, 2);
        break;
    default:
        fail();
    }
}

static void damaged_chains_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        enum fat_problem problem;
        enum status file;
        enum status read;
        bool loses;
    } expected[CHAIN_DAMAGES] = {
        [CHAIN_PAST_END] = {FAT_CHAIN_OUT_OF_RANGE, ST_DAMAGED, ST_DAMAGED, true},
        [CHAIN_TO_ONE] = {FAT_CHAIN_OUT_OF_RANGE, ST_DAMAGED, ST_DAMAGED, true},
        [CHAIN_TO_FREE] = {FAT_CHAIN_OUT_OF_RANGE, ST_DAMAGED, ST_DAMAGED, true},
        [CHAIN_TO_BAD] = {FAT_CHAIN_OUT_OF_RANGE, ST_DAMAGED, ST_DAMAGED, true},
        [CHAIN_BACK] = {FAT_CHAIN_LOOPS, ST_DAMAGED, ST_OK, false},
        [CHAIN_TO_SELF] = {FAT_CHAIN_LOOPS, ST_DAMAGED, ST_OK, true},
        [CHAIN_SHORTER] = {FAT_CHAIN_SHORT, ST_DAMAGED, ST_DAMAGED, false},
        [CHAIN_LONGER] = {FAT_CHAIN_LONG, ST_OK, ST_OK, false},
        [CHAIN_OF_NONE] = {FAT_CHAIN_SHORT, ST_DAMAGED, ST_DAMAGED, true},
        [CHAIN_OF_EMPTY] = {FAT_CHAIN_LONG, ST_OK, ST_OK, false},
        [CHAIN_START_PAST_END] = {FAT_CHAIN_OUT_OF_RANGE, ST_DAMAGED, ST_DAMAGED, true},
    };
    uint8_t *data = pattern(10 * 512);
    uint8_t *got = host_alloc(1, 11 * 512);

    for (enum chain_damage kind = 0; kind < CHAIN_DAMAGES; kind++) {
        for (size_t i = 0; i < 3; i++) {
            struct bed bed;
            size_t size = 0;
            bed_make_small(&bed, types[i]);
            uint32_t first = fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", data, 10 * 512);
            fat_fixture_add_file(&bed.fat, 0, "GOOD.BIN", data, 10 * 512);
            damage_chain(&bed, kind, first, fat_fixture_entry(&bed.fat, 0, "FILE.BIN"));
            bed_check(&bed);
            assert_int_equal(bed.report.problems[expected[kind].problem], 1);
            assert_string_equal(bed.report.first_place[expected[kind].problem], "\\FILE.BIN");
            assert_int_equal(bed.report.problems[FAT_CHAIN_LOST] > 0, expected[kind].loses);
            assert_true(fat_report_has_damage(&bed.report));
            assert_int_equal(file_at(&bed, "\\FILE.BIN")->status, expected[kind].file);
            assert_int_equal(file_at(&bed, "\\GOOD.BIN")->status, ST_OK);
            assert_int_equal(read_file(&bed, "\\FILE.BIN", 512, got, &size), expected[kind].read);
            assert_int_equal(read_file(&bed, "\\GOOD.BIN", 512, got, &size), ST_OK);
            assert_memory_equal(got, data, 10 * 512);
            bed_free(&bed);
        }
    }
    free(data);
    free(got);
}

static void both_files_of_a_shared_cluster_are_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        uint8_t data[10 * 512] = {1};
        bed_make_small(&bed, types[i]);
        uint32_t first = fat_fixture_add_file(&bed.fat, 0, "A.BIN", data, sizeof(data));
        uint32_t second = fat_fixture_add_file(&bed.fat, 0, "B.BIN", data, sizeof(data));
        fat_fixture_add_file(&bed.fat, 0, "C.BIN", data, sizeof(data));
        fat_fixture_set_link(&bed.fat, second + 3, first + 4);
        bed_check(&bed);
        assert_int_equal(bed.report.problems[FAT_CHAIN_CROSSED], 1);
        assert_int_equal(bed.report.problems[FAT_CHAIN_LOST], 6);
        assert_string_equal(bed.report.first_place[FAT_CHAIN_CROSSED], "\\B.BIN");
        assert_int_equal(file_at(&bed, "\\A.BIN")->status, ST_DAMAGED);
        assert_int_equal(file_at(&bed, "\\B.BIN")->status, ST_DAMAGED);
        assert_int_equal(file_at(&bed, "\\C.BIN")->status, ST_OK);
        bed_free(&bed);
    }
}

static void lost_clusters_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make_small(&bed, types[i]);
        fat_fixture_take(&bed.fat, 5);
        /* A bad cluster is neither in use nor lost. */
        fat_fixture_set_link(&bed.fat, bed.fat.clusters + 1, fat_fixture_bad(&bed.fat));
        bed_check(&bed);
        expect_only(&bed, FAT_CHAIN_LOST, 5);
        assert_string_equal(bed.report.first_place[FAT_CHAIN_LOST], "");
        assert_int_equal(bed.report.used_clusters, bed.fat.next_cluster - 2);
        assert_int_equal(bed.report.free_clusters, bed.fat.clusters - bed.report.used_clusters - 1);
        bed_free(&bed);
    }
}

/* At both ends of a sector of the FAT and inside: sectors of free clusters are counted at once. */
static void a_lost_cluster_among_free_ones_is_seen(void **state)
{
    static const uint32_t places[] = {255, 256, 300, 383, 384, 510, 511, 512, 640};

    (void)state;
    for (size_t i = 0; i < 3 * sizeof(places) / sizeof(places[0]); i++) {
        struct bed bed;
        bed_make_small(&bed, types[i % 3]);
        if (places[i / 3] < bed.fat.clusters + 2) {
            fat_fixture_set_link(&bed.fat, places[i / 3], fat_fixture_end(&bed.fat));
            bed_check(&bed);
            expect_only(&bed, FAT_CHAIN_LOST, 1);
            assert_int_equal(bed.report.free_clusters, bed.fat.clusters - bed.report.used_clusters);
        }
        bed_free(&bed);
    }
}

static void last_cluster_can_be_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make_small(&bed, types[i]);
        uint32_t last = bed.fat.clusters + 1;
        fat_fixture_set_link(&bed.fat, last, fat_fixture_end(&bed.fat));
        memcpy(fat_fixture_cluster(&bed.fat, last), "last", 4);
        fat_fixture_add(&bed.fat, 0, "LAST.BIN", 0x20, last, 4);
        bed_check(&bed);
        expect_clean(&bed);
        uint8_t got[512];
        size_t size = 0;
        assert_int_equal(read_file(&bed, "\\LAST.BIN", 512, got, &size), ST_OK);
        assert_memory_equal(got, "last", 4);
        bed_free(&bed);
    }
}

/* --- The FAT ---------------------------------------------------------------------------------- */
static void copies_of_the_fat_are_compared(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make_small(&bed, types[i]);
        uint32_t last = bed.fat.clusters + 1;
        fat_fixture_set_link_in(&bed.fat, 1, last, fat_fixture_end(&bed.fat));
        bed_check(&bed);
        expect_only(&bed, FAT_COPIES_DIFFER, 1);
        /* What lies behind the last cluster's entry is nothing. */
        fat_fixture_set_link_in(&bed.fat, 1, last, 0);
        bed.image[bed.fat.root_offset - 1] ^= 0xff;
        bed_insert(&bed);
        bed_check(&bed);
        expect_clean(&bed);
        bed_free(&bed);
    }
}

static void first_link_is_compared_and_dirty_bits_are_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        uint8_t data[20] = {1};
        bed_make_small(&bed, types[i]);
        fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", data, sizeof(data));
        fat_fixture_set_link_in(&bed.fat, 1, 1, fat_fixture_end(&bed.fat) / 16);
        bed_check(&bed);
        expect_clean(&bed);
        fat_fixture_set_link_in(&bed.fat, 1, 2, 3);
        bed_insert(&bed);
        bed_check(&bed);
        expect_only(&bed, FAT_COPIES_DIFFER, 1);
        bed_free(&bed);
    }
}

/* Entry 2730 of FAT12 has its first byte at 4095: the FAT is read in pieces of 4096 bytes here. */
static void link_across_two_pieces_is_whole(void **state)
{
    (void)state;
    struct bed bed;
    uint8_t *data = pattern(11 * 512);

    bed_make(&bed, 2040 * KIB, 12, 512, 1);
    bed.fat.next_cluster = 2725;
    assert_int_equal(fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", data, 11 * 512), 2725);
    bed_check_limited(&bed, 128 * KIB);
    expect_clean(&bed);
    bed_free(&bed);
    free(data);
}

static void only_active_fat_counts_without_mirroring(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 32);
    uint32_t first = fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", "x", 1);
    fat_fixture_set_link_in(&bed.fat, 0, first, 77);
    fixture_store_le(bed.image + 40, 0x81, 2);
    fixture_store_le(bed.image + 6 * 512 + 40, 0x81, 2);
    bed_check(&bed);
    expect_only(&bed, FAT_FORM_UNUSUAL, 1);
    fixture_store_le(bed.image + 40, 0x80, 2);
    fixture_store_le(bed.image + 6 * 512 + 40, 0x80, 2);
    bed_insert(&bed);
    bed_check(&bed);
    assert_int_equal(bed.report.problems[FAT_CHAIN_OUT_OF_RANGE], 1);
    assert_int_equal(bed.report.problems[FAT_COPIES_DIFFER], 0);
    bed_free(&bed);
}

static void media_byte_and_dirty_bits_are_read(void **state)
{
    (void)state;
    static const struct {
        int type;
        uint32_t entry;
        uint32_t value;
        enum fat_problem problem;
    } cases[] = {
        {12, 0, 0xff0, FAT_MEDIA_ENTRY},        {16, 0, 0xfff0, FAT_MEDIA_ENTRY},
        {16, 0, 0x00f8, FAT_MEDIA_ENTRY},       {32, 0, 0x0ffffff0, FAT_MEDIA_ENTRY},
        {16, 1, 0x7fff, FAT_MARKED_DIRTY},      {16, 1, 0xbfff, FAT_MARKED_DIRTY},
        {32, 1, 0x07ffffff, FAT_MARKED_DIRTY},  {32, 1, 0x0bffffff, FAT_MARKED_DIRTY},
        {12, 1, 0x3ff, FAT_PROBLEM_COUNT},      {32, 1, 0xffffffff, FAT_PROBLEM_COUNT},
        {32, 0, 0xfffffff8, FAT_PROBLEM_COUNT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        bed_make_small(&bed, cases[i].type);
        fat_fixture_set_link(&bed.fat, cases[i].entry, cases[i].value);
        bed_check(&bed);
        expect_only(&bed, cases[i].problem, cases[i].problem != FAT_PROBLEM_COUNT);
        bed_free(&bed);
    }
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make_small(&bed, types[i]);
        bed.image[types[i] == 32 ? 65 : 37] = 1;
        bed_check(&bed);
        expect_only(&bed, FAT_MARKED_DIRTY, 1);
        bed_free(&bed);
    }
}

static void fat32_ignores_reserved_bits_of_links(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 32);
    uint8_t data[3 * 512] = {1};
    uint32_t first = fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", data, sizeof(data));
    fat_fixture_set_link(&bed.fat, first, 0xf0000000 | (first + 1));
    fat_fixture_set_link(&bed.fat, bed.fat.clusters, 0xa0000000);
    bed_check(&bed);
    expect_clean(&bed);
    bed_free(&bed);
}

static void unreadable_fat_is_replaced_by_its_copy(void **state)
{
    (void)state;
    struct bed bed;
    uint8_t *data = pattern(600 * 512);

    bed_make_small(&bed, 16);
    fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", data, 600 * 512);
    bed_insert(&bed);
    mem_block_spoil(bed.disk, FIRST_LBA + 1, 1);
    bed_check(&bed);
    expect_only(&bed, FAT_UNREADABLE, 1);
    assert_int_equal(file_at(&bed, "\\FILE.BIN")->status, ST_OK);
    bed_free(&bed);
    free(data);
}

static void file_with_an_unreadable_chain_is_an_io_error(void **state)
{
    (void)state;
    struct bed bed;
    uint8_t *data = pattern(600 * 512);
    size_t size = 0;

    bed_make(&bed, 20 * MIB, 16, 512, 1);
    fat_fixture_take(&bed.fat, 3000);
    fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", data, 600 * 512);
    fat_fixture_add_file(&bed.fat, 0, "GOOD.BIN", NULL, 0);
    bed_insert(&bed);
    mem_block_spoil(bed.disk, FIRST_LBA + 1 + 8, 1);
    mem_block_spoil(bed.disk, FIRST_LBA + 1 + bed.fat.fat_bytes / 512 + 8, 1);
    bed_check(&bed);
    assert_true(bed.report.problems[FAT_UNREADABLE] >= 2);
    assert_int_equal(bed.report.problems[FAT_COPIES_DIFFER], 0);
    assert_int_equal(file_at(&bed, "\\FILE.BIN")->status, ST_IO);
    assert_int_equal(file_at(&bed, "\\GOOD.BIN")->status, ST_OK);
    assert_int_equal(read_file(&bed, "\\FILE.BIN", 512, data, &size), ST_IO);
    bed_free(&bed);
    free(data);
}

/* --- Directories ------------------------------------------------------------------------------ */
static void dots_must_lead_home(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (int kind = 0; kind < 6; kind++) {
            struct bed bed;
            bed_make_small(&bed, types[i]);
            uint32_t outer = fat_fixture_add_directory(&bed.fat, 0, "OUTER");
            uint32_t inner = fat_fixture_add_directory(&bed.fat, outer, "INNER");
            uint8_t *at = fat_fixture_cluster(&bed.fat, inner);
            if (kind == 0)
                fixture_store_le(at + 26, outer, 2);
            if (kind == 1)
                fixture_store_le(at + 32 + 26, 0, 2);
            if (kind == 2)
                at[0] = 0xe5;
            if (kind == 3)
                memset(at, 0, 64);
            if (kind == 4)
                fixture_store_le(fat_fixture_cluster(&bed.fat, outer) + 32 + 26, inner, 2);
            bed_check(&bed);
            if (kind == 5)
                expect_clean(&bed);
            else
                assert_int_equal(bed.report.problems[FAT_DIRECTORY_BROKEN] > 0, true);
            if (kind < 4)
                assert_string_equal(bed.report.first_place[FAT_DIRECTORY_BROKEN], "\\OUTER\\INNER");
            bed_free(&bed);
        }
    }
}

static void directory_in_itself_is_not_followed(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 16);
    uint32_t outer = fat_fixture_add_directory(&bed.fat, 0, "OUTER");
    fat_fixture_add(&bed.fat, outer, "AGAIN", 0x10, outer, 0);
    bed_check(&bed);
    expect_only(&bed, FAT_CHAIN_CROSSED, 1);
    assert_int_equal(bed.report.file_count, 2);
    assert_int_equal(file_at(&bed, "\\OUTER\\AGAIN")->status, ST_DAMAGED);
    bed_free(&bed);
}

static void nothing_counts_behind_the_end_marker(void **state)
{
    (void)state;
    struct bed bed;
    uint8_t entry[32] = "GHOST   BIN";

    bed_make_small(&bed, 16);
    fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", "x", 1);
    memcpy(bed.image + bed.fat.root_offset + 64, entry, 32);
    bed_check(&bed);
    expect_clean(&bed);
    assert_int_equal(bed.report.file_count, 1);
    bed_free(&bed);
}

static void labels_and_deleted_entries_are_no_files(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 32);
    fat_fixture_add(&bed.fat, 0, "MY LABEL", 0x08, 0, 0);
    fat_fixture_add(&bed.fat, 0, "GONE.BIN", 0x20, 99, 12345)[0] = 0xe5;
    fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", "x", 1);
    bed_check(&bed);
    assert_int_equal(bed.report.file_count, 1);
    assert_string_equal(bed.report.files[0].path, "\\FILE.BIN");
    bed_free(&bed);
}

static void full_directory_needs_no_end_marker(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        char name[16];
        bed_make_small(&bed, types[i]);
        uint32_t folder = fat_fixture_add_directory(&bed.fat, 0, "FOLDER");
        for (int file = 0; file < 14; file++) {
            snprintf(name, sizeof(name), "F%d", file);
            fat_fixture_add(&bed.fat, folder, name, 0x20, 0, 0);
        }
        assert_int_equal(fat_fixture_link(&bed.fat, folder), fat_fixture_end(&bed.fat));
        bed_check(&bed);
        expect_clean(&bed);
        assert_int_equal(bed.report.file_count, 15);
        bed_free(&bed);
    }
}

static void unreadable_directory_is_read_around(void **state)
{
    (void)state;
    struct bed bed;
    char name[16];

    bed_make(&bed, 40 * MIB, 16, 512, 8);
    uint32_t folder = fat_fixture_add_directory(&bed.fat, 0, "FOLDER");
    for (int file = 0; file < 1000; file++) {
        snprintf(name, sizeof(name), "F%d", file);
        fat_fixture_add(&bed.fat, folder, name, 0x20, 0, 0);
    }
    bed_insert(&bed);
    uint64_t second = (uint64_t)(fat_fixture_cluster(&bed.fat, folder + 1) - bed.image);
    mem_block_spoil(bed.disk, FIRST_LBA + second / 512 + 3, 1);
    bed_check(&bed);
    expect_only(&bed, FAT_UNREADABLE, 1);
    assert_string_equal(bed.report.first_place[FAT_UNREADABLE], "\\FOLDER");
    assert_int_equal(file_at(&bed, "\\FOLDER")->status, ST_IO);
    /* One cluster of eight, 128 entries, is missing. */
    assert_int_equal(bed.report.file_count, 1 + 1000 - 128);
    assert_int_equal(fat_find(&bed.report, "\\FOLDER\\F126"), FAT_NO_FILE);
    assert_int_not_equal(fat_find(&bed.report, "\\FOLDER\\F254"), FAT_NO_FILE);
    bed_free(&bed);
}

static void unreadable_root_directory_leaves_an_empty_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        bed_make_small(&bed, types[i]);
        fat_fixture_add_file(&bed.fat, 0, "FILE.BIN", "x", 1);
        bed_insert(&bed);
        uint64_t at = types[i] == 32 ? bed.fat.data_offset : bed.fat.root_offset;
        mem_block_spoil(bed.disk, FIRST_LBA + at / 512, 32);
        bed_check(&bed);
        assert_true(bed.report.problems[FAT_UNREADABLE] > 0);
        assert_string_equal(bed.report.first_place[FAT_UNREADABLE], "\\");
        assert_int_equal(bed.report.problems[FAT_CHAIN_LOST], 0);
        assert_int_equal(bed.report.file_count, 0);
        bed_free(&bed);
    }
}

static void depth_is_limited(void **state)
{
    (void)state;
    struct bed bed;
    uint32_t parent = 0;

    bed_make_small(&bed, 16);
    for (int depth = 0; depth < FAT_DEPTH_MAX + 3; depth++)
        parent = fat_fixture_add_directory(&bed.fat, parent, "D");
    bed_check(&bed);
    expect_only(&bed, FAT_TOO_DEEP, 1);
    assert_int_equal(bed.report.file_count, FAT_DEPTH_MAX);
    bed_free(&bed);
}

static void path_length_is_limited(void **state)
{
    (void)state;
    char name[256];
    struct bed bed;
    uint32_t parent = 0;

    memset(name, 'n', 255);
    name[255] = '\0';
    bed_make(&bed, 8 * MIB, 12, 4096, 1);
    for (int depth = 0; depth < 5; depth++)
        parent = fat_fixture_add_directory(&bed.fat, parent, name);
    bed_check(&bed);
    expect_only(&bed, FAT_TOO_DEEP, 1);
    assert_int_equal(bed.report.file_count, 3);
    bed_free(&bed);
}

static void ten_thousand_files_are_checked_in_little_time(void **state)
{
    (void)state;
    struct bed bed;
    char name[32];

    bed_make(&bed, 20 * MIB, 12, 4096, 2);
    uint32_t folder = fat_fixture_add_directory(&bed.fat, 0, "FOLDER");
    for (int file = 0; file < 10000; file++) {
        snprintf(name, sizeof(name), "file number %d", file * 7919 % 10000);
        fat_fixture_add(&bed.fat, folder, name, 0x20, 0, 0);
    }
    bed_insert(&bed);
    clock_t before = clock();
    bed_check(&bed);
    /* A comparison of each with each would take minutes here. */
    assert_true(clock() - before < 5 * CLOCKS_PER_SEC);
    expect_clean(&bed);
    assert_int_equal(bed.report.file_count, 10001);
    bed_free(&bed);
}

static void number_of_files_is_limited(void **state)
{
    (void)state;
    struct bed bed;
    uint8_t entry[32] = "F       BIN";

    bed_make(&bed, 40 * MIB, 16, 4096, 1);
    for (uint32_t folder = 0; folder < 2; folder++) {
        uint32_t first = fat_fixture_add_directory(&bed.fat, 0, folder == 0 ? "A" : "B");
        fat_fixture_set_link(&bed.fat, first, fat_fixture_take(&bed.fat, 300));
        uint8_t *at = fat_fixture_cluster(&bed.fat, first) + 64;
        for (uint32_t i = 0; i < 35000; i++) {
            fixture_store_le(entry + 1,
                             0x40404040 + i % 16 + (i / 16 % 16 << 8) + (i / 256 % 16 << 16) +
                                 (i / 4096 << 24),
                             4);
            entry[1] |= 0x20;
            memcpy(at + (size_t)i * 32, entry, 32);
        }
    }
    assert_int_equal(bed_open(&bed), ST_OK);
    size_t before = bed.arena.used;
    assert_int_equal(fat_check(&bed.arena, &bed.volume, UINT64_MAX, &bed.report), ST_OK);
    assert_in_range(bed.arena.peak - before, 1, 4 * MIB);
    assert_int_equal(bed.report.file_count, FAT_FILES_MAX);
    assert_int_equal(bed.report.problems[FAT_TOO_DEEP], 70002 - FAT_FILES_MAX);
    assert_false(fat_report_has_damage(&bed.report));
    bed_free(&bed);
}

/* --- Limits ----------------------------------------------------------------------------------- */
static void make_esp(struct bed *bed)
{
    uint8_t *data = pattern(200000);
    char name[32];

    bed_make(bed, 36 * MIB, 32, 512, 1);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "folder %d", i);
        uint32_t folder = fat_fixture_add_directory(&bed->fat, 0, name);
        for (int file = 0; file < 20; file++) {
            snprintf(name, sizeof(name), "file %d", file);
            fat_fixture_add_file(&bed->fat, folder, name, data, 10000);
        }
    }
    uint32_t efi = fat_fixture_add_directory(&bed->fat, 0, "EFI");
    uint32_t boot = fat_fixture_add_directory(&bed->fat, efi, "BOOT");
    uint32_t microsoft = fat_fixture_add_directory(&bed->fat, efi, "Microsoft");
    uint32_t ms_boot = fat_fixture_add_directory(&bed->fat, microsoft, "Boot");
    fat_fixture_add_file(&bed->fat, boot, "BOOTX64.EFI", data, 200000);
    fat_fixture_add_file(&bed->fat, ms_boot, "bootmgfw.efi", data, 200000);
    free(data);
}

static void limited_check_sees_what_matters_first(void **state)
{
    (void)state;
    struct bed bed;

    make_esp(&bed);
    bed_check_limited(&bed, 64 * KIB);
    assert_false(bed.report.complete);
    assert_in_range(bed.volume.read_bytes, 1, 64 * KIB + 512);
    expect_clean(&bed);
    file_at(&bed, "\\EFI\\BOOT\\BOOTX64.EFI");
    file_at(&bed, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi");
    size_t listed = bed.report.file_count;

    /* Any smaller limit lists less and says nothing wrong. */
    for (uint64_t limit = 0; limit < 64 * KIB; limit += 1500) {
        bed_check_limited(&bed, limit);
        assert_false(bed.report.complete);
        assert_in_range(bed.volume.read_bytes, 1, limit + 512);
        expect_clean(&bed);
        assert_in_range(bed.report.file_count, 0, listed);
    }
    bed_check(&bed);
    expect_clean(&bed);
    assert_int_equal(bed.report.file_count, 40 * 21 + 6);
    uint64_t all = bed.volume.read_bytes;
    bed_check_limited(&bed, all * 2);
    assert_true(bed.report.complete);
    bed_free(&bed);
}

static void reader_has_no_limit_after_a_limited_check(void **state)
{
    (void)state;
    struct bed bed;
    uint8_t *got = host_alloc(1, 200000 + 4096);
    size_t size = 0;

    make_esp(&bed);
    bed_check_limited(&bed, 64 * KIB);
    assert_int_equal(read_file(&bed, "\\EFI\\BOOT\\BOOTX64.EFI", 64 * KIB, got, &size), ST_OK);
    assert_int_equal(size, 200000);
    bed_free(&bed);
    free(got);
}

/* A file of 1200 bytes in three clusters, of which the last one lies elsewhere. */
static void where_a_file_lies_is_told_to_the_byte(void **state)
{
    (void)state;
    struct bed bed;

    bed_make_small(&bed, 16);
    uint32_t first = fat_fixture_take(&bed.fat, 2);
    (void)fat_fixture_take(&bed.fat, 1);
    uint32_t last = fat_fixture_take(&bed.fat, 1);
    fat_fixture_set_link(&bed.fat, first + 1, last);
    (void)fat_fixture_add(&bed.fat, 0, "A", 0x20, first, 1200);
    bed_check(&bed);
    const struct fat_file *file = file_at(&bed, "\\A");
    uint64_t lba = FIRST_LBA + bed.fat.data_offset / 512 + first - 2;
    const struct {
        struct disk_extent extents[3];
        size_t count;
        bool right;
    } cases[] = {
        {{{lba, 1024}, {lba + 3, 176}}, 2, true},
        {{{lba, 512}, {lba + 1, 512}, {lba + 3, 176}}, 3, true},
        {{{lba, 1024}, {lba + 2, 176}}, 2, false},
        {{{lba, 1200}}, 1, false},
        {{{lba, 1024}}, 1, false},
        {{{lba, 1024}, {lba + 3, 177}}, 2, false},
        {{{lba, 1024}, {lba + 3, 175}}, 2, false},
        {{{lba, 1024}, {lba + 3, 176}, {lba + 4, 512}}, 3, false},
        {{{lba + 1, 1024}, {lba + 3, 176}}, 2, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(fat_file_lies_in(&bed.volume, file, cases[i].extents, cases[i].count),
                         cases[i].right);
    bed_free(&bed);
}

static void too_little_memory_is_said(void **state)
{
    (void)state;
    struct bed bed;
    size_t enough = 0;
    struct fat_report untouched;

    make_esp(&bed);
    memset(&untouched, 0x5a, sizeof(untouched));
    for (size_t room = 1000; enough == 0; room += room / 4) {
        assert_true(room < ARENA);
        bed_open(&bed);
        arena_init(&bed.arena, bed.memory, room);
        memset(&bed.report, 0x5a, sizeof(bed.report));
        enum status status =
            fat_open(&bed.arena, &bed.port, FIRST_LBA, bed.fat.size / 512, &bed.volume);
        if (status == ST_OK)
            status = fat_check(&bed.arena, &bed.volume, UINT64_MAX, &bed.report);
        if (status == ST_OK) {
            enough = room;
            continue;
        }
        assert_true(status == ST_NO_MEMORY || status == ST_UNSUPPORTED);
        assert_memory_equal(&bed.report, &untouched, sizeof(untouched));
    }
    assert_in_range(enough, 300000, 4 * MIB);
    bed_free(&bed);
}

/* With the smallest arena: what the volume makes large is refused or left out, and never takes
 * all. */
static void large_fat_does_not_take_all_memory(void **state)
{
    (void)state;
    struct bed bed;

    make_esp(&bed); /* its FAT has 280 KiB */
    bed_open(&bed);
    for (size_t room = 64 * KIB; room < 4 * MIB; room += 64 * KIB) {
        arena_init(&bed.arena, bed.memory, room);
        enum status status =
            fat_open(&bed.arena, &bed.port, FIRST_LBA, bed.fat.size / 512, &bed.volume);
        bool fits = bed.volume.table_bytes <= room / 4;
        assert_int_equal(status, fits ? ST_OK : ST_UNSUPPORTED);
        if (status == ST_OK)
            assert_in_range(bed.arena.used, 1, room / 4 + 4 * KIB + 1 * KIB);
    }
    bed_free(&bed);
}

static void without_room_for_the_clusters_the_report_is_incomplete(void **state)
{
    (void)state;
    struct bed bed;

    make_esp(&bed);
    bed_open(&bed);
    uint8_t small[32 * KIB];
    struct arena arena;
    arena_init(&arena, small, sizeof(small));
    assert_int_equal(fat_check(&arena, &bed.volume, UINT64_MAX, &bed.report), ST_OK);
    assert_false(bed.report.complete);
    assert_int_equal(bed.report.file_count, 0);
    assert_false(fat_report_has_damage(&bed.report));
    bed_free(&bed);
}

/* A port that has no memory from some call on. */
static enum status starved_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct counting *counting = ctx;

    if (counting->calls-- == 0)
        return ST_NO_MEMORY;
    return counting->below.read(counting->below.ctx, lba, count, ret_data);
}

static void firmware_without_memory_is_no_damage(void **state)
{
    (void)state;
    struct bed bed;
    struct counting counting = {0};
    enum status status = ST_NO_MEMORY;

    bed_make_small(&bed, 32);
    fat_fixture_add_directory(&bed.fat, 0, "FOLDER");
    bed_insert(&bed);
    counting.below = bed.port;
    bed.port.ctx = &counting;
    bed.port.read = starved_read;
    for (size_t calls = 0; status != ST_OK; calls++) {
        assert_true(calls < 20);
        counting.calls = calls;
        status = bed_open(&bed);
        if (status == ST_OK)
            status = fat_check(&bed.arena, &bed.volume, UINT64_MAX, &bed.report);
        assert_true(status == ST_OK || status == ST_NO_MEMORY);
    }
    expect_clean(&bed);
    bed_free(&bed);
}

static void every_problem_has_a_text(void **state)
{
    (void)state;
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++) {
        assert_non_null(fat_problem_text(i));
        assert_true(strlen(fat_problem_text(i)) > 10);
    }
    assert_false(fat_problem_is_damage(FAT_MARKED_DIRTY));
    assert_true(fat_problem_is_damage(FAT_CHAIN_CROSSED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_sector_tells_the_volume),
        cmocka_unit_test(type_follows_from_the_number_of_clusters),
        cmocka_unit_test(boot_sector_that_contradicts_itself_is_damaged),
        cmocka_unit_test(fat32_fields_are_checked),
        cmocka_unit_test(what_is_not_fat_is_absent),
        cmocka_unit_test(free_clusters_past_the_partition_are_no_damage),
        cmocka_unit_test(file_past_the_partition_is_damaged),
        cmocka_unit_test(partition_without_a_whole_cluster_is_damaged),
        cmocka_unit_test(missing_signature_is_no_reason_to_refuse),
        cmocka_unit_test(backup_without_signature_does_not_stand_in),
        cmocka_unit_test(backup_boot_sector_stands_in),
        cmocka_unit_test(dead_boot_sector_is_mended_by_one_block),
        cmocka_unit_test(backup_that_nothing_agrees_with_is_not_written_back),
        cmocka_unit_test(backup_that_has_changed_is_not_written_back),
        cmocka_unit_test(sectors_shorter_than_blocks_are_read),
        cmocka_unit_test(root_directory_that_does_not_grow_is_counted),
        cmocka_unit_test(backup_is_found_where_the_field_says),
        cmocka_unit_test(backup_of_another_volume_is_noted),
        cmocka_unit_test(unreadable_boot_sector_is_an_io_error),
        cmocka_unit_test(sector_smaller_than_a_block_is_read_and_noted),
        cmocka_unit_test(label_is_made_harmless),
        cmocka_unit_test(files_are_listed_and_read),
        cmocka_unit_test(time_written_is_known),
        cmocka_unit_test(fragmented_file_is_read_in_its_order),
        cmocka_unit_test(clusters_that_lie_together_are_read_at_once),
        cmocka_unit_test(short_names_are_shown_as_stored),
        cmocka_unit_test(impossible_short_names_are_damage_and_harmless_to_show),
        cmocka_unit_test(long_names_become_utf8),
        cmocka_unit_test(long_name_that_leads_elsewhere_is_not_used),
        cmocka_unit_test(longest_name_is_listed),
        cmocka_unit_test(orphaned_pieces_of_long_names_are_noted),
        cmocka_unit_test(pieces_at_the_end_of_a_directory_are_orphans),
        cmocka_unit_test(names_used_twice_are_noted),
        cmocka_unit_test(damaged_chains_are_told_apart),
        cmocka_unit_test(both_files_of_a_shared_cluster_are_damaged),
        cmocka_unit_test(lost_clusters_are_counted),
        cmocka_unit_test(a_lost_cluster_among_free_ones_is_seen),
        cmocka_unit_test(last_cluster_can_be_used),
        cmocka_unit_test(copies_of_the_fat_are_compared),
        cmocka_unit_test(first_link_is_compared_and_dirty_bits_are_not),
        cmocka_unit_test(link_across_two_pieces_is_whole),
        cmocka_unit_test(only_active_fat_counts_without_mirroring),
        cmocka_unit_test(media_byte_and_dirty_bits_are_read),
        cmocka_unit_test(fat32_ignores_reserved_bits_of_links),
        cmocka_unit_test(unreadable_fat_is_replaced_by_its_copy),
        cmocka_unit_test(file_with_an_unreadable_chain_is_an_io_error),
        cmocka_unit_test(dots_must_lead_home),
        cmocka_unit_test(directory_in_itself_is_not_followed),
        cmocka_unit_test(nothing_counts_behind_the_end_marker),
        cmocka_unit_test(labels_and_deleted_entries_are_no_files),
        cmocka_unit_test(full_directory_needs_no_end_marker),
        cmocka_unit_test(unreadable_directory_is_read_around),
        cmocka_unit_test(unreadable_root_directory_leaves_an_empty_list),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(path_length_is_limited),
        cmocka_unit_test(ten_thousand_files_are_checked_in_little_time),
        cmocka_unit_test(number_of_files_is_limited),
        cmocka_unit_test(limited_check_sees_what_matters_first),
        cmocka_unit_test(reader_has_no_limit_after_a_limited_check),
        cmocka_unit_test(where_a_file_lies_is_told_to_the_byte),
        cmocka_unit_test(too_little_memory_is_said),
        cmocka_unit_test(large_fat_does_not_take_all_memory),
        cmocka_unit_test(without_room_for_the_clusters_the_report_is_incomplete),
        cmocka_unit_test(firmware_without_memory_is_no_damage),
        cmocka_unit_test(every_problem_has_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
