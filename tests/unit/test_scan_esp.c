/* What is kept of the files of an ESP besides their digests: lists of entries for shim's fallback,
 * the state of the boot store with its log, and what programs say of themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/disk_path.h"
#include "host/host_alloc.h"
#include "format/regf/regf_marvin.h"
#include "host/mem_block.h"
#include "model/boot_store.h"
#include "model/scan_esp.h"
#include "unit/bytes_fixture.h"
#include "unit/fat_fixture.h"
#include "unit/pe_fixture.h"

#define BLOCK 512u
#define BYTES (4u << 20)
#define ARENA (16u << 20)

/* An ESP in memory, with the folder \EFI. */
struct bed {
    uint8_t *image;
    struct fat_fixture fat;
    uint32_t efi;
    struct mem_block *disk;
    void *memory;
    struct arena arena;
    struct esp esp;
    bool looks_up; /* programs, in lists of digests */
};

static struct bed bed_make(void)
{
    struct bed bed = {.image = host_alloc(1, BYTES), .memory = host_alloc(1, ARENA)};

    fat_fixture_format(&bed.fat, bed.image, BYTES, 12, BLOCK, 4);
    bed.efi = fat_fixture_add_directory(&bed.fat, 0, "EFI");
    return bed;
}

static uint32_t bed_folder(struct bed *bed, const char *name)
{
    return fat_fixture_add_directory(&bed->fat, bed->efi, name);
}

static void bed_scan(struct bed *bed, bool contents)
{
    uint8_t path[DISK_PATH_SIZE];
    size_t path_size = disk_path_make(DISK_NVME, 0, path);

    bed->disk = mem_block_new(BLOCK, BYTES / BLOCK, span_of(path, path_size), "");
    mem_block_write(bed->disk, 0, bed->image, BYTES);
    struct block_port port = mem_block_port(bed->disk);
    arena_init(&bed->arena, bed->memory, ARENA);
    struct esp_scan scan = {.arena = &bed->arena,
                            .port = &port,
                            .architecture = "X64",
                            .looks_up = bed->looks_up,
                            .read_limit = UINT64_MAX,
                            .contents = contents,
                            .buffer = host_alloc(1, ESP_BUFFER_BYTES),
                            .buffer_size = ESP_BUFFER_BYTES,
                            .window = host_alloc(1, ESP_WINDOW_BYTES)};
    bed->esp = (struct esp){0};
    assert_int_equal(scan_esp(&scan, 0, BYTES / BLOCK, &bed->esp), ST_OK);
    assert_int_equal(bed->esp.status, ST_OK);
    free(scan.buffer);
    free(scan.window);
}

static void bed_free(struct bed *bed)
{
    mem_block_free(bed->disk);
    free(bed->image);
    free(bed->memory);
}

static void lists_are_kept_whole(void **state)
{
    struct bed bed = bed_make();
    uint32_t debian = bed_folder(&bed, "debian");
    uint32_t ubuntu = bed_folder(&bed, "ubuntu");

    (void)state;
    fat_fixture_add_file(&bed.fat, debian, "BOOTX64.CSV", "a\0b\0", 4);
    fat_fixture_add_file(&bed.fat, debian, "OTHER.CSV", "x\0y\0", 4);
    fat_fixture_add_file(&bed.fat, debian, "BOOTX64.TXT", "x\0y\0", 4);
    fat_fixture_add_file(&bed.fat, ubuntu, "boot.csv", "c\0", 2);
    fat_fixture_add_file(&bed.fat, 0, "BOOT.CSV", "z\0", 2);
    bed_scan(&bed, true);
    assert_int_equal(bed.esp.csv_count, 2);
    assert_string_equal(bed.esp.report.files[bed.esp.csvs[0].file].path,
                        "\\EFI\\debian\\BOOTX64.CSV");
    assert_true(span_equal(bed.esp.csvs[0].text, span_of("a\0b\0", 4)));
    assert_string_equal(bed.esp.report.files[bed.esp.csvs[1].file].path, "\\EFI\\ubuntu\\boot.csv");
    assert_true(span_equal(bed.esp.csvs[1].text, span_of("c\0", 2)));
    bed_free(&bed);
}

static void lists_are_not_read_in_a_quick_scan(void **state)
{
    struct bed bed = bed_make();

    (void)state;
    fat_fixture_add_file(&bed.fat, bed_folder(&bed, "debian"), "BOOTX64.CSV", "a\0b\0", 4);
    bed_scan(&bed, false);
    assert_int_equal(bed.esp.csv_count, 0);
    bed_free(&bed);
}

static void large_lists_and_many_are_left_out(void **state)
{
    struct bed bed = bed_make();
    uint8_t text[8194] = "a";

    (void)state;
    fat_fixture_add_file(&bed.fat, bed_folder(&bed, "large"), "BOOT.CSV", text, 8194);
    fat_fixture_add_file(&bed.fat, bed_folder(&bed, "empty"), "BOOT.CSV", text, 0);
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof(name), "s%d", i);
        fat_fixture_add_file(&bed.fat, bed_folder(&bed, name), "BOOT.CSV", text, 8192);
    }
    bed_scan(&bed, true);
    assert_int_equal(bed.esp.csv_count, 16);
    assert_string_equal(bed.esp.report.files[bed.esp.csvs[0].file].path, "\\EFI\\s0\\BOOT.CSV");
    assert_int_equal(bed.esp.csvs[15].text.size, 8192);
    bed_free(&bed);
}

static bool program_has_digest(bool looks_up)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image image = pe_image_build(&recipe);
    struct bed bed = bed_make();

    bed.looks_up = looks_up;
    fat_fixture_add_file(&bed.fat, bed_folder(&bed, "BOOT"), "BOOTX64.EFI", image.bytes,
                         (uint32_t)image.size);
    bed_scan(&bed, true);
    size_t file = fat_find(&bed.esp.report, "\\EFI\\BOOT\\BOOTX64.EFI");
    assert_int_not_equal(file, FAT_NO_FILE);
    bool has_digest = bed.esp.contents[file].signers->has_digest;
    pe_image_free(&image);
    bed_free(&bed);
    return has_digest;
}

static void program_without_signature_has_a_digest_where_lists_have_some(void **state)
{
    (void)state;
    assert_true(program_has_digest(true));
    assert_false(program_has_digest(false));
}

static void set_checksum(uint8_t *base)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < 508; i++)
        sum ^= (uint32_t)base[i] << 8 * (i % 4);
    fixture_store_le(base + 508, sum, 4);
}

#define HIVE_SIZE 8192u
#define LOG_SIZE  1536u

/* A hive of one bin whose write was not finished, and the log of that, which holds all that is not
 * zero in the bin. */
static void build_store(uint8_t ret_hive[HIVE_SIZE], uint8_t ret_log[LOG_SIZE])
{
    memset(ret_hive, 0, HIVE_SIZE);
    memset(ret_log, 0, LOG_SIZE);
    memcpy(ret_hive, "regf\7\0\0\0\6\0\0\0", 12);
    fixture_store_le(ret_hive + 20, 1, 4);
    fixture_store_le(ret_hive + 24, 3, 4);
    fixture_store_le(ret_hive + 32, 1, 4);
    fixture_store_le(ret_hive + 36, 32, 4);
    fixture_store_le(ret_hive + 40, 4096, 4);
    set_checksum(ret_hive);
    memcpy(ret_hive + 4096, "hbin", 4);
    fixture_store_le(ret_hive + 4096 + 8, 4096, 4);
    fixture_store_le(ret_hive + 4096 + 32, 0 - 4064u, 4);
    memcpy(ret_hive + 4096 + 36, "nk", 2);
    memcpy(ret_log, ret_hive, 512);
    fixture_store_le(ret_log + 4, 6, 4);
    fixture_store_le(ret_log + 28, 6, 4);
    set_checksum(ret_log);
    memcpy(ret_log + 512, "HvLE", 4);
    fixture_store_le(ret_log + 512 + 4, 1024, 4);
    fixture_store_le(ret_log + 512 + 12, 6, 4);
    fixture_store_le(ret_log + 512 + 16, 4096, 4);
    fixture_store_le(ret_log + 512 + 20, 1, 4);
    fixture_store_le(ret_log + 552 + 4, 512, 4);
    memcpy(ret_log + 560, ret_hive + 4096, 512);
    fixture_store_le(ret_log + 512 + 24, regf_marvin(span_of(ret_log + 552, 984)), 8);
    fixture_store_le(ret_log + 512 + 32, regf_marvin(span_of(ret_log + 512, 32)), 8);
}

/* What is left of the hive. */
enum torn { WHOLE, WITHOUT_BINS, CUT, BAD_CHECKSUM };

/* The ESP with the store, and its log under a name unless that is NULL: whether it can be used. */
static bool log_completes(enum torn torn, const char *log_name)
{
    struct bed bed = bed_make();
    uint32_t folder = fat_fixture_add_directory(&bed.fat, bed_folder(&bed, "Microsoft"), "Boot");
    uint8_t hive[HIVE_SIZE];
    uint8_t log[LOG_SIZE];

    build_store(hive, log);
    if (torn == WITHOUT_BINS)
        memset(hive + 4096, 0, 4096);
    hive[508] ^= torn == BAD_CHECKSUM;
    fat_fixture_add_file(&bed.fat, folder, "BCD", hive, torn == CUT ? 4608 : sizeof(hive));
    if (log_name != NULL)
        fat_fixture_add_file(&bed.fat, folder, log_name, log, sizeof(log));
    bed_scan(&bed, true);
    assert_int_equal(bed.esp.store_status, ST_OK);
    bool fits = boot_store_is_usable(&bed.esp);
    assert_int_equal(bed.esp.store_file.size, fits ? HIVE_SIZE : 0);
    assert_int_equal(bed.esp.store == REGF_DIRTY, fits || torn == WHOLE);
    bed_free(&bed);
    return fits;
}

/* Windows' boot manager looks at BCD.LOG alone. */
static void log_of_a_dirty_store_is_looked_for_beside_it(void **state)
{
    (void)state;
    assert_true(log_completes(WHOLE, "BCD.LOG"));
    assert_false(log_completes(WHOLE, "BCD.LOG1"));
    assert_false(log_completes(WHOLE, NULL));
    assert_true(log_completes(WITHOUT_BINS, "BCD.LOG"));
    assert_false(log_completes(WITHOUT_BINS, NULL));
    assert_true(log_completes(CUT, "BCD.LOG"));
    assert_false(log_completes(BAD_CHECKSUM, "BCD.LOG"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_kept_whole),
        cmocka_unit_test(lists_are_not_read_in_a_quick_scan),
        cmocka_unit_test(large_lists_and_many_are_left_out),
        cmocka_unit_test(program_without_signature_has_a_digest_where_lists_have_some),
        cmocka_unit_test(log_of_a_dirty_store_is_looked_for_beside_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
