#include "base/mem.h"
#include "base/text.h"
#include "ntfs_file.h"
#include "ntfs_tree.h"
#include "ntfs_upcase.h"

#define ROOT_RECORD    5u
#define NAME_MAX_UNITS 255u

/* A name on its way down a directory's tree. */
struct search {
    struct ntfs_volume *volume;
    struct span name;
    bool found;
    uint64_t reference; /* found: the file */
    uint64_t child;     /* else: the block to go on in */
};

/*
 * Statuses: ST_OK: found, or `child` is where to go on; ST_ABSENT: the name is not in the tree;
 * those of comparing.
 */
static enum status search_node(struct search *search, const struct ntfs_node *node)
{
    struct ntfs_entry entry;
    size_t at = 0;
    int order = 1;

    do {
        entry = ntfs_node_entry(node, &at);
        if (entry.is_last)
            break;
        enum status status = ntfs_compare_names(search->volume, search->name, entry.name, &order);
        if (status != ST_OK)
            return status;
    } while (order > 0);
    search->found = order == 0;
    search->reference = entry.reference;
    search->child = entry.child;
    return search->found || entry.has_child ? ST_OK : ST_ABSENT;
}

/* Goes on below the root, one block on each level. */
static enum status descend(struct search *search, const struct ntfs_record *directory,
                           struct ntfs_tree *tree)
{
    struct ntfs_node node;
    uint8_t *buffer = arena_alloc(search->volume->arena, 1, tree->block_size);

    if (buffer == NULL)
        return ST_NO_MEMORY;
    enum status status = ntfs_tree_open_blocks(tree, directory);
    if (status != ST_OK)
        return status;
    for (unsigned depth = 0; depth < NTFS_TREE_DEPTH_MAX; depth++) {
        status = ntfs_tree_block(tree, search->child, buffer, &node);
        if (status != ST_OK)
            return status;
        status = search_node(search, &node);
        if (status != ST_OK || search->found)
            return status;
    }
    return ST_DAMAGED;
}

/* Statuses: ST_OK; ST_ABSENT when the name is not in the directory; ST_DAMAGED and others. */
static enum status find_in_directory(struct ntfs_volume *volume,
                                     const struct ntfs_record *directory, struct span name,
                                     uint64_t *ret_reference)
{
    struct search search = {.volume = volume, .name = name};
    struct ntfs_tree tree;
    enum status status = ntfs_tree_start(volume, directory, &tree);

    if (status != ST_OK)
        return status;
    status = search_node(&search, &tree.root);
    if (status == ST_OK && !search.found)
        status = descend(&search, directory, &tree);
    if (status == ST_OK)
        *ret_reference = search.reference;
    return status;
}

/* One step down the path: `*io_reference` leads to a directory, then to what `name` is there. */
static enum status step(struct ntfs_volume *volume, struct span name, uint64_t *io_reference)
{
    struct ntfs_record directory;
    enum status status = ntfs_directory_load(volume, *io_reference, &directory);

    if (status != ST_OK)
        return status;
    if (name.size > 2 * NAME_MAX_UNITS)
        return ST_ABSENT;
    size_t mark = arena_mark(volume->arena);
    status = find_in_directory(volume, &directory, name, io_reference);
    arena_release(volume->arena, mark);
    return status;
}

/* The units of `path` (closed by a NUL unit) from `*io_at` up to a backslash or the end; none at
 * the end. */
static struct span next_name(struct span path, size_t *io_at)
{
    size_t first = *io_at;

    while (ld_le16(path.at + first) == '\\')
        first += 2;
    size_t end = first;
    while (ld_le16(path.at + end) != '\\' && ld_le16(path.at + end) != 0)
        end += 2;
    *io_at = end;
    return span_part(path, first, end - first);
}

static enum status walk(struct ntfs_volume *volume, const char *path, uint64_t *ret_reference)
{
    uint64_t reference = ROOT_RECORD;
    struct span units;
    size_t at = 0;
    enum status status = text_to_ucs2(volume->arena, path, &units);

    if (status != ST_OK)
        return status == ST_USAGE ? ST_ABSENT : status;
    struct span name = next_name(units, &at);
    while (status == ST_OK && name.size > 0) {
        status = step(volume, name, &reference);
        name = next_name(units, &at);
    }
    if (status == ST_OK)
        *ret_reference = reference;
    return status;
}

enum status ntfs_lookup(struct ntfs_volume *volume, const char *path, struct ntfs_file *ret_file)
{
    size_t mark = arena_mark(volume->arena);
    uint64_t reference = 0;
    enum status status = walk(volume, path, &reference);

    if (status == ST_OK)
        status = ntfs_describe(volume, reference, ret_file);
    arena_release(volume->arena, mark);
    return status;
}
