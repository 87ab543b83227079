#include "run.h"

#include "base/text.h"
#include "plan/aftermath.h"
#include "plan/bitlocker.h"
#include "progress.h"
#include "cmd/screen.h"
#include "show.h"
#include "show_plan.h"

#define ANSWER_SIZE 16

/* Memory for looking again is a multiple of what looking took, and this for the audit. */
#define LOOK_AGAIN_FACTOR 2
#define LOOK_AGAIN_BYTES  (32u * 1024)
#define JUDGE_BYTES       (256u * 1024) /* for the audit of the whole machine, where disks change */

void run_begin(struct context *context, struct plan *ret_plan)
{
    plan_init(ret_plan, context->arena, &context->machine);
}

static enum status report_refusal(struct context *context, const struct plan *plan,
                                  enum status status)
{
    if (plan->refusal[0] != '\0')
        return report(context, status, "%s", plan->refusal);
    return report(context, status, "No plan could be made: %s. Nothing was changed.",
                  status_text(status));
}

/* Asks one question, whatever was given. Statuses: ST_OK for yes; ST_CANCELLED or ST_REFUSED, reported. */
static enum status ask(struct context *context, const char *question)
{
    const struct console_port *console = &context->ports->console;
    char answer[ANSWER_SIZE];

    say(context, "%s [y/N] ", question);
    screen_flush(context->screen);
    if (screen_take_stop(context->screen))
        return report(context, ST_CANCELLED, "Nothing was changed.");
    enum status status = console->read_line(console->ctx, answer, sizeof(answer));
    screen_answered(context->screen);
    if (status == ST_IO)
        return report(
            context, ST_REFUSED,
            "There is no keyboard to answer with. Give -y to go on without asking. Nothing "
            "was changed.");
    if (status == ST_OK && (text_equal_nocase(answer, "y") || text_equal_nocase(answer, "yes")))
        return ST_OK;
    return report(context, ST_CANCELLED, "Nothing was changed.");
}

/* A wish that the user has to agree to by itself, or by an option of its own. */
static enum status agree(struct context *context, const char *option_name, const char *question,
                         const char *what)
{
    if (option(context, option_name) != NULL)
        return ST_OK;
    if (context->yes || context->sfo)
        return report(
            context, ST_REFUSED,
            "This plan %s. -y alone does not agree to that: give %s as well, or leave -y out "
            "to be asked. Nothing was changed.",
            what, option_name);
    return ask(context, question);
}

static enum status agree_to_key(struct context *context)
{
    return agree(context, "-bitlocker",
                 "Windows may ask for BitLocker's recovery key then. Is it at hand?",
                 "changes what BitLocker measures");
}

static enum status refuse_to_ask(struct context *context)
{
    return report(context, ST_REFUSED,
                  "Under -sfo nothing is asked: give -y to carry the plan out, or -n to see it "
                  "only. Nothing was changed.");
}

enum status run_ask(struct context *context, const char *question)
{
    if (context->yes)
        return ST_OK;
    return context->sfo ? refuse_to_ask(context) : ask(context, question);
}

/* Asks, unless -y was given. Statuses: ST_OK to go on; ST_CANCELLED or ST_REFUSED, reported. */
static enum status confirm(struct context *context, const struct plan *plan, bool asks_for_key)
{
    enum status status = ST_OK;

    if (context->sfo && !context->yes)
        return refuse_to_ask(context);
    if (plan->gives_up_msr)
        status = agree(context, "-msr", "Give up the Microsoft reserved partition for this?",
                       "gives up a Microsoft reserved partition");
    if (status == ST_OK && plan->formats)
        status = agree(context, "-format",
                       "This partitions or formats a disk, as shown above. Is that the right one?",
                       "partitions or formats a disk");
    if (status == ST_OK && asks_for_key)
        status = agree_to_key(context);
    if (status != ST_OK)
        return status;
    return run_ask(context,
                   plan->count == 1 ? "Carry out this change?" : "Carry out these changes?");
}

/* Applies with a part of the memory out of reach, so that it is there for looking again. */
static enum status apply_with_reserve(struct context *context, const struct plan *plan,
                                      const struct journal_file *undone,
                                      struct apply_result *ret_result)
{
    struct arena *arena = context->arena;
    size_t audit = plan_changes_disks(plan) ? JUDGE_BYTES : LOOK_AGAIN_BYTES;
    size_t reserve = context->scan_bytes * LOOK_AGAIN_FACTOR + audit;

    if (!arena_keep(arena, reserve)) {
        ret_result->problem = "There is too little memory. Nothing was changed.";
        return ST_NO_MEMORY;
    }
    struct progress progress;
    progress_start(&progress, context);
    struct apply_watch watch = {progress_step, &progress, undone};
    enum status status = apply_plan(arena, context->ports, plan, context->line, &watch, ret_result);
    progress_end(&progress);
    arena_keep(arena, 0);
    return status;
}

/* What applying has to say although it went well. */
static void show_problem(struct context *context, const struct apply_result *result)
{
    if (result->problem[0] != '\0' && !context->sfo)
        say(context, "Note: %s\n", result->problem);
}

/* The changes are made, but memory did not do for looking again. */
static enum status report_unchecked(struct context *context, const struct plan *plan,
                                    const struct apply_result *result, enum status status)
{
    const char *made = plan->count == 1 ? "change was" : "changes were";

    show_problem(context, result);

    if (!result->has_journal)
        return report(context, status, "%zu %s made, but could not be checked once more: %s.",
                      plan->count, made, status_text(status));
    return report(context, status,
                  "%zu %s made, but could not be checked once more: %s. Look with \"shadowboot "
                  "entries\"; \"shadowboot undo %u\" takes it back (journal %s%s).",
                  plan->count, made, status_text(status), result->journal.id,
                  journal_store_alias(context->ports, &result->journal), result->journal.path);
}

/* What was written cannot be seen once all is over. */
static enum status report_unconfirmed(struct context *context, const struct action *action)
{
    if (action_changes_disk(action))
        return report(
            context, ST_CHANGED,
            "Disk %zu was written and read back, and now does not hold what it should. Do not rely "
            "on it: check the disk and its cables, then look with \"shadowboot status\". "
            "\"shadowboot undo\" takes the change back.",
            action->change->disk);
    return report(context, ST_CHANGED,
                  "%s was written and read back, and now reads differently: this firmware changes "
                  "boot entries by itself. Start the machine again and look with \"shadowboot "
                  "entries\".",
                  action->name);
}

/* As deep as the command has looked before: boot entries alone need no more than that. */
static enum scan_depth depth_afterwards(const struct context *context)
{
    return context->depth > SCAN_ENTRIES ? context->depth : SCAN_ENTRIES;
}

/* What was found before, and who may have written since. */
struct looking_again {
    const struct plan *plan;
    const struct file_volume *volumes; /* before the plan was applied */
    const struct apply_result *result;
};

static bool may_have_changed(void *ctx, size_t esp)
{
    const struct looking_again *again = ctx;

    return apply_may_have_written(again->plan, again->volumes, again->result, esp);
}

static const struct file_content *content_written(void *ctx, size_t port, struct fat_volume *volume,
                                                  const struct fat_file *file)
{
    const struct looking_again *again = ctx;

    return apply_written_content(again->result, port, volume, file);
}

/* Applies, scans again, and compares what is there with what was wanted. */
static enum status carry_out_plan(struct context *context, struct plan *plan,
                                  const struct journal_file *undone,
                                  struct apply_result *ret_result)
{
    struct looking_again again = {plan, context->ports->files.volumes, ret_result};
    struct scan_before before = {NULL, &again, may_have_changed, content_written};
    size_t action = 0;

    /* The plan goes on meaning the machine as it was. */
    plan->machine = arena_copy(context->arena, &context->machine, sizeof(context->machine));
    if (plan->machine == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");

    size_t before_applying = arena_mark(context->arena);
    enum status status = apply_with_reserve(context, plan, undone, ret_result);
    if (status == ST_NO_MEMORY) { /* before anything was written */
        scan_let_contents_go(&context->machine);
        arena_release(context->arena, before_applying);
        status = apply_with_reserve(context, plan, undone, ret_result);
    }
    if (status != ST_OK) {
        const char *problem = ret_result->problem;
        return report(context, status, "%s", problem[0] != '\0' ? problem : status_text(status));
    }
    size_t mark = arena_mark(context->arena);
    before.machine = plan->machine;
    status = scan_machine_again(context->arena, context->ports, depth_afterwards(context), &before,
                                &context->machine);
    if (status != ST_OK) {
        arena_release(context->arena, mark); /* the report needs some */
        return report_unchecked(context, plan, ret_result, status);
    }
    status = apply_confirm(plan, &context->machine, &action);
    return status == ST_CHANGED ? report_unconfirmed(context, &plan->actions[action]) : status;
}

static void show_end(struct context *context, const struct plan *plan,
                     const struct apply_result *result)
{
    if (context->sfo)
        return;
    say(context, "Done: %zu %s made and checked.\n", plan->count,
        plan->count == 1 ? "change" : "changes");
    /* An undo of blocks cannot be taken back: what it has freed may be used since. */
    if (result->has_journal && !(plan->is_undo && plan_changes_disks(plan)))
        say(context, "\"shadowboot undo %u\" takes it back (journal %s%s).\n", result->journal.id,
            journal_store_alias(context->ports, &result->journal), result->journal.path);
    show_problem(context, result);
}

/* -n: what would be refused is said. */
static enum status check_only(struct context *context, const struct plan *plan)
{
    struct apply_result result = {.problem = ""};
    char size[THOUSANDS_SIZE];

    if (plan_changes_disks(plan)) {
        enum status status = apply_check(context->arena, context->ports, plan, &result);
        if (status != ST_OK)
            return report(context, status, "%s",
                          result.problem[0] != '\0' ? result.problem : status_text(status));
        if (context->verbose && !context->sfo)
            say(context, "%s bytes would be written.\n", format_thousands(result.disk_bytes, size));
    }
    if (!context->sfo)
        say(context, "Nothing was changed (-n).\n");
    return ST_OK;
}

/* What to say of a plan without actions. */
static const char *nothing_text(const struct plan *plan)
{
    if (plan->left_out)
        return "Nothing was changed: what is to be done cannot be done, as noted above.";
    if (plan->incomplete)
        return "Nothing was changed: what is wrong here cannot be mended by this command.";
    return "Nothing to do: everything is that way already.";
}

/* Asks, and goes by a key that was pressed while the plan was shown. Statuses as confirm. */
static enum status take_leave(struct context *context, const struct plan *plan, bool asks_for_key)
{
    const struct console_port *console = &context->ports->console;
    enum status status = confirm(context, plan, asks_for_key);

    if (status != ST_OK)
        return status;
    screen_flush(context->screen);
    if (screen_take_stop(context->screen))
        return report(context, ST_CANCELLED, "Nothing was changed.");
    if (console->break_requested(console->ctx))
        return report(context, ST_CANCELLED, "Stopped by Ctrl-C. Nothing was changed.");
    return ST_OK;
}

/* run_plan, where `undone` is the journal that the plan takes back; NULL for none. */
static enum status run_shown(struct context *context, struct plan *plan, enum status made,
                             const struct journal_file *undone, struct apply_result *ret_result)
{
    struct apply_result result = {.problem = ""};
    struct findings findings;
    bool asks_for_key = made == ST_OK && plan_asks_for_key(plan);

    if (made == ST_OK)
        made = plan->status;
    if (made != ST_OK)
        return report_refusal(context, plan, made);
    show_plan(context, plan);
    if (plan->count == 0 && !context->sfo)
        say(context, "%s\n", nothing_text(plan));
    if (plan->count == 0)
        return ST_OK;
    if (context->plan_only)
        return check_only(context, plan);
    enum status status = take_leave(context, plan, asks_for_key);
    if (status != ST_OK)
        return status;
    status = carry_out_plan(context, plan, undone, &result);
    if (ret_result != NULL)
        *ret_result = result;
    if (status != ST_OK)
        return status;
    size_t mark = arena_mark(context->arena);
    status = plan_aftermath(context->arena, plan, &context->machine, &findings);
    if (status != ST_OK) {
        arena_release(context->arena, mark);
        return report_unchecked(context, plan, &result, status);
    }
    show_findings(context, &findings);
    show_end(context, plan, &result);
    return ST_OK;
}

enum status run_plan(struct context *context, struct plan *plan, enum status made,
                     struct apply_result *ret_result)
{
    return run_shown(context, plan, made, NULL, ret_result);
}

enum status run_undo(struct context *context, struct plan *plan, enum status made,
                     const struct journal_file *undone)
{
    return run_shown(context, plan, made, undone, NULL);
}

enum status run_plan_silently(struct context *context, struct plan *plan, enum status made)
{
    struct apply_result result = {.problem = ""};

    if (context->plan_only)
        return run_plan(context, plan, made, NULL);
    bool asks_for_key = made == ST_OK && plan_asks_for_key(plan);
    if (made == ST_OK)
        made = plan->status;
    if (made != ST_OK)
        return report_refusal(context, plan, made);
    for (size_t i = 0; i < plan->warning_count; i++)
        say(context, "WARNING: %s\n", plan->warnings[i]);
    if (plan->count == 0)
        return ST_OK;
    enum status status = asks_for_key ? agree_to_key(context) : ST_OK;
    if (status == ST_OK)
        status = carry_out_plan(context, plan, NULL, &result);
    if (status == ST_OK)
        show_problem(context, &result);
    return status;
}
