#include "format/fat/fat_table.h"

#define RUN_MAX (1u << 30) /* bytes of a single read */

/* Bytes of a file that lie together, and where the reader is behind them. */
struct run {
    uint64_t offset; /* on the partition */
    uint64_t size;   /* whole sectors */
    uint32_t last_cluster;
    uint32_t end; /* bytes into that */
};

void fat_reader_start(struct fat_reader *reader, struct fat_volume *volume,
                      const struct fat_file *file)
{
    *reader =
        (struct fat_reader){.volume = volume, .left = file->size, .cluster = file->first_cluster};
}

/* The cluster and the offset into it where the next byte is. */
static enum status next_place(const struct fat_reader *reader, uint32_t *ret_cluster,
                              uint32_t *ret_offset)
{
    struct fat_volume *volume = reader->volume;
    uint32_t cluster = reader->cluster;
    uint32_t offset = reader->offset;

    if (!fat_has_cluster(volume, cluster))
        return ST_DAMAGED;
    if (offset == volume->cluster_size) {
        enum status status = fat_link(volume, reader->cluster, &cluster);
        if (status != ST_OK)
            return status;
        if (!fat_has_cluster(volume, cluster))
            return ST_DAMAGED;
        offset = 0;
    }
    *ret_cluster = cluster;
    *ret_offset = offset;
    return ST_OK;
}

static uint64_t whole_sectors(const struct fat_reader *reader, uint64_t size)
{
    uint32_t sector = reader->volume->sector_size;
    uint64_t rest = (reader->left + sector - 1) / sector * sector;
    uint64_t room = (size < RUN_MAX ? size : RUN_MAX) / sector * sector;

    return room < rest ? room : rest;
}

/* Clusters that lie behind `cluster`, one by one, and go on there: of those that one look tells as many as
 * `size` (> 0) bytes take; 0 when none does. What is wrong behind them is said when it is asked for. */
static uint32_t followers(struct fat_volume *volume, uint32_t cluster, uint64_t size)
{
    uint64_t most = (size - 1) / volume->cluster_size; /* behind the first */
    uint32_t next = 0;

    if (fat_link(volume, cluster, &next) != ST_OK || next != cluster + 1 ||
        !fat_has_cluster(volume, next))
        return 0;
    uint32_t left = volume->clusters_present - 1 - (next - 2);
    return 1 + fat_straight_run(volume, next, most < left ? (uint32_t)most : left);
}

/* What can be read next at once, at most `size` bytes. Statuses as fat_reader_next. */
static enum status next_run(const struct fat_reader *reader, size_t size, struct run *ret_run)
{
    struct fat_volume *volume = reader->volume;
    uint64_t wanted = whole_sectors(reader, size);
    uint32_t cluster = 0;
    uint32_t offset = 0;
    enum status status = next_place(reader, &cluster, &offset);

    if (status != ST_OK)
        return status;
    struct run run = {.offset = fat_cluster_offset(volume, cluster) + offset,
                      .size = volume->cluster_size - offset};
    while (run.size < wanted) {
        uint32_t count = followers(volume, cluster, wanted - run.size);
        if (count == 0)
            break;
        cluster += count;
        run.size += (uint64_t)count * volume->cluster_size;
    }
    run.last_cluster = cluster;
    run.end = volume->cluster_size;
    if (run.size > wanted) {
        run.end -= (uint32_t)(run.size - wanted);
        run.size = wanted;
    }
    *ret_run = run;
    return ST_OK;
}

/* Goes behind the run and gives how much of it belongs to the file. */
static size_t advance(struct fat_reader *reader, const struct run *run)
{
    uint64_t size = run->size < reader->left ? run->size : reader->left;

    reader->cluster = run->last_cluster;
    reader->offset = run->end;
    reader->left -= size;
    return (size_t)size;
}

enum status fat_reader_next(struct fat_reader *reader, void *ret_data, size_t size,
                            size_t *ret_size)
{
    struct run run;

    if (reader->left == 0) {
        *ret_size = 0;
        return ST_OK;
    }
    if (size < reader->volume->sector_size)
        return ST_TOO_SMALL;
    enum status status = next_run(reader, size, &run);
    if (status == ST_OK)
        status = fat_read(reader->volume, run.offset, run.size, ret_data);
    if (status == ST_OK)
        *ret_size = advance(reader, &run);
    return status;
}

enum status fat_reader_skip(struct fat_reader *reader, size_t size)
{
    struct run run;
    enum status status = next_run(reader, size, &run);

    if (status == ST_OK)
        (void)advance(reader, &run);
    return status;
}

/* Takes the first `size` bytes, which have to lie at byte `at` of the disk, off the extents. */
static bool take_extents(const struct disk_extent **io_next, const struct disk_extent *end,
                         uint64_t *io_used, uint32_t block_size, uint64_t at, uint64_t size)
{
    while (size > 0) {
        const struct disk_extent *own = *io_next;
        if (own == end || own->lba * block_size + *io_used != at)
            return false;
        uint64_t left = own->bytes - *io_used;
        uint64_t part = size < left ? size : left;
        *io_used += part;
        at += part;
        size -= part;
        if (*io_used < own->bytes)
            continue;
        *io_next = own + 1;
        *io_used = 0;
    }
    return true;
}

bool fat_file_lies_in(struct fat_volume *volume, const struct fat_file *file,
                      const struct disk_extent *extents, size_t count)
{
    const struct disk_extent *end = extents + count;
    uint32_t block_size = volume->port->block_size;
    struct fat_reader reader;
    uint64_t used = 0;

    fat_reader_start(&reader, volume, file);
    while (reader.left > 0) {
        uint64_t left = reader.left;
        struct run run;
        if (volume->is_narrow || next_run(&reader, RUN_MAX, &run) != ST_OK)
            return false;
        uint64_t at = volume->first_lba * block_size + run.offset;
        if (!take_extents(&extents, end, &used, block_size, at, run.size < left ? run.size : left))
            return false;
        (void)advance(&reader, &run);
    }
    return extents == end;
}
