#include "format/fat/fat.h"

#include "base/text.h"
#include "format/fat/fat_boot.h"
#include "format/fat/fat_narrow.h"
#include "format/fat/fat_table.h"

#define READ_SIZE       (256u << 10)
#define SECTOR_MAX      4096u
#define BACKUP_STANDARD 6u /* where every formatter puts it */

/* Tries the backup boot sector that would lie in sector `number` of `sector_size` bytes. */
static enum status try_backup(struct fat_volume *volume, uint8_t *block, uint32_t number,
                              uint32_t sector_size)
{
    uint32_t block_size = volume->port->block_size;
    struct fat_volume found = *volume;
    enum status status = fat_read(volume, (uint64_t)number * sector_size, block_size, block);

    if (status == ST_OK) {
        found.read_bytes = volume->read_bytes;
        status = fat_boot_parse(span_of(block, block_size), &found);
    }
    if (status != ST_OK)
        return status;
    if (found.type != FAT_32 || found.sector_size != sector_size || found.backup_sector != number ||
        !found.has_signature)
        return ST_DAMAGED;
    found.from_backup = true;
    found.dirty = 0;
    *volume = found;
    return ST_OK;
}

/* The sector size is not known when the first sector is not believed. `number` is what it says. */
static enum status open_from_backup(struct fat_volume *volume, uint8_t *block, uint32_t number)
{
    enum status status = ST_DAMAGED;

    for (uint32_t size = volume->port->block_size; size <= SECTOR_MAX && status != ST_OK;
         size *= 2) {
        status = try_backup(volume, block, BACKUP_STANDARD, size);
        if (status != ST_OK && number != 0 && number != BACKUP_STANDARD)
            status = try_backup(volume, block, number, size);
    }
    return status;
}

/* Takes what the boot sector says, or else its backup. `block` has room for a block. */
static enum status read_boot_sector(struct fat_volume *volume, uint8_t *block)
{
    struct span sector = span_of(block, volume->port->block_size);
    uint32_t number = 0;
    enum status status = fat_read(volume, 0, sector.size, block);

    if (status == ST_OK) {
        if (fat_boot_is_foreign(sector))
            return ST_ABSENT;
        status = fat_boot_parse(sector, volume);
        number = fat_boot_backup_sector(sector);
    }
    if (status == ST_OK || status == ST_UNSUPPORTED || status == ST_NO_MEMORY)
        return status;
    if (status == ST_DAMAGED && fat_boot_narrow_size(sector) != 0)
        return status; /* it has to be read otherwise */
    return open_from_backup(volume, block, number) == ST_OK ? ST_OK : status;
}

/* Sectors of `size` bytes, smaller than the disk's blocks. */
static enum status open_narrow(struct arena *arena, struct fat_volume *volume, uint32_t size)
{
    const struct block_port *disk = volume->port;
    uint8_t *sector = arena_alloc(arena, 1, size);

    if (sector == NULL)
        return ST_NO_MEMORY;
    enum status status = fat_narrow_new(arena, disk, size, &volume->port);
    if (status != ST_OK)
        return status;
    volume->first_lba *= disk->block_size / size;
    volume->block_count *= disk->block_size / size;
    status = fat_read(volume, 0, size, sector);
    return status == ST_OK ? fat_boot_parse(span_of(sector, size), volume) : status;
}

/* The partition as far as the disk has it. */
static uint64_t blocks_on_disk(const struct block_port *port, uint64_t first_lba, uint64_t count)
{
    uint64_t most = UINT64_MAX / port->block_size;

    if (first_lba >= port->block_count)
        return 0;
    if (count > port->block_count - first_lba)
        count = port->block_count - first_lba;
    return count < most ? count : most;
}

enum status fat_open(struct arena *arena, const struct block_port *port, uint64_t first_lba,
                     uint64_t block_count, struct fat_volume *ret_volume)
{
    struct fat_volume volume = {.port = port,
                                .first_lba = first_lba,
                                .block_count = blocks_on_disk(port, first_lba, block_count),
                                .arena = arena,
                                .read_limit = UINT64_MAX,
                                .read_size = READ_SIZE};
    size_t mark = arena_mark(arena);
    uint8_t *block = arena_alloc(arena, port->block_size, 1);

    if (block == NULL)
        return ST_NO_MEMORY;
    enum status status = read_boot_sector(&volume, block);
    uint32_t narrow =
        status == ST_DAMAGED ? fat_boot_narrow_size(span_of(block, port->block_size)) : 0;
    arena_release(arena, mark);
    if (narrow != 0)
        status = open_narrow(arena, &volume, narrow);
    if (status != ST_OK) {
        arena_release(arena, mark);
        return status;
    }
    volume.is_narrow = narrow != 0;
    volume.other_sectors = volume.sector_size != port->block_size;
    if (volume.table_bytes > FAT_TABLE_MAX || volume.table_bytes > fat_share_of_room(arena))
        return ST_UNSUPPORTED;
    status = fat_table_init(&volume);
    if (status != ST_OK) {
        arena_release(arena, mark);
        return status;
    }
    *ret_volume = volume;
    return ST_OK;
}

/* MINOR is damage too: see fat_problem_is_minor. */
enum weight { HINT, MINOR, DAMAGE };

static const struct {
    const char *text;
    enum weight weight;
} problems[FAT_PROBLEM_COUNT] = {
    [FAT_BOOT_SECTOR_FROM_BACKUP] = {"the boot sector is damaged, its backup is good", DAMAGE},
    [FAT_BACKUP_DIFFERS] = {"the backup boot sector is not that of this file system", HINT},
    [FAT_COPIES_DIFFER] = {"the copies of the FAT differ", MINOR},
    [FAT_UNREADABLE] = {"a part of the FAT or of a directory cannot be read", DAMAGE},
    [FAT_MEDIA_ENTRY] = {"the first FAT entry does not go with the boot sector", HINT},
    [FAT_MARKED_DIRTY] = {"marked as not closed cleanly", HINT},
    [FAT_CHAIN_OUT_OF_RANGE] = {"a cluster chain leads astray", DAMAGE},
    [FAT_CHAIN_LOOPS] = {"a cluster chain leads back into itself", DAMAGE},
    [FAT_CHAIN_CROSSED] = {"two cluster chains share clusters", DAMAGE},
    [FAT_CHAIN_SHORT] = {"a file is longer than its cluster chain", MINOR},
    [FAT_CHAIN_LONG] = {"a cluster chain is longer than its file", MINOR},
    [FAT_CHAIN_LOST] = {"clusters in use belong to no file", MINOR},
    [FAT_DIRECTORY_BROKEN] = {"a directory is damaged", DAMAGE},
    [FAT_NAME_BROKEN] = {"a long file name is damaged", HINT},
    [FAT_NAME_REPEATED] = {"two files of a directory have the same name", DAMAGE},
    [FAT_TOO_DEEP] = {"there are more files or deeper directories than can be checked", HINT},
    [FAT_FORM_UNUSUAL] = {"a form of FAT32 that firmware may not mount", HINT},
    [FAT_PAST_PARTITION] = {"the file system is longer than its partition", HINT},
    [FAT_SECTOR_SIZE] = {"its sectors are not as long as the disk's", HINT},
    [FAT_SIGNATURE_MISSING] = {"the boot sector has no 55 AA at its end", DAMAGE},
};

const char *fat_problem_text(enum fat_problem problem)
{
    return (unsigned)problem < FAT_PROBLEM_COUNT ? problems[problem].text : "";
}

bool fat_problem_is_damage(enum fat_problem problem)
{
    return (unsigned)problem < FAT_PROBLEM_COUNT && problems[problem].weight != HINT;
}

bool fat_problem_is_minor(enum fat_problem problem)
{
    return (unsigned)problem < FAT_PROBLEM_COUNT && problems[problem].weight == MINOR;
}

bool fat_report_has_damage(const struct fat_report *report)
{
    for (size_t i = 0; i < FAT_PROBLEM_COUNT; i++) {
        if (report->problems[i] != 0 && problems[i].weight != HINT)
            return true;
    }
    return false;
}

uint64_t fat_used_bytes(const struct fat_volume *volume, const struct fat_report *report)
{
    return volume->data_offset + report->used_clusters * volume->cluster_size;
}

size_t fat_find_near(const struct fat_report *report, const char *path, size_t near)
{
    for (size_t i = 0; i < report->file_count; i++, near++) {
        if (near >= report->file_count)
            near = 0;
        if (text_equal_nocase(report->files[near].path, path))
            return near;
    }
    return FAT_NO_FILE;
}

size_t fat_find(const struct fat_report *report, const char *path)
{
    return fat_find_near(report, path, 0);
}

static bool same_date(const struct date_time *a, const struct date_time *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->minute == b->minute && a->second == b->second;
}

bool fat_file_equal(const struct fat_file *a, const struct fat_file *b)
{
    return text_equal(a->path, b->path) && a->is_directory == b->is_directory &&
           a->attributes == b->attributes && a->size == b->size &&
           a->first_cluster == b->first_cluster && same_date(&a->written, &b->written) &&
           a->status == b->status;
}
