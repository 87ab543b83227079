#include "apply/journal_store.h"

#include "base/print.h"
#include "base/sort.h"
#include "base/text.h"
#include "format/devpath.h"
#include "journal_save.h"
#include "journal_variable.h"

#define NAME_LENGTH      12u    /* J0000001.SBJ */
#define FILES_PER_VOLUME 10000u /* directory entries looked at */
#define COMMAND_KEPT     1023u  /* bytes of a command in a list */

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

/* A journal's file on a volume. */
struct stored {
    struct journal_source source;
    const struct ports *ports;
    struct journal_file file;
};

/* Wherever the volume is by now. What has become shorter is damaged. */
static enum status read_stored(void *ctx, uint64_t offset, void *ret_data, size_t size)
{
    const struct stored *stored = ctx;
    const struct files_port *files = &stored->ports->files;
    size_t volume = journal_store_volume(stored->ports, &stored->file);
    size_t got = 0;

    if (volume == FILES_NO_VOLUME)
        return ST_ABSENT;
    enum status status =
        files->read(files->ctx, volume, stored->file.path, offset, ret_data, size, &got);
    return status == ST_OK && got != size ? ST_DAMAGED : status;
}

static enum status open_source(struct arena *arena, const struct ports *ports,
                               const struct journal_file *file,
                               const struct journal_source **ret_source)
{
    struct stored *stored = arena_alloc(arena, 1, sizeof(*stored));
    enum status status = ST_OK;
    uint32_t id = 0;

    if (stored == NULL)
        return ST_NO_MEMORY;
    *stored = (struct stored){.ports = ports, .file = *file};
    stored->source =
        (struct journal_source){.size = file->size, .ctx = stored, .read = read_stored};
    if (file->in_variable) {
        status = journal_variable_read(arena, &ports->vars, &id, &stored->source.bytes);
        stored->source.size = stored->source.bytes.size;
    }
    *ret_source = &stored->source;
    return status;
}

/* Names the file `info` on `volume`; all of it lies in the arena. */
static enum status name_file(struct arena *arena, const struct files_port *files, size_t volume,
                             const struct file_info *info, uint32_t id,
                             struct journal_file *ret_file)
{
    struct journal_file file = {
        .id = id, .volume = volume, .size = info->size, .journal = {.command = ""}};

    /* What the port points to stays in place, also when volumes are renewed. */
    file.volume_path = files->volumes[volume].path;
    file.path = arena_printf(arena, "%s\\%s", JOURNAL_DIRECTORY, info->name);
    if (file.path == NULL)
        return ST_NO_MEMORY;
    *ret_file = file;
    return ST_OK;
}

/* What the list tells of a journal; its command is still where the journal is. */
static struct journal summary_of(const struct journal *journal)
{
    struct journal summary = {
        .date = journal->date,
        .is_undo = journal->is_undo,
        .command = journal->command,
        .state = journal->state,
    };

    return summary;
}

/*
 * Reads and takes apart a whole journal, and gives the memory back: of many and large ones together
 * there is not enough. The status is the file's, or ST_NO_MEMORY when not even the summary fits.
 */
static enum status summarize(struct arena *arena, const struct ports *ports,
                             struct journal_file *io_file)
{
    size_t mark = arena_mark(arena);
    char command[COMMAND_KEPT + 1];
    struct journal journal = {.command = ""};

    io_file->status = journal_store_load(arena, ports, io_file, &journal);
    io_file->has_blocks = io_file->status == ST_OK && journal_has_blocks(&journal);
    struct text_buffer text;
    text_buffer_init(&text, command, sizeof(command));
    struct sink sink = text_buffer_sink(&text);
    sink_printf(&sink, "%s", journal.command);
    arena_release(arena, mark);
    io_file->journal = summary_of(&journal);
    io_file->journal.command = arena_copy(arena, command, text_length(command) + 1);
    return io_file->journal.command == NULL ? ST_NO_MEMORY : ST_OK;
}

/* Marks of changes that are over stand at the end of the file: two short reads tell. */
static bool is_closed(const struct files_port *files, const struct journal_file *file)
{
    uint8_t head[JOURNAL_HEAD_SIZE];
    uint8_t end[JOURNAL_MARK_SIZE];
    size_t head_size = 0;
    size_t end_size = 0;

    if (file->size < sizeof(head))
        return false;
    if (files->read(files->ctx, file->volume, file->path, 0, head, sizeof(head), &head_size) !=
            ST_OK ||
        files->read(files->ctx, file->volume, file->path, file->size - sizeof(end), end,
                    sizeof(end), &end_size) != ST_OK)
        return false;
    return journal_is_closed(span_of(head, head_size), span_of(end, end_size), file->size);
}

/* A list being made: its items are counted first, without room for them. */
struct listing {
    struct arena *arena;
    const struct ports *ports;
    bool interrupted_only;
    journal_store_visitor *visitor; /* NULL: items are listed */
    void *visitor_ctx;
    struct journal_file *items; /* NULL while they are counted */
    size_t room;
    size_t count;
};

static enum status show_to_visitor(struct listing *listing, const struct journal_file *file)
{
    size_t mark = arena_mark(listing->arena);
    const struct journal_source *source = NULL;
    struct journal journal;

    enum status status = open_source(listing->arena, listing->ports, file, &source);
    if (status == ST_OK)
        status = journal_read_heads(listing->arena, source, &journal);
    if (status == ST_OK && !journal.is_undo && journal.state != JOURNAL_UNDONE &&
        journal.state != JOURNAL_LEFT)
        listing->visitor(listing->visitor_ctx, &journal);
    arena_release(listing->arena, mark);
    return status == ST_NO_MEMORY ? ST_NO_MEMORY : ST_OK;
}

/* Adds a journal that was named, as far as the list is for it. */
static enum status add_journal(struct listing *listing, struct journal_file *file)
{
    if (listing->visitor != NULL)
        return show_to_visitor(listing, file);
    enum status status = summarize(listing->arena, listing->ports, file);

    if (status != ST_OK)
        return status;
    if (!listing->interrupted_only ||
        (file->status == ST_OK && journal_is_interrupted(&file->journal)))
        listing->items[listing->count++] = *file;
    return ST_OK;
}

/* True while they are counted, and when there are more than were. */
static bool has_no_room(struct listing *listing)
{
    listing->count += listing->items == NULL;
    return listing->visitor == NULL && (listing->items == NULL || listing->count == listing->room);
}

static enum status list_file(struct listing *listing, size_t volume, const struct file_info *info,
                             uint32_t id)
{
    const struct files_port *files = &listing->ports->files;
    struct journal_file file;

    if (has_no_room(listing))
        return ST_OK;
    enum status status = name_file(listing->arena, files, volume, info, id, &file);
    if (status != ST_OK)
        return status;
    if (listing->interrupted_only && is_closed(files, &file))
        return ST_OK;
    return add_journal(listing, &file);
}

/* The journal in the variable, if there is one. */
static enum status list_variable(struct listing *listing)
{
    struct journal_file file = {.in_variable = true,
                                .volume = FILES_NO_VOLUME,
                                .path = JOURNAL_VARIABLE_NAME,
                                .journal = {.command = ""}};
    size_t mark = arena_mark(listing->arena);
    struct span data;

    enum status status =
        journal_variable_read(listing->arena, &listing->ports->vars, &file.id, &data);
    file.size = status == ST_OK ? data.size : 0;
    arena_release(listing->arena, mark);
    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK || has_no_room(listing))
        return ST_OK;
    return add_journal(listing, &file);
}

/* Every file on a volume that has a journal's name. */
static enum status list_volume(struct listing *listing, size_t volume)
{
    const struct files_port *files = &listing->ports->files;

    if (devpath_is_ram_disk(files->volumes[volume].path)) /* what lies there was brought along */
        return ST_OK;
    for (size_t i = 0; i < FILES_PER_VOLUME; i++) {
        struct file_info info;
        uint32_t id = 0;
        if (files->list(files->ctx, volume, JOURNAL_DIRECTORY, i, &info) != ST_OK)
            return ST_OK;
        if (info.is_directory || !parse_name(info.name, &id))
            continue;
        enum status status = list_file(listing, volume, &info, id);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static enum status list_volumes(struct listing *listing)
{
    enum status status = ST_OK;

    listing->count = 0;
    for (size_t i = 0; i < listing->ports->files.volume_count && status == ST_OK; i++)
        status = list_volume(listing, i);
    return status == ST_OK ? list_variable(listing) : status;
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
    const size_t *order = sort_order(arena, count, by_id, items);

    if (sorted == NULL || order == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        sorted[i] = items[order[i]];
    ret_files->items = sorted;
    ret_files->count = count;
    return ST_OK;
}

static enum status list_journals(struct listing *listing, struct journal_files *ret_files)
{
    enum status status = list_volumes(listing);

    if (status != ST_OK)
        return status;
    listing->room = listing->count;
    listing->items = arena_alloc(listing->arena, listing->room, sizeof(*listing->items));
    if (listing->items == NULL)
        return ST_NO_MEMORY;
    status = list_volumes(listing);
    if (status != ST_OK)
        return status;
    return sort_files(listing->arena, listing->items, listing->count, ret_files);
}

enum status journal_store_list(struct arena *arena, const struct ports *ports,
                               struct journal_files *ret_files)
{
    struct listing listing = {.arena = arena, .ports = ports};

    return list_journals(&listing, ret_files);
}

enum status journal_store_list_interrupted(struct arena *arena, const struct ports *ports,
                                           struct journal_files *ret_files)
{
    struct listing listing = {.arena = arena, .ports = ports, .interrupted_only = true};

    return list_journals(&listing, ret_files);
}

enum status journal_store_visit(struct arena *arena, const struct ports *ports,
                                journal_store_visitor *visitor, void *visitor_ctx)
{
    size_t mark = arena_mark(arena);
    struct listing listing = {
        .arena = arena, .ports = ports, .visitor = visitor, .visitor_ctx = visitor_ctx};

    enum status status = list_volumes(&listing);
    arena_release(arena, mark);
    return status;
}

size_t journal_store_volume(const struct ports *ports, const struct journal_file *file)
{
    const struct files_port *files = &ports->files;

    for (size_t i = 0; i < files->volume_count && !file->in_variable; i++) {
        if (span_equal(files->volumes[i].path, file->volume_path))
            return i;
    }
    return FILES_NO_VOLUME;
}

const char *journal_store_alias(const struct ports *ports, const struct journal_file *file)
{
    size_t volume = journal_store_volume(ports, file);

    if (file->in_variable)
        return "NVRAM:";
    return volume == FILES_NO_VOLUME ? "" : ports->files.volumes[volume].alias;
}

enum status journal_store_load(struct arena *arena, const struct ports *ports,
                               const struct journal_file *file, struct journal *ret_journal)
{
    const struct journal_source *source = NULL;
    enum status status = open_source(arena, ports, file, &source);

    return status == ST_OK ? journal_read(arena, source, ret_journal) : status;
}

/* A number that grows with the date; 0 when the clock was broken. */
static uint64_t stamp_of(const struct journal_file *file)
{
    const struct date_time *date = &file->journal.date;
    uint64_t days = ((uint64_t)date->year * 16 + date->month) * 32 + date->day;

    return date->year == 0 ? 0 : ((days * 32 + date->hour) * 64 + date->minute) * 64 + date->second;
}

bool journal_file_is_later(const struct journal_file *a, const struct journal_file *b)
{
    /* On one volume numbers are sure, whatever was done to the clock. */
    if (a->in_variable == b->in_variable && span_equal(a->volume_path, b->volume_path))
        return a->id > b->id;
    uint64_t stamp_a = stamp_of(a);
    uint64_t stamp_b = stamp_of(b);

    if (stamp_a != 0 && stamp_b != 0 && stamp_a != stamp_b)
        return stamp_a > stamp_b;
    return a->id > b->id;
}

uint32_t journal_last_id(struct arena *arena, const struct ports *ports)
{
    const struct files_port *files = &ports->files;
    size_t mark = arena_mark(arena);
    struct journal journal;
    struct span data;
    uint32_t last = 0;

    if (journal_variable_read(arena, &ports->vars, &last, &data) != ST_OK ||
        journal_parse(arena, data, &journal) != ST_OK || last > JOURNAL_LAST_ID)
        last = 0;
    arena_release(arena, mark);
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

enum status journal_store_mark(const struct ports *ports, const struct journal_file *file,
                               enum journal_state state)
{
    const struct files_port *files = &ports->files;
    struct span mark = journal_mark(state);
    size_t volume = journal_store_volume(ports, file);

    if (file->in_variable)
        return journal_variable_mark(&ports->vars, file->id, state);
    if (volume == FILES_NO_VOLUME)
        return ST_ABSENT;
    return files->write(files->ctx, volume, file->path, FILE_APPEND, mark.at, mark.size);
}
