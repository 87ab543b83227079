#include "plan/edit.h"

#include "audit/audit.h"
#include "audit/lead.h"
#include "base/mem.h"
#include "model/boot_name.h"
#include "model/firmware_entry.h"

#define ORDER_WORDS_MAX  24  /* members of BootOrder named in a plan */
#define ORDER_WORDS_SIZE 192 /* bytes of the text that names them */

/* The number's place in the BootOrder that is going to be; NO_INDEX for none. */
static size_t place_in_edit(const struct boot_edit *edit, uint16_t number)
{
    for (size_t i = 0; i < edit->count; i++) {
        if (edit->order[i] == number)
            return i;
    }
    return NO_INDEX;
}

bool edit_names(const struct boot_edit *edit, uint16_t number)
{
    return place_in_edit(edit, number) != NO_INDEX;
}

enum status edit_need_entries(struct plan *plan)
{
    if (machine_knows_entries(plan->machine))
        return ST_OK;
    return plan_refuse_plainly(
        plan, ST_UNSUPPORTED,
        "The boot entries are not known: the disks are here without their "
        "machine's firmware. Nothing was changed. shadowboot does it in that machine "
        "(shadowboot-linux there with --efivars).");
}

/* Refuses unless all is known that decides which numbers are free and what names an entry. */
static enum status check_known(struct plan *plan)
{
    const struct machine *machine = plan->machine;
    const struct {
        const char *what;
        enum status status;
    } parts[] = {{"their list", machine->entries_status},
                 {"BootOrder", machine->order.status},
                 {"BootNext", machine->next.status},
                 {"BootCurrent", machine->current.status}};
    enum status known = edit_need_entries(plan);

    if (known != ST_OK)
        return known;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        enum status status = parts[i].status;
        if (status != ST_OK && status != ST_ABSENT && status != ST_DAMAGED)
            return plan_refuse_plainly(
                plan, ST_IO,
                "The firmware's boot variables cannot be read: %s (%s). Nothing was "
                "changed. Restart the machine and try again.",
                parts[i].what, status_text(status));
    }
    return ST_OK;
}

/* Says which entries could not be looked at. */
static void warn_of_unreadable(struct plan *plan)
{
    for (size_t i = 0; i < plan->machine->entry_count; i++) {
        const struct entry *entry = &plan->machine->entries[i];
        if (entry->status != ST_OK && entry->status != ST_DAMAGED)
            plan_warn_of_rest(
                plan, "Boot%04X cannot be read (%s) and is left out. Run the command again.",
                entry->number, status_text(entry->status));
    }
}

static enum status prepare(struct plan *plan, size_t extra, struct boot_edit *ret_edit)
{
    const struct machine *machine = plan->machine;
    size_t room = machine->order.count + machine->entry_count + extra;
    struct boot_edit edit = {
        .plan = plan,
        .order = arena_alloc(plan->arena, room, sizeof(*edit.order)),
        .room = room,
        .deleted = arena_alloc(plan->arena, machine->entry_count, sizeof(*edit.deleted)),
        .moved = arena_alloc(plan->arena, machine->entry_count, sizeof(*edit.moved)),
    };

    if (edit.order == NULL || edit.deleted == NULL || edit.moved == NULL)
        return ST_NO_MEMORY;
    enum status status = check_known(plan);
    if (status != ST_OK)
        return status;
    warn_of_unreadable(plan);
    *ret_edit = edit;
    return ST_OK;
}

enum status edit_begin(struct plan *plan, size_t extra, struct boot_edit *ret_edit)
{
    const struct boot_order *order = &plan->machine->order;
    struct findings findings;
    struct boot_edit edit;

    enum status status = prepare(plan, extra, &edit);
    if (status == ST_OK)
        status = audit_entries(plan->arena, plan->machine, &findings);
    if (status != ST_OK)
        return status;
    const struct finding *finding = findings_about_order(&findings);
    if (finding != NULL)
        return plan_refuse_plainly(plan, ST_DAMAGED, "%s%s Nothing was changed. Mend it first: %s",
                                   finding_text(finding->code), finding->detail,
                                   finding_advice(plan->arena, plan->machine, finding, false));
    for (size_t i = 0; i < order->count; i++)
        edit.order[edit.count++] = order->numbers[i];
    *ret_edit = edit;
    return ST_OK;
}

/* True for what starts a file of a disk, without a key being pressed. */
static bool starts_a_disk(const struct entry *entry)
{
    uint32_t kind = LOAD_OPTION_ACTIVE | LOAD_OPTION_CATEGORY;

    return (entry->option.attributes & kind) == LOAD_OPTION_ACTIVE &&
           entry->boot.partition != NO_INDEX && !entry_is_firmwares(entry);
}

/* True for a fixed disk that starts a system by its removable-media path, and by no entry. */
static bool hangs_on_fallback(const struct machine *machine, size_t disk)
{
    const struct entry whole_disk = {.boot = {.disk = disk, .partition = NO_INDEX}};
    struct lead lead;

    if (!lead_of(machine, &whole_disk, &lead) || lead.program.kind == PROGRAM_TOOL)
        return false;
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->status == ST_OK && starts_a_disk(entry) && !lead_is_tool(machine, entry) &&
            machine->partitions[entry->boot.partition].disk == disk)
            return false;
    }
    return true;
}

/* True for what does not give way where a disk hangs on its removable-media path: named, it would
 * keep that from being tried. */
static bool is_in_the_way(const struct machine *machine, const struct entry *entry)
{
    bool stays = (entry->option.attributes & LOAD_OPTION_ACTIVE) != 0 &&
                 (entry->form == DEVPATH_FORM_FV || lead_is_tool(machine, entry));

    for (size_t i = 0; i < machine->disk_count; i++) {
        if (stays && hangs_on_fallback(machine, i))
            return true;
    }
    return false;
}

/* A BootOrder from nothing. Damaged entries stay out: firmware deletes them as soon as it names
 * them. So does what would keep another disk from starting. Entries outside BootOrder are sorted by
 * number. */
static void name_all(struct boot_edit *edit)
{
    const struct machine *machine = edit->plan->machine;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < machine->entry_count; i++) {
            const struct entry *entry = &machine->entries[i];
            if (entry->status == ST_OK && starts_a_disk(entry) == (pass == 0) &&
                !is_in_the_way(machine, entry))
                edit->order[edit->count++] = entry->number;
        }
    }
}

enum status edit_begin_mending(struct plan *plan, size_t extra, struct boot_edit *ret_edit)
{
    const struct machine *machine = plan->machine;
    const struct boot_order *order = &machine->order;
    struct boot_edit edit;

    enum status status = prepare(plan, extra, &edit);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < order->count; i++) {
        uint16_t number = order->numbers[i];
        if (!edit_names(&edit, number) && machine_find_entry(machine, number) != NO_INDEX)
            edit.order[edit.count++] = number;
    }
    if (order_is_missing(machine))
        name_all(&edit);
    *ret_edit = edit;
    return ST_OK;
}

/* True when a word of the variable is the number, also when it has more or fewer than one. */
static bool small_names(const struct small_var *var, uint16_t number)
{
    for (size_t at = 0; at + 2 <= var->value.size; at += 2) {
        if (ld_le16(var->value.at + at) == number)
            return true;
    }
    return false;
}

static bool is_named_elsewhere(const struct machine *machine, uint16_t number)
{
    for (size_t i = 0; i < machine->named_count; i++) {
        if (machine->named[i] == number)
            return true;
    }
    return false;
}

/* A number is free when no variable has it and nothing names it: an entry outside BootOrder may be
 * anybody's, and one that BootNext names is about to be used. */
static bool number_is_free(const struct boot_edit *edit, uint16_t number)
{
    const struct machine *machine = edit->plan->machine;

    if (machine_find_entry(machine, number) != NO_INDEX || edit_names(edit, number))
        return false;
    if (order_names(&machine->order, number))
        return false;
    return !small_names(&machine->next, number) && !small_names(&machine->current, number) &&
           !is_named_elsewhere(machine, number);
}

static void insert(struct boot_edit *edit, uint16_t number, size_t position)
{
    if (edit->count == edit->room)
        return;
    if (position > edit->count)
        position = edit->count;
    memmove(edit->order + position + 1, edit->order + position,
            (edit->count - position) * sizeof(*edit->order));
    edit->order[position] = number;
    edit->count++;
}

static void take_out(struct boot_edit *edit, uint16_t number)
{
    size_t kept = 0;

    for (size_t i = 0; i < edit->count; i++) {
        if (edit->order[i] != number)
            edit->order[kept++] = edit->order[i];
    }
    edit->count = kept;
}

enum status edit_create(struct boot_edit *edit, struct span value, size_t position,
                        const char *detail, size_t source_entry, uint16_t *ret_number)
{
    char name[VAR_NAME_SIZE];

    while (edit->next_free <= UINT16_MAX && !number_is_free(edit, (uint16_t)edit->next_free))
        edit->next_free++;
    if (edit->next_free > UINT16_MAX)
        return plan_refuse_plainly(
            edit->plan, ST_NO_SPACE,
            "All 65,536 numbers for boot entries are in use. Delete some first.");
    uint16_t number = (uint16_t)edit->next_free;
    boot_variable_name(number, name);
    const char *text = arena_printf(edit->plan->arena, "create %s %s", name, detail);
    struct action *action = plan_set_variable(edit->plan, name, VAR_BOOT_OPTION, value, text);
    if (action == NULL)
        return edit->plan->status == ST_OK ? ST_NO_MEMORY : edit->plan->status;
    action->source_entry = source_entry;
    insert(edit, number, position);
    if (ret_number != NULL)
        *ret_number = number;
    return ST_OK;
}

void edit_delete(struct boot_edit *edit, size_t entry)
{
    edit->deleted[entry] = true;
    take_out(edit, edit->plan->machine->entries[entry].number);
}

void edit_keep(struct boot_edit *edit, size_t entry)
{
    const struct machine *machine = edit->plan->machine;
    const struct boot_order *order = &machine->order;
    const struct entry *own = &machine->entries[entry];
    size_t position = order_is_missing(machine) ? ORDER_END : 0;

    if (!edit->deleted[entry])
        return;
    edit->deleted[entry] = false;
    if (!own->in_order && position == 0)
        return;
    for (size_t i = 0; i < order->count && order->numbers[i] != own->number; i++) {
        size_t place = place_in_edit(edit, order->numbers[i]);
        if (place != NO_INDEX)
            position = place + 1;
    }
    insert(edit, own->number, position);
}

void edit_place(struct boot_edit *edit, uint16_t number, size_t position)
{
    size_t entry = machine_find_entry(edit->plan->machine, number);

    if (entry != NO_INDEX)
        edit->moved[entry] = true;
    take_out(edit, number);
    insert(edit, number, position);
}

bool edit_adopt(struct boot_edit *edit, size_t entry, size_t position)
{
    const struct entry *own = &edit->plan->machine->entries[entry];

    if (own->in_order)
        return false;
    edit_place(edit, own->number, position);
    return true;
}

/* I6: an entry that exists and was in BootOrder stays there unless the request deletes it. */
static bool keeps_all_members(const struct boot_edit *edit)
{
    const struct machine *machine = edit->plan->machine;

    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->in_order && !edit->deleted[i] && !edit_names(edit, entry->number))
            return false;
    }
    return true;
}

/* I6: those that the request did not move stand in the sequence they had. */
static bool keeps_sequence(const struct boot_edit *edit)
{
    const struct machine *machine = edit->plan->machine;
    const struct boot_order *old = &machine->order;
    size_t at = 0;

    for (size_t i = 0; i < old->count; i++) {
        size_t entry = machine_find_entry(machine, old->numbers[i]);
        if (entry == NO_INDEX || edit->deleted[entry] || edit->moved[entry])
            continue;
        while (at < edit->count && edit->order[at] != old->numbers[i])
            at++;
        if (at == edit->count)
            return false;
        edit->moved[entry] = true; /* in a damaged BootOrder the first mention is what counts */
    }
    return true;
}

/* "update BootOrder to 0001,0000", cut after as many as fit a few lines. */
static const char *order_words(const struct boot_edit *edit, bool present)
{
    char *at = arena_alloc(edit->plan->arena, 1, ORDER_WORDS_SIZE);
    struct text_buffer text;

    if (at == NULL)
        return NULL;
    text_buffer_init(&text, at, ORDER_WORDS_SIZE);
    text_buffer_printf(&text, "%s BootOrder%s", present ? "update" : "create",
                       present ? " to" : ":");
    for (size_t i = 0; i < edit->count; i++) {
        if (i == ORDER_WORDS_MAX) {
            text_buffer_printf(&text, ",... (%zu)", edit->count);
            break;
        }
        text_buffer_printf(&text, "%s%04X", i == 0 ? " " : ",", edit->order[i]);
    }
    return at;
}

static void plan_edited_order(struct boot_edit *edit)
{
    struct plan *plan = edit->plan;
    const struct boot_order *now = &plan->machine->order;
    bool present = now->status == ST_OK || now->status == ST_DAMAGED;
    struct builder builder;

    if (edit->count == 0 && now->status == ST_ABSENT)
        return;
    builder_in_arena(&builder, plan->arena, edit->count * 2);
    for (size_t i = 0; i < edit->count; i++)
        builder_le16(&builder, edit->order[i]);
    if (builder.failed) {
        plan->status = ST_NO_MEMORY;
        return;
    }
    if (edit->count == 0)
        plan_delete_variable(plan, "BootOrder", "delete BootOrder: no entry is left in it");
    else
        plan_set_variable(plan, "BootOrder", present ? now->attributes : VAR_BOOT_OPTION,
                          builder_span(&builder), order_words(edit, present));
}

static void plan_deletions(struct boot_edit *edit)
{
    struct plan *plan = edit->plan;
    const struct machine *machine = plan->machine;

    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        char name[VAR_NAME_SIZE];
        if (!edit->deleted[i])
            continue;
        boot_variable_name(entry->number, name);
        if (machine->next.status == ST_OK && machine->next.number == entry->number)
            plan_delete_variable(plan, "BootNext", "delete BootNext, which names a deleted entry");
        plan_delete_variable(
            plan, name, arena_printf(plan->arena, "delete %s \"%s\"", name, entry->description));
    }
}

enum status edit_finish(struct boot_edit *edit)
{
    if (!keeps_all_members(edit))
        return plan_refuse(edit->plan, ST_REFUSED,
                           "The change would drop an entry from BootOrder that was not named.");
    if (!keeps_sequence(edit))
        return plan_refuse(edit->plan, ST_REFUSED,
                           "The change would move an entry in BootOrder that was not named.");
    plan_edited_order(edit);
    plan_deletions(edit);
    return edit->plan->status;
}
