#include "base/bytes.h"

#include "base/mem.h"
#include "base/wide.h"

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

struct span span_part(struct span span, uint64_t offset, uint64_t size)
{
    if (span.at == NULL || !span_holds(span, offset, size))
        return span_of(NULL, 0);
    return span_of(span.at + offset, (size_t)size);
}

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

    for (; span.size - i >= WIDE_ROW; i += WIDE_ROW) {
        const wide *row = (const wide *)(span.at + i);
        wide bits = {0, 0};
        ALL_OF_WIDE for (size_t k = 0; k < WIDE_UNITS; k++) bits |= row[k];
        if (wide_any(bits))
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

/* Two bytes that are looked for, each eight times. */
struct pair {
    uint64_t first;
    uint64_t second;
};

/* How many rows from the start have no such pair, in bytes. A byte of a word is zero where taking one from
 * each sets a high bit that was not set. */
static size_t rows_without(struct span span, const struct pair *pair)
{
    const wide first = {pair->first, pair->first};
    const wide second = {pair->second, pair->second};
    const wide ones = {ONES, ONES};
    size_t i = 0;

    for (; span.size - i > WIDE_ROW; i += WIDE_ROW) {
        const wide *row = (const wide *)(span.at + i);
        const wide *next = (const wide *)(span.at + i + 1);
        wide found = {0, 0};
        ALL_OF_WIDE for (size_t k = 0; k < WIDE_UNITS; k++)
        {
            wide differ = (row[k] ^ first) | (next[k] ^ second);
            found |= (differ - ones) & ~differ;
        }
        if (((found[0] | found[1]) & HIGHS) != 0)
            break;
    }
    return i;
}

size_t span_find_pair(struct span span, uint8_t first, uint8_t second)
{
    const struct pair pair = {ONES * first, ONES * second};
    size_t i = rows_without(span, &pair);

    while (i < span.size &&
           (span.at[i] != first || (i + 1 < span.size && span.at[i + 1] != second)))
        i++;
    return i;
}
