/*
 * In which order a change reaches the disk, read off the device's log: a phase is on the medium
 * before the next one begins, what came last is taken back first, and between a copy and the first
 * block that shows it the sources are looked at once more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/fat/fat_layout.h"
#include "host/fault.h"
#include "unit/disk_work_fixture.h"

static const struct block_port *port_of(const struct planning *p, size_t disk)
{
    return &host_ports(p->host)->disks[p->machine.disks[disk].port];
}

/* --- Phases --------------------------------------------------------------------------------- */

static bool is_inside(uint64_t lba, uint64_t first, uint64_t count)
{
    return lba >= first && lba - first < count;
}

/* True when the block is one of those that the phase writes. */
static bool is_of_phase(const struct disk_work *work, unsigned phase, uint64_t lba)
{
    const struct disk_edit *edit = &work->edit;

    for (size_t i = 0; i < edit->write_count; i++) {
        if (edit->writes[i].phase == phase &&
            is_inside(lba, edit->writes[i].lba, edit->writes[i].data.size / work->port->block_size))
            return true;
    }
    for (size_t i = 0; i < edit->file_count; i++) {
        for (size_t k = 0; k < edit->files[i].extent_count; k++) {
            const struct disk_extent *extent = &edit->files[i].extents[k];
            if (edit->files[i].phase == phase &&
                is_inside(lba, extent->lba, disk_work_extent_blocks(work, extent)))
                return true;
        }
    }
    return false;
}

static uint64_t blocks_of_phase(const struct disk_work *work, unsigned phase)
{
    const struct disk_edit *edit = &work->edit;
    uint64_t blocks = 0;

    for (size_t i = 0; i < edit->write_count; i++)
        blocks +=
            edit->writes[i].phase == phase ? edit->writes[i].data.size / work->port->block_size : 0;
    for (size_t i = 0; i < edit->file_count; i++) {
        for (size_t k = 0; k < edit->files[i].extent_count; k++)
            blocks += edit->files[i].phase == phase
                          ? disk_work_extent_blocks(work, &edit->files[i].extents[k])
                          : 0;
    }
    return blocks;
}

/* The first phase from `phase` on that writes anything. */
static unsigned next_phase(const struct disk_work *work, unsigned phase)
{
    while (phase < work->edit.phase_count && blocks_of_phase(work, phase) == 0)
        phase++;
    return phase;
}

/*
 * From entry `begin` of the log on: each phase writes its blocks, all of them and no others, and
 * when the next one begins, and at the end, they are on the medium.
 */
static void expect_phases(const struct disk_work *work, struct mem_block *disk, size_t begin)
{
    unsigned phase = next_phase(work, 0);
    unsigned phases = 0;
    uint64_t written = 0;
    uint64_t next = 0;

    for (size_t i = begin; i < mem_block_log_count(disk); i++) {
        const struct mem_block_entry *entry = mem_block_log_at(disk, i);
        if (entry->is_flush && written > 0 && written == blocks_of_phase(work, phase)) {
            phase = next_phase(work, phase + 1);
            written = next = 0;
            phases++;
        }
        assert_true(entry->is_flush || entry->lba >= next); /* from the begin of the disk on */
        next = entry->is_flush ? next : entry->lba + entry->count;
        for (uint32_t k = 0; k < entry->count; k++) {
            if (!is_of_phase(work, phase, entry->lba + k))
                fail_msg("block %llu is written while phase %u is not on the medium",
                         (unsigned long long)entry->lba + k, phase);
        }
        written += entry->count;
    }
    assert_int_equal(written, 0);
    assert_int_equal(phase, work->edit.phase_count);
    assert_true(phases >= 2); /* else there is no border to look at */
    assert_int_equal(mem_block_unflushed(disk), 0);
}

static void plan_table(struct planning *p)
{
    plan_rename(p, 1);
}

static void every_phase_is_on_the_medium_before_the_next_begins(void **state)
{
    static void (*const plans[])(struct planning * p) = {plan_boot_manager, plan_format,
                                                         plan_table};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(plans) / sizeof(plans[0]); i++) {
        struct disk_machine_shape shape = disk_machine_usual();
        struct apply_result result;
        shape.block_size = i % 2 == 0 ? 512 : 4096;
        struct planning *p = disk_work_planning(shape);
        plans[i / 2](p);
        const struct disk_work *work = work_of(p, host_ports(p->host), 0);
        assert_int_equal(disk_work_apply(p, &result), ST_OK);
        expect_phases(work, p->host->disks[1], 0);
        planning_end(p);
    }
}

static void so_it_is_when_a_change_is_taken_back_later(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_format(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    size_t begin = mem_block_log_count(p->host->disks[1]);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(plan_undo(&p->plan, journal_of(p)), ST_OK);
    const struct disk_work *work = work_of(p, host_ports(p->host), 0);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    expect_phases(work, p->host->disks[1], begin);
}

/* A phase is not on the medium when the disk cannot say so. */
static void a_flush_that_fails_stops_the_change(void **state)
{
    unsigned tried = 0;

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct planning *p = disk_work_planning(disk_machine_usual());
        struct apply_result result;
        plan_rename(p, 1);
        struct mem_block *before = mem_block_clone(p->host->disks[1]);
        struct fault *fault = fault_new(host_ports(p->host));
        fault_fail(fault, FAULT_BLOCK_FLUSH, n, ST_IO, false);
        enum status status = fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result);
        bool tripped = fault_tripped(fault);
        assert_int_equal(status, tripped ? ST_IO : ST_OK);
        if (tripped)
            assert_disk_unchanged(p, before, 1);
        tried += tripped;
        mem_block_free(before);
        fault_free(fault);
        planning_end(p);
        if (!tripped)
            break;
    }
    assert_true(tried >= 3);
}

/* --- Taking back what failed ---------------------------------------------------------------- */

/* True when the record's old content is what was written. */
static bool is_old_content(const struct journal_record *record, const struct mem_block_entry *entry,
                           uint32_t block_size)
{
    if (record->kind != JOURNAL_BLOCKS || !is_inside(entry->lba, record->lba, record->block_count))
        return false;
    if (record->old_is_zero)
        return span_is_zero(span_of(entry->data, block_size));
    return memcmp(record->old_data.at + (entry->lba - record->lba) * block_size, entry->data,
                  block_size) == 0;
}

/* The latest step, none later than `most`, of which the entry brings old content back; UINT32_MAX:
 * of none. */
static uint32_t step_of(const struct journal *journal, const struct mem_block_entry *entry,
                        uint32_t block_size, uint32_t most)
{
    uint32_t step = UINT32_MAX;

    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_record *record = &journal->records[i];
        bool later = step == UINT32_MAX || record->step > step;
        if (record->step <= most && later && is_old_content(record, entry, block_size))
            step = record->step;
    }
    return step;
}

/* From entry `begin` of the log on steps come back last first, each on the medium before the one
 * before it. Gives how many. */
static unsigned expect_steps_back(const struct journal *journal, struct mem_block *disk,
                                  size_t begin, uint32_t block_size)
{
    uint32_t now = UINT32_MAX - 1;
    unsigned steps = 0;
    bool flushed = true;

    for (size_t i = begin; i < mem_block_log_count(disk); i++) {
        const struct mem_block_entry *entry = mem_block_log_at(disk, i);
        if (entry->is_flush) {
            flushed = true;
            continue;
        }
        uint32_t step = step_of(journal, entry, block_size, now);
        assert_int_not_equal(step, UINT32_MAX);
        assert_true(step == now || flushed);
        steps += step != now;
        now = step;
        flushed = false;
    }
    assert_true(flushed);
    return steps;
}

static void phases_are_taken_back_last_first_each_on_the_medium(void **state)
{
    bool tripped = true;
    unsigned most = 0;

    (void)state;
    for (uint64_t n = 1; tripped; n++) {
        struct planning *p = disk_work_planning(disk_machine_usual());
        plan_format(p);
        struct mem_block *before = mem_block_clone(p->host->disks[1]);
        struct fault *fault = fault_new(host_ports(p->host));
        fault_fail(fault, FAULT_BLOCK_WRITE, n, ST_IO, false);
        struct disk_work *work = work_of(p, fault_ports(fault), 0);
        const struct journal *journal = records_of(p, work);
        enum status status = disk_work_run(work, NULL, NULL);
        tripped = fault_tripped(fault);
        assert_int_equal(status, tripped ? ST_IO : ST_OK);
        if (tripped) {
            size_t begin = mem_block_log_count(p->host->disks[1]);
            assert_true(disk_work_revert(work, journal));
            unsigned steps = expect_steps_back(journal, p->host->disks[1], begin, 512);
            assert_disk_unchanged(p, before, 1);
            most = steps > most ? steps : most;
        }
        fault_free(fault);
        mem_block_free(before);
        planning_end(p);
    }
    assert_true(most >= 2);
}

/* The same when all of it is undone later, over a file system as over zeros. */
static void steps_are_undone_last_first_each_on_the_medium(void **state)
{
    (void)state;
    for (int zeros = 0; zeros < 2; zeros++) {
        struct planning *p = disk_work_planning(disk_machine_usual());
        struct apply_result result;
        if (zeros)
            disk_machine_zero(p->host, 1, PART_ESP);
        planning_rescan_to(p, SCAN_FULL);
        plan_format(p);
        assert_int_equal(disk_work_apply(p, &result), ST_OK);
        size_t begin = mem_block_log_count(p->host->disks[1]);
        assert_int_equal(disk_work_undo(p, &result), ST_OK);
        assert_in_range(expect_steps_back(journal_of(p), p->host->disks[1], begin, 512), 2, 9);
        planning_end(p);
    }
}

/* A flush that fails on the way back leaves it open whether anything came back. */
static void what_may_not_be_on_the_medium_is_not_called_taken_back(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_format(p);
    struct fault *fault = fault_new(host_ports(p->host));
    fault_fail(fault, FAULT_BLOCK_WRITE, 2, ST_IO, false);
    fault_fail(fault, FAULT_BLOCK_FLUSH, 1, ST_IO, true);
    assert_int_equal(fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result), ST_IO);
    assert_non_null(strstr(result.problem, "could not all be taken back"));
    assert_int_equal(journal_of(p)->state, JOURNAL_PENDING);
    fault_free(fault);
}

/* The firmware's driver has a file open on the second of two disks. */
static void a_driver_that_does_not_let_go_ends_it_before_it_begins(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_rename(p, 0);
    plan_rename(p, 1);
    struct fault *fault = fault_new(host_ports(p->host));
    fault_fail(fault, FAULT_FILE_RELEASE, 2, ST_REFUSED, false);
    assert_int_equal(fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result), ST_REFUSED);
    assert_non_null(strstr(result.problem, "does not let go of Disk 1"));
    assert_int_equal(mem_block_log_count(p->host->disks[0]), 0);
    assert_int_equal(mem_block_log_count(p->host->disks[1]), 0);
    assert_int_equal(journal_of(p)->state, JOURNAL_UNDONE);
    /* What was let go of before is taken up again. */
    assert_int_equal(fault_calls(fault, FAULT_FILE_RENEW), 1);
    assert_true(disk_machine_stick(p->host) != FILES_NO_VOLUME);
    for (size_t i = 0; i < mem_files_port(p->host->files).volume_count; i++)
        assert_false(mem_files_is_released(p->host->files, i));
    fault_free(fault);
}

/* A disk on which all is there already is left alone. */
static void drivers_keep_disks_that_nothing_is_written_to(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_format(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_int_equal(disk_work_undo(p, &result), ST_OK);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(plan_undo(&p->plan, journal_of(p)), ST_OK);
    assert_true(p->plan.count > 0);
    struct fault *fault = fault_new(host_ports(p->host));
    assert_int_equal(fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result), ST_OK);
    assert_int_equal(fault_calls(fault, FAULT_FILE_RELEASE), 0);
    assert_int_equal(fault_calls(fault, FAULT_FILE_RENEW), 0);
    assert_int_equal(result.disk_bytes, 0);
    fault_free(fault);
}

/* --- Several changes ------------------------------------------------------------------------ */

/* A disk of which one area takes no more than `allowed` writes. */
struct stubborn {
    struct block_port disk;
    struct host_partition area;
    unsigned allowed;
};

static enum status stubborn_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    const struct stubborn *stubborn = ctx;

    return stubborn->disk.read(stubborn->disk.ctx, lba, count, ret_data);
}

static enum status stubborn_write(void *ctx, uint64_t lba, uint32_t count, const void *data)
{
    struct stubborn *stubborn = ctx;

    if (is_inside(lba, stubborn->area.start, stubborn->area.size)) {
        if (stubborn->allowed == 0)
            return ST_IO;
        stubborn->allowed--;
    }
    return stubborn->disk.write(stubborn->disk.ctx, lba, count, data);
}

static enum status stubborn_flush(void *ctx)
{
    const struct stubborn *stubborn = ctx;

    return stubborn->disk.flush(stubborn->disk.ctx);
}

/* The machine's ports, Disk 1 behind `stubborn`: its ESP takes one more write. */
static struct ports ports_of_stubborn(struct planning *p, struct stubborn *stubborn)
{
    struct ports ports = *host_ports(p->host);
    struct block_port *disks =
        arena_copy(&p->arena, ports.disks, ports.disk_count * sizeof(*disks));

    *stubborn = (struct stubborn){
        .disk = *port_of(p, 1), .area = disk_machine_place(p->host, 1, PART_ESP), .allowed = 1};
    size_t index = p->machine.disks[1].port;
    disks[index].ctx = stubborn;
    disks[index].read = stubborn_read;
    disks[index].write = stubborn_write;
    disks[index].flush = stubborn_flush;
    ports.disks = disks;
    return ports;
}

/* Of the table of the same disk it can be said that it must stay: what could not be taken back may
 * rely on it. Variables and other disks have nothing to do with it. */
static void a_stuck_change_keeps_what_came_before_it_on_its_disk(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    struct stubborn stubborn;

    plan_set_variable(&p->plan, "Timeout", 7, span_of("\x09\x00", 2), "first");
    plan_rename(p, 0);
    plan_rename(p, 1);
    plan_format(p);
    struct mem_block *before[2] = {mem_block_clone(p->host->disks[0]),
                                   mem_block_clone(p->host->disks[1])};
    struct ports ports = ports_of_stubborn(p, &stubborn);
    assert_int_equal(fixture_apply(&p->arena, &ports, &p->plan, &result), ST_IO);
    assert_non_null(strstr(result.problem, "could not all be taken back. Journal 1"));
    assert_int_equal(journal_of(p)->state, JOURNAL_PENDING);
    assert_int_equal(result.done, 0);
    assert_disk_unchanged(p, before[0], 0);
    assert_in_range(mem_block_difference(before[1], p->host->disks[1], 0), 1, 33);
    const struct mem_var *timeout = mem_vars_find(p->host->vars, NULL, "Timeout");
    assert_true(timeout == NULL || timeout->data[0] != 9);
    /* With the journal all of it comes back once the disk writes again. */
    assert_int_equal(disk_work_undo(p, &result), ST_OK);
    assert_disk_unchanged(p, before[1], 1);
    mem_block_free(before[0]);
    mem_block_free(before[1]);
}

/* Variables too: the order in which they are written again is in the store's log. */
static void variables_are_taken_back_last_first(void **state)
{
    static const char *const names[] = {"Timeout", "BootNext", "BootOrder"};
    struct planning *p = *state;
    struct apply_result result;

    for (size_t i = 0; i < 3; i++)
        plan_set_variable(&p->plan, names[i], 7, span_of("\x07\x00", 2), "set");
    assert_int_equal(p->plan.count, 3);
    struct fault *fault = fault_new(host_ports(p->host));
    fault_fail(fault, FAULT_VAR_SET, 3, ST_IO, false);
    assert_int_equal(fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result), ST_IO);
    assert_non_null(strstr(result.problem, "Everything is again as it was before"));
    assert_int_equal(mem_vars_log_count(p->host->vars), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(mem_vars_log_at(p->host->vars, i)->name, names[i < 2 ? i : 3 - i]);
    fault_free(fault);
}

/* --- Sources -------------------------------------------------------------------------------- */

/* Makes Disk 0 what it is in `other`, once something has been written to Disk 1. */
struct meddler {
    struct planning *p;
    struct host *other;
    bool done;
};

static bool meddle(void *ctx, uint64_t done, uint64_t total)
{
    struct meddler *meddler = ctx;
    struct mem_block *disk = meddler->p->host->disks[0];
    uint8_t block[512];

    (void)total;
    if (done == 0 || meddler->done)
        return false;
    meddler->done = true;
    for (;;) {
        uint64_t lba = mem_block_difference(disk, meddler->other->disks[0], 0);
        if (lba == UINT64_MAX)
            return false;
        mem_block_peek(meddler->other->disks[0], lba * sizeof(block), block, sizeof(block));
        mem_block_write(disk, lba * sizeof(block), block, sizeof(block));
    }
}

static enum status apply_with(struct meddler *meddler, struct apply_result *ret_result)
{
    struct planning *p = meddler->p;
    enum status status = disk_work_apply_told(p, host_ports(p->host), meddle, meddler, ret_result);

    assert_true(meddler->done);
    host_free(meddler->other);
    return status;
}

/* Nothing has shown the files yet when it is noticed: no block in use was written to. */
static void a_source_that_changes_while_it_is_copied_is_noticed_in_time(void **state)
{
    static const char *const paths[] = {BOOTMGFW, "\\EFI\\Microsoft"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct planning *p = disk_work_planning(disk_machine_usual());
        struct meddler meddler = {.p = p, .other = host_clone(p->host)};
        struct apply_result result;
        if (i == 0)
            disk_machine_truncate(meddler.other, 0, paths[i], 5000);
        else
            disk_machine_delete(meddler.other, 0, paths[i]);
        plan_boot_manager(p);
        scan_let_contents_go(&p->machine);
        const struct disk_work *work = work_of(p, host_ports(p->host), 0);
        unsigned copy = work->edit.files[work->edit.file_count - 1].phase;
        assert_true(next_phase(work, copy + 1) < work->edit.phase_count);
        assert_int_equal(apply_with(&meddler, &result), ST_CHANGED);
        assert_non_null(strstr(result.problem, "Everything is again as it was before"));
        for (size_t k = 0; k < mem_block_log_count(p->host->disks[1]); k++) {
            const struct mem_block_entry *entry = mem_block_log_at(p->host->disks[1], k);
            assert_true(entry->is_flush || is_of_phase(work, copy, entry->lba));
        }
        planning_end(p);
    }
}

/* The same for a file system that is made anew: its boot sector is not there yet. */
static void so_it_is_before_a_fresh_file_system_can_be_mounted(void **state)
{
    struct planning *p = *state;
    struct meddler meddler = {.p = p, .other = host_clone(p->host)};
    struct host_partition place = disk_machine_place(p->host, 1, PART_ESP);
    struct apply_result result;
    uint8_t boot_sector[512];

    disk_machine_delete(meddler.other, 0, LANGUAGE);
    disk_machine_zero(p->host, 1, PART_ESP);
    planning_rescan_to(p, SCAN_FULL);
    plan_format(p);
    scan_let_contents_go(&p->machine);
    assert_int_equal(apply_with(&meddler, &result), ST_CHANGED);
    mem_block_peek(p->host->disks[1], place.start * 512, boot_sector, sizeof(boot_sector));
    assert_true(span_is_zero(span_of(boot_sector, sizeof(boot_sector))));
    for (size_t i = 0; i < mem_block_log_count(p->host->disks[1]); i++) {
        const struct mem_block_entry *entry = mem_block_log_at(p->host->disks[1], i);
        assert_true(entry->lba != place.start || span_is_zero(span_of(entry->data, 512)));
    }
}

static void files_that_are_not_copied_may_come_and_go(void **state)
{
    struct planning *p = *state;
    struct meddler meddler = {.p = p, .other = host_clone(p->host)};
    struct apply_result result;

    disk_machine_delete(meddler.other, 0, LANGUAGE);
    plan_boot_manager(p);
    assert_int_equal(apply_with(&meddler, &result), ST_OK);
    assert_same_file(p, BOOTMGFW);
}

/* --- Stopping ------------------------------------------------------------------------------- */

/* What somebody saw who wants to stop once `at` bytes are written. */
struct stopper {
    uint64_t at;
    uint64_t done;
    uint64_t total;
    unsigned calls;
    bool fell;
};

static bool stop_at(void *ctx, uint64_t done, uint64_t total)
{
    struct stopper *stopper = ctx;

    stopper->fell |= stopper->calls > 0 && (done < stopper->done || total != stopper->total);
    stopper->calls++;
    stopper->done = done;
    stopper->total = total;
    return done >= stopper->at;
}

static enum status apply_and_stop(struct planning *p, struct stopper *stopper,
                                  struct apply_result *ret_result)
{
    return disk_work_apply_told(p, host_ports(p->host), stop_at, stopper, ret_result);
}

static void a_change_can_be_stopped_between_all_pieces(void **state)
{
    static const uint64_t places[] = {0, 1, 1u << 20, 3u << 20};

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct planning *p = disk_work_planning(disk_machine_usual());
        struct stopper stopper = {.at = places[i]};
        struct apply_result result;
        disk_machine_zero_fats(p->host, 1);
        planning_rescan_to(p, SCAN_FULL);
        plan_format(p);
        struct mem_block *before = mem_block_clone(p->host->disks[1]);
        bool too_late = work_of(p, host_ports(p->host), 0)->bytes <= places[i];
        enum status status = apply_and_stop(p, &stopper, &result);
        assert_int_equal(status, too_late ? ST_OK : ST_CANCELLED);
        if (!too_late) {
            assert_string_equal(result.problem, "Stopped. Everything is again as it was before.");
            assert_int_equal(journal_of(p)->state, JOURNAL_UNDONE);
            assert_int_equal(result.done, 0);
            assert_disk_unchanged(p, before, 1);
        }
        if (places[i] == 0)
            assert_int_equal(mem_block_log_count(p->host->disks[1]), 0);
        mem_block_free(before);
        planning_end(p);
    }
}

/* Where nothing is stuck, the later change of a disk is taken back before the earlier one. */
static void later_changes_of_a_disk_are_taken_back_first(void **state)
{
    struct planning *p = *state;
    struct host_partition esp = disk_machine_place(p->host, 1, PART_ESP);
    struct mem_block *disk = p->host->disks[1];
    struct apply_result result;
    size_t last_in_esp = 0;
    size_t last_in_table = 0;

    plan_rename(p, 1);
    plan_format(p);
    struct mem_block *before = mem_block_clone(disk);
    struct stopper stopper = {.at = work_of(p, host_ports(p->host), 0)->bytes + 1};
    assert_int_equal(apply_and_stop(p, &stopper, &result), ST_CANCELLED);
    for (size_t i = 0; i < mem_block_log_count(disk); i++) {
        const struct mem_block_entry *entry = mem_block_log_at(disk, i);
        if (!entry->is_flush)
            *(is_inside(entry->lba, esp.start, esp.size) ? &last_in_esp : &last_in_table) = i;
    }
    assert_disk_unchanged(p, before, 1);
    assert_true(last_in_esp > 0);
    assert_true(last_in_esp < last_in_table);
    mem_block_free(before);
}

/* Half taken back is the worst place to stop. */
static void an_undo_goes_on_to_its_end(void **state)
{
    struct planning *p = *state;
    struct stopper stopper = {.at = 0};
    struct apply_result result;

    plan_format(p);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(plan_undo(&p->plan, journal_of(p)), ST_OK);
    assert_int_equal(apply_and_stop(p, &stopper, &result), ST_OK);
    assert_true(stopper.calls >= 2);
    assert_string_equal(result.problem, "");
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
}

static void progress_goes_on_from_change_to_change(void **state)
{
    struct planning *p = *state;
    struct stopper stopper = {.at = UINT64_MAX};
    struct apply_result result;

    plan_rename(p, 0);
    plan_rename(p, 1);
    plan_boot_manager(p);
    assert_int_equal(apply_and_stop(p, &stopper, &result), ST_OK);
    assert_false(stopper.fell);
    assert_int_equal(stopper.done, stopper.total);
    assert_int_equal(result.disk_bytes, stopper.total);
    assert_int_equal(result.done, 3);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, disk_work_set_up, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_is_on_the_medium_before_the_next_begins),
        CASE(so_it_is_when_a_change_is_taken_back_later),
        cmocka_unit_test(a_flush_that_fails_stops_the_change),
        cmocka_unit_test(phases_are_taken_back_last_first_each_on_the_medium),
        cmocka_unit_test(steps_are_undone_last_first_each_on_the_medium),
        CASE(what_may_not_be_on_the_medium_is_not_called_taken_back),
        CASE(a_driver_that_does_not_let_go_ends_it_before_it_begins),
        CASE(drivers_keep_disks_that_nothing_is_written_to),
        CASE(a_stuck_change_keeps_what_came_before_it_on_its_disk),
        CASE(variables_are_taken_back_last_first),
        cmocka_unit_test(a_source_that_changes_while_it_is_copied_is_noticed_in_time),
        CASE(so_it_is_before_a_fresh_file_system_can_be_mounted),
        CASE(files_that_are_not_copied_may_come_and_go),
        cmocka_unit_test(a_change_can_be_stopped_between_all_pieces),
        CASE(later_changes_of_a_disk_are_taken_back_first),
        CASE(an_undo_goes_on_to_its_end),
        CASE(progress_goes_on_from_change_to_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
