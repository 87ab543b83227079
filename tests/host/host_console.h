/*
 * A console that keeps all output, and answers questions from a script. It has no screen unless it
 * is told to have one. The variant over standard input and output is for the host program.
 */
#ifndef SHADOWBOOT_HOST_HOST_CONSOLE_H
#define SHADOWBOOT_HOST_HOST_CONSOLE_H

#include "port/console.h"

struct host_console;

/* Keeps output; without a script there is no keyboard (ST_IO). */
struct host_console *host_console_new(void);

/*
 * Prints to standard output as well, and asks standard input as long as nothing is scripted: what
 * linux/console.h says goes for it. One at a time.
 */
struct host_console *host_console_new_stdio(void);
void host_console_free(struct host_console *console);

/* The port, valid as long as the console. */
struct console_port host_console_port(struct host_console *console);

/*
 * The next answer typed when the program asks, or waits for a key; NULL is Ctrl-C. Where it reads a
 * key, that is one character, "" when nobody presses one in time, or enter, esc, up, down, right, left,
 * home, end, pageup, pagedown, backspace, delete, other. Once something is scripted, asking beyond the
 * script gives ST_IO; keys that are not waited for for ever are then not pressed.
 */
void host_console_answer(struct host_console *console, const char *text);

/* How many answers are still waiting. */
size_t host_console_answers_left(const struct host_console *console);

/* The user asks to stop: the `polls`-th call of break_requested from now (1 is the next) says
 * so. */
void host_console_break_at(struct host_console *console, unsigned polls);

/* All output so far, NUL-terminated, answers echoed. Valid until the next output. */
const char *host_console_text(const struct host_console *console);
void host_console_clear(struct host_console *console);

/* From now on there is a screen of that size, and colours (as ANSI's escape sequences) or not. */
void host_console_set_screen(struct host_console *console, struct screen_size size, bool colours);

#endif
