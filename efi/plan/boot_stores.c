#include "plan/boot_stores.h"

#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "plan/esp_files.h"
#include "plan/place.h"
#include "plan/project.h"
#include "store_mend.h"
#include "store_new.h"
#include "store_work.h"
#include "store_write.h"

/* --- Into the plan -------------------------------------------------------------------------- */

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

    if (work->moves || work->made)
        return arena_printf(arena, "%sto start Windows from %s", made ? "made " : "",
                            place_text(arena, work->later, work->own));
    if (work->resumes)
        return arena_printf(arena, "%sto resume Windows from %s", made ? "made " : "",
                            place_text(arena, work->later, work->own));
    if (work->ends_order)
        return made ? "rid of its order for the next start, which leads elsewhere"
                    : "without its order for the next start, which leads elsewhere";
    if (work->completed)
        return "completed from its log";
    return made ? "rid of names that lead nowhere" : "without names that lead nowhere";
}

/* Puts the store into a change that the plan has for the ESP already. */
static enum status put_into(struct store_work *work, struct action *action, struct span file)
{
    struct arena *arena = work->plan->arena;
    struct disk_change *change = arena_copy(arena, action->change, sizeof(*change));
    size_t count = action->change->files.count;
    struct file_copy *items = arena_alloc(arena, count + STORE_ITEMS_MAX, sizeof(*items));
    struct file_copy own[STORE_ITEMS_MAX];

    if (change == NULL || items == NULL)
        return ST_NO_MEMORY;
    memcpy(items, change->files.items, count * sizeof(*items));
    size_t own_count = store_items(arena, work->esp, BOOT_STORE_PATH, file, own);
    if (own_count == 0)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < own_count; i++) {
        size_t there = files_change_find(&action->change->files, own[i].path);
        items[there == NO_INDEX ? count++ : there] = own[i];
    }
    change->files = (struct files_change){items, count};
    if (change->kind == DISK_CHANGE_FILES) {
        enum status status = esp_files_fit(work->plan, change->esp, &change->files);
        if (status != ST_OK)
            return leave_store(work->plan, status);
    }
    action->change = change;
    if (work->made && change->kind == DISK_CHANGE_FILES)
        action->text = esp_files_text(work->plan, change->esp, &change->files);
    plan_warn(work->plan, "The boot store of Disk %zu is %s.", action->change->disk,
              purpose_of(work, true));
    return work->plan->status;
}

/* Writes the store where it lies, by an action of its own. */
static enum status put_alone(struct store_work *work, const struct esp *now, struct span file)
{
    struct plan *plan = work->plan;
    bool is_first = now->store_status == ST_ABSENT;
    const struct store_writing writing = {
        .esp = (size_t)(now - plan->machine->esps),
        .path = BOOT_STORE_PATH,
        .file = file,
        .renames = !work->made && !work->mended && !work->completed,
        .text =
            arena_printf(plan->arena, "%s the boot store of %s%s, %s", is_first ? "make" : "write",
                         place_text(plan->arena, plan->machine, now->partition),
                         is_first ? "" : " anew", purpose_of(work, false)),
    };
    enum status status = plan_write_store(plan, &writing);

    return status == ST_OK ? ST_OK : leave_store(plan, status);
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

    if (boot_store_is_folder(work->esp))
        return leave_store(
            plan,
            plan_refuse_plainly(plan, ST_REFUSED,
                                "%s has a folder in the place of its boot store: move it away.",
                                place_text(plan->arena, work->later, work->esp->partition)));
    if (action != NULL)
        return put_into(work, action, file);
    const struct esp *now = esp_now(plan->machine, place->disk, place->first_lba);
    return now == NULL ? ST_OK : put_alone(work, now, file);
}

/* --- The whole ------------------------------------------------------------------------------ */

/* A store that is what it was made for already stays (I5). */
static enum status renew_store(struct store_work *work, const struct boot_stores_request *request)
{
    struct span file;
    enum status status = store_new(work, &request->wishes, &request->now, &file);

    work->made = true;
    return status == ST_OK && file.size > 0 ? put_store(work, file) : status;
}

static enum status see_to_esp(struct store_work *work, const struct boot_stores_request *request)
{
    struct span file = work->esp->store_file;
    struct bcd_store store;

    work->made = false;
    work->moves = false;
    if ((request->makes && store_new_is_due(work)) ||
        (request->wishes.renews && store_new_is_possible(work)))
        return renew_store(work, request);
    if (!boot_store_is_usable(work->esp))
        return ST_OK;
    work->resumes = false;
    enum status status = store_mend(work, &file);
    if (status == ST_OK && work->esp->store == REGF_DIRTY && !work->completed)
        return ST_OK;
    if (status == ST_OK)
        status = bcd_open(work->plan->arena, file, &store);
    if (status != ST_OK)
        return status == ST_NO_MEMORY ? status : ST_OK;
    work->moves = bcd_choose(&store, &bcd_manager, &work->choice) == BCD_STARTS &&
                  store_choice_is_elsewhere(work, &work->choice);
    status = store_make(work, &file);
    bool changes = work->moves || work->resumes || work->mended || work->completed;
    return status == ST_OK && changes ? put_store(work, file) : status;
}

static enum status see_to_member(struct plan *plan, const struct roles *roles,
                                 struct machine *later, const struct member *member,
                                 const struct boot_stores_request *request)
{
    struct store_work work = {.plan = plan,
                              .roles = roles,
                              .later = later,
                              .own = store_copy_partition(plan, later, member)};
    enum status status = ST_OK;

    for (size_t i = 0; i < later->esp_count && status == ST_OK; i++) {
        work.esp = &later->esps[i];
        if (later->partitions[work.esp->partition].disk == member->disk)
            status = see_to_esp(&work, request);
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
            files_change_find(&action->change->files, BOOT_STORE_PATH) == NO_INDEX ||
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

enum status plan_boot_stores(struct plan *plan, const struct roles *roles,
                             const struct boot_stores_request *request)
{
    size_t disk = request->disk;
    struct machine *later = arena_alloc(plan->arena, 1, sizeof(*later));

    if (later == NULL)
        return ST_NO_MEMORY;
    enum status status = project_machine(plan->arena, plan, later);
    for (size_t i = 0; i < roles->member_count && status == ST_OK; i++) {
        bool meant = disk == NO_INDEX || roles->members[i].disk == disk;
        if (meant && i != request->left_out)
            status = see_to_member(plan, roles, later, &roles->members[i], request);
    }
    if (status == ST_OK && disk != NO_INDEX && !has_copy(plan, roles, later, disk))
        warn_without_copy(plan, later, disk);
    return status == ST_OK ? plan->status : status;
}
