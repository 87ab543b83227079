/* Random numbers that are the same on every machine: what a seed gives is its machine's for
 * good. */
#ifndef SHADOWBOOT_SWEEP_CHANCE_H
#define SHADOWBOOT_SWEEP_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

struct chance chance_of(uint64_t seed);
uint64_t chance_next(struct chance *chance);

/* From 0 to `count` - 1. */
unsigned chance_below(struct chance *chance, unsigned count);

/* True in so many cases of a hundred. */
bool chance_percent(struct chance *chance, unsigned percent);

/* An index of `weights`, each as often as its weight says. */
unsigned chance_weighted(struct chance *chance, const unsigned *weights, size_t count);

/* Puts the items, `size` bytes each (up to 64), in any order. */
void chance_shuffle(struct chance *chance, void *items, size_t count, size_t size);

#endif
