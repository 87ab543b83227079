/* A boot store that is made anew for an ESP that has none which can be used: a part of
 * plan/boot_stores.h. */
#ifndef SHADOWBOOT_PLAN_STORE_NEW_H
#define SHADOWBOOT_PLAN_STORE_NEW_H

#include "base/date.h"
#include "plan/boot_stores.h"
#include "store_work.h"

/* True when Windows' boot manager is on the ESP, and a copy of Windows on the disk whose partition a
 * store can name. */
bool store_new_is_possible(const struct store_work *work);

/* True when besides there is no store on the ESP, or one that the boot manager can do nothing with. */
bool store_new_is_due(const struct store_work *work);

/*
 * Makes the store for the ESP: Windows from the copy on its disk, and where another member has one,
 * a second entry for that. Settings come from a store that the machine has now, the ESP's own
 * before others, and from Windows' template where that was read. `*ret_file` lies in the arena; it is
 * empty when that is what the ESP has.
 * Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status store_new(const struct store_work *work, const struct store_wishes *wishes,
                                 const struct date_time *now, struct span *ret_file);

#endif
