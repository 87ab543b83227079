/* Bringing the files of one ESP up to date from another. */
#ifndef SHADOWBOOT_PLAN_COPY_H
#define SHADOWBOOT_PLAN_COPY_H

#include "audit/roles.h"
#include "base/guid.h"
#include "plan/plan.h"

struct copy_request {
    bool has_source; /* else the healthy ESP of a member, the primary's before others */
    bool has_target; /* else the other member's, if there is one only */
    struct guid source;
    struct guid target;
    const char *path; /* "\\EFI\\Microsoft" when the user gave none */
};

/*
 * Statuses: ST_OK, with no actions when nothing differs; else plan->refusal says why: ST_ABSENT (no
 * such partition, no such path, no source), ST_REFUSED (not an ESP, several choices, the target is
 * damaged or not formatted: "shadowboot prepare" is for that), ST_NO_SPACE, ST_USAGE, ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_copy(struct plan *plan, const struct roles *roles,
                                 const struct copy_request *request);

#endif
