/* The console of the program for Linux: on a terminal (a pty that the test is the other end of), and
 * where there is none. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "linux/console.h"

static struct {
    int user; /* the end that a person types at and reads */
    int kept[2];
    struct linux_console console;
    struct console_port port;
} terminal;

/* Standard input and output become that file. Whether Ctrl-C is ignored is not whoever has started
 * the test to say. */
static void stand_on(int in, int out, void (*at_interrupt)(int))
{
    fflush(NULL);
    assert_true(signal(SIGINT, at_interrupt) != SIG_ERR);
    terminal.kept[0] = dup(STDIN_FILENO);
    terminal.kept[1] = dup(STDOUT_FILENO);
    assert_true(dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0);
    linux_console_open(&terminal.console);
    terminal.port = linux_console_port(&terminal.console);
}

static int tear_down(void **state)
{
    (void)state;
    fflush(stdout);
    clearerr(stdin);
    for (int i = 0; i < 2; i++) {
        if (dup2(terminal.kept[i], i) < 0)
            return -1;
        close(terminal.kept[i]);
    }
    close(terminal.user);
    return 0;
}

static int open_terminal(unsigned short columns, unsigned short rows, void (*at_interrupt)(int))
{
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    struct termios mode;

    terminal.user = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(grantpt(terminal.user) == 0 && unlockpt(terminal.user) == 0);
    int own = open(ptsname(terminal.user), O_RDWR | O_NOCTTY);
    assert_true(own >= 0 && tcgetattr(own, &mode) == 0);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    mode.c_lflag &= ~(tcflag_t)ECHO;
    assert_int_equal(tcsetattr(own, TCSANOW, &mode), 0);
    assert_int_equal(ioctl(own, TIOCSWINSZ, &size), 0);
    stand_on(own, own, at_interrupt);
    close(own);
    return 0;
}

static int on_a_terminal(void **state)
{
    (void)state;
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
    unsetenv("LINES");
    return open_terminal(100, 30, SIG_DFL);
}

/* As nohup starts a program. */
static int where_interrupts_are_ignored(void **state)
{
    (void)state;
    return open_terminal(100, 30, SIG_IGN);
}

/* What is typed before a key is waited for is not taken apart by the line discipline. */
static int on_a_raw_terminal(void **state)
{
    struct termios mode;

    (void)on_a_terminal(state);
    assert_int_equal(tcgetattr(STDIN_FILENO, &mode), 0);
    mode.c_lflag &= ~(tcflag_t)(ICANON | ISIG);
    assert_int_equal(tcsetattr(STDIN_FILENO, TCSANOW, &mode), 0);
    return 0;
}

static int on_a_serial_line(void **state)
{
    (void)state;
    setenv("COLUMNS", "132", 1);
    setenv("LINES", "none", 1);
    return open_terminal(0, 0, SIG_DFL);
}

static int without_colours(void **state)
{
    (void)state;
    setenv("NO_COLOR", "1", 1);
    return open_terminal(100, 30, SIG_DFL);
}

/* Output goes to a pipe, which the test reads; input comes from nowhere. */
static int without_a_terminal(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    int nothing = open("/dev/null", O_RDONLY);
    assert_true(nothing >= 0);
    stand_on(nothing, ends[1], SIG_DFL);
    close(nothing);
    close(ends[1]);
    terminal.user = ends[0];
    return 0;
}

static void type(const char *text)
{
    size_t size = strlen(text);

    assert_int_equal(write(terminal.user, text, size), (ssize_t)size);
}

/* Fails the test unless the terminal has been given just that since the last time. */
static void assert_shown(const char *text)
{
    char shown[256];

    fflush(stdout);
    ssize_t size = read(terminal.user, shown, sizeof(shown) - 1);
    shown[size < 0 ? 0 : size] = '\0';
    assert_string_equal(shown, text);
}

static void write_text(const char *text)
{
    terminal.port.write(terminal.port.ctx, text, strlen(text));
}

static struct screen_size size_now(void)
{
    return terminal.port.screen_size(terminal.port.ctx);
}

/* --- Output --------------------------------------------------------------------------------- */

static void terminal_says_its_size(void **state)
{
    (void)state;
    assert_int_equal(size_now().columns, 100);
    assert_int_equal(size_now().rows, 30);
}

static void size_that_a_line_does_not_say_is_taken_from_the_environment(void **state)
{
    (void)state;
    assert_int_equal(size_now().columns, 132);
    assert_int_equal(size_now().rows, 25);
}

/* ECMA-48: SGR, ED, CUP. */
static void marks_become_sequences_of_the_terminal(void **state)
{
    (void)state;
    write_text("a" COLOUR_BAD "b" COLOUR_CHOSEN "c" COLOUR_PLAIN "\n");
    assert_shown("a\033[1;31mb\033[0;7mc\033[0m\n");
    terminal.port.clear(terminal.port.ctx, false);
    terminal.port.move(terminal.port.ctx, 9, 4);
    assert_shown("\033[2J\033[1;1H\033[?25l\033[5;10H");
    terminal.port.clear(terminal.port.ctx, true);
    assert_shown("\033[2J\033[1;1H\033[?25h");
}

static void no_colour_is_a_wish(void **state)
{
    (void)state;
    write_text("a" COLOUR_BAD "b" COLOUR_PLAIN "\n");
    assert_shown("ab\n");
    assert_int_equal(size_now().columns, 100);
}

static void pipe_gets_plain_text(void **state)
{
    (void)state;
    write_text(COLOUR_GOOD "a" COLOUR_PLAIN "\n");
    terminal.port.clear(terminal.port.ctx, false);
    terminal.port.move(terminal.port.ctx, 1, 1);
    assert_shown("a\n");
    assert_int_equal(size_now().columns, 0);
    assert_int_equal(size_now().rows, 0);
}

/* What it says to type is then said with the options of this program. */
static void advice_is_noticed_also_over_two_lines(void **state)
{
    (void)state;
    write_text("shadowboot-linux, a shadowboot. Or shadowboot 2\n");
    assert_false(terminal.console.has_advice);
    write_text("type shadow");
    write_text("boot\n    repair\n");
    assert_true(terminal.console.has_advice);
}

/* --- Input ---------------------------------------------------------------------------------- */

static uint32_t key_of(const char *typed)
{
    uint32_t key = 99;

    type(typed);
    assert_int_equal(terminal.port.read_key(terminal.port.ctx, KEY_WAIT_FOREVER, &key), ST_OK);
    return key;
}

static void keys_are_known_by_what_terminals_send(void **state)
{
    static const struct {
        const char *typed;
        uint32_t key;
    } keys[] = {
        {"x", 'x'},
        {"\r", KEY_ENTER},
        {"\177", KEY_BACKSPACE},
        {"\033", KEY_ESC},
        {"\033[A", KEY_UP},
        {"\033OB", KEY_DOWN},
        {"\033[C", KEY_RIGHT},
        {"\033[D", KEY_LEFT},
        {"\033[1~", KEY_HOME},
        {"\033[F", KEY_END},
        {"\033[3~", KEY_DELETE},
        {"\033[5~", KEY_PAGE_UP},
        {"\033[6~", KEY_PAGE_DOWN},
        {"\033[15~", KEY_OTHER},
        {"\003", KEY_CTRL_C},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_equal(key_of(keys[i].typed), keys[i].key);
    assert_int_equal(key_of("\303"), KEY_OTHER);
}

/* The terminal is left as it was. */
static void key_that_is_not_pressed_in_time_is_none(void **state)
{
    struct termios before;
    struct termios after;
    uint32_t key = 99;

    (void)state;
    assert_int_equal(tcgetattr(STDIN_FILENO, &before), 0);
    assert_true((before.c_lflag & ICANON) != 0);
    assert_int_equal(terminal.port.read_key(terminal.port.ctx, 1, &key), ST_OK);
    assert_int_equal(key, KEY_NONE);
    assert_int_equal(tcgetattr(STDIN_FILENO, &after), 0);
    assert_int_equal(after.c_lflag, before.c_lflag);
}

static void page_goes_on_at_any_key_but_q(void **state)
{
    (void)state;
    type(" ");
    assert_int_equal(terminal.port.wait_key(terminal.port.ctx), ST_OK);
    type("q");
    assert_int_equal(terminal.port.wait_key(terminal.port.ctx), ST_CANCELLED);
    type("\033");
    assert_int_equal(terminal.port.wait_key(terminal.port.ctx), ST_CANCELLED);
}

static void line_ends_with_its_end_and_is_cut_to_its_room(void **state)
{
    char line[4] = "";

    (void)state;
    type("ab\nlonger\n");
    assert_int_equal(terminal.port.read_line(terminal.port.ctx, line, sizeof(line)), ST_OK);
    assert_string_equal(line, "ab");
    assert_int_equal(terminal.port.read_line(terminal.port.ctx, line, sizeof(line)), ST_OK);
    assert_string_equal(line, "lon");
}

/* Ctrl-C while a question is asked: that question is left, the next one is not. */
static void interrupted_line_is_cancelled_once(void **state)
{
    char line[4] = "";

    (void)state;
    type("y\nn\n");
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(terminal.port.read_line(terminal.port.ctx, line, sizeof(line)), ST_CANCELLED);
    assert_string_equal(line, "");
    assert_int_equal(terminal.port.read_line(terminal.port.ctx, line, sizeof(line)), ST_OK);
    assert_string_equal(line, "n");
}

static void ignored_interrupt_stays_ignored(void **state)
{
    char line[4] = "";

    (void)state;
    type("y\n");
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(terminal.port.read_line(terminal.port.ctx, line, sizeof(line)), ST_OK);
    assert_string_equal(line, "y");
}

static void nobody_types_where_there_is_no_terminal(void **state)
{
    uint32_t key = 99;
    char line[4] = "";

    (void)state;
    assert_int_equal(terminal.port.read_key(terminal.port.ctx, 1, &key), ST_IO);
    assert_int_equal(key, 99);
    assert_int_equal(terminal.port.wait_key(terminal.port.ctx), ST_IO);
    assert_int_equal(terminal.port.read_line(terminal.port.ctx, line, sizeof(line)), ST_IO);
}

#define ROW(test, set_up) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(terminal_says_its_size, on_a_terminal),
        ROW(size_that_a_line_does_not_say_is_taken_from_the_environment, on_a_serial_line),
        ROW(marks_become_sequences_of_the_terminal, on_a_terminal),
        ROW(no_colour_is_a_wish, without_colours),
        ROW(pipe_gets_plain_text, without_a_terminal),
        ROW(advice_is_noticed_also_over_two_lines, on_a_terminal),
        ROW(keys_are_known_by_what_terminals_send, on_a_raw_terminal),
        ROW(key_that_is_not_pressed_in_time_is_none, on_a_terminal),
        ROW(page_goes_on_at_any_key_but_q, on_a_raw_terminal),
        ROW(line_ends_with_its_end_and_is_cut_to_its_room, on_a_terminal),
        ROW(interrupted_line_is_cancelled_once, on_a_terminal),
        ROW(ignored_interrupt_stays_ignored, where_interrupts_are_ignored),
        ROW(nobody_types_where_there_is_no_terminal, without_a_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
