#include "apply/apply.h"

#include "disk_batch.h"
#include "table_read.h"
#include "base/mem.h"
#include "base/text.h"

#define VARIABLE_OVERHEAD 64u /* bytes a store spends on a variable besides name and data */
#define SCRATCH_SLACK     16u /* what the arena rounds sizes up to */
#define PROBLEM_SIZE      1024

_Static_assert(JOURNAL_NAME_SIZE == VAR_NAME_SIZE, "a journal holds every name we write");

/* A variable as it is right now. */
struct content {
    bool present;
    uint32_t attributes;
    struct span data;
};

/* Once writing has begun memory must not end: what is needed then is set aside before. */
struct run {
    struct arena *arena;
    struct arena scratch; /* for one content at a time, the old or the new one of any action */
    char *problem;        /* PROBLEM_SIZE bytes */
    struct ports *ports;
    const struct plan *plan;
    struct content *before; /* by action: what it replaces */
    bool *stuck;            /* by action: a disk change that could not be taken back */
    struct disk_batch disks;
    struct journal saved;
    struct apply_result *result;
};

static bool is_variable(const struct action *action)
{
    return action->type == ACTION_SET_VARIABLE || action->type == ACTION_DELETE_VARIABLE;
}

static bool is_disk_change(const struct action *action)
{
    return action->type == ACTION_CHANGE_DISK;
}

static const char *say(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);

static const char *say(struct run *run, const char *format, ...)
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

static enum status read_content(const struct run *run, struct arena *arena, const char *name,
                                struct content *ret_content)
{
    const struct vars_port *vars = &run->ports->vars;
    struct content content = {.present = true};
    size_t size = 0;

    enum status status = vars->get(vars->ctx, name, &content.attributes, NULL, 0, &size);
    if (status == ST_ABSENT)
        content.present = false;
    if (status == ST_TOO_SMALL) {
        uint8_t *data = arena_alloc(arena, 1, size);
        if (data == NULL)
            return ST_NO_MEMORY;
        status = vars->get(vars->ctx, name, &content.attributes, data, size, &size);
        content.data = span_of(data, size);
    }
    if (status != ST_OK && status != ST_ABSENT)
        return status == ST_TOO_SMALL ? ST_CHANGED : status;
    *ret_content = content;
    return ST_OK;
}

/* Reads it into the scratch memory, over what was there. What does not fit is neither the old nor
 * the new content: ST_CHANGED. */
static enum status read_now(struct run *run, const char *name, struct content *ret_content)
{
    arena_release(&run->scratch, 0);
    enum status status = read_content(run, &run->scratch, name, ret_content);

    return status == ST_NO_MEMORY ? ST_CHANGED : status;
}

static bool same_content(const struct content *a, const struct content *b)
{
    if (!a->present || !b->present)
        return a->present == b->present;
    return a->attributes == b->attributes && span_equal(a->data, b->data);
}

/* True when `content` is what the action's author saw. */
static bool as_expected(const struct action *action, const struct content *content)
{
    if (content->present != action->expect_present)
        return false;
    if (!content->present)
        return true;
    struct sha256 digest = sha256_of(content->data);
    return content->attributes == action->expect_attributes &&
           sha256_equal(&digest, &action->expect_digest);
}

static bool as_wanted(const struct action *action, const struct content *content)
{
    if (action->type == ACTION_DELETE_VARIABLE)
        return !content->present;
    return content->present && content->attributes == action->attributes &&
           span_equal(content->data, action->data);
}

static enum status check_variable(struct run *run, const struct action *action,
                                  struct content *ret_before)
{
    enum status status = read_content(run, run->arena, action->name, ret_before);

    if (status == ST_OK && !as_expected(action, ret_before))
        status = ST_CHANGED;
    if (status != ST_OK)
        run->result->problem =
            say(run,
                "%s is not what it was when the plan was made (%s). Nothing was changed. Run the "
                "command again.",
                action->name, status_text(status));
    return status;
}

static enum status check_file(struct run *run, const struct action *action)
{
    const struct files_port *files = &run->ports->files;
    const struct file_volume *volume = &files->volumes[action->volume];
    struct file_info info;
    enum status status = files->stat(files->ctx, action->volume, action->path, &info);

    if (status == ST_OK) {
        run->result->problem = say(run,
                                   "%s%s is there already. Give another name, or delete it "
                                   "first. Nothing was changed.",
                                   volume->alias, action->path);
        return ST_EXISTS;
    }
    if (volume->read_only) {
        run->result->problem =
            say(run, "%s is write-protected. Nothing was changed.", volume->alias);
        return ST_READ_ONLY;
    }
    if (machine_mount_is_in_array(run->plan->machine, action->volume)) {
        run->result->problem =
            say(run,
                "%s is a member of a Linux RAID: written to from here, it would differ from the "
                "other members. Give another volume. Nothing was changed.",
                volume->alias);
        return ST_REFUSED;
    }
    return status == ST_ABSENT ? ST_OK : status;
}

/* Bytes by which the plan makes the store grow. */
static uint64_t growth(const struct run *run)
{
    uint64_t more = 0;
    uint64_t less = 0;

    for (size_t i = 0; i < run->plan->count; i++) {
        const struct action *action = &run->plan->actions[i];
        if (!is_variable(action))
            continue;
        if (action->type == ACTION_SET_VARIABLE)
            more += action->data.size;
        if (action->type == ACTION_SET_VARIABLE && !action->expect_present)
            more += VARIABLE_OVERHEAD + 2 * (text_length(action->name) + 1);
        less += run->before[i].data.size;
    }
    return more > less ? more - less : 0;
}

static enum status check_space(struct run *run)
{
    const struct vars_port *vars = &run->ports->vars;
    struct var_space space;
    uint64_t needed = growth(run);
    char left[THOUSANDS_SIZE];

    if (needed == 0 || vars->space(vars->ctx, &space) != ST_OK)
        return ST_OK;
    /* First, because in a full store the firmware calls every variable too large. */
    if (space.remaining < needed + STORE_MARGIN) {
        run->result->problem =
            say(run,
                "The firmware's variable store has %s bytes left, too few to be safe. Nothing was "
                "changed. Delete entries that are not needed (shadowboot prune), or start the "
                "machine once more: some firmware tidies up its store then.",
                format_thousands(space.remaining, left));
        return ST_NO_SPACE;
    }
    for (size_t i = 0; i < run->plan->count; i++) {
        const struct action *action = &run->plan->actions[i];
        if (!is_variable(action) || action->data.size <= space.largest)
            continue;
        run->result->problem = say(run,
                                   "%s would be larger than the firmware allows (%s bytes). "
                                   "Nothing was changed.",
                                   action->name, format_thousands(space.largest, left));
        return ST_NO_SPACE;
    }
    return ST_OK;
}

/* True when the plan makes or changes the disk's table: then that is checked when it is worked
 * out. */
static bool changes_table(const struct plan *plan, size_t disk)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        if (is_disk_change(&plan->actions[i]) && change->kind == DISK_CHANGE_GPT &&
            change->disk == disk)
            return true;
    }
    return false;
}

/* The disk that new entries name must be there as it was: entries for a ghost help nobody. */
static enum status check_disk(struct run *run)
{
    size_t index = run->plan->target_disk;
    struct gpt_header header;

    if (index == NO_INDEX || changes_table(run->plan, index))
        return ST_OK;
    const struct disk *disk = &run->plan->machine->disks[index];
    enum status status = table_read_header(run->arena, &run->ports->disks[disk->port],
                                           disk_good_table(disk), &header);
    if (status != ST_OK)
        run->result->problem =
            say(run,
                "Disk %zu cannot be read any more, or its partition table is not what it was when "
                "the plan was made (%s). Nothing was changed. Check the disk with \"shadowboot "
                "disks\".",
                index, status_text(status));
    return status;
}

/* "Disk 1", or the partition that is changed. */
static const char *disk_place(const struct run *run, const struct disk_change *change, char *text,
                              size_t size)
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

#define PLACE_SIZE 64

static enum status check_disk_changes(struct run *run)
{
    char place[PLACE_SIZE];
    size_t action = 0;

    enum status status = disk_batch_begin(run->arena, run->ports, run->plan, &run->disks, &action);
    if (status == ST_OK || status == ST_NO_MEMORY)
        return status;
    const struct disk_change *change = run->plan->actions[action].change;
    const char *where = run->disks.works[action].where;
    run->result->problem = say(
        run, "%s%s%s %s (%s). Nothing was changed.", disk_place(run, change, place, sizeof(place)),
        where[0] == '\0' ? "" : ", ", where, disk_refusal(change, status), status_text(status));
    return status;
}

/* Step 1. */
static enum status check_all(struct run *run)
{
    enum status status = check_disk(run);

    for (size_t i = 0; i < run->plan->count && status == ST_OK; i++) {
        const struct action *action = &run->plan->actions[i];
        if (is_variable(action))
            status = check_variable(run, action, &run->before[i]);
        else if (!is_disk_change(action))
            status = check_file(run, action);
    }
    if (status == ST_OK)
        status = check_space(run);
    return status == ST_OK ? check_disk_changes(run) : status;
}

static struct journal_record record_of(const struct action *action, const struct content *before)
{
    struct journal_record record = {
        .kind = JOURNAL_VARIABLE,
        .old_present = before->present,
        .old_attributes = before->attributes,
        .old_data = before->data,
        .new_present = action->type == ACTION_SET_VARIABLE,
        .new_attributes = action->attributes,
        .new_data = action->data,
    };

    memcpy(record.name, action->name, sizeof(record.name));
    return record;
}

/* Sets aside the memory for reading back. */
static enum status reserve_scratch(struct run *run)
{
    size_t largest = 0;

    for (size_t i = 0; i < run->plan->count; i++) {
        size_t old = run->before[i].data.size;
        size_t new = run->plan->actions[i].data.size;
        largest = old > largest ? old : largest;
        largest = new > largest ? new : largest;
    }
    void *memory = arena_alloc(run->arena, 1, largest + SCRATCH_SLACK);
    if (memory == NULL)
        return ST_NO_MEMORY;
    arena_init(&run->scratch, memory, largest + SCRATCH_SLACK);
    return ST_OK;
}

/* The old content of everything, in the order of the actions. */
static enum status gather_records(struct run *run)
{
    const struct plan *plan = run->plan;
    struct journal *journal = &run->saved;
    uint32_t step = 0;

    journal->records = arena_alloc(run->arena, plan->count + disk_batch_record_room(&run->disks),
                                   sizeof(*journal->records));
    journal->disks = arena_alloc(run->arena, plan->count, sizeof(*journal->disks));
    if (journal->records == NULL || journal->disks == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < plan->count; i++) {
        enum status status = ST_OK;
        if (is_variable(&plan->actions[i]))
            journal->records[journal->count++] = record_of(&plan->actions[i], &run->before[i]);
        if (is_disk_change(&plan->actions[i]))
            status = disk_work_records(&run->disks.works[i], journal, &step);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* Step 2. A plan that only writes new files has nothing to save. */
static enum status save_journal(struct run *run, const char *command)
{
    const struct clock_port *clock = &run->ports->clock;
    struct journal *journal = &run->saved;

    *journal = (struct journal){.command = command, .is_undo = run->plan->is_undo};
    enum status status = gather_records(run);
    if (status != ST_OK) {
        run->result->problem = say(run,
                                   "The old content of a disk could not be read to be kept (%s). "
                                   "Nothing was changed.",
                                   status_text(status));
        return status;
    }
    if (journal->count == 0)
        return ST_OK;
    struct date_time unknown = {0};
    if (clock->now(clock->ctx, &journal->date) != ST_OK)
        journal->date = unknown;
    status = journal_store_save(run->arena, &run->ports->files, run->plan->machine, journal,
                                &run->result->journal);
    run->result->has_journal = status == ST_OK;
    if (status != ST_OK && status != ST_NO_MEMORY)
        run->result->problem =
            say(run,
                "There is no place to save the old boot variables and disk areas (%s), so nothing "
                "was changed. Start shadowboot from a stick that is not write-protected and has "
                "%llu KB free.",
                status_text(status), (unsigned long long)(journal_store_needs(journal) / 1024 + 1));
    return status;
}

/* Step 3. */
static enum status let_go(struct run *run)
{
    size_t disk = NO_INDEX;
    enum status status = disk_batch_release(&run->disks, &disk);

    if (status == ST_OK)
        return ST_OK;
    run->result->problem = say(
        run,
        "The firmware's driver does not let go of Disk %zu (%s): somebody has a file open there. "
        "Nothing was changed. Start the machine again, from a stick, and run the command as the "
        "first.",
        disk, status_text(status));
    if (run->result->has_journal)
        (void)!journal_store_mark(&run->ports->files, &run->result->journal, JOURNAL_UNDONE);
    return status;
}

static enum status write_variable(struct run *run, const struct action *action)
{
    const struct vars_port *vars = &run->ports->vars;
    struct content content;

    enum status status = read_now(run, action->name, &content);
    if (status == ST_OK && !as_expected(action, &content))
        status = ST_CHANGED;
    if (status != ST_OK)
        return status;
    uint32_t attributes =
        action->type == ACTION_DELETE_VARIABLE ? content.attributes : action->attributes;
    /* A variable's attributes cannot be changed in place (UEFI Specification 8.2). */
    if (content.present && content.attributes != attributes) {
        status = vars->set(vars->ctx, action->name, content.attributes, NULL, 0);
        if (status != ST_OK)
            return status;
    }
    status = vars->set(vars->ctx, action->name, attributes, action->data.at, action->data.size);
    if (status != ST_OK)
        return status;
    status = read_now(run, action->name, &content);
    return status == ST_OK && as_wanted(action, &content) ? ST_OK : ST_IO;
}

static enum status write_file(struct run *run, const struct action *action)
{
    const struct files_port *files = &run->ports->files;
    size_t got = 0;

    arena_release(&run->scratch, 0);
    uint8_t *back = arena_alloc(&run->scratch, 1, action->data.size);
    if (back == NULL)
        return ST_NO_MEMORY;
    enum status status = files->write(files->ctx, action->volume, action->path, FILE_CREATE,
                                      action->data.at, action->data.size);

    if (status != ST_OK)
        return status;
    status =
        files->read(files->ctx, action->volume, action->path, 0, back, action->data.size, &got);
    if (status == ST_OK && !span_equal(span_of(back, got), action->data))
        status = ST_IO;
    return status;
}

/* Brings one variable back to what it was; true when it reads so afterwards. */
static bool restore(struct run *run, const struct action *action, const struct content *before)
{
    const struct vars_port *vars = &run->ports->vars;
    struct content now;

    if (action->type == ACTION_WRITE_FILE) {
        const struct files_port *files = &run->ports->files;
        enum status removed = files->remove(files->ctx, action->volume, action->path);
        /* The write may have failed before the file was there. */
        return removed == ST_OK || removed == ST_ABSENT;
    }
    if (read_now(run, action->name, &now) != ST_OK)
        return false;
    if (same_content(&now, before))
        return true;
    bool replace = now.present && (!before->present || now.attributes != before->attributes);
    if (replace && vars->set(vars->ctx, action->name, now.attributes, NULL, 0) != ST_OK)
        return false;
    if (before->present && vars->set(vars->ctx, action->name, before->attributes, before->data.at,
                                     before->data.size) != ST_OK)
        return false;
    return read_now(run, action->name, &now) == ST_OK && same_content(&now, before);
}

/* True when a later change of the same disk could not be taken back: what came before it must stay,
 * as it may be what makes the later one harmless. */
static bool is_stuck(const struct run *run, size_t index)
{
    for (size_t i = index + 1; i < run->plan->count; i++) {
        if (run->stuck[i] &&
            run->plan->actions[i].change->disk == run->plan->actions[index].change->disk)
            return true;
    }
    return false;
}

/* Step 5: takes back actions [0, count), last first. */
static bool roll_back(struct run *run, size_t count)
{
    bool all = true;

    for (size_t i = count; i > 0; i--) {
        const struct action *action = &run->plan->actions[i - 1];
        if (!is_disk_change(action)) {
            all &= restore(run, action, &run->before[i - 1]);
            continue;
        }
        run->stuck[i - 1] =
            is_stuck(run, i - 1) || !disk_work_revert(&run->disks.works[i - 1], &run->saved);
        all &= !run->stuck[i - 1];
    }
    return all;
}

/* What could not be written: a variable, a file, or a place on a disk. */
static const char *target_name(const struct run *run, size_t index, char *text, size_t size)
{
    const struct action *action = &run->plan->actions[index];
    struct text_buffer buffer;

    if (!is_disk_change(action))
        return is_variable(action) ? action->name : action->path;
    disk_place(run, action->change, text, size);
    const char *where = run->disks.works[index].where;
    text_buffer_init(&buffer, text + text_length(text), size - text_length(text));
    if (where[0] != '\0')
        text_buffer_printf(&buffer, ", %s", where);
    return text;
}

/* What to say when step 5 has left something behind. */
static const char *say_left_over(struct run *run, const char *target, enum status status)
{
    const struct apply_result *result = run->result;

    if (run->plan->is_undo && run->saved.disk_count > 0)
        return say(run,
                   "%s could not be written: %s. Not all is as it was before. Run the same undo "
                   "again: it goes on where this one ended.",
                   target, status_text(status));
    if (!result->has_journal)
        return say(run,
                   "%s could not be written: %s. Files that this command wrote before could not "
                   "all be deleted again: delete them by hand.",
                   target, status_text(status));
    return say(run,
               "%s could not be written: %s. The earlier changes of this command could not all be "
               "taken back. Journal %u on %s has the old content: try \"shadowboot undo %u\" after "
               "a restart.",
               target, status_text(status), result->journal.id,
               journal_store_alias(&run->ports->files, &result->journal), result->journal.id);
}

#define TARGET_SIZE 512

static enum status fail(struct run *run, size_t index, enum status status)
{
    char text[TARGET_SIZE];
    /* The one that failed may be there in part, so it is taken back as well, unless it is not
     * ours. */
    bool ours =
        is_disk_change(&run->plan->actions[index]) || (status != ST_CHANGED && status != ST_EXISTS);
    bool restored = roll_back(run, index + ours);
    const char *target = target_name(run, index, text, sizeof(text));

    run->result->done = 0;
    if (!restored) {
        run->result->problem = say_left_over(run, target, status);
        return status;
    }
    run->result->problem =
        status == ST_CANCELLED
            ? say(run, "Stopped. Everything is again as it was before.")
            : say(run, "%s could not be written: %s. Everything is again as it was before.", target,
                  status_text(status));
    if (run->result->has_journal)
        (void)!journal_store_mark(&run->ports->files, &run->result->journal, JOURNAL_UNDONE);
    return status;
}

static enum status carry_out(struct run *run, size_t index)
{
    const struct action *action = &run->plan->actions[index];

    if (is_disk_change(action))
        return disk_batch_run(&run->disks, index);
    return is_variable(action) ? write_variable(run, action) : write_file(run, action);
}

/* Step 4, and 5 where it has to be. */
static enum status carry_out_all(struct run *run)
{
    for (size_t i = 0; i < run->plan->count; i++) {
        enum status status = carry_out(run, i);
        if (status != ST_OK)
            return fail(run, i, status);
        run->result->done = i + 1;
    }
    run->result->disk_bytes = run->disks.done;
    return ST_OK;
}

/* What step 6 says does not displace an earlier word. */
static void note(struct apply_result *result, const char *problem)
{
    if (result->problem[0] == '\0')
        result->problem = problem;
}

/* Step 6, first half. */
static void take_up_again(struct run *run)
{
    struct apply_result *result = run->result;

    if (!run->disks.released)
        return;
    if (disk_batch_renew(&run->disks) != ST_OK)
        note(result, "The firmware's drivers did not take the changed disks up again. Start the "
                     "machine again before anything else.");
}

/* Step 6, second half: the change itself is done and checked; only undo will call it
 * interrupted. */
static void close_journal(struct run *run)
{
    struct apply_result *result = run->result;

    if (result->has_journal &&
        journal_store_mark(&run->ports->files, &result->journal, JOURNAL_DONE) != ST_OK)
        note(result, "The journal could not be closed; undo will list it as interrupted.");
}

/* Volumes may be others by now, and the journal's be gone. */
static void find_journal(struct run *run)
{
    struct apply_result *result = run->result;

    if (!result->has_journal)
        return;
    result->journal.volume = journal_store_volume(&run->ports->files, &result->journal);
    result->has_journal = result->journal.volume != FILES_NO_VOLUME;
}

/* For what is refused without a word on its own. */
static void say_refused(struct apply_result *result, enum status status)
{
    note(result,
         status == ST_NO_MEMORY
             ? "There is too little memory for this change. Nothing was changed. Start the machine "
               "again, and run the command as the first."
             : "What is there now cannot be looked at once more. Nothing was changed. Check cables "
               "and power, then run the command again.");
}

static enum status start(struct arena *arena, struct ports *ports, const struct plan *plan,
                         struct apply_result *ret_result, struct run *ret_run)
{
    *ret_run = (struct run){.arena = arena, .ports = ports, .plan = plan, .result = ret_result};
    memset(ret_result, 0, sizeof(*ret_result));
    ret_result->problem = "";
    ret_run->before = arena_alloc(arena, plan->count, sizeof(*ret_run->before));
    ret_run->stuck = arena_alloc(arena, plan->count, sizeof(*ret_run->stuck));
    ret_run->problem = arena_alloc(arena, 1, PROBLEM_SIZE);
    if (ret_run->before == NULL || ret_run->stuck == NULL || ret_run->problem == NULL)
        return ST_NO_MEMORY;
    return check_all(ret_run);
}

enum status apply_check(struct arena *arena, struct ports *ports, const struct plan *plan,
                        struct apply_result *ret_result)
{
    struct run run;
    enum status status = start(arena, ports, plan, ret_result, &run);

    if (status == ST_OK)
        ret_result->disk_bytes = run.disks.bytes;
    else
        say_refused(ret_result, status);
    return status;
}

enum status apply_plan(struct arena *arena, struct ports *io_ports, const struct plan *plan,
                       const char *command, const struct apply_watch *watch,
                       struct apply_result *ret_result)
{
    struct run run;

    enum status status = start(arena, io_ports, plan, ret_result, &run);
    if (status == ST_OK)
        status = reserve_scratch(&run);
    if (status == ST_OK)
        status = save_journal(&run, command);
    if (status == ST_OK)
        status = let_go(&run);
    if (status != ST_OK) {
        say_refused(ret_result, status);
        return status;
    }
    run.disks.progress = watch->progress;
    run.disks.progress_ctx = watch->ctx;
    status = carry_out_all(&run);
    take_up_again(&run);
    if (status == ST_OK)
        close_journal(&run);
    find_journal(&run);
    return status;
}

/* The last action on a variable is what counts. */
static bool is_last_on(const struct plan *plan, size_t index)
{
    for (size_t i = index + 1; i < plan->count; i++) {
        if (text_equal(plan->actions[i].name, plan->actions[index].name))
            return false;
    }
    return true;
}

enum status apply_confirm(const struct plan *plan, const struct machine *machine,
                          size_t *ret_action)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        bool as_it_should_be = true;
        if (is_disk_change(action))
            as_it_should_be = disk_batch_confirm(plan, i, machine) == ST_OK;
        if (is_variable(action) && is_last_on(plan, i)) {
            struct variable_state now = machine_variable(machine, action->name);
            struct content content = {now.status == ST_OK, now.attributes, now.value};
            as_it_should_be = as_wanted(action, &content);
        }
        if (as_it_should_be)
            continue;
        *ret_action = i;
        return ST_CHANGED;
    }
    return ST_OK;
}
