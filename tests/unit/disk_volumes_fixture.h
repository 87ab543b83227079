/* The partitions of a disk, and those that firmware looks at for file systems. */
#ifndef SHADOWBOOT_UNIT_DISK_VOLUMES_FIXTURE_H
#define SHADOWBOOT_UNIT_DISK_VOLUMES_FIXTURE_H

#include "base/arena.h"
#include "format/devpath.h"
#include "format/partition_type.h"
#include "port/block.h"

#define DISK_TABLE_MAX 256u

struct disk_table_entry {
    struct hd_node hd;
    enum partition_type type;
};

/* A GPT as the first of its copies that is sound has it. */
struct disk_table {
    uint64_t first_usable, last_usable;
    struct disk_table_entry entries[DISK_TABLE_MAX]; /* more are left out */
    size_t count;
};

/* False when no copy is sound. Memory is taken from `arena` and given back. */
bool disk_table_read(struct arena *arena, const struct block_port *block,
                     struct disk_table *ret_table);

#define DISK_VOLUME_PATH_SIZE 128 /* bytes of a partition's device path */

typedef void disk_volume_found(void *ctx, const struct hd_node *hd);

/*
 * Calls `found` for each ESP and basic data partition of the GPT (the primary copy when it is
 * sound, else the backup; nothing is asked of the partitions themselves), or for each partition of
 * a plain MBR. Memory is taken from `arena` and given back; without enough of it nothing is found.
 */
void disk_volumes_find(struct arena *arena, const struct block_port *block,
                       disk_volume_found *found, void *ctx);

/* The device path of such a partition: that of the disk, the node, an end node. Gives its size. */
size_t disk_volume_path(const struct block_port *block, const struct hd_node *hd,
                        uint8_t ret_path[DISK_VOLUME_PATH_SIZE]);

#endif
