#include "plan/undo.h"

#include "apply/journal_store.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/run.h"

static const char *state_text(const struct journal_file *file)
{
    static const char *const texts[] = {
        [JOURNAL_PENDING] = "interrupted",
        [JOURNAL_DONE] = "done",
        [JOURNAL_UNDONE] = "taken back",
    };

    return file->status == ST_OK ? texts[file->journal.state] : status_text(file->status);
}

static void show_journal(struct context *context, const struct journal_file *file)
{
    const struct date_time *date = &file->journal.date;
    const char *alias = context->ports->files.volumes[file->volume].alias;
    const char *command = text_printable(context->arena, file->journal.command);
    const char *when = arena_printf(context->arena, "%04u-%02u-%02u %02u:%02u", date->year,
                                    date->month, date->day, date->hour, date->minute);

    if (context->sfo) {
        sfo_row(context, "JournalInfo");
        sfo_number(context, file->id);
        sfo_text(context, when == NULL ? "" : when);
        sfo_text(context, state_text(file));
        sfo_text(context, alias);
        sfo_text(context, file->path);
        sfo_text(context, command == NULL ? "" : command);
        sfo_end(context);
        return;
    }
    say(context, "%5u  %s  %-11s  %s%s\n       %s\n", file->id, when, state_text(file), alias,
        file->path, command);
}

static enum status show_journals(struct context *context, const struct journal_files *files)
{
    if (files->count == 0 && !context->sfo)
        say(context, "There are no journals: shadowboot has changed nothing here.\n");
    for (size_t i = 0; i < files->count; i++)
        show_journal(context, &files->items[i]);
    return ST_OK;
}

/*
 * The journal with the id in the words, or the newest change that was not taken back. An undo is no
 * such change, so that undo after undo goes further back; it can be taken back by its number.
 */
static enum status choose(struct context *context, const struct journal_files *files,
                          const struct journal_file **ret_file)
{
    bool given = context->word_count > 0;
    uint64_t id = 0;

    if (given && text_parse_number(context->words[0], 10, &id) != ST_OK)
        return report(context, ST_USAGE,
                      "A journal is named by its number: shadowboot undo 3. \"shadowboot undo -l\" "
                      "lists them. Nothing was changed.");
    for (size_t i = files->count; i > 0; i--) {
        const struct journal_file *file = &files->items[i - 1];
        bool open = file->status == ST_OK && file->journal.state != JOURNAL_UNDONE &&
                    !file->journal.is_undo;
        if (given ? file->id == id : open) {
            *ret_file = file;
            return ST_OK;
        }
    }
    if (!given)
        return report(context, ST_ABSENT,
                      "There is nothing to take back: no journal of a change is on any mounted "
                      "volume. If it is on a stick, plug it in and try again.");
    return report(
        context, ST_ABSENT,
        "There is no journal %llu. \"shadowboot undo -l\" lists them. Nothing was changed.",
        (unsigned long long)id);
}

enum status cmd_undo(struct context *context)
{
    struct journal_files files;
    const struct journal_file *file = NULL;
    struct plan plan;

    enum status status = context_scan(context, SCAN_ENTRIES);
    if (status != ST_OK)
        return status;
    status = journal_store_list(context->arena, &context->ports->files, &files);
    if (status != ST_OK)
        return report(context, status, "Out of memory. Nothing was changed.");
    if (option(context, "-l") != NULL)
        return show_journals(context, &files);
    status = choose(context, &files, &file);
    if (status != ST_OK)
        return status;
    if (file->status != ST_OK)
        return report(context, file->status,
                      "Journal %u (%s%s) is %s and cannot be used. Nothing was changed.", file->id,
                      context->ports->files.volumes[file->volume].alias, file->path,
                      status_text(file->status));
    if (!context->sfo)
        show_journal(context, file);
    run_begin(context, &plan);
    status = run_plan(context, &plan, plan_undo(&plan, &file->journal), NULL);
    bool mark = status == ST_OK && !context->plan_only && file->journal.state != JOURNAL_UNDONE;
    if (mark && journal_store_mark(&context->ports->files, file, JOURNAL_UNDONE) != ST_OK)
        return report(context, ST_IO,
                      "The change is taken back, but journal %u could not be marked so.", file->id);
    return status;
}
