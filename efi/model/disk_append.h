/*
 * More bytes behind the end of a file on a FAT file system, in such a way that power may be cut at any
 * block: the file then has its old content or all of the new one (format/fat/fat_edit.h).
 */
#ifndef SHADOWBOOT_MODEL_DISK_APPEND_H
#define SHADOWBOOT_MODEL_DISK_APPEND_H

#include "base/arena.h"
#include "base/status.h"
#include "format/fat/fat.h"

/*
 * Writes the file anew with `more` behind it, beside its old content, then frees that; every block is
 * read back. `volume` is as fat_open left it, and of no use afterwards. What it takes of `arena` is the
 * caller's to give back. Statuses: ST_OK: it is on the medium; ST_ABSENT when there is no such file;
 * ST_NO_SPACE when there is no room for the whole file once more; ST_READ_ONLY; ST_REFUSED when the
 * file system is damaged, or of a form that is not written; ST_IO; ST_NO_MEMORY. After ST_IO and
 * ST_READ_ONLY it is as after a power cut, after the others nothing was written.
 */
MUST_CHECK enum status disk_append(struct arena *arena, struct fat_volume *volume, const char *path,
                                   struct span more);

#endif
