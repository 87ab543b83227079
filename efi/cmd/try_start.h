/* What is known of starts that were asked for to try them. */
#ifndef SHADOWBOOT_CMD_TRY_START_H
#define SHADOWBOOT_CMD_TRY_START_H

#include "cmd/context.h"

/* Says for each that is remembered what can be told of it from here, or gives its TestInfo row under -sfo; nothing
 * when there is none. The machine was scanned. */
void show_start_tests(struct context *context);

#endif
