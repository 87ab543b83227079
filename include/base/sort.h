/* Sorting without allocation, in n log n steps whatever the input. */
#ifndef SHADOWBOOT_BASE_SORT_H
#define SHADOWBOOT_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* < 0, 0 or > 0 as item `a` comes before, with, or after item `b`. */
typedef int sort_compare(const void *ctx, size_t a, size_t b);

/* The same of two numbers. */
static inline int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/*
 * Puts the `count` item numbers in `items` into the order of `compare`. Numbers that compare equal
 * end up in ascending order, so the result does not depend on where they started.
 */
void sort_items(size_t *items, size_t count, sort_compare *compare, const void *ctx);

/* The same for the numbers from `first` to `first + count - 1`, which are put into `ret_items`. */
void sort_range(size_t *ret_items, size_t first, size_t count, sort_compare *compare,
                const void *ctx);

/* The numbers of `count` items, from 0 on, in the order of `compare`. They lie in `arena`; NULL
 * when it has no room. */
size_t *sort_order(struct arena *arena, size_t count, sort_compare *compare, const void *ctx);

#endif
