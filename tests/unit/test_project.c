/* The machine as it will be after a plan: what the rest of the plan goes by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/boot_store.h"
#include "plan/project.h"
#include "unit/mirror_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define NEW_GUID   "0e3a0000-1111-4000-8000-00000000000e"
#define OTHER_GUID "0e3a0000-2222-4000-8000-00000000000e"

struct projected {
    struct mirror *mirror;
    struct plan plan;
    struct machine machine;
};

static struct projected begin(struct mirror *mirror)
{
    struct projected projected = {.mirror = mirror};

    plan_init(&projected.plan, &mirror->arena, &mirror->machine);
    return projected;
}

static void finish(struct projected *projected)
{
    assert_int_equal(
        project_machine(&projected->mirror->arena, &projected->plan, &projected->machine), ST_OK);
}

static struct gpt_slot slot_of(uint32_t slot, const char *type, const char *unique, uint64_t first,
                               uint64_t blocks)
{
    return (struct gpt_slot){.slot = slot,
                             .entry = {.type = fixture_guid(type),
                                       .unique = fixture_guid(unique),
                                       .first_lba = first,
                                       .last_lba = first + blocks - 1,
                                       .attributes = 1,
                                       .name = {'E', 0}}};
}

static void change_table(struct projected *projected, size_t disk, const struct gpt_slot *slots,
                         size_t count, bool write_mbr)
{
    struct disk_change change = {
        .kind = DISK_CHANGE_GPT,
        .disk = disk,
        .gpt = {.slots = slots, .slot_count = count, .write_mbr = write_mbr}};

    plan_change_disk(&projected->plan, &change, "table");
}

static void change_files(struct projected *projected, enum disk_change_kind kind, size_t disk,
                         uint64_t first, uint64_t blocks, const struct file_copy *items,
                         size_t count)
{
    struct disk_change change = {.kind = kind,
                                 .disk = disk,
                                 .first_lba = first,
                                 .block_count = blocks,
                                 .format = {.type = FAT_16, .serial = 0x77, .label = "SYSTEM"},
                                 .files = {items, count}};

    plan_change_disk(&projected->plan, &change, "files");
}

static const struct file_copy boot_files[] = {
    {.path = "\\EFI", .is_directory = true},
    {.path = MIRROR_MANAGER, .size = 1},
    {.path = MIRROR_STORE, .size = 1},
    {.path = MIRROR_FALLBACK, .size = 1},
};

/* --- The table -------------------------------------------------------------------------------- */

static void plan_without_disk_changes_leaves_everything(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);

    finish(&projected);
    assert_int_equal(projected.machine.partition_count, 8);
    assert_int_equal(projected.machine.esp_count, 2);
    assert_memory_equal(projected.machine.partitions, mirror->partitions,
                        8 * sizeof(struct partition));
    assert_memory_equal(projected.machine.esps, mirror->esps, 2 * sizeof(struct esp));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(projected.machine.entries[i].boot.partition, MIRROR_ESP(i));
        assert_int_equal(projected.machine.copies[i].partition, MIRROR_DATA(i));
    }
}

/* Between the first disk's partitions one more: all that stand behind move on. */
static void new_partition_moves_every_index_behind_it(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(9, TYPE_ESP, NEW_GUID, 200000, 6848);
    struct guid unique = fixture_guid(NEW_GUID);

    mirror->partitions[0].block_count = 100000;
    change_table(&projected, 0, &slot, 1, false);
    finish(&projected);
    const struct machine *machine = &projected.machine;
    assert_int_equal(machine->partition_count, 9);
    const struct partition *own = &machine->partitions[1];
    assert_true(guid_equal(&own->unique, &unique));
    assert_int_equal(own->kind, PT_ESP);
    assert_int_equal(own->disk, 0);
    assert_int_equal(own->number, 2);
    assert_int_equal(own->hd_number, 10);
    assert_int_equal(own->first_lba, 200000);
    assert_int_equal(own->block_count, 6848);
    assert_int_equal(own->attributes, 1);
    assert_string_equal(own->name, "E");
    assert_int_equal(own->volume, NO_INDEX);
    assert_int_equal(own->fallback_status, ST_UNSUPPORTED);
    assert_int_equal(machine->disks[0].partition_count, 5);
    assert_int_equal(machine->disks[1].first_partition, 5);
    assert_int_equal(machine->disks[1].partition_count, 4);
    assert_int_equal(machine->partitions[2].number, 3);
    assert_int_equal(machine->partitions[5].number, 1);
    assert_int_equal(machine->entries[0].boot.partition, 0);
    assert_int_equal(machine->entries[1].boot.partition, 5);
    assert_int_equal(machine->esps[1].partition, 5);
    assert_int_equal(machine->copies[0].partition, MIRROR_DATA(0) + 1);
    assert_int_equal(machine->copies[1].partition, MIRROR_DATA(1) + 1);
}

static void partition_right_behind_a_new_one_is_still_found(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(9, TYPE_ESP, NEW_GUID, 34, 2000);

    change_table(&projected, 1, &slot, 1, false);
    finish(&projected);
    assert_int_equal(projected.machine.esps[1].partition, MIRROR_ESP(1) + 1);
    assert_int_equal(projected.machine.entries[1].boot.partition, MIRROR_ESP(1) + 1);
    assert_int_equal(projected.machine.entries[0].boot.partition, MIRROR_ESP(0));
    assert_int_equal(projected.machine.disks[1].first_partition, 4);
}

static void md_members_move_too(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(9, TYPE_ESP, NEW_GUID, 1300000, 1000);

    mirror_make_md(mirror);
    change_table(&projected, 0, &slot, 1, false);
    finish(&projected);
    assert_int_equal(projected.machine.md_members[0].partition, MIRROR_DATA(0));
    assert_int_equal(projected.machine.md_members[1].partition, MIRROR_DATA(1) + 1);
}

static void machine_that_was_given_stays_as_it_is(void **state)
{
    struct mirror *mirror = *state;
    static struct mirror before;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(2, TYPE_ESP, NEW_GUID, 208896, 32768);

    memcpy(&before, mirror, sizeof(before));
    change_table(&projected, 1, &slot, 1, true);
    change_files(&projected, DISK_CHANGE_FORMAT, 1, 208896, 32768, boot_files,
                 COUNT_OF(boot_files));
    finish(&projected);
    assert_memory_equal(mirror->partitions, before.partitions, sizeof(before.partitions));
    assert_memory_equal(mirror->disks, before.disks, sizeof(before.disks));
    assert_memory_equal(mirror->esps, before.esps, sizeof(before.esps));
    assert_int_equal(mirror->machine.entries[1].boot.partition, MIRROR_ESP(1));
}

static void removed_partition_is_gone_with_all_that_was_in_it(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = {.slot = 0};

    change_table(&projected, 0, &slot, 1, false);
    finish(&projected);
    assert_int_equal(projected.machine.partition_count, 7);
    assert_int_equal(projected.machine.disks[0].partition_count, 3);
    assert_int_equal(projected.machine.disks[1].first_partition, 3);
    assert_int_equal(projected.machine.esp_count, 1);
    assert_int_equal(projected.machine.esps[0].partition, 3);
    assert_int_equal(projected.machine.entries[0].boot.partition, NO_INDEX);
    assert_int_equal(projected.machine.entries[1].boot.partition, 3);
    assert_int_equal(projected.machine.copies[0].partition, MIRROR_DATA(0) - 1);
}

static void table_is_sound_afterwards(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct disk *disk = &mirror->disks[1];

    disk->primary.problem = GPT_BAD_HEADER_CRC;
    disk->mbr = (struct mbr){.kind = MBR_NONE};
    disk->block_count = 3000000; /* it has grown */
    change_table(&projected, 1, NULL, 0, true);
    finish(&projected);
    const struct disk *after = &projected.machine.disks[1];
    assert_int_equal(after->primary.problem, GPT_FINE);
    assert_int_equal(after->backup.problem, GPT_FINE);
    assert_int_equal(after->backup.lba, 2999999);
    assert_int_equal(after->primary.header.alternate_lba, 2999999);
    assert_int_equal(after->primary.header.last_usable_lba, 2999966);
    assert_true(gpt_headers_agree(&after->primary.header, &after->backup.header));
    assert_int_equal(after->mbr.kind, MBR_PROTECTIVE);
    assert_true(after->mbr.protective_at_lba_1);
    assert_true(guid_equal(&after->guid, &disk->guid));
}

static void tables_that_disagreed_agree_afterwards(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);

    mirror->disks[1].copies_differ = true;
    change_table(&projected, 1, NULL, 0, false);
    finish(&projected);
    assert_false(projected.machine.disks[1].copies_differ);
}

/* Nobody asked for it. */
static void protective_mbr_that_is_not_written_stays_missing(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);

    mirror->disks[1].mbr = (struct mbr){.kind = MBR_NONE};
    change_table(&projected, 1, NULL, 0, false);
    finish(&projected);
    assert_int_equal(projected.machine.disks[1].mbr.kind, MBR_NONE);
    assert_false(projected.machine.disks[1].mbr.protective_at_lba_1);
}

/* The slot and its GUID are the same: what lies there now nobody has looked at. */
static void partition_that_begins_elsewhere_is_a_new_one(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(0, TYPE_ESP, NEW_GUID, 34, 2000);

    slot.entry.unique = mirror->partitions[MIRROR_ESP(1)].unique;
    change_table(&projected, 1, &slot, 1, false);
    finish(&projected);
    assert_int_equal(projected.machine.partition_count, 8);
    assert_int_equal(projected.machine.partitions[MIRROR_ESP(1)].first_lba, 34);
    assert_int_equal(projected.machine.partitions[MIRROR_ESP(1)].fallback_status, ST_UNSUPPORTED);
    assert_int_equal(projected.machine.esp_count, 1);
    assert_true(projected.machine.entries[1].boot.moved);
}

static void esp_that_gets_another_type_is_none_any_more(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot =
        slot_of(0, TYPE_BASIC_DATA, NEW_GUID, mirror->partitions[MIRROR_ESP(0)].first_lba,
                mirror->partitions[MIRROR_ESP(0)].block_count);

    change_table(&projected, 0, &slot, 1, false);
    finish(&projected);
    assert_int_equal(projected.machine.partitions[MIRROR_ESP(0)].kind, PT_BASIC_DATA);
    assert_int_equal(projected.machine.esp_count, 1);
    assert_int_equal(projected.machine.esps[0].partition, MIRROR_ESP(1));
}

static void md_member_goes_with_its_partition(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = {.slot = mirror->partitions[MIRROR_DATA(0)].hd_number - 1};

    mirror_make_md(mirror);
    change_table(&projected, 0, &slot, 1, false);
    finish(&projected);
    assert_int_equal(projected.machine.md_count, 1);
    assert_int_equal(projected.machine.md_members[0].partition, MIRROR_DATA(1) - 1);
}

/* A partition that was cloned with its GUID gets one of its own. */
static void partition_with_another_guid_is_another_one(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    const struct gpt_identity identity = {0, fixture_guid(NEW_GUID)};
    struct disk_change change = {
        .kind = DISK_CHANGE_GPT, .disk = 1, .gpt = {.identities = &identity, .identity_count = 1}};

    mirror->partitions[MIRROR_ESP(1)].guid_repeated = true;
    plan_change_disk(&projected.plan, &change, "table");
    finish(&projected);
    const struct partition *own = &projected.machine.partitions[MIRROR_ESP(1)];
    assert_true(guid_equal(&own->unique, &identity.unique));
    assert_false(own->guid_repeated);
    assert_int_equal(projected.machine.entries[1].boot.partition, NO_INDEX);
    assert_int_equal(projected.machine.esps[1].partition, MIRROR_ESP(1));
}

/* --- An MSR becomes an ESP -------------------------------------------------------------------- */

static void give_up_msr(struct projected *projected, const struct gpt_slot *slot)
{
    change_files(projected, DISK_CHANGE_FORMAT, 1, 208896, 32768, boot_files, COUNT_OF(boot_files));
    change_table(projected, 1, slot, 1, false);
    finish(projected);
}

static void msr_that_becomes_an_esp_keeps_its_place(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(2, TYPE_ESP, NEW_GUID, 208896, 32768);

    mirror_drop_esp(mirror, 1);
    give_up_msr(&projected, &slot);
    const struct machine *machine = &projected.machine;
    assert_int_equal(machine->partition_count, 8);
    assert_int_equal(machine->partitions[MIRROR_MSR(1)].kind, PT_ESP);
    assert_int_equal(machine->partitions[MIRROR_MSR(1)].number, 3);
    assert_int_equal(machine->partitions[MIRROR_MSR(1)].fallback_status, ST_OK);
    assert_int_equal(machine->esp_count, 2);
    const struct esp *esp = &machine->esps[1];
    assert_int_equal(esp->partition, MIRROR_MSR(1));
    assert_int_equal(esp->status, ST_OK);
    assert_int_equal(esp->content, CONTENT_FAT);
    assert_int_equal(esp->report.file_count, COUNT_OF(boot_files));
    assert_true(esp->report.complete);
    assert_int_equal(esp->store_status, ST_OK);
    assert_int_equal(esp->volume.serial, 0x77);
    assert_string_equal(esp->volume.label, "SYSTEM");
}

/* --- Entries ---------------------------------------------------------------------------------- */

static void entry_for_a_partition_to_come_finds_it_and_its_file(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(2, TYPE_ESP, NEW_GUID, 208896, 32768);
    struct fixture_entry entry = mirror_windows_entry(mirror, 7, 1);

    mirror_drop_esp(mirror, 1);
    entry.partition = (struct host_partition){1, 3, 208896, 32768, fixture_guid(NEW_GUID)};
    mirror_put_entry(mirror, &entry);
    entry.number = 8;
    entry.file = MIRROR_SHIM;
    mirror_put_entry(mirror, &entry);
    size_t found = machine_find_entry(&mirror->machine, 7);
    size_t other = machine_find_entry(&mirror->machine, 8);
    assert_int_equal(mirror->machine.entries[found].boot.partition, NO_INDEX);
    give_up_msr(&projected, &slot);
    const struct target *boot = &projected.machine.entries[found].boot;
    assert_int_equal(boot->partition, MIRROR_MSR(1));
    assert_int_equal(boot->disk, 1);
    assert_false(boot->moved);
    assert_int_equal(boot->file_status, ST_OK);
    assert_int_equal(projected.machine.entries[other].boot.file_status, ST_ABSENT);
}

static void entry_for_the_old_guid_of_a_slot_leads_nowhere(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(0, TYPE_ESP, NEW_GUID, 2048, 204800);

    change_table(&projected, 1, &slot, 1, false);
    finish(&projected);
    assert_int_equal(projected.machine.entries[1].boot.partition, NO_INDEX);
    assert_int_equal(projected.machine.entries[0].boot.partition, MIRROR_ESP(0));
}

/* Entries of older Windows name the system's partition, which moves on in the list. */
static void system_that_an_entry_names_is_still_found(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);
    struct gpt_slot slot = slot_of(9, TYPE_ESP, NEW_GUID, 34, 2000);

    entry.optional = FIXTURE_WINDOWS;
    entry.options = "";
    entry.directory = "\\WINDOWS";
    entry.os = mirror_place(mirror, MIRROR_DATA(1));
    mirror_put_entry(mirror, &entry);
    assert_int_equal(mirror->machine.entries[1].os.partition, MIRROR_DATA(1));
    change_table(&projected, 1, &slot, 1, false);
    finish(&projected);
    assert_int_equal(projected.machine.entries[1].os.partition, MIRROR_DATA(1) + 1);
}

/* --- File systems ----------------------------------------------------------------------------- */

static void mended_boot_sector_is_sound(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    const struct partition *own = &mirror->partitions[MIRROR_ESP(1)];
    struct disk_change change = {.kind = DISK_CHANGE_BOOT_SECTOR,
                                 .disk = 1,
                                 .first_lba = own->first_lba,
                                 .block_count = own->block_count,
                                 .esp = 1};

    for (size_t i = 0; i < 2; i++) {
        mirror->esps[i].volume.from_backup = true;
        mirror->esps[i].report.problems[FAT_BOOT_SECTOR_FROM_BACKUP] = 1;
    }
    plan_change_disk(&projected.plan, &change, "mend");
    finish(&projected);
    assert_false(projected.machine.esps[1].volume.from_backup);
    assert_int_equal(projected.machine.esps[1].report.problems[FAT_BOOT_SECTOR_FROM_BACKUP], 0);
    assert_true(projected.machine.esps[0].volume.from_backup);
}

/* As a scan finds them: by their partitions. */
static void new_esp_stands_in_its_place_among_the_others(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(9, TYPE_ESP, NEW_GUID, 200000, 6848);

    mirror->partitions[0].block_count = 100000;
    change_files(&projected, DISK_CHANGE_FORMAT, 0, 200000, 6848, boot_files, COUNT_OF(boot_files));
    change_table(&projected, 0, &slot, 1, false);
    finish(&projected);
    assert_int_equal(projected.machine.esp_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(projected.machine.esps[i].partition, i < 2 ? i : 5);
    assert_int_equal(projected.machine.esps[1].report.file_count, COUNT_OF(boot_files));
}

/* Firmware has seen the file by its name, the walk has not come to it. */
static void file_that_was_not_walked_to_is_still_there(void **state)
{
    struct mirror *mirror = *state;
    static const struct file_copy other = {.path = "\\EFI\\other.efi", .esp = NO_INDEX};

    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    mirror->machine.entries[1].boot.file_status = ST_OK;
    for (int complete = 0; complete < 2; complete++) {
        struct projected projected = begin(mirror);
        mirror->esps[1].report.listed = complete;
        change_files(&projected, DISK_CHANGE_FILES, 1, 2048, 204800, &other, 1);
        finish(&projected);
        assert_int_equal(projected.machine.entries[1].boot.file_status,
                         complete ? ST_ABSENT : ST_OK);
    }
}

/* 204800 blocks of FAT16 in clusters of 4 KiB at most: what is brought fits, more than there is
 * does not. */
static void files_take_room_as_far_as_there_is_any(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct file_copy items[] = {{.path = "\\a", .size = 100, .esp = NO_INDEX},
                                {.path = "\\b", .size = 100, .esp = NO_INDEX}};

    change_files(&projected, DISK_CHANGE_FORMAT, 1, 2048, 204800, items, 2);
    finish(&projected);
    const struct esp *esp = &projected.machine.esps[1];
    assert_true(esp->volume.cluster_count > 10000);
    assert_int_equal(esp->report.free_clusters, esp->volume.cluster_count - 2);
    assert_int_equal(esp->report.used_clusters, 2);

    struct projected tight = begin(mirror);
    mirror->esps[1].report.free_clusters = 1;
    change_files(&tight, DISK_CHANGE_FILES, 1, 2048, 204800, items, 2);
    finish(&tight);
    assert_int_equal(tight.machine.esps[1].report.free_clusters, 0);
}

static void formatted_esp_has_what_it_is_given_and_no_more(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);

    mirror->machine.entries[1].boot.file_status = ST_OK;
    mirror->esps[1].status = ST_DAMAGED;
    change_files(&projected, DISK_CHANGE_FORMAT, 1, 2048, 204800, boot_files, 1);
    finish(&projected);
    assert_int_equal(projected.machine.esp_count, 2);
    assert_int_equal(projected.machine.esps[1].status, ST_OK);
    assert_int_equal(projected.machine.esps[1].store_status, ST_ABSENT);
    assert_int_equal(projected.machine.esps[1].report.file_count, 1);
    assert_int_equal(projected.machine.entries[1].boot.file_status, ST_ABSENT);
    assert_int_equal(projected.machine.partitions[MIRROR_ESP(1)].fallback_status, ST_ABSENT);
    assert_int_equal(projected.machine.entries[0].boot.file_status,
                     mirror->machine.entries[0].boot.file_status);
}

static void files_that_are_copied_come_to_those_that_are_there(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    static const struct file_copy manager = {.path = "\\efi\\MICROSOFT\\Boot\\BOOTMGFW.EFI"};

    mirror->machine.entries[1].boot.file_status = ST_ABSENT;
    change_files(&projected, DISK_CHANGE_FILES, 1, 2048, 204800, &manager, 1);
    finish(&projected);
    assert_int_equal(projected.machine.entries[1].boot.file_status, ST_OK);
    assert_int_equal(projected.machine.esps[1].store_status, ST_OK);
    assert_int_equal(projected.machine.partitions[MIRROR_ESP(1)].fallback_status, ST_OK);
    assert_int_equal(projected.machine.esps[1].volume.serial, mirror->esps[1].volume.serial);
    assert_int_equal(projected.machine.esps[1].report.file_count,
                     mirror->esps[1].report.file_count);
}

/* What is known of a content is known where it is brought to: it can be judged there. */
static void contents_are_those_of_the_source(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    const struct file_copy items[] = {
        {.path = MIRROR_MANAGER,
         .size = 5,
         .esp = 0,
         .file = mirror_file(mirror, 0, MIRROR_MANAGER)},
        {.path = MIRROR_STORE, .size = 6, .esp = 0, .file = mirror_file(mirror, 0, MIRROR_STORE)},
        {.path = "\\EFI\\empty.efi", .esp = NO_INDEX},
    };

    mirror_content(mirror, 0, MIRROR_MANAGER)->digest.bytes[3] = 0x5a;
    mirror->esps[0].store = REGF_DIRTY;
    change_files(&projected, DISK_CHANGE_FILES, 1, 2048, 204800, items, COUNT_OF(items));
    finish(&projected);
    const struct esp *esp = &projected.machine.esps[1];
    size_t manager = fat_find(&esp->report, MIRROR_MANAGER);
    assert_int_equal(esp->report.file_count, mirror->esps[1].report.file_count + 1);
    assert_int_equal(esp->report.files[manager].size, 5);
    assert_memory_equal(&esp->contents[manager].digest,
                        &mirror_content(mirror, 0, MIRROR_MANAGER)->digest, 32);
    assert_int_equal(esp->store, REGF_DIRTY);
    assert_true(esp->contents_read);
    size_t empty = fat_find(&esp->report, "\\EFI\\empty.efi");
    assert_true(esp->contents[empty].is_program);
    assert_int_equal(esp->contents[empty].program, PE_EMPTY);
    assert_true(esp->report.free_clusters < mirror->esps[1].report.free_clusters);
}

/* What the store lacks is in its log: the boot manager mends it where both are. */
static void log_of_the_store_goes_with_it(void **state)
{
    struct mirror *mirror = *state;

    mirror->esps[0].store = REGF_DIRTY;
    mirror->esps[0].store_recovery = REGF_RECOVERED;
    (void)mirror_add_file(mirror, 0, MIRROR_STORE ".LOG", 8192, 'l');
    for (int with_log = 0; with_log < 2; with_log++) {
        struct projected projected = begin(mirror);
        const struct file_copy items[] = {
            {.path = MIRROR_STORE, .size = 6, .file = mirror_file(mirror, 0, MIRROR_STORE)},
            {.path = MIRROR_STORE ".LOG",
             .size = 8192,
             .esp = with_log ? 0 : NO_INDEX, /* an empty file */
             .file = mirror_file(mirror, 0, MIRROR_STORE ".LOG")},
        };
        change_files(&projected, DISK_CHANGE_FILES, 1, 2048, 204800, items, COUNT_OF(items));
        finish(&projected);
        assert_int_equal(projected.machine.esps[1].store, REGF_DIRTY);
        assert_int_equal(boot_store_is_usable(&projected.machine.esps[1]), with_log);
    }
}

/* Lists of shim's fallback are found by the index of their file, which files that come move. */
static void lists_stay_with_their_files_and_come_with_those_that_are_brought(void **state)
{
    static const uint8_t own[] = {'o', 0};
    static const uint8_t brought[] = {'b', 0, 'c', 0};
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct boot_csv lists[2];

    for (size_t i = 0; i < 2; i++) {
        (void)mirror_add_file(mirror, i, i == 0 ? "\\EFI\\a\\BOOTX64.CSV" : "\\EFI\\b\\BOOTX64.CSV",
                              10, 'l');
        lists[i] = (struct boot_csv){mirror->esps[i].report.file_count - 1,
                                     i == 0 ? span_of(brought, 4) : span_of(own, 2)};
        mirror->esps[i].csvs = &lists[i];
        mirror->esps[i].csv_count = 1;
    }
    const struct file_copy items[] = {
        {.path = MIRROR_MANAGER,
         .size = 5,
         .esp = 0,
         .file = mirror_file(mirror, 0, MIRROR_MANAGER)},
        {.path = "\\EFI\\a\\BOOTX64.CSV", .size = 10, .esp = 0, .file = lists[0].file},
    };
    change_files(&projected, DISK_CHANGE_FILES, 1, 2048, 204800, items, COUNT_OF(items));
    finish(&projected);
    const struct esp *esp = &projected.machine.esps[1];
    assert_int_equal(esp->csv_count, 2);
    assert_string_equal(esp->report.files[esp->csvs[0].file].path, "\\EFI\\b\\BOOTX64.CSV");
    assert_int_equal(esp->csvs[0].text.size, 2);
    assert_string_equal(esp->report.files[esp->csvs[1].file].path, "\\EFI\\a\\BOOTX64.CSV");
    assert_int_equal(esp->csvs[1].text.size, 4);
}

static void contents_that_nobody_read_stay_unread(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    const struct file_copy item = {
        .path = MIRROR_SHIM, .size = 5, .esp = 0, .file = mirror_file(mirror, 0, MIRROR_MANAGER)};

    mirror->esps[0].contents_read = false;
    change_files(&projected, DISK_CHANGE_FILES, 1, 2048, 204800, &item, 1);
    finish(&projected);
    assert_false(projected.machine.esps[1].contents_read);
}

/* --- Boot variables --------------------------------------------------------------------------- */

static void set_order(struct projected *projected, uint8_t *order, size_t count)
{
    plan_set_variable(&projected->plan, "BootOrder", 7, span_of(order, count * 2), "order");
}

/* Ids follow BootOrder; what an entry leads to and whether its file is there is known at once. */
static void entries_stand_in_the_order_that_is_going_to_be(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct fixture_entry entry = mirror_windows_entry(mirror, 5, 1);
    static uint8_t order[] = {5, 0, 0, 0};
    struct fixture_bytes value;

    entry.file = MIRROR_SHIM;
    fixture_entry_value(mirror->host, &entry, &value);
    plan_set_variable(&projected.plan, "Boot0005", 7, span_of(value.at, value.size), "create");
    set_order(&projected, order, 2);
    finish(&projected);
    const struct machine *machine = &projected.machine;
    assert_int_equal(machine->entry_count, 3);
    assert_int_equal(machine->entries[0].number, 5);
    assert_int_equal(machine->entries[0].id, 1);
    assert_true(machine->entries[0].in_order);
    assert_int_equal(machine->entries[0].boot.partition, MIRROR_ESP(1));
    assert_int_equal(machine->entries[0].boot.file_status, ST_ABSENT);
    assert_int_equal(machine->entries[1].number, 0);
    assert_int_equal(machine->entries[2].number, 1);
    assert_false(machine->entries[2].in_order);
    assert_int_equal(mirror->machine.entry_count, 2);
}

static void replaced_entry_is_there_once(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);
    struct fixture_bytes value;

    entry.description = "Other";
    fixture_entry_value(mirror->host, &entry, &value);
    plan_set_variable(&projected.plan, "Boot0001", 7, span_of(value.at, value.size), "change");
    finish(&projected);
    assert_int_equal(projected.machine.entry_count, 2);
    assert_string_equal(projected.machine.entries[1].description, "Other");
    assert_int_equal(projected.machine.entries[1].id, 2);
}

static void deleted_boot_next_is_gone(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);

    fixture_set_u16(mirror->host, "BootNext", 1);
    mirror_read_entries(mirror);
    assert_int_equal(mirror->machine.next.status, ST_OK);
    plan_delete_variable(&projected.plan, "BootNext", "delete");
    finish(&projected);
    assert_int_equal(projected.machine.next.status, ST_ABSENT);
    struct projected other = begin(mirror);
    plan_set_variable(&other.plan, "BootNext", 7, span_of("\0\0", 2), "set");
    finish(&other);
    assert_int_equal(other.machine.next.status, ST_OK);
    assert_int_equal(other.machine.next.number, 0);
}

static void deleted_entries_are_gone(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    static uint8_t order[] = {1, 0};

    set_order(&projected, order, 1);
    plan_delete_variable(&projected.plan, "Boot0000", "delete");
    finish(&projected);
    assert_int_equal(projected.machine.entry_count, 1);
    assert_int_equal(projected.machine.entries[0].number, 1);
    assert_int_equal(projected.machine.order.count, 1);
    struct projected without = begin(mirror);
    plan_delete_variable(&without.plan, "BootOrder", "delete");
    finish(&without);
    assert_int_equal(without.machine.order.status, ST_ABSENT);
    assert_false(without.machine.entries[0].in_order);
}

/* --- Blank disk ------------------------------------------------------------------------------- */

static void blank_disk_gets_a_table_and_partitions(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct gpt_slot slots[] = {slot_of(0, TYPE_ESP, NEW_GUID, 2048, 204800),
                               slot_of(1, TYPE_MSR, OTHER_GUID, 206848, 32768)};
    struct disk_change change = {.kind = DISK_CHANGE_GPT,
                                 .disk = disk,
                                 .gpt = {.fresh = true,
                                         .disk_guid = fixture_guid(OTHER_GUID),
                                         .slots = slots,
                                         .slot_count = 2,
                                         .write_mbr = true}};

    mirror->machine.partition_count = 8;
    mirror->machine.esp_count = 2;
    mirror->disks[disk].partition_count = 0;
    mirror->disks[disk].style = DISK_RAW;
    mirror->disks[disk].blank = true;
    mirror->disks[disk].mbr = (struct mbr){.kind = MBR_NONE};
    plan_change_disk(&projected.plan, &change, "table");
    finish(&projected);
    const struct disk *after = &projected.machine.disks[disk];
    assert_int_equal(after->style, DISK_GPT);
    assert_false(after->blank);
    assert_true(guid_equal(&after->guid, &change.gpt.disk_guid));
    assert_true(guid_equal(&after->backup.header.disk_guid, &change.gpt.disk_guid));
    assert_int_equal(after->primary.problem, GPT_FINE);
    assert_int_equal(after->primary.header.entry_count, 128);
    assert_int_equal(after->first_partition, 8);
    assert_int_equal(after->partition_count, 2);
    assert_int_equal(projected.machine.partitions[9].kind, PT_MSR);
    assert_int_equal(projected.machine.partitions[9].number, 2);
}

static void too_little_memory_is_said(void **state)
{
    struct mirror *mirror = *state;
    struct projected projected = begin(mirror);
    struct gpt_slot slot = slot_of(9, TYPE_ESP, NEW_GUID, 1300000, 1000);

    change_table(&projected, 0, &slot, 1, false);
    change_files(&projected, DISK_CHANGE_FORMAT, 0, 1300000, 1000, boot_files,
                 COUNT_OF(boot_files));
    size_t mark = arena_mark(&mirror->arena);
    finish(&projected);
    size_t taken = arena_mark(&mirror->arena) - mark;
    size_t size = mirror->arena.size;
    for (size_t room = 0; room < taken; room += 16) {
        arena_release(&mirror->arena, mark);
        mirror->arena.size = mark + room;
        struct machine machine = {.disk_count = 77};
        assert_int_equal(project_machine(&mirror->arena, &projected.plan, &machine), ST_NO_MEMORY);
        assert_int_equal(machine.disk_count, 77);
    }
    mirror->arena.size = size;
}

#define ON_MIRROR(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_MIRROR(plan_without_disk_changes_leaves_everything),
        ON_MIRROR(new_partition_moves_every_index_behind_it),
        ON_MIRROR(partition_right_behind_a_new_one_is_still_found),
        ON_MIRROR(md_members_move_too),
        ON_MIRROR(machine_that_was_given_stays_as_it_is),
        ON_MIRROR(removed_partition_is_gone_with_all_that_was_in_it),
        ON_MIRROR(table_is_sound_afterwards),
        ON_MIRROR(tables_that_disagreed_agree_afterwards),
        ON_MIRROR(protective_mbr_that_is_not_written_stays_missing),
        ON_MIRROR(partition_that_begins_elsewhere_is_a_new_one),
        ON_MIRROR(esp_that_gets_another_type_is_none_any_more),
        ON_MIRROR(md_member_goes_with_its_partition),
        ON_MIRROR(partition_with_another_guid_is_another_one),
        ON_MIRROR(msr_that_becomes_an_esp_keeps_its_place),
        ON_MIRROR(entry_for_a_partition_to_come_finds_it_and_its_file),
        ON_MIRROR(entry_for_the_old_guid_of_a_slot_leads_nowhere),
        ON_MIRROR(system_that_an_entry_names_is_still_found),
        ON_MIRROR(mended_boot_sector_is_sound),
        ON_MIRROR(new_esp_stands_in_its_place_among_the_others),
        ON_MIRROR(file_that_was_not_walked_to_is_still_there),
        ON_MIRROR(files_take_room_as_far_as_there_is_any),
        ON_MIRROR(formatted_esp_has_what_it_is_given_and_no_more),
        ON_MIRROR(files_that_are_copied_come_to_those_that_are_there),
        ON_MIRROR(contents_are_those_of_the_source),
        ON_MIRROR(log_of_the_store_goes_with_it),
        ON_MIRROR(lists_stay_with_their_files_and_come_with_those_that_are_brought),
        ON_MIRROR(contents_that_nobody_read_stay_unread),
        ON_MIRROR(entries_stand_in_the_order_that_is_going_to_be),
        ON_MIRROR(replaced_entry_is_there_once),
        ON_MIRROR(deleted_boot_next_is_gone),
        ON_MIRROR(deleted_entries_are_gone),
        ON_MIRROR(blank_disk_gets_a_table_and_partitions),
        ON_MIRROR(too_little_memory_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
