/*
 * The journal's format and where journals are kept. The expected bytes are put together here from
 * the table in format/journal.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/journal_store.h"
#include "host/fault.h"
#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"
#include "unit/plan_fixture.h"

#define ARENA 65536

/* PCI root bridge, device 3 function 1, NVMe namespace 1 (UEFI Specification 10.3.3.1, 10.3.2.1,
 * 10.3.4.20); a vendor's node (10.3.2.4). */
/* Ports with these files, and a store of variables that takes none. */
static const struct ports *over(const struct files_port *files)
{
    static struct ports ports;

    ports.files = *files;
    ports.vars = mem_vars_none();
    return &ports;
}

/* The same with the disks of the machine that is planned for. */
static const struct ports *over_disks(const struct planning *p, const struct files_port *files)
{
    static struct ports ports;

    ports = *over(files);
    ports.disks = host_ports(p->host)->disks;
    return &ports;
}

static const uint8_t disk_path_0[] = {2, 1, 12, 0, 0xd0, 0x41, 3,    10, 0,    0,    0, 0, 1,
                                      1, 6, 0,  1, 3,    3,    0x17, 16, 0,    1,    0, 0, 0,
                                      8, 7, 6,  5, 4,    3,    2,    1,  0x7f, 0xff, 4, 0};
static const uint8_t disk_path_1[] = {1, 4,  20, 0,  1,  2,  3,  4,  5,    6,    7, 8,
                                      9, 10, 11, 12, 13, 14, 15, 16, 0x7f, 0xff, 4, 0};

static const uint8_t guid_a[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t guid_b[16] = {0xf0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* sha256sum of 4096 zero bytes, of "abc" (FIPS 180-4, B.1). */
static const uint8_t zero_digest[8] = {0xad, 0x7f, 0xac, 0xb2, 0x58, 0x6f, 0xc6, 0xe9};
static const uint8_t abc_digest[8] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea};

struct state {
    uint8_t memory[ARENA];
    struct arena arena;
    struct journal_record records[2];
    struct journal journal;
    struct journal_disk disks[2];
    struct journal_record block_records[4];
    struct journal of_disks; /* with blocks, and a variable */
    uint8_t old_blocks[1024];
};

/* A disk of 512-byte blocks that had no GUID, and one of 4096-byte blocks that keeps its own. */
static void set_up_disks(struct state *s)
{
    memset(s->old_blocks, 0x5a, sizeof(s->old_blocks));
    s->disks[0].guid_after = guid_load(guid_a);
    s->disks[0].block_count = 1000;
    s->disks[0].block_size = 512;
    s->disks[0].path = span_of(disk_path_0, sizeof(disk_path_0));
    s->disks[1].guid_before = guid_load(guid_b);
    s->disks[1].guid_after = guid_load(guid_b);
    s->disks[1].block_count = 0x1122334455667788;
    s->disks[1].block_size = 4096;
    s->disks[1].path = span_of(disk_path_1, sizeof(disk_path_1));
    s->block_records[0] = (struct journal_record){.kind = JOURNAL_BLOCKS,
                                                  .step = 7,
                                                  .lba = 998,
                                                  .block_count = 2,
                                                  .old_data = span_of(s->old_blocks, 1024)};
    s->block_records[1] = (struct journal_record){.kind = JOURNAL_BLOCKS,
                                                  .disk = 1,
                                                  .step = 8,
                                                  .lba = 0x0102030405060708,
                                                  .block_count = 1,
                                                  .old_is_zero = true,
                                                  .new_digests = span_of(abc_digest, 8)};
    s->block_records[2] = (struct journal_record){
        .kind = JOURNAL_RELIED, .lba = 17, .block_count = 3, .digest = {.bytes = {0xaa, 0xbb}}};
    s->block_records[3] = s->records[1];
    s->of_disks = s->journal;
    s->of_disks.command = "prepare";
    s->of_disks.disks = s->disks;
    s->of_disks.disk_count = 2;
    s->of_disks.records = s->block_records;
    s->of_disks.count = 4;
}

static int set_up(void **state)
{
    struct state *s = host_alloc(1, sizeof(*s));

    arena_init(&s->arena, s->memory, sizeof(s->memory));
    s->records[0].kind = JOURNAL_VARIABLE;
    s->records[1].kind = JOURNAL_VARIABLE;
    strcpy(s->records[0].name, "Boot0005");
    s->records[0].new_present = true;
    s->records[0].new_attributes = 7;
    s->records[0].new_data = span_of("abcde", 5);
    strcpy(s->records[1].name, "BootOrder");
    s->records[1].old_present = true;
    s->records[1].old_attributes = 7;
    s->records[1].old_data = span_of("\3\0", 2);
    s->records[1].new_present = true;
    s->records[1].new_attributes = 7;
    s->records[1].new_data = span_of("\3\0\5\0", 4);
    s->journal.date = (struct date_time){2026, 1, 2, 3, 4, 5};
    s->journal.command = "shadowboot clone";
    s->journal.records = s->records;
    s->journal.count = 2;
    set_up_disks(s);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void seal(uint8_t *file, size_t size)
{
    st_le32(file + 28, 0);
    st_le32(file + 28, fixture_crc32(file, size));
}

static void put_name(struct fixture_bytes *bytes, const char *name)
{
    uint8_t field[64] = {0};

    memcpy(field, name, strlen(name));
    fixture_put(bytes, field, sizeof(field));
}

/* The file of the journal above. */
static void expected_file(struct fixture_bytes *file)
{
    file->size = 0;
    fixture_put(file, "SBJOURN2", 8);
    fixture_put_le(file, 40 + 16 + 88 + 5 + 88 + 6, 4);
    fixture_put_le(file, 2, 4);
    fixture_put(file, "\xea\x07\1\2\3\4\5\0", 8);
    fixture_put_le(file, 16, 4);
    fixture_put_le(file, 0, 4);
    fixture_put_le(file, 0, 8);
    fixture_put(file, "shadowboot clone", 16);
    fixture_put_le(file, 1, 4);
    fixture_put_le(file, 2, 4);
    fixture_put_le(file, 0, 8);
    fixture_put_le(file, 7, 4);
    fixture_put_le(file, 5, 4);
    put_name(file, "Boot0005");
    fixture_put(file, "abcde", 5);
    fixture_put_le(file, 1, 4);
    fixture_put_le(file, 3, 4);
    fixture_put_le(file, 7, 4);
    fixture_put_le(file, 2, 4);
    fixture_put_le(file, 7, 4);
    fixture_put_le(file, 4, 4);
    put_name(file, "BootOrder");
    fixture_put(file, "\3\0\3\0\5\0", 6);
    seal(file->at, file->size);
}

/* Where things stand in the file of the journal of disks. */
#define AT_DISK_0 (40 + 7)
#define AT_DISK_1 (AT_DISK_0 + 48 + 38)
#define AT_BLOCKS (AT_DISK_1 + 48 + 24)
#define AT_ZERO   (AT_BLOCKS + 32 + 1024)
#define AT_RELIED (AT_ZERO + 32 + 8)
#define AT_ORDER  (AT_RELIED + 56)
#define DISKS_END (AT_ORDER + 88 + 6)

/* The file of the journal of disks. */
static void expected_disks_file(const struct state *s, struct fixture_bytes *file)
{
    uint8_t digest[32] = {0xaa, 0xbb};

    file->size = 0;
    fixture_put(file, "SBJOURN2", 8);
    fixture_put_le(file, DISKS_END, 4);
    fixture_put_le(file, 4, 4);
    fixture_put(file, "\xea\x07\1\2\3\4\5\0", 8);
    fixture_put_le(file, 7, 4);
    fixture_put_le(file, 0, 4);
    fixture_put_le(file, 2, 8);
    fixture_put(file, "prepare", 7);
    fixture_put_le(file, 0, 8);
    fixture_put_le(file, 0, 8);
    fixture_put(file, guid_a, 16);
    fixture_put_le(file, 1000, 8);
    fixture_put_le(file, 512, 4);
    fixture_put_le(file, 38, 4);
    fixture_put(file, disk_path_0, 38);
    fixture_put(file, guid_b, 16);
    fixture_put(file, guid_b, 16);
    fixture_put_le(file, 0x1122334455667788, 8);
    fixture_put_le(file, 4096, 4);
    fixture_put_le(file, 24, 4);
    fixture_put(file, disk_path_1, 24);
    fixture_put(file, "\2\0\0\0\0\0\0\0\0\0\0\0\7\0\0\0", 16);
    fixture_put_le(file, 998, 8);
    fixture_put_le(file, 2, 8);
    fixture_put(file, s->old_blocks, 1024);
    fixture_put(file, "\2\0\0\0\3\0\0\0\1\0\0\0\10\0\0\0", 16);
    fixture_put_le(file, 0x0102030405060708, 8);
    fixture_put_le(file, 1, 8);
    fixture_put(file, abc_digest, 8);
    fixture_put(file, "\3\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0", 16);
    fixture_put_le(file, 17, 8);
    fixture_put(file, digest, 32);
    fixture_put(file, "\1\0\0\0\3\0\0\0\7\0\0\0\2\0\0\0\7\0\0\0\4\0\0\0", 24);
    put_name(file, "BootOrder");
    fixture_put(file, "\3\0\3\0\5\0", 6);
    assert_int_equal(file->size, DISKS_END);
    seal(file->at, file->size);
}

/* Parses `size` bytes in a buffer of just that size, which the journal may point into. */
static enum status parse_exact(struct state *s, const uint8_t *data, size_t size,
                               struct journal *journal)
{
    struct span exact = fixture_exact(data, size);

    arena_release(&s->arena, 0);
    enum status status = journal_parse(&s->arena, exact, journal);
    fixture_drop(exact);
    return status;
}

/* --- Format --------------------------------------------------------------------------------- */

static void built_file_is_as_described(void **state)
{
    struct state *s = *state;
    struct fixture_bytes expected;
    struct span file;

    expected_file(&expected);
    assert_int_equal(journal_build(&s->arena, &s->journal, &file), ST_OK);
    assert_int_equal(file.size, expected.size);
    assert_memory_equal(file.at, expected.at, expected.size);
}

static void file_is_taken_apart(void **state)
{
    struct state *s = *state;
    struct fixture_bytes file;
    struct journal journal;

    expected_file(&file);
    assert_int_equal(journal_parse(&s->arena, span_of(file.at, file.size), &journal), ST_OK);
    assert_int_equal(journal.state, JOURNAL_PENDING);
    assert_int_equal(journal.count, 2);
    assert_string_equal(journal.command, "shadowboot clone");
    assert_int_equal(journal.date.year, 2026);
    assert_int_equal(journal.date.second, 5);
    assert_false(journal.is_undo);
    assert_string_equal(journal.records[0].name, "Boot0005");
    assert_false(journal.records[0].old_present);
    assert_true(journal.records[0].new_present);
    assert_true(span_equal(journal.records[0].new_data, span_of("abcde", 5)));
    assert_true(journal.records[1].old_present);
    assert_int_equal(journal.records[1].old_attributes, 7);
    assert_true(span_equal(journal.records[1].old_data, span_of("\3\0", 2)));
    assert_true(span_equal(journal.records[1].new_data, span_of("\3\0\5\0", 4)));
}

/* The journal above, of a change that took another one back. */
static void undo_is_marked_in_byte_23(void **state)
{
    struct state *s = *state;
    struct fixture_bytes expected;
    struct journal journal;
    struct span file;

    expected_file(&expected);
    expected.at[23] = 1;
    seal(expected.at, expected.size);
    s->journal.is_undo = true;
    assert_int_equal(journal_build(&s->arena, &s->journal, &file), ST_OK);
    assert_int_equal(file.size, expected.size);
    assert_memory_equal(file.at, expected.at, expected.size);
    assert_int_equal(parse_exact(s, expected.at, expected.size, &journal), ST_OK);
    assert_true(journal.is_undo);
}

static void file_cut_at_any_byte_is_damaged(void **state)
{
    struct fixture_bytes file;
    struct journal journal;

    expected_file(&file);
    for (size_t size = 0; size < file.size; size++)
        assert_int_equal(parse_exact(*state, file.at, size, &journal), ST_DAMAGED);
}

static void any_changed_byte_is_damage(void **state)
{
    struct fixture_bytes file;
    struct journal journal;

    expected_file(&file);
    for (size_t i = 0; i < file.size; i++) {
        file.at[i] ^= 0x41;
        assert_int_equal(parse_exact(*state, file.at, file.size, &journal), ST_DAMAGED);
        file.at[i] ^= 0x41;
    }
}

/* Fields that lead outside, with a CRC that is right. */
static void sealed_file_with_a_bad_field_is_damaged(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
    } cases[] = {
        {8, 0},
        {8, 39},
        {8, 1000},
        {8, 0xffffffff},
        {12, 0},
        {12, 1},
        {12, 3},
        {12, 0xffffffff},
        {20, 0x02050403},
        {24, 0},
        {24, 17},
        {24, 0xffffffff},
        {32, 1},
        {32, 0xffffffff},
        {36, 1},
        {40, 0x61006873},
        {56, 0},
        {56, 2},
        {56, 4},
        {56 + 4, 4},
        {56 + 12, 1},
        {56 + 12, 0x1000},
        {56 + 20, 4},
        {56 + 20, 0xffffffff},
        {56 + 24, 0},
        {56 + 24, 0x746f0a42},
        {56 + 24 + 12, 0x78},
        {56 + 24 + 60, 0x78787878},
        {149 + 12, 3},
        {149 + 20, 0xffffffff},
    };
    struct fixture_bytes file;
    struct journal journal;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expected_file(&file);
        st_le32(file.at + cases[i].at, cases[i].value);
        /* The length decides what is sealed. */
        uint32_t total = ld_le32(file.at + 8);
        seal(file.at, total >= 32 && total <= file.size ? total : file.size);
        assert_int_equal(parse_exact(*state, file.at, file.size, &journal), ST_DAMAGED);
    }
}

static void built_file_of_disks_is_as_described(void **state)
{
    struct state *s = *state;
    struct fixture_bytes expected;
    struct span file;

    expected_disks_file(s, &expected);
    assert_int_equal(journal_size(&s->of_disks), expected.size);
    assert_int_equal(journal_build(&s->arena, &s->of_disks, &file), ST_OK);
    assert_int_equal(file.size, expected.size);
    assert_memory_equal(file.at, expected.at, expected.size);
}

static void file_of_disks_is_taken_apart(void **state)
{
    struct state *s = *state;
    struct fixture_bytes file;
    struct journal journal;

    expected_disks_file(s, &file);
    assert_int_equal(journal_parse(&s->arena, span_of(file.at, file.size), &journal), ST_OK);
    assert_true(journal_has_blocks(&journal));
    assert_int_equal(journal.disk_count, 2);
    assert_true(guid_is_zero(&journal.disks[0].guid_before));
    assert_memory_equal(journal.disks[0].guid_after.bytes, guid_a, 16);
    assert_int_equal(journal.disks[1].block_count, 0x1122334455667788);
    assert_int_equal(journal.disks[1].block_size, 4096);
    assert_true(span_equal(journal.disks[1].path, span_of(disk_path_1, 24)));
    assert_int_equal(journal.count, 4);
    const struct journal_record *records = journal.records;
    assert_int_equal(records[0].kind, JOURNAL_BLOCKS);
    assert_int_equal(records[0].disk, 0);
    assert_int_equal(records[0].step, 7);
    assert_int_equal(records[0].lba, 998);
    assert_int_equal(records[0].block_count, 2);
    assert_false(records[0].old_is_zero);
    assert_true(span_equal(records[0].old_data, span_of(s->old_blocks, 1024)));
    assert_int_equal(records[0].new_digests.size, 0);
    assert_int_equal(records[1].disk, 1);
    assert_true(records[1].old_is_zero);
    assert_int_equal(records[1].old_data.size, 0);
    assert_true(span_equal(records[1].new_digests, span_of(abc_digest, 8)));
    assert_int_equal(records[2].kind, JOURNAL_RELIED);
    assert_int_equal(records[2].lba, 17);
    assert_int_equal(records[2].block_count, 3);
    assert_int_equal(records[2].digest.bytes[1], 0xbb);
    assert_int_equal(records[3].kind, JOURNAL_VARIABLE);
    assert_string_equal(records[3].name, "BootOrder");
}

static void journal_of_variables_has_no_blocks(void **state)
{
    struct state *s = *state;

    assert_false(journal_has_blocks(&s->journal));
    s->of_disks.records += 2; /* what is relied on is not written */
    s->of_disks.count = 2;
    assert_false(journal_has_blocks(&s->of_disks));
}

static void file_of_disks_cut_at_any_byte_is_damaged(void **state)
{
    struct fixture_bytes file;
    struct journal journal;

    expected_disks_file(*state, &file);
    for (size_t size = 0; size < file.size; size++) {
        assert_int_equal(parse_exact(*state, file.at, size, &journal), ST_DAMAGED);
        /* The same with length and CRC that are right. */
        uint8_t *copy = host_copy(file.at, file.size);
        if (size >= 40) {
            st_le32(copy + 8, (uint32_t)size);
            seal(copy, size);
            assert_int_equal(parse_exact(*state, copy, size, &journal), ST_DAMAGED);
        }
        free(copy);
    }
}

/* Fields of disks and blocks that lead outside, with a CRC that is right. */
static void bad_field_of_a_disk_or_blocks_is_damaged(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
    } cases[] = {
        {12, 3},
        {32, 0},
        {32, 1},
        {32, 3},
        {AT_DISK_0 + 32, 999}, /* blocks: the last record's end is 1000 */
        {AT_DISK_0 + 40, 0},   /* block size */
        {AT_DISK_0 + 40, 256},
        {AT_DISK_0 + 40, 768},
        {AT_DISK_0 + 40, 1024}, /* possible, but the content is of 512 */
        {AT_DISK_1 + 40, 131072},
        {AT_DISK_0 + 44, 0}, /* path */
        {AT_DISK_0 + 44, 37},
        {AT_DISK_0 + 44, 0xffffffff},
        {AT_DISK_0 + 48, 0x000d0102},
        {AT_BLOCKS, 0}, /* kind */
        {AT_BLOCKS, 4},
        {AT_BLOCKS + 4, 1}, /* flags */
        {AT_BLOCKS + 4, 2},
        {AT_BLOCKS + 4, 4},
        {AT_ZERO + 4, 2},
        {AT_ZERO + 4, 1},
        {AT_BLOCKS + 8, 1}, /* disk: its blocks are larger */
        {AT_BLOCKS + 8, 2},
        {AT_BLOCKS + 8, 0xffffffff},
        {AT_BLOCKS + 16, 999}, /* LBA */
        {AT_BLOCKS + 20, 0xffffffff},
        {AT_ZERO + 20, 0x11223345},
        {AT_BLOCKS + 24, 0}, /* blocks */
        {AT_BLOCKS + 24, 1},
        {AT_BLOCKS + 24, 3},
        {AT_ZERO + 24, 0xffffffff},
        {AT_BLOCKS + 28, 1},
        {AT_RELIED + 4, 1},
        {AT_RELIED + 8, 2},
        {AT_RELIED + 12, 0},
        {AT_RELIED + 12, 984},
        {AT_RELIED + 12, 0xffffffff},
        {AT_RELIED + 16, 998},
        {AT_RELIED + 20, 0xffffffff},
    };
    struct state *s = *state;
    struct fixture_bytes file;
    struct journal journal;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expected_disks_file(s, &file);
        st_le32(file.at + cases[i].at, cases[i].value);
        seal(file.at, file.size);
        enum status status = parse_exact(s, file.at, file.size, &journal);
        if (status != ST_DAMAGED)
            print_message("case %zu\n", i);
        assert_int_equal(status, ST_DAMAGED);
    }
}

/* LBA and count that only together go beyond 64 bits. */
static void blocks_that_overflow_are_damaged(void **state)
{
    struct state *s = *state;
    struct fixture_bytes file;
    struct journal journal;

    expected_disks_file(s, &file);
    st_le64(file.at + AT_DISK_1 + 32, UINT64_MAX);
    st_le64(file.at + AT_ZERO + 16, UINT64_MAX - 1);
    seal(file.at, file.size);
    assert_int_equal(parse_exact(s, file.at, file.size, &journal), ST_OK);
    st_le64(file.at + AT_ZERO + 16, UINT64_MAX);
    seal(file.at, file.size);
    assert_int_equal(parse_exact(s, file.at, file.size, &journal), ST_DAMAGED);
}

static void digest_is_the_beginning_of_sha_256(void **state)
{
    static const uint8_t zero[4096];
    uint8_t digest[8];

    (void)state;
    journal_digest(span_of("abc", 3), digest);
    assert_memory_equal(digest, abc_digest, 8);
    journal_digest(span_of(zero, sizeof(zero)), digest);
    assert_memory_equal(digest, zero_digest, 8);
}

static void first_and_last_bytes_tell_a_closed_file(void **state)
{
    static const struct {
        const char *marks;
        bool closed;
    } cases[] = {
        {"", false},         {"SBDONE__", true},         {"SBDONE__SBUNDONE", true},
        {"SBLEFT__", true},  {"SBUNDONESBDON", false},   {"SBDO", false},
        {"xxxxxxxx", false}, {"SBDONE_xSBLEFT__", true},
    };
    struct fixture_bytes file;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expected_file(&file);
        fixture_put(&file, cases[i].marks, strlen(cases[i].marks));
        struct span end = span_of(file.at + file.size - 8, 8);
        assert_int_equal(journal_is_closed(span_of(file.at, 12), end, file.size), cases[i].closed);
    }
    /* What looks like a mark is content. */
    expected_file(&file);
    memcpy(file.at + file.size - 8, "SBDONE__", 8);
    assert_false(
        journal_is_closed(span_of(file.at, 12), span_of(file.at + file.size - 8, 8), file.size));
}

static void last_whole_mark_is_the_state(void **state)
{
    static const struct {
        const char *marks;
        enum journal_state state;
    } cases[] = {
        {"", JOURNAL_PENDING},
        {"SBDONE__", JOURNAL_DONE},
        {"SBDONE__SBUNDONE", JOURNAL_UNDONE},
        {"SBDONE__SBUNDONESBDONE__", JOURNAL_DONE},
        {"SBUNDONE", JOURNAL_UNDONE},
        {"SBDON", JOURNAL_PENDING},
        {"SBDOxxxx", JOURNAL_PENDING},
        {"SBDOxxxxSBUNDONE", JOURNAL_UNDONE},
        {"SBDOSBUNDONE", JOURNAL_UNDONE}, /* a mark that was cut by a power failure before it */
        {"SBDONE__SBUNSBUNDONE", JOURNAL_UNDONE},
        {"SBDONE__SBUN", JOURNAL_DONE},
        {"SBLEFT__", JOURNAL_LEFT},
        {"SBLEFTSBLEFT__", JOURNAL_LEFT},
        {"SBLEFT__SBUNDONE", JOURNAL_UNDONE},
    };
    struct state *s = *state;
    struct journal journal;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture_bytes file;
        expected_file(&file);
        fixture_put(&file, cases[i].marks, strlen(cases[i].marks));
        assert_int_equal(parse_exact(s, file.at, file.size, &journal), ST_OK);
        assert_int_equal(journal.state, cases[i].state);
    }
}

static void marks_are_the_described_bytes(void **state)
{
    (void)state;
    assert_true(span_equal(journal_mark(JOURNAL_DONE), span_of("SBDONE__", 8)));
    assert_true(span_equal(journal_mark(JOURNAL_UNDONE), span_of("SBUNDONE", 8)));
    assert_true(span_equal(journal_mark(JOURNAL_LEFT), span_of("SBLEFT__", 8)));
}

static void little_memory_is_reported(void **state)
{
    struct state *s = *state;
    struct fixture_bytes bytes;
    struct journal journal;
    struct span file;
    bool built = false;
    bool parsed = false;

    expected_disks_file(s, &bytes);
    for (size_t size = 0; size < 4096; size += 16) {
        arena_init(&s->arena, s->memory, size);
        enum status status = journal_build(&s->arena, &s->of_disks, &file);
        assert_true(status == ST_OK || (status == ST_NO_MEMORY && !built));
        built = status == ST_OK;
        arena_init(&s->arena, s->memory, size);
        status = journal_parse(&s->arena, span_of(bytes.at, bytes.size), &journal);
        assert_true(status == ST_OK || (status == ST_NO_MEMORY && !parsed));
        parsed = status == ST_OK;
    }
    assert_true(built && parsed);
}

/* --- Store ---------------------------------------------------------------------------------- */

#define JOURNAL_1 "\\EFI\\shadowboot\\J0000001.SBJ"

/* Makes the journal of disks one about the machine's disk alone. */
static void be_about_disk(struct state *s, struct planning *p, size_t disk)
{
    s->disks[0].path = p->machine.disks[disk].path;
    s->of_disks.disk_count = 1;
    s->of_disks.count = 1;
}

/* Saves the journal on the planning's machine. */
static enum status save(struct state *s, struct planning *p, struct journal_file *ret_file)
{
    return journal_store_save(&s->arena, host_ports(p->host), &p->machine, &s->journal, ret_file);
}

static void journal_goes_to_the_volume_the_program_came_from(void **state)
{
    struct host *host = fixture_modern_machine();
    size_t stick = fixture_add_stick(host);
    struct planning *p = planning_begin(host);
    struct fixture_bytes expected;
    struct journal_file file;

    expected_file(&expected);
    assert_int_equal(save(*state, p, &file), ST_OK);
    assert_int_equal(file.volume, stick);
    assert_int_equal(file.id, 1);
    assert_string_equal(file.path, JOURNAL_1);
    struct span got = mem_files_find(host->files, stick, JOURNAL_1);
    assert_int_equal(got.size, expected.size);
    assert_memory_equal(got.at, expected.at, expected.size);
    planning_end(p);
}

/* Write-protected, full, or no volume at all: the ESPs of fixed disks are next. */
static void else_an_esp_of_a_fixed_disk_takes_it(void **state)
{
    for (int i = 0; i < 4; i++) {
        struct host *host = fixture_modern_machine();
        size_t stick = fixture_add_stick(host);
        struct planning *p = planning_begin(host);
        struct journal_file file;
        size_t expected = 0;
        if (i == 0)
            mem_files_set_read_only(host->files, stick, true);
        if (i == 1)
            mem_files_set_free(host->files, stick, 1000);
        if (i == 2)
            mem_files_set_self(host->files, FILES_NO_VOLUME);
        if (i == 3) {
            mem_files_set_read_only(host->files, stick, true);
            mem_files_set_free(host->files, 0, 1000);
            expected = 1;
        }
        assert_int_equal(save(*state, p, &file), ST_OK);
        assert_int_equal(file.volume, expected);
        planning_end(p);
    }
}

static void without_a_volume_the_last_reason_is_told(void **state)
{
    struct planning *p = planning_begin(fixture_modern_machine());
    struct journal_file file = {.id = 77};

    mem_vars_set_read_only(p->host->vars, true);
    mem_files_set_free(p->host->files, 0, 1000);
    mem_files_set_free(p->host->files, 1, 1000);
    assert_int_equal(save(*state, p, &file), ST_NO_SPACE);
    mem_files_set_read_only(p->host->files, 0, true);
    mem_files_set_read_only(p->host->files, 1, true);
    assert_int_equal(save(*state, p, &file), ST_READ_ONLY);
    assert_int_equal(file.id, 77);
    planning_end(p);
    p = planning_begin(host_new());
    mem_vars_set_read_only(p->host->vars, true);
    assert_int_equal(save(*state, p, &file), ST_ABSENT);
    planning_end(p);
}

static void no_volume_of_a_changed_disk_takes_the_journal(void **state)
{
    struct state *s = *state;

    for (size_t disk = 0; disk < 2; disk++) {
        struct planning *p = planning_begin(fixture_modern_machine());
        const struct files_port *files = &host_ports(p->host)->files;
        struct journal_file file = {.id = 77};
        be_about_disk(s, p, disk);
        assert_int_equal(
            journal_store_save(&s->arena, over_disks(p, files), &p->machine, &s->of_disks, &file),
            ST_OK);
        assert_int_equal(file.volume, 1 - disk); /* FS0: is on Disk 0 */
        assert_true(file.has_blocks);
        planning_end(p);
    }
}

/* A member of an array is written to through the array alone. */
static void no_member_of_an_array_takes_the_journal(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    const struct files_port *files = &host_ports(p->host)->files;
    struct md_volume volumes[2] = {{.partition = NO_INDEX}, {.partition = NO_INDEX}};
    struct journal_file file = {.id = 77};

    for (size_t i = 0; i < p->machine.partition_count; i++) {
        if (p->machine.partitions[i].volume < 2)
            volumes[p->machine.partitions[i].volume].partition = i;
    }
    be_about_disk(s, p, 1);
    p->machine.md_volumes = &volumes[1];
    p->machine.md_volume_count = 1;
    assert_int_equal(
        journal_store_save(&s->arena, over_disks(p, files), &p->machine, &s->of_disks, &file),
        ST_OK);
    assert_int_equal(file.volume, 0);
    p->machine.md_volumes = volumes;
    p->machine.md_volume_count = 2;
    assert_int_equal(
        journal_store_save(&s->arena, over_disks(p, files), &p->machine, &s->of_disks, &file),
        ST_REFUSED);
    assert_null(mem_files_find(p->host->files, 1, JOURNAL_1).at);
    planning_end(p);
}

static void without_another_disk_saving_is_refused(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    const struct files_port *files = &host_ports(p->host)->files;
    struct journal_file file = {.id = 77};

    s->of_disks.count = 1;
    s->disks[0].path = p->machine.disks[0].path;
    s->disks[1].path = p->machine.disks[1].path;
    assert_int_equal(
        journal_store_save(&s->arena, over_disks(p, files), &p->machine, &s->of_disks, &file),
        ST_REFUSED);
    assert_int_equal(file.id, 77);
    assert_null(mem_files_find(p->host->files, 0, JOURNAL_1).at);
    assert_null(mem_files_find(p->host->files, 1, JOURNAL_1).at);
    be_about_disk(s, p, 1); /* what could be done about the other counts more */
    mem_files_set_free(p->host->files, 0, 1000);
    files = &host_ports(p->host)->files;
    assert_int_equal(
        journal_store_save(&s->arena, over_disks(p, files), &p->machine, &s->of_disks, &file),
        ST_NO_SPACE);
    planning_end(p);
}

/* A stick without partitions: its volume has the disk's own path. */
static void volume_of_a_whole_disk_is_on_it(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    struct span whole = p->machine.disks[1].path;
    size_t volume = mem_files_add_volume(p->host->files, whole, "FS9:", 0);
    struct journal_file file;

    mem_files_set_self(p->host->files, volume);
    be_about_disk(s, p, 0);
    assert_int_equal(
        journal_store_save(&s->arena, host_ports(p->host), &p->machine, &s->of_disks, &file),
        ST_OK);
    assert_int_equal(file.volume, volume);
    be_about_disk(s, p, 1);
    assert_int_equal(
        journal_store_save(&s->arena, host_ports(p->host), &p->machine, &s->of_disks, &file),
        ST_OK);
    assert_int_equal(file.volume, 0);
    planning_end(p);
}

/* The whole journal and a margin must fit: one byte less does not do. */
static void room_needed_is_told_to_the_byte(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    uint64_t needed = journal_store_needs(&s->journal);
    struct journal_file file;

    assert_int_equal(needed, 40 + 16 + 88 + 5 + 88 + 6 + 65536);
    mem_vars_set_read_only(p->host->vars, true);
    mem_files_set_free(p->host->files, 0, needed - 1);
    mem_files_set_free(p->host->files, 1, needed - 1);
    assert_int_equal(save(s, p, &file), ST_NO_SPACE);
    mem_files_set_free(p->host->files, 1, needed);
    assert_int_equal(save(s, p, &file), ST_OK);
    assert_int_equal(file.volume, 1);
    planning_end(p);
}

/* A write that fails, lies, or comes back changed is not counted on. */
static void volume_that_fails_is_passed_over(void **state)
{
    struct state *s = *state;

    for (int i = 0; i < 3; i++) {
        struct planning *p = planning_begin(fixture_modern_machine());
        struct fault *fault = fault_new(host_ports(p->host));
        struct journal_file file;
        if (i == 0)
            fault_fail(fault, FAULT_FILE_WRITE, 1, ST_IO, false);
        if (i == 1)
            fault_fail(fault, FAULT_FILE_WRITE, 1, ST_OK, false);
        if (i == 2)
            fault_fail(fault, FAULT_FILE_READ, 1, ST_IO, false);
        assert_int_equal(
            journal_store_save(&s->arena, fault_ports(fault), &p->machine, &s->journal, &file),
            ST_OK);
        assert_int_equal(file.volume, 1);
        assert_null(mem_files_find(p->host->files, 0, JOURNAL_1).at);
        fault_free(fault);
        planning_end(p);
    }
}

/* Writes on volume 0 arrive with one bit changed. */
static const struct files_port *sound_files;

static enum status bad_write(void *ctx, size_t volume, const char *path, enum file_write_mode mode,
                             const void *data, size_t size)
{
    uint8_t *copy = host_copy(data, size);

    if (volume == 0)
        copy[size / 2] ^= 1;
    enum status status = sound_files->write(ctx, volume, path, mode, copy, size);
    free(copy);
    return status;
}

static void journal_that_reads_differently_is_written_elsewhere(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    struct files_port bad = host_ports(p->host)->files;
    struct journal_file file;

    sound_files = &host_ports(p->host)->files;
    bad.write = bad_write;
    assert_int_equal(
        journal_store_save(&s->arena, over_disks(p, &bad), &p->machine, &s->journal, &file), ST_OK);
    assert_int_equal(file.volume, 1);
    assert_null(mem_files_find(p->host->files, 0, JOURNAL_1).at);
    planning_end(p);
}

static void numbers_are_unique_over_all_volumes(void **state)
{
    struct planning *p = planning_begin(fixture_modern_machine());
    struct journal_file file;

    mem_files_put(p->host->files, 1, "\\EFI\\shadowboot\\j0000041.sbj", "x", 1);
    mem_files_put(p->host->files, 1, "\\EFI\\shadowboot\\J0000099.SBX", "x", 1);
    mem_files_put(p->host->files, 1, "\\EFI\\shadowboot\\J00000999.SBJ", "x", 1);
    assert_int_equal(save(*state, p, &file), ST_OK);
    assert_int_equal(file.id, 42);
    assert_string_equal(file.path, "\\EFI\\shadowboot\\J0000042.SBJ");
    planning_end(p);
}

static void list_has_all_journals_by_number_with_their_state(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    struct journal_files files;
    struct journal_file file;

    assert_int_equal(save(s, p, &file), ST_OK);
    assert_int_equal(journal_store_mark(host_ports(p->host), &file, JOURNAL_DONE), ST_OK);
    mem_files_set_self(p->host->files, 1);
    assert_int_equal(save(s, p, &file), ST_OK);
    assert_int_equal(journal_store_mark(host_ports(p->host), &file, JOURNAL_UNDONE), ST_OK);
    mem_files_set_self(p->host->files, 0);
    assert_int_equal(save(s, p, &file), ST_OK);
    mem_files_put(p->host->files, 1, "\\EFI\\shadowboot\\J0000004.SBJ", "SBJOURN1", 8);
    mem_files_put(p->host->files, 1, "\\EFI\\shadowboot\\J0000005.SBJ", s->old_blocks, 100);
    mem_files_spoil(p->host->files, 1, "\\EFI\\shadowboot\\J0000005.SBJ");
    assert_int_equal(journal_store_list(&s->arena, host_ports(p->host), &files), ST_OK);
    assert_int_equal(files.count, 5);
    for (size_t i = 0; i < files.count; i++)
        assert_int_equal(files.items[i].id, i + 1);
    assert_int_equal(files.items[0].journal.state, JOURNAL_DONE);
    assert_int_equal(files.items[0].volume, 0);
    assert_int_equal(files.items[1].journal.state, JOURNAL_UNDONE);
    assert_int_equal(files.items[1].volume, 1);
    assert_int_equal(files.items[2].journal.state, JOURNAL_PENDING);
    assert_int_equal(files.items[3].status, ST_DAMAGED);
    assert_int_equal(files.items[4].status, ST_IO);
    planning_end(p);
}

/* A journal of 3 MiB and a bit: more than one piece, and the last one is short. */
#define LARGE_BLOCKS  6145u
#define RECORD_BLOCKS (JOURNAL_OLD_MOST / 512)

struct large {
    uint8_t memory[16u << 20];
    struct arena arena;
    struct journal_record records[LARGE_BLOCKS / RECORD_BLOCKS + 1];
    uint8_t old_data[LARGE_BLOCKS * 512];
    uint8_t piece[JOURNAL_OLD_MOST];
};

static struct large *save_large(struct state *s, struct planning *p, struct journal_file *ret_file)
{
    struct large *large = host_alloc(1, sizeof(*large));

    arena_init(&large->arena, large->memory, sizeof(large->memory));
    for (size_t i = 0; i < sizeof(large->old_data); i++)
        large->old_data[i] = (uint8_t)(i * 7 + i / 512);
    be_about_disk(s, p, 1);
    s->disks[0].block_count = LARGE_BLOCKS;
    for (uint32_t i = 0; i <= LARGE_BLOCKS / RECORD_BLOCKS; i++) {
        uint32_t left = LARGE_BLOCKS - i * RECORD_BLOCKS;
        uint32_t count = left < RECORD_BLOCKS ? left : RECORD_BLOCKS;
        large->records[i] = s->block_records[0];
        large->records[i].lba = (uint64_t)i * RECORD_BLOCKS;
        large->records[i].block_count = count;
        large->records[i].old_data =
            span_of(large->old_data + (size_t)i * JOURNAL_OLD_MOST, (size_t)count * 512);
    }
    s->of_disks.records = large->records;
    s->of_disks.count = LARGE_BLOCKS / RECORD_BLOCKS + 1;
    assert_int_equal(
        journal_store_save(&large->arena, host_ports(p->host), &p->machine, &s->of_disks, ret_file),
        ST_OK);
    return large;
}

/* A piece at a time, and any block. */
static void expect_old_content(struct large *large, const struct journal *journal)
{
    assert_int_equal(journal->count, LARGE_BLOCKS / RECORD_BLOCKS + 1);
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_record *record = &journal->records[i];
        const uint8_t *old = large->old_data + i * JOURNAL_OLD_MOST;
        uint32_t last = record->block_count - 1;
        assert_null(record->old_data.at);
        assert_int_equal(journal_old(journal, record, 0, record->block_count, large->piece), ST_OK);
        assert_memory_equal(large->piece, old, (size_t)record->block_count * 512);
        assert_int_equal(journal_old(journal, record, last, 1, large->piece), ST_OK);
        assert_memory_equal(large->piece, old + (size_t)last * 512, 512);
    }
}

static void large_journal_is_listed_in_little_memory_and_loaded_in_full(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    const struct files_port *files = &host_ports(p->host)->files;
    struct journal_files list;
    struct journal_file file;
    struct journal journal;
    struct large *large = save_large(s, p, &file);

    assert_true(file.size > 3u << 20);
    struct span stored = mem_files_find(p->host->files, 0, JOURNAL_1);
    assert_int_equal(stored.size, file.size);
    arena_release(&large->arena, 0);
    assert_int_equal(journal_store_list(&large->arena, over(files), &list), ST_OK);
    assert_in_range(arena_mark(&large->arena), 1, 4096);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].status, ST_OK);
    assert_true(list.items[0].has_blocks);
    assert_string_equal(list.items[0].journal.command, "prepare");
    assert_int_equal(list.items[0].journal.count, 0);
    assert_int_equal(journal_store_load(&large->arena, over(files), &list.items[0], &journal),
                     ST_OK);
    expect_old_content(large, &journal);
    /* A byte that has changed since is not taken for old content. */
    uint8_t *copy = host_copy(stored.at, stored.size);
    copy[stored.size / 2] ^= 1;
    mem_files_put(p->host->files, 0, JOURNAL_1, copy, stored.size);
    free(copy);
    assert_int_equal(journal_old(&journal, &journal.records[1], 0, RECORD_BLOCKS, large->piece),
                     ST_IO);
    assert_int_equal(journal_old(&journal, &journal.records[0], 0, RECORD_BLOCKS, large->piece),
                     ST_OK);
    free(large);
    planning_end(p);
}

/* Old content stays where it is until it is wanted. */
static void journal_that_does_not_fit_into_memory_is_read_all_the_same(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    const struct files_port *files = &host_ports(p->host)->files;
    struct journal_files list;
    struct journal journal;
    struct journal_file file;
    struct large *large = save_large(s, p, &file);

    assert_int_equal(save(s, p, &file), ST_OK);
    arena_init(&large->arena, large->memory, 512u << 10);
    assert_int_equal(journal_store_list(&large->arena, over(files), &list), ST_OK);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].status, ST_OK);
    assert_int_equal(list.items[1].status, ST_OK);
    assert_int_equal(journal_store_load(&large->arena, over(files), &list.items[0], &journal),
                     ST_OK);
    expect_old_content(large, &journal);
    free(large);
    planning_end(p);
}

/* It is read in one piece when it comes back. */
static void more_old_content_than_a_record_may_have_is_damage(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    struct journal_file file;
    struct journal journal;
    struct span built;
    struct large *large = save_large(s, p, &file);

    for (uint32_t count = RECORD_BLOCKS; count <= RECORD_BLOCKS + 1; count++) {
        arena_release(&large->arena, 0);
        large->records[0].block_count = count;
        large->records[0].old_data = span_of(large->old_data, (size_t)count * 512);
        assert_int_equal(journal_build(&large->arena, &s->of_disks, &built), ST_OK);
        assert_int_equal(journal_parse(&large->arena, built, &journal),
                         count == RECORD_BLOCKS ? ST_OK : ST_DAMAGED);
    }
    free(large);
    planning_end(p);
}

/* One byte of the second piece, or the last byte, arrives changed. */
static size_t bad_at;

static enum status bad_byte_write(void *ctx, size_t volume, const char *path,
                                  enum file_write_mode mode, const void *data, size_t size)
{
    uint8_t *copy = host_copy(data, size);

    if (volume == 0)
        copy[bad_at < size ? bad_at : size - 1] ^= 1;
    enum status status = sound_files->write(ctx, volume, path, mode, copy, size);
    free(copy);
    return status;
}

static void every_piece_of_a_large_journal_is_compared(void **state)
{
    static const size_t places[] = {0, 1u << 20, (3u << 20) - 1, SIZE_MAX};
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    struct files_port bad = host_ports(p->host)->files;
    struct journal_file file;
    struct large *large = save_large(s, p, &file);

    sound_files = &host_ports(p->host)->files;
    bad.write = bad_byte_write;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        arena_release(&large->arena, 0);
        bad_at = places[i];
        assert_int_equal(journal_store_save(&large->arena, over_disks(p, &bad), &p->machine,
                                            &s->of_disks, &file),
                         ST_IO);
        assert_null(mem_files_find(p->host->files, 0, "\\EFI\\shadowboot\\J0000002.SBJ").at);
    }
    free(large);
    planning_end(p);
}

static void only_journals_without_a_mark_are_interrupted(void **state)
{
    static const enum journal_state states[] = {JOURNAL_DONE, JOURNAL_UNDONE, JOURNAL_LEFT};
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    const struct files_port *files = &host_ports(p->host)->files;
    struct journal_files list;
    struct journal_file file;

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(save(s, p, &file), ST_OK);
        assert_int_equal(journal_store_mark(over(files), &file, states[i]), ST_OK);
    }
    assert_int_equal(save(s, p, &file), ST_OK);
    mem_files_put(p->host->files, 1, "\\EFI\\shadowboot\\J0000005.SBJ", "SBJOURN2", 8);
    assert_int_equal(journal_store_list_interrupted(&s->arena, over(files), &list), ST_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].id, 4);
    planning_end(p);
}

static size_t bytes_read;

static enum status counted_read(void *ctx, size_t volume, const char *path, uint64_t offset,
                                void *ret_data, size_t size, size_t *ret_size)
{
    bytes_read += size;
    return sound_files->read(ctx, volume, path, offset, ret_data, size, ret_size);
}

static void change_that_is_over_costs_two_short_reads(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    struct files_port counted = host_ports(p->host)->files;
    struct journal_files list;
    struct journal_file file;
    struct large *large = save_large(s, p, &file);

    sound_files = &host_ports(p->host)->files;
    counted.read = counted_read;
    assert_int_equal(journal_store_mark(over(sound_files), &file, JOURNAL_DONE), ST_OK);
    bytes_read = 0;
    assert_int_equal(journal_store_list_interrupted(&large->arena, over(&counted), &list), ST_OK);
    assert_int_equal(list.count, 0);
    assert_in_range(bytes_read, 1, 64);
    free(large);
    planning_end(p);
}

/* Volumes come back in another order, or not at all. */
static void journal_is_found_again_when_volumes_were_renewed(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    struct files_port files = host_ports(p->host)->files;
    struct file_volume volumes[2] = {files.volumes[1], files.volumes[0]};
    struct journal_file file;

    assert_int_equal(save(s, p, &file), ST_OK);
    assert_int_equal(file.volume, 0);
    assert_string_equal(journal_store_alias(over(&files), &file), "FS0:");
    files.volumes = volumes;
    assert_int_equal(journal_store_volume(over(&files), &file), 1);
    assert_string_equal(journal_store_alias(over(&files), &file), "FS0:");
    files.volume_count = 1;
    assert_int_equal(journal_store_volume(over(&files), &file), FILES_NO_VOLUME);
    assert_int_equal(journal_store_mark(over(&files), &file, JOURNAL_DONE), ST_ABSENT);
    assert_int_equal(journal_store_load(&s->arena, over(&files), &file, &s->journal), ST_ABSENT);
    planning_end(p);
}

static void later_is_what_number_or_date_says(void **state)
{
    struct journal_file a = {.id = 2, .volume_path = span_of(disk_path_0, sizeof(disk_path_0))};
    struct journal_file b = {.id = 1, .volume_path = span_of(disk_path_0, sizeof(disk_path_0))};

    (void)state;
    a.journal.date = (struct date_time){2026, 1, 1, 0, 0, 0};
    b.journal.date = (struct date_time){2026, 1, 1, 0, 0, 1};
    assert_true(journal_file_is_later(&a, &b)); /* the clock was set back */
    b.volume_path = span_of(disk_path_1, sizeof(disk_path_1));
    assert_true(journal_file_is_later(&b, &a));
    assert_false(journal_file_is_later(&a, &b));
    b.journal.date.year = 0;
    assert_true(journal_file_is_later(&a, &b));
}

/* With too little for the whole work there is no list, and no journal on any volume. */
static void store_with_little_memory_says_so(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    const struct files_port *files = &host_ports(p->host)->files;
    struct journal_files list = {.count = 77};
    struct journal_file file = {.id = 77};
    size_t size = 0;

    for (; size < ARENA; size += 16) {
        arena_init(&s->arena, s->memory, size);
        enum status status = save(s, p, &file);
        if (status == ST_OK)
            break;
        assert_int_equal(status, ST_NO_MEMORY);
        assert_int_equal(file.id, 77);
        assert_null(mem_files_find(p->host->files, 0, JOURNAL_1).at);
    }
    assert_in_range(size, 100, 2000);
    for (size = 0; size < ARENA; size += 16) {
        arena_init(&s->arena, s->memory, size);
        enum status status = journal_store_list(&s->arena, over(files), &list);
        if (status == ST_OK && list.items[0].status == ST_OK)
            break;
        /* Either there is no list, or the journal does not fit. */
        if (status == ST_OK)
            assert_int_equal(list.items[0].status, ST_NO_MEMORY);
        else
            assert_int_equal(status, ST_NO_MEMORY);
        assert_int_equal(list.count, status == ST_OK ? 1 : 77);
    }
    assert_in_range(size, 100, 4000);
    assert_int_equal(list.count, 1);
    planning_end(p);
}

static void mark_tells_why_it_could_not_be_appended(void **state)
{
    struct state *s = *state;
    struct planning *p = planning_begin(fixture_modern_machine());
    struct journal_file file;

    assert_int_equal(save(s, p, &file), ST_OK);
    mem_files_set_read_only(p->host->files, 0, true);
    assert_int_equal(journal_store_mark(host_ports(p->host), &file, JOURNAL_DONE), ST_READ_ONLY);
    mem_files_set_read_only(p->host->files, 0, false);
    mem_files_drop(p->host->files, 0, JOURNAL_1);
    assert_int_equal(journal_store_mark(host_ports(p->host), &file, JOURNAL_DONE), ST_ABSENT);
    planning_end(p);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(built_file_is_as_described),
        CASE(file_is_taken_apart),
        CASE(undo_is_marked_in_byte_23),
        CASE(file_cut_at_any_byte_is_damaged),
        CASE(any_changed_byte_is_damage),
        CASE(sealed_file_with_a_bad_field_is_damaged),
        CASE(built_file_of_disks_is_as_described),
        CASE(file_of_disks_is_taken_apart),
        CASE(journal_of_variables_has_no_blocks),
        CASE(file_of_disks_cut_at_any_byte_is_damaged),
        CASE(bad_field_of_a_disk_or_blocks_is_damaged),
        CASE(blocks_that_overflow_are_damaged),
        CASE(digest_is_the_beginning_of_sha_256),
        CASE(first_and_last_bytes_tell_a_closed_file),
        CASE(last_whole_mark_is_the_state),
        CASE(marks_are_the_described_bytes),
        CASE(little_memory_is_reported),
        CASE(journal_goes_to_the_volume_the_program_came_from),
        CASE(else_an_esp_of_a_fixed_disk_takes_it),
        CASE(without_a_volume_the_last_reason_is_told),
        CASE(no_volume_of_a_changed_disk_takes_the_journal),
        CASE(no_member_of_an_array_takes_the_journal),
        CASE(without_another_disk_saving_is_refused),
        CASE(volume_of_a_whole_disk_is_on_it),
        CASE(room_needed_is_told_to_the_byte),
        CASE(volume_that_fails_is_passed_over),
        CASE(journal_that_reads_differently_is_written_elsewhere),
        CASE(numbers_are_unique_over_all_volumes),
        CASE(list_has_all_journals_by_number_with_their_state),
        CASE(large_journal_is_listed_in_little_memory_and_loaded_in_full),
        CASE(journal_that_does_not_fit_into_memory_is_read_all_the_same),
        CASE(more_old_content_than_a_record_may_have_is_damage),
        CASE(every_piece_of_a_large_journal_is_compared),
        CASE(only_journals_without_a_mark_are_interrupted),
        CASE(change_that_is_over_costs_two_short_reads),
        CASE(journal_is_found_again_when_volumes_were_renewed),
        CASE(later_is_what_number_or_date_says),
        CASE(store_with_little_memory_says_so),
        CASE(mark_tells_why_it_could_not_be_appended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
