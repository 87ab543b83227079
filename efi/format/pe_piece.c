#include "pe_piece.h"

#include "base/mem.h"

struct span piece_overlap(struct span piece, uint64_t at, uint64_t first, uint64_t end)
{
    uint64_t from = first > at ? first : at;
    uint64_t to = end < at + piece.size ? end : at + piece.size;

    if (from >= to)
        return span_of(NULL, 0);
    return span_part(piece, from - at, to - from);
}

void piece_capture(struct span piece, uint64_t at, uint64_t first, uint8_t *buffer, size_t capacity,
                   size_t *io_used)
{
    struct span part = piece_overlap(piece, at, first + *io_used, first + capacity);

    if (part.size == 0 || at > first + *io_used)
        return;
    memcpy(buffer + *io_used, part.at, part.size);
    *io_used += part.size;
}
