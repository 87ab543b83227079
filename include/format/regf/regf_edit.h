/*
 * Changing a registry hive in the caller's buffer. Only a hive that is sound (regf_verify.h) is
 * changed, and it is so after each call: subkeys sorted, security cells counted, free cells merged.
 * A call that fails leaves every byte of the hive as it was.
 *
 * The base block is left behind until regf_edit_finish: before that the buffer is no hive file.
 */
#ifndef SHADOWBOOT_FORMAT_REGF_EDIT_H
#define SHADOWBOOT_FORMAT_REGF_EDIT_H

#include "base/arena.h"
#include "base/status.h"
#include "format/regf/regf_read.h"

/* What Windows allows, units of UTF-16. */
#define REGF_KEY_NAME_MAX   255u
#define REGF_VALUE_NAME_MAX 16383u

/* Subkeys in one list, as many as Windows has before it splits it. */
#define REGF_LIST_MAX 507u

/* What is known of a bin, so that room is found without going through all cells. */
struct regf_bin {
    uint32_t size; /* bytes; 0 where none begins */
    uint32_t room; /* no free cell in it is larger than this */
};

struct regf_edit {
    struct regf_hive hive; /* as it is now; names and data read through it are good until the next
                              change */
    uint8_t *file;         /* the caller's buffer */
    size_t capacity;       /* of the buffer, bytes */
    uint8_t *in_use;       /* the same as hive.in_use */
    struct regf_bin *bins; /* one for each 4096 bytes of the bins */
    uint64_t now;          /* FILETIME, for what is changed */
};

/*
 * Begins to change the hive in the first `size` bytes of `file`; it may grow to `capacity` bytes,
 * and the bytes behind its last bin are lost then. The buffer and the arena's memory (a 56th of the
 * capacity; during the call half the size more) are to stay until the end. `now` is the FILETIME
 * that changed keys get. Statuses: ST_OK; those of regf_open; ST_DAMAGED also when it is not sound;
 * ST_TOO_SMALL when `size` is more than `capacity`; ST_NO_MEMORY.
 */
MUST_CHECK enum status regf_edit_open(struct arena *arena, uint8_t *file, size_t size,
                                      size_t capacity, uint64_t now, struct regf_edit *ret_edit);

/* Names and data that the calls below are given may be borrowed from the hive itself. */

/*
 * Adds a subkey, with its parent's security. Statuses: ST_OK; ST_EXISTS when there is one of that
 * name; ST_USAGE when the name is empty, too long or has a backslash; ST_NO_SPACE when the buffer
 * is too small; ST_UNSUPPORTED when the list of subkeys has REGF_LIST_MAX or the key would be too
 * deep; ST_DAMAGED when there is no key at `parent`.
 */
MUST_CHECK enum status regf_create_key(struct regf_edit *edit, uint32_t parent,
                                       struct regf_name name, uint32_t *ret_key);

/* Deletes a key with all below it. Statuses: ST_OK; ST_REFUSED for the root; ST_DAMAGED when there
 * is no key. */
MUST_CHECK enum status regf_delete_key(struct regf_edit *edit, uint32_t key);

/*
 * Sets a value, which is added where there is none of that name (in any case); the empty name is
 * the default value. Statuses: ST_OK; ST_USAGE when the name is too long; ST_NO_SPACE when the
 * buffer is too small; ST_UNSUPPORTED for data of more than 16344 bytes from version 1.4 on, or
 * more than REGF_BINS_MAX; ST_DAMAGED when there is no key.
 */
MUST_CHECK enum status regf_set_value(struct regf_edit *edit, uint32_t key, struct regf_name name,
                                      uint32_t type, struct span data);

/* Statuses: ST_OK; ST_ABSENT when there is no value of that name; ST_DAMAGED when there is no
 * key. */
MUST_CHECK enum status regf_delete_value(struct regf_edit *edit, uint32_t key,
                                         struct regf_name name);

/*
 * Says in the hive that `file` is that it was written once more at `now`: sequence numbers, one more
 * than the greater was, times of the base block and the first bin, and the checksum. No log of an
 * earlier write fits it any longer. The file has to be a hive that regf_check finds good.
 */
void regf_stamp(uint8_t *file, uint64_t now);

/*
 * Ends the change: sequence numbers, one more than the greater was, time, size and checksum of the
 * base block, and the time of the first bin, so that no older log fits any longer. The result is
 * the hive as a file, in the buffer; the edit can be used on.
 */
struct span regf_edit_finish(struct regf_edit *edit);

#endif
