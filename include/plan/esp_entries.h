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
    bool last;                 /* new entries go behind all others, reached or not */
    bool keep_gone;            /* but entries whose partition is gone stay: it may come back */
};

/*
 * Plans an active entry in BootOrder for each target that none starts a system from. In this
 * sequence, the first that there is:
 *
 *   an entry of the target in BootOrder that is not active    is set active
 *   an active entry of the target outside BootOrder           is put there
 *   the source's active entries whose file the target has     are cloned
 *   any entry whose file the target has, its partition may    is cloned: it may be the only record
 *   be gone                                                   of the loader
 *   one boot manager on the target (program_loaders)          gets an entry; several are listed, in
 *                                                             a warning, with the lines to type,
 *                                                             and so is a removable-media file that
 *                                                             may be anything
 *
 * Nothing is made for a file that is known not to be there, nor for a tool. New entries stand at
 * the end of BootOrder or, where something that does not give way would keep them from being tried,
 * right behind their original (esp_entries_position). plan->machine is the machine as it will be
 * (plan/project.h). One edit of BootOrder for all, which is mended on the way; where it is missing
 * it is made of the entries there are. As long as an entry in BootOrder cannot be read, it may be
 * that of any ESP which is there now: then nothing is made for those. A target that cannot be
 * served (place_find) is left out with a warning. plan->target_disk stays unset. Statuses: ST_OK;
 * those of edit_begin_mending.
 */
MUST_CHECK enum status plan_esp_entries(struct plan *plan,
                                        const struct esp_entries_request *request);

/*
 * The same over the machine as `io_plan` makes it (plan/project.h), behind what that has. Statuses:
 * those of plan_esp_entries, io_plan->refusal being that of the entries; `io_plan` is otherwise
 * unchanged then.
 */
MUST_CHECK enum status plan_esp_entries_after(struct plan *io_plan,
                                              const struct esp_entries_request *request);

#endif
