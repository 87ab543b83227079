#include "project_parts.h"

#include "base/mem.h"
#include "base/sort.h"
#include "base/text.h"
#include "model/boot_name.h"
#include "model/resolve.h"
#include "model/scan_vars.h"

static bool is_variable_action(const struct action *action)
{
    return action->type == ACTION_SET_VARIABLE || action->type == ACTION_DELETE_VARIABLE;
}

/* --- Entries ---------------------------------------------------------------------------------- */

static void drop_entry(struct machine *io_after, size_t index)
{
    for (size_t i = index + 1; index != NO_INDEX && i < io_after->entry_count; i++)
        io_after->entries[i - 1] = io_after->entries[i];
    io_after->entry_count -= index != NO_INDEX;
}

/* Puts the entry in the place of an old one, or behind all others. */
static enum status set_entry(struct arena *arena, const struct action *action, uint16_t number,
                             struct machine *io_after)
{
    size_t index = machine_find_entry(io_after, number);
    struct entry entry = {.number = number,
                          .attributes = action->attributes,
                          .value = action->data,
                          .claimed_size = action->data.size,
                          .description = "",
                          .path_text = "",
                          .load_options = ""};

    enum status status = entry_parse(arena, &entry);
    if (status == ST_OK)
        status = resolve_entry(arena, io_after, NULL, &entry);
    if (status != ST_OK)
        return status;
    project_boot_file(io_after, &entry);
    if (index == NO_INDEX)
        index = io_after->entry_count++;
    io_after->entries[index] = entry;
    return ST_OK;
}

static enum status change_entry(struct arena *arena, const struct action *action, uint16_t number,
                                struct machine *io_after)
{
    if (action->type == ACTION_SET_VARIABLE)
        return set_entry(arena, action, number, io_after);
    drop_entry(io_after, machine_find_entry(io_after, number));
    return ST_OK;
}

/* --- BootOrder and BootNext ------------------------------------------------------------------- */

static enum status change_order(struct arena *arena, const struct action *action,
                                struct machine *io_after)
{
    struct boot_order order = {.status = ST_ABSENT};
    size_t count = action->data.size / 2;
    uint16_t *numbers = arena_alloc(arena, count, sizeof(*numbers));

    if (numbers == NULL)
        return ST_NO_MEMORY;
    if (action->type == ACTION_SET_VARIABLE) {
        for (size_t i = 0; i < count; i++)
            numbers[i] = ld_le16(action->data.at + i * 2);
        order = (struct boot_order){.attributes = action->attributes,
                                    .value = action->data,
                                    .numbers = numbers,
                                    .count = count};
    }
    io_after->order = order;
    return ST_OK;
}

static void change_next(const struct action *action, struct machine *io_after)
{
    bool set = action->type == ACTION_SET_VARIABLE && action->data.size == 2;

    io_after->next = (struct small_var){.status = set ? ST_OK : ST_ABSENT,
                                        .attributes = action->attributes,
                                        .value = action->data,
                                        .number = set ? ld_le16(action->data.at) : 0};
}

/* --- The sequence ----------------------------------------------------------------------------- */

/* The place of an entry in BootOrder; those outside it stand behind all others. */
static size_t place_in_order(const struct machine *machine, uint16_t number)
{
    for (size_t i = 0; i < machine->order.count; i++) {
        if (machine->order.numbers[i] == number)
            return i;
    }
    return NO_INDEX;
}

static int entry_by_place(const void *ctx, size_t a, size_t b)
{
    const struct machine *machine = ctx;
    uint16_t first = machine->entries[a].number;
    uint16_t second = machine->entries[b].number;
    size_t place = place_in_order(machine, first);
    size_t other = place_in_order(machine, second);

    if (place != other)
        return place < other ? -1 : 1;
    return (int)first - (int)second;
}

/* As a scan lists them: in the sequence of BootOrder, then the others by number. */
static enum status sort_entries(struct arena *arena, struct machine *io_after)
{
    size_t count = io_after->entry_count;
    const size_t *sequence = sort_order(arena, count, entry_by_place, io_after);
    struct entry *entries = arena_alloc(arena, count, sizeof(*entries));

    if (sequence == NULL || entries == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        entries[i] = io_after->entries[sequence[i]];
        entries[i].id = i + 1;
        entries[i].in_order = order_names(&io_after->order, entries[i].number);
    }
    io_after->entries = entries;
    return ST_OK;
}

enum status project_variables(struct arena *arena, const struct plan *plan,
                              struct machine *io_after)
{
    size_t room = io_after->entry_count + plan->count;
    struct entry *entries = arena_alloc(arena, room, sizeof(*entries));
    enum status status = ST_OK;
    size_t changes = 0;

    if (entries == NULL)
        return ST_NO_MEMORY;
    if (io_after->entry_count > 0)
        memcpy(entries, io_after->entries, io_after->entry_count * sizeof(*entries));
    io_after->entries = entries;
    for (size_t i = 0; i < plan->count && status == ST_OK; i++) {
        const struct action *action = &plan->actions[i];
        uint16_t number = 0;
        if (!is_variable_action(action))
            continue;
        changes++;
        if (boot_variable_number(action->name, &number))
            status = change_entry(arena, action, number, io_after);
        else if (text_equal(action->name, "BootOrder"))
            status = change_order(arena, action, io_after);
        else if (text_equal(action->name, "BootNext"))
            change_next(action, io_after);
    }
    return status == ST_OK && changes > 0 ? sort_entries(arena, io_after) : status;
}
