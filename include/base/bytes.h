/*
 * Bytes from outside, read through checked accessors that work at any alignment on any host.
 *
 * A `struct span` is a borrowed run of bytes: it owns nothing and is valid as long as what it
 * points into. The `ld`/`st` calls take a pointer that the caller has already checked; the
 * `span_...` calls check for themselves.
 */
#ifndef SHADOWBOOT_BASE_BYTES_H
#define SHADOWBOOT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const uint8_t *at;
    size_t size; /* bytes */
};

/* These become one instruction each where the processor has it, which a compiler that is told to save
 * bytes only sees when they are in their place: before that they look larger than a call. */
#define WHOLE_WORD static inline __attribute__((always_inline))

WHOLE_WORD uint16_t ld_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

WHOLE_WORD uint32_t ld_le32(const uint8_t *p)
{
    return ld_le16(p) | (uint32_t)ld_le16(p + 2) << 16;
}

WHOLE_WORD uint64_t ld_le64(const uint8_t *p)
{
    return ld_le32(p) | (uint64_t)ld_le32(p + 4) << 32;
}

WHOLE_WORD void st_le16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

WHOLE_WORD void st_le32(uint8_t *p, uint32_t value)
{
    st_le16(p, (uint16_t)value);
    st_le16(p + 2, (uint16_t)(value >> 16));
}

WHOLE_WORD void st_le64(uint8_t *p, uint64_t value)
{
    st_le32(p, (uint32_t)value);
    st_le32(p + 4, (uint32_t)(value >> 32));
}

WHOLE_WORD uint16_t ld_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

WHOLE_WORD uint32_t ld_be32(const uint8_t *p)
{
    return (uint32_t)ld_be16(p) << 16 | ld_be16(p + 2);
}

WHOLE_WORD uint64_t ld_be64(const uint8_t *p)
{
    return (uint64_t)ld_be32(p) << 32 | ld_be32(p + 4);
}

/* The span over `size` bytes at `at`. */
static inline struct span span_of(const void *at, size_t size)
{
    struct span span = {at, size};
    return span;
}

/* True when bytes [offset, offset + size) all lie inside the span; safe against overflow. */
static inline bool span_holds(struct span span, uint64_t offset, uint64_t size)
{
    return offset <= span.size && size <= span.size - offset;
}

/* The part [offset, offset + size), or an empty span at NULL when it is not all inside. */
struct span span_part(struct span span, uint64_t offset, uint64_t size);

/* True when both hold the same bytes. */
bool span_equal(struct span a, struct span b);

/* True when every byte is zero; also for an empty span. */
bool span_is_zero(struct span span);

/* Where the first of two bytes is that follow each other, the last byte counting where it is `first`, since
 * what follows it is not there; the size of the span when they are nowhere. */
size_t span_find_pair(struct span span, uint8_t first, uint8_t second);

static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

#endif
