/* What Windows itself keeps for ESPs comes before what another ESP has. */
#include "audit/compare_esps.h"
#include "audit/secure.h"
#include "base/text.h"
#include "esp_usable.h"
#include "model/boot_paths.h"
#include "model/scan_source.h"
#include "plan/esp_files.h"
#include "plan/rebuild.h"
#include "prepare_parts.h"
#include "repair_parts.h"

/* Where files of two are not the same, or the boot manager does not go with its Windows. */
static const enum finding_code doubts[] = {
    FINDING_ESP_OLDER_THAN_WINDOWS, FINDING_ESP_NEWER_THAN_WINDOWS, FINDING_ESP_FILES_OLDER,
    FINDING_ESP_FILES_NEWER,        FINDING_ESP_FILES_DIFFER,       FINDING_ESP_FALLBACK_DIFFERS};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool has_finding(const struct judgement *judgement, enum finding_code code, size_t partition)
{
    for (size_t i = 0; i < judgement->findings.count; i++) {
        const struct finding *finding = &judgement->findings.items[i];
        if (finding->code == code && (partition == NO_INDEX || finding->partition == partition))
            return true;
    }
    return false;
}

bool repair_needs_windows(const struct judgement *judgement)
{
    for (size_t i = 0; i < COUNT_OF(doubts); i++) {
        if (has_finding(judgement, doubts[i], NO_INDEX))
            return true;
    }
    return false;
}

/* True when the boot manager on the member's ESP does not go with its Windows. */
static bool is_off_level(const struct repair *repair, const struct member *member)
{
    const struct judgement *judgement = repair->judgement;

    if (member->esp == NO_INDEX || member->copy == NO_INDEX)
        return false;
    size_t partition = repair->plan->machine->esps[member->esp].partition;
    return has_finding(judgement, FINDING_ESP_OLDER_THAN_WINDOWS, partition) ||
           has_finding(judgement, FINDING_ESP_NEWER_THAN_WINDOWS, partition);
}

static bool is_good_copy(const struct machine *machine, size_t copy)
{
    size_t plex = machine->copies[copy].plex;

    return plex == NO_INDEX || machine->volumes.plexes[plex].state == PLEX_GOOD;
}

/* True when `esp` has something otherwise than Windows keeps it, and `other` has it as it is kept. */
static enum status is_outdone_by(struct arena *arena, const struct esp *windows,
                                 const struct esp *esp, const struct esp *other, bool *ret_is)
{
    const size_t *own = esp_twins(arena, windows, esp);
    const size_t *others = esp_twins(arena, windows, other);

    if (own == NULL || others == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < windows->report.file_count && !*ret_is; i++) {
        const struct fat_file *file = &windows->report.files[i];
        if (file->is_directory || windows->contents[i].status != ST_OK || own[i] == FAT_NO_FILE ||
            others[i] == FAT_NO_FILE || esp->contents[own[i]].status != ST_OK ||
            other->contents[others[i]].status != ST_OK)
            continue;
        *ret_is = !esp_files_equal(windows, i, esp, own[i]) &&
                  esp_files_equal(windows, i, other, others[i]);
    }
    return ST_OK;
}

/* True when the boot manager is not the one that Windows keeps, and its copy for removable media is. */
static bool is_outdone_by_copy(const struct machine *machine, const struct esp *windows,
                               const struct esp *esp)
{
    size_t kept = fat_find(&windows->report, BOOT_MANAGER_PATH);
    size_t manager = fat_find(&esp->report, BOOT_MANAGER_PATH);
    size_t copy = fat_find(&esp->report, machine->fallback);

    return kept != FAT_NO_FILE && manager != FAT_NO_FILE && copy != FAT_NO_FILE &&
           esp->contents[manager].status == ST_OK && esp->contents[copy].status == ST_OK &&
           !esp_files_equal(windows, kept, esp, manager) &&
           esp_files_equal(windows, kept, esp, copy);
}

enum status repair_find_windows(struct repair *repair, struct plan *plan)
{
    const struct machine *machine = plan->machine;
    const struct roles *roles = repair->roles;
    size_t copy = rebuild_copy(machine, roles, NO_INDEX);
    size_t source = copy == NO_INDEX ? NO_INDEX : machine_find_source(machine, copy);
    size_t mark = arena_mark(plan->arena);
    enum status status = ST_OK;

    repair->plan = plan;
    repair->windows = NO_INDEX;
    repair->by_windows = false;
    if (source != NO_INDEX && is_good_copy(machine, copy) && esp_manager_starts(machine, source))
        repair->windows = source;
    if (repair->windows == NO_INDEX || repair->reference == NO_INDEX ||
        machine->esps[repair->reference].source != NULL)
        return ST_OK;
    for (size_t i = 0; i < roles->member_count && status == ST_OK; i++) {
        const struct member *member = &roles->members[i];
        if (member->esp == repair->reference)
            repair->by_windows |=
                is_off_level(repair, member) ||
                is_outdone_by_copy(machine, &machine->esps[source], &machine->esps[member->esp]);
        else if (member->esp != NO_INDEX && machine->esps[member->esp].status == ST_OK)
            status = is_outdone_by(plan->arena, &machine->esps[source],
                                   &machine->esps[repair->reference], &machine->esps[member->esp],
                                   &repair->by_windows);
    }
    arena_release(plan->arena, mark);
    return status;
}

/* --- Files ------------------------------------------------------------------------------------ */

/* True for an ESP whose files can be changed as they lie there. */
static bool is_whole(const struct esp *esp)
{
    return esp_files_readable(esp) && !fat_report_has_damage(&esp->report) && esp->report.complete;
}

/* Plans the files for a member's ESP, which is whole. */
static enum status bring_own(struct repair *repair, const struct member *member, size_t source)
{
    const struct machine *machine = repair->plan->machine;
    const struct partition *own = &machine->partitions[machine->esps[member->esp].partition];
    struct files_change files = {.count = 0};
    struct plan part;

    plan_init(&part, repair->plan->arena, machine);
    enum status status =
        esp_files_of_windows(&part, source, member->esp, &machine->copies[member->copy], &files);
    if (status == ST_OK && files.count > 0)
        status = prepare_check_disk(&part, member->disk, true);
    if (status == ST_OK)
        status = esp_files_plan(&part, member->esp, &files);
    if (status != ST_OK)
        return repair_give_up(repair->plan, &part, member->disk, status);
    if (part.count == 0)
        return ST_OK;
    repair_add_target(repair, member->disk, &own->unique);
    return repair_take_over(repair->plan, &part);
}

/* Says why the boot manager stays, though it does not go with its Windows. */
static void tell_why(struct repair *repair, const struct member *member)
{
    struct plan *plan = repair->plan;
    const struct machine *machine = plan->machine;
    size_t copy = rebuild_copy(machine, repair->roles, NO_INDEX);
    size_t source = copy == NO_INDEX ? NO_INDEX : machine_find_source(machine, copy);
    size_t file = source == NO_INDEX ? FAT_NO_FILE
                                     : fat_find(&machine->esps[source].report, BOOT_MANAGER_PATH);
    const char *reason = NULL;

    if (file != FAT_NO_FILE) {
        const struct secure_judgement judgement =
            secure_judge(&machine->secure, machine->esps[source].contents[file].signers);
        if (secure_is_refused(judgement.verdict) || judgement.least_svn > 0)
            reason = judgement.least_svn > 0 && !secure_is_refused(judgement.verdict)
                         ? "dbx asks for a higher security version number"
                         : secure_reason(plan->arena, &judgement);
    }
    if (reason == NULL && secure_is_unknown(&machine->secure))
        reason = "Secure Boot is not known here (shadowboot-linux: give --efivars)";
    if (reason == NULL)
        reason = "it cannot be read, or is no better";
    plan_warn_of_rest(
        plan,
        "The boot manager of Disk %zu does not go with its Windows, and stays, for the "
        "one that Windows keeps is not to take its place: %s. Windows Update brings "
        "that up to date (KB5025885); then type shadowboot repair.",
        member->disk, reason);
}

enum status repair_by_windows(struct repair *repair, const struct member *member)
{
    const struct machine *machine = repair->plan->machine;
    bool off_level = is_off_level(repair, member);
    size_t before = repair->plan->count;
    enum status status = ST_OK;

    if (member->esp == NO_INDEX || member->copy == NO_INDEX ||
        !is_whole(&machine->esps[member->esp]) || !(off_level || repair->by_windows))
        return ST_OK;
    /* The journal lies on a disk that does not change: one after the other. */
    if (repair->request->keeps_esp && repair->by_windows && member->esp != repair->reference)
        return ST_OK;
    if (repair->windows != NO_INDEX)
        status = bring_own(repair, member, repair->windows);
    if (status == ST_OK && off_level && repair->plan->count == before)
        tell_why(repair, member);
    return status == ST_OK ? repair->plan->status : status;
}

enum status repair_own_copy(struct repair *repair, const struct member *member)
{
    const struct machine *machine = repair->plan->machine;

    if (repair->doubtful || member->esp == NO_INDEX || member->copy == NO_INDEX ||
        !is_whole(&machine->esps[member->esp]) ||
        !has_finding(repair->judgement, FINDING_ESP_FALLBACK_DIFFERS,
                     machine->esps[member->esp].partition))
        return ST_OK;
    return bring_own(repair, member, member->esp);
}
