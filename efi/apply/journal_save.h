/* What saving a journal takes from the store of journals. */
#ifndef SHADOWBOOT_APPLY_JOURNAL_SAVE_H
#define SHADOWBOOT_APPLY_JOURNAL_SAVE_H

#include "apply/journal_store.h"

/* The highest number in use on any volume. */
uint32_t journal_last_id(const struct files_port *files);

#endif
