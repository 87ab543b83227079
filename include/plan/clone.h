/*
 * Cloning: every entry that refers to the source partition gets a twin that refers to the target.
 * What KB 814070 does with `bootcfg /clone`.
 */
#ifndef SHADOWBOOT_PLAN_CLONE_H
#define SHADOWBOOT_PLAN_CLONE_H

#include <stdbool.h>

#include "base/guid.h"
#include "base/status.h"
#include "plan/edit.h"
#include "plan/plan.h"
#include "plan/retarget.h"

struct clone_request {
    bool has_source; /* else the machine must leave one choice */
    bool has_target;
    struct guid source;
    struct guid target;
    const char *description; /* UTF-8; NULL: the clones are called as the originals */
    bool append;             /* the description goes behind the original's, after a blank */
    bool disk_in_name;       /* without a description: the target's disk goes behind the name */
    enum path_form form;
};

/*
 * Plans the clones. Selected is every readable entry, but for those of the firmware's and of this
 * program's own, with the source GUID in a hard drive node of its paths or in its OS path, in the
 * order of the ids; the clones go to the end of BootOrder in the same sequence. An entry that starts the same exists once only: it is not made again, and is
 * put into BootOrder if it was missing there.
 *
 * Statuses: ST_OK, with no actions when nothing is missing; else plan->refusal says why: ST_USAGE
 * (source equals target), ST_ABSENT (no such target, or no entry refers to the source), ST_REFUSED
 * (several partitions have the target's GUID, it is damaged or of another type, or there are
 * several ways to understand the machine), and those of edit_begin.
 */
MUST_CHECK enum status plan_clone(struct plan *plan, const struct clone_request *request);

/* Source and target of clones, found to be fit for it. */
struct clone_pair {
    const struct clone_request *request;
    struct guid source;
    size_t target;   /* index of the partition */
    size_t selected; /* how many entries refer to the source */
    struct devpath_retarget how;
    bool activate; /* the clones are active whatever the originals are */
};

/*
 * Looks up the partitions of a request with both GUIDs, which may be the same: then a clone names
 * the partition where it is now. The pair points to `request`. Statuses: as plan_clone, but for
 * edit_begin's.
 */
MUST_CHECK enum status clone_begin(struct plan *plan, const struct clone_request *request,
                                   struct clone_pair *ret_pair);

/*
 * Has the edit put a clone of the entry with index `entry` at `position` of BootOrder, unless one
 * is there. Statuses: ST_OK; those of edit_create; ST_REFUSED, with plan->refusal, when it would be
 * too long.
 */
MUST_CHECK enum status clone_entry(struct boot_edit *edit, const struct clone_pair *pair,
                                   size_t entry, size_t position);

#endif
