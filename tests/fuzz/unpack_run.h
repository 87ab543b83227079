/*
 * What the targets of packed data have in common. An input: two bytes, how much it unpacks to, less
 * one; then the packed bytes.
 */
#ifndef SHADOWBOOT_FUZZ_UNPACK_RUN_H
#define SHADOWBOOT_FUZZ_UNPACK_RUN_H

#include "format/unpack/unpack.h"
#include "fuzz/fuzz.h"

typedef enum status unpack_call(struct unpack_tables *tables, struct span packed, uint8_t *ret_data,
                                size_t size, size_t *ret_size);

/* Unpacks to a block of just the size that is full of `filler`. */
static enum status unpack_over(unpack_call *unpack, struct span packed, uint8_t filler,
                               uint8_t *output, size_t size)
{
    static uint8_t memory[32 * 1024];
    struct arena arena;
    size_t there = size;

    memset(output, filler, size);
    memset(memory, filler, sizeof memory);
    arena_init(&arena, memory, sizeof memory);
    struct unpack_tables *tables = unpack_tables_new(&arena);
    require(tables != NULL);
    enum status status = unpack(tables, packed, output, size, &there);
    require(status == ST_OK || status == ST_DAMAGED);
    require(there <= size);
    return status;
}

/* What comes out depends on nothing that was there before. */
static int unpack_input(unpack_call *unpack, const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t unpacked_size = (size_t)ld_le16(data) + 1;
    uint8_t *packed = exact_copy(data + 2, size - 2);
    uint8_t *first = malloc(unpacked_size);
    uint8_t *second = malloc(unpacked_size);
    struct span input = span_of(packed, size - 2);

    require(first != NULL && second != NULL);
    enum status status = unpack_over(unpack, input, 0xa5, first, unpacked_size);
    require(unpack_over(unpack, input, 0x5a, second, unpacked_size) == status);
    require(status != ST_OK || memcmp(first, second, unpacked_size) == 0);
    free(packed);
    free(first);
    free(second);
    return 0;
}

#endif
