/* A registry hive made from nothing. */
#ifndef SHADOWBOOT_FORMAT_REGF_MAKE_H
#define SHADOWBOOT_FORMAT_REGF_MAKE_H

#include "base/bytes.h"
#include "base/status.h"
#include "format/regf/regf_name.h"

/*
 * Writes a hive of version 1.3 with a root key and nothing below it: base block, one bin, and in it
 * the key and its security, a self-relative SECURITY_DESCRIPTOR. `now` is a FILETIME. The editor
 * (regf_edit.h) works on it. `name` and `security` must not lie in the buffer. Statuses: ST_OK;
 * ST_USAGE when the name is empty or longer than REGF_KEY_NAME_MAX, or the security is empty or
 * longer than 65535 bytes; ST_TOO_SMALL when the hive takes more than `capacity` bytes: 8192 bytes
 * do unless the security is long. The buffer is unchanged then.
 */
MUST_CHECK enum status regf_make(uint8_t *buffer, size_t capacity, struct regf_name name,
                                 struct span security, uint64_t now, struct span *ret_file);

#endif
