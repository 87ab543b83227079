#include "format/unpack/unpack.h"

#include "base/mem.h"
#include "unpack_bits.h"

/*
 * Chunks of 4096 bytes, the last one perhaps of fewer: a header, and what follows. Header, two
 * bytes: bits 0 to 11 the bytes that follow less one, bits 12 to 14 are 3, bit 15: compressed.
 *
 * Compressed: eight times one bit of a byte of flags, the low one first, and what it stands for. 0:
 * a byte. 1: two bytes, a match: its high bits are the distance less one, the others its length
 * less 3. The distance has 4 bits at first, and one more each time when twice as much of the chunk
 * is there: as few as reach back to the chunk's start.
 */
#define CHUNK_BYTES       4096u
#define CHUNK_KIND        0x7000u
#define CHUNK_SIGNATURE   0x3000u
#define CHUNK_COMPRESSED  0x8000u
#define MATCH_BITS        16u
#define DISTANCE_MIN_BITS 4u
#define LENGTH_LEAST      3u

static enum status repeat_pair(struct unpack_output *output, uint16_t pair)
{
    size_t there = (size_t)(output->at - output->start);
    unsigned length_bits = MATCH_BITS - DISTANCE_MIN_BITS;

    while (there > (size_t)1 << (MATCH_BITS - length_bits))
        length_bits--;
    size_t length = pair & ((1u << length_bits) - 1);
    return unpack_output_repeat(output, (size_t)(pair >> length_bits) + 1, length + LENGTH_LEAST);
}

/* Statuses: ST_OK; ST_DAMAGED. */
static enum status unpack_items(struct span items, struct unpack_output *output)
{
    size_t at = 0;

    while (at < items.size) {
        uint8_t flags = items.at[at++];
        for (unsigned i = 0; i < 8 && at < items.size; i++, flags >>= 1) {
            if ((flags & 1) == 0) {
                if (output->at == output->end)
                    return ST_DAMAGED;
                *output->at++ = items.at[at++];
                continue;
            }
            if (items.size - at < 2 || repeat_pair(output, ld_le16(items.at + at)) != ST_OK)
                return ST_DAMAGED;
            at += 2;
        }
    }
    return ST_OK;
}

static enum status unpack_chunk(struct span body, bool compressed, struct unpack_output *output)
{
    if (compressed)
        return unpack_items(body, output);
    if (body.size > (size_t)(output->end - output->at))
        return ST_DAMAGED;
    memcpy(output->at, body.at, body.size);
    output->at += body.size;
    return ST_OK;
}

/*
 * The chunk at `*io_at`, which moves behind it. Statuses: ST_OK; ST_ABSENT at the end; ST_DAMAGED.
 */
static enum status next_chunk(struct span packed, size_t *io_at, uint16_t *ret_header,
                              struct span *ret_body)
{
    if (packed.size - *io_at < 2 || ld_le16(packed.at + *io_at) == 0)
        return ST_ABSENT;
    uint16_t header = ld_le16(packed.at + *io_at);
    size_t size = (size_t)(header & (CHUNK_BYTES - 1)) + 1;
    *ret_header = header;
    *ret_body = span_part(packed, *io_at + 2, size);
    *io_at += 2 + size;
    return (header & CHUNK_KIND) == CHUNK_SIGNATURE && ret_body->at != NULL ? ST_OK : ST_DAMAGED;
}

enum status unpack_lznt1(struct span packed, uint8_t *ret_data, size_t size, size_t *ret_size)
{
    size_t at = 0;
    size_t there = 0;
    size_t done = 0; /* of whole chunks */
    uint16_t header = 0;
    struct span body;

    while (done < size) {
        enum status status = next_chunk(packed, &at, &header, &body);
        if (status == ST_ABSENT)
            break;
        if (status != ST_OK)
            return status;
        size_t room = size - done < CHUNK_BYTES ? size - done : CHUNK_BYTES;
        uint8_t *to = ret_data + done;
        struct unpack_output output = {to, to, to + room};
        if (unpack_chunk(body, (header & CHUNK_COMPRESSED) != 0, &output) != ST_OK)
            return ST_DAMAGED;
        there = done + (size_t)(output.at - to);
        memset(output.at, 0, (size_t)(output.end - output.at));
        done += room;
    }
    memset(ret_data + done, 0, size - done);
    *ret_size = there;
    return ST_OK;
}
