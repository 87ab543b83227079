/* The screen and the keyboard, or whatever stands in for them. */
#ifndef SHADOWBOOT_PORT_CONSOLE_H
#define SHADOWBOOT_PORT_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct console_port {
    void *ctx;

    /* Prints `size` bytes of UTF-8; "\n" ends a line. Cannot fail: there is nowhere to say so. */
    void (*write)(void *ctx, const char *text, size_t size);

    /*
     * Reads one line from the keyboard, echoed, without its end, cut to `size` - 1 bytes.
     * Statuses: ST_OK; ST_CANCELLED when the user pressed Ctrl-C or Escape; ST_IO when there is no
     * keyboard or no more input.
     */
    enum status (*read_line)(void *ctx, char *ret_line, size_t size);

    /* From now on stops after each screen until a key is pressed; where that is not possible,
     * does nothing. */
    void (*set_page_break)(void *ctx, bool on);

    /* True when the user has asked to stop (Ctrl-C) since the last call. */
    bool (*break_requested)(void *ctx);
};

#endif
