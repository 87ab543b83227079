/*
 * The lines of diskpart by which a disk's identity is looked at and set: they come from the command
 * line, or from the keyboard one after another.
 */
#include "base/text.h"
#include "cmd/command.h"
#include "disk_word.h"
#include "diskid.h"
#include "mend.h"

#define LINE_SIZE  128
#define WORDS_MOST 16

/* One line taken apart, and which disk was selected before it. */
struct line {
    const char *words[WORDS_MOST];
    size_t count;
    size_t at; /* the word that is next */
};

struct session {
    struct context *context;
    size_t disk; /* NO_INDEX: none selected */
    bool done;
};

/* Takes the words if they stand next on the line. */
static bool take_words(struct line *line, const char *first, const char *second)
{
    size_t count = second == NULL ? 1 : 2;

    if (line->count - line->at < count || !text_equal_nocase(line->words[line->at], first) ||
        (second != NULL && !text_equal_nocase(line->words[line->at + 1], second)))
        return false;
    line->at += count;
    return true;
}

static enum status list_disks(struct session *session)
{
    const struct machine *machine = &session->context->machine;
    char size[SIZE_TEXT_SIZE];

    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *disk = &machine->disks[i];
        say(session->context, "%c Disk %zu  %s  %s  %s\n", i == session->disk ? '*' : ' ', i,
            format_size(disk->block_count * disk->block_size, size),
            diskid_text(session->context, i),
            disk->model[0] != '\0' ? disk->model : disk->path_text);
    }
    return ST_OK;
}

static enum status select_disk(struct session *session, struct line *line)
{
    if (line->at == line->count)
        return report(session->context, ST_USAGE,
                      "Which disk? select disk 1. \"list disk\" shows them.");
    enum status status = disk_word(session->context, line->words[line->at++], &session->disk);
    if (status == ST_OK)
        say(session->context, "Disk %zu is selected.\n", session->disk);
    return status;
}

static enum status unique_id(struct session *session, struct line *line)
{
    struct context *context = session->context;
    const char *word = line->at < line->count ? line->words[line->at] : "";

    if (session->disk == NO_INDEX)
        return report(context, ST_USAGE,
                      "No disk is selected. Select it first: select disk 1. Nothing was changed.");
    if (!text_has_prefix_nocase(word, "id=")) {
        say(context, "Disk ID: %s\n", diskid_text(context, session->disk));
        return ST_OK;
    }
    line->at++;
    enum status status = mend_begin(context, SCAN_LISTED);
    return status == ST_OK ? diskid_set(context, session->disk, word + 3) : status;
}

static enum status run_line(struct session *session, struct line *line)
{
    enum status status = ST_OK;

    while (line->at < line->count && status == ST_OK && !session->done) {
        if (take_words(line, "list", "disk"))
            status = list_disks(session);
        else if (take_words(line, "select", "disk"))
            status = select_disk(session, line);
        else if (take_words(line, "uniqueid", "disk"))
            status = unique_id(session, line);
        else if (take_words(line, "exit", NULL))
            session->done = true;
        else if (take_words(line, "rem", NULL))
            return ST_OK;
        else
            status =
                report(session->context, ST_USAGE,
                       "Of diskpart's lines there are: list disk; select disk NUMBER; uniqueid "
                       "disk; uniqueid disk id=ID; exit. Nothing was changed.");
    }
    return status;
}

/* Cuts the text at its blanks, in place. */
static void split(char *text, struct line *ret_line)
{
    *ret_line = (struct line){.count = 0};
    while (*text != '\0' && ret_line->count < WORDS_MOST) {
        while (*text == ' ' || *text == '\t')
            *text++ = '\0';
        if (*text == '\0')
            return;
        ret_line->words[ret_line->count++] = text;
        while (*text != '\0' && *text != ' ' && *text != '\t')
            text++;
    }
}

/* Lines from the keyboard until "exit" or the end of input. Each is carried out for the machine as
 * it is then; the status is that of the last line that failed. */
static enum status converse(struct session *session)
{
    const struct console_port *console = &session->context->ports->console;
    size_t mark = arena_mark(session->context->arena);
    enum status worst = ST_OK;
    char text[LINE_SIZE];
    struct line line;

    while (!session->done) {
        say(session->context, "diskpart> ");
        if (console->read_line(console->ctx, text, sizeof(text)) != ST_OK)
            break;
        split(text, &line);
        arena_release(session->context->arena, mark);
        enum status status = context_scan(session->context, SCAN_DISKS);
        if (status == ST_OK)
            status = run_line(session, &line);
        if (status != ST_OK)
            worst = status;
    }
    return worst;
}

enum status cmd_diskpart(struct context *context)
{
    struct session session = {.context = context, .disk = NO_INDEX};
    struct line line = {.count = 0};

    if (context->word_count == 0)
        return converse(&session);
    if (context->word_count > WORDS_MOST)
        return report(context, ST_USAGE, "There are more than %d words. Nothing was changed.",
                      WORDS_MOST);
    for (size_t i = 0; i < context->word_count; i++)
        line.words[line.count++] = context->words[i];
    enum status status = context_scan(context, SCAN_DISKS);
    return status == ST_OK ? run_line(&session, &line) : status;
}
