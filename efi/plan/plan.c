#include "plan/plan.h"

#include "base/mem.h"
#include "base/text.h"
#include "port/firmware.h"

#define FIRST_ROOM 16

void plan_init(struct plan *plan, struct arena *arena, const struct machine *machine)
{
    struct plan empty = {.arena = arena,
                         .machine = machine,
                         .target_disk = NO_INDEX,
                         .refusal = "",
                         .status = ST_OK};

    *plan = empty;
}

static void plan_fail(struct plan *plan, enum status status)
{
    if (plan->status == ST_OK)
        plan->status = status;
}

/* Moves `count` items of `size` bytes to twice the room; NULL when the arena is full. */
static void *grow(struct arena *arena, const void *items, size_t count, size_t size,
                  size_t *io_room)
{
    size_t room = *io_room == 0 ? FIRST_ROOM : *io_room * 2;
    void *grown = arena_alloc(arena, room, size);

    if (grown == NULL)
        return NULL;
    if (count > 0)
        memcpy(grown, items, count * size);
    *io_room = room;
    return grown;
}

bool plan_puts_disks_first(const struct plan *plan)
{
    return !plan->is_undo && firmware_is_uboot(plan->machine->firmware.vendor);
}

/* Where the next action goes: at the end, but where disks come before variables. */
static size_t place_for(const struct plan *plan, enum action_type type)
{
    size_t at = plan->count;

    if (type != ACTION_CHANGE_DISK || !plan_puts_disks_first(plan))
        return at;
    while (at > 0 && !action_changes_disk(&plan->actions[at - 1]))
        at--;
    return at;
}

static struct action *new_action(struct plan *plan, enum action_type type, const char *text)
{
    if (plan->status == ST_OK && plan->count == plan->room) {
        struct action *grown =
            grow(plan->arena, plan->actions, plan->count, sizeof(*plan->actions), &plan->room);
        if (grown == NULL)
            plan_fail(plan, ST_NO_MEMORY);
        else
            plan->actions = grown;
    }
    if (text == NULL)
        plan_fail(plan, ST_NO_MEMORY);
    if (plan->status != ST_OK)
        return NULL;
    size_t at = place_for(plan, type);
    struct action *action = &plan->actions[at];
    for (size_t i = plan->count++; i > at; i--)
        plan->actions[i] = plan->actions[i - 1];
    memset(action, 0, sizeof(*action));
    action->type = type;
    action->text = text;
    action->source_entry = NO_INDEX;
    return action;
}

/* An action on a variable, with what the scan found there; NULL when that could not be read. */
static struct action *variable_action(struct plan *plan, enum action_type type, const char *name,
                                      const struct variable_state *now, const char *text)
{
    if (now->status != ST_OK && now->status != ST_ABSENT) {
        plan_fail(plan,
                  plan_refuse(plan, ST_REFUSED,
                              "%s cannot be read (%s), so its content could not be saved before a "
                              "change.",
                              name, status_text(now->status)));
        return NULL;
    }
    struct action *action = new_action(plan, type, text);
    if (action == NULL)
        return NULL;
    for (size_t i = 0; i + 1 < VAR_NAME_SIZE && name[i] != '\0'; i++)
        action->name[i] = name[i];
    action->expect_present = now->status == ST_OK;
    action->expect_attributes = now->attributes;
    action->expect_digest = sha256_of(now->value);
    return action;
}

struct action *plan_set_variable(struct plan *plan, const char *name, uint32_t attributes,
                                 struct span data, const char *text)
{
    struct variable_state now = machine_variable(plan->machine, name);
    bool same = now.status == ST_OK && now.attributes == attributes && span_equal(now.value, data);

    if (same)
        return NULL;
    struct action *action = variable_action(plan, ACTION_SET_VARIABLE, name, &now, text);
    if (action != NULL) {
        action->attributes = attributes;
        action->data = data;
    }
    return action;
}

struct action *plan_delete_variable(struct plan *plan, const char *name, const char *text)
{
    struct variable_state now = machine_variable(plan->machine, name);

    if (now.status == ST_ABSENT)
        return NULL;
    return variable_action(plan, ACTION_DELETE_VARIABLE, name, &now, text);
}

void plan_write_file(struct plan *plan, size_t volume, const char *path, struct span data,
                     const char *text)
{
    struct action *action = new_action(plan, ACTION_WRITE_FILE, text);

    if (action == NULL)
        return;
    action->volume = volume;
    action->path = path;
    action->data = data;
}

void plan_change_disk(struct plan *plan, const struct disk_change *change, const char *text)
{
    struct disk_change *copy = arena_copy(plan->arena, change, sizeof(*change));

    if (copy == NULL)
        plan_fail(plan, ST_NO_MEMORY);
    struct action *action = new_action(plan, ACTION_CHANGE_DISK, text);
    if (action != NULL)
        action->change = copy;
}

static bool is_warned_of(const struct plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->warning_count; i++) {
        if (text_equal(plan->warnings[i], text))
            return true;
    }
    return false;
}

/* Room for one warning more. */
static bool make_action_room(struct plan *plan)
{
    size_t room = plan->warning_room;

    if (plan->warning_count < room)
        return true;
    const char **warnings = grow(plan->arena, plan->warnings, plan->warning_count,
                                 sizeof(*warnings), &plan->warning_room);
    bool *of_rest = grow(plan->arena, plan->of_rest, plan->warning_count, sizeof(*of_rest), &room);
    if (warnings == NULL || of_rest == NULL)
        return false;
    plan->warnings = warnings;
    plan->of_rest = of_rest;
    return true;
}

/* `text` is NULL when there was no memory for it. */
static void add_warning(struct plan *plan, const char *text, bool of_rest)
{
    if (text != NULL && is_warned_of(plan, text))
        return;
    if (text == NULL || !make_action_room(plan)) {
        plan_fail(plan, ST_NO_MEMORY);
        return;
    }
    plan->of_rest[plan->warning_count] = of_rest;
    plan->warnings[plan->warning_count++] = text;
}

void plan_warn(struct plan *plan, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = arena_vprintf(plan->arena, format, arguments);
    va_end(arguments);
    add_warning(plan, text, false);
}

void plan_warn_of_rest(struct plan *plan, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = arena_vprintf(plan->arena, format, arguments);
    va_end(arguments);
    add_warning(plan, text, true);
}

void plan_take_warnings(struct plan *plan, const struct plan *later)
{
    size_t count = plan->warning_count;

    plan->warning_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!plan->of_rest[i])
            add_warning(plan, plan->warnings[i], false);
    }
    for (size_t i = 0; i < later->warning_count; i++)
        add_warning(plan, later->warnings[i], later->of_rest[i]);
    plan->left_out = later->left_out;
}

static const char assurance[] = " Nothing was changed.";

static void set_refusal(struct plan *plan, const char *text)
{
    plan->refusal = text == NULL ? "" : text;
}

enum status plan_refuse(struct plan *plan, enum status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = arena_vprintf(plan->arena, format, arguments);
    va_end(arguments);
    set_refusal(plan, text == NULL ? NULL : arena_printf(plan->arena, "%s%s", text, assurance));
    return status;
}

enum status plan_refuse_plainly(struct plan *plan, enum status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_refusal(plan, arena_vprintf(plan->arena, format, arguments));
    va_end(arguments);
    return status;
}

/* Where the text says that nothing was changed, which other parts of the plan may make untrue;
 * its length when it does not. */
static size_t find_assurance(const char *text)
{
    const struct span wanted = span_of(assurance, sizeof(assurance) - 1);
    size_t length = text_length(text);

    for (size_t i = 0; i + wanted.size <= length; i++) {
        if (span_equal(span_of(text + i, wanted.size), wanted))
            return i;
    }
    return length;
}

void plan_warn_of_refusal(struct plan *plan, enum status status)
{
    const char *why = plan->refusal[0] == '\0' ? status_text(status) : plan->refusal;
    size_t at = find_assurance(why);
    const char *rest = why[at] == '\0' ? "" : why + at + sizeof(assurance) - 1;

    plan_warn_of_rest(plan, "%.*s%s", (int)at, why, rest);
    plan->left_out = true;
    if (plan->left_status == ST_OK)
        plan->left_status = status;
    plan->refusal = "";
}

void plan_append(struct plan *plan, const struct plan *other)
{
    for (size_t i = 0; i < other->count; i++) {
        struct action *action = new_action(plan, other->actions[i].type, other->actions[i].text);
        if (action != NULL)
            *action = other->actions[i];
    }
    for (size_t i = 0; i < other->warning_count; i++)
        add_warning(plan, other->warnings[i], other->of_rest[i]);
    plan->formats |= other->formats;
    plan->gives_up_msr |= other->gives_up_msr;
    plan->left_out |= other->left_out;
    if (plan->left_status == ST_OK)
        plan->left_status = other->left_status;
    plan->incomplete |= other->incomplete;
    if (plan->target_disk == NO_INDEX)
        plan->target_disk = other->target_disk;
    if (other->promise_count > 0) {
        plan->promises = other->promises;
        plan->promise_count = other->promise_count;
    }
    if (other->status != ST_OK)
        plan_fail(plan, other->status);
}

size_t files_change_find(const struct files_change *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (text_equal_nocase(files->items[i].path, path))
            return i;
    }
    return NO_INDEX;
}

bool plan_changes_disks(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (action_changes_disk(&plan->actions[i]))
            return true;
    }
    return false;
}
