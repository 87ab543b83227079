/* Lists what is in one directory. */
#include "format/fat/fat_table.h"
#include "fat_walk.h"

#define FOLDER_BYTES_MAX (65536u * FAT_DIRENT_SIZE)

/* A directory while it is read. */
struct folder {
    struct fat_place place;
    uint32_t parent_cluster;
    uint64_t fixed_offset;    /* on the partition, of what is still to be read of a root directory
                                 that is no chain; else 0 */
    struct fat_reader reader; /* for a chain; `left` counts in either case */
    size_t read_size;         /* bytes that are read next */
    bool ended;               /* the end marker has come */
    enum status status;       /* ST_OK; ST_IO; ST_REFUSED: the read limit ended it */
    size_t entries;           /* seen so far */
    size_t unused;            /* of these, deleted ones and the end marker */
    bool has_dot;
    bool has_dotdot;
    struct fat_long_name name;
};

/* For a problem of the directory itself. */
static const char *folder_place(const struct folder *folder)
{
    return folder->place.path[0] != '\0' ? folder->place.path : "\\";
}

static enum status source_next(struct fat_walk *walk, struct folder *folder, size_t size,
                               size_t *ret_size)
{
    uint64_t left = folder->reader.left;

    if (folder->fixed_offset == 0)
        return fat_reader_next(&folder->reader, walk->buffer, size, ret_size);
    if (size > left)
        size = (size_t)left;
    enum status status = fat_read(walk->volume, folder->fixed_offset, size, walk->buffer);
    if (status != ST_OK)
        return status;
    folder->fixed_offset += size;
    folder->reader.left -= size;
    *ret_size = size;
    return ST_OK;
}

static enum status source_skip(struct folder *folder, size_t size)
{
    if (folder->fixed_offset == 0)
        return fat_reader_skip(&folder->reader, size);
    if (size > folder->reader.left)
        size = (size_t)folder->reader.left;
    folder->fixed_offset += size;
    folder->reader.left -= size;
    return ST_OK;
}

/* Something that is there will not be in the list. */
static void leave_out_item(struct fat_walk *walk, const char *path)
{
    fat_note(walk, FAT_TOO_DEEP, path);
    walk->unlisted = true;
}

static enum status add_item(struct fat_walk *walk, struct folder *folder, const uint8_t *entry)
{
    bool broken = false;
    struct span long_name = fat_long_name_take(&folder->name, entry, &broken);
    const char *path = NULL;

    if (walk->count >= FAT_FILES_MAX) {
        leave_out_item(walk, folder_place(folder));
        return ST_OK;
    }
    enum status status = fat_items_add(walk, &folder->place, entry, long_name, &path);
    if (status != ST_OK)
        return status;
    if (path == NULL) {
        leave_out_item(walk, folder_place(folder));
        return ST_OK;
    }
    if (broken)
        fat_note(walk, FAT_NAME_BROKEN, path);
    if (!fat_dirent_is_legal(entry))
        fat_note(walk, FAT_DIRECTORY_BROKEN, path);
    return ST_OK;
}

/* "." and ".." are the first two entries of every directory but the root directory. */
static void check_dots(struct fat_walk *walk, struct folder *folder, const uint8_t *entry,
                       enum fat_dirent_kind kind)
{
    struct fat_volume *volume = walk->volume;
    uint32_t cluster = fat_dirent_cluster(entry, volume->type);
    bool at_parent = cluster == folder->parent_cluster;

    /* Some write the real cluster of the root directory instead of 0. */
    if (folder->parent_cluster == 0 && volume->type == FAT_32 && cluster == volume->root_cluster)
        at_parent = true;
    if (folder->place.cluster != 0 && kind == FAT_DIRENT_DOT && folder->entries == 0)
        folder->has_dot = cluster == folder->place.cluster;
    else if (folder->place.cluster != 0 && kind == FAT_DIRENT_DOTDOT && folder->entries == 1)
        folder->has_dotdot = at_parent;
    else
        fat_note(walk, FAT_DIRECTORY_BROKEN, folder_place(folder));
}

static void drop_name(struct fat_walk *walk, struct folder *folder)
{
    if (!fat_long_name_drop(&folder->name))
        fat_note(walk, FAT_NAME_BROKEN, folder_place(folder));
}

static enum status take_entry(struct fat_walk *walk, struct folder *folder, const uint8_t *entry)
{
    enum fat_dirent_kind kind = fat_dirent_kind(entry);
    enum status status = ST_OK;

    if (kind == FAT_DIRENT_LONG) {
        if (!fat_long_name_add(&folder->name, entry))
            fat_note(walk, FAT_NAME_BROKEN, folder_place(folder));
    } else if (kind == FAT_DIRENT_FILE || kind == FAT_DIRENT_DIRECTORY) {
        status = add_item(walk, folder, entry);
    } else {
        drop_name(walk, folder);
    }
    if (kind == FAT_DIRENT_DOT || kind == FAT_DIRENT_DOTDOT)
        check_dots(walk, folder, entry, kind);
    folder->ended = kind == FAT_DIRENT_END;
    folder->unused += kind == FAT_DIRENT_END || kind == FAT_DIRENT_DELETED;
    folder->entries++;
    return status;
}

static enum status take_entries(struct fat_walk *walk, struct folder *folder, size_t size)
{
    for (size_t at = 0; at + FAT_DIRENT_SIZE <= size && !folder->ended; at += FAT_DIRENT_SIZE) {
        enum status status = take_entry(walk, folder, walk->buffer + at);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* Reads on, in smaller pieces where a large one fails. Statuses as fat_reader_next, ST_REFUSED. */
static enum status read_some(struct fat_walk *walk, struct folder *folder, size_t *ret_size)
{
    size_t large = folder->read_size;
    enum status status = source_next(walk, folder, large, ret_size);

    if (status == ST_REFUSED && large > FAT_PIECE)
        status = source_next(walk, folder, FAT_PIECE, ret_size);
    if (status != ST_IO)
        return status;
    if (!fat_gives_up(walk->volume) && large > FAT_PIECE) {
        status = source_next(walk, folder, FAT_PIECE, ret_size);
        large = FAT_PIECE;
    }
    if (status != ST_IO)
        return status;
    fat_note(walk, FAT_UNREADABLE, folder_place(folder));
    folder->status = ST_IO;
    folder->name.pieces = 0;
    walk->unlisted = true;
    *ret_size = 0;
    return source_skip(folder, large);
}

static enum status read_entries(struct fat_walk *walk, struct folder *folder)
{
    while (folder->reader.left > 0 && !folder->ended) {
        size_t size = 0;
        enum status status = read_some(walk, folder, &size);
        if (status == ST_NO_MEMORY)
            return status;
        if (status == ST_REFUSED) {
            walk->report.complete = false;
            folder->status = ST_REFUSED;
        }
        if (status != ST_OK)
            return ST_OK;
        status = take_entries(walk, folder, size);
        if (status != ST_OK)
            return status;
        if (folder->read_size < walk->volume->read_size)
            folder->read_size *= 2;
    }
    return ST_OK;
}

/* What can be said when all of it was seen. */
static void check_whole(struct fat_walk *walk, struct folder *folder)
{
    bool dots = folder->has_dot && folder->has_dotdot;

    if (folder->entries == 0 || folder->status != ST_OK)
        return;
    drop_name(walk, folder);
    if (folder->place.cluster != 0 && !dots)
        fat_note(walk, FAT_DIRECTORY_BROKEN, folder_place(folder));
}

static enum status list_folder(struct fat_walk *walk, struct folder *folder)
{
    size_t first = walk->count;
    bool too_long = folder->reader.left > FOLDER_BYTES_MAX;

    /* Most directories are short, and what is behind their end need not be read. */
    folder->read_size = walk->is_limited ? walk->volume->sector_size : walk->volume->read_size;
    if (too_long)
        folder->reader.left = FOLDER_BYTES_MAX;
    enum status status = read_entries(walk, folder);
    if (status != ST_OK)
        return status;
    if (too_long && !folder->ended && folder->reader.left == 0)
        fat_note(walk, FAT_DIRECTORY_BROKEN, folder_place(folder));
    check_whole(walk, folder);
    return fat_items_check_names(walk, first);
}

enum status fat_folder_list_root(struct fat_walk *walk)
{
    struct fat_volume *volume = walk->volume;
    struct folder folder = {.place = {.path = "", .depth = 1, .exact = true}};
    struct fat_chain chain = {0};

    folder.reader.volume = volume;
    folder.reader.left = volume->root_bytes;
    folder.fixed_offset = volume->root_offset;
    if (volume->type == FAT_32) {
        enum status status = fat_chain_follow(walk, volume->root_cluster, "\\", &chain);
        if (status != ST_OK)
            return status;
        folder.reader.cluster = volume->root_cluster;
        folder.reader.left = (uint64_t)chain.length * volume->cluster_size;
    }
    enum status status = list_folder(walk, &folder);
    walk->report.root_entries = (uint32_t)(volume->root_bytes / FAT_DIRENT_SIZE);
    if (volume->type != FAT_32)
        walk->report.root_free =
            walk->report.root_entries - (uint32_t)(folder.entries - folder.unused);
    return status;
}

enum status fat_folder_list(struct fat_walk *walk, size_t item)
{
    struct fat_item *it = &walk->items[item];
    struct folder folder = {
        .place = {.path = it->file.path,
                  .cluster = it->file.first_cluster,
                  .depth = (uint8_t)(it->depth + 1),
                  .exact = it->file.exact_name},
        .parent_cluster = it->parent_cluster,
    };
    struct fat_chain chain;
    enum status status = fat_chain_follow(walk, folder.place.cluster, folder.place.path, &chain);

    if (status != ST_OK)
        return status;
    it->done = true;
    it->chain_length = chain.length;
    it->file.status = fat_chain_status(&chain);
    if (it->depth >= FAT_DEPTH_MAX) {
        leave_out_item(walk, it->file.path);
        return ST_OK;
    }
    folder.reader.volume = walk->volume;
    folder.reader.cluster = folder.place.cluster;
    folder.reader.left = (uint64_t)chain.length * walk->volume->cluster_size;
    status = list_folder(walk, &folder);
    if (status == ST_OK && folder.status == ST_IO && walk->items[item].file.status == ST_OK)
        walk->items[item].file.status = ST_IO;
    return status;
}
