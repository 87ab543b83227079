/* What the way back of earlier changes still needs of blocks that no file has now. */
#ifndef SHADOWBOOT_APPLY_JOURNAL_CLAIMS_H
#define SHADOWBOOT_APPLY_JOURNAL_CLAIMS_H

#include "base/arena.h"
#include "base/status.h"
#include "disk_batch.h"
#include "port/ports.h"

/*
 * Marks writes of free space as such that have to be journaled, where a journal of a change that stands says what
 * the blocks held, or relies on it; a file system that such a change has made has no free space at all. Takes no
 * memory for good. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_claims_mark(struct arena *arena, const struct ports *ports,
                                           struct disk_batch *io_batch);

#endif
