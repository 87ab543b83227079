#include "plan/rebuild.h"

#include "audit/secure.h"
#include "esp_usable.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "model/scan_source.h"
#include "plan/boot_stores.h"
#include "plan/esp_files.h"
#include "plan/make_ready.h"
#include "plan/mend_fat.h"
#include "plan/place.h"
#include "plan/prospect.h"

/* What a look into a copy has come to: the less, the better. */
enum found { FOUND_NOTHING_BAD, FOUND_BAD_FILES, FOUND_NO_MANAGER, FOUND_NO_WAY };

static enum found found_in(const struct machine *machine, size_t copy)
{
    size_t source = machine_find_source(machine, copy);

    if (source == NO_INDEX)
        return machine->copies[copy].kept_status == ST_OK ? FOUND_NOTHING_BAD : FOUND_NO_WAY;
    const struct esp *esp = &machine->esps[source];
    size_t manager = fat_find(&esp->report, BOOT_MANAGER_PATH);
    if (manager == FAT_NO_FILE || esp_file_is_bad(machine, esp, manager))
        return FOUND_NO_MANAGER;
    for (size_t i = 0; i < esp->report.file_count; i++) {
        if (esp->report.files[i].status != ST_OK)
            return FOUND_BAD_FILES;
    }
    return FOUND_NOTHING_BAD;
}

/* How good a copy of Windows is to take boot files from; 0 when it is none. One that was not looked
 * into may be better than one where something was found. */
static int copy_worth(const struct machine *machine, const struct member *member, size_t disk)
{
    const struct system_copy *copy = &machine->copies[member->copy];
    bool is_good = copy->plex == NO_INDEX || machine->volumes.plexes[copy->plex].state == PLEX_GOOD;
    int worth = 1 + (member->disk == disk) + 2 * is_good;

    if (copy->partition == NO_INDEX || system_copy_windows(copy) != ST_OK)
        return 0;
    switch (found_in(machine, member->copy)) {
    case FOUND_NOTHING_BAD:
        return worth + 16;
    case FOUND_BAD_FILES:
        return worth + 8;
    case FOUND_NO_MANAGER:
        return worth;
    default:
        return 0;
    }
}

size_t rebuild_copy(const struct machine *machine, const struct roles *roles, size_t disk)
{
    size_t found = NO_INDEX;
    int best = 0;

    for (size_t i = 0; i < roles->member_count; i++) {
        const struct member *member = &roles->members[i];
        int worth = member->copy == NO_INDEX ? 0 : copy_worth(machine, member, disk);
        if (worth > best) {
            best = worth;
            found = member->copy;
        }
    }
    return found;
}

/* True when the boot files of an ESP are there once its boot sector is written back. */
static bool is_mended_soon(const struct machine *machine)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (mend_fat_is_enough(&machine->esps[i]) && esp_has_manager(machine, &machine->esps[i]))
            return true;
    }
    return false;
}

/* True when Secure Boot refuses the boot manager of the best of ESPs, and so that of all, and Windows
 * keeps a twin of 2023 for it. */
static bool is_refused_and_kept_anew(const struct machine *machine, const struct roles *roles,
                                     size_t source)
{
    return manager_is_refused(machine, source) &&
           machine->copies[rebuild_copy(machine, roles, NO_INDEX)].managers[1] != 0;
}

bool rebuild_is_needed(const struct machine *machine, const struct roles *roles)
{
    if (!roles->windows || rebuild_copy(machine, roles, NO_INDEX) == NO_INDEX)
        return false;
    size_t source = esp_files_source(machine, roles, NO_INDEX);
    if (is_mended_soon(machine))
        return false;
    if (source == NO_INDEX || !esp_has_manager(machine, &machine->esps[source]) ||
        is_refused_and_kept_anew(machine, roles, source))
        return true;
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (boot_store_is_usable(&machine->esps[i]) && machine->esps[i].store_end == BCD_STARTS)
            return false;
    }
    return true;
}

static bool is_a_partition(const struct machine *machine, const struct system_copy *copy)
{
    return copy->partition != NO_INDEX && copy->content != CONTENT_BITLOCKER &&
           machine->partitions[copy->partition].first_lba == copy->lba;
}

/* Refuses a disk that a store could start nothing from. Where only files are wanted, a Windows that
 * lies in several pieces will do. */
static enum status check_names_windows(struct plan *plan, const struct roles *roles, size_t disk,
                                       bool files_only)
{
    size_t member = roles_member_on(roles, disk);
    size_t index = member == NO_INDEX ? NO_INDEX : roles->members[member].copy;

    if (index == NO_INDEX)
        return plan_refuse(
            plan, ST_ABSENT,
            "Disk %zu has no copy of the boot volume that a boot store could start "
            "Windows from. Into a blank disk \"shadowboot prepare\" brings the files "
            "of another.",
            disk);
    const struct system_copy *copy = &plan->machine->copies[index];
    bool found = system_copy_windows(copy) == ST_OK;
    if (found && (copy->pieces > 1 ? files_only : is_a_partition(plan->machine, copy)))
        return ST_OK;
    return plan_refuse(
        plan, ST_REFUSED, "A boot store cannot name the copy of the boot volume on Disk %zu: %s.",
        disk,
        copy->content == CONTENT_BITLOCKER ? "it is encrypted by BitLocker"
        : !found                           ? "Windows was not found on it"
        : copy->pieces > 1 ? "it lies in several pieces, as only Windows itself can put together"
                           : "it has no partition of its own in the partition table (diskpart's "
                             "retain gives it one)");
}

/* Refuses a copy of Windows whose boot manager cannot be had: other files start nothing. */
static enum status check_has_manager(struct plan *plan, const struct esp *source)
{
    size_t file = fat_find(&source->report, BOOT_MANAGER_PATH);
    const char *place = place_text(plan->arena, plan->machine, source->partition);

    if (file == FAT_NO_FILE)
        return plan_refuse(plan, ST_ABSENT, "\\Windows\\Boot\\EFI on %s has no bootmgfw.efi.",
                           place);
    const struct file_content *content = &source->contents[file];
    enum ntfs_form form = source->source->files[file].form;
    enum status status = content->status;
    if (status == ST_OK && content->program != PE_GOOD)
        status = ST_DAMAGED;
    if (status == ST_OK)
        return ST_OK;
    return plan_refuse(plan, status,
                       "bootmgfw.efi in \\Windows\\Boot\\EFI on %s cannot be copied: it %s%s.",
                       place, ntfs_form_is_read(form) ? "" : "is ",
                       !ntfs_form_is_read(form) ? ntfs_form_text(form)
                       : status == ST_DAMAGED   ? "is damaged"
                                                : "cannot be read");
}

/* Refuses a boot manager that Secure Boot, which is on, does not start, unless the disk keeps its
 * own. */
static enum status check_is_started(struct plan *plan, size_t source, size_t disk)
{
    const struct machine *machine = plan->machine;
    const struct esp *kept = &machine->esps[source];
    size_t file = fat_find(&kept->report, BOOT_MANAGER_PATH);
    size_t own = roles_esp_of(machine, disk);

    if (!manager_is_refused(machine, source) ||
        (own != NO_INDEX && machine->esps[own].status == ST_OK && esp_manager_starts(machine, own)))
        return ST_OK;
    const struct secure_judgement judgement =
        secure_judge(&machine->secure, kept->contents[file].signers);
    const char *reason = secure_reason(plan->arena, &judgement);
    const char *twin = machine->copies[kept->source->copy].twin;
    return plan_refuse(
        plan, ST_REFUSED,
        "Secure Boot is on and refuses bootmgfw.efi in \\Windows\\Boot\\EFI on %s: %s.%s %s",
        place_text(plan->arena, machine, kept->partition), reason == NULL ? "" : reason,
        twin == NULL ? "" : twin,
        secure_is_outdone(machine, kept, file)
            ? "\"shadowboot repair\" brings the one of another disk, which it takes."
            : "With Secure Boot off in the firmware's setup the same line brings it.");
}

/* What a store needs and the disk has not, behind "no"; NULL when all is there. */
static const char *lack_for_store(const struct machine *machine, size_t disk)
{
    size_t own = roles_esp_of(machine, disk);

    if (own == NO_INDEX)
        return "EFI System Partition";
    const struct esp *esp = &machine->esps[own];
    if (esp->status != ST_OK || fat_report_has_damage(&esp->report))
        return "EFI System Partition with a sound file system";
    return fat_find(&esp->report, BOOT_MANAGER_PATH) == FAT_NO_FILE
               ? "boot manager that would read a store"
               : NULL;
}

static enum status plan_new_store(struct plan *plan, const struct judgement *now,
                                  const struct rebuild_request *request)
{
    const struct boot_stores_request stores = {.disk = request->disk,
                                               .left_out = NO_INDEX,
                                               .makes = true,
                                               .wishes = {.renews = true},
                                               .now = request->now};
    enum status status = plan_boot_stores(plan, &now->roles, &stores);
    const char *lack = lack_for_store(plan->machine, request->disk);

    if (status == ST_OK && plan->count == 0 && !plan->left_out && lack != NULL)
        return plan_refuse(plan, ST_ABSENT,
                           "Disk %zu has no %s: a boot store alone starts nothing there. "
                           "\"shadowboot rebuild %zu\" sees to both.",
                           request->disk, lack, request->disk);
    return status == ST_OK ? prospect_check(plan, now) : status;
}

enum status plan_rebuild(struct plan *plan, const struct judgement *now,
                         const struct rebuild_request *request)
{
    const struct machine *machine = plan->machine;
    struct prepare_request prepare = {.disk = request->disk,
                                      .has_source = true,
                                      .files_only = request->parts == REBUILD_FILES,
                                      .stores = request->stores,
                                      .no_entries = request->no_entries,
                                      .entries_last = request->entries_last,
                                      .allow_msr = request->allow_msr,
                                      .disk_in_name = request->disk_in_name,
                                      .now = request->now};
    enum status status = check_names_windows(plan, &now->roles, request->disk, prepare.files_only);

    if (status != ST_OK)
        return status;
    if (request->parts == REBUILD_STORE)
        return plan_new_store(plan, now, request);
    size_t source = machine_find_source(machine, rebuild_copy(machine, &now->roles, request->disk));
    if (source == NO_INDEX)
        return plan_refuse(plan, ST_ABSENT, "No copy of Windows has boot files to take.");
    status = check_has_manager(plan, &machine->esps[source]);
    if (status == ST_OK)
        status = check_is_started(plan, source, request->disk);
    if (status != ST_OK)
        return status;
    prepare.source = machine->partitions[machine->esps[source].partition].unique;
    return plan_make_ready(plan, now, &prepare);
}
