#include "apply/journal_undo.h"

#include "base/text.h"

/* The volume's newest change that was not taken back, NULL when there is none. On one volume
 * numbers are sure, whatever was done to the clock. */
static const struct journal_file *newest_on(const struct journal_files *files, size_t volume)
{
    for (size_t i = files->count; i > 0; i--) {
        const struct journal_file *file = &files->items[i - 1];
        bool stands = file->journal.state != JOURNAL_UNDONE && file->journal.state != JOURNAL_LEFT;
        if (file->volume == volume && file->status == ST_OK && stands && !file->journal.is_undo)
            return file;
    }
    return NULL;
}

const struct journal_file *journal_newest(const struct journal_files *list, size_t volume_count)
{
    const struct journal_file *newest = NULL;

    for (size_t i = 0; i <= volume_count; i++) {
        const struct journal_file *file = newest_on(list, i < volume_count ? i : FILES_NO_VOLUME);
        if (file != NULL && (newest == NULL || journal_file_is_later(file, newest)))
            newest = file;
    }
    return newest;
}

void journal_give_up(struct arena *arena, const struct ports *ports, const struct journal_file *but)
{
    size_t mark = arena_mark(arena);
    struct journal_files list;

    if (journal_store_list_interrupted(arena, ports, &list) == ST_OK) {
        for (size_t i = 0; i < list.count; i++) {
            const struct journal_file *file = &list.items[i];
            bool same = but != NULL && file->in_variable == but->in_variable &&
                        span_equal(file->volume_path, but->volume_path) &&
                        text_equal(file->path, but->path);
            /* One that cannot be marked is only met once more. */
            if (file->has_blocks && !same)
                (void)!journal_store_mark(ports, file, JOURNAL_LEFT);
        }
    }
    arena_release(arena, mark);
}
