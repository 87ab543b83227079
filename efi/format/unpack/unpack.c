#include "format/unpack/unpack.h"

#include "base/mem.h"
#include "unpack_bits.h"

struct unpack_tables *unpack_tables_new(struct arena *arena)
{
    return arena_alloc(arena, 1, sizeof(struct unpack_tables));
}

/* --- Bits ------------------------------------------------------------------------------------- */

struct unpack_bits unpack_bits_of(struct span bytes)
{
    return (struct unpack_bits){.at = bytes.at, .end = bytes.at + bytes.size};
}

bool unpack_bits_are_over(const struct unpack_bits *bits)
{
    return bits->past * 16 > bits->count;
}

/* --- Codes ------------------------------------------------------------------------------------ */

/* Where the symbols of each length begin in the order of codes; `counts` are how many there are. */
static enum status measure_code(struct unpack_code *code, const uint16_t *counts)
{
    uint32_t next = 0; /* code, in UNPACK_CODE_BITS bits */
    uint32_t place = 0;

    for (unsigned length = 1; length <= UNPACK_CODE_BITS; length++) {
        unsigned shift = UNPACK_CODE_BITS - length;
        code->base[length] = (uint16_t)(place - (next >> shift));
        next += (uint32_t)counts[length] << shift;
        place += counts[length];
        code->limit[length] = next;
    }
    return place == 0 || next == 1u << UNPACK_CODE_BITS ? ST_OK : ST_DAMAGED;
}

/* The entries of all codes that are found at once. */
static void fill_fast(struct unpack_code *code, const uint8_t *lengths)
{
    size_t at = 0;
    size_t place = 0;

    while (at < sizeof code->fast / sizeof code->fast[0]) {
        unsigned symbol = code->symbols[place++];
        unsigned length = lengths[symbol];
        if (length > UNPACK_FAST_BITS)
            break;
        for (size_t i = 0; i < 1u << (UNPACK_FAST_BITS - length); i++)
            code->fast[at++] = (uint16_t)(symbol << 4 | length);
    }
    memset(code->fast + at, 0, sizeof code->fast - at * sizeof code->fast[0]);
}

enum status unpack_code_make(struct unpack_code *code, const uint8_t *lengths, size_t count)
{
    uint16_t counts[UNPACK_CODE_BITS + 1] = {0};
    uint16_t places[UNPACK_CODE_BITS + 2] = {0};

    for (size_t i = 0; i < count; i++)
        counts[lengths[i]]++;
    enum status status = measure_code(code, counts);
    if (status != ST_OK)
        return status;
    for (unsigned length = 1; length <= UNPACK_CODE_BITS; length++)
        places[length + 1] = (uint16_t)(places[length] + counts[length]);
    for (size_t i = 0; i < count; i++) {
        if (lengths[i] > 0)
            code->symbols[places[lengths[i]]++] = (uint16_t)i;
    }
    if (counts[0] == count)
        memset(code->fast, 0, sizeof code->fast);
    else
        fill_fast(code, lengths);
    return ST_OK;
}

unsigned unpack_code_take_long(const struct unpack_code *code, struct unpack_bits *bits)
{
    uint32_t next = bits->buffer >> (32 - UNPACK_CODE_BITS);

    for (unsigned length = UNPACK_FAST_BITS + 1; length <= UNPACK_CODE_BITS; length++) {
        if (next < code->limit[length]) {
            uint32_t own = unpack_bits_take(bits, length);
            return code->symbols[(uint16_t)(own + code->base[length])];
        }
    }
    return UNPACK_SYMBOLS_MAX;
}
