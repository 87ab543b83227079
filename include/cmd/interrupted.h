/*
 * Changes that a power cut, a crash or a disk that was pulled has interrupted: their journals have
 * no mark. Also what all commands need that take a journal back.
 */
#ifndef SHADOWBOOT_CMD_INTERRUPTED_H
#define SHADOWBOOT_CMD_INTERRUPTED_H

#include <stdbool.h>

#include "apply/journal_store.h"
#include "base/status.h"
#include "cmd/context.h"

/* A journal's lines in the list of all, or its JournalInfo row under -sfo. */
void show_journal(struct context *context, const struct journal_file *file);

/*
 * Says of every interrupted change which it was and what can be done about it, or gives its
 * JournalInfo row under -sfo. Costs nothing where there is no directory of journals; takes no
 * memory for good. For `status`, and for commands that change something, at their beginning.
 */
void note_interrupted(struct context *context);

/*
 * Plans the way back of a journal for the machine that was scanned and carries it out as run_plan
 * does, asking and -n included; then marks the journal as taken back. An undo of the same blocks
 * that was interrupted is over with it. `forced`: also blocks that somebody else may have written, as in
 * struct disk_change. Returns the command's status, reported; ST_IO when all is
 * taken back and could not be marked so. Afterwards context->machine is another one.
 */
MUST_CHECK enum status undo_journal(struct context *context, const struct journal_file *file,
                                    bool forced);

/*
 * For commands that change disks, once the machine is scanned: takes back what earlier changes of
 * disks have left half done, the last one first, and goes on with undoing where an undo was
 * interrupted. Of interrupted changes of variables it says only that there are some: the command
 * makes the same entries again or finds them; but such a journal in the variable is taken back, as the
 * next one may need its place.
 *
 * What cannot be taken back (its blocks were changed since, or its disk is gone) is said, and is no
 * failure; one in the variable whose blocks were changed is left then, as it would keep the place for good. `*ret_again` is true when something was taken back: the machine must be scanned anew.
 * Under -n the first plan is shown, nothing is done, and `*ret_again` is false. Statuses: ST_OK to
 * go on; else, reported, what the command must end with: ST_CANCELLED or ST_REFUSED when the user
 * did not agree, ST_IO, ST_DAMAGED when a disk does not read back what was written, ST_NO_SPACE,
 * ST_READ_ONLY, ST_NO_MEMORY. `*ret_again` is always set.
 */
MUST_CHECK enum status take_back_interrupted(struct context *context, bool *ret_again);

#endif
