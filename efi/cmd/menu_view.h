/* How the menu looks: what is known of the machine above, the choices below, in a frame. */
#ifndef SHADOWBOOT_CMD_MENU_VIEW_H
#define SHADOWBOOT_CMD_MENU_VIEW_H

#include "cells.h"
#include "menu_page.h"

/* The least screen that it fits. */
#define MENU_COLUMNS_LEAST 70u
#define MENU_ROWS_LEAST    20u

/* Columns inside the frame of so many cells in a row. */
unsigned menu_inner_width(unsigned columns);

struct menu_view {
    const char *known; /* lines that fit the inside, with colour marks */
    const struct menu_page *page;
    const struct menu_state *state;
    bool boxes; /* the console shows box-drawing characters; else ASCII */
};

/* Draws it into blank cells, at least as large as the least screen. */
void menu_draw(struct cells *cells, const struct menu_view *view);

/*
 * True when what the firmware writes to takes box-drawing characters: not a serial line to a terminal for which
 * it makes bytes of code page 437 of them. `con_out` is the variable ConOut, device paths (UEFI Specification
 * 3.3, 10.3.4.15 and, for the kinds of terminal, 10.3.4.17); an empty or damaged one has none.
 */
bool menu_has_boxes(struct span con_out);

#endif
