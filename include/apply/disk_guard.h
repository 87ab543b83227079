/*
 * The last look before a disk is written (I8): what the scan found nobody's mark in, somebody may
 * have taken since.
 */
#ifndef SHADOWBOOT_APPLY_DISK_GUARD_H
#define SHADOWBOOT_APPLY_DISK_GUARD_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "plan/disk_change.h"
#include "port/ports.h"

/*
 * Asks the disk again what the scan asked it, as far as the change depends on it. Statuses: ST_OK;
 * ST_REFUSED for a disk that somebody else has as a whole, for a table to be written where the
 * scan found a mark, and for a file system on blocks that carry one; ST_CHANGED when a mark is
 * there that the scan did not find, or a disk without a table is not blank (any more); ST_NO_SPACE
 * for one too small for a table; ST_NO_MEMORY.
 */
MUST_CHECK enum status disk_guard_check(struct arena *arena, const struct ports *ports,
                                        const struct machine *machine,
                                        const struct disk_change *change);

#endif
