#include "base/builder.h"

#include "base/mem.h"

void builder_init(struct builder *builder, void *at, size_t size)
{
    builder->at = at;
    builder->size = size;
    builder->used = 0;
    builder->failed = false;
}

void builder_in_arena(struct builder *builder, struct arena *arena, size_t size)
{
    void *at = arena_alloc(arena, 1, size);

    builder_init(builder, at, size);
    builder->failed = at == NULL;
}

/* Room for `size` more bytes, or NULL, which makes the builder fail for good. */
static uint8_t *claim(struct builder *builder, size_t size)
{
    if (builder->failed || size > builder->size - builder->used) {
        builder->failed = true;
        return NULL;
    }
    uint8_t *at = builder->at + builder->used;
    builder->used += size;
    return at;
}

void builder_bytes(struct builder *builder, struct span bytes)
{
    uint8_t *at = claim(builder, bytes.size);

    if (at != NULL && bytes.size > 0)
        memcpy(at, bytes.at, bytes.size);
}

void builder_u8(struct builder *builder, uint8_t value)
{
    builder_bytes(builder, span_of(&value, 1));
}

void builder_le16(struct builder *builder, uint16_t value)
{
    uint8_t bytes[2];

    st_le16(bytes, value);
    builder_bytes(builder, span_of(bytes, sizeof(bytes)));
}

void builder_le32(struct builder *builder, uint32_t value)
{
    uint8_t bytes[4];

    st_le32(bytes, value);
    builder_bytes(builder, span_of(bytes, sizeof(bytes)));
}

void builder_le64(struct builder *builder, uint64_t value)
{
    uint8_t bytes[8];

    st_le64(bytes, value);
    builder_bytes(builder, span_of(bytes, sizeof(bytes)));
}

void builder_align(struct builder *builder, size_t alignment)
{
    while (!builder->failed && builder->used % alignment != 0)
        builder_u8(builder, 0);
}

struct span builder_span(const struct builder *builder)
{
    if (builder->failed)
        return span_of(NULL, 0);
    return span_of(builder->at, builder->used);
}
