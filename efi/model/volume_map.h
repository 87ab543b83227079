/* Turns the databases that hold into the arrays of a volume map (model/volumes.h). */
#ifndef SHADOWBOOT_MODEL_VOLUME_MAP_H
#define SHADOWBOOT_MODEL_VOLUME_MAP_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/volume_disk.h"
#include "model/volumes.h"

/*
 * Fills in disks, volumes, plexes and extents of `*io_map`, whose groups are counted already;
 * `groups` are the same ones, of which it sets what depends on those. `speakers` has for each group
 * the disk whose database holds, NULL where none does. Finds each extent's disk among the
 * `disk_count` disks by its GUID, and notes on a disk when an extent does not fit on it. Statuses:
 * ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status volume_map_fill(struct volume_disk *disks, size_t disk_count,
                                       const struct volume_disk *const *speakers,
                                       struct dynamic_group *groups, struct arena *arena,
                                       struct volume_map *io_map);

#endif
