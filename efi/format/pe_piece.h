/* Files that come in pieces: what of a piece lies where. */
#ifndef SHADOWBOOT_PE_PIECE_H
#define SHADOWBOOT_PE_PIECE_H

#include "base/bytes.h"

/* The part of `piece`, which is at `at` of the file, that lies in [first, end). */
struct span piece_overlap(struct span piece, uint64_t at, uint64_t first, uint64_t end);

/* Adds to `buffer` what of [first, first + capacity) is in the piece; pieces come in order, and one
 * that was there before adds nothing. */
void piece_capture(struct span piece, uint64_t at, uint64_t first, uint8_t *buffer, size_t capacity,
                   size_t *io_used);

#endif
