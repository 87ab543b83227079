/*
 * How a fresh FAT file system divides its volume, and the sectors that say so. What the fields of
 * the boot sector are is in format/fat/fat_boot.h; FSInfo (Microsoft FAT Specification, section 5):
 *
 *     0  4  "RRaA"                     488  4  free clusters, all ones: unknown
 *   484  4  "rrAa"                     492  4  where to look for one, all ones: unknown
 *                                      508  4  00 00 55 AA
 */
#ifndef SHADOWBOOT_FORMAT_FAT_GEOMETRY_H
#define SHADOWBOOT_FORMAT_FAT_GEOMETRY_H

#include "format/fat/fat_layout.h"

#define FAT_FSINFO_SECTOR 1u
#define FAT_BACKUP_SECTOR 6u
#define FAT_ROOT_ENTRIES  512u /* FAT16 */
#define FAT_FSINFO_SIZE   512u

/* All in sectors, which are blocks of the disk, from the start of the partition. */
struct fat_geometry {
    enum fat_type type;
    uint32_t sector_size;
    uint32_t sectors;
    uint32_t cluster_sectors;
    uint32_t reserved; /* before the first FAT */
    uint32_t fat_sectors;
    uint32_t root_sectors; /* FAT16 */
    uint32_t data;         /* cluster 2 */
    uint32_t cluster_count;
};

/*
 * Divides a volume. Data begins at a multiple of 1 MiB of the disk where that leaves clusters
 * enough, else of 4 KiB; so do the FATs, of 4 KiB. False when it is too small or too large for the
 * type.
 */
bool fat_geometry_make(enum fat_type type, uint64_t first_lba, uint64_t block_count,
                       uint32_t block_size, struct fat_geometry *ret_geometry);

/* Fills a boot sector, all zero before. `label` is 11 characters. */
void fat_boot_sector_put(const struct fat_geometry *geometry, uint64_t first_lba, uint32_t serial,
                         const uint8_t *label, uint8_t *ret_sector);

/* Fills an FSInfo sector, all zero before. */
void fat_fsinfo_put(uint32_t free_clusters, uint32_t next, uint8_t *ret_sector);

/* Gives one new numbers. False, and nothing changed, when it is none. */
bool fat_fsinfo_update(uint8_t *sector, uint32_t free_clusters, uint32_t next);

#endif
