/* What this program is and what firmware it runs on. */
#ifndef SHADOWBOOT_CMD_VERSION_H
#define SHADOWBOOT_CMD_VERSION_H

#include "rows.h"

/* The object of a report, or the table of `version -sfo`. Secure Boot's state is that of the
 * machine. */
void rows_program(struct rows *to);

/* The same for people, in two lines. */
void say_program(struct context *context);

#endif
