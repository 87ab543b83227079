/*
 * Unpacks what other software has packed, for tests against it.
 *
 *   unpack <PIECES >RESULTS
 *
 * A piece: one byte, the kind (0 LZNT1, 1 XPRESS, 2 LZX); four bytes, little-endian, how much it is
 * unpacked; four bytes, how much it is packed; the packed bytes. A result: one byte, the status;
 * with ST_OK four bytes, how much was packed, and all the unpacked bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "format/unpack/unpack.h"
#include "host/host_alloc.h"

#define PIECE_MAX (1u << 20)

static enum status unpack(uint8_t kind, struct unpack_tables *tables, struct span packed,
                          uint8_t *unpacked, size_t size, size_t *ret_size)
{
    *ret_size = size;
    switch (kind) {
    case 0:
        return unpack_lznt1(packed, unpacked, size, ret_size);
    case 1:
        return unpack_xpress(tables, packed, unpacked, size);
    default:
        return unpack_lzx(tables, packed, unpacked, size);
    }
}

/* In blocks of just their size, where the sanitizer sees a byte too far. */
static void unpack_piece(struct unpack_tables *tables, const uint8_t *head)
{
    size_t size = ld_le32(head + 1);
    size_t packed_size = ld_le32(head + 5);
    size_t there = 0;
    uint8_t count[4];

    if (size > PIECE_MAX || packed_size > PIECE_MAX)
        host_fail("unpack: a piece is too large");
    uint8_t *packed = host_alloc(packed_size, 1);
    uint8_t *unpacked = host_alloc(size, 1);
    if (fread(packed, 1, packed_size, stdin) != packed_size)
        host_fail("unpack: a piece is cut off");
    enum status status =
        unpack(head[0], tables, span_of(packed, packed_size), unpacked, size, &there);
    putchar(status);
    if (status == ST_OK) {
        st_le32(count, (uint32_t)there);
        fwrite(count, 1, sizeof count, stdout);
        fwrite(unpacked, 1, size, stdout);
    }
    free(packed);
    free(unpacked);
}

int main(void)
{
    static uint8_t memory[32 * 1024];
    struct arena arena;
    uint8_t head[9];

    arena_init(&arena, memory, sizeof memory);
    struct unpack_tables *tables = unpack_tables_new(&arena);
    if (tables == NULL)
        host_fail("unpack: no memory");
    while (fread(head, 1, sizeof head, stdin) == sizeof head)
        unpack_piece(tables, head);
    return 0;
}
