/*
 * The screen of a firmware: one with a single text mode, whose attribute starts as 0, as U-Boot's is; one whose mode
 * cannot be asked for; and what only looks like a screen. What text, colours and lines that are typed become on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../efi/firmware/console.c"
#define device_path_guid other_device_path_guid /* each file has its own */
#include "../../efi/firmware/uefi.c"
#undef device_path_guid

static struct {
    SIMPLE_TEXT_OUTPUT_MODE mode;
    EFI_SIMPLE_TEXT_OUT_PROTOCOL out;
    EFI_SYSTEM_TABLE system;
    struct uefi uefi;
    bool takes_attributes;
    EFI_STATUS asked;
    size_t cleared;
    size_t moved;
    size_t modes_set;
    CHAR16 shown[2048]; /* what was put out; an attribute stands there as its number + 0xf000 */
    size_t shown_count;
    size_t most_at_once;
    bool notes_attributes;
    const EFI_INPUT_KEY *keys; /* still to be pressed */
    size_t key_count;
    enum status no_key; /* what comes when there are none */
    EFI_SHELL_PROTOCOL shell;
    const CHAR16 *columns;
    bool page_break;
} firmware;

enum status keyboard_read(const struct uefi *uefi, uint32_t milliseconds, EFI_INPUT_KEY *ret_key)
{
    (void)uefi;
    (void)milliseconds;
    if (firmware.key_count == 0)
        return firmware.no_key;
    *ret_key = *firmware.keys++;
    firmware.key_count--;
    return ST_OK;
}

uint32_t keyboard_code(EFI_INPUT_KEY key)
{
    return key.UnicodeChar;
}

bool keyboard_take_break(const struct uefi *uefi)
{
    (void)uefi;
    return false;
}

static EFI_STATUS EFIAPI set_attribute(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, UINTN attribute)
{
    if (firmware.takes_attributes)
        device->Mode->Attribute = (INT32)attribute;
    if (firmware.notes_attributes)
        firmware.shown[firmware.shown_count++] = (CHAR16)(0xf000 + attribute);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI output_string(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, CHAR16 *text)
{
    size_t count = 0;

    (void)device;
    for (; text[count] != 0; count++)
        firmware.shown[firmware.shown_count++] = text[count];
    if (count > firmware.most_at_once)
        firmware.most_at_once = count;
    return EFI_SUCCESS;
}

static const CHAR16 *EFIAPI get_env(const CHAR16 *name)
{
    static const CHAR16 wanted[] = {'C', 'O', 'L', 'U', 'M', 'N', 'S', 0};

    return memcmp(name, wanted, sizeof(wanted)) == 0 ? firmware.columns : NULL;
}

static BOOLEAN EFIAPI get_page_break(void)
{
    return firmware.page_break;
}

static void EFIAPI disable_page_break(void)
{
    firmware.page_break = false;
}

static void EFIAPI enable_page_break(void)
{
    firmware.page_break = true;
}

static EFI_STATUS EFIAPI set_mode(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, UINTN mode)
{
    (void)device;
    (void)mode;
    firmware.modes_set++;
    return EFI_UNSUPPORTED;
}

/* Mode 0 is all there is. */
static EFI_STATUS EFIAPI query_mode(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, UINTN mode,
                                    UINTN *ret_columns, UINTN *ret_rows)
{
    (void)device;
    if (mode != 0 || firmware.asked != EFI_SUCCESS)
        return mode != 0 ? EFI_UNSUPPORTED : firmware.asked;
    *ret_columns = 80;
    *ret_rows = 25;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI clear_screen(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device)
{
    (void)device;
    firmware.cleared++;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_cursor_position(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, UINTN column,
                                             UINTN row)
{
    device->Mode->CursorColumn = (INT32)column;
    device->Mode->CursorRow = (INT32)row;
    firmware.moved++;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI enable_cursor(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, BOOLEAN visible)
{
    device->Mode->CursorVisible = visible;
    return EFI_UNSUPPORTED;
}

static int set_up(void **state)
{
    (void)state;
    memset(&firmware, 0, sizeof(firmware));
    firmware.mode = (SIMPLE_TEXT_OUTPUT_MODE){.MaxMode = 1};
    firmware.out = (EFI_SIMPLE_TEXT_OUT_PROTOCOL){.OutputString = output_string,
                                                  .SetAttribute = set_attribute,
                                                  .SetMode = set_mode,
                                                  .QueryMode = query_mode,
                                                  .ClearScreen = clear_screen,
                                                  .EnableCursor = enable_cursor,
                                                  .SetCursorPosition = set_cursor_position,
                                                  .Mode = &firmware.mode};
    firmware.system.ConOut = &firmware.out;
    firmware.uefi.system = &firmware.system;
    firmware.takes_attributes = true;
    firmware.no_key = ST_IO;
    firmware.shell.GetEnv = get_env;
    firmware.shell.GetPageBreak = get_page_break;
    firmware.shell.DisablePageBreak = disable_page_break;
    firmware.shell.EnablePageBreak = enable_page_break;
    return 0;
}

static struct screen_size size_now(void)
{
    struct uefi_console console;
    struct console_port port;

    uefi_console_open(&firmware.uefi, &console, &port);
    return port.screen_size(port.ctx);
}

static void single_mode_is_the_screen(void **state)
{
    struct uefi_console console;
    struct console_port port;

    (void)state;
    uefi_console_open(&firmware.uefi, &console, &port);
    struct screen_size size = port.screen_size(port.ctx);
    assert_int_equal(size.columns, 80);
    assert_int_equal(size.rows, 25);
    port.clear(port.ctx, false);
    assert_int_equal(firmware.cleared, 1);
    assert_int_equal(firmware.mode.Attribute, 0);
    assert_int_equal(firmware.modes_set, 0);
}

/* Cells are counted from 0 (UEFI Specification 12.4.8). */
static void cursor_goes_where_it_is_told_but_in_no_file(void **state)
{
    struct uefi_console console;
    struct console_port port;

    (void)state;
    uefi_console_open(&firmware.uefi, &console, &port);
    port.move(port.ctx, 79, 24);
    assert_int_equal(firmware.mode.CursorColumn, 79);
    assert_int_equal(firmware.mode.CursorRow, 24);
    firmware.takes_attributes = false;
    uefi_console_open(&firmware.uefi, &console, &port);
    port.move(port.ctx, 1, 1);
    port.clear(port.ctx, false);
    assert_int_equal(firmware.moved, 1);
    assert_int_equal(firmware.cleared, 0);
}

static void mode_that_is_not_told_has_no_size(void **state)
{
    (void)state;
    firmware.asked = EFI_DEVICE_ERROR;
    assert_int_equal(size_now().columns, 0);
    assert_int_equal(size_now().rows, 0);
}

static void what_takes_no_attribute_is_a_file(void **state)
{
    (void)state;
    firmware.takes_attributes = false;
    assert_int_equal(size_now().columns, 0);
    firmware.out.Mode = NULL;
    assert_int_equal(size_now().columns, 0);
    firmware.system.ConOut = NULL;
    assert_int_equal(size_now().columns, 0);
}

/* --- Output --------------------------------------------------------------------------------- */

static struct uefi_console console;
static struct console_port port;

static void open_console(void)
{
    uefi_console_open(&firmware.uefi, &console, &port);
    firmware.notes_attributes = true;
}

/* Fails the test unless that is what was put out since the last time. */
static void assert_shown(const CHAR16 *units, size_t size)
{
    assert_int_equal(firmware.shown_count, size / sizeof(*units));
    assert_memory_equal(firmware.shown, units, size);
    firmware.shown_count = 0;
}

#define ASSERT_SHOWN(...) \
    assert_shown((const CHAR16[]){__VA_ARGS__}, sizeof((const CHAR16[]){__VA_ARGS__}))

static void write_text(const char *text)
{
    port.write(port.ctx, text, strlen(text));
}

static void text_becomes_ucs2(void **state)
{
    (void)state;
    open_console();
    write_text("a\n");
    ASSERT_SHOWN('a', '\r', '\n');
    write_text("\xc3\xa4\xe2\x82\xac");
    ASSERT_SHOWN(0xe4, 0x20ac);
    write_text("\xe2\x82"); /* the rest comes later */
    assert_int_equal(firmware.shown_count, 0);
    write_text("\xac!");
    ASSERT_SHOWN(0x20ac, '!');
    firmware.system.ConOut = NULL;
    write_text("nobody sees it");
    assert_int_equal(firmware.shown_count, 0);
}

static void what_ucs2_cannot_say_is_a_question_mark(void **state)
{
    (void)state;
    open_console();
    write_text("\xf0\x9f\x98\x80"
               "x");
    ASSERT_SHOWN('?', 'x');
    write_text("\x80\xc3y");
    ASSERT_SHOWN('?', '?', 'y');
    port.write(port.ctx, "", 1);
    ASSERT_SHOWN('?');
}

static void long_text_comes_in_pieces_and_whole(void **state)
{
    char text[1001];

    (void)state;
    open_console();
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    write_text(text);
    assert_int_equal(firmware.shown_count, 1000);
    assert_int_equal(firmware.shown[999], 'x');
    assert_in_range(firmware.most_at_once, 1, 256);
}

/* Attributes: UEFI Specification 12.4.6; letters in the low four bits. */
static void colours_stand_on_the_ground_that_was_there(void **state)
{
    (void)state;
    firmware.mode.Attribute = 0x17; /* light grey on blue */
    open_console();
    write_text(COLOUR_PLAIN "a");
    ASSERT_SHOWN('a');
    write_text(COLOUR_GOOD "a" COLOUR_WARNING "b" COLOUR_BAD "c" COLOUR_TITLE "d" COLOUR_CHOSEN
                           "e" COLOUR_PLAIN "f");
    ASSERT_SHOWN(0xf01a, 'a', 0xf01e, 'b', 0xf01c, 'c', 0xf01f, 'd', 0xf070, 'e', 0xf017, 'f');
    write_text(COLOUR_BAD);
    firmware.shown_count = 0;
    uefi_console_close(&console);
    ASSERT_SHOWN(0xf017);
}

/* Bright letters on light grey cannot be read. */
static void light_ground_keeps_its_letters(void **state)
{
    (void)state;
    firmware.mode.Attribute = 0x70;
    open_console();
    write_text(COLOUR_BAD "a" COLOUR_PLAIN);
    ASSERT_SHOWN(0xf070, 'a', 0xf070);
}

static void file_gets_no_colours(void **state)
{
    (void)state;
    firmware.takes_attributes = false;
    open_console();
    write_text(COLOUR_BAD "a" COLOUR_PLAIN "\n");
    ASSERT_SHOWN('a', '\r', '\n');
    port.clear(port.ctx, true);
    assert_int_equal(firmware.cleared, 0);
}

static void shells_width_is_taken_and_its_page_break_given_back(void **state)
{
    static const CHAR16 wide[] = {'1', '3', '2', 0};
    static const CHAR16 word[] = {'x', 0};

    (void)state;
    firmware.uefi.shell = &firmware.shell;
    firmware.page_break = true;
    open_console();
    assert_false(firmware.page_break);
    assert_int_equal(port.screen_size(port.ctx).columns, 80);
    firmware.columns = wide;
    assert_int_equal(port.screen_size(port.ctx).columns, 132);
    assert_int_equal(port.screen_size(port.ctx).rows, 25);
    firmware.columns = word;
    assert_int_equal(port.screen_size(port.ctx).columns, 80);
    uefi_console_close(&console);
    assert_true(firmware.page_break);
}

/* --- Input ---------------------------------------------------------------------------------- */

static void press(const EFI_INPUT_KEY *keys, size_t count)
{
    firmware.keys = keys;
    firmware.key_count = count;
}

#define PRESS(...)                              \
    press((const EFI_INPUT_KEY[]){__VA_ARGS__}, \
          sizeof((const EFI_INPUT_KEY[]){__VA_ARGS__}) / sizeof(EFI_INPUT_KEY))
#define KEY(unit) \
    {             \
        0, unit   \
    }

static void assert_line(size_t size, enum status status, const char *text)
{
    char line[16];

    assert_int_equal(port.read_line(port.ctx, line, size), status);
    assert_string_equal(line, text);
}

static void line_is_typed_mended_and_ended(void **state)
{
    (void)state;
    open_console();
    PRESS(KEY(CHAR_BACKSPACE), KEY('a'), KEY(0xe4), KEY(CHAR_BACKSPACE), KEY('b'), KEY('x'),
          {SCAN_DELETE, 0}, {SCAN_UP, 0}, KEY(CHAR_CARRIAGE_RETURN));
    assert_line(16, ST_OK, "ab");
    ASSERT_SHOWN('a', 0xe4, '\b', ' ', '\b', 'b', 'x', '\b', ' ', '\b', '\r', '\n');
}

/* As a file has them: CR and LF end one line. The last one need not be ended. */
static void lines_of_a_file_are_told_apart(void **state)
{
    (void)state;
    open_console();
    PRESS(KEY('a'), KEY(CHAR_CARRIAGE_RETURN), KEY(CHAR_LINEFEED), KEY('b'), KEY(CHAR_LINEFEED),
          KEY(CHAR_LINEFEED), KEY('c'));
    assert_line(16, ST_OK, "a");
    assert_line(16, ST_OK, "b");
    assert_line(16, ST_OK, "");
    assert_line(16, ST_OK, "c");
    assert_line(16, ST_IO, "");
}

static void full_line_takes_no_more(void **state)
{
    (void)state;
    open_console();
    PRESS(KEY('a'), KEY('b'), KEY(0xe4), KEY('c'), KEY('d'), KEY(CHAR_CARRIAGE_RETURN));
    assert_line(4, ST_OK, "abc");
    ASSERT_SHOWN('a', 'b', 'c', '\r', '\n');
}

static void escape_and_ctrl_c_leave_a_line(void **state)
{
    (void)state;
    open_console();
    PRESS(KEY('a'), {SCAN_ESC, 0});
    assert_line(16, ST_CANCELLED, "a");
    PRESS(KEY(3));
    assert_line(16, ST_CANCELLED, "");
}

static void page_goes_on_at_any_key_but_q(void **state)
{
    (void)state;
    open_console();
    PRESS(KEY(' '), KEY('q'), KEY('Q'), {SCAN_ESC, 0}, KEY(3), {SCAN_DOWN, 0});
    assert_int_equal(port.wait_key(port.ctx), ST_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(port.wait_key(port.ctx), ST_CANCELLED);
    assert_int_equal(port.wait_key(port.ctx), ST_OK);
    assert_int_equal(port.wait_key(port.ctx), ST_IO);
}

static void key_that_is_not_pressed_is_none(void **state)
{
    uint32_t key = 99;

    (void)state;
    open_console();
    PRESS(KEY('x'));
    assert_int_equal(port.read_key(port.ctx, 10, &key), ST_OK);
    assert_int_equal(key, 'x');
    firmware.no_key = ST_ABSENT;
    assert_int_equal(port.read_key(port.ctx, 10, &key), ST_OK);
    assert_int_equal(key, KEY_NONE);
    firmware.no_key = ST_CANCELLED;
    assert_int_equal(port.read_key(port.ctx, 10, &key), ST_OK);
    assert_int_equal(key, KEY_CTRL_C);
    firmware.no_key = ST_IO;
    assert_int_equal(port.read_key(port.ctx, 10, &key), ST_IO);
    assert_int_equal(key, KEY_CTRL_C);
    assert_false(port.break_requested(port.ctx));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(single_mode_is_the_screen, set_up),
        cmocka_unit_test_setup(cursor_goes_where_it_is_told_but_in_no_file, set_up),
        cmocka_unit_test_setup(mode_that_is_not_told_has_no_size, set_up),
        cmocka_unit_test_setup(what_takes_no_attribute_is_a_file, set_up),
        cmocka_unit_test_setup(text_becomes_ucs2, set_up),
        cmocka_unit_test_setup(what_ucs2_cannot_say_is_a_question_mark, set_up),
        cmocka_unit_test_setup(long_text_comes_in_pieces_and_whole, set_up),
        cmocka_unit_test_setup(colours_stand_on_the_ground_that_was_there, set_up),
        cmocka_unit_test_setup(light_ground_keeps_its_letters, set_up),
        cmocka_unit_test_setup(file_gets_no_colours, set_up),
        cmocka_unit_test_setup(shells_width_is_taken_and_its_page_break_given_back, set_up),
        cmocka_unit_test_setup(line_is_typed_mended_and_ended, set_up),
        cmocka_unit_test_setup(lines_of_a_file_are_told_apart, set_up),
        cmocka_unit_test_setup(full_line_takes_no_more, set_up),
        cmocka_unit_test_setup(escape_and_ctrl_c_leave_a_line, set_up),
        cmocka_unit_test_setup(page_goes_on_at_any_key_but_q, set_up),
        cmocka_unit_test_setup(key_that_is_not_pressed_is_none, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
