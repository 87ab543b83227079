/* Parts of plan_repair (plan/repair.h): so much of a repair as is asked for, whether or not it is
 * safe. */
#ifndef SHADOWBOOT_PLAN_REPAIR_PARTS_H
#define SHADOWBOOT_PLAN_REPAIR_PARTS_H

#include "plan/repair.h"

/* Where new entries go. */
enum new_entries {
    ENTRIES_IN_PLACE, /* where they are reached (plan/esp_entries.h) */
    ENTRIES_LAST,     /* behind all others */
    ENTRIES_NONE,     /* none is made, and BootOrder stays */
};

/* What of a repair is planned. */
struct extent {
    bool disks;      /* tables, file systems, files */
    size_t left_out; /* index into members: but not on this one's disk; NO_INDEX for none */
    bool prune;      /* stale and duplicate entries are deleted */
    enum new_entries entries;
};

struct repair {
    struct plan *plan;
    const struct judgement *judgement;
    const struct roles *roles;
    const struct forecast *forecasts; /* of each member */
    const struct repair_request *request;
    struct extent extent;
    size_t reference; /* index into machine.esps; NO_INDEX when no ESP is fit to be it */
    size_t windows;   /* what a good copy of Windows keeps, likewise; NO_INDEX: nobody looked, or it
                       * is of no use */
    bool by_windows;  /* the reference lacks what Windows keeps: that comes first, and the others
                       * are brought up to it when it is there */
    bool doubtful; /* what could not be read may be what names the reference: what differs stays */
    struct guid *targets;
    size_t target_count;
};

/* Takes over what was planned for a disk. Gives the status to go on with. */
MUST_CHECK enum status repair_take_over(struct plan *plan, const struct plan *part);

/* Says why there is nothing for a disk. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status repair_give_up(struct plan *plan, const struct plan *part, size_t disk,
                                      enum status status);

/* Firmware may not find the partitions of a disk whose first block cannot be read, which has been
 * said: no entry is made for them. */
void repair_add_target(struct repair *repair, size_t disk, const struct guid *guid);

/* Finds repair->windows and repair->by_windows. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status repair_find_windows(struct repair *repair, struct plan *plan);

/* Brings the member's ESP what Windows itself keeps, where its boot manager is older or newer than
 * its Windows or the reference lacks it; says why where that is not done. Statuses: ST_OK;
 * ST_NO_MEMORY. */
MUST_CHECK enum status repair_by_windows(struct repair *repair, const struct member *member);

/* Makes the removable-media file anew of the boot manager beside it where it is another one of
 * Windows'. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status repair_own_copy(struct repair *repair, const struct member *member);

/* Plans repair->extent into repair->plan; the targets are room for each member. Statuses: ST_OK,
 * what cannot be done being left out with a warning; ST_NO_MEMORY. */
MUST_CHECK enum status repair_plan_extent(struct repair *repair);

#endif
