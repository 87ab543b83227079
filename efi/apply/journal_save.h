/* What saving a journal takes from the store of journals. */
#ifndef SHADOWBOOT_APPLY_JOURNAL_SAVE_H
#define SHADOWBOOT_APPLY_JOURNAL_SAVE_H

#include "apply/journal_store.h"

#define JOURNAL_LAST_ID 9999999u /* as many digits as a name has */

/* The highest number in use on any volume or in the variable. Takes no memory for good. */
uint32_t journal_last_id(struct arena *arena, const struct ports *ports);

#endif
