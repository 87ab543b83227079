/* Looks into the copies of volumes that may carry an operating system, and what that shares with the
 * other looks inside partitions. */
#ifndef SHADOWBOOT_MODEL_SCAN_COPIES_H
#define SHADOWBOOT_MODEL_SCAN_COPIES_H

#include "scan_content.h"

/* One look inside the partitions of a machine. */
struct content_scan {
    struct arena *arena;
    const struct ports *ports;
    struct disk_meter *meters;
    enum scan_depth depth;
    const struct scan_before *before; /* NULL: nothing is known from before */
    struct machine *machine;
};

static inline const struct block_port *scan_port_of(const struct content_scan *scan, size_t disk)
{
    return &scan->ports->disks[scan->machine->disks[disk].port];
}

static inline struct disk_meter *scan_meter_of(const struct content_scan *scan, size_t disk)
{
    return &scan->meters[scan->machine->disks[disk].port];
}

/* A partition whose blocks are on a disk that can be read. */
static inline bool scan_can_look(const struct machine *machine, const struct partition *partition)
{
    return machine->disks[partition->disk].status == ST_OK && !partition->out_of_range &&
           partition->block_count > 0;
}

/* Finds the copies, and looks into as many as the limits of their disks allow, the likeliest first.
 * Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status scan_copies(const struct content_scan *scan);

#endif
