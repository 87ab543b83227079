/*
 * Folders of NTFS, name by name, and what their files are kept as. The volumes are those of
 * ntfs_fixture.h; those of ntfs-3g are compared in ovmf-harness/test_ntfs_source.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "format/ntfs/ntfs_data.h"
#include "format/ntfs/ntfs_folder.h"
#include "unit/bytes_fixture.h"
#include "unit/ntfs_fixture.h"

struct folder_bench {
    struct ntfs_fixture *fixture;
    struct block_port port;
    struct arena arena;
    struct ntfs_volume volume;
};

static void open_folder_bench(struct folder_bench *bench)
{
    bench->port = ntfs_fixture_port(bench->fixture);
    bench->arena = fixture_scratch();
    assert_int_equal(ntfs_open(&bench->arena, &bench->port, 0, ntfs_fixture_blocks(bench->fixture),
                               &bench->volume),
                     ST_OK);
}

static struct folder_bench folder_bench_of(struct ntfs_fixture_shape shape)
{
    return (struct folder_bench){.fixture = ntfs_fixture_new(&shape)};
}

static enum status list(struct folder_bench *bench, const char *path, struct ntfs_item **ret_first)
{
    struct ntfs_file file;

    assert_int_equal(ntfs_lookup(&bench->volume, path, &file), ST_OK);
    return ntfs_list(&bench->volume, ntfs_reference(&file), ret_first);
}

static const char *name_of(struct folder_bench *bench, const struct ntfs_item *item)
{
    return text_from_ucs2(&bench->arena, item->name);
}

static void check_system32(struct folder_bench *bench)
{
    struct ntfs_item *item = NULL;
    struct ntfs_file file;
    char name[40];

    assert_int_equal(list(bench, "\\Windows\\System32", &item), ST_OK);
    for (unsigned i = 0; i < bench->fixture->shape.names; i++, item = item->next) {
        snprintf(name, sizeof name, "file%05uname.dll", i);
        assert_string_equal(name_of(bench, item), name);
        assert_false(item->is_directory);
        assert_int_equal(ntfs_describe(&bench->volume, item->reference, &file), ST_OK);
        assert_true(ntfs_reference(&file) == item->reference);
    }
    assert_string_equal(name_of(bench, item), "ntoskrnl.exe");
    assert_string_equal(name_of(bench, item->next), "winload.efi");
    assert_null(item->next->next);
}

static void every_name_is_listed_once_and_in_order(void **state)
{
    static const struct {
        uint32_t cluster, index, names;
        bool split;
    } cases[] = {{1024, 4096, 0, false},    {1024, 4096, 40, true},    {512, 1024, 1200, true},
                 {8192, 4096, 300, true},   {4096, 4096, 1200, true},  {65536, 4096, 300, true},
                 {131072, 4096, 40, false}, {2u << 20, 4096, 40, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ntfs_fixture_shape shape = ntfs_fixture_small();
        shape.cluster_size = cases[i].cluster;
        shape.index_size = cases[i].index;
        shape.names = cases[i].names;
        shape.split_index = shape.split_mft = cases[i].split;
        shape.sectors = 8191 + 60ull * cases[i].cluster / 512;
        struct folder_bench bench = folder_bench_of(shape);
        open_folder_bench(&bench);
        check_system32(&bench);
        ntfs_fixture_free(bench.fixture);
    }
}

static void root_does_not_list_itself(void **state)
{
    static const struct {
        const char *name;
        bool is_directory;
    } expected[] = {{"$UpCase", false},    {"$Volume", false},       {"Junction", true},
                    {"packed.bin", false}, {"scattered.bin", false}, {"secret.bin", false},
                    {"short.bin", false},  {"small.txt", false},     {"sparse.bin", false},
                    {"Windows", true},     {"Äpfel.txt", false},     {"Ωmega", false},
                    {"Жук", false}};
    struct folder_bench bench = folder_bench_of(ntfs_fixture_small());
    struct ntfs_item *item = NULL;

    (void)state;
    open_folder_bench(&bench);
    assert_int_equal(list(&bench, "\\", &item), ST_OK);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++, item = item->next) {
        struct ntfs_file file;
        assert_string_equal(name_of(&bench, item), expected[i].name);
        assert_int_equal(ntfs_describe(&bench.volume, item->reference, &file), ST_OK);
        assert_int_equal(file.is_directory, expected[i].is_directory);
    }
    assert_null(item);
    ntfs_fixture_free(bench.fixture);
}

static void what_is_no_folder_is_not_listed(void **state)
{
    struct folder_bench bench = folder_bench_of(ntfs_fixture_small());
    struct ntfs_item *untouched = (struct ntfs_item *)&bench;
    struct ntfs_item *item = untouched;

    (void)state;
    open_folder_bench(&bench);
    size_t used = bench.arena.used;
    assert_int_equal(list(&bench, "\\small.txt", &item), ST_ABSENT);
    assert_int_equal(list(&bench, "\\Junction", &item), ST_UNSUPPORTED);
    assert_int_equal(ntfs_list(&bench.volume, 4000, &item), ST_DAMAGED);
    assert_ptr_equal(item, untouched);
    assert_int_equal(bench.arena.used, used);
    ntfs_fixture_free(bench.fixture);
}

/* A tree whose last entries lead back to its first block has no end. */
static void index_that_leads_in_a_circle_is_damaged(void **state)
{
    struct folder_bench bench = folder_bench_of(ntfs_fixture_small());
    struct ntfs_item *item = NULL;

    (void)state;
    uint8_t *block = ntfs_fixture_cluster(bench.fixture, bench.fixture->system32_index);
    block[0x18 + 0x0c] = 1;
    uint8_t *entry = block + 0x18 + ld_le32(block + 0x18);
    uint16_t length = ld_le16(entry + 8);
    st_le16(entry + 0x0a, (uint16_t)(length - 0x18));
    entry[0x10 + 0x40] = 1;
    entry[0x0c] = 1;
    memcpy(entry + length - 8, block + 0x10, 8);
    open_folder_bench(&bench);
    size_t used = bench.arena.used;
    assert_int_equal(list(&bench, "\\Windows\\System32", &item), ST_DAMAGED);
    assert_null(item);
    assert_int_equal(bench.arena.used, used);
    assert_true(bench.volume.read_bytes < 1u << 20);
    ntfs_fixture_free(bench.fixture);
}

/* Gives an entry a child, for which its name loses its end. */
static void give_child(uint8_t *entry, uint64_t child)
{
    uint16_t length = ld_le16(entry + 8);

    entry[0x0c] |= 1;
    st_le16(entry + 0x0a, (uint16_t)(length - 0x18));
    entry[0x10 + 0x40] = 1;
    st_le64(entry + length - 8, child);
}

/* Every entry of a block leads to the next block: without a circle, and without an end that anyone
 * would live to see. */
static void index_with_more_ways_than_blocks_is_damaged(void **state)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    struct ntfs_item *item = NULL;

    (void)state;
    shape.index_size = 1024;
    shape.names = 1200;
    shape.sectors = 8191;
    struct folder_bench bench = folder_bench_of(shape);
    for (uint64_t number = 0; number < 14; number++) {
        uint8_t *block =
            ntfs_fixture_cluster(bench.fixture, bench.fixture->system32_index + number);
        ntfs_fixture_unseal(block, 1024);
        uint8_t *entry = block + 0x18 + ld_le32(block + 0x18);
        block[0x18 + 0x0c] = 1;
        for (; (entry[0x0c] & 2) == 0; entry += ld_le16(entry + 8))
            give_child(entry, number + 1);
        ntfs_fixture_seal(block, 1024);
    }
    uint8_t *record = ntfs_fixture_record(bench.fixture, bench.fixture->system32);
    ntfs_fixture_unseal(record, 1024);
    uint8_t *root = ntfs_fixture_attribute(bench.fixture, bench.fixture->system32, 0x90);
    uint8_t *entry = root + ld_le16(root + 0x14) + 0x10;
    entry += ld_le32(entry);
    st_le64(entry + ld_le16(entry + 8) - 8, 0);
    ntfs_fixture_seal(record, 1024);
    open_folder_bench(&bench);
    assert_int_equal(list(&bench, "\\Windows\\System32", &item), ST_DAMAGED);
    ntfs_fixture_free(bench.fixture);
}

/* One bad block of the index, or none of the memory: nothing is given, and all memory given back. */
static void folder_is_listed_whole_or_not_at_all(void **state)
{
    struct folder_bench bench = folder_bench_of(ntfs_fixture_small());
    struct ntfs_item *item = NULL;

    (void)state;
    uint8_t *block = ntfs_fixture_cluster(bench.fixture, bench.fixture->system32_index);
    open_folder_bench(&bench);
    size_t used = bench.arena.used;
    bench.arena.size = used + 40u * 1024;
    assert_int_equal(list(&bench, "\\Windows\\System32", &item), ST_NO_MEMORY);
    bench.arena.size = used + 68u * 1024;
    assert_int_equal(list(&bench, "\\Windows\\System32", &item), ST_NO_MEMORY);
    assert_int_equal(bench.arena.size, used + 68u * 1024);
    bench.arena.size = FIXTURE_SCRATCH;
    block[0x1fe] ^= 1;
    open_folder_bench(&bench);
    assert_int_equal(list(&bench, "\\Windows\\System32", &item), ST_DAMAGED);
    block[0x1fe] ^= 1;
    bench.fixture->bad_offset = bench.fixture->system32_index * 1024;
    bench.fixture->bad_size = 512;
    open_folder_bench(&bench);
    assert_int_equal(list(&bench, "\\Windows\\System32", &item), ST_IO);
    assert_null(item);
    assert_int_equal(bench.arena.used, used);
    ntfs_fixture_free(bench.fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_listed_once_and_in_order),
        cmocka_unit_test(root_does_not_list_itself),
        cmocka_unit_test(what_is_no_folder_is_not_listed),
        cmocka_unit_test(index_that_leads_in_a_circle_is_damaged),
        cmocka_unit_test(index_with_more_ways_than_blocks_is_damaged),
        cmocka_unit_test(folder_is_listed_whole_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
