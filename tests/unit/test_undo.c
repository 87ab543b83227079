/* Taking changes back: byte for byte, and only what this program has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/journal_undo.h"
#include "cmd/interrupted.h"
#include "cmd/screen.h"
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
    expect_said(host, "no journal of a change that still stands is on any mounted volume");
}

/* BootOrder, which was written last, comes back first: no entry that it names is ever gone. */
static void variables_come_back_last_first(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    host_console_clear(host->console);
    assert_int_equal(fixture_run(host, "undo -n"), 0);
    const char *order = strstr(host_console_text(host->console), "restore BootOrder");
    const char *last = strstr(host_console_text(host->console), "delete Boot0005");
    const char *first = strstr(host_console_text(host->console), "delete Boot0004");
    assert_non_null(order);
    assert_non_null(last);
    assert_non_null(first);
    assert_true(order < last && last < first);
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

/* An entry from before the change, deleted by the firmware since: BootOrder does not name it
 * again. */
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
    expect_said(host,
                "Journal 1 (FS0:\\EFI\\shadowboot\\J0000001.SBJ) is damaged and cannot be used");
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

/* --- Blocks of disks ------------------------------------------------------------------------ */

/* A journal about the disks of the modern machine: blocks of both, and the timeout. */
struct disks_journal {
    struct journal_disk disks[2];
    struct journal_record records[5];
    uint8_t old_data[8192];
    struct journal journal;
};

static void about_disk(struct journal_disk *disk, const struct disk *from)
{
    disk->guid_before = from->guid;
    disk->guid_after = from->guid;
    disk->block_count = from->block_count;
    disk->block_size = from->block_size;
    disk->path = from->path;
}

static void make_disks_journal(struct disks_journal *made, const struct machine *machine)
{
    static const struct {
        size_t disk;
        uint64_t lba;
        uint32_t count;
    } blocks[] = {{0, 100, 2}, {1, 200, 4}, {1, 300, 12}};

    memset(made, 0, sizeof(*made));
    for (size_t i = 0; i < 2; i++)
        about_disk(&made->disks[i], &machine->disks[i]);
    for (size_t i = 0; i < 3; i++) {
        struct journal_record *record = &made->records[i];
        record->kind = JOURNAL_BLOCKS;
        record->disk = blocks[i].disk;
        record->lba = blocks[i].lba;
        record->block_count = blocks[i].count;
        record->step = (uint32_t)i;
        record->old_data =
            span_of(made->old_data, blocks[i].count * made->disks[blocks[i].disk].block_size);
    }
    made->records[3].kind = JOURNAL_RELIED;
    made->records[3].disk = 1;
    made->records[3].lba = 500;
    made->records[3].block_count = 1;
    made->records[4].kind = JOURNAL_VARIABLE;
    strcpy(made->records[4].name, "Timeout");
    made->records[4].old_present = true;
    made->records[4].old_attributes = 7;
    made->records[4].old_data = span_of("\5\0", 2);
    made->records[4].new_present = true;
    made->records[4].new_attributes = 7;
    made->records[4].new_data = span_of("\1\0", 2); /* what the machine has */
    made->journal.command = "shadowboot prepare 1";
    made->journal.disks = made->disks;
    made->journal.disk_count = 2;
    made->journal.records = made->records;
    made->journal.count = 5;
}

/* Plans the undo on the planning's machine, from an empty plan. */
static enum status plan_anew(struct planning *p, const struct journal *journal)
{
    plan_init(&p->plan, &p->arena, &p->machine);
    enum status status = plan_undo(&p->plan, journal);
    return status == ST_OK ? p->plan.status : status;
}

/* I4: variables were changed after the disks, and of the disks the last one last. */
static void variables_come_back_before_the_disks_in_reverse(void **state)
{
    struct planning *p = planning_begin(host_clone(*state));
    struct disks_journal made;

    make_disks_journal(&made, &p->machine);
    assert_int_equal(plan_anew(p, &made.journal), ST_OK);
    assert_true(p->plan.is_undo);
    assert_false(p->plan.formats);
    assert_string_equal(planning_text(p), "restore Timeout\n"
                                          "restore 2 areas of Disk 1 (8 KiB) as they were before\n"
                                          "restore 1 area of Disk 0 (8 KiB) as it was before\n");
    const struct action *action = &p->plan.actions[1];
    assert_int_equal(action->type, ACTION_CHANGE_DISK);
    assert_int_equal(action->change->kind, DISK_CHANGE_RESTORE);
    assert_int_equal(action->change->disk, 1);
    assert_int_equal(action->change->journal_disk, 1);
    assert_ptr_equal(action->change->journal, &made.journal);
    assert_int_equal(action->change->esp, NO_INDEX);
    assert_int_equal(p->plan.actions[2].change->disk, 0);
    planning_end(p);
}

/* A change that was interrupted before its variables: those are as before, the disks perhaps
 * not. */
static void variables_that_are_old_already_are_not_planned(void **state)
{
    struct planning *p = planning_begin(host_clone(*state));
    struct disks_journal made;

    make_disks_journal(&made, &p->machine);
    made.records[4].old_data = span_of("\1\0", 2);
    made.records[4].new_data = span_of("\5\0", 2);
    assert_int_equal(plan_anew(p, &made.journal), ST_OK);
    assert_int_equal(p->plan.count, 2);
    assert_int_equal(p->plan.actions[0].type, ACTION_CHANGE_DISK);
    /* Neither old nor new: left as it is, and the disks still come back. */
    made.records[4].old_data = span_of("\6\0", 2);
    assert_int_equal(plan_anew(p, &made.journal), ST_OK);
    assert_int_equal(p->plan.count, 2);
    assert_int_equal(p->plan.warning_count, 1);
    planning_end(p);
}

/* Both disks have been put to other ports since: their GUIDs tell, the one from before the change
 * or the one it gave. */
static void disk_is_known_by_its_guid_in_another_place(void **state)
{
    struct planning *p = planning_begin(host_clone(*state));
    struct disks_journal made;

    make_disks_journal(&made, &p->machine);
    made.disks[0].path = p->machine.disks[1].path;
    made.disks[1].path = p->machine.disks[0].path;
    memset(&made.disks[0].guid_before, 0, sizeof(struct guid));
    made.disks[1].guid_after = fixture_guid(MODERN_MSR_0);
    assert_int_equal(plan_anew(p, &made.journal), ST_OK);
    assert_int_equal(p->plan.actions[1].change->disk, 1);
    assert_int_equal(p->plan.actions[2].change->disk, 0);
    planning_end(p);
}

/* A disk that has no GUID now, or never had one, is known by its place; so is one of two with the
 * same GUID. */
static void disk_without_a_guid_of_its_own_is_known_by_its_place(void **state)
{
    struct planning *p = planning_begin(host_clone(*state));
    struct disks_journal made;

    make_disks_journal(&made, &p->machine);
    memset(&p->machine.disks[0].guid, 0, sizeof(struct guid));
    memset(&made.disks[1].guid_before, 0, sizeof(struct guid));
    memset(&made.disks[1].guid_after, 0, sizeof(struct guid));
    assert_int_equal(plan_anew(p, &made.journal), ST_OK);
    assert_int_equal(p->plan.actions[1].change->disk, 1);
    assert_int_equal(p->plan.actions[2].change->disk, 0);
    p->machine.disks[0].guid = p->machine.disks[1].guid;
    p->machine.disks[0].block_size = p->machine.disks[1].block_size;
    p->machine.disks[0].block_count = p->machine.disks[1].block_count;
    make_disks_journal(&made, &p->machine);
    assert_int_equal(plan_anew(p, &made.journal), ST_OK);
    assert_int_equal(p->plan.actions[1].change->disk, 1);
    assert_int_equal(p->plan.actions[2].change->disk, 0);
    planning_end(p);
}

/* I2: a replacement in the old disk's place is not written to, nor a disk of another size. */
static void disk_that_is_not_here_is_named(void **state)
{
    struct planning *p = planning_begin(host_clone(*state));
    struct disks_journal made;

    for (int i = 0; i < 4; i++) {
        make_disks_journal(&made, &p->machine);
        if (i < 2) {
            made.disks[1].guid_before = fixture_guid(MODERN_ESP_0);
            made.disks[1].guid_after = fixture_guid(MODERN_ESP_0);
        }
        if (i == 1)
            memset(&made.disks[1].guid_before, 0, sizeof(struct guid));
        if (i == 2)
            made.disks[1].block_count++;
        if (i == 3)
            made.disks[1].block_size = 1024;
        assert_int_equal(plan_anew(p, &made.journal), ST_ABSENT);
        assert_int_equal(p->plan.count, 0);
        assert_non_null(
            strstr(p->plan.refusal, i < 2 ? "{" MODERN_ESP_0 "}" : "The disk with the GUID {"));
        assert_non_null(strstr(
            p->plan.refusal, "is not here; put it back and run undo again. Nothing was changed."));
    }
    planning_end(p);
}

static void missing_disk_without_a_guid_is_named_by_its_place(void **state)
{
    struct planning *p = planning_begin(host_clone(*state));
    struct disks_journal made;

    make_disks_journal(&made, &p->machine);
    memset(&made.disks[1].guid_before, 0, sizeof(struct guid));
    memset(&made.disks[1].guid_after, 0, sizeof(struct guid));
    made.disks[1].path = p->machine.disks[0].path;
    assert_int_equal(plan_anew(p, &made.journal), ST_ABSENT);
    assert_non_null(strstr(p->plan.refusal, p->machine.disks[0].path_text));
    planning_end(p);
}

static void one_disk_twice_is_damage(void **state)
{
    struct planning *p = planning_begin(host_clone(*state));
    struct disks_journal made;

    make_disks_journal(&made, &p->machine);
    made.disks[0] = made.disks[1];
    assert_int_equal(plan_anew(p, &made.journal), ST_DAMAGED);
    assert_int_equal(p->plan.count, 0);
    planning_end(p);
}

static void undo_of_blocks_is_not_taken_back(void **state)
{
    struct planning *p = planning_begin(host_clone(*state));
    struct disks_journal made;

    make_disks_journal(&made, &p->machine);
    made.journal.is_undo = true;
    assert_int_equal(plan_anew(p, &made.journal), ST_REFUSED);
    assert_non_null(strstr(p->plan.refusal, "Run the command again"));
    assert_int_equal(p->plan.count, 0);
    planning_end(p);
}

/* --- Interrupted changes -------------------------------------------------------------------- */

/* Puts the journal on a volume of the machine. */
static void put_journal(struct host *host, size_t volume, unsigned number,
                        const struct journal *journal, const char *mark)
{
    struct arena arena;
    struct span file;
    char path[64];
    void *memory = malloc(1 << 20);

    arena_init(&arena, memory, 1 << 20);
    assert_int_equal(journal_build(&arena, journal, &file), ST_OK);
    uint8_t *bytes = malloc(file.size + 16);
    memcpy(bytes, file.at, file.size);
    memcpy(bytes + file.size, mark, strlen(mark));
    snprintf(path, sizeof(path), "\\EFI\\shadowboot\\J%07u.SBJ", number);
    mem_files_put(host->files, volume, path, bytes, file.size + strlen(mark));
    free(bytes);
    free(memory);
}

/* A change of the timeout from 5 to 1, which is what the machine has, not marked as done. */
static void put_interrupted_timeout(struct host *host, unsigned number)
{
    struct planning *p = planning_begin(host_clone(host));
    struct disks_journal made;

    make_disks_journal(&made, &p->machine);
    made.journal.disk_count = 0;
    made.journal.records = &made.records[4];
    made.journal.count = 1;
    made.journal.command = "shadowboot timeout 1";
    put_journal(host, 0, number, &made.journal, "");
    planning_end(p);
}

static void put_disks_journal(struct host *host, unsigned number, const char *mark, bool is_undo)
{
    struct planning *p = planning_begin(host_clone(host));
    struct disks_journal made;

    make_disks_journal(&made, &p->machine);
    made.journal.is_undo = is_undo;
    put_journal(host, 0, number, &made.journal, mark);
    planning_end(p);
}

static void interrupted_change_is_said_before_entries_are_changed(void **state)
{
    struct host *host = *state;

    put_interrupted_timeout(host, 3);
    expect_unchanged(host, "next -n 1", 0);
    expect_said(host, "Interrupted: journal 3 (FS0:\\EFI\\shadowboot\\J0000003.SBJ)");
    expect_said(host, "\"shadowboot timeout 1\"");
    expect_said(host, "Run the same command again to finish it, or \"shadowboot undo 3\" to take");
    expect_unchanged(host, "next -n 1 -sfo", 0);
    expect_said(host, "JournalInfo,\"3\",");
    expect_said(host, ",\"interrupted\",\"FS0:\",");
    assert_int_equal(fixture_run(host, "undo -y 3"), 0);
    assert_int_equal(timeout_of(host), 5);
    expect_unchanged(host, "next -n 1", 0);
    assert_null(strstr(host_console_text(host->console), "Interrupted"));
}

static void status_says_what_was_interrupted(void **state)
{
    struct host *host = *state;

    put_disks_journal(host, 3, "", false);
    put_disks_journal(host, 4, "SBDONE__SBUNDO__", false);
    put_disks_journal(host, 5, "SBLEFT__", false);
    (void)fixture_run(host, "status -quick -json FS0:\\report.json");
    expect_said(host, "Interrupted: journal 3 ");
    expect_said(host, "\"shadowboot undo 3\" to take it back.");
    expect_said(host, "Interrupted: undo of journal 4 ");
    expect_said(host, "\"shadowboot undo 4\" goes on with it.");
    assert_null(strstr(host_console_text(host->console), "journal 5"));
    struct span report = mem_files_find(host->files, 0, "\\report.json");
    assert_true(report.size > 0);
    char *text = malloc(report.size + 1);
    memcpy(text, report.at, report.size);
    text[report.size] = '\0';
    const char *list = strstr(text, "\"interrupted\": [");
    assert_non_null(list);
    assert_non_null(strstr(list, "\"number\": 3,"));
    assert_non_null(strstr(list, "\"command\": \"shadowboot prepare 1\","));
    assert_non_null(strstr(list, "\"disks\": true,"));
    assert_non_null(strstr(list, "\"undo\": true"));
    free(text);
}

static void journals_of_disks_are_listed_with_their_state(void **state)
{
    struct host *host = *state;

    put_disks_journal(host, 1, "", false);
    put_disks_journal(host, 2, "SBDONE__", false);
    put_disks_journal(host, 3, "SBDONE__SBUNDONE", false);
    put_disks_journal(host, 4, "SBLEFT__", false);
    expect_unchanged(host, "undo -l", 0);
    expect_said(host, "    1  0000-00-00 00:00  interrupted  FS0:");
    expect_said(host, "    2  0000-00-00 00:00  done         FS0:");
    expect_said(host, "    3  0000-00-00 00:00  taken back   FS0:");
    expect_said(host, "    4  0000-00-00 00:00  left         FS0:");
    expect_unchanged(host, "undo -n", 0); /* the newest that stands */
    expect_said(host, "J0000002.SBJ");
    expect_said(host, "restore 2 areas of Disk 1 (8 KiB) as they were before");
    expect_unchanged(host, "undo -y 3", 0);
    expect_said(host, "Nothing to do: it is taken back already.");
}

/* --- Before disks are changed --------------------------------------------------------------- */

/* A command at its beginning, on a machine that it has scanned. */
struct beginning {
    struct context context;
    struct screen screen;
    struct ports ports;
    struct arena arena;
    void *memory;
};

static struct beginning *begin(struct host *host)
{
    struct beginning *begun = host_alloc(1, sizeof(*begun));

    begun->memory = malloc(FIXTURE_ARENA);
    arena_init(&begun->arena, begun->memory, FIXTURE_ARENA);
    begun->ports = *host_ports(host);
    begun->context.ports = &begun->ports;
    begun->context.screen = &begun->screen;
    screen_open(&begun->screen, &begun->ports.console);
    begun->context.arena = &begun->arena;
    begun->context.command = "prepare";
    begun->context.line = "shadowboot prepare 1";
    assert_int_equal(context_scan(&begun->context, SCAN_ENTRIES), ST_OK);
    host_console_clear(host->console);
    return begun;
}

static void end(struct beginning *begun)
{
    free(begun->memory);
    free(begun);
}

/* True when the file of this journal on FS0: ends with the mark. */
static bool has_mark(const struct host *host, unsigned number, const char *mark)
{
    char path[64];

    snprintf(path, sizeof(path), "\\EFI\\shadowboot\\J%07u.SBJ", number);
    struct span file = mem_files_find(host->files, 0, path);
    return file.size > 8 && memcmp(file.at + file.size - 8, mark, 8) == 0;
}

static bool was_said(struct host *host, const char *text)
{
    return strstr(host_console_text(host->console), text) != NULL;
}

static void without_an_interrupted_change_nothing_is_said(void **state)
{
    struct host *host = *state;
    bool again = true;

    put_disks_journal(host, 1, "SBDONE__", false);
    struct beginning *begun = begin(host);
    assert_int_equal(take_back_interrupted(&begun->context, &again), ST_OK);
    assert_false(again);
    assert_string_equal(host_console_text(host->console), "");
    end(begun);
}

static void interrupted_variables_are_only_told_of(void **state)
{
    struct host *host = *state;
    bool again = true;

    put_interrupted_timeout(host, 3);
    struct beginning *begun = begin(host);
    begun->context.yes = true;
    assert_int_equal(take_back_interrupted(&begun->context, &again), ST_OK);
    assert_false(again);
    expect_said(host, "Interrupted: journal 3");
    journal_give_up(begun->context.arena, begun->context.ports,
                    NULL); /* the next run of the same command finishes it */
    assert_false(has_mark(host, 3, "SBLEFT__"));
    assert_int_equal(timeout_of(host), 1);
    end(begun);
}

static void plan_only_shows_what_would_be_taken_back(void **state)
{
    struct host *host = *state;
    struct host *before = host_clone(host);
    bool again = true;

    put_disks_journal(host, 3, "", false);
    struct beginning *begun = begin(host);
    begun->context.plan_only = true;
    assert_int_equal(take_back_interrupted(&begun->context, &again), ST_OK);
    assert_false(again);
    expect_said(host, "Without -n this would be taken back first:");
    expect_said(host, "restore 2 areas of Disk 1");
    assert_false(has_mark(host, 3, "SBUNDONE"));
    assert_true(mem_vars_equal(host->vars, before->vars));
    host_free(before);
    end(begun);
}

/* The last one first: an earlier change may lie under it. */
static void last_interrupted_change_is_taken_back_first(void **state)
{
    struct host *host = *state;
    bool again = true;

    put_disks_journal(host, 3, "", false);
    put_disks_journal(host, 4, "", false);
    struct beginning *begun = begin(host);
    begun->context.plan_only = true;
    assert_int_equal(take_back_interrupted(&begun->context, &again), ST_OK);
    expect_said(host, "journal 4");
    assert_false(was_said(host, "journal 3"));
    end(begun);
}

static void who_does_not_agree_stops_the_command(void **state)
{
    struct host *host = *state;
    bool again = true;

    put_disks_journal(host, 3, "", false);
    struct beginning *begun = begin(host);
    host_console_answer(host->console, "n");
    assert_int_equal(take_back_interrupted(&begun->context, &again), ST_CANCELLED);
    assert_false(again);
    expect_said(host, "This is taken back first.");
    assert_false(has_mark(host, 3, "SBUNDONE"));
    end(begun);
}

/* Its disk was replaced: the new one is prepared all the same, and then the journal is given up. */
static void change_of_a_disk_that_is_gone_is_passed_over_and_left(void **state)
{
    struct host *host = *state;
    struct planning *p = planning_begin(host_clone(host));
    struct disks_journal made;
    bool again = true;

    make_disks_journal(&made, &p->machine);
    made.disks[1].guid_before = fixture_guid(MODERN_ESP_0);
    made.disks[1].guid_after = fixture_guid(MODERN_ESP_0);
    put_journal(host, 0, 3, &made.journal, "");
    planning_end(p);
    struct beginning *begun = begin(host);
    begun->context.yes = true;
    assert_int_equal(take_back_interrupted(&begun->context, &again), ST_OK);
    assert_false(again);
    expect_said(host, "is not here; put it back");
    expect_said(host, "Journal 3 stays as it is.");
    assert_false(has_mark(host, 3, "SBLEFT__"));
    journal_give_up(begun->context.arena, begun->context.ports, NULL);
    assert_true(has_mark(host, 3, "SBLEFT__"));
    host_console_clear(host->console);
    assert_int_equal(take_back_interrupted(&begun->context, &again), ST_OK);
    assert_string_equal(host_console_text(host->console), "");
    end(begun);
}

/* The undo of journal 2 was interrupted: that change has to come back in full, whatever was done before
 * it. */
static void interrupted_undo_is_gone_on_with(void **state)
{
    struct host *host = *state;
    struct planning *p = planning_begin(host_clone(host));
    struct disks_journal made;
    bool again = true;

    put_disks_journal(host, 1, "SBDONE__", false);
    make_disks_journal(&made, &p->machine);
    made.records[2].block_count = 11; /* by which it is known below */
    made.records[2].old_data.size = 11 * 512;
    put_journal(host, 0, 2, &made.journal, "SBDONE__SBUNDO__");
    planning_end(p);
    struct beginning *begun = begin(host);
    begun->context.yes = true;
    begun->context.plan_only = true;
    assert_int_equal(take_back_interrupted(&begun->context, &again), ST_OK);
    expect_said(host, "Interrupted: undo of journal 2");
    expect_said(host, "restore 2 areas of Disk 1 (7.5 KiB)");
    end(begun);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, machine_set_up_modern, machine_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_change_can_be_taken_back_byte_for_byte),
        CASE(undo_goes_back_change_by_change_and_then_finds_nothing),
        CASE(variables_come_back_last_first),
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
        CASE(variables_come_back_before_the_disks_in_reverse),
        CASE(variables_that_are_old_already_are_not_planned),
        CASE(disk_is_known_by_its_guid_in_another_place),
        CASE(disk_without_a_guid_of_its_own_is_known_by_its_place),
        CASE(disk_that_is_not_here_is_named),
        CASE(missing_disk_without_a_guid_is_named_by_its_place),
        CASE(one_disk_twice_is_damage),
        CASE(undo_of_blocks_is_not_taken_back),
        CASE(interrupted_change_is_said_before_entries_are_changed),
        CASE(status_says_what_was_interrupted),
        CASE(journals_of_disks_are_listed_with_their_state),
        CASE(without_an_interrupted_change_nothing_is_said),
        CASE(interrupted_variables_are_only_told_of),
        CASE(plan_only_shows_what_would_be_taken_back),
        CASE(last_interrupted_change_is_taken_back_first),
        CASE(who_does_not_agree_stops_the_command),
        CASE(change_of_a_disk_that_is_gone_is_passed_over_and_left),
        CASE(interrupted_undo_is_gone_on_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
