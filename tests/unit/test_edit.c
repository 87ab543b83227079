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

static void deletion_taken_back_leaves_the_entry_where_it_was(void **state)
{
    static const uint16_t numbers[] = {0, 1, 3, 11};
    struct planning *p = *state;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct boot_edit edit;
        planning_rescan(p);
        assert_int_equal(edit_begin(&p->plan, 0, &edit), ST_OK);
        edit_delete(&edit, planning_entry(p, numbers[i]));
        assert_false(edit_names(&edit, numbers[i]));
        edit_keep(&edit, planning_entry(p, numbers[i]));
        assert_true(edit_names(&edit, numbers[i]));
        assert_int_equal(edit_finish(&edit), ST_OK);
        assert_int_equal(p->plan.count, 0);
    }
}

static void deletion_of_two_neighbours_taken_back_keeps_their_sequence(void **state)
{
    struct planning *p = *state;
    struct boot_edit edit;

    assert_int_equal(edit_begin(&p->plan, 0, &edit), ST_OK);
    edit_delete(&edit, planning_entry(p, 1));
    edit_delete(&edit, planning_entry(p, 2));
    edit_keep(&edit, planning_entry(p, 1));
    edit_keep(&edit, planning_entry(p, 2));
    assert_int_equal(edit_finish(&edit), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

/* Deleted and kept again, an entry outside BootOrder stays outside. */
static void deletion_taken_back_puts_nothing_into_the_order(void **state)
{
    struct planning *p = *state;
    struct boot_edit edit;

    fixture_set_order(p->host, (const uint16_t[]){0, 1}, 2);
    planning_rescan(p);
    assert_int_equal(edit_begin(&p->plan, 0, &edit), ST_OK);
    edit_delete(&edit, planning_entry(p, 10));
    edit_keep(&edit, planning_entry(p, 10));
    assert_false(edit_names(&edit, 10));
    assert_int_equal(edit_finish(&edit), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

/* The modern machine's whole-disk entries 0002 and 0003 are the firmware's own, 000A leads to no
 * disk, 000B is legacy: behind 0000 and 0001, and a Shell of the lowest number is not before them.
 */
static void order_from_nothing_begins_with_what_starts_a_disk(void **state)
{
    struct planning *p = *state;
    struct fixture_entry late = {.number = 12,
                                 .description = "late",
                                 .form = FIXTURE_SHORT,
                                 .partition = fixture_partition_named(MODERN_ESP_1),
                                 .file = SHIMX64};
    struct fixture_entry inactive = late;
    struct boot_edit edit;

    inactive.number = 4;
    inactive.inactive = true;
    fixture_add_entry(p->host, &late);
    fixture_add_entry(p->host, &inactive);
    mem_vars_drop(p->host->vars, NULL, "BootOrder");
    planning_rescan(p);
    assert_int_equal(edit_begin_mending(&p->plan, 0, &edit), ST_OK);
    assert_int_equal(edit_finish(&edit), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0000,0001,000C,0002,0003,0004,000A,000B");
}

static void order_that_names_nothing_begins_anew(void **state)
{
    struct planning *p = *state;
    struct boot_edit edit;

    fixture_set_order(p->host, (const uint16_t[]){0x42, 0x43}, 2);
    planning_rescan(p);
    assert_int_equal(edit_begin_mending(&p->plan, 0, &edit), ST_OK);
    assert_int_equal(edit_finish(&edit), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0000,0001,0002,0003,000A,000B");
}

/* --- Numbers -------------------------------------------------------------------------------- */

/* The number that a new entry gets: 0004 is the lowest that no variable has. */
static uint16_t number_of_new(struct planning *p)
{
    static const uint8_t value[] = {1, 0, 0, 0, 4, 0, 0, 0, 0x7f, 0xff, 4, 0};
    struct boot_edit edit;
    uint16_t number = 0;

    planning_rescan(p);
    assert_int_equal(edit_begin_mending(&p->plan, 1, &edit), ST_OK);
    assert_int_equal(
        edit_create(&edit, span_of(value, sizeof(value)), ORDER_END, "x", NO_INDEX, &number),
        ST_OK);
    return number;
}

static void number_that_something_names_is_not_free(void **state)
{
    static const struct {
        const char *name;
        const void *value;
        size_t size;
        uint16_t free;
    } cases[] = {
        {"BootNext", "\4", 2, 5},
        {"BootNext", "\4\0\5", 4, 6}, /* longer than it may be, and still a name */
        {"BootNext", "\4", 1, 4},
        {"BootCurrent", "\4", 2, 5},
        {"Key0007", "\0\0\0\x40zzzz\4\0\x16\0", 12, 5},
        {"Key0007", "\0\0\0\x40zzzz\4", 9, 4}, /* cut */
        {"Boot0004", "?", 1, 5},               /* damaged */
        {"BootOrder", "\0\0\4\0\5", 5, 5},
    };
    struct planning *p = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct mem_var *old = mem_vars_find(p->host->vars, NULL, cases[i].name);
        uint8_t kept[64];
        size_t size = old == NULL ? 0 : old->size;
        if (old != NULL)
            memcpy(kept, old->data, size);
        mem_vars_put(p->host->vars, NULL, cases[i].name, 7, cases[i].value, cases[i].size);
        if (number_of_new(p) != cases[i].free)
            fail_msg("case %zu: %04X", i, number_of_new(p));
        mem_vars_drop(p->host->vars, NULL, cases[i].name);
        if (size > 0)
            mem_vars_put(p->host->vars, NULL, cases[i].name, 7, kept, size);
    }
    assert_int_equal(number_of_new(p), 4);
}

static void name_in_other_letters_keeps_its_number(void **state)
{
    struct planning *p = *state;

    for (uint16_t number = 4; number < 10; number++) {
        struct fixture_entry entry = {
            .number = number, .description = "x", .form = FIXTURE_FILE, .file = SHIMX64};
        fixture_add_entry(p->host, &entry);
    }
    assert_int_equal(number_of_new(p), 12);
    mem_vars_put(p->host->vars, NULL, "Boot000c", 7, "x", 1);
    assert_int_equal(number_of_new(p), 13);
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
        CASE(deletion_taken_back_leaves_the_entry_where_it_was),
        CASE(deletion_of_two_neighbours_taken_back_keeps_their_sequence),
        CASE(deletion_taken_back_puts_nothing_into_the_order),
        CASE(order_from_nothing_begins_with_what_starts_a_disk),
        CASE(order_that_names_nothing_begins_anew),
        CASE(number_that_something_names_is_not_free),
        CASE(name_in_other_letters_keeps_its_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
