/*
 * The boot sector of NTFS, as bytes. What is measured in clusters or as a power of two on disk is
 * in bytes here.
 *
 *     3  8  "NTFS    "                           40  8  sectors of the volume, backup not counted
 *    11  2  bytes of a sector                    48  8  cluster of $MFT
 *    13  1  sectors of a cluster; above 128:     56  8  cluster of $MFTMirr
 *           2 to the power of 256 minus it       64  1  clusters of a file record; signed, and
 *    14  7  zero (of FAT: reserved sectors,             below zero: 2 to the power of minus it,
 *           FATs, root entries, sectors)                bytes
 *    22  2  zero (sectors of a FAT)              68  1  the same for an index record
 *    32  4  zero (sectors)                       72  8  serial number
 *                                               510  2  55 AA
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_BOOT_H
#define SHADOWBOOT_FORMAT_NTFS_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define NTFS_BOOT_BYTES        512u
#define NTFS_SECTOR_MIN_BYTES  256u
#define NTFS_SECTOR_MAX_BYTES  4096u
#define NTFS_CLUSTER_MAX_BYTES (2u << 20)
#define NTFS_RECORD_MIN_BYTES  512u
#define NTFS_RECORD_MAX_BYTES  65536u /* of file and of index records */

struct ntfs_geometry {
    uint32_t sector_size;
    uint32_t cluster_size;
    uint32_t record_size;
    uint32_t index_size;
    uint64_t sectors;
    uint64_t clusters; /* whole ones */
    uint64_t bytes;    /* of `sectors` */
    uint64_t serial;
    uint64_t mft_cluster;    /* < clusters */
    uint64_t mirror_cluster; /* < clusters */
};

/*
 * Checks the 512 bytes at `sector`. Statuses: ST_OK; ST_ABSENT when they do not begin an NTFS
 * volume; ST_DAMAGED when they do and contradict themselves; ST_UNSUPPORTED for sizes past the
 * limits above.
 */
MUST_CHECK enum status ntfs_boot_parse(struct span sector, struct ntfs_geometry *ret_geometry);

/* True when both are of the same file system. */
bool ntfs_geometry_equal(const struct ntfs_geometry *a, const struct ntfs_geometry *b);

#endif
