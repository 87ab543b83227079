#include "format/fat/fat_layout.h"

#include "base/mem.h"
#include "format/fat/fat_geometry.h"
#include "format/fat/fat_table.h"
#include "fat_tree.h"

#define LABEL_SIZE     11u
#define SECTOR_MAX     4096u
#define FIRST_CLUSTER  2u
#define SIGNED_SECTORS 2u /* boot sector and FSInfo: what the backup is of */

/* FAT16 has no backup: its boot sector is written in that phase. */
enum { PHASE_WIPE, PHASE_WIPE_BACKUPS, PHASE_CONTENT, PHASE_BACKUP, PHASE_BOOT };

struct layout {
    const struct fat_layout_request *request;
    struct arena *arena;
    struct fat_geometry geometry;
    struct fat_tree tree;
    uint8_t label[LABEL_SIZE];
    bool has_label;
    uint64_t *clusters;          /* of the nodes */
    uint64_t directory_clusters; /* those of all directories, which come first */
    uint64_t used_clusters;
    uint8_t *table; /* the FAT up to the last cluster in use */
    uint32_t table_blocks;
    struct disk_edit_builder edit;
};

/* --- Room ------------------------------------------------------------------------------------- */

/* Gives names to what is in the directories and counts what the nodes take. */
static enum status count_clusters(struct arena *arena, struct fat_tree *tree, size_t extra_slots,
                                  uint32_t cluster_bytes, uint64_t *clusters)
{
    for (size_t i = 0; i < tree->count; i++) {
        size_t slots = 0;
        if (tree->nodes[i].is_directory) {
            enum status status = fat_tree_name_new(arena, tree, i);
            if (status != ST_OK)
                return status;
            slots = fat_tree_slots(tree, i) + (i == 0 ? extra_slots : 0);
        }
        if (slots > FAT_DIRECTORY_SLOTS_MAX)
            return ST_NO_SPACE;
        clusters[i] = fat_tree_clusters(&tree->nodes[i], slots, cluster_bytes);
    }
    return ST_OK;
}

/* Tree and clusters of the nodes, in the arena. */
static enum status plan_tree(struct arena *arena, const struct fat_entry_request *entries,
                             size_t count, size_t extra_slots, uint32_t cluster_bytes,
                             struct fat_tree *ret_tree, uint64_t **ret_clusters)
{
    struct fat_tree tree;
    enum status status = fat_tree_build(arena, entries, count, &tree);

    if (status != ST_OK)
        return status;
    uint64_t *clusters = arena_alloc(arena, tree.count, sizeof(*clusters));
    if (clusters == NULL)
        return ST_NO_MEMORY;
    status = count_clusters(arena, &tree, extra_slots, cluster_bytes, clusters);
    if (status != ST_OK)
        return status;
    *ret_tree = tree;
    *ret_clusters = clusters;
    return ST_OK;
}

enum status fat_layout_bytes(struct arena *arena, const struct fat_entry_request *entries,
                             size_t count, uint32_t cluster_bytes, uint64_t *ret_bytes)
{
    struct fat_tree tree;
    uint64_t *clusters = NULL;
    uint64_t sum = 0;
    size_t mark = arena_mark(arena);
    enum status status = plan_tree(arena, entries, count, 1, cluster_bytes, &tree, &clusters);

    for (size_t i = 0; status == ST_OK && i < tree.count; i++)
        sum += clusters[i];
    arena_release(arena, mark);
    if (status == ST_OK)
        *ret_bytes = sum * cluster_bytes;
    return status;
}

static void place_in_clusters(struct layout *layout, size_t index)
{
    if (layout->clusters[index] == 0)
        return;
    layout->tree.nodes[index].cluster = FIRST_CLUSTER + (uint32_t)layout->used_clusters;
    layout->used_clusters += layout->clusters[index];
}

/* In the order of the tree. */
static void place_directories(struct layout *layout)
{
    for (size_t i = 0; i < layout->tree.count; i++) {
        if (layout->tree.nodes[i].is_directory)
            place_in_clusters(layout, i);
    }
    layout->directory_clusters = layout->used_clusters;
}

/* In the order they are asked for. */
static enum status place_files(struct layout *layout)
{
    const struct fat_layout_request *request = layout->request;
    size_t mark = arena_mark(layout->arena);
    size_t *nodes = arena_alloc(layout->arena, request->entry_count, sizeof(*nodes));

    if (nodes == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 1; i < layout->tree.count; i++) { /* 0 is the root, which nothing asks for */
        const struct fat_node *node = &layout->tree.nodes[i];
        if (!node->is_directory)
            nodes[node->request - request->entries] = i;
    }
    for (size_t i = 0; i < request->entry_count; i++) {
        if (nodes[i] != 0)
            place_in_clusters(layout, nodes[i]);
    }
    arena_release(layout->arena, mark);
    return ST_OK;
}

static enum status place_nodes(struct layout *layout)
{
    uint32_t cluster_bytes = layout->geometry.cluster_sectors * layout->geometry.sector_size;
    size_t root_slots = layout->has_label ? 1 : 0;
    uint64_t wanted = 0;
    enum status status =
        plan_tree(layout->arena, layout->request->entries, layout->request->entry_count, root_slots,
                  cluster_bytes, &layout->tree, &layout->clusters);

    if (status != ST_OK)
        return status;
    if (layout->geometry.type == FAT_16) {
        if (fat_tree_slots(&layout->tree, 0) + root_slots > FAT_ROOT_ENTRIES)
            return ST_NO_SPACE;
        layout->clusters[0] = 0;
    }
    for (size_t i = 0; i < layout->tree.count; i++)
        wanted += layout->clusters[i];
    if (wanted > layout->geometry.cluster_count)
        return ST_NO_SPACE;
    place_directories(layout);
    return place_files(layout);
}

/* --- Writes ----------------------------------------------------------------------------------- */

static uint64_t cluster_sector(const struct fat_geometry *geometry, uint32_t cluster)
{
    return geometry->data + (uint64_t)(cluster - FIRST_CLUSTER) * geometry->cluster_sectors;
}

/* `data` in sectors of the partition. */
static void add_sectors(struct layout *layout, unsigned phase, uint64_t sector, struct span data)
{
    disk_edit_write(&layout->edit, phase, layout->request->first_lba + sector, data, false);
}

/* Zeros in sectors [first, end). */
static void add_zeros(struct layout *layout, unsigned phase, uint64_t first, uint64_t end)
{
    if (first < end)
        disk_edit_zero(&layout->edit, phase, layout->request->first_lba + first, end - first);
}

/* First the boot sector goes, then, flushed, the backups that one of FAT32 may have had. */
static void add_wipe(struct layout *layout)
{
    uint32_t sector_size = layout->geometry.sector_size;

    add_zeros(layout, PHASE_WIPE, 0, 1);
    for (uint32_t size = sector_size; size <= SECTOR_MAX; size *= 2) {
        uint64_t sector = (uint64_t)FAT_BACKUP_SECTOR * size / sector_size;
        add_zeros(layout, PHASE_WIPE_BACKUPS, sector, sector + 1);
    }
}

static void put_chain(struct layout *layout, uint32_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint32_t cluster = first + (uint32_t)i;
        fat_entry_store(layout->geometry.type, layout->table, cluster,
                        i + 1 < count ? cluster + 1 : 0xffffffffu);
    }
}

static enum status make_table(struct layout *layout)
{
    uint32_t sector_size = layout->geometry.sector_size;
    uint64_t bytes =
        fat_entries_bytes(layout->geometry.type, layout->used_clusters + FIRST_CLUSTER);

    layout->table_blocks = (uint32_t)((bytes + sector_size - 1) / sector_size);
    layout->table = arena_alloc(layout->arena, layout->table_blocks, sector_size);
    if (layout->table == NULL)
        return ST_NO_MEMORY;
    fat_entry_store(layout->geometry.type, layout->table, 0, 0xfffffff8u);
    fat_entry_store(layout->geometry.type, layout->table, 1, 0xffffffffu);
    for (size_t i = 0; i < layout->tree.count; i++)
        put_chain(layout, layout->tree.nodes[i].cluster, layout->clusters[i]);
    return ST_OK;
}

static void add_tables(struct layout *layout)
{
    const struct fat_geometry *geometry = &layout->geometry;
    struct span used = span_of(layout->table, (size_t)layout->table_blocks * geometry->sector_size);

    for (uint32_t fat = 0; fat < 2; fat++) {
        uint64_t first = geometry->reserved + (uint64_t)fat * geometry->fat_sectors;
        add_sectors(layout, PHASE_CONTENT, first, used);
        add_zeros(layout, PHASE_CONTENT, first + layout->table_blocks,
                  first + geometry->fat_sectors);
    }
}

/* The label takes the date of the first entry that has one. */
static void put_label(const struct layout *layout, uint8_t *entry)
{
    const struct fat_layout_request *request = layout->request;
    struct date_time written = {0};

    for (size_t i = 0; i < request->entry_count && written.year == 0; i++)
        written = request->entries[i].written;
    fat_dirent_put_label(layout->label, written, entry);
}

/* All directories in one piece: they lie together from cluster 2 on; before it the root directory
 * of FAT16, which ends where cluster 2 begins. */
static enum status add_directories(struct layout *layout)
{
    const struct fat_geometry *geometry = &layout->geometry;
    size_t root = (size_t)geometry->root_sectors * geometry->sector_size;
    size_t cluster_bytes = (size_t)geometry->cluster_sectors * geometry->sector_size;
    size_t size = root + (size_t)layout->directory_clusters * cluster_bytes;
    uint8_t *bytes = arena_alloc(layout->arena, size, 1);

    if (bytes == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < layout->tree.count; i++) {
        uint32_t cluster = layout->tree.nodes[i].cluster;
        uint8_t *at = bytes;
        if (!layout->tree.nodes[i].is_directory)
            continue;
        if (cluster != 0)
            at += root + (cluster - FIRST_CLUSTER) * cluster_bytes;
        if (i == 0 && layout->has_label) {
            put_label(layout, at);
            at += FAT_DIRENT_SIZE;
        }
        fat_tree_put_directory(&layout->tree, i, at);
    }
    add_sectors(layout, PHASE_CONTENT, geometry->data - geometry->root_sectors,
                span_of(bytes, size));
    return ST_OK;
}

static enum status add_files(struct layout *layout)
{
    const struct fat_geometry *geometry = &layout->geometry;

    for (size_t i = 0; i < layout->tree.count; i++) {
        const struct fat_node *node = &layout->tree.nodes[i];
        if (node->is_directory || layout->clusters[i] == 0)
            continue;
        struct disk_extent extent = {
            .lba = layout->request->first_lba + cluster_sector(geometry, node->cluster),
            .bytes = node->request->size,
        };
        struct disk_file file = {
            .phase = PHASE_CONTENT,
            .source = node->request->source,
            .size = node->request->size,
            .extents = arena_copy(layout->arena, &extent, sizeof(extent)),
            .extent_count = 1,
        };
        if (file.extents == NULL)
            return ST_NO_MEMORY;
        disk_edit_file(&layout->edit, &file);
    }
    return ST_OK;
}

static void add_boot_sectors(struct layout *layout, uint8_t *sectors)
{
    const struct fat_layout_request *request = layout->request;
    const struct fat_geometry *geometry = &layout->geometry;
    uint32_t size = geometry->sector_size;
    uint8_t *fsinfo = sectors + size;

    fat_boot_sector_put(geometry, request->first_lba, request->serial, layout->label, sectors);
    if (geometry->type == FAT_16) {
        add_zeros(layout, PHASE_CONTENT, 1, geometry->reserved);
        add_sectors(layout, PHASE_BACKUP, 0, span_of(sectors, size));
        return;
    }
    fat_fsinfo_put(geometry->cluster_count - (uint32_t)layout->used_clusters,
                   FIRST_CLUSTER + (uint32_t)layout->used_clusters - 1, fsinfo);
    add_sectors(layout, PHASE_CONTENT, FAT_FSINFO_SECTOR, span_of(fsinfo, size));
    add_zeros(layout, PHASE_CONTENT, FAT_FSINFO_SECTOR + 1, FAT_BACKUP_SECTOR);
    add_zeros(layout, PHASE_CONTENT, FAT_BACKUP_SECTOR + SIGNED_SECTORS, geometry->reserved);
    add_sectors(layout, PHASE_BACKUP, FAT_BACKUP_SECTOR,
                span_of(sectors, (size_t)size * SIGNED_SECTORS));
    add_sectors(layout, PHASE_BOOT, 0, span_of(sectors, size));
}

static enum status add_all(struct layout *layout)
{
    enum status status = make_table(layout);
    uint8_t *sectors = arena_alloc(layout->arena, SIGNED_SECTORS, layout->geometry.sector_size);

    if (sectors == NULL)
        return ST_NO_MEMORY;
    add_wipe(layout);
    add_boot_sectors(layout, sectors);
    if (status == ST_OK)
        status = add_directories(layout);
    if (status == ST_OK)
        status = add_files(layout);
    if (status == ST_OK)
        add_tables(layout);
    return status;
}

/* --- The request ------------------------------------------------------------------------------ */

static bool label_char_is_legal(char c)
{
    static const char allowed[] = " !#$%&'()-@^_`{}~";

    for (size_t i = 0; i < sizeof(allowed) - 1; i++) {
        if (c == allowed[i])
            return true;
    }
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* Labels are in capitals. */
static enum status take_label(struct layout *layout)
{
    const char *label = layout->request->label;
    size_t used = 0;

    memset(layout->label, ' ', LABEL_SIZE);
    for (; label[used] != '\0'; used++) {
        char c = label[used] >= 'a' && label[used] <= 'z' ? (char)(label[used] - 'a' + 'A')
                                                          : label[used];
        if (used == LABEL_SIZE || !label_char_is_legal(c) || (used == 0 && c == ' '))
            return ST_USAGE;
        layout->label[used] = (uint8_t)c;
    }
    layout->has_label = used > 0;
    if (!layout->has_label)
        memcpy(layout->label, "NO NAME    ", LABEL_SIZE);
    return ST_OK;
}

enum status fat_layout(struct arena *arena, const struct fat_layout_request *request,
                       struct disk_edit *ret_edit)
{
    struct layout layout = {.request = request, .arena = arena};

    if (!fat_geometry_make(request->type, request->first_lba, request->block_count,
                           request->block_size, &layout.geometry))
        return ST_UNSUPPORTED;
    enum status status = take_label(&layout);
    if (status == ST_OK)
        status = place_nodes(&layout);
    if (status != ST_OK)
        return status;
    disk_edit_start(&layout.edit, arena, request->block_size);
    status = add_all(&layout);
    if (status != ST_OK)
        return status;
    return disk_edit_finish(
        &layout.edit, (layout.geometry.type == FAT_32 ? PHASE_BOOT : PHASE_BACKUP) + 1, ret_edit);
}
