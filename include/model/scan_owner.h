/*
 * Looks on a disk for marks by which others claim it, or what its partition table calls free
 * (format/owner.h). Scan and apply ask the same questions, so that a disk which somebody took in
 * between is not written.
 */
#ifndef SHADOWBOOT_MODEL_SCAN_OWNER_H
#define SHADOWBOOT_MODEL_SCAN_OWNER_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "port/ports.h"

/*
 * True in `*ret_blank` when OWNER_BLANK_BYTES at either end of the disk (all of a smaller one) can
 * be read and hold zeros only, and no mark lies farther in. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_is_blank(struct arena *arena, const struct block_port *port,
                                     bool *ret_blank);

/*
 * Who else claims the disk; a mark within one of its partitions (`own`) is that partition's. Only
 * fixed disks are looked at, and only where this program might write or has to know that it must
 * not: both ends of a disk without a table, or with an MBR without partitions, that is not blank,
 * the end of one with an MBR (for RAID only), and of one with a GPT the ends where no good copy
 * lies. OWNER_UNKNOWN where the backup of a disk that seems to have grown would go and something
 * lies that is neither zeros nor the remains of a GPT. `*ret_mark` counts from the start of the
 * disk. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_disk_owner(struct arena *arena, const struct block_port *port,
                                       const struct disk *disk, const struct partition *own,
                                       struct owner_mark *ret_mark);

/*
 * Makes the list of claims on what a plan may take for a new EFI system partition on this disk,
 * which has a GPT: the gaps between partitions and the Microsoft reserved partitions. FAT in a gap
 * is no claim: it is what a deleted ESP leaves. `ret_claims` has room for two for each partition
 * and four more. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_gap_claims(struct arena *arena, const struct block_port *port,
                                       const struct machine *machine, size_t disk,
                                       struct claim *ret_claims, size_t *ret_count);

/*
 * Whose mark lies at the ends of these blocks, as if they were a disk by themselves; FAT does not
 * count, as above. `*ret_mark` counts from their start. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_blocks_owner(struct arena *arena, const struct block_port *port,
                                         uint64_t first_lba, uint64_t block_count,
                                         struct owner_mark *ret_mark);

/* True for a disk on which a plan may make an EFI system partition beside others: a fixed one with
 * a good GPT and none that it has already. */
bool scan_wants_claims(const struct machine *machine, size_t disk);

/* Lists the claims on all disks that want them in `io_machine`. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status scan_claims(struct arena *arena, const struct ports *ports,
                                   struct machine *io_machine);

#endif
