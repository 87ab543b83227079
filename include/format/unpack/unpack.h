/*
 * Data that Windows keeps compressed, unpacked: one piece at a time, each by itself. What does not
 * unpack to what it is to be is refused; no byte outside of the two buffers is read or written.
 *
 *     unpack_lznt1    NTFS compression: [MS-XCA] 2.5
 *     unpack_xpress   XPRESS with Huffman codes: [MS-XCA] 2.1 and 2.2
 *     unpack_lzx      LZX: [MS-PATCH] 2, as it stands in WIM images and behind WOF: a window as
 *                     large as the piece, a bit instead of the size of a block of 32768 bytes, and
 *                     call instructions always translated, for a file of 12,000,000 bytes
 */
#ifndef SHADOWBOOT_FORMAT_UNPACK_H
#define SHADOWBOOT_FORMAT_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

#define UNPACK_XPRESS_MAX 65536u /* bytes of a piece, unpacked */
#define UNPACK_LZX_MAX    32768u

struct unpack_tables; /* what XPRESS and LZX keep while they unpack one piece */

/* Some 14 KiB, for one piece after the other. NULL when the arena has no room. */
struct unpack_tables *unpack_tables_new(struct arena *arena);

/*
 * Unpacks `packed`, up to a chunk header of zero or its end, to the `size` bytes at `ret_data`, the
 * last of which are zero where that is less. `*ret_size` is how much it is; what `packed` holds
 * beyond `size` is not looked at. On failure the content of `ret_data` is undefined. Statuses:
 * ST_OK; ST_DAMAGED.
 */
MUST_CHECK enum status unpack_lznt1(struct span packed, uint8_t *ret_data, size_t size,
                                    size_t *ret_size);

/*
 * Both unpack exactly `size` bytes (at most the maximum above) to `ret_data`; what `packed` holds
 * beyond that is not looked at. On failure the content of `ret_data` is undefined. Statuses: ST_OK;
 * ST_DAMAGED, also when `packed` ends before.
 */
MUST_CHECK enum status unpack_xpress(struct unpack_tables *tables, struct span packed,
                                     uint8_t *ret_data, size_t size);
MUST_CHECK enum status unpack_lzx(struct unpack_tables *tables, struct span packed,
                                  uint8_t *ret_data, size_t size);

#endif
