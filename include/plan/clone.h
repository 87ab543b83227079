/*
 * Cloning: every entry that refers to the source partition gets a twin that refers to the target.
 * What KB 814070 does with `bootcfg /clone`.
 */
#ifndef SHADOWBOOT_PLAN_CLONE_H
#define SHADOWBOOT_PLAN_CLONE_H

#include <stdbool.h>

#include "base/guid.h"
#include "base/status.h"
#include "plan/plan.h"
#include "plan/retarget.h"

struct clone_request {
    bool has_source; /* else the machine must leave one choice */
    bool has_target;
    struct guid source;
    struct guid target;
    const char *description; /* UTF-8; NULL: the clones are called as the originals */
    bool append;             /* the description goes behind the original's, after a blank */
    enum path_form form;
};

/*
 * Plans the clones. Selected is every readable entry with the source GUID in a hard drive node of
 * its paths or in its OS path, in the order of the ids; the clones go to the end of BootOrder in
 * the same sequence. An entry that starts the same exists once only: it is not made again, and is
 * put into BootOrder if it was missing there.
 *
 * Statuses: ST_OK, with no actions when nothing is missing; else plan->refusal says why: ST_USAGE
 * (source equals target), ST_ABSENT (no such target, or no entry refers to the source), ST_REFUSED
 * (several partitions have the target's GUID, it is damaged or of another type, or there are
 * several ways to understand the machine), and those of edit_begin.
 */
MUST_CHECK enum status plan_clone(struct plan *plan, const struct clone_request *request);

#endif
