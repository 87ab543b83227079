#include "bcd_source.h"

#include "base/text.h"
#include "format/ntfs/ntfs.h"
#include "format/regf/regf.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "model/copy_blocks.h"
#include "model/scan_esp.h"
#include "path.h"
#include "plan/place.h"

static enum status no_memory(struct context *context)
{
    return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
}

/* --- Stores of ESPs ------------------------------------------------------------------------- */

static const char *trouble_of(const struct esp *esp)
{
    if (esp->status != ST_OK)
        return "its file system cannot be read";
    if (esp->store_status != ST_OK)
        return status_text(esp->store_status);
    return boot_store_is_usable(esp) ? NULL : regf_state_text(esp->store);
}

static struct bcd_source partition_source(struct context *context, size_t index)
{
    const struct esp *esp = &context->machine.esps[index];

    return (struct bcd_source){
        .esp = index,
        .path = BOOT_STORE_PATH,
        .name = place_text(context->arena, &context->machine, esp->partition),
        .file = esp->store_file,
        .trouble = trouble_of(esp),
    };
}

/* The store that Windows' boot manager for BIOS reads. */
static struct bcd_source bios_source(struct context *context, const struct system_copy *copy)
{
    const struct partition *own = &context->machine.partitions[copy->partition];
    enum regf_state state = regf_check(copy->bios_store);
    struct bcd_source source = {
        .esp = NO_INDEX,
        .path = BIOS_STORE_PATH,
        .name = arena_printf(context->arena,
                             "Disk %zu Partition %u, " BIOS_STORE_PATH ", for BIOS (read only)",
                             own->disk, own->number),
        .file = copy->bios_store,
    };

    if (copy->bios_store_status != ST_OK)
        source.trouble = status_text(copy->bios_store_status);
    else if (state != REGF_GOOD)
        source.trouble = regf_state_text(state);
    return source;
}

static bool has_bios_store(const struct system_copy *copy)
{
    return copy->bios_store_status != ST_ABSENT && copy->bios_store_status != ST_UNSUPPORTED;
}

/* Without a file system there is no store either, which is said only of an ESP that is named. */
static bool may_have_store(const struct esp *esp, const char *place)
{
    return esp->status == ST_OK ? esp->store_status != ST_ABSENT : place != NULL;
}

/* A number of a disk, or a GUID of a partition or disk. */
static bool is_meant(const struct machine *machine, size_t index, const char *place)
{
    const struct partition *partition = &machine->partitions[index];
    uint64_t number = 0;
    struct guid guid;

    if (place == NULL)
        return true;
    if (text_parse_number(place, 10, &number) == ST_OK)
        return partition->disk == number;
    return guid_parse(place, &guid) == ST_OK &&
           (guid_equal(&partition->unique, &guid) ||
            guid_equal(&machine->disks[partition->disk].guid, &guid));
}

static enum status report_none(struct context *context, const char *place)
{
    const char *shown = place == NULL ? NULL : text_printable(context->arena, place);

    if (place == NULL)
        return report(context, ST_ABSENT,
                      "There is no boot store on the disks of this machine. Nothing was changed.");
    return report(
        context, ST_ABSENT,
        "\"%.64s\" has no partition with a boot store. Give the number of a disk, or a partition's GUID; \"shadowboot disks\" lists them. Nothing was "
        "changed.",
        shown == NULL ? "" : shown);
}

static enum status find_on_disks(struct context *context, const char *place,
                                 struct bcd_source **ret_sources, size_t *ret_count)
{
    const struct machine *machine = &context->machine;
    struct bcd_source *sources =
        arena_alloc(context->arena, boot_store_count(machine), sizeof(*sources));
    size_t count = 0;

    if (sources == NULL)
        return no_memory(context);
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *esp = &machine->esps[i];
        if (may_have_store(esp, place) && is_meant(machine, esp->partition, place))
            sources[count++] = partition_source(context, i);
    }
    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        if (has_bios_store(copy) && is_meant(machine, copy->partition, place))
            sources[count++] = bios_source(context, copy);
    }
    if (count == 0)
        return report_none(context, place);
    *ret_sources = sources;
    *ret_count = count;
    return ST_OK;
}

/* --- Stores in files ------------------------------------------------------------------------ */

/* The copy of the dynamic volume with that letter, "d:\boot\bcd", that can be read. */
static struct system_copy *copy_of_letter(struct context *context, const char *text)
{
    struct machine *machine = &context->machine;

    for (size_t i = 0; i < machine->copy_count; i++) {
        struct system_copy *copy = &machine->copies[i];
        if (copy->plex == NO_INDEX || copy->status != ST_OK)
            continue;
        const struct dynamic_plex *plex = &machine->volumes.plexes[copy->plex];
        const char *letter = machine->volumes.volumes[plex->volume].drive_hint;
        if (letter[0] != '\0' && text_has_prefix_nocase(text, letter))
            return copy;
    }
    return NULL;
}

/* The one system on a basic volume that can be read, for Windows alone knows the letters of those; NULL
 * also where there are several. */
static struct system_copy *copy_without_letter(struct machine *machine)
{
    struct system_copy *found = NULL;

    for (size_t i = 0; i < machine->copy_count; i++) {
        struct system_copy *copy = &machine->copies[i];
        if (copy->plex != NO_INDEX || copy->status != ST_OK)
            continue;
        if (found != NULL)
            return NULL;
        found = copy;
    }
    return found;
}

static enum status read_ntfs(struct context *context, const struct system_copy *copy,
                             const char *path, struct span *ret_file)
{
    const struct block_port *port = NULL;
    struct ntfs_volume volume;
    struct ntfs_file file;
    size_t size = 0;

    enum status status =
        copy_blocks_open(context->arena, context->ports->disks, &context->machine, copy, &port);
    if (status == ST_OK)
        status = ntfs_open(context->arena, port, 0, port->block_count, &volume);
    if (status == ST_OK)
        status = ntfs_lookup(&volume, path, &file);
    if (status != ST_OK)
        return status;
    if (file.is_directory || file.size > BOOT_STORE_MAX)
        return ST_DAMAGED;
    uint8_t *bytes = arena_alloc(context->arena, 1, (size_t)file.size);
    if (bytes == NULL)
        return ST_NO_MEMORY;
    status = ntfs_read(&volume, &file, 0, bytes, (size_t)file.size, &size);
    *ret_file = span_of(bytes, size);
    return status;
}

static enum status read_store_file(struct context *context, const struct file_place *place,
                                   struct span *ret_file)
{
    const struct files_port *files = &context->ports->files;
    struct file_info info;
    size_t size = 0;

    enum status status = files->stat(files->ctx, place->volume, place->path, &info);
    if (status != ST_OK)
        return status;
    if (info.is_directory || info.size > BOOT_STORE_MAX)
        return ST_DAMAGED;
    uint8_t *bytes = arena_alloc(context->arena, 1, (size_t)info.size);
    if (bytes == NULL)
        return ST_NO_MEMORY;
    status =
        files->read(files->ctx, place->volume, place->path, 0, bytes, (size_t)info.size, &size);
    *ret_file = span_of(bytes, size);
    return status;
}

/* The ESP that the file is on; NO_INDEX for any other volume. */
static size_t esp_of(const struct machine *machine, const struct file_place *place)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *esp = &machine->esps[i];
        if (machine->partitions[esp->partition].volume == place->volume &&
            fat_find(&esp->report, place->path) != FAT_NO_FILE)
            return i;
    }
    return NO_INDEX;
}

static enum status judge_file(struct context *context, enum status status,
                              struct bcd_source *io_source)
{
    if (status != ST_OK)
        return report(context, status, "%s cannot be read: %s. Nothing was changed.",
                      io_source->name, status_text(status));
    enum regf_state state = regf_check(io_source->file);
    if (state != REGF_GOOD) {
        io_source->trouble = regf_state_text(state);
        io_source->file = span_of(NULL, 0);
    }
    return ST_OK;
}

/* "D:" of a store's file is no name that is known here: what names there are. */
static enum status report_letter(struct context *context, const char *text)
{
    const struct files_port *files = &context->ports->files;
    const struct volume_map *map = &context->machine.volumes;
    const char *list = "";

    for (size_t i = 0; i < files->volume_count && list != NULL; i++)
        list = arena_printf(context->arena, "%s%s%s", list,
                            files->volumes[i].alias[0] == '\0' ? "" : " ", files->volumes[i].alias);
    for (size_t i = 0; i < map->volume_count && list != NULL; i++)
        list = arena_printf(context->arena, "%s %s", list, map->volumes[i].drive_hint);
    return report(context, ST_ABSENT,
                  "No volume here is known as %.2s. There are:%s. The store of an EFI system "
                  "partition is \\EFI\\Microsoft\\Boot\\BCD. Nothing was changed.",
                  text, list == NULL || list[0] == '\0' ? " none" : list);
}

/* A letter and a colon. */
static bool has_letter(const char *text)
{
    char letter = text_lower(text[0]);

    return letter >= 'a' && letter <= 'z' && text[1] == ':';
}

static enum status find_store_file(struct context *context, const char *text,
                                   struct bcd_source *ret_source)
{
    const struct system_copy *copy = copy_of_letter(context, text);
    struct bcd_source source = {.esp = NO_INDEX};
    struct file_place place;

    if (copy == NULL && has_letter(text))
        copy = copy_without_letter(&context->machine);
    if (copy != NULL) {
        source.name = text_printable(context->arena, text);
        const char *path = path_from_root(context, text + 2);
        if (source.name == NULL || path == NULL)
            return no_memory(context);
        *ret_source = source;
        enum status read = read_ntfs(context, copy, path, &ret_source->file);
        return judge_file(context, read, ret_source);
    }
    if (has_letter(text))
        return report_letter(context, text);
    enum status status = path_resolve(context, text, &place);
    if (status != ST_OK)
        return status;
    source.esp = esp_of(&context->machine, &place);
    if (source.esp != NO_INDEX && text_equal_nocase(place.path, BOOT_STORE_PATH)) {
        *ret_source = partition_source(context, source.esp);
        return ST_OK;
    }
    source.path = place.path;
    source.name = path_text(context, &place);
    *ret_source = source;
    return judge_file(context, read_store_file(context, &place, &ret_source->file), ret_source);
}

enum status bcd_find_sources(struct context *context, const char *place,
                             struct bcd_source **ret_sources, size_t *ret_count)
{
    const char *file = option(context, "-store");

    if (file == NULL)
        return find_on_disks(context, place, ret_sources, ret_count);
    if (place != NULL)
        return report(context, ST_USAGE,
                      "-store names the store already. Leave the disk out. Nothing was changed.");
    struct bcd_source *source = arena_alloc(context->arena, 1, sizeof(*source));
    if (source == NULL)
        return no_memory(context);
    enum status status = find_store_file(context, file, source);
    *ret_sources = source;
    *ret_count = 1;
    return status;
}
