/*
 * Standard input and output. Where the output is a terminal there is a screen as large as that, with
 * colours unless $NO_COLOR is set; else lines have no end.
 */
#ifndef SHADOWBOOT_LINUX_CONSOLE_H
#define SHADOWBOOT_LINUX_CONSOLE_H

#include "port/console.h"

struct linux_console {
    bool has_advice; /* "shadowboot COMMAND" was written */
    size_t matched;  /* characters of it that were written last; private */
    bool is_screen;
    bool has_colours;
};

/* One at a time: it takes Ctrl-C (SIGINT), SIGTERM and SIGHUP as the user's wish to stop, which nothing
 * does in the middle of a change, and ignores that nobody reads the output any more (SIGPIPE). */
void linux_console_open(struct linux_console *ret_console);

/* The port, valid as long as the console. */
struct console_port linux_console_port(struct linux_console *console);

/* The escape sequence of a mark of colour (ECMA-48 8.3.117). Static lifetime. */
const char *linux_console_colour(char mark);

#endif
