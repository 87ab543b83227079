#include "progress.h"

#include "cmd/screen.h"

#define SHOW_EVERY 500000u /* microseconds: a console over a serial line is slow */
#define LINE_SIZE  128

static uint64_t now(const struct progress *progress)
{
    const struct clock_port *clock = &progress->context->ports->clock;

    return clock->microseconds(clock->ctx);
}

void progress_start(struct progress *progress, struct context *context)
{
    *progress = (struct progress){.context = context};
    progress->started = now(progress);
    progress->shown = progress->started;
    progress->ended = progress->started;
}

/* Writes blanks over what is left of a longer line. */
static void put_line(struct progress *progress, const char *line, size_t length)
{
    int blanks = progress->width > length ? (int)(progress->width - length) : 0;

    say(progress->context, "\r%s%*s", line, blanks, "");
    screen_flush(progress->context->screen);
    progress->width = length;
}

static void show(struct progress *progress, uint64_t done, uint64_t total, uint64_t elapsed)
{
    struct text_buffer text;
    char line[LINE_SIZE];
    char have[SIZE_TEXT_SIZE];
    char all[SIZE_TEXT_SIZE];
    char rate[SIZE_TEXT_SIZE];
    uint64_t milliseconds = elapsed / 1000;
    uint64_t left = done > 0 ? (total - done) / (done / milliseconds + 1) / 1000 : 0;

    text_buffer_init(&text, line, sizeof(line));
    text_buffer_printf(&text, "  %s of %s, %s/s, %llu s left", format_size(done, have),
                       format_size(total, all), format_size(done * 1000 / milliseconds, rate),
                       (unsigned long long)left);
    put_line(progress, line, text.used);
}

bool progress_step(void *ctx, uint64_t done, uint64_t total)
{
    struct progress *progress = ctx;
    const struct console_port *console = &progress->context->ports->console;
    uint64_t time = now(progress);

    if (done == 0) {
        progress->started = time; /* reading and the journal are over */
        progress->shown = time;
    }
    progress->bytes = done;
    progress->ended = time;
    if (!progress->context->sfo && time - progress->shown >= SHOW_EVERY) {
        show(progress, done, total, time - progress->started);
        progress->shown = time;
    }
    return console->break_requested(console->ctx);
}

void progress_end(struct progress *progress)
{
    struct context *context = progress->context;
    uint64_t elapsed = progress->ended - progress->started;
    char bytes[THOUSANDS_SIZE];

    if (progress->width > 0) {
        put_line(progress, "", 0);
        say(context, "\r");
    }
    if (context->verbose && !context->sfo && progress->bytes > 0)
        say(context, "Written: %s bytes in %llu ms.\n", format_thousands(progress->bytes, bytes),
            (unsigned long long)(elapsed / 1000));
}
