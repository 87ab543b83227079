/*
 * Text. Inside the program all text is UTF-8 and NUL-terminated; UCS-2 (UEFI Specification 2.3.1)
 * lives only in variables, GPT entries and device paths, as little-endian bytes at any alignment.
 */
#ifndef SHADOWBOOT_BASE_TEXT_H
#define SHADOWBOOT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

size_t text_length(const char *text);
bool text_equal(const char *a, const char *b);

/* Equal when ASCII letters are compared without regard to case. */
bool text_equal_nocase(const char *a, const char *b);

/* True when `text` begins with `prefix`, without regard to the case of ASCII letters. */
bool text_has_prefix_nocase(const char *text, const char *prefix);

/* Less than, equal to or greater than 0 as `a` comes before `b`, is equal to it or comes behind it:
 * by the values of bytes, without regard to the case of ASCII letters. */
int text_compare_nocase(const char *a, const char *b);

/* ASCII only: everything else stays as it is. */
char text_lower(char c);

/* The value of a hexadecimal digit, or -1. */
int text_hex_digit(char c);

/*
 * Reads a whole unsigned number in `base` (10 or 16, no prefix, at least one digit, nothing
 * after). Statuses: ST_OK; ST_USAGE when it is not one or does not fit 64 bits.
 */
MUST_CHECK enum status text_parse_number(const char *text, unsigned base, uint64_t *ret_value);

/*
 * UTF-8 made fit for a terminal from untrusted UCS-2: `bytes` up to its first NUL unit or its end
 * (an odd last byte is dropped). Control characters, unpaired surrogates, and the characters that
 * change direction or hide text become \uXXXX (five digits where four do not do). NULL when the
 * arena is full.
 */
const char *text_from_ucs2(struct arena *arena, struct span bytes);

/* The same, with no more than the 512 characters people may want to see: firmware lets the name of
 * a boot entry be as long as the variable. */
const char *text_shown_from_ucs2(struct arena *arena, struct span bytes);

/*
 * The same harmless form of UTF-8 that came from outside; malformed sequences become \xNN. NULL
 * when the arena is full.
 */
const char *text_printable(struct arena *arena, const char *text);

/*
 * Little-endian UCS-2 of UTF-8 text, with the closing NUL unit. Statuses: ST_OK; ST_USAGE for
 * malformed UTF-8; ST_NO_MEMORY. The result lies in the arena.
 */
MUST_CHECK enum status text_to_ucs2(struct arena *arena, const char *text, struct span *ret_bytes);

#endif
