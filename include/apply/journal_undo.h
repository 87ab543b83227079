/* Which change is to be taken back next, and what becomes of those that are not. */
#ifndef SHADOWBOOT_APPLY_JOURNAL_UNDO_H
#define SHADOWBOOT_APPLY_JOURNAL_UNDO_H

#include "apply/journal_store.h"

/*
 * The newest change that was not taken back; NULL when there is none. An undo is no such change, so
 * that undo after undo goes further back. On one volume numbers are sure, whatever was done to the
 * clock; between volumes journal_file_is_later decides.
 */
const struct journal_file *journal_newest(const struct journal_files *list, size_t volume_count);

/* Gives up what is interrupted and has blocks of disks: it is marked as left. `but` (NULL: none)
 * stays as it is. Takes no memory for good. */
void journal_give_up(struct arena *arena, const struct ports *ports,
                     const struct journal_file *but);

#endif
