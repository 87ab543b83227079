/*
 * Writing a GUID partition table (UEFI Specification 5.3), both copies, worked out in full before
 * the first write. At any cut at least one copy is good where one was before, and both describe
 * either the old or the new table. Phases:
 *
 *   0  the partition entries of the copy that may be lost: the primary when it is not good and the
 *      backup is, else the backup
 *   1  its header
 *   2  the entries of the other copy
 *   3  its header
 *   4  the protective MBR, where one is asked for: until then a blank disk stays one
 */
#ifndef SHADOWBOOT_FORMAT_GPT_EDIT_H
#define SHADOWBOOT_FORMAT_GPT_EDIT_H

#include "base/arena.h"
#include "base/guid.h"
#include "base/status.h"
#include "format/disk_edit.h"
#include "format/gpt.h"

#define GPT_EDIT_PHASES 5u
#define GPT_ENTRIES_MIN 128u

struct gpt_edit_request {
    uint32_t block_size;
    uint64_t block_count; /* of the disk */
    struct guid disk_guid;
    struct span entries;  /* the whole new array, entry_count * entry_size bytes */
    uint32_t entry_count; /* at least GPT_ENTRIES_MIN */
    uint32_t entry_size;  /* 128 or a larger power of two */
    bool primary_good;    /* the copy is good now: it stays so until the other one is written */
    bool backup_good;
    struct span mbr; /* block 0 as it is; empty: unreadable or blank */
    bool write_mbr;  /* put a protective MBR there, keeping the boot code */
};

/* The blocks that are usable, first and last, beside both copies of such an array: what entries of
 * the request have to keep to. False when the disk is too small. */
bool gpt_edit_usable(const struct gpt_edit_request *request, uint64_t *ret_first,
                     uint64_t *ret_last);

/*
 * Works out the writes. The primary array begins at block 2, the backup ends before the last block,
 * and the usable range is what both leave. Statuses: ST_OK; ST_REFUSED when an entry lies outside
 * the usable range, or two overlap; ST_NO_SPACE when the disk is too small for both copies;
 * ST_UNSUPPORTED for an array of another form than above or of more than GPT_ARRAY_MAX_BYTES;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status gpt_edit(struct arena *arena, const struct gpt_edit_request *request,
                                struct disk_edit *ret_edit);

#endif
