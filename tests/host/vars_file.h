/*
 * A variable store kept in a text file. One variable per line:
 *
 *   NAME ATTRIBUTES DATA
 *   {VENDOR}/NAME ATTRIBUTES DATA
 *
 * the first for the global vendor. ATTRIBUTES are hexadecimal, DATA is two hexadecimal digits per
 * byte, or "-" when there is none. Characters of a name that are not printable ASCII, blanks, '%',
 * '/' and '#' are written %XX. Empty lines and lines that start with '#' are skipped.
 */
#ifndef SHADOWBOOT_HOST_VARS_FILE_H
#define SHADOWBOOT_HOST_VARS_FILE_H

#include "host/mem_vars.h"

/*
 * Makes a store of `total` bytes from `file`; to be freed by the caller. Statuses: ST_OK; ST_ABSENT
 * when there is no such file; ST_DAMAGED, with the line in `*ret_line` where that is not NULL;
 * ST_IO.
 */
MUST_CHECK enum status vars_file_load(const char *file, uint64_t total, struct mem_vars **ret_vars,
                                      unsigned *ret_line);

/* Writes the whole store; the old file stays until the new one is complete. ST_OK or ST_IO. */
MUST_CHECK enum status vars_file_save(const char *file, const struct mem_vars *vars);

#endif
