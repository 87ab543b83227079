#include "console.h"

#include "base/text.h"
#include "keyboard.h"

#define OUTPUT_UNITS 256  /* units of UCS-2 handed to the firmware at once */
#define UNKNOWN_RUNE '?'  /* stands for what UCS-2 cannot express and for malformed bytes */
#define BACKGROUND   0x70 /* bits of an attribute (UEFI Specification 12.4.6) */

/* ---- output ---- */

struct output {
    EFI_SIMPLE_TEXT_OUT_PROTOCOL *device;
    size_t used;
    CHAR16 units[OUTPUT_UNITS + 1];
};

static void flush_output(struct output *output)
{
    if (output->used == 0)
        return;
    output->units[output->used] = 0;
    output->device->OutputString(output->device, output->units);
    output->used = 0;
}

static void put_unit(struct output *output, uint32_t unit)
{
    if (output->used == OUTPUT_UNITS)
        flush_output(output);
    output->units[output->used++] = (CHAR16)unit;
}

static void show_rune(struct output *output, uint32_t rune)
{
    if (rune == '\n')
        put_unit(output, '\r');
    put_unit(output, rune == 0 || rune > 0xffff ? UNKNOWN_RUNE : rune);
}

/* The attribute for a mark; that of the start where the background is one that bright letters do
 * not stand out from. */
static UINTN attribute_of(const struct uefi_console *console, char mark)
{
    static const uint8_t letters[] = {
        [2] = EFI_LIGHTGREEN, [3] = EFI_YELLOW, [4] = EFI_LIGHTRED, [6] = EFI_WHITE};
    UINTN background = console->colours_start & BACKGROUND;

    if (mark == COLOUR_PLAIN[0] ||
        (background != EFI_BACKGROUND_BLACK && background != EFI_BACKGROUND_BLUE))
        return console->colours_start;
    if (mark == COLOUR_CHOSEN[0])
        return EFI_TEXT_ATTR(EFI_BLACK, EFI_LIGHTGRAY);
    return letters[(int)mark] | background;
}

static void set_colour(struct uefi_console *console, struct output *output, char mark)
{
    bool coloured = mark != COLOUR_PLAIN[0];

    if (!console->is_screen || (!coloured && !console->coloured))
        return;
    flush_output(output);
    output->device->SetAttribute(output->device, attribute_of(console, mark));
    console->coloured = coloured;
}

/* Takes one byte of UTF-8; a character may be spread over several calls of write. */
static void show_byte(struct uefi_console *console, struct output *output, uint8_t byte)
{
    bool continues = (byte & 0xc0) == 0x80;

    if (console->missing > 0 && continues) {
        console->rune = console->rune << 6 | (byte & 0x3f);
        if (--console->missing == 0)
            show_rune(output, console->rune);
        return;
    }
    if (console->missing > 0)
        show_rune(output, UNKNOWN_RUNE);
    console->missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
    if (console->missing > 0)
        console->rune = byte & (0x3fu >> console->missing);
    else
        show_rune(output, continues ? UNKNOWN_RUNE : byte);
}

static void console_write(void *ctx, const char *text, size_t size)
{
    struct uefi_console *console = ctx;
    struct output output = {.device = console->uefi->system->ConOut};

    if (output.device == NULL)
        return;
    for (size_t i = 0; i < size; i++) {
        if (is_colour(text[i]))
            set_colour(console, &output, text[i]);
        else
            show_byte(console, &output, (uint8_t)text[i]);
    }
    flush_output(&output);
}

/*
 * True when the output goes to a screen. The Shell's stand-in for a file (edk2 ShellPkg,
 * ConsoleWrappers.c) answers for the screen's size, but takes no attribute, and says that it did.
 */
static bool find_screen(const struct uefi_console *console)
{
    EFI_SIMPLE_TEXT_OUT_PROTOCOL *device = console->uefi->system->ConOut;

    if (device == NULL || device->Mode == NULL)
        return false;
    UINTN start = (UINTN)device->Mode->Attribute;
    UINTN other = start == EFI_WHITE ? EFI_LIGHTGRAY : EFI_WHITE;
    EFI_STATUS efi = device->SetAttribute(device, other);
    bool taken = (UINTN)device->Mode->Attribute == other;
    device->SetAttribute(device, start);
    return taken || efi != EFI_SUCCESS;
}

/* The Shell's variable COLUMNS; false when it is no number. */
static bool wanted_columns(const struct uefi *uefi, uint64_t *ret_columns)
{
    static const CHAR16 name[] = {'C', 'O', 'L', 'U', 'M', 'N', 'S', 0};
    const CHAR16 *value = uefi->shell == NULL ? NULL : uefi->shell->GetEnv(name);
    char text[16];

    if (value == NULL)
        return false;
    uefi_utf8_into(text, sizeof(text), value);
    return text_parse_number(text, 10, ret_columns) == ST_OK && *ret_columns <= UINT16_MAX;
}

static struct screen_size console_screen_size(void *ctx)
{
    const struct uefi_console *console = ctx;
    EFI_SIMPLE_TEXT_OUT_PROTOCOL *device = console->uefi->system->ConOut;
    struct screen_size size = {0, 0};
    UINTN columns = 0;
    UINTN rows = 0;
    uint64_t wanted = 0;

    if (!console->is_screen)
        return size;
    if (device->QueryMode(device, (UINTN)device->Mode->Mode, &columns, &rows) == EFI_SUCCESS)
        size = (struct screen_size){(unsigned)columns, (unsigned)rows};
    if (wanted_columns(console->uefi, &wanted))
        size.columns = (unsigned)wanted;
    return size;
}

/* ---- input ---- */

struct line {
    char *text;
    size_t size;
    size_t used;
};

static void erase_last(struct uefi_console *console, struct line *line)
{
    static const char erase[] = "\b \b";

    if (line->used == 0)
        return;
    do
        line->used--;
    while (line->used > 0 && (line->text[line->used] & 0xc0) == 0x80);
    console_write(console, erase, sizeof(erase) - 1);
}

static void append_key(struct uefi_console *console, struct line *line, CHAR16 unit)
{
    const CHAR16 text[] = {unit, 0};
    char bytes[4];
    size_t length = 0;

    uefi_utf8_into(bytes, sizeof(bytes), text);
    while (bytes[length] != '\0')
        length++;
    if (length >= line->size - line->used)
        return; /* full: neither kept nor echoed */
    for (size_t i = 0; i < length; i++)
        line->text[line->used++] = bytes[i];
    console_write(console, bytes, length);
}

/* Statuses: ST_OK when the line has ended; ST_CANCELLED; ST_ABSENT when it goes on. */
static enum status take_key(struct uefi_console *console, struct line *line, EFI_INPUT_KEY key)
{
    bool after_cr = console->swallow_newline;

    console->swallow_newline = key.UnicodeChar == CHAR_CARRIAGE_RETURN;
    if (key.UnicodeChar == KEY_CTRL_C || key.ScanCode == SCAN_ESC)
        return ST_CANCELLED;
    if (key.UnicodeChar == CHAR_LINEFEED && after_cr)
        return ST_ABSENT;
    if (key.UnicodeChar == CHAR_LINEFEED || key.UnicodeChar == CHAR_CARRIAGE_RETURN)
        return ST_OK;
    if (key.UnicodeChar == CHAR_BACKSPACE || key.UnicodeChar == KEY_DELETE ||
        key.ScanCode == SCAN_DELETE)
        erase_last(console, line);
    else if (key.UnicodeChar >= ' ' && key.UnicodeChar != 0xfeff)
        append_key(console, line, key.UnicodeChar);
    return ST_ABSENT;
}

static enum status console_read_line(void *ctx, char *ret_line, size_t size)
{
    struct uefi_console *console = ctx;
    struct line line = {.text = ret_line, .size = size};
    enum status status = ST_ABSENT;

    while (status == ST_ABSENT) {
        EFI_INPUT_KEY key;
        status = keyboard_read(console->uefi, KEY_WAIT_FOREVER, &key);
        if (status == ST_OK)
            status = take_key(console, &line, key);
        else if (status == ST_IO && line.used > 0)
            status = ST_OK; /* the last line of a file need not be ended */
    }
    console_write(console, "\n", 1);
    ret_line[line.used] = '\0';
    return status;
}

static enum status console_wait_key(void *ctx)
{
    const struct uefi_console *console = ctx;
    EFI_INPUT_KEY key;
    enum status status = keyboard_read(console->uefi, KEY_WAIT_FOREVER, &key);

    if (status != ST_OK)
        return status;
    bool leave = key.UnicodeChar == 'q' || key.UnicodeChar == 'Q' ||
                 key.UnicodeChar == KEY_CTRL_C || key.ScanCode == SCAN_ESC;
    return leave ? ST_CANCELLED : ST_OK;
}

static enum status console_read_key(void *ctx, uint32_t milliseconds, uint32_t *ret_key)
{
    const struct uefi_console *console = ctx;
    EFI_INPUT_KEY key;
    enum status status = keyboard_read(console->uefi, milliseconds, &key);

    if (status == ST_IO)
        return status;
    *ret_key = status == ST_OK          ? keyboard_code(key)
               : status == ST_CANCELLED ? (uint32_t)KEY_CTRL_C
                                        : (uint32_t)KEY_NONE;
    return ST_OK;
}

static bool console_break_requested(void *ctx)
{
    return keyboard_take_break(((const struct uefi_console *)ctx)->uefi);
}

/* ---- a screen of cells ---- */

static void console_clear(void *ctx, bool cursor)
{
    struct uefi_console *console = ctx;
    EFI_SIMPLE_TEXT_OUT_PROTOCOL *device = console->uefi->system->ConOut;

    if (!console->is_screen)
        return;
    device->SetAttribute(device, console->colours_start);
    console->coloured = false;
    device->ClearScreen(device);
    device->EnableCursor(device, cursor);
}

static void console_move(void *ctx, unsigned column, unsigned row)
{
    const struct uefi_console *console = ctx;
    EFI_SIMPLE_TEXT_OUT_PROTOCOL *device = console->uefi->system->ConOut;

    if (console->is_screen)
        device->SetCursorPosition(device, column, row);
}

void uefi_console_open(const struct uefi *uefi, struct uefi_console *ret_console,
                       struct console_port *ret_port)
{
    *ret_console = (struct uefi_console){
        .uefi = uefi, .page_break_start = uefi->shell != NULL && uefi->shell->GetPageBreak()};
    ret_console->is_screen = find_screen(ret_console);
    if (ret_console->is_screen)
        ret_console->colours_start = (UINTN)uefi->system->ConOut->Mode->Attribute;
    if (ret_console->page_break_start)
        uefi->shell->DisablePageBreak(); /* lines are counted here */
    *ret_port = (struct console_port){.ctx = ret_console,
                                      .write = console_write,
                                      .screen_size = console_screen_size,
                                      .read_line = console_read_line,
                                      .wait_key = console_wait_key,
                                      .read_key = console_read_key,
                                      .break_requested = console_break_requested,
                                      .clear = console_clear,
                                      .move = console_move};
}

void uefi_console_close(struct uefi_console *console)
{
    static const char plain[] = COLOUR_PLAIN;

    console_write(console, plain, sizeof(plain) - 1);
    if (console->page_break_start)
        console->uefi->shell->EnablePageBreak();
}
