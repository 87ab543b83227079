/*
 * A screen as cells in memory, and on the console what differs from the one before: nothing flickers, and
 * a serial line carries no more than it must.
 */
#ifndef SHADOWBOOT_CMD_CELLS_H
#define SHADOWBOOT_CMD_CELLS_H

#include <stdint.h>

#include "base/arena.h"
#include "port/console.h"

struct cell {
    uint16_t rune;
    char mark; /* of a colour; 0 only where nothing was drawn yet */
};

struct cells {
    unsigned columns;
    unsigned rows;
    struct cell *at; /* row by row; NULL when the arena was full */
};

/* Blank cells in the arena. */
struct cells cells_new(struct arena *arena, unsigned columns, unsigned rows);

/* Cells of which none is as it will be: those of a screen that was emptied or written over. */
void cells_forget(struct cells *cells);

/*
 * Puts UTF-8 with its colour marks into a row from `column` on, up to its end, to the end of its first line, or
 * to the edge; what is beyond U+FFFF becomes "?". It begins in the colour `mark`. Returns the column behind the
 * last character.
 */
unsigned cells_put(struct cells *cells, unsigned column, unsigned row, char mark, const char *text);

/* The same character in `count` cells. */
void cells_fill(struct cells *cells, unsigned column, unsigned row, unsigned count, uint16_t rune,
                char mark);

/* Shows `cells` where `io_shown` is on the console, and makes that the same. */
void cells_show(const struct console_port *console, const struct cells *cells,
                struct cells *io_shown);

#endif
