#include "format/settings.h"

#include "base/print.h"
#include "base/text.h"

#define LINE_SIZE       160u /* characters, NUL included; comments may be longer */
#define TIMEOUT_DEFAULT 5
#define TIMEOUT_MOST    300
#define DISK_MOST       99
#define ALL_REPORTS     (REPORT_LOG | REPORT_JSON | REPORT_VARIABLE)

/* --- Values --------------------------------------------------------------------------------- */

static const char *const modes[] = {"start", "repair", "report", "menu", "next boot entry"};
static const char *const serials[SERIAL_COUNT] = {"auto", "ascii", "boxes"};
static const char *const answers[] = {"no", "yes"};
static const char *const starts[] = {"direct", "reset"};
static const char *const reports[] = {"log", "json", "variable"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The place of the word in the list; false when it is none of it. */
static bool word_in(const char *const *list, size_t count, const char *word, size_t *ret_place)
{
    for (size_t i = 0; i < count; i++) {
        if (!text_equal_nocase(list[i], word))
            continue;
        *ret_place = i;
        return true;
    }
    return false;
}

static bool number_to(const char *word, unsigned most, unsigned *ret_number)
{
    uint64_t value = 0;

    if (text_parse_number(word, 10, &value) != ST_OK || value > most)
        return false;
    *ret_number = (unsigned)value;
    return true;
}

/* "log, json variable", or "none". Changes the text. */
static bool read_reports(char *text, unsigned *ret_reports)
{
    unsigned found = 0;
    size_t place = 0;

    if (text_equal_nocase(text, "none")) {
        *ret_reports = 0;
        return true;
    }
    for (char *at = text; *at != '\0';) {
        char *word = at;
        while (*at != '\0' && *at != ' ' && *at != ',')
            at++;
        if (*at != '\0')
            *at++ = '\0';
        if (*word == '\0')
            continue;
        if (!word_in(reports, COUNT(reports), word, &place))
            return false;
        found |= 1u << place;
    }
    if (found == 0)
        return false;
    *ret_reports = found;
    return true;
}

static bool read_send(const char *text, struct settings *settings)
{
    struct net_address address;
    struct text_buffer buffer;

    if (net_address_read(text, &address) != ST_OK)
        return false;
    text_buffer_init(&buffer, settings->send, sizeof(settings->send));
    text_buffer_printf(&buffer, "%s", text);
    return !buffer.cut;
}

/* Puts the value where it belongs; false, with nothing changed, when it is none. */
static bool put_value(struct settings *io_settings, enum settings_key key, char *value)
{
    size_t place = 0;

    switch (key) {
    case SETTING_TIMEOUT:
        return number_to(value, TIMEOUT_MOST, &io_settings->timeout);
    case SETTING_DISK:
        io_settings->has_disk = number_to(value, DISK_MOST, &io_settings->disk);
        return io_settings->has_disk;
    case SETTING_REPORT:
        return read_reports(value, &io_settings->reports);
    case SETTING_SEND:
        return read_send(value, io_settings);
    case SETTING_MODE:
        if (!word_in(modes, MODE_COUNT, value, &place))
            return false;
        io_settings->mode = (enum settings_mode)place;
        return true;
    case SETTING_SERIAL:
        if (!word_in(serials, SERIAL_COUNT, value, &place))
            return false;
        io_settings->serial = (enum settings_serial)place;
        return true;
    case SETTING_START:
        if (!word_in(starts, COUNT(starts), value, &place))
            return false;
        io_settings->by_reset = place == 1;
        return true;
    default:
        if (!word_in(answers, COUNT(answers), value, &place))
            return false;
        *(key == SETTING_ALLOW_MSR ? &io_settings->allow_msr : &io_settings->allow_format) =
            place == 1;
        return true;
    }
}

static const char *const keys[SETTING_COUNT] = {
    [SETTING_MODE] = "mode",           [SETTING_TIMEOUT] = "timeout",
    [SETTING_START] = "start",         [SETTING_DISK] = "disk",
    [SETTING_ALLOW_MSR] = "allow-msr", [SETTING_ALLOW_FORMAT] = "allow-format",
    [SETTING_REPORT] = "report",       [SETTING_SEND] = "send",
    [SETTING_SERIAL] = "serial",
};

/* --- Lines ---------------------------------------------------------------------------------- */

/* The file, character by character. */
struct reader {
    struct span rest;
    size_t width;    /* bytes of a unit */
    bool high_first; /* UTF-16: which byte of it */
    unsigned line;   /* number of the current one */
    struct settings *settings;
};

static void add_problem(struct settings *settings, unsigned line, enum settings_trouble trouble,
                        const char *word)
{
    if (settings->problem_count < SETTINGS_PROBLEMS) {
        struct settings_problem *problem = &settings->problems[settings->problem_count];
        struct text_buffer text;
        *problem = (struct settings_problem){.line = line, .trouble = trouble};
        text_buffer_init(&text, problem->word, sizeof(problem->word));
        text_buffer_printf(&text, "%.31s", word);
    }
    settings->problem_count++;
}

static void note_problem(struct reader *reader, enum settings_trouble trouble, const char *word)
{
    add_problem(reader->settings, reader->line, trouble, word);
}

/* The next unit of the text; false at the end. An odd last byte of UTF-16 is no character. */
static bool next_unit(struct reader *reader, unsigned *ret_unit)
{
    struct span *rest = &reader->rest;

    if (rest->size < reader->width)
        return false;
    *ret_unit = rest->at[0];
    if (reader->width == 2)
        *ret_unit = reader->high_first ? rest->at[0] * 256u + rest->at[1]
                                       : rest->at[1] * 256u + rest->at[0];
    *rest = span_part(*rest, reader->width, rest->size - reader->width);
    return true;
}

/* A line of the file: its text without what follows a comment mark, other characters than ASCII's
 * as '?'. */
struct line {
    char text[LINE_SIZE];
    size_t used;
    bool too_long;
    bool bad_text;
};

static void add_unit(struct line *line, unsigned unit, bool *io_comment)
{
    *io_comment |= unit == '#' || unit == ';';
    if (unit == '\t')
        unit = ' ';
    if (unit == '\r' || *io_comment)
        return;
    line->bad_text |= unit < ' ' || unit == 0x7f;
    line->too_long |= line->used == LINE_SIZE - 1;
    if (line->used < LINE_SIZE - 1)
        line->text[line->used++] = unit < 0x7f && unit >= ' ' ? (char)unit : '?';
}

/* Reads the next line; false at the end of the text. */
static bool read_line_of(struct reader *reader, struct line *ret_line)
{
    bool comment = false;
    bool any = false;
    unsigned unit = 0;

    ret_line->used = 0;
    ret_line->too_long = false;
    ret_line->bad_text = false;
    while (next_unit(reader, &unit)) {
        any = true;
        if (unit == '\n')
            break;
        add_unit(ret_line, unit, &comment);
    }
    ret_line->text[ret_line->used] = '\0';
    reader->line += any;
    return any;
}

/* The text without blanks at both ends, in place. */
static char *trim(char *text)
{
    size_t length = text_length(text);

    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    while (*text == ' ')
        text++;
    return text;
}

static void take_setting(struct reader *reader, char *name, char *value)
{
    struct settings *settings = reader->settings;
    size_t key = 0;

    if (!word_in(keys, SETTING_COUNT, name, &key))
        note_problem(reader, SETTINGS_UNKNOWN_KEY, name);
    else if (settings->lines[key] != 0)
        note_problem(reader, SETTINGS_REPEATED, name);
    else if (!put_value(settings, (enum settings_key)key, value))
        note_problem(reader, SETTINGS_BAD_VALUE, value);
    else
        settings->lines[key] = reader->line;
}

static void take_line(struct reader *reader, struct line *line)
{
    char *text = trim(line->text);
    char *equals = text;

    if (line->too_long || line->bad_text) {
        note_problem(reader, line->too_long ? SETTINGS_LONG_LINE : SETTINGS_BAD_TEXT, "");
        return;
    }
    if (text[0] == '\0' || text[0] == '[')
        return;
    while (*equals != '\0' && *equals != '=')
        equals++;
    if (*equals == '\0') {
        note_problem(reader, SETTINGS_NO_VALUE, text);
        return;
    }
    *equals = '\0';
    take_setting(reader, trim(text), trim(equals + 1));
}

/* What the byte order mark says, which is passed over. */
static struct reader reader_of(struct span file, struct settings *settings)
{
    struct reader reader = {.rest = file, .width = 1, .settings = settings};
    size_t mark = 0;

    if (file.size >= 3 && file.at[0] == 0xef && file.at[1] == 0xbb && file.at[2] == 0xbf)
        mark = 3;
    else if (file.size >= 2 && (file.at[0] ^ file.at[1]) == 1 && (file.at[0] & 0xfe) == 0xfe)
        mark = 2;
    if (mark == 2) {
        reader.width = 2;
        reader.high_first = file.at[0] == 0xfe;
    }
    reader.rest = span_part(file, mark, file.size - mark);
    return reader;
}

struct settings settings_default(void)
{
    return (struct settings){
        .mode = MODE_START, .timeout = TIMEOUT_DEFAULT, .reports = ALL_REPORTS};
}

struct settings settings_read(struct span file)
{
    struct settings settings = settings_default();
    size_t size = file.size < SETTINGS_BYTES ? file.size : SETTINGS_BYTES;
    struct reader reader = reader_of(span_part(file, 0, size), &settings);
    struct line line;

    while (read_line_of(&reader, &line))
        take_line(&reader, &line);
    if (size < file.size)
        note_problem(&reader, SETTINGS_TOO_LARGE, "");
    return settings;
}

void settings_restrict(struct settings *io_settings)
{
    const struct {
        bool wanted;
        enum settings_key key;
        const char *word;
    } wishes[] = {
        {io_settings->mode != MODE_REPORT && io_settings->mode != MODE_MENU, SETTING_MODE,
         modes[io_settings->mode]},
        {io_settings->allow_format, SETTING_ALLOW_FORMAT, keys[SETTING_ALLOW_FORMAT]},
        {io_settings->allow_msr, SETTING_ALLOW_MSR, keys[SETTING_ALLOW_MSR]},
    };

    for (size_t i = 0; i < COUNT(wishes); i++) {
        unsigned line = io_settings->lines[wishes[i].key];
        if (wishes[i].wanted && line != 0)
            add_problem(io_settings, line, SETTINGS_NOT_FROM_SERVER, wishes[i].word);
    }
    if (wishes[0].wanted)
        io_settings->mode = MODE_NONE;
    io_settings->allow_format = false;
    io_settings->allow_msr = false;
}

/* --- What to say ---------------------------------------------------------------------------- */

const char *settings_key_name(enum settings_key key)
{
    return keys[key];
}

static const char *reports_text(unsigned set, char buffer[SETTINGS_WORD])
{
    struct text_buffer text;

    if (set == 0)
        return "none";
    text_buffer_init(&text, buffer, SETTINGS_WORD);
    for (size_t i = 0; i < COUNT(reports); i++) {
        if ((set & 1u << i) != 0)
            text_buffer_printf(&text, "%s%s", text.used == 0 ? "" : ", ", reports[i]);
    }
    return buffer;
}

const char *settings_value_text(const struct settings *settings, enum settings_key key,
                                char buffer[SETTINGS_WORD])
{
    struct text_buffer text;

    text_buffer_init(&text, buffer, SETTINGS_WORD);
    switch (key) {
    case SETTING_MODE:
        return modes[settings->mode];
    case SETTING_START:
        return starts[settings->by_reset];
    case SETTING_ALLOW_FORMAT:
        return answers[settings->allow_format];
    case SETTING_ALLOW_MSR:
        return answers[settings->allow_msr];
    case SETTING_SERIAL:
        return serials[settings->serial];
    case SETTING_REPORT:
        return reports_text(settings->reports, buffer);
    case SETTING_SEND:
        return settings->send[0] == '\0' ? "nowhere" : settings->send;
    case SETTING_DISK:
        if (!settings->has_disk)
            return "the primary";
        text_buffer_printf(&text, "%u", settings->disk);
        return buffer;
    default:
        text_buffer_printf(&text, "%u", settings->timeout);
        return buffer;
    }
}

const char *settings_trouble_text(enum settings_trouble trouble)
{
    static const char *const texts[] = {
        [SETTINGS_NO_VALUE] = "no \"key = value\"",
        [SETTINGS_UNKNOWN_KEY] = "no such key",
        [SETTINGS_BAD_VALUE] = "not a value of this key",
        [SETTINGS_REPEATED] = "the key was set before, and that counts",
        [SETTINGS_LONG_LINE] = "the line is too long",
        [SETTINGS_BAD_TEXT] = "the line has control characters",
        [SETTINGS_TOO_LARGE] = "the file is larger than 16 KiB, and ends here",
        [SETTINGS_NOT_FROM_SERVER] = "not to be had from a server, whom anybody may play",
    };

    return texts[trouble];
}
