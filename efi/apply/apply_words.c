#include "apply_run.h"

#include "base/text.h"
#include "journal_variable.h"

#define PROBLEM_SIZE 1024
#define PLACE_SIZE   64
#define TAKEN_SIZE   192

bool apply_words_init(struct apply_run *run)
{
    run->problem = arena_alloc(run->arena, 1, PROBLEM_SIZE);
    return run->problem != NULL;
}

const char *apply_say(struct apply_run *run, const char *format, ...)
{
    struct text_buffer text;
    va_list arguments;

    text_buffer_init(&text, run->problem, PROBLEM_SIZE);
    struct sink sink = text_buffer_sink(&text);
    va_start(arguments, format);
    sink_vprintf(&sink, format, arguments);
    va_end(arguments);
    return run->problem;
}

const char *apply_say_no_place(struct apply_run *run, enum status status)
{
    uint32_t id = journal_variable_interrupted(run->arena, &run->ports->vars);
    char taken[TAKEN_SIZE] = "";
    struct text_buffer buffer;

    text_buffer_init(&buffer, taken, sizeof(taken));
    if (id != 0)
        text_buffer_printf(
            &buffer,
            " The place in the firmware is taken by journal %u, of an interrupted change: \"shadowboot "
            "undo %u\" takes that back, with -drop it is given up.",
            id, id);
    return apply_say(
        run,
        "There is no place to save the old boot variables and disk areas (%s), so nothing "
        "was changed. Start shadowboot from a stick (shadowboot-linux: give a --journal) that is "
        "not write-protected and has %llu KB free.%s",
        status_text(status), (unsigned long long)(journal_store_needs(&run->saved) / 1024 + 1),
        taken);
}

/* "Disk 1", or the partition that is changed. */
static const char *place_of_change(const struct apply_run *run, const struct disk_change *change,
                                   char *text, size_t size)
{
    const struct machine *machine = run->plan->machine;
    struct text_buffer buffer;
    size_t partition =
        machine_partition_at(machine, change->disk, change->first_lba, change->block_count);
    bool whole = change->kind == DISK_CHANGE_GPT || change->kind == DISK_CHANGE_RESTORE;

    text_buffer_init(&buffer, text, size);
    text_buffer_printf(&buffer, "Disk %zu", change->disk);
    if (!whole && partition != NO_INDEX)
        text_buffer_printf(&buffer, " Partition %u", machine->partitions[partition].number);
    return text;
}

/* Why a disk change cannot even begin, by its status: behind the place, and in a sentence. */
static const char *disk_refusal(const struct disk_change *change, enum status status)
{
    if (status == ST_CHANGED && change->kind == DISK_CHANGE_RESTORE && !change->forced &&
        journal_is_interrupted(change->journal))
        return "holds neither what was there before nor what this change wrote. If nobody else has "
               "written there since, the same undo with -force takes it back";
    if (status == ST_CHANGED && change->kind == DISK_CHANGE_RESTORE)
        return "has been written to since this change, so it is not taken back: that would undo "
               "what was written later too. \"shadowboot status\" shows how the machine stands";
    switch (status) {
    case ST_CHANGED:
        return "or an ESP that files come from is not what it was when the plan was made. Run the "
               "command again";
    case ST_READ_ONLY:
        return "is write-protected. Take the protection off, then run the command again";
    case ST_NO_SPACE:
        return "has too little room for what is to be written, or a directory that takes no more "
               "entries. \"shadowboot status -v -sfo\" lists the files that are there";
    case ST_REFUSED:
        return "is in a state that is not safe to write to, or holds a mark of somebody else "
               "(blkid in Linux names it). \"shadowboot status\" says what is wrong with it";
    case ST_DAMAGED:
    case ST_IO:
        return "or an ESP that files come from cannot be read in whole. \"shadowboot status\" says "
               "which files are damaged; check the cables and the health of the disk";
    default:
        return "cannot be changed that way by this program";
    }
}

const char *apply_say_disk_refused(struct apply_run *run, size_t action, enum status status)
{
    const struct disk_change *change = run->plan->actions[action].change;
    const char *where = run->disks.works[action].where;
    char place[PLACE_SIZE];

    return apply_say(run, "%s%s%s %s (%s). Nothing was changed.",
                     place_of_change(run, change, place, sizeof(place)),
                     where[0] == '\0' ? "" : ", ", where, disk_refusal(change, status),
                     status_text(status));
}

const char *apply_target_name(const struct apply_run *run, size_t index, char *text, size_t size)
{
    const struct action *action = &run->plan->actions[index];
    struct text_buffer buffer;

    if (!action_changes_disk(action))
        return apply_is_variable(action) ? action->name : action->path;
    place_of_change(run, action->change, text, size);
    const char *where = run->disks.works[index].where;
    text_buffer_init(&buffer, text + text_length(text), size - text_length(text));
    if (where[0] != '\0')
        text_buffer_printf(&buffer, ", %s", where);
    return text;
}

const char *apply_say_left_over(struct apply_run *run, const char *target, enum status status)
{
    const struct apply_result *result = run->result;

    if (run->undone != NULL)
        return apply_say(
            run,
            "%s could not be written: %s. Not all is as it was before. Check the disk and its cables, then "
            "run the same undo again%s: it goes on where this one ended.",
            target, status_text(status), status == ST_DAMAGED ? ", with -force" : "");
    if (!result->has_journal)
        return apply_say(
            run,
            "%s could not be written: %s. Files that this command wrote before could not "
            "all be deleted again: delete them by hand.",
            target, status_text(status));
    return apply_say(
        run,
        "%s could not be written: %s. The earlier changes of this command could not all be "
        "taken back. Journal %u on %s has the old content: try \"shadowboot undo %u\" after "
        "a restart.",
        target, status_text(status), result->journal.id,
        journal_store_alias(run->ports, &result->journal), result->journal.id);
}

void apply_note(struct apply_result *result, const char *problem)
{
    if (result->problem[0] == '\0')
        result->problem = problem;
}

void apply_say_refused(struct apply_result *result, enum status status)
{
    apply_note(
        result,
        status == ST_NO_MEMORY
            ? "There is too little memory for this change. Nothing was changed. Start the machine "
              "again, and run the command as the first."
            : "What is there now cannot be looked at once more. Nothing was changed. Check cables "
              "and power, then run the command again.");
}
