/*
 * A disk change of a plan, worked out in blocks and carried out. In this sequence:
 *
 *     disk_work_begin     reads what is there and refuses what does not do; nothing is written
 *
 *     disk_work_records   the old content of every block that is in use, or that a new file
 *                         system covers, for the journal
 *
 *     disk_work_run       phase by phase: write, read back and compare, flush
 *
 *     disk_work_revert    the phases that were begun, backwards, from the records
 *
 * Content of files is what the scan keeps of it in memory (model/contents.h): the bytes that were
 * read, compared and judged when the plan was made, so there is nothing to read or to digest again.
 * Where they are not kept it streams from its source through one buffer, and has to have the digest
 * that the scan found, on an ESP whose list of files is what it was. What is written lies inside the
 * change's partition, or in the places of the partition table (I2); sources are only read (I3).
 */
#ifndef SHADOWBOOT_APPLY_DISK_WORK_H
#define SHADOWBOOT_APPLY_DISK_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "format/disk_edit.h"
#include "format/journal.h"
#include "model/machine.h"
#include "plan/disk_change.h"
#include "port/ports.h"

#define DISK_WORK_BUFFER (1u << 20)  /* bytes of the largest single read or write */
#define DISK_WORK_SECTOR 4096u       /* bytes of the largest sector of a FAT file system */
#define DISK_WORK_STAGE  (64u << 10) /* bytes read from a source to be taken in parts */
/* What is written (and a sector that is read too much), what is read back, what is read ahead. */
#define DISK_WORK_MEMORY (3 * DISK_WORK_BUFFER + DISK_WORK_SECTOR + DISK_WORK_STAGE)

/* Called between pieces. True to stop: what was written is taken back then. */
typedef bool disk_work_progress(void *ctx, uint64_t done, uint64_t total);

struct disk_source; /* of apply/disk_source.h */

struct disk_work {
    const struct ports *ports;
    const struct machine *machine;
    const struct disk_change *change;
    const struct block_port *port;
    struct arena *arena;
    struct disk_edit edit;
    struct disk_source *sources; /* ESPs that content is read from, and the one that is changed */
    size_t source_count;
    const struct span *contents; /* by item: content that was read beforehand; NULL: none was */
    uint32_t unit;               /* bytes in which files are laid out: a cluster */
    uint64_t bytes;              /* that run writes */
    uint8_t *buffer;             /* of DISK_WORK_MEMORY bytes */
    uint32_t first_step;         /* of its own, in the journal */
    unsigned begun;              /* phases of which something may be on the disk */
    const char *where;           /* what a failure is about: a file's path, or "" */
};

/*
 * Works the change out. All that `*ret_work` points to lies in `arena`; machine, change, ports and
 * `buffer` (DISK_WORK_MEMORY bytes, which works may share) must outlive it. `ret_work->where` is
 * set in any case. Statuses: ST_OK, with no bytes to write when all is there already; ST_CHANGED
 * when the disk, its table, a file system or the file list of a source is not what the scan found;
 * ST_READ_ONLY; ST_NO_SPACE; ST_REFUSED, ST_UNSUPPORTED, ST_USAGE, ST_EXISTS as gpt_edit,
 * fat_layout and fat_edit; ST_DAMAGED and ST_IO when content cannot be read that is to be kept;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status disk_work_begin(struct arena *arena, const struct ports *ports,
                                       const struct machine *machine,
                                       const struct disk_change *change, uint8_t *buffer,
                                       struct disk_work *ret_work);

/* The content of an item where the scan keeps its bytes, so that its source is not looked at; NULL
 * for others. */
const struct file_content *disk_work_kept(const struct disk_work *work,
                                          const struct file_copy *item);

/* Blocks of one extent of a file, up to the end of its last cluster: what is behind the file there
 * is zeroed. */
uint64_t disk_work_extent_blocks(const struct disk_work *work, const struct disk_extent *extent);

/* How many records disk_work_records makes at most. */
size_t disk_work_record_room(const struct disk_work *work);

/*
 * Reads the old content of what will be overwritten and is not free space into records for the
 * journal, from `journal->records[journal->count]` on, where there is room; `*io_step` is the
 * number of the next step. Adds its disk to `journal->disks`, if it is not there, where there is
 * room for one more. Statuses: ST_OK; ST_IO; ST_CHANGED; ST_NO_MEMORY.
 */
MUST_CHECK enum status disk_work_records(struct disk_work *work, struct journal *journal,
                                         uint32_t *io_step);

/*
 * Carries it out. Nobody else may use the disk meanwhile. Statuses: ST_OK; ST_CANCELLED when
 * `progress` said so; ST_CHANGED when a source is not what it was; ST_IO, ST_READ_ONLY; ST_DAMAGED
 * when what is read back differs; ST_NO_MEMORY when the sources cannot be looked at once more.
 * `work->begun` tells disk_work_revert what to take back.
 */
MUST_CHECK enum status disk_work_run(struct disk_work *work, disk_work_progress *progress,
                                     void *progress_ctx);

/* Takes back what run has begun, and checks it. False when something could not be brought back. */
MUST_CHECK bool disk_work_revert(struct disk_work *work, const struct journal *journal);

#endif
