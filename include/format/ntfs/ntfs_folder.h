/*
 * What is in a folder of an NTFS volume.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_FOLDER_H
#define SHADOWBOOT_FORMAT_NTFS_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "format/ntfs/ntfs.h"

struct ntfs_item {
    struct span name;   /* UCS-2, little-endian, without a NUL: as it is on the volume */
    uint64_t reference; /* to its file record, for ntfs_describe */
    uint64_t size;      /* as the folder knows it, for an estimate: of a file with several names
                               it may be an old one. ntfs_describe tells the true size */
    bool is_directory;
    bool reparse;           /* ntfs_describe tells what kind */
    struct ntfs_item *next; /* the one behind it in the volume's order of names; NULL at the end */
};

/*
 * Lists the folder with this reference (struct ntfs_file of a folder: ntfs_reference). A file with
 * several names is there once for each of them, but names that are there for DOS alone are left
 * out. `*ret_first` is NULL for an empty folder. The items and names lie in the volume's arena,
 * which is as full as before on failure; up to 16 index blocks (64 KiB) more are taken from its far
 * end meanwhile. Nothing but the folder's own record and index is read. Statuses: ST_OK; ST_ABSENT:
 * it is no folder; ST_UNSUPPORTED: it is a reparse point; ST_DAMAGED: a record or a part of the
 * index is not sound: nothing is given then; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_list(struct ntfs_volume *volume, uint64_t reference,
                                 struct ntfs_item **ret_first);

#endif
