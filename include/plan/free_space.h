/*
 * Where a disk with a GPT, or one that is to get one, has room for a partition: what no partition
 * has, no copy of the table, no extent of a dynamic volume and no copy of a volume (I2), and what
 * nobody else claims (I8).
 */
#ifndef SHADOWBOOT_PLAN_FREE_SPACE_H
#define SHADOWBOOT_PLAN_FREE_SPACE_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"

struct free_area {
    uint64_t first_lba;
    uint64_t block_count;
};

struct free_space {
    const struct free_area *areas; /* by place, none empty */
    size_t count;
};

/*
 * The blocks that partitions may have once both copies of the table are written anew, the backup at
 * the end of the disk (gpt_edit_usable): as many entries as it has now, 128 for a new one. False
 * when the disk is too small.
 */
bool free_space_usable(const struct disk *disk, uint64_t *ret_first, uint64_t *ret_last);

/* Finds the free areas of `disk`. Statuses: ST_OK, also when there are none; ST_NO_MEMORY. */
MUST_CHECK enum status free_space_find(struct arena *arena, const struct machine *machine,
                                       size_t disk, struct free_space *ret_space);

/*
 * The smallest area in which `blocks` fit from a multiple of `alignment` on (both in blocks, not
 * 0); of equals the first. `*ret_area` are those blocks. False when there is none.
 */
bool free_space_best(const struct free_space *space, uint64_t blocks, uint64_t alignment,
                     struct free_area *ret_area);

/* The largest area that begins and ends at multiples of `alignment` blocks; of equals the first.
 * False when there is none. */
bool free_space_largest(const struct free_space *space, uint64_t alignment,
                        struct free_area *ret_area);

/* True when any of the blocks belongs to an extent of a dynamic volume or a copy of a volume. */
bool free_space_is_volume(const struct machine *machine, size_t disk, uint64_t first_lba,
                          uint64_t block_count);

#endif
