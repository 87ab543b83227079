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

#include "port/read_ahead.h"
#include "format/fat/fat_layout.h"
#include "host/fault.h"
#include "unit/disk_work_fixture.h"

static uint64_t blocks_of(const struct journal *journal)
{
    uint64_t blocks = 0;

    for (size_t i = 0; i < journal->count; i++)
        blocks += journal->records[i].kind == JOURNAL_BLOCKS ? journal->records[i].block_count : 0;
    return blocks;
}

/* Where nothing was a file system leaves nothing but the places of zeros. */
static void zeros_take_no_room(void **state)
{
    struct planning *p = *state;

    disk_machine_zero(p->host, 1, PART_ESP);
    planning_rescan_to(p, SCAN_FULL);
    plan_format(p);
    const struct journal *journal = records_of(p, work_of(p, host_ports(p->host), 0));
    assert_true(journal->count > 0);
    for (size_t i = 0; i < journal->count; i++) {
        assert_true(journal->records[i].old_is_zero);
        assert_int_equal(journal->records[i].old_data.size, 0);
    }
}

/* Every block of a file system that is made over another one, files' content too. */
static void all_that_is_overwritten_is_kept(void **state)
{
    struct planning *p = *state;

    plan_format(p);
    struct disk_work *work = work_of(p, host_ports(p->host), 0);
    assert_int_equal(blocks_of(records_of(p, work)) * 512, work->bytes);
    for (size_t i = 0; i < work->edit.file_count; i++)
        assert_false(work->edit.files[i].free_space);
}

/* A block that two steps write: what the later one finds is what the earlier one has left there. */
static void a_step_is_kept_as_the_one_before_it_leaves_it(void **state)
{
    struct planning *p = *state;
    uint64_t boot_sector = disk_machine_place(p->host, 1, PART_ESP).start;
    const struct journal_record *first = NULL;
    const struct journal_record *last = NULL;

    plan_format(p);
    const struct journal *journal = records_of(p, work_of(p, host_ports(p->host), 0));
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_record *record = &journal->records[i];
        if (record->lba != boot_sector)
            continue;
        first = first == NULL ? record : first;
        last = record;
    }
    assert_true(first != NULL && first->step < last->step);
    assert_false(first->old_is_zero);
    assert_true(last->old_is_zero || span_is_zero(span_part(last->old_data, 0, 512)));
}

/* A read that fails once is tried once more: nothing is missing. */
static void a_read_that_fails_once_loses_nothing(void **state)
{
    struct planning *p = *state;

    plan_format(p);
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
    plan_format(p);
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

    plan_format(p);
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
    plan_format(p);
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
    plan_format(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(plan_undo(&p->plan, journal_of(p)), ST_OK);
    struct fault *fault = fault_new(host_ports(p->host));
    fault_fail(fault, FAULT_BLOCK_WRITE, 2, ST_IO, true);
    assert_int_equal(disk_work_apply_told(p, fault_ports(fault), NULL, NULL, &result), ST_IO);
    assert_non_null(strstr(result.problem, "run the same undo again"));
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
    plan_format(p);
    assert_int_equal(
        apply_check(&p->arena, (struct ports *)host_ports(p->host), &p->plan, &checked), ST_OK);
    assert_int_equal(mem_block_log_count(p->host->disks[0]), 0);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_int_equal(checked.disk_bytes, result.disk_bytes);
    assert_true(result.disk_bytes > 0);
}

/* --- Files ---------------------------------------------------------------------------------- */

/* Where a file's content begins on its disk, in bytes. */
static uint64_t content_at(const struct planning *p, size_t disk, const char *path)
{
    const struct esp *esp = &p->machine.esps[esp_on(p, disk)];
    uint32_t cluster = esp->report.files[fat_find(&esp->report, path)].first_cluster;

    return disk_machine_place(p->host, disk, PART_ESP).start * 512 + esp->volume.data_offset +
           (uint64_t)(cluster - 2) * esp->volume.cluster_size;
}

/* Nothing of what was in memory, or lies behind it on its source, shows behind the end of a
 * file. */
static void behind_the_end_of_a_file_are_zeros(void **state)
{
    struct planning *p = *state;
    struct file_copy item = item_of(p, esp_on(p, 0), LANGUAGE);
    struct disk_change change = change_of_esp(p, DISK_CHANGE_FILES, &item, 1);
    uint8_t block[512];

    memset(block, 0xee, sizeof(block));
    mem_block_write(p->host->disks[0], content_at(p, 0, LANGUAGE) + item.size, block,
                    512 - item.size % 512);
    plan_change_disk(&p->plan, &change, "bring a file");
    struct disk_work *work = work_of(p, host_ports(p->host), 0);
    memset(work->buffer, 0xee, DISK_WORK_MEMORY);
    assert_int_equal(disk_work_run(work, NULL, NULL), ST_OK);
    const struct disk_file *file = &work->edit.files[0];
    const struct disk_extent *last = &file->extents[file->extent_count - 1];
    size_t used = (size_t)(last->bytes % 512);
    mem_block_peek(p->host->disks[1], (last->lba + last->bytes / 512) * 512, block, 512);
    assert_int_not_equal(used, 0);
    assert_false(span_is_zero(span_of(block, used)));
    assert_true(span_is_zero(span_of(block + used, 512 - used)));
}

/* Both disks are gone through from start to end. */
static void files_keep_the_order_in_which_they_lie(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_format(p);
    const struct files_change *files = &p->plan.actions[0].change->files;
    const struct fat_report *from = &p->machine.esps[esp_on(p, 0)].report;
    struct machine after;
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_int_equal(scan_machine(&p->arena, host_ports(p->host), SCAN_FULL, &after), ST_OK);
    const struct fat_report *to = &after.esps[esp_on(p, 1)].report;
    for (size_t i = 0; i < files->count; i++) {
        for (size_t k = 0; k < files->count; k++) {
            const struct fat_file *a = &from->files[files->items[i].file];
            const struct fat_file *b = &from->files[files->items[k].file];
            if (a->is_directory || b->is_directory || a->first_cluster >= b->first_cluster)
                continue;
            assert_true(to->files[fat_find(to, a->path)].first_cluster <
                        to->files[fat_find(to, b->path)].first_cluster);
        }
    }
}

/* Plans to make the ESP of Disk 1 anew with the files that are on it. */
static void plan_format_with_own_files(struct planning *p)
{
    size_t own = esp_on(p, 1);
    const struct fat_report *report = &p->machine.esps[own].report;
    struct file_copy *items = arena_alloc(&p->arena, report->file_count, sizeof(*items));
    uint32_t cluster = 0;

    for (size_t i = 0; i < report->file_count; i++)
        items[i] = item_of(p, own, report->files[i].path);
    struct disk_change change = change_of_esp(p, DISK_CHANGE_FORMAT, items, report->file_count);
    change.esp = own;
    change.format.type = fat_type_for(change.block_count * 512, 512, &cluster);
    change.format.label = "NEW";
    plan_change_disk(&p->plan, &change, "format");
}

/* What comes from the very partition that is formatted is read before anything is written there. */
static void a_file_system_is_made_anew_with_its_own_files(void **state)
{
    struct planning *p = *state;

    plan_format_with_own_files(p);
    struct disk_work *work = work_of(p, host_ports(p->host), 0);
    uint8_t zeros[512] = {0};
    mem_block_write(p->host->disks[1], content_at(p, 1, BOOTMGFW), zeros, sizeof(zeros));
    assert_int_equal(disk_work_run(work, NULL, NULL), ST_OK);
    assert_same_file(p, BOOTMGFW);
    assert_same_file(p, LANGUAGE);
}

/* They would be gone. */
static void own_files_that_cannot_be_read_end_it_before_it_begins(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_format_with_own_files(p);
    scan_let_contents_go(&p->machine);
    mem_block_spoil(p->host->disks[1], content_at(p, 1, BOOTMGFW) / 512 + 1, 1);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_equal(disk_work_apply(p, &result), ST_IO);
    assert_non_null(strstr(result.problem, "Nothing was changed"));
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
}

/* Old content that lies where it lay is what an undo relies on: it leads nowhere when that cannot be read. */
static void undo_refuses_when_the_old_content_does_not_read(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    uint64_t old = content_at(p, 1, BOOTMGFW) / 512;

    plan_boot_manager(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    mem_block_spoil(p->host->disks[1], old + 1, 1);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_equal(disk_work_undo(p, &result), ST_IO);
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
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
        CASE(zeros_take_no_room),
        CASE(all_that_is_overwritten_is_kept),
        CASE(a_step_is_kept_as_the_one_before_it_leaves_it),
        CASE(a_read_that_fails_once_loses_nothing),
        CASE(a_block_in_use_that_cannot_be_read_ends_a_change_of_files),
        CASE(steps_of_two_changes_follow_each_other),
        CASE(a_disk_that_took_nothing_is_as_it_was),
        CASE(undo_does_not_write_over_what_came_since),
        CASE(an_undo_that_was_stopped_by_the_disk_goes_on),
        CASE(a_check_says_how_much_is_written),
        CASE(behind_the_end_of_a_file_are_zeros),
        CASE(files_keep_the_order_in_which_they_lie),
        CASE(a_file_system_is_made_anew_with_its_own_files),
        CASE(own_files_that_cannot_be_read_end_it_before_it_begins),
        CASE(undo_refuses_when_the_old_content_does_not_read),
        CASE(the_end_of_the_disk_is_read_ahead_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
