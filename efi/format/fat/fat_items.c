/* The list of files that were found, and their names. */
#include "base/mem.h"
#include "base/sort.h"
#include "base/text.h"
#include "fat_walk.h"

#define FIRST_CAPACITY 64u

/* Room for one more item. */
static enum status grow_items(struct fat_walk *walk)
{
    if (walk->count < walk->capacity)
        return ST_OK;
    size_t capacity = walk->capacity == 0 ? FIRST_CAPACITY : walk->capacity * 2;
    struct fat_item *items = arena_alloc(walk->arena, capacity, sizeof(*items));
    if (items == NULL)
        return ST_NO_MEMORY;
    if (walk->count > 0)
        memcpy(items, walk->items, walk->count * sizeof(*items));
    walk->items = items;
    walk->capacity = capacity;
    return ST_OK;
}

/* Puts the path of `name` in this directory into walk->path. False when it is too long. */
static bool join_path(struct fat_walk *walk, const struct fat_place *place, const char *name)
{
    size_t before = text_length(place->path);
    size_t size = text_length(name) + 1;

    if (before + 1 + size > sizeof(walk->path))
        return false;
    memcpy(walk->path, place->path, before);
    walk->path[before] = '\\';
    memcpy(walk->path + before + 1, name, size);
    return true;
}

/* The path of an entry, in the arena, from its long name or else its short one; NULL in `*ret_path`
 * when it is too long. */
static enum status make_path(struct fat_walk *walk, const struct fat_place *place,
                             struct span long_name, const uint8_t *entry, const char **ret_path)
{
    char short_name[FAT_SHORT_TEXT_SIZE];
    const char *name = short_name;
    size_t mark = arena_mark(walk->arena);

    fat_dirent_short_text(entry, short_name);
    if (long_name.size > 0)
        name = text_from_ucs2(walk->arena, long_name);
    if (name == NULL)
        return ST_NO_MEMORY;
    bool fits = join_path(walk, place, name);
    arena_release(walk->arena, mark);
    size_t size = fits ? text_length(walk->path) + 1 : 0;
    fits = fits && size <= FAT_PATHS_MAX - walk->path_bytes;
    *ret_path = fits ? arena_copy(walk->arena, walk->path, size) : NULL;
    walk->path_bytes += *ret_path != NULL ? size : 0;
    return fits && *ret_path == NULL ? ST_NO_MEMORY : ST_OK;
}

/* True for the directories that an ESP is for. */
static bool is_urgent(const char *path)
{
    static const char *const paths[] = {"\\EFI", "\\EFI\\BOOT", "\\EFI\\Microsoft",
                                        "\\EFI\\Microsoft\\Boot"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (text_equal_nocase(path, paths[i]))
            return true;
    }
    return false;
}

/* True when the name in the path is the one that is stored: nothing had to be made harmless. */
static bool is_exact(const struct fat_place *place, const uint8_t *entry, const char *path,
                     bool has_long)
{
    const char *name = path + text_length(place->path) + 1;

    if (!place->exact)
        return false;
    for (; has_long && *name != '\0'; name++) {
        if (*name == '\\')
            return false;
    }
    for (size_t i = 0; !has_long && i < FAT_SHORT_NAME; i++) {
        if (entry[i] < ' ' || entry[i] > '~')
            return false;
    }
    return true;
}

static void append_item(struct fat_walk *walk, const struct fat_place *place, const uint8_t *entry,
                        const char *path, bool has_long)
{
    struct fat_item *item = &walk->items[walk->count];
    bool is_directory = fat_dirent_kind(entry) == FAT_DIRENT_DIRECTORY;

    *item = (struct fat_item){
        .file = {.path = path,
                 .exact_name = is_exact(place, entry, path, has_long),
                 .is_directory = is_directory,
                 .attributes = entry[11],
                 .size = is_directory ? 0 : ld_le32(entry + 28),
                 .first_cluster = fat_dirent_cluster(entry, walk->volume->type),
                 .written = fat_dirent_written(entry),
                 .status = ST_OK},
        .parent_cluster = place->cluster,
        .name_offset = (uint16_t)(text_length(place->path) + 1),
        .depth = place->depth,
    };
    memcpy(item->short_name, entry, FAT_SHORT_NAME);
    if (is_directory && is_urgent(path) && walk->urgent_count < FAT_URGENT_MAX)
        walk->urgent[walk->urgent_count++] = walk->count;
    walk->count++;
}

enum status fat_items_add(struct fat_walk *walk, const struct fat_place *place,
                          const uint8_t *entry, struct span long_name, const char **ret_path)
{
    const char *path = NULL;
    enum status status = grow_items(walk);

    if (status == ST_OK)
        status = make_path(walk, place, long_name, entry, &path);
    if (status != ST_OK)
        return status;
    if (path != NULL)
        append_item(walk, place, entry, path, long_name.size > 0);
    *ret_path = path;
    return ST_OK;
}

/* Items to be put in order. */
struct ordering {
    const struct fat_item *items;
    bool by_short_name;
};

static int compare_item_names(const void *ctx, size_t a, size_t b)
{
    const struct ordering *ordering = ctx;
    const struct fat_item *x = &ordering->items[a];
    const struct fat_item *y = &ordering->items[b];

    if (ordering->by_short_name)
        return memcmp(x->short_name, y->short_name, FAT_SHORT_NAME);
    return text_compare_nocase(x->file.path + x->name_offset, y->file.path + y->name_offset);
}

/* Marks items from `first` on that have the name of another. `order` has room for all. */
static void mark_repeated(struct fat_walk *walk, size_t first, size_t *order, bool by_short_name)
{
    struct ordering ordering = {.items = walk->items, .by_short_name = by_short_name};
    size_t count = walk->count - first;

    sort_range(order, first, count, compare_item_names, &ordering);
    for (size_t i = 1; i < count; i++) {
        if (compare_item_names(&ordering, order[i - 1], order[i]) == 0)
            walk->items[order[i]].repeated = true;
    }
}

enum status fat_items_check_names(struct fat_walk *walk, size_t first)
{
    size_t mark = arena_mark(walk->arena);
    size_t *order = arena_alloc(walk->arena, walk->count - first, sizeof(*order));

    if (order == NULL)
        return ST_NO_MEMORY;
    mark_repeated(walk, first, order, true);
    mark_repeated(walk, first, order, false);
    arena_release(walk->arena, mark);
    for (size_t i = first; i < walk->count; i++) {
        if (walk->items[i].repeated)
            fat_note(walk, FAT_NAME_REPEATED, walk->items[i].file.path);
    }
    return ST_OK;
}
