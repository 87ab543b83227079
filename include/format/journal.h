/*
 * The journal of one change: everything needed to take it back, in a file of its own.
 * Little-endian.
 *
 *    0  8  "SBJOURN2"
 *    8  4  bytes of header, disks and records together
 *   12  4  number of records
 *   16  7  date: year (2), month, day, hour, minute, second
 *   23  1  1 if it took an earlier change back, else 0
 *   24  4  bytes of the command text
 *   28  4  CRC-32 of all these bytes, this field 0
 *   32  4  number of disks
 *   36  4  0
 *   40  -  command text, UTF-8, for people
 *    -  -  disks, each:
 *           0 16  disk GUID before, zero for none    16 16  disk GUID afterwards
 *          32  8  blocks                             40  4  bytes of a block
 *          44  4  bytes of the device path           48  -  device path, end node included
 *    -  -  records, each begins with 4 bytes, its kind: 1, 2 or 3
 *          1, a variable:
 *           4  4  flags: 1 = was there before, 2 = is there afterwards
 *           8  4  attributes before    12  4  bytes before
 *          16  4  attributes after     20  4  bytes after
 *          24 64  name, ASCII, NUL-padded
 *          88  -  content before, then content after
 *          2, blocks:
 *           4  4  flags: 1 = all zero before (no content follows), 2 = digests of the new content
 *                 follow, 4 = content before is told by what differs from the new one
 *           8  4  number of the disk           12  4  step, below JOURNAL_STEPS_MAX
 *          16  8  LBA                          24  4  blocks
 *          28  4  flag 4: bytes of the differences; else 0
 *          32  -  content before, then a digest of JOURNAL_DIGEST_SIZE bytes for each new block;
 *                 flag 4: the differences, then the same digests of all blocks before, then of the
 *                 new ones. A difference is the bytes that are equal before it (2), its own length
 *                 (2) in 14 bits, and how it is told in the two above: 0 = the bytes as they were
 *                 follow, 1 = they were zero, 2 and 3 = numbers of 2 or 4 bytes that count up by one,
 *                 as the chain of a file in a FAT does, of which the first follows
 *          3, blocks that must be as they are for the rest to come back:
 *           4  4  0
 *           8  4  number of the disk           12  4  blocks
 *          16  8  LBA
 *          24 32  SHA-256 of their content
 *    -  8  behind the records: marks, of which the last counts. "SBDONE__" when all was carried out,
 *          "SBUNDO__" before it is taken back, "SBUNDONE" when that is done, "SBLEFT__" when it was
 *          given up
 *
 * The whole file is on the medium before the first change; a mark is appended when the work is
 * over. A file without a mark is of a change that was interrupted. One that is being taken back needs
 * no journal of that: every block holds what it held before the change or after it, and the way back
 * is gone on with from wherever it was left.
 *
 * Records stand in the order in which they are carried out. Blocks of one step may have reached the
 * disk in any part and order when power was cut; those of an earlier step are all there. Going back
 * goes from the last step to the first in the same way.
 */
#ifndef SHADOWBOOT_FORMAT_JOURNAL_H
#define SHADOWBOOT_FORMAT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/date.h"
#include "base/guid.h"
#include "base/sha256.h"
#include "base/status.h"

#define JOURNAL_MARK_SIZE 8u
#define JOURNAL_NAME_SIZE 64 /* bytes of a variable's name with its NUL */

#define JOURNAL_DIGEST_SIZE 8u
#define JOURNAL_STEPS_MAX   4096u /* a change of all disks of a machine takes some hundred */

#define JOURNAL_OLD_MOST (1u << 20) /* bytes of old content in one record */

#define JOURNAL_HEAD_SIZE 12u /* bytes of a file's beginning that journal_is_closed needs */

enum journal_state {
    JOURNAL_PENDING, /* no mark: interrupted, or still running */
    JOURNAL_DONE,
    JOURNAL_UNDOING, /* it is being taken back, or that was interrupted */
    JOURNAL_UNDONE,
    JOURNAL_LEFT, /* it can neither be finished nor taken back, and something else was done since */
};

/* A disk whose blocks are written. */
struct journal_disk {
    struct guid guid_before; /* zero when it had no GPT */
    struct guid guid_after;
    uint64_t block_count;
    uint32_t block_size; /* bytes: a power of two, 512 to 65536 */
    struct span path;    /* device path, end node included */
};

enum journal_kind {
    JOURNAL_VARIABLE = 1,
    JOURNAL_BLOCKS = 2,
    JOURNAL_RELIED = 3, /* not written, but what comes back leads there: the old content of a file
                         * whose clusters were set free */
};

struct journal_record {
    enum journal_kind kind;
    /* Blocks. */
    size_t disk;
    uint32_t step;
    uint64_t lba;
    uint32_t block_count;
    bool old_is_zero; /* old_data is empty, and stands for zeros */
    struct span
        differences; /* parsed, where old_data is not given: how it differs from the new content */
    struct span old_digests; /* of each block before, where there are differences */
    struct span new_digests; /* the first JOURNAL_DIGEST_SIZE bytes of SHA-256 of each new block;
                              * empty when the new content was not known beforehand */
    struct sha256 digest;    /* JOURNAL_RELIED */
    /* Variables; old_data of blocks too. */
    char name[JOURNAL_NAME_SIZE];
    bool old_present;
    uint32_t old_attributes;
    struct span old_data; /* of blocks that were read from a file: empty, journal_old gives it */
    uint64_t old_at;      /* where it lies in the file, */
    uint32_t old_crc;     /* and its CRC-32 when that was found whole */
    bool new_present;
    uint32_t new_attributes;
    struct span new_data; /* of blocks: to be built only, and where it is known beforehand */
};

/* Where the bytes of a journal's file are. */
struct journal_source {
    struct span bytes; /* all of them; `at` NULL: they are read */
    uint64_t size;     /* bytes of the file, marks included */
    void *ctx;

    /* Reads `size` bytes from byte `offset` on. Statuses: ST_OK, when all are there; any other. */
    enum status (*read)(void *ctx, uint64_t offset, void *ret_data, size_t size);
};

struct journal {
    struct date_time date;
    bool is_undo;        /* the change took another one back */
    const char *command; /* UTF-8, untrusted when parsed */
    struct journal_disk *disks;
    size_t disk_count;
    struct journal_record *records;
    size_t count;
    enum journal_state state;            /* not looked at by journal_build */
    const struct journal_source *source; /* of one that was read */
};

/* Bytes of the file that journal_build makes. */
uint64_t journal_size(const struct journal *journal);

/* The file's bytes without a mark, in the arena. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status journal_build(struct arena *arena, const struct journal *journal,
                                     struct span *ret_file);

/*
 * The same, with the old content of blocks told by differences wherever the new content is known:
 * some hundred bytes for what is changed in a boot store. Statuses: ST_OK; ST_NO_SPACE when it would
 * be longer than `most`; ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_build_small(struct arena *arena, const struct journal *journal,
                                           size_t most, struct span *ret_file);

/*
 * The old content of block number `block` of a record with differences, from what the block holds
 * now: its new content, or the old one. `block_size` bytes go to `ret_old`. False, and nothing is
 * put there, when it is neither.
 */
bool journal_old_block(const struct journal_record *record, uint32_t block, struct span now,
                       uint8_t *ret_old);

/*
 * Takes a file apart, from start to end; `source` must outlive the journal. The old content of blocks
 * stays where it is. Statuses: ST_OK; ST_DAMAGED when it is cut short, its CRC is wrong, a record
 * leads outside the file or its disk, or a field has a value that journal_build does not write;
 * ST_UNSUPPORTED when another digit stands in the place of the 2: it is in another version of this
 * format; those of source->read; ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_read(struct arena *arena, const struct journal_source *source,
                                    struct journal *ret_journal);

/* The same without reading old content, so that no CRC tells whether it is damaged: for what need
 * not be known for sure. */
MUST_CHECK enum status journal_read_heads(struct arena *arena, const struct journal_source *source,
                                          struct journal *ret_journal);

/* journal_read of a file in memory; spans point into `file`. Statuses as journal_read. */
MUST_CHECK enum status journal_parse(struct arena *arena, struct span file,
                                     struct journal *ret_journal);

/*
 * The old content of `count` blocks from block `first` of a record on, to `ret_old`; of such without
 * differences, or with old_data. Statuses: ST_OK; ST_IO, also when a whole record is not what
 * journal_read has found; others of source->read.
 */
MUST_CHECK enum status journal_old(const struct journal *journal,
                                   const struct journal_record *record, uint32_t first,
                                   uint32_t count, uint8_t *ret_old);

/*
 * True when a file is known to have a mark of work that is over, without all of it being read: `head` is its first
 * JOURNAL_HEAD_SIZE bytes, `end` its last JOURNAL_MARK_SIZE. False is for a mark that another,
 * torn one stands behind, too: journal_parse has the last word.
 */
bool journal_is_closed(struct span head, struct span end, uint64_t file_size);

/* True when its change was interrupted, or the taking back of it. */
bool journal_is_interrupted(const struct journal *journal);

/* The number of the disk with that device path; disk_count when it has none. */
size_t journal_find_disk(const struct journal *journal, struct span path);

/* True when it changes blocks of a disk. */
bool journal_has_blocks(const struct journal *journal);

/* The digest of one block's content that a record keeps. */
void journal_digest(struct span block, uint8_t ret_digest[JOURNAL_DIGEST_SIZE]);

/* The mark (JOURNAL_MARK_SIZE bytes) of a state other than JOURNAL_PENDING. */
struct span journal_mark(enum journal_state state);

#endif
