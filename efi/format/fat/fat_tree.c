#include "fat_tree.h"

#include "base/mem.h"
#include "base/sort.h"
#include "base/text.h"

#define FILE_MAX 0xffffffffu

/* The tree while it grows. Entries come in the order of their paths, so that only the directories
 * that lead to the last one have to be kept. */
struct growth {
    struct fat_tree tree;
    const struct fat_entry_request *entries;
    struct span *paths; /* of the entries, UTF-16 */
    size_t way[FAT_DEPTH_MAX + 1];
    size_t depth; /* of what was added last: way[depth] is its node */
};

static int compare_paths(const void *ctx, size_t a, size_t b)
{
    const struct span *paths = ctx;

    return fat_name_compare(paths[a], paths[b]);
}

/* The path without its first backslash. */
static enum status convert_path(struct arena *arena, const char *path, struct span *ret_path)
{
    struct span units;
    enum status status = text_to_ucs2(arena, path + (path[0] == '\\'), &units);

    if (status == ST_OK)
        *ret_path = span_of(units.at, units.size - 2);
    return status;
}

/* More than all nodes there can be. */
static size_t count_nodes(const struct growth *growth, size_t count)
{
    size_t nodes = 1;

    for (size_t i = 0; i < count; i++) {
        nodes++;
        for (size_t at = 0; at < growth->paths[i].size; at += 2)
            nodes += ld_le16(growth->paths[i].at + at) == '\\';
    }
    return nodes;
}

/* Cuts the first name off a path. */
static struct span cut_name(struct span *io_path)
{
    struct span path = *io_path;
    size_t end = 0;

    while (end < path.size && ld_le16(path.at + end) != '\\')
        end += 2;
    size_t rest = end < path.size ? end + 2 : end;
    *io_path = span_of(path.at + rest, path.size - rest);
    return span_of(path.at, end);
}

static size_t add_node(struct fat_tree *tree, size_t parent, struct span name,
                       const struct fat_entry_request *request)
{
    struct fat_node *up = &tree->nodes[parent];
    size_t node = tree->count++;

    tree->nodes[node] = (struct fat_node){.name = name,
                                          .request = request,
                                          .is_directory = true,
                                          .attributes = FAT_ATTRIBUTE_DIRECTORY,
                                          .parent = parent,
                                          .first_child = FAT_NO_NODE,
                                          .last_child = FAT_NO_NODE,
                                          .next = FAT_NO_NODE};
    if (up->last_child == FAT_NO_NODE)
        up->first_child = node;
    else
        tree->nodes[up->last_child].next = node;
    up->last_child = node;
    up->child_count++;
    return node;
}

/* The node of `name` at `depth`, which is new when the last path did not lead to it. */
static enum status step_to_name(struct growth *growth, size_t depth, struct span name,
                                const struct fat_entry_request *request, bool is_last)
{
    struct fat_tree *tree = &growth->tree;
    bool known =
        depth <= growth->depth && fat_name_compare(tree->nodes[growth->way[depth]].name, name) == 0;

    if (!fat_name_is_legal(name))
        return ST_USAGE;
    if (known)
        return is_last || !tree->nodes[growth->way[depth]].is_directory ? ST_USAGE : ST_OK;
    growth->way[depth] = add_node(tree, growth->way[depth - 1], name, request);
    growth->depth = depth;
    return ST_OK;
}

static enum status add_entry(struct growth *growth, size_t entry)
{
    const struct fat_entry_request *request = &growth->entries[entry];
    struct span rest = growth->paths[entry];
    size_t depth = 0;
    enum status status = ST_OK;

    if (!request->is_directory && request->size > FILE_MAX)
        return ST_USAGE;
    if (rest.size == 0 || ld_le16(rest.at + rest.size - 2) == '\\')
        return ST_USAGE;
    while (rest.size > 0 && status == ST_OK) {
        struct span name = cut_name(&rest);
        if (++depth > FAT_DEPTH_MAX)
            return ST_USAGE;
        status = step_to_name(growth, depth, name, request, rest.size == 0);
    }
    if (status != ST_OK)
        return status;
    struct fat_node *node = &growth->tree.nodes[growth->way[depth]];
    node->is_directory = request->is_directory;
    node->attributes = request->attributes & FAT_ATTRIBUTES_GIVEN;
    node->attributes |= request->is_directory ? FAT_ATTRIBUTE_DIRECTORY : 0;
    node->goes = request->goes;
    return ST_OK;
}

static enum status start_growth(struct arena *arena, struct growth *growth, size_t count)
{
    enum status status = ST_OK;

    growth->paths = arena_alloc(arena, count, sizeof(*growth->paths));
    if (growth->paths == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = convert_path(arena, growth->entries[i].path, &growth->paths[i]);
    if (status != ST_OK)
        return status;
    growth->tree.nodes =
        arena_alloc(arena, count_nodes(growth, count), sizeof(*growth->tree.nodes));
    if (growth->tree.nodes == NULL)
        return ST_NO_MEMORY;
    growth->tree.nodes[0] = (struct fat_node){.is_directory = true,
                                              .parent = FAT_NO_NODE,
                                              .first_child = FAT_NO_NODE,
                                              .last_child = FAT_NO_NODE,
                                              .next = FAT_NO_NODE};
    growth->tree.count = 1;
    return ST_OK;
}

enum status fat_tree_build(struct arena *arena, const struct fat_entry_request *entries,
                           size_t count, struct fat_tree *ret_tree)
{
    struct growth growth = {.entries = entries};
    enum status status = start_growth(arena, &growth, count);

    if (status != ST_OK)
        return status;
    size_t mark = arena_mark(arena);
    const size_t *order = sort_order(arena, count, compare_paths, growth.paths);
    if (order == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = add_entry(&growth, order[i]);
    arena_release(arena, mark);
    if (status == ST_OK)
        *ret_tree = growth.tree;
    return status;
}

enum status fat_tree_name_children(struct fat_tree *tree, size_t directory,
                                   struct fat_short_names *taken)
{
    size_t first = tree->nodes[directory].first_child;

    /* Names that are short by themselves come first: made ones give way to them. */
    for (size_t i = first; i != FAT_NO_NODE; i = tree->nodes[i].next) {
        struct fat_node *node = &tree->nodes[i];
        if (node->is_there || !fat_name_fits_short(node->name, &node->short_name))
            continue;
        fat_short_names_add(taken, node->short_name.name);
    }
    for (size_t i = first; i != FAT_NO_NODE; i = tree->nodes[i].next) {
        struct fat_node *node = &tree->nodes[i];
        if (node->is_there || node->short_name.name[0] != 0)
            continue;
        enum status status = fat_name_make_short(node->name, taken, &node->short_name);
        if (status != ST_OK)
            return status;
        fat_short_names_add(taken, node->short_name.name);
    }
    return ST_OK;
}

enum status fat_tree_name_new(struct arena *arena, struct fat_tree *tree, size_t directory)
{
    struct fat_short_names taken;
    size_t mark = arena_mark(arena);
    enum status status = fat_short_names_init(arena, tree->nodes[directory].child_count, &taken);

    if (status == ST_OK)
        status = fat_tree_name_children(tree, directory, &taken);
    arena_release(arena, mark);
    return status;
}

size_t fat_tree_slots(const struct fat_tree *tree, size_t directory)
{
    size_t slots = directory == 0 ? 0 : 2;

    for (size_t i = tree->nodes[directory].first_child; i != FAT_NO_NODE; i = tree->nodes[i].next)
        slots += fat_name_slots(tree->nodes[i].name, &tree->nodes[i].short_name);
    return slots;
}

void fat_tree_put_node(const struct fat_tree *tree, size_t node, uint8_t *ret_entries)
{
    const struct fat_node *it = &tree->nodes[node];
    struct fat_dirent dirent = {
        .attributes = it->attributes,
        .cluster = it->cluster,
        .size = it->is_directory ? 0 : (uint32_t)it->request->size,
        .written = it->request->written,
    };

    fat_name_put(it->name, &it->short_name, &dirent, ret_entries);
}

void fat_tree_put_directory(const struct fat_tree *tree, size_t directory, uint8_t *ret_entries)
{
    const struct fat_node *it = &tree->nodes[directory];

    if (directory != 0) {
        uint32_t parent = it->parent == 0 ? 0 : tree->nodes[it->parent].cluster;
        fat_dirent_put_dots(it->cluster, parent, it->request->written, ret_entries);
        ret_entries += (size_t)2 * FAT_DIRENT_SIZE;
    }
    for (size_t i = it->first_child; i != FAT_NO_NODE; i = tree->nodes[i].next) {
        fat_tree_put_node(tree, i, ret_entries);
        ret_entries +=
            fat_name_slots(tree->nodes[i].name, &tree->nodes[i].short_name) * FAT_DIRENT_SIZE;
    }
}

uint64_t fat_tree_clusters(const struct fat_node *node, size_t slots, uint32_t cluster_bytes)
{
    uint64_t bytes = node->is_directory ? (uint64_t)slots * FAT_DIRENT_SIZE : node->request->size;

    if (node->is_directory && bytes == 0)
        bytes = 1;
    return (bytes + cluster_bytes - 1) / cluster_bytes;
}
