/*
 * The console port over the system table's simple text protocols (UEFI Specification 12). The
 * Shell puts its redirections behind the same protocols, so they just work. Its variable COLUMNS,
 * as set by "set -v COLUMNS 120", is taken for the width of the screen; 0 has lines not broken, for
 * a console that is recorded.
 */
#ifndef SHADOWBOOT_FIRMWARE_CONSOLE_H
#define SHADOWBOOT_FIRMWARE_CONSOLE_H

#include "port/console.h"
#include "uefi.h"

struct uefi_console {
    const struct uefi *uefi;
    uint32_t rune;         /* the part of a character that has arrived */
    unsigned missing;      /* bytes of it still to come */
    bool swallow_newline;  /* the last line ended in CR: an LF that follows belongs to it */
    bool page_break_start; /* the Shell's, as it was when we started */
    bool is_screen;        /* and not a file */
    UINTN colours_start;   /* attribute as it was when we started */
    bool coloured;         /* another one is set now */
};

/* `*ret_console` and `uefi` must stay in place as long as the port is used. */
void uefi_console_open(const struct uefi *uefi, struct uefi_console *ret_console,
                       struct console_port *ret_port);

/* Leaves colours and the Shell's page break as they were found. */
void uefi_console_close(struct uefi_console *console);

#endif
