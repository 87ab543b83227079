#include "show.h"

#include "audit/audit.h"
#include "base/text.h"
#include "format/mbr.h"
#include "machine_rows.h"
#include "machine_words.h"

static void show_guid(struct context *context, const char *label, const struct guid *guid)
{
    char text[GUID_TEXT_SIZE];

    guid_format(guid, text);
    say(context, "%s%s\n", label, text);
}

static void show_more(struct context *context, const struct partition *partition)
{
    const struct files_port *files = &context->ports->files;

    if (partition->hd_number != partition->number)
        say(context, "Table entry:      %u\n", partition->hd_number);
    if (partition->name[0] != '\0')
        say(context, "GPT name:         %s\n", partition->name);
    if (partition->attributes != 0)
        say(context, "Attributes:       0x%016llx\n", (unsigned long long)partition->attributes);
    if (partition->volume != NO_INDEX && files->volumes[partition->volume].alias[0] != '\0')
        say(context, "Mounted as:       %s\n", files->volumes[partition->volume].alias);
}

static void show_mbr_type(struct context *context, const struct partition *partition)
{
    say(context, "MBR type:         0x%02x%s\n", partition->mbr_type,
        partition->active ? ", active" : "");
    say(context, "Partition name:   %s\n", mbr_type_name(partition->mbr_type));
}

void show_partition(struct context *context, size_t index, bool extended)
{
    const struct machine *machine = &context->machine;
    const struct partition *partition = &machine->partitions[index];
    bool gpt = machine->disks[partition->disk].style == DISK_GPT;
    char offset[THOUSANDS_SIZE];
    char length[THOUSANDS_SIZE];

    say(context, "Partition No:      %u\n", partition->number);
    say(context, "Partition Style:  %s\n", gpt ? "GPT" : "MBR");
    say(context, "Starting  offset: %s\n",
        format_thousands(partition_offset(machine, partition), offset));
    say(context, "Partition length: %s\n",
        format_thousands(partition_bytes(machine, partition), length));
    if (gpt) {
        show_guid(context, "Partition GUID:   ", &partition->unique);
        show_guid(context, "GUID type:        ", &partition->type);
        say(context, "Partition name:   %s\n", partition_type_name(partition->kind));
    } else {
        show_mbr_type(context, partition);
    }
    if (extended)
        show_more(context, partition);
    say(context, "\n");
}

void show_entry_as_bootcfg(struct context *context, const struct entry *entry)
{
    say(context, "Boot entry ID:    %zu\n", entry->id);
    say(context, "OS Friendly Name: %s\n", entry->description);
    if (entry_is_windows(entry)) {
        say(context, "OsLoadOptions:    %s\n",
            entry->load_options[0] == '\0' ? "N/A" : entry->load_options);
        say(context, "BootFilePath:     %s\n", nt_path(context, &entry->boot));
        say(context, "OsFilePath:       %s\n", nt_path(context, &entry->os));
    }
    say(context, "\n");
}

static size_t current_id(const struct machine *machine)
{
    if (machine->current.status != ST_OK)
        return 0;
    size_t entry = machine_find_entry(machine, machine->current.number);
    return entry == NO_INDEX ? 0 : machine->entries[entry].id;
}

void show_boot_options(struct context *context)
{
    const struct machine *machine = &context->machine;
    bool has_first = machine->entry_count > 0 && machine->entries[0].in_order;
    size_t current = current_id(machine);

    say(context, "Boot Options\n------------\n");
    if (machine->timeout.status == ST_OK && machine->timeout.number != UINT16_MAX)
        say(context, "Timeout:             %u\n", machine->timeout.number);
    else if (machine->timeout.status == ST_OK || machine->timeout.status == ST_ABSENT)
        say(context, "Timeout:             none (waits for ever)\n");
    else
        say(context, "Timeout:             %s\n", status_text(machine->timeout.status));
    say(context, "Default:             %s\n",
        has_first ? nt_path(context, &machine->entries[0].os) : "(null)");
    if (current != 0)
        say(context, "CurrentBootEntryID:  %zu\n", current);
    else
        say(context, "CurrentBootEntryID:  N/A\n");
}

/* Only damage and warnings stand out; the word is there in any case. */
static const char *severity_colour(enum severity severity)
{
    static const char *const colours[] = {COLOUR_PLAIN, COLOUR_WARNING, COLOUR_BAD};

    return colours[severity];
}

void show_finding(struct context *context, const struct finding *finding)
{
    enum severity severity = finding_severity(finding->code);

    say(context, "%s[%s]" COLOUR_PLAIN " %s: %s%s\n", severity_colour(severity),
        severity_text(severity), finding_place(context->arena, &context->machine, finding),
        finding_text(finding->code), finding->detail);
}

void show_findings(struct context *context, const struct findings *findings)
{
    struct rows rows = rows_of_tables(context);

    if (context->sfo) {
        rows_findings(&rows, findings);
        return;
    }
    if (findings->count > 0)
        say(context, "Findings\n--------\n");
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        const char *advice =
            finding_advice(context->arena, &context->machine, finding, findings->linux_only);
        show_finding(context, finding);
        if (advice[0] != '\0')
            say(context, "    %s\n", advice);
    }
}

enum status findings_status(const struct findings *findings)
{
    return findings_have(findings, SEVERITY_DAMAGE) ? ST_DAMAGED : ST_OK;
}

/* "Disk 0 Partition 1", or what else it is. */
static const char *content_place(struct context *context, const struct file_copy *item)
{
    const struct machine *machine = &context->machine;

    if (item->is_directory)
        return "folder";
    if (item->content.size > 0)
        return "for its own disk";
    if (item->esp == NO_INDEX)
        return "empty";
    const struct partition *own = &machine->partitions[machine->esps[item->esp].partition];
    const char *text =
        arena_printf(context->arena, "from Disk %zu Partition %u", own->disk, own->number);
    return text == NULL ? "" : text;
}

void show_files_change(struct context *context, const struct files_change *files)
{
    struct rows rows = rows_of_tables(context);
    char size[THOUSANDS_SIZE];

    for (size_t i = 0; i < files->count; i++) {
        const struct file_copy *item = &files->items[i];
        const char *place = content_place(context, item);
        if (context->sfo) {
            row_open(&rows, ROW_COPY);
            row_text(&rows, item->path);
            row_number(&rows, item->size);
            row_text(&rows, place);
            row_close(&rows);
            continue;
        }
        say(context, "     %14s  %s (%s)\n", format_thousands(item->size, size), item->path, place);
    }
}
