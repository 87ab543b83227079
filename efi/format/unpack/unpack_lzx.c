#include "format/unpack/unpack.h"

#include "base/mem.h"
#include "unpack_bits.h"

/*
 * A block: 3 bits, its kind; 1 bit: it unpacks to 32768 bytes; else 16 bits: to so many. Then
 *
 *   verbatim, aligned   of an aligned one 8 lengths of 3 bits each, of a code for distances; the
 *                       lengths of the main code, those of its first 256 symbols for themselves;
 *                       those of the code of match lengths; symbols
 *   not compressed      up to 16 bits to the next word, 16 where there is one; the three last
 *                       distances, 4 bytes each; the bytes, and one more where they are odd
 *
 * Main symbols below 256 are bytes; above: bits 0 to 2 the length of a match less 2, where 7 stands
 * for a symbol of match lengths more; the others its slot: 0 to 2 are the last distances, those
 * above stand for distances from a base on.
 *
 * Lengths of codes: 20 lengths of 4 bits each, of a code in which they are written as what is to be
 * taken, modulo 17, from the length that the symbol had in the block before. 17 to 19 stand for
 * several of one length.
 *
 * Behind the call instruction E8 stands an address in the place of a distance.
 */
#define BLOCK_BYTES     32768u
#define BYTES           256u /* main symbols that stand for themselves */
#define LENGTH_MORE     7u
#define LENGTH_LEAST    2u
#define SLOTS_RECENT    3u
#define ALIGNED_BITS    3u
#define LENGTHS_SYMBOLS 20u
#define LENGTHS_MODULO  17u
#define CALL            0xe8u
#define CALL_TAIL       10u /* bytes at the end that are not looked at */
#define CALL_FILE_BYTES 12000000

enum block_kind { BLOCK_VERBATIM = 1, BLOCK_ALIGNED, BLOCK_STORED };

struct lzx {
    struct unpack_tables *tables;
    struct unpack_bits bits;
    struct unpack_output output;
    uint32_t recent[SLOTS_RECENT]; /* distances, the last one first */
};

/* --- Codes ------------------------------------------------------------------------------------ */

static enum status make_lengths_code(struct lzx *lzx)
{
    uint8_t lengths[LENGTHS_SYMBOLS];

    for (size_t i = 0; i < LENGTHS_SYMBOLS; i++)
        lengths[i] = (uint8_t)unpack_bits_next(&lzx->bits, 4);
    return unpack_code_make(&lzx->tables->lengths_code, lengths, LENGTHS_SYMBOLS);
}

static uint8_t changed_length(uint8_t before, unsigned symbol)
{
    return (uint8_t)((before + LENGTHS_MODULO - symbol) % LENGTHS_MODULO);
}

/* How many symbols get `*ret_length`. `symbol` is below LENGTHS_SYMBOLS. Statuses: ST_OK;
 * ST_DAMAGED. */
static enum status take_lengths_run(struct lzx *lzx, unsigned symbol, uint8_t before,
                                    uint8_t *ret_length, size_t *ret_count)
{
    *ret_length = 0;
    *ret_count = 1;
    switch (symbol) {
    case 17:
        *ret_count = 4 + unpack_bits_next(&lzx->bits, 4);
        return ST_OK;
    case 18:
        *ret_count = 20 + unpack_bits_next(&lzx->bits, 5);
        return ST_OK;
    case 19:
        *ret_count = 4 + unpack_bits_next(&lzx->bits, 1);
        symbol = unpack_code_take(&lzx->tables->lengths_code, &lzx->bits);
        break;
    default:
        break;
    }
    if (symbol >= LENGTHS_MODULO)
        return ST_DAMAGED;
    *ret_length = changed_length(before, symbol);
    return ST_OK;
}

/* Brings lengths [first, end) up to date. */
static enum status take_lengths(struct lzx *lzx, uint8_t *lengths, size_t first, size_t end)
{
    enum status status = make_lengths_code(lzx);
    uint8_t length = 0;
    size_t count = 0;

    for (size_t i = first; status == ST_OK && i < end; i += count) {
        unsigned symbol = unpack_code_take(&lzx->tables->lengths_code, &lzx->bits);
        status = take_lengths_run(lzx, symbol, lengths[i], &length, &count);
        if (count > end - i)
            count = end - i;
        memset(lengths + i, length, count);
    }
    return status;
}

static enum status take_aligned_code(struct lzx *lzx)
{
    uint8_t lengths[UNPACK_LZX_ALIGNED];

    for (size_t i = 0; i < UNPACK_LZX_ALIGNED; i++)
        lengths[i] = (uint8_t)unpack_bits_next(&lzx->bits, ALIGNED_BITS);
    return unpack_code_make(&lzx->tables->aligned, lengths, UNPACK_LZX_ALIGNED);
}

static enum status take_codes(struct lzx *lzx, enum block_kind kind)
{
    struct unpack_tables *tables = lzx->tables;
    enum status status = kind == BLOCK_ALIGNED ? take_aligned_code(lzx) : ST_OK;

    if (status == ST_OK)
        status = take_lengths(lzx, tables->lengths, 0, BYTES);
    if (status == ST_OK)
        status = take_lengths(lzx, tables->lengths, BYTES, UNPACK_LZX_MAIN);
    if (status == ST_OK)
        status = take_lengths(lzx, tables->length_lengths, 0, UNPACK_LZX_LENGTHS);
    if (status == ST_OK)
        status = unpack_code_make(&tables->main, tables->lengths, UNPACK_LZX_MAIN);
    if (status == ST_OK)
        status = unpack_code_make(&tables->length, tables->length_lengths, UNPACK_LZX_LENGTHS);
    return status;
}

/* --- Blocks ----------------------------------------------------------------------------------- */

/* One of the last distances, which changes places with the last one. */
static uint32_t recent_distance(struct lzx *lzx, unsigned slot)
{
    uint32_t distance = lzx->recent[slot];

    lzx->recent[slot] = lzx->recent[0];
    lzx->recent[0] = distance;
    return distance;
}

/* Statuses: ST_OK; ST_DAMAGED. */
static enum status new_distance(struct lzx *lzx, unsigned slot, enum block_kind kind,
                                uint32_t *ret_distance)
{
    unsigned extra = slot < 4 ? 0 : slot / 2 - 1;
    uint32_t distance = slot < 4 ? slot : (2 + slot % 2) << extra;
    unsigned aligned = 0;

    if (kind == BLOCK_ALIGNED && extra >= ALIGNED_BITS) {
        distance += unpack_bits_next(&lzx->bits, extra - ALIGNED_BITS) << ALIGNED_BITS;
        aligned = unpack_code_take(&lzx->tables->aligned, &lzx->bits);
        distance += aligned;
    } else {
        distance += unpack_bits_next(&lzx->bits, extra);
    }
    *ret_distance = distance - 2;
    memmove(lzx->recent + 1, lzx->recent, 2 * sizeof lzx->recent[0]);
    lzx->recent[0] = *ret_distance;
    return aligned < UNPACK_LZX_ALIGNED ? ST_OK : ST_DAMAGED;
}

static enum status repeat_symbol(struct lzx *lzx, unsigned match, enum block_kind kind)
{
    size_t length = match % 8;
    unsigned slot = match / 8;
    uint32_t distance = 0;
    enum status status = ST_OK;

    if (length == LENGTH_MORE) {
        unsigned more = unpack_code_take(&lzx->tables->length, &lzx->bits);
        if (more >= UNPACK_LZX_LENGTHS)
            return ST_DAMAGED;
        length += more;
    }
    if (slot < SLOTS_RECENT)
        distance = recent_distance(lzx, slot);
    else
        status = new_distance(lzx, slot, kind, &distance);
    if (status != ST_OK)
        return status;
    return unpack_output_repeat(&lzx->output, distance, length + LENGTH_LEAST);
}

static enum status unpack_symbols(struct lzx *lzx, enum block_kind kind, const uint8_t *end)
{
    struct unpack_output *output = &lzx->output;
    enum status status = take_codes(lzx, kind);

    while (status == ST_OK && output->at < end) {
        unsigned symbol = unpack_code_take(&lzx->tables->main, &lzx->bits);
        if (symbol < BYTES)
            *output->at++ = (uint8_t)symbol;
        else if (symbol < UNPACK_LZX_MAIN)
            status = repeat_symbol(lzx, symbol - BYTES, kind);
        else
            status = ST_DAMAGED;
    }
    return output->at > end ? ST_DAMAGED : status;
}

/* Bits that were not taken are those of one word at most, which `buffer` may hold. */
static enum status copy_stored(struct lzx *lzx, size_t size)
{
    struct unpack_bits *bits = &lzx->bits;

    unpack_bits_fill(bits);
    if (bits->past > 0)
        return ST_DAMAGED;
    if (bits->count > 16)
        bits->at -= 2;
    struct span left = span_of(bits->at, (size_t)(bits->end - bits->at));
    size_t head = SLOTS_RECENT * sizeof lzx->recent[0];
    if (!span_holds(left, head, size))
        return ST_DAMAGED;
    for (size_t i = 0; i < SLOTS_RECENT; i++)
        lzx->recent[i] = ld_le32(left.at + 4 * i);
    memcpy(lzx->output.at, left.at + head, size);
    lzx->output.at += size;
    size_t used = head + size + size % 2;
    *bits = unpack_bits_of(used < left.size ? span_part(left, used, left.size - used)
                                            : span_of(bits->end, 0));
    return ST_OK;
}

static enum status unpack_block(struct lzx *lzx)
{
    enum block_kind kind = (enum block_kind)unpack_bits_next(&lzx->bits, 3);
    bool whole = unpack_bits_next(&lzx->bits, 1) != 0;
    size_t size = whole ? BLOCK_BYTES : unpack_bits_next(&lzx->bits, 16);

    if (size == 0 || size > (size_t)(lzx->output.end - lzx->output.at))
        return ST_DAMAGED;
    switch (kind) {
    case BLOCK_VERBATIM:
    case BLOCK_ALIGNED:
        return unpack_symbols(lzx, kind, lzx->output.at + size);
    case BLOCK_STORED:
        return copy_stored(lzx, size);
    }
    return ST_DAMAGED;
}

/* --- Calls ------------------------------------------------------------------------------------ */

static void translate_call(uint8_t *address, int32_t place)
{
    int32_t value = (int32_t)ld_le32(address);

    if (value >= -place && value < 0)
        st_le32(address, (uint32_t)(value + CALL_FILE_BYTES));
    else if (value >= 0 && value < CALL_FILE_BYTES)
        st_le32(address, (uint32_t)(value - place));
}

static void translate_calls(uint8_t *data, size_t size)
{
    size_t at = 0;

    while (at + CALL_TAIL < size) {
        if (data[at] == CALL) {
            translate_call(data + at + 1, (int32_t)at);
            at += 5;
        } else {
            at++;
        }
    }
}

enum status unpack_lzx(struct unpack_tables *tables, struct span packed, uint8_t *ret_data,
                       size_t size)
{
    struct lzx lzx = {
        .tables = tables,
        .bits = unpack_bits_of(packed),
        .output = {ret_data, ret_data, ret_data + size},
        .recent = {1, 1, 1},
    };
    enum status status = size > UNPACK_LZX_MAX ? ST_DAMAGED : ST_OK;

    memset(tables->lengths, 0, sizeof tables->lengths);
    memset(tables->length_lengths, 0, sizeof tables->length_lengths);
    while (status == ST_OK && lzx.output.at < lzx.output.end)
        status = unpack_block(&lzx);
    if (status != ST_OK || unpack_bits_are_over(&lzx.bits))
        return ST_DAMAGED;
    translate_calls(ret_data, size);
    return ST_OK;
}
