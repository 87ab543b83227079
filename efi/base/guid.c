#include "base/guid.h"

#include "base/mem.h"
#include "base/text.h"

/* Which byte of the 16 each pair of digits of the text form is. */
static const uint8_t text_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

bool guid_equal(const struct guid *a, const struct guid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool guid_is_zero(const struct guid *guid)
{
    static const struct guid zero;
    return guid_equal(guid, &zero);
}

struct guid guid_load(const uint8_t *bytes)
{
    struct guid guid;

    memcpy(guid.bytes, bytes, sizeof(guid.bytes));
    return guid;
}

/* True when a hyphen stands before the i-th byte of the text form. */
static bool hyphen_before(int i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

enum status guid_parse(const char *text, struct guid *ret_guid)
{
    struct guid guid;
    bool braced = *text == '{';

    text += braced;
    for (int i = 0; i < 16; i++) {
        if (hyphen_before(i) && *text++ != '-')
            return ST_USAGE;
        int high = text_hex_digit(text[0]);
        int low = high < 0 ? -1 : text_hex_digit(text[1]);
        if (low < 0)
            return ST_USAGE;
        guid.bytes[text_order[i]] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (braced && *text++ != '}')
        return ST_USAGE;
    if (*text != '\0')
        return ST_USAGE;
    *ret_guid = guid;
    return ST_OK;
}

void guid_format(const struct guid *guid, char ret_text[GUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *at = ret_text;

    *at++ = '{';
    for (int i = 0; i < 16; i++) {
        uint8_t byte = guid->bytes[text_order[i]];
        if (hyphen_before(i))
            *at++ = '-';
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    *at++ = '}';
    *at = '\0';
}
