#include "fat_edit_folder.h"

#include "base/mem.h"
#include "format/fat/fat_edit.h"
#include "format/fat/fat_table.h"

#define DELETED  0xe5u
#define RESERVED 0x01u /* for the time being: neither free nor the end */

static uint8_t *slot_at(const struct fat_folder_edit *folder, size_t slot)
{
    if (slot >= folder->slots)
        return folder->more_bytes + (slot - folder->slots) * FAT_DIRENT_SIZE;
    return folder->bytes + slot * FAT_DIRENT_SIZE;
}

static size_t slots_in_block(const struct fat_folder_edit *folder)
{
    return folder->volume->port->block_size / FAT_DIRENT_SIZE;
}

static void touch(struct fat_folder_edit *folder, size_t slot)
{
    if (slot < folder->slots)
        folder->touched[slot / slots_in_block(folder)] = 1;
}

static uint64_t folder_block_offset(const struct fat_folder_edit *folder, size_t block)
{
    const struct fat_volume *volume = folder->volume;
    uint64_t at = (uint64_t)block * volume->port->block_size;

    if (folder->cluster == 0)
        return volume->root_offset + at;
    return fat_cluster_offset(volume, folder->clusters[at / volume->cluster_size]) +
           at % volume->cluster_size;
}

/* --- What is there ---------------------------------------------------------------------------- */

static enum status count_chain(struct fat_folder_edit *folder)
{
    uint32_t cluster = folder->cluster;
    size_t count = 0;

    while (fat_has_cluster(folder->volume, cluster)) {
        if (++count > FAT_DIRECTORY_SLOTS_MAX)
            return ST_DAMAGED;
        enum status status = fat_link(folder->volume, cluster, &cluster);
        if (status != ST_OK)
            return status;
    }
    folder->cluster_count = count;
    return count == 0 ? ST_DAMAGED : ST_OK;
}

static enum status read_chain(struct fat_folder_edit *folder)
{
    struct fat_volume *volume = folder->volume;
    uint32_t cluster = folder->cluster;
    enum status status = ST_OK;

    for (size_t i = 0; i < folder->cluster_count && status == ST_OK; i++) {
        folder->clusters[i] = cluster;
        status = fat_read(volume, fat_cluster_offset(volume, cluster), volume->cluster_size,
                          folder->bytes + i * volume->cluster_size);
        if (status == ST_OK)
            status = fat_link(volume, cluster, &cluster);
    }
    return status;
}

static size_t find_end(const struct fat_folder_edit *folder)
{
    size_t slot = 0;

    while (slot < folder->slots && slot_at(folder, slot)[0] != 0)
        slot++;
    return slot;
}

enum status fat_folder_load(struct arena *arena, struct fat_volume *volume, uint32_t cluster,
                            struct fat_folder_edit *ret_folder)
{
    struct fat_folder_edit folder = {.volume = volume, .cluster = cluster};
    uint64_t size = volume->root_bytes;

    if (cluster != 0) {
        enum status status = count_chain(&folder);
        if (status != ST_OK)
            return status;
        size = (uint64_t)folder.cluster_count * volume->cluster_size;
    }
    folder.slots = (size_t)(size / FAT_DIRENT_SIZE);
    folder.bytes = arena_alloc(arena, (size_t)size, 1);
    folder.touched = arena_alloc(arena, (size_t)(size / volume->port->block_size), 1);
    folder.clusters = arena_alloc(arena, folder.cluster_count, sizeof(*folder.clusters));
    if (folder.bytes == NULL || folder.touched == NULL || folder.clusters == NULL)
        return ST_NO_MEMORY;
    enum status status = cluster != 0 ? read_chain(&folder)
                                      : fat_read(volume, volume->root_offset, size, folder.bytes);
    if (status != ST_OK)
        return status;
    folder.end = folder.old_end = find_end(&folder);
    *ret_folder = folder;
    return ST_OK;
}

/* An entry that is there, while its directory is gone through. */
struct found {
    size_t slot;
    const uint8_t *entry;
    struct span long_name;
    size_t pieces; /* of its long name */
    struct fat_short_names *taken;
};

static bool short_name_is(const struct found *found, struct span name)
{
    struct fat_short own;

    return fat_name_fits_short(name, &own) && memcmp(own.name, found->entry, FAT_SHORT_NAME) == 0;
}

/* True when the entry goes by that name: the one it is shown with, or its other, short one. */
static bool has_name(const struct found *found, struct span name, bool other)
{
    if (found->long_name.size == 0)
        return !other && short_name_is(found, name);
    return other ? short_name_is(found, name) : fat_name_compare(found->long_name, name) == 0;
}

static enum status match_child(const struct fat_folder_edit *folder, const struct found *found,
                               struct fat_node *node)
{
    bool is_directory = fat_dirent_kind(found->entry) == FAT_DIRENT_DIRECTORY;

    if (is_directory != node->is_directory)
        return ST_EXISTS;
    node->is_there = true;
    node->slot = found->slot;
    node->pieces = found->pieces;
    if (is_directory)
        node->cluster = fat_dirent_cluster(found->entry, folder->volume->type);
    return ST_OK;
}

static enum status match_entry(struct fat_folder_edit *folder, const struct found *found,
                               struct fat_tree *tree, size_t directory, bool other)
{
    fat_short_names_add(found->taken, found->entry);
    for (size_t i = tree->nodes[directory].first_child; i != FAT_NO_NODE; i = tree->nodes[i].next) {
        struct fat_node *node = &tree->nodes[i];
        if (!node->is_there && has_name(found, node->name, other)) {
            enum status status = match_child(folder, found, node);
            if (status != ST_OK)
                return status;
        }
    }
    return ST_OK;
}

/* Goes through the entries once. */
static enum status match_entries(struct fat_folder_edit *folder, struct fat_tree *tree,
                                 size_t directory, bool other, struct fat_short_names *taken)
{
    struct fat_long_name name = {0};
    enum status status = ST_OK;

    for (size_t slot = 0; slot < folder->old_end && status == ST_OK; slot++) {
        const uint8_t *entry = slot_at(folder, slot);
        enum fat_dirent_kind kind = fat_dirent_kind(entry);
        struct found found = {.slot = slot, .entry = entry, .taken = taken};
        bool broken = false;
        if (kind == FAT_DIRENT_LONG && fat_long_name_add(&name, entry))
            continue;
        if (kind == FAT_DIRENT_FILE || kind == FAT_DIRENT_DIRECTORY) {
            found.pieces = name.pieces;
            found.long_name = fat_long_name_take(&name, entry, &broken);
            found.pieces = broken ? 0 : found.pieces;
            status = match_entry(folder, &found, tree, directory, other);
        }
        /* Whatever else stands between a long name and its entry parts them. */
        if (kind != FAT_DIRENT_LONG)
            name.pieces = 0;
    }
    return status;
}

/* True when two children are one file of the volume. */
static bool have_one_place(const struct fat_tree *tree, size_t directory)
{
    for (size_t i = tree->nodes[directory].first_child; i != FAT_NO_NODE; i = tree->nodes[i].next) {
        for (size_t k = tree->nodes[i].next; k != FAT_NO_NODE; k = tree->nodes[k].next) {
            if (tree->nodes[i].is_there && tree->nodes[k].is_there &&
                tree->nodes[i].slot == tree->nodes[k].slot)
                return true;
        }
    }
    return false;
}

enum status fat_folder_match(struct arena *arena, struct fat_folder_edit *folder,
                             struct fat_tree *tree, size_t node)
{
    struct fat_short_names taken;
    size_t mark = arena_mark(arena);
    enum status status =
        fat_short_names_init(arena, folder->old_end + tree->nodes[node].child_count, &taken);

    if (status == ST_OK)
        status = match_entries(folder, tree, node, false, &taken);
    if (status == ST_OK)
        status = match_entries(folder, tree, node, true, &taken);
    if (status == ST_OK && have_one_place(tree, node))
        status = ST_USAGE;
    if (status == ST_OK)
        status = fat_tree_name_children(tree, node, &taken);
    arena_release(arena, mark);
    return status;
}

/* --- Room for new entries --------------------------------------------------------------------- */

static void fill_slots(struct fat_folder_edit *folder, size_t first, size_t end, uint8_t mark)
{
    for (size_t slot = first; slot < end; slot++) {
        slot_at(folder, slot)[0] = mark;
        touch(folder, slot);
    }
}

/* `count` deleted entries of one block before the end, or FAT_NO_FILE. */
static size_t find_hole(const struct fat_folder_edit *folder, size_t count)
{
    size_t length = 0;

    for (size_t slot = 0; slot < folder->end; slot++) {
        if (slot % slots_in_block(folder) == 0)
            length = 0;
        length = slot_at(folder, slot)[0] == DELETED ? length + 1 : 0;
        if (length == count)
            return slot + 1 - count;
    }
    return FAT_NO_FILE;
}

/* What stands behind the end marker is no part of the directory: it must not become one. */
static void clear_behind_end(struct fat_folder_edit *folder)
{
    for (size_t slot = folder->end; slot < folder->slots; slot++) {
        uint8_t *entry = slot_at(folder, slot);
        if (!span_is_zero(span_of(entry, FAT_DIRENT_SIZE))) {
            memset(entry, 0, FAT_DIRENT_SIZE);
            touch(folder, slot);
        }
    }
}

/* `count` slots of one block at the end, or FAT_NO_FILE. */
static size_t append_slots(struct fat_folder_edit *folder, size_t count)
{
    size_t in_block = slots_in_block(folder);
    size_t slot = folder->end;

    if (slot % in_block + count > in_block)
        slot += in_block - slot % in_block;
    if (count > in_block || slot + count > folder->slots)
        return FAT_NO_FILE;
    if (folder->end == folder->old_end)
        clear_behind_end(folder);
    fill_slots(folder, folder->end, slot, DELETED);
    folder->end = slot + count;
    return slot;
}

static enum status place_node(struct fat_folder_edit *folder, struct fat_node *node)
{
    size_t count = fat_name_slots(node->name, &node->short_name);
    size_t slot = find_hole(folder, count);

    if (slot == FAT_NO_FILE)
        slot = append_slots(folder, count);
    if (slot == FAT_NO_FILE) {
        if (folder->cluster == 0)
            return count > slots_in_block(folder) ? ST_UNSUPPORTED : ST_NO_SPACE;
        if (folder->slots + folder->more + count > FAT_DIRECTORY_SLOTS_MAX)
            return ST_NO_SPACE;
        slot = folder->slots + folder->more;
        folder->more += count;
    } else {
        fill_slots(folder, slot, slot + count, RESERVED);
    }
    node->slot = slot;
    return ST_OK;
}

enum status fat_folder_place(struct fat_folder_edit *folder, struct fat_tree *tree, size_t node)
{
    enum status status = ST_OK;

    for (size_t i = tree->nodes[node].first_child; i != FAT_NO_NODE && status == ST_OK;
         i = tree->nodes[i].next) {
        if (!tree->nodes[i].is_there)
            status = place_node(folder, &tree->nodes[i]);
    }
    if (status != ST_OK || folder->more == 0)
        return status;
    /* No end marker in front of what is in new clusters. */
    if (folder->end == folder->old_end)
        clear_behind_end(folder);
    fill_slots(folder, folder->end, folder->slots, DELETED);
    folder->end = folder->slots;
    return ST_OK;
}

enum status fat_folder_grow(struct arena *arena, struct fat_folder_edit *folder,
                            struct fat_table_edit *table)
{
    uint32_t cluster_size = folder->volume->cluster_size;
    size_t count = (folder->more * FAT_DIRENT_SIZE + cluster_size - 1) / cluster_size;

    if (count == 0)
        return ST_OK;
    folder->more_bytes = arena_alloc(arena, count, cluster_size);
    if (folder->more_bytes == NULL)
        return ST_NO_MEMORY;
    return fat_take_clusters_after(table, folder->clusters[folder->cluster_count - 1],
                                   (uint32_t)count, &folder->runs);
}

/* --- What goes -------------------------------------------------------------------------------- */

/* Things in it, "." and ".." aside. */
static size_t count_entries(const struct fat_folder_edit *folder)
{
    size_t count = 0;

    for (size_t slot = 0; slot < folder->old_end; slot++) {
        enum fat_dirent_kind kind = fat_dirent_kind(slot_at(folder, slot));
        count +=
            kind == FAT_DIRENT_FILE || kind == FAT_DIRENT_DIRECTORY || kind == FAT_DIRENT_LABEL;
    }
    return count;
}

enum status fat_folder_check_goes(const struct fat_folder_edit *folder, const struct fat_tree *tree,
                                  size_t node)
{
    size_t going = 0;

    for (size_t i = tree->nodes[node].first_child; i != FAT_NO_NODE; i = tree->nodes[i].next) {
        if (tree->nodes[i].goes && !tree->nodes[i].is_there)
            return ST_CHANGED;
        going += tree->nodes[i].goes;
    }
    if (!tree->nodes[node].goes)
        return ST_OK;
    return going == tree->nodes[node].child_count && going == count_entries(folder) ? ST_OK
                                                                                    : ST_EXISTS;
}

/* True when a piece of the child's long name lies in another block than its entry. */
static bool is_apart(const struct fat_folder_edit *folder, const struct fat_node *child,
                     size_t slot)
{
    return slot / slots_in_block(folder) != child->slot / slots_in_block(folder);
}

/* The entry, and what of its long name lies in the same block. */
static void delete_node(struct fat_folder_edit *folder, const struct fat_node *child)
{
    for (size_t slot = child->slot - child->pieces; slot <= child->slot; slot++) {
        if (!is_apart(folder, child, slot))
            fill_slots(folder, slot, slot + 1, DELETED);
    }
}

/* The pieces of one name that lie in other blocks, a block at a time. */
static enum status emit_pieces(const struct fat_folder_edit *folder, const struct fat_node *child,
                               struct disk_edit_builder *builder)
{
    uint32_t block_size = folder->volume->port->block_size;
    size_t in_block = slots_in_block(folder);
    size_t slot = child->slot - child->pieces;

    while (is_apart(folder, child, slot)) {
        size_t block = slot / in_block;
        uint8_t *data = arena_copy(builder->arena, folder->bytes + block * block_size, block_size);
        if (data == NULL)
            return ST_NO_MEMORY;
        for (; slot / in_block == block; slot++)
            data[slot % in_block * FAT_DIRENT_SIZE] = DELETED;
        disk_edit_write(builder, FAT_EDIT_FREED,
                        fat_block_at(folder->volume, folder_block_offset(folder, block)),
                        span_of(data, block_size), false);
    }
    return ST_OK;
}

enum status fat_folder_emit_pieces(const struct fat_folder_edit *folder,
                                   const struct fat_tree *tree, size_t node,
                                   struct disk_edit_builder *builder)
{
    enum status status = ST_OK;

    for (size_t i = tree->nodes[node].first_child; i != FAT_NO_NODE && status == ST_OK;
         i = tree->nodes[i].next) {
        if (tree->nodes[i].goes)
            status = emit_pieces(folder, &tree->nodes[i], builder);
    }
    return status;
}

/* --- New content ------------------------------------------------------------------------------ */

void fat_folder_put(struct fat_folder_edit *folder, const struct fat_tree *tree, size_t node)
{
    for (size_t i = tree->nodes[node].first_child; i != FAT_NO_NODE; i = tree->nodes[i].next) {
        const struct fat_node *child = &tree->nodes[i];
        uint8_t *at = slot_at(folder, child->slot);
        if (child->goes)
            delete_node(folder, child);
        else if (!child->is_there)
            fat_tree_put_node(tree, i, at);
        if (child->goes || !child->is_there || child->is_directory ||
            child->request->after.size > 0)
            continue;
        struct fat_dirent dirent = {
            .attributes = child->attributes,
            .cluster = child->cluster,
            .size = (uint32_t)child->request->size,
            .written = child->request->written,
        };
        fat_dirent_update(at, &dirent);
        touch(folder, child->slot);
    }
}

void fat_emit_clusters(const struct fat_volume *volume, const struct fat_runs *runs,
                       const uint8_t *bytes, struct disk_edit_builder *builder)
{
    for (size_t i = 0; i < runs->count; i++) {
        size_t size = (size_t)runs->at[i].count * volume->cluster_size;
        uint64_t offset = fat_cluster_offset(volume, runs->at[i].first);
        disk_edit_write(builder, FAT_EDIT_NEW, fat_block_at(volume, offset), span_of(bytes, size),
                        !runs->lost);
        bytes += size;
    }
}

void fat_folder_emit_new(const struct fat_folder_edit *folder, struct disk_edit_builder *builder)
{
    fat_emit_clusters(folder->volume, &folder->runs, folder->more_bytes, builder);
}

void fat_folder_link(const struct fat_folder_edit *folder, struct fat_table_edit *table)
{
    if (folder->runs.count > 0)
        fat_put_link(table, folder->clusters[folder->cluster_count - 1], folder->runs.at[0].first);
}

void fat_folder_emit(const struct fat_folder_edit *folder, struct disk_edit_builder *builder)
{
    uint32_t block_size = folder->volume->port->block_size;
    size_t blocks = folder->slots / slots_in_block(folder);
    size_t end_block = folder->old_end / slots_in_block(folder);
    bool end_moves = folder->end >= (end_block + 1) * slots_in_block(folder);

    for (size_t i = 0; i < blocks; i++) {
        unsigned phase = i == end_block && end_moves ? FAT_EDIT_ENDS : FAT_EDIT_FOLDERS;
        struct span data = span_of(folder->bytes + i * block_size, block_size);
        if (folder->touched[i] != 0)
            disk_edit_write(builder, phase,
                            fat_block_at(folder->volume, folder_block_offset(folder, i)), data,
                            false);
    }
}
