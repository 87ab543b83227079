#include "audit/audit_esps.h"

#include "audit/esp_path.h"
#include "audit/installed.h"
#include "audit/program.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "audit_md_volumes.h"
#include "audit_secure.h"
#include "audit/compare_esps.h"
#include "base/text.h"
#include "format/fat/fat_mend.h"

#define ESP_LEAST (100u << 20) /* bytes that Windows' own setup gives an ESP at least */

/* True for Windows' boot manager, under its own name or as a copy of the one on `esp`. */
static bool is_windows_manager(const struct esp *from, size_t file, const struct esp *esp)
{
    size_t manager = FAT_NO_FILE;

    if (esp_path_is_in(from->report.files[file].path, MICROSOFT_FOLDER))
        return true;
    manager = fat_find(&esp->report, BOOT_MANAGER_PATH);
    return manager != FAT_NO_FILE && esp_files_equal(from, file, esp, manager);
}

const char *audit_boot_folder(struct arena *arena, const struct machine *machine,
                              const struct esp *esp)
{
    size_t program = esp->status == ST_OK ? esp_boot_program(machine, esp) : FAT_NO_FILE;
    size_t length = 0;

    if (program == FAT_NO_FILE)
        return NULL;
    if (is_windows_manager(esp, program, esp))
        return MICROSOFT_FOLDER;
    const char *file = esp->report.files[program].path;
    for (size_t i = 0; file[i] != '\0'; i++)
        length = file[i] == '\\' ? i : length;
    return length == 0 ? NULL : arena_printf(arena, "%.*s", (int)length, file);
}

/* True when the ESP has a sound boot manager to start. */
static bool can_be_reference(const struct machine *machine, const struct esp *esp)
{
    if (esp->status != ST_OK || esp->volume.from_backup)
        return false;
    size_t file = esp_boot_program(machine, esp);
    return file != FAT_NO_FILE &&
           !esp_content_is_bad(&esp->report.files[file], &esp->contents[file]);
}

size_t audit_reference_esp(const struct machine *machine, const struct roles *roles)
{
    size_t now = roles->start_esp;
    size_t found = NO_INDEX;

    if (now != NO_INDEX && can_be_reference(machine, &machine->esps[now]))
        return now;
    for (size_t i = 0; i < roles->member_count; i++) {
        size_t esp = roles->members[i].esp;
        if (esp == NO_INDEX || !can_be_reference(machine, &machine->esps[esp]))
            continue;
        if (i == roles->primary)
            return esp;
        if (found == NO_INDEX)
            found = esp;
    }
    return found;
}

/* An ESP without a file system that can be read. */
static void audit_not_opened(struct collector *to, const struct esp *esp)
{
    const char *name = volume_content_name(esp->content);
    bool is_named = name[0] != '\0' && esp->content != CONTENT_FAT;

    if (esp->status == ST_UNSUPPORTED && esp->content == CONTENT_UNKNOWN)
        return; /* nobody looked: the verdict says so */
    if (esp->status == ST_IO) {
        collect_at_partition(to, FINDING_ESP_UNREADABLE, esp->partition, "");
    } else if (esp->status == ST_ABSENT && esp->content == CONTENT_EMPTY) {
        collect_at_partition(to, FINDING_ESP_UNFORMATTED, esp->partition, "");
    } else if (esp->status == ST_ABSENT) {
        collect_at_partition(
            to, FINDING_ESP_NOT_FAT, esp->partition,
            arena_printf(to->arena, ": it is %s.", is_named ? name : "not recognised"));
    } else {
        collect_at_partition(to, FINDING_ESP_DAMAGED, esp->partition,
                             collect_because(to, status_text(esp->status)));
    }
}

static void audit_past_partition(struct collector *to, const struct machine *machine,
                                 const struct esp *esp)
{
    uint64_t room = partition_bytes(machine, &machine->partitions[esp->partition]);
    char size[SIZE_TEXT_SIZE];

    format_size(esp->volume.sectors * esp->volume.sector_size - room, size);
    collect_at_partition(to, FINDING_ESP_PAST_PARTITION, esp->partition,
                         arena_printf(to->arena, " %s of it lie outside.", size));
}

/* The first kind of damage, with its place. */
static void audit_file_system(struct collector *to, const struct machine *machine,
                              const struct esp *esp)
{
    const struct fat_report *report = &esp->report;

    bool mends = fat_mend_is_possible(&esp->volume, report);
    if (mends)
        collect_at_partition(to, FINDING_ESP_BOOT_SECTOR, esp->partition, "");
    for (int i = 0; i < FAT_PROBLEM_COUNT; i++) {
        enum fat_problem problem = (enum fat_problem)i;
        if (mends && problem == FAT_BOOT_SECTOR_FROM_BACKUP)
            continue;
        if (report->problems[i] == 0 || !fat_problem_is_damage(problem))
            continue;
        bool has_place = report->first_place[i] != NULL && report->first_place[i][0] != '\0';
        collect_at_partition(to, FINDING_ESP_DAMAGED, esp->partition,
                             arena_printf(to->arena, ": %s%s%s.", fat_problem_text(problem),
                                          has_place ? ", first at " : "",
                                          has_place ? report->first_place[i] : ""));
        return;
    }
    if (report->problems[FAT_FORM_UNUSUAL] > 0)
        collect_at_partition(to, FINDING_ESP_UNUSUAL, esp->partition, "");
    if (report->problems[FAT_SECTOR_SIZE] > 0)
        collect_at_partition(to, FINDING_ESP_SECTOR_SIZE, esp->partition,
                             arena_printf(to->arena, ": %u bytes.", esp->volume.sector_size));
    if (report->problems[FAT_PAST_PARTITION] > 0)
        audit_past_partition(to, machine, esp);
    if (report->problems[FAT_MARKED_DIRTY] > 0)
        collect_at_partition(to, FINDING_ESP_NOT_CLEAN, esp->partition, "");
}

static void audit_esp_store(struct collector *to, const struct esp *esp)
{
    if (fat_find(&esp->report, BOOT_MANAGER_PATH) == FAT_NO_FILE)
        return;
    if (esp->store_status == ST_ABSENT && esp->report.listed)
        collect_at_partition(to, FINDING_ESP_NO_STORE, esp->partition, "");
    if (esp->store_status == ST_ABSENT || esp->store_status == ST_UNSUPPORTED)
        return;
    if (boot_store_is_folder(esp))
        collect_at_partition(to, FINDING_ESP_STORE_DAMAGED, esp->partition,
                             " it is a folder, which is to be moved away first.");
    else if (esp->store_status != ST_OK)
        collect_at_partition(to, FINDING_ESP_STORE_DAMAGED, esp->partition,
                             arena_printf(to->arena, " %s.", status_text(esp->store_status)));
    else if (esp->store == REGF_DIRTY && boot_store_is_usable(esp))
        collect_at_partition(to, FINDING_ESP_STORE_DIRTY, esp->partition, "");
    else if (esp->store == REGF_DIRTY)
        collect_at_partition(to, FINDING_ESP_STORE_DAMAGED, esp->partition,
                             arena_printf(to->arena, " a write to it was not finished, and %s.",
                                          regf_recovery_text(esp->store_recovery)));
    else if (esp->store != REGF_GOOD)
        collect_at_partition(to, FINDING_ESP_STORE_DAMAGED, esp->partition,
                             arena_printf(to->arena, " %s.", regf_state_text(esp->store)));
}

/* A program by which this machine is started: anything in the boot folder, and the fallback. */
static void audit_program(struct collector *to, const struct machine *machine,
                          const struct esp *esp, size_t index, bool starts)
{
    const struct fat_file *file = &esp->report.files[index];
    const struct file_content *content = &esp->contents[index];

    /* Windows' own boot applications, such as memtest.efi, are none of firmware's. */
    if (content->program == PE_GOOD || (content->program == PE_NOT_EFI && !starts))
        return;
    if (content->program == PE_OTHER_MACHINE) {
        if (starts)
            collect_at_partition(to, FINDING_ESP_OTHER_ARCHITECTURE, esp->partition,
                                 arena_printf(to->arena, " %s.", file->path));
        return;
    }
    bool doubtful = content->program == PE_BAD_CHECKSUM && !program_is_changed(machine, esp, index);
    collect_at_partition(
        to, doubtful ? FINDING_ESP_BOOT_FILE_DOUBTFUL : FINDING_ESP_BOOT_FILE_CORRUPT,
        esp->partition,
        arena_printf(to->arena, " %s: %s.", file->path, pe_verdict_text(content->program)));
}

/* This program's own file is audit_installed's: `install` mends it, no other disk does. */
static void audit_contents(struct collector *to, const struct machine *machine,
                           const struct esp *esp, const char *folder)
{
    const bool *started = esp_started_files(to, machine, esp);
    const char *own = installed_path(to->arena, machine);

    for (size_t i = 0; started != NULL && i < esp->report.file_count; i++) {
        const struct fat_file *file = &esp->report.files[i];
        const struct file_content *content = &esp->contents[i];
        if (file->is_directory)
            continue;
        if (content->status == ST_IO)
            collect_at_partition(to, FINDING_ESP_FILE_UNREADABLE, esp->partition,
                                 arena_printf(to->arena, " %s.", file->path));
        bool ours = started[i] || (folder != NULL && esp_path_is_in(file->path, folder));
        ours &= own == NULL || !text_equal_nocase(file->path, own);
        if (content->status == ST_OK && content->is_program && ours)
            audit_program(to, machine, esp, i, started[i]);
    }
}

static bool has_files(const struct esp *esp)
{
    for (size_t i = 0; i < esp->report.file_count; i++) {
        if (!esp->report.files[i].is_directory)
            return true;
    }
    return false;
}

/* What there is to say about an ESP by itself. */
static void audit_esp(struct collector *to, const struct machine *machine, const struct esp *esp)
{
    if (esp->status != ST_OK) {
        audit_not_opened(to, esp);
        return;
    }
    audit_file_system(to, machine, esp);
    if (esp->report.listed && !has_files(esp)) {
        collect_at_partition(to, FINDING_ESP_EMPTY, esp->partition, "");
        return;
    }
    audit_esp_store(to, esp);
    if (!esp->contents_read)
        return;
    audit_contents(to, machine, esp, audit_boot_folder(to->arena, machine, esp));
    audit_secure(to, machine, esp);
}

/* True when the ESP starts its system by an entry of its own, and not from `folder`. */
static bool starts_from_elsewhere(const struct machine *machine, const struct esp *reference,
                                  const struct esp *esp, const char *folder)
{
    size_t file = esp_entry_file(machine, esp, NULL);

    if (file == FAT_NO_FILE || esp_entry_file(machine, esp, folder) != FAT_NO_FILE)
        return false;
    /* A copy of Windows' boot manager needs the folder wherever it lies. */
    return !text_equal_nocase(folder, MICROSOFT_FOLDER) ||
           !is_windows_manager(esp, file, reference);
}

/* What there is to say about a member's ESP when it is held against the reference. */
static void audit_against(struct collector *to, const struct machine *machine,
                          const struct esp *reference, const struct esp *esp)
{
    const char *folder = audit_boot_folder(to->arena, machine, reference);

    if (folder == NULL || esp->status != ST_OK ||
        machine_is_one_volume(machine, reference->partition, esp->partition) ||
        starts_from_elsewhere(machine, reference, esp, folder))
        return;
    if (has_files(esp) && fat_find(&esp->report, folder) == FAT_NO_FILE && esp->report.listed)
        collect_at_partition(to, FINDING_ESP_NO_BOOT_FILES, esp->partition,
                             arena_printf(to->arena, " %s.", folder));
    compare_esps(to, machine, reference, esp, folder);
    compare_esps_missing(to, machine, esp, reference, folder);
}

/* No ESP has sound boot files: what the entries name is all that tells what ought to be there. */
static void audit_without_reference(struct collector *to, const struct machine *machine,
                                    const struct esp *esp)
{
    if (esp->status != ST_OK || !has_files(esp) ||
        fat_find(&esp->report, MICROSOFT_FOLDER) != FAT_NO_FILE)
        return;
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->boot.partition != esp->partition || !entry->in_order ||
            entry->boot.file == NULL || !esp_path_is_in(entry->boot.file, MICROSOFT_FOLDER))
            continue;
        collect_at_partition(to, FINDING_ESP_NO_BOOT_FILES, esp->partition,
                             " " MICROSOFT_FOLDER ".");
        return;
    }
}

/* The largest run of blocks that no partition and no table takes, in bytes. */
static uint64_t largest_gap(const struct machine *machine, const struct disk *disk)
{
    const struct gpt_copy *copy = disk_good_table(disk);
    uint64_t largest = 0;

    if (copy == NULL)
        return 0;
    uint64_t next = copy->header.first_usable_lba;
    uint64_t end = copy->header.last_usable_lba + 1;
    for (size_t i = 0; i <= disk->partition_count; i++) {
        const struct partition *own = &machine->partitions[disk->first_partition + i];
        bool last = i == disk->partition_count;
        uint64_t until = last ? end : own->first_lba;
        if (until > next && until - next > largest)
            largest = until - next;
        if (!last && own->first_lba + own->block_count > next)
            next = own->first_lba + own->block_count;
    }
    return largest * disk->block_size;
}

static void audit_missing_esp(struct collector *to, const struct machine *machine, size_t disk)
{
    if (disk_hides_partitions(&machine->disks[disk]) || machine_disk_is_bios(machine, disk))
        return; /* there may be one, or it needs none */
    collect_at_disk(to, FINDING_ESP_MISSING, disk, "");
    if (machine->disks[disk].style == DISK_GPT &&
        largest_gap(machine, &machine->disks[disk]) < ESP_LEAST)
        collect_at_disk(to, FINDING_NO_ROOM_FOR_ESP, disk, "");
}

static void audit_repeated(struct collector *to, const struct machine *machine, size_t disk)
{
    size_t count = 0;

    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct partition *own = &machine->partitions[machine->esps[i].partition];
        count += own->disk == disk && own->kind == PT_ESP;
    }
    if (count > 1)
        collect_at_disk(to, FINDING_ESP_REPEATED, disk, "");
}

/* Then no entry tells them apart, and that is said of them. */
static bool have_one_guid(const struct machine *machine, size_t one, size_t other)
{
    return guid_equal(&machine->partitions[one].unique, &machine->partitions[other].unique);
}

static void audit_serials(struct collector *to, const struct machine *machine)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *own = &machine->esps[i];
        for (size_t j = 0; j < i && own->status == ST_OK; j++) {
            const struct esp *other = &machine->esps[j];
            if (other->status == ST_OK && other->volume.serial == own->volume.serial &&
                !have_one_guid(machine, own->partition, other->partition) &&
                !machine_is_one_volume(machine, own->partition, other->partition))
                collect_at_partition(to, FINDING_ESP_SERIAL_REPEATED, own->partition, "");
        }
    }
}

/* True for the ESPs that start the system, or ought to; all of them where no system was found. Of the
 * ESPs of one disk that is the member's own; those of other machines' disks are not this one's to
 * judge. */
static bool is_judged(const struct machine *machine, const struct roles *roles, size_t esp)
{
    size_t disk = machine->partitions[machine->esps[esp].partition].disk;
    size_t member = roles_member_on(roles, disk);

    return !machine->disks[disk].removable &&
           (roles->kind == BOOT_NONE || esp == roles->start_esp ||
            (member != NO_INDEX && esp == roles->members[member].esp));
}

void audit_esps(struct collector *to, const struct machine *machine, const struct roles *roles)
{
    size_t reference = audit_reference_esp(machine, roles);

    for (size_t i = 0; i < machine->esp_count; i++) {
        if (is_judged(machine, roles, i))
            audit_esp(to, machine, &machine->esps[i]);
    }
    for (size_t i = 0; i < roles->member_count; i++) {
        const struct member *member = &roles->members[i];
        audit_repeated(to, machine, member->disk);
        if (member->esp != NO_INDEX && member->copy != NO_INDEX)
            audit_level(to, &machine->esps[member->esp], &machine->copies[member->copy]);
        if (member->esp == NO_INDEX)
            audit_missing_esp(to, machine, member->disk);
        else if (reference == NO_INDEX)
            audit_without_reference(to, machine, &machine->esps[member->esp]);
        else if (member->esp != reference && !roles->raid)
            audit_against(to, machine, &machine->esps[reference], &machine->esps[member->esp]);
    }
    audit_serials(to, machine);
    audit_md_volumes(to, machine);
}
