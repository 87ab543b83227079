#include "base/arena.h"

#include "base/mem.h"

#define ALIGNMENT 16u

void arena_init(struct arena *arena, void *base, size_t size)
{
    /* Alignment is counted from the address, so a crooked base only costs its first bytes. */
    size_t skip = (ALIGNMENT - (uintptr_t)base % ALIGNMENT) % ALIGNMENT;

    if (skip > size)
        skip = size;
    arena->base = (uint8_t *)base + skip;
    arena->size = size - skip;
    arena->used = 0;
    arena->peak = 0;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t bytes = 0;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        return NULL;
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes > arena->size - arena->used)
        return NULL;
    uint8_t *at = arena->base + arena->used;
    arena->used += bytes;
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    memset(at, 0, bytes);
    return at;
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, 1, size);

    if (copy != NULL && size > 0)
        memcpy(copy, data, size);
    return copy;
}

size_t arena_mark(const struct arena *arena)
{
    return arena->used;
}

void arena_release(struct arena *arena, size_t mark)
{
    if (mark < arena->used)
        arena->used = mark;
}
