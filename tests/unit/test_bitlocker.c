/* What is asked before what BitLocker measures is changed: a yes of its own, whatever the command,
 * and none where nothing of it is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "plan/bitlocker.h"
#include "unit/line_fixture.h"
#include "unit/mirror_fixture.h"

#define QUESTION "Windows may ask for BitLocker's recovery key then. Is it at hand?"
#define LINE     "bcd timeout 7 -on 0"

static void answer(struct host *host, const char *first, const char *second)
{
    host_console_answer(host->console, first);
    if (second != NULL)
        host_console_answer(host->console, second);
}

static void expect_asked(struct host *host, bool asked)
{
    if (asked)
        expect_said(host, QUESTION);
    else
        expect_unsaid(host, QUESTION);
    assert_int_equal(host_console_answers_left(host->console), 0);
}

static void yes_of_its_own_is_asked_for(void **state)
{
    struct host *host = *state;

    line_protect(host, 1);
    answer(host, "n", NULL);
    run_to(host, LINE, CANCELLED);
    expect_asked(host, true);
    answer(host, "y", "n"); /* to the key, and not to the change */
    run_to(host, LINE, CANCELLED);
    expect_asked(host, true);
    expect_unsaid(host, "Done:");
    answer(host, "y", "y");
    run_to(host, LINE, DONE);
    expect_asked(host, true);
    expect_said(host, "Done:");
}

static void plan_says_what_will_be_asked_and_how_to_be_ready(void **state)
{
    struct host *host = *state;

    line_protect(host, 0);
    line_protect(host, 1);
    run_to(host, LINE " -n", DONE);
    expect_said(host, "Note: BitLocker protects Disk 0 Partition 4, Disk 1 Partition 4.");
    expect_said(host, "recovery key, 48 digits");
    expect_said(host, "manage-bde -protectors -disable C: -rebootcount 1");
    expect_asked(host, false);
}

static void y_alone_is_no_such_yes(void **state)
{
    struct host *host = *state;

    line_protect(host, 1);
    run_to(host, LINE " -y", REFUSED);
    expect_said(host, "give -bitlocker");
    expect_said(host, "Nothing was changed.");
    run_to(host, LINE " -sfo -y", REFUSED);
    run_to(host, LINE " -y -bitlocker", DONE);
    expect_asked(host, false);
    run_to(host, LINE " -y", DONE); /* nothing to do is nothing to ask */
    expect_said(host, "Nothing to do");
}

static void taking_back_asks_again(void **state)
{
    struct host *host = *state;

    line_protect(host, 1);
    run_to(host, LINE " -y -bitlocker", DONE);
    run_to(host, "undo -y", REFUSED);
    expect_said(host, "give -bitlocker");
    answer(host, "y", "y");
    run_to(host, "undo", DONE);
    expect_asked(host, true);
}

static void lines_of_windows_ask_nothing_else(void **state)
{
    struct host *host = *state;

    line_protect(host, 1);
    answer(host, "n", NULL);
    run_to(host, "bcdedit /timeout 9", CANCELLED);
    expect_asked(host, true);
    answer(host, "y", NULL);
    run_to(host, "bcdedit /timeout 9", DONE);
    expect_asked(host, true);
    run_to(host, "bcdedit /timeout 8 -bitlocker", DONE);
    expect_asked(host, false);
}

static void entries_alone_are_not_measured(void **state)
{
    struct host *host = *state;

    line_protect(host, 1);
    run_to(host, "order 2 -y", DONE);
    expect_asked(host, false);
    run_to(host, "undo -y", DONE);
    expect_asked(host, false);
}

static void without_bitlocker_nothing_more_is_asked(void **state)
{
    struct host *host = *state;

    run_to(host, LINE " -y", DONE);
    expect_unsaid(host, "BitLocker");
}

/* However deep the machine was looked into. */
static void variables_are_none_of_it(void **state)
{
    struct mirror *m = *state;
    struct disk_change change = {.kind = DISK_CHANGE_BOOT_SECTOR};
    struct plan plan;

    m->copies[0].content = CONTENT_BITLOCKER;
    plan_init(&plan, &m->arena, &m->machine);
    plan_set_variable(&plan, "Timeout", 7, span_of("\x63\x00", 2), "");
    assert_int_equal(plan.count, 1);
    assert_false(plan_asks_for_key(&plan));
    assert_int_equal(plan.warning_count, 0);
    plan_change_disk(&plan, &change, "");
    assert_true(plan_asks_for_key(&plan));
    assert_int_equal(plan.warning_count, 1);
}

/* What was asked for and what follows from it, with no room left for a sentence. */
static void lack_of_memory_is_no_yes(void **state)
{
    struct mirror *m = *state;
    struct disk_change change = {.kind = DISK_CHANGE_BOOT_SECTOR};
    struct plan plan;

    m->copies[0].content = CONTENT_BITLOCKER;
    plan_init(&plan, &m->arena, &m->machine);
    plan_change_disk(&plan, &change, "");
    assert_int_equal(plan.status, ST_OK);
    while (arena_alloc(&m->arena, 1, 1) != NULL)
        ;
    assert_true(plan_asks_for_key(&plan));
    assert_int_equal(plan.status, ST_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(yes_of_its_own_is_asked_for),
        LINE_TEST(plan_says_what_will_be_asked_and_how_to_be_ready),
        LINE_TEST(y_alone_is_no_such_yes),
        LINE_TEST(taking_back_asks_again),
        LINE_TEST(lines_of_windows_ask_nothing_else),
        LINE_TEST(entries_alone_are_not_measured),
        LINE_TEST(without_bitlocker_nothing_more_is_asked),
        cmocka_unit_test_setup_teardown(variables_are_none_of_it, mirror_set_up, mirror_tear_down),
        cmocka_unit_test_setup_teardown(lack_of_memory_is_no_yes, mirror_set_up, mirror_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
