/*
 * Boot stores that start Windows from the disk they lie on. Windows' boot manager does not go on to
 * another entry when the partition of its default is gone (seen with 10.0.19041), so the store on
 * each ESP of a mirror has to name the copy on its own disk.
 */
#ifndef SHADOWBOOT_PLAN_BOOT_STORES_H
#define SHADOWBOOT_PLAN_BOOT_STORES_H

#include "audit/roles.h"
#include "base/date.h"
#include "plan/plan.h"

/* How a store that is made is to be. */
struct store_wishes {
    bool renews;        /* one is made also in the place of one that can be used */
    bool clean;         /* nothing is taken from a store that is there */
    const char *locale; /* as in "en-US"; NULL: that of a store that is there */
    bool merges;        /* settings come from the loader `merged`, not from a default */
    struct guid merged;
};

struct boot_stores_request {
    size_t disk;     /* the only one that is looked at; NO_INDEX for all */
    size_t left_out; /* index of a member that is left as it is; NO_INDEX for none */
    bool makes; /* a store is made where there is none that can be used (format/bcd/bcd_make.h),
                      * Windows' boot manager is there, and Windows on the same disk */
    struct store_wishes wishes;
    struct date_time now; /* for new stores, and what is new in them; zeros when not known */
};

/*
 * Goes through the ESPs of members as they will be after the plan, and gives those whose store
 * starts Windows from another copy of the mirrored volume, or from a partition that is nowhere, a
 * store for their own disk: what named the other partition names the own one, and the other way
 * round; of the ESPs likewise, and what resumes a hibernated Windows. Names of objects that the
 * store does not have are taken out of it, and so is an order for the next start alone that would
 * start from elsewhere. One whose last write was cut short is completed from its log, which cannot
 * be used on the result once more. Nothing else changes. A store that the plan brings is changed on
 * its way, one that lies there is written anew. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_boot_stores(struct plan *plan, const struct roles *roles,
                                        const struct boot_stores_request *request);

#endif
