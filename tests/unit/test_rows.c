/* What `help sfo` and `help json` say of tables and of the report, held against what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "cmd/report_schema.h"
#include "unit/json_fixture.h"
#include "unit/scan_fixture.h"
#include "unit/secure_fixture.h"
#include "unit/windows_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define REPORT          "\\report.json"

#define NAMES_MAX 24

/* A line of the reference, put together again: what it is of, and the names in it. */
struct described {
    char of[32];
    char names[NAMES_MAX][40];
    size_t count;
    bool seen;
};

struct reference {
    struct described rows[32];
    size_t count;
};

/* Adds the names in a line's text, without what is in parentheses or behind a ';'. `io_behind` says
 * that the ';' was met. A name that goes on in the next line has a blank between. */
static void add_names(struct described *io_row, const char *text, size_t length, int *io_nested,
                      bool *io_behind)
{
    char *name = io_row->names[io_row->count];
    size_t used = strlen(name);

    if (used > 0)
        name[used++] = ' ';
    for (size_t i = 0; i < length && !*io_behind; i++) {
        *io_nested += text[i] == '(';
        if (text[i] == ';' && *io_nested == 0)
            *io_behind = true;
        else if (text[i] == ',' && *io_nested == 0) {
            while (used > 0 && name[used - 1] == ' ')
                name[--used] = '\0';
            assert_true(++io_row->count < NAMES_MAX);
            name = io_row->names[io_row->count];
            used = 0;
        } else if (*io_nested == 0 && (text[i] != ' ' || used > 0)) {
            assert_true(used + 1 < sizeof(io_row->names[0]));
            name[used++] = text[i];
        }
        *io_nested -= text[i] == ')';
    }
    while (used > 0 && name[used - 1] == ' ')
        name[--used] = '\0';
}

/* Reads the reference behind its introduction; `column` is where texts begin. */
static struct reference read_reference(struct host *host, const char *line, size_t column)
{
    static struct reference reference;
    struct described *row = NULL;
    const char *text = NULL;
    int nested = 0;
    bool behind = false;

    memset(&reference, 0, sizeof(reference));
    assert_int_equal(run_line(host, line, &text), 0);
    for (text = strstr(text, "\n\n") + 2; *text != '\0'; text += strcspn(text, "\n") + 1) {
        size_t length = strcspn(text, "\n");
        size_t blanks = strspn(text, " ");
        assert_true(length > column && length < 80);
        if (blanks < column) {
            assert_true(reference.count < COUNT_OF(reference.rows));
            row = &reference.rows[reference.count++];
            snprintf(row->of, sizeof(row->of), "%.*s", (int)strcspn(text + blanks, " "),
                     text + blanks);
            nested = 0;
            behind = false;
        }
        assert_non_null(row);
        add_names(row, text + column, length - column, &nested, &behind);
    }
    for (size_t i = 0; i < reference.count; i++)
        reference.rows[i].count++;
    return reference;
}

static struct described *find_row(struct reference *reference, const char *of, size_t length)
{
    for (size_t i = 0; i < reference->count; i++) {
        struct described *row = &reference->rows[i];
        if (strlen(row->of) == length && memcmp(row->of, of, length) == 0)
            return row;
    }
    print_error("%.*s is not in the reference\n", (int)length, of);
    fail();
    return NULL;
}

static size_t count_columns(const char *row, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i + 1 < length; i++) {
        if (row[i] == '^')
            i++;
        else if (row[i] == ',' && row[i + 1] == '"')
            count++;
    }
    return count;
}

/* Secure Boot is on, and db has a certificate. */
static void trust_somebody(struct host *host)
{
    static const struct guid security =
        GUID_INIT(0xd719b2cb, 0x3d3a, 0x4596, 0xa3bc, 0xdad00e67656f);
    static const struct guid kind = KIND_CERTIFICATE;
    static const struct guid owner = OWNER_ANY;
    struct secure_bytes certificate = {.size = 0};
    struct secure_bytes list = {.size = 0};

    secure_put_certificate(&certificate, "CA", "CA", 1);
    secure_put_list(&list, &kind, &owner, secure_span(&certificate));
    mem_vars_put(host->vars, NULL, "SecureBoot", 6, "\1", 1);
    mem_vars_put(host->vars, NULL, "SetupMode", 6, "\0", 1);
    mem_vars_put(host->vars, &security, "db", 0x27, list.at, list.size);
}

static void each_row_has_the_columns_that_help_names(void **state)
{
    static const char *const lines[] = {
        "test -sfo -y",      "timeout 5 -sfo -y", "status -sfo -v",     "disks -sfo",
        "volumes -sfo",      "entries -sfo",      "bcd list -sfo -all", "repair -n -sfo -v",
        "repair -y -sfo -v", "undo -l -sfo",      "secureboot -sfo",    "clone -sfo",
        "version -sfo",
    };
    static const char *const unseen[] = {"WarningInfo"};
    struct host *host = *state;
    struct reference reference = read_reference(host, "help sfo", 19);
    size_t seen = 0;

    windows_break_store(host, 1);
    trust_somebody(host);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        const char *text = NULL;
        (void)run_line(host, lines[i], &text);
        for (; *text != '\0'; text += strcspn(text, "\n") + 1) {
            size_t length = strcspn(text, "\n");
            size_t name = strcspn(text, ",");
            if (strncmp(text, "ShellCommand", name) == 0)
                continue;
            struct described *row = find_row(&reference, text, name);
            row->seen = true;
            if (count_columns(text, length) != row->count)
                print_error("%.*s\n", (int)length, text);
            assert_int_equal(count_columns(text, length), row->count);
        }
    }
    for (size_t i = 0; i < reference.count; i++) {
        seen += reference.rows[i].seen;
        if (!reference.rows[i].seen)
            print_message("not printed: %s\n", reference.rows[i].of);
    }
    assert_int_equal(seen, reference.count - COUNT_OF(unseen));
}

/* A place in the report for each line of the reference. */
static const struct {
    const char *of;
    const char *place;
} places[] = {
    {"(report)", ""},
    {"firmware", "firmware."},
    {"machine", "machine."},
    {"state", "state."},
    {"bootVolume", "bootVolume."},
    {"disks[]", "disks.0."},
    {"alone", "disks.0.alone."},
    {"partitions[]", "disks.0.partitions.0."},
    {"esp", "disks.0.partitions.0.esp."},
    {"files[]", "disks.0.partitions.0.esp.files.1."},
    {"copies[]", "disks.0.partitions.2.copies.0."},
    {"volumes[]", "volumes.0."},
    {"entries[]", "entries.0."},
    {"secureBoot", "secureBoot."},
    {"bootFiles[]", "bootFiles.0."},
    {"findings[]", "findings.0."},
    {"interrupted[]", NULL}, /* none here */
};

/* The report, with a NUL behind it. */
static struct span write_report(struct host *host)
{
    static uint8_t copy[1u << 20];

    windows_break_store(host, 1);
    (void)run_line(host, "status -json FS0:" REPORT, NULL);
    struct span report = mem_files_find(host->files, 0, REPORT);
    assert_non_null(report.at);
    assert_true(json_is_valid((const char *)report.at, report.size));
    assert_true(report.size < sizeof(copy));
    memcpy(copy, report.at, report.size);
    copy[report.size] = '\0';
    return span_of(copy, report.size);
}

static void each_object_has_the_members_that_help_names(void **state)
{
    struct host *host = *state;
    struct reference reference = read_reference(host, "help json", 18);
    struct span report = write_report(host);

    assert_int_equal(reference.count, COUNT_OF(places));
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct described *row = find_row(&reference, places[i].of, strlen(places[i].of));
        for (size_t j = 0; j < row->count && places[i].place != NULL; j++) {
            char place[128];
            snprintf(place, sizeof(place), "%s%s", places[i].place, row->names[j]);
            if (json_at((const char *)report.at, report.size, place)[0] == '\0')
                print_error("%s is not in the report\n", place);
            assert_true(json_at((const char *)report.at, report.size, place)[0] != '\0');
        }
    }
}

/* True when the reference names the key, as a member of something or as something that has some. */
static bool is_named(const struct reference *reference, const char *key, size_t length)
{
    for (size_t i = 0; i < reference->count; i++) {
        const struct described *row = &reference->rows[i];
        if (strcspn(row->of, "[") == length && memcmp(row->of, key, length) == 0)
            return true;
        for (size_t j = 0; j < row->count; j++) {
            if (strlen(row->names[j]) == length && memcmp(row->names[j], key, length) == 0)
                return true;
        }
    }
    return false;
}

static void each_member_is_named_by_help(void **state)
{
    struct host *host = *state;
    struct reference reference = read_reference(host, "help json", 18);
    struct span report = write_report(host);
    const char *text = (const char *)report.at;
    size_t keys = 0;

    /* A key stands alone at the beginning of a line. */
    for (size_t at = 0; at < report.size; at += strcspn(text + at, "\n") + 1) {
        size_t first = at + strspn(text + at, " ");
        if (text[first] != '"')
            continue;
        size_t length = strcspn(text + first + 1, "\"");
        if (!is_named(&reference, text + first + 1, length))
            print_error("help json does not name %.*s\n", (int)length, text + first + 1);
        assert_true(is_named(&reference, text + first + 1, length));
        keys++;
    }
    assert_true(keys > 100);
}

static void count_bytes(void *ctx, const char *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)ctx += size;
}

/* What it says is tried where a judge of schemas is (ovmf-harness/test_reports.py). */
static void schema_that_is_cut_off_is_not_given_for_a_whole_one(void **state)
{
    static uint8_t memory[1u << 16];
    struct arena arena;
    size_t whole = 0;

    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    assert_int_equal(report_schema(&arena, (struct sink){count_bytes, &whole}), ST_OK);
    assert_true(whole > 20000);
    arena_init(&arena, memory, 16);
    assert_int_equal(report_schema(&arena, (struct sink){count_bytes, &whole}), ST_NO_MEMORY);
}

static int set_up(void **state)
{
    *state = windows_machine();
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_row_has_the_columns_that_help_names),
        TEST(each_object_has_the_members_that_help_names),
        TEST(each_member_is_named_by_help),
        TEST(schema_that_is_cut_off_is_not_given_for_a_whole_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
