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

struct state {
    uint8_t memory[ARENA];
    struct arena arena;
    struct journal_record records[2];
    struct journal journal;
};

static int set_up(void **state)
{
    struct state *s = host_alloc(1, sizeof(*s));

    arena_init(&s->arena, s->memory, sizeof(s->memory));
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
    fixture_put(file, "SBJOURN1", 8);
    fixture_put_le(file, 32 + 16 + 84 + 5 + 84 + 6, 4);
    fixture_put_le(file, 2, 4);
    fixture_put(file, "\xea\x07\1\2\3\4\5\0", 8);
    fixture_put_le(file, 16, 4);
    fixture_put_le(file, 0, 4);
    fixture_put(file, "shadowboot clone", 16);
    fixture_put_le(file, 2, 4);
    fixture_put_le(file, 0, 8);
    fixture_put_le(file, 7, 4);
    fixture_put_le(file, 5, 4);
    put_name(file, "Boot0005");
    fixture_put(file, "abcde", 5);
    fixture_put_le(file, 3, 4);
    fixture_put_le(file, 7, 4);
    fixture_put_le(file, 2, 4);
    fixture_put_le(file, 7, 4);
    fixture_put_le(file, 4, 4);
    put_name(file, "BootOrder");
    fixture_put(file, "\3\0\3\0\5\0", 6);
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
        {8, 31},
        {8, 1000},
        {8, 0xffffffff},
        {12, 0},
        {12, 1},
        {12, 3},
        {12, 0xffffffff},
        {24, 0},
        {24, 17},
        {24, 0xffffffff},
        {48 + 8, 1},
        {48 + 8, 0x1000},
        {48 + 16, 4},
        {48 + 16, 0xffffffff},
        {48 + 20, 0},
        {48 + 20 + 60, 0x78787878},
        {137 + 8, 3},
        {137 + 16, 0xffffffff},
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
}

static void little_memory_is_reported(void **state)
{
    struct state *s = *state;
    struct fixture_bytes bytes;
    struct journal journal;
    struct span file;
    bool built = false;
    bool parsed = false;

    expected_file(&bytes);
    for (size_t size = 0; size < 2048; size += 16) {
        arena_init(&s->arena, s->memory, size);
        enum status status = journal_build(&s->arena, &s->journal, &file);
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

/* Saves the journal on the planning's machine. */
static enum status save(struct state *s, struct planning *p, struct journal_file *ret_file)
{
    return journal_store_save(&s->arena, &host_ports(p->host)->files, &p->machine, &s->journal,
                              ret_file);
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

    mem_files_set_free(p->host->files, 0, 1000);
    mem_files_set_free(p->host->files, 1, 1000);
    assert_int_equal(save(*state, p, &file), ST_NO_SPACE);
    mem_files_set_read_only(p->host->files, 0, true);
    mem_files_set_read_only(p->host->files, 1, true);
    assert_int_equal(save(*state, p, &file), ST_READ_ONLY);
    assert_int_equal(file.id, 77);
    planning_end(p);
    p = planning_begin(host_new());
    assert_int_equal(save(*state, p, &file), ST_ABSENT);
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
        assert_int_equal(journal_store_save(&s->arena, &fault_ports(fault)->files, &p->machine,
                                            &s->journal, &file),
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
    assert_int_equal(journal_store_save(&s->arena, &bad, &p->machine, &s->journal, &file), ST_OK);
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
    assert_int_equal(journal_store_mark(&host_ports(p->host)->files, &file, JOURNAL_DONE), ST_OK);
    mem_files_set_self(p->host->files, 1);
    assert_int_equal(save(s, p, &file), ST_OK);
    assert_int_equal(journal_store_mark(&host_ports(p->host)->files, &file, JOURNAL_UNDONE), ST_OK);
    mem_files_set_self(p->host->files, 0);
    assert_int_equal(save(s, p, &file), ST_OK);
    mem_files_put(p->host->files, 1, "\\EFI\\shadowboot\\J0000004.SBJ", "SBJOURN1", 8);
    mem_files_put(p->host->files, 1, "\\EFI\\shadowboot\\J0000005.SBJ", "SBJOURN1", 8);
    mem_files_spoil(p->host->files, 1, "\\EFI\\shadowboot\\J0000005.SBJ");
    assert_int_equal(journal_store_list(&s->arena, &host_ports(p->host)->files, &files), ST_OK);
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
        enum status status = journal_store_list(&s->arena, files, &list);
        if (status == ST_OK)
            break;
        assert_int_equal(status, ST_NO_MEMORY);
        assert_int_equal(list.count, 77);
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
    assert_int_equal(journal_store_mark(&host_ports(p->host)->files, &file, JOURNAL_DONE),
                     ST_READ_ONLY);
    mem_files_set_read_only(p->host->files, 0, false);
    mem_files_drop(p->host->files, 0, JOURNAL_1);
    assert_int_equal(journal_store_mark(&host_ports(p->host)->files, &file, JOURNAL_DONE),
                     ST_ABSENT);
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
        CASE(last_whole_mark_is_the_state),
        CASE(marks_are_the_described_bytes),
        CASE(little_memory_is_reported),
        CASE(journal_goes_to_the_volume_the_program_came_from),
        CASE(else_an_esp_of_a_fixed_disk_takes_it),
        CASE(without_a_volume_the_last_reason_is_told),
        CASE(volume_that_fails_is_passed_over),
        CASE(journal_that_reads_differently_is_written_elsewhere),
        CASE(numbers_are_unique_over_all_volumes),
        CASE(list_has_all_journals_by_number_with_their_state),
        CASE(store_with_little_memory_says_so),
        CASE(mark_tells_why_it_could_not_be_appended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
