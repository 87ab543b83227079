/*
 * The screen between commands and the console: what is written when, and where it waits. The
 * commands' own pages are in test_cmd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/screen.h"
#include "host/host_console.h"

/* What it says at a page's end, and how that is wiped out again. */
#define MORE                                     \
    "-- Enter goes on, q leaves out the rest --" \
    "\r                                            \r"

static struct host_console *console;
static struct console_port port;
static struct screen screen;

static void open_screen(unsigned columns, unsigned rows)
{
    struct screen_size size = {columns, rows};

    host_console_set_screen(console, size, false);
    screen_open(&screen, &port);
    screen_wait_pages(&screen);
}

static void put(const char *text)
{
    screen_put(&screen, text, strlen(text));
}

static int set_up(void **state)
{
    (void)state;
    console = host_console_new();
    port = host_console_port(console);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_console_free(console);
    return 0;
}

static void a_page_ends_before_what_would_be_torn(void **state)
{
    (void)state;
    host_console_answer(console, "");
    open_screen(40, 6);
    put("one\ntwo\n[note] three\n    four\n    five\n[note] six\n    seven\n");
    screen_flush(&screen);
    assert_string_equal(host_console_text(console),
                        "one\ntwo\n[note] three\n    four\n    five\n" MORE
                        "[note] six\n    seven\n");
}

/* Four rows for the text, one for the cursor: two lines, then one that takes three. */
static void broken_lines_count_as_those_they_take(void **state)
{
    (void)state;
    host_console_answer(console, "");
    open_screen(21, 5);
    put("one\ntwo\nthree four five six seven eight nine ten eleven twelve\n");
    screen_flush(&screen);
    assert_string_equal(host_console_text(console), "one\ntwo\n" MORE "three four five six\n"
                                                    "  seven eight nine\n  ten eleven twelve\n");
}

static void a_page_that_is_just_full_does_not_wait(void **state)
{
    (void)state;
    open_screen(40, 4);
    put("one\ntwo\nthree\n");
    screen_flush(&screen);
    assert_string_equal(host_console_text(console), "one\ntwo\nthree\n");
}

static void what_no_screen_has_room_for_is_shown_by_screens(void **state)
{
    (void)state;
    host_console_answer(console, "");
    host_console_answer(console, "");
    open_screen(40, 4);
    put("Plan:\n  1. a\n  2. b\n  3. c\n  4. d\n  5. e\n  6. f\n");
    screen_flush(&screen);
    assert_string_equal(host_console_text(console),
                        "Plan:\n  1. a\n  2. b\n" MORE "  3. c\n  4. d\n  5. e\n" MORE "  6. f\n");
}

static void q_leaves_out_the_rest_and_is_told_once(void **state)
{
    (void)state;
    host_console_answer(console, "q");
    open_screen(40, 3);
    put("one\ntwo\nthree\nfour\nfive\nsix\nseven\n");
    screen_flush(&screen);
    assert_string_equal(host_console_text(console), "one\ntwo\n" MORE);
    assert_true(screen_take_stop(&screen));
    assert_false(screen_take_stop(&screen));
    put("next\n");
    screen_flush(&screen);
    assert_string_equal(host_console_text(console), "one\ntwo\n" MORE "next\n");
}

static void without_a_keyboard_it_waits_once(void **state)
{
    (void)state;
    open_screen(40, 3);
    put("one\ntwo\nthree\nfour\nfive\nsix\nseven\n");
    screen_flush(&screen);
    assert_string_equal(host_console_text(console),
                        "one\ntwo\n" MORE "three\nfour\nfive\nsix\nseven\n");
}

static void a_file_has_no_pages_and_whole_lines(void **state)
{
    static const char text[] = "one two three four five six seven eight nine ten eleven\n2\n3\n4\n";

    (void)state;
    open_screen(0, 0);
    put(text);
    screen_flush(&screen);
    assert_string_equal(host_console_text(console), text);
}

static void an_answer_begins_a_page(void **state)
{
    (void)state;
    host_console_answer(console, "y");
    open_screen(40, 4);
    put("one\ntwo\nGo on? ");
    screen_flush(&screen);
    char line[8];
    assert_int_equal(port.read_line(port.ctx, line, sizeof(line)), ST_OK);
    screen_answered(&screen);
    put("three\nfour\nfive\n");
    screen_flush(&screen);
    assert_string_equal(host_console_text(console), "one\ntwo\nGo on? y\nthree\nfour\nfive\n");
}

/* A console over a serial line is slow: a line is one write, however many pieces it comes in. */
static size_t writes;

static void count_write(void *ctx, const char *text, size_t size)
{
    (void)ctx;
    (void)text;
    (void)size;
    writes++;
}

static void a_line_is_written_at_once(void **state)
{
    (void)state;
    open_screen(80, 0);
    port.write = count_write;
    for (int i = 0; i < 10; i++)
        put("word ");
    assert_int_equal(writes, 0);
    put("\n");
    assert_int_equal(writes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_page_ends_before_what_would_be_torn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_lines_count_as_those_they_take, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_that_is_just_full_does_not_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_no_screen_has_room_for_is_shown_by_screens, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(q_leaves_out_the_rest_and_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_keyboard_it_waits_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_has_no_pages_and_whole_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_begins_a_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_is_written_at_once, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
