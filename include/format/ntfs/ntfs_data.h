/*
 * The content of a file on an NTFS volume, read from any place on:
 *
 *     size_t mark = arena_mark(volume.arena);
 *     status = ntfs_lookup(&volume, "\\Windows\\Boot\\EFI\\bootmgfw.efi", &file);
 *     status = ntfs_data_open(&volume, &file, &data);
 *     while (... offset < data.size ...)
 *         status = ntfs_data_read(&data, offset, buffer, buffer_size, &got);
 *     arena_release(volume.arena, mark);
 *
 * Several may be open at once. Between two reads of one the volume may be used for anything else.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_DATA_H
#define SHADOWBOOT_FORMAT_NTFS_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "format/ntfs/ntfs.h"

struct ntfs_packed;
struct ntfs_stream;

struct ntfs_data {
    uint64_t size; /* bytes of the content */
    /* private, in the volume's arena */
    struct ntfs_volume *volume;
    struct ntfs_stream *stream;
    struct ntfs_packed *packed; /* NULL when it is kept as it is */
};

/*
 * Opens the unnamed data of a file, in whatever form it is kept; a file without any is empty. What
 * it takes of the volume's arena stays taken: 48 bytes for each fragment, and up to 400 KiB where
 * it is compressed. The arena is as full as before on failure. Statuses: ST_OK; ST_UNSUPPORTED:
 * `file->form` is one that is not read (ntfs_form_is_read); ST_DAMAGED: its record is not sound, is
 * of another file by now, or contradicts itself; ST_ABSENT: it is a folder; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_data_open(struct ntfs_volume *volume, const struct ntfs_file *file,
                                      struct ntfs_data *ret_data);

/*
 * Reads up to `size` bytes from byte `offset` of the content; holes and what lies behind the
 * initialised part read as zero. `*ret_size` is less than `size` only at the end, 0 from there on.
 * Each fragment is one read of the disk, up to 1 GiB, straight to `ret_data`: 256 KiB or more at a
 * time make large reads. Of a compressed file 256 KiB of packed bytes are read at once, as far as
 * `size` asks for them, and kept for the next call. On failure the content of `ret_data` is undefined. Statuses: ST_OK;
 * ST_DAMAGED: runs lead outside of the volume, or what is compressed cannot be unpacked to exactly
 * what was packed; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_data_read(const struct ntfs_data *data, uint64_t offset, void *ret_data,
                                      size_t size, size_t *ret_size);

#endif
