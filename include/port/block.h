/*
 * Whole disks, block by block. A port is a struct of calls over a `ctx` of its own; everything
 * that can go wrong with a device comes through here, so it can be injected in tests.
 */
#ifndef SHADOWBOOT_PORT_BLOCK_H
#define SHADOWBOOT_PORT_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct block_port {
    void *ctx;           /* first argument of every call */
    struct span path;    /* device path of the disk, closing end node included; outlives the port */
    const char *model;   /* UTF-8 from the device, untrusted; "" when it does not say */
    uint32_t block_size; /* bytes of a logical block: a power of two, 512 to 65536 */
    uint64_t block_count; /* logical blocks of the disk */
    bool read_only;       /* the medium is write-protected */
    bool removable;       /* the medium can be taken out */
    bool place_unknown;   /* `path` is made up: where firmware finds the disk is not known */

    /*
     * Reads `count` blocks from block `lba` into `ret_data` (count * block_size bytes, any
     * alignment). Statuses: ST_OK; ST_IO for a device error, a disk that is gone or was exchanged,
     * or a range beyond its end; ST_NO_MEMORY. On failure the content of `ret_data` is undefined.
     */
    enum status (*read)(void *ctx, uint64_t lba, uint32_t count, void *ret_data);

    /*
     * Writes `count` blocks from block `lba` (`data` of any alignment). They may stay in the
     * device's cache until flush. Statuses: ST_OK; ST_READ_ONLY; ST_IO for a device error, a disk
     * that is gone or was exchanged, or a range beyond its end; ST_NO_MEMORY. After a failure part
     * may have been written.
     */
    enum status (*write)(void *ctx, uint64_t lba, uint32_t count, const void *data);

    /* Returns when everything written is on the medium. Statuses: ST_OK; ST_IO. */
    enum status (*flush)(void *ctx);
};

/* Makes a port of its own a disk that can only be read: `*ret_port` is `disk`, but that `read` with
 * `ctx` is what reads it, a write is ST_READ_ONLY, and there is nothing to flush. */
void block_read_only(const struct block_port *disk,
                     enum status (*read)(void *ctx, uint64_t lba, uint32_t count, void *ret_data),
                     void *ctx, struct block_port *ret_port);

#endif
