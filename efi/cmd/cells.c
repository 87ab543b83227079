#include "cells.h"

#include "base/mem.h"

#define UNKNOWN    '?'
#define RUNE_BYTES 3u /* of a cell's rune in UTF-8 */
#define RUN_BYTES  512u

struct cells cells_new(struct arena *arena, unsigned columns, unsigned rows)
{
    struct cells cells = {columns, rows, NULL};

    cells.at = arena_alloc(arena, (size_t)columns * rows, sizeof(*cells.at));
    for (unsigned row = 0; cells.at != NULL && row < rows; row++)
        cells_fill(&cells, 0, row, columns, ' ', COLOUR_PLAIN[0]);
    return cells;
}

void cells_forget(struct cells *cells)
{
    memset(cells->at, 0, (size_t)cells->columns * cells->rows * sizeof(*cells->at));
}

void cells_fill(struct cells *cells, unsigned column, unsigned row, unsigned count, uint16_t rune,
                char mark)
{
    for (; count > 0 && row < cells->rows && column < cells->columns; count--)
        cells->at[row * cells->columns + column++] = (struct cell){rune, mark};
}

/* Takes one character off the text. */
static uint32_t take_cell_rune(const char **io_text)
{
    uint8_t first = (uint8_t) * (*io_text)++;
    unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    uint32_t rune = more == 0 ? first : first & (0x3fu >> more);

    if (first >= 0x80 && more == 0)
        return UNKNOWN;
    for (; more > 0 && ((uint8_t) * *io_text & 0xc0) == 0x80; more--)
        rune = rune << 6 | ((uint8_t) * (*io_text)++ & 0x3f);
    return more > 0 || rune > UINT16_MAX ? UNKNOWN : rune;
}

unsigned cells_put(struct cells *cells, unsigned column, unsigned row, char mark, const char *text)
{
    while (*text != '\0' && *text != '\n' && column < cells->columns) {
        if (is_colour(*text))
            mark = *text++;
        else
            cells_fill(cells, column++, row, 1, (uint16_t)take_cell_rune(&text), mark);
    }
    return column;
}

static bool is_same_cell(const struct cell *a, const struct cell *b)
{
    return a->rune == b->rune && a->mark == b->mark;
}

/* Appends the rune in UTF-8; at most RUNE_BYTES. */
static size_t encode_cell(char *to, uint16_t rune)
{
    if (rune < 0x80) {
        to[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        to[0] = (char)(0xc0 | rune >> 6);
        to[1] = (char)(0x80 | (rune & 0x3f));
        return 2;
    }
    to[0] = (char)(0xe0 | rune >> 12);
    to[1] = (char)(0x80 | (rune >> 6 & 0x3f));
    to[2] = (char)(0x80 | (rune & 0x3f));
    return 3;
}

/* Writes `count` cells from where the cursor is. */
static void write_run(const struct console_port *console, const struct cell *cells, size_t count)
{
    char bytes[RUN_BYTES];
    size_t used = 0;
    char mark = 0;

    for (size_t i = 0; i < count; i++) {
        if (used + RUNE_BYTES + 2 > sizeof(bytes)) {
            console->write(console->ctx, bytes, used);
            used = 0;
        }
        if (cells[i].mark != mark)
            bytes[used++] = mark = cells[i].mark;
        used += encode_cell(bytes + used, cells[i].rune);
    }
    bytes[used++] = COLOUR_PLAIN[0];
    console->write(console->ctx, bytes, used);
}

/* From the first cell of a row that differs to the last. */
static void show_row(const struct console_port *console, const struct cells *cells,
                     struct cells *io_shown, unsigned row)
{
    const struct cell *new = cells->at + row * cells->columns;
    struct cell *old = io_shown->at + row * cells->columns;
    unsigned first = 0;
    unsigned end = cells->columns;

    while (first < end && is_same_cell(&new[first], &old[first]))
        first++;
    while (end > first && is_same_cell(&new[end - 1], &old[end - 1]))
        end--;
    if (first == end)
        return;
    console->move(console->ctx, first, row);
    write_run(console, new + first, end - first);
    memcpy(old + first, new + first, (end - first) * sizeof(*new));
}

void cells_show(const struct console_port *console, const struct cells *cells,
                struct cells *io_shown)
{
    for (unsigned row = 0; row < cells->rows; row++)
        show_row(console, cells, io_shown, row);
}
