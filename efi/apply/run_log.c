#include "apply/run_log.h"

#include "base/mem.h"
#include "base/print.h"

#define MARK      "=== shadowboot "
#define MARK_SIZE (sizeof(MARK) - 1)
#define HEAD_SIZE 64u

enum status run_log_replace(const struct files_port *files, const char *path, struct span content)
{
    if (files->self >= files->volume_count)
        return ST_ABSENT;
    if (files->volumes[files->self].read_only)
        return ST_READ_ONLY;
    return files->write(files->ctx, files->self, path, FILE_REPLACE, content.at, content.size);
}

/* True when a run begins there. */
static bool run_begins(struct span log, size_t at)
{
    return log.size - at >= MARK_SIZE && memcmp(log.at + at, MARK, MARK_SIZE) == 0 &&
           (at == 0 || log.at[at - 1] == '\n');
}

/* The latest whole runs of the log that take no more than `room` bytes. */
static struct span latest_runs(struct span log, size_t room)
{
    for (size_t at = 0; at < log.size; at++) {
        if (log.size - at <= room && run_begins(log, at))
            return span_part(log, at, log.size - at);
    }
    return span_of(NULL, 0);
}

/* What is in the log now; nothing when it cannot be read. */
static struct span read_earlier(const struct files_port *files, uint8_t *room)
{
    size_t got = 0;

    if (files->self >= files->volume_count ||
        files->read(files->ctx, files->self, RUN_LOG_FILE, 0, room, RUN_LOG_MOST, &got) != ST_OK)
        return span_of(NULL, 0);
    return span_of(room, got);
}

enum status run_log_append(struct arena *arena, const struct files_port *files,
                           const struct clock_port *clock, struct span run)
{
    size_t mark = arena_mark(arena);
    uint8_t *room = arena_alloc(arena, 1, RUN_LOG_MOST);
    char *whole = arena_alloc(arena, 1, RUN_LOG_MOST + 1);
    struct date_time now = clock_date(clock);
    struct text_buffer text;

    if (room == NULL || whole == NULL)
        return ST_NO_MEMORY;
    size_t size = run.size < RUN_LOG_MOST / 2 ? run.size : RUN_LOG_MOST / 2;
    struct span old = latest_runs(read_earlier(files, room), RUN_LOG_MOST - HEAD_SIZE - size);
    if (old.size > 0)
        memcpy(whole, old.at, old.size);
    text_buffer_init(&text, whole + old.size, RUN_LOG_MOST + 1 - old.size);
    text_buffer_printf(&text, MARK "%04u-%02u-%02u %02u:%02u:%02u\n", now.year, now.month, now.day,
                       now.hour, now.minute, now.second);
    struct sink sink = text_buffer_sink(&text);
    sink.put(sink.ctx, (const char *)run.at, size);
    enum status status = run_log_replace(files, RUN_LOG_FILE, span_of(whole, old.size + text.used));
    arena_release(arena, mark);
    return status;
}
