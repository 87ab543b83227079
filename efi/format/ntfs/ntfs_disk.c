#include "ntfs_disk.h"

#include "base/mem.h"

#define SLOTS      16u
#define SLOT_BYTES 4096u /* or a block of the disk, where that is larger */

struct slot {
    uint64_t at;   /* offset in the volume, a multiple of the slot's size */
    uint64_t used; /* when, by the cache's clock */
    uint32_t size; /* bytes that are there: 0 when the slot is free */
    uint8_t *bytes;
};

struct ntfs_cache {
    uint64_t volume_bytes;
    uint64_t clock;
    uint32_t slot_bytes;
    struct slot slots[SLOTS];
};

enum status ntfs_disk_init(struct ntfs_volume *volume)
{
    uint32_t block = volume->port->block_size;
    struct ntfs_cache *cache = arena_alloc(volume->arena, 1, sizeof *cache);

    if (volume->block_count > INT64_MAX / block || volume->first_lba > INT64_MAX / block)
        return ST_UNSUPPORTED;
    if (cache == NULL)
        return ST_NO_MEMORY;
    cache->volume_bytes = volume->block_count * block;
    cache->slot_bytes = block > SLOT_BYTES ? block : SLOT_BYTES;
    uint8_t *bytes = arena_alloc(volume->arena, SLOTS, cache->slot_bytes);
    if (bytes == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < SLOTS; i++)
        cache->slots[i].bytes = bytes + i * cache->slot_bytes;
    volume->cache = cache;
    return ST_OK;
}

uint64_t ntfs_disk_bytes(const struct ntfs_volume *volume)
{
    return volume->cache->volume_bytes;
}

/* Whole blocks, straight from the disk. */
static enum status ntfs_read_blocks(struct ntfs_volume *volume, uint64_t offset, void *ret_data,
                                    uint64_t size)
{
    const struct block_port *port = volume->port;
    uint64_t lba = volume->first_lba + offset / port->block_size;
    enum status status = port->read(port->ctx, lba, (uint32_t)(size / port->block_size), ret_data);

    if (status == ST_OK)
        volume->read_bytes += size;
    return status;
}

/* The slot that holds byte `at`, or else the one that was not needed for the longest time. */
static struct slot *choose_slot(struct ntfs_cache *cache, uint64_t at)
{
    struct slot *oldest = &cache->slots[0];

    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &cache->slots[i];
        if (slot->size > 0 && at >= slot->at && at - slot->at < slot->size)
            return slot;
        if (slot->used < oldest->used)
            oldest = slot;
    }
    return oldest;
}

/* Where a whole slot cannot be read, the blocks that are needed may be. */
static enum status read_needed(struct ntfs_volume *volume, struct slot *slot, uint64_t offset,
                               uint64_t size)
{
    uint32_t block = volume->port->block_size;
    uint64_t first = offset / block * block;
    uint64_t end = (offset + size + block - 1) / block * block;

    slot->size = 0;
    slot->used = 0;
    return ntfs_read_blocks(volume, first, slot->bytes + first % volume->cache->slot_bytes,
                            end - first);
}

/* Makes the slot hold the bytes asked for, which lie in one slot. */
static enum status fill_slot(struct ntfs_volume *volume, struct slot *slot, uint64_t offset,
                             uint64_t size)
{
    struct ntfs_cache *cache = volume->cache;
    uint64_t at = offset / cache->slot_bytes * cache->slot_bytes;
    uint64_t left = cache->volume_bytes - at;

    slot->used = ++cache->clock;
    if (slot->size > 0 && slot->at == at)
        return ST_OK;
    slot->at = at;
    slot->size = left < cache->slot_bytes ? (uint32_t)left : cache->slot_bytes;
    if (ntfs_read_blocks(volume, at, slot->bytes, slot->size) == ST_OK)
        return ST_OK;
    return read_needed(volume, slot, offset, size);
}

/* As much as can be had at once: a run of whole slots past the cache, or part of one slot. */
static enum status read_run_piece(struct ntfs_volume *volume, uint64_t offset, uint8_t *ret_data,
                                  size_t size, size_t *ret_size)
{
    struct ntfs_cache *cache = volume->cache;
    size_t within = (size_t)(offset % cache->slot_bytes);
    size_t piece = cache->slot_bytes - within;

    if (within == 0 && size >= 2 * (size_t)cache->slot_bytes) {
        piece = size < (1u << 30) ? size / cache->slot_bytes * cache->slot_bytes : 1u << 30;
        *ret_size = piece;
        return ntfs_read_blocks(volume, offset, ret_data, piece);
    }
    if (piece > size)
        piece = size;
    struct slot *slot = choose_slot(cache, offset);
    enum status status = fill_slot(volume, slot, offset, piece);
    if (status == ST_OK)
        memcpy(ret_data, slot->bytes + within, piece);
    *ret_size = piece;
    return status;
}

enum status ntfs_disk_read(struct ntfs_volume *volume, uint64_t offset, void *ret_data, size_t size)
{
    uint64_t bytes = volume->cache->volume_bytes;
    uint8_t *to = ret_data;
    size_t piece = 0;

    if (offset > bytes || size > bytes - offset)
        return ST_DAMAGED;
    for (; size > 0; size -= piece, offset += piece, to += piece) {
        enum status status = read_run_piece(volume, offset, to, size, &piece);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}
