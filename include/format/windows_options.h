/*
 * The optional data of Windows' own boot entries (WINDOWS_OS_OPTIONS in Microsoft's public
 * headers):
 *
 *   0x00  8  "WINDOWS" and a NUL
 *   0x08  4  version, 1
 *   0x0c  4  length of all of it
 *   0x10  4  offset of the OS path
 *   0x14  -  load options, UCS-2 with NUL
 *    ...  -  OS path: 0 version (4), 4 length with this header (4), 8 type (4), 12 data
 *
 * On Itanium the OS path names partition and directory of the system ({HD, File, end}). Since
 * Windows Vista it is empty, and the load options name an object of the boot store:
 * "BCDOBJECT={9dea862c-5cdd-4e70-acc1-f32b344d4795}".
 */
#ifndef SHADOWBOOT_FORMAT_WINDOWS_OPTIONS_H
#define SHADOWBOOT_FORMAT_WINDOWS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"
#include "format/devpath.h"

enum windows_path_type {
    WINDOWS_PATH_ARC = 1,           /* ARC name and path, no GUID */
    WINDOWS_PATH_ARC_SIGNATURE = 2, /* "signature({guid})" and path, as ANSI text */
    WINDOWS_PATH_NT = 3,            /* NT device name and path, no GUID */
    WINDOWS_PATH_EFI = 4,           /* a device path */
};

struct windows_options {
    struct span load_options; /* UCS-2 with NUL */
    uint32_t path_type;       /* enum windows_path_type, or another number: opaque */
    struct span path_data;    /* type EFI: one well-formed device path, perhaps only an end node */
    size_t path_data_offset;  /* of path_data in the optional data, bytes */
};

/* True when the data begins with "WINDOWS" and a NUL, well formed or not. */
bool windows_options_present(struct span optional);

/*
 * Takes it apart; spans point into `optional`. Statuses: ST_OK; ST_ABSENT when it does not start
 * with the signature; ST_DAMAGED when a length or offset leads outside, the load options have no
 * end, or a type-EFI path is malformed; ST_UNSUPPORTED for a version other than 1.
 */
MUST_CHECK enum status windows_options_parse(struct span optional,
                                             struct windows_options *ret_options);

/* True when the OS path names a partition GUID, binary (EFI) or as text (ARC signature). */
bool windows_options_mention_guid(const struct windows_options *options, const struct guid *guid);

/* True, with `*ret_object` set, when the load options hold BCDOBJECT={guid}. */
bool windows_options_bcd_object(const struct windows_options *options, struct guid *ret_object);

/*
 * A copy of the optional data in which the OS path's partition is replaced as `how` says: the whole
 * hard drive node in a type-EFI path, the digits of the GUID in an ARC signature. No length changes
 * and `how->form` is not looked at. Statuses: ST_OK, also when nothing had to be replaced;
 * ST_ABSENT, ST_DAMAGED and ST_UNSUPPORTED as windows_options_parse; ST_NO_MEMORY.
 */
MUST_CHECK enum status windows_options_retarget(struct arena *arena, struct span optional,
                                                const struct devpath_retarget *how,
                                                struct span *ret_optional);

/*
 * Builds Itanium-style data: the load options (UCS-2 with NUL) and a type-EFI OS path of the
 * partition `hd` and the directory `directory` (UCS-2 with NUL). The OS path stands at a multiple
 * of four, the length is what is used. Statuses: ST_OK; ST_REFUSED when a text does not end in its
 * only NUL or is too long; ST_NO_MEMORY.
 */
MUST_CHECK enum status windows_options_build(struct arena *arena, struct span load_options,
                                             const struct hd_node *hd, struct span directory,
                                             struct span *ret_optional);

/* GUIDs of a text (any case, without braces) that occur in UCS-2 or ASCII anywhere in `data`: the
 * root=PARTUUID= of a Linux entry, say. Only asked to report, never to rewrite. */
bool optional_data_mentions_guid_text(struct span data, const struct guid *guid);

#endif
