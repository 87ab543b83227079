/*
 * Attributes of NTFS as runs of bytes, wherever the pieces of them stand: in the record, in
 * clusters of the volume, and described by several records of one file.
 *
 *   $ATTRIBUTE_LIST: every attribute of the file, in order of type, name and cluster
 *   00  4  type                                   08  8  first cluster (VCN) of this part
 *   04  2  bytes of this entry, a multiple of 8   10  8  reference to the record that has it
 *   06  1  characters of the name                 1A     name
 *   07  1  offset of the name
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_STREAM_H
#define SHADOWBOOT_FORMAT_NTFS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "format/ntfs/ntfs.h"
#include "format/ntfs/ntfs_record.h"

struct ntfs_run {
    uint64_t first_vcn;
    uint64_t clusters;
    uint64_t lcn;
    bool hole;
    struct ntfs_run *next; /* the run behind this one in the file */
};

struct ntfs_stream {
    bool resident;
    struct span value;     /* resident: in one of the volume's record buffers */
    uint64_t size;         /* bytes */
    uint64_t initialised;  /* bytes, <= size; what lies behind reads as zero */
    uint16_t flags;        /* of the attribute */
    uint8_t unit_shift;    /* likewise */
    uint64_t clusters;     /* mapped by `runs`, holes included */
    struct ntfs_run *runs; /* in order, without a gap, in the volume's arena */
    struct ntfs_run *last;
};

/*
 * Reads file record `number` into `buffer` (record_size bytes, one of the volume's), where
 * `*ret_record` points. A copy in $MFTMirr stands in for a bad one. Statuses: ST_OK; ST_DAMAGED;
 * ST_IO and others of the port.
 */
MUST_CHECK enum status ntfs_record_load(struct ntfs_volume *volume, uint64_t number,
                                        uint8_t *buffer, struct ntfs_record *ret_record);

/*
 * The same for the base record of a file in volume->base, by a reference to it. ST_DAMAGED also
 * when it is not in use, of another sequence number or not a base record.
 */
MUST_CHECK enum status ntfs_file_load(struct ntfs_volume *volume, uint64_t reference,
                                      struct ntfs_record *ret_record);

/*
 * The first part of an attribute of a file, with its sizes and flags. Valid, as is every record in
 * volume->extension, until the next call with a record. Statuses: ST_OK; ST_ABSENT; ST_DAMAGED;
 * ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_attribute_head(struct ntfs_volume *volume,
                                           const struct ntfs_record *base,
                                           const struct ntfs_key *key,
                                           struct ntfs_attribute *ret_attribute);

/*
 * All of an attribute, into `*stream`, which is empty (all zero) before and undefined on failure.
 * While it is being built it can be read as far as it is. Statuses as above.
 */
MUST_CHECK enum status ntfs_stream_open(struct ntfs_volume *volume, const struct ntfs_record *base,
                                        const struct ntfs_key *key, struct ntfs_stream *stream);

/* Copies a value in a record out of the way of the next record. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status ntfs_stream_keep(struct ntfs_volume *volume, struct ntfs_stream *stream);

/*
 * The clusters of `stream` without its holes, one behind the other, into `*ret_stored`. Statuses:
 * ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_stream_stored(struct ntfs_volume *volume,
                                          const struct ntfs_stream *stream,
                                          struct ntfs_stream *ret_stored);

/*
 * Reads `size` bytes from byte `offset`. On failure the content of `ret_data` is undefined.
 * Statuses: ST_OK; ST_DAMAGED when they are not all inside the stream, or runs lead outside of the
 * volume; those of the port.
 */
MUST_CHECK enum status ntfs_stream_read(struct ntfs_volume *volume,
                                        const struct ntfs_stream *stream, uint64_t offset,
                                        void *ret_data, size_t size);

#endif
