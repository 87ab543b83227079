#include "plan/boot_stores.h"

#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "format/fat/fat_edit.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "plan/esp_files.h"
#include "plan/esp_guard.h"
#include "plan/owner_guard.h"
#include "plan/place.h"
#include "plan/project.h"
#include "store_work.h"

/* --- Into the plan -------------------------------------------------------------------------- */

/* The store and its logs. */
#define ITEMS_MAX 4u

static const char *const logs[ITEMS_MAX - 1] = {BOOT_STORE_LOG_PATH, BOOT_STORE_LOG_PATH "1",
                                                BOOT_STORE_LOG_PATH "2"};

static size_t find_item(const struct files_change *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (text_equal_nocase(files->items[i].path, path))
            return i;
    }
    return NO_INDEX;
}

/* A file as it lies on the ESP, with another content. */
static struct file_copy item_of(const struct fat_file *old, struct span content)
{
    return (struct file_copy){.path = old->path,
                              .attributes = old->attributes & ESP_FILES_ATTRIBUTES,
                              .written = old->written,
                              .size = content.size,
                              .esp = NO_INDEX,
                              .content = content};
}

/* The new store of the ESP, and where it was completed from a log its logs, emptied: what they hold
 * is of the old one. */
static size_t items_of(const struct store_work *work, const struct esp *esp, struct span file,
                       struct file_copy ret_items[ITEMS_MAX])
{
    const struct fat_report *report = &esp->report;
    size_t count = 1;

    ret_items[0] = item_of(&report->files[fat_find(report, BOOT_STORE_PATH)], file);
    for (size_t i = 0; i < ITEMS_MAX - 1 && work->esp->store == REGF_DIRTY; i++) {
        size_t log = fat_find(report, logs[i]);
        if (log != FAT_NO_FILE && !report->files[log].is_directory && report->files[log].size > 0)
            ret_items[count++] = item_of(&report->files[log], span_of(NULL, 0));
    }
    return count;
}

/* The store stays as it is, which is said; the rest of the plan goes on. */
static enum status leave_store(struct plan *plan, enum status status)
{
    if (status == ST_NO_MEMORY)
        return status;
    plan_warn_of_refusal(plan, status);
    return plan->status;
}

/* What the new store is for, behind "is" or a comma. */
static const char *purpose_of(const struct store_work *work, bool made)
{
    struct arena *arena = work->plan->arena;

    if (work->moves)
        return arena_printf(arena, "%sto start Windows from %s", made ? "made " : "",
                            place_text(arena, work->later, work->own));
    return "completed from its log";
}

/* Puts the store into a change that the plan has for the ESP already. */
static enum status put_into(struct store_work *work, struct action *action, struct span file)
{
    struct arena *arena = work->plan->arena;
    struct disk_change *change = arena_copy(arena, action->change, sizeof(*change));
    size_t count = action->change->files.count;
    struct file_copy *items = arena_alloc(arena, count + ITEMS_MAX, sizeof(*items));
    struct file_copy own[ITEMS_MAX];

    if (change == NULL || items == NULL)
        return ST_NO_MEMORY;
    memcpy(items, change->files.items, count * sizeof(*items));
    size_t own_count = items_of(work, work->esp, file, own);
    for (size_t i = 0; i < own_count; i++) {
        size_t there = find_item(&action->change->files, own[i].path);
        items[there == NO_INDEX ? count++ : there] = own[i];
    }
    change->files = (struct files_change){items, count};
    if (change->kind == DISK_CHANGE_FILES) {
        enum status status = esp_files_check_room(work->plan, change->esp, &change->files);
        if (status != ST_OK)
            return leave_store(work->plan, status);
    }
    action->change = change;
    plan_warn(work->plan, "The boot store of Disk %zu is %s.", action->change->disk,
              purpose_of(work, true));
    return work->plan->status;
}

/* Why the store cannot be written where it lies: ST_OK when it can. */
static enum status check_target(struct plan *plan, const struct esp *esp)
{
    size_t disk = plan->machine->partitions[esp->partition].disk;

    enum status status = owner_guard_disk(plan, disk);
    if (status == ST_OK)
        status = esp_guard_check(plan, esp->partition);
    if (status != ST_OK)
        return status;
    if (plan->machine->disks[disk].read_only)
        return plan_refuse(plan, ST_READ_ONLY,
                           "Disk %zu is write-protected, so its boot store stays as it is.", disk);
    if (esp->volume.from_backup || esp->volume.is_narrow || !fat_edit_is_possible(&esp->report))
        return plan_refuse(plan, ST_REFUSED,
                           "%s has a damaged file system, so its boot store stays as it is.",
                           place_text(plan->arena, plan->machine, esp->partition));
    return ST_OK;
}

/* Writes the store where it lies, by an action of its own. */
static enum status put_alone(struct store_work *work, const struct esp *now, struct span file)
{
    struct plan *plan = work->plan;
    const struct partition *partition = &plan->machine->partitions[now->partition];
    struct file_copy *items = arena_alloc(plan->arena, ITEMS_MAX, sizeof(*items));
    struct disk_change change = {.kind = DISK_CHANGE_FILES,
                                 .disk = partition->disk,
                                 .first_lba = partition->first_lba,
                                 .block_count = partition->block_count,
                                 .esp = (size_t)(now - plan->machine->esps)};

    if (items == NULL)
        return ST_NO_MEMORY;
    change.files = (struct files_change){items, items_of(work, now, file, items)};
    enum status status = check_target(plan, now);
    if (status == ST_OK)
        status = esp_files_check_room(plan, change.esp, &change.files);
    if (status != ST_OK)
        return leave_store(plan, status);
    plan_change_disk(plan, &change,
                     arena_printf(plan->arena, "write the boot store of %s anew, %s",
                                  place_text(plan->arena, plan->machine, now->partition),
                                  purpose_of(work, false)));
    return plan->status;
}

static const struct esp *esp_now(const struct machine *machine, size_t disk, uint64_t first_lba)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct partition *own = &machine->partitions[machine->esps[i].partition];
        if (own->disk == disk && own->first_lba == first_lba)
            return &machine->esps[i];
    }
    return NULL;
}

/* The action that brings files to the partition; NULL for none. */
static struct action *action_on(const struct plan *plan, const struct partition *place)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        bool brings = change != NULL &&
                      (change->kind == DISK_CHANGE_FORMAT || change->kind == DISK_CHANGE_FILES);
        if (brings && change->disk == place->disk && change->first_lba == place->first_lba)
            return &plan->actions[i];
    }
    return NULL;
}

static enum status put_store(struct store_work *work, struct span file)
{
    struct plan *plan = work->plan;
    const struct partition *place = &work->later->partitions[work->esp->partition];
    struct action *action = action_on(plan, place);

    if (action != NULL)
        return put_into(work, action, file);
    const struct esp *now = esp_now(plan->machine, place->disk, place->first_lba);
    return now == NULL ? ST_OK : put_alone(work, now, file);
}

/* --- The whole ------------------------------------------------------------------------------ */

static enum status see_to_esp(struct store_work *work)
{
    struct span file;

    if (!boot_store_is_usable(work->esp))
        return ST_OK;
    enum bcd_end end = boot_store_choose(work->plan->arena, work->esp, &bcd_manager, &work->choice);
    work->moves =
        end == BCD_STARTS &&
        (store_is_elsewhere(work, &work->choice.device) ||
         (work->choice.has_os_device && store_is_elsewhere(work, &work->choice.os_device)));
    if (!work->moves && work->esp->store == REGF_GOOD)
        return ST_OK;
    enum status status = store_make(work, &file);
    return status == ST_OK ? put_store(work, file) : status;
}

static enum status see_to_member(struct plan *plan, const struct roles *roles,
                                 const struct machine *later, const struct member *member)
{
    struct store_work work = {.plan = plan,
                              .roles = roles,
                              .later = later,
                              .own = store_copy_partition(plan, later, member)};
    enum status status = ST_OK;

    if (work.own == NO_INDEX)
        return ST_OK;
    for (size_t i = 0; i < later->esp_count && status == ST_OK; i++) {
        work.esp = &later->esps[i];
        if (later->partitions[work.esp->partition].disk == member->disk)
            status = see_to_esp(&work);
    }
    return status;
}

/* A disk without a copy, such as a new one in the place of one that died, gets the store of another
 * disk as it is. */
static void warn_without_copy(struct plan *plan, const struct machine *later, size_t disk)
{
    struct bcd_choice choice;

    for (size_t i = 0; i < later->esp_count; i++) {
        const struct esp *esp = &later->esps[i];
        const struct partition *place = &later->partitions[esp->partition];
        const struct action *action = action_on(plan, place);
        if (place->disk != disk || action == NULL ||
            find_item(&action->change->files, BOOT_STORE_PATH) == NO_INDEX ||
            esp->store_status != ST_OK ||
            boot_store_choose(plan->arena, esp, &bcd_manager, &choice) != BCD_STARTS ||
            choice.device.kind != BCD_DEVICE_PARTITION)
            continue;
        size_t named = boot_store_partition(later, &choice.device.partition, 0);
        if (named != NO_INDEX && later->partitions[named].disk != disk)
            plan_warn(plan,
                      "The boot store that is brought to Disk %zu starts Windows from %s: there is "
                      "no copy on Disk %zu. When Windows has mirrored onto it, \"shadowboot "
                      "repair\" has the store start that one.",
                      disk, place_text(plan->arena, later, named), disk);
    }
}

static bool has_copy(const struct plan *plan, const struct roles *roles,
                     const struct machine *later, size_t disk)
{
    size_t member = roles_member_on(roles, disk);

    return member != NO_INDEX &&
           store_copy_partition(plan, later, &roles->members[member]) != NO_INDEX;
}

enum status plan_boot_stores(struct plan *plan, const struct roles *roles, size_t disk,
                             size_t left_out)
{
    struct machine *later = arena_alloc(plan->arena, 1, sizeof(*later));

    if (later == NULL)
        return ST_NO_MEMORY;
    enum status status = project_machine(plan->arena, plan, later);
    for (size_t i = 0; i < roles->member_count && status == ST_OK; i++) {
        bool meant = disk == NO_INDEX || roles->members[i].disk == disk;
        if (meant && i != left_out)
            status = see_to_member(plan, roles, later, &roles->members[i]);
    }
    if (status == ST_OK && disk != NO_INDEX && !has_copy(plan, roles, later, disk))
        warn_without_copy(plan, later, disk);
    return status == ST_OK ? plan->status : status;
}
