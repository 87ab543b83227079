#include "model/copy_blocks.h"

/* Blocks of one disk. */
struct piece {
    const struct block_port *disk;
    uint64_t lba;
    uint64_t blocks;
};

struct copy_blocks {
    struct block_port port;
    size_t count;
    struct piece pieces[];
};

static enum status read_joined(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    const struct copy_blocks *blocks = ctx;
    uint8_t *to = ret_data;

    for (size_t i = 0; i < blocks->count && count > 0; i++) {
        const struct piece *piece = &blocks->pieces[i];
        if (lba >= piece->blocks) {
            lba -= piece->blocks;
            continue;
        }
        uint64_t left = piece->blocks - lba;
        uint32_t part = left < count ? (uint32_t)left : count;
        enum status status = piece->disk->read(piece->disk->ctx, piece->lba + lba, part, to);
        if (status != ST_OK)
            return status;
        to += (size_t)part * blocks->port.block_size;
        count -= part;
        lba = 0;
    }
    return count == 0 ? ST_OK : ST_IO;
}

static struct piece place_of_piece(const struct block_port *disks, const struct machine *machine,
                                   const struct system_copy *copy, size_t index)
{
    const struct volume_map *map = &machine->volumes;

    if (copy->plex == NO_INDEX)
        return (struct piece){&disks[machine->disks[copy->disk].port], copy->lba,
                              copy->block_count};
    const struct dynamic_extent *extent =
        &map->extents[map->plexes[copy->plex].first_extent + index];
    return (struct piece){&disks[machine->disks[extent->disk].port], extent->lba, extent->blocks};
}

enum status copy_blocks_open(struct arena *arena, const struct block_port *disks,
                             const struct machine *machine, const struct system_copy *copy,
                             const struct block_port **ret_port)
{
    size_t count = copy->plex == NO_INDEX ? 1 : machine->volumes.plexes[copy->plex].extent_count;
    struct copy_blocks *blocks =
        arena_alloc(arena, 1, sizeof(*blocks) + count * sizeof(struct piece));

    if (blocks == NULL)
        return ST_NO_MEMORY;
    blocks->count = count;
    block_read_only(&disks[machine->disks[copy->disk].port], read_joined, blocks, &blocks->port);
    blocks->port.block_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct piece piece = place_of_piece(disks, machine, copy, i);
        if (piece.disk->block_size != blocks->port.block_size)
            return ST_UNSUPPORTED;
        blocks->pieces[i] = piece;
        blocks->port.block_count += piece.blocks;
    }
    *ret_port = &blocks->port;
    return ST_OK;
}
