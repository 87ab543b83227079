#define _GNU_SOURCE

#include "console.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define COLUMNS_USUAL 80u
#define ROWS_USUAL    25u
#define ESCAPE_WAIT   50 /* milliseconds in which the rest of a key's sequence follows its Escape */
#define SEQUENCE_SIZE 8u

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* A signal that whoever started the program has it ignore (nohup) stays ignored. */
static void take_signal(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    struct sigaction before;

    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

void linux_console_open(struct linux_console *ret_console)
{
    static const int wishes[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
        take_signal(wishes[i], on_interrupt);
    take_signal(SIGPIPE, SIG_IGN);
    ret_console->has_advice = false;
    ret_console->matched = 0;
    ret_console->is_screen = isatty(STDOUT_FILENO) != 0;
    ret_console->has_colours = ret_console->is_screen && getenv("NO_COLOR") == NULL;
}

const char *linux_console_colour(char mark)
{
    static const char *const escapes[] = {
        [1] = "\033[0m",    [2] = "\033[1;32m", [3] = "\033[1;33m",
        [4] = "\033[1;31m", [5] = "\033[0;7m",  [6] = "\033[1m"};

    return escapes[(int)mark];
}

/* Looks for the name of the firmware's program with a command behind it, on this line or the next. */
static void look_for_advice(struct linux_console *console, const char *text, size_t size)
{
    static const char name[] = "shadowboot";
    const size_t length = sizeof(name) - 1;

    for (size_t i = 0; i < size; i++) {
        bool blank = text[i] == ' ' || text[i] == '\n';
        if (console->matched < length && text[i] == name[console->matched])
            console->matched++;
        else if (console->matched >= length && blank)
            console->matched = length + 1;
        else {
            bool command = text[i] >= 'a' && text[i] <= 'z';
            console->has_advice |= console->matched > length && command;
            console->matched = text[i] == name[0];
        }
    }
}

static void write_text(void *ctx, const char *text, size_t size)
{
    struct linux_console *console = ctx;
    size_t start = 0;

    look_for_advice(console, text, size);
    for (size_t i = 0; i < size; i++) {
        if (!is_colour(text[i]))
            continue;
        fwrite(text + start, 1, i - start, stdout);
        if (console->has_colours)
            fputs(linux_console_colour(text[i]), stdout);
        start = i + 1;
    }
    fwrite(text + start, 1, size - start, stdout);
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *value = getenv(name);
    unsigned long number = value == NULL ? 0 : strtoul(value, NULL, 10);

    return number > 0 && number < 10000 ? (unsigned)number : otherwise;
}

/* As large as the terminal says; a serial line says nothing. */
static struct screen_size screen_size(void *ctx)
{
    const struct linux_console *console = ctx;
    struct winsize size = {0};

    if (!console->is_screen)
        return (struct screen_size){0, 0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
        return (struct screen_size){size.ws_col, size.ws_row};
    return (struct screen_size){from_environment("COLUMNS", COLUMNS_USUAL),
                                from_environment("LINES", ROWS_USUAL)};
}

static enum status read_line(void *ctx, char *ret_line, size_t size)
{
    char *line = NULL;
    size_t room = 0;

    (void)ctx;
    fflush(stdout);
    ssize_t length = getline(&line, &room, stdin);
    if (length >= 0 && !interrupted && size > 0) {
        line[strcspn(line, "\r\n")] = 0;
        snprintf(ret_line, size, "%s", line);
    }
    free(line);
    if (interrupted) {
        clearerr(stdin);
        interrupted = 0;
        return ST_CANCELLED;
    }
    return length >= 0 ? ST_OK : ST_IO;
}

/* Waits for input; 0 for ever. False when there was none in time. */
static bool wait_for_input(int milliseconds)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&input, 1, milliseconds) > 0;
}

/* The next byte of input, or -1. */
static int next_byte(int milliseconds)
{
    unsigned char byte = 0;

    if (!wait_for_input(milliseconds) || read(STDIN_FILENO, &byte, 1) != 1)
        return -1;
    return byte;
}

/* The key of what follows Escape (ECMA-48 8.3.19 and following, as terminals send it). */
static uint32_t key_of_sequence(void)
{
    static const struct {
        const char *sequence;
        uint32_t key;
    } keys[] = {{"[A", KEY_UP},     {"[B", KEY_DOWN}, {"[C", KEY_RIGHT},    {"[D", KEY_LEFT},
                {"[H", KEY_HOME},   {"[F", KEY_END},  {"[1~", KEY_HOME},    {"[4~", KEY_END},
                {"OA", KEY_UP},     {"OB", KEY_DOWN}, {"OC", KEY_RIGHT},    {"OD", KEY_LEFT},
                {"OH", KEY_HOME},   {"OF", KEY_END},  {"[5~", KEY_PAGE_UP}, {"[6~", KEY_PAGE_DOWN},
                {"[3~", KEY_DELETE}};
    char sequence[SEQUENCE_SIZE] = "";
    size_t used = 0;

    for (int byte = next_byte(ESCAPE_WAIT); byte >= 0; byte = next_byte(ESCAPE_WAIT)) {
        sequence[used++] = (char)byte;
        bool ends = used > 1 && ((byte >= 'A' && byte <= 'Z') || byte == '~');
        if (ends || used == sizeof(sequence) - 1)
            break;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i].sequence, sequence) == 0)
            return keys[i].key;
    }
    return used == 0 ? (uint32_t)KEY_ESC : (uint32_t)KEY_OTHER;
}

static uint32_t key_of(int byte)
{
    if (byte == '\033')
        return key_of_sequence();
    if (byte == '\r' || byte == '\n')
        return KEY_ENTER;
    if (byte == 0x7f)
        return KEY_BACKSPACE; /* what terminals send for it */
    return byte < 0x80 ? (uint32_t)byte : (uint32_t)KEY_OTHER;
}

static enum status read_key(void *ctx, uint32_t milliseconds, uint32_t *ret_key)
{
    struct termios before;
    bool for_ever = milliseconds == KEY_WAIT_FOREVER;

    (void)ctx;
    fflush(stdout);
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return ST_IO;
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    bool ready = wait_for_input(for_ever ? -1 : (int)(milliseconds & INT32_MAX));
    int byte = ready ? next_byte(0) : -1;
    uint32_t key = byte < 0 ? (uint32_t)KEY_NONE : key_of(byte);
    if (!ready && interrupted) {
        interrupted = 0;
        key = KEY_CTRL_C;
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    if (ready && byte < 0)
        return ST_IO;
    *ret_key = key;
    return ST_OK;
}

static enum status wait_key(void *ctx)
{
    uint32_t key = KEY_NONE;
    enum status status = read_key(ctx, KEY_WAIT_FOREVER, &key);
    bool stops = key == 'q' || key == KEY_CTRL_C || key == KEY_ESC;

    return status == ST_OK && stops ? ST_CANCELLED : status;
}

static bool break_requested(void *ctx)
{
    (void)ctx;
    if (!interrupted)
        return false;
    interrupted = 0;
    return true;
}

/* ECMA-48 8.3.39, 8.3.21; the cursor as DEC's terminals hide and show it. */
static void clear(void *ctx, bool cursor)
{
    if (((const struct linux_console *)ctx)->is_screen)
        printf("\033[2J\033[1;1H\033[?25%c", cursor ? 'h' : 'l');
}

static void move_cursor(void *ctx, unsigned column, unsigned row)
{
    if (((const struct linux_console *)ctx)->is_screen)
        printf("\033[%u;%uH", row + 1, column + 1);
}

struct console_port linux_console_port(struct linux_console *console)
{
    struct console_port port = {
        .ctx = console,
        .write = write_text,
        .screen_size = screen_size,
        .read_line = read_line,
        .wait_key = wait_key,
        .read_key = read_key,
        .break_requested = break_requested,
        .clear = clear,
        .move = move_cursor,
    };
    return port;
}
