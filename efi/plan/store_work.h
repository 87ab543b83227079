/* A boot store that is made for the disk it lies on: what plan/boot_stores.h is made of. */
#ifndef SHADOWBOOT_PLAN_STORE_WORK_H
#define SHADOWBOOT_PLAN_STORE_WORK_H

#include "audit/roles.h"
#include "format/bcd/bcd.h"
#include "plan/plan.h"

/* One ESP whose store is looked at. */
struct store_work {
    struct plan *plan;
    const struct roles *roles;
    struct machine *later; /* as it will be */
    const struct esp *esp; /* of it */
    size_t own;            /* partition of it: the copy on the same disk; NO_INDEX for none */
    struct bcd_choice choice;
    bool moves;      /* `choice` has to give way to the own copy */
    bool resumes;    /* what resumes a hibernated Windows had to */
    bool mended;     /* something else was put right: */
    bool completed;  /* a write that was cut short was */
    bool ends_order; /* an order for the next start was in it */
    bool made;       /* it is made anew (store_new.h) */
};

/* The partition of the member's copy on the machine as it will be; NO_INDEX for none. */
size_t store_copy_partition(const struct plan *plan, const struct machine *later,
                            const struct member *member);

/* True when the device is a partition other than the own one that has to give way to it: a copy of
 * the same volume on another disk, or one that is nowhere. */
bool store_is_elsewhere(const struct store_work *work, const struct bcd_device *device);

/* The same of either device of a loader. */
bool store_choice_is_elsewhere(const struct store_work *work, const struct bcd_choice *choice);

/* The store for the own disk, of the same size, in the arena, made of `*io_file`; says in `work`
 * whether it resumes Windows from elsewhere no more, and that nothing moves where nothing can be
 * changed. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status store_make(struct store_work *work, struct span *io_file);

/* Puts `to` in the place of `from` in every device of the store, which lies in `bytes`, and gives
 * how often; what cannot be understood stays. */
size_t store_exchange(const struct bcd_store *store, uint8_t *bytes,
                      const struct bcd_partition *from, const struct bcd_partition *to);

/* Stamps the store (regf_stamp) with a time later than what it says of itself. */
void store_stamp(uint8_t *bytes);

#endif
