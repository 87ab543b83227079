/*
 * A disk in memory, with a write cache. Only pages that were written take memory, so a disk of many
 * gigabytes costs nothing; everything else reads as zeros.
 *
 * A write through the port is seen by reads at once, but is on the medium only after flush: a power
 * cut leaves of each block one of the contents it had since the last flush, whichever it likes. So
 * writes are lost, kept in part, torn between blocks and put in another order.
 */
#ifndef SHADOWBOOT_HOST_MEM_BLOCK_H
#define SHADOWBOOT_HOST_MEM_BLOCK_H

#include "port/block.h"

struct mem_block;

/*
 * An empty disk of `block_count` blocks of `block_size` bytes (a power of two, 512 to 65536) at the
 * device path `path`, which is copied, as is `model`.
 */
struct mem_block *mem_block_new(uint32_t block_size, uint64_t block_count, struct span path,
                                const char *model);

/* The same disk once more, cheaply: later changes of one are not seen in the other. What is in the
 * cache counts as on the medium; the log is empty. */
struct mem_block *mem_block_clone(struct mem_block *disk);
void mem_block_free(struct mem_block *disk);

/* The port, valid as long as the disk. Later changes of the flags below need a new port. */
struct block_port mem_block_port(struct mem_block *disk);

/*
 * Writes or reads bytes at byte `offset`, past the port and its faults. All inside the disk. Such a
 * write is on the medium at once; it must not touch blocks of which the cache holds any.
 */
void mem_block_write(struct mem_block *disk, uint64_t offset, const void *data, size_t size);
void mem_block_peek(const struct mem_block *disk, uint64_t offset, void *ret_data, size_t size);

/* The first block from `lba` on in which two disks of the same shape differ; UINT64_MAX: none. */
uint64_t mem_block_difference(const struct mem_block *a, const struct mem_block *b, uint64_t lba);

/* A number for what makes `disk` another than `base`, of which it is a clone: 0 when nothing does,
 * the same for the same content. */
uint64_t mem_block_change(const struct mem_block *disk, const struct mem_block *base);

/*
 * From now on reads that touch one of the `count` blocks from `lba` fail. Writes go on as if
 * nothing was, and do not mend it. At most 16 such runs.
 */
void mem_block_spoil(struct mem_block *disk, uint64_t lba, uint64_t count);

/* The disk is gone (all calls fail), or back. */
void mem_block_set_gone(struct mem_block *disk, bool gone);

void mem_block_set_read_only(struct mem_block *disk, bool read_only);
void mem_block_set_removable(struct mem_block *disk, bool removable);

/* Bytes of memory that hold the disk's content, that of clones which it shares included. */
uint64_t mem_block_footprint(const struct mem_block *disk);

/* ---- the log of all that came through the port and was carried out ---- */

struct mem_block_entry {
    bool is_flush;
    uint64_t order; /* grows with every entry of any disk: which came first */
    uint64_t lba;
    uint32_t count;      /* blocks; 0 for a flush */
    const uint8_t *data; /* what was written */
};

size_t mem_block_log_count(const struct mem_block *disk);

/* Valid until the next call on the port. */
const struct mem_block_entry *mem_block_log_at(const struct mem_block *disk, size_t index);

/* How many writes the cache holds: those after the last flush. */
size_t mem_block_unflushed(const struct mem_block *disk);

/* ---- power cuts ---- */

#define MEM_BLOCK_LOSE_ALL 0u /* seeds: nothing of the cache gets onto the medium */
#define MEM_BLOCK_KEEP_ALL 1u /* all of it does */

/* True when block `block` (from 0) of the write at `index` in the log gets onto the medium. */
typedef bool mem_block_keeps(void *ctx, size_t index, uint32_t block);

/*
 * What would be on the medium had the power gone after the first `entries` entries of the log: all
 * up to the last flush among them, and of the blocks written later those for which `keeps` is true;
 * or, in the second form, what `seed` makes of them: the two above, or anything in between. A disk
 * of its own, to be freed; its log is empty.
 */
struct mem_block *mem_block_replay(struct mem_block *disk, size_t entries, mem_block_keeps *keeps,
                                   void *ctx);
struct mem_block *mem_block_replay_seed(struct mem_block *disk, size_t entries, uint64_t seed);

/* The power goes now: the same done to the disk itself. The cache is empty then, and the log
 * too. */
void mem_block_cut(struct mem_block *disk, uint64_t seed);

#endif
