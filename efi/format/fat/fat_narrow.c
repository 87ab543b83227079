#include "format/fat/fat_narrow.h"

#include "base/mem.h"

struct narrow {
    struct block_port port;
    const struct block_port *disk;
    uint32_t in_block; /* blocks of the port in one of the disk */
    uint8_t *block;    /* of the disk */
};

/* Reads what lies in the disk's block that `lba` is in, as far as it is asked for; gives how many
 * blocks of the port that is. */
static enum status read_part(const struct narrow *narrow, uint64_t lba, uint32_t count, uint8_t *at,
                             uint32_t *ret_count)
{
    const struct block_port *disk = narrow->disk;
    uint32_t size = narrow->port.block_size;
    uint32_t first = (uint32_t)(lba % narrow->in_block);
    uint32_t part = narrow->in_block - first;

    part = part < count ? part : count;
    enum status status = disk->read(disk->ctx, lba / narrow->in_block, 1, narrow->block);
    if (status != ST_OK)
        return status;
    memcpy(at, narrow->block + (size_t)first * size, (size_t)part * size);
    *ret_count = part;
    return ST_OK;
}

static enum status narrow_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    const struct narrow *narrow = ctx;
    const struct block_port *disk = narrow->disk;
    uint8_t *at = ret_data;

    while (count > 0) {
        uint32_t whole = count / narrow->in_block;
        uint32_t part = whole * narrow->in_block;
        enum status status = ST_OK;
        if (lba % narrow->in_block == 0 && whole > 0)
            status = disk->read(disk->ctx, lba / narrow->in_block, whole, at);
        else
            status = read_part(narrow, lba, count, at, &part);
        if (status != ST_OK)
            return status;
        at += (size_t)part * narrow->port.block_size;
        lba += part;
        count -= part;
    }
    return ST_OK;
}

enum status fat_narrow_new(struct arena *arena, const struct block_port *disk, uint32_t block_size,
                           const struct block_port **ret_port)
{
    struct narrow *narrow = arena_alloc(arena, 1, sizeof(*narrow));
    uint32_t in_block = disk->block_size / block_size;

    if (narrow == NULL)
        return ST_NO_MEMORY;
    *narrow = (struct narrow){
        .disk = disk, .in_block = in_block, .block = arena_alloc(arena, 1, disk->block_size)};
    if (narrow->block == NULL)
        return ST_NO_MEMORY;
    block_read_only(disk, narrow_read, narrow, &narrow->port);
    narrow->port.block_size = block_size;
    narrow->port.block_count = disk->block_count * in_block;
    *ret_port = &narrow->port;
    return ST_OK;
}
