#include "format/fat/fat_edit.h"

#include "base/mem.h"
#include "fat_edit_folder.h"
#include "fat_edit_table.h"
#include "format/fat/fat_geometry.h"
#include "format/fat/fat_table.h"

/* What is worked out for a node of the tree. */
struct node_place {
    struct fat_folder_edit folder; /* of a directory that is there */
    struct fat_runs runs;          /* of a file, or a directory that is new */
    uint32_t old_cluster;          /* of what is there: set free at the end */
};

struct edit {
    struct arena *arena;
    struct fat_volume *volume;
    struct fat_tree tree;
    struct node_place *places; /* of the nodes */
    struct fat_table_edit table;
    struct disk_edit_builder builder;
};

/* Beside what is minor, a boot sector that is read from its backup. */
static bool is_harmless(enum fat_problem problem)
{
    return !fat_problem_is_damage(problem) || fat_problem_is_minor(problem) ||
           problem == FAT_BOOT_SECTOR_FROM_BACKUP;
}

bool fat_edit_is_possible(const struct fat_report *report)
{
    if (!report->complete || report->problems[FAT_TOO_DEEP] != 0)
        return false;
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++) {
        if (report->problems[i] != 0 && !is_harmless(i))
            return false;
    }
    return true;
}

/* --- Places ----------------------------------------------------------------------------------- */

/* The clusters that files have now, and directories that go, from their entries. */
static void note_old_clusters(struct edit *edit, size_t directory)
{
    const struct fat_folder_edit *folder = &edit->places[directory].folder;

    for (size_t i = edit->tree.nodes[directory].first_child; i != FAT_NO_NODE;
         i = edit->tree.nodes[i].next) {
        const struct fat_node *node = &edit->tree.nodes[i];
        if (node->is_there && (!node->is_directory || node->goes))
            edit->places[i].old_cluster = fat_dirent_cluster(
                folder->bytes + node->slot * FAT_DIRENT_SIZE, edit->volume->type);
    }
}

static enum status open_folder(struct edit *edit, size_t node)
{
    struct fat_folder_edit *folder = &edit->places[node].folder;
    enum status status =
        fat_folder_load(edit->arena, edit->volume, edit->tree.nodes[node].cluster, folder);

    if (status == ST_OK)
        status = fat_folder_match(edit->arena, folder, &edit->tree, node);
    if (status == ST_OK)
        status = fat_folder_check_goes(folder, &edit->tree, node);
    if (status != ST_OK)
        return status;
    note_old_clusters(edit, node);
    return fat_folder_place(folder, &edit->tree, node);
}

/* True when something is to go from this directory, which is not there. */
static bool misses(const struct fat_tree *tree, size_t directory)
{
    for (size_t i = tree->nodes[directory].first_child; i != FAT_NO_NODE; i = tree->nodes[i].next) {
        if (tree->nodes[i].goes)
            return true;
    }
    return false;
}

/* From the root downwards: what is in a directory is known before its directories are opened. */
static enum status open_folders(struct edit *edit)
{
    struct fat_tree *tree = &edit->tree;
    enum status status = ST_OK;

    tree->nodes[0].is_there = true;
    tree->nodes[0].cluster = edit->volume->type == FAT_32 ? edit->volume->root_cluster : 0;
    for (size_t i = 0; i < tree->count && status == ST_OK; i++) {
        if (!tree->nodes[i].is_directory)
            continue;
        if (tree->nodes[i].is_there)
            status = open_folder(edit, i);
        else
            status = misses(tree, i) ? ST_CHANGED : fat_tree_name_new(edit->arena, tree, i);
    }
    return status;
}

/* A directory that is there and stays. */
static bool is_changed(const struct fat_node *node)
{
    return node->is_directory && node->is_there && !node->goes;
}

static bool stays(const struct fat_node *node)
{
    return !node->is_directory && node->request->after.size > 0;
}

static enum status keep_clusters(struct edit *edit, size_t number)
{
    struct fat_node *node = &edit->tree.nodes[number];

    node->cluster = edit->places[number].old_cluster;
    edit->places[number].old_cluster = 0;
    return node->is_there ? ST_OK : ST_CHANGED;
}

static enum status take_clusters(struct edit *edit, size_t number)
{
    struct fat_node *node = &edit->tree.nodes[number];
    size_t slots = node->is_directory ? fat_tree_slots(&edit->tree, number) : 0;
    uint64_t count = fat_tree_clusters(node, slots, edit->volume->cluster_size);
    struct fat_runs *runs = &edit->places[number].runs;

    node->cluster = 0;
    if (count == 0)
        return ST_OK;
    if (slots > FAT_DIRECTORY_SLOTS_MAX || count > edit->volume->cluster_count)
        return ST_NO_SPACE;
    enum status status = fat_take_clusters(&edit->table, (uint32_t)count, runs);
    if (status == ST_OK)
        node->cluster = runs->at[0].first;
    return status;
}

/* Directories that grow come first: they may need a certain cluster. */
static enum status take_all(struct edit *edit)
{
    const struct fat_tree *tree = &edit->tree;
    enum status status = ST_OK;

    for (size_t i = 0; i < tree->count && status == ST_OK; i++) {
        if (is_changed(&tree->nodes[i]))
            status = fat_folder_grow(edit->arena, &edit->places[i].folder, &edit->table);
    }
    for (size_t i = 0; i < tree->count && status == ST_OK; i++) {
        if (stays(&tree->nodes[i]))
            status = keep_clusters(edit, i);
        else if (!tree->nodes[i].goes && (!tree->nodes[i].is_directory || !tree->nodes[i].is_there))
            status = take_clusters(edit, i);
    }
    return status;
}

/* --- Writes ----------------------------------------------------------------------------------- */

static enum status add_directory(struct edit *edit, size_t node)
{
    const struct fat_runs *runs = &edit->places[node].runs;
    size_t count = 0;

    for (size_t i = 0; i < runs->count; i++)
        count += runs->at[i].count;
    uint8_t *bytes = arena_alloc(edit->arena, count, edit->volume->cluster_size);
    if (bytes == NULL)
        return ST_NO_MEMORY;
    fat_tree_put_directory(&edit->tree, node, bytes);
    fat_emit_clusters(edit->volume, runs, bytes, &edit->builder);
    return ST_OK;
}

static enum status add_file(struct edit *edit, size_t node)
{
    const struct fat_entry_request *request = edit->tree.nodes[node].request;
    const struct fat_runs *runs = &edit->places[node].runs;
    uint64_t left = request->size;
    struct disk_extent *extents = arena_alloc(edit->arena, runs->count, sizeof(*extents));

    if (extents == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < runs->count; i++) {
        uint64_t bytes = (uint64_t)runs->at[i].count * edit->volume->cluster_size;
        extents[i].lba =
            fat_block_at(edit->volume, fat_cluster_offset(edit->volume, runs->at[i].first));
        extents[i].bytes = bytes < left ? bytes : left;
        left -= extents[i].bytes;
    }
    struct disk_file file = {.phase = FAT_EDIT_NEW,
                             .source = request->source,
                             .size = request->size,
                             .extents = extents,
                             .extent_count = runs->count,
                             .free_space = !runs->lost};
    disk_edit_file(&edit->builder, &file);
    return ST_OK;
}

/* The blocks of one cluster of a file that stays; its content from `at` on lies there. */
static enum status patch_cluster(struct edit *edit, const struct fat_entry_request *request,
                                 uint64_t at, uint32_t cluster)
{
    struct fat_volume *volume = edit->volume;
    uint32_t block_size = volume->port->block_size;
    size_t mark = arena_mark(edit->arena);
    uint8_t *there = arena_alloc(edit->arena, volume->cluster_size, 1);
    uint64_t offset = fat_cluster_offset(volume, cluster);
    uint64_t left = request->before.size - at;
    struct span before =
        span_part(request->before, at, left < volume->cluster_size ? left : volume->cluster_size);

    if (there == NULL)
        return ST_NO_MEMORY;
    enum status status = fat_read(volume, offset, before.size, there);
    if (status == ST_OK && !span_equal(before, span_of(there, before.size)))
        status = ST_CHANGED;
    arena_release(edit->arena, mark);
    for (size_t i = 0; i < before.size && status == ST_OK; i += block_size) {
        struct span block = span_part(request->after, at + i, block_size);
        if (!span_equal(block, span_part(before, i, block_size)))
            disk_edit_write(&edit->builder, FAT_EDIT_NEW, fat_block_at(volume, offset + i), block,
                            false);
    }
    return status;
}

static enum status patch_file(struct edit *edit, size_t node)
{
    const struct fat_entry_request *request = edit->tree.nodes[node].request;
    uint32_t cluster = edit->tree.nodes[node].cluster;
    enum status status = ST_OK;

    if (request->before.size != request->after.size ||
        request->after.size % edit->volume->port->block_size != 0)
        return ST_USAGE;
    for (uint64_t at = 0; at < request->after.size && status == ST_OK;
         at += edit->volume->cluster_size) {
        if (!fat_has_cluster(edit->volume, cluster))
            return ST_CHANGED;
        status = patch_cluster(edit, request, at, cluster);
        if (status == ST_OK)
            status = fat_link(edit->volume, cluster, &cluster);
    }
    return status;
}

/* What lies where nothing was, and its chains; and blocks of files that stay. */
static enum status add_new(struct edit *edit)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < edit->tree.count && status == ST_OK; i++) {
        const struct fat_node *node = &edit->tree.nodes[i];
        struct node_place *place = &edit->places[i];
        if (is_changed(node)) {
            fat_folder_put(&place->folder, &edit->tree, i);
            fat_folder_emit_new(&place->folder, &edit->builder);
            fat_put_chain(&edit->table, &place->folder.runs);
        } else if (stays(node)) {
            status = patch_file(edit, i);
        } else if (place->runs.count > 0) {
            status = node->is_directory ? add_directory(edit, i) : add_file(edit, i);
            fat_put_chain(&edit->table, &place->runs);
        }
    }
    fat_table_edit_emit(&edit->table, &edit->builder, FAT_EDIT_CHAINS);
    return status;
}

static void add_changes(struct edit *edit)
{
    for (size_t i = 0; i < edit->tree.count; i++) {
        if (!is_changed(&edit->tree.nodes[i]))
            continue;
        fat_folder_link(&edit->places[i].folder, &edit->table);
        fat_folder_emit(&edit->places[i].folder, &edit->builder);
    }
    fat_table_edit_emit(&edit->table, &edit->builder, FAT_EDIT_FOLDERS);
}

/* The sector of FSInfo as the boot sector has it, 0 for none. */
static enum status find_fsinfo(struct edit *edit, uint8_t *block, uint32_t *ret_sector)
{
    struct fat_volume *volume = edit->volume;
    uint32_t sector = 0;

    if (volume->type == FAT_32) {
        uint64_t offset =
            volume->from_backup ? (uint64_t)volume->backup_sector * volume->sector_size : 0;
        enum status status = fat_read(volume, offset, volume->port->block_size, block);
        if (status != ST_OK)
            return status;
        sector = ld_le16(block + 48);
    }
    *ret_sector = sector < volume->reserved ? sector : 0;
    return ST_OK;
}

static enum status add_fsinfo(struct edit *edit)
{
    struct fat_volume *volume = edit->volume;
    uint32_t block_size = volume->port->block_size;
    uint8_t *block = arena_alloc(edit->arena, block_size, 1);
    uint32_t sector = 0;
    enum status status = block == NULL ? ST_NO_MEMORY : find_fsinfo(edit, block, &sector);

    if (status != ST_OK || sector == 0)
        return status;
    uint64_t offset = (uint64_t)sector * volume->sector_size;
    status = fat_read(volume, offset, block_size, block);
    if (status == ST_OK &&
        fat_fsinfo_update(block, fat_count_free(&edit->table),
                          edit->table.cursor < volume->cluster_count + 2 ? edit->table.cursor : 2))
        disk_edit_write(&edit->builder, FAT_EDIT_FREED, fat_block_at(volume, offset),
                        span_of(block, block_size), false);
    return status;
}

static enum status add_freed(struct edit *edit)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < edit->tree.count && status == ST_OK; i++)
        status = fat_free_chain(&edit->table, &edit->builder, edit->places[i].old_cluster);
    for (size_t i = 0; i < edit->tree.count && status == ST_OK; i++) {
        if (is_changed(&edit->tree.nodes[i]))
            status =
                fat_folder_emit_pieces(&edit->places[i].folder, &edit->tree, i, &edit->builder);
    }
    if (status != ST_OK)
        return status;
    fat_free_lost(&edit->table);
    fat_table_edit_emit(&edit->table, &edit->builder, FAT_EDIT_FREED);
    return edit->table.changed ? add_fsinfo(edit) : ST_OK;
}

enum status fat_edit(struct arena *arena, struct fat_volume *volume,
                     const struct fat_report *report, const struct fat_entry_request *entries,
                     size_t entry_count, struct disk_edit *ret_edit)
{
    struct edit edit = {.arena = arena, .volume = volume};

    if (volume->is_narrow || !fat_edit_is_possible(report))
        return ST_REFUSED;
    enum status status = fat_tree_build(arena, entries, entry_count, &edit.tree);
    if (status != ST_OK)
        return status;
    edit.places = arena_alloc(arena, edit.tree.count, sizeof(*edit.places));
    if (edit.places == NULL)
        return ST_NO_MEMORY;
    disk_edit_start(&edit.builder, arena, volume->port->block_size);
    status = fat_table_edit_start(arena, volume, report, &edit.table);
    if (status == ST_OK)
        status = open_folders(&edit);
    if (status == ST_OK)
        status = take_all(&edit);
    if (status == ST_OK)
        status = add_new(&edit);
    if (status != ST_OK)
        return status;
    add_changes(&edit);
    status = add_freed(&edit);
    if (status != ST_OK)
        return status;
    return disk_edit_finish(&edit.builder, FAT_EDIT_PHASES, ret_edit);
}
