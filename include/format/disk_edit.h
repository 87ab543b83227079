/*
 * What a change writes to a disk, worked out in full before the first write: runs of blocks with
 * their new content, and places for the content of files that are copied from elsewhere.
 *
 * The writes stand in phases. Inside a phase order does not matter: any subset of its blocks may
 * reach the disk before power is cut, and what was there before the phase still works. Between two
 * phases the disk is flushed. That is all a change's safety rests on: one block is written whole or
 * not at all, and a flushed block stays.
 */
#ifndef SHADOWBOOT_FORMAT_DISK_EDIT_H
#define SHADOWBOOT_FORMAT_DISK_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

/* A run of blocks with new content. */
struct disk_write {
    unsigned phase;   /* 0 first */
    uint64_t lba;     /* of the whole disk */
    struct span data; /* whole blocks, at most DISK_WRITE_MAX bytes */
    bool free_space;  /* nothing that is in use was there: not kept for undo */
};

#define DISK_WRITE_MAX (1u << 20)

/* Blocks in which a piece of a file's content lies. */
struct disk_extent {
    uint64_t lba;
    uint64_t bytes; /* whole blocks, except at the end of the file: its last block is zero-filled */
};

/* A file whose content comes from elsewhere when the change is carried out. */
struct disk_file {
    unsigned phase;
    size_t source; /* the caller's index */
    uint64_t size; /* bytes, not 0: empty files have no content to copy */
    const struct disk_extent *extents;
    size_t extent_count;
    bool free_space; /* as above */
};

struct disk_edit {
    struct disk_write *writes; /* by phase, then by LBA */
    size_t write_count;
    struct disk_file *files; /* by phase, then by LBA of the first extent. In a phase no block is
                              * written twice, by writes and files together */
    size_t file_count;
    const struct disk_extent *freed; /* where content lies that is given up: undo relies on it */
    size_t freed_count;
    unsigned phase_count;
};

/* An edit while it is put together, in any order. What finds no memory makes it fail for good:
 * disk_edit_finish says so. */
struct disk_edit_builder {
    struct arena *arena;
    uint32_t block_size;
    struct disk_write *writes;
    size_t write_count;
    size_t write_capacity;
    struct disk_file *files;
    size_t file_count;
    size_t file_capacity;
    struct disk_extent *freed;
    size_t freed_count;
    size_t freed_capacity;
    struct span zeros; /* what all runs of zeros point to */
    bool failed;
};

/* Starts an empty edit of a disk with blocks of `block_size` bytes. All results lie in `arena`. */
void disk_edit_start(struct disk_edit_builder *builder, struct arena *arena, uint32_t block_size);

/* Adds a write of any number of whole blocks; `data` must outlive the edit. */
void disk_edit_write(struct disk_edit_builder *builder, unsigned phase, uint64_t lba,
                     struct span data, bool free_space);

/* Adds the same for `blocks` blocks of zeros, which take next to no memory, where something is. */
void disk_edit_zero(struct disk_edit_builder *builder, unsigned phase, uint64_t lba,
                    uint64_t blocks);

/* Adds a file; its extents must outlive the edit. */
void disk_edit_file(struct disk_edit_builder *builder, const struct disk_file *file);

/* Notes content that is given up. Neighbours become one. */
void disk_edit_freed(struct disk_edit_builder *builder, uint64_t lba, uint64_t bytes);

/*
 * Puts all in order and makes one write of small ones that are neighbours in a phase. Statuses:
 * ST_OK; ST_REFUSED when a block is written twice in a phase; ST_NO_MEMORY.
 */
MUST_CHECK enum status disk_edit_finish(struct disk_edit_builder *builder, unsigned phase_count,
                                        struct disk_edit *ret_edit);

#endif
