/*
 * A disk in memory. Only pages that were written take memory, so a disk of many gigabytes costs
 * nothing; everything else reads as zeros.
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
void mem_block_free(struct mem_block *disk);

/* The port, valid as long as the disk. Later changes of the flags below need a new port. */
struct block_port mem_block_port(struct mem_block *disk);

/* Writes or reads bytes at byte `offset`, past the port and its faults. All inside the disk. */
void mem_block_write(struct mem_block *disk, uint64_t offset, const void *data, size_t size);
void mem_block_peek(const struct mem_block *disk, uint64_t offset, void *ret_data, size_t size);

/* From now on reads that touch one of the `count` blocks from `lba` fail. At most 16 such runs. */
void mem_block_spoil(struct mem_block *disk, uint64_t lba, uint64_t count);

/* The disk is gone (all reads fail), or back. */
void mem_block_set_gone(struct mem_block *disk, bool gone);

void mem_block_set_read_only(struct mem_block *disk, bool read_only);
void mem_block_set_removable(struct mem_block *disk, bool removable);

/* Bytes of memory that hold the disk's content. */
uint64_t mem_block_footprint(const struct mem_block *disk);

#endif
