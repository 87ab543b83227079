/*
 * Between what commands say and the console: lines are broken at words to the width of the screen
 * (base/flow.h), a line is written at once, and after each screen it waits for a key where that is
 * wanted. What belongs together, a line and the indented ones below it, is not torn by that as long
 * as a screen has room for it.
 */
#ifndef SHADOWBOOT_CMD_SCREEN_H
#define SHADOWBOOT_CMD_SCREEN_H

#include "base/flow.h"
#include "port/console.h"

#define SCREEN_BLOCK_SIZE 3072 /* bytes that are held back at most */

struct screen {
    const struct console_port *console;
    struct flow flow;
    unsigned rows;      /* after which it waits; 0: never */
    unsigned rows_used; /* since it has last waited */
    bool line_begun;    /* the line that is held back has a character */
    bool stopped;       /* the user wants to see no more */
    size_t used;        /* bytes held back */
    char block[SCREEN_BLOCK_SIZE];
};

/* `console` must stay in place as long as the screen. */
void screen_open(struct screen *ret_screen, const struct console_port *console);

/* From now on lines are written as they come: output for programs. */
void screen_leave_lines(struct screen *screen);

/* From now on it waits for a key after each screen, where there is one. */
void screen_wait_pages(struct screen *screen);

void screen_put(struct screen *screen, const char *bytes, size_t size);

/* Writes all that is held back: before a question, over a line that is written anew, at the end. */
void screen_flush(struct screen *screen);

/* The user has typed a line: the cursor is in a new one, and all before it has been read. */
void screen_answered(struct screen *screen);

/*
 * True when the user wanted to see no more at the end of a screen; what is said from then on is
 * dropped until this has been asked.
 */
bool screen_take_stop(struct screen *screen);

#endif
