/*
 * Builds a run of bytes piece by piece in a buffer of fixed size. The first piece that does not
 * fit makes the builder fail for good, and later pieces do nothing: check `failed` once, at the
 * end.
 */
#ifndef SHADOWBOOT_BASE_BUILDER_H
#define SHADOWBOOT_BASE_BUILDER_H

#include "base/arena.h"
#include "base/bytes.h"

struct builder {
    uint8_t *at;
    size_t size; /* bytes of room */
    size_t used; /* bytes written, <= size */
    bool failed; /* something did not fit */
};

/* Starts an empty builder over `size` bytes at `at`. */
void builder_init(struct builder *builder, void *at, size_t size);

/* Starts one over `size` fresh bytes of the arena; failed from the start when there is no room. */
void builder_in_arena(struct builder *builder, struct arena *arena, size_t size);

void builder_bytes(struct builder *builder, struct span bytes);
void builder_u8(struct builder *builder, uint8_t value);
void builder_le16(struct builder *builder, uint16_t value);
void builder_le32(struct builder *builder, uint32_t value);
void builder_le64(struct builder *builder, uint64_t value);

/* Appends zero bytes until `used` is a multiple of `alignment` (> 0). */
void builder_align(struct builder *builder, size_t alignment);

/* What has been built; an empty span when the builder failed. */
struct span builder_span(const struct builder *builder);

#endif
