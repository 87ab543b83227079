#include "base/print.h"

#include "base/text.h"

#define NUMBER_SIZE 24 /* digits of 2^64 in decimal, sign and NUL, rounded up */

/* What the argument of a number is, by the letters before the conversion's own. */
enum length {
    LENGTH_INT,
    LENGTH_SIZE,      /* z */
    LENGTH_LONG_LONG, /* ll */
};

struct conversion {
    bool left;
    bool zero;
    unsigned width;
    int precision; /* negative: none */
    enum length length;
};

void sink_put(const struct sink *sink, const char *text)
{
    sink->put(sink->ctx, text, text_length(text));
}

static void pad(const struct sink *sink, char c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sink->put(sink->ctx, &c, 1);
}

static void put_field(const struct sink *sink, const struct conversion *how, const char *text,
                      size_t size)
{
    size_t missing = how->width > size ? how->width - size : 0;

    if (!how->left)
        pad(sink, how->zero ? '0' : ' ', missing);
    sink->put(sink->ctx, text, size);
    if (how->left)
        pad(sink, ' ', missing);
}

static void put_number(const struct sink *sink, const struct conversion *how, uint64_t value,
                       bool negative, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    struct conversion field = *how;
    char text[NUMBER_SIZE];
    size_t at = sizeof(text);

    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value != 0);
    if (negative && how->zero && !how->left) {
        /* The sign stands in front of the zeros that fill the field. */
        sink_put(sink, "-");
        field.width -= field.width > 0;
    } else if (negative) {
        text[--at] = '-';
    }
    put_field(sink, &field, text + at, sizeof(text) - at);
}

static void put_string(const struct sink *sink, const struct conversion *how, const char *text)
{
    size_t size = 0;

    if (text == NULL)
        text = "(null)";
    while ((how->precision < 0 || size < (size_t)how->precision) && text[size] != '\0')
        size++;
    put_field(sink, how, text, size);
}

/* A width from an argument: a negative one is the flag '-' and its size, as in C. */
static void set_width(struct conversion *how, int width)
{
    how->left |= width < 0;
    how->width = width < 0 ? 0u - (unsigned)width : (unsigned)width;
}

/*
 * Reads flags, width, precision and length; returns the conversion letter's place. A length that
 * is none of ours stays there, and is then refused as a letter.
 */
static const char *parse_conversion(const char *at, struct conversion *ret_how, int (*next)(void *),
                                    void *ctx)
{
    struct conversion how = {false, false, 0, -1, LENGTH_INT};

    for (; *at == '-' || *at == '0'; at++) {
        how.left |= *at == '-';
        how.zero |= *at == '0';
    }
    if (*at == '*') {
        set_width(&how, next(ctx));
        at++;
    }
    for (; *at >= '0' && *at <= '9'; at++)
        how.width = how.width * 10 + (unsigned)(*at - '0');
    if (at[0] == '.' && at[1] == '*') {
        how.precision = next(ctx);
        at += 2;
    } else if (at[0] == '.') {
        how.precision = 0;
        for (at++; *at >= '0' && *at <= '9'; at++)
            how.precision = how.precision * 10 + (*at - '0');
    }
    if (at[0] == 'l' && at[1] == 'l') {
        how.length = LENGTH_LONG_LONG;
        at += 2;
    } else if (at[0] == 'z') {
        how.length = LENGTH_SIZE;
        at++;
    }
    *ret_how = how;
    return at;
}

/* va_list may be an array type, so it travels inside a struct. */
struct arguments {
    va_list list;
};

static int next_int(void *ctx)
{
    return va_arg(((struct arguments *)ctx)->list, int);
}

static uint64_t next_unsigned(struct arguments *arguments, enum length length)
{
    if (length == LENGTH_LONG_LONG)
        return va_arg(arguments->list, unsigned long long);
    if (length == LENGTH_SIZE)
        return va_arg(arguments->list, size_t);
    return va_arg(arguments->list, unsigned);
}

/* Prints one conversion; false when the letter is not one of ours. */
static bool convert(const struct sink *sink, char letter, const struct conversion *how,
                    struct arguments *arguments)
{
    if (letter == 'u') {
        put_number(sink, how, next_unsigned(arguments, how->length), false, 10, false);
        return true;
    }
    if (letter == 'x' || letter == 'X') {
        put_number(sink, how, next_unsigned(arguments, how->length), false, 16, letter == 'X');
        return true;
    }
    if (how->length != LENGTH_INT)
        return false;
    switch (letter) {
    case 'd': {
        int value = next_int(arguments);
        uint64_t size = value < 0 ? 0 - (uint64_t)(int64_t)value : (uint64_t)value;
        put_number(sink, how, size, value < 0, 10, false);
        return true;
    }
    case 'c': {
        char c = (char)next_int(arguments);
        put_field(sink, how, &c, 1);
        return true;
    }
    case 's':
        put_string(sink, how, va_arg(arguments->list, const char *));
        return true;
    case '%':
        sink->put(sink->ctx, "%", 1);
        return true;
    default:
        return false;
    }
}

void sink_vprintf(const struct sink *sink, const char *format, va_list arguments)
{
    struct arguments rest;

    va_copy(rest.list, arguments);
    while (*format != '\0') {
        const char *end = format;
        while (*end != '\0' && *end != '%')
            end++;
        if (end > format)
            sink->put(sink->ctx, format, (size_t)(end - format));
        if (*end == '\0')
            break;
        struct conversion how;
        const char *letter = parse_conversion(end + 1, &how, next_int, &rest);
        if (!convert(sink, *letter, &how, &rest)) {
            sink_put(sink, "%?");
            break;
        }
        format = letter + 1;
    }
    va_end(rest.list);
}

void sink_printf(const struct sink *sink, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    sink_vprintf(sink, format, arguments);
    va_end(arguments);
}

static void buffer_put(void *ctx, const char *bytes, size_t size)
{
    struct text_buffer *buffer = ctx;
    size_t room = buffer->size - 1 - buffer->used;

    if (size > room) {
        buffer->cut = true;
        size = room;
    }
    for (size_t i = 0; i < size; i++)
        buffer->at[buffer->used++] = bytes[i];
    buffer->at[buffer->used] = '\0';
}

void text_buffer_init(struct text_buffer *buffer, char *at, size_t size)
{
    buffer->at = at;
    buffer->size = size;
    buffer->used = 0;
    buffer->cut = false;
    at[0] = '\0';
}

struct sink text_buffer_sink(struct text_buffer *buffer)
{
    struct sink sink = {buffer_put, buffer};
    return sink;
}

void text_buffer_printf(struct text_buffer *buffer, const char *format, ...)
{
    struct sink sink = text_buffer_sink(buffer);
    va_list arguments;

    va_start(arguments, format);
    sink_vprintf(&sink, format, arguments);
    va_end(arguments);
}

static void count_put(void *ctx, const char *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)ctx += size;
}

const char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
    size_t length = 0;
    struct sink counter = {count_put, &length};
    struct text_buffer buffer;

    sink_vprintf(&counter, format, arguments);
    char *at = arena_alloc(arena, 1, length + 1);
    if (at == NULL)
        return NULL;
    text_buffer_init(&buffer, at, length + 1);
    struct sink sink = text_buffer_sink(&buffer);
    sink_vprintf(&sink, format, arguments);
    return at;
}

const char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

const char *format_thousands(uint64_t value, char buffer[THOUSANDS_SIZE])
{
    char *at = buffer + THOUSANDS_SIZE;
    int digits = 0;

    *--at = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + value % 10);
        value /= 10;
        digits++;
    } while (value != 0);
    return at;
}

const char *format_size(uint64_t bytes, char buffer[SIZE_TEXT_SIZE])
{
    static const char units[][4] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;
    uint64_t scale = 1;
    struct text_buffer text;

    while (unit < 6 && bytes / scale >= 1024) {
        scale *= 1024;
        unit++;
    }
    text_buffer_init(&text, buffer, SIZE_TEXT_SIZE);
    uint64_t whole = bytes / scale;
    uint64_t tenth = bytes % scale * 10 / scale;
    if (whole < 10 && tenth > 0)
        text_buffer_printf(&text, "%llu.%llu %s", (unsigned long long)whole,
                           (unsigned long long)tenth, units[unit]);
    else
        text_buffer_printf(&text, "%llu %s", (unsigned long long)whole, units[unit]);
    return buffer;
}
