#include "cmd/interrupted.h"

#include "apply/journal_undo.h"
#include "base/text.h"
#include "machine_rows.h"
#include "run.h"
#include "machine_words.h"
#include "plan/undo.h"

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
        journal_close_undos(context->arena, files, file);
    return ST_OK;
}

enum status undo_journal(struct context *context, const struct journal_file *file)
{
    bool planned = false;

    return undo_planned(context, file, &planned);
}

/* --- Taking back before something else is done ---------------------------------------------- */

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
        if (file->status != ST_OK || !journal_is_interrupted_undo(file))
            continue;
        enum status status = take_back(
            context, file, journal_find_undone(context->arena, &context->ports->files, all, file),
            io_again);
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
