#include "apply/journal_undo.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/interrupted.h"
#include "run.h"

static enum status show_journals(struct context *context, const struct journal_files *files)
{
    if (files->count == 0 && !context->sfo)
        say(context, "There are no journals: shadowboot has changed nothing here.\n");
    for (size_t i = 0; i < files->count; i++)
        show_journal(context, &files->items[i]);
    return ST_OK;
}

static enum status choose_newest(struct context *context, const struct journal_files *files,
                                 const struct journal_file **ret_file)
{
    const struct journal_file *newest = journal_newest(files, context->ports->files.volume_count);

    if (newest == NULL)
        return report(
            context, ST_ABSENT,
            "There is nothing to take back: no journal of a change that still stands is on any "
            "mounted volume. If it is on a stick, plug it in (shadowboot-linux: --journal with "
            "where it is mounted) and try again.");
    *ret_file = newest;
    return ST_OK;
}

/* Length of the volume's name in "FS0:3"; 0 when there is none. */
static size_t alias_before_colon(const char *word)
{
    size_t length = 0;

    for (size_t i = 0; word[i] != '\0'; i++) {
        if (word[i] == ':')
            length = i + 1;
    }
    return length;
}

/* True for the journal's number, alone or behind the name of its volume. */
static bool is_named(const struct context *context, const struct journal_file *file,
                     const char *word, uint64_t id)
{
    const char *alias = journal_store_alias(context->ports, file);
    size_t length = alias_before_colon(word);
    bool on_volume =
        length == 0 || (text_length(alias) == length && text_has_prefix_nocase(word, alias));

    return file->id == id && on_volume;
}

static enum status report_several(struct context *context, const struct journal_files *files,
                                  const char *word, const struct journal_file *first)
{
    for (size_t i = 0; i < files->count; i++) {
        if (is_named(context, &files->items[i], word, first->id))
            show_journal(context, &files->items[i]);
    }
    return report(context, ST_REFUSED,
                  "Journal %u is on more than one volume. Say which one is meant, with the "
                  "volume's name: shadowboot undo %s%u. Nothing was changed.",
                  first->id, journal_store_alias(context->ports, first), first->id);
}

/* The journal that the word means: its number ("3"), or volume and number ("FS0:3"). */
static enum status choose_named(struct context *context, const struct journal_files *files,
                                const char *word, const struct journal_file **ret_file)
{
    const struct journal_file *found = NULL;
    size_t count = 0;
    uint64_t id = 0;

    if (text_parse_number(word + alias_before_colon(word), 10, &id) != ST_OK)
        return report(context, ST_USAGE,
                      "A journal is named by its number: shadowboot undo 3. \"shadowboot undo -l\" "
                      "lists them. Nothing was changed.");
    for (size_t i = files->count; i > 0; i--) {
        if (!is_named(context, &files->items[i - 1], word, id))
            continue;
        found = &files->items[i - 1];
        count++;
    }
    const char *shown = text_printable(context->arena, word);
    if (count == 0)
        return report(
            context, ST_ABSENT,
            "There is no journal %.64s. \"shadowboot undo -l\" lists them. Nothing was changed.",
            shown == NULL ? "" : shown);
    if (count > 1)
        return report_several(context, files, word, found);
    *ret_file = found;
    return ST_OK;
}

/* Gives an interrupted change up: it stays as it is, and so does its journal, until another takes its place. */
static enum status drop_journal(struct context *context, const struct journal_file *file)
{
    if (!journal_is_interrupted(&file->journal))
        return report(context, ST_REFUSED,
                      "Journal %u is of no interrupted change. Nothing was changed.", file->id);
    if (context->plan_only)
        return ST_OK;
    enum status status = run_ask(context, "Give it up, and leave what it changed half done?");
    if (status != ST_OK)
        return status;
    status = journal_store_mark(context->ports, file, JOURNAL_LEFT);
    if (status != ST_OK)
        return report(context, status, "Journal %u could not be marked: %s.", file->id,
                      status_text(status));
    if (!context->sfo)
        say(context, "Journal %u is given up.\n", file->id);
    return ST_OK;
}

enum status cmd_undo(struct context *context)
{
    struct journal_files files;
    const struct journal_file *file = NULL;

    enum status status = context_scan(context, SCAN_ENTRIES);
    if (status != ST_OK)
        return status;
    status = journal_store_list(context->arena, context->ports, &files);
    if (status != ST_OK)
        return report(context, status, "Out of memory. Nothing was changed.");
    if (option(context, "-l") != NULL)
        return show_journals(context, &files);
    if (context->word_count > 0)
        status = choose_named(context, &files, context->words[0], &file);
    else
        status = choose_newest(context, &files, &file);
    if (status != ST_OK)
        return status;
    if (file->status != ST_OK)
        return report(
            context, file->status, "Journal %u (%s%s) is %s. Nothing was changed.", file->id,
            journal_store_alias(context->ports, file), file->path,
            file->status == ST_UNSUPPORTED
                ? "of another version of shadowboot: take the change back with that one"
                : arena_printf(context->arena, "%s and cannot be used", status_text(file->status)));
    if (!context->sfo)
        show_journal(context, file);
    if (option(context, "-drop") != NULL)
        return drop_journal(context, file);
    if (file->has_blocks && file->journal.state == JOURNAL_UNDONE) {
        if (!context->sfo)
            say(context, "Nothing to do: it is taken back already.\n");
        return ST_OK;
    }
    /* What is on the disks is to be known where they are changed. */
    status = file->has_blocks ? context_scan(context, SCAN_QUICK) : ST_OK;
    return status == ST_OK ? undo_journal(context, file, option(context, "-force") != NULL)
                           : status;
}
