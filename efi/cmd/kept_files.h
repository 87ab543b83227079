/* What Windows keeps for ESPs, looked for when it is needed. */
#ifndef SHADOWBOOT_CMD_KEPT_FILES_H
#define SHADOWBOOT_CMD_KEPT_FILES_H

#include "audit/audit_machine.h"
#include "cmd/context.h"

/* Makes it a part of context->machine where a repair has nothing else to go by
 * (plan/rebuild.h). Where it cannot be read the repair goes without. Statuses: ST_OK;
 * ST_NO_MEMORY. */
MUST_CHECK enum status need_kept_files(struct context *context, const struct judgement *judgement);

/* The same for one disk, whatever its ESP has. Statuses: ST_OK; ST_NO_MEMORY and those of
 * scan_source, reported. */
MUST_CHECK enum status find_kept_files(struct context *context, const struct judgement *judgement,
                                       size_t disk);

#endif
