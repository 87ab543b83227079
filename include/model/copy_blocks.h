/*
 * The blocks of a copy of a volume as one disk: block 0 is the volume's first. Of a plex that its LDM
 * database has in several pieces, one disk's or several disks', they stand one behind the other.
 */
#ifndef SHADOWBOOT_MODEL_COPY_BLOCKS_H
#define SHADOWBOOT_MODEL_COPY_BLOCKS_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "port/block.h"

/*
 * Gives the copy's blocks, to be read alone: a write is refused as on a medium that is protected.
 * `disks` are those of the ports (port/ports.h); all given, and the machine's list of volumes, have
 * to stay as long as `*ret_port`, which lies in `arena`. Statuses: ST_OK; ST_UNSUPPORTED when the
 * disks of its pieces have blocks of different sizes; ST_NO_MEMORY.
 */
MUST_CHECK enum status copy_blocks_open(struct arena *arena, const struct block_port *disks,
                                        const struct machine *machine,
                                        const struct system_copy *copy,
                                        const struct block_port **ret_port);

#endif
