#include "apply/apply.h"

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
    const struct ports *ports;
    const struct plan *plan;
    struct content *before; /* by action: what it replaces */
    struct apply_result *result;
};

static bool is_variable(const struct action *action)
{
    return action->type != ACTION_WRITE_FILE;
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

/* The GPT header that the scan went by, read once more. */
static enum status reread_header(struct run *run, const struct disk *disk,
                                 struct gpt_header *ret_header)
{
    const struct block_port *port = &run->ports->disks[disk->port];
    const struct gpt_copy *used =
        disk->primary.problem == GPT_FINE ? &disk->primary : &disk->backup;
    uint8_t *block = arena_alloc(run->arena, 1, port->block_size);

    if (block == NULL)
        return ST_NO_MEMORY;
    enum status status = port->read(port->ctx, used->lba, 1, block);
    if (status != ST_OK)
        return status;
    bool same = gpt_header_parse(span_of(block, port->block_size), used->lba, port->block_count,
                                 ret_header) == GPT_FINE &&
                guid_equal(&ret_header->disk_guid, &used->header.disk_guid) &&
                ret_header->entries_crc == used->header.entries_crc;
    return same ? ST_OK : ST_CHANGED;
}

/* The disk that new entries name must be there as it was: entries for a ghost help nobody. */
static enum status check_disk(struct run *run)
{
    size_t index = run->plan->target_disk;
    struct gpt_header header;

    if (index == NO_INDEX)
        return ST_OK;
    enum status status = reread_header(run, &run->plan->machine->disks[index], &header);
    if (status != ST_OK)
        run->result->problem =
            say(run,
                "Disk %zu cannot be read any more, or its partition table is not what it was when "
                "the plan was made (%s). Nothing was changed. Check the disk with \"shadowboot "
                "disks\".",
                index, status_text(status));
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
        else
            status = check_file(run, action);
    }
    return status == ST_OK ? check_space(run) : status;
}

static struct journal_record record_of(const struct action *action, const struct content *before)
{
    struct journal_record record = {
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

/* Step 2. A plan that only writes new files has nothing to save. */
static enum status save_journal(struct run *run, const char *command)
{
    struct journal journal = {.command = command, .is_undo = run->plan->is_undo};
    const struct clock_port *clock = &run->ports->clock;

    journal.records = arena_alloc(run->arena, run->plan->count, sizeof(*journal.records));
    if (journal.records == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < run->plan->count; i++) {
        if (is_variable(&run->plan->actions[i]))
            journal.records[journal.count++] = record_of(&run->plan->actions[i], &run->before[i]);
    }
    if (journal.count == 0)
        return ST_OK;
    struct date_time unknown = {0};
    if (clock->now(clock->ctx, &journal.date) != ST_OK)
        journal.date = unknown;
    enum status status = journal_store_save(run->arena, &run->ports->files, run->plan->machine,
                                            &journal, &run->result->journal);
    run->result->has_journal = status == ST_OK;
    if (status != ST_OK)
        run->result->problem =
            say(run,
                "There is no place to save the old boot variables (%s), so nothing was changed. "
                "Start shadowboot from a stick that is not write-protected and has 100 KB free.",
                status_text(status));
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

    if (!is_variable(action)) {
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

/* Step 4: takes back actions [0, count), last first. */
static bool roll_back(struct run *run, size_t count)
{
    bool all = true;

    for (size_t i = count; i > 0; i--)
        all &= restore(run, &run->plan->actions[i - 1], &run->before[i - 1]);
    return all;
}

static const char *target_name(const struct action *action)
{
    return is_variable(action) ? action->name : action->path;
}

/* What to say when step 4 has left something behind. */
static const char *say_left_over(struct run *run, const struct action *action, enum status status)
{
    const struct apply_result *result = run->result;

    if (!result->has_journal)
        return say(run,
                   "%s could not be written: %s. Files that this command wrote before could not "
                   "all be deleted again: delete them by hand.",
                   target_name(action), status_text(status));
    return say(run,
               "%s could not be written: %s. The earlier changes of this command could not all be "
               "taken back. Journal %u on %s has the old content: try \"shadowboot undo %u\" after "
               "a restart.",
               target_name(action), status_text(status), result->journal.id,
               run->ports->files.volumes[result->journal.volume].alias, result->journal.id);
}

static enum status fail(struct run *run, size_t index, enum status status)
{
    const struct action *action = &run->plan->actions[index];
    /* The one that failed may be there in part, so it is taken back as well, unless it is not ours.
     */
    bool ours = status != ST_CHANGED && status != ST_EXISTS;
    bool restored = roll_back(run, index + ours);

    run->result->done = 0;
    if (restored) {
        run->result->problem =
            say(run, "%s could not be written: %s. Everything is again as it was before.",
                target_name(action), status_text(status));
        if (run->result->has_journal)
            (void)!journal_store_mark(&run->ports->files, &run->result->journal, JOURNAL_UNDONE);
        return status;
    }
    run->result->problem = say_left_over(run, action, status);
    return status;
}

enum status apply_plan(struct arena *arena, const struct ports *ports, const struct plan *plan,
                       const char *command, struct apply_result *ret_result)
{
    struct run run = {.arena = arena, .ports = ports, .plan = plan, .result = ret_result};

    memset(ret_result, 0, sizeof(*ret_result));
    ret_result->problem = "";
    run.before = arena_alloc(arena, plan->count, sizeof(*run.before));
    run.problem = arena_alloc(arena, 1, PROBLEM_SIZE);
    if (run.before == NULL || run.problem == NULL)
        return ST_NO_MEMORY;
    enum status status = check_all(&run);
    if (status == ST_OK)
        status = reserve_scratch(&run);
    if (status == ST_OK)
        status = save_journal(&run, command);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        status = is_variable(action) ? write_variable(&run, action) : write_file(&run, action);
        if (status != ST_OK)
            return fail(&run, i, status);
        ret_result->done = i + 1;
    }
    if (ret_result->has_journal) {
        status = journal_store_mark(&ports->files, &ret_result->journal, JOURNAL_DONE);
        /* The change itself is done and checked; only undo will call it interrupted. */
        if (status != ST_OK)
            ret_result->problem =
                "The journal could not be closed; undo will list it as interrupted.";
    }
    return ST_OK;
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
                          const char **ret_name)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        if (!is_variable(action) || !is_last_on(plan, i))
            continue;
        struct variable_state now = machine_variable(machine, action->name);
        struct content content = {now.status == ST_OK, now.attributes, now.value};
        if (as_wanted(action, &content))
            continue;
        *ret_name = action->name;
        return ST_CHANGED;
    }
    return ST_OK;
}
