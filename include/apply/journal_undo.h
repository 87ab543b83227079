/*
 * Which change an undo takes back, which one is to be taken back next, and what becomes of journals
 * that are over. An undo's journal does not name the change: they are known by the blocks of disks
 * that both reach.
 */
#ifndef SHADOWBOOT_APPLY_JOURNAL_UNDO_H
#define SHADOWBOOT_APPLY_JOURNAL_UNDO_H

#include "apply/journal_store.h"

/* True for an undo of blocks that was cut off. */
bool journal_is_interrupted_undo(const struct journal_file *file);

/*
 * The change that an interrupted undo was taking back: the latest one before it in `all` that
 * reaches the same blocks and still stands. NULL when it is not there, or cannot be read. Takes no
 * memory for good.
 */
const struct journal_file *journal_find_undone(struct arena *arena, const struct files_port *files,
                                               const struct journal_files *all,
                                               const struct journal_file *undo);

/* Marks the interrupted undos of a change as done, now that it is taken back. One that cannot be
 * marked is found to be over when it is looked at next. */
void journal_close_undos(struct arena *arena, const struct files_port *files,
                         const struct journal_file *done);

/*
 * The newest change that was not taken back; NULL when there is none. An undo is no such change, so
 * that undo after undo goes further back. On one volume numbers are sure, whatever was done to the
 * clock; between volumes journal_file_is_later decides.
 */
const struct journal_file *journal_newest(const struct journal_files *list, size_t volume_count);

/* Gives up what is interrupted and has blocks of disks: it is marked as left. `but` (NULL: none)
 * stays as it is. Takes no memory for good. */
void journal_give_up(struct arena *arena, const struct files_port *files,
                     const struct journal_file *but);

#endif
