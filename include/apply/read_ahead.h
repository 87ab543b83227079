/*
 * A disk that is read from start to end in small pieces: what lies behind a piece is read with it
 * once pieces have followed each other, and given out from memory. Files that were put onto a
 * volume one after the other lie that way.
 */
#ifndef SHADOWBOOT_APPLY_READ_AHEAD_H
#define SHADOWBOOT_APPLY_READ_AHEAD_H

#include "port/block.h"

struct read_ahead {
    const struct block_port *disk;
    struct block_port port; /* the disk once more; only its read is another */
    uint8_t *window;
    uint32_t window_blocks; /* room */
    uint64_t first;         /* block that the window begins with */
    uint32_t count;         /* blocks in the window */
    uint64_t next;          /* behind the last read */
};

/*
 * Starts with an empty window of `size` bytes, a multiple of the block size. `disk` and `window`
 * must outlive it. Nothing may be written to the disk while the port is in use: it would not be
 * seen.
 */
void read_ahead_start(struct read_ahead *ahead, const struct block_port *disk, uint8_t *window,
                      size_t size);

#endif
