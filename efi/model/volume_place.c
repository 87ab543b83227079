#include "volume_place.h"

/* True when the blocks lie in exactly one of the disk's LDM data partitions, as far as known. */
static bool is_in_one_area(const struct volume_source *source, uint64_t lba, uint64_t blocks)
{
    size_t count = 0;

    if (!source->gpt || source->areas == NULL)
        return true;
    for (size_t i = 0; i < source->area_count; i++) {
        const struct volume_area *area = &source->areas[i];
        count += lba >= area->first_lba && lba - area->first_lba <= area->blocks &&
                 blocks <= area->blocks - (lba - area->first_lba);
    }
    return count == 1;
}

/* Sets where on `disk` the extent is. False when it does not fit the public region. */
static bool place_extent(const struct volume_disk *disk, const struct ldm_partition *partition,
                         struct dynamic_extent *extent)
{
    const struct ldm_privhead *head = &disk->head;
    unsigned shift = 0; /* a block is 2^shift sectors */

    while (LDM_SECTOR_BYTES << shift < disk->source->port->block_size)
        shift++;
    uint64_t start = partition->start >> shift;
    uint64_t blocks = partition->size >> shift;
    if (start << shift != partition->start || blocks << shift != partition->size)
        return false;
    if (start > head->public_size || blocks > head->public_size - start)
        return false;
    extent->disk = disk->source->disk;
    extent->lba = head->public_start + start;
    extent->blocks = blocks;
    return true;
}

/* True when a block of the placed extent belongs to the database of its disk. */
static bool touches_private_region(const struct ldm_privhead *head,
                                   const struct dynamic_extent *extent)
{
    return extent->lba < head->private_start + head->private_size &&
           head->private_start < extent->lba + extent->blocks;
}

static void accuse_place(struct volume_disk *disk, const char *reason)
{
    if (disk->state != VOLUME_DISK_OK)
        return;
    disk->state = VOLUME_DISK_CONFLICT;
    disk->reason = reason;
}

void volume_place_find(struct dynamic_extent *io_extent, const struct ldm_partition *from,
                       struct volume_disk *disk)
{
    if (disk == NULL)
        return;
    struct dynamic_extent placed = *io_extent;
    if (!place_extent(disk, from, &placed)) {
        accuse_place(disk, "a piece of a volume does not fit into its public region");
        return;
    }
    if (touches_private_region(&disk->head, &placed)) {
        accuse_place(disk, "a piece of a volume lies on its LDM database");
        return;
    }
    *io_extent = placed;
    if (!is_in_one_area(disk->source, placed.lba, placed.blocks))
        accuse_place(disk, "a piece of a volume does not lie in one of its LDM data partitions");
}
