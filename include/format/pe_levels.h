/*
 * The levels that a shim brings along for its variable SbatLevel (UEFI shim 15.7 and later, section
 * ".sbatlevel"): a number 0, then, counted from behind that, where each of two texts begins, which end
 * with a zero; 4 bytes each. The first is put into the variable unless asked otherwise, the second where
 * the variable SbatPolicy asks for the latest.
 *
 * The section's name is longer than a header has room for, and lies behind all sections: what has the
 * form is taken for it.
 */
#ifndef SHADOWBOOT_FORMAT_PE_LEVELS_H
#define SHADOWBOOT_FORMAT_PE_LEVELS_H

#include "base/bytes.h"
#include "format/pe_headers.h"

#define PE_LEVELS_SIZE     512 /* kept of the section: the lists of shim 16.1 take 93 bytes */
#define PE_LEVELS_SECTIONS 8   /* with long names, that are looked into */

struct pe_levels {
    uint64_t places[PE_LEVELS_SECTIONS]; /* in the file */
    size_t sizes[PE_LEVELS_SECTIONS];
    size_t count;
    size_t next; /* the one being looked into */
    uint8_t bytes[PE_LEVELS_SIZE];
    size_t used;
};

/* Looks which sections may be it. `start` as for pe_headers_parse, which gave `headers`. */
void pe_levels_start(struct pe_levels *levels, struct span start, const struct pe_headers *headers);

/* The bytes of the file at `at`, fed in their order. */
void pe_levels_feed(struct pe_levels *levels, struct span piece, uint64_t at);

/* The text, of PE_LEVELS_SIZE bytes of such a section; empty where there is none. */
struct span pe_levels_text(const uint8_t *bytes, bool latest);

/* True when shim puts levels `own` in the place of `now`, both in the form of SbatLevel: the first line,
 * "sbat,1,DATE", is that of a later day, or `now` has none. */
bool pe_levels_are_newer(struct span own, struct span now);

#endif
