/* A registry hive in memory, read by the stand-in alone: nothing here is the program's. */
#ifndef STANDIN_HIVE_H
#define STANDIN_HIVE_H

#include "standin.h"

#define HIVE_NONE 0xffffffffu /* no key */

struct hive {
    UINT8 *data;    /* the file */
    UINTN size;     /* bytes of it */
    UINTN capacity; /* of the buffer */
    BOOLEAN mended; /* by its log */
};

/* What Windows' boot manager says to the file, as a status of Windows; 0 when it is good. A hive
 * whose last write was cut short is completed from `log` (NULL: none) in its buffer. */
UINT32 hive_open(struct hive *hive, const UINT8 *log, UINTN log_size);

UINT32 hive_root(const struct hive *hive);
UINTN hive_child_count(const struct hive *hive, UINT32 key);

/* The subkey of that name, whatever its case; HIVE_NONE. */
UINT32 hive_child(const struct hive *hive, UINT32 key, const char *name);

/* The data of the key's value of that name; NULL without one. */
const UINT8 *hive_value(const struct hive *hive, UINT32 key, const char *name, UINTN *ret_size);

/* The checksum that the first block ought to have. */
UINT32 hive_checksum(const UINT8 *block);

/* Completes a hive from its log, in its buffer. FALSE when the log does not fit. */
BOOLEAN hive_replay(struct hive *hive, const UINT8 *log, UINTN size);

#endif
