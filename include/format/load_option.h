/*
 * EFI_LOAD_OPTION (UEFI Specification 3.1.3), the value of a Boot#### variable:
 *
 *   0  4  attributes
 *   4  2  bytes of the device path list, end nodes included
 *   6  -  description, UCS-2 with its NUL
 *   -  -  device path list: [0] is started, further ones are the operating system's or vendor's
 *   -  -  optional data, to the end of the variable
 */
#ifndef SHADOWBOOT_FORMAT_LOAD_OPTION_H
#define SHADOWBOOT_FORMAT_LOAD_OPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

#define LOAD_OPTION_ACTIVE          0x00000001u
#define LOAD_OPTION_FORCE_RECONNECT 0x00000002u
#define LOAD_OPTION_HIDDEN          0x00000008u
#define LOAD_OPTION_CATEGORY        0x00001f00u
#define LOAD_OPTION_CATEGORY_APP    0x00000100u

struct load_option {
    uint32_t attributes;
    struct span description; /* UCS-2 with its NUL, at any alignment */
    struct span paths;       /* the whole list, well formed */
    struct span path;        /* paths[0], with its end node */
    struct span optional;    /* may be empty */
};

/*
 * Takes a variable's value apart; the spans point into `value`. Statuses: ST_OK; ST_DAMAGED when it
 * is cut short, the description has no end, or the list is not whole device paths from end to end.
 */
MUST_CHECK enum status load_option_parse(struct span value, struct load_option *ret_option);

/*
 * Puts a value together in the arena from `attributes`, `description`, `paths` and `optional`;
 * `path` is not looked at. Statuses: ST_OK; ST_REFUSED when the list is longer than its 16-bit
 * length field can say, or load_option_parse would not give the same pieces back; ST_NO_MEMORY.
 */
MUST_CHECK enum status load_option_build(struct arena *arena, const struct load_option *option,
                                         struct span *ret_value);

/* The optional data by which edk2's and U-Boot's boot managers mark entries they made themselves
 * and may delete again: GUID 8108ac4e-9f11-4d59-850e-e21a522c59b2, alone. */
bool load_option_is_auto_created(const struct load_option *option);

#endif
