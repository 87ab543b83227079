/* Looks inside partitions: ESPs, copies of Windows, members of md arrays. */
#ifndef SHADOWBOOT_MODEL_SCAN_CONTENT_H
#define SHADOWBOOT_MODEL_SCAN_CONTENT_H

#include "base/arena.h"
#include "base/status.h"
#include "disk_meter.h"
#include "model/machine.h"
#include "model/scan.h"
#include "port/ports.h"

/*
 * What one disk may cost in bytes: tables, LDM database, file systems and superblocks together. The
 * files of the ESPs come on top where they are read. (Should the database alone be as large, then
 * ESP_QUICK_BYTES + COPY_BYTES are read behind it all the same.)
 */
#define DISK_BYTES (1u << 20)
#define ESP_QUICK_BYTES \
    (96u * 1024)                 /* directories, chains and boot store of an ESP that is not \
                                  * read through, where the database leaves nothing */
#define COPY_BYTES (112u * 1024) /* what ESPs leave to other volumes */

/* From here on the disks of the meters are read up to their limit: what comes now belongs to the
 * file systems. */
void scan_contents_set_limits(struct disk_meter *meters, size_t count);

/*
 * Fills in esps, copies and md_members of `*io_machine`, whose disks, partitions, volumes and
 * md_volumes are known already, reading through the ports that count into `meters`. `depth` is
 * SCAN_QUICK or more: whole ESPs from SCAN_LISTED on, and all their files with SCAN_FULL. What is
 * damaged or cannot be read is part of the result; what would cost more than DISK_BYTES is not
 * looked at. `before` as in scan_machine_again, or NULL. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_contents(struct arena *arena, const struct ports *ports,
                                     struct disk_meter *meters, enum scan_depth depth,
                                     const struct scan_before *before, struct machine *io_machine);

#endif
