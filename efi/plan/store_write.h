/* A boot store is written anew where it lies. */
#ifndef SHADOWBOOT_PLAN_STORE_WRITE_H
#define SHADOWBOOT_PLAN_STORE_WRITE_H

#include "plan/plan.h"

#define STORE_ITEMS_MAX 4u /* a store and its logs */

/*
 * The files to write where the file `path` of the ESP, a boot store, gets another content or is made
 * (with the date of the boot manager then): that, and its logs that are not empty, emptied. What they hold is of the old store, and
 * Windows would put it over the new one when its next write is cut short. The logs of a store whose
 * own write was cut short stay: it has to be good until the new one is there, which is to have a
 * greater sequence number and another time (regf_edit_finish). How many they are, the store first;
 * 0 when the arena is full.
 */
size_t store_items(struct arena *arena, const struct esp *esp, const char *path, struct span file,
                   struct file_copy ret_items[STORE_ITEMS_MAX]);

/* A boot store that gets another content. */
struct store_writing {
    size_t esp;       /* index into machine.esps */
    const char *path; /* of the file */
    struct span file; /* as it is to be */
    bool renames;     /* it differs from what is there in the names of partitions and its stamp
                       * (store_stamp) alone */
    const char *text; /* what the action does */
};

/*
 * Adds the action, which makes the store where there is none. A store with other names of partitions
 * stays where it lies, where each name is in one block: whatever set of its blocks reaches the disk,
 * it is a hive without a mark of an unfinished write, and each of its devices has the old name or
 * the new one; its logs do not fit any longer by its stamp. Any other one is written anew beside the
 * old one, and its logs are emptied. Statuses: ST_OK; ST_REFUSED, ST_READ_ONLY, ST_NO_SPACE with
 * plan->refusal set; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_write_store(struct plan *plan, const struct store_writing *writing);

#endif
