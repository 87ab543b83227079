#include "unit/bytes_fixture.h"

#include <stdlib.h>

#include "host/host_alloc.h"

struct span fixture_exact(const void *data, size_t size)
{
    return span_of(host_copy(data, size), size);
}

void fixture_drop(struct span copy)
{
    free((uint8_t *)(uintptr_t)copy.at);
}

struct arena fixture_scratch_of(size_t size)
{
    static uint8_t memory[FIXTURE_SCRATCH];
    struct arena arena;

    if (size > sizeof(memory))
        host_fail("an arena that is too large for the fixture");
    arena_init(&arena, memory, size);
    return arena;
}

struct arena fixture_scratch(void)
{
    return fixture_scratch_of(FIXTURE_SCRATCH);
}

void fixture_store_le(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

uint32_t fixture_crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}
