/*
 * An entry that starts the system on a given data partition through this machine's own ESP: what KB
 * 814070 does with `bootcfg /mirror /add` when a shadow disk has lost its primary.
 */
#ifndef SHADOWBOOT_PLAN_MIRROR_H
#define SHADOWBOOT_PLAN_MIRROR_H

#include "base/guid.h"
#include "base/status.h"
#include "plan/plan.h"

struct mirror_request {
    struct guid partition;   /* LDM data or basic data partition with the system */
    const char *description; /* UTF-8 */
    size_t template_entry;   /* entry whose boot file and options are taken; NO_INDEX: choose */
};

/*
 * Plans the entry, at the end of BootOrder; one that does the same and is outside BootOrder is put
 * there instead. The template is the entry that is running if it is one
 * of Windows', else the first of Windows' in order whose boot file is here. Statuses: ST_OK;
 * ST_ABSENT (no such partition, no template); ST_REFUSED (not a data partition); ST_UNSUPPORTED
 * when the template takes its system from the boot store, not from the entry; ST_EXISTS; those of
 * edit_begin.
 */
MUST_CHECK enum status plan_mirror(struct plan *plan, const struct mirror_request *request);

#endif
