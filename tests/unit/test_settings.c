/* The settings of unattended starts: what lines mean, what is wrong with others, and that nothing but
 * what they say changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/settings.h"

static struct settings read_text(const char *text)
{
    return settings_read(span_of(text, strlen(text)));
}

/* Everything but lines and problems is as without a file. */
static void assert_defaults(const struct settings *settings)
{
    assert_int_equal(settings->mode, MODE_START);
    assert_int_equal(settings->timeout, 5);
    assert_false(settings->by_reset);
    assert_false(settings->has_disk);
    assert_false(settings->allow_format);
    assert_false(settings->allow_msr);
    assert_int_equal(settings->reports, REPORT_LOG | REPORT_JSON | REPORT_VARIABLE);
    assert_string_equal(settings->send, "");
    assert_int_equal(settings->serial, SERIAL_AUTO);
}

static void without_a_file_nothing_is_allowed(void **state)
{
    struct settings settings = settings_default();

    (void)state;
    assert_defaults(&settings);
    settings = read_text("");
    assert_defaults(&settings);
    assert_int_equal(settings.problem_count, 0);
}

static void every_key_is_understood(void **state)
{
    struct settings settings = read_text("[shadowboot]\r\n"
                                         "Mode = REPAIR   # a comment\r\n"
                                         "timeout=0\n"
                                         "\tstart = reset\n"
                                         "disk = 1\n"
                                         "allow-format = yes\n"
                                         "allow-msr = Yes\n"
                                         "report = log, variable\n"
                                         "send = tftp://10.0.0.1/reports/\n"
                                         "serial = ascii");

    (void)state;
    assert_int_equal(settings.problem_count, 0);
    assert_int_equal(settings.mode, MODE_REPAIR);
    assert_int_equal(settings.timeout, 0);
    assert_true(settings.by_reset);
    assert_true(settings.has_disk);
    assert_int_equal(settings.disk, 1);
    assert_true(settings.allow_format);
    assert_true(settings.allow_msr);
    assert_int_equal(settings.reports, REPORT_LOG | REPORT_VARIABLE);
    assert_string_equal(settings.send, "tftp://10.0.0.1/reports/");
    assert_int_equal(settings.serial, SERIAL_ASCII);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        assert_int_not_equal(settings.lines[i], 0);
    assert_int_equal(settings.lines[SETTING_MODE], 2);
    assert_int_equal(settings.lines[SETTING_SERIAL], 10);
}

static void wrong_lines_are_told_and_change_nothing(void **state)
{
    static const struct {
        const char *line;
        enum settings_trouble trouble;
        const char *word;
    } cases[] = {
        {"mode", SETTINGS_NO_VALUE, "mode"},
        {"mood = start", SETTINGS_UNKNOWN_KEY, "mood"},
        {"mode = fast", SETTINGS_BAD_VALUE, "fast"},
        {"mode =", SETTINGS_BAD_VALUE, ""},
        {"timeout = 301", SETTINGS_BAD_VALUE, "301"},
        {"timeout = -1", SETTINGS_BAD_VALUE, "-1"},
        {"timeout = 99999999999999999999", SETTINGS_BAD_VALUE, "99999999999999999999"},
        {"disk = 100", SETTINGS_BAD_VALUE, "100"},
        {"allow-format = 1", SETTINGS_BAD_VALUE, "1"},
        {"allow-msr = perhaps", SETTINGS_BAD_VALUE, "perhaps"},
        {"report = log, mail", SETTINGS_BAD_VALUE, "log"},
        {"report = ,", SETTINGS_BAD_VALUE, ""},
        {"send = nowhere", SETTINGS_BAD_VALUE, "nowhere"},
        {"send = http://server/in", SETTINGS_BAD_VALUE, "http://server/in"},
        {"mode = start\x01", SETTINGS_BAD_TEXT, ""},
        {"serial = \xc3\xa4", SETTINGS_BAD_VALUE, "??"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128];
        strcpy(text, "\n\n");
        strcat(text, cases[i].line);
        struct settings settings = read_text(text);
        assert_defaults(&settings);
        assert_int_equal(settings.problem_count, 1);
        assert_int_equal(settings.problems[0].line, 3);
        assert_int_equal(settings.problems[0].trouble, cases[i].trouble);
        assert_string_equal(settings.problems[0].word, cases[i].word);
        assert_non_null(settings_trouble_text(settings.problems[0].trouble));
    }
}

static void most_that_is_taken_is_taken(void **state)
{
    struct settings settings = read_text("timeout = 300\ndisk = 99\nreport = none");

    (void)state;
    assert_int_equal(settings.problem_count, 0);
    assert_int_equal(settings.timeout, 300);
    assert_int_equal(settings.disk, 99);
    assert_int_equal(settings.reports, 0);
}

static void first_of_a_key_counts(void **state)
{
    struct settings settings = read_text("mode = menu\nmode = start\n");

    (void)state;
    assert_int_equal(settings.mode, MODE_MENU);
    assert_int_equal(settings.problem_count, 1);
    assert_int_equal(settings.problems[0].trouble, SETTINGS_REPEATED);
    assert_int_equal(settings.problems[0].line, 2);
}

static void nul_hides_nothing(void **state)
{
    static const char text[] = "mode = start\0\nallow-format = yes\n";
    struct settings settings = settings_read(span_of(text, sizeof(text) - 1));

    (void)state;
    assert_int_equal(settings.problems[0].trouble, SETTINGS_BAD_TEXT);
    assert_true(settings.allow_format);
}

/* The text as UTF-16 behind its mark. */
static struct span widen(const char *text, bool high_first, uint8_t room[512])
{
    size_t used = 0;

    room[used++] = high_first ? 0xfe : 0xff;
    room[used++] = high_first ? 0xff : 0xfe;
    for (size_t i = 0; text[i] != '\0'; i++) {
        room[used++] = high_first ? 0 : (uint8_t)text[i];
        room[used++] = high_first ? (uint8_t)text[i] : 0;
    }
    return span_of(room, used);
}

static void byte_order_marks_are_understood(void **state)
{
    static const char text[] = "mode = menu\r\ntimeout = 7\r\n";
    uint8_t room[512];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct span wide = widen(text, i == 1, room);
        struct settings settings = settings_read(wide);
        assert_int_equal(settings.mode, MODE_MENU);
        assert_int_equal(settings.timeout, 7);
        assert_int_equal(settings.problem_count, 0);
        settings = settings_read(span_part(wide, 0, wide.size - 1)); /* half a character */
        assert_int_equal(settings.timeout, 7);
    }
    struct settings settings = read_text("\xef\xbb\xbfmode = menu");
    assert_int_equal(settings.mode, MODE_MENU);
}

static void long_lines_and_files_have_an_end(void **state)
{
    char *text = malloc(SETTINGS_BYTES + 64);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 200);
    strcpy(text + 200, "\nmode = menu\n");
    struct settings settings = read_text(text);
    assert_int_equal(settings.problems[0].trouble, SETTINGS_LONG_LINE);
    assert_int_equal(settings.mode, MODE_MENU);

    memset(text, '#', 1); /* a comment may be as long as it likes */
    settings = read_text(text);
    assert_int_equal(settings.problem_count, 0);

    memset(text, '\n', SETTINGS_BYTES);
    strcpy(text + SETTINGS_BYTES, "mode = menu");
    settings = read_text(text);
    assert_int_equal(settings.mode, MODE_START);
    assert_int_equal(settings.problems[0].trouble, SETTINGS_TOO_LARGE);
    text[SETTINGS_BYTES] = '\0';
    settings = read_text(text);
    assert_int_equal(settings.problem_count, 0);
    free(text);
}

static void more_problems_than_are_kept_are_counted(void **state)
{
    char text[512] = "";

    (void)state;
    for (int i = 0; i < SETTINGS_PROBLEMS + 3; i++)
        strcat(text, "a = b\n");
    struct settings settings = read_text(text);
    assert_int_equal(settings.problem_count, SETTINGS_PROBLEMS + 3);
    assert_int_equal(settings.problems[SETTINGS_PROBLEMS - 1].line, SETTINGS_PROBLEMS);
}

/* What `config` shows can be put into the file. */
static void values_are_written_as_they_are_read(void **state)
{
    struct settings settings = read_text("mode=report\ntimeout=17\nstart=reset\ndisk=3\n"
                                         "allow-format=yes\nallow-msr=no\nreport=json, variable\n"
                                         "send=http://10.0.0.1:8080/\nserial=boxes\n");
    char text[512] = "";

    (void)state;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char buffer[SETTINGS_WORD];
        strcat(text, settings_key_name((enum settings_key)i));
        strcat(text, " = ");
        strcat(text, settings_value_text(&settings, (enum settings_key)i, buffer));
        strcat(text, "\n");
    }
    struct settings again = read_text(text);
    assert_int_equal(again.problem_count, 0);
    assert_int_equal(again.mode, MODE_REPORT);
    assert_int_equal(again.timeout, 17);
    assert_true(again.by_reset);
    assert_int_equal(again.disk, 3);
    assert_true(again.allow_format);
    assert_int_equal(again.reports, REPORT_JSON | REPORT_VARIABLE);
    assert_string_equal(again.send, "http://10.0.0.1:8080/");
    assert_int_equal(again.serial, SERIAL_BOXES);
}

/* A server is anybody who answers first. */
static void servers_may_ask_for_reports_and_the_menu_alone(void **state)
{
    static const struct {
        const char *text;
        enum settings_mode mode;
        size_t problems;
    } cases[] = {
        {"", MODE_NONE, 0},
        {"mode = report", MODE_REPORT, 0},
        {"mode = menu", MODE_MENU, 0},
        {"mode = start", MODE_NONE, 1},
        {"mode = repair\nallow-format = yes\nallow-msr = yes", MODE_NONE, 3},
        {"mode = report\nallow-format = yes\nallow-msr = no", MODE_REPORT, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct settings settings = read_text(cases[i].text);
        settings_restrict(&settings);
        assert_int_equal(settings.mode, cases[i].mode);
        assert_false(settings.allow_format);
        assert_false(settings.allow_msr);
        assert_int_equal(settings.problem_count, cases[i].problems);
        if (cases[i].problems > 0)
            assert_int_equal(settings.problems[0].trouble, SETTINGS_NOT_FROM_SERVER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_nothing_is_allowed),
        cmocka_unit_test(every_key_is_understood),
        cmocka_unit_test(wrong_lines_are_told_and_change_nothing),
        cmocka_unit_test(most_that_is_taken_is_taken),
        cmocka_unit_test(first_of_a_key_counts),
        cmocka_unit_test(nul_hides_nothing),
        cmocka_unit_test(byte_order_marks_are_understood),
        cmocka_unit_test(long_lines_and_files_have_an_end),
        cmocka_unit_test(more_problems_than_are_kept_are_counted),
        cmocka_unit_test(servers_may_ask_for_reports_and_the_menu_alone),
        cmocka_unit_test(values_are_written_as_they_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
