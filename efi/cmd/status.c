#include "audit/audit_machine.h"
#include "audit/installed.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/interrupted.h"
#include "judgement.h"
#include "machine_rows.h"
#include "cmd/picture.h"
#include "report_json.h"
#include "show.h"
#include "show_plan.h"
#include "try_start.h"
#include "machine_words.h"

void show_disk_line(struct context *context, const struct roles *roles, size_t index)
{
    const struct disk *disk = &context->machine.disks[index];
    const char *role = member_role_text(roles, roles_member_on(roles, index));
    char size[SIZE_TEXT_SIZE];

    if (role[0] == '\0')
        role = disk->has_self ? "started from" : "other";
    say(context, "Disk %zu  %s  %s  %s\n", index, role,
        format_size(disk->block_count * disk->block_size, size),
        disk->model[0] != '\0' ? disk->model : disk->path_text);
}

/* A file system that is in order is not healthy where the ESP stops a start. */
static const char *state_text(const struct esp *esp, const struct findings *findings)
{
    const char *state = esp_state_text(esp);

    for (size_t i = 0; i < findings->count && text_has_prefix_nocase(state, "healthy"); i++) {
        const struct finding *finding = &findings->items[i];
        if (finding->partition == esp->partition &&
            finding_severity(finding->code) == SEVERITY_DAMAGE)
            state = "not ready, see below";
    }
    return state;
}

/* This program standing by: ", shadowboot 1.2.3". */
static void show_installed(struct context *context, const struct esp *esp)
{
    const char *path = installed_path(context->arena, &context->machine);
    size_t index = (size_t)(esp - context->machine.esps);
    struct installed own = {.sound = false};

    if (path != NULL)
        own = installed_at(&context->machine, index, path);
    if (own.sound)
        say(context, ", shadowboot %s", installed_version_text(context->arena, own.version));
}

static void show_esp(struct context *context, const struct esp *esp,
                     const struct findings *findings)
{
    const struct partition *own = &context->machine.partitions[esp->partition];
    const struct files_port *files = &context->ports->files;
    char size[SIZE_TEXT_SIZE];

    say(context, "  Partition %u: ESP, %s", own->number,
        format_size(partition_bytes(&context->machine, own), size));
    if (own->volume != NO_INDEX && files->volumes[own->volume].alias[0] != '\0')
        say(context, ", %s", files->volumes[own->volume].alias);
    if (esp->status == ST_OK)
        say(context, ", %s, %zu %s", esp_type_text(esp), esp->report.file_count,
            esp->report.file_count == 1 ? "file or folder" : "files and folders");
    show_installed(context, esp);
    say(context, ", %s\n", state_text(esp, findings));
}

static const char *copy_state_text(const struct system_copy *copy)
{
    if (!copy->looked)
        return "not looked into";
    if (copy->content == CONTENT_BITLOCKER)
        return "BitLocker";
    switch (system_copy_windows(copy)) {
    case ST_OK:
        return "NTFS with Windows";
    case ST_ABSENT:
        return copy->status == ST_OK ? "NTFS without Windows" : "no NTFS";
    default:
        return "NTFS that cannot be looked into";
    }
}

static void show_copy(struct context *context, const struct system_copy *copy)
{
    const struct machine *machine = &context->machine;
    const struct volume_map *map = &machine->volumes;

    if (copy->partition != NO_INDEX)
        say(context, "  Partition %u: ", machine->partitions[copy->partition].number);
    else
        say(context, "  LBA %llu: ", (unsigned long long)copy->lba);
    if (copy->plex != NO_INDEX) {
        const struct dynamic_plex *plex = &map->plexes[copy->plex];
        const struct dynamic_volume *volume = &map->volumes[plex->volume];
        say(context, "%s of %s %s", plex->name, dynamic_type_text(volume->type), volume->name);
        if (copy->pieces > 1)
            say(context, ", in %zu pieces", copy->pieces);
        say(context, "%s, ", plex->state == PLEX_GOOD ? "" : ", not to be relied on");
    }
    say(context, "%s", copy_state_text(copy));
    if (copy->status == ST_OK && copy->ntfs.label[0] != '\0')
        say(context, " \"%s\"", copy->ntfs.label);
    say(context, "\n");
}

static void show_disk_content(struct context *context, const struct judgement *judgement,
                              size_t index)
{
    const struct machine *machine = &context->machine;

    show_disk_line(context, &judgement->roles, index);
    show_picture(context, index, &judgement->findings, PICTURE_WIDTH);
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (machine->partitions[machine->esps[i].partition].disk == index)
            show_esp(context, &machine->esps[i], &judgement->findings);
    }
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].disk == index && machine->copies[i].looked)
            show_copy(context, &machine->copies[i]);
    }
    say(context, "\n");
}

static void show_judgement(struct context *context, const struct judgement *judgement)
{
    for (size_t i = 0; i < context->machine.disk_count; i++)
        show_disk_content(context, judgement, i);
    show_findings(context, &judgement->findings);
    if (judgement->findings.count > 0)
        say(context, "\n");
    show_verdict(context, judgement); /* last, so that it has not scrolled away */
}

static void status_rows(struct context *context, const struct judgement *judgement)
{
    const struct machine *machine = &context->machine;
    struct rows rows = rows_of_tables(context);

    rows_judgement(&rows, judgement);
    rows_findings(&rows, &judgement->findings);
    for (size_t i = 0; i < machine->esp_count && context->verbose; i++) {
        const struct esp *esp = &machine->esps[i];
        for (size_t j = 0; j < esp->report.file_count; j++) {
            if (!esp->report.files[j].is_directory)
                rows_file(&rows, esp, j);
        }
    }
}

enum status cmd_status(struct context *context)
{
    const char *json = option(context, "-json");
    struct judgement judgement;

    enum status status =
        context_scan(context, option(context, "-quick") == NULL ? SCAN_FULL : SCAN_QUICK);
    if (status != ST_OK)
        return status;
    if (context->machine.disk_count == 0)
        return report(context, ST_ABSENT, "The firmware shows no disk.");
    status = audit_machine(context->arena, &context->machine, &judgement);
    if (status != ST_OK)
        return report(context, status, "Out of memory.");
    if (context->sfo)
        status_rows(context, &judgement);
    else
        show_judgement(context, &judgement);
    note_interrupted(context);
    show_start_tests(context);
    if (!context->sfo)
        show_next(context, &judgement);
    context->exit_status = judgement.state;
    return json == NULL ? ST_OK : report_json_file(context, &judgement, json);
}
