/*
 * An ESP, or what a copy of Windows keeps for one, that content of files comes from while a disk is
 * changed. It is only read (I3), and has to
 * be what the scan found: its list of files before the first write and after the last read, and the
 * content of each file whose digest is known.
 */
#ifndef SHADOWBOOT_APPLY_DISK_SOURCE_H
#define SHADOWBOOT_APPLY_DISK_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/sha256.h"
#include "base/status.h"
#include "format/ntfs/ntfs_data.h"
#include "model/machine.h"
#include "plan/disk_change.h"
#include "port/ports.h"

struct disk_source {
    size_t esp; /* index into machine.esps */
    struct fat_volume volume;
    struct fat_report report;
    const struct ntfs_file
        *kept; /* by file: of what a copy of Windows keeps, on `ntfs`; else NULL */
    struct ntfs_volume ntfs;
};

/* The disk that the source is read from. */
const struct block_port **disk_source_port(struct disk_source *source);

/*
 * Opens the ESP anew and compares it with what the scan found. Statuses: ST_OK; ST_CHANGED; ST_IO;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status disk_source_open(struct arena *arena, const struct ports *ports,
                                        const struct machine *machine, size_t esp,
                                        struct disk_source *ret_source);

/* The one of that ESP, NULL when there is none. */
struct disk_source *disk_source_find(struct disk_source *sources, size_t count, size_t esp);

/*
 * Looks once more whether the files that are taken from it are what they were; others may have come
 * or gone, such as a journal that was put there. What that takes of the arena is given back.
 * Statuses as disk_source_open.
 */
MUST_CHECK enum status disk_source_check(struct arena *arena, const struct ports *ports,
                                         const struct machine *machine,
                                         const struct disk_source *source,
                                         const struct files_change *files);

/* One file's content, from start to end. */
struct disk_stream {
    struct fat_reader reader;
    struct ntfs_data data; /* in the place of the reader where a copy of Windows keeps it */
    uint64_t at;           /* the next byte of it */
    size_t mark;           /* of its volume's arena, which is given back at the end */
    bool is_kept;
    struct span ready; /* bytes that were read and not taken yet */
    uint8_t *stage;    /* memory of `stage_size` bytes, a multiple of any sector */
    size_t stage_size;
    bool is_memory;  /* `ready` is all there is */
    bool has_digest; /* the scan has read it: it must be the same still */
    struct sha256 expected;
    struct sha256_state digest;
};

/* Starts with the file number `file` of the source's report; `content` is what the scan knows of
 * it. Until disk_stream_end nothing else is taken of the arena. Statuses: ST_OK; those of
 * ntfs_data_open. */
MUST_CHECK enum status disk_stream_start(struct disk_stream *stream, struct disk_source *source,
                                         size_t file, const struct file_content *content,
                                         uint8_t *stage, size_t stage_size);

/* Starts with content that is in memory already. */
void disk_stream_start_memory(struct disk_stream *stream, struct span content);

/*
 * The next `size` bytes to `ret_data`, which has room for a sector (4096 bytes at most) more.
 * Statuses: ST_OK; ST_CHANGED when there are fewer; ST_IO, ST_DAMAGED, ST_NO_MEMORY as
 * fat_reader_next.
 */
MUST_CHECK enum status disk_stream_take(struct disk_stream *stream, uint8_t *ret_data, size_t size);

/* After the last byte. Statuses: ST_OK; ST_CHANGED when the content is not what the scan found. */
MUST_CHECK enum status disk_stream_end(struct disk_stream *stream);

#endif
