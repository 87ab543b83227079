/*
 * GUIDs as GPT and UEFI keep them: 16 bytes, of which the first three groups are little-endian
 * (RFC 4122 text, UEFI Specification appendix A).
 */
#ifndef SHADOWBOOT_BASE_GUID_H
#define SHADOWBOOT_BASE_GUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct guid {
    uint8_t bytes[16]; /* as on disk */
};

#define GUID_TEXT_SIZE 39 /* "{8-4-4-4-12}" and the closing NUL */

/*
 * A GUID constant from the numbers of its text form:
 * c12a7328-f81f-11d2-ba4b-00a0c93ec93b is GUID_INIT(0xc12a7328, 0xf81f, 0x11d2, 0xba4b,
 * 0x00a0c93ec93b).
 */
#define GUID_BYTE(value, shift) ((uint8_t)((uint64_t)(value) >> (shift)))
#define GUID_INIT(a, b, c, d, e)                                                                   \
    {                                                                                              \
        {                                                                                          \
            GUID_BYTE(a, 0), GUID_BYTE(a, 8), GUID_BYTE(a, 16), GUID_BYTE(a, 24), GUID_BYTE(b, 0), \
                GUID_BYTE(b, 8), GUID_BYTE(c, 0), GUID_BYTE(c, 8), GUID_BYTE(d, 8),                \
                GUID_BYTE(d, 0), GUID_BYTE(e, 40), GUID_BYTE(e, 32), GUID_BYTE(e, 24),             \
                GUID_BYTE(e, 16), GUID_BYTE(e, 8), GUID_BYTE(e, 0),                                \
        }                                                                                          \
    }

bool guid_equal(const struct guid *a, const struct guid *b);
bool guid_is_zero(const struct guid *guid);

/* The GUID whose 16 bytes as on disk stand at `bytes`. */
struct guid guid_load(const uint8_t *bytes);

/*
 * Reads "8-4-4-4-12" hexadecimal digits, any case, with or without braces, nothing before or
 * after. Statuses: ST_OK; ST_USAGE for anything else, blanks inside included.
 */
MUST_CHECK enum status guid_parse(const char *text, struct guid *ret_guid);

/* Writes "{8-4-4-4-12}" in lower case. */
void guid_format(const struct guid *guid, char ret_text[GUID_TEXT_SIZE]);

#endif
