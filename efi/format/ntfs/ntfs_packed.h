/*
 * Content that is kept compressed, unit by unit.
 *
 *   LZNT1   Units of 16 clusters (a power of two; the attribute says which). One without clusters
 *           is zero; one with all of them is kept as it is; one with some, which come first, is
 *           packed in them.
 *   WOF     The stream "WofCompressedData": for each chunk but the first, where it begins: 4 bytes,
 *           8 where the content has 4 GiB or more, counted from the end of this table; then the
 *           chunks. One that did not get smaller is kept as it is.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_PACKED_H
#define SHADOWBOOT_FORMAT_NTFS_PACKED_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ntfs_stream.h"

struct ntfs_packed;

/* Bytes of a unit of LZNT1 on this volume; 0 where there is no such unit. */
uint32_t ntfs_lznt1_unit(const struct ntfs_volume *volume, uint8_t unit_shift);

/*
 * Prepares reading of a file's compressed content: `size` bytes, of which `data` is the unnamed
 * stream. All lies in the volume's arena. Statuses: ST_OK; ST_DAMAGED; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_packed_open(struct ntfs_volume *volume,
                                        const struct ntfs_record *record, enum ntfs_form form,
                                        const struct ntfs_stream *data,
                                        struct ntfs_packed **ret_packed);

/*
 * Reads `size` bytes from byte `offset`, all inside the content. On failure the content of
 * `ret_data` is undefined. Statuses: ST_OK; ST_DAMAGED; ST_IO and others of the port.
 */
MUST_CHECK enum status ntfs_packed_read(struct ntfs_packed *packed, uint64_t offset,
                                        uint8_t *ret_data, size_t size);

#endif
