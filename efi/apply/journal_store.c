#include "apply/journal_store.h"

#include "base/print.h"
#include "base/sort.h"
#include "base/text.h"

#define NAME_LENGTH      12u /* J0000001.SBJ */
#define JOURNAL_MAX      (4u * 1024 * 1024)
#define FREE_MARGIN      (64u * 1024) /* bytes to leave free on a volume besides the journal */
#define FILES_PER_VOLUME 10000u       /* directory entries looked at */

/* True, with the number, when `name` is a journal's. */
static bool parse_name(const char *name, uint32_t *ret_id)
{
    char digits[8];
    uint64_t id = 0;

    if (text_length(name) != NAME_LENGTH || text_lower(name[0]) != 'j' ||
        !text_equal_nocase(name + 8, ".SBJ"))
        return false;
    for (int i = 0; i < 7; i++)
        digits[i] = name[1 + i];
    digits[7] = '\0';
    if (text_parse_number(digits, 10, &id) != ST_OK || id == 0)
        return false;
    *ret_id = (uint32_t)id;
    return true;
}

static enum status read_file(struct arena *arena, const struct files_port *files, size_t volume,
                             const char *path, uint64_t size, struct span *ret_data)
{
    size_t got = 0;

    if (size > JOURNAL_MAX)
        return ST_DAMAGED;
    uint8_t *data = arena_alloc(arena, 1, (size_t)size);
    if (data == NULL)
        return ST_NO_MEMORY;
    enum status status = files->read(files->ctx, volume, path, 0, data, (size_t)size, &got);
    if (status == ST_OK)
        *ret_data = span_of(data, got);
    return status;
}

static enum status load(struct arena *arena, const struct files_port *files, size_t volume,
                        const struct file_info *info, uint32_t id, struct journal_file *ret_file)
{
    struct journal_file file = {.id = id, .volume = volume};
    struct span data;

    file.journal.command = "";
    file.path = arena_printf(arena, "%s\\%s", JOURNAL_DIRECTORY, info->name);
    if (file.path == NULL)
        return ST_NO_MEMORY;
    file.status = read_file(arena, files, volume, file.path, info->size, &data);
    if (file.status == ST_OK)
        file.status = journal_parse(arena, data, &file.journal);
    if (file.status == ST_NO_MEMORY)
        return ST_NO_MEMORY;
    *ret_file = file;
    return ST_OK;
}

/* Calls for every journal name on a volume: counts them, or loads them when `items` is given. */
static enum status walk_volume(struct arena *arena, const struct files_port *files, size_t volume,
                               struct journal_file *items, size_t *io_count)
{
    for (size_t i = 0; i < FILES_PER_VOLUME; i++) {
        struct file_info info;
        uint32_t id = 0;
        if (files->list(files->ctx, volume, JOURNAL_DIRECTORY, i, &info) != ST_OK)
            return ST_OK;
        if (info.is_directory || !parse_name(info.name, &id))
            continue;
        if (items != NULL) {
            enum status status = load(arena, files, volume, &info, id, &items[*io_count]);
            if (status != ST_OK)
                return status;
        }
        *io_count += 1;
    }
    return ST_OK;
}

static int by_id(const void *ctx, size_t a, size_t b)
{
    const struct journal_file *items = ctx;

    if (items[a].id != items[b].id)
        return items[a].id < items[b].id ? -1 : 1;
    return 0;
}

static enum status sort_files(struct arena *arena, const struct journal_file *items, size_t count,
                              struct journal_files *ret_files)
{
    struct journal_file *sorted = arena_alloc(arena, count, sizeof(*sorted));
    size_t *order = arena_alloc(arena, count, sizeof(*order));

    if (sorted == NULL || order == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    sort_items(order, count, by_id, items);
    for (size_t i = 0; i < count; i++)
        sorted[i] = items[order[i]];
    ret_files->items = sorted;
    ret_files->count = count;
    return ST_OK;
}

enum status journal_store_list(struct arena *arena, const struct files_port *files,
                               struct journal_files *ret_files)
{
    size_t room = 0;
    size_t count = 0;
    enum status status = ST_OK;

    for (size_t i = 0; i < files->volume_count && status == ST_OK; i++)
        status = walk_volume(arena, files, i, NULL, &room);
    struct journal_file *items = arena_alloc(arena, room, sizeof(*items));
    if (items == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < files->volume_count && status == ST_OK; i++) {
        if (count < room)
            status = walk_volume(arena, files, i, items, &count);
    }
    return status == ST_OK ? sort_files(arena, items, count, ret_files) : status;
}

/* The highest number in use on any volume. */
static uint32_t last_id(const struct files_port *files)
{
    uint32_t last = 0;

    for (size_t volume = 0; volume < files->volume_count; volume++) {
        struct file_info info;
        uint32_t id = 0;
        for (size_t i = 0; i < FILES_PER_VOLUME; i++) {
            if (files->list(files->ctx, volume, JOURNAL_DIRECTORY, i, &info) != ST_OK)
                break;
            if (parse_name(info.name, &id) && id > last)
                last = id;
        }
    }
    return last;
}

static bool has_room(const struct file_volume *volume, size_t size)
{
    /* A volume that does not tell its free space is tried: the write itself will say. */
    return !volume->read_only && (volume->free == 0 || volume->free >= size + FREE_MARGIN);
}

static bool is_fixed_esp(const struct machine *machine, size_t volume)
{
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *partition = &machine->partitions[i];
        if (partition->volume == volume)
            return partition->kind == PT_ESP && !machine->disks[partition->disk].removable;
    }
    return false;
}

/* Writes the file and compares what can be read back; takes a bad one away again. */
static enum status write_checked(struct arena *arena, const struct files_port *files, size_t volume,
                                 const char *path, struct span data)
{
    size_t mark = arena_mark(arena);
    uint8_t *back = arena_alloc(arena, 1, data.size);
    size_t got = 0;

    if (back == NULL)
        return ST_NO_MEMORY;
    enum status status = files->write(files->ctx, volume, path, FILE_CREATE, data.at, data.size);
    if (status == ST_OK) {
        status = files->read(files->ctx, volume, path, 0, back, data.size, &got);
        if (status == ST_OK && !span_equal(span_of(back, got), data))
            status = ST_IO;
    }
    arena_release(arena, mark);
    if (status != ST_OK && status != ST_EXISTS)
        (void)files->remove(files->ctx, volume, path);
    return status;
}

enum status journal_store_save(struct arena *arena, const struct files_port *files,
                               const struct machine *machine, const struct journal *journal,
                               struct journal_file *ret_file)
{
    struct journal_file file = {.id = last_id(files) + 1, .journal = *journal};
    struct span data;
    enum status result = ST_ABSENT;

    file.path = arena_printf(arena, "%s\\J%07u.SBJ", JOURNAL_DIRECTORY, file.id);
    if (file.path == NULL)
        return ST_NO_MEMORY;
    enum status status = journal_build(arena, journal, &data);
    if (status != ST_OK)
        return status;
    /* The volume we came from first, then the others in their order. */
    for (size_t i = 0; i <= files->volume_count; i++) {
        size_t volume = i == 0 ? files->self : i - 1;
        if (volume >= files->volume_count || (i > 0 && volume == files->self))
            continue;
        if (i > 0 && !is_fixed_esp(machine, volume))
            continue;
        if (!has_room(&files->volumes[volume], data.size)) {
            result = files->volumes[volume].read_only ? ST_READ_ONLY : ST_NO_SPACE;
            continue;
        }
        result = write_checked(arena, files, volume, file.path, data);
        if (result != ST_OK)
            continue;
        file.volume = volume;
        *ret_file = file;
        return ST_OK;
    }
    return result;
}

enum status journal_store_mark(const struct files_port *files, const struct journal_file *file,
                               enum journal_state state)
{
    struct span mark = journal_mark(state);

    return files->write(files->ctx, file->volume, file->path, FILE_APPEND, mark.at, mark.size);
}
