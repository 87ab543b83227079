/* What is put right in a boot store beside the partitions that its devices name. */
#ifndef SHADOWBOOT_PLAN_STORE_MEND_H
#define SHADOWBOOT_PLAN_STORE_MEND_H

#include "store_work.h"

/*
 * Takes out of the store what names objects that it does not have: of lists these names, and the
 * elements that are left empty; a default gives way to what is started in its place. An order for
 * the next start goes whose loader is on another disk or nowhere. A store that its log completes gets
 * a sequence number and a time that the log is older than, so that it cannot be used once more
 * should the next write be cut short as well. `*io_file` becomes the changed
 * store, in the arena, and `work` says what was done; all stays as it is where nothing is to be done
 * or the store is none that can be edited. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status store_mend(struct store_work *work, struct span *io_file);

#endif
