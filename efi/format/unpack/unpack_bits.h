/*
 * What XPRESS and LZX have in common: bits in 16-bit words, codes by their lengths, and matches.
 */
#ifndef SHADOWBOOT_FORMAT_UNPACK_BITS_H
#define SHADOWBOOT_FORMAT_UNPACK_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* Little-endian words, the highest bit of each first. Behind the last word come zeros, as many as
 * one likes; unpack_bits_are_over tells whether any of them was taken. */
struct unpack_bits {
    const uint8_t *at; /* the word behind those in `buffer` */
    const uint8_t *end;
    uint32_t buffer; /* the next bits, from the highest on; zero behind them */
    unsigned count;  /* of them */
    size_t past;     /* words that were taken from behind the end */
};

struct unpack_bits unpack_bits_of(struct span bytes);

/* Sees to it that there are at least 16 bits, and not more than 32. */
static inline void unpack_bits_fill(struct unpack_bits *bits)
{
    uint32_t word = 0;

    if (bits->count >= 16)
        return;
    if (bits->end - bits->at >= 2) {
        word = ld_le16(bits->at);
        bits->at += 2;
    } else {
        bits->past++;
    }
    bits->buffer |= word << (16 - bits->count);
    bits->count += 16;
}

/* Takes up to 16 bits that are there. */
static inline uint32_t unpack_bits_take(struct unpack_bits *bits, unsigned count)
{
    uint32_t value = (uint32_t)((uint64_t)bits->buffer >> (32 - count));

    bits->buffer = (uint32_t)((uint64_t)bits->buffer << count);
    bits->count -= count;
    return value;
}

/* Fills up and takes up to 16 bits. */
static inline uint32_t unpack_bits_next(struct unpack_bits *bits, unsigned count)
{
    unpack_bits_fill(bits);
    return unpack_bits_take(bits, count);
}

/* True when a bit was taken that is not there. */
bool unpack_bits_are_over(const struct unpack_bits *bits);

/* --- Codes ------------------------------------------------------------------------------------ */

#define UNPACK_CODE_BITS   16u /* of the longest codes */
#define UNPACK_FAST_BITS   10u /* codes up to here are found at once */
#define UNPACK_SYMBOLS_MAX 512u

/* Codes by their lengths alone: shorter ones first, those of one length in order of symbol. */
struct unpack_code {
    uint16_t fast[1u << UNPACK_FAST_BITS]; /* by the next bits: symbol << 4 | length; 0 for longer
                                              codes */
    uint32_t limit[UNPACK_CODE_BITS + 1];  /* by length: what the next 16 bits are below */
    uint16_t base[UNPACK_CODE_BITS + 1];   /* by length: added to a code for its place in symbols */
    uint16_t symbols[UNPACK_SYMBOLS_MAX];  /* in order of their codes */
};

/*
 * Makes the codes of `count` (<= UNPACK_SYMBOLS_MAX) symbols from their lengths (0 for none, at
 * most UNPACK_CODE_BITS). Statuses: ST_OK, also when there are none at all; ST_DAMAGED when there
 * are too many for their lengths or too few.
 */
MUST_CHECK enum status unpack_code_make(struct unpack_code *code, const uint8_t *lengths,
                                        size_t count);

/* Takes a code longer than UNPACK_FAST_BITS; UNPACK_SYMBOLS_MAX where there are no codes. */
unsigned unpack_code_take_long(const struct unpack_code *code, struct unpack_bits *bits);

/* Takes the next symbol; UNPACK_SYMBOLS_MAX where there are no codes. */
static inline unsigned unpack_code_take(const struct unpack_code *code, struct unpack_bits *bits)
{
    unpack_bits_fill(bits);
    unsigned entry = code->fast[bits->buffer >> (32 - UNPACK_FAST_BITS)];

    if (entry == 0)
        return unpack_code_take_long(code, bits);
    unpack_bits_take(bits, entry & 15);
    return entry >> 4;
}

/* --- Output ----------------------------------------------------------------------------------- */

struct unpack_output {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
};

/* Repeats `length` bytes from `distance` back. Statuses: ST_OK; ST_DAMAGED when it reaches before
 * the start or behind the end. */
static inline enum status unpack_output_repeat(struct unpack_output *output, size_t distance,
                                               size_t length)
{
    if (distance == 0 || distance > (size_t)(output->at - output->start) ||
        length > (size_t)(output->end - output->at))
        return ST_DAMAGED;
    for (const uint8_t *from = output->at - distance; length > 0; length--)
        *output->at++ = *from++;
    return ST_OK;
}

/* --- Tables ----------------------------------------------------------------------------------- */

#define UNPACK_LZX_MAIN    496u /* symbols: bytes, and 8 lengths for each of 30 distance slots */
#define UNPACK_LZX_LENGTHS 249u
#define UNPACK_LZX_ALIGNED 8u

struct unpack_tables {
    struct unpack_code main;
    struct unpack_code length;
    struct unpack_code aligned;
    struct unpack_code lengths_code; /* in which lengths of codes are written */
    uint8_t lengths[UNPACK_SYMBOLS_MAX];
    uint8_t length_lengths[UNPACK_LZX_LENGTHS];
};

#endif
