#include "apply/journal_undo.h"

#include "base/text.h"

/* --- The same blocks ------------------------------------------------------------------------ */

static bool same_guid(const struct guid *a, const struct guid *b)
{
    return !guid_is_zero(a) && guid_equal(a, b);
}

static bool same_disk(const struct journal_disk *a, const struct journal_disk *b)
{
    if (a->block_size != b->block_size || a->block_count != b->block_count)
        return false;
    return span_equal(a->path, b->path) || same_guid(&a->guid_before, &b->guid_before) ||
           same_guid(&a->guid_before, &b->guid_after) ||
           same_guid(&a->guid_after, &b->guid_before) || same_guid(&a->guid_after, &b->guid_after);
}

/* True when the journal changes the block that `record` of `other` begins with. */
static bool changes_block(const struct journal *journal, const struct journal *other,
                          const struct journal_record *record)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_record *own = &journal->records[i];
        if (own->kind == JOURNAL_BLOCKS && own->lba <= record->lba &&
            record->lba - own->lba < own->block_count &&
            same_disk(&journal->disks[own->disk], &other->disks[record->disk]))
            return true;
    }
    return false;
}

/*
 * True when `undo` took, or was taking, `file` back, provided no later change reaches the same
 * blocks: an undo writes only blocks that the change wrote, and of two changes of the same block
 * the earlier one cannot be taken back before the later.
 */
static bool is_undo_of(struct arena *arena, const struct files_port *files,
                       const struct journal_file *undo, const struct journal_file *file)
{
    size_t mark = arena_mark(arena);
    struct journal of_undo;
    struct journal of_file;
    bool found = false;

    if (journal_store_load(arena, files, undo, &of_undo) == ST_OK &&
        journal_store_load(arena, files, file, &of_file) == ST_OK) {
        size_t first = 0;
        while (first < of_undo.count && of_undo.records[first].kind != JOURNAL_BLOCKS)
            first++;
        found = first < of_undo.count && changes_block(&of_file, &of_undo, &of_undo.records[first]);
    }
    arena_release(arena, mark);
    return found;
}

bool journal_is_interrupted_undo(const struct journal_file *file)
{
    return file->has_blocks && file->journal.is_undo && file->journal.state == JOURNAL_PENDING;
}

void journal_close_undos(struct arena *arena, const struct files_port *files,
                         const struct journal_file *done)
{
    struct journal_files list;

    if (journal_store_list_interrupted(arena, files, &list) != ST_OK)
        return;
    for (size_t i = 0; i < list.count; i++) {
        const struct journal_file *file = &list.items[i];
        /* One that cannot be marked is found to be over when it is looked at next. */
        if (journal_is_interrupted_undo(file) && journal_file_is_later(file, done) &&
            is_undo_of(arena, files, file, done))
            (void)!journal_store_mark(files, file, JOURNAL_DONE);
    }
}

const struct journal_file *journal_find_undone(struct arena *arena, const struct files_port *files,
                                               const struct journal_files *all,
                                               const struct journal_file *undo)
{
    const struct journal_file *found = NULL;

    for (size_t i = 0; i < all->count; i++) {
        const struct journal_file *file = &all->items[i];
        bool stands =
            file->status == ST_OK && file->has_blocks && !file->journal.is_undo &&
            (file->journal.state == JOURNAL_DONE || file->journal.state == JOURNAL_PENDING);
        if (!stands || !journal_file_is_later(undo, file) ||
            (found != NULL && journal_file_is_later(found, file)))
            continue;
        if (is_undo_of(arena, files, undo, file))
            found = file;
    }
    return found;
}

/* --- What is taken back next ---------------------------------------------------------------- */

/* The volume's newest change that was not taken back, NULL when there is none. On one volume
 * numbers are sure, whatever was done to the clock. */
static const struct journal_file *newest_on(const struct journal_files *files, size_t volume)
{
    for (size_t i = files->count; i > 0; i--) {
        const struct journal_file *file = &files->items[i - 1];
        bool stands = file->journal.state == JOURNAL_DONE || file->journal.state == JOURNAL_PENDING;
        if (file->volume == volume && file->status == ST_OK && stands && !file->journal.is_undo)
            return file;
    }
    return NULL;
}

const struct journal_file *journal_newest(const struct journal_files *list, size_t volume_count)
{
    const struct journal_file *newest = NULL;

    for (size_t volume = 0; volume < volume_count; volume++) {
        const struct journal_file *file = newest_on(list, volume);
        if (file != NULL && (newest == NULL || journal_file_is_later(file, newest)))
            newest = file;
    }
    return newest;
}

void journal_give_up(struct arena *arena, const struct files_port *files,
                     const struct journal_file *but)
{
    size_t mark = arena_mark(arena);
    struct journal_files list;

    if (journal_store_list_interrupted(arena, files, &list) == ST_OK) {
        for (size_t i = 0; i < list.count; i++) {
            const struct journal_file *file = &list.items[i];
            bool same = but != NULL && span_equal(file->volume_path, but->volume_path) &&
                        text_equal(file->path, but->path);
            /* One that cannot be marked is only met once more. */
            if (file->has_blocks && !same)
                (void)!journal_store_mark(files, file, JOURNAL_LEFT);
        }
    }
    arena_release(arena, mark);
}
