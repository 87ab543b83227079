#include "cmd/screen.h"

#include "base/text.h"

#define LEAST_COLUMNS 20 /* on a narrower screen lines are left to it */
#define MORE          "-- Enter goes on, q leaves out the rest --"

static void write_bytes(const struct screen *screen, const char *bytes, size_t size)
{
    if (size > 0 && !screen->stopped)
        screen->console->write(screen->console->ctx, bytes, size);
}

/* Waits at the end of a screen. */
static void wait_for_user(struct screen *screen)
{
    static const char blanks[] = "\r                                            \r";

    screen->rows_used = 0;
    write_bytes(screen, MORE, sizeof(MORE) - 1);
    enum status status = screen->console->wait_key(screen->console->ctx);
    write_bytes(screen, blanks, sizeof(blanks) - 1);
    screen->stopped = status == ST_CANCELLED;
    if (status == ST_IO)
        screen->rows = 0; /* nobody is there who could go on */
}

static unsigned count_lines(const char *bytes, size_t size)
{
    unsigned lines = 0;

    for (size_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    return lines;
}

/* Writes the lines one by one and waits wherever the screen is full. */
static void write_lines(struct screen *screen)
{
    size_t start = 0;

    for (size_t i = 0; i < screen->used && !screen->stopped; i++) {
        if (screen->block[i] != '\n' && i + 1 < screen->used)
            continue;
        if (screen->rows > 0 && screen->rows_used + 1 >= screen->rows)
            wait_for_user(screen);
        write_bytes(screen, screen->block + start, i + 1 - start);
        screen->rows_used += screen->block[i] == '\n';
        start = i + 1;
    }
}

/* Writes what is held back; the last row of a screen is left to the cursor. */
static void write_block(struct screen *screen)
{
    unsigned lines = count_lines(screen->block, screen->used);

    if (screen->stopped) {
        screen->used = 0;
        return;
    }
    if (screen->rows == 0) {
        write_bytes(screen, screen->block, screen->used);
    } else if (lines + 1 > screen->rows) {
        write_lines(screen);
    } else {
        if (screen->rows_used + lines + 1 > screen->rows)
            wait_for_user(screen);
        write_bytes(screen, screen->block, screen->used);
        screen->rows_used += lines;
    }
    screen->used = 0;
}

/* Takes one byte of lines that are as long as they will be. */
static void hold_byte(struct screen *screen, char byte)
{
    bool ends = byte == '\n';

    if (screen->used == SCREEN_BLOCK_SIZE)
        write_block(screen);
    if (!screen->line_begun && byte != ' ' && screen->rows > 0)
        write_block(screen); /* not a line that belongs to those before it */
    screen->block[screen->used++] = byte;
    screen->line_begun = !ends;
    if (ends && screen->rows == 0)
        write_block(screen);
}

static void hold(void *ctx, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hold_byte(ctx, bytes[i]);
}

void screen_open(struct screen *ret_screen, const struct console_port *console)
{
    struct screen_size size = console->screen_size(console->ctx);
    struct sink to = {hold, ret_screen};
    /* Where the last column is filled, firmware goes to the next line by itself; a line's end
     * behind that would be an empty line. */
    unsigned width = size.columns < LEAST_COLUMNS ? 0 : size.columns - 1;

    ret_screen->console = console;
    flow_init(&ret_screen->flow, to, width);
    ret_screen->rows = 0;
    ret_screen->rows_used = 0;
    ret_screen->line_begun = false;
    ret_screen->stopped = false;
    ret_screen->used = 0;
}

void screen_leave_lines(struct screen *screen)
{
    screen_flush(screen);
    flow_init(&screen->flow, screen->flow.to, 0);
}

void screen_wait_pages(struct screen *screen)
{
    screen->rows = screen->console->screen_size(screen->console->ctx).rows;
}

void screen_put(struct screen *screen, const char *bytes, size_t size)
{
    flow_put(&screen->flow, bytes, size);
}

void screen_flush(struct screen *screen)
{
    flow_flush(&screen->flow);
    write_block(screen);
}

void screen_answered(struct screen *screen)
{
    flow_new_line(&screen->flow);
    screen->line_begun = false;
    screen->rows_used = 0;
}

bool screen_take_stop(struct screen *screen)
{
    bool stopped = screen->stopped;

    screen->stopped = false;
    return stopped;
}
