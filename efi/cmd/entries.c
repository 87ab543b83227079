#include "audit/audit.h"
#include "audit/roles.h"
#include "cmd/command.h"
#include "machine_rows.h"
#include "show.h"
#include "machine_words.h"
#include "model/boot_name.h"
#include "model/firmware_entry.h"

static const char *attributes_text(struct arena *arena, const struct entry *entry)
{
    uint32_t bits = entry->option.attributes;
    uint32_t category = bits & LOAD_OPTION_CATEGORY;
    const char *active = (bits & LOAD_OPTION_ACTIVE) != 0 ? "active" : "not active";
    const char *hidden = (bits & LOAD_OPTION_HIDDEN) != 0 ? ", hidden" : "";
    const char *kind = "";

    if (category != 0)
        kind = category == LOAD_OPTION_CATEGORY_APP ? ", application" : ", unknown category";
    return arena_printf(arena, "%s%s%s%s", active, hidden, kind,
                        entry->in_order ? "" : ", not in BootOrder");
}

/* The first other entry that firmware goes through and that is called the same; NO_INDEX for none.
 * Some firmware shows or keeps only one of them. */
static size_t find_namesake(const struct machine *machine, size_t index)
{
    const struct entry *own = &machine->entries[index];

    for (size_t i = 0; i < machine->entry_count && entry_is_tried(own); i++) {
        const struct entry *other = &machine->entries[i];
        if (i != index && entry_is_tried(other) &&
            span_equal(own->option.description, other->option.description))
            return i;
    }
    return NO_INDEX;
}

static void show_optional(struct context *context, const struct entry *entry)
{
    char guid[GUID_TEXT_SIZE];
    size_t size = entry->option.optional.size;

    switch (entry->optional_kind) {
    case OPTIONAL_NONE:
        break;
    case OPTIONAL_WINDOWS:
        say(context, "OsFilePath:       %s\n", nt_path(context, &entry->os));
        say(context, "System on:        %s\n", target_place_text(context, &entry->os));
        break;
    case OPTIONAL_WINDOWS_BCD:
        guid_format(&entry->bcd_object, guid);
        say(context, "BCD object:       %s\n", guid);
        break;
    case OPTIONAL_WINDOWS_BROKEN:
        say(context, "Optional data:    %zu bytes, malformed Windows data\n", size);
        break;
    case OPTIONAL_OTHER:
        say(context, "Optional data:    %zu bytes%s\n", size,
            entry_is_firmwares(entry) ? ", made by the firmware itself" : "");
        break;
    }
}

static void show_entry(struct context *context, size_t index)
{
    const struct machine *machine = &context->machine;
    const struct entry *entry = &machine->entries[index];
    size_t namesake = find_namesake(machine, index);
    bool current = machine->current.status == ST_OK && machine->current.number == entry->number;
    bool next = machine->next.status == ST_OK && machine->next.number == entry->number;

    say(context, "Boot entry ID:    %zu\n", entry->id);
    say(context, "Boot variable:    Boot%04X%s%s\n", entry->number, current ? ", running" : "",
        next ? ", next" : "");
    if (entry->status != ST_OK) {
        char size[THOUSANDS_SIZE];
        say(context, "Damaged:          %s, %s bytes\n\n", status_text(entry->status),
            format_thousands(entry->claimed_size, size));
        return;
    }
    say(context, "OS Friendly Name: %s\n", entry->description);
    if (namesake != NO_INDEX)
        say(context, "Same name:        Boot%04X\n", machine->entries[namesake].number);
    say(context, "Attributes:       %s\n", attributes_text(context->arena, entry));
    say(context, "OsLoadOptions:    %s\n",
        entry->load_options[0] == '\0' ? "N/A" : entry->load_options);
    say(context, "Device path:      %s\n", entry->path_text);
    if (entry->boot.partition != NO_INDEX)
        say(context, "BootFilePath:     %s\n", nt_path(context, &entry->boot));
    say(context, "Starts from:      %s\n", entry_start_text(context, entry));
    if (entry->boot.partition != NO_INDEX && entry->boot.file != NULL)
        say(context, "Boot file:        %s\n", entry_file_text(entry->boot.file_status));
    show_optional(context, entry);
    say(context, "\n");
}

static void show_order(struct context *context)
{
    const struct machine *machine = &context->machine;

    if (machine->next.status == ST_OK)
        say(context, "BootNext:            Boot%04X\n", machine->next.number);
    else if (machine->next.status != ST_ABSENT)
        say(context, "BootNext:            %s\n", status_text(machine->next.status));
    say(context, "BootOrder:           ");
    for (size_t i = 0; i < machine->order.count; i++)
        say(context, "%s%04X", i == 0 ? "" : ",", machine->order.numbers[i]);
    if (machine->order.count == 0)
        say(context, "(%s)",
            machine->order.status == ST_ABSENT ? "missing"
            : machine->order.status == ST_OK   ? "empty"
                                               : status_text(machine->order.status));
    say(context, "\n\nBoot Entries\n------------\n\n");
}

static void order_rows(struct context *context)
{
    const struct machine *machine = &context->machine;
    struct rows rows = rows_of_tables(context);
    const struct {
        const char *name;
        const struct small_var *var;
        bool names_entry;
    } small[] = {{"Timeout", &machine->timeout, false},
                 {"BootCurrent", &machine->current, true},
                 {"BootNext", &machine->next, true}};

    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
        if (small[i].var->status != ST_OK)
            continue;
        row_open(&rows, ROW_SETTING);
        row_text(&rows, small[i].name);
        if (small[i].names_entry)
            row_text(&rows, arena_printf(context->arena, "%04X", small[i].var->number));
        else
            row_number(&rows, small[i].var->number);
        row_close(&rows);
    }
    for (size_t i = 0; i < machine->order.count; i++) {
        row_open(&rows, ROW_ORDER);
        row_number(&rows, i);
        row_text(&rows, arena_printf(context->arena, "%04X", machine->order.numbers[i]));
        row_close(&rows);
    }
}

enum status cmd_entries(struct context *context)
{
    struct rows rows = rows_of_tables(context);
    struct findings findings;

    enum status status = context_scan(context, SCAN_ENTRIES);
    if (status != ST_OK)
        return status;
    if (context->sfo) {
        order_rows(context);
    } else {
        show_boot_options(context);
        show_order(context);
    }
    for (size_t i = 0; i < context->machine.entry_count; i++) {
        if (context->sfo)
            rows_entry(&rows, &context->machine.entries[i]);
        else
            show_entry(context, i);
    }
    status = audit_entries(context->arena, &context->machine, &findings);
    if (status != ST_OK)
        return report(context, status, "Out of memory.");
    show_findings(context, &findings);
    return findings_status(&findings);
}
