/* A dead boot sector of FAT32, mended from its backup: one sector is written, and nothing else. */
#ifndef SHADOWBOOT_FORMAT_FAT_MEND_H
#define SHADOWBOOT_FORMAT_FAT_MEND_H

#include "format/disk_edit.h"
#include "format/fat/fat.h"

/*
 * True when that is all there is to mend: the volume is known from its backup, everything that lies
 * behind agrees with it, and there are files. A backup alone is no proof: it may be left from an
 * older file system over which something else was made, and then its FATs are not those of today.
 */
bool fat_mend_is_possible(const struct fat_volume *volume, const struct fat_report *report);

/*
 * The edit that writes the backup boot sector over the first one, in one phase. (FSInfo is left
 * alone: it is no more than a hint.) It lies in `arena`. Statuses: ST_OK; ST_REFUSED when the
 * volume is not known from its backup; ST_CHANGED when the backup is not the one it is known from;
 * ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_mend(struct arena *arena, struct fat_volume *volume,
                                struct disk_edit *ret_edit);

#endif
