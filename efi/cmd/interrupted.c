#include "cmd/interrupted.h"

#include "base/text.h"
#include "machine_rows.h"
#include "run.h"
#include "plan/undo.h"

const char *journal_state_text(const struct journal_file *file)
{
    static const char *const texts[] = {
        [JOURNAL_PENDING] = "interrupted",
        [JOURNAL_DONE] = "done",
        [JOURNAL_UNDONE] = "taken back",
        [JOURNAL_LEFT] = "left",
    };

    return file->status == ST_OK ? texts[file->journal.state] : status_text(file->status);
}

const char *journal_date_text(struct context *context, const struct journal_file *file)
{
    const struct date_time *date = &file->journal.date;
    const char *text = arena_printf(context->arena, "%04u-%02u-%02u %02u:%02u", date->year,
                                    date->month, date->day, date->hour, date->minute);

    return text == NULL ? "" : text;
}

static const char *command_text(struct context *context, const struct journal_file *file)
{
    const char *text = text_printable(context->arena, file->journal.command);

    return text == NULL ? "" : text;
}

void show_journal(struct context *context, const struct journal_file *file)
{
    struct rows rows = rows_of_tables(context);

    if (context->sfo) {
        rows_journal(&rows, file);
        return;
    }
    say(context, "%5u  %s  %-11s  %s%s\n       %s\n", file->id, journal_date_text(context, file),
        journal_state_text(file), journal_store_alias(&context->ports->files, file), file->path,
        command_text(context, file));
}

static void note(struct context *context, const struct journal_file *file)
{
    struct rows rows = rows_of_tables(context);

    if (context->sfo) {
        rows_journal(&rows, file);
        return;
    }
    say(context, "Interrupted: journal %u (%s%s) of %s, \"%s\". ", file->id,
        journal_store_alias(&context->ports->files, file), file->path,
        journal_date_text(context, file), command_text(context, file));
    if (file->has_blocks && file->journal.is_undo)
        say(context, "Run the same command again to finish it.\n");
    else
        say(context,
            "Run the same command again to finish it, or \"shadowboot undo %u\" to take it back.\n",
            file->id);
}

void note_interrupted(struct context *context)
{
    struct arena *arena = context->arena;
    struct arena rest = arena_rest(arena);
    struct journal_files files;

    /* In memory of its own, so that what a large journal takes for a moment is not held to be what
     * the command needs. */
    context->arena = &rest;
    if (journal_store_list_interrupted(&rest, &context->ports->files, &files) == ST_OK) {
        for (size_t i = 0; i < files.count; i++)
            note(context, &files.items[i]);
    }
    context->arena = arena;
}

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
static bool is_undo_of(struct context *context, const struct journal_file *undo,
                       const struct journal_file *file)
{
    const struct files_port *files = &context->ports->files;
    size_t mark = arena_mark(context->arena);
    struct journal of_undo;
    struct journal of_file;
    bool found = false;

    if (journal_store_load(context->arena, files, undo, &of_undo) == ST_OK &&
        journal_store_load(context->arena, files, file, &of_file) == ST_OK) {
        size_t first = 0;
        while (first < of_undo.count && of_undo.records[first].kind != JOURNAL_BLOCKS)
            first++;
        found = first < of_undo.count && changes_block(&of_file, &of_undo, &of_undo.records[first]);
    }
    arena_release(context->arena, mark);
    return found;
}

static bool is_interrupted_undo(const struct journal_file *file)
{
    return file->has_blocks && file->journal.is_undo && file->journal.state == JOURNAL_PENDING;
}

/* What was taken back now is no longer half taken back. */
static void close_undos(struct context *context, const struct journal_file *done)
{
    const struct files_port *files = &context->ports->files;
    struct journal_files list;

    if (journal_store_list_interrupted(context->arena, files, &list) != ST_OK)
        return;
    for (size_t i = 0; i < list.count; i++) {
        const struct journal_file *file = &list.items[i];
        /* One that cannot be marked is found to be over when it is looked at next. */
        if (is_interrupted_undo(file) && journal_file_is_later(file, done) &&
            is_undo_of(context, file, done))
            (void)!journal_store_mark(files, file, JOURNAL_DONE);
    }
}

/* undo_journal; `*ret_planned` tells whether there was a plan, so that a failure is of the
 * disks. */
static enum status undo_planned(struct context *context, const struct journal_file *file,
                                bool *ret_planned)
{
    const struct files_port *files = &context->ports->files;
    struct journal journal;
    struct plan plan;

    *ret_planned = false;
    enum status status = journal_store_load(context->arena, files, file, &journal);
    if (status != ST_OK)
        return report(context, status, "Journal %u (%s%s) cannot be used: %s. Nothing was changed.",
                      file->id, journal_store_alias(files, file), file->path, status_text(status));
    run_begin(context, &plan);
    status = plan_undo(&plan, &journal);
    *ret_planned = status == ST_OK;
    status = run_plan(context, &plan, status, NULL);
    if (status != ST_OK || context->plan_only)
        return status;
    /* Volumes may be others by now, so the port is looked at anew. */
    files = &context->ports->files;
    if (journal.state != JOURNAL_UNDONE && journal_store_mark(files, file, JOURNAL_UNDONE) != ST_OK)
        return report(context, ST_IO,
                      "The change is taken back, but journal %u could not be marked so.", file->id);
    if (file->has_blocks)
        close_undos(context, file);
    return ST_OK;
}

enum status undo_journal(struct context *context, const struct journal_file *file)
{
    bool planned = false;

    return undo_planned(context, file, &planned);
}

/* --- Taking back before something else is done ---------------------------------------------- */

/* The change that an interrupted undo was taking back: the latest one before it that reaches the
 * same blocks and still stands; NULL when it is not here. */
static const struct journal_file *find_undone(struct context *context,
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
        if (is_undo_of(context, undo, file))
            found = file;
    }
    return found;
}

/* True when the work can go on without what failed this way: not on a disk that does not read back
 * what was written. */
static bool is_no_obstacle(enum status status, bool planned)
{
    return status == ST_CHANGED || status == ST_ABSENT || (status == ST_DAMAGED && !planned);
}

static void say_passed_over(struct context *context, const struct journal_file *interrupted)
{
    if (context->sfo)
        return; /* the journal's row and the reason are out */
    say(context, "Journal %u stays as it is.\n", interrupted->id);
}

/* Takes one back: `interrupted` itself, or what that was taking back. */
static enum status take_back(struct context *context, const struct journal_file *interrupted,
                             const struct journal_file *file, bool *io_again)
{
    note(context, interrupted);
    if (file == NULL) {
        say_passed_over(context, interrupted);
        return ST_OK;
    }
    if (!context->sfo)
        say(context, "%s\n",
            context->plan_only ? "Without -n this would be taken back first:"
                               : "This is taken back first.");
    bool planned = false;
    enum status status = undo_planned(context, file, &planned);
    if (status == ST_OK && !context->plan_only)
        *io_again = true;
    if (!is_no_obstacle(status, planned))
        return status;
    /* Volumes may have been let go of, and others be there. */
    *io_again |= !context->plan_only && status == ST_CHANGED;
    say_passed_over(context, interrupted);
    return ST_OK;
}

static enum status take_back_changes(struct context *context, const struct journal_files *list,
                                     bool *io_again, bool *ret_shown)
{
    for (size_t i = list->count; i > 0 && !*ret_shown; i--) {
        const struct journal_file *file = &list->items[i - 1];
        if (!file->has_blocks) {
            note(context, file);
            continue;
        }
        if (file->journal.is_undo)
            continue;
        enum status status = take_back(context, file, file, io_again);
        if (status != ST_OK)
            return status;
        *ret_shown = context->plan_only;
    }
    return ST_OK;
}

static enum status finish_undos(struct context *context, const struct journal_files *all,
                                bool *io_again)
{
    for (size_t i = all->count; i > 0; i--) {
        const struct journal_file *file = &all->items[i - 1];
        if (file->status != ST_OK || !is_interrupted_undo(file))
            continue;
        enum status status = take_back(context, file, find_undone(context, all, file), io_again);
        if (status != ST_OK || context->plan_only)
            return status;
    }
    return ST_OK;
}

enum status take_back_interrupted(struct context *context, bool *ret_again)
{
    struct journal_files list;
    bool shown = false;

    *ret_again = false;
    enum status status =
        journal_store_list_interrupted(context->arena, &context->ports->files, &list);
    if (status == ST_OK && list.count == 0)
        return ST_OK;
    if (status == ST_OK)
        status = take_back_changes(context, &list, ret_again, &shown);
    else
        return report(context, status, "Out of memory. Nothing was changed.");
    if (status != ST_OK || shown)
        return status;
    /* Some are over by what was taken back just now. */
    status = journal_store_list(context->arena, &context->ports->files, &list);
    if (status != ST_OK)
        return report(context, status, "Out of memory. Nothing more was changed.");
    return finish_undos(context, &list, ret_again);
}

void mark_left(struct context *context, const struct journal_file *but)
{
    const struct files_port *files = &context->ports->files;
    size_t mark = arena_mark(context->arena);
    struct journal_files list;

    if (journal_store_list_interrupted(context->arena, files, &list) == ST_OK) {
        for (size_t i = 0; i < list.count; i++) {
            const struct journal_file *file = &list.items[i];
            bool same = but != NULL && span_equal(file->volume_path, but->volume_path) &&
                        text_equal(file->path, but->path);
            /* One that cannot be marked is only met once more. */
            if (file->has_blocks && !same)
                (void)!journal_store_mark(files, file, JOURNAL_LEFT);
        }
    }
    arena_release(context->arena, mark);
}
