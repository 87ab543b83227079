/*
 * Names of keys and values in a registry hive: one byte for each character (Latin-1), or UTF-16.
 * They are compared by UTF-16 unit without regard to case, as Windows sorts and looks up subkeys.
 * Upper case is that of the scripts that have it and were known when Windows' table was made; what
 * other characters there are is compared as it is.
 */
#ifndef SHADOWBOOT_FORMAT_REGF_NAME_H
#define SHADOWBOOT_FORMAT_REGF_NAME_H

#include <stdbool.h>

#include "base/bytes.h"

#define REGF_HINT_SIZE 4u

struct regf_name {
    struct span bytes; /* borrowed */
    bool wide;         /* UTF-16, little-endian; else Latin-1 */
};

/* The name that a NUL-terminated text in ASCII is; borrowed. */
struct regf_name regf_name_of(const char *ascii);

/* Units of UTF-16 that it has. */
size_t regf_name_length(struct regf_name name);

/* Unit `index`, which is below the length. */
uint16_t regf_name_unit(struct regf_name name, size_t index);

/* The upper case of a unit of UTF-16. */
uint16_t regf_upcase(uint16_t unit);

/* < 0, 0 or > 0 as `a` comes before, with or after `b`. */
int regf_name_compare(struct regf_name a, struct regf_name b);

/* True when it can be stored as Latin-1. */
bool regf_name_is_narrow(struct regf_name name);

/* What the lists "lf" hold of it: its first four characters, zeros when one is not Latin-1. */
void regf_name_hint(struct regf_name name, uint8_t ret_hint[REGF_HINT_SIZE]);

/* What the lists "lh" hold of it. */
uint32_t regf_name_hash(struct regf_name name);

#endif
