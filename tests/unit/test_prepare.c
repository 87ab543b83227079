/* What is planned to make a disk ready to start the machine, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format/fat/fat_geometry.h"
#include "format/fat/fat_layout.h"
#include "format/gpt_edit.h"
#include "model/boot_paths.h"
#include "plan/esp_files.h"
#include "plan/fresh_fat.h"
#include "plan/new_guid.h"
#include "plan/prepare.h"
#include "plan/project.h"
#include "unit/mirror_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The fixture's ESPs: 100 MiB at block 2048, 4 files of 4,432,768 bytes. */
#define ESP_BLOCKS 204800u
#define MSR_FIRST  208896u
#define MSR_BLOCKS 32768u
#define DATA_FIRST 241664u
#define DATA_END   1241664u
#define LAST       1999966u /* usable block */
#define ESP_0      "Disk 0 Partition 1 {5ad00000-0000-4000-8000-000000000001}"
#define ESP_1      "Disk 1 Partition 1 {5ad00000-0001-4000-8000-000000000001}"

/* --- Planning --------------------------------------------------------------------------------- */

struct preparing {
    struct mirror *mirror;
    struct plan plan;
    struct guid esp;
    enum status status;
};

static struct preparing prepare_with(struct mirror *mirror, const struct prepare_request *request)
{
    struct preparing preparing = {.mirror = mirror};
    struct roles roles = mirror_roles(mirror);

    plan_init(&preparing.plan, &mirror->arena, &mirror->machine);
    preparing.status = plan_prepare(&preparing.plan, &roles, request, &preparing.esp);
    return preparing;
}

static struct prepare_request request_for(size_t disk)
{
    return (struct prepare_request){.disk = disk, .now = {2026, 3, 4, 5, 6, 7}};
}

static struct preparing prepare(struct mirror *mirror, size_t disk)
{
    struct prepare_request request = request_for(disk);

    return prepare_with(mirror, &request);
}

static void assert_holds(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, text);
}

static void assert_refused(const struct preparing *preparing, enum status status, const char *why)
{
    assert_int_equal(preparing->status, status);
    assert_holds(preparing->plan.refusal, why);
    const char *end = strstr(preparing->plan.refusal, "Nothing was changed.");
    assert_non_null(end);
    assert_string_equal(end, "Nothing was changed.");
}

static const struct disk_change *change_at(const struct preparing *preparing, size_t index,
                                           enum disk_change_kind kind)
{
    if (preparing->status != ST_OK)
        fail_msg("%s", preparing->plan.refusal);
    assert_true(index < preparing->plan.count);
    assert_int_equal(preparing->plan.actions[index].type, ACTION_CHANGE_DISK);
    assert_int_equal(preparing->plan.actions[index].change->kind, kind);
    return preparing->plan.actions[index].change;
}

static void assert_nothing(const struct preparing *preparing)
{
    if (preparing->status != ST_OK)
        fail_msg("%s", preparing->plan.refusal);
    assert_int_equal(preparing->plan.count, 0);
    assert_false(preparing->plan.formats);
    assert_false(preparing->plan.gives_up_msr);
}

static void assert_place(const struct disk_change *change, size_t disk, uint64_t first,
                         uint64_t blocks)
{
    assert_int_equal(change->disk, disk);
    assert_int_equal(change->first_lba, first);
    assert_int_equal(change->block_count, blocks);
}

static void assert_slot(const struct gpt_slot *slot, uint32_t number, const char *type,
                        uint64_t first, uint64_t blocks)
{
    struct guid wanted = fixture_guid(type);

    assert_int_equal(slot->slot, number);
    assert_true(guid_equal(&slot->entry.type, &wanted));
    assert_int_equal(slot->entry.first_lba, first);
    assert_int_equal(slot->entry.last_lba, first + blocks - 1);
}

static void assert_name(const struct gpt_slot *slot, const char *name)
{
    for (size_t i = 0; i <= strlen(name); i++) {
        assert_int_equal(slot->entry.name[2 * i], name[i]);
        assert_int_equal(slot->entry.name[2 * i + 1], 0);
    }
}

/* RFC 4122, 4.1: the version in the upper half of the third group, the variant in the fourth. */
static void assert_version_4(const struct guid *guid)
{
    char text[GUID_TEXT_SIZE];

    guid_format(guid, text);
    assert_int_equal(text[15], '4');
    assert_non_null(strchr("89ab", text[20]));
}

/* The table that the change makes of the disk's, worked out by gpt_edit: it refuses entries that
 * overlap or lie outside. */
static void assert_table_can_be_written(struct mirror *mirror, const struct preparing *preparing,
                                        const struct disk_change *change)
{
    const struct disk *disk = &mirror->disks[change->disk];
    struct machine after;
    struct disk_edit edit;
    static uint8_t entries[128 * 128];
    struct gpt_edit_request request = {.block_size = disk->block_size,
                                       .block_count = disk->block_count,
                                       .disk_guid = disk->guid,
                                       .entries = span_of(entries, sizeof(entries)),
                                       .entry_count = 128,
                                       .entry_size = 128};

    assert_int_equal(project_machine(&mirror->arena, &preparing->plan, &after), ST_OK);
    memset(entries, 0, sizeof(entries));
    for (size_t i = 0; i < after.partition_count; i++) {
        const struct partition *own = &after.partitions[i];
        uint8_t *at = entries + (size_t)(own->hd_number - 1) * 128;
        if (own->disk != change->disk)
            continue;
        memcpy(at, own->type.bytes, 16);
        st_le64(at + 32, own->first_lba);
        st_le64(at + 40, own->first_lba + own->block_count - 1);
    }
    size_t mark = arena_mark(&mirror->arena);
    assert_int_equal(gpt_edit(&mirror->arena, &request, &edit), ST_OK);
    arena_release(&mirror->arena, mark);
}

/* --- Machines --------------------------------------------------------------------------------- */

/* Adds a disk without anything on it. */
static size_t add_blank(struct mirror *mirror, uint32_t block_size, uint64_t block_count)
{
    size_t index = mirror_add_disk(mirror, DISK_AHCI);
    struct disk *disk = &mirror->disks[index];

    mirror->machine.partition_count -= disk->partition_count;
    mirror->machine.esp_count--;
    disk->partition_count = 0;
    disk->style = DISK_RAW;
    disk->blank = true;
    disk->block_size = block_size;
    disk->block_count = block_count;
    disk->mbr = (struct mbr){.kind = MBR_NONE};
    disk->primary = (struct gpt_copy){.problem = GPT_NO_SIGNATURE, .lba = 1};
    disk->backup = (struct gpt_copy){.problem = GPT_NO_SIGNATURE, .lba = block_count - 1};
    disk->guid = (struct guid){{0}};
    return index;
}

/* Disk 1 has data where its ESP was, and `blocks` free behind its last partition, nowhere more. */
static void leave_room(struct mirror *mirror, uint64_t blocks)
{
    mirror_drop_esp(mirror, 1);
    mirror->partitions[MIRROR_ESP(1)].kind = PT_BASIC_DATA;
    mirror->partitions[MIRROR_ESP(1)].first_lba = 34;
    mirror->partitions[MIRROR_ESP(1)].block_count = 206848 - 34;
    mirror->partitions[MIRROR_DATA(1)].block_count = LAST + 1 - DATA_FIRST - blocks;
    mirror->extents[1].blocks = mirror->partitions[MIRROR_DATA(1)].block_count;
}

static struct esp *esp_1(struct mirror *mirror)
{
    return &mirror->esps[1];
}

/* --- Blank disk ------------------------------------------------------------------------------- */

static void blank_disk_gets_what_the_sources_disk_has(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 2000000);
    char text[256];
    char guid[GUID_TEXT_SIZE];

    mirror->partitions[MIRROR_ESP(0)].attributes = 1;
    strcpy(mirror->esps[0].volume.label, "SYSTEM");
    struct preparing p = prepare(mirror, disk);
    const struct disk_change *format = change_at(&p, 0, DISK_CHANGE_FORMAT);
    const struct disk_change *table = change_at(&p, 1, DISK_CHANGE_GPT);
    assert_int_equal(p.plan.count, 2);
    assert_true(p.plan.formats);
    assert_false(p.plan.gives_up_msr);
    assert_place(format, disk, 2048, ESP_BLOCKS);
    assert_int_equal(format->format.type, FAT_32);
    assert_string_equal(format->format.label, "SYSTEM");
    assert_int_equal(format->esp, NO_INDEX);
    assert_int_equal(format->files.count, mirror->esps[0].report.file_count);
    assert_int_equal(table->disk, disk);
    assert_true(table->gpt.fresh);
    assert_true(table->gpt.write_mbr);
    assert_int_equal(table->gpt.slot_count, 2);
    assert_slot(&table->gpt.slots[0], 0, TYPE_ESP, 2048, ESP_BLOCKS);
    assert_slot(&table->gpt.slots[1], 1, TYPE_MSR, 206848, MSR_BLOCKS);
    assert_name(&table->gpt.slots[0], "EFI system partition");
    assert_name(&table->gpt.slots[1], "Microsoft reserved partition");
    assert_int_equal(table->gpt.slots[0].entry.attributes, 1);
    assert_int_equal(table->gpt.slots[1].entry.attributes, 0);
    assert_true(guid_equal(&p.esp, &table->gpt.slots[0].entry.unique));
    guid_format(&p.esp, guid);
    snprintf(text, sizeof(text),
             "format Disk 2 Partition 1 %s with FAT32 (100 MiB), 4 files, 4.2 MiB, from " ESP_0,
             guid);
    assert_string_equal(p.plan.actions[0].text, text);
    assert_string_equal(p.plan.actions[1].text,
                        "make a partition table (GPT) on Disk 2 with ESP 100 MiB and MSR 16 MiB");
    assert_table_can_be_written(mirror, &p, table);
}

/* 100 MiB are 25,600 blocks of 4096 bytes, and too few clusters for FAT32. */
static void blank_disk_with_large_blocks_gets_the_same_sizes(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 4096, 250000);
    struct preparing p = prepare(mirror, disk);
    const struct disk_change *format = change_at(&p, 0, DISK_CHANGE_FORMAT);
    const struct disk_change *table = change_at(&p, 1, DISK_CHANGE_GPT);

    assert_place(format, disk, 256, 25600);
    assert_int_equal(format->format.type, FAT_16);
    assert_slot(&table->gpt.slots[0], 0, TYPE_ESP, 256, 25600);
    assert_slot(&table->gpt.slots[1], 1, TYPE_MSR, 25856, 4096);
    assert_table_can_be_written(mirror, &p, table);
}

static void alignment_of_the_source_is_kept(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 2000000);

    mirror->partitions[MIRROR_ESP(0)].first_lba = 8192; /* 4 MiB */
    mirror->partitions[MIRROR_ESP(0)].block_count -= 6144;
    struct preparing p = prepare(mirror, disk);
    assert_place(change_at(&p, 0, DISK_CHANGE_FORMAT), disk, 8192, ESP_BLOCKS - 6144);
}

/* KB 814070's disks have the ESP at block 34: new ones begin at a MiB all the same. */
static void new_partitions_begin_at_a_mib_whatever_the_source_does(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 2000000);

    mirror->partitions[MIRROR_ESP(0)].first_lba = 34;
    struct preparing p = prepare(mirror, disk);
    assert_place(change_at(&p, 0, DISK_CHANGE_FORMAT), disk, 2048, ESP_BLOCKS);
}

static void msr_is_of_16_mib_where_the_source_has_none(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 2000000);

    mirror->partitions[MIRROR_MSR(0)].kind = PT_BASIC_DATA;
    struct preparing p = prepare(mirror, disk);
    assert_slot(&change_at(&p, 1, DISK_CHANGE_GPT)->gpt.slots[1], 1, TYPE_MSR, 206848, 32768);
}

static void disk_with_room_for_the_esp_only_gets_no_msr(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 206848 + MSR_BLOCKS + 32); /* one block too small */
    struct preparing p = prepare(mirror, disk);

    assert_int_equal(change_at(&p, 1, DISK_CHANGE_GPT)->gpt.slot_count, 1);
    assert_string_equal(p.plan.actions[1].text,
                        "make a partition table (GPT) on Disk 2 with ESP 100 MiB");
    disk = add_blank(mirror, 512, 206848 + MSR_BLOCKS + 33);
    p = prepare(mirror, disk);
    assert_int_equal(change_at(&p, 1, DISK_CHANGE_GPT)->gpt.slot_count, 2);
}

/* 50 MiB: the files need four. */
static void small_blank_disk_gets_an_esp_of_what_there_is(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 102400);
    struct preparing p = prepare(mirror, disk);

    assert_place(change_at(&p, 0, DISK_CHANGE_FORMAT), disk, 2048, 48 * 2048);
    assert_int_equal(change_at(&p, 1, DISK_CHANGE_GPT)->gpt.slot_count, 1);
}

static bool is_called_too_small(const struct preparing *p)
{
    for (size_t i = 0; i < p->plan.warning_count; i++) {
        if (strstr(p->plan.warnings[i], " is too small for a copy of ") != NULL)
            return true;
    }
    return false;
}

/* The ESP can be made all the same, which is said with the plan; so exact is what is left beside ESP,
 * reserved partition and what lies in front of the first MiB. */
static void disk_too_small_for_the_mirror_is_called_so(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 2000000);
    uint64_t most = 2000000 - ESP_BLOCKS - MSR_BLOCKS;
    struct preparing p;

    for (uint64_t i = 0; i < 2; i++) {
        mirror->copies[1].block_count = most + i;
        p = prepare(mirror, disk);
        assert_int_equal(p.plan.count, 2);
        assert_int_equal(is_called_too_small(&p), i == 1);
    }
    mirror->copies[1].block_count = 1;
    mirror->copies[0].block_count = 2000000;
    p = prepare(mirror, disk);
    assert_true(is_called_too_small(&p));
}

/* A member has its copy already. */
static void member_is_not_called_too_small(void **state)
{
    struct mirror *mirror = *state;
    struct preparing p;

    leave_room(mirror, 300000);
    mirror->copies[0].block_count = LAST * 2;
    p = prepare(mirror, 1);
    assert_int_equal(p.plan.count, 2);
    assert_false(is_called_too_small(&p));
}

static void blank_disk_too_small_for_the_files_is_refused(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 6000);
    struct preparing p = prepare(mirror, disk);

    assert_refused(&p, ST_NO_SPACE, "The files take 3,");
    assert_holds(p.plan.refusal, "the largest free area of Disk 2 has room for 2,9");
}

static void disk_that_is_not_blank_is_refused(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 2000000);

    mirror->disks[disk].blank = false;
    struct preparing p = prepare(mirror, disk);
    assert_refused(&p, ST_REFUSED, "Disk 2 has no partition table, but it is not blank");
}

/* --- Identities ------------------------------------------------------------------------------- */

static void new_guids_are_of_version_4_and_differ(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 2000000);
    struct preparing p = prepare(mirror, disk);
    const struct gpt_change *gpt = &change_at(&p, 1, DISK_CHANGE_GPT)->gpt;
    const struct guid *made[] = {&gpt->disk_guid, &gpt->slots[0].entry.unique,
                                 &gpt->slots[1].entry.unique};

    for (size_t i = 0; i < COUNT_OF(made); i++) {
        assert_version_4(made[i]);
        for (size_t j = 0; j < i; j++)
            assert_false(guid_equal(made[i], made[j]));
    }
}

static void same_request_gives_the_same_plan_and_another_time_does_not(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 2000000);
    struct prepare_request later = request_for(disk);
    struct preparing a = prepare(mirror, disk);
    struct preparing b = prepare(mirror, disk);

    assert_true(guid_equal(&a.esp, &b.esp));
    assert_string_equal(a.plan.actions[0].text, b.plan.actions[0].text);
    later.now.second++;
    struct preparing c = prepare_with(mirror, &later);
    assert_false(guid_equal(&a.esp, &c.esp));
    assert_int_not_equal(change_at(&a, 0, DISK_CHANGE_FORMAT)->format.serial,
                         change_at(&c, 0, DISK_CHANGE_FORMAT)->format.serial);
}

/* The sequence goes on where a value is taken: by a partition, a disk, another ESP's serial. */
static void identities_that_are_taken_are_not_given(void **state)
{
    struct mirror *mirror = *state;
    static const struct date_time now = {2026, 1, 1, 0, 0, 0};
    struct identity identity;
    struct guid guids[3];

    identity_begin(&identity, &mirror->machine, 1, &now);
    for (size_t i = 0; i < COUNT_OF(guids); i++)
        guids[i] = identity_guid(&identity);
    /* The seed is what it is; only what is compared with changes. */
    identity.counter = 0;
    mirror->partitions[MIRROR_DATA(0)].unique = guids[0];
    mirror->disks[0].guid = guids[1];
    struct guid next = identity_guid(&identity);
    assert_true(guid_equal(&next, &guids[2]));
    identity.counter = 10;
    uint32_t serial = identity_serial(&identity);
    identity.counter = 10;
    mirror->esps[0].volume.serial = serial;
    assert_int_not_equal(identity_serial(&identity), serial);
}

/* --- Free space ------------------------------------------------------------------------------- */

static void esp_goes_into_free_space_on_the_lowest_free_slot(void **state)
{
    struct mirror *mirror = *state;
    char text[256];
    char guid[GUID_TEXT_SIZE];

    leave_room(mirror, 300000);
    mirror->partitions[MIRROR_MSR(1)].hd_number = 9; /* slot 2 is free */
    struct preparing p = prepare(mirror, 1);
    const struct disk_change *format = change_at(&p, 0, DISK_CHANGE_FORMAT);
    const struct disk_change *table = change_at(&p, 1, DISK_CHANGE_GPT);
    uint64_t first = 831u * 2048; /* the first MiB behind block 1,699,967 */
    assert_true(p.plan.formats);
    assert_false(p.plan.gives_up_msr);
    assert_place(format, 1, first, ESP_BLOCKS);
    assert_false(table->gpt.fresh);
    assert_false(table->gpt.write_mbr);
    assert_int_equal(table->gpt.slot_count, 1);
    assert_slot(&table->gpt.slots[0], 2, TYPE_ESP, first, ESP_BLOCKS);
    guid_format(&p.esp, guid);
    snprintf(text, sizeof(text),
             "make an EFI system partition of 100 MiB on Disk 1 at LBA 1701888, Partition 5 %s",
             guid);
    assert_string_equal(p.plan.actions[1].text, text);
    assert_table_can_be_written(mirror, &p, table);
}

static void smallest_gap_that_is_large_enough_is_taken(void **state)
{
    struct mirror *mirror = *state;

    leave_room(mirror, 300000);
    mirror->partitions[MIRROR_ESP(1)].block_count = 2048 - 34; /* 2048 to 206,847 are free */
    struct preparing p = prepare(mirror, 1);
    assert_place(change_at(&p, 0, DISK_CHANGE_FORMAT), 1, 2048, ESP_BLOCKS);
}

/* Not a whole MiB fits 100 MiB, but from a multiple of 4 KiB on it does. */
static void gap_without_room_for_alignment_is_used_from_4_kib_on(void **state)
{
    struct mirror *mirror = *state;

    leave_room(mirror, ESP_BLOCKS + 8); /* from 1,795,159 on: 8 * 224,395 = 1,795,160 */
    struct preparing p = prepare(mirror, 1);
    const struct disk_change *format = change_at(&p, 0, DISK_CHANGE_FORMAT);
    assert_place(format, 1, 1795160, ESP_BLOCKS);
    assert_table_can_be_written(mirror, &p, change_at(&p, 1, DISK_CHANGE_GPT));
}

static void smaller_gap_is_used_when_the_files_fit(void **state)
{
    struct mirror *mirror = *state;

    leave_room(mirror, 40000);
    struct preparing p = prepare(mirror, 1);
    /* From 1,959,967 on: MiB 958 to 976, without the rest behind. */
    assert_place(change_at(&p, 0, DISK_CHANGE_FORMAT), 1, 958u * 2048, 18u * 2048);
    assert_false(p.plan.gives_up_msr);
}

/* I2: an extent outside every partition is not free. */
static void extents_of_dynamic_volumes_are_never_written(void **state)
{
    struct mirror *mirror = *state;

    leave_room(mirror, 600000);
    mirror->extents[1].lba = 1500000;
    mirror->extents[1].blocks = 250000;
    struct preparing p = prepare(mirror, 1);
    const struct disk_change *format = change_at(&p, 0, DISK_CHANGE_FORMAT);
    assert_true(format->first_lba >= 1750000);
    assert_int_equal(format->block_count, ESP_BLOCKS);
}

static void damaged_copy_is_mended_by_the_change_that_puts_the_esp_in(void **state)
{
    struct mirror *mirror = *state;

    leave_room(mirror, 300000);
    mirror->disks[1].primary.problem = GPT_BAD_HEADER_CRC;
    mirror->disks[1].mbr = (struct mbr){.kind = MBR_NONE};
    struct preparing p = prepare(mirror, 1);
    (void)change_at(&p, 0, DISK_CHANGE_FORMAT);
    assert_true(change_at(&p, 1, DISK_CHANGE_GPT)->gpt.write_mbr);
    assert_int_equal(p.plan.count, 2);
}

/* --- In place of the MSR ---------------------------------------------------------------------- */

static void msr_is_given_up_only_when_allowed(void **state)
{
    struct mirror *mirror = *state;
    struct prepare_request request = request_for(1);

    leave_room(mirror, 100);
    struct preparing p = prepare(mirror, 1);
    assert_refused(&p, ST_REFUSED, "give -msr to allow that");
    assert_holds(p.plan.refusal, "Disk 1 Partition 3 {5ad00000-0001-4000-8000-000000000003}");
    request.allow_msr = true;
    p = prepare_with(mirror, &request);
    const struct disk_change *format = change_at(&p, 0, DISK_CHANGE_FORMAT);
    const struct disk_change *table = change_at(&p, 1, DISK_CHANGE_GPT);
    assert_true(p.plan.formats);
    assert_true(p.plan.gives_up_msr);
    assert_place(format, 1, MSR_FIRST, MSR_BLOCKS);
    assert_int_equal(format->format.type, FAT_16);
    assert_slot(&table->gpt.slots[0], 2, TYPE_ESP, MSR_FIRST, MSR_BLOCKS);
    assert_false(guid_equal(&p.esp, &mirror->partitions[MIRROR_MSR(1)].unique));
    assert_holds(p.plan.actions[1].text,
                 "give up Disk 1 Partition 3 {5ad00000-0001-4000-8000-000000000003}, a Microsoft "
                 "reserved partition of 16 MiB, for an EFI system partition with the GUID {");
    assert_table_can_be_written(mirror, &p, table);
}

static void msr_is_kept_where_there_is_free_space(void **state)
{
    struct mirror *mirror = *state;
    struct prepare_request request = request_for(1);

    leave_room(mirror, 40000);
    request.allow_msr = true;
    struct preparing p = prepare_with(mirror, &request);
    assert_int_equal(p.status, ST_OK);
    assert_false(p.plan.gives_up_msr);
}

/* Windows makes MSRs of 128 MiB on Itanium, of 32 MiB on the first x64 ones; 2 MiB is no use. */
static void msr_too_small_for_the_files_is_refused(void **state)
{
    struct mirror *mirror = *state;
    struct prepare_request request = request_for(1);

    leave_room(mirror, 100);
    mirror->partitions[MIRROR_MSR(1)].block_count = 4096;
    mirror->partitions[MIRROR_DATA(1)].first_lba = MSR_FIRST + 4096;
    mirror->partitions[MIRROR_DATA(1)].block_count += MSR_BLOCKS - 4096;
    request.allow_msr = true;
    struct preparing p = prepare_with(mirror, &request);
    assert_refused(&p, ST_NO_SPACE, "in Disk 1 Partition 3 {");
    request.allow_msr = false;
    p = prepare_with(mirror, &request);
    assert_refused(&p, ST_NO_SPACE, "The files take 3,");
}

/* I2: the type says MSR, and a database says that a volume lies in it. */
static void msr_with_a_piece_of_a_volume_is_not_given_up(void **state)
{
    struct mirror *mirror = *state;
    struct prepare_request request = request_for(1);

    leave_room(mirror, 0);
    (void)mirror_add_data_volume(mirror, "");
    request.allow_msr = true;
    struct preparing p = prepare_with(mirror, &request);
    assert_refused(&p, ST_NO_SPACE, "no Microsoft reserved partition to give up");
}

/* I2: everything but an MSR stays, whatever is allowed. */
static void no_other_partition_is_ever_given_up(void **state)
{
    static const enum partition_type kinds[] = {PT_UNKNOWN,    PT_LDM_METADATA, PT_LDM_DATA,
                                                PT_BASIC_DATA, PT_WINDOWS_RE,   PT_LINUX_DATA};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct mirror *mirror = mirror_new();
        struct prepare_request request = request_for(1);
        leave_room(mirror, 0);
        mirror->partitions[MIRROR_MSR(1)].kind = kinds[i];
        request.allow_msr = true;
        struct preparing p = prepare_with(mirror, &request);
        assert_refused(&p, ST_NO_SPACE, "no Microsoft reserved partition to give up");
        mirror_free(mirror);
    }
}

/* --- ESP that is there ------------------------------------------------------------------------ */

static void healthy_disks_need_nothing(void **state)
{
    for (size_t disk = 0; disk < 2; disk++) {
        struct preparing p = prepare(*state, disk);
        struct mirror *mirror = *state;
        assert_nothing(&p);
        assert_true(guid_equal(&p.esp, &mirror->partitions[MIRROR_ESP(disk)].unique));
    }
}

static void unformatted_esp_is_formatted(void **state)
{
    struct mirror *mirror = *state;

    esp_1(mirror)->status = ST_ABSENT;
    esp_1(mirror)->content = CONTENT_EMPTY;
    mirror_drop_files(mirror, 1);
    struct preparing p = prepare(mirror, 1);
    const struct disk_change *format = change_at(&p, 0, DISK_CHANGE_FORMAT);
    assert_int_equal(p.plan.count, 1);
    assert_true(p.plan.formats);
    assert_place(format, 1, 2048, ESP_BLOCKS);
    assert_int_equal(format->esp, NO_INDEX);
    assert_int_equal(p.plan.warning_count, 0);
    assert_true(guid_equal(&p.esp, &mirror->partitions[MIRROR_ESP(1)].unique));
    assert_string_equal(p.plan.actions[0].text,
                        "format " ESP_1 " with FAT32 (100 MiB), 4 files, 4.2 MiB, from " ESP_0);
    assert_int_not_equal(format->format.serial, mirror->esps[0].volume.serial);
    assert_int_not_equal(format->format.serial, 0);
}

/* What the damaged file system alone has is brought over from there. */
static void damaged_esp_is_formatted_and_its_own_files_kept(void **state)
{
    struct mirror *mirror = *state;

    mirror_add_file(mirror, 1, MIRROR_SHIM, 900000, 's');
    esp_1(mirror)->report.problems[FAT_CHAIN_CROSSED] = 1;
    struct preparing p = prepare(mirror, 1);
    const struct disk_change *format = change_at(&p, 0, DISK_CHANGE_FORMAT);
    assert_int_equal(p.plan.count, 1);
    assert_int_equal(format->esp, 1);
    bool found = false;
    for (size_t i = 0; i < format->files.count; i++) {
        const struct file_copy *item = &format->files.items[i];
        found |= item->esp == 1 && strcmp(item->path, MIRROR_SHIM) == 0;
    }
    assert_true(found);
}

/* I1: until the last write of a format the disk does not start. */
static void esp_in_use_is_formatted_only_where_it_can_be_spared(void **state)
{
    struct mirror *mirror = *state;
    struct prepare_request request = request_for(1);

    esp_1(mirror)->report.problems[FAT_CHAIN_CROSSED] = 1;
    request.use = ESP_IN_USE;
    struct preparing p = prepare_with(mirror, &request);
    (void)change_at(&p, 0, DISK_CHANGE_FORMAT);
    assert_holds(p.plan.warnings[0], "While it is formatted Disk 1 does not start");
    request.use = ESP_ONLY_ONE;
    p = prepare_with(mirror, &request);
    assert_refused(&p, ST_REFUSED, "the only one this machine starts from");
    request.use = ESP_KEPT;
    p = prepare_with(mirror, &request);
    assert_refused(&p, ST_REFUSED, "\"shadowboot prepare 1\" makes the file system anew");
    assert_holds(p.plan.refusal, fat_problem_text(FAT_CHAIN_CROSSED));
    esp_1(mirror)->status = ST_DAMAGED; /* nothing starts from that */
    p = prepare_with(mirror, &request);
    (void)change_at(&p, 0, DISK_CHANGE_FORMAT);
}

/* A disk that nothing is brought to is not spoken of. */
static void files_of_its_own_are_named_when_others_are_brought(void **state)
{
    struct mirror *mirror = *state;

    mirror_add_file(mirror, 1, MIRROR_SHIM, 900000, 's');
    struct preparing p = prepare(mirror, 1);
    assert_nothing(&p);
    assert_int_equal(p.plan.warning_count, 0);
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    p = prepare(mirror, 1);
    assert_int_equal(p.plan.warning_count, 1);
    assert_holds(p.plan.warnings[0], "stay as they are: " MIRROR_SHIM ".");
}

static void esp_that_cannot_be_opened_or_mounted_is_formatted(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct mirror *mirror = mirror_new();
        if (i == 0)
            esp_1(mirror)->status = ST_DAMAGED;
        if (i == 4)
            esp_1(mirror)->report.problems[FAT_SECTOR_SIZE] = 1;
        if (i == 1)
            esp_1(mirror)->report.problems[FAT_FORM_UNUSUAL] = 1;
        if (i == 2) {
            esp_1(mirror)->volume.from_backup = true;
            esp_1(mirror)->content = CONTENT_EMPTY;
            esp_1(mirror)->report.problems[FAT_BOOT_SECTOR_FROM_BACKUP] = 1;
            esp_1(mirror)->report.problems[FAT_CHAIN_LOOPS] = 1;
        }
        if (i == 3)
            esp_1(mirror)->report.problems[FAT_SIGNATURE_MISSING] = 1;
        struct preparing p = prepare(mirror, 1);
        (void)change_at(&p, 0, DISK_CHANGE_FORMAT);
        mirror_free(mirror);
    }
}

static void lose_boot_sector(struct esp *esp)
{
    esp->volume.from_backup = true;
    esp->content = CONTENT_EMPTY;
    esp->report.problems[FAT_BOOT_SECTOR_FROM_BACKUP] = 1;
}

/* The smallest change that does: one sector, and no question about formatting. */
static void boot_sector_alone_is_written_back_from_its_backup(void **state)
{
    struct mirror *mirror = *state;

    lose_boot_sector(esp_1(mirror));
    struct preparing p = prepare(mirror, 1);
    const struct disk_change *change = change_at(&p, 0, DISK_CHANGE_BOOT_SECTOR);
    assert_int_equal(p.plan.count, 1);
    assert_int_equal(change->disk, 1);
    assert_int_equal(change->first_lba, 2048);
    assert_int_equal(change->esp, 1);
    assert_false(p.plan.formats);
}

/* What was made over FAT32 may have left its backup: then FATs and directories do not agree. */
static void backup_of_another_file_system_is_not_written_back(void **state)
{
    static const enum fat_problem signs[] = {FAT_COPIES_DIFFER, FAT_MEDIA_ENTRY,
                                             FAT_DIRECTORY_BROKEN};

    (void)state;
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        struct mirror *mirror = mirror_new();
        lose_boot_sector(esp_1(mirror));
        esp_1(mirror)->report.problems[signs[i]] = 1;
        struct preparing p = prepare(mirror, 1);
        (void)change_at(&p, 0, DISK_CHANGE_FORMAT);
        mirror_free(mirror);
    }
}

/* What is missing comes with it. */
static void files_follow_the_boot_sector(void **state)
{
    struct mirror *mirror = *state;

    lose_boot_sector(esp_1(mirror));
    mirror_drop_file(mirror, 1, BOOT_MANAGER_PATH);
    struct preparing p = prepare(mirror, 1);
    (void)change_at(&p, 0, DISK_CHANGE_BOOT_SECTOR);
    (void)change_at(&p, 1, DISK_CHANGE_FILES);
}

static void make_member(struct mirror *mirror, struct md_volume *volume)
{
    *volume = (struct md_volume){.partition = esp_1(mirror)->partition, .use = MD_HALF};
    mirror->machine.md_volumes = volume;
    mirror->machine.md_volume_count = 1;
}

/* Written to alone, it would differ from the other members. */
static void member_of_an_array_is_not_written_to(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct mirror *mirror = mirror_new();
        struct md_volume volume;
        make_member(mirror, &volume);
        if (i == 0)
            lose_boot_sector(esp_1(mirror));
        if (i == 1)
            esp_1(mirror)->status = ST_DAMAGED;
        if (i == 2)
            mirror_drop_file(mirror, 1, BOOT_MANAGER_PATH);
        if (i == 3)
            esp_1(mirror)->status = ST_UNSUPPORTED;
        struct preparing p = prepare(mirror, 1);
        assert_refused(&p, ST_REFUSED, "is a member of a Linux RAID");
        mirror_free(mirror);
    }
}

static void healthy_member_of_an_array_needs_nothing(void **state)
{
    struct mirror *mirror = *state;
    struct md_volume volume;

    make_member(mirror, &volume);
    struct preparing p = prepare(mirror, 1);
    assert_int_equal(p.status, ST_OK);
    assert_int_equal(p.plan.count, 0);
}

static void partition_of_another_type_is_not_written_to(void **state)
{
    struct mirror *mirror = *state;

    mirror->partitions[esp_1(mirror)->partition].kind = PT_BASIC_DATA;
    mirror_drop_file(mirror, 1, BOOT_MANAGER_PATH);
    struct preparing p = prepare(mirror, 1);
    assert_refused(&p, ST_REFUSED, "not an EFI system partition");
}

/* The root directory of FAT16 does not grow, which has nothing to do with free bytes. */
static void full_root_directory_is_told_when_it_is_in_the_way(void **state)
{
    struct mirror *mirror = *state;

    esp_1(mirror)->report.root_entries = 512;
    esp_1(mirror)->report.root_free = 1;
    mirror_drop_file(mirror, 1, BOOT_MANAGER_PATH);
    struct preparing p = prepare(mirror, 1);
    (void)change_at(&p, 0, DISK_CHANGE_FILES);
    (void)mirror_add_file(mirror, 0, "\\vmlinuz-6.1.0-amd64", 10, 0);
    p = prepare(mirror, 1);
    assert_refused(&p, ST_NO_SPACE, "root directory of Disk 1 Partition 1");
    esp_1(mirror)->report.root_free = 3;
    p = prepare(mirror, 1);
    (void)change_at(&p, 0, DISK_CHANGE_FILES);
}

static void esp_with_unknown_content_is_formatted_with_a_warning(void **state)
{
    struct mirror *mirror = *state;

    esp_1(mirror)->status = ST_ABSENT;
    esp_1(mirror)->content = CONTENT_UNKNOWN;
    struct preparing p = prepare(mirror, 1);
    assert_int_equal(p.plan.warning_count, 1);
    assert_holds(p.plan.warnings[0], "What is on " ESP_1 " is not recognised");
}

/* What a cut of our own leaves, and marks, are no damage. */
static void esp_with_what_can_be_lived_with_is_not_formatted(void **state)
{
    static const enum fat_problem harmless[] = {FAT_CHAIN_LOST, FAT_COPIES_DIFFER, FAT_MARKED_DIRTY,
                                                FAT_BACKUP_DIFFERS, FAT_PAST_PARTITION};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(harmless); i++) {
        struct mirror *mirror = mirror_new();
        esp_1(mirror)->report.problems[harmless[i]] = 3;
        struct preparing p = prepare(mirror, 1);
        assert_nothing(&p);
        mirror_free(mirror);
    }
}

static void other_file_systems_are_refused(void **state)
{
    static const enum volume_content contents[] = {CONTENT_NTFS, CONTENT_BITLOCKER, CONTENT_REFS,
                                                   CONTENT_EXFAT};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(contents) * 2; i++) {
        struct mirror *mirror = mirror_new();
        bool over_fat = i >= COUNT_OF(contents); /* FAT's backup is still there */
        esp_1(mirror)->content = contents[i % COUNT_OF(contents)];
        esp_1(mirror)->status = over_fat ? ST_OK : ST_ABSENT;
        esp_1(mirror)->volume.from_backup = over_fat;
        struct preparing p = prepare(mirror, 1);
        assert_refused(&p, ST_REFUSED, ESP_1 " holds another file system");
        mirror_free(mirror);
    }
}

static void esp_that_cannot_be_judged_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct mirror *mirror = mirror_new();
        struct esp *esp = esp_1(mirror);
        if (i < 2)
            esp->status = i == 0 ? ST_IO : ST_UNSUPPORTED;
        if (i == 2)
            esp->report.complete = false;
        if (i == 3)
            esp->report.problems[FAT_TOO_DEEP] = 1;
        struct preparing p = prepare(mirror, 1);
        assert_refused(&p, ST_REFUSED, ESP_1);
        mirror_free(mirror);
    }
}

static void files_that_differ_are_copied(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    struct preparing p = prepare(mirror, 1);
    const struct disk_change *files = change_at(&p, 0, DISK_CHANGE_FILES);
    assert_int_equal(p.plan.count, 1);
    assert_false(p.plan.formats);
    assert_place(files, 1, 2048, ESP_BLOCKS);
    assert_int_equal(files->esp, 1);
    assert_int_equal(files->files.count, 1);
    assert_string_equal(p.plan.actions[0].text,
                        "bring 1 file, 1.5 MiB, from " ESP_0 " to " ESP_1 ": " MIRROR_MANAGER);
}

static void empty_esp_gets_everything(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_files(mirror, 1);
    struct preparing p = prepare(mirror, 1);
    (void)change_at(&p, 0, DISK_CHANGE_FILES);
    assert_holds(p.plan.actions[0].text,
                 "bring 4 files and 4 folders, 4.2 MiB, from " ESP_0 " to " ESP_1 ": \\EFI, ");
    assert_holds(p.plan.actions[0].text, " and 6 more");
}

/* 1,600,000 bytes are 391 clusters of 4096. */
static void files_need_room_beside_the_old_ones(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    esp_1(mirror)->report.free_clusters = 390;
    struct preparing p = prepare(mirror, 1);
    assert_refused(&p, ST_NO_SPACE, "need 1,601,536 bytes on " ESP_1);
    esp_1(mirror)->report.problems[FAT_CHAIN_LOST] = 1; /* which can be made use of */
    p = prepare(mirror, 1);
    (void)change_at(&p, 0, DISK_CHANGE_FILES);
}

/* What others are held against is not overwritten with what they have, unless asked for. */
static void primary_takes_files_from_the_shadow_only_when_it_is_named(void **state)
{
    struct mirror *mirror = *state;
    struct prepare_request request = request_for(0);

    mirror->files[0][mirror_file(mirror, 0, MIRROR_MANAGER)].size = 1700000;
    struct preparing p = prepare(mirror, 0);
    assert_nothing(&p);
    request.has_source = true;
    request.source = mirror->partitions[MIRROR_ESP(1)].unique;
    p = prepare_with(mirror, &request);
    assert_int_equal(change_at(&p, 0, DISK_CHANGE_FILES)->files.items[0].esp, 1);
}

static void primarys_damaged_esp_is_made_from_the_shadow(void **state)
{
    struct mirror *mirror = *state;

    mirror->esps[0].report.problems[FAT_DIRECTORY_BROKEN] = 1;
    struct preparing p = prepare(mirror, 0);
    assert_place(change_at(&p, 0, DISK_CHANGE_FORMAT), 0, 2048, ESP_BLOCKS);
    assert_holds(p.plan.actions[0].text, "from " ESP_1);
}

/* --- Room, to the cluster --------------------------------------------------------------------- */

/* Makes the boot manager take what the other files leave of `clusters`: store and fallback, and the
 * directories EFI, Microsoft, Boot and BOOT of one cluster each. */
static void fill(struct mirror *mirror, uint32_t clusters, uint32_t cluster_bytes, size_t root)
{
    uint64_t taken = 4 + root;

    mirror_drop_file(mirror, 0, MIRROR_MEMTEST); /* which could be left out */
    taken += (1600000 + cluster_bytes - 1) / cluster_bytes;
    taken += (32768 + cluster_bytes - 1) / cluster_bytes;
    mirror->files[0][mirror_file(mirror, 0, MIRROR_MANAGER)].size =
        (clusters - taken) * cluster_bytes;
}

static void target_too_small_by_one_cluster_is_refused(void **state)
{
    static const struct {
        enum fat_type type;
        uint32_t block_size;
        uint64_t blocks;
    } cases[] = {{FAT_32, 512, ESP_BLOCKS}, {FAT_16, 512, 32768}, {FAT_16, 4096, 25600}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mirror *mirror = mirror_new();
        struct partition *own = &mirror->partitions[MIRROR_ESP(1)];
        struct fat_geometry geometry;
        mirror->disks[1].block_size = cases[i].block_size;
        own->block_count = cases[i].blocks;
        esp_1(mirror)->status = ST_ABSENT;
        esp_1(mirror)->content = CONTENT_EMPTY;
        assert_true(fat_geometry_make(cases[i].type, 2048, cases[i].blocks, cases[i].block_size,
                                      &geometry));
        uint32_t cluster = geometry.cluster_sectors * cases[i].block_size;
        fill(mirror, geometry.cluster_count, cluster, cases[i].type == FAT_32);
        struct preparing p = prepare(mirror, 1);
        assert_int_equal(change_at(&p, 0, DISK_CHANGE_FORMAT)->format.type, cases[i].type);
        mirror->files[0][mirror_file(mirror, 0, MIRROR_MANAGER)].size++;
        p = prepare(mirror, 1);
        char room[THOUSANDS_SIZE];
        char text[128];
        snprintf(text, sizeof(text), "in " ESP_1 " has room for %s",
                 format_thousands((uint64_t)geometry.cluster_count * cluster, room));
        assert_refused(&p, ST_NO_SPACE, text);
        mirror_free(mirror);
    }
}

static void looking_for_room_takes_no_memory_for_good(void **state)
{
    struct mirror *mirror = *state;
    static const struct file_copy items[] = {{.path = "\\a", .size = 100000}};
    struct files_change files = {items, 1};
    struct fresh_fat fresh = {2048, ESP_BLOCKS, 512, "", &files};
    enum fat_type type = FAT_12;
    uint64_t needed = 0;
    uint64_t available = 0;
    size_t mark = arena_mark(&mirror->arena);

    assert_int_equal(fresh_fat_fits(&mirror->arena, &fresh, &type), ST_OK);
    assert_int_equal(fresh_fat_bytes(&mirror->arena, &fresh, &needed, &available), ST_OK);
    assert_int_equal(arena_mark(&mirror->arena), mark);
    assert_int_equal(type, FAT_32);
    /* 98 clusters of 1 KiB and one for the root directory. */
    assert_int_equal(needed, 99 * 1024);
    fresh.block_count = 100;
    assert_int_equal(fresh_fat_fits(&mirror->arena, &fresh, &type), ST_NO_SPACE);
    assert_int_equal(fresh_fat_bytes(&mirror->arena, &fresh, &needed, &available), ST_OK);
    assert_int_equal(available, 0);
}

/* --- The table -------------------------------------------------------------------------------- */

static struct preparing mend(struct mirror *mirror, size_t disk)
{
    struct preparing preparing = {.mirror = mirror};

    plan_init(&preparing.plan, &mirror->arena, &mirror->machine);
    preparing.status = plan_mend_gpt(&preparing.plan, disk);
    return preparing;
}

static void sound_table_is_not_mended(void **state)
{
    struct preparing p = mend(*state, 1);

    assert_nothing(&p);
}

static void damaged_copies_are_mended(void **state)
{
    static const char *const why[] = {"its primary copy is damaged", "its backup is damaged",
                                      "its backup is not at the end of the disk",
                                      "its protective MBR is missing"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(why); i++) {
        struct mirror *mirror = mirror_new();
        struct disk *disk = &mirror->disks[1];
        if (i == 0)
            disk->primary.problem = GPT_NO_SIGNATURE;
        if (i == 1)
            disk->backup.problem = GPT_BAD_ARRAY_CRC;
        if (i == 2)
            disk->block_count += 1000;
        if (i == 3)
            disk->mbr = (struct mbr){.kind = MBR_NONE};
        struct preparing p = mend(mirror, 1);
        const struct disk_change *change = change_at(&p, 0, DISK_CHANGE_GPT);
        assert_int_equal(p.plan.count, 1);
        assert_int_equal(change->disk, 1);
        assert_int_equal(change->gpt.slot_count, 0);
        assert_false(change->gpt.fresh);
        assert_int_equal(change->gpt.write_mbr, i >= 3);
        assert_false(p.plan.formats);
        assert_holds(p.plan.actions[0].text,
                     "write the partition table (GPT) of Disk 1 anew from its good copy: ");
        assert_holds(p.plan.actions[0].text, why[i]);
        mirror_free(mirror);
    }
}

/* Writing it may fail as reading did, and could not be taken back. */
static void unreadable_mbr_is_left_alone_and_the_rest_mended(void **state)
{
    struct mirror *mirror = *state;

    mirror->disks[1].mbr_unreadable = true;
    mirror->disks[1].mbr = (struct mbr){.kind = MBR_NONE};
    struct preparing p = mend(mirror, 1);
    assert_nothing(&p);
    assert_int_equal(p.plan.warning_count, 1);
    assert_holds(p.plan.warnings[0], "Block 0 of Disk 1");
    mirror->disks[1].backup.problem = GPT_BAD_ARRAY_CRC;
    p = mend(mirror, 1);
    assert_false(change_at(&p, 0, DISK_CHANGE_GPT)->gpt.write_mbr);
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    p = prepare(mirror, 1);
    assert_int_equal(p.plan.warning_count, 1);
    assert_int_equal(p.plan.count, 2);
}

static void table_is_mended_before_the_file_system_is_made(void **state)
{
    struct mirror *mirror = *state;

    mirror->disks[1].backup.problem = GPT_UNREADABLE;
    esp_1(mirror)->status = ST_DAMAGED;
    struct preparing p = prepare(mirror, 1);
    assert_int_equal(p.plan.count, 2);
    (void)change_at(&p, 0, DISK_CHANGE_GPT);
    (void)change_at(&p, 1, DISK_CHANGE_FORMAT);
}

static void doubtful_tables_are_not_touched(void **state)
{
    static const char *const why[] = {"Both copies of the partition table of Disk 1 are damaged",
                                      "they do not agree", "Disk 1 Partition 2 ",
                                      "Disk 1 Partition 4 ", "Disk 1 Partition 1 "};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(why) * 2; i++) {
        struct mirror *mirror = mirror_new();
        struct disk *disk = &mirror->disks[1];
        size_t damage = i % COUNT_OF(why);
        if (damage == 0)
            disk->primary.problem = disk->backup.problem = GPT_BAD_HEADER_CRC;
        disk->copies_differ = damage == 1;
        mirror->partitions[MIRROR_LDM(1)].overlaps = damage == 2;
        mirror->partitions[MIRROR_DATA(1)].out_of_range = damage == 3;
        if (damage == 4)
            mirror->partitions[MIRROR_ESP(1)].first_lba = 33; /* the entries will be there */
        struct preparing p = i < COUNT_OF(why) ? mend(mirror, 1) : prepare(mirror, 1);
        assert_refused(&p, ST_REFUSED, why[damage]);
        mirror_free(mirror);
    }
}

static void only_a_gpt_can_be_mended(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_blank(mirror, 512, 2000000);
    struct preparing p = mend(mirror, disk);

    assert_refused(&p, ST_REFUSED, "Disk 2 has no partition table to mend");
    mirror->disks[disk].style = DISK_MBR;
    p = mend(mirror, disk);
    assert_refused(&p, ST_REFUSED, "Disk 2 has an MBR");
}

/* --- Disks that are left alone ---------------------------------------------------------------- */

static void disks_that_are_not_ours_to_prepare_are_refused(void **state)
{
    static const struct {
        const char *why;
        enum status status;
        bool removable, self, read_only, mbr;
        uint32_t block_size;
    } cases[] = {
        {"Disk 1 is removable or on USB", ST_OK, true, false, false, false, 512},
        {"Disk 1 carries the volume shadowboot was started from", ST_OK, false, true, false, false,
         512},
        {"Disk 1 is write-protected", ST_OK, false, false, true, false, 512},
        {"Disk 1 has an MBR partition table", ST_OK, false, false, false, true, 512},
        {"Disk 1 cannot be read", ST_IO, false, false, false, false, 512},
        {"Disk 1 has blocks of a size", ST_OK, false, false, false, false, 2048},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mirror *mirror = mirror_new();
        struct disk *disk = &mirror->disks[1];
        esp_1(mirror)->status = ST_DAMAGED;
        disk->status = cases[i].status;
        disk->removable = cases[i].removable;
        disk->has_self = cases[i].self;
        disk->read_only = cases[i].read_only;
        disk->style = cases[i].mbr ? DISK_MBR : DISK_GPT;
        disk->block_size = cases[i].block_size;
        struct preparing p = prepare(mirror, 1);
        assert_refused(&p, cases[i].read_only ? ST_READ_ONLY : ST_REFUSED, cases[i].why);
        assert_int_equal(p.plan.count, 0);
        mirror_free(mirror);
    }
}

static void disk_that_does_not_exist_is_absent(void **state)
{
    struct preparing p = prepare(*state, 2);

    assert_refused(&p, ST_ABSENT, "There is no Disk 2");
}

/* --- Sources ---------------------------------------------------------------------------------- */

static void without_a_source_nothing_can_be_made(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_files(mirror, 0);
    esp_1(mirror)->status = ST_DAMAGED;
    struct preparing p = prepare(mirror, 1);
    assert_refused(&p, ST_ABSENT, "No other disk has a sound EFI system partition");
}

/* The only ESP with boot files lacks nothing that anybody could bring. */
static void only_copy_is_left_alone(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_files(mirror, 1);
    struct preparing p = prepare(mirror, 0);
    assert_nothing(&p);
}

static void source_that_is_named_must_be_good_for_it(void **state)
{
    struct mirror *mirror = *state;
    struct prepare_request request = request_for(1);

    esp_1(mirror)->status = ST_DAMAGED;
    request.has_source = true;
    request.source = fixture_guid("99999999-0000-4000-8000-000000000001");
    struct preparing p = prepare_with(mirror, &request);
    assert_refused(&p, ST_ABSENT, "has the GUID {99999999-0000-4000-8000-000000000001}");
    request.source = mirror->partitions[MIRROR_DATA(0)].unique;
    p = prepare_with(mirror, &request);
    assert_refused(&p, ST_REFUSED, "is no EFI system partition whose files can be read");
    request.source = mirror->partitions[MIRROR_ESP(1)].unique;
    p = prepare_with(mirror, &request);
    assert_refused(&p, ST_REFUSED, "is on the disk that is to be prepared");
    mirror->partitions[MIRROR_DATA(0)].unique = mirror->partitions[MIRROR_ESP(0)].unique;
    request.source = mirror->partitions[MIRROR_ESP(0)].unique;
    p = prepare_with(mirror, &request);
    assert_refused(&p, ST_REFUSED, "2 partitions of this machine have the GUID");
}

static void named_source_may_be_on_a_third_disk(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = mirror_add_disk(mirror, DISK_USB);
    struct prepare_request request = request_for(1);

    esp_1(mirror)->status = ST_DAMAGED;
    request.has_source = true;
    request.source = mirror->partitions[mirror->disks[disk].first_partition].unique;
    struct preparing p = prepare_with(mirror, &request);
    const struct files_change *files = &change_at(&p, 0, DISK_CHANGE_FORMAT)->files;
    for (size_t i = 0; i < files->count; i++)
        assert_int_equal(files->items[i].esp, files->items[i].is_directory ? NO_INDEX : 2);
    assert_false(files->items[files->count - 1].is_directory);
}

static void label_that_fat_cannot_have_is_left_out(void **state)
{
    static const char *const labels[][2] = {
        {"SYSTEM", "SYSTEM"}, {"Sys 1_-", "Sys 1_-"}, {"NO NAME", ""}, {"A\\u00e4", ""}, {" A", ""},
    };
    struct mirror *mirror = *state;

    esp_1(mirror)->status = ST_DAMAGED;
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        strcpy(mirror->esps[0].volume.label, labels[i][0]);
        struct preparing p = prepare(mirror, 1);
        assert_string_equal(change_at(&p, 0, DISK_CHANGE_FORMAT)->format.label, labels[i][1]);
    }
}

/* --- Once more -------------------------------------------------------------------------------- */

/* I5: on the machine as it is afterwards nothing is missing. The report that a scan would make is
 * that of the source's files. */
static void second_run_plans_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct mirror *mirror = mirror_new();
        struct prepare_request request = request_for(1);
        struct machine after;
        if (i == 0)
            request.disk = add_blank(mirror, 512, 2000000);
        if (i == 1)
            leave_room(mirror, 300000);
        if (i == 2)
            leave_room(mirror, 0);
        request.allow_msr = true;
        struct preparing p = prepare_with(mirror, &request);
        assert_int_equal(p.status, ST_OK);
        assert_int_equal(p.plan.count, 2);
        assert_int_equal(project_machine(&mirror->arena, &p.plan, &after), ST_OK);
        size_t partition = machine_find_partition(&after, &p.esp, NULL);
        struct esp *made = &after.esps[machine_find_esp(&after, partition)];
        made->report = mirror->esps[0].report;
        made->contents = mirror->esps[0].contents;
        made->volume.cluster_size = 4096;
        mirror->machine = after;
        p = prepare_with(mirror, &request);
        assert_nothing(&p);
        mirror_free(mirror);
    }
}

#define ON_MIRROR(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_MIRROR(blank_disk_gets_what_the_sources_disk_has),
        ON_MIRROR(blank_disk_with_large_blocks_gets_the_same_sizes),
        ON_MIRROR(alignment_of_the_source_is_kept),
        ON_MIRROR(new_partitions_begin_at_a_mib_whatever_the_source_does),
        ON_MIRROR(msr_is_of_16_mib_where_the_source_has_none),
        ON_MIRROR(disk_with_room_for_the_esp_only_gets_no_msr),
        ON_MIRROR(small_blank_disk_gets_an_esp_of_what_there_is),
        ON_MIRROR(disk_too_small_for_the_mirror_is_called_so),
        ON_MIRROR(member_is_not_called_too_small),
        ON_MIRROR(blank_disk_too_small_for_the_files_is_refused),
        ON_MIRROR(disk_that_is_not_blank_is_refused),
        ON_MIRROR(new_guids_are_of_version_4_and_differ),
        ON_MIRROR(same_request_gives_the_same_plan_and_another_time_does_not),
        ON_MIRROR(identities_that_are_taken_are_not_given),
        ON_MIRROR(esp_goes_into_free_space_on_the_lowest_free_slot),
        ON_MIRROR(smallest_gap_that_is_large_enough_is_taken),
        ON_MIRROR(gap_without_room_for_alignment_is_used_from_4_kib_on),
        ON_MIRROR(smaller_gap_is_used_when_the_files_fit),
        ON_MIRROR(extents_of_dynamic_volumes_are_never_written),
        ON_MIRROR(damaged_copy_is_mended_by_the_change_that_puts_the_esp_in),
        ON_MIRROR(msr_is_given_up_only_when_allowed),
        ON_MIRROR(msr_is_kept_where_there_is_free_space),
        ON_MIRROR(msr_too_small_for_the_files_is_refused),
        ON_MIRROR(msr_with_a_piece_of_a_volume_is_not_given_up),
        cmocka_unit_test(no_other_partition_is_ever_given_up),
        ON_MIRROR(healthy_disks_need_nothing),
        ON_MIRROR(unformatted_esp_is_formatted),
        ON_MIRROR(damaged_esp_is_formatted_and_its_own_files_kept),
        ON_MIRROR(esp_in_use_is_formatted_only_where_it_can_be_spared),
        ON_MIRROR(files_of_its_own_are_named_when_others_are_brought),
        cmocka_unit_test(esp_that_cannot_be_opened_or_mounted_is_formatted),
        ON_MIRROR(boot_sector_alone_is_written_back_from_its_backup),
        cmocka_unit_test(backup_of_another_file_system_is_not_written_back),
        ON_MIRROR(files_follow_the_boot_sector),
        cmocka_unit_test(member_of_an_array_is_not_written_to),
        ON_MIRROR(healthy_member_of_an_array_needs_nothing),
        ON_MIRROR(partition_of_another_type_is_not_written_to),
        ON_MIRROR(full_root_directory_is_told_when_it_is_in_the_way),
        ON_MIRROR(esp_with_unknown_content_is_formatted_with_a_warning),
        cmocka_unit_test(esp_with_what_can_be_lived_with_is_not_formatted),
        cmocka_unit_test(other_file_systems_are_refused),
        cmocka_unit_test(esp_that_cannot_be_judged_is_refused),
        ON_MIRROR(files_that_differ_are_copied),
        ON_MIRROR(empty_esp_gets_everything),
        ON_MIRROR(files_need_room_beside_the_old_ones),
        ON_MIRROR(primary_takes_files_from_the_shadow_only_when_it_is_named),
        ON_MIRROR(primarys_damaged_esp_is_made_from_the_shadow),
        cmocka_unit_test(target_too_small_by_one_cluster_is_refused),
        ON_MIRROR(looking_for_room_takes_no_memory_for_good),
        ON_MIRROR(sound_table_is_not_mended),
        cmocka_unit_test(damaged_copies_are_mended),
        ON_MIRROR(unreadable_mbr_is_left_alone_and_the_rest_mended),
        ON_MIRROR(table_is_mended_before_the_file_system_is_made),
        cmocka_unit_test(doubtful_tables_are_not_touched),
        ON_MIRROR(only_a_gpt_can_be_mended),
        cmocka_unit_test(disks_that_are_not_ours_to_prepare_are_refused),
        ON_MIRROR(disk_that_does_not_exist_is_absent),
        ON_MIRROR(without_a_source_nothing_can_be_made),
        ON_MIRROR(only_copy_is_left_alone),
        ON_MIRROR(source_that_is_named_must_be_good_for_it),
        ON_MIRROR(named_source_may_be_on_a_third_disk),
        ON_MIRROR(label_that_fat_cannot_have_is_left_out),
        cmocka_unit_test(second_run_plans_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
