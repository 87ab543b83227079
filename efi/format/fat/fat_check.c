#include "base/mem.h"
#include "format/fat/fat_boot.h"
#include "format/fat/fat_table.h"
#include "fat_walk.h"

#define FAT32_CLUSTERS_MIN 65525u
#define READS_IN_LIMIT     32u /* so small are they made */

bool fat_form_is_unusual(const struct fat_volume *volume)
{
    return volume->type == FAT_32 &&
           (volume->cluster_count < FAT32_CLUSTERS_MIN || !volume->fat_mirrored);
}

/* What is sound and yet refused by the driver that most firmware has, or by others. */
static void check_form(struct fat_walk *walk)
{
    const struct fat_volume *volume = walk->volume;
    uint64_t room = volume->block_count * volume->port->block_size;

    if (volume->sectors > room / volume->sector_size)
        fat_note(walk, FAT_PAST_PARTITION, "");
    if (volume->other_sectors)
        fat_note(walk, FAT_SECTOR_SIZE, "");
    if (!volume->has_signature)
        fat_note(walk, FAT_SIGNATURE_MISSING, "");
    if (fat_form_is_unusual(volume))
        fat_note(walk, FAT_FORM_UNUSUAL, "");
}

/* The first two entries of the FAT. */
static enum status check_first_entries(struct fat_walk *walk)
{
    static const uint32_t ones[] = {[FAT_12] = 0xf00, [FAT_16] = 0xff00, [FAT_32] = 0x0fffff00};
    static const uint32_t clean[] = {[FAT_12] = 0, [FAT_16] = 0xc000, [FAT_32] = 0x0c000000};
    struct fat_volume *volume = walk->volume;
    uint32_t entries[2] = {0};

    for (uint32_t i = 0; i < 2; i++) {
        enum status status = fat_entry(volume, i, &entries[i]);
        if (status == ST_REFUSED)
            walk->report.complete = false;
        if (status != ST_OK)
            return status == ST_NO_MEMORY ? status : ST_OK;
    }
    if (entries[0] != (ones[volume->type] | volume->media))
        fat_note(walk, FAT_MEDIA_ENTRY, "");
    if ((~entries[1] & clean[volume->type]) != 0 || volume->dirty != 0)
        fat_note(walk, FAT_MARKED_DIRTY, "");
    return ST_OK;
}

/* Directories that an ESP is for, as far as they are known by now. */
static enum status list_urgent(struct fat_walk *walk)
{
    while (walk->urgent_count > 0) {
        enum status status = fat_folder_list(walk, walk->urgent[--walk->urgent_count]);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* All directories, also those that are found on the way. */
static enum status list_others(struct fat_walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (!walk->items[i].file.is_directory || walk->items[i].done)
            continue;
        enum status status = fat_folder_list(walk, i);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* The chains of all files that are known by now. */
static enum status check_files(struct fat_walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (walk->items[i].file.is_directory || walk->items[i].done)
            continue;
        enum status status = fat_chain_check_file(walk, i);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* True when the copy's bytes [start, end), of one sector, are those of the table, as far as both
 * could be read. */
static bool sector_is_equal(const struct fat_walk *walk, uint64_t start, uint64_t end)
{
    const struct fat_volume *volume = walk->volume;
    uint64_t chunk = start - start % volume->read_size;

    if (volume->table_loaded[start / volume->sector_size] != FAT_SECTOR_LOADED)
        return true;
    /* The dirty bits are no reason to doubt a copy: some drivers set them in the first FAT only. */
    if (start == 0)
        start = fat_entry_offset(volume->type, 2);
    return memcmp(volume->table + start, walk->buffer + (start - chunk), (size_t)(end - start)) ==
           0;
}

/* The part [start, end) of the FAT number `fat`. */
static enum status compare_chunk(struct fat_walk *walk, uint32_t fat, uint64_t start, uint64_t end,
                                 bool *io_equal)
{
    struct fat_volume *volume = walk->volume;
    uint32_t block_size = volume->port->block_size;
    uint64_t size = (end - start + block_size - 1) / block_size * block_size;
    enum status status =
        fat_read(volume, volume->fat_offset + fat * volume->fat_bytes + start, size, walk->buffer);

    if (status == ST_IO)
        fat_note(walk, FAT_UNREADABLE, "");
    if (status != ST_OK)
        return status == ST_IO ? ST_OK : status;
    for (uint64_t at = start; at < end; at += volume->sector_size) {
        uint64_t sector_end = end - at < volume->sector_size ? end : at + volume->sector_size;
        *io_equal = *io_equal && sector_is_equal(walk, at, sector_end);
    }
    return ST_OK;
}

static enum status compare_copy(struct fat_walk *walk, uint32_t fat)
{
    uint64_t size = walk->volume->table_bytes;
    uint64_t chunk = walk->volume->read_size;
    bool equal = true;

    for (uint64_t start = 0; start < size; start += chunk) {
        uint64_t end = size - start < chunk ? size : start + chunk;
        enum status status = compare_chunk(walk, fat, start, end, &equal);
        if (status == ST_REFUSED)
            walk->report.complete = false;
        if (status != ST_OK)
            return status == ST_REFUSED ? ST_OK : status;
    }
    if (!equal)
        fat_note(walk, FAT_COPIES_DIFFER, "");
    return ST_OK;
}

/* The whole table is loaded by now. */
static enum status compare_copies(struct fat_walk *walk)
{
    struct fat_volume *volume = walk->volume;

    for (uint32_t fat = 0; volume->fat_mirrored && fat < volume->fat_count; fat++) {
        if (fat == volume->fat_active || !walk->report.complete)
            continue;
        enum status status = compare_copy(walk, fat);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static bool is_same_volume(const struct fat_volume *a, const struct fat_volume *b)
{
    return a->type == b->type && a->cluster_size == b->cluster_size &&
           a->cluster_count == b->cluster_count && a->fat_offset == b->fat_offset &&
           a->data_offset == b->data_offset && a->root_cluster == b->root_cluster &&
           a->serial == b->serial;
}

static enum status compare_backup(struct fat_walk *walk)
{
    struct fat_volume *volume = walk->volume;
    uint32_t block_size = volume->port->block_size;
    uint64_t offset = (uint64_t)volume->backup_sector * volume->sector_size;
    struct fat_volume backup = *volume;

    if (volume->backup_sector == 0 || volume->from_backup || !walk->report.complete)
        return ST_OK;
    enum status status = ST_DAMAGED;
    if (volume->backup_sector < volume->reserved)
        status = fat_read(volume, offset, block_size, walk->buffer);
    if (status == ST_NO_MEMORY)
        return status;
    if (status == ST_REFUSED)
        walk->report.complete = false;
    else if (status != ST_OK ||
             fat_boot_parse(span_of(walk->buffer, block_size), &backup) != ST_OK ||
             !backup.has_signature || !is_same_volume(volume, &backup))
        fat_note(walk, FAT_BACKUP_DIFFERS, "");
    return ST_OK;
}

/* True when the limit leaves room for all FATs. */
static bool has_room_for_fats(const struct fat_volume *volume)
{
    uint64_t left = volume->read_limit - volume->read_bytes;

    return volume->fat_bytes <= left / volume->fat_count;
}

/* What does not help to find files comes last, and only when there is room to read for it. */
static enum status check_rest(struct fat_walk *walk)
{
    enum status status = ST_OK;

    walk->report.complete = walk->report.complete && has_room_for_fats(walk->volume);
    if (walk->report.complete)
        status = fat_chain_count_clusters(walk);
    if (status == ST_OK && walk->report.complete)
        status = compare_copies(walk);
    if (status == ST_OK)
        status = compare_backup(walk);
    return status;
}

/* Behind the directories. Where those lie one by one there is no use in reading ahead; files lie
 * one after another. */
static enum status go_on_to_files(struct fat_walk *walk)
{
    walk->report.listed = walk->report.complete;
    if (walk->is_limited)
        fat_table_be_sparing(walk->volume, walk->volume->read_size);
    return ST_OK;
}

static enum status check_urgent_files(struct fat_walk *walk)
{
    return walk->is_limited ? ST_OK : check_files(walk);
}

static enum status list_all(struct fat_walk *walk)
{
    /* Before other directories come the files of those that matter, unless there is a limit. */
    static enum status (*const steps[])(struct fat_walk *) = {
        check_first_entries, fat_folder_list_root, list_urgent, check_urgent_files,
        list_others,         go_on_to_files,       check_files, fat_chain_mark_shared,
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum status status = steps[i](walk);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static enum status check_volume(struct fat_walk *walk)
{
    enum status status = list_all(walk);

    return status == ST_OK ? check_rest(walk) : status;
}

typedef enum status check_steps(struct fat_walk *walk);

/* Bytes of a bit per cluster. */
static size_t bitmap_size(const struct fat_volume *volume)
{
    return ((size_t)volume->cluster_count + 2 + 7) / 8;
}

static enum status make_maps(struct fat_walk *walk)
{
    size_t bytes = bitmap_size(walk->volume);

    walk->buffer = arena_alloc(walk->arena, walk->volume->read_size, 1);
    walk->owned = arena_alloc(walk->arena, bytes, 1);
    walk->shared = arena_alloc(walk->arena, bytes, 1);
    return walk->buffer != NULL && walk->owned != NULL && walk->shared != NULL ? ST_OK
                                                                               : ST_NO_MEMORY;
}

static enum status finish_report(struct fat_walk *walk)
{
    struct fat_report *report = &walk->report;

    report->files = arena_alloc(walk->arena, walk->count, sizeof(*report->files));
    if (report->files == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < walk->count; i++)
        report->files[i] = walk->items[i].file;
    report->file_count = walk->count;
    if (walk->volume->from_backup)
        fat_note(walk, FAT_BOOT_SECTOR_FROM_BACKUP, "");
    for (uint32_t i = 0; i < walk->volume->table_failed; i++)
        fat_note(walk, FAT_UNREADABLE, "");
    return ST_OK;
}

static void set_limit(const struct arena *arena, struct fat_volume *volume, uint64_t read_limit)
{
    fat_limit_reads(volume, read_limit);
    while (volume->read_size > FAT_PIECE && (volume->read_size > read_limit / READS_IN_LIMIT ||
                                             volume->read_size > fat_share_of_room(arena)))
        volume->read_size /= 2;
}

/* Without room to note whose clusters are whose nothing is looked at. */
static enum status check_as_room_allows(struct fat_walk *walk, check_steps *steps)
{
    if (2 * bitmap_size(walk->volume) > fat_share_of_room(walk->arena)) {
        walk->report.complete = false;
        return ST_OK;
    }
    enum status status = make_maps(walk);
    return status == ST_OK ? steps(walk) : status;
}

static enum status check_with(struct arena *arena, struct fat_volume *volume, uint64_t read_limit,
                              check_steps *steps, struct fat_report *ret_report)
{
    struct fat_walk walk = {.arena = arena,
                            .volume = volume,
                            .report = {.complete = true},
                            .is_limited = read_limit != UINT64_MAX};
    uint32_t read_size = volume->read_size;

    for (size_t i = 0; i < FAT_PROBLEM_COUNT; i++)
        walk.report.first_place[i] = "";
    set_limit(arena, volume, read_limit);
    if (walk.is_limited)
        fat_table_be_sparing(volume, volume->sector_size);
    check_form(&walk);
    enum status status = check_as_room_allows(&walk, steps);
    if (status == ST_OK)
        status = finish_report(&walk);
    volume->read_limit = UINT64_MAX;
    volume->read_size = read_size;
    if (status == ST_OK)
        *ret_report = walk.report;
    return status;
}

enum status fat_check(struct arena *arena, struct fat_volume *volume, uint64_t read_limit,
                      struct fat_report *ret_report)
{
    return check_with(arena, volume, read_limit, check_volume, ret_report);
}

enum status fat_list(struct arena *arena, struct fat_volume *volume, struct fat_report *ret_report)
{
    struct fat_report report;

    enum status status = check_with(arena, volume, UINT64_MAX, list_all, &report);
    if (status != ST_OK)
        return status;
    report.complete = false;
    *ret_report = report;
    return ST_OK;
}
