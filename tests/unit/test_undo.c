/* Taking changes back: byte for byte, and only what this program has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/host_alloc.h"
#include "plan/undo.h"
#include "unit/plan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void every_change_can_be_taken_back_byte_for_byte(void **state)
{
    static const char *const lines[] = {
        "clone -y",
        "clone -y -full -d Other",
        "delete -y 1 3 5",
        "delete -y 1 2 3 4 5 6",
        "order -y Boot000B Boot0002",
        "default -y 3",
        "next -y Boot0001",
        "timeout -y 77",
        "add -y " MODERN_ESP_1 " \\x.efi -d X -at 2 -opt text",
        "bootcfg /clone /sg " MODERN_ESP_0 " /tg " MODERN_ESP_1 " /d+ Clone",
        "bootcfg /delete /id 2",
    };
    const struct host *before = *state;

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct host *host = host_clone(before);
        assert_int_equal(fixture_run(host, lines[i]), 0);
        assert_false(mem_vars_equal(host->vars, before->vars));
        assert_int_equal(fixture_run(host, "undo -y"), 0);
        assert_true(mem_vars_equal(host->vars, before->vars));
        host_free(host);
    }
}

static void undo_goes_back_change_by_change_and_then_finds_nothing(void **state)
{
    static const char *const lines[] = {"clone -y", "timeout -y 8", "delete -y Boot0005",
                                        "order -y Boot0004"};
    struct host *host = *state;
    struct host *before[COUNT_OF(lines)];

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        before[i] = host_clone(host);
        assert_int_equal(fixture_run(host, lines[i]), 0);
    }
    for (size_t i = COUNT_OF(lines); i > 0; i--) {
        assert_int_equal(fixture_run(host, "undo -y"), 0);
        assert_true(mem_vars_equal(host->vars, before[i - 1]->vars));
        host_free(before[i - 1]);
    }
    expect_unchanged(host, "undo -y", 14);
    expect_said(host, "There is nothing to take back");
}

static void undo_itself_can_be_taken_back_by_its_number(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    struct host *cloned = host_clone(host);
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    assert_int_equal(fixture_run(host, "undo -y 2"), 0);
    assert_true(mem_vars_equal(host->vars, cloned->vars));
    host_free(cloned);
}

static void change_that_was_taken_back_leaves_nothing_to_do(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    assert_int_equal(fixture_run(host, "undo -y 1"), 0);
    expect_unchanged(host, "undo -y 1", 0);
    expect_said(host, "Nothing to do");
}

/* The firmware found a stick and added an entry; the user used up BootNext. */
static void what_firmware_added_since_stays(void **state)
{
    struct host *host = *state;
    struct fixture_entry stick = {.number = 0,
                                  .description = "UEFI Stick",
                                  .form = FIXTURE_FILE,
                                  .file = "\\stick",
                                  .optional = FIXTURE_AUTO_CREATED};
    struct fixture_bytes values[3];
    struct span automatic[3];

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    fixture_entry_value(host, &stick, &values[0]);
    for (size_t i = 0; i < 2; i++) {
        const struct mem_var *own =
            mem_vars_find(host->vars, NULL, i == 0 ? "Boot0002" : "Boot0003");
        values[1 + i].size = 0;
        fixture_put(&values[1 + i], own->data, own->size);
    }
    for (size_t i = 0; i < 3; i++)
        automatic[i] = span_of(values[i].at, values[i].size);
    mem_vars_bdsp(host->vars, automatic, 3);
    expect_order(host, "0000,0001,0002,0003,000A,000B,0004,0005,0006");
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    expect_order(host, "0000,0001,0002,0003,000A,000B,0006");
    expect_no_variable(host, "Boot0004");
    expect_no_variable(host, "Boot0005");
    assert_non_null(mem_vars_find(host->vars, NULL, "Boot0006"));
}

static void order_that_somebody_rearranged_is_not_taken_back(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    fixture_set_order(host, (const uint16_t[]){1, 0, 2, 3, 10, 11, 4, 5}, 8);
    expect_unchanged(host, "undo -y", 27);
    expect_said(host, "BootOrder has been rearranged since this change");
}

static void entry_that_somebody_changed_is_not_taken_back(void **state)
{
    struct host *host = *state;
    const struct mem_var *var;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    var = mem_vars_find(host->vars, NULL, "Boot0004");
    uint8_t *copy = host_copy(var->data, var->size);
    copy[0] = 0; /* no longer active */
    mem_vars_put(host->vars, NULL, "Boot0004", 7, copy, var->size);
    free(copy);
    expect_unchanged(host, "undo -y", 27);
    expect_said(host, "Boot0004 is no longer what this change made of it");
}

static void entry_that_somebody_deleted_is_not_missed(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    mem_vars_drop(host->vars, NULL, "Boot0004");
    fixture_set_order(host, (const uint16_t[]){0, 1, 2, 3, 10, 11, 5}, 7);
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    expect_order(host, "0000,0001,0002,0003,000A,000B");
    expect_no_variable(host, "Boot0005");
}

/* An entry from before the change, deleted by the firmware since: BootOrder does not name it again.
 */
static void entry_that_firmware_deleted_since_is_not_put_back_into_boot_order(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    mem_vars_bdsp(host->vars, NULL, 0); /* both disks' own entries go */
    expect_order(host, "0000,0001,000A,000B,0004,0005");
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    expect_order(host, "0000,0001,000A,000B");
}

static void used_up_boot_next_is_left_as_it_is(void **state)
{
    struct host *host = *state;

    fixture_set_u16(host, "BootNext", 1);
    assert_int_equal(fixture_run(host, "next -y Boot000A"), 0);
    mem_vars_drop(host->vars, NULL, "BootNext");
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    expect_no_variable(host, "BootNext");
    expect_said(host, "BootNext has been changed since, as firmware does");
}

static void plan_only_shows_and_changes_nothing(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    expect_unchanged(host, "undo -n", 0);
    expect_said(host, "restore BootOrder");
    expect_said(host, "delete Boot0005, which was not there before");
    assert_int_equal(fixture_run(host, "undo -y"), 0);
}

static void unknown_and_malformed_numbers_are_refused(void **state)
{
    struct host *host = *state;

    expect_unchanged(host, "undo -y", 14);
    expect_unchanged(host, "undo -y 7", 14);
    expect_unchanged(host, "undo -y seven", 2);
    expect_unchanged(host, "undo -l", 0);
    expect_said(host, "There are no journals");
}

static void damaged_journal_is_refused_and_listed(void **state)
{
    static const char path[] = "\\EFI\\shadowboot\\J0000001.SBJ";
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    struct span file = mem_files_find(host->files, 0, path);
    uint8_t *copy = host_copy(file.at, file.size);
    copy[file.size / 2] ^= 1;
    mem_files_put(host->files, 0, path, copy, file.size);
    free(copy);
    expect_unchanged(host, "undo -y 1", 10);
    expect_said(host, "Journal 1");
    expect_unchanged(host, "undo -y", 14);
    expect_unchanged(host, "undo -l", 0);
    expect_said(host, path);
}

/* A journal from elsewhere that names a variable which is none of ours. */
static void journal_of_a_foreign_variable_is_damaged(void **state)
{
    static const char *const names[] = {"SecureBoot", "Boot001a", "BootCurrent", "db"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct journal_record record = {.kind = JOURNAL_VARIABLE, .new_present = true};
        struct journal journal = {.command = "", .records = &record, .count = 1};
        struct planning *p = planning_begin(host_clone(*state));
        strcpy(record.name, names[i]);
        assert_int_equal(plan_undo(&p->plan, &journal), ST_DAMAGED);
        assert_int_equal(p->plan.count, 0);
        planning_end(p);
    }
}

static void journal_is_found_on_another_volume(void **state)
{
    struct host *host = *state;
    struct host *before = host_clone(host);

    mem_files_set_read_only(host->files, 0, true);
    assert_int_equal(fixture_run(host, "clone -y"), 0);
    assert_non_null(mem_files_find(host->files, 1, "\\EFI\\shadowboot\\J0000001.SBJ").at);
    mem_files_set_read_only(host->files, 0, false);
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    assert_true(mem_vars_equal(host->vars, before->vars));
    /* Numbers are unique over all volumes. */
    assert_non_null(mem_files_find(host->files, 0, "\\EFI\\shadowboot\\J0000002.SBJ").at);
    host_free(before);
}

/* --- Journals on two volumes ---------------------------------------------------------------- */

static const char journal_1[] = "\\EFI\\shadowboot\\J0000001.SBJ";

/*
 * FS0: and FS1: each have a journal 1, made while the other was away: `first` on FS0: in 2026,
 * `second` on FS1: in the year `year`.
 */
static void make_two_journals(struct host *host, const char *first, const char *second,
                              uint16_t year)
{
    assert_int_equal(fixture_run(host, first), 0);
    struct span file = mem_files_find(host->files, 0, journal_1);
    size_t size = file.size;
    uint8_t *copy = host_copy(file.at, size);
    mem_files_drop(host->files, 0, journal_1);
    mem_files_set_self(host->files, 1);
    host->clock.time.year = year;
    assert_int_equal(fixture_run(host, second), 0);
    assert_non_null(mem_files_find(host->files, 1, journal_1).at);
    mem_files_put(host->files, 0, journal_1, copy, size);
    mem_files_set_self(host->files, 0);
    free(copy);
}

static uint8_t timeout_of(const struct host *host)
{
    return mem_vars_find(host->vars, NULL, "Timeout")->data[0];
}

static void newest_of_two_volumes_is_known_by_its_date(void **state)
{
    struct host *host = *state;

    make_two_journals(host, "timeout -y 8", "next -y Boot000A", 2027);
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    expect_no_variable(host, "BootNext");
    assert_int_equal(timeout_of(host), 8);
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    assert_int_equal(timeout_of(host), 1);
    expect_unchanged(host, "undo -y", 14);
}

static void journal_of_a_later_volume_with_an_earlier_date_is_not_the_newest(void **state)
{
    struct host *host = *state;

    make_two_journals(host, "timeout -y 8", "next -y Boot000A", 2025);
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    assert_int_equal(timeout_of(host), 1);
    assert_non_null(mem_vars_find(host->vars, NULL, "BootNext"));
}

/* The clock was set back between two changes. */
static void on_one_volume_the_higher_number_is_the_newest(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "timeout -y 8"), 0);
    host->clock.time.year = 2001;
    assert_int_equal(fixture_run(host, "next -y Boot000A"), 0);
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    expect_no_variable(host, "BootNext");
    assert_int_equal(timeout_of(host), 8);
}

static void number_that_two_volumes_have_is_refused_and_listed(void **state)
{
    struct host *host = *state;

    make_two_journals(host, "timeout -y 8", "next -y Boot000A", 2027);
    expect_unchanged(host, "undo -y 1", 15);
    expect_said(host, "Journal 1 is on more than one volume");
    expect_said(host, "FS0:\\EFI\\shadowboot\\J0000001.SBJ");
    expect_said(host, "FS1:\\EFI\\shadowboot\\J0000001.SBJ");
    expect_said(host, "shadowboot undo FS0:1");
}

static void volume_before_the_number_chooses_the_journal(void **state)
{
    struct host *host = *state;

    make_two_journals(host, "timeout -y 8", "next -y Boot000A", 2027);
    expect_unchanged(host, "undo -y FS2:1", 14);
    expect_said(host, "There is no journal FS2:1");
    expect_unchanged(host, "undo -y FS1:2", 14);
    expect_unchanged(host, "undo -y FS1:", 2);
    expect_unchanged(host, "undo -y FS:1", 14);
    assert_int_equal(fixture_run(host, "undo -y fs0:1"), 0);
    assert_int_equal(timeout_of(host), 1);
    assert_int_equal(fixture_run(host, "undo -y FS1:1"), 0);
    expect_no_variable(host, "BootNext");
}

/* --- Variables that firmware sets ----------------------------------------------------------- */

static void timeout_set_anew_since_is_not_called_taken_back(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "timeout -y 8"), 0);
    fixture_set_u16(host, "Timeout", 5);
    expect_unchanged(host, "undo -y", 27);
    expect_said(host, "Timeout has been changed since");
    fixture_set_u16(host, "Timeout", 8);
    assert_int_equal(fixture_run(host, "undo -y"), 0); /* it was not marked */
    assert_int_equal(timeout_of(host), 1);
}

static void boot_next_set_anew_since_is_not_called_taken_back(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "next -y Boot000A"), 0);
    fixture_set_u16(host, "BootNext", 2);
    expect_unchanged(host, "undo -y", 27);
    expect_said(host, "BootNext has been changed since");
    expect_unchanged(host, "undo -l", 0);
    expect_said(host, "done");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, machine_set_up_modern, machine_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_change_can_be_taken_back_byte_for_byte),
        CASE(undo_goes_back_change_by_change_and_then_finds_nothing),
        CASE(undo_itself_can_be_taken_back_by_its_number),
        CASE(change_that_was_taken_back_leaves_nothing_to_do),
        CASE(what_firmware_added_since_stays),
        CASE(order_that_somebody_rearranged_is_not_taken_back),
        CASE(entry_that_somebody_changed_is_not_taken_back),
        CASE(entry_that_somebody_deleted_is_not_missed),
        CASE(entry_that_firmware_deleted_since_is_not_put_back_into_boot_order),
        CASE(used_up_boot_next_is_left_as_it_is),
        CASE(plan_only_shows_and_changes_nothing),
        CASE(unknown_and_malformed_numbers_are_refused),
        CASE(damaged_journal_is_refused_and_listed),
        CASE(journal_of_a_foreign_variable_is_damaged),
        CASE(journal_is_found_on_another_volume),
        CASE(newest_of_two_volumes_is_known_by_its_date),
        CASE(journal_of_a_later_volume_with_an_earlier_date_is_not_the_newest),
        CASE(on_one_volume_the_higher_number_is_the_newest),
        CASE(number_that_two_volumes_have_is_refused_and_listed),
        CASE(volume_before_the_number_chooses_the_journal),
        CASE(timeout_set_anew_since_is_not_called_taken_back),
        CASE(boot_next_set_anew_since_is_not_called_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
