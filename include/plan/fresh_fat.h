/* Whether files fit on a fresh FAT file system, found out with the real layout at plan time. */
#ifndef SHADOWBOOT_PLAN_FRESH_FAT_H
#define SHADOWBOOT_PLAN_FRESH_FAT_H

#include "base/arena.h"
#include "base/status.h"
#include "format/fat/fat.h"
#include "plan/disk_change.h"

/* Where a file system is to be, and what is to be in it. */
struct fresh_fat {
    uint64_t first_lba;
    uint64_t block_count;
    uint32_t block_size; /* 512 or 4096 */
    const char *label;   /* legal for FAT */
    const struct files_change *files;
};

/*
 * The type of FAT for that place. Scratch memory is given back. Statuses: ST_OK when the files fit;
 * ST_NO_SPACE when they do not, or the place is too small for any file system; ST_UNSUPPORTED when
 * it is too large; ST_USAGE for names that cannot be; ST_NO_MEMORY.
 */
MUST_CHECK enum status fresh_fat_fits(struct arena *arena, const struct fresh_fat *fresh,
                                      enum fat_type *ret_type);

/*
 * Bytes of clusters that the files take there, and that there are: 0 when the place is too small
 * for any file system (the files then as with the smallest clusters). Statuses as fat_layout_bytes.
 */
MUST_CHECK enum status fresh_fat_bytes(struct arena *arena, const struct fresh_fat *fresh,
                                       uint64_t *ret_needed, uint64_t *ret_available);

#endif
