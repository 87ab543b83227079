/* Blocks that a journal has kept, on their way back. */
#ifndef SHADOWBOOT_APPLY_DISK_RESTORE_H
#define SHADOWBOOT_APPLY_DISK_RESTORE_H

#include "apply/disk_work.h"
#include "base/status.h"
#include "format/disk_edit.h"

/*
 * Works out a change of kind DISK_CHANGE_RESTORE: the steps that were begun, the last one first,
 * each a phase of its own. Every block has to hold what the journal says was there before or
 * afterwards, and what the old content relies on has to be there still. Statuses: ST_OK;
 * ST_CHANGED; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status disk_restore_work_out(struct disk_work *work);

/*
 * True when every block that `journal` has of the work's disk holds what was there before or after a step: then
 * nobody else has written to them, and they can be brought back.
 */
bool disk_restore_is_possible(const struct disk_work *work, const struct journal *journal);

/*
 * The old content that is to come back to the blocks of a file of such a change; until the next call, in
 * work->buffer or elsewhere. Statuses: ST_OK; those of journal_old.
 */
MUST_CHECK enum status disk_restore_content(const struct disk_work *work,
                                            const struct disk_file *file, struct span *ret_content);

#endif
