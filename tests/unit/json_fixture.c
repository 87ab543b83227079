#include "unit/json_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"

/* Where reading has got to; `at` is NULL once something was wrong. */
struct reader {
    const char *at;
    const char *end;
};

static void fail(struct reader *reader)
{
    reader->at = NULL;
}

static char peek(const struct reader *reader)
{
    return reader->at == NULL || reader->at == reader->end ? '\0' : *reader->at;
}

/* Takes `c`, or fails. */
static void take(struct reader *reader, char c)
{
    if (peek(reader) == c && c != '\0')
        reader->at++;
    else
        fail(reader);
}

static void take_word(struct reader *reader, const char *word)
{
    for (; *word != '\0'; word++)
        take(reader, *word);
}

static void skip_space(struct reader *reader)
{
    while (peek(reader) != '\0' && strchr(" \t\n\r", peek(reader)) != NULL)
        reader->at++;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void take_digits(struct reader *reader)
{
    if (!is_digit(peek(reader)))
        fail(reader);
    while (is_digit(peek(reader)))
        reader->at++;
}

static void take_number(struct reader *reader)
{
    if (peek(reader) == '-')
        reader->at++;
    if (peek(reader) == '0')
        reader->at++;
    else
        take_digits(reader);
    if (peek(reader) == '.') {
        reader->at++;
        take_digits(reader);
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        reader->at++;
        if (peek(reader) == '+' || peek(reader) == '-')
            reader->at++;
        take_digits(reader);
    }
}

static void take_escape(struct reader *reader)
{
    take(reader, '\\');
    char c = peek(reader);
    if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL) {
        fail(reader);
        return;
    }
    reader->at++;
    for (int i = 0; i < 4 && c == 'u'; i++) {
        if (peek(reader) == '\0' || strchr("0123456789abcdefABCDEF", peek(reader)) == NULL) {
            fail(reader);
            return;
        }
        reader->at++;
    }
}

/* A character of more than one byte: shortest form, no surrogate, nothing beyond Unicode. */
static void take_utf8(struct reader *reader)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)peek(reader);
    int length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned long value = first & (0x7fu >> length);

    if (first < 0xc2 || first > 0xf4 || reader->end - reader->at < length) {
        fail(reader);
        return;
    }
    for (int i = 1; i < length; i++) {
        unsigned char next = (unsigned char)reader->at[i];
        if ((next & 0xc0) != 0x80) {
            fail(reader);
            return;
        }
        value = value << 6 | (next & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        fail(reader);
    else
        reader->at += length;
}

static void take_string(struct reader *reader)
{
    take(reader, '"');
    while (reader->at != NULL && peek(reader) != '"') {
        unsigned char c = (unsigned char)peek(reader);
        if (c < 0x20)
            fail(reader);
        else if (c == '\\')
            take_escape(reader);
        else if (c < 0x80)
            reader->at++;
        else
            take_utf8(reader);
    }
    take(reader, '"');
}

static void take_value(struct reader *reader);

#define KEYS_MAX 256

static void take_object(struct reader *reader)
{
    struct reader keys[KEYS_MAX]; /* as they stand in the text */
    size_t count = 0;

    take(reader, '{');
    skip_space(reader);
    while (reader->at != NULL && peek(reader) != '}') {
        if (count > 0)
            take(reader, ',');
        skip_space(reader);
        keys[count].at = reader->at;
        take_string(reader);
        keys[count].end = reader->at;
        size_t size = reader->at == NULL ? 0 : (size_t)(keys[count].end - keys[count].at);
        for (size_t i = 0; i < count && reader->at != NULL; i++) {
            if ((size_t)(keys[i].end - keys[i].at) == size &&
                memcmp(keys[i].at, keys[count].at, size) == 0)
                fail(reader);
        }
        if (++count == KEYS_MAX)
            fail(reader);
        skip_space(reader);
        take(reader, ':');
        take_value(reader);
        skip_space(reader);
    }
    take(reader, '}');
}

static void take_array(struct reader *reader)
{
    bool first = true;

    take(reader, '[');
    skip_space(reader);
    while (reader->at != NULL && peek(reader) != ']') {
        if (!first)
            take(reader, ',');
        first = false;
        take_value(reader);
        skip_space(reader);
    }
    take(reader, ']');
}

static void take_value(struct reader *reader)
{
    skip_space(reader);
    switch (peek(reader)) {
    case '{':
        take_object(reader);
        break;
    case '[':
        take_array(reader);
        break;
    case '"':
        take_string(reader);
        break;
    case 't':
        take_word(reader, "true");
        break;
    case 'f':
        take_word(reader, "false");
        break;
    case 'n':
        take_word(reader, "null");
        break;
    default:
        take_number(reader);
    }
}

bool json_is_valid(const char *text, size_t size)
{
    struct reader reader = {text, text + size};

    take_value(&reader);
    skip_space(&reader);
    return reader.at == reader.end;
}

/* Goes to the value behind the key, or of that number, in the group at the reader. */
static void enter(struct reader *reader, const char *name, size_t length)
{
    char open = peek(reader);
    size_t wanted = strtoul(name, NULL, 10);

    if (open != '{' && open != '[') {
        fail(reader);
        return;
    }
    reader->at++;
    for (size_t i = 0;; i++) {
        skip_space(reader);
        const char *key = reader->at;
        if (open == '{') {
            take_string(reader);
            skip_space(reader);
            take(reader, ':');
        }
        skip_space(reader);
        if (reader->at == NULL || peek(reader) == ']')
            break;
        if (open == '[' ? i == wanted
                        : strncmp(key + 1, name, length) == 0 && key[length + 1] == '"')
            return;
        take_value(reader);
        skip_space(reader);
        take(reader, ',');
    }
    fail(reader);
}

const char *json_at(const char *text, size_t size, const char *place)
{
    static char *found;
    struct reader reader = {text, text + size};

    free(found);
    found = NULL;
    skip_space(&reader);
    while (*place != '\0' && reader.at != NULL) {
        size_t length = strcspn(place, ".");
        enter(&reader, place, length);
        place += length + (place[length] == '.');
    }
    if (reader.at == NULL)
        return "";
    const char *start = reader.at;
    take_value(&reader);
    found = host_alloc(1, (size_t)(reader.at - start) + 1);
    memcpy(found, start, (size_t)(reader.at - start));
    return found;
}
