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
    const struct start *starts; /* of each member */
    const struct repair_request *request;
    struct extent extent;
    size_t reference; /* index into machine.esps; NO_INDEX when no ESP is fit to be it */
    struct guid *targets;
    size_t target_count;
};

/* Plans repair->extent into repair->plan; the targets are room for each member. Statuses: ST_OK,
 * what cannot be done being left out with a warning; ST_NO_MEMORY. */
MUST_CHECK enum status repair_plan_extent(struct repair *repair);

#endif
