/* Counts what is read from each disk, and ends the reading of a disk at a limit. */
#ifndef SHADOWBOOT_MODEL_DISK_METER_H
#define SHADOWBOOT_MODEL_DISK_METER_H

#include "base/arena.h"
#include "base/status.h"
#include "port/ports.h"

struct disk_meter {
    const struct block_port *disk;
    uint64_t read_bytes; /* asked for so far, failed reads too */
    uint64_t read_limit; /* a read that goes past it fails with ST_IO, and the disk is not asked */
    bool stopped;        /* a read failed that way */
};

/*
 * Makes `*ret_ports` a copy of `*ports` whose disks count into `*ret_meters`, one for each disk of
 * the ports, in the same order; no limit is set. All of it lies in the arena and uses the disks of
 * `ports`. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status disk_meters_new(struct arena *arena, const struct ports *ports,
                                       struct ports *ret_ports, struct disk_meter **ret_meters);

/* Bytes that may still be read. */
uint64_t disk_meter_left(const struct disk_meter *meter);

#endif
