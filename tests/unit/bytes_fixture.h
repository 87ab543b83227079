/* Bytes for tests: copies of just their size, numbers in little-endian order, memory to parse
 * in. */
#ifndef SHADOWBOOT_UNIT_BYTES_FIXTURE_H
#define SHADOWBOOT_UNIT_BYTES_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"

/* A copy in a block of just this size, so that the sanitizer sees a byte read too much. */
struct span fixture_exact(const void *data, size_t size);

/* Frees such a copy. */
void fixture_drop(struct span copy);

#define FIXTURE_SCRATCH (1u << 20)

/* An empty arena of `size` bytes, at most FIXTURE_SCRATCH: in the same memory at every call. */
struct arena fixture_scratch_of(size_t size);

/* The same with FIXTURE_SCRATCH bytes. */
struct arena fixture_scratch(void);

/* Stores the `size` low bytes of `value`. */
void fixture_store_le(uint8_t *at, uint64_t value, size_t size);

/* CRC-32 one bit at a time, straight from its definition. */
uint32_t fixture_crc32(const uint8_t *data, size_t size);

#endif
