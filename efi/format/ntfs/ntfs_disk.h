/*
 * The bytes of an NTFS volume, read block by block and kept in part: records and index blocks of a
 * few KiB are asked for again and again, and blocks next to them soon after.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_DISK_H
#define SHADOWBOOT_FORMAT_NTFS_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "format/ntfs/ntfs.h"

/*
 * Prepares `volume`, in which port, place and arena are set. Statuses: ST_OK; ST_UNSUPPORTED past
 * byte 2^63; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_disk_init(struct ntfs_volume *volume);

/* Bytes of the whole place, a multiple of the disk's block. */
uint64_t ntfs_disk_bytes(const struct ntfs_volume *volume);

/*
 * Reads `size` bytes from byte `offset` of the volume. On failure the content of `ret_data` is
 * undefined. Statuses: ST_OK; ST_DAMAGED when they are not all inside the volume; those of the
 * port.
 */
MUST_CHECK enum status ntfs_disk_read(struct ntfs_volume *volume, uint64_t offset, void *ret_data,
                                      size_t size);

#endif
