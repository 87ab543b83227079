/* The verdict on a machine, as `status` and `repair` print it. */
#ifndef SHADOWBOOT_CMD_JUDGEMENT_H
#define SHADOWBOOT_CMD_JUDGEMENT_H

#include "audit/audit_machine.h"
#include "cmd/context.h"
#include "rows.h"

/* For each member whether it starts alone, and what follows for the machine. Not under -sfo. */
void show_verdict(struct context *context, const struct judgement *judgement);

/* The same as RoleInfo, VerdictInfo and StatusInfo rows. */
void rows_judgement(struct rows *to, const struct judgement *judgement);

#endif
