/* Reads partition tables from one disk. */
#ifndef SHADOWBOOT_MODEL_SCAN_DISK_H
#define SHADOWBOOT_MODEL_SCAN_DISK_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "port/block.h"

#define MBR_LOGICAL_MAX 124 /* logical partitions followed: numbers 5 to 128 */

struct mbr_partition {
    uint32_t number; /* 1 to 4 primary, from 5 logical */
    uint8_t type;
    bool active;
    uint64_t first_lba;
    uint64_t block_count;
};

/* The raw contents of a disk's table, to be turned into partitions once all disks are read. */
struct disk_table {
    struct span gpt_entries; /* the used copy's whole array; empty when none is good */
    const struct mbr_partition *mbr;
    size_t mbr_count;
    size_t used; /* partitions it holds */
};

/*
 * Fills in what the tables of `port` say: status, style, MBR, both GPT copies and GUID of
 * `*io_disk`, whose block size and count are set already. Reads the first two blocks, the last one,
 * and the entry arrays of the copies whose headers are good; of a disk without a header two blocks
 * where one for blocks of the other size would be, and without a table 1 MiB at each end, to know a
 * blank one. A disk that cannot be read is not a failure: its status says so. Statuses: ST_OK;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_disk_tables(struct arena *arena, const struct block_port *port,
                                        struct disk *io_disk, struct disk_table *ret_table);

/*
 * Fills `ret_partitions` (room for table->used) with the table's partitions in the order of their
 * place on the disk, numbered, with range and overlap judged; what depends on other disks stays
 * zero. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_disk_partitions(struct arena *arena, const struct disk *disk,
                                            const struct disk_table *table,
                                            struct partition *ret_partitions);

#endif
