#include "report_json.h"

#include "secure_rows.h"
#include "version.h"

#include "base/builder.h"
#include "format/smbios.h"
#include "machine_rows.h"
#include "path.h"
#include "show.h"
#include "volume_rows.h"
#include "machine_words.h"

static const char *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

/* Which machine it is: what those who collect from many tell them apart by. */
static void put_machine(struct rows *to)
{
    const struct ports *ports = to->context->ports;
    struct smbios_system system = {.manufacturer = NULL};

    if (smbios_read_system(to->context->arena, ports->smbios, &system) != ST_OK)
        system = (struct smbios_system){.manufacturer = NULL};
    row_open(to, ROW_MACHINE);
    row_text(to, text_or_null(system.manufacturer));
    row_text(to, text_or_null(system.product));
    row_text(to, text_or_null(system.serial));
    row_guid(to, &system.uuid);
    row_text(to, text_or_null(ports->net.hardware));
    row_close(to);
}

static void put_boot_volume(struct rows *to, const struct roles *roles)
{
    static const char *const kinds[] = {"unknown", "ldm", "md", "plain"};

    row_open(to, ROW_BOOT_VOLUME);
    row_text(to, kinds[roles->kind]);
    row_text(to, roles->name);
    row_number(to, roles->missing);
    row_close(to);
}

static void put_files(struct rows *to, const struct esp *esp)
{
    rows_open_list(to, ROW_FILE);
    for (size_t i = 0; i < esp->report.file_count; i++) {
        if (!esp->report.files[i].is_directory)
            rows_file(to, esp, i);
    }
    rows_close_list(to);
}

static void put_esp(struct rows *to, const struct esp *esp)
{
    row_open(to, ROW_ESP);
    row_text(to, esp_state_text(esp));
    row_text(to, esp_type_text(esp));
    if (esp->status == ST_OK) {
        row_text(to, esp->volume.label);
        row_number(to, esp->volume.serial);
        row_number(to, esp->volume.cluster_size);
        row_number(to, esp->report.free_clusters);
        row_bool(to, esp->report.complete);
        put_files(to, esp);
    }
    row_close(to);
}

static void json_plex(struct rows *to, const struct volume_map *map, size_t index)
{
    const struct dynamic_plex *plex = index == NO_INDEX ? NULL : &map->plexes[index];

    if (plex == NULL) {
        row_nothing(to);
        row_nothing(to);
        row_nothing(to);
        return;
    }
    row_text(to, map->volumes[plex->volume].name);
    row_text(to, plex->name);
    row_text(to, plex_state_text(plex->state));
}

static void put_copy(struct rows *to, const struct system_copy *copy)
{
    row_open(to, ROW_SYSTEM_COPY);
    json_plex(to, &to->context->machine.volumes, copy->plex);
    row_number(to, copy->lba);
    row_number(to, copy->block_count);
    row_text(to, volume_content_name(copy->content));
    row_text(to, status_text(system_copy_windows(copy)));
    if (copy->status == ST_OK) {
        row_text(to, copy->ntfs.label);
        row_text(to,
                 arena_printf(copy->ntfs.arena, "%016llx", (unsigned long long)copy->ntfs.serial));
        row_bool(to, copy->ntfs.dirty);
    }
    row_close(to);
}

static void put_partition(struct rows *to, size_t index)
{
    const struct machine *machine = &to->context->machine;
    size_t esp = machine_find_esp(machine, index);

    rows_open_partition(to, index);
    if (esp != NO_INDEX)
        put_esp(to, &machine->esps[esp]);
    rows_open_list(to, ROW_SYSTEM_COPY);
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].partition == index)
            put_copy(to, &machine->copies[i]);
    }
    rows_close_list(to);
    row_close(to);
}

static void put_disk(struct rows *to, const struct judgement *judgement, size_t index)
{
    const struct disk *disk = &to->context->machine.disks[index];
    size_t member = roles_member_on(&judgement->roles, index);

    rows_open_disk(to, index, member_role_text(&judgement->roles, member));
    if (member != NO_INDEX)
        rows_verdict(to, judgement, member);
    rows_open_list(to, ROW_PARTITION);
    for (size_t i = 0; i < disk->partition_count; i++)
        put_partition(to, disk->first_partition + i);
    rows_close_list(to);
    row_close(to);
}

/* Changes that were interrupted. */
static void put_interrupted(struct rows *to)
{
    struct arena *arena = to->context->arena;
    size_t mark = arena_mark(arena);
    struct journal_files list = {.count = 0};

    rows_open_list(to, ROW_JOURNAL);
    if (journal_store_list_interrupted(arena, to->context->ports, &list) != ST_OK)
        list.count = 0;
    for (size_t i = 0; i < list.count; i++)
        rows_journal(to, &list.items[i]);
    rows_close_list(to);
    arena_release(arena, mark);
}

static void put_lists(struct rows *to, const struct judgement *judgement)
{
    const struct machine *machine = &to->context->machine;

    rows_open_list(to, ROW_DISK);
    for (size_t i = 0; i < machine->disk_count; i++)
        put_disk(to, judgement, i);
    rows_close_list(to);
    rows_open_list(to, ROW_VOLUME);
    for (size_t i = 0; i < machine->volumes.volume_count; i++)
        rows_volume(to, i);
    rows_close_list(to);
    rows_open_list(to, ROW_ENTRY);
    for (size_t i = 0; i < machine->entry_count; i++)
        rows_entry(to, &machine->entries[i]);
    rows_close_list(to);
    if (machine->secure.status != ST_UNSUPPORTED)
        rows_secure_state(to);
    rows_secure_files(to);
    rows_findings(to, &judgement->findings);
    put_interrupted(to);
}

static void put_journal_date(struct rows *to)
{
    const struct clock_port *clock = &to->context->ports->clock;
    struct date_time now;

    if (clock->now(clock->ctx, &now) == ST_OK)
        row_text(to, arena_printf(to->context->arena, "%04u-%02u-%02uT%02u:%02u:%02u", now.year,
                                  now.month, now.day, now.hour, now.minute, now.second));
    else
        row_nothing(to);
}

static void report_json(struct context *context, const struct judgement *judgement, bool in_haste,
                        struct sink sink)
{
    struct json json;
    struct rows rows = {.context = context, .json = &json, .in_haste = in_haste};

    json_start(&json, sink);
    row_open(&rows, ROW_REPORT);
    row_text(&rows, "shadowboot");
    row_number(&rows, REPORT_VERSION);
    put_journal_date(&rows);
    row_text(&rows, context->machine.architecture);
    rows_program(&rows);
    put_machine(&rows);
    rows_status(&rows, judgement);
    put_boot_volume(&rows, &judgement->roles);
    put_lists(&rows, judgement);
    row_close(&rows);
    json_finish(&json);
}

static void count_bytes(void *ctx, const char *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)ctx += size;
}

static void build_bytes(void *ctx, const char *bytes, size_t size)
{
    builder_bytes(ctx, span_of(bytes, size));
}

enum status report_json_text(struct context *context, const struct judgement *judgement,
                             bool in_haste, struct span *ret_text)
{
    struct builder builder;
    size_t size = 0;

    report_json(context, judgement, in_haste, (struct sink){count_bytes, &size});
    builder_in_arena(&builder, context->arena, size);
    report_json(context, judgement, in_haste, (struct sink){build_bytes, &builder});
    struct span text = builder_span(&builder);
    if (text.at == NULL || text.size != size) /* texts that found no memory are left out */
        return ST_NO_MEMORY;
    *ret_text = text;
    return ST_OK;
}

enum status report_json_file(struct context *context, const struct judgement *judgement,
                             const char *name)
{
    const struct files_port *files = &context->ports->files;
    struct file_place place;
    struct span text;

    enum status status = path_resolve(context, name, &place);
    if (status != ST_OK)
        return status;
    if (report_json_text(context, judgement, false, &text) != ST_OK)
        return report(context, ST_NO_MEMORY, "There is too little memory for the report.");
    status = files->write(files->ctx, place.volume, place.path, FILE_CREATE, text.at, text.size);
    if (status == ST_EXISTS)
        return report(context, status, "%s is there already. Name another file.",
                      path_text(context, &place));
    if (status != ST_OK)
        return report(context, status, "%s could not be written: %s.", path_text(context, &place),
                      status_text(status));
    return ST_OK;
}
