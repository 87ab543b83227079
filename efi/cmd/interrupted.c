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
        journal_state_text(file), journal_store_alias(context->ports, file), file->path,
        command_text(context, file));
}

static void note(struct context *context, const struct journal_file *file)
{
    struct rows rows = rows_of_tables(context);

    if (context->sfo) {
        rows_journal(&rows, file);
        return;
    }
    say(context, "Interrupted: %sjournal %u (%s%s) of %s, \"%s\". ",
        file->journal.state == JOURNAL_UNDOING ? "undo of " : "", file->id,
        journal_store_alias(context->ports, file), file->path, journal_date_text(context, file),
        command_text(context, file));
    if (file->journal.state == JOURNAL_UNDOING)
        say(context, "\"shadowboot undo %u\" goes on with it.\n", file->id);
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
    if (journal_store_list_interrupted(&rest, context->ports, &files) == ST_OK) {
        for (size_t i = 0; i < files.count; i++)
            note(context, &files.items[i]);
    }
    context->arena = arena;
}

/* undo_journal; `*ret_planned` tells whether there was a plan, so that a failure is of the
 * disks. */
static enum status undo_planned(struct context *context, const struct journal_file *file,
                                bool forced, bool *ret_planned)
{
    struct journal journal;
    struct plan plan;

    *ret_planned = false;
    enum status status = journal_store_load(context->arena, context->ports, file, &journal);
    if (status != ST_OK)
        return report(context, status, "Journal %u (%s%s) cannot be used: %s. Nothing was changed.",
                      file->id, journal_store_alias(context->ports, file), file->path,
                      status_text(status));
    run_begin(context, &plan);
    plan.forced = forced;
    status = plan_undo(&plan, &journal);
    *ret_planned = status == ST_OK;
    status = run_undo(context, &plan, status, file);
    if (status != ST_OK || context->plan_only)
        return status;
    enum status marked = journal.state == JOURNAL_UNDONE
                             ? ST_OK
                             : journal_store_mark(context->ports, file, JOURNAL_UNDONE);
    if (marked != ST_OK)
        return report(context, ST_IO,
                      "The change is taken back, but journal %u could not be marked so.", file->id);
    return ST_OK;
}

enum status undo_journal(struct context *context, const struct journal_file *file, bool forced)
{
    bool planned = false;

    return undo_planned(context, file, forced, &planned);
}

/* --- Taking back before something else is done ---------------------------------------------- */

/* True when the work can go on without what failed this way: not on a disk that does not read back
 * what was written. */
static bool is_no_obstacle(enum status status, bool planned)
{
    return status == ST_CHANGED || status == ST_ABSENT || (status == ST_DAMAGED && !planned);
}

/* One in the variable keeps its place from the next only while it can be taken back. */
static void pass_journal_over(struct context *context, const struct journal_file *file,
                              enum status status)
{
    bool is_left = file->in_variable && status == ST_CHANGED && !context->plan_only &&
                   journal_store_mark(context->ports, file, JOURNAL_LEFT) == ST_OK;

    if (context->sfo)
        return; /* the journal's row and the reason are out */
    say(context, is_left ? "Journal %u is given up.\n" : "Journal %u stays as it is.\n", file->id);
}

static enum status take_back(struct context *context, const struct journal_file *file,
                             bool *io_again)
{
    note(context, file);
    if (!context->sfo)
        say(context, "%s\n",
            context->plan_only ? "Without -n this would be taken back first:"
                               : "This is taken back first.");
    bool planned = false;
    enum status status = undo_planned(context, file, false, &planned);
    if (status == ST_OK && !context->plan_only)
        *io_again = true;
    if (!is_no_obstacle(status, planned))
        return status;
    /* Volumes may have been let go of, and others be there. */
    *io_again |= !context->plan_only && status == ST_CHANGED;
    pass_journal_over(context, file, status);
    return ST_OK;
}

enum status take_back_interrupted(struct context *context, bool *ret_again)
{
    struct journal_files list;

    *ret_again = false;
    if (journal_store_list_interrupted(context->arena, context->ports, &list) != ST_OK)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    for (size_t i = list.count; i > 0; i--) {
        const struct journal_file *file = &list.items[i - 1];
        bool is_in_the_way = file->has_blocks ? !file->journal.is_undo : file->in_variable;
        if (!is_in_the_way) {
            note(context, file);
            continue;
        }
        enum status status = take_back(context, file, ret_again);
        if (status != ST_OK || context->plan_only)
            return status;
    }
    return ST_OK;
}
