/*
 * Boot sectors of FAT file systems (Microsoft FAT Specification, section 3). All numbers are
 * little-endian.
 *
 *     offset  size  all                       offset  size  FAT32
 *         3     8   name of the maker             36     4  sectors of a FAT
 *        11     2   bytes of a sector             40     2  bit 7: only one FAT counts, bits 0-3:
 *        13     1   sectors of a cluster                    which
 *        14     2   reserved sectors              42     2  version, 0
 *        16     1   FATs                          44     4  first cluster of the root directory
 *        17     2   root entries (FAT12/16)       48     2  sector of FSInfo
 *        19     2   sectors, or 0: see 32         50     2  sector of the backup boot sector
 *        21     1   media                         65     1  dirty bits (FAT12/16: 37)
 *        22     2   sectors of a FAT (FAT12/16)   66     1  0x29: a serial number and a label
 *        32     4   sectors                                 follow (FAT12/16: 38)
 *       510     2   55 AA                         67     4  serial number (FAT12/16: 39)
 *                                                 71    11  label (FAT12/16: 43)
 *
 * Drivers take it for FAT32 when 22 is 0. Otherwise the number of clusters alone decides: FAT12
 * below 4085, FAT16 below 65525.
 */
#ifndef SHADOWBOOT_FORMAT_FAT_BOOT_H
#define SHADOWBOOT_FORMAT_FAT_BOOT_H

#include "base/bytes.h"
#include "format/fat/fat.h"

/* True when `sector` belongs to another file system or to a volume that is encrypted. */
bool fat_boot_is_foreign(struct span sector);

/*
 * Reads the boot sector at the start of `sector` (512 bytes at least) of a file system that lies in
 * `volume->block_count` blocks of `volume->port`. Sets the fields that follow from it and leaves
 * the others alone. Statuses: ST_OK; ST_ABSENT, ST_DAMAGED, ST_UNSUPPORTED as in fat_open.
 * `volume` is unchanged on failure.
 */
MUST_CHECK enum status fat_boot_parse(struct span sector, struct fat_volume *volume);

/* The bytes of a sector that it says, where that is less than the block which `sector` is; else
 * 0. */
uint32_t fat_boot_narrow_size(struct span sector);

/* The sector of the backup as stored, believed or not. */
uint32_t fat_boot_backup_sector(struct span sector);

#endif
