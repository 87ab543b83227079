/* What plan/bcd_edit.h is made of. */
#ifndef SHADOWBOOT_PLAN_BCD_WORK_H
#define SHADOWBOOT_PLAN_BCD_WORK_H

#include "format/bcd/bcd_edit.h"
#include "format/bcd/bcd_value.h"
#include "plan/bcd_edit.h"

/* A store being changed. */
struct bcd_work {
    struct plan *plan;
    const struct bcd_target *target;
    struct bcd_edit edit;
    struct guid fresh; /* what a copy gets */
};

/* Carries a step out. Statuses as plan_bcd_edit. */
MUST_CHECK enum status bcd_work_step(struct bcd_work *work, const struct bcd_step *step);

/*
 * The data of a device element that is typed as "boot", "locate" or "partition=...", the latter
 * with the letter of a dynamic volume, a GUID, disk/partition, or Windows' own
 * \Device\HarddiskVolumeN. Of a mirrored volume the plex on the store's own disk is meant.
 * Statuses: ST_OK; ST_USAGE, ST_ABSENT and ST_REFUSED with plan->refusal set, which lists the
 * choices; ST_NO_MEMORY.
 */
MUST_CHECK enum status bcd_work_device(struct bcd_work *work, const struct bcd_name *name,
                                       const char *text, struct span *ret_data);

/* The partition that is typed, as a descriptor names it; with `may_be_gone` a GUID that no disk here
 * has is one too. Statuses as above. */
MUST_CHECK enum status bcd_work_partition(struct bcd_work *work, const char *text, bool may_be_gone,
                                          struct bcd_partition *ret_partition);

/* The steps BCD_RETARGET and BCD_RECOVERY; the latter for the object that the step names. Statuses
 * as bcd_work_step. */
MUST_CHECK enum status bcd_work_retarget(struct bcd_work *work, const struct bcd_step *step);
MUST_CHECK enum status bcd_work_recovery(struct bcd_work *work, const struct bcd_object *object);

#endif
