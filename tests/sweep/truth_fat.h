/*
 * A FAT volume as firmware sees it, for tests: by the fields of the boot sector that edk2's driver
 * looks at, read only, apart from the program's own reader.
 */
#ifndef SHADOWBOOT_SWEEP_TRUTH_FAT_H
#define SHADOWBOOT_SWEEP_TRUTH_FAT_H

#include "sweep/truth_disk.h"

struct truth_fat {
    const struct block_port *disk;
    uint64_t offset; /* bytes of the volume on the disk; so are those below, in the volume */
    uint64_t fat_offset, root_offset, data_offset;
    uint32_t cluster_size;
    uint32_t root_entries; /* FAT12 and FAT16 */
    uint32_t root_cluster; /* FAT32 */
    uint32_t clusters;
    int bits;
    uint8_t *links; /* the first FAT */
    size_t link_bytes;
};

struct truth_file {
    uint8_t *data; /* to be freed; NULL when it was not found or cannot be read */
    size_t size;
};

/* False when firmware would not take the partition for FAT. To be closed. */
bool truth_fat_open(const struct block_port *disk, const struct truth_part *part,
                    struct truth_fat *ret_fat);
void truth_fat_close(struct truth_fat *fat);

/* A file by its path, parts divided by backslashes, in capitals or not. */
struct truth_file truth_fat_read(const struct truth_fat *fat, const char *path);

/* A number for all names, sizes, dates and contents; the order in folders does not count. */
uint64_t truth_fat_digest(const struct truth_fat *fat);

/* Calls `found` for every folder right below the folder at `path`. */
typedef void truth_fat_found(void *ctx, const char *name);
void truth_fat_folders(const struct truth_fat *fat, const char *path, truth_fat_found *found,
                       void *ctx);

#endif
