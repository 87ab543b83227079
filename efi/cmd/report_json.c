#include "report_json.h"

#include "base/builder.h"
#include "base/text.h"
#include "cmd/interrupted.h"
#include "cmd/json.h"
#include "path.h"
#include "show.h"

static void put_state(struct context *context, struct json *json, const struct judgement *judgement)
{
    json_open_object(json, "state");
    json_number(json, "exitStatus", judgement->state);
    json_text(json, "text", machine_state_text(judgement->state, judgement->roles.member_count));
    json_bool(json, "filesRead", option(context, "-quick") == NULL);
    json_close_object(json);
}

static void put_boot_volume(struct json *json, const struct roles *roles)
{
    static const char *const kinds[] = {"unknown", "ldm", "md", "plain"};

    json_open_object(json, "bootVolume");
    json_text(json, "kind", kinds[roles->kind]);
    json_text(json, "name", roles->name);
    json_number(json, "missingDisks", roles->missing);
    json_close_object(json);
}

static void put_digest(struct json *json, const struct sha256 *digest)
{
    char text[2 * sizeof(digest->bytes) + 1];

    for (size_t i = 0; i < sizeof(digest->bytes); i++) {
        text[2 * i] = "0123456789abcdef"[digest->bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[digest->bytes[i] & 15];
    }
    text[sizeof(text) - 1] = '\0';
    json_text(json, "sha256", text);
}

static void put_file(struct json *json, const struct fat_file *file,
                     const struct file_content *content)
{
    json_open_object(json, NULL);
    json_text(json, "path", file->path);
    json_number(json, "bytes", file->size);
    if (content->status == ST_OK)
        put_digest(json, &content->digest);
    json_text(json, "state", file_state_text(file, content));
    json_close_object(json);
}

static void put_esp(struct json *json, const struct esp *esp)
{
    json_open_object(json, "esp");
    json_text(json, "state", esp_state_text(esp));
    json_text(json, "fileSystem", esp_type_text(esp));
    if (esp->status == ST_OK) {
        json_text(json, "label", esp->volume.label);
        json_number(json, "serial", esp->volume.serial);
        json_number(json, "clusterBytes", esp->volume.cluster_size);
        json_number(json, "freeClusters", esp->report.free_clusters);
        json_bool(json, "complete", esp->report.complete);
        json_open_array(json, "files");
        for (size_t i = 0; i < esp->report.file_count; i++) {
            if (!esp->report.files[i].is_directory)
                put_file(json, &esp->report.files[i], &esp->contents[i]);
        }
        json_close_array(json);
    }
    json_close_object(json);
}

static void put_copy(struct json *json, const struct machine *machine,
                     const struct system_copy *copy)
{
    const struct volume_map *map = &machine->volumes;

    json_open_object(json, NULL);
    if (copy->plex != NO_INDEX) {
        json_text(json, "volume", map->volumes[map->plexes[copy->plex].volume].name);
        json_text(json, "plex", map->plexes[copy->plex].name);
        json_text(json, "plexState", plex_state_text(map->plexes[copy->plex].state));
    }
    json_number(json, "firstLba", copy->lba);
    json_number(json, "blocks", copy->block_count);
    json_text(json, "fileSystem", volume_content_name(copy->content));
    json_text(json, "windows", status_text(system_copy_windows(copy)));
    if (copy->status == ST_OK) {
        json_text(json, "label", copy->ntfs.label);
        json_text(json, "serial",
                  arena_printf(copy->ntfs.arena, "%016llx", (unsigned long long)copy->ntfs.serial));
        json_bool(json, "dirty", copy->ntfs.dirty);
    }
    json_close_object(json);
}

static void put_partition(struct json *json, const struct machine *machine, size_t index)
{
    const struct partition *own = &machine->partitions[index];
    size_t esp = machine_find_esp(machine, index);

    json_open_object(json, NULL);
    json_number(json, "number", own->number);
    json_text(json, "type", own->kind == PT_UNKNOWN ? "unknown" : partition_type_name(own->kind));
    json_guid(json, "typeGuid", &own->type);
    json_guid(json, "guid", &own->unique);
    json_text(json, "name", own->name);
    json_number(json, "firstLba", own->first_lba);
    json_number(json, "blocks", own->block_count);
    if (esp != NO_INDEX)
        put_esp(json, &machine->esps[esp]);
    json_open_array(json, "copies");
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].partition == index)
            put_copy(json, machine, &machine->copies[i]);
    }
    json_close_array(json);
    json_close_object(json);
}

static void put_start(struct json *json, const struct machine *machine, const struct start *start)
{
    json_open_object(json, "alone");
    json_text(json, "verdict", verdict_name(start->verdict));
    if (start->entry == NO_INDEX)
        json_null(json, "entry");
    else
        json_number(json, "entry", machine->entries[start->entry].number);
    json_text(json, "reason", start->reason);
    json_close_object(json);
}

static void put_disk(struct json *json, const struct machine *machine,
                     const struct judgement *judgement, size_t index)
{
    const struct disk *disk = &machine->disks[index];
    size_t member = roles_member_on(&judgement->roles, index);

    json_open_object(json, NULL);
    json_number(json, "number", index);
    json_text(json, "model", disk->model);
    json_text(json, "path", disk->path_text);
    json_number(json, "blocks", disk->block_count);
    json_number(json, "blockBytes", disk->block_size);
    json_guid(json, "guid", &disk->guid);
    json_bool(json, "removable", disk->removable);
    json_text(json, "role", member_role_text(&judgement->roles, member));
    if (member != NO_INDEX)
        put_start(json, machine, &judgement->starts[member]);
    json_open_array(json, "partitions");
    for (size_t i = 0; i < disk->partition_count; i++)
        put_partition(json, machine, disk->first_partition + i);
    json_close_array(json);
    json_close_object(json);
}

static void put_volume(struct json *json, const struct machine *machine,
                       const struct dynamic_volume *volume)
{
    json_open_object(json, NULL);
    json_text(json, "name", volume->name);
    json_guid(json, "guid", &volume->guid);
    json_guid(json, "group", &machine->volumes.groups[volume->group].guid);
    json_text(json, "type", dynamic_type_text(volume->type));
    json_text(json, "letter", volume->drive_hint);
    json_number(json, "sectors", volume->size);
    json_text(json, "status", dynamic_status_text(volume->status));
    json_close_object(json);
}

static void put_entry(struct json *json, const struct entry *entry)
{
    json_open_object(json, NULL);
    json_number(json, "number", entry->number);
    json_text(json, "status", status_text(entry->status));
    json_text(json, "name", entry->status == ST_OK ? entry->description : NULL);
    json_number(json, "attributes", entry->status == ST_OK ? entry->option.attributes : 0);
    json_bool(json, "inOrder", entry->in_order);
    json_text(json, "path", entry->status == ST_OK ? entry->path_text : NULL);
    json_close_object(json);
}

static void put_finding(struct context *context, struct json *json, const struct finding *finding,
                        bool linux_only)
{
    struct arena *arena = context->arena;

    json_open_object(json, NULL);
    json_text(json, "name", finding_name(finding->code));
    json_text(json, "severity", severity_text(finding_severity(finding->code)));
    json_text(json, "place", finding_place(arena, &context->machine, finding));
    json_text(json, "text",
              arena_printf(arena, "%s%s", finding_text(finding->code), finding->detail));
    json_text(json, "advice", finding_advice(finding->code, linux_only));
    json_close_object(json);
}

/* Changes that were interrupted. */
static void put_interrupted(struct context *context, struct json *json)
{
    const struct files_port *files = &context->ports->files;
    size_t mark = arena_mark(context->arena);
    struct journal_files list = {.count = 0};

    json_open_array(json, "interrupted");
    if (journal_store_list_interrupted(context->arena, files, &list) != ST_OK)
        list.count = 0;
    for (size_t i = 0; i < list.count; i++) {
        const struct journal_file *file = &list.items[i];
        json_open_object(json, NULL);
        json_number(json, "number", file->id);
        json_text(json, "date", journal_date_text(context, file));
        json_text(json, "volume", journal_store_alias(files, file));
        json_text(json, "path", file->path);
        json_text(json, "command", text_printable(context->arena, file->journal.command));
        json_bool(json, "disks", file->has_blocks);
        json_bool(json, "undo", file->journal.is_undo);
        json_close_object(json);
    }
    json_close_array(json);
    arena_release(context->arena, mark);
}

static void put_lists(struct context *context, struct json *json, const struct judgement *judgement)
{
    const struct machine *machine = &context->machine;

    json_open_array(json, "disks");
    for (size_t i = 0; i < machine->disk_count; i++)
        put_disk(json, machine, judgement, i);
    json_close_array(json);
    json_open_array(json, "volumes");
    for (size_t i = 0; i < machine->volumes.volume_count; i++)
        put_volume(json, machine, &machine->volumes.volumes[i]);
    json_close_array(json);
    json_open_array(json, "entries");
    for (size_t i = 0; i < machine->entry_count; i++)
        put_entry(json, &machine->entries[i]);
    json_close_array(json);
    json_open_array(json, "findings");
    for (size_t i = 0; i < judgement->findings.count; i++)
        put_finding(context, json, &judgement->findings.items[i], judgement->findings.linux_only);
    json_close_array(json);
    put_interrupted(context, json);
}

void report_json(struct context *context, const struct judgement *judgement, struct sink sink)
{
    const struct clock_port *clock = &context->ports->clock;
    struct date_time now;
    struct json json;

    json_start(&json, sink);
    json_open_object(&json, NULL);
    json_text(&json, "program", "shadowboot");
    json_number(&json, "reportVersion", REPORT_VERSION);
    if (clock->now(clock->ctx, &now) == ST_OK)
        json_text(&json, "date",
                  arena_printf(context->arena, "%04u-%02u-%02uT%02u:%02u:%02u", now.year, now.month,
                               now.day, now.hour, now.minute, now.second));
    json_text(&json, "architecture", context->machine.architecture);
    put_state(context, &json, judgement);
    put_boot_volume(&json, &judgement->roles);
    put_lists(context, &json, judgement);
    json_close_object(&json);
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

enum status report_json_file(struct context *context, const struct judgement *judgement,
                             const char *name)
{
    const struct files_port *files = &context->ports->files;
    struct file_place place;
    struct builder builder;
    size_t size = 0;

    enum status status = path_resolve(context, name, &place);
    if (status != ST_OK)
        return status;
    report_json(context, judgement, (struct sink){count_bytes, &size});
    builder_in_arena(&builder, context->arena, size);
    report_json(context, judgement, (struct sink){build_bytes, &builder});
    struct span text = builder_span(&builder);
    if (text.at == NULL || text.size != size) /* texts that found no memory are left out */
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
