/* What the fuzz targets have in common. */
#ifndef SHADOWBOOT_FUZZ_FUZZ_H
#define SHADOWBOOT_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* What libFuzzer, or replay.c, calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stops the program, which the fuzzer takes for a find, unless the property holds. */
static inline void require(bool holds)
{
    if (!holds)
        abort();
}

/* A copy in a block of just this size, to be freed: the sanitizer sees a byte read too much. */
static inline uint8_t *exact_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    require(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

#endif
