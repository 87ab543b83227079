/*
 * The last guards before a disk is written to: nothing outside what the change names (I2), nothing
 * over a table, a file system or a source that is not what the scan found, nothing over what only
 * looks blank; and afterwards nothing is confirmed that is not so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/gpt_edit.h"
#include "model/contents.h"
#include "unit/disk_work_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct block_port *port_of(const struct planning *p, size_t disk)
{
    return &host_ports(p->host)->disks[p->machine.disks[disk].port];
}

/* Works a change out; gives what that says. The arena is as before. */
static enum status begin_over(struct planning *p, const struct ports *ports,
                              const struct disk_change *change)
{
    size_t mark = arena_mark(&p->arena);
    uint8_t *buffer = arena_alloc(&p->arena, 1, DISK_WORK_MEMORY);
    struct disk_work work;
    enum status status = disk_work_begin(&p->arena, ports, &p->machine, change, buffer, &work);

    arena_release(&p->arena, mark);
    return status;
}

static enum status begin(struct planning *p, const struct disk_change *change)
{
    return begin_over(p, host_ports(p->host), change);
}

/* The plan is refused with `status`, or any but ST_OK when that is ST_OK; Disk 1 is as it was and
 * there is no journal. */
static void expect_refused(struct planning *p, enum status status)
{
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    size_t mark = arena_mark(&p->arena);
    struct apply_result result;
    enum status got = disk_work_apply(p, &result);

    assert_int_not_equal(got, ST_OK);
    assert_true(status == ST_OK || got == status);
    assert_non_null(strstr(result.problem, "Nothing was changed"));
    assert_disk_unchanged(p, before, 1);
    assert_int_equal(mem_block_log_count(p->host->disks[1]), 0);
    assert_null(mem_files_find(p->host->files, disk_machine_stick(p->host), JOURNAL_1).at);
    arena_release(&p->arena, mark);
    mem_block_free(before);
}

/* --- I2: the partition ---------------------------------------------------------------------- */

struct range {
    uint64_t first;
    uint64_t end; /* behind the last block */
};

static void widen(struct range *range, uint64_t lba, uint64_t count)
{
    range->first = range->first == 0 || lba < range->first ? lba : range->first;
    range->end = lba + count > range->end ? lba + count : range->end;
}

/* What the change writes: itself, and as content of files. */
static void find_ranges(struct planning *p, const struct disk_change *change,
                        struct range *ret_writes, struct range *ret_files)
{
    uint8_t *buffer = arena_alloc(&p->arena, 1, DISK_WORK_MEMORY);
    struct disk_work work;

    assert_int_equal(
        disk_work_begin(&p->arena, host_ports(p->host), &p->machine, change, buffer, &work), ST_OK);
    *ret_writes = *ret_files = (struct range){0, 0};
    for (size_t i = 0; i < work.edit.write_count; i++)
        widen(ret_writes, work.edit.writes[i].lba,
              work.edit.writes[i].data.size / work.port->block_size);
    for (size_t i = 0; i < work.edit.file_count; i++) {
        for (size_t k = 0; k < work.edit.files[i].extent_count; k++)
            widen(ret_files, work.edit.files[i].extents[k].lba,
                  disk_work_extent_blocks(&work, &work.edit.files[i].extents[k]));
    }
}

/* The file system is larger than the partition of the change: what lies behind or in front of that
 * belongs to somebody else. */
static void blocks_beside_the_partition_are_refused(void **state)
{
    struct planning *p = *state;
    struct range writes;
    struct range files;

    plan_boot_manager(p);
    struct disk_change change = *p->plan.actions[0].change;
    find_ranges(p, &change, &writes, &files);
    struct range all = writes;
    widen(&all, files.first, files.end - files.first);
    const struct {
        struct range range;
        enum status status;
    } cases[] = {{{all.first, all.end}, ST_OK},
                 {{all.first + 1, all.end}, ST_REFUSED},
                 {{all.first, all.end - 1}, ST_REFUSED},
                 {writes, ST_REFUSED},
                 {files, ST_REFUSED},
                 {{all.end, all.end + 5000}, ST_REFUSED},
                 {{1, all.first}, ST_REFUSED}};
    assert_true(files.end > writes.end && writes.first < files.first);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        change.first_lba = cases[i].range.first;
        change.block_count = cases[i].range.end - cases[i].range.first;
        assert_int_equal(begin(p, &change), cases[i].status);
    }
}

static void a_change_beside_its_partition_leaves_no_trace(void **state)
{
    struct planning *p = *state;
    struct file_copy item = item_of(p, esp_on(p, 0), BOOTMGFW);
    struct disk_change change = change_of_esp(p, DISK_CHANGE_FILES, &item, 1);

    change.block_count = 8;
    plan_change_disk(&p->plan, &change, "bring the boot manager");
    expect_refused(p, ST_REFUSED);
}

/* LDM's database and data, the MSR and what lies between partitions: no byte of them changes. */
static void everything_but_the_target_stays(void **state)
{
    struct planning *p = *state;
    struct host_partition esp = disk_machine_place(p->host, 1, PART_ESP);
    struct apply_result result;
    uint64_t blocks = port_of(p, 1)->block_count;

    plan_format(p);
    plan_rename(p, 1);
    struct mem_block *disk = p->host->disks[1];
    struct mem_block *source = mem_block_clone(p->host->disks[0]);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_disk_unchanged(p, source, 0);
    for (size_t i = 0; i < mem_block_log_count(disk); i++) {
        const struct mem_block_entry *entry = mem_block_log_at(disk, i);
        uint64_t end = entry->lba + entry->count;
        bool in_esp = entry->lba >= esp.start && end <= esp.start + esp.size;
        bool in_table = entry->lba >= 1 && end <= 34;
        bool in_backup = entry->lba >= blocks - 33 && end <= blocks;
        assert_true(entry->is_flush || in_esp || in_table || in_backup);
    }
    mem_block_free(source);
}

/* The disk in its place is smaller than the one the scan found. */
static void blocks_behind_the_end_of_the_disk_are_refused(void **state)
{
    struct planning *p = *state;
    struct ports ports = *host_ports(p->host);
    struct block_port *disks =
        arena_copy(&p->arena, ports.disks, ports.disk_count * sizeof(*disks));
    struct range writes;
    struct range files;

    plan_format(p);
    find_ranges(p, p->plan.actions[0].change, &writes, &files);
    widen(&writes, files.first, files.end - files.first);
    ports.disks = disks;
    struct block_port *disk = &disks[p->machine.disks[1].port];
    disk->block_count = writes.end;
    assert_int_equal(begin_over(p, &ports, p->plan.actions[0].change), ST_OK);
    disk->block_count = writes.end - 1;
    assert_int_equal(begin_over(p, &ports, p->plan.actions[0].change), ST_REFUSED);
    disk->block_count = writes.first;
    assert_int_equal(begin_over(p, &ports, p->plan.actions[0].change), ST_REFUSED);
}

/* --- Partition tables ----------------------------------------------------------------------- */

/* Gives Disk 1 a table of `count` entries of `size` bytes with the partitions that it has; what is
 * behind an entry's 128 bytes is not zero. */
static void make_large_table(struct planning *p, uint32_t count, uint32_t size)
{
    const struct disk *disk = &p->machine.disks[1];
    struct mem_block *block = p->host->disks[1];
    struct gpt_edit_request request = {.block_size = 512,
                                       .block_count = disk->block_count,
                                       .disk_guid = disk->guid,
                                       .entry_count = count,
                                       .entry_size = size,
                                       .primary_good = true};
    uint8_t *array = arena_alloc(&p->arena, count, size);
    struct disk_edit edit;

    for (size_t i = 0; i < 128; i++) {
        uint8_t *entry = array + i * size;
        mem_block_peek(block, 2 * 512 + i * 128, entry, 128);
        memset(entry + 128, span_is_zero(span_of(entry, 16)) ? 0 : 0xee, size - 128);
    }
    request.entries = span_of(array, (size_t)count * size);
    assert_int_equal(gpt_edit(&p->arena, &request, &edit), ST_OK);
    for (size_t i = 0; i < edit.write_count; i++)
        mem_block_write(block, edit.writes[i].lba * 512, edit.writes[i].data.at,
                        edit.writes[i].data.size);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(p->machine.disks[1].primary.problem, GPT_FINE);
    assert_int_equal(p->machine.disks[1].primary.header.entry_count, count);
}

static void a_table_keeps_the_size_it_has(void **state)
{
    static const uint32_t shapes[][2] = {{128, 128}, {256, 128}, {128, 256}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        struct planning *p = disk_work_planning(disk_machine_usual());
        struct apply_result result;
        uint8_t entry[256];
        make_large_table(p, shapes[i][0], shapes[i][1]);
        size_t slot = p->machine.partitions[p->machine.esps[esp_on(p, 1)].partition].hd_number - 1;
        plan_rename(p, 1);
        assert_int_equal(disk_work_apply(p, &result), ST_OK);
        planning_rescan_to(p, SCAN_FULL);
        const struct disk *disk = &p->machine.disks[1];
        assert_int_equal(disk->primary.problem, GPT_FINE);
        assert_int_equal(disk->backup.problem, GPT_FINE);
        assert_false(disk->copies_differ);
        assert_int_equal(disk->primary.header.entry_count, shapes[i][0]);
        assert_int_equal(disk->primary.header.entry_size, shapes[i][1]);
        /* Nothing of the old entry shows through behind the new one. */
        mem_block_peek(p->host->disks[1], 2 * 512 + slot * shapes[i][1], entry, shapes[i][1]);
        assert_memory_equal(entry + 56, "r\0e\0n\0a\0m\0e\0d", 14);
        assert_true(span_is_zero(span_of(entry + 128, shapes[i][1] - 128)));
        planning_end(p);
    }
}

/* Room for as many entries as the scan saw, and no more: behind them partitions may begin. */
static void an_array_that_has_grown_since_is_refused(void **state)
{
    struct planning *p = *state;

    make_large_table(p, 256, 128);
    plan_rename(p, 1);
    p->machine.disks[1].primary.header.entry_count = 128;
    expect_refused(p, ST_REFUSED);
}

static void a_slot_behind_the_array_is_refused(void **state)
{
    struct planning *p = *state;
    struct gpt_slot slot = {.slot = 127};
    struct disk_change change = {
        .kind = DISK_CHANGE_GPT, .disk = 1, .gpt = {.slots = &slot, .slot_count = 1}};

    assert_int_equal(begin(p, &change), ST_OK);
    slot.slot = 128;
    assert_int_equal(begin(p, &change), ST_NO_SPACE);
    plan_change_disk(&p->plan, &change, "rename");
    expect_refused(p, ST_NO_SPACE);
}

static void an_identity_behind_the_array_is_refused(void **state)
{
    struct planning *p = *state;
    struct gpt_identity identity = {.slot = 127};
    struct disk_change change = {
        .kind = DISK_CHANGE_GPT, .disk = 1, .gpt = {.identities = &identity, .identity_count = 1}};

    assert_int_equal(begin(p, &change), ST_OK);
    identity.slot = 128;
    assert_int_equal(begin(p, &change), ST_CHANGED);
    plan_change_disk(&p->plan, &change, "another identity");
    expect_refused(p, ST_CHANGED);
}

/* Disk 1 has nothing but an MBR, with that signature and a partition. */
static void put_mbr(struct planning *p, uint32_t signature)
{
    uint8_t bytes[4];

    disk_machine_blank(p->host, 1);
    put_mbr_record(p->host, 1, 0, 0, 0x0c, 2048, 4096);
    st_le32(bytes, signature);
    mem_block_write(p->host->disks[1], 440, bytes, sizeof(bytes));
}

/* Only of the disk that it was planned for: another one may be in by now. */
static void the_signature_of_another_disk_is_not_changed(void **state)
{
    struct planning *p = *state;
    const struct disk_change change = {
        .kind = DISK_CHANGE_SIGNATURE, .disk = 1, .block_count = 1, .signature = 0x11223344};
    uint8_t bytes[4];
    struct apply_result result;

    put_mbr(p, 0xa1b2c3d4);
    planning_rescan_to(p, SCAN_FULL);
    plan_change_disk(&p->plan, &change, "another signature");
    put_mbr(p, 0xa1b2c3d5);
    expect_refused(p, ST_CHANGED);
    put_mbr(p, 0xa1b2c3d4);
    put_mbr_record(p->host, 1, 0, 0, 0xee, 1, 4096); /* as beside a GPT */
    expect_refused(p, ST_CHANGED);
    put_mbr(p, 0xa1b2c3d4);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_int_equal(result.disk_bytes, 512);
    mem_block_peek(p->host->disks[1], 440, bytes, sizeof(bytes));
    assert_int_equal(ld_le32(bytes), 0x11223344);
}

static void a_signature_in_a_block_that_does_not_read_is_not_changed(void **state)
{
    struct planning *p = *state;
    const struct disk_change change = {
        .kind = DISK_CHANGE_SIGNATURE, .disk = 1, .block_count = 1, .signature = 0x11223344};

    put_mbr(p, 0xa1b2c3d4);
    planning_rescan_to(p, SCAN_FULL);
    plan_change_disk(&p->plan, &change, "another signature");
    mem_block_spoil(p->host->disks[1], 0, 1);
    expect_refused(p, ST_IO);
}

static void other_disk_guid(struct host *host)
{
    patch_header(host, 1, PRIMARY, 56, 0x1122334455667788, 8);
}

static void other_partition(struct host *host)
{
    patch_entry(host, 1, PRIMARY, 3, 56, "x", 1);
}

static void array_without_its_checksum(struct host *host)
{
    uint8_t byte = 'y';

    mem_block_write(host->disks[1], 2 * 512 + 3 * 128 + 56, &byte, 1);
}

static void header_without_its_checksum(struct host *host)
{
    flip_byte(host, 1, header_offset(host, 1, PRIMARY) + 56);
}

static void (*const table_changes[])(struct host *host) = {
    other_disk_guid, other_partition, array_without_its_checksum, header_without_its_checksum};

static void a_table_that_changed_since_the_scan_is_not_written_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table_changes); i++) {
        struct planning *p = disk_work_planning(disk_machine_usual());
        plan_rename(p, 1);
        table_changes[i](p->host);
        expect_refused(p, ST_CHANGED);
        planning_end(p);
    }
}

/* The disk that new entries name, when nothing of it is written: its header is looked at. A change
 * of another disk's table says nothing about it. */
static void entries_are_not_made_for_a_disk_that_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(table_changes); i++) {
        struct planning *p = disk_work_planning(disk_machine_usual());
        struct apply_result result;
        plan_set_variable(&p->plan, "Timeout", 7, span_of("\x09\x00", 2), "entry");
        if (i % 2 == 1)
            plan_rename(p, 0);
        p->plan.target_disk = 1;
        assert_int_equal(
            apply_check(&p->arena, (struct ports *)host_ports(p->host), &p->plan, &result), ST_OK);
        table_changes[i / 2](p->host);
        bool seen = table_changes[i / 2] != array_without_its_checksum; /* not in the header */
        enum status status = disk_work_apply(p, &result);
        assert_int_equal(status, seen ? ST_CHANGED : ST_OK);
        assert_int_equal(mem_vars_log_count(p->host->vars), seen ? 0 : 1);
        assert_true(!seen || strstr(result.problem, "Disk 1 cannot be read any more") != NULL);
        planning_end(p);
    }
}

/* With the primary gone the backup is what the scan went by, and it is written last. */
static void the_copy_that_is_good_is_written_last(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    disk_machine_break_gpt(p->host, 1, PRIMARY);
    planning_rescan_to(p, SCAN_FULL);
    plan_rename(p, 1);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    const struct mem_block_entry *first = mem_block_log_at(p->host->disks[1], 0);
    assert_int_equal(first->lba, 2);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(p->machine.disks[1].primary.problem, GPT_FINE);
    assert_int_equal(p->machine.disks[1].backup.problem, GPT_FINE);
}

/* --- Blank disks ---------------------------------------------------------------------------- */

#define LOOKED_AT (64u << 10) /* bytes at either end, at least */

/* Plans a fresh table with one ESP for Disk 1, which is blank when the scan sees it. */
static struct planning *plan_fresh_table(uint32_t block_size)
{
    struct disk_machine_shape shape = disk_machine_usual();

    shape.block_size = block_size;
    shape.free_mib = 1; /* zeros take their time */
    struct planning *p = disk_work_planning(shape);
    disk_machine_blank(p->host, 1);
    planning_rescan_to(p, SCAN_FULL);
    assert_true(p->machine.disks[1].blank);
    struct gpt_slot *slot = arena_alloc(&p->arena, 1, sizeof(*slot));
    struct disk_change change = {.kind = DISK_CHANGE_GPT,
                                 .disk = 1,
                                 .gpt = {.fresh = true,
                                         .disk_guid = fixture_guid(MODERN_ESP_0),
                                         .slots = slot,
                                         .slot_count = 1,
                                         .write_mbr = true}};
    slot->entry = (struct gpt_entry){.type = fixture_guid(TYPE_ESP),
                                     .unique = fixture_guid(MODERN_ESP_1),
                                     .first_lba = 4096,
                                     .last_lba = 8191};
    plan_change_disk(&p->plan, &change, "fresh table");
    assert_int_equal(p->plan.status, ST_OK);
    return p;
}

static void a_blank_disk_gets_its_table(void **state)
{
    (void)state;
    for (uint32_t block_size = 512; block_size <= 4096; block_size *= 8) {
        struct planning *p = plan_fresh_table(block_size);
        struct apply_result result;
        assert_int_equal(disk_work_apply(p, &result), ST_OK);
        assert_true(guid_equal(&journal_of(p)->disks[0].guid_after,
                               &p->plan.actions[0].change->gpt.disk_guid));
        planning_rescan_to(p, SCAN_FULL);
        assert_int_equal(p->machine.disks[1].style, DISK_GPT);
        assert_int_equal(p->machine.disks[1].primary.problem, GPT_FINE);
        assert_int_equal(p->machine.disks[1].backup.problem, GPT_FINE);
        planning_end(p);
    }
}

/* One byte, anywhere in what is looked at, and the disk is somebody's. */
static void a_disk_that_is_blank_no_more_is_not_written_to(void **state)
{
    (void)state;
    for (uint32_t block_size = 512; block_size <= 4096; block_size *= 8) {
        struct planning *p = plan_fresh_table(block_size);
        uint64_t size = port_of(p, 1)->block_count * block_size;
        const uint64_t places[] = {0,
                                   511,
                                   LOOKED_AT / 2,
                                   LOOKED_AT - 1,
                                   size - LOOKED_AT,
                                   size - LOOKED_AT / 2,
                                   size - 512,
                                   size - 1};
        for (size_t i = 0; i < COUNT_OF(places); i++) {
            mem_block_write(p->host->disks[1], places[i], "\x5a", 1);
            expect_refused(p, ST_OK);
            mem_block_write(p->host->disks[1], places[i], "\0", 1);
        }
        planning_end(p);
    }
}

/* --- Sources and targets -------------------------------------------------------------------- */

/* What the scan has in mind of an ESP, made another than what is there. */
typedef void forget(struct esp *esp, struct fat_file *file);

static void other_serial(struct esp *esp, struct fat_file *file)
{
    (void)file;
    esp->volume.serial++;
}

static void more_used(struct esp *esp, struct fat_file *file)
{
    (void)file;
    esp->report.used_clusters++;
}

static void more_free(struct esp *esp, struct fat_file *file)
{
    (void)file;
    esp->report.free_clusters++;
}

static void other_damage(struct esp *esp, struct fat_file *file)
{
    (void)file;
    esp->report.problems[0]++;
}

static void one_file_less(struct esp *esp, struct fat_file *file)
{
    (void)file;
    esp->report.file_count--;
}

static void other_place(struct esp *esp, struct fat_file *file)
{
    (void)esp;
    file->first_cluster++;
}

static void other_size(struct esp *esp, struct fat_file *file)
{
    (void)esp;
    file->size++;
}

static void other_date(struct esp *esp, struct fat_file *file)
{
    (void)esp;
    file->written.minute ^= 1;
}

static void other_attributes(struct esp *esp, struct fat_file *file)
{
    (void)esp;
    file->attributes ^= 1;
}

static void other_path(struct esp *esp, struct fat_file *file)
{
    (void)esp;
    file->path = "\\EFI\\Microsoft\\Boot\\bootmgfx.efi";
}

static void not_read(struct esp *esp, struct fat_file *file)
{
    (void)file;
    esp->status = ST_IO;
}

/* A source as well as the ESP that is changed have to be what the scan found, in everything. */
static void a_file_system_that_is_another_by_now_is_not_used(void **state)
{
    static forget *const changes[] = {other_serial,     more_used,   more_free,  other_damage,
                                      one_file_less,    other_place, other_size, other_date,
                                      other_attributes, other_path,  not_read};

    struct planning *p = *state;

    plan_boot_manager(p);
    scan_let_contents_go(&p->machine);
    for (size_t i = 0; i < 2 * COUNT_OF(changes); i++) {
        struct esp *esp = (struct esp *)&p->machine.esps[esp_on(p, i % 2)];
        struct fat_file *file =
            (struct fat_file *)&esp->report.files[fat_find(&esp->report, BOOTMGFW)];
        struct esp known_esp = *esp;
        struct fat_file known_file = *file;
        changes[i / 2](esp, file);
        expect_refused(p, ST_CHANGED);
        *esp = known_esp;
        *file = known_file;
    }
}

/* --- Confirmed ------------------------------------------------------------------------------ */

/* A machine scanned after a plan of two changes was carried out. */
struct outcome {
    struct planning *p;
    struct machine after;
};

static struct esp *esp_after(struct outcome *outcome)
{
    for (size_t i = 0; i < outcome->after.esp_count; i++) {
        struct esp *esp = (struct esp *)&outcome->after.esps[i];
        if (outcome->after.partitions[esp->partition].disk == 1)
            return esp;
    }
    return NULL;
}

static struct fat_file *file_after(struct outcome *outcome)
{
    struct esp *esp = esp_after(outcome);

    return (struct fat_file *)&esp->report.files[fat_find(&esp->report, BOOTMGFW)];
}

static void nothing_wrong(struct outcome *outcome)
{
    (void)outcome;
}

static void no_primary(struct outcome *outcome)
{
    outcome->after.disks[1].primary.problem = GPT_BAD_ARRAY_CRC;
}

static void no_backup(struct outcome *outcome)
{
    outcome->after.disks[1].backup.problem = GPT_BAD_ARRAY_CRC;
}

static void two_opinions(struct outcome *outcome)
{
    outcome->after.disks[1].copies_differ = true;
}

static void no_table(struct outcome *outcome)
{
    outcome->after.disks[1].style = DISK_RAW;
}

static void no_disk(struct outcome *outcome)
{
    outcome->after.disks[1].port = 77;
}

static void esp_elsewhere(struct outcome *outcome)
{
    ((struct partition *)outcome->after.partitions)[esp_after(outcome)->partition].first_lba++;
}

static void esp_unreadable(struct outcome *outcome)
{
    esp_after(outcome)->status = ST_IO;
}

static void esp_damaged(struct outcome *outcome)
{
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++)
        esp_after(outcome)->report.problems[i] += fat_problem_is_damage(i);
}

static void file_gone(struct outcome *outcome)
{
    file_after(outcome)->path = "\\other";
}

static void file_shorter(struct outcome *outcome)
{
    file_after(outcome)->size--;
}

static void file_broken(struct outcome *outcome)
{
    file_after(outcome)->status = ST_DAMAGED;
}

static void file_is_a_folder(struct outcome *outcome)
{
    file_after(outcome)->is_directory = true;
}

static struct file_content *content_after(struct outcome *outcome)
{
    struct esp *esp = esp_after(outcome);

    return (struct file_content *)&esp->contents[fat_find(&esp->report, BOOTMGFW)];
}

static void other_content(struct outcome *outcome)
{
    content_let_go(content_after(outcome));
    content_after(outcome)->digest.bytes[0] ^= 1;
}

static void content_unreadable(struct outcome *outcome)
{
    content_after(outcome)->status = ST_IO;
}

static void content_not_looked_at(struct outcome *outcome)
{
    content_after(outcome)->status = ST_UNSUPPORTED;
}

/* What is wrong afterwards, and the action that is not so: 0 the table, 1 the files. */
static const struct {
    void (*spoil)(struct outcome *outcome);
    size_t action;
} outcomes[] = {
    {nothing_wrong, NO_INDEX},
    {no_primary, 0},
    {no_backup, 0},
    {two_opinions, 0},
    {no_table, 0},
    {no_disk, 0},
    {esp_elsewhere, 1},
    {esp_unreadable, 1},
    {esp_damaged, 1},
    {file_gone, 1},
    {file_shorter, 1},
    {file_broken, 1},
    {file_is_a_folder, 1},
    {other_content, 1},
    {content_unreadable, 1},
    {content_not_looked_at, NO_INDEX},
};

/* The machine once more, as far as it is spoilt above. */
static struct machine copy_of(struct planning *p, const struct machine *machine)
{
    struct machine copy = *machine;

    copy.disks = arena_copy(&p->arena, machine->disks, machine->disk_count * sizeof(*copy.disks));
    copy.partitions = arena_copy(&p->arena, machine->partitions,
                                 machine->partition_count * sizeof(*copy.partitions));
    struct esp *esps = arena_copy(&p->arena, machine->esps, machine->esp_count * sizeof(*esps));
    copy.esps = esps;
    for (size_t i = 0; i < machine->esp_count; i++) {
        size_t count = esps[i].report.file_count;
        esps[i].report.files =
            arena_copy(&p->arena, esps[i].report.files, count * sizeof(*esps[i].report.files));
        esps[i].contents =
            arena_copy(&p->arena, esps[i].contents, count * sizeof(*esps[i].contents));
    }
    return copy;
}

static void expect_outcomes(struct planning *p)
{
    struct apply_result result;
    struct machine after;

    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_int_equal(scan_machine(&p->arena, host_ports(p->host), SCAN_FULL, &after), ST_OK);
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        size_t action = NO_INDEX;
        struct outcome outcome = {p, copy_of(p, &after)};
        outcomes[i].spoil(&outcome);
        enum status status = apply_confirm(&p->plan, &outcome.after, &action);
        assert_int_equal(status, outcomes[i].action == NO_INDEX ? ST_OK : ST_CHANGED);
        assert_int_equal(action, outcomes[i].action);
    }
}

static void only_what_is_so_is_confirmed(void **state)
{
    struct planning *p = *state;

    plan_rename(p, 1);
    plan_boot_manager(p);
    expect_outcomes(p);
    planning_rescan_to(p, SCAN_FULL);
    plan_rename(p, 1);
    plan_format(p);
    expect_outcomes(p);
}

/* Damage that was there before, and that a change of files leaves alone, is not held against it. */
static void old_damage_is_not_held_against_a_change_of_files(void **state)
{
    struct outcome outcome = {.p = *state};
    struct apply_result result;
    size_t action = NO_INDEX;

    plan_boot_manager(outcome.p);
    assert_int_equal(disk_work_apply(outcome.p, &result), ST_OK);
    assert_int_equal(
        scan_machine(&outcome.p->arena, host_ports(outcome.p->host), SCAN_FULL, &outcome.after),
        ST_OK);
    esp_damaged(&outcome);
    struct esp *before = (struct esp *)&outcome.p->machine.esps[esp_on(outcome.p, 1)];
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++)
        before->report.problems[i] += fat_problem_is_damage(i);
    assert_int_equal(apply_confirm(&outcome.p->plan, &outcome.after, &action), ST_OK);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, disk_work_set_up, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(blocks_beside_the_partition_are_refused),
        CASE(a_change_beside_its_partition_leaves_no_trace),
        CASE(everything_but_the_target_stays),
        CASE(blocks_behind_the_end_of_the_disk_are_refused),
        cmocka_unit_test(a_table_keeps_the_size_it_has),
        CASE(an_array_that_has_grown_since_is_refused),
        CASE(a_slot_behind_the_array_is_refused),
        CASE(an_identity_behind_the_array_is_refused),
        CASE(the_signature_of_another_disk_is_not_changed),
        CASE(a_signature_in_a_block_that_does_not_read_is_not_changed),
        cmocka_unit_test(a_table_that_changed_since_the_scan_is_not_written_to),
        cmocka_unit_test(entries_are_not_made_for_a_disk_that_changed),
        CASE(the_copy_that_is_good_is_written_last),
        cmocka_unit_test(a_blank_disk_gets_its_table),
        cmocka_unit_test(a_disk_that_is_blank_no_more_is_not_written_to),
        CASE(a_file_system_that_is_another_by_now_is_not_used),
        CASE(only_what_is_so_is_confirmed),
        CASE(old_damage_is_not_held_against_a_change_of_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
