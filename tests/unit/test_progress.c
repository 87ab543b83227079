/* The line that tells how far a long change is: when it comes, and how it goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "host/host_console.h"
#include "unit/line_fixture.h"

#define SECOND 1000000u /* microseconds */
#define LINE   "prepare 1 -y -format -v"

static void assert_said(struct host *host, const char *text)
{
    if (strstr(host_console_text(host->console), text) == NULL)
        fail_msg("not said: %s", text);
}

static void quick_change_has_none(void **state)
{
    struct host *host = *state;

    disk_machine_drop_partition(host, 1, PART_ESP);
    host->clock.step = 1;
    run_to_say(host, LINE, DONE, "Written: | bytes in 0 ms.");
    expect_unsaid(host, "\r");
}

/* Each look at the clock is a second later: the line comes at each piece that is written. A shorter
 * one wipes out what a longer one has left. */
static void slow_change_tells_how_much_is_written_and_how_long_it_takes(void **state)
{
    struct host *host = *state;

    disk_machine_drop_partition(host, 1, PART_ESP);
    host->clock.step = SECOND;
    run_to(host, LINE, DONE);
    assert_said(host, "\r  512 B of 151 KiB, 512 B/s, 154 s left"
                      "\r  1 KiB of 151 KiB, 512 B/s, 153 s left"
                      "\r  1.5 KiB of 151 KiB, 512 B/s, 153 s left"
                      "\r  2 KiB of 151 KiB, 512 B/s, 152 s left  \r");
    assert_said(host, "\r  117 KiB of 151 KiB, 19 KiB/s, 1 s left \r");
    assert_said(host, "\r  151 KiB of 151 KiB, 12 KiB/s, 0 s left"
                      "\r                                        "
                      "\rWritten: 154,624 bytes in 12000 ms.\n");
}

/* Tables for scripts have no such line. */
static void tables_are_left_whole(void **state)
{
    struct host *host = *state;

    disk_machine_drop_partition(host, 1, PART_ESP);
    host->clock.step = SECOND;
    run_to(host, LINE " -sfo", DONE);
    expect_unsaid(host, "s left");
    expect_unsaid(host, "Written:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(quick_change_has_none),
        LINE_TEST(slow_change_tells_how_much_is_written_and_how_long_it_takes),
        LINE_TEST(tables_are_left_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
