#include "unit/disk_work_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/fat/fat_layout.h"

struct planning *disk_work_planning(struct disk_machine_shape shape)
{
    struct planning *p = planning_begin(disk_machine_new(&shape));

    planning_rescan_to(p, SCAN_FULL);
    return p;
}

int disk_work_set_up(void **state)
{
    *state = disk_work_planning(disk_machine_usual());
    return 0;
}

size_t esp_on(const struct planning *p, size_t disk)
{
    for (size_t i = 0; i < p->machine.esp_count; i++) {
        if (p->machine.partitions[p->machine.esps[i].partition].disk == disk)
            return i;
    }
    fail_msg("Disk %zu has no ESP", disk);
    return NO_INDEX;
}

struct file_copy item_of(const struct planning *p, size_t esp, const char *path)
{
    const struct fat_report *report = &p->machine.esps[esp].report;
    size_t index = fat_find(report, path);

    assert_true(index != FAT_NO_FILE);
    const struct fat_file *file = &report->files[index];
    return (struct file_copy){.path = file->path,
                              .is_directory = file->is_directory,
                              .attributes = file->attributes & 0x27,
                              .written = file->written,
                              .size = file->size,
                              .esp = esp,
                              .file = index};
}

struct disk_change change_of_esp(const struct planning *p, enum disk_change_kind kind,
                                 const struct file_copy *items, size_t count)
{
    size_t esp = esp_on(p, 1);
    const struct partition *partition = &p->machine.partitions[p->machine.esps[esp].partition];

    return (struct disk_change){.kind = kind,
                                .disk = 1,
                                .first_lba = partition->first_lba,
                                .block_count = partition->block_count,
                                .files = {items, count},
                                .esp = kind == DISK_CHANGE_FILES ? esp : NO_INDEX};
}

void plan_boot_manager(struct planning *p)
{
    struct file_copy *item = arena_alloc(&p->arena, 1, sizeof(*item));

    *item = item_of(p, esp_on(p, 0), BOOTMGFW);
    struct disk_change change = change_of_esp(p, DISK_CHANGE_FILES, item, 1);
    plan_change_disk(&p->plan, &change, "bring the boot manager");
    assert_int_equal(p->plan.status, ST_OK);
}

void plan_format(struct planning *p)
{
    size_t source = esp_on(p, 0);
    const struct fat_report *report = &p->machine.esps[source].report;
    struct file_copy *items = arena_alloc(&p->arena, report->file_count, sizeof(*items));
    uint32_t cluster = 0;

    for (size_t i = 0; i < report->file_count; i++)
        items[i] = item_of(p, source, report->files[i].path);
    struct disk_change change = change_of_esp(p, DISK_CHANGE_FORMAT, items, report->file_count);
    uint32_t block_size = p->machine.disks[1].block_size;
    change.format.type = fat_type_for(change.block_count * block_size, block_size, &cluster);
    change.format.serial = 0x12345678;
    change.format.label = "NEW";
    plan_change_disk(&p->plan, &change, "format");
    assert_int_equal(p->plan.status, ST_OK);
}

enum status disk_work_apply(struct planning *p, struct apply_result *ret_result)
{
    return disk_work_apply_told(p, host_ports(p->host), NULL, NULL, ret_result);
}

void assert_same_file(struct planning *p, const char *path)
{
    size_t size[2] = {0, 0};
    uint8_t *content[2];

    for (size_t disk = 0; disk < 2; disk++)
        content[disk] = disk_machine_file(p->host, disk, path, &size[disk]);
    assert_non_null(content[0]);
    assert_non_null(content[1]);
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(content[0], content[1], size[0]);
    free(content[0]);
    free(content[1]);
}

void assert_disk_unchanged(const struct planning *p, struct mem_block *before, size_t disk)
{
    assert_int_equal(mem_block_difference(before, p->host->disks[disk], 0), UINT64_MAX);
}

const struct journal *journal_of(struct planning *p)
{
    struct journal *journal = arena_alloc(&p->arena, 1, sizeof(*journal));
    struct span file = mem_files_find(p->host->files, disk_machine_stick(p->host), JOURNAL_1);

    assert_non_null(file.at);
    file.at = arena_copy(&p->arena, file.at, file.size); /* it gets a mark meanwhile */
    assert_int_equal(journal_parse(&p->arena, file, journal), ST_OK);
    return journal;
}

/* The file of journal_of, for a plan that takes it back; NULL for another. */
static const struct journal_file *undone_by(struct planning *p)
{
    struct journal_files list;

    if (!p->plan.is_undo)
        return NULL;
    assert_int_equal(journal_store_list(&p->arena, host_ports(p->host), &list), ST_OK);
    assert_int_equal(list.count, 1);
    return &list.items[0];
}

enum status disk_work_undo(struct planning *p, struct apply_result *ret_result)
{
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(plan_undo(&p->plan, journal_of(p)), ST_OK);
    return disk_work_apply(p, ret_result);
}

void plan_rename(struct planning *p, size_t disk)
{
    const struct partition *partition =
        &p->machine.partitions[p->machine.esps[esp_on(p, disk)].partition];
    struct gpt_slot *slot = arena_alloc(&p->arena, 1, sizeof(*slot));
    struct disk_change change = {
        .kind = DISK_CHANGE_GPT, .disk = disk, .gpt = {.slots = slot, .slot_count = 1}};

    slot->slot = partition->hd_number - 1;
    slot->entry = (struct gpt_entry){.type = fixture_guid(TYPE_ESP),
                                     .unique = partition->unique,
                                     .first_lba = partition->first_lba,
                                     .last_lba = partition->first_lba + partition->block_count - 1};
    memcpy(slot->entry.name, "r\0e\0n\0a\0m\0e\0d", 13);
    plan_change_disk(&p->plan, &change, "rename");
    assert_int_equal(p->plan.status, ST_OK);
}

enum status disk_work_apply_told(struct planning *p, const struct ports *ports,
                                 disk_work_progress *progress, void *progress_ctx,
                                 struct apply_result *ret_result)
{
    const struct apply_watch watch = {progress, progress_ctx, undone_by(p)};
    struct ports own = *ports;

    return apply_plan(&p->arena, &own, &p->plan, "shadowboot test", &watch, ret_result);
}

struct disk_work *work_of(struct planning *p, const struct ports *ports, size_t index)
{
    struct disk_work *work = arena_alloc(&p->arena, 1, sizeof(*work));
    uint8_t *buffer = arena_alloc(&p->arena, 1, DISK_WORK_MEMORY);

    assert_non_null(buffer);
    assert_int_equal(
        disk_work_begin(&p->arena, ports, &p->machine, p->plan.actions[index].change, buffer, work),
        ST_OK);
    return work;
}

struct journal *records_of(struct planning *p, struct disk_work *work)
{
    struct journal *journal = arena_alloc(&p->arena, 1, sizeof(*journal));
    uint32_t step = 0;

    journal->records =
        arena_alloc(&p->arena, disk_work_record_room(work), sizeof(*journal->records));
    journal->disks = arena_alloc(&p->arena, 1, sizeof(*journal->disks));
    assert_int_equal(disk_work_records(work, journal, &step), ST_OK);
    return journal;
}
