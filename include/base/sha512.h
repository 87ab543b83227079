/* SHA-512 and SHA-384 (FIPS 180-4): digests by which Secure Boot's lists may know certificates. */
#ifndef SHADOWBOOT_BASE_SHA512_H
#define SHADOWBOOT_BASE_SHA512_H

#include <stdint.h>

#include "base/bytes.h"

#define SHA384_SIZE 48u
#define SHA512_SIZE 64u

struct sha512 {
    uint8_t bytes[SHA512_SIZE]; /* SHA-384 has zeros behind its own */
};

/* The digest of all bytes of `data`. */
struct sha512 sha512_of(struct span data);
struct sha512 sha384_of(struct span data);

#endif
