/* Edits of BootOrder: what every one of them must leave alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "plan/edit.h"
#include "unit/plan_fixture.h"

/* The machine's BootOrder is 0000,0001,0002,0003,000A,000B. */

static void expect_finish_refused(struct planning *p, struct boot_edit *edit, const char *text)
{
    assert_int_equal(edit_finish(edit), ST_REFUSED);
    assert_non_null(strstr(p->plan.refusal, text));
    assert_int_equal(p->plan.count, 0);
}

static void members_that_change_places_are_refused(void **state)
{
    struct planning *p = *state;
    struct boot_edit edit;

    assert_int_equal(edit_begin(&p->plan, 0, &edit), ST_OK);
    edit.order[1] = 2;
    edit.order[2] = 1;
    expect_finish_refused(p, &edit, "would move an entry");
}

static void member_that_is_lost_is_refused(void **state)
{
    struct planning *p = *state;
    struct boot_edit edit;

    assert_int_equal(edit_begin(&p->plan, 0, &edit), ST_OK);
    edit.count--;
    expect_finish_refused(p, &edit, "would drop an entry");
}

static void members_that_the_request_names_may_move_and_go(void **state)
{
    struct planning *p = *state;
    struct boot_edit edit;

    assert_int_equal(edit_begin(&p->plan, 0, &edit), ST_OK);
    edit_place(&edit, 10, 0);
    edit_place(&edit, 1, ORDER_END);
    edit_delete(&edit, planning_entry(p, 2));
    assert_int_equal(edit_finish(&edit), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "000A,0000,0003,000B,0001");
}

static void others_may_not_move_beside_one_that_is_named(void **state)
{
    struct planning *p = *state;
    struct boot_edit edit;

    assert_int_equal(edit_begin(&p->plan, 0, &edit), ST_OK);
    edit_place(&edit, 10, 0); /* 000A,0000,0001,0002,0003,000B */
    edit.order[4] = 11;
    edit.order[5] = 3;
    expect_finish_refused(p, &edit, "would move an entry");
}

static void repeated_member_keeps_its_first_place(void **state)
{
    struct planning *p = *state;
    struct boot_edit edit;

    fixture_set_order(p->host, (const uint16_t[]){3, 0, 3, 99, 1, 0}, 6);
    planning_rescan(p);
    assert_int_equal(edit_begin_mending(&p->plan, 0, &edit), ST_OK);
    assert_int_equal(edit_finish(&edit), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0003,0000,0001");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, planning_set_up_modern, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(members_that_change_places_are_refused),
        CASE(member_that_is_lost_is_refused),
        CASE(members_that_the_request_names_may_move_and_go),
        CASE(others_may_not_move_beside_one_that_is_named),
        CASE(repeated_member_keeps_its_first_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
