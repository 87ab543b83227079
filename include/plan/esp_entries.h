/* Boot entries that start from ESPs which have none. */
#ifndef SHADOWBOOT_PLAN_ESP_ENTRIES_H
#define SHADOWBOOT_PLAN_ESP_ENTRIES_H

#include "plan/plan.h"

struct esp_entries_request {
    struct guid source;         /* the ESP whose entries are cloned; zero: none has any */
    const struct guid *targets; /* ESPs that each need an active entry in BootOrder */
    size_t target_count;
    const struct machine *now; /* as it is before the plan; NULL: plan->machine */
    bool disk_in_name;         /* the target's disk goes behind the names of new entries */
    bool prune;                /* also what plan_prune does */
    bool keep_gone;            /* but entries whose partition is gone stay: it may come back */
};

/*
 * Plans clones of the source's active entries for each target that no active entry in BootOrder
 * starts from; where there are none to clone, an entry "Windows Boot Manager" for the boot manager
 * that is there, or "UEFI OS" for the removable-media file. An entry for the target that is there
 * and not active is set active instead. The source may be gone: its entries are what new ones are
 * best made from. Nothing is made for a file that is known not to be there. A clone stands right
 * behind its original when a program that does not give way stands before the end of BootOrder
 * (start_blocker), and a new entry before that program; else both stand at the end. plan->machine
 * is the machine as it will be (plan/project.h). One edit of BootOrder for all, which is mended on
 * the way. As long as an entry in BootOrder cannot be read, it may be that of any ESP which is
 * there now: then nothing is made for those. A target that cannot be served (place_find) is left
 * out with a warning. plan->target_disk stays unset. Statuses: ST_OK; those of edit_begin_mending.
 */
MUST_CHECK enum status plan_esp_entries(struct plan *plan,
                                        const struct esp_entries_request *request);

#endif
