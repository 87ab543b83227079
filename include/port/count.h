/*
 * Wraps ports so that calls and bytes are counted: what `-v` and `make bench` print. The wrapped
 * ports do exactly what the originals do.
 */
#ifndef SHADOWBOOT_PORT_COUNT_H
#define SHADOWBOOT_PORT_COUNT_H

#include <stdint.h>

#include "base/arena.h"
#include "port/ports.h"

struct port_counts {
    uint64_t block_reads;      /* calls */
    uint64_t block_read_bytes; /* bytes that succeeded */
    uint64_t block_writes;
    uint64_t block_written_bytes;
    uint64_t block_flushes;
    uint64_t var_calls;  /* next, get and space */
    uint64_t var_writes; /* set */
    uint64_t var_written_bytes;
    uint64_t file_calls; /* stat, list and read */
    uint64_t file_read_bytes;
    uint64_t file_writes;
    uint64_t file_written_bytes;
};

/*
 * Makes `*ret_ports` a copy of `*ports` whose calls add to `*counts`. `counts`, `ports` and the
 * arena must outlive it. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status ports_count(struct arena *arena, const struct ports *ports,
                                   struct port_counts *counts, struct ports *ret_ports);

#endif
