#include "plan/copy.h"

#include "base/text.h"
#include "format/fat/fat_edit.h"
#include "plan/boot_stores.h"
#include "plan/esp_files.h"
#include "plan/esp_guard.h"
#include "plan/owner_guard.h"
#include "plan/place.h"

static const char *esp_place(struct plan *plan, size_t esp)
{
    return place_text(plan->arena, plan->machine, plan->machine->esps[esp].partition);
}

static size_t disk_of(const struct machine *machine, size_t esp)
{
    return machine->partitions[machine->esps[esp].partition].disk;
}

/* The ESP on a partition. */
static enum status esp_on(struct plan *plan, size_t partition, size_t *ret_esp)
{
    size_t esp = machine_find_esp(plan->machine, partition);

    if (esp != NO_INDEX) {
        *ret_esp = esp;
        return ST_OK;
    }
    return plan_refuse(
        plan, ST_REFUSED,
        "%s is of type \"%s\", not an EFI system partition. Check the GUID with \"shadowboot "
        "disks\".",
        place_text(plan->arena, plan->machine, partition),
        partition_type_name(plan->machine->partitions[partition].kind));
}

/* A source is only read (I3), so that nothing is asked of its partition table. */
static enum status given_source(struct plan *plan, const struct guid *guid, size_t *ret_esp)
{
    size_t partition = NO_INDEX;
    enum status status = place_find_only(plan, guid, &partition);

    return status == ST_OK ? esp_on(plan, partition, ret_esp) : status;
}

static enum status given_target(struct plan *plan, const struct guid *guid, size_t *ret_esp)
{
    size_t partition = NO_INDEX;
    enum status status = place_find(plan, guid, &partition);

    return status == ST_OK ? esp_on(plan, partition, ret_esp) : status;
}

static enum status find_source(struct plan *plan, const struct roles *roles,
                               const struct copy_request *request, size_t not_on, size_t *ret_esp)
{
    if (request->has_source)
        return given_source(plan, &request->source, ret_esp);
    size_t esp = esp_files_source(plan->machine, roles, not_on);
    if (esp == NO_INDEX)
        return plan_refuse(plan, ST_ABSENT,
                           "No other boot disk has an EFI system partition with a sound file "
                           "system and a sound boot manager to copy from. \"shadowboot status\" "
                           "says what is wrong with each.");
    *ret_esp = esp;
    return ST_OK;
}

/* The ESP of the one member that the source is not on. */
static enum status choose_target(struct plan *plan, const struct roles *roles, size_t source,
                                 size_t *ret_esp)
{
    const struct machine *machine = plan->machine;
    size_t found = NO_INDEX;
    size_t count = 0;
    const char *list = "";

    for (size_t i = 0; i < roles->member_count; i++) {
        size_t esp = roles->members[i].esp;
        if (esp == NO_INDEX || roles->members[i].disk == disk_of(machine, source))
            continue;
        found = esp;
        count++;
        list =
            list == NULL ? NULL : arena_printf(plan->arena, "%s\n  %s", list, esp_place(plan, esp));
    }
    if (count > 1)
        return plan_refuse_plainly(
            plan, ST_REFUSED,
            "There are %zu EFI system partitions to copy to. Choose one with "
            "-tg:%s\nNothing was changed.",
            count, list);
    if (count == 0)
        return plan_refuse(
            plan, ST_ABSENT,
            "No other boot disk has an EFI system partition to copy to; \"shadowboot "
            "prepare\" makes one.");
    return given_target(plan, &machine->partitions[machine->esps[found].partition].unique, ret_esp);
}

static enum status find_both(struct plan *plan, const struct roles *roles,
                             const struct copy_request *request, size_t *ret_source,
                             size_t *ret_target)
{
    size_t target = NO_INDEX;
    size_t source = NO_INDEX;
    enum status status = ST_OK;

    if (request->has_target)
        status = given_target(plan, &request->target, &target);
    if (status == ST_OK)
        status =
            find_source(plan, roles, request,
                        target == NO_INDEX ? NO_INDEX : disk_of(plan->machine, target), &source);
    if (status == ST_OK && target == NO_INDEX)
        status = choose_target(plan, roles, source, &target);
    if (status != ST_OK)
        return status;
    if (source == target)
        return plan_refuse(plan, ST_USAGE,
                           "Source and target are the same partition. Give the GUID of the other "
                           "disk's EFI system partition as target.");
    *ret_source = source;
    *ret_target = target;
    return ST_OK;
}

static enum status check_copy_source(struct plan *plan, size_t source)
{
    if (plan->machine->esps[source].status == ST_OK)
        return ST_OK;
    return plan_refuse(plan, ST_ABSENT, "There is no file system to copy from on %s (%s).",
                       esp_place(plan, source), status_text(plan->machine->esps[source].status));
}

/* What keeps files from being put on the ESP; NULL when nothing does. */
static const char *target_trouble(const struct esp *esp)
{
    if (esp->status == ST_ABSENT)
        return "is not formatted";
    if (esp->status != ST_OK)
        return "cannot be used: its file system is damaged or cannot be read";
    if (esp->volume.from_backup || fat_report_has_damage(&esp->report))
        return "has a damaged file system";
    return "has a file system that could not be checked in full";
}

static enum status check_copy_target(struct plan *plan, size_t target)
{
    const struct esp *esp = &plan->machine->esps[target];
    size_t disk = disk_of(plan->machine, target);
    bool sound = esp->status == ST_OK && !esp->volume.from_backup && !esp->volume.is_narrow &&
                 fat_edit_is_possible(&esp->report);

    enum status status = owner_guard_disk(plan, disk);
    if (status != ST_OK)
        return status;
    if (plan->machine->disks[disk].read_only)
        return plan_refuse(plan, ST_READ_ONLY,
                           "Disk %zu is write-protected, so nothing can be copied to %s.", disk,
                           esp_place(plan, target));
    if (sound)
        return ST_OK;
    status = esp_guard_check(plan, esp->partition);
    if (status != ST_OK)
        return status;
    return plan_refuse(plan, ST_REFUSED,
                       "%s %s. \"shadowboot prepare %zu\" gives it a new one with the files of "
                       "the other disk.",
                       esp_place(plan, target), target_trouble(esp), disk);
}

enum status plan_copy(struct plan *plan, const struct roles *roles,
                      const struct copy_request *request)
{
    struct boot_stores_request stores = {.left_out = NO_INDEX};
    struct files_change files;
    size_t source = NO_INDEX;
    size_t target = NO_INDEX;

    enum status status = find_both(plan, roles, request, &source, &target);
    if (status == ST_OK)
        status = check_copy_source(plan, source);
    if (status == ST_OK)
        status = check_copy_target(plan, target);
    if (status != ST_OK)
        return status;
    status = esp_files_update(plan, source, target, request->path, &files);
    if (status == ST_ABSENT)
        return plan_refuse(plan, status, "There is no %s on %s, which is the source.",
                           text_printable(plan->arena, request->path), esp_place(plan, source));
    if (status == ST_OK)
        status = esp_files_tell_others(plan, source, target, request->path, &files);
    if (status == ST_OK)
        status = esp_files_plan(plan, target, &files);
    if (status != ST_OK || plan->count == 0)
        return status;
    stores.disk = disk_of(plan->machine, target);
    return plan_boot_stores(plan, roles, &stores);
}
