/* SHA-256 (FIPS 180-4): the digest by which an action knows what it is about to replace. */
#ifndef SHADOWBOOT_BASE_SHA256_H
#define SHADOWBOOT_BASE_SHA256_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct sha256 {
    uint8_t bytes[32];
};

/* A digest being made of bytes that come piece by piece. */
struct sha256_state {
    uint32_t words[8];
    uint8_t block[64]; /* bytes not digested yet: the last size % 64 */
    uint64_t size;     /* bytes so far */
};

void sha256_start(struct sha256_state *state);
void sha256_feed(struct sha256_state *state, struct span piece);

/* The digest of all pieces; the state is used up. */
struct sha256 sha256_finish(struct sha256_state *state);

/* The digest of all bytes of `data`. */
struct sha256 sha256_of(struct span data);

bool sha256_equal(const struct sha256 *a, const struct sha256 *b);

#endif
