/* Plans for single boot entries and for the sequence they are tried in. */
#ifndef SHADOWBOOT_PLAN_ENTRIES_H
#define SHADOWBOOT_PLAN_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/guid.h"
#include "base/status.h"
#include "plan/edit.h"
#include "plan/plan.h"

struct add_request {
    struct guid partition;
    const char *file;        /* UTF-8 path on it, starting with a backslash */
    const char *description; /* UTF-8 */
    const char *optional;    /* UTF-8 text for the optional data, stored as UCS-2; NULL: none */
    size_t position;         /* in BootOrder from 0, or ORDER_END */
    bool full_path;
    bool disk_in_name; /* the partition's disk goes behind the description */
};

/*
 * A new active entry; one that starts the same and is outside BootOrder is put there instead.
 * Statuses: ST_OK; ST_EXISTS when an entry that starts the same is in BootOrder;
 * ST_USAGE for a text that is no UTF-8; those of place_find and edit_begin.
 */
MUST_CHECK enum status plan_add(struct plan *plan, const struct add_request *request);

/*
 * The same within an edit, on the partition with that index; request->partition does not count.
 * Statuses as above, but for place_find's and edit_begin's.
 */
MUST_CHECK enum status add_into(struct boot_edit *edit, const struct add_request *request,
                                size_t partition);

/* Deletes entries, given by index. Statuses: ST_OK; those of edit_begin_mending: a broken BootOrder
 * does not keep an entry from being deleted. */
MUST_CHECK enum status plan_delete(struct plan *plan, const size_t *entries, size_t count);

/* Puts these entries first in BootOrder, in this sequence; the others follow as they were.
 * Statuses: ST_OK; those of edit_begin_mending. */
MUST_CHECK enum status plan_order(struct plan *plan, const size_t *entries, size_t count);

/* Sets BootNext to the entry, or deletes it for NO_INDEX. Statuses: ST_OK; ST_REFUSED when what is
 * there now cannot be read; ST_NO_MEMORY. */
MUST_CHECK enum status plan_next(struct plan *plan, size_t entry);

/* Sets Timeout in seconds; 65,535 waits for ever. Statuses as plan_next. */
MUST_CHECK enum status plan_timeout(struct plan *plan, uint16_t seconds);

/* An entry that was saved in a file. */
struct import_item {
    struct span value; /* the bytes of a load option */
    const char *file;  /* printable, for messages */
};

/* Partition to put in another's place in everything that is imported. */
struct import_retarget {
    struct guid source;
    struct guid target;
};

/*
 * New entries with these bytes, retargeted unless `retarget` is NULL, at the end of BootOrder.
 * Those that exist already are left out with a warning, or put into BootOrder if they are outside;
 * those that firmware made itself are left out.
 * Statuses: ST_OK; ST_DAMAGED when one is no load option; those of place_find and edit_begin.
 */
MUST_CHECK enum status plan_import(struct plan *plan, const struct import_item *items, size_t count,
                                   const struct import_retarget *retarget);

/*
 * Deletes the entries whose partition or file is gone and those that start the same as one before
 * them, and mends BootOrder (odd size, repeated and absent members, missing). Entries of firmware's
 * own (model/firmware_entry.h), and those that name no disk at all, are left alone; so are those
 * whose partition is gone as long as a disk is here whose partition table cannot be read, and with
 * a warning those that alone tell of a loader (audit/last_record.h).
 */
MUST_CHECK enum status plan_prune(struct plan *plan);

/*
 * The same within an edit, but for mending BootOrder, which is a matter of how the edit was begun:
 * prune_into first, prune_spare when all that the edit creates is in the plan. `keep_gone`: entries
 * whose partition is gone stay, with a warning. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status prune_into(struct boot_edit *edit, bool keep_gone);

/* Takes back the deletion of entries (I9) whose loader nothing else tells of: no other entry of the
 * BootOrder that is going to be, and none that the plan creates. A warning says how to clone them.
 * Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status prune_spare(struct boot_edit *edit);

#endif
