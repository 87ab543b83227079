/*
 * What Windows' bcdedit calls the elements, objects and values of a boot store. The same number is
 * another element in an object of another kind: 22000002 is the systemroot of a loader and the
 * filepath of what resumes from hibernation.
 *
 * Names and numbers are those of the documentation of BcdLibraryElementTypes,
 * BcdBootMgrElementTypes, BcdOSLoaderElementTypes and so on, and of what bcdedit prints.
 */
#ifndef SHADOWBOOT_FORMAT_BCD_NAME_H
#define SHADOWBOOT_FORMAT_BCD_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/guid.h"
#include "base/status.h"

/* What the numbers of an element are called. */
enum bcd_words {
    WORDS_NONE,
    WORDS_HEX, /* nothing: they are printed in hexadecimal */
    WORDS_DEBUG,
    WORDS_INTEGRITY,
    WORDS_MESSAGE,
    WORDS_MEGABYTE,
    WORDS_DEBUG_START,
    WORDS_ACCESS,
    WORDS_RESOLUTION,
    WORDS_NX,
    WORDS_PAE,
    WORDS_SAFE,
    WORDS_MENU,
    WORDS_STATUS,
    WORDS_HYPERVISOR,
    WORDS_UX,
    WORDS_ENTROPY,
    WORDS_MIX,
    BCD_WORDS_COUNT
};

struct bcd_name {
    uint32_t code;
    enum bcd_words words;
    const char *name; /* static lifetime */
};

/* The name of an element in an object of that type; false, with `*ret_name` unchanged, when it has
 * none. */
bool bcd_name_of(uint32_t type, uint32_t code, struct bcd_name *ret_name);

/* The element of that name, in any case, that an object of that type can have. Statuses: ST_OK;
 * ST_UNSUPPORTED when only objects of other kinds have it; ST_ABSENT. */
MUST_CHECK enum status bcd_name_find(uint32_t type, const char *text, struct bcd_name *ret_name);

/* The number's words in their order, one blank between two; "" for WORDS_NONE and WORDS_HEX. The
 * first stands for 0. Static lifetime. */
const char *bcd_words_text(enum bcd_words words);

/* The name of a well-known object without braces, "bootmgr"; NULL when it has none. {default} and
 * {current} are no objects. Static lifetime. */
const char *bcd_alias_of(const struct guid *guid);

/* The object of that name without braces, in any case. Statuses: ST_OK; ST_ABSENT. */
MUST_CHECK enum status bcd_alias_find(const char *name, struct guid *ret_guid);

/* What bcdedit prints above an object. Static lifetime. */
const char *bcd_heading(uint32_t type, const struct guid *guid);

#endif
