#include "model/scan_vars.h"

#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "model/boot_name.h"

#define KEY_OPTION_BOOT 8u     /* offset of the entry's number in EFI_KEY_OPTION (3.1.7) */
#define ENUMERATION_MAX 65536u /* calls after which an enumeration is taken to be endless */

enum status scan_variable(struct arena *arena, const struct vars_port *vars,
                          const struct guid *vendor, const char *name, uint32_t *ret_attributes,
                          struct span *ret_value, uint64_t *ret_claimed)
{
    uint8_t *data = NULL;
    size_t size = 0;

    enum status status = vars->get(vars->ctx, vendor, name, ret_attributes, NULL, 0, &size);
    if (status == ST_TOO_SMALL) {
        *ret_claimed = size;
        if (size > VAR_VALUE_MAX)
            return ST_DAMAGED;
        data = arena_alloc(arena, 1, size);
        if (data == NULL)
            return ST_NO_MEMORY;
        status = vars->get(vars->ctx, vendor, name, ret_attributes, data, size, &size);
    }
    if (status != ST_OK)
        return status == ST_TOO_SMALL ? ST_IO : status;
    *ret_claimed = size;
    *ret_value = span_of(data, size);
    return ST_OK;
}

static enum status read_small(struct arena *arena, const struct vars_port *vars, const char *name,
                              struct small_var *ret_var)
{
    struct small_var var = {.status = ST_OK};
    uint64_t claimed = 0;

    var.status = scan_variable(arena, vars, NULL, name, &var.attributes, &var.value, &claimed);
    if (var.status == ST_NO_MEMORY)
        return ST_NO_MEMORY;
    if (var.status == ST_OK && var.value.size != 2)
        var.status = ST_DAMAGED;
    if (var.status == ST_OK)
        var.number = ld_le16(var.value.at);
    *ret_var = var;
    return ST_OK;
}

static enum status read_order(struct arena *arena, const struct vars_port *vars,
                              struct boot_order *ret_order)
{
    struct boot_order order = {.status = ST_OK};
    uint64_t claimed = 0;

    order.status =
        scan_variable(arena, vars, NULL, "BootOrder", &order.attributes, &order.value, &claimed);
    if (order.status == ST_NO_MEMORY)
        return ST_NO_MEMORY;
    if (order.status == ST_DAMAGED)
        order.status = ST_IO; /* of a size that cannot be: its members are not known */
    if (order.status == ST_OK) {
        uint16_t *numbers = arena_alloc(arena, order.value.size / 2, sizeof(*numbers));
        if (numbers == NULL)
            return ST_NO_MEMORY;
        order.count = order.value.size / 2;
        for (size_t i = 0; i < order.count; i++)
            numbers[i] = ld_le16(order.value.at + i * 2);
        order.numbers = numbers;
        if (order.value.size % 2 != 0)
            order.status = ST_DAMAGED;
    }
    *ret_order = order;
    return ST_OK;
}

/* Which of the 65,536 possible entries exist. */
struct number_set {
    uint8_t bits[65536 / 8];
    size_t count;
};

static bool set_holds(const struct number_set *set, uint16_t number)
{
    return (set->bits[number / 8] >> number % 8 & 1) != 0;
}

static void set_add(struct number_set *set, uint16_t number)
{
    if (!set_holds(set, number))
        set->count++;
    set->bits[number / 8] = (uint8_t)(set->bits[number / 8] | 1u << number % 8);
}

/* A name of the global vendor by which something else may mean an entry: few machines have any. */
struct name_note {
    const struct name_note *next;
    uint16_t number;
    bool is_key; /* Key####, a hot key; else Boot#### in other letters */
};

/* Notes the name where it is such a one. "Boot001a" is another variable for most firmware, and the
 * same to some tools. Statuses: ST_OK; ST_NO_MEMORY. */
static enum status note_name(struct arena *arena, const char *name,
                             const struct name_note **io_notes)
{
    bool is_key = text_length(name) == 7 && text_has_prefix_nocase(name, "Key");
    bool is_boot = text_length(name) == 8 && text_has_prefix_nocase(name, "Boot");
    uint64_t number = 0;

    if ((!is_key && !is_boot) || text_parse_number(name + (is_key ? 3 : 4), 16, &number) != ST_OK)
        return ST_OK;
    struct name_note *note = arena_alloc(arena, 1, sizeof(*note));
    if (note == NULL)
        return ST_NO_MEMORY;
    *note = (struct name_note){*io_notes, (uint16_t)number, is_key};
    *io_notes = note;
    return ST_OK;
}

/*
 * Collects the numbers of all entries first, because reading while enumerating disturbs some
 * firmware. A name that comes twice, or a walk that comes round to its start, is noted. Statuses:
 * ST_OK, whatever came; ST_NO_MEMORY.
 */
static enum status enumerate(struct arena *arena, const struct vars_port *vars,
                             struct machine *io_machine, struct number_set *set,
                             const struct name_note **io_notes)
{
    static const struct guid global = VAR_GLOBAL_VENDOR;
    struct var_id id = {.hash = 0};
    enum status status = vars->next(vars->ctx, true, &id);
    const struct var_id first = id;

    for (uint32_t calls = 0; status == ST_OK; calls++) {
        uint16_t number = 0;
        bool round = calls > 0 && id.hash == first.hash && guid_equal(&id.vendor, &first.vendor);
        if (round || calls >= ENUMERATION_MAX) {
            io_machine->variables_repeated = true;
            io_machine->entries_status = ST_OK;
            return ST_OK;
        }
        if (guid_equal(&id.vendor, &global) && boot_variable_number(id.name, &number)) {
            io_machine->variables_repeated |= set_holds(set, number);
            set_add(set, number);
        } else if (guid_equal(&id.vendor, &global) &&
                   note_name(arena, id.name, io_notes) != ST_OK) {
            return ST_NO_MEMORY;
        }
        status = vars->next(vars->ctx, false, &id);
    }
    io_machine->entries_status = status == ST_ABSENT ? ST_OK : status;
    return ST_OK;
}

/* What the optional data is, and what it says. */
static enum status parse_optional(struct arena *arena, struct entry *io_entry)
{
    struct span optional = io_entry->option.optional;
    enum status status = windows_options_parse(optional, &io_entry->windows);

    io_entry->load_options = "";
    if (status != ST_OK) {
        bool windows = windows_options_present(optional);
        io_entry->optional_kind = windows ? OPTIONAL_WINDOWS_BROKEN : OPTIONAL_OTHER;
        if (optional.size == 0)
            io_entry->optional_kind = OPTIONAL_NONE;
        return ST_OK;
    }
    bool bcd = windows_options_bcd_object(&io_entry->windows, &io_entry->bcd_object);
    io_entry->optional_kind = bcd ? OPTIONAL_WINDOWS_BCD : OPTIONAL_WINDOWS;
    io_entry->load_options = text_shown_from_ucs2(arena, io_entry->windows.load_options);
    return io_entry->load_options == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status entry_parse(struct arena *arena, struct entry *io_entry)
{
    io_entry->status = load_option_parse(io_entry->value, &io_entry->option);
    if (io_entry->status != ST_OK)
        return io_entry->status == ST_NO_MEMORY ? ST_NO_MEMORY : ST_OK;
    io_entry->form = devpath_form_of(io_entry->option.path);
    io_entry->description = text_shown_from_ucs2(arena, io_entry->option.description);
    return io_entry->description == NULL ? ST_NO_MEMORY : parse_optional(arena, io_entry);
}

static enum status read_entry(struct arena *arena, const struct vars_port *vars, uint16_t number,
                              struct entry *ret_entry)
{
    struct entry entry = {.number = number, .description = "", .path_text = "", .load_options = ""};
    char name[VAR_NAME_SIZE];

    boot_variable_name(number, name);
    entry.status = scan_variable(arena, vars, NULL, name, &entry.attributes, &entry.value,
                                 &entry.claimed_size);
    enum status status = entry.status == ST_NO_MEMORY ? ST_NO_MEMORY : ST_OK;
    if (entry.status == ST_OK)
        status = entry_parse(arena, &entry);
    if (status == ST_OK)
        *ret_entry = entry;
    return status;
}

/* Appends the entry `number` unless it is there already or has vanished meanwhile. */
static enum status list_entry(struct arena *arena, const struct vars_port *vars, uint16_t number,
                              struct number_set *done, struct machine *io_machine)
{
    struct entry entry;

    if (set_holds(done, number))
        return ST_OK;
    enum status status = read_entry(arena, vars, number, &entry);
    if (status != ST_OK)
        return status;
    if (entry.status == ST_ABSENT)
        return ST_OK;
    set_add(done, number);
    entry.id = io_machine->entry_count + 1;
    entry.in_order = order_names(&io_machine->order, number);
    io_machine->entries[io_machine->entry_count++] = entry;
    return ST_OK;
}

/* Entries in the sequence of BootOrder, then the others by number. */
static enum status read_boot_entries(struct arena *arena, const struct vars_port *vars,
                                     const struct number_set *found, struct number_set *done,
                                     struct machine *io_machine)
{
    const struct boot_order *order = &io_machine->order;
    size_t room = found->count + order->count;
    enum status status = ST_OK;

    io_machine->entries = arena_alloc(arena, room, sizeof(*io_machine->entries));
    if (io_machine->entries == NULL)
        return ST_NO_MEMORY;
    /* BootOrder is followed also to entries that the enumeration left out. */
    for (size_t i = 0; i < order->count && status == ST_OK; i++)
        status = list_entry(arena, vars, order->numbers[i], done, io_machine);
    for (uint32_t number = 0; number <= UINT16_MAX && status == ST_OK; number++) {
        if (found->bits[number / 8] == 0)
            number += 7; /* they go by eights from 0 */
        else if (set_holds(found, (uint16_t)number))
            status = list_entry(arena, vars, (uint16_t)number, done, io_machine);
    }
    return status;
}

/* The number of the entry that a note means. A hot key holds a check sum of its entry: with another
 * entry under the number it would start that or nothing. Statuses: ST_OK; ST_ABSENT when it means
 * none; ST_NO_MEMORY. */
static enum status read_note(struct arena *arena, const struct vars_port *vars,
                             const struct name_note *note, uint16_t *ret_number)
{
    struct span value = span_of(NULL, 0);
    char name[VAR_NAME_SIZE];
    struct text_buffer text;
    uint32_t attributes = 0;
    uint64_t claimed = 0;

    *ret_number = note->number;
    if (!note->is_key)
        return ST_OK;
    text_buffer_init(&text, name, sizeof(name));
    text_buffer_printf(&text, "Key%04X", note->number);
    enum status status = scan_variable(arena, vars, NULL, name, &attributes, &value, &claimed);
    if (status != ST_OK || !span_holds(value, KEY_OPTION_BOOT, 2))
        return status == ST_NO_MEMORY ? status : ST_ABSENT;
    *ret_number = ld_le16(value.at + KEY_OPTION_BOOT);
    return ST_OK;
}

static enum status read_named(struct arena *arena, const struct vars_port *vars,
                              const struct name_note *notes, struct machine *io_machine)
{
    size_t count = 0;

    for (const struct name_note *note = notes; note != NULL; note = note->next)
        count++;
    if (count == 0)
        return ST_OK;
    uint16_t *named = arena_alloc(arena, count, sizeof(*named));
    if (named == NULL)
        return ST_NO_MEMORY;
    for (const struct name_note *note = notes; note != NULL; note = note->next) {
        enum status status = read_note(arena, vars, note, &named[io_machine->named_count]);
        if (status == ST_NO_MEMORY)
            return status;
        io_machine->named_count += status == ST_OK;
    }
    io_machine->named = named;
    return ST_OK;
}

enum status scan_vars(struct arena *arena, const struct vars_port *vars, struct machine *io_machine)
{
    struct number_set *found = arena_alloc(arena, 1, sizeof(*found));
    struct number_set *done = arena_alloc(arena, 1, sizeof(*done));
    const struct name_note *notes = NULL;

    if (found == NULL || done == NULL)
        return ST_NO_MEMORY;
    enum status status = enumerate(arena, vars, io_machine, found, &notes);
    if (status == ST_OK)
        status = read_order(arena, vars, &io_machine->order);
    if (status == ST_OK)
        status = read_small(arena, vars, "BootNext", &io_machine->next);
    if (status == ST_OK)
        status = read_small(arena, vars, "BootCurrent", &io_machine->current);
    if (status == ST_OK)
        status = read_small(arena, vars, "Timeout", &io_machine->timeout);
    if (status == ST_OK)
        status = read_named(arena, vars, notes, io_machine);
    if (status == ST_OK)
        status = read_boot_entries(arena, vars, found, done, io_machine);
    io_machine->space_status = vars->space(vars->ctx, &io_machine->space);
    return status;
}
