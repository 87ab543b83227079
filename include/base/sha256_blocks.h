/* The heart of SHA-256 (FIPS 180-4, 6.2.2), in the ways that this processor may have. */
#ifndef SHADOWBOOT_BASE_SHA256_BLOCKS_H
#define SHADOWBOOT_BASE_SHA256_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64u /* bytes */

/* The constants of the rounds (4.2.2). */
extern const uint32_t sha256_constants[64];

/* The words that a digest begins with (5.3.3). */
extern const uint32_t sha256_first[8];

/* Takes `count` blocks at `at`, of any alignment, into the eight words of a digest. */
typedef void sha256_blocks(uint32_t words[8], const uint8_t *at, size_t count);

/* In the language's own arithmetic: on every processor. */
void sha256_blocks_plain(uint32_t words[8], const uint8_t *at, size_t count);

/* By the processor's own instructions for it, NULL where it has none, or this program does not know
 * them. */
sha256_blocks *sha256_blocks_of_processor(void);

/* `own` where it makes the published digest of a published text, else the plain way. NULL: there is
 * no other. */
sha256_blocks *sha256_blocks_choose(sha256_blocks *own);

#endif
