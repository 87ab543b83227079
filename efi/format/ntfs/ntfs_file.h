/*
 * Files of NTFS by their records: what they are, and what they can be used as.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_FILE_H
#define SHADOWBOOT_FORMAT_NTFS_FILE_H

#include <stdint.h>

#include "base/status.h"
#include "ntfs_stream.h"

/*
 * Reads the record of a directory into volume->base. Statuses: ST_OK; ST_ABSENT when it is of
 * something else; ST_UNSUPPORTED when it is a reparse point: its names are somewhere else;
 * ST_DAMAGED; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_directory_load(struct ntfs_volume *volume, uint64_t reference,
                                           struct ntfs_record *ret_record);

#endif
