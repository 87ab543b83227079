#include "port/read_ahead.h"

#include "base/mem.h"

static bool is_in_window(const struct read_ahead *ahead, uint64_t lba, uint32_t count)
{
    return lba >= ahead->first && lba - ahead->first <= ahead->count &&
           count <= ahead->count - (lba - ahead->first);
}

static bool is_until_known(const struct read_ahead *ahead)
{
    return ahead->until != UINT64_MAX;
}

/* Fills the window from `lba` on. What cannot be read there may have nothing to do with the piece
 * that is wanted. */
static bool fill(struct read_ahead *ahead, uint64_t lba)
{
    const struct block_port *disk = ahead->disk;
    uint64_t left = disk->block_count - lba;
    uint32_t count = left < ahead->window_blocks ? (uint32_t)left : ahead->window_blocks;

    if (is_until_known(ahead) && ahead->until - lba < count)
        count = (uint32_t)(ahead->until - lba);
    ahead->count = 0;
    if (disk->read(disk->ctx, lba, count, ahead->window) != ST_OK)
        return false;
    ahead->first = lba;
    ahead->count = count;
    return true;
}

static enum status read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct read_ahead *ahead = ctx;
    const struct block_port *disk = ahead->disk;
    bool follows = lba >= ahead->next && lba - ahead->next <= READ_AHEAD_GAP / disk->block_size &&
                   lba < disk->block_count;

    if (is_until_known(ahead))
        follows =
            ahead->until <= disk->block_count && lba < ahead->until && count < ahead->until - lba;
    ahead->next = lba + count;
    if (!is_in_window(ahead, lba, count) && (!follows || count >= ahead->window_blocks ||
                                             !fill(ahead, lba) || !is_in_window(ahead, lba, count)))
        return disk->read(disk->ctx, lba, count, ret_data);
    memcpy(ret_data, ahead->window + (size_t)(lba - ahead->first) * disk->block_size,
           (size_t)count * disk->block_size);
    return ST_OK;
}

void read_ahead_start(struct read_ahead *ahead, const struct block_port *disk, uint8_t *window,
                      size_t size)
{
    *ahead = (struct read_ahead){.disk = disk,
                                 .port = *disk,
                                 .window = window,
                                 .window_blocks = (uint32_t)(size / disk->block_size),
                                 .next = UINT64_MAX,
                                 .until = UINT64_MAX};
    ahead->port.ctx = ahead;
    ahead->port.read = read;
}

void read_ahead_until(struct read_ahead *ahead, uint64_t lba)
{
    ahead->until = lba;
}
