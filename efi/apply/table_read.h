/* The partition table of a disk as it is now, which must be the one that the scan went by. */
#ifndef SHADOWBOOT_APPLY_TABLE_READ_H
#define SHADOWBOOT_APPLY_TABLE_READ_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "port/block.h"

/* Reads blocks into new memory of `arena`. Statuses: ST_OK; ST_IO; ST_NO_MEMORY. */
MUST_CHECK enum status table_read_blocks(struct arena *arena, const struct block_port *port,
                                         uint64_t lba, uint64_t count, uint8_t **ret_bytes);

/*
 * Reads the header of `copy` (a copy of the scan's; NULL: it had no good one). Statuses: ST_OK;
 * ST_CHANGED when it is not what it was, or there was none; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status table_read_header(struct arena *arena, const struct block_port *port,
                                         const struct gpt_copy *copy,
                                         struct gpt_header *ret_header);

/* The same with the array of entries, in `arena`. */
MUST_CHECK enum status table_read(struct arena *arena, const struct block_port *port,
                                  const struct gpt_copy *copy, struct gpt_header *ret_header,
                                  uint8_t **ret_array);

#endif
