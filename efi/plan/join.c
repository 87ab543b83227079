#include "plan/join.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/boot_name.h"
#include "model/scan_source.h"
#include "plan/esp_files.h"
#include "plan/fresh_fat.h"

/* When an action comes. */
enum turn {
    TURN_FIRST,   /* disks, as the first plan has them, or all (plan_puts_disks_first) */
    TURN_ENTRIES, /* entries are made and changed */
    TURN_ORDER,
    TURN_LATER, /* disks that may start by those entries alone while their files change */
    TURN_LAST,  /* deletions */
    TURN_COUNT,
};

struct join {
    const struct machine *now;
    const struct machine *then; /* that `later` is for */
    const struct plan *first;
    struct plan old; /* actions of `first`, as far as they stay */
    struct plan new; /* what `later` adds to them */
    size_t old_end;  /* of the old disk changes that come before entries */
};

/* --- The same place now and then ------------------------------------------------------------- */

static size_t esp_of_change(const struct machine *machine, const struct disk_change *change)
{
    size_t partition =
        machine_partition_at(machine, change->disk, change->first_lba, change->block_count);

    if (partition == NO_INDEX || machine->partitions[partition].first_lba != change->first_lba ||
        machine->partitions[partition].block_count != change->block_count)
        return NO_INDEX;
    return machine_find_esp(machine, partition);
}

static bool is_of_files(const struct disk_change *change)
{
    return change->kind == DISK_CHANGE_FILES || change->kind == DISK_CHANGE_FORMAT;
}

/* What puts files into the file system at that place. */
static struct action *find_files(const struct plan *plan, size_t disk, uint64_t first_lba)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        if (action_changes_disk(&plan->actions[i]) && is_of_files(change) && change->disk == disk &&
            change->first_lba == first_lba)
            return &plan->actions[i];
    }
    return NULL;
}

static const struct file_copy *find_joined_item(const struct files_change *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (text_equal_nocase(files->items[i].path, path))
            return &files->items[i];
    }
    return NULL;
}

/* What a copy of Windows keeps is now what it was then, under another number. */
static enum status find_kept(const struct join *join, struct file_copy *io_item)
{
    size_t copy = join->then->esps[io_item->esp].source->copy;

    io_item->esp = machine_find_source(join->now, copy);
    return io_item->esp == NO_INDEX ? ST_UNSUPPORTED : ST_OK;
}

/* Where the content is now: what the first plan brings is taken from where that takes it. */
static enum status find_origin(const struct join *join, struct file_copy *io_item)
{
    if (io_item->esp == NO_INDEX)
        return ST_OK;
    if (join->then->esps[io_item->esp].source != NULL)
        return find_kept(join, io_item);
    const struct esp *esp = &join->then->esps[io_item->esp];
    const struct partition *own = &join->then->partitions[esp->partition];
    const char *path = esp->report.files[io_item->file].path;
    const struct action *action = find_files(join->first, own->disk, own->first_lba);
    const struct file_copy *brought =
        action == NULL ? NULL : find_joined_item(&action->change->files, path);
    const struct disk_change place = {
        .disk = own->disk, .first_lba = own->first_lba, .block_count = own->block_count};

    if (brought != NULL) {
        io_item->esp = brought->esp;
        io_item->file = brought->file;
        io_item->content = brought->content;
        return ST_OK;
    }
    io_item->esp = esp_of_change(join->now, &place);
    if (io_item->esp == NO_INDEX || join->now->esps[io_item->esp].status != ST_OK)
        return ST_UNSUPPORTED;
    io_item->file = fat_find(&join->now->esps[io_item->esp].report, path);
    return io_item->file == FAT_NO_FILE ? ST_UNSUPPORTED : ST_OK;
}

/* The files of the later plan, from where they are now. */
static enum status find_origins(const struct join *join, struct files_change *io_files)
{
    size_t size = io_files->count * sizeof(*io_files->items);
    struct file_copy *items = arena_copy(join->new.arena, io_files->items, size);
    enum status status = items == NULL ? ST_NO_MEMORY : ST_OK;

    for (size_t i = 0; i < io_files->count && status == ST_OK; i++)
        status = find_origin(join, &items[i]);
    io_files->items = items;
    return status;
}

/* What stays of `old`, and `new`. */
static enum status join_files(const struct join *join, const struct files_change *old,
                              const struct files_change *new, struct files_change *ret_files)
{
    struct file_copy *items = arena_alloc(join->new.arena, old->count + new->count, sizeof(*items));
    size_t count = 0;

    if (items == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < old->count; i++) {
        if (find_joined_item(new, old->items[i].path) == NULL)
            items[count++] = old->items[i];
    }
    for (size_t i = 0; i < new->count; i++) {
        items[count] = new->items[i];
        /* What is on the volume by then is not what is there now. */
        items[count++].before = span_of(NULL, 0);
    }
    *ret_files = (struct files_change){items, count};
    return ST_OK;
}

/* --- Disks ------------------------------------------------------------------------------------ */

static const char *both_texts(const struct join *join, const struct action *old,
                              const struct action *new)
{
    return arena_printf(join->new.arena, "%s; %s", old->text, new->text);
}

static bool joins_from(const struct files_change *files, size_t esp)
{
    for (size_t i = 0; i < files->count && esp != NO_INDEX; i++) {
        if (files->items[i].esp == esp)
            return true;
    }
    return false;
}

/* Whether there is room for all files of the change. */
static enum status check_fit(struct join *join, const struct disk_change *change)
{
    struct fresh_fat fresh = {
        .first_lba = change->first_lba,
        .block_count = change->block_count,
        .block_size = join->now->disks[change->disk].block_size,
        .label = change->format.label,
        .files = &change->files,
    };
    enum fat_type type;

    if (change->kind == DISK_CHANGE_FILES)
        return esp_files_check_room(&join->new, change->esp, &change->files);
    enum status status = fresh_fat_fits(join->new.arena, &fresh, &type);
    return status == ST_OK && type != change->format.type ? ST_UNSUPPORTED : status;
}

/* More files for a file system that the first plan makes, or brings files to. */
static enum status add_files_action(struct join *join, struct action *io_old,
                                    const struct disk_change *new)
{
    struct arena *arena = join->new.arena;
    struct disk_change *change = arena_copy(arena, io_old->change, sizeof(*io_old->change));
    size_t own = esp_of_change(join->now, new);

    if (change == NULL)
        return ST_NO_MEMORY;
    enum status status = join_files(join, &io_old->change->files, &new->files, &change->files);
    if (status == ST_OK && joins_from(&change->files, own))
        change->esp = own;
    if (status == ST_OK)
        status = check_fit(join, change);
    if (status != ST_OK)
        return status == ST_NO_MEMORY ? status : ST_UNSUPPORTED;
    io_old->change = change;
    if (change->kind == DISK_CHANGE_FILES)
        io_old->text = esp_files_text(&join->new, change->esp, &change->files);
    else
        io_old->text = arena_printf(arena, "%s; %s", io_old->text,
                                    esp_files_text(&join->new, NO_INDEX, &new->files));
    return io_old->text == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status join_esp_change(struct join *join, const struct action *new)
{
    struct action *old = find_files(&join->old, new->change->disk, new->change->first_lba);
    struct disk_change change = *new->change;
    const char *text = new->text;
    enum status status = find_origins(join, &change.files);

    if (status == ST_OK && old != NULL)
        return change.kind == DISK_CHANGE_FILES ? add_files_action(join, old, &change)
                                                : ST_UNSUPPORTED;
    if (status == ST_OK && change.esp != NO_INDEX) {
        change.esp = esp_of_change(join->now, &change);
        status = change.esp == NO_INDEX ? ST_UNSUPPORTED : ST_OK;
    }
    if (status != ST_OK)
        return status;
    if (change.kind == DISK_CHANGE_FILES)
        text = esp_files_text(&join->new, change.esp, &change.files);
    plan_change_disk(&join->new, &change, text);
    return ST_OK;
}

static void drop(struct plan *plan, struct action *action)
{
    size_t index = (size_t)(action - plan->actions);

    for (size_t i = index + 1; i < plan->count; i++)
        plan->actions[i - 1] = plan->actions[i];
    plan->count--;
}

static void drop_old(struct join *join, struct action *action)
{
    join->old_end -= (size_t)(action - join->old.actions) < join->old_end;
    drop(&join->old, action);
}

static struct action *find_table(const struct plan *plan, size_t disk)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        if (action_changes_disk(&plan->actions[i]) && change->kind == DISK_CHANGE_GPT &&
            change->disk == disk)
            return &plan->actions[i];
    }
    return NULL;
}

/* A change of a table mends it as well. */
static enum status join_tables(struct join *join, const struct action *new)
{
    struct action *old = find_table(&join->old, new->change->disk);
    struct disk_change change = *new->change;
    const char *text = new->text;

    if (old != NULL) {
        const struct gpt_change *gpt = &old->change->gpt;
        if (gpt->fresh || gpt->renames_disk || gpt->identity_count > 0 || gpt->slot_count > 0)
            return ST_UNSUPPORTED;
        change.gpt.write_mbr |= gpt->write_mbr;
        text = both_texts(join, old, new);
        drop_old(join, old);
    }
    plan_change_disk(&join->new, &change, text);
    return ST_OK;
}

/* --- Variables -------------------------------------------------------------------------------- */

static enum status join_variable(struct join *join, const struct action *new)
{
    struct action *old = NULL;
    const char *text = new->text;
    uint16_t number = 0;

    for (size_t i = 0; i < join->old.count && old == NULL; i++) {
        if (text_equal(join->old.actions[i].name, new->name))
            old = &join->old.actions[i];
    }
    if (old != NULL) {
        if (boot_variable_number(new->name, &number))
            text = both_texts(join, old, new);
        drop_old(join, old);
    }
    if (new->type == ACTION_SET_VARIABLE)
        plan_set_variable(&join->new, new->name, new->attributes, new->data, text);
    else
        plan_delete_variable(&join->new, new->name, text);
    return join->new.status;
}

/* --- The whole -------------------------------------------------------------------------------- */

static enum turn turn_of(const struct action *action, bool early)
{
    if (action_changes_disk(action))
        return early ? TURN_FIRST : TURN_LATER;
    if (text_equal(action->name, "BootOrder"))
        return TURN_ORDER;
    return action->type == ACTION_DELETE_VARIABLE ? TURN_LAST : TURN_ENTRIES;
}

static void put_in_turn(const struct join *join, struct plan *io_plan)
{
    bool all_first = plan_puts_disks_first(io_plan);

    for (int turn = 0; turn < TURN_COUNT; turn++) {
        for (size_t i = 0; i < join->old.count; i++) {
            if (turn_of(&join->old.actions[i], all_first || i < join->old_end) == (enum turn)turn)
                io_plan->actions[io_plan->count++] = join->old.actions[i];
        }
        for (size_t i = 0; i < join->new.count; i++) {
            if (turn_of(&join->new.actions[i], all_first) == (enum turn)turn)
                io_plan->actions[io_plan->count++] = join->new.actions[i];
        }
    }
}

/* True when the change takes away or replaces a file that `item` comes from. */
static bool takes_source(const struct machine *machine, const struct disk_change *change,
                         const struct file_copy *item)
{
    if (!is_of_files(change) || item->esp == NO_INDEX ||
        esp_of_change(machine, change) != item->esp)
        return false;
    const char *path = machine->esps[item->esp].report.files[item->file].path;
    return change->kind == DISK_CHANGE_FORMAT || find_joined_item(&change->files, path) != NULL;
}

/* The first action behind it that takes a file which the one at `index` takes away; the count
 * of actions when there is none. */
static size_t find_user(const struct plan *plan, size_t index)
{
    const struct disk_change *taker = plan->actions[index].change;

    for (size_t i = index + 1; taker != NULL && i < plan->count; i++) {
        const struct disk_change *user = plan->actions[i].change;
        for (size_t j = 0; user != NULL && j < user->files.count; j++) {
            if (takes_source(plan->machine, taker, &user->files.items[j]))
                return i;
        }
    }
    return plan->count;
}

/* Every file has to be what it was when it is taken (I3): what takes one comes before what changes
 * it. False when that goes round in a circle. */
static bool put_sources_last(struct plan *plan)
{
    size_t moves = plan->count * plan->count;

    for (size_t i = 0; i < plan->count; i++) {
        for (size_t user = find_user(plan, i); user < plan->count; user = find_user(plan, i)) {
            struct action moved = plan->actions[user];
            if (moves-- == 0)
                return false;
            memmove(plan->actions + i + 1, plan->actions + i, (user - i) * sizeof(*plan->actions));
            plan->actions[i] = moved;
        }
    }
    return true;
}

static enum status join_begin(const struct plan *first, const struct plan *later,
                              struct join *ret_join)
{
    size_t size = first->count * sizeof(*first->actions);

    *ret_join =
        (struct join){.now = first->machine, .then = later->machine, .first = first, .old = *first};
    plan_init(&ret_join->new, first->arena, first->machine);
    ret_join->old.actions = arena_copy(first->arena, first->actions, size);
    if (ret_join->old.actions == NULL)
        return ST_NO_MEMORY;
    while (ret_join->old_end < first->count &&
           action_changes_disk(&first->actions[ret_join->old_end]))
        ret_join->old_end++;
    return ST_OK;
}

static enum status join_finish(const struct join *join, const struct plan *first,
                               const struct plan *later, struct plan *ret_plan)
{
    struct plan plan = *first;

    plan.count = 0;
    plan.room = join->old.count + join->new.count;
    plan.actions = arena_alloc(first->arena, plan.room, sizeof(*plan.actions));
    if (plan.actions == NULL)
        return ST_NO_MEMORY;
    put_in_turn(join, &plan);
    if (!put_sources_last(&plan))
        return ST_UNSUPPORTED;
    plan.warnings = NULL;
    plan.of_rest = NULL;
    plan.warning_count = 0;
    plan.warning_room = 0;
    plan_take_warnings(&plan, first);
    plan_take_warnings(&plan, later);
    plan.formats |= later->formats;
    plan.gives_up_msr |= later->gives_up_msr;
    *ret_plan = plan;
    return plan.status;
}

enum status plan_join(const struct plan *first, const struct plan *later, struct plan *ret_plan)
{
    struct join join;
    enum status status = join_begin(first, later, &join);

    for (size_t i = 0; i < later->count && status == ST_OK; i++) {
        const struct action *action = &later->actions[i];
        if (action_changes_disk(action))
            status = action->change->kind == DISK_CHANGE_GPT ? join_tables(&join, action)
                                                             : join_esp_change(&join, action);
        else
            status = action->path != NULL ? ST_UNSUPPORTED : join_variable(&join, action);
        if (status == ST_OK)
            status = join.new.status;
    }
    return status == ST_OK ? join_finish(&join, first, later, ret_plan) : status;
}
