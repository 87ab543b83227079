#include "unit/mirror_fixture.h"

#include "unit/finding_fixture.h"
#include "unit/windows_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "host/host_alloc.h"
#include "model/resolve.h"
#include "model/scan_vars.h"

#define MEMORY      (4u << 20)
#define BLOCK       512u
#define DISK_BLOCKS 2000000u
#define CLUSTER     4096u

static const struct {
    enum partition_type kind;
    uint64_t first;
    uint64_t blocks;
} layout[] = {
    {PT_ESP, 2048, 204800},
    {PT_LDM_METADATA, 206848, 2048},
    {PT_MSR, 208896, 32768},
    {PT_LDM_DATA, 241664, 1000000},
};

/* --- Disks and partitions ------------------------------------------------------------------- */

static void add_partition(struct mirror *mirror, size_t disk, uint32_t number,
                          enum partition_type kind)
{
    struct partition *partition = &mirror->partitions[mirror->machine.partition_count++];
    char unique[37];

    snprintf(unique, sizeof(unique), "5ad00000-%04zx-4000-8000-%012x", disk, number);
    *partition = (struct partition){
        .disk = disk,
        .number = number,
        .hd_number = number,
        .first_lba = layout[number - 1].first,
        .block_count = layout[number - 1].blocks,
        .kind = kind,
        .unique = fixture_guid(unique),
        .type = fixture_guid(TYPE_BASIC_DATA),
        .name = "",
        .fallback_status = kind == PT_ESP ? ST_OK : ST_UNSUPPORTED,
        .volume = NO_INDEX,
    };
    mirror->disks[disk].partition_count++;
}

static size_t add_disk(struct mirror *mirror, enum disk_controller controller)
{
    size_t index = host_add_disk(mirror->host, controller, BLOCK, DISK_BLOCKS);
    char guid[37];

    snprintf(guid, sizeof(guid), "d15c0000-%04zx-4000-8000-000000000000", index);
    mirror->disks[index] = (struct disk){
        .port = index,
        .path = mirror->host->blocks[index].path,
        .path_text = "disk",
        .model = "Model",
        .block_size = BLOCK,
        .block_count = DISK_BLOCKS,
        .removable = controller == DISK_USB,
        .style = DISK_GPT,
        .mbr = {.kind = MBR_PROTECTIVE, .protective_at_lba_1 = true},
        .primary = {.lba = 1,
                    .header = {.my_lba = 1,
                               .alternate_lba = DISK_BLOCKS - 1,
                               .first_usable_lba = 34,
                               .last_usable_lba = DISK_BLOCKS - 34,
                               .entries_lba = 2,
                               .entry_count = 128,
                               .entry_size = 128}},
        .guid = fixture_guid(guid),
        .first_partition = mirror->machine.partition_count,
    };
    mirror->disks[index].primary.header.disk_guid = mirror->disks[index].guid;
    mirror->disks[index].backup = mirror->disks[index].primary;
    mirror->disks[index].backup.lba = DISK_BLOCKS - 1;
    mirror->disks[index].backup.header.my_lba = DISK_BLOCKS - 1;
    mirror->disks[index].backup.header.alternate_lba = 1;
    mirror->disks[index].backup.header.entries_lba = DISK_BLOCKS - 33;
    mirror->machine.disk_count = index + 1;
    return index;
}

struct host_partition mirror_place(const struct mirror *mirror, size_t partition)
{
    const struct partition *own = &mirror->partitions[partition];

    return (struct host_partition){own->disk, own->hd_number, own->first_lba, own->block_count,
                                   own->unique};
}

/* --- Files of an ESP ------------------------------------------------------------------------ */

size_t mirror_file(const struct mirror *mirror, size_t esp, const char *path)
{
    size_t index = fat_find(&mirror->esps[esp].report, path);

    assert_true(index != FAT_NO_FILE);
    return index;
}

struct file_content *mirror_content(struct mirror *mirror, size_t esp, const char *path)
{
    return &mirror->contents[esp][mirror_file(mirror, esp, path)];
}

static bool ends_in_efi(const char *path)
{
    size_t length = strlen(path);

    return length >= 4 && strcasecmp(path + length - 4, ".efi") == 0;
}

size_t mirror_add_file(struct mirror *mirror, size_t esp, const char *path, uint64_t size,
                       uint8_t digest)
{
    size_t index = mirror->esps[esp].report.file_count++;

    assert_true(index < MIRROR_FILES);
    mirror->files[esp][index] = (struct fat_file){
        .path = path,
        .exact_name = true,
        .is_directory = size == 0,
        .attributes = size == 0 ? 0x10 : 0x20,
        .size = size,
        .written = {2026, 1, 2, 3, 4, 6},
    };
    mirror->contents[esp][index] = (struct file_content){
        .status = size == 0 ? ST_UNSUPPORTED : ST_OK,
        .digest = {{digest}},
        .is_program = ends_in_efi(path),
    };
    return index;
}

void mirror_drop_file(struct mirror *mirror, size_t esp, const char *path)
{
    struct fat_report *report = &mirror->esps[esp].report;
    size_t length = strlen(path);
    size_t kept = 0;

    for (size_t i = 0; i < report->file_count; i++) {
        const char *own = report->files[i].path;
        if (strncmp(own, path, length) == 0 && (own[length] == '\0' || own[length] == '\\'))
            continue;
        mirror->files[esp][kept] = mirror->files[esp][i];
        mirror->contents[esp][kept++] = mirror->contents[esp][i];
    }
    assert_true(kept < report->file_count);
    report->file_count = kept;
    if (fat_find(report, MIRROR_STORE) == FAT_NO_FILE)
        mirror->esps[esp].store_status = ST_ABSENT;
}

void mirror_drop_files(struct mirror *mirror, size_t esp)
{
    mirror->esps[esp].report.file_count = 0;
    mirror->esps[esp].store_status = ST_ABSENT;
}

void mirror_make_quick(struct mirror *mirror)
{
    for (size_t i = 0; i < mirror->machine.esp_count; i++) {
        struct esp *esp = &mirror->esps[i];
        esp->contents_read = false;
        if (esp->store_status != ST_ABSENT)
            esp->store_status = ST_UNSUPPORTED;
        for (size_t j = 0; j < esp->report.file_count; j++) {
            bool is_program = esp->contents[j].is_program;
            esp->contents[j] =
                (struct file_content){.status = ST_UNSUPPORTED, .is_program = is_program};
        }
    }
}

static void add_esp(struct mirror *mirror, size_t partition)
{
    size_t index = mirror->machine.esp_count++;

    mirror->esps[index] = (struct esp){
        .partition = partition,
        .content = CONTENT_FAT,
        .volume = {.type = FAT_32, .cluster_size = CLUSTER, .serial = 0x1000 + (uint32_t)index},
        .report = {.files = mirror->files[index],
                   .complete = true,
                   .listed = true,
                   .free_clusters = 20000},
        .contents = mirror->contents[index],
        .contents_read = true,
        .store_status = ST_OK,
        .store = REGF_GOOD,
        .store_file = windows_store(),
    };
    mirror_add_file(mirror, index, "\\EFI", 0, 0);
    mirror_add_file(mirror, index, "\\EFI\\Microsoft", 0, 0);
    mirror_add_file(mirror, index, "\\EFI\\Microsoft\\Boot", 0, 0);
    mirror_add_file(mirror, index, MIRROR_MANAGER, 1600000, 'm');
    mirror_add_file(mirror, index, MIRROR_STORE, 32768, (uint8_t)('0' + index));
    /* Windows' own programs are not for firmware to start. */
    size_t memtest = mirror_add_file(mirror, index, MIRROR_MEMTEST, 1200000, 't');
    mirror->contents[index][memtest].program = PE_NOT_EFI;
    mirror_add_file(mirror, index, "\\EFI\\BOOT", 0, 0);
    mirror_add_file(mirror, index, MIRROR_FALLBACK, 1600000, 'm');
}

size_t mirror_add_disk(struct mirror *mirror, enum disk_controller controller)
{
    size_t disk = add_disk(mirror, controller);

    add_partition(mirror, disk, 1, PT_ESP);
    add_partition(mirror, disk, 2, PT_MSR);
    add_partition(mirror, disk, 3, PT_BASIC_DATA);
    add_esp(mirror, mirror->disks[disk].first_partition);
    return disk;
}

size_t mirror_add_second_esp(struct mirror *mirror)
{
    mirror->partitions[MIRROR_MSR(1)].kind = PT_ESP;
    mirror->partitions[MIRROR_MSR(1)].fallback_status = ST_OK;
    add_esp(mirror, MIRROR_MSR(1));
    return mirror->machine.esp_count - 1;
}

void mirror_drop_esp(struct mirror *mirror, size_t disk)
{
    size_t kept = 0;

    for (size_t i = 0; i < mirror->machine.esp_count; i++) {
        struct partition *partition = &mirror->partitions[mirror->esps[i].partition];
        if (partition->disk != disk) {
            mirror->esps[kept++] = mirror->esps[i];
            continue;
        }
        partition->kind = PT_MSR;
        partition->fallback_status = ST_UNSUPPORTED;
    }
    assert_true(kept < mirror->machine.esp_count);
    mirror->machine.esp_count = kept;
}

/* --- The mirror ----------------------------------------------------------------------------- */

static void add_plex(struct mirror *mirror, size_t index)
{
    static const char *const names[] = {"Volume1-01", "Volume1-02"};
    static const char *const disks[] = {"Disk1", "Disk2"};
    static const char *const pieces[] = {"Disk1-01", "Disk2-01"};
    const struct partition *data = &mirror->partitions[MIRROR_DATA(index)];

    mirror->plexes[index] = (struct dynamic_plex){
        .name = names[index],
        .state_text = "ACTIVE",
        .layout = DYNAMIC_LAYOUT_CONCATENATED,
        .reason = "",
        .complete = true,
        .place_certain = true,
        .first_extent = index,
        .extent_count = 1,
    };
    mirror->dynamic_disks[index] =
        (struct dynamic_disk){.name = disks[index], .disk = index, .reason = ""};
    mirror->extents[index] = (struct dynamic_extent){
        .plex = index,
        .name = pieces[index],
        .dynamic_disk = index,
        .disk = index,
        .disk_name = disks[index],
        .lba = data->first_lba,
        .blocks = data->block_count,
        .size = data->block_count,
        .reason = "",
    };
    mirror->notes[index] = (struct volume_disk_note){.disk = index,
                                                     .reason = "",
                                                     .transaction = 100,
                                                     .is_member = true,
                                                     .log = VOLUME_LOG_EMPTY};
}

static struct system_copy copy_on(const struct mirror *mirror, size_t partition)
{
    const struct partition *data = &mirror->partitions[partition];

    return (struct system_copy){.disk = data->disk,
                                .partition = partition,
                                .plex = NO_INDEX,
                                .lba = data->first_lba,
                                .block_count = data->block_count,
                                .content = CONTENT_NTFS,
                                .looked = true,
                                .ntfs = {.serial = 0x1234, .label = "System"}};
}

static void add_mirror(struct mirror *mirror)
{
    struct volume_map *map = &mirror->machine.volumes;

    mirror->groups[0] =
        (struct dynamic_group){.name = "Group", .known = true, .clean = true, .agreed = true};
    mirror->volumes[0] = (struct dynamic_volume){.name = "Volume1",
                                                 .type = DYNAMIC_MIRROR,
                                                 .size = layout[3].blocks,
                                                 .drive_hint = "C:",
                                                 .number = 1,
                                                 .state = "ACTIVE",
                                                 .plex_count = 2};
    for (size_t i = 0; i < 2; i++) {
        add_plex(mirror, i);
        mirror->copies[i] = copy_on(mirror, MIRROR_DATA(i));
        mirror->copies[i].plex = i;
    }
    mirror->machine.copies = mirror->copies;
    mirror->machine.copy_count = 2;
    *map = (struct volume_map){.disks = mirror->notes,
                               .disk_count = 2,
                               .groups = mirror->groups,
                               .group_count = 1,
                               .dynamic_disks = mirror->dynamic_disks,
                               .dynamic_disk_count = 2,
                               .volumes = mirror->volumes,
                               .volume_count = 1,
                               .plexes = mirror->plexes,
                               .plex_count = 2,
                               .extents = mirror->extents,
                               .extent_count = 2};
}

size_t mirror_add_data_volume(struct mirror *mirror, const char *hint)
{
    struct volume_map *map = &mirror->machine.volumes;
    static const char *const names[] = {"Volume2-01", "Volume2-02"};

    mirror->volumes[1] = mirror->volumes[0];
    mirror->volumes[1].name = "Volume2";
    mirror->volumes[1].drive_hint = hint;
    mirror->volumes[1].number = 2;
    mirror->volumes[1].first_plex = 2;
    for (size_t i = 0; i < 2; i++) {
        mirror->plexes[2 + i] = mirror->plexes[i];
        mirror->plexes[2 + i].volume = 1;
        mirror->plexes[2 + i].name = names[i];
        mirror->plexes[2 + i].first_extent = 2 + i;
        mirror->extents[2 + i] = mirror->extents[i];
        mirror->extents[2 + i].plex = 2 + i;
        mirror->extents[2 + i].lba = mirror->partitions[MIRROR_MSR(i)].first_lba;
        mirror->extents[2 + i].blocks = 1000;
    }
    map->volume_count = 2;
    map->plex_count = 4;
    map->extent_count = 4;
    return 1;
}

void mirror_lose_disk_1(struct mirror *mirror)
{
    struct machine *machine = &mirror->machine;

    assert_int_equal(machine->disk_count, 2);
    machine->disk_count = 1;
    machine->partition_count = 4;
    machine->esp_count = 1;
    machine->copy_count = 1;
    machine->volumes.disk_count = 1;
    mirror->volumes[0].status = DYNAMIC_FAILED_REDUNDANCY;
    mirror->dynamic_disks[1].disk = VOLUME_NONE;
    mirror->dynamic_disks[1].status = DYNAMIC_DISK_MISSING;
    mirror->plexes[1].state = PLEX_MISSING;
    mirror->plexes[1].complete = false;
    mirror->extents[1].disk = VOLUME_NONE;
    mirror->extents[1].lba = 0;
    mirror->extents[1].blocks = 0;
    mirror_read_entries(mirror);
}

static void drop_ldm(struct mirror *mirror)
{
    mirror->machine.volumes = (struct volume_map){.disks = NULL};
    mirror->machine.copy_count = 0;
}

void mirror_make_plain(struct mirror *mirror)
{
    drop_ldm(mirror);
    for (size_t i = 0; i < 2; i++) {
        mirror->partitions[MIRROR_DATA(i)].kind = PT_BASIC_DATA;
        mirror->copies[i] = copy_on(mirror, MIRROR_DATA(i));
        mirror->copies[i].ntfs.serial = 0x1234 + i;
    }
    mirror->copies[1].files[SYSTEM_LOADER] = ST_ABSENT;
    mirror->copies[1].files[SYSTEM_KERNEL] = ST_ABSENT;
    mirror->machine.copy_count = 2;
}

void mirror_make_md(struct mirror *mirror)
{
    drop_ldm(mirror);
    for (size_t i = 0; i < 2; i++) {
        mirror->partitions[MIRROR_DATA(i)].kind = PT_LINUX_RAID;
        mirror->md[i] = (struct md_partition){
            .partition = MIRROR_DATA(i),
            .member = {.version = MD_1_2,
                       .set = fixture_guid("3d5e7000-0000-4000-8000-000000000001"),
                       .level = 1,
                       .raid_disks = 2,
                       .role = (uint32_t)i,
                       .name = "host:0"},
        };
    }
    mirror->machine.md_members = mirror->md;
    mirror->machine.md_count = 2;
}

void mirror_make_linux(struct mirror *mirror)
{
    mirror_make_md(mirror);
    for (size_t i = 0; i < 2; i++) {
        struct fixture_entry entry = mirror_windows_entry(mirror, (uint16_t)i, i);
        mirror_drop_files(mirror, i);
        (void)mirror_add_file(mirror, i, "\\EFI", 0, 0);
        (void)mirror_add_file(mirror, i, MIRROR_DEBIAN, 0, 0);
        (void)mirror_add_file(mirror, i, MIRROR_SHIM, 900000, 's');
        (void)mirror_add_file(mirror, i, MIRROR_GRUB, 1500000, 'g');
        (void)mirror_add_file(mirror, i, MIRROR_SETTINGS, 100, 'c');
        entry.description = "debian";
        entry.file = MIRROR_SHIM;
        entry.optional = FIXTURE_NONE;
        mirror_put_entry(mirror, &entry);
    }
}

/* --- Boot entries --------------------------------------------------------------------------- */

void mirror_read_entries(struct mirror *mirror)
{
    struct machine *machine = &mirror->machine;

    machine->entry_count = 0;
    assert_int_equal(scan_vars(&mirror->arena, &host_ports(mirror->host)->vars, machine), ST_OK);
    assert_int_equal(resolve_entries(&mirror->arena, NULL, machine), ST_OK);
}

void mirror_put_entry(struct mirror *mirror, const struct fixture_entry *entry)
{
    fixture_add_entry(mirror->host, entry);
    mirror_read_entries(mirror);
}

void mirror_drop_entry(struct mirror *mirror, uint16_t number)
{
    char name[16];

    snprintf(name, sizeof(name), "Boot%04X", number);
    mem_vars_drop(mirror->host->vars, NULL, name);
    mirror_read_entries(mirror);
}

void mirror_set_order(struct mirror *mirror, const uint16_t *numbers, size_t count)
{
    fixture_set_order(mirror->host, numbers, count);
    mirror_read_entries(mirror);
}

struct fixture_entry mirror_windows_entry(const struct mirror *mirror, uint16_t number, size_t disk)
{
    return (struct fixture_entry){
        .number = number,
        .description = disk == 0 ? "Windows Boot Manager" : "Boot Mirror",
        .form = FIXTURE_SHORT,
        .partition = mirror_place(mirror, mirror->disks[disk].first_partition),
        .file = MIRROR_MANAGER,
        .optional = FIXTURE_BCD,
        .options = FIXTURE_BOOTMGR_OBJECT,
    };
}

static void add_entries(struct mirror *mirror)
{
    static const uint16_t order[] = {0, 1};

    for (uint16_t i = 0; i < 2; i++) {
        struct fixture_entry entry = mirror_windows_entry(mirror, i, i);
        fixture_add_entry(mirror->host, &entry);
    }
    mirror_set_order(mirror, order, 2);
}

/* --- The machine ---------------------------------------------------------------------------- */

struct mirror *mirror_new(void)
{
    struct mirror *mirror = host_alloc(1, sizeof(*mirror));

    mirror->host = host_new();
    mirror->memory = host_borrow(MEMORY);
    arena_init(&mirror->arena, mirror->memory, MEMORY);
    mirror->machine.architecture = "X64";
    mirror->machine.fallback = MIRROR_FALLBACK;
    mirror->machine.disks = mirror->disks;
    mirror->machine.partitions = mirror->partitions;
    mirror->machine.esps = mirror->esps;
    for (size_t i = 0; i < 2; i++) {
        size_t disk = add_disk(mirror, DISK_AHCI);
        for (uint32_t number = 1; number <= 4; number++)
            add_partition(mirror, disk, number, layout[number - 1].kind);
        add_esp(mirror, MIRROR_ESP(disk));
    }
    add_mirror(mirror);
    add_entries(mirror);
    return mirror;
}

void mirror_free(struct mirror *mirror)
{
    host_free(mirror->host);
    host_return(mirror->memory);
    free(mirror);
}

int mirror_set_up(void **state)
{
    *state = mirror_new();
    return 0;
}

int mirror_tear_down(void **state)
{
    mirror_free(*state);
    return 0;
}

/* --- Judging -------------------------------------------------------------------------------- */

struct roles mirror_roles(struct mirror *mirror)
{
    struct roles roles;

    assert_int_equal(roles_find(&mirror->arena, &mirror->machine, &roles), ST_OK);
    return roles;
}

struct forecast mirror_forecast(struct mirror *mirror, size_t member)
{
    struct roles roles = mirror_roles(mirror);
    struct forecast forecast;

    assert_true(member < roles.member_count);
    assert_int_equal(forecast_alone(&mirror->arena, &mirror->machine, &roles, member, &forecast),
                     ST_OK);
    return forecast;
}

struct judgement mirror_judge(struct mirror *mirror)
{
    struct judgement judgement;

    assert_int_equal(audit_machine(&mirror->arena, &mirror->machine, &judgement), ST_OK);
    return judgement;
}

void mirror_assert_findings(struct mirror *mirror, const char *expected)
{
    struct judgement judgement = mirror_judge(mirror);

    findings_assert(&mirror->machine, &judgement.findings, expected);
}

void mirror_assert_cases(const struct mirror_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mirror *mirror = mirror_new();
        cases[i].inflict(mirror);
        mirror_assert_findings(mirror, cases[i].findings);
        mirror_free(mirror);
    }
}
