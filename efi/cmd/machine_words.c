#include "machine_words.h"

#include "model/firmware_entry.h"

#define DM_VOLUMES "\\Device\\HarddiskDmVolumes\\PhysicalDmVolumes\\BlockVolume"

const char *nt_path(struct context *context, const struct target *target)
{
    const char *path = NULL;

    if (target->partition == NO_INDEX || target->file == NULL)
        return "(null)";
    const struct partition *partition = &context->machine.partitions[target->partition];
    if (partition->nt_volume != 0)
        path = arena_printf(context->arena, "\\Device\\HarddiskVolume%u%s", partition->nt_volume,
                            target->file);
    else if (partition->block_volume != 0)
        path =
            arena_printf(context->arena, DM_VOLUMES "%u%s", partition->block_volume, target->file);
    return path == NULL ? "(null)" : path;
}

const char *entry_file_text(enum status status)
{
    if (status == ST_OK)
        return "present";
    return status == ST_ABSENT ? "MISSING" : "not checked (no file system mounted there)";
}

const char *target_place_text(struct context *context, const struct target *target)
{
    const struct machine *machine = &context->machine;
    char guid[GUID_TEXT_SIZE] = "";

    if (target->partition == NO_INDEX) {
        if (target->has_hd)
            return "a partition that is on no disk of this machine";
        if (target->disk != NO_INDEX)
            return arena_printf(context->arena, "Disk %zu", target->disk);
        return "no disk of this machine";
    }
    const struct partition *partition = &machine->partitions[target->partition];
    if (!guid_is_zero(&partition->unique))
        guid_format(&partition->unique, guid);
    const char *alias =
        partition->volume == NO_INDEX ? "" : context->ports->files.volumes[partition->volume].alias;
    return arena_printf(context->arena, "Disk %zu Partition %u %s%s%s", partition->disk,
                        partition->number, guid, alias[0] == '\0' ? "" : " ", alias);
}

/* Where the entry starts from; what some firmware does and some does not is said as that. */
const char *entry_start_text(struct context *context, const struct entry *entry)
{
    const char *place = target_place_text(context, &entry->boot);
    const char *reason = entry->status == ST_OK ? firmware_option_reason(&entry->option) : NULL;

    if (entry->form == DEVPATH_FORM_FILE && entry->boot.file != NULL)
        return "perhaps any disk: some firmware looks for the file on all, removable ones first; "
               "some does not start it";
    if (reason == NULL || entry->boot.disk != NO_INDEX)
        return place;
    return arena_printf(context->arena, "%s (the firmware's own: %s)", place, reason);
}

const char *severity_text(enum severity severity)
{
    static const char *const texts[] = {"note", "warning", "damage"};

    return texts[severity];
}

const char *disk_style_text(const struct disk *disk)
{
    if (disk->status != ST_OK)
        return "unreadable";
    if (disk->style == DISK_GPT)
        return "GPT";
    return disk->style == DISK_MBR ? "MBR" : "no partition table";
}

const char *member_role_text(const struct roles *roles, size_t member)
{
    if (member == NO_INDEX)
        return "";
    return member == roles->primary ? "primary" : "shadow";
}

const char *esp_state_text(const struct esp *esp)
{
    if (esp->status == ST_ABSENT)
        return esp->content == CONTENT_EMPTY ? "not formatted" : "no FAT file system";
    if (esp->status != ST_OK)
        return status_text(esp->status);
    if (fat_report_has_damage(&esp->report))
        return "damaged";
    return esp->report.complete ? "healthy" : "healthy as far as was looked";
}

const char *esp_type_text(const struct esp *esp)
{
    static const char *const types[] = {[FAT_12] = "FAT12", [FAT_16] = "FAT16", [FAT_32] = "FAT32"};

    return esp->status == ST_OK ? types[esp->volume.type] : volume_content_name(esp->content);
}

const char *file_state_text(const struct fat_file *file, const struct file_content *content)
{
    if (file->status != ST_OK)
        return status_text(file->status);
    if (content->status == ST_UNSUPPORTED)
        return "not read";
    if (content->status != ST_OK)
        return status_text(content->status);
    return content->is_program && content->program != PE_GOOD ? pe_verdict_text(content->program)
                                                              : "ok";
}

const char *journal_state_text(const struct journal_file *file)
{
    static const char *const texts[] = {
        [JOURNAL_PENDING] = "interrupted", [JOURNAL_DONE] = "done",
        [JOURNAL_UNDOING] = "interrupted", [JOURNAL_UNDONE] = "taken back",
        [JOURNAL_LEFT] = "left",
    };

    return file->status == ST_OK ? texts[file->journal.state] : status_text(file->status);
}

const char *journal_date_text(struct context *context, const struct journal_file *file)
{
    const struct date_time *date = &file->journal.date;
    const char *text = arena_printf(context->arena, "%04u-%02u-%02u %02u:%02u", date->year,
                                    date->month, date->day, date->hour, date->minute);

    return text == NULL ? "" : text;
}
