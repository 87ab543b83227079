/*
 * DER (ITU-T X.690): a run of elements, each with a tag, the length of its content, and that. Only
 * what certificates and signatures are made of is followed: tags of one byte, lengths that are
 * given and fit 32 bits.
 */
#ifndef SHADOWBOOT_FORMAT_DER_H
#define SHADOWBOOT_FORMAT_DER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_OCTETS = 0x04,
    DER_OBJECT = 0x06,
    DER_UTF8_TEXT = 0x0c,
    DER_UTC_TIME = 0x17,
    DER_LONG_TIME = 0x18,
    DER_BMP_TEXT = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT_0_BYTES = 0x80, /* [0] of what is no structure */
    DER_CONTEXT_0 = 0xa0,
    DER_CONTEXT_3 = 0xa3,
};

struct der_element {
    uint8_t tag;
    struct span content;
    struct span whole; /* tag and length as well */
};

/* Takes the first element off `*io_rest`. False, with nothing taken, at the end and for one that is
 * not followed here or passes the end. */
bool der_next(struct span *io_rest, struct der_element *ret_element);

/* The same for an element that has to be of kind `tag`. */
bool der_take(struct span *io_rest, uint8_t tag, struct der_element *ret_element);

/* Takes an element of kind `tag` and passes over it. */
bool der_skip(struct span *io_rest, uint8_t tag);

/* Takes an element of kind `tag` and gives its content. */
bool der_enter(struct span *io_rest, uint8_t tag, struct span *ret_content);

#endif
