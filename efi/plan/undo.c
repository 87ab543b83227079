#include "plan/undo.h"

#include "base/text.h"
#include "format/devpath_text.h"
#include "model/boot_name.h"
#include "plan/edit.h"
#include "plan/esp_guard.h"
#include "plan/owner_guard.h"

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
        return plan_refuse_plainly(
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
    return plan_refuse_plainly(
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
                           "The journal names a variable that is none of a boot entry.");
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

/* Variables, the last one that was changed first. */
static enum status undo_variables(struct plan *plan, const struct journal *journal)
{
    const char *name = "";
    size_t count = 0;
    size_t left = 0;

    for (size_t i = journal->count; i > 0; i--) {
        const struct journal_record *record = &journal->records[i - 1];
        if (record->kind != JOURNAL_VARIABLE)
            continue;
        enum status status = edit_need_entries(plan);
        if (status == ST_OK)
            status = undo_record(plan, journal, record, &left);
        if (status != ST_OK)
            return status;
        name = record->name;
        count++;
    }
    if (left > 0 && left == count && !journal_has_blocks(journal))
        return plan_refuse_plainly(
            plan, ST_CHANGED,
            "%s has been changed since by the firmware or somebody else, so there "
            "is nothing left of this change to take back. Nothing was changed. An "
            "earlier change is taken back by its number: \"shadowboot undo -l\" "
            "lists them.",
            name);
    return ST_OK;
}

/* --- Disks ---------------------------------------------------------------------------------- */

static bool has_geometry(const struct disk *disk, const struct journal_disk *wanted)
{
    return disk->block_size == wanted->block_size && disk->block_count == wanted->block_count;
}

/* True when the disk carries one of the two GUIDs that it had before and after the change. */
static bool disk_has_guid(const struct disk *disk, const struct journal_disk *wanted)
{
    return !guid_is_zero(&disk->guid) && (guid_equal(&disk->guid, &wanted->guid_before) ||
                                          guid_equal(&disk->guid, &wanted->guid_after));
}

/* A disk in the same place is the same one only if it does not say that it is another: a
 * replacement may be in the old one's place. */
static bool is_in_place(const struct disk *disk, const struct journal_disk *wanted)
{
    bool named = !guid_is_zero(&wanted->guid_before) || !guid_is_zero(&wanted->guid_after);

    if (!has_geometry(disk, wanted) || !span_equal(disk->path, wanted->path))
        return false;
    return !named || guid_is_zero(&disk->guid) || disk_has_guid(disk, wanted);
}

/* The machine's disk that the journal's is, by its GUID where only one has that, else by its place;
 * NO_INDEX when it is not here. */
static size_t find_journal_disk(const struct machine *machine, const struct journal_disk *wanted)
{
    size_t by_guid = NO_INDEX;
    size_t by_place = NO_INDEX;
    size_t count = 0;

    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *disk = &machine->disks[i];
        if (is_in_place(disk, wanted))
            by_place = i;
        if (!disk_has_guid(disk, wanted))
            continue;
        count++;
        if (has_geometry(disk, wanted))
            by_guid = i;
    }
    return count == 1 && by_guid != NO_INDEX ? by_guid : by_place;
}

static enum status refuse_missing_disk(struct plan *plan, const struct journal_disk *wanted)
{
    const struct guid *guid =
        guid_is_zero(&wanted->guid_before) ? &wanted->guid_after : &wanted->guid_before;
    char text[GUID_TEXT_SIZE];
    char size[SIZE_TEXT_SIZE];

    format_size(wanted->block_count * wanted->block_size, size);
    if (!guid_is_zero(guid)) {
        guid_format(guid, text);
        return plan_refuse(plan, ST_ABSENT,
                           "The disk with the GUID %s (%s) is not here; put it back and run undo "
                           "again.",
                           text, size);
    }
    const char *path = devpath_text(plan->arena, wanted->path);
    return plan_refuse(plan, ST_ABSENT,
                       "The disk of %s that was at %s is not here; put it back and run undo again.",
                       size, path == NULL ? "another place" : path);
}

/* What the journal has of one of its disks. */
static size_t count_areas(const struct journal *journal, size_t disk, uint64_t *ret_bytes)
{
    uint64_t blocks = 0;
    size_t count = 0;

    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_record *record = &journal->records[i];
        if (record->kind != JOURNAL_BLOCKS || record->disk != disk)
            continue;
        blocks += record->block_count;
        count++;
    }
    *ret_bytes = blocks * journal->disks[disk].block_size;
    return count;
}

/* The partition has become a member of an array since the change. */
static enum status check_arrays(struct plan *plan, const struct journal *journal, size_t index,
                                size_t disk)
{
    const struct machine *machine = plan->machine;

    for (size_t i = 0; i < machine->md_volume_count; i++) {
        size_t partition = machine->md_volumes[i].partition;
        const struct partition *own = &machine->partitions[partition];
        for (size_t k = 0; k < journal->count && own->disk == disk; k++) {
            const struct journal_record *record = &journal->records[k];
            if (record->kind == JOURNAL_BLOCKS && record->disk == index &&
                record->lba < own->first_lba + own->block_count &&
                own->first_lba < record->lba + record->block_count)
                return esp_guard_check(plan, partition);
        }
    }
    return ST_OK;
}

static enum status undo_disk(struct plan *plan, const struct journal *journal, size_t index,
                             size_t disk)
{
    struct disk_change change = {.kind = DISK_CHANGE_RESTORE,
                                 .disk = disk,
                                 .esp = NO_INDEX,
                                 .journal = journal,
                                 .journal_disk = index,
                                 .forced = plan->forced && journal_is_interrupted(journal)};
    uint64_t bytes = 0;
    size_t count = count_areas(journal, index, &bytes);
    char size[SIZE_TEXT_SIZE];

    if (count == 0)
        return ST_OK;
    enum status status = check_arrays(plan, journal, index, disk);
    if (status != ST_OK)
        return status;
    plan_change_disk(plan, &change,
                     arena_printf(plan->arena, "restore %zu area%s of Disk %zu (%s) as %s before",
                                  count, count == 1 ? "" : "s", disk, format_size(bytes, size),
                                  count == 1 ? "it was" : "they were"));
    return plan->status;
}

/* Finds all disks before the first change is planned: all of them come back, or none. */
static enum status find_disks(struct plan *plan, const struct journal *journal, size_t *ret_disks)
{
    for (size_t i = 0; i < journal->disk_count; i++) {
        ret_disks[i] = find_journal_disk(plan->machine, &journal->disks[i]);
        if (ret_disks[i] == NO_INDEX)
            return refuse_missing_disk(plan, &journal->disks[i]);
        enum status status = owner_guard_raid(plan, ret_disks[i]);
        if (status != ST_OK)
            return status;
        for (size_t j = 0; j < i; j++) {
            if (ret_disks[j] == ret_disks[i])
                return plan_refuse(plan, ST_DAMAGED,
                                   "The journal has Disk %zu twice, so it cannot be used.",
                                   ret_disks[i]);
        }
    }
    return ST_OK;
}

enum status plan_undo(struct plan *plan, const struct journal *journal)
{
    size_t *disks = arena_alloc(plan->arena, journal->disk_count, sizeof(*disks));

    if (disks == NULL)
        return ST_NO_MEMORY;
    plan->is_undo = true;
    if (!journal_has_blocks(journal))
        return undo_variables(plan, journal);
    if (journal->is_undo)
        return plan_refuse(plan, ST_REFUSED,
                           "This is the journal of an undo that changed disks, and that is not "
                           "taken back block by block. Run the command again whose change it took "
                           "back (\"shadowboot undo -l\" shows it).");
    enum status status = find_disks(plan, journal, disks);
    if (status == ST_OK)
        status = undo_variables(plan, journal);
    for (size_t i = journal->disk_count; i > 0 && status == ST_OK; i--)
        status = undo_disk(plan, journal, i - 1, disks[i - 1]);
    return status;
}
