#include "plan/undo.h"

#include "base/text.h"
#include "model/boot_name.h"

static bool state_is(const struct variable_state *now, bool present, uint32_t attributes,
                     struct span data)
{
    if (now->status == ST_ABSENT || !present)
        return now->status == ST_ABSENT && !present;
    return now->status == ST_OK && now->attributes == attributes && span_equal(now->value, data);
}

static bool list_names(struct span list, uint16_t number)
{
    for (size_t i = 0; i < list.size / 2; i++) {
        if (ld_le16(list.at + i * 2) == number)
            return true;
    }
    return false;
}

/* True when the number counts for the sequence: the list has it, and the entry is not one that the
 * firmware makes itself. Those go with their disk and come back at the end of BootOrder. */
static bool list_fixes(const struct machine *machine, struct span list, uint16_t number)
{
    size_t index = machine_find_entry(machine, number);
    const struct entry *entry = index == NO_INDEX ? NULL : &machine->entries[index];
    bool auto_created =
        entry != NULL && entry->status == ST_OK && load_option_is_auto_created(&entry->option);

    return list_names(list, number) && !auto_created;
}

/* True when the members that both lists have stand in the same sequence. */
static bool same_sequence(const struct machine *machine, struct span a, struct span b)
{
    size_t at = 0;

    for (size_t i = 0; i < a.size / 2; i++) {
        uint16_t number = ld_le16(a.at + i * 2);
        if (!list_fixes(machine, b, number))
            continue;
        while (at < b.size / 2 && !list_fixes(machine, a, ld_le16(b.at + at * 2)))
            at++;
        if (at >= b.size / 2 || ld_le16(b.at + at * 2) != number)
            return false;
        at++;
    }
    return true;
}

/* True when the entry will exist after the undo. */
static bool will_exist(const struct plan *plan, const struct journal *journal, uint16_t number)
{
    char name[VAR_NAME_SIZE];

    boot_variable_name(number, name);
    for (size_t i = 0; i < journal->count; i++) {
        if (text_equal(journal->records[i].name, name))
            return journal->records[i].old_present;
    }
    return machine_find_entry(plan->machine, number) != NO_INDEX;
}

/* The old order, then what firmware has added since. */
static struct span merge_order(struct plan *plan, const struct journal *journal,
                               const struct journal_record *record, struct span now)
{
    struct span old = record->old_data;
    struct builder builder;

    builder_in_arena(&builder, plan->arena, old.size + now.size);
    for (size_t i = 0; i < old.size / 2; i++) {
        uint16_t number = ld_le16(old.at + i * 2);
        if (will_exist(plan, journal, number))
            builder_le16(&builder, number);
    }
    for (size_t i = 0; i < now.size / 2; i++) {
        uint16_t number = ld_le16(now.at + i * 2);
        if (!list_names(old, number) && !list_names(record->new_data, number))
            builder_le16(&builder, number);
    }
    return builder_span(&builder);
}

static enum status undo_changed_order(struct plan *plan, const struct journal *journal,
                                      const struct journal_record *record,
                                      const struct variable_state *now)
{
    bool rearranged =
        now->status != ST_OK || !same_sequence(plan->machine, now->value, record->new_data);

    if (rearranged)
        return plan_refuse(
            plan, ST_CHANGED,
            "BootOrder has been rearranged since this change, so taking it back would "
            "undo that too. Nothing was changed. Use \"shadowboot order\" and "
            "\"shadowboot delete\" instead.");
    struct span merged = merge_order(plan, journal, record, now->value);
    if (merged.size == 0)
        plan_delete_variable(plan, "BootOrder", "delete BootOrder, as before");
    else
        plan_set_variable(plan, "BootOrder", now->attributes, merged,
                          "restore BootOrder, with what firmware has added since at its end");
    return plan->status;
}

/* `*io_left` counts variables that are left as somebody else has set them. */
static enum status undo_changed(struct plan *plan, const struct journal *journal,
                                const struct journal_record *record,
                                const struct variable_state *now, size_t *io_left)
{
    bool is_next = text_equal(record->name, "BootNext");

    if (text_equal(record->name, "BootOrder"))
        return undo_changed_order(plan, journal, record, now);
    if (is_next || text_equal(record->name, "Timeout")) {
        plan_warn(plan, "%s has been changed since, as firmware does; it is left as it is.",
                  record->name);
        /* A BootNext that was used up has had its effect: nothing of it stands any more. */
        *io_left += !(is_next && now->status == ST_ABSENT);
        return ST_OK;
    }
    return plan_refuse(
        plan, ST_CHANGED,
        "%s is no longer what this change made of it, so it is not taken back. Nothing "
        "was changed. \"shadowboot entries\" shows what is there; delete or import "
        "single entries instead.",
        record->name);
}

static enum status undo_record(struct plan *plan, const struct journal *journal,
                               const struct journal_record *record, size_t *io_left)
{
    struct variable_state now = machine_variable(plan->machine, record->name);

    if (now.status == ST_UNSUPPORTED)
        return plan_refuse(plan, ST_DAMAGED,
                           "The journal names a variable that is none of a boot entry. Nothing was "
                           "changed.");
    if (state_is(&now, record->old_present, record->old_attributes, record->old_data))
        return ST_OK;
    if (!state_is(&now, record->new_present, record->new_attributes, record->new_data))
        return undo_changed(plan, journal, record, &now, io_left);
    if (record->old_present)
        plan_set_variable(plan, record->name, record->old_attributes, record->old_data,
                          arena_printf(plan->arena, "restore %s", record->name));
    else
        plan_delete_variable(
            plan, record->name,
            arena_printf(plan->arena, "delete %s, which was not there before", record->name));
    return plan->status;
}

enum status plan_undo(struct plan *plan, const struct journal *journal)
{
    size_t left = 0;

    plan->is_undo = true;
    for (size_t i = journal->count; i > 0; i--) {
        enum status status = undo_record(plan, journal, &journal->records[i - 1], &left);
        if (status != ST_OK)
            return status;
    }
    if (left > 0 && left == journal->count)
        return plan_refuse(plan, ST_CHANGED,
                           "%s has been changed since by the firmware or somebody else, so there "
                           "is nothing left of this change to take back. Nothing was changed. An "
                           "earlier change is taken back by its number: \"shadowboot undo -l\" "
                           "lists them.",
                           journal->records[0].name);
    return ST_OK;
}
