/* Where on a disk a piece of a plex lies. */
#ifndef SHADOWBOOT_MODEL_VOLUME_PLACE_H
#define SHADOWBOOT_MODEL_VOLUME_PLACE_H

#include "model/volume_disk.h"
#include "model/volumes.h"

/* Sets the place of `*io_extent`, on `disk` if that is here (else NULL). A piece that cannot be where
 * the database says gets no place, and the disk's state says why. */
void volume_place_find(struct dynamic_extent *io_extent, const struct ldm_partition *from,
                       struct volume_disk *disk);

#endif
