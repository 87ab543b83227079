/*
 * What is kept of the old content before a disk is written to, and what makes a change that was
 * kept one that can be taken back: all that is in use, nothing that is free, each step by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/read_ahead.h"
#include "host/fault.h"
#include "unit/disk_work_fixture.h"

static uint64_t blocks_of(const struct journal *journal)
{
    uint64_t blocks = 0;

    for (size_t i = 0; i < journal->count; i++)
        blocks += journal->records[i].kind == JOURNAL_BLOCKS ? journal->records[i].block_count : 0;
    return blocks;
}

/* A file system that is made where nothing was leaves nothing to come back to. */
static void free_blocks_are_not_kept(void **state)
{
    struct planning *p = *state;

    disk_machine_zero(p->host, 1, PART_ESP);
    planning_rescan_to(p, SCAN_FULL);
    plan_format(p, false);
    assert_int_equal(records_of(p, work_of(p, host_ports(p->host), 0))->count, 0);
}

/* Every block of a file system that is made over another one, files' content too. */
static void all_that_is_overwritten_is_kept(void **state)
{
    struct planning *p = *state;

    plan_format(p, true);
    struct disk_work *work = work_of(p, host_ports(p->host), 0);
    assert_int_equal(blocks_of(records_of(p, work)) * 512, work->bytes);
    for (size_t i = 0; i < work->edit.file_count; i++)
        assert_false(work->edit.files[i].free_space);
}

/* A read that fails once is tried once more: nothing is missing. */
static void a_read_that_fails_once_loses_nothing(void **state)
{
    struct planning *p = *state;

    plan_format(p, true);
    struct fault *fault = fault_new(host_ports(p->host));
    struct disk_work *work = work_of(p, fault_ports(fault), 0);
    fault_fail(fault, FAULT_BLOCK_READ, fault_calls(fault, FAULT_BLOCK_READ) + 1, ST_IO, false);
    const struct journal *journal = records_of(p, work);
    assert_true(fault_tripped(fault));
    assert_int_equal(blocks_of(journal) * 512, work->bytes);
    fault_free(fault);
}

/* What stays in use after a change of files has to be readable, or it could not come back. */
static void a_block_in_use_that_cannot_be_read_ends_a_change_of_files(void **state)
{
    struct planning *p = *state;
    struct journal journal = {.command = ""};
    uint32_t step = 0;

    plan_boot_manager(p);
    struct disk_work *work = work_of(p, host_ports(p->host), 0);
    size_t used = 0;
    while (used < work->edit.write_count && work->edit.writes[used].free_space)
        used++;
    assert_true(used < work->edit.write_count);
    journal.records = arena_alloc(&p->arena, disk_work_record_room(work), sizeof(*journal.records));
    journal.disks = arena_alloc(&p->arena, 1, sizeof(*journal.disks));
    mem_block_spoil(p->host->disks[1], work->edit.writes[used].lba, 1);
    assert_int_equal(disk_work_records(work, &journal, &step), ST_IO);
}

/* Two changes of a disk: one disk in the journal, and steps that go on. */
static void steps_of_two_changes_follow_each_other(void **state)
{
    struct planning *p = *state;
    struct host_partition esp = disk_machine_place(p->host, 1, PART_ESP);
    struct apply_result result;
    uint32_t last_of_table = 0;
    uint32_t first_of_esp = UINT32_MAX;

    plan_rename(p, 1);
    plan_format(p, true);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    const struct journal *journal = journal_of(p);
    assert_int_equal(journal->disk_count, 1);
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_record *record = &journal->records[i];
        bool in_esp = record->lba >= esp.start && record->lba < esp.start + esp.size;
        if (record->kind != JOURNAL_BLOCKS)
            continue;
        if (in_esp && record->step < first_of_esp)
            first_of_esp = record->step;
        if (!in_esp && record->step > last_of_table)
            last_of_table = record->step;
    }
    assert_int_not_equal(first_of_esp, UINT32_MAX);
    assert_true(last_of_table < first_of_esp);
}

/* A disk that takes no write at all, from the first one on, has nothing to be taken back. */
static void a_disk_that_took_nothing_is_as_it_was(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_format(p, true);
    struct fault *fault = fault_new(host_ports(p->host));
    fault_fail(fault, FAULT_BLOCK_WRITE, 1, ST_IO, true);
    assert_int_equal(fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result), ST_IO);
    assert_non_null(strstr(result.problem, "Everything is again as it was before"));
    assert_int_equal(journal_of(p)->state, JOURNAL_UNDONE);
    fault_free(fault);
}

/* Somebody has written where zeros were before the change and something else after it. */
static void undo_does_not_write_over_what_came_since(void **state)
{
    struct planning *p = *state;
    struct host_partition place = disk_machine_place(p->host, 1, PART_ESP);
    struct apply_result result;

    disk_machine_zero(p->host, 1, PART_ESP);
    planning_rescan_to(p, SCAN_FULL);
    plan_format(p, true);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    mem_block_write(p->host->disks[1], place.start * 512 + 400, "somebody else", 13);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_equal(disk_work_undo(p, &result), ST_CHANGED);
    assert_non_null(strstr(result.problem, "written to since"));
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
}

/* An undo that cannot go on, nor back: the same one goes on later, from the journal it has. */
static void an_undo_that_was_stopped_by_the_disk_goes_on(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    disk_machine_zero_fats(p->host, 1);
    planning_rescan_to(p, SCAN_FULL);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    plan_format(p, true);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(plan_undo(&p->plan, journal_of(p)), ST_OK);
    struct fault *fault = fault_new(host_ports(p->host));
    fault_fail(fault, FAULT_BLOCK_WRITE, 2, ST_IO, true);
    assert_int_equal(fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result), ST_IO);
    assert_non_null(strstr(result.problem, "Run the same undo again"));
    fault_free(fault);
    assert_int_equal(disk_work_undo(p, &result), ST_OK);
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
}

/* How much a plan writes is known before it is carried out, and it is what it has written. */
static void a_check_says_how_much_is_written(void **state)
{
    struct planning *p = *state;
    struct apply_result checked;
    struct apply_result result;

    plan_rename(p, 0);
    plan_format(p, true);
    assert_int_equal(
        apply_check(&p->arena, (struct ports *)host_ports(p->host), &p->plan, &checked), ST_OK);
    assert_int_equal(mem_block_log_count(p->host->disks[0]), 0);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_int_equal(checked.disk_bytes, result.disk_bytes);
    assert_true(result.disk_bytes > 0);
}

/* --- Reading ahead -------------------------------------------------------------------------- */

/* Up to the last block of the disk pieces are read together. */
static void the_end_of_the_disk_is_read_ahead_too(void **state)
{
    struct planning *p = *state;
    struct port_counts counts = {0};
    struct ports counted;
    struct read_ahead ahead;
    uint8_t piece[4 * 512];
    static uint8_t window[64 * 512];

    assert_int_equal(ports_count(&p->arena, host_ports(p->host), &counts, &counted), ST_OK);
    read_ahead_start(&ahead, &counted.disks[0], window, sizeof(window));
    uint64_t end = counted.disks[0].block_count;
    for (uint64_t lba = end - 40; lba < end; lba += 4)
        assert_int_equal(ahead.port.read(ahead.port.ctx, lba, 4, piece), ST_OK);
    assert_in_range(counts.block_reads, 1, 3);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, disk_work_set_up, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(free_blocks_are_not_kept),
        CASE(all_that_is_overwritten_is_kept),
        CASE(a_read_that_fails_once_loses_nothing),
        CASE(a_block_in_use_that_cannot_be_read_ends_a_change_of_files),
        CASE(steps_of_two_changes_follow_each_other),
        CASE(a_disk_that_took_nothing_is_as_it_was),
        CASE(undo_does_not_write_over_what_came_since),
        CASE(an_undo_that_was_stopped_by_the_disk_goes_on),
        CASE(a_check_says_how_much_is_written),
        CASE(the_end_of_the_disk_is_read_ahead_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
