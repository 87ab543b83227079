/* What is known of starts that were asked for to try them. */
#ifndef SHADOWBOOT_CMD_TRY_START_H
#define SHADOWBOOT_CMD_TRY_START_H

#include "audit/audit_machine.h"
#include "cmd/context.h"

/* Says for each that is remembered what can be told of it from here, or gives its TestInfo row under -sfo; nothing
 * when there is none. The machine was scanned. */
void show_start_tests(struct context *context);

/*
 * Goes on with a test of all disks that is not at its end, without a question: nobody need be there. Only on a
 * machine that starts from each disk, within a day of the last start, and when firmware has taken that: what is
 * forgotten, or comes to nothing, is to keep no machine from starting. Comes back when there is nothing to go on
 * with, at the end with its table, and where the machine does not restart. The machine was scanned. Statuses: ST_OK;
 * ST_CANCELLED when a person has stopped it; others, reported, when it cannot go on.
 */
enum status go_on_with_tests(struct context *context, const struct judgement *judgement);

#endif
