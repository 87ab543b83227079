/* Changing disks: what is refused before the first write, what is written, and what comes back. */
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

/* --- Files ---------------------------------------------------------------------------------- */

static void a_file_is_replaced_and_nothing_else_changes(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    disk_machine_zero_file(p->host, 1, BOOTMGFW);
    planning_rescan_to(p, SCAN_FULL);
    struct mem_block *source = mem_block_clone(p->host->disks[0]);
    plan_boot_manager(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_same_file(p, BOOTMGFW);
    assert_same_file(p, LANGUAGE);
    assert_disk_unchanged(p, source, 0); /* I3 */
    assert_true(result.has_journal);
    assert_int_equal(result.journal.volume, disk_machine_stick(p->host));
    mem_block_free(source);
}

/* I2: whatever the plan says, a member of an array is not written to, neither by a change nor by an
 * undo. */
static void a_member_of_an_array_is_never_written_to(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    struct md_volume volume = {.use = MD_HALF};

    disk_machine_truncate(p->host, 1, BOOTMGFW, 5000);
    planning_rescan_to(p, SCAN_FULL);
    volume.partition = p->machine.esps[esp_on(p, 1)].partition;
    p->machine.md_volumes = &volume;
    p->machine.md_volume_count = 1;
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    plan_boot_manager(p);
    assert_int_equal(disk_work_apply(p, &result), ST_REFUSED);
    assert_non_null(strstr(result.problem, "Nothing was changed."));
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
}

static void an_undo_of_what_is_in_an_array_now_is_refused(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    struct md_volume volume = {.use = MD_HALF};

    disk_machine_truncate(p->host, 1, BOOTMGFW, 5000);
    planning_rescan_to(p, SCAN_FULL);
    plan_boot_manager(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    planning_rescan_to(p, SCAN_FULL);
    volume.partition = p->machine.esps[esp_on(p, 1)].partition;
    p->machine.md_volumes = &volume;
    p->machine.md_volume_count = 1;
    assert_int_equal(plan_undo(&p->plan, journal_of(p)), ST_REFUSED);
    assert_non_null(strstr(p->plan.refusal, "is a member of a Linux RAID"));
}

static void undo_brings_back_every_block_that_was_in_use(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    size_t size = 0;

    disk_machine_truncate(p->host, 1, BOOTMGFW, 5000);
    planning_rescan_to(p, SCAN_FULL);
    plan_boot_manager(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_int_equal(disk_work_undo(p, &result), ST_OK);
    free(disk_machine_file(p->host, 1, BOOTMGFW, &size));
    assert_int_equal(size, 5000);
    /* A second time there is nothing to write. */
    assert_int_equal(disk_work_undo(p, &result), ST_OK);
    assert_int_equal(result.disk_bytes, 0);
}

static void undo_refuses_when_the_old_content_is_gone(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    size_t old = esp_on(p, 1);
    const struct esp *esp = &p->machine.esps[old];
    uint32_t cluster = esp->report.files[fat_find(&esp->report, BOOTMGFW)].first_cluster;
    uint64_t place = disk_machine_place(p->host, 1, PART_ESP).start * 512 +
                     esp->volume.data_offset + (uint64_t)(cluster - 2) * esp->volume.cluster_size;

    plan_boot_manager(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    mem_block_write(p->host->disks[1], place + 700, "somebody else", 13);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_equal(disk_work_undo(p, &result), ST_CHANGED);
    assert_non_null(strstr(result.problem, "written to since"));
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
}

static void undo_refuses_when_a_directory_has_changed(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_boot_manager(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    disk_machine_truncate(p->host, 1, BOOTMGFW, 6000);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_equal(disk_work_undo(p, &result), ST_CHANGED);
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
}

/* --- What has changed since the scan -------------------------------------------------------- */

static void a_target_that_changed_is_not_written_to(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_boot_manager(p);
    disk_machine_delete(p->host, 1, LANGUAGE);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_equal(disk_work_apply(p, &result), ST_CHANGED);
    assert_non_null(strstr(result.problem, "Run the command again"));
    assert_disk_unchanged(p, before, 1);
    assert_null(mem_files_find(p->host->files, disk_machine_stick(p->host), JOURNAL_1).at);
    mem_block_free(before);
}

static void a_source_with_other_files_is_refused(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_boot_manager(p);
    scan_let_contents_go(&p->machine);
    disk_machine_truncate(p->host, 0, BOOTMGFW, 5000);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_equal(disk_work_apply(p, &result), ST_CHANGED);
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
}

/* Its directories are the same, so only what is read tells: all that was written is taken back. */
static void a_source_whose_content_changed_is_noticed_and_all_comes_back(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    size_t size = 0;

    plan_boot_manager(p);
    scan_let_contents_go(&p->machine);
    uint8_t *old = disk_machine_file(p->host, 1, BOOTMGFW, &size);
    disk_machine_zero_file(p->host, 0, BOOTMGFW);
    assert_int_equal(disk_work_apply(p, &result), ST_CHANGED);
    assert_non_null(strstr(result.problem, "Everything is again as it was before"));
    size_t now_size = 0;
    uint8_t *now = disk_machine_file(p->host, 1, BOOTMGFW, &now_size);
    assert_int_equal(now_size, size);
    assert_memory_equal(now, old, size);
    assert_int_equal(journal_of(p)->state, JOURNAL_UNDONE);
    free(old);
    free(now);
}

/* What the scan keeps in memory is what the plan means, whatever the source holds by now. */
static void a_content_that_is_kept_is_written_as_it_was_read(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    size_t size = 0;
    size_t now_size = 0;

    disk_machine_zero_file(p->host, 1, BOOTMGFW);
    planning_rescan_to(p, SCAN_FULL);
    plan_boot_manager(p);
    uint8_t *wanted = disk_machine_file(p->host, 0, BOOTMGFW, &size);
    disk_machine_zero_file(p->host, 0, BOOTMGFW);
    disk_machine_delete(p->host, 0, LANGUAGE);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    uint8_t *now = disk_machine_file(p->host, 1, BOOTMGFW, &now_size);
    assert_int_equal(now_size, size);
    assert_memory_equal(now, wanted, size);
    free(wanted);
    free(now);
}

/* --- Where the journal goes ----------------------------------------------------------------- */

static void the_journal_is_never_on_the_disk_that_is_changed(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct apply_result result;

    (void)state;
    shape.no_stick = true;
    struct planning *p = disk_work_planning(shape);
    size_t on_source = p->machine.partitions[p->machine.esps[esp_on(p, 0)].partition].volume;
    plan_boot_manager(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_int_equal(result.journal.volume, on_source);
    planning_end(p);

    p = disk_work_planning(shape);
    mem_files_set_read_only(p->host->files, on_source, true);
    mem_vars_set_total(p->host->vars, mem_vars_used(p->host->vars) + STORE_MARGIN + 400);
    plan_boot_manager(p);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_not_equal(disk_work_apply(p, &result), ST_OK);
    assert_non_null(strstr(result.problem, "nothing was changed"));
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
    planning_end(p);
}

static enum status renew_to_nothing(void *ctx, struct files_port *io_port)
{
    (void)ctx;
    io_port->volume_count = 0;
    io_port->self = FILES_NO_VOLUME;
    io_port->current = FILES_NO_VOLUME;
    return ST_OK;
}

/* The stick is pulled meanwhile: the change stands, but its journal does not say so. */
static void a_journal_that_has_gone_is_said_to_be_open(void **state)
{
    struct planning *p = *state;
    struct ports ports = *host_ports(p->host);
    struct apply_result result;

    plan_boot_manager(p);
    ports.files.renew = renew_to_nothing;
    assert_int_equal(fixture_apply(&p->arena, &ports, &p->plan, &result), ST_OK);
    assert_false(result.has_journal);
    assert_int_equal(journal_of(p)->state, JOURNAL_PENDING);
    assert_non_null(strstr(result.problem, "The journal could not be closed"));
}

/* --- Fresh file systems --------------------------------------------------------------------- */

static void a_format_is_whole_and_undo_gives_back_the_damaged_one(void **state)
{
    static const uint32_t block_sizes[] = {512, 4096};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct disk_machine_shape shape = disk_machine_usual();
        struct apply_result result;
        shape.block_size = block_sizes[i];
        struct planning *p = disk_work_planning(shape);
        disk_machine_zero_fats(p->host, 1);
        planning_rescan_to(p, SCAN_FULL);
        struct mem_block *before = mem_block_clone(p->host->disks[1]);
        plan_format(p);
        assert_int_equal(disk_work_apply(p, &result), ST_OK);
        assert_same_file(p, BOOTMGFW);
        assert_same_file(p, LANGUAGE);
        struct machine after;
        assert_int_equal(scan_machine(&p->arena, host_ports(p->host), SCAN_FULL, &after), ST_OK);
        size_t action = 0;
        assert_int_equal(apply_confirm(&p->plan, &after, &action), ST_OK);
        assert_int_equal(disk_work_undo(p, &result), ST_OK);
        assert_disk_unchanged(p, before, 1); /* I4 */
        mem_block_free(before);
        planning_end(p);
    }
}

/* Blocks outside of the partition are nobody's business here (I2). */
static void nothing_outside_the_partition_is_written(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    struct host_partition place = disk_machine_place(p->host, 1, PART_ESP);

    plan_format(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    for (size_t i = 0; i < mem_block_log_count(p->host->disks[1]); i++) {
        const struct mem_block_entry *entry = mem_block_log_at(p->host->disks[1], i);
        if (entry->is_flush)
            continue;
        assert_in_range(entry->lba, place.start, place.start + place.size - 1);
        assert_true(entry->lba + entry->count <= place.start + place.size);
    }
}

/* --- Trouble -------------------------------------------------------------------------------- */

/* The n-th write or flush fails: what is in use on the disk is what it was. */
static void a_write_that_fails_is_taken_back(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_BLOCK_WRITE, FAULT_BLOCK_FLUSH};
    unsigned states = 0;

    (void)state;
    for (size_t kind = 0; kind < 2; kind++) {
        for (uint64_t n = 1;; n++) {
            struct planning *p = disk_work_planning(disk_machine_usual());
            struct apply_result result;
            disk_machine_zero_fats(p->host, 1);
            planning_rescan_to(p, SCAN_FULL);
            plan_format(p);
            struct mem_block *before = mem_block_clone(p->host->disks[1]);
            struct fault *fault = fault_new(host_ports(p->host));
            fault_fail(fault, kinds[kind], n, ST_IO, false);
            enum status status = fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result);
            bool tripped = fault_tripped(fault);
            if (tripped) {
                assert_int_equal(status, ST_IO);
                assert_non_null(strstr(result.problem, "Everything is again as it was before"));
                assert_disk_unchanged(p, before, 1);
                states++;
            }
            mem_block_free(before);
            fault_free(fault);
            planning_end(p);
            if (!tripped)
                break;
        }
    }
    assert_true(states >= 6);
}

/* Firmware that promises and does nothing: what is read back tells. */
static void a_write_that_does_not_arrive_is_noticed(void **state)
{
    unsigned noticed = 0;
    bool tripped = true;

    (void)state;
    for (uint64_t n = 1; tripped; n++) {
        struct planning *p = disk_work_planning(disk_machine_usual());
        struct apply_result result;
        disk_machine_zero(p->host, 1, PART_ESP);
        planning_rescan_to(p, SCAN_FULL);
        plan_format(p);
        struct fault *fault = fault_new(host_ports(p->host));
        fault_fail(fault, FAULT_BLOCK_WRITE, n, ST_OK, false);
        enum status status = fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result);
        tripped = fault_tripped(fault);
        noticed += status == ST_DAMAGED;
        if (status == ST_OK) { /* zeros over zeros */
            assert_same_file(p, BOOTMGFW);
            assert_same_file(p, LANGUAGE);
        }
        fault_free(fault);
        planning_end(p);
    }
    assert_true(noticed >= 2); /* the content, and the boot sector */
}

/* The disk is pulled: nothing can be taken back, and that is said, with the journal's number. */
static void a_disk_that_is_pulled_leaves_a_journal_to_go_back_by(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    disk_machine_zero_fats(p->host, 1);
    planning_rescan_to(p, SCAN_FULL);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    plan_format(p);
    struct fault *fault = fault_new(host_ports(p->host));
    fault_fail(fault, FAULT_BLOCK_WRITE, 2, ST_IO, true);
    assert_int_equal(fixture_apply(&p->arena, fault_ports(fault), &p->plan, &result), ST_IO);
    assert_non_null(strstr(result.problem, "try \"shadowboot undo 1\" after"));
    fault_free(fault);
    assert_int_equal(journal_of(p)->state, JOURNAL_PENDING);
    assert_int_equal(disk_work_undo(p, &result), ST_OK);
    assert_disk_unchanged(p, before, 1);
    mem_block_free(before);
}

static void a_protected_disk_is_refused(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_boot_manager(p);
    mem_block_set_read_only(p->host->disks[1], true);
    assert_int_equal(fixture_apply(&p->arena, host_ports(p->host), &p->plan, &result),
                     ST_READ_ONLY);
    assert_non_null(strstr(result.problem, "write-protected"));
}

/* Of an old block that cannot be read nothing can be kept; all around it is. */
static void old_blocks_around_an_unreadable_one_are_kept(void **state)
{
    struct planning *p = *state;
    struct host_partition place = disk_machine_place(p->host, 1, PART_ESP);
    struct journal journal = {.command = ""};
    struct disk_work work;
    uint64_t kept[2] = {0, 0};
    uint32_t step = 0;

    plan_format(p);
    uint8_t *buffer = arena_alloc(&p->arena, 1, DISK_WORK_MEMORY);
    for (int spoiled = 0; spoiled < 2; spoiled++) {
        if (spoiled)
            mem_block_spoil(p->host->disks[1], place.start + 3, 1);
        assert_int_equal(disk_work_begin(&p->arena, host_ports(p->host), &p->machine,
                                         p->plan.actions[0].change, buffer, &work),
                         ST_OK);
        journal.records =
            arena_alloc(&p->arena, disk_work_record_room(&work), sizeof(*journal.records));
        journal.disks = arena_alloc(&p->arena, 1, sizeof(*journal.disks));
        journal.count = 0;
        journal.disk_count = 0;
        assert_int_equal(disk_work_records(&work, &journal, &step), ST_OK);
        assert_true(journal.count <= disk_work_record_room(&work));
        for (size_t i = 0; i < journal.count; i++) {
            kept[spoiled] += journal.records[i].block_count;
            assert_true(!spoiled || journal.records[i].lba > place.start + 3 ||
                        journal.records[i].lba + journal.records[i].block_count <= place.start + 3);
        }
    }
    assert_true(kept[1] < kept[0]);
    assert_true(kept[0] - kept[1] <= 2); /* once in each phase that writes it */
}

/* A disk of which every fourth block cannot be read. */
static enum status read_with_holes(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    const struct block_port *disk = ctx;

    return lba % 4 + count > 3 ? ST_IO : disk->read(disk->ctx, lba, count, ret_data);
}

/* Each of them makes several records of one, for which there has to be room. */
static void many_scattered_unreadable_blocks_have_room(void **state)
{
    struct planning *p = *state;
    struct block_port disk = host_ports(p->host)->disks[1];
    struct block_port holes = disk;
    struct journal journal = {.command = ""};
    struct disk_work work;
    uint32_t step = 0;

    holes.ctx = &disk;
    holes.read = read_with_holes;
    plan_format(p);
    uint8_t *buffer = arena_alloc(&p->arena, 1, DISK_WORK_MEMORY);
    assert_int_equal(disk_work_begin(&p->arena, host_ports(p->host), &p->machine,
                                     p->plan.actions[0].change, buffer, &work),
                     ST_OK);
    work.port = &holes;
    size_t room = disk_work_record_room(&work);
    journal.records = arena_alloc(&p->arena, 4 * room, sizeof(*journal.records));
    journal.disks = arena_alloc(&p->arena, 1, sizeof(*journal.disks));
    assert_int_equal(disk_work_records(&work, &journal, &step), ST_OK);
    assert_in_range(journal.count, 1, room);
}

/* --- Cost ----------------------------------------------------------------------------------- */

/* What a fresh file system costs: each byte once to the target and once back, in large pieces, and
 * where they are not kept hardly more than its files from the source, however many files there are. */
static void expect_large_pieces(bool kept)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct port_counts counts = {0};
    struct ports counted;
    uint64_t bytes = 0;

    shape.languages = 38;
    struct planning *p = disk_work_planning(shape);
    plan_format(p);
    if (!kept)
        scan_let_contents_go(&p->machine);
    const struct files_change *files = &p->plan.actions[0].change->files;
    for (size_t i = 0; i < files->count; i++)
        bytes += files->items[i].size;
    uint8_t *buffer = arena_alloc(&p->arena, 1, DISK_WORK_MEMORY);
    struct disk_work work;
    assert_int_equal(ports_count(&p->arena, host_ports(p->host), &counts, &counted), ST_OK);
    assert_int_equal(
        disk_work_begin(&p->arena, &counted, &p->machine, p->plan.actions[0].change, buffer, &work),
        ST_OK);
    counts = (struct port_counts){0};
    assert_int_equal(disk_work_run(&work, NULL, NULL), ST_OK);
    assert_int_equal(counts.block_written_bytes, work.bytes);
    /* An older boot sector and its backup go first: in five places, in two steps. */
    assert_true(counts.block_writes <= work.bytes / DISK_WORK_BUFFER + 6 + 5);
    assert_true(counts.block_flushes <= 3 + 2);
    /* Read back, the files, the list of files once more, and what is read ahead at the end. */
    assert_true(counts.block_read_bytes >= work.bytes + (kept ? 0 : bytes));
    assert_true(counts.block_read_bytes <=
                work.bytes + (kept ? 0 : 2 * bytes) + 2 * DISK_WORK_BUFFER);
    assert_true(files->count > 80);
    assert_true(counts.block_reads <= counts.block_writes + files->count);
    planning_end(p);
}

static void a_fresh_file_system_is_written_in_large_pieces(void **state)
{
    (void)state;
    expect_large_pieces(false);
}

static void what_is_kept_is_not_read_from_its_source(void **state)
{
    (void)state;
    expect_large_pieces(true);
}

/* --- Reading ahead -------------------------------------------------------------------------- */

static void pieces_that_follow_each_other_are_read_together(void **state)
{
    struct planning *p = *state;
    const struct block_port *disk = &host_ports(p->host)->disks[0];
    struct port_counts counts = {0};
    struct ports counted;
    struct read_ahead ahead;
    uint8_t piece[4 * 512];
    uint8_t expected[4 * 512];
    static uint8_t window[64 * 512];

    assert_int_equal(ports_count(&p->arena, host_ports(p->host), &counts, &counted), ST_OK);
    read_ahead_start(&ahead, &counted.disks[0], window, sizeof(window));
    for (uint64_t lba = 2048; lba < 2048 + 256; lba += 4) {
        assert_int_equal(ahead.port.read(ahead.port.ctx, lba, 4, piece), ST_OK);
        mem_block_peek(p->host->disks[0], lba * 512, expected, sizeof(expected));
        assert_memory_equal(piece, expected, sizeof(piece));
    }
    assert_in_range(counts.block_reads, 1, 6);
    /* Pieces here and there cost no more than they are. */
    counts = (struct port_counts){0};
    for (uint64_t lba = 5000; lba > 4000; lba -= 100)
        assert_int_equal(ahead.port.read(ahead.port.ctx, lba, 4, piece), ST_OK);
    assert_int_equal(counts.block_read_bytes, 10 * sizeof(piece));
    /* At the end of the disk, and behind it. */
    uint64_t end = disk->block_count;
    assert_int_equal(ahead.port.read(ahead.port.ctx, end - 8, 4, piece), ST_OK);
    assert_int_equal(ahead.port.read(ahead.port.ctx, end - 4, 4, piece), ST_OK);
    assert_int_equal(ahead.port.read(ahead.port.ctx, end, 4, piece), ST_IO);
}

/* Where it is known what will be wanted, that is read at the first piece, and nothing behind it. */
static void what_is_known_to_be_wanted_is_read_at_once(void **state)
{
    struct planning *p = *state;
    struct port_counts counts = {0};
    struct ports counted;
    struct read_ahead ahead;
    uint8_t piece[4 * 512];
    uint8_t expected[4 * 512];
    static uint8_t window[64 * 512];

    assert_int_equal(ports_count(&p->arena, host_ports(p->host), &counts, &counted), ST_OK);
    read_ahead_start(&ahead, &counted.disks[0], window, sizeof(window));
    read_ahead_until(&ahead, 2048 + 10);
    for (uint64_t lba = 2048; lba < 2048 + 12; lba += 3) {
        assert_int_equal(ahead.port.read(ahead.port.ctx, lba, 3, piece), ST_OK);
        mem_block_peek(p->host->disks[0], lba * 512, expected, 3 * 512);
        assert_memory_equal(piece, expected, 3 * 512);
    }
    /* Ten blocks at once, and by themselves those that reach behind them. */
    assert_int_equal(counts.block_reads, 2);
    assert_int_equal(counts.block_read_bytes, (10 + 3) * 512);
}

/* What is read ahead may be unreadable without anybody wanting it. */
static void a_bad_block_ahead_does_not_spoil_what_is_wanted(void **state)
{
    struct planning *p = *state;
    struct read_ahead ahead;
    uint8_t piece[4 * 512];
    static uint8_t window[64 * 512];

    mem_block_spoil(p->host->disks[0], 2060, 1);
    read_ahead_start(&ahead, &host_ports(p->host)->disks[0], window, sizeof(window));
    for (uint64_t lba = 2048; lba < 2060; lba += 4)
        assert_int_equal(ahead.port.read(ahead.port.ctx, lba, 4, piece), ST_OK);
    assert_int_equal(ahead.port.read(ahead.port.ctx, 2060, 4, piece), ST_IO);
    assert_int_equal(ahead.port.read(ahead.port.ctx, 2064, 4, piece), ST_OK);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, disk_work_set_up, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_file_is_replaced_and_nothing_else_changes),
        CASE(a_member_of_an_array_is_never_written_to),
        CASE(an_undo_of_what_is_in_an_array_now_is_refused),
        CASE(undo_brings_back_every_block_that_was_in_use),
        CASE(undo_refuses_when_the_old_content_is_gone),
        CASE(undo_refuses_when_a_directory_has_changed),
        CASE(a_target_that_changed_is_not_written_to),
        CASE(a_source_with_other_files_is_refused),
        CASE(a_source_whose_content_changed_is_noticed_and_all_comes_back),
        CASE(a_content_that_is_kept_is_written_as_it_was_read),
        CASE(the_journal_is_never_on_the_disk_that_is_changed),
        CASE(a_format_is_whole_and_undo_gives_back_the_damaged_one),
        CASE(nothing_outside_the_partition_is_written),
        CASE(a_write_that_fails_is_taken_back),
        CASE(a_write_that_does_not_arrive_is_noticed),
        CASE(a_disk_that_is_pulled_leaves_a_journal_to_go_back_by),
        CASE(a_protected_disk_is_refused),
        CASE(old_blocks_around_an_unreadable_one_are_kept),
        CASE(a_journal_that_has_gone_is_said_to_be_open),
        CASE(many_scattered_unreadable_blocks_have_room),
        cmocka_unit_test(a_fresh_file_system_is_written_in_large_pieces),
        cmocka_unit_test(what_is_kept_is_not_read_from_its_source),
        CASE(pieces_that_follow_each_other_are_read_together),
        CASE(what_is_known_to_be_wanted_is_read_at_once),
        CASE(a_bad_block_ahead_does_not_spoil_what_is_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
