#include "format/ntfs/ntfs_folder.h"

#include "base/mem.h"
#include "ntfs_file.h"
#include "ntfs_tree.h"

struct level {
    struct ntfs_node node;
    size_t at;               /* of the entry behind `entry` */
    struct ntfs_entry entry; /* whose child, with the names before it, is under way */
    bool waits;              /* `entry` is still to be given */
};

/* A tree on the way from its first name to its last. */
struct tree_walk {
    struct ntfs_tree tree;
    uint8_t *blocks;      /* one for each level below the root */
    uint64_t blocks_left; /* that were not visited: a tree has none twice */
    size_t depth;
    struct level levels[NTFS_TREE_DEPTH_MAX];
};

/* Statuses: ST_OK; ST_DAMAGED and others of reading. */
static enum status go_down(struct tree_walk *walk, uint64_t vcn)
{
    uint8_t *block = walk->blocks + walk->depth * walk->tree.block_size;

    if (walk->blocks_left == 0 || walk->depth + 1 >= NTFS_TREE_DEPTH_MAX)
        return ST_DAMAGED;
    walk->blocks_left--;
    walk->depth++;
    struct level *level = &walk->levels[walk->depth];
    *level = (struct level){0};
    return ntfs_tree_block(&walk->tree, vcn, block, &level->node);
}

/* Statuses: ST_OK; ST_ABSENT behind the last name; ST_DAMAGED and others of reading. */
static enum status tree_walk_next(struct tree_walk *walk, struct ntfs_entry *ret_entry)
{
    for (;;) {
        struct level *level = &walk->levels[walk->depth];
        if (!level->waits) {
            level->entry = ntfs_node_entry(&level->node, &level->at);
            level->waits = true;
            enum status status = ST_OK;
            if (level->entry.has_child)
                status = go_down(walk, level->entry.child);
            if (status != ST_OK)
                return status;
            if (level->entry.has_child)
                continue;
        }
        level->waits = false;
        if (!level->entry.is_last) {
            *ret_entry = level->entry;
            return ST_OK;
        }
        if (walk->depth == 0)
            return ST_ABSENT;
        walk->depth--;
    }
}

static struct ntfs_item *make_item(struct arena *arena, const struct ntfs_entry *entry)
{
    struct ntfs_item *item = arena_alloc(arena, 1, sizeof *item);
    void *name = arena_copy(arena, entry->name.at, entry->name.size);

    if (item == NULL || name == NULL)
        return NULL;
    *item = (struct ntfs_item){
        .name = span_of(name, entry->name.size),
        .reference = entry->reference,
        .size = entry->size,
        .is_directory = entry->is_directory,
        .reparse = entry->reparse,
    };
    return item;
}

/* `own` is the folder's own number: the root holds itself as ".". */
static enum status list_tree_names(struct arena *arena, struct tree_walk *walk, uint64_t own,
                                   struct ntfs_item **ret_first)
{
    struct ntfs_item **to = ret_first;
    struct ntfs_entry entry;
    enum status status;

    while ((status = tree_walk_next(walk, &entry)) == ST_OK) {
        if (entry.is_dos || NTFS_REFERENCE_NUMBER(entry.reference) == own)
            continue;
        *to = make_item(arena, &entry);
        if (*to == NULL)
            return ST_NO_MEMORY;
        to = &(*to)->next;
    }
    return status == ST_ABSENT ? ST_OK : status;
}

/* The root is copied to where nothing is written meanwhile. */
static enum status tree_walk_start(struct tree_walk *walk, struct arena *scratch,
                                   const struct ntfs_record *directory)
{
    struct ntfs_tree *tree = &walk->tree;
    struct span value = tree->root_value;

    value.at = arena_copy(scratch, value.at, value.size);
    walk->blocks = arena_alloc(scratch, NTFS_TREE_DEPTH_MAX, tree->block_size);
    if (value.at == NULL || walk->blocks == NULL)
        return ST_NO_MEMORY;
    enum status status = ntfs_index_root_parse(value, &tree->block_size, &walk->levels[0].node);
    if (status != ST_OK || !tree->root.has_children)
        return status;
    status = ntfs_tree_open_blocks(tree, directory);
    walk->blocks_left = tree->allocation.size / tree->block_size;
    return status;
}

static enum status list_tree(struct ntfs_volume *volume, struct tree_walk *walk,
                             const struct ntfs_record *directory, struct ntfs_item **ret_first)
{
    struct arena scratch;

    *walk = (struct tree_walk){0};
    enum status status = ntfs_tree_start(volume, directory, &walk->tree);
    if (status != ST_OK)
        return status;
    size_t room = (size_t)walk->tree.block_size * NTFS_TREE_DEPTH_MAX + 2 * volume->record_size;
    if (!arena_part(volume->arena, room, &scratch))
        return ST_NO_MEMORY;
    status = tree_walk_start(walk, &scratch, directory);
    if (status == ST_OK)
        status = list_tree_names(volume->arena, walk, directory->number, ret_first);
    arena_rejoin(volume->arena, room);
    return status;
}

enum status ntfs_list(struct ntfs_volume *volume, uint64_t reference, struct ntfs_item **ret_first)
{
    size_t mark = arena_mark(volume->arena);
    struct ntfs_item *first = NULL;
    struct ntfs_record directory;
    struct tree_walk walk;
    enum status status = ntfs_directory_load(volume, reference, &directory);

    if (status == ST_OK)
        status = list_tree(volume, &walk, &directory, &first);
    if (status == ST_OK)
        *ret_first = first;
    else
        arena_release(volume->arena, mark);
    return status;
}
