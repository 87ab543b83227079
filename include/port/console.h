/* The screen and the keyboard, or whatever stands in for them. */
#ifndef SHADOWBOOT_PORT_CONSOLE_H
#define SHADOWBOOT_PORT_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
#define COLOUR_CHOSEN  "\x05" /* letters and ground change places */
#define COLOUR_TITLE   "\x06"

static inline bool is_colour(char byte)
{
    return byte >= COLOUR_PLAIN[0] && byte <= COLOUR_TITLE[0];
}

struct screen_size {
    unsigned columns; /* 0: lines have no end */
    unsigned rows;    /* 0: nobody watches them scroll away */
};

/* Keys: characters are their Unicode numbers, the rest has names. */
enum console_key {
    KEY_NONE = 0, /* the time was up */
    KEY_CTRL_C = 0x03,
    KEY_BACKSPACE = 0x08,
    KEY_ENTER = 0x0d,
    KEY_ESC = 0x1b,
    KEY_DELETE = 0x7f,
    KEY_UP = 0x110000, /* from here on no characters */
    KEY_DOWN,
    KEY_RIGHT,
    KEY_LEFT,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_OTHER, /* F1 to F12 and whatever else there is */
};

#define KEY_WAIT_FOREVER UINT32_MAX

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

    /*
     * The next key as an enum console_key, not shown; KEY_NONE when none was pressed within so many
     * milliseconds. Statuses: ST_OK; ST_IO when there is no keyboard or no more input.
     */
    enum status (*read_key)(void *ctx, uint32_t milliseconds, uint32_t *ret_key);

    /* True when the user has asked to stop (Ctrl-C) since the last call. */
    bool (*break_requested)(void *ctx);

    /* Empties the screen and puts the cursor into its upper left corner, visible or not from now on.
     * Where the output goes to a file, nothing happens. */
    void (*clear)(void *ctx, bool cursor);

    /* Where the next character goes to, from 0; inside the screen. */
    void (*move)(void *ctx, unsigned column, unsigned row);
};

#endif
