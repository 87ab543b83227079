#include "apply_run.h"

#include "variables_room.h"
#include "base/mem.h"
#include "base/text.h"

#define VARIABLE_OVERHEAD 64u /* bytes a store spends on a variable besides name and data */

static enum status read_content(const struct apply_run *run, struct arena *arena, const char *name,
                                struct variable_content *ret_content)
{
    const struct vars_port *vars = &run->ports->vars;
    struct variable_content content = {.present = true};
    size_t size = 0;

    enum status status = vars->get(vars->ctx, NULL, name, &content.attributes, NULL, 0, &size);
    if (status == ST_ABSENT)
        content.present = false;
    if (status == ST_TOO_SMALL) {
        uint8_t *data = arena_alloc(arena, 1, size);
        if (data == NULL)
            return ST_NO_MEMORY;
        status = vars->get(vars->ctx, NULL, name, &content.attributes, data, size, &size);
        content.data = span_of(data, size);
    }
    if (status != ST_OK && status != ST_ABSENT)
        return status == ST_TOO_SMALL ? ST_CHANGED : status;
    *ret_content = content;
    return ST_OK;
}

/* Reads it into the scratch memory, over what was there. What does not fit is neither the old nor
 * the new content: ST_CHANGED. */
static enum status read_now(struct apply_run *run, const char *name,
                            struct variable_content *ret_content)
{
    arena_release(&run->scratch, 0);
    enum status status = read_content(run, &run->scratch, name, ret_content);

    return status == ST_NO_MEMORY ? ST_CHANGED : status;
}

static bool same_content(const struct variable_content *a, const struct variable_content *b)
{
    if (!a->present || !b->present)
        return a->present == b->present;
    return a->attributes == b->attributes && span_equal(a->data, b->data);
}

/* True when `content` is what the action's author saw. */
static bool as_expected(const struct action *action, const struct variable_content *content)
{
    if (content->present != action->expect_present)
        return false;
    if (!content->present)
        return true;
    struct sha256 digest = sha256_of(content->data);
    return content->attributes == action->expect_attributes &&
           sha256_equal(&digest, &action->expect_digest);
}

bool apply_is_wanted(const struct action *action, const struct variable_content *content)
{
    if (action->type == ACTION_DELETE_VARIABLE)
        return !content->present;
    return content->present && content->attributes == action->attributes &&
           span_equal(content->data, action->data);
}

enum status apply_check_variable(struct apply_run *run, const struct action *action,
                                 struct variable_content *ret_before)
{
    enum status status = read_content(run, run->arena, action->name, ret_before);

    if (status == ST_OK && !as_expected(action, ret_before))
        status = ST_CHANGED;
    if (status != ST_OK)
        run->result->problem = apply_say(
            run,
            "%s is not what it was when the plan was made (%s). Nothing was changed. Run the "
            "command again.",
            action->name, status_text(status));
    return status;
}

/* Bytes by which an action makes the store grow; less than 0 when it shrinks. */
static int64_t growth_of(const struct apply_run *run, size_t index)
{
    const struct action *action = &run->plan->actions[index];
    int64_t more = 0;

    if (!apply_is_variable(action))
        return 0;
    if (action->type == ACTION_SET_VARIABLE)
        more = (int64_t)action->data.size;
    if (action->type == ACTION_SET_VARIABLE && !action->expect_present)
        more += VARIABLE_OVERHEAD + 2 * ((int64_t)text_length(action->name) + 1);
    return more - (int64_t)run->before[index].data.size;
}

/* By how much the plan makes it grow, at the most on its way. */
static uint64_t growth(const struct apply_run *run)
{
    int64_t most = 0;
    int64_t now = 0;

    for (size_t i = 0; i < run->plan->count; i++) {
        now += growth_of(run, i);
        most = now > most ? now : most;
    }
    return (uint64_t)most;
}

static bool have_room(const struct apply_run *run, int64_t more)
{
    return more <= 0 ||
           variables_have_room(run->arena, run->ports, run->plan->machine, (uint64_t)more);
}

static enum status say_no_growth(struct apply_run *run, uint64_t needed)
{
    const struct machine *machine = run->plan->machine;
    char bytes[THOUSANDS_SIZE];

    run->result->problem = apply_say(
        run,
        "\\ubootefi.var on Disk %zu, where the firmware keeps its variables, has no room to grow "
        "by %s bytes: it would lose them all. Nothing was changed. Make room on that ESP.",
        machine->partitions[machine->variables_place].disk, format_thousands(needed, bytes));
    return ST_NO_SPACE;
}

enum status apply_check_space(struct apply_run *run)
{
    const struct vars_port *vars = &run->ports->vars;
    struct var_space space;
    uint64_t needed = growth(run);
    char left[THOUSANDS_SIZE];

    if (!have_room(run, (int64_t)needed))
        return say_no_growth(run, needed);
    if (needed == 0 || vars->space(vars->ctx, &space) != ST_OK)
        return ST_OK;
    /* First, because in a full store the firmware calls every variable too large. */
    if (space.remaining < needed + STORE_MARGIN) {
        run->result->problem = apply_say(
            run,
            "The firmware's variable store has %s bytes left, too few to be safe. Nothing was "
            "changed. Delete entries that are not needed (shadowboot prune), or start the "
            "machine once more: some firmware tidies up its store then.",
            format_thousands(space.remaining, left));
        return ST_NO_SPACE;
    }
    for (size_t i = 0; i < run->plan->count; i++) {
        const struct action *action = &run->plan->actions[i];
        if (!apply_is_variable(action) || action->data.size <= space.largest)
            continue;
        run->result->problem = apply_say(run,
                                         "%s would be larger than the firmware allows (%s bytes). "
                                         "Nothing was changed.",
                                         action->name, format_thousands(space.largest, left));
        return ST_NO_SPACE;
    }
    return ST_OK;
}

enum status apply_write_variable(struct apply_run *run, const struct action *action)
{
    const struct vars_port *vars = &run->ports->vars;
    struct variable_content content;

    enum status status = read_now(run, action->name, &content);
    if (status == ST_OK && !as_expected(action, &content))
        status = ST_CHANGED;
    /* Files of this plan, and its journal, may have taken the room. */
    if (status == ST_OK && !have_room(run, growth_of(run, (size_t)(action - run->plan->actions))))
        status = ST_NO_SPACE;
    if (status != ST_OK)
        return status;
    uint32_t attributes =
        action->type == ACTION_DELETE_VARIABLE ? content.attributes : action->attributes;
    /* A variable's attributes cannot be changed in place (UEFI Specification 8.2). */
    if (content.present && content.attributes != attributes) {
        status = vars->set(vars->ctx, NULL, action->name, content.attributes, NULL, 0);
        if (status != ST_OK)
            return status;
    }
    status =
        vars->set(vars->ctx, NULL, action->name, attributes, action->data.at, action->data.size);
    if (status != ST_OK)
        return status;
    status = read_now(run, action->name, &content);
    return status == ST_OK && apply_is_wanted(action, &content) ? ST_OK : ST_IO;
}

bool apply_restore_variable(struct apply_run *run, const struct action *action,
                            const struct variable_content *before)
{
    const struct vars_port *vars = &run->ports->vars;
    struct variable_content now;

    if (read_now(run, action->name, &now) != ST_OK)
        return false;
    if (same_content(&now, before))
        return true;
    bool replace = now.present && (!before->present || now.attributes != before->attributes);
    if (replace && vars->set(vars->ctx, NULL, action->name, now.attributes, NULL, 0) != ST_OK)
        return false;
    if (before->present && vars->set(vars->ctx, NULL, action->name, before->attributes,
                                     before->data.at, before->data.size) != ST_OK)
        return false;
    return read_now(run, action->name, &now) == ST_OK && same_content(&now, before);
}
