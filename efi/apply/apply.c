#include "apply/apply.h"

#include "apply_run.h"
#include "journal_claims.h"
#include "disk_restore.h"
#include "base/mem.h"
#include "base/text.h"

#define SCRATCH_SLACK 16u /* what the arena rounds sizes up to */
#define TARGET_SIZE   512

_Static_assert(JOURNAL_NAME_SIZE == VAR_NAME_SIZE, "a journal holds every name we write");

static struct journal_record record_of(const struct action *action,
                                       const struct variable_content *before)
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
static enum status reserve_scratch(struct apply_run *run)
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
static enum status gather_records(struct apply_run *run)
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
        if (apply_is_variable(&plan->actions[i]))
            journal->records[journal->count++] = record_of(&plan->actions[i], &run->before[i]);
        if (action_changes_disk(&plan->actions[i]))
            status = disk_work_records(&run->disks.works[i], journal, &step);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* Step 2 of an undo that is only gone on with: what was there before is told by the journal itself. */
static enum status mark_undone(struct apply_run *run)
{
    enum status status = journal_store_mark(run->ports, run->undone, JOURNAL_UNDOING);

    if (status != ST_OK)
        run->result->problem = apply_say(
            run,
            "Journal %u on %s cannot be written to (%s), so what a power failure would leave could "
            "not be told. Nothing was changed. Take its write protection off, or make room there, "
            "and run undo again.",
            run->undone->id, journal_store_alias(run->ports, run->undone), status_text(status));
    return status;
}

/* Nothing is left of what was done since step 2. */
static void close_undone(struct apply_run *run)
{
    if (run->result->has_journal)
        (void)!journal_store_mark(run->ports, &run->result->journal, JOURNAL_UNDONE);
    enum journal_state before = run->undone == NULL ? JOURNAL_PENDING : run->undone->journal.state;
    if (before == JOURNAL_DONE || before == JOURNAL_LEFT)
        (void)!journal_store_mark(run->ports, run->undone, before);
}

/* Step 2. A plan that only writes new files has nothing to save. */
static enum status save_journal(struct apply_run *run, const char *command)
{
    struct journal *journal = &run->saved;

    *journal = (struct journal){.command = command, .is_undo = run->plan->is_undo};
    if (run->undone != NULL)
        return mark_undone(run);
    enum status status = journal_claims_mark(run->arena, run->ports, &run->disks);
    if (status == ST_OK)
        status = gather_records(run);
    if (status != ST_OK) {
        run->result->problem =
            apply_say(run,
                      "The old content of a disk could not be read to be kept (%s). "
                      "Nothing was changed.",
                      status_text(status));
        return status;
    }
    if (journal->count == 0)
        return ST_OK;
    journal->date = clock_date(&run->ports->clock);
    status = journal_store_save(run->arena, run->ports, run->plan->machine, journal,
                                &run->result->journal);
    run->result->has_journal = status == ST_OK;
    if (status != ST_OK && status != ST_NO_MEMORY)
        run->result->problem = apply_say_no_place(run, status);
    return status;
}

/* Step 3. */
static enum status let_go(struct apply_run *run)
{
    size_t disk = NO_INDEX;
    enum status status = disk_batch_release(&run->disks, &disk);

    if (status == ST_OK)
        return ST_OK;
    run->result->problem = apply_say(
        run,
        "The firmware's driver does not let go of Disk %zu (%s): somebody has a file open there. "
        "Nothing was changed. Start the machine again, from a stick, and run the command as the "
        "first.",
        disk, status_text(status));
    close_undone(run);
    return status;
}

static enum status write_file(struct apply_run *run, const struct action *action)
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

/* Brings a variable back to what it was, or takes a new file away; true when it is so
 * afterwards. */
static bool restore(struct apply_run *run, const struct action *action,
                    const struct variable_content *before)
{
    const struct files_port *files = &run->ports->files;

    if (apply_is_variable(action))
        return apply_restore_variable(run, action, before);
    enum status removed = files->remove(files->ctx, action->volume, action->path);
    /* The write may have failed before the file was there. */
    return removed == ST_OK || removed == ST_ABSENT;
}

/* True when a later change of the same disk could not be taken back: what came before it must stay,
 * as it may be what makes the later one harmless. */
static bool is_stuck(const struct apply_run *run, size_t index)
{
    for (size_t i = index + 1; i < run->plan->count; i++) {
        if (run->stuck[i] &&
            run->plan->actions[i].change->disk == run->plan->actions[index].change->disk)
            return true;
    }
    return false;
}

/* True when the firmware has written to the disk since, with its variables, and not taken that back: the old
 * blocks tell nothing of it. */
static bool is_written_over(const struct apply_run *run, size_t index, size_t count)
{
    bool later = false;

    for (size_t i = index + 1; i < count; i++)
        later |= apply_is_variable(&run->plan->actions[i]);
    return later &&
           machine_variables_write_to(run->plan->machine, run->plan->actions[index].change->disk) &&
           !disk_restore_is_possible(&run->disks.works[index], &run->saved);
}

/* Step 5: takes back actions [0, count), last first. */
static bool roll_back(struct apply_run *run, size_t count)
{
    bool all = true;

    for (size_t i = count; i > 0; i--) {
        const struct action *action = &run->plan->actions[i - 1];
        if (!action_changes_disk(action)) {
            all &= restore(run, action, &run->before[i - 1]);
            continue;
        }
        run->stuck[i - 1] = is_stuck(run, i - 1) || is_written_over(run, i - 1, count) ||
                            !disk_work_revert(&run->disks.works[i - 1], &run->saved);
        all &= !run->stuck[i - 1];
    }
    return all;
}

/* True when blocks that are taken back may be so in part: nobody knows what they held but the disk. */
static bool goes_only_on(const struct apply_run *run)
{
    for (size_t i = 0; i < run->plan->count && run->undone != NULL; i++) {
        if (action_changes_disk(&run->plan->actions[i]) && run->disks.works[i].begun > 0)
            return true;
    }
    return false;
}

static enum status fail(struct apply_run *run, size_t index, enum status status)
{
    char text[TARGET_SIZE];
    /* The one that failed may be there in part, so it is taken back as well, unless it is not
     * ours. */
    bool ours = action_changes_disk(&run->plan->actions[index]) ||
                (status != ST_CHANGED && status != ST_EXISTS);
    bool restored = !goes_only_on(run) && roll_back(run, index + ours);
    const char *target = apply_target_name(run, index, text, sizeof(text));

    run->result->done = 0;
    if (!restored) {
        run->result->problem = apply_say_left_over(run, target, status);
        return status;
    }
    const struct action *refused = run->disks.refused;
    if (refused != NULL)
        run->result->problem =
            apply_say_disk_refused(run, (size_t)(refused - run->plan->actions), status);
    else
        run->result->problem =
            status == ST_CANCELLED
                ? apply_say(run, "Stopped. Everything is again as it was before.")
                : apply_say(run,
                            "%s could not be written: %s. Everything is again as it was before.",
                            target, status_text(status));
    close_undone(run);
    return status;
}

/* What the scan knows of the content of an item that is written; NULL for nothing. */
static const struct file_content *content_of_item(const struct machine *machine,
                                                  const struct file_copy *item)
{
    const struct file_content *content =
        item->esp == NO_INDEX ? NULL : &machine->esps[item->esp].contents[item->file];

    return content != NULL && content->status == ST_OK ? content : NULL;
}

static void list_written(struct apply_run *run, const struct disk_work *work)
{
    struct apply_result *result = run->result;
    const struct machine *machine = run->plan->machine;

    for (size_t i = 0; i < work->edit.file_count; i++) {
        const struct disk_file *file = &work->edit.files[i];
        const struct file_content *content =
            content_of_item(machine, &work->change->files.items[file->source]);
        if (content != NULL)
            result->written[result->written_count++] = (struct written_file){
                .port = machine->disks[work->change->disk].port, .file = file, .content = content};
    }
}

/* Sets aside the memory for telling what was written. */
static enum status reserve_written(struct apply_run *run)
{
    size_t count = 0;

    for (size_t i = 0; i < run->plan->count; i++)
        count +=
            action_changes_disk(&run->plan->actions[i]) ? run->disks.works[i].edit.file_count : 0;
    run->result->written = arena_alloc(run->arena, count, sizeof(*run->result->written));
    return run->result->written != NULL ? ST_OK : ST_NO_MEMORY;
}

static enum status carry_out(struct apply_run *run, size_t index)
{
    const struct action *action = &run->plan->actions[index];

    if (action_changes_disk(action))
        return disk_batch_run(&run->disks, index);
    if (apply_is_variable(action))
        return apply_write_variable(run, action);
    return write_file(run, action);
}

/* Step 4, and 5 where it has to be. */
static enum status carry_out_all(struct apply_run *run)
{
    for (size_t i = 0; i < run->plan->count; i++) {
        enum status status = carry_out(run, i);
        if (status != ST_OK)
            return fail(run, i, status);
        run->result->done = i + 1;
    }
    for (size_t i = 0; i < run->plan->count; i++) {
        const struct action *action = &run->plan->actions[i];
        if (action_changes_disk(action) && action->change->kind != DISK_CHANGE_RESTORE)
            list_written(run, &run->disks.works[i]);
    }
    run->result->disk_bytes = run->disks.done;
    return ST_OK;
}

/* Step 6, first half. */
static void take_up_again(struct apply_run *run)
{
    struct apply_result *result = run->result;

    if (!run->disks.released)
        return;
    if (disk_batch_renew(&run->disks) != ST_OK)
        apply_note(result,
                   "The firmware's drivers did not take the changed disks up again. Start the "
                   "machine again before anything else.");
}

/* Step 6, second half: the change itself is done and checked; only undo will call it
 * interrupted. */
static void close_journal(struct apply_run *run)
{
    struct apply_result *result = run->result;

    if (result->has_journal &&
        journal_store_mark(run->ports, &result->journal, JOURNAL_DONE) != ST_OK)
        apply_note(result, "The journal could not be closed; undo will list it as interrupted.");
}

/* Volumes may be others by now, and the journal's be gone. */
static void find_journal(struct apply_run *run)
{
    struct apply_result *result = run->result;

    if (!result->has_journal)
        return;
    result->journal.volume = journal_store_volume(run->ports, &result->journal);
    result->has_journal = result->journal.in_variable || result->journal.volume != FILES_NO_VOLUME;
}

static enum status start(struct arena *arena, struct ports *ports, const struct plan *plan,
                         struct apply_result *ret_result, struct apply_run *ret_run)
{
    *ret_run =
        (struct apply_run){.arena = arena, .ports = ports, .plan = plan, .result = ret_result};
    memset(ret_result, 0, sizeof(*ret_result));
    ret_result->problem = "";
    ret_run->before = arena_alloc(arena, plan->count, sizeof(*ret_run->before));
    ret_run->stuck = arena_alloc(arena, plan->count, sizeof(*ret_run->stuck));
    if (ret_run->before == NULL || ret_run->stuck == NULL || !apply_words_init(ret_run))
        return ST_NO_MEMORY;
    return apply_check_all(ret_run);
}

enum status apply_check(struct arena *arena, struct ports *ports, const struct plan *plan,
                        struct apply_result *ret_result)
{
    struct apply_run run;
    enum status status = start(arena, ports, plan, ret_result, &run);

    if (status == ST_OK)
        ret_result->disk_bytes = run.disks.bytes;
    else
        apply_say_refused(ret_result, status);
    return status;
}

enum status apply_plan(struct arena *arena, struct ports *io_ports, const struct plan *plan,
                       const char *command, const struct apply_watch *watch,
                       struct apply_result *ret_result)
{
    struct apply_run run;

    enum status status = start(arena, io_ports, plan, ret_result, &run);
    /* A journal of the undo itself would take the only place where the one that it takes back lies. */
    bool has_way_back = plan_changes_disks(plan) || (watch->undone && watch->undone->in_variable);
    run.undone = has_way_back ? watch->undone : NULL;
    if (status == ST_OK)
        status = reserve_scratch(&run);
    if (status == ST_OK)
        status = reserve_written(&run);
    if (status == ST_OK)
        status = save_journal(&run, command);
    if (status == ST_OK)
        status = let_go(&run);
    if (status != ST_OK) {
        apply_say_refused(ret_result, status);
        return status;
    }
    run.disks.progress = watch->progress;
    run.disks.progress_ctx = watch->ctx;
    status = carry_out_all(&run);
    /* That nothing was written is what it says; firmware may give it for a write. */
    if (status == ST_NO_MEMORY)
        status = ST_IO;
    take_up_again(&run);
    if (status == ST_OK)
        close_journal(&run);
    find_journal(&run);
    return status;
}

/* True when the action may write into the partition. */
static bool writes_into(const struct action *action, const struct partition *own)
{
    const struct disk_change *change = action->change;

    if (action->path != NULL)
        return action->volume == own->volume;
    if (!action_changes_disk(action) || change->disk != own->disk)
        return false;
    return change->kind == DISK_CHANGE_RESTORE ||
           (change->kind != DISK_CHANGE_GPT && change->first_lba == own->first_lba);
}

bool apply_may_have_written(const struct plan *plan, const struct file_volume *volumes,
                            const struct apply_result *result, size_t esp)
{
    const struct machine *machine = plan->machine;
    const struct partition *own = &machine->partitions[machine->esps[esp].partition];

    for (size_t i = 0; i < plan->count; i++) {
        if (writes_into(&plan->actions[i], own))
            return true;
    }
    return own->volume != NO_INDEX &&
           span_equal(volumes[own->volume].path, result->journal.volume_path);
}

const struct file_content *apply_written_content(const struct apply_result *result, size_t port,
                                                 struct fat_volume *volume,
                                                 const struct fat_file *file)
{
    for (size_t i = result->written_count; i > 0; i--) {
        const struct written_file *own = &result->written[i - 1];
        if (own->port == port && own->file->size == file->size &&
            fat_file_lies_in(volume, file, own->file->extents, own->file->extent_count))
            return own->content;
    }
    return NULL;
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
        if (action_changes_disk(action))
            as_it_should_be = disk_batch_confirm(plan, i, machine) == ST_OK;
        if (apply_is_variable(action) && is_last_on(plan, i)) {
            struct variable_state now = machine_variable(machine, action->name);
            struct variable_content content = {now.status == ST_OK, now.attributes, now.value};
            as_it_should_be = apply_is_wanted(action, &content);
        }
        if (as_it_should_be)
            continue;
        *ret_action = i;
        return ST_CHANGED;
    }
    return ST_OK;
}
