#include "base/arena.h"

#include "base/mem.h"

#define ALIGNMENT 16u

/* What alignment skips at `base`: it is counted from the address, so a crooked base only costs its
 * first bytes. */
static size_t crooked(const void *base, size_t size)
{
    size_t skip = (ALIGNMENT - (uintptr_t)base % ALIGNMENT) % ALIGNMENT;

    return skip > size ? size : skip;
}

void arena_init(struct arena *arena, void *base, size_t size)
{
    arena_init_from(arena, NULL, base, size);
    arena->ready = arena->size;
}

void arena_init_from(struct arena *arena, const struct arena_source *source, void *base,
                     size_t size)
{
    size_t skip = crooked(base, size);

    *arena = (struct arena){.base = (uint8_t *)base + skip, .size = size - skip, .source = source};
}

/* Sees to it that memory is under the first `size` bytes. */
static bool make_ready(struct arena *arena, size_t size)
{
    if (size <= arena->ready)
        return true;
    size_t wanted = (size - 1) / ARENA_STEP * ARENA_STEP + ARENA_STEP;
    if (wanted > arena->size)
        wanted = arena->size;
    const struct arena_source *source = arena->source;
    if (!source->put(source->ctx, arena->base + arena->ready, wanted - arena->ready))
        return false;
    arena->ready = wanted;
    return true;
}

static void note_peak(struct arena *arena, size_t used)
{
    if (used > arena->peak)
        arena->peak = used;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t bytes = 0;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        return NULL;
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes > arena_room(arena) || !make_ready(arena, arena->used + bytes + arena->kept))
        return NULL;
    uint8_t *at = arena->base + arena->used;
    arena->used += bytes;
    note_peak(arena, arena->used);
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

size_t arena_room(const struct arena *arena)
{
    return arena->size - arena->used - arena->kept;
}

bool arena_keep(struct arena *arena, size_t size)
{
    if (size > arena->size - arena->used || !make_ready(arena, arena->used + size))
        return false;
    arena->kept = size;
    return true;
}

bool arena_part(struct arena *arena, size_t size, struct arena *ret_part)
{
    if (size > arena_room(arena))
        return false;
    note_peak(arena, arena->used + size);
    arena->size -= size;
    if (arena->source == NULL)
        arena_init(ret_part, arena->base + arena->size, size);
    else
        arena_init_from(ret_part, arena->source, arena->base + arena->size, size);
    return true;
}

void arena_rejoin(struct arena *arena, size_t size)
{
    arena->size += size;
}

void *arena_cut(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT || size + ALIGNMENT > arena_room(arena))
        return NULL;
    size_t start = (arena->size - size) / ALIGNMENT * ALIGNMENT;
    const struct arena_source *source = arena->source;
    if (source != NULL && !source->put(source->ctx, arena->base + start, size))
        return NULL;
    arena->size = start;
    return arena->base + start;
}

struct arena arena_rest(const struct arena *arena)
{
    struct arena whole = *arena;
    struct arena rest;

    arena_part(&whole, arena_room(&whole), &rest);
    return rest;
}
