/*
 * Fresh FAT file systems. The fields of the boot sector are expected as the specification and
 * Windows' format have them; files and directories are looked at with our own reader. What programs
 * of others say about such volumes is asked in ovmf-harness/test_fat_writer.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/date.h"
#include "format/fat/fat_boot.h"
#include "format/fat/fat_layout.h"
#include "format/fat/fat_name.h"
#include "host/host_alloc.h"
#include "unit/image_fixture.h"

#define MIB        (1ull << 20)
#define ARENA_SIZE (48u << 20)
#define FIRST_LBA  2048u

static const struct date_time some_date = {2024, 2, 29, 23, 58, 58};

struct bench {
    struct image image;
    uint8_t *memory;
    struct arena arena;
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;
};

static struct bench *make_bench(void)
{
    struct bench *bench = host_alloc(1, sizeof(*bench));

    bench->memory = host_borrow(ARENA_SIZE);
    arena_init(&bench->arena, bench->memory, ARENA_SIZE);
    return bench;
}

static void drop_bench(struct bench *bench)
{
    free(bench->image.bytes);
    host_return(bench->memory);
    free(bench);
}

static struct fat_layout_request make_request(uint64_t bytes, uint32_t block_size,
                                              const struct fat_entry_request *entries, size_t count)
{
    uint32_t cluster = 0;

    return (struct fat_layout_request){
        .first_lba = FIRST_LBA,
        .block_count = bytes / block_size,
        .block_size = block_size,
        .type = fat_type_for(bytes, block_size, &cluster),
        .serial = 0xcafe1234,
        .label = "esp",
        .entries = entries,
        .entry_count = count,
    };
}

/* Content of a file: its number. */
static struct span content_of(void *ctx, size_t source)
{
    static uint8_t bytes[1 << 20];
    const struct fat_entry_request *entries = ctx;

    memset(bytes, (int)source + 1, (size_t)entries[source].size);
    return span_of(bytes, (size_t)entries[source].size);
}

static void open_bench(struct bench *bench)
{
    bench->port = image_port(&bench->image);
    assert_int_equal(fat_open(&bench->arena, &bench->port, FIRST_LBA,
                              bench->port.block_count - FIRST_LBA, &bench->volume),
                     ST_OK);
    assert_int_equal(fat_check(&bench->arena, &bench->volume, UINT64_MAX, &bench->report), ST_OK);
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++) {
        if (bench->report.problems[i] != 0)
            fail_msg("%s: %s", bench->report.first_place[i], fat_problem_text(i));
    }
}

/* A disk full of noise, formatted. */
static void format_bench(struct bench *bench, const struct fat_layout_request *request)
{
    struct disk_edit edit;

    bench->image = image_make(request->block_size, FIRST_LBA + request->block_count);
    memset(bench->image.bytes, 0xa7, bench->image.block_count * request->block_size);
    assert_int_equal(fat_layout(&bench->arena, request, &edit), ST_OK);
    struct image_units units =
        image_units_of(&bench->image, &edit, content_of, (void *)request->entries);
    image_apply(&bench->image, &units);
    image_units_free(&units);
    open_bench(bench);
}

static const uint8_t *boot_of(const struct bench *bench)
{
    return bench->image.bytes + (size_t)FIRST_LBA * bench->image.block_size;
}

/* --- Sizes ------------------------------------------------------------------------------------ */

static void type_and_cluster_size_are_those_of_windows(void **state)
{
    static const struct {
        uint64_t bytes;
        uint32_t block_size;
        enum fat_type type;
        uint32_t cluster;
    } cases[] = {
        {16 * MIB, 512, FAT_16, 512},
        {32 * MIB, 512, FAT_16, 512},
        {40 * MIB, 512, FAT_32, 512},
        {64 * MIB, 512, FAT_32, 512},
        {100 * MIB, 512, FAT_32, 1024},
        {200 * MIB, 512, FAT_32, 2048},
        {260 * MIB, 512, FAT_32, 4096},
        {500 * MIB, 512, FAT_32, 4096},
        {4096 * MIB, 512, FAT_32, 4096},
        {10000 * MIB, 512, FAT_32, 8192},
        {30000 * MIB, 512, FAT_32, 16384},
        {100000 * MIB, 512, FAT_32, 32768},
        {100 * MIB, 4096, FAT_16, 4096},
        {256 * MIB, 4096, FAT_16, 4096},
        {260 * MIB, 4096, FAT_32, 4096},
        {300 * MIB, 4096, FAT_32, 4096},
        {1 * MIB, 512, FAT_16, 0},
        {16 * MIB, 4096, FAT_16, 0},
        {17 * MIB, 4096, FAT_16, 4096},
        {100 * MIB, 1024, FAT_16, 0},
        {4096ull * 1024 * MIB, 512, FAT_16, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t cluster = 77;
        enum fat_type type = fat_type_for(cases[i].bytes, cases[i].block_size, &cluster);
        if (type != cases[i].type || cluster != cases[i].cluster)
            fail_msg("%llu MiB, blocks of %u: FAT%s, %u",
                     (unsigned long long)(cases[i].bytes / MIB), cases[i].block_size,
                     type == FAT_32 ? "32" : "16", cluster);
    }
}

/* All sizes around the limits: what is laid out is read back with clusters of the type. */
static void cluster_counts_stay_off_the_limits_of_the_type(void **state)
{
    size_t laid_out = 0;

    (void)state;
    for (uint64_t kib = 2048; kib < 600 << 10; kib += kib / 37) {
        for (uint32_t block_size = 512; block_size <= 4096; block_size *= 8) {
            struct bench *bench = make_bench();
            struct fat_layout_request request = make_request(kib << 10, block_size, NULL, 0);
            struct disk_edit edit;
            uint32_t cluster = 0;
            (void)fat_type_for(kib << 10, block_size, &cluster);
            enum status status = fat_layout(&bench->arena, &request, &edit);
            assert_int_equal(status, cluster == 0 ? ST_UNSUPPORTED : ST_OK);
            if (status == ST_OK) {
                const struct disk_write *boot = &edit.writes[edit.write_count - 1];
                struct fat_volume volume = {.port = &bench->port,
                                            .block_count = request.block_count};
                bench->port.block_size = block_size;
                assert_int_equal(boot->lba, FIRST_LBA);
                assert_int_equal(fat_boot_parse(boot->data, &volume), ST_OK);
                assert_int_equal(volume.type, request.type);
                assert_int_equal(volume.cluster_size, cluster);
                if (volume.type == FAT_32)
                    assert_in_range(volume.cluster_count, 65525 + 16, 1u << 28);
                else
                    assert_in_range(volume.cluster_count, 4085 + 16, 65524 - 16);
                assert_int_equal(volume.data_offset % 4096, 0);
                assert_int_equal(volume.fat_offset % 4096, 0);
                laid_out++;
            }
            drop_bench(bench);
        }
    }
    assert_in_range(laid_out, 100, 1000);
}

static void data_of_an_ordinary_esp_begins_at_a_mebibyte(void **state)
{
    (void)state;
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(100 * MIB, 512, NULL, 0);

    format_bench(bench, &request);
    assert_int_equal((FIRST_LBA * 512 + bench->volume.data_offset) % MIB, 0);
    drop_bench(bench);
}

/* --- Boot sector ------------------------------------------------------------------------------ */

static void fields_of_fat32_are_as_specified(void **state)
{
    (void)state;
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(100 * MIB, 512, NULL, 0);

    format_bench(bench, &request);
    const uint8_t *at = boot_of(bench);
    assert_memory_equal(at, "\xeb\x58\x90MSDOS5.0", 11);
    assert_int_equal(ld_le16(at + 11), 512);
    assert_int_equal(at[16], 2);
    assert_int_equal(ld_le16(at + 17), 0);
    assert_int_equal(ld_le16(at + 19), 0);
    assert_int_equal(at[21], 0xf8);
    assert_int_equal(ld_le16(at + 22), 0);
    assert_int_equal(ld_le16(at + 24), 63);
    assert_int_equal(ld_le16(at + 26), 255);
    assert_int_equal(ld_le32(at + 28), FIRST_LBA);
    assert_int_equal(ld_le32(at + 32), 204800);
    assert_int_equal(ld_le32(at + 44), 2);
    assert_int_equal(ld_le16(at + 48), 1);
    assert_int_equal(ld_le16(at + 50), 6);
    assert_int_equal(at[64], 0x80);
    assert_int_equal(at[66], 0x29);
    assert_int_equal(ld_le32(at + 67), 0xcafe1234);
    assert_memory_equal(at + 71, "ESP        FAT32   ", 19);
    assert_int_equal(ld_le16(at + 510), 0xaa55);
    assert_memory_equal(at, at + (size_t)6 * 512, 1024);
    assert_memory_equal(at + 512, "RRaA", 4);
    assert_memory_equal(at + 512 + 484, "rrAa", 4);
    assert_int_equal(ld_le32(at + 512 + 488), bench->report.free_clusters);
    assert_int_equal(ld_le32(at + 512 + 508), 0xaa550000);
    drop_bench(bench);
}

static void fields_of_fat16_are_as_specified(void **state)
{
    (void)state;
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(20 * MIB, 512, NULL, 0);

    request.label = "";
    format_bench(bench, &request);
    const uint8_t *at = boot_of(bench);
    assert_memory_equal(at, "\xeb\x3c\x90MSDOS5.0", 11);
    assert_int_equal(ld_le16(at + 17), 512);
    assert_int_equal(ld_le16(at + 19), 40960);
    assert_int_equal(ld_le32(at + 32), 0);
    assert_int_equal(at[36], 0x80);
    assert_int_equal(at[38], 0x29);
    assert_memory_equal(at + 43, "NO NAME    FAT16   ", 19);
    assert_int_equal(ld_le16(at + bench->volume.fat_offset), 0xfff8);
    assert_int_equal(ld_le16(at + bench->volume.fat_offset + 2), 0xffff);
    drop_bench(bench);
}

/* --- Files ------------------------------------------------------------------------------------ */

static const struct fat_entry_request esp_entries[] = {
    {.path = "\\EFI\\Microsoft\\Boot\\bootmgfw.efi",
     .attributes = 0x20,
     .written = {2021, 5, 8, 10, 20, 30},
     .size = 70001,
     .source = 0},
    {.path = "\\EFI\\Microsoft\\Boot\\BCD",
     .attributes = 0x26,
     .written = {2021, 5, 8, 10, 20, 30},
     .size = 32768,
     .source = 1},
    {.path = "\\EFI\\Microsoft\\Boot\\BCD.LOG",
     .attributes = 0x26,
     .written = {2021, 5, 8, 10, 20, 30},
     .size = 0,
     .source = 2},
    {.path = "\\EFI\\Microsoft\\Boot\\de-DE\\bootmgfw.efi.mui",
     .attributes = 0x20,
     .written = {1970, 1, 1, 0, 0, 0},
     .size = 1,
     .source = 3},
    {.path = "\\EFI\\BOOT\\BOOTX64.EFI",
     .attributes = 0x21,
     .written = {2021, 5, 8, 10, 20, 30},
     .size = 70001,
     .source = 4},
    {.path = "\\EFI",
     .is_directory = true,
     .written = {2020, 1, 2, 3, 4, 6},
     .size = 0,
     .source = 5},
    {.path = "\\EFI\\Microsoft\\Recovery",
     .is_directory = true,
     .attributes = 2,
     .written = {2020, 1, 2, 3, 4, 6},
     .size = 0,
     .source = 6},
    {.path = "\\caf\xc3\xa9 \xe2\x80\x93 \xf0\x9f\x98\x80.txt",
     .attributes = 0x20,
     .written = {2020, 1, 2, 3, 4, 6},
     .size = 9,
     .source = 7},
};

#define ESP_COUNT (sizeof(esp_entries) / sizeof(esp_entries[0]))

static void expect_content(struct bench *bench, const struct fat_file *file, uint8_t byte)
{
    uint8_t *data = host_alloc(1, 1 << 20);
    struct fat_reader reader;
    uint64_t seen = 0;
    size_t got = 1;

    fat_reader_start(&reader, &bench->volume, file);
    while (got > 0) {
        assert_int_equal(fat_reader_next(&reader, data, 1 << 20, &got), ST_OK);
        for (size_t i = 0; i < got; i++)
            assert_int_equal(data[i], byte);
        seen += got;
    }
    assert_int_equal(seen, file->size);
    free(data);
}

static void expect_esp(struct bench *bench)
{
    for (size_t i = 0; i < ESP_COUNT; i++) {
        const struct fat_entry_request *entry = &esp_entries[i];
        size_t number = fat_find(&bench->report, entry->path);
        if (number == FAT_NO_FILE)
            fail_msg("%s is not there", entry->path);
        const struct fat_file *file = &bench->report.files[number];
        assert_int_equal(file->is_directory, entry->is_directory);
        assert_int_equal(file->attributes, entry->attributes | (entry->is_directory ? 0x10 : 0));
        if (entry->written.year >= 1980)
            assert_int_equal(date_compare(&file->written, &entry->written), 0);
        else
            assert_int_equal(file->written.year, 1980);
        if (!entry->is_directory) {
            assert_int_equal(file->size, entry->size);
            expect_content(bench, file, (uint8_t)(i + 1));
        }
    }
    assert_int_equal(bench->report.file_count, ESP_COUNT + 4); /* directories on the way */
}

static void files_are_where_they_were_asked_for(void **state)
{
    static const struct {
        uint64_t bytes;
        uint32_t block_size;
    } volumes[] = {
        {5 * MIB, 512}, {40 * MIB, 512}, {100 * MIB, 512}, {20 * MIB, 4096}, {260 * MIB, 4096}};

    (void)state;
    for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
        struct bench *bench = make_bench();
        struct fat_layout_request request =
            make_request(volumes[i].bytes, volumes[i].block_size, esp_entries, ESP_COUNT);
        uint64_t bytes = 0;
        format_bench(bench, &request);
        expect_esp(bench);
        assert_int_equal(fat_layout_bytes(&bench->arena, esp_entries, ESP_COUNT,
                                          bench->volume.cluster_size, &bytes),
                         ST_OK);
        uint64_t used = bench->report.used_clusters + (bench->volume.type != FAT_32);
        assert_int_equal(bytes, used * bench->volume.cluster_size);
        drop_bench(bench);
    }
}

static void every_file_lies_in_one_piece(void **state)
{
    (void)state;
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(40 * MIB, 512, esp_entries, ESP_COUNT);
    struct disk_edit edit;

    assert_int_equal(fat_layout(&bench->arena, &request, &edit), ST_OK);
    assert_int_equal(edit.file_count, 5); /* one is empty */
    for (size_t i = 0; i < edit.file_count; i++) {
        assert_int_equal(edit.files[i].extent_count, 1);
        assert_int_equal(edit.files[i].extents[0].bytes, edit.files[i].size);
        assert_int_equal(edit.files[i].size, esp_entries[edit.files[i].source].size);
        assert_false(edit.files[i].free_space);
    }
    drop_bench(bench);
}

/* --- Order ------------------------------------------------------------------------------------ */

/* What fat_open says at each cut of a formatting over an older file system: the old one, none, or
 * the new one in full. */
static void follow_formatting(uint64_t old_bytes, uint64_t new_bytes)
{
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(old_bytes, 512, NULL, 0);
    struct disk_edit edit;
    size_t none = 0;

    request.serial = 0x01d;
    format_bench(bench, &request);
    request = make_request(new_bytes, 512, esp_entries, ESP_COUNT);
    assert_int_equal(fat_layout(&bench->arena, &request, &edit), ST_OK);
    struct image_units units =
        image_units_of(&bench->image, &edit, content_of, (void *)request.entries);
    /* Alone in its phase: who takes the backup sees an old file system that is in order. */
    assert_int_equal(units.at[0].phase, 0);
    assert_int_equal(units.at[0].lba, FIRST_LBA);
    assert_int_equal(units.at[1].phase, 1);
    for (size_t i = 0; i <= units.count; i++) {
        enum status status =
            fat_open(&bench->arena, &bench->port, FIRST_LBA, request.block_count, &bench->volume);
        if (status != ST_OK) {
            assert_int_equal(status, ST_ABSENT);
            none++;
        } else if (bench->volume.serial == request.serial) {
            assert_int_equal(fat_check(&bench->arena, &bench->volume, UINT64_MAX, &bench->report),
                             ST_OK);
            expect_esp(bench);
        } else {
            assert_int_equal(bench->volume.serial, 0x01d);
            assert_in_range(units.at[i].phase, 0, 1);
        }
        if (i < units.count)
            image_swap(&bench->image, &units.at[i]);
        bench->arena.used = bench->arena.used > ARENA_SIZE / 2 ? ARENA_SIZE / 2 : bench->arena.used;
    }
    assert_true(none > 100);
    for (size_t i = 0; i < edit.write_count; i++)
        assert_false(edit.writes[i].free_space);
    image_units_free(&units);
    drop_bench(bench);
}

static void nothing_half_made_looks_like_a_file_system(void **state)
{
    (void)state;
    follow_formatting(40 * MIB, 40 * MIB);
    follow_formatting(20 * MIB, 20 * MIB);
}

static void zeros_take_no_memory(void **state)
{
    (void)state;
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(30000 * MIB, 512, NULL, 0);
    struct disk_edit edit;
    uint64_t written = 0;

    assert_int_equal(fat_layout(&bench->arena, &request, &edit), ST_OK);
    for (size_t i = 0; i < edit.write_count; i++) {
        assert_in_range(edit.writes[i].data.size, 512, DISK_WRITE_MAX);
        written += edit.writes[i].data.size;
    }
    assert_in_range(written, 14 * MIB, 20 * MIB); /* two FATs of 7.3 MiB */
    assert_in_range(bench->arena.peak, 1, 3 * MIB);
    drop_bench(bench);
}

/* --- Names ------------------------------------------------------------------------------------ */

/* The short name that a name gets beside others, or "" when it needs long entries too. */
static void expect_short(const char *text, const char *expected, uint8_t case_bits, bool has_long)
{
    struct fat_entry_request entry = {.path = text, .written = some_date};
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(20 * MIB, 512, &entry, 1);

    request.label = "";
    format_bench(bench, &request);
    const uint8_t *at = boot_of(bench) + bench->volume.root_offset;
    assert_int_equal((at[11] & 0x3f) == 0x0f, has_long);
    while ((at[11] & 0x3f) == 0x0f)
        at += 32;
    assert_memory_equal(at, expected, 11);
    assert_int_equal(at[12], case_bits);
    drop_bench(bench);
}

static void short_names_are_those_of_windows(void **state)
{
    (void)state;
    expect_short("\\BCD", "BCD        ", 0, false);
    expect_short("\\bootmgfw.efi", "BOOTMGFWEFI", 0x18, false);
    expect_short("\\BOOT.sdi", "BOOT    SDI", 0x10, false);
    expect_short("\\boot.SDI", "BOOT    SDI", 0x08, false);
    expect_short("\\123.txt", "123     TXT", 0x10, false);
    expect_short("\\Boot", "BOOT       ", 0, true);
    expect_short("\\de-DE", "DE-DE      ", 0, true);
    expect_short("\\Microsoft", "MICROS~1   ", 0, true);
    expect_short("\\bootmgfw.efi.mui", "BOOTMG~1MUI", 0, true);
    expect_short("\\a.b.c.d", "ABC~1   D  ", 0, true);
    expect_short("\\with blank.txt", "WITHBL~1TXT", 0, true);
    expect_short("\\.profile", "PROFIL~1   ", 0, true);
    expect_short("\\a+b=[c],;.x+y", "A_B__C~1X_Y", 0, true);
    expect_short("\\html.html", "HTML~1  HTM", 0, true);
}

/* Names of one beginning: numbers to 4, then four digits that the name gives. */
static void short_names_differ(void **state)
{
    static struct fat_entry_request entries[300];
    static char paths[300][40];

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        snprintf(paths[i], sizeof(paths[i]), i == 299 ? "\\SAMEBE~2" : "\\same beginning %03zu", i);
        entries[i] = (struct fat_entry_request){.path = paths[i], .written = some_date};
    }
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(40 * MIB, 512, entries, 300);
    format_bench(bench, &request); /* the checker looks for repeated ones */
    assert_int_equal(bench->report.file_count, 300);
    const uint8_t *root = boot_of(bench) + bench->volume.data_offset;
    size_t plain = 0;
    for (size_t i = 0; i < 1000; i++)
        plain += memcmp(root + i * 32, "SAMEBE~", 7) == 0;
    assert_int_equal(plain, 4);
    drop_bench(bench);
}

static void names_of_every_length_are_kept(void **state)
{
    static struct fat_entry_request entries[255];
    static char paths[255][260];

    (void)state;
    for (size_t i = 0; i < 255; i++) {
        paths[i][0] = '\\';
        memset(paths[i] + 1, 'a' + (int)(i % 26), i + 1);
        entries[i] = (struct fat_entry_request){.path = paths[i], .written = some_date};
    }
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(40 * MIB, 512, entries, 255);
    format_bench(bench, &request);
    for (size_t i = 0; i < 255; i++)
        assert_int_not_equal(fat_find(&bench->report, paths[i]), FAT_NO_FILE);
    drop_bench(bench);
}

/* --- What is refused -------------------------------------------------------------------------- */

static enum status try_layout(uint64_t bytes, const struct fat_entry_request *entries, size_t count,
                              const char *label)
{
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(bytes, 512, entries, count);
    struct disk_edit edit = {.phase_count = 77};

    request.label = label;
    enum status status = fat_layout(&bench->arena, &request, &edit);
    assert_true(status == ST_OK || edit.phase_count == 77);
    drop_bench(bench);
    return status;
}

static void what_fat_cannot_hold_is_refused(void **state)
{
    static const struct fat_entry_request twice[] = {{.path = "\\A\\b.TXT"},
                                                     {.path = "\\a\\B.txt"}};
    static const struct fat_entry_request under_file[] = {{.path = "\\A"}, {.path = "\\A\\B"}};
    static const struct fat_entry_request huge[] = {{.path = "\\A", .size = 1ull << 32}};
    static const struct fat_entry_request bad_name[] = {{.path = "\\A\\B?"}};
    static const struct fat_entry_request twice_directory[] = {
        {.path = "\\A", .is_directory = true}, {.path = "\\a", .is_directory = true}};

    (void)state;
    assert_int_equal(try_layout(20 * MIB, twice, 1, ""), ST_OK);
    assert_int_equal(try_layout(20 * MIB, twice, 2, ""), ST_USAGE);
    assert_int_equal(try_layout(20 * MIB, under_file, 2, ""), ST_USAGE);
    assert_int_equal(try_layout(20 * MIB, huge, 1, ""), ST_USAGE);
    assert_int_equal(try_layout(20 * MIB, bad_name, 1, ""), ST_USAGE);
    assert_int_equal(try_layout(20 * MIB, twice_directory, 2, ""), ST_USAGE);
    assert_int_equal(try_layout(20 * MIB, NULL, 0, "eleven char"), ST_OK);
    assert_int_equal(try_layout(20 * MIB, NULL, 0, "twelve chars"), ST_USAGE);
    assert_int_equal(try_layout(20 * MIB, NULL, 0, "a.b"), ST_USAGE);
    assert_int_equal(try_layout(MIB, NULL, 0, ""), ST_UNSUPPORTED);
}

static void volume_too_small_by_one_cluster_is_refused(void **state)
{
    (void)state;
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(20 * MIB, 512, NULL, 0);
    struct fat_entry_request entry = {.path = "\\A", .written = some_date};

    format_bench(bench, &request);
    entry.size = bench->report.free_clusters * bench->volume.cluster_size;
    assert_int_equal(try_layout(20 * MIB, &entry, 1, ""), ST_OK);
    entry.size++;
    assert_int_equal(try_layout(20 * MIB, &entry, 1, ""), ST_NO_SPACE);
    drop_bench(bench);
}

static void full_root_directory_of_fat16_is_refused(void **state)
{
    static struct fat_entry_request entries[512];
    static char paths[512][20];

    (void)state;
    for (size_t i = 0; i < 512; i++) {
        snprintf(paths[i], sizeof(paths[i]), "\\FILE%zu", i);
        entries[i] = (struct fat_entry_request){.path = paths[i], .written = some_date};
    }
    assert_int_equal(try_layout(20 * MIB, entries, 512, ""), ST_OK);
    assert_int_equal(try_layout(20 * MIB, entries, 512, "LABEL"), ST_NO_SPACE);
    assert_int_equal(try_layout(40 * MIB, entries, 512, "LABEL"), ST_OK);
}

static void small_arena_fails_cleanly(void **state)
{
    (void)state;
    struct bench *bench = make_bench();
    struct fat_layout_request request = make_request(5 * MIB, 512, esp_entries, ESP_COUNT);
    struct disk_edit edit = {.phase_count = 77};
    enum status status = ST_NO_MEMORY;

    for (size_t size = 0; status == ST_NO_MEMORY && size < 4 * MIB; size += 512) {
        arena_init(&bench->arena, bench->memory, size);
        status = fat_layout(&bench->arena, &request, &edit);
        assert_true(status == ST_OK || edit.phase_count == 77);
    }
    assert_int_equal(status, ST_OK);
    drop_bench(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_and_cluster_size_are_those_of_windows),
        cmocka_unit_test(cluster_counts_stay_off_the_limits_of_the_type),
        cmocka_unit_test(data_of_an_ordinary_esp_begins_at_a_mebibyte),
        cmocka_unit_test(fields_of_fat32_are_as_specified),
        cmocka_unit_test(fields_of_fat16_are_as_specified),
        cmocka_unit_test(files_are_where_they_were_asked_for),
        cmocka_unit_test(every_file_lies_in_one_piece),
        cmocka_unit_test(nothing_half_made_looks_like_a_file_system),
        cmocka_unit_test(zeros_take_no_memory),
        cmocka_unit_test(short_names_are_those_of_windows),
        cmocka_unit_test(short_names_differ),
        cmocka_unit_test(names_of_every_length_are_kept),
        cmocka_unit_test(what_fat_cannot_hold_is_refused),
        cmocka_unit_test(volume_too_small_by_one_cluster_is_refused),
        cmocka_unit_test(full_root_directory_of_fat16_is_refused),
        cmocka_unit_test(small_arena_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
