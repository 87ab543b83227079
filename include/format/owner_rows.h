/* The table of marks that owner.c goes through. */
#ifndef SHADOWBOOT_FORMAT_OWNER_ROWS_H
#define SHADOWBOOT_FORMAT_OWNER_ROWS_H

#include "format/owner.h"

/* True when the structure around a magic holds together. `at` has the row's `size` bytes. */
typedef bool owner_check(const uint8_t *at);

struct owner_row {
    enum owner owner;
    bool from_end;
    uint32_t distance; /* of the structure, as in struct owner_place */
    uint16_t magic_at; /* in the structure */
    uint8_t length;    /* of the magic */
    const char *magic;
    uint16_t size;      /* of the structure, 0 when the magic is all that is looked at */
    owner_check *check; /* NULL: the magic is enough */
};

/* Ordered by who comes first. Static lifetime. */
const struct owner_row *owner_rows(size_t *ret_count);

#endif
