#include "format/unpack/unpack.h"

#include "unpack_bits.h"

/*
 * 256 bytes with the lengths of the codes of 512 symbols, four bits each, the low ones first; then
 * words of bits. Symbols below 256 are bytes; above, a match: bits 0 to 3 are its length less 3,
 * bits 4 to 7 how many bits of its distance follow below the highest one. 15 for a length: more of
 * it comes in a byte, 255 there: all of it comes in two. These bytes stand behind the words that
 * are needed for 16 bits more.
 */
#define LENGTHS_BYTES 256u
#define SYMBOLS       512u
#define MATCHES       256u /* from this symbol on */
#define LENGTH_MIN    3u
#define LENGTH_MORE   15u
#define BYTE_MORE     255u

/* The rest of a match's length. Statuses: ST_OK; ST_DAMAGED. */
static enum status take_length(struct unpack_bits *bits, size_t *io_length)
{
    if (bits->at == bits->end)
        return ST_DAMAGED;
    uint8_t more = *bits->at++;
    if (more < BYTE_MORE) {
        *io_length += more;
        return ST_OK;
    }
    if (bits->end - bits->at < 2)
        return ST_DAMAGED;
    *io_length = ld_le16(bits->at);
    bits->at += 2;
    return *io_length < LENGTH_MORE ? ST_DAMAGED : ST_OK;
}

static enum status repeat_match(struct unpack_bits *bits, struct unpack_output *output,
                                unsigned match)
{
    size_t length = match & 15;
    unsigned distance_bits = match >> 4;

    unpack_bits_fill(bits);
    size_t distance = 1u << distance_bits | unpack_bits_take(bits, distance_bits);
    enum status status = length == LENGTH_MORE ? take_length(bits, &length) : ST_OK;
    if (status != ST_OK)
        return status;
    return unpack_output_repeat(output, distance, length + LENGTH_MIN);
}

enum status unpack_xpress(struct unpack_tables *tables, struct span packed, uint8_t *ret_data,
                          size_t size)
{
    struct unpack_output output = {ret_data, ret_data, ret_data + size};

    if (packed.size < LENGTHS_BYTES || size > UNPACK_XPRESS_MAX)
        return ST_DAMAGED;
    for (size_t i = 0; i < SYMBOLS; i++)
        tables->lengths[i] = packed.at[i / 2] >> (i % 2 * 4) & 15;
    enum status status = unpack_code_make(&tables->main, tables->lengths, SYMBOLS);
    struct unpack_bits bits =
        unpack_bits_of(span_part(packed, LENGTHS_BYTES, packed.size - LENGTHS_BYTES));
    while (status == ST_OK && output.at < output.end) {
        unsigned symbol = unpack_code_take(&tables->main, &bits);
        if (symbol < MATCHES)
            *output.at++ = (uint8_t)symbol;
        else if (symbol < SYMBOLS)
            status = repeat_match(&bits, &output, symbol - MATCHES);
        else
            status = ST_DAMAGED;
    }
    return status == ST_OK && unpack_bits_are_over(&bits) ? ST_DAMAGED : status;
}
