/* What saving a journal takes from the store of journals. */
#ifndef SHADOWBOOT_APPLY_JOURNAL_SAVE_H
#define SHADOWBOOT_APPLY_JOURNAL_SAVE_H

#include "apply/journal_store.h"

/* The highest number in use on any volume or in the variable. Takes no memory for good. */
uint32_t journal_last_id(struct arena *arena, const struct ports *ports);

#endif
