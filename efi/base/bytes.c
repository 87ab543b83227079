#include "base/bytes.h"

#include "base/mem.h"

#define ROW        (8 * sizeof(uint64_t)) /* bytes of one turn of a loop */
#define ALL_OF_ROW _Pragma("GCC unroll 8")
#define ONES       0x0101010101010101u
#define HIGHS      0x8080808080808080u

bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

/* Eight bytes as they lie, for what does not ask in which order. */
static inline uint64_t eight_bytes(const uint8_t *at)
{
    uint64_t word;

    __builtin_memcpy(&word, at, sizeof(word));
    return word;
}

bool span_is_zero(struct span span)
{
    size_t i = 0;

    for (; span.size - i >= ROW; i += ROW) {
        uint64_t row = 0;
        ALL_OF_ROW for (size_t k = 0; k < ROW; k += sizeof(row)) row |=
            eight_bytes(span.at + i + k);
        if (row != 0)
            return false;
    }
    for (; span.size - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        if (eight_bytes(span.at + i) != 0)
            return false;
    }
    while (i < span.size && span.at[i] == 0)
        i++;
    return i == span.size;
}

size_t span_find_byte(struct span span, uint8_t byte)
{
    uint64_t pattern = ONES * byte;
    size_t i = 0;

    /* A byte of a word is zero where taking one from each sets a high bit that was not set. */
    for (; span.size - i >= sizeof(pattern); i += sizeof(pattern)) {
        uint64_t word = eight_bytes(span.at + i) ^ pattern;
        if (((word - ONES) & ~word & HIGHS) != 0)
            break;
    }
    while (i < span.size && span.at[i] != byte)
        i++;
    return i;
}
