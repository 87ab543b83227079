#include "plan/entries.h"

#include "audit/audit.h"
#include "audit/last_record.h"
#include "base/text.h"
#include "format/load_option.h"
#include "model/boot_name.h"
#include "model/firmware_entry.h"
#include "model/resolve.h"
#include "plan/place.h"
#include "plan/retarget.h"

#define CLONE_LINES_SIZE 2048

/* [disk's path/]HD()/File()/end */
static struct span build_path(struct plan *plan, size_t partition, struct span file, bool full)
{
    const struct machine *machine = plan->machine;
    const struct partition *to = &machine->partitions[partition];
    struct span disk = machine->disks[to->disk].path;
    struct hd_node hd = partition_hd_node(machine, to);
    struct builder builder;

    builder_in_arena(&builder, plan->arena, disk.size + HD_NODE_SIZE + file.size + 16);
    if (full && !machine->disks[to->disk].place_unknown)
        builder_bytes(&builder, span_part(disk, 0, disk.size - DEVPATH_HEADER_SIZE));
    devpath_put_hd(&builder, &hd);
    devpath_put_file(&builder, file);
    devpath_put_end(&builder);
    return builder_span(&builder);
}

static enum status add_value_action(struct plan *plan, const struct add_request *request,
                                    size_t partition, struct span *ret_value)
{
    struct load_option option = {.attributes = LOAD_OPTION_ACTIVE};
    struct span file;

    enum status status = text_to_ucs2(plan->arena, request->file, &file);
    if (status == ST_OK)
        status = text_to_ucs2(plan->arena, request->description, &option.description);
    if (status == ST_OK && request->disk_in_name)
        status = boot_description_on_disk(plan->arena, option.description,
                                          plan->machine->partitions[partition].disk,
                                          &option.description);
    if (status == ST_OK && request->optional != NULL)
        status = text_to_ucs2(plan->arena, request->optional, &option.optional);
    if (status != ST_OK)
        return status;
    option.paths = build_path(plan, partition, file, request->full_path);
    if (option.paths.size == 0)
        return ST_NO_MEMORY;
    status = load_option_build(plan->arena, &option, ret_value);
    if (status == ST_REFUSED)
        return plan_refuse_plainly(plan, status, "The path is too long for a boot entry.");
    return status;
}

enum status add_into(struct boot_edit *edit, const struct add_request *request, size_t partition)
{
    struct plan *plan = edit->plan;
    struct span value;
    size_t equal = NO_INDEX;

    enum status status = add_value_action(plan, request, partition, &value);
    if (status != ST_OK)
        return status;
    status = place_find_equal(plan, value, DEVPATH_FORM_EMPTY, &equal);
    if (status == ST_OK && edit_adopt(edit, equal, request->position))
        return ST_OK;
    if (status == ST_OK)
        return plan_refuse(
            plan, ST_EXISTS, "Boot%04X \"%s\" starts the same file of the same partition already.",
            plan->machine->entries[equal].number, plan->machine->entries[equal].description);
    if (status != ST_ABSENT)
        return status;
    if (plan->machine->partitions[partition].kind != PT_ESP)
        plan_warn(plan, "%s is not an EFI system partition; firmware may not start from it.",
                  place_text(plan->arena, plan->machine, partition));
    struct load_option option;
    status = load_option_parse(value, &option);
    if (status != ST_OK)
        return status;
    const char *detail = arena_printf(plan->arena, "\"%s\", to start %s from %s",
                                      text_shown_from_ucs2(plan->arena, option.description),
                                      text_printable(plan->arena, request->file),
                                      place_text(plan->arena, plan->machine, partition));
    return edit_create(edit, value, request->position, detail, NO_INDEX, NULL);
}

enum status plan_add(struct plan *plan, const struct add_request *request)
{
    struct boot_edit edit;
    size_t partition = NO_INDEX;

    enum status status = place_find(plan, &request->partition, &partition);
    if (status == ST_OK)
        status = edit_begin(plan, 1, &edit);
    if (status == ST_OK)
        status = add_into(&edit, request, partition);
    return status == ST_OK ? edit_finish(&edit) : status;
}

enum status plan_delete(struct plan *plan, const size_t *entries, size_t count)
{
    struct boot_edit edit;

    enum status status = edit_begin_mending(plan, 0, &edit);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        edit_delete(&edit, entries[i]);
    return edit_finish(&edit);
}

enum status plan_order(struct plan *plan, const size_t *entries, size_t count)
{
    struct boot_edit edit;

    enum status status = edit_begin_mending(plan, 0, &edit);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        edit_place(&edit, plan->machine->entries[entries[i]].number, i);
    return edit_finish(&edit);
}

/* Two little-endian bytes in the arena; an empty span when it is full. */
static struct span number_bytes(struct plan *plan, uint16_t number)
{
    struct builder builder;

    builder_in_arena(&builder, plan->arena, 2);
    builder_le16(&builder, number);
    return builder_span(&builder);
}

enum status plan_next(struct plan *plan, size_t entry)
{
    const struct entry *next = entry == NO_INDEX ? NULL : &plan->machine->entries[entry];

    if (next == NULL) {
        plan_delete_variable(plan, "BootNext", "delete BootNext: the next start follows BootOrder");
        return plan->status;
    }
    struct span value = number_bytes(plan, next->number);
    const char *text = arena_printf(plan->arena, "set BootNext to Boot%04X \"%s\", once",
                                    next->number, next->description);
    if (value.size == 0)
        return ST_NO_MEMORY;
    if (next->status == ST_OK && (next->option.attributes & LOAD_OPTION_ACTIVE) == 0)
        plan_warn(plan, "Boot%04X is not active; some firmware refuses to start it.", next->number);
    plan_set_variable(plan, "BootNext", VAR_BOOT_OPTION, value, text);
    return plan->status;
}

enum status plan_timeout(struct plan *plan, uint16_t seconds)
{
    struct span value = number_bytes(plan, seconds);
    const char *text = seconds == UINT16_MAX
                           ? "set Timeout to wait for ever"
                           : arena_printf(plan->arena, "set Timeout to %u seconds", seconds);

    if (value.size == 0)
        return ST_NO_MEMORY;
    plan_set_variable(plan, "Timeout", VAR_BOOT_OPTION, value, text);
    return plan->status;
}

/* True, with a warning, for an entry that only its firmware can use: under its mark it would take
 * the import for its own and delete it, and without it would make another. */
static bool is_firmware_s(struct plan *plan, const struct import_item *item)
{
    struct load_option saved;

    if (load_option_parse(item->value, &saved) != ST_OK)
        return false;
    const char *reason = firmware_option_mark(&saved);
    if (reason == NULL)
        return false;
    plan_warn(plan, "The entry in %s is one that firmware makes itself (%s); it is left out.",
              item->file, reason);
    return true;
}

/* The value with its partition replaced, or as it is when nothing is to be replaced. */
static enum status import_value(struct plan *plan, const struct import_item *item,
                                const struct devpath_retarget *how, struct span *ret_value,
                                struct load_option *ret_option)
{
    struct load_option saved;

    enum status status = load_option_parse(item->value, &saved);
    if (status == ST_DAMAGED)
        return plan_refuse(plan, status, "%s does not hold a boot entry, or only a part of one.",
                           item->file);
    if (status == ST_OK && how == NULL) {
        *ret_value = item->value;
        *ret_option = saved;
        return ST_OK;
    }
    if (status == ST_OK)
        status = retarget_option(plan->arena, &saved, how, ret_option);
    return status == ST_OK ? load_option_build(plan->arena, ret_option, ret_value) : status;
}

static enum status import_one(struct boot_edit *edit, const struct import_item *item,
                              const struct devpath_retarget *how)
{
    struct plan *plan = edit->plan;
    struct load_option option;
    struct span value;
    size_t equal = NO_INDEX;

    if (is_firmware_s(plan, item))
        return ST_OK;
    enum status status = import_value(plan, item, how, &value, &option);
    if (status == ST_OK)
        status = place_find_equal(plan, value, DEVPATH_FORM_EMPTY, &equal);
    if (status == ST_OK && edit_adopt(edit, equal, ORDER_END))
        return ST_OK;
    if (status == ST_OK) {
        plan_warn(plan, "Boot%04X \"%s\" starts the same as the entry in %s, which is left out.",
                  plan->machine->entries[equal].number, plan->machine->entries[equal].description,
                  item->file);
        return ST_OK;
    }
    if (status != ST_ABSENT || place_is_planned(plan, value))
        return status == ST_ABSENT ? ST_OK : status;
    const char *detail =
        arena_printf(plan->arena, "\"%s\" from %s",
                     text_shown_from_ucs2(plan->arena, option.description), item->file);
    return edit_create(edit, value, ORDER_END, detail, NO_INDEX, NULL);
}

enum status plan_import(struct plan *plan, const struct import_item *items, size_t count,
                        const struct import_retarget *retarget)
{
    struct boot_edit edit;
    struct devpath_retarget how;
    size_t target = NO_INDEX;

    enum status status = edit_begin(plan, count, &edit);
    if (status == ST_OK && retarget != NULL)
        status = place_find(plan, &retarget->target, &target);
    if (status != ST_OK)
        return status;
    if (retarget != NULL)
        how = retarget_to(plan->machine, &retarget->source, target, PATH_KEEP);
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = import_one(&edit, &items[i], retarget == NULL ? NULL : &how);
    return status == ST_OK ? edit_finish(&edit) : status;
}

/* An entry that starts nothing more: its partition or its file is gone, or another stands in. What
 * is the firmware's own it also looks after. */
static bool is_prunable(const struct machine *machine, const struct finding *finding)
{
    const struct entry *entry = &machine->entries[finding->entry];

    if (entry->status != ST_OK || entry_is_firmwares(entry))
        return false;
    return finding->code == FINDING_ENTRY_PARTITION_GONE ||
           finding->code == FINDING_ENTRY_FILE_GONE || finding->code == FINDING_ENTRY_DUPLICATE;
}

/* True when a disk is here whose partitions are not known: it may have what seems to be gone. */
static bool partitions_are_hidden(struct plan *plan)
{
    const struct machine *machine = plan->machine;
    bool hidden = false;

    for (size_t i = 0; i < machine->disk_count; i++) {
        if (!disk_hides_partitions(&machine->disks[i]))
            continue;
        hidden = true;
        plan_warn_of_rest(
            plan,
            "The partition table of Disk %zu cannot be read. Entries whose partition may be "
            "there are kept.",
            i);
    }
    return hidden;
}

/* True for an entry whose ESP could not be read, or not all of it: its file may be there the next time, or
 * be brought there then. */
static bool is_on_unread_esp(const struct machine *machine, const struct entry *entry)
{
    size_t index = machine_find_esp(machine, entry->boot.partition);
    const struct esp *esp = index == NO_INDEX ? NULL : &machine->esps[index];

    return esp != NULL && (esp->status == ST_IO || esp->report.problems[FAT_UNREADABLE] > 0);
}

enum status prune_into(struct boot_edit *edit, bool keep_gone)
{
    struct plan *plan = edit->plan;
    const struct machine *machine = plan->machine;
    struct findings findings;
    bool kept = false;

    enum status status = audit_entries(plan->arena, machine, &findings);
    if (status != ST_OK)
        return status;
    bool hidden = partitions_are_hidden(plan);
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.items[i];
        if (finding->entry == NO_INDEX || !is_prunable(machine, finding))
            continue;
        if (finding->code == FINDING_ENTRY_PARTITION_GONE && (hidden || keep_gone)) {
            kept = true;
            continue;
        }
        const struct entry *entry = &machine->entries[finding->entry];
        if (is_on_unread_esp(machine, entry)) {
            plan_warn_of_rest(plan, "Boot%04X is kept: its ESP cannot be read.", entry->number);
            continue;
        }
        edit_delete(edit, finding->entry);
    }
    if (kept && !hidden)
        plan_warn_of_rest(plan,
                          "A boot disk is missing. Entries whose partition may be on it are kept; "
                          "\"shadowboot prune\" deletes them.");
    return ST_OK;
}

/* True when the plan itself makes, or sets active, an entry that takes over from the one with this
 * index: for the same file, or, where no ESP has that, for any. */
static bool is_replaced(struct plan *plan, size_t index)
{
    const char *file = plan->machine->entries[index].boot.file;
    bool any = !loader_is_here(plan->machine, file);
    uint16_t number = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        struct load_option option;
        struct target target;
        if (action->type != ACTION_SET_VARIABLE || !boot_variable_number(action->name, &number) ||
            load_option_parse(action->data, &option) != ST_OK ||
            (option.attributes & LOAD_OPTION_ACTIVE) == 0)
            continue;
        size_t mark = arena_mark(plan->arena);
        bool found =
            resolve_path(plan->arena, plan->machine, NULL, option.path, &target) == ST_OK &&
            target.partition != NO_INDEX && target.file != NULL &&
            (any || text_equal_nocase(target.file, file));
        arena_release(plan->arena, mark);
        if (found)
            return true;
    }
    return false;
}

/* The commands that make use of the entry, one for each ESP that has its file, or, where none is
 * known to have it, for each at all. "" when there is none. */
static const char *clone_lines(struct plan *plan, size_t index)
{
    const struct machine *machine = plan->machine;
    const struct target *boot = &machine->entries[index].boot;
    struct guid own = guid_load(boot->hd.signature);
    bool known = loader_is_here(machine, boot->file);
    char *text = arena_alloc(plan->arena, 1, CLONE_LINES_SIZE);
    struct text_buffer buffer;

    if (text == NULL || boot->hd.signature_type != HD_SIGNATURE_GUID)
        return "";
    text_buffer_init(&buffer, text, CLONE_LINES_SIZE);
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *partition = &machine->partitions[i];
        size_t esp = machine_find_esp(machine, i);
        bool has_file = esp != NO_INDEX && loader_is_on(machine, esp, boot->file);
        char source[GUID_TEXT_SIZE];
        char target[GUID_TEXT_SIZE];
        if (!place_is_fixed_esp(machine, i) || i == boot->partition || (known && !has_file))
            continue;
        guid_format(&own, source);
        guid_format(&partition->unique, target);
        text_buffer_printf(&buffer, "\n  shadowboot clone -sg %s -tg %s", source, target);
    }
    return text;
}

static void warn_of_kept(struct plan *plan, size_t index)
{
    const struct entry *entry = &plan->machine->entries[index];
    const char *lines = clone_lines(plan, index);

    plan->left_out = true;
    plan_warn_of_rest(
        plan,
        "Boot%04X \"%s\" is kept, though its %s is gone: nothing else that starts tells of %s. "
        "\"shadowboot delete Boot%04X\" deletes it all the same.%s%s",
        entry->number, entry->description, entry->boot.partition == NO_INDEX ? "partition" : "file",
        entry->boot.file, entry->number,
        lines[0] == '\0' ? "" : " To have a disk that is here start by it:", lines);
}

static bool names_gone_partition(const struct entry *entry)
{
    return entry->boot.has_hd && entry->boot.partition == NO_INDEX;
}

enum status prune_spare(struct boot_edit *edit)
{
    struct plan *plan = edit->plan;
    const struct machine *machine = plan->machine;
    bool *named = arena_alloc(plan->arena, machine->entry_count, sizeof(*named));
    bool gone = false;

    if (named == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < machine->entry_count; i++)
        named[i] = edit_names(edit, machine->entries[i].number);
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (!edit->deleted[i] || entry_stand_in(machine, i) != NO_INDEX ||
            !entry_will_be_last_record(machine, named, i) || is_replaced(plan, i)) {
            gone |= edit->deleted[i] && names_gone_partition(&machine->entries[i]);
            continue;
        }
        edit_keep(edit, i);
        warn_of_kept(plan, i);
    }
    if (gone)
        plan_warn(plan,
                  "A disk that is only unplugged looks just like one that is dead. Put it back "
                  "first if its entries are still wanted.");
    return ST_OK;
}

enum status plan_prune(struct plan *plan)
{
    struct boot_edit edit;

    enum status status = edit_begin_mending(plan, 0, &edit);
    if (status == ST_OK)
        status = prune_into(&edit, false);
    if (status == ST_OK)
        status = prune_spare(&edit);
    return status == ST_OK ? edit_finish(&edit) : status;
}
