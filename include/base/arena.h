/*
 * The one place memory comes from. The caller hands over a block at start; everything below
 * `cmd` allocates from it and nothing is freed singly: a caller that wants its scratch memory
 * back takes a mark first and releases to it.
 */
#ifndef SHADOWBOOT_BASE_ARENA_H
#define SHADOWBOOT_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *base;
    size_t size; /* bytes */
    size_t used; /* bytes, <= size */
    size_t peak; /* largest `used` seen, bytes */
};

/* Starts an empty arena over `size` bytes at `base`, which must outlive it. */
void arena_init(struct arena *arena, void *base, size_t size);

/*
 * `count` objects of `size` bytes each, zeroed, aligned to 16 bytes. NULL when there is no room or
 * count * size overflows; the arena is then unchanged. A request for zero bytes gives a valid
 * pointer that must not be read.
 */
void *arena_alloc(struct arena *arena, size_t count, size_t size);

/* A copy of `size` bytes at `data`. NULL when there is no room. */
void *arena_copy(struct arena *arena, const void *data, size_t size);

/* The current fill level, to give to arena_release later. */
size_t arena_mark(const struct arena *arena);

/* Gives back everything allocated since `mark`. Marks are released in reverse order. */
void arena_release(struct arena *arena, size_t mark);

#endif
