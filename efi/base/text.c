#include "base/text.h"

#include "base/mem.h"

#define ESCAPED_SIZE 6 /* \uXXXX, the longest replacement of one unit */
#define BAD_RUNE     0xffffffffu
#define SHOWN_BYTES  1024u /* of UCS-2 */

size_t text_length(const char *text)
{
    size_t length = 0;

    while (text[length] != '\0')
        length++;
    return length;
}

char text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool text_equal_nocase(const char *a, const char *b)
{
    return text_compare_nocase(a, b) == 0;
}

/* Most of what is compared begins alike, byte for byte. */
int text_compare_nocase(const char *a, const char *b)
{
    while (*a != '\0' && (*a == *b || text_lower(*a) == text_lower(*b))) {
        a++;
        b++;
    }
    return (unsigned char)text_lower(*a) - (unsigned char)text_lower(*b);
}

bool text_has_prefix_nocase(const char *text, const char *prefix)
{
    for (; *prefix != '\0'; text++, prefix++) {
        if (*text != *prefix && text_lower(*text) != text_lower(*prefix))
            return false;
    }
    return true;
}

int text_hex_digit(char c)
{
    c = text_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

enum status text_parse_number(const char *text, unsigned base, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (*text == '\0')
        return ST_USAGE;
    for (; *text != '\0'; text++) {
        int digit = text_hex_digit(*text);
        if (digit < 0 || (unsigned)digit >= base)
            return ST_USAGE;
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (unsigned)digit, &value))
            return ST_USAGE;
    }
    *ret_value = value;
    return ST_OK;
}

/* Characters that move the cursor, change direction, cannot be seen or swallow their neighbour. */
static bool is_harmful(uint32_t rune)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad},   {0x034f, 0x034f}, {0x061c, 0x061c},
        {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164}, {0xd800, 0xdfff},   {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
        {0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0xe0000, 0xe0fff},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (rune >= ranges[i].first && rune <= ranges[i].last)
            return true;
    }
    return false;
}

/* Appends `value` as a backslash, `letter` and `digits` hexadecimal digits. */
static char *put_escape(char *at, char letter, uint32_t value, int digits)
{
    *at++ = '\\';
    *at++ = letter;
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[value >> shift & 15];
    return at;
}

static char *put_utf8(char *at, uint32_t rune)
{
    if (rune < 0x80) {
        *at++ = (char)rune;
    } else if (rune < 0x800) {
        *at++ = (char)(0xc0 | rune >> 6);
        *at++ = (char)(0x80 | (rune & 0x3f));
    } else if (rune < 0x10000) {
        *at++ = (char)(0xe0 | rune >> 12);
        *at++ = (char)(0x80 | (rune >> 6 & 0x3f));
        *at++ = (char)(0x80 | (rune & 0x3f));
    } else {
        *at++ = (char)(0xf0 | rune >> 18);
        *at++ = (char)(0x80 | (rune >> 12 & 0x3f));
        *at++ = (char)(0x80 | (rune >> 6 & 0x3f));
        *at++ = (char)(0x80 | (rune & 0x3f));
    }
    return at;
}

static char *put_rune(char *at, uint32_t rune)
{
    if (is_harmful(rune))
        return put_escape(at, 'u', rune, rune > 0xffff ? 5 : 4);
    return put_utf8(at, rune);
}

/* Units before the first NUL unit, or all whole units. */
static size_t ucs2_length(struct span bytes)
{
    size_t units = 0;

    while (units < bytes.size / 2 && ld_le16(bytes.at + units * 2) != 0)
        units++;
    return units;
}

/* One character at `*io_at` units; an unpaired surrogate comes back as itself. */
static uint32_t next_ucs2(struct span bytes, size_t units, size_t *io_at)
{
    uint32_t high = ld_le16(bytes.at + *io_at * 2);

    *io_at += 1;
    if (high < 0xd800 || high > 0xdbff || *io_at >= units)
        return high;
    uint32_t low = ld_le16(bytes.at + *io_at * 2);
    if (low < 0xdc00 || low > 0xdfff)
        return high;
    *io_at += 1;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

const char *text_from_ucs2(struct arena *arena, struct span bytes)
{
    size_t units = ucs2_length(bytes);
    char *text = arena_alloc(arena, units + 1, ESCAPED_SIZE);
    char *to = text;

    if (text == NULL)
        return NULL;
    for (size_t at = 0; at < units;) {
        to = put_rune(to, next_ucs2(bytes, units, &at));
    }
    *to = '\0';
    return text;
}

/* The length in bytes that a UTF-8 lead byte announces, 0 for a byte that cannot lead. */
static int utf8_size(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

/* One character at `*io_text`; BAD_RUNE, and one byte further, where it is malformed. */
static uint32_t next_utf8(const char **io_text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *at = (const uint8_t *)*io_text;
    int size = utf8_size(at[0]);

    *io_text += 1;
    if (size == 0)
        return BAD_RUNE;
    uint32_t rune = size == 1 ? at[0] : at[0] & (0x7fu >> size);
    for (int i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return BAD_RUNE;
        rune = rune << 6 | (at[i] & 0x3f);
    }
    if (rune < least[size] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
        return BAD_RUNE;
    *io_text += size - 1;
    return rune;
}

const char *text_shown_from_ucs2(struct arena *arena, struct span bytes)
{
    size_t size = bytes.size < SHOWN_BYTES ? bytes.size : SHOWN_BYTES;

    return text_from_ucs2(arena, span_part(bytes, 0, size));
}

const char *text_printable(struct arena *arena, const char *text)
{
    char *copy = arena_alloc(arena, text_length(text) + 1, ESCAPED_SIZE);
    char *to = copy;

    if (copy == NULL)
        return NULL;
    while (*text != '\0') {
        uint8_t byte = (uint8_t)*text;
        uint32_t rune = next_utf8(&text);
        to = rune == BAD_RUNE ? put_escape(to, 'x', byte, 2) : put_rune(to, rune);
    }
    *to = '\0';
    return copy;
}

enum status text_to_ucs2(struct arena *arena, const char *text, struct span *ret_bytes)
{
    uint8_t *bytes = arena_alloc(arena, text_length(text) + 1, 2);
    size_t used = 0;

    if (bytes == NULL)
        return ST_NO_MEMORY;
    while (*text != '\0') {
        uint32_t rune = next_utf8(&text);
        if (rune == BAD_RUNE)
            return ST_USAGE;
        if (rune >= 0x10000) {
            st_le16(bytes + used, (uint16_t)(0xd800 + ((rune - 0x10000) >> 10)));
            used += 2;
            rune = 0xdc00 + ((rune - 0x10000) & 0x3ff);
        }
        st_le16(bytes + used, (uint16_t)rune);
        used += 2;
    }
    st_le16(bytes + used, 0);
    *ret_bytes = span_of(bytes, used + 2);
    return ST_OK;
}
