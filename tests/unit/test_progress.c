/* How far a long change is: when the line is shown, what it says, and how it goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/progress.h"
#include "cmd/screen.h"
#include "host/host_clock.h"
#include "host/host_console.h"

#define MILLISECOND 1000u
#define MIB         (1u << 20)
#define LINE        "\r  5 MiB of 20 MiB, 10 MiB/s, 1 s left"

static struct host_console *console;
static struct host_clock hand;
static struct ports ports;
static struct screen screen;
static struct context context;
static struct progress progress;

static int set_up(void **state)
{
    (void)state;
    console = host_console_new();
    hand = (struct host_clock){.microseconds = 7 * MILLISECOND};
    ports = (struct ports){.console = host_console_port(console), .clock = host_clock_fixed(&hand)};
    screen_open(&screen, &ports.console);
    context = (struct context){.ports = &ports, .screen = &screen, .verbose = true};
    progress_start(&progress, &context);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_console_free(console);
    return 0;
}

/* So many milliseconds later, `done` of 20 MiB are written. */
static bool step_after(unsigned milliseconds, uint64_t done)
{
    hand.microseconds += milliseconds * MILLISECOND;
    return progress_step(&progress, done, 20 * MIB);
}

static const char *said(void)
{
    screen_flush(&screen);
    return host_console_text(console);
}

/* Reading and the journal take their time before the first byte, which is none of the rate's. */
static void line_comes_every_half_second_and_counts_from_the_first_byte(void **state)
{
    (void)state;
    assert_false(step_after(9000, 0));
    assert_false(step_after(499, 5 * MIB - 1));
    assert_string_equal(said(), "");
    assert_false(step_after(1, 5 * MIB));
    assert_string_equal(said(), LINE);
    assert_false(step_after(499, 12 * MIB));
    assert_string_equal(said(), LINE);
}

/* A shorter line wipes out what stood behind it, and so does the end. */
static void line_is_written_over_and_taken_away(void **state)
{
    (void)state;
    (void)step_after(0, 0);
    (void)step_after(500, 5 * MIB + MIB / 2);
    assert_string_equal(said(), "\r  5.5 MiB of 20 MiB, 11 MiB/s, 1 s left");
    host_console_clear(console);
    (void)step_after(500, 20 * MIB);
    assert_string_equal(said(), "\r  20 MiB of 20 MiB, 20 MiB/s, 0 s left ");
    host_console_clear(console);
    progress_end(&progress);
    assert_string_equal(said(), "\r                                      \r"
                                "Written: 20,971,520 bytes in 1000 ms.\n");
}

static void short_change_says_nothing_but_what_was_asked_for(void **state)
{
    (void)state;
    (void)step_after(0, 0);
    (void)step_after(3, 512);
    context.verbose = false;
    progress_end(&progress);
    assert_string_equal(said(), "");
    context.verbose = true;
    progress_end(&progress);
    assert_string_equal(said(), "Written: 512 bytes in 3 ms.\n");
}

/* Tables for scripts have no such line. */
static void tables_are_left_whole(void **state)
{
    (void)state;
    context.sfo = true;
    (void)step_after(0, 0);
    (void)step_after(5000, 5 * MIB);
    progress_end(&progress);
    assert_string_equal(said(), "");
}

static void wish_to_stop_is_handed_on(void **state)
{
    (void)state;
    host_console_break_at(console, 2);
    assert_false(step_after(0, 0));
    assert_true(step_after(1, MIB));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(line_comes_every_half_second_and_counts_from_the_first_byte,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(line_is_written_over_and_taken_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(short_change_says_nothing_but_what_was_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tables_are_left_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wish_to_stop_is_handed_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
