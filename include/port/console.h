/* The screen and the keyboard, or whatever stands in for them. */
#ifndef SHADOWBOOT_PORT_CONSOLE_H
#define SHADOWBOOT_PORT_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/*
 * Marks in the text that is written: what follows is in this colour, where there are colours, and
 * else as it is. They take no room, and are never the only thing that tells something. Control
 * characters stand nowhere else in the text but for "\n" and "\r".
 */
#define COLOUR_PLAIN   "\x01"
#define COLOUR_GOOD    "\x02"
#define COLOUR_WARNING "\x03"
#define COLOUR_BAD     "\x04"

static inline bool is_colour(char byte)
{
    return byte >= COLOUR_PLAIN[0] && byte <= COLOUR_BAD[0];
}

struct screen_size {
    unsigned columns; /* 0: lines have no end */
    unsigned rows;    /* 0: nobody watches them scroll away */
};

struct console_port {
    void *ctx;

    /* Prints `size` bytes of UTF-8; "\n" ends a line. Cannot fail: there is nowhere to say so. */
    void (*write)(void *ctx, const char *text, size_t size);

    /* How large the screen is; 0 and 0 where the output goes to a file. */
    struct screen_size (*screen_size)(void *ctx);

    /*
     * Reads one line from the keyboard, echoed, without its end, cut to `size` - 1 bytes.
     * Statuses: ST_OK; ST_CANCELLED when the user pressed Ctrl-C or Escape; ST_IO when there is no
     * keyboard or no more input.
     */
    enum status (*read_line)(void *ctx, char *ret_line, size_t size);

    /*
     * Waits for one key, which is not shown. Statuses: ST_OK; ST_CANCELLED for "q", Ctrl-C and
     * Escape; ST_IO when there is no keyboard or no more input.
     */
    enum status (*wait_key)(void *ctx);

    /* True when the user has asked to stop (Ctrl-C) since the last call. */
    bool (*break_requested)(void *ctx);
};

#endif
