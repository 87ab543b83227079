/*
 * The one place memory comes from. The caller hands over a block at start; everything below
 * `cmd` allocates from it and nothing is freed singly: a caller that wants its scratch memory
 * back takes a mark first and releases to it.
 *
 * The block may be addresses more than memory: with a source, memory is put under it when an
 * allocation first reaches there, and stays until whoever made the source takes it back.
 */
#ifndef SHADOWBOOT_BASE_ARENA_H
#define SHADOWBOOT_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_STEP 0x40000u /* bytes, counted from the base, that a source is asked for at once */

struct arena_source {
    void *ctx;

    /*
     * Sees to it that there is memory under `size` (> 0) bytes at `at`, where it may have been put
     * before. False when there is none to be had; it may then be there in part.
     */
    bool (*put)(void *ctx, const void *at, size_t size);
};

struct arena {
    uint8_t *base;
    size_t size;  /* bytes */
    size_t used;  /* bytes, <= size */
    size_t peak;  /* largest `used` seen, bytes */
    size_t kept;  /* bytes behind `used` that are not given out, <= size - used */
    size_t ready; /* bytes from `base` that memory is under, >= used + kept, <= size */
    const struct arena_source *source; /* of the memory behind `ready`; NULL when ready == size */
};

/* Starts an empty arena over `size` bytes at `base`, which must outlive it. */
void arena_init(struct arena *arena, void *base, size_t size);

/*
 * Starts an empty arena over `size` bytes of addresses at `base`, whose memory comes from `source`.
 * Both must outlive it.
 */
void arena_init_from(struct arena *arena, const struct arena_source *source, void *base,
                     size_t size);

/*
 * `count` objects of `size` bytes each, zeroed, aligned to 16 bytes. NULL when there is no room,
 * the source has no memory, or count * size overflows; the arena is then unchanged. A request for
 * zero bytes gives a valid pointer that must not be read.
 */
void *arena_alloc(struct arena *arena, size_t count, size_t size);

/* A copy of `size` bytes at `data`. NULL when there is no room. */
void *arena_copy(struct arena *arena, const void *data, size_t size);

/* The current fill level, to give to arena_release later. */
size_t arena_mark(const struct arena *arena);

/* Gives back everything allocated since `mark`. Marks are released in reverse order. */
void arena_release(struct arena *arena, size_t mark);

/* Bytes that may still be given out, if the source has them. */
size_t arena_room(const struct arena *arena);

/*
 * From now on allocations leave `size` bytes free, for which memory is there; 0 ends that. False
 * when they are not to be had: the arena is then unchanged.
 */
bool arena_keep(struct arena *arena, size_t size);

/*
 * Cuts `size` bytes off the far end, as an empty arena of their own, out of the way of what is
 * allocated meanwhile; arena_rejoin puts them back, in reverse order. They count in the peak.
 * False when there is no room: both are then unchanged.
 */
bool arena_part(struct arena *arena, size_t size, struct arena *ret_part);
void arena_rejoin(struct arena *arena, size_t size);

/*
 * `size` bytes (> 0) off the far end, not zeroed, aligned to 16 bytes, which count nowhere; the same
 * arena_rejoin puts them back. NULL when there is no room: the arena is then unchanged.
 */
void *arena_cut(struct arena *arena, size_t size);

/*
 * What is free, as an empty arena, for what is over before anything else is allocated from
 * `arena`, and counts nowhere.
 */
struct arena arena_rest(const struct arena *arena);

#endif
