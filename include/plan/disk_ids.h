/*
 * The identities that disks and partitions are found by: the GUIDs of a GPT (UEFI Specification
 * 5.3.2), the signature of an MBR (5.2.1). Whatever named the old one here is to name the new one:
 * boot entries and boot stores are changed in the same plan. LDM has identities of its own, in its
 * database, which are neither of these and stay.
 */
#ifndef SHADOWBOOT_PLAN_DISK_IDS_H
#define SHADOWBOOT_PLAN_DISK_IDS_H

#include "base/date.h"
#include "plan/plan.h"

struct disk_ids {
    size_t disk; /* index into machine.disks */
    bool sets_disk;
    struct guid disk_guid; /* of a GPT */
    uint32_t signature;    /* of an MBR */
    bool sets_partition;   /* of a GPT only */
    size_t partition;      /* index into machine.partitions, on that disk */
    struct guid partition_guid;
};

/*
 * Plans to set the identities. An identity that another disk or partition has as well now is a
 * copy's: then what names it means the other one, so entries and the stores of other disks stay,
 * and the stores on the disk itself follow. Between the table and what names it the disk is not found
 * by its identity; other disks start as they did. For a machine scanned with SCAN_LISTED or more.
 *
 * Statuses: ST_OK, without actions when all is so already; ST_REFUSED with plan->refusal: the new
 * identity is zero or something else's here; the partition table is of the other kind or cannot be
 * written; the disk is somebody else's, or is a copy that other identities would not make another
 * disk (plan/new_guids.h); ST_READ_ONLY with plan->refusal; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_disk_ids(struct plan *plan, const struct disk_ids *ids);

/* An identity for the disk that nothing on the machine has. `now` as in identity_begin. */
struct disk_ids disk_ids_fresh(const struct machine *machine, size_t disk,
                               const struct date_time *now);

/*
 * What the boot stores on the disk expect: where the loader's device is a partition that is nowhere
 * here, the identities that make it the one with Windows on this disk. Statuses: ST_OK; ST_ABSENT
 * when the stores name nothing that is missing; ST_REFUSED with plan->refusal when they can be read
 * but it cannot be told which partition is meant; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_disk_ids_expected(struct plan *plan, size_t disk,
                                              struct disk_ids *ret_ids);

#endif
