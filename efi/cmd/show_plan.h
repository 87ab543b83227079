/* Shows a plan before it is carried out. */
#ifndef SHADOWBOOT_CMD_SHOW_PLAN_H
#define SHADOWBOOT_CMD_SHOW_PLAN_H

#include "audit/audit_machine.h"
#include "cmd/context.h"
#include "plan/plan.h"

/* Its notes, its actions, and what it makes of each disk; as tables under -sfo. */
void show_plan(struct context *context, const struct plan *plan);

/* What the plan makes of each disk, in one sentence that begins with `when`; as a table under
 * -sfo. Nothing where that was not worked out. */
void show_promises(struct context *context, const struct plan *plan, const char *when);

/* The one command to type next, and what comes of it, where `repair` has something to do; where it has
 * not and something is wrong, that. Nothing where the files were not read. */
void show_next(struct context *context, const struct judgement *judgement);

/* The same at the end of a command that has changed something, on the machine as it is then. */
void show_next_after(struct context *context, const struct judgement *judgement);

#endif
