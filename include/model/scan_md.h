/* Looks for members of Linux md arrays. */
#ifndef SHADOWBOOT_MODEL_SCAN_MD_H
#define SHADOWBOOT_MODEL_SCAN_MD_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "port/ports.h"

/*
 * Tries the places that a superblock of the partition can have in the formats from MD_0_90 to
 * `last`: of the first that is sound, `*ret_offset` is how many bytes from the partition's start it
 * is. Where there is none a block is read for each. Statuses: ST_OK; ST_ABSENT or ST_DAMAGED when
 * there is none; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_md_find(struct arena *arena, const struct block_port *port,
                                    const struct partition *partition, enum md_version last,
                                    uint64_t *ret_offset, struct md_member *ret_member);

#define MD_LOOKS_QUICK 2u /* of a disk, where it must not cost much */

/*
 * Fills in md_volumes of `*io_machine`, whose entries are resolved already. A superblock that an
 * earlier use of the partition has left does not count (md_begins_with). On each disk at most
 * `most` partitions are looked at. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_md_volumes(struct arena *arena, const struct ports *ports, size_t most,
                                       struct machine *io_machine);

#endif
