#include "host/host_console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"
#include "linux/console.h"

struct host_console {
    bool stdio;
    struct linux_console terminal; /* over standard input and output */
    struct console_port port;      /* of the terminal */
    struct screen_size size;
    bool colours;
    char *text;
    size_t used;
    size_t room;
    char **answers; /* NULL stands for Ctrl-C */
    size_t answer_count;
    size_t next_answer;
    unsigned polls_left; /* 0: no break to come */
};

struct host_console *host_console_new(void)
{
    struct host_console *console = host_alloc(1, sizeof(*console));

    console->room = 1024;
    console->text = host_alloc(console->room, 1);
    return console;
}

struct host_console *host_console_new_stdio(void)
{
    struct host_console *console = host_console_new();

    linux_console_open(&console->terminal);
    console->stdio = true;
    console->port = linux_console_port(&console->terminal);
    console->size = console->port.screen_size(console->port.ctx);
    console->colours = console->terminal.has_colours;
    return console;
}

void host_console_free(struct host_console *console)
{
    if (console == NULL)
        return;
    for (size_t i = 0; i < console->answer_count; i++)
        free(console->answers[i]);
    free(console->answers);
    free(console->text);
    free(console);
}

/* Keeps and shows bytes as they are. */
static void put(struct host_console *console, const char *text, size_t size)
{
    if (size >= console->room - console->used) {
        console->room = 2 * console->room + size;
        console->text = host_grow(console->text, console->room);
    }
    if (size > 0)
        memcpy(console->text + console->used, text, size);
    console->used += size;
    console->text[console->used] = 0;
    if (console->stdio)
        fwrite(text, 1, size, stdout);
}

/* Marks of colours become ANSI's escape sequences (ECMA-48 8.3.117), or nothing. */
static void console_write(void *ctx, const char *text, size_t size)
{
    struct host_console *console = ctx;
    size_t start = 0;

    for (size_t i = 0; i < size; i++) {
        if (!is_colour(text[i]))
            continue;
        const char *escape = linux_console_colour(text[i]);
        put(console, text + start, i - start);
        if (console->colours)
            put(console, escape, strlen(escape));
        start = i + 1;
    }
    put(console, text + start, size - start);
}

static struct screen_size console_screen_size(void *ctx)
{
    return ((struct host_console *)ctx)->size;
}

/* Gives `line` cut to the caller's buffer, without its end. */
static void give_line(const char *line, char *ret_line, size_t size)
{
    size_t length = strcspn(line, "\r\n");

    if (length > size - 1)
        length = size - 1;
    memcpy(ret_line, line, length);
    ret_line[length] = 0;
}

static enum status console_read_line(void *ctx, char *ret_line, size_t size)
{
    struct host_console *console = ctx;

    if (size == 0)
        host_fail("read_line without a buffer");
    if (console->stdio && console->answer_count == 0)
        return console->port.read_line(console->port.ctx, ret_line, size);
    if (console->next_answer == console->answer_count)
        return ST_IO;
    const char *answer = console->answers[console->next_answer++];
    if (answer == NULL)
        return ST_CANCELLED;
    give_line(answer, ret_line, size);
    console_write(console, ret_line, strlen(ret_line));
    console_write(console, "\n", 1);
    return ST_OK;
}

static enum status console_wait_key(void *ctx)
{
    struct host_console *console = ctx;
    const char *answer = NULL;
    char line[8];

    if (console->stdio && console->answer_count == 0) {
        enum status status = console->port.read_line(console->port.ctx, line, sizeof(line));
        return status == ST_OK && line[0] == 'q' ? ST_CANCELLED : status;
    }
    if (console->next_answer == console->answer_count)
        return ST_IO;
    answer = console->answers[console->next_answer++];
    return answer == NULL || answer[0] == 'q' ? ST_CANCELLED : ST_OK;
}

static bool console_break_requested(void *ctx)
{
    struct host_console *console = ctx;

    if (console->stdio && console->port.break_requested(console->port.ctx))
        return true;
    if (console->polls_left == 0)
        return false;
    console->polls_left--;
    return console->polls_left == 0;
}

/* What a script calls the key: a character is itself. */
static uint32_t key_named(const char *name)
{
    static const struct {
        const char *name;
        uint32_t key;
    } keys[] = {{"", KEY_NONE},          {"enter", KEY_ENTER},        {"esc", KEY_ESC},
                {"up", KEY_UP},          {"down", KEY_DOWN},          {"right", KEY_RIGHT},
                {"left", KEY_LEFT},      {"home", KEY_HOME},          {"end", KEY_END},
                {"pageup", KEY_PAGE_UP}, {"pagedown", KEY_PAGE_DOWN}, {"backspace", KEY_BACKSPACE},
                {"delete", KEY_DELETE},  {"other", KEY_OTHER}};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i].name, name) == 0)
            return keys[i].key;
    }
    if (strlen(name) != 1)
        host_fail("the script has no key but something else where one is read");
    return (unsigned char)name[0];
}

static enum status console_read_key(void *ctx, uint32_t milliseconds, uint32_t *ret_key)
{
    struct host_console *console = ctx;

    if (console->next_answer < console->answer_count) {
        const char *answer = console->answers[console->next_answer++];
        *ret_key = answer == NULL ? (uint32_t)KEY_CTRL_C : key_named(answer);
        return ST_OK;
    }
    if (milliseconds == KEY_WAIT_FOREVER)
        return ST_IO;
    *ret_key = KEY_NONE;
    return ST_OK;
}

/* ECMA-48 8.3.39, 8.3.21. */
static void console_clear(void *ctx, bool cursor)
{
    (void)cursor;
    if (((struct host_console *)ctx)->size.rows > 0)
        put(ctx, "\033[2J\033[1;1H", 10);
}

static void console_move(void *ctx, unsigned column, unsigned row)
{
    char text[32];

    if (((struct host_console *)ctx)->size.rows > 0)
        put(ctx, text, (size_t)snprintf(text, sizeof(text), "\033[%u;%uH", row + 1, column + 1));
}

struct console_port host_console_port(struct host_console *console)
{
    struct console_port port = {
        .ctx = console,
        .write = console_write,
        .read_line = console_read_line,
        .screen_size = console_screen_size,
        .wait_key = console_wait_key,
        .read_key = console_read_key,
        .break_requested = console_break_requested,
        .clear = console_clear,
        .move = console_move,
    };
    return port;
}

void host_console_answer(struct host_console *console, const char *text)
{
    console->answers =
        host_grow(console->answers, (console->answer_count + 1) * sizeof(*console->answers));
    console->answers[console->answer_count++] = text != NULL ? host_copy_text(text) : NULL;
}

size_t host_console_answers_left(const struct host_console *console)
{
    return console->answer_count - console->next_answer;
}

void host_console_break_at(struct host_console *console, unsigned polls)
{
    console->polls_left = polls;
}

const char *host_console_text(const struct host_console *console)
{
    return console->text;
}

void host_console_clear(struct host_console *console)
{
    console->used = 0;
    console->text[0] = 0;
}

void host_console_set_screen(struct host_console *console, struct screen_size size, bool colours)
{
    console->size = size;
    console->colours = colours;
}
