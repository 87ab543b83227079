/*
 * A disk seen in smaller blocks than it has, read only: for a FAT file system whose sectors are
 * smaller than the disk's blocks. A volume that was copied from a disk of 512-byte blocks to one of
 * 4096 is like that; EDK II, which reads bytes wherever they are, mounts it.
 */
#ifndef SHADOWBOOT_FORMAT_FAT_NARROW_H
#define SHADOWBOOT_FORMAT_FAT_NARROW_H

#include "base/arena.h"
#include "base/status.h"
#include "port/block.h"

/*
 * Makes a port of blocks of `block_size` bytes, which divides that of `disk`, whose reads `disk`
 * answers and whose writes fail with ST_READ_ONLY. It lies in `arena`. Statuses: ST_OK;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_narrow_new(struct arena *arena, const struct block_port *disk,
                                      uint32_t block_size, const struct block_port **ret_port);

#endif
