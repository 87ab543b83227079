/* What an audit says of the boot entries that a plan has written. */
#ifndef SHADOWBOOT_PLAN_AFTERMATH_H
#define SHADOWBOOT_PLAN_AFTERMATH_H

#include "audit/finding.h"
#include "plan/plan.h"

/*
 * Audits the entries of `machine`, which was scanned after the plan was carried out, and keeps what
 * concerns the entries that it wrote and the partitions that these start from; besides whether
 * firmware ever gets to them, once for all. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_aftermath(struct arena *arena, const struct plan *plan,
                                      const struct machine *machine, struct findings *ret_findings);

#endif
