#include "fat_edit_table.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "format/fat/fat_table.h"

#define FIRST_CLUSTER 2u
#define END           0x0fffffffu
#define FAT12_BITS    0xfffu

uint64_t fat_block_at(const struct fat_volume *volume, uint64_t offset)
{
    return volume->first_lba + offset / volume->port->block_size;
}

static uint32_t entries_end(const struct fat_table_edit *edit)
{
    return edit->volume->cluster_count + FIRST_CLUSTER;
}

void fat_put_link(struct fat_table_edit *edit, uint32_t cluster, uint32_t next)
{
    enum fat_type type = edit->volume->type;
    size_t at = fat_entry_offset(type, cluster);

    fat_entry_store(type, edit->bytes, cluster, next);
    edit->dirty[at / edit->block_size] = 1;
    if (type == FAT_12)
        edit->dirty[(at + 1) / edit->block_size] = 1;
}

/* --- What is whose ---------------------------------------------------------------------------- */

static enum status load_table(struct fat_table_edit *edit)
{
    struct fat_volume *volume = edit->volume;

    for (uint32_t entry = 0; entry < entries_end(edit); entry++) {
        uint32_t link = 0;
        enum status status = fat_link(volume, entry, &link);
        if (status != ST_OK)
            return status;
        if (link != FAT_LINK_FREE) {
            edit->uses[entry] = link == FAT_LINK_BAD ? FAT_USE_BAD : FAT_USE_LOST;
            continue;
        }
        uint32_t run = fat_free_run(volume, entry);
        _Static_assert(FAT_USE_FREE == 0, "what new memory holds, so that a run needs no more");
        entry += run > 0 ? run - 1 : 0;
    }
    memcpy(edit->bytes, volume->table, edit->block_count * edit->block_size);
    return ST_OK;
}

static enum status mark_chain(struct fat_table_edit *edit, uint32_t first, enum fat_use use)
{
    uint32_t cluster = first;

    while (fat_has_cluster(edit->volume, cluster) && edit->uses[cluster] == FAT_USE_LOST) {
        edit->uses[cluster] = (uint8_t)use;
        enum status status = fat_link(edit->volume, cluster, &cluster);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static enum status mark_all(struct fat_table_edit *edit, const struct fat_report *report)
{
    enum status status = ST_OK;

    if (edit->volume->type == FAT_32)
        status = mark_chain(edit, edit->volume->root_cluster, FAT_USE_DIRECTORY);
    for (size_t i = 0; i < report->file_count && status == ST_OK; i++) {
        const struct fat_file *file = &report->files[i];
        status = mark_chain(edit, file->first_cluster,
                            file->is_directory ? FAT_USE_DIRECTORY : FAT_USE_FILE);
    }
    return status;
}

/*
 * True for a difference that a cut may leave: in what belongs to nothing, and where one FAT has a
 * directory grown and the other has not yet.
 */
static bool may_differ(const struct fat_table_edit *edit, uint32_t cluster, uint32_t a, uint32_t b)
{
    enum fat_type type = edit->volume->type;

    if (edit->uses[cluster] == FAT_USE_FILE)
        return false;
    return edit->uses[cluster] != FAT_USE_DIRECTORY || fat_entry_is_end(type, a) ||
           fat_entry_is_end(type, b);
}

/* `copy` is made equal to the FAT that counts. */
static enum status take_copy(struct fat_table_edit *edit, const uint8_t *copy)
{
    enum fat_type type = edit->volume->type;

    for (uint32_t entry = FIRST_CLUSTER; entry < entries_end(edit); entry++) {
        uint32_t a = fat_entry_load(type, edit->bytes, entry);
        uint32_t b = fat_entry_load(type, copy, entry);
        if (a != b && !may_differ(edit, entry, a, b))
            return ST_REFUSED;
    }
    for (size_t i = 0; i < edit->block_count; i++) {
        size_t at = i * edit->block_size;
        if (memcmp(edit->bytes + at, copy + at, edit->block_size) != 0)
            edit->dirty[i] = 1;
    }
    return ST_OK;
}

static enum status take_copies(struct fat_table_edit *edit)
{
    struct fat_volume *volume = edit->volume;
    size_t mark = arena_mark(edit->arena);
    size_t size = edit->block_count * edit->block_size;
    uint8_t *copy = arena_alloc(edit->arena, size, 1);
    enum status status = copy == NULL ? ST_NO_MEMORY : ST_OK;

    for (uint32_t fat = 1; volume->fat_mirrored && fat < volume->fat_count && status == ST_OK;
         fat++) {
        status = fat_read(volume, volume->fat_offset + fat * volume->fat_bytes, size, copy);
        if (status == ST_OK)
            status = take_copy(edit, copy);
    }
    arena_release(edit->arena, mark);
    return status;
}

/* Behind the last cluster in use: what the change before this one has set free is taken last, so
 * that both can be taken back, one after the other. */
static uint32_t first_to_try(const struct fat_table_edit *edit)
{
    uint32_t cluster = entries_end(edit);

    while (cluster > FIRST_CLUSTER && edit->uses[cluster - 1] == FAT_USE_FREE)
        cluster--;
    return cluster;
}

enum status fat_table_edit_start(struct arena *arena, struct fat_volume *volume,
                                 const struct fat_report *report, struct fat_table_edit *ret_edit)
{
    struct fat_table_edit edit = {
        .volume = volume, .arena = arena, .block_size = volume->port->block_size};

    edit.block_count = (size_t)((volume->table_bytes + edit.block_size - 1) / edit.block_size);
    edit.bytes = arena_alloc(arena, edit.block_count, edit.block_size);
    edit.dirty = arena_alloc(arena, edit.block_count, 1);
    edit.uses = arena_alloc(arena, entries_end(&edit), 1);
    if (edit.bytes == NULL || edit.dirty == NULL || edit.uses == NULL)
        return ST_NO_MEMORY;
    enum status status = load_table(&edit);
    if (status == ST_OK)
        status = mark_all(&edit, report);
    if (status == ST_OK && report->problems[FAT_COPIES_DIFFER] != 0)
        status = take_copies(&edit);
    edit.cursor = first_to_try(&edit);
    if (status == ST_OK)
        *ret_edit = edit;
    return status;
}

/* --- Clusters that can be had ----------------------------------------------------------------- */

static bool can_be_had(const struct fat_table_edit *edit, uint32_t cluster)
{
    return edit->uses[cluster] == FAT_USE_FREE ||
           (edit->takes_lost && edit->uses[cluster] == FAT_USE_LOST);
}

/* The first run of `count` from the cursor on, or else of the volume; 0 when there is none. */
static uint32_t find_run(const struct fat_table_edit *edit, uint32_t from, uint32_t count)
{
    uint32_t length = 0;

    for (uint32_t cluster = from; cluster < entries_end(edit); cluster++) {
        length = can_be_had(edit, cluster) ? length + 1 : 0;
        if (length == count)
            return cluster - count + 1;
    }
    return from > FIRST_CLUSTER ? find_run(edit, FIRST_CLUSTER, count) : 0;
}

/* Runs of the first `count` clusters there are, into `at` unless it is NULL. Gives how many
 * clusters are missing. */
static uint32_t collect_runs(const struct fat_table_edit *edit, uint32_t count, struct fat_run *at,
                             size_t *ret_runs)
{
    size_t runs = 0;
    bool goes_on = false;

    for (uint32_t cluster = FIRST_CLUSTER; cluster < entries_end(edit) && count > 0; cluster++) {
        if (!can_be_had(edit, cluster)) {
            goes_on = false;
            continue;
        }
        if (!goes_on && at != NULL)
            at[runs] = (struct fat_run){.first = cluster};
        runs += !goes_on;
        if (at != NULL)
            at[runs - 1].count++;
        goes_on = true;
        count--;
    }
    *ret_runs = runs;
    return count;
}

static enum status find_runs(struct fat_table_edit *edit, uint32_t count, struct fat_runs *runs)
{
    uint32_t first = find_run(edit, edit->cursor, count);
    struct fat_run whole = {.first = first, .count = count};

    runs->count = 1;
    if (first == 0 && collect_runs(edit, count, NULL, &runs->count) > 0)
        return ST_NO_SPACE;
    runs->at = arena_alloc(edit->arena, runs->count, sizeof(*runs->at));
    if (runs->at == NULL)
        return ST_NO_MEMORY;
    if (first != 0)
        runs->at[0] = whole;
    else
        (void)collect_runs(edit, count, runs->at, &runs->count);
    return ST_OK;
}

static void take_runs(struct fat_table_edit *edit, struct fat_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        for (uint32_t k = 0; k < runs->at[i].count; k++) {
            uint8_t *use = &edit->uses[runs->at[i].first + k];
            runs->lost = runs->lost || *use == FAT_USE_LOST;
            *use = FAT_USE_TAKEN;
        }
        edit->cursor = runs->at[i].first + runs->at[i].count;
    }
}

enum status fat_take_clusters(struct fat_table_edit *edit, uint32_t count,
                              struct fat_runs *ret_runs)
{
    struct fat_runs runs = {0};
    enum status status = find_runs(edit, count, &runs);

    if (status == ST_NO_SPACE && !edit->takes_lost) {
        edit->takes_lost = true;
        status = find_runs(edit, count, &runs);
    }
    if (status != ST_OK)
        return status;
    take_runs(edit, &runs);
    *ret_runs = runs;
    return ST_OK;
}

/* The bits of an entry of FAT12 that lie in the first of its two bytes. */
static uint32_t first_byte_bits(uint32_t entry)
{
    return entry % 2 != 0 ? 0x00f : 0x0ff;
}

/* A cluster whose number differs from what `last` has in one block of the FAT only; 0: none. */
static uint32_t find_next(const struct fat_table_edit *edit, uint32_t last)
{
    uint32_t old = fat_entry_load(FAT_12, edit->bytes, last);
    uint32_t bits = first_byte_bits(last);

    for (uint32_t cluster = FIRST_CLUSTER; cluster < entries_end(edit); cluster++) {
        uint32_t change = cluster ^ old;
        if (can_be_had(edit, cluster) &&
            ((change & bits) == 0 || (change & FAT12_BITS & ~bits) == 0))
            return cluster;
    }
    return 0;
}

/* Takes the first cluster by its number, the others as they come. */
static enum status take_with_next(struct fat_table_edit *edit, uint32_t last, uint32_t count,
                                  struct fat_runs *ret_runs)
{
    struct fat_runs rest = {0};
    uint32_t next = find_next(edit, last);

    if (next == 0 && !edit->takes_lost) {
        edit->takes_lost = true;
        next = find_next(edit, last);
    }
    if (next == 0)
        return ST_NO_SPACE;
    bool lost = edit->uses[next] == FAT_USE_LOST;
    edit->uses[next] = FAT_USE_TAKEN;
    if (count > 1) {
        enum status status = fat_take_clusters(edit, count - 1, &rest);
        if (status != ST_OK)
            return status;
    }
    struct fat_run *at = arena_alloc(edit->arena, rest.count + 1, sizeof(*at));
    if (at == NULL)
        return ST_NO_MEMORY;
    at[0] = (struct fat_run){.first = next, .count = 1};
    if (rest.count > 0)
        memcpy(at + 1, rest.at, rest.count * sizeof(*at));
    *ret_runs = (struct fat_runs){.at = at, .count = rest.count + 1, .lost = lost || rest.lost};
    return ST_OK;
}

enum status fat_take_clusters_after(struct fat_table_edit *edit, uint32_t last, uint32_t count,
                                    struct fat_runs *ret_runs)
{
    size_t at = fat_entry_offset(edit->volume->type, last);

    if (edit->volume->type != FAT_12 || at / edit->block_size == (at + 1) / edit->block_size)
        return fat_take_clusters(edit, count, ret_runs);
    return take_with_next(edit, last, count, ret_runs);
}

/* --- Changes ---------------------------------------------------------------------------------- */

void fat_put_chain(struct fat_table_edit *edit, const struct fat_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        uint32_t cluster = runs->at[i].first;
        uint32_t end = cluster + runs->at[i].count;
        for (; cluster + 1 < end; cluster++)
            fat_put_link(edit, cluster, cluster + 1);
        fat_put_link(edit, cluster, i + 1 < runs->count ? runs->at[i + 1].first : END);
    }
}

enum status fat_free_chain(struct fat_table_edit *edit, struct disk_edit_builder *builder,
                           uint32_t first)
{
    uint32_t cluster = first;

    while (fat_has_cluster(edit->volume, cluster) &&
           (edit->uses[cluster] == FAT_USE_FILE || edit->uses[cluster] == FAT_USE_DIRECTORY)) {
        edit->uses[cluster] = FAT_USE_FREE;
        fat_put_link(edit, cluster, 0);
        disk_edit_freed(builder,
                        fat_block_at(edit->volume, fat_cluster_offset(edit->volume, cluster)),
                        edit->volume->cluster_size);
        enum status status = fat_link(edit->volume, cluster, &cluster);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

void fat_free_lost(struct fat_table_edit *edit)
{
    if (!edit->takes_lost)
        return;
    for (uint32_t cluster = FIRST_CLUSTER; cluster < entries_end(edit); cluster++) {
        if (edit->uses[cluster] == FAT_USE_LOST)
            fat_put_link(edit, cluster, 0);
    }
}

/* Blocks [first, end) as they are now, for the FAT number `fat`. */
static void emit_blocks(const struct fat_table_edit *edit, struct disk_edit_builder *builder,
                        unsigned phase, size_t first, struct span data)
{
    const struct fat_volume *volume = edit->volume;

    for (uint32_t fat = 0; fat < volume->fat_count; fat++) {
        uint64_t offset = volume->fat_offset + fat * volume->fat_bytes;
        if (volume->fat_mirrored || fat == volume->fat_active)
            disk_edit_write(builder, phase, fat_block_at(volume, offset) + first, data, false);
    }
}

void fat_table_edit_emit(struct fat_table_edit *edit, struct disk_edit_builder *builder,
                         unsigned phase)
{
    for (size_t first = 0; first < edit->block_count; first++) {
        size_t end = first;
        while (end < edit->block_count && edit->dirty[end] != 0)
            edit->dirty[end++] = 0;
        if (end == first)
            continue;
        size_t size = (end - first) * edit->block_size;
        void *data = arena_copy(edit->arena, edit->bytes + first * edit->block_size, size);
        if (data == NULL) {
            builder->failed = true;
            return;
        }
        emit_blocks(edit, builder, phase, first, span_of(data, size));
        edit->changed = true;
        first = end - 1;
    }
}

uint32_t fat_count_free(const struct fat_table_edit *edit)
{
    uint32_t count = 0;

    for (uint32_t cluster = FIRST_CLUSTER; cluster < entries_end(edit); cluster++)
        count += fat_entry_load(edit->volume->type, edit->bytes, cluster) == 0;
    return count;
}
