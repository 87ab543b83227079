/*
 * A disk that is read from start to end in small pieces: what lies behind a piece is read with it
 * once pieces have followed each other, and given out from memory. Files that were put onto a
 * volume one after the other lie that way.
 */
#ifndef SHADOWBOOT_PORT_READ_AHEAD_H
#define SHADOWBOOT_PORT_READ_AHEAD_H

#include "port/block.h"

/* Bytes between pieces that still follow each other: ends of clusters. */
#define READ_AHEAD_GAP (64u << 10)

struct read_ahead {
    const struct block_port *disk;
    struct block_port port; /* the disk once more; only its read is another */
    uint8_t *window;
    uint32_t window_blocks; /* room */
    uint64_t first;         /* block that the window begins with */
    uint32_t count;         /* blocks in the window */
    uint64_t next;          /* behind the last read */
    uint64_t until;         /* see read_ahead_until */
};

/*
 * Starts with an empty window of `size` bytes, a multiple of the block size. `disk` and `window`
 * must outlive it. Nothing may be written to the disk while the port is in use: it would not be
 * seen.
 */
void read_ahead_start(struct read_ahead *ahead, const struct block_port *disk, uint8_t *window,
                      size_t size);

/* Up to before block `lba` all will be wanted, and behind it nothing that is known of: so much is
 * read at once. UINT64_MAX: that is not known. */
void read_ahead_until(struct read_ahead *ahead, uint64_t lba);

#endif
