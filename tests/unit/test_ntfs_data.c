/*
 * The content of files of NTFS, compressed ones above all. The volumes are those of ntfs_fixture.h;
 * those of ntfs-3g and what wimlib packs are read in ovmf-harness/test_ntfs_source.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/ntfs/ntfs_data.h"
#include "unit/bytes_fixture.h"
#include "unit/ntfs_fixture.h"

#define KIB 1024u

struct data_bench {
    struct ntfs_fixture *fixture;
    struct block_port port;
    struct arena arena;
    struct ntfs_volume volume;
};

static const char *const paths[] = {"\\lznt1.bin", "\\xpress.bin", "\\lzx.bin"};

static struct data_bench data_bench_new(void)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();

    shape.packed = true;
    return (struct data_bench){.fixture = ntfs_fixture_new(&shape)};
}

static void open_data_bench(struct data_bench *bench)
{
    bench->port = ntfs_fixture_port(bench->fixture);
    bench->arena = fixture_scratch();
    assert_int_equal(ntfs_open(&bench->arena, &bench->port, 0, ntfs_fixture_blocks(bench->fixture),
                               &bench->volume),
                     ST_OK);
}

static struct ntfs_file find_file(struct data_bench *bench, const char *path)
{
    struct ntfs_file file;

    assert_int_equal(ntfs_lookup(&bench->volume, path, &file), ST_OK);
    return file;
}

/* Opens the volume and the file and reads all of it; the arena is as before if that fails. */
static enum status read_whole(struct data_bench *bench, const char *path)
{
    static uint8_t bytes[64 * KIB];
    struct ntfs_data data;
    struct ntfs_file file;
    size_t got = 0;

    open_data_bench(bench);
    size_t used = bench->arena.used;
    enum status status = ntfs_lookup(&bench->volume, path, &file);
    if (status == ST_OK)
        status = ntfs_data_open(&bench->volume, &file, &data);
    if (status == ST_OK)
        return ntfs_data_read(&data, 0, bytes, sizeof bytes, &got);
    assert_int_equal(bench->arena.used, used);
    return status;
}

static uint8_t *open_file_record(struct data_bench *bench, uint64_t number)
{
    uint8_t *record = ntfs_fixture_record(bench->fixture, number);

    ntfs_fixture_unseal(record, KIB);
    return record;
}

static void close_file_record(struct data_bench *bench, uint64_t number)
{
    ntfs_fixture_seal(ntfs_fixture_record(bench->fixture, number), KIB);
}

static void check_part(struct data_bench *bench, const struct ntfs_data *data, uint64_t number,
                       uint64_t offset, size_t size)
{
    uint64_t left = offset < data->size ? data->size - offset : 0;
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    size_t got = 777;

    assert_non_null(bytes);
    assert_int_equal(ntfs_data_read(data, offset, bytes, size, &got), ST_OK);
    assert_int_equal(got, size < left ? size : left);
    for (size_t i = 0; i < got; i++)
        assert_int_equal(bytes[i], ntfs_fixture_packed_byte(bench->fixture, number, offset + i));
    free(bytes);
}

static void compressed_content_is_read_from_any_place(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 4096, 16384, 20000, 60000};
    static const uint64_t offsets[] = {0,     1,     999,   1000,  4095,  4096,   8191,
                                       8192,  16383, 16384, 32767, 40000, 49152,  50151,
                                       50152, 3000,  0,     16385, 49153, 1 << 20};
    static const uint64_t file_sizes[] = {3 * 16384 + 1000, 2 * 4096 + 100, 1000};
    static const enum ntfs_form forms[] = {NTFS_FORM_LZNT1, NTFS_FORM_XPRESS4K, NTFS_FORM_LZX};
    struct data_bench bench = data_bench_new();
    const uint64_t numbers[] = {bench.fixture->lznt1, bench.fixture->xpress, bench.fixture->lzx};

    (void)state;
    open_data_bench(&bench);
    for (size_t f = 0; f < 3; f++) {
        struct ntfs_file file = find_file(&bench, paths[f]);
        struct ntfs_data data;
        assert_int_equal(file.form, forms[f]);
        assert_int_equal(file.size, file_sizes[f]);
        assert_int_equal(ntfs_data_open(&bench.volume, &file, &data), ST_OK);
        assert_int_equal(data.size, file.size);
        for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
            for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++)
                check_part(&bench, &data, numbers[f], offsets[i], sizes[j]);
    }
    ntfs_fixture_free(bench.fixture);
}

/* Several are open at once, and the volume is used between two reads. */
static void open_files_do_not_disturb_each_other(void **state)
{
    struct data_bench bench = data_bench_new();
    const uint64_t numbers[] = {bench.fixture->lznt1, bench.fixture->xpress, bench.fixture->lzx};
    struct ntfs_data data[3];

    (void)state;
    open_data_bench(&bench);
    for (size_t i = 0; i < 3; i++) {
        struct ntfs_file file = find_file(&bench, paths[i]);
        assert_int_equal(ntfs_data_open(&bench.volume, &file, &data[i]), ST_OK);
    }
    for (uint64_t offset = 0; offset < 9000; offset += 500) {
        for (size_t i = 0; i < 3; i++)
            check_part(&bench, &data[i], numbers[i], offset, 700);
        find_file(&bench, "\\Windows\\System32\\winload.efi");
    }
    ntfs_fixture_free(bench.fixture);
}

static void content_behind_what_was_written_is_zero(void **state)
{
    struct data_bench bench = data_bench_new();
    uint8_t bytes[2000];
    struct ntfs_data data;
    size_t got = 0;

    (void)state;
    open_file_record(&bench, bench.fixture->lznt1);
    uint8_t *attribute = ntfs_fixture_attribute(bench.fixture, bench.fixture->lznt1, 0x80);
    st_le64(attribute + 0x38, 17000);
    close_file_record(&bench, bench.fixture->lznt1);
    open_data_bench(&bench);
    struct ntfs_file file = find_file(&bench, "\\lznt1.bin");
    assert_int_equal(ntfs_data_open(&bench.volume, &file, &data), ST_OK);
    assert_int_equal(ntfs_data_read(&data, 16000, bytes, sizeof bytes, &got), ST_OK);
    assert_int_equal(got, sizeof bytes);
    for (size_t i = 0; i < got; i++)
        assert_int_equal(
            bytes[i], 16000 + i < 17000
                          ? ntfs_fixture_packed_byte(bench.fixture, bench.fixture->lznt1, 16000 + i)
                          : 0);
    ntfs_fixture_free(bench.fixture);
}

/* What the attributes of \lznt1.bin and \xpress.bin say. */
static void attributes_that_contradict_the_content_are_damaged(void **state)
{
    static const struct {
        const char *path;
        bool second; /* the attribute behind the first of its type */
        size_t at;
        size_t size;
        uint64_t value;
        enum status status;
    } cases[] = {
        {"\\lznt1.bin", false, 0x22, 1, 0, ST_UNSUPPORTED}, /* no unit */
        {"\\lznt1.bin", false, 0x22, 1, 7, ST_UNSUPPORTED}, /* one of 128 KiB */
        {"\\lznt1.bin", false, 0x22, 1, 200, ST_UNSUPPORTED},
        {"\\lznt1.bin", false, 0x22, 1, 6, ST_DAMAGED},     /* a hole before data */
        {"\\lznt1.bin", false, 0x0c, 2, 2, ST_UNSUPPORTED}, /* compressed in another way */
        {"\\lznt1.bin", false, 0x0c, 2, 0x4001, ST_UNSUPPORTED},
        {"\\lznt1.bin", false, 0x30, 8, 3 * 16384 + 1001, ST_OK},
        {"\\lznt1.bin", false, 0x38, 8, 3 * 16384 + 1001, ST_DAMAGED},
        {"\\lznt1.bin", false, 0x40, 1, 0x01, ST_DAMAGED},
        {"\\xpress.bin", false, 0x30, 8, 2 * 4096, ST_DAMAGED}, /* a shorter table */
        {"\\xpress.bin", false, 0x30, 8, 3 * 4096, ST_DAMAGED}, /* a longer last chunk */
        {"\\xpress.bin", false, 0x30, 8, 3 * 4096 + 1, ST_DAMAGED},
        {"\\xpress.bin", false, 0x0c, 2, 0x4000, ST_UNSUPPORTED},
        {"\\xpress.bin", true, 0x30, 8, 4465, ST_DAMAGED}, /* cut off */
        {"\\xpress.bin", true, 0x30, 8, 7, ST_DAMAGED},    /* in the table */
        {"\\xpress.bin", true, 0x0c, 2, 1, ST_DAMAGED},
        {"\\xpress.bin", true, 0x0c, 2, 0x4000, ST_DAMAGED},
        {"\\xpress.bin", true, 0x40, 1, 'w', ST_DAMAGED}, /* another stream */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct data_bench bench = data_bench_new();
        uint64_t number = cases[i].path[1] == 'l' ? bench.fixture->lznt1 : bench.fixture->xpress;
        open_file_record(&bench, number);
        uint8_t *attribute = ntfs_fixture_attribute(bench.fixture, number, 0x80);
        if (cases[i].second)
            attribute += ld_le32(attribute + 4);
        fixture_store_le(attribute + cases[i].at, cases[i].value, cases[i].size);
        if (cases[i].at == 0x30 && cases[i].value < 3 * 16384 &&
            ld_le64(attribute + 0x38) > cases[i].value)
            st_le64(attribute + 0x38, cases[i].value);
        close_file_record(&bench, number);
        assert_int_equal(read_whole(&bench, cases[i].path), cases[i].status);
        ntfs_fixture_free(bench.fixture);
    }
}

/* Clusters of \lznt1.bin that lie behind a hole of their unit, and a last unit that is not all told
 * of: each time what is packed would do. */
static void clusters_that_do_not_come_first_are_damaged(void **state)
{
    for (int last = 0; last < 2; last++) {
        struct data_bench bench = data_bench_new();
        open_file_record(&bench, bench.fixture->lznt1);
        uint8_t *attribute = ntfs_fixture_attribute(bench.fixture, bench.fixture->lznt1, 0x80);
        uint8_t *pair = attribute + 0x40;
        for (int hole = last ? 3 : 1; hole > 0; pair += 1 + (pair[0] & 15) + (pair[0] >> 4))
            hole -= pair[0] >> 4 == 0;
        /* `pair` is behind the hole. */
        pair[-1]--;
        if (last)
            st_le64(attribute + 0x18, ld_le64(attribute + 0x18) - 1);
        else
            pair[1]++;
        close_file_record(&bench, bench.fixture->lznt1);
        assert_int_equal(read_whole(&bench, "\\lznt1.bin"), ST_DAMAGED);
        ntfs_fixture_free(bench.fixture);
    }
    (void)state;
}

/* The table of \xpress.bin, and a unit of \lznt1.bin that ends before its time. */
static void packed_bytes_that_contradict_the_content_are_damaged(void **state)
{
    struct data_bench bench = data_bench_new();
    uint8_t *table = ntfs_fixture_cluster(bench.fixture, bench.fixture->xpress_cluster);
    uint8_t *unit = ntfs_fixture_cluster(bench.fixture, bench.fixture->lznt1_cluster);

    (void)state;
    assert_int_equal(read_whole(&bench, "\\xpress.bin"), ST_OK);
    static const uint32_t wrong[] = {0, 4095, 4097, 4361, 4362, 5000, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        st_le32(table, wrong[i]);
        assert_int_equal(read_whole(&bench, "\\xpress.bin"), ST_DAMAGED);
    }
    st_le32(table, 4096);
    assert_int_equal(read_whole(&bench, "\\lznt1.bin"), ST_OK);
    st_le16(unit + 18, 0); /* after three of four chunks */
    assert_int_equal(read_whole(&bench, "\\lznt1.bin"), ST_DAMAGED);
    ntfs_fixture_free(bench.fixture);
}

static void unreadable_content_is_not_damaged_content(void **state)
{
    struct data_bench bench = data_bench_new();

    (void)state;
    bench.fixture->bad_size = 512;
    bench.fixture->bad_offset = bench.fixture->lznt1_cluster * KIB;
    assert_int_equal(read_whole(&bench, "\\lznt1.bin"), ST_IO);
    bench.fixture->bad_offset = bench.fixture->xpress_cluster * KIB;
    assert_int_equal(read_whole(&bench, "\\xpress.bin"), ST_IO);
    assert_int_equal(read_whole(&bench, "\\lznt1.bin"), ST_OK);
    ntfs_fixture_free(bench.fixture);
}

static void file_that_changed_since_is_damaged(void **state)
{
    struct data_bench bench = data_bench_new();
    struct ntfs_data data;
    struct ntfs_data before;

    (void)state;
    memset(&data, 0xa5, sizeof data);
    memcpy(&before, &data, sizeof data);
    open_data_bench(&bench);
    size_t used = bench.arena.used;
    struct ntfs_file file = find_file(&bench, "\\small.txt");
    file.size++;
    assert_int_equal(ntfs_data_open(&bench.volume, &file, &data), ST_DAMAGED);
    file = find_file(&bench, "\\small.txt");
    file.sequence++;
    assert_int_equal(ntfs_data_open(&bench.volume, &file, &data), ST_DAMAGED);
    file = find_file(&bench, "\\lznt1.bin");
    file.form = NTFS_FORM_PLAIN;
    assert_int_equal(ntfs_data_open(&bench.volume, &file, &data), ST_DAMAGED);
    file.form = NTFS_FORM_LZX;
    assert_int_equal(ntfs_data_open(&bench.volume, &file, &data), ST_DAMAGED);
    file = find_file(&bench, "\\short.bin");
    file.form = NTFS_FORM_LZNT1;
    assert_int_equal(ntfs_data_open(&bench.volume, &file, &data), ST_DAMAGED);
    file = find_file(&bench, "\\Windows");
    assert_int_equal(ntfs_data_open(&bench.volume, &file, &data), ST_ABSENT);
    file = find_file(&bench, "\\Junction");
    assert_int_equal(file.form, NTFS_FORM_LINK);
    assert_int_equal(ntfs_data_open(&bench.volume, &file, &data), ST_UNSUPPORTED);
    assert_memory_equal(&data, &before, sizeof data);
    assert_int_equal(bench.arena.used, used);
    ntfs_fixture_free(bench.fixture);
}

static void too_little_memory_is_told(void **state)
{
    struct data_bench bench = data_bench_new();
    struct ntfs_data data;
    size_t failed = 0;

    (void)state;
    open_data_bench(&bench);
    size_t used = bench.arena.used;
    for (size_t f = 0; f < 3; f++) {
        struct ntfs_file file = find_file(&bench, paths[f]);
        enum status status = ST_NO_MEMORY;
        for (size_t room = 0; status != ST_OK; room += 256, failed++) {
            bench.arena.size = used + room;
            status = ntfs_data_open(&bench.volume, &file, &data);
            assert_true(status == ST_OK || (status == ST_NO_MEMORY && bench.arena.used == used));
        }
        arena_release(&bench.arena, used);
    }
    assert_true(failed > 100);
    ntfs_fixture_free(bench.fixture);
}

/* [MS-FSCC] 2.1.2: what the reparse point of \xpress.bin says. */
static void form_is_told_by_the_reparse_point(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        enum ntfs_form form;
    } cases[] = {
        {0x00, 0x80000017, NTFS_FORM_XPRESS4K},
        {0x14, 1, NTFS_FORM_LZX},
        {0x14, 2, NTFS_FORM_XPRESS8K},
        {0x14, 3, NTFS_FORM_XPRESS16K},
        {0x14, 4, NTFS_FORM_PACKED},
        {0x14, UINT32_MAX, NTFS_FORM_PACKED},
        {0x10, 2, NTFS_FORM_REPARSE},
        {0x0c, 1, NTFS_FORM_IN_WIM},
        {0x0c, 3, NTFS_FORM_REPARSE},
        {0x08, 2, NTFS_FORM_REPARSE},
        {0x00, 0xa000000c, NTFS_FORM_LINK},
        {0x00, 0xa0000003, NTFS_FORM_LINK},
        {0x00, 0x80000013, NTFS_FORM_DEDUPLICATED},
        {0x00, 0x80000008, NTFS_FORM_IN_WIM},
        {0x00, 0x9000001a, NTFS_FORM_IN_CLOUD},
        {0x00, 0x9000f01a, NTFS_FORM_IN_CLOUD},
        {0x00, 0x80000018, NTFS_FORM_REPARSE},
        {0x00, 0, NTFS_FORM_REPARSE},
    };
    struct data_bench bench = data_bench_new();
    uint64_t number = bench.fixture->xpress;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_file_record(&bench, number);
        uint8_t *attribute = ntfs_fixture_attribute(bench.fixture, number, 0xc0);
        uint8_t *field = attribute + ld_le16(attribute + 0x14) + cases[i].at;
        uint32_t before = ld_le32(field);
        st_le32(field, cases[i].value);
        close_file_record(&bench, number);
        open_data_bench(&bench);
        struct ntfs_file file = find_file(&bench, "\\xpress.bin");
        assert_true(file.reparse);
        assert_int_equal(file.form, cases[i].form);
        open_file_record(&bench, number);
        st_le32(field, before);
        close_file_record(&bench, number);
    }
    ntfs_fixture_free(bench.fixture);
}

static void every_form_has_a_name(void **state)
{
    (void)state;
    for (enum ntfs_form form = 0; form < NTFS_FORM_COUNT; form++) {
        assert_true(strlen(ntfs_form_text(form)) > 3);
        assert_int_equal(ntfs_form_is_read(form), form <= NTFS_FORM_LZX);
    }
    assert_string_equal(ntfs_form_text(NTFS_FORM_ENCRYPTED), "encrypted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_content_is_read_from_any_place),
        cmocka_unit_test(open_files_do_not_disturb_each_other),
        cmocka_unit_test(content_behind_what_was_written_is_zero),
        cmocka_unit_test(attributes_that_contradict_the_content_are_damaged),
        cmocka_unit_test(clusters_that_do_not_come_first_are_damaged),
        cmocka_unit_test(packed_bytes_that_contradict_the_content_are_damaged),
        cmocka_unit_test(unreadable_content_is_not_damaged_content),
        cmocka_unit_test(file_that_changed_since_is_damaged),
        cmocka_unit_test(too_little_memory_is_told),
        cmocka_unit_test(form_is_told_by_the_reparse_point),
        cmocka_unit_test(every_form_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
