#include "format/regf/regf_name.h"

#include "base/text.h"

#define HASH_FACTOR 37u

/* Every `step`th unit from `first` to `last` has its upper case `down` below (modulo 65536). */
struct case_range {
    uint16_t first;
    uint16_t last;
    uint16_t step;
    uint16_t down;
};

/* Ascending. */
static const struct case_range cases[] = {
    {0x0061, 0x007a, 1, 32},     /* ASCII */
    {0x00e0, 0x00f6, 1, 32},     /* Latin-1 */
    {0x00f8, 0x00fe, 1, 32},     /* without the division sign */
    {0x00ff, 0x00ff, 1, 0xff87}, /* y with diaeresis, to U+0178 */
    {0x0101, 0x012f, 2, 1},      /* Latin Extended-A */
    {0x0133, 0x0137, 2, 1},      /* without the dotless i */
    {0x013a, 0x0148, 2, 1},      /* here capitals are odd */
    {0x014b, 0x0177, 2, 1},      {0x017a, 0x017e, 2, 1},  {0x03ac, 0x03ac, 1, 38}, /* Greek */
    {0x03ad, 0x03af, 1, 37},     {0x03b1, 0x03c1, 1, 32}, {0x03c3, 0x03cb, 1, 32},
    {0x03cc, 0x03cc, 1, 64},     {0x03cd, 0x03ce, 1, 63}, {0x0430, 0x044f, 1, 32}, /* Cyrillic */
    {0x0450, 0x045f, 1, 80},     {0x0461, 0x0481, 2, 1},  {0x0491, 0x04bf, 2, 1},
    {0x0561, 0x0586, 1, 48},                              /* Armenian */
    {0x1e01, 0x1e95, 2, 1},                               /* Latin Extended Additional */
    {0x1ea1, 0x1ef9, 2, 1},      {0x2170, 0x217f, 1, 16}, /* Roman numerals */
    {0x24d0, 0x24e9, 1, 26},                              /* letters in circles */
    {0xff41, 0xff5a, 1, 32},                              /* full width */
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

struct regf_name regf_name_of(const char *ascii)
{
    return (struct regf_name){.bytes = span_of(ascii, text_length(ascii)), .wide = false};
}

size_t regf_name_length(struct regf_name name)
{
    return name.wide ? name.bytes.size / 2 : name.bytes.size;
}

uint16_t regf_name_unit(struct regf_name name, size_t index)
{
    return name.wide ? ld_le16(name.bytes.at + 2 * index) : name.bytes.at[index];
}

uint16_t regf_upcase(uint16_t unit)
{
    for (size_t i = 0; i < CASES && cases[i].first <= unit; i++) {
        const struct case_range *range = &cases[i];
        if (unit <= range->last && (unit - range->first) % range->step == 0)
            return (uint16_t)(unit - range->down);
    }
    return unit;
}

int regf_name_compare(struct regf_name a, struct regf_name b)
{
    size_t length_a = regf_name_length(a);
    size_t length_b = regf_name_length(b);

    for (size_t i = 0; i < length_a && i < length_b; i++) {
        uint16_t unit_a = regf_upcase(regf_name_unit(a, i));
        uint16_t unit_b = regf_upcase(regf_name_unit(b, i));
        if (unit_a != unit_b)
            return unit_a < unit_b ? -1 : 1;
    }
    return (length_a > length_b) - (length_a < length_b);
}

bool regf_name_is_narrow(struct regf_name name)
{
    for (size_t i = 0; i < regf_name_length(name); i++) {
        if (regf_name_unit(name, i) > 0xff)
            return false;
    }
    return true;
}

void regf_name_hint(struct regf_name name, uint8_t ret_hint[REGF_HINT_SIZE])
{
    size_t length = regf_name_length(name);
    uint32_t hint = 0;

    for (size_t i = 0; i < REGF_HINT_SIZE && i < length; i++) {
        uint16_t unit = regf_name_unit(name, i);
        if (unit > 0xff) {
            hint = 0;
            break;
        }
        hint |= (uint32_t)unit << 8 * i;
    }
    st_le32(ret_hint, hint);
}

uint32_t regf_name_hash(struct regf_name name)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < regf_name_length(name); i++)
        hash = hash * HASH_FACTOR + regf_upcase(regf_name_unit(name, i));
    return hash;
}
