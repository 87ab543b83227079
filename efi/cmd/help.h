/* Parts of the help command. */
#ifndef SHADOWBOOT_CMD_HELP_H
#define SHADOWBOOT_CMD_HELP_H

#include "cmd/context.h"

/* Prints a text in lines that end at words, from a line's column `indent` on; further lines begin
 * there too. Ends with the last line's end. */
void help_wrapped(struct context *context, size_t indent, const char *text);

/* The reference of the tables under -sfo, and of the report of status -json. */
void help_tables(struct context *context);
void help_report(struct context *context);

/* All that can be found, by name, with severity and text; and one of it with its advice too: false when
 * there is none of that name. */
void help_findings(struct context *context);
bool help_finding(struct context *context, const char *name);

#endif
