/* SHA-256 (FIPS 180-4): the digest by which an action knows what it is about to replace. */
#ifndef SHADOWBOOT_BASE_SHA256_H
#define SHADOWBOOT_BASE_SHA256_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct sha256 {
    uint8_t bytes[32];
};

/* The digest of all bytes of `data`. */
struct sha256 sha256_of(struct span data);

bool sha256_equal(const struct sha256 *a, const struct sha256 *b);

#endif
