#include "machine_rows.h"

#include "base/text.h"
#include "cmd/interrupted.h"
#include "format/mbr.h"
#include "machine_words.h"
#include "model/boot_name.h"
#include "show.h"
#include "model/contents.h"

void rows_open_disk(struct rows *to, size_t index, const char *role)
{
    const struct disk *disk = &to->context->machine.disks[index];

    row_open(to, ROW_DISK);
    row_number(to, index);
    row_text(to, disk->model);
    row_text(to, disk->path_text);
    row_number(to, disk->block_count * disk->block_size);
    row_number(to, disk->block_count);
    row_number(to, disk->block_size);
    row_text(to, disk_style_text(disk));
    if (disk->style == DISK_MBR)
        row_hex(to, disk->mbr.signature, 8);
    else
        row_guid(to, &disk->guid);
    row_text(to, disk->removable ? "removable" : "fixed");
    row_guid(to, &disk->guid);
    row_bool(to, disk->removable);
    row_text(to, role);
}

void rows_open_partition(struct rows *to, size_t index)
{
    const struct machine *machine = &to->context->machine;
    const struct files_port *files = &to->context->ports->files;
    const struct partition *own = &machine->partitions[index];
    bool gpt = machine->disks[own->disk].style == DISK_GPT;

    row_open(to, ROW_PARTITION);
    row_number(to, own->disk);
    row_number(to, own->number);
    row_text(to, gpt ? "GPT" : "MBR");
    row_number(to, partition_offset(machine, own));
    row_number(to, partition_bytes(machine, own));
    row_text(to, own->kind == PT_UNKNOWN ? "unknown" : partition_type_name(own->kind));
    row_guid(to, &own->type);
    row_guid(to, &own->unique);
    if (gpt)
        row_guid(to, &own->type);
    else
        row_hex(to, own->mbr_type, 2);
    row_text(to, gpt ? partition_type_name(own->kind) : mbr_type_name(own->mbr_type));
    row_text(to, own->name);
    row_hex(to, own->attributes, 16);
    row_text(to, own->volume == NO_INDEX ? NULL : files->volumes[own->volume].alias);
    row_number(to, own->first_lba);
    row_number(to, own->block_count);
}

void rows_file(struct rows *to, const struct esp *esp, size_t index)
{
    const struct partition *own = &to->context->machine.partitions[esp->partition];
    const struct fat_file *file = &esp->report.files[index];
    const struct file_content *content = &esp->contents[index];

    row_open(to, ROW_FILE);
    row_number(to, own->disk);
    row_number(to, own->number);
    row_text(to, file->path);
    row_number(to, file->size);
    if (content->status == ST_OK && (!to->in_haste || content_has_digest(content)))
        row_digest(to, content_digest(content));
    else
        row_nothing(to);
    row_text(to, file_state_text(file, content));
    row_close(to);
}

void rows_entry(struct rows *to, const struct entry *entry)
{
    struct context *context = to->context;
    struct guid none = {{0}};
    char name[VAR_NAME_SIZE];
    bool known = entry->status == ST_OK;
    size_t mark = arena_mark(context->arena);

    boot_variable_name(entry->number, name);
    row_open(to, ROW_ENTRY);
    row_number(to, entry->id);
    row_text(to, name);
    row_number(to, entry->number);
    row_text(to, status_text(entry->status));
    row_text(to, known ? entry->description : NULL);
    row_number(to, known ? entry->option.attributes : 0);
    row_text(to, entry->in_order ? "in order" : "not in order");
    row_bool(to, entry->in_order);
    row_text(to, entry->load_options);
    row_text(to, known ? entry->path_text : NULL);
    row_text(to, nt_path(context, &entry->boot));
    row_text(to, entry_start_text(context, entry));
    row_text(to, entry_file_text(entry->boot.file_status));
    row_text(to, nt_path(context, &entry->os));
    row_guid(to, entry->optional_kind == OPTIONAL_WINDOWS_BCD ? &entry->bcd_object : &none);
    row_close(to);
    arena_release(context->arena, mark);
}

void rows_verdict(struct rows *to, const struct judgement *judgement, size_t index)
{
    const struct forecast *forecast = &judgement->forecasts[index];
    char name[VAR_NAME_SIZE] = "";
    uint16_t number = 0;

    if (forecast->entry != NO_INDEX) {
        number = to->context->machine.entries[forecast->entry].number;
        boot_variable_name(number, name);
    }
    row_open(to, ROW_VERDICT);
    row_number(to, judgement->roles.members[index].disk);
    row_text(to, verdict_name(forecast->verdict));
    row_text(to, name);
    row_number_or_none(to, number, forecast->entry != NO_INDEX);
    row_text(to, forecast->reason);
    row_close(to);
}

void rows_status(struct rows *to, const struct judgement *judgement)
{
    row_open(to, ROW_STATUS);
    row_number(to, judgement->state);
    row_text(to, machine_state_text(judgement->state, judgement->roles.member_count));
    row_bool(to, option(to->context, "-quick") == NULL);
    row_close(to);
}

static void put_finding(struct rows *to, const struct finding *finding, bool linux_only)
{
    struct arena *arena = to->context->arena;

    row_open(to, ROW_FINDING);
    row_text(to, finding_name(finding->code));
    row_text(to, severity_text(finding_severity(finding->code)));
    row_text(to, finding_place(arena, &to->context->machine, finding));
    row_text(to, arena_printf(arena, "%s%s", finding_text(finding->code), finding->detail));
    row_text(to, finding_advice(arena, &to->context->machine, finding, linux_only));
    row_close(to);
}

void rows_findings(struct rows *to, const struct findings *findings)
{
    rows_open_list(to, ROW_FINDING);
    for (size_t i = 0; i < findings->count; i++)
        put_finding(to, &findings->items[i], findings->linux_only);
    rows_close_list(to);
}

void rows_journal(struct rows *to, const struct journal_file *file)
{
    row_open(to, ROW_JOURNAL);
    row_number(to, file->id);
    row_text(to, journal_date_text(to->context, file));
    row_text(to, journal_state_text(file));
    row_text(to, journal_store_alias(to->context->ports, file));
    row_text(to, file->path);
    row_text(to, text_printable(to->context->arena, file->journal.command));
    row_bool(to, file->has_blocks);
    row_bool(to, file->journal.is_undo || file->journal.state == JOURNAL_UNDOING);
    row_close(to);
}
