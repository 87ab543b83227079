/* The version of a program on an NTFS volume, of which no more is read than that takes. */
#ifndef SHADOWBOOT_MODEL_PROGRAM_VERSION_H
#define SHADOWBOOT_MODEL_PROGRAM_VERSION_H

#include "base/arena.h"
#include "format/ntfs/ntfs.h"

/*
 * `path`: of the program, absolute. *ret_version: a.b.c.d, 16 bits each from the top; unchanged where
 * the program says none, or is none. The arena is as before. Statuses: ST_OK; ST_ABSENT (no such
 * file); what ntfs_lookup and ntfs_read say; ST_DAMAGED (the file ends before what it names);
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status program_version(struct arena *arena, struct ntfs_volume *volume,
                                       const char *path, uint64_t *ret_version);

#endif
