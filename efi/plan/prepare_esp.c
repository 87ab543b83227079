#include "prepare_parts.h"

#include "audit/compare_esps.h"
#include "gpt_state.h"
#include "model/boot_paths.h"
#include "plan/esp_files.h"
#include "plan/esp_guard.h"
#include "plan/mend_fat.h"
#include "plan/owner_guard.h"
#include "plan/place.h"

/* Another file system is somebody's data, whatever the partition's type says. One that was made
 * over FAT32 may have left FAT's backup boot sector: then the first sector decides. */
static bool holds_other_data(const struct esp *esp)
{
    bool fat_speaks = esp->status == ST_OK && !esp->volume.from_backup;

    return !fat_speaks && esp->content != CONTENT_FAT && volume_content_name(esp->content)[0] != 0;
}

/* True for what firmware cannot be relied on to read, or fat_edit cannot change. */
static bool problem_counts(const struct fat_report *report, enum fat_problem problem)
{
    bool counts =
        fat_problem_is_damage(problem) || problem == FAT_FORM_UNUSUAL || problem == FAT_SECTOR_SIZE;

    return report->problems[problem] != 0 && counts && !fat_problem_is_minor(problem);
}

static bool is_damaged(const struct fat_report *report)
{
    for (int i = 0; i < FAT_PROBLEM_COUNT; i++) {
        if (problem_counts(report, (enum fat_problem)i))
            return true;
    }
    return false;
}

/* What keeps the ESP from being formatted or changed; NULL when nothing does. */
static const char *esp_obstacle(const struct esp *esp)
{
    const struct fat_report *report = &esp->report;

    if (holds_other_data(esp))
        return "holds another file system, which may be wanted. If it is not, clear its first "
               "sectors or give it another type";
    if (esp->status == ST_IO)
        return "cannot be read. Check cables and power; if it stays so, replace the disk";
    if (esp->status == ST_UNSUPPORTED)
        return "could not be looked into, or is of a kind that is not known here";
    if (esp->status != ST_OK || is_damaged(report))
        return NULL;
    if (!report->complete || report->problems[FAT_TOO_DEEP] != 0)
        return "is too large to be checked in full, so nothing on it is changed";
    return NULL;
}

/* A first sector that says nothing may be damage, or a file system that is not known here: it is
 * formatted, because it has the type of an ESP, but not without a word. */
static void warn_of_unknown(struct plan *plan, const struct esp *esp)
{
    if (esp->status == ST_ABSENT && esp->content == CONTENT_UNKNOWN)
        plan_warn(plan,
                  "What is on %s is not recognised. If it may be more than a damaged FAT file "
                  "system, save it before it is formatted.",
                  place_text(plan->arena, plan->machine, esp->partition));
}

/* What is wrong with a file system that is_damaged. */
static const char *damage_text(const struct fat_report *report)
{
    for (int i = 0; i < FAT_PROBLEM_COUNT; i++) {
        if (problem_counts(report, (enum fat_problem)i))
            return fat_problem_text((enum fat_problem)i);
    }
    return "";
}

/* A disk that starts does not do so between the first write of a format and the last. What cannot
 * be opened starts nothing. */
static enum status check_use(struct prepare *prepare, const struct esp *esp)
{
    struct plan *plan = prepare->plan;
    enum esp_use use = esp->status == ST_OK ? prepare->request->use : ESP_UNUSED;
    const char *place = place_text(plan->arena, prepare->machine, esp->partition);
    const char *why = damage_text(&esp->report);
    size_t disk = prepare->disk;

    if (use == ESP_KEPT)
        return plan_refuse(plan, ST_REFUSED,
                           "%s has a damaged file system (%s), and the disk starts from it all the "
                           "same, so it is not formatted here: until that is done the disk would "
                           "not start. \"shadowboot prepare %zu\" makes the file system anew.",
                           place, why, disk);
    if (use == ESP_ONLY_ONE)
        return plan_refuse(plan, ST_REFUSED,
                           "%s has a damaged file system (%s), and it is the only one this machine "
                           "starts from: if its formatting were interrupted, nothing would. Have "
                           "another disk start first (\"shadowboot repair\").",
                           place, why);
    if (use == ESP_IN_USE)
        plan_warn(plan,
                  "%s has a damaged file system (%s), and Disk %zu starts from it all the same. "
                  "While it is formatted Disk %zu does not start; another disk does.",
                  place, why, disk, disk);
    return ST_OK;
}

/* The firmware's own file comes back with all else that can be read there. */
static void warn_of_variables(struct prepare *prepare, const struct esp *esp)
{
    const struct machine *machine = prepare->machine;

    if (firmware_is_uboot(machine->firmware.vendor) && esp->status == ST_OK &&
        fat_find(&esp->report, BOOT_VARIABLES_PATH) != FAT_NO_FILE)
        plan_warn(prepare->plan,
                  "The firmware keeps its boot entries in " BOOT_VARIABLES_PATH
                  " on %s: that is put back.",
                  place_text(prepare->plan->arena, machine, esp->partition));
}

static enum status format_esp(struct prepare *prepare, size_t index)
{
    struct plan *plan = prepare->plan;
    const struct esp *esp = &prepare->machine->esps[index];
    const struct partition *own = &prepare->machine->partitions[esp->partition];
    struct free_area area = {own->first_lba, own->block_count};
    struct spot spot;

    enum status status = esp_guard_check(plan, esp->partition);
    if (status == ST_OK)
        status = check_use(prepare, esp);
    if (status == ST_OK)
        status = prepare_gather(prepare, esp->status == ST_OK ? index : NO_INDEX);
    if (status != ST_OK)
        return status;
    do {
        status = prepare_try_area(prepare, &area, &spot);
    } while (status == ST_NO_SPACE && prepare_spare_more(prepare));
    if (status != ST_OK)
        return prepare_refuse_area(prepare, status, &area,
                                   place_text(plan->arena, prepare->machine, esp->partition), "");
    warn_of_unknown(plan, esp);
    warn_of_variables(prepare, esp);
    prepare_add_format(prepare, &spot, &own->unique);
    return plan->status;
}

/* True for the ESP that others are brought up to: it lacks nothing that anybody knows of. */
static bool is_reference(const struct prepare *prepare, size_t index)
{
    return !prepare->request->has_source &&
           esp_files_source(prepare->machine, prepare->roles, NO_INDEX) == index;
}

static enum status update_esp(struct prepare *prepare, size_t index)
{
    struct plan *plan = prepare->plan;
    const struct esp *esp = &prepare->machine->esps[index];
    struct files_change files = {.count = 0};

    if (is_reference(prepare, index))
        return ST_OK;
    enum status status = prepare_find_source(prepare);
    if (status != ST_OK)
        return status;
    if (prepare->source == NO_INDEX) {
        bool starts = esp_boot_program(prepare->machine, esp) != FAT_NO_FILE;
        return starts ? ST_OK : prepare_refuse_without_source(prepare);
    }
    status = prepare->request->mend_only
                 ? esp_files_mend(plan, prepare->source, index, NULL, &files)
                 : esp_files_update(plan, prepare->source, index, NULL, &files);
    if (status == ST_OK && files.count > 0 && !prepare->request->mend_only)
        status = esp_files_tell_others(plan, prepare->source, index, "\\", &files);
    return status == ST_OK ? esp_files_plan(plan, index, &files) : status;
}

/* Mends the table; where somebody's mark is in its way, or this program was started from there, that is said, and the
 * ESP is seen to all the same: it is where it was. */
static enum status mend_around(struct plan *plan, size_t disk)
{
    const struct disk *on = &plan->machine->disks[disk];
    enum status status = plan_mend_gpt(plan, disk);

    if (status != ST_REFUSED || (on->owner.owner == OWNER_NOBODY && !on->has_self))
        return status;
    plan_warn_of_refusal(plan, status);
    return plan->status;
}

enum status prepare_esp(struct prepare *prepare, size_t index, struct guid *ret_esp)
{
    struct plan *plan = prepare->plan;
    const struct esp *esp = &prepare->machine->esps[index];
    const char *obstacle = esp_obstacle(esp);

    if (obstacle != NULL && esp_guard_check(plan, esp->partition) != ST_OK)
        return ST_REFUSED;
    if (obstacle != NULL)
        return plan_refuse(plan, ST_REFUSED, "%s %s.",
                           place_text(plan->arena, prepare->machine, esp->partition), obstacle);
    enum status status = mend_around(plan, prepare->disk);
    bool mends = mend_fat_is_enough(esp);
    bool formats = esp->status != ST_OK || (is_damaged(&esp->report) && !mends);
    if (status == ST_OK && (mends || formats))
        status = prepare_check_disk(plan, prepare->disk, false);
    if (status == ST_OK && mends)
        status = plan_mend_fat(plan, index);
    if (status == ST_OK)
        status = formats ? format_esp(prepare, index) : update_esp(prepare, index);
    if (status == ST_OK)
        *ret_esp = prepare->machine->partitions[esp->partition].unique;
    return status;
}
