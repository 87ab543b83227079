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

/*
 * Adds the action that gives the file `path` of the ESP, a boot store, another content, or makes it,
 * and empties its logs. `text` is what the action does. Statuses: ST_OK; ST_REFUSED, ST_READ_ONLY, ST_NO_SPACE with
 * plan->refusal set; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_write_store(struct plan *plan, size_t esp, const char *path,
                                        struct span file, const char *text);

#endif
