/*
 * The order of names in directories of NTFS: by unit of UCS-2 after $UpCase (file record 10), a
 * table of 65536 units that every volume brings along. Parts of it are read as they are needed.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_UPCASE_H
#define SHADOWBOOT_FORMAT_NTFS_UPCASE_H

#include "base/bytes.h"
#include "base/status.h"
#include "format/ntfs/ntfs.h"

/*
 * Finds the volume's table. That it cannot be read is remembered, and matters only where names need
 * it. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_upcase_open(struct ntfs_volume *volume);

/*
 * `*ret_order` is < 0, 0 or > 0 as name `a` comes before, with or after `b`, both UCS-2. Statuses:
 * ST_OK; where a character is not ASCII also ST_DAMAGED, ST_IO and others of the port.
 */
MUST_CHECK enum status ntfs_compare_names(struct ntfs_volume *volume, struct span a, struct span b,
                                          int *ret_order);

#endif
