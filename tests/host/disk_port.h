/* The block port of a host disk, whichever way its blocks are kept. */
#ifndef SHADOWBOOT_HOST_DISK_PORT_H
#define SHADOWBOOT_HOST_DISK_PORT_H

#include "port/block.h"

/*
 * A port for `block_count` blocks of `block_size` bytes at the device path `path`; `path` and
 * `model` are copied. Neither removable nor read-only; ctx and the calls are left to be set.
 */
struct block_port disk_port_new(uint32_t block_size, uint64_t block_count, struct span path,
                                const char *model);

/* Frees the copies. */
void disk_port_free(const struct block_port *port);

#endif
