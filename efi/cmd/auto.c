#include "auto.h"

#include "cmd/command.h"
#include "cmd/interrupted.h"
#include "kept_files.h"
#include "mend.h"
#include "plan/autostart.h"
#include "plan/repair.h"
#include "run.h"
#include "show.h"
#include "show_plan.h"
#include "try_start.h"
#include "judgement.h"
#include "version.h"

#define SECOND      1000u /* milliseconds */
#define MINUTE      60u   /* seconds */
#define ROUNDS_MOST 3

/* --- A person ------------------------------------------------------------------------------- */

/* Waits for a key, where the menu has no screen or no memory. */
static enum status wait_for_person(struct context *context)
{
    const struct console_port *console = &context->ports->console;
    bool by_firmware = context->ports->start.by_firmware;
    uint32_t key = KEY_NONE;

    say(context, by_firmware ? "Press a key to go on with the firmware's next boot entry. "
                             : "Press a key to go back to the Shell. ");
    screen_flush(context->screen);
    if (console->read_key(console->ctx, KEY_WAIT_FOREVER, &key) == ST_OK)
        start_guard_clear(context->ports);
    screen_answered(context->screen);
    return ST_CANCELLED;
}

/* The menu; where there is no screen for it, what can be typed, and a key that is waited for. What starts next is
 * the firmware's affair, which looks further only after an error. */
static enum status hand_to_person(struct auto_run *run)
{
    struct context *context = run->context;

    screen_flush(context->screen);
    context->yes = false;
    enum status status = cmd_menu(context);
    return status == ST_OK || status == ST_CANCELLED ? status : wait_for_person(context);
}

/* One second of a countdown, in which a key may be pressed. Statuses: ST_OK; ST_IO without a keyboard: at once. */
static enum status count_second(struct context *context, unsigned left, uint32_t *io_key)
{
    const struct console_port *console = &context->ports->console;
    struct text_buffer text;
    char room[48];

    text_buffer_init(&text, room, sizeof(room));
    text_buffer_printf(&text, "\rPress a key for the menu: %3u ", left);
    console->write(console->ctx, room, text.used); /* nothing for the log */
    return console->read_key(console->ctx, SECOND, io_key);
}

/* Ends a countdown; true when a key was pressed. */
static bool ends_with_key(struct context *context, uint32_t key)
{
    const struct console_port *console = &context->ports->console;

    console->write(console->ctx, "\n", 1);
    if (key != KEY_NONE)
        start_guard_clear(context->ports);
    return key != KEY_NONE;
}

/* Counts down; true when a key was pressed. Without a keyboard nobody can press one, and nobody waits. */
static bool person_is_there(struct auto_run *run)
{
    uint32_t key = KEY_NONE;

    screen_flush(run->context->screen);
    for (unsigned left = run->settings.timeout; left > 0 && key == KEY_NONE; left--) {
        if (count_second(run->context, left, &key) != ST_OK)
            break;
    }
    return ends_with_key(run->context, key);
}

/* Without a keyboard; false where there is no counter to tell when a second is over. */
static bool spend_second(const struct clock_port *clock)
{
    uint64_t since = clock->microseconds(clock->ctx);

    if (since == 0 && clock->microseconds(clock->ctx) == 0)
        return false;
    while (clock->microseconds(clock->ctx) - since < SECOND * 1000u)
        continue;
    return true;
}

/*
 * Waits out the pause after which one more start may be tried, where waiting for a person would be for ever: nobody
 * can press a key, or the clock would not tell of the pause after the machine was off, either. True when it is over.
 */
static bool pause_passes(struct auto_run *run)
{
    struct context *context = run->context;
    const struct console_port *console = &context->ports->console;
    uint32_t key = KEY_NONE;
    bool keyboard = console->read_key(console->ctx, 1, &key) == ST_OK;

    if (key != KEY_NONE)
        start_guard_clear(context->ports);
    if (keyboard && (key != KEY_NONE || !run->guard.is_blind))
        return false;
    say(context, "%s, so after %u minutes it tries once more.\n",
        keyboard ? "The clock of this machine does not tell how long a start has lasted"
                 : "There is no keyboard",
        START_GUARD_PAUSE);
    screen_flush(context->screen);
    for (unsigned left = START_GUARD_PAUSE * MINUTE; left > 0 && key == KEY_NONE; left--) {
        if (count_second(context, left, &key) != ST_OK && !spend_second(&context->ports->clock))
            return false;
    }
    start_guard_let_one_pass(&run->guard);
    return !ends_with_key(context, key);
}

/* --- The machine ---------------------------------------------------------------------------- */

/* Takes back what was interrupted where the mode lets it mend. ST_CANCELLED, with `stopped`: by a person. */
static enum status look_at_machine(struct auto_run *run)
{
    struct context *context = run->context;
    bool mends = run->settings.mode == MODE_START || run->settings.mode == MODE_REPAIR;
    enum status status = mends ? mend_begin(context, SCAN_FULL) : context_scan(context, SCAN_FULL);

    run->looked = run->judged = false;
    run->stopped = mends && status == ST_CANCELLED;
    if (run->stopped)
        return status;
    if (mends && status != ST_OK) /* what could not be taken back keeps no disk from starting */
        status = context_scan(context, SCAN_FULL);
    run->looked = status == ST_OK;
    if (status == ST_OK && !mends)
        note_interrupted(context);
    if (status == ST_OK)
        status = audit_machine(context->arena, &context->machine, &run->judgement);
    run->judged = status == ST_OK;
    return status;
}

/* Plans so much of what is wrong. Statuses: ST_OK; those of plan_repair; ST_ABSENT when it would help no disk to
 * start, unless the settings want everything mended. */
static enum status plan_part(struct auto_run *run, bool entries_only, struct plan *ret_plan)
{
    struct context *context = run->context;
    struct repair_request request = {.allow_msr = run->settings.allow_msr,
                                     .allow_format = run->settings.allow_format,
                                     .entries_only = entries_only,
                                     .missing_only = run->settings.mode != MODE_REPAIR,
                                     .keep_entries = true,
                                     .keeps_esp = true}; /* no stick takes the journal */
    bool helps = false;

    request.now = context_now(context);
    enum status status = entries_only ? ST_OK : need_kept_files(context, &run->judgement);
    if (status != ST_OK)
        return status;
    run_begin(context, ret_plan);
    status = plan_repair(ret_plan, &run->judgement, &request);
    if (status != ST_OK || ret_plan->count == 0)
        return status;
    status = autostart_improves(context->arena, ret_plan, &run->judgement, &helps);
    if (status == ST_OK && !helps &&
        (run->settings.mode != MODE_REPAIR || autostart_wants_repair(&run->judgement)))
        return ST_ABSENT;
    return status;
}

/* Mends so much of what is wrong, where that helps; true when something was changed. */
static bool mend_part(struct auto_run *run, bool entries_only)
{
    struct judgement judgement;
    struct plan plan;

    if (plan_part(run, entries_only, &plan) != ST_OK || plan.count == 0)
        return false;
    enum status status = mend_run(run->context, &plan, ST_OK, false, &judgement);
    if (status == ST_OK) {
        run->judgement = judgement;
        return true;
    }
    run->stopped = status == ST_CANCELLED;
    if (run->stopped)
        return false;
    return look_at_machine(run) == ST_OK && !entries_only && mend_part(run, true);
}

/* Mends as much as may be mended with nobody there: where disks cannot be changed, entries alone.
 * What one run leaves to another comes behind it. */
static void mend_unattended(struct auto_run *run)
{
    bool spare = autostart_spares_disks(&run->context->machine);
    bool changed = true;
    bool any = false;

    for (int round = 0; round < ROUNDS_MOST && changed && run->judged; round++) {
        changed = mend_part(run, spare);
        any |= changed;
    }
    if (!any && run->judged && !run->stopped)
        show_verdict(run->context, &run->judgement);
}

/* Options that the settings stand for. */
static void agree_by_settings(struct auto_run *run)
{
    struct context *context = run->context;

    context->yes = true;
    if (run->settings.allow_format && context->option_count < ARGS_MAX)
        context->options[context->option_count++] = (struct option_value){"-format", ""};
    if (run->settings.allow_msr && context->option_count < ARGS_MAX)
        context->options[context->option_count++] = (struct option_value){"-msr", ""};
}

static bool wants_mending(const struct auto_run *run)
{
    enum settings_mode mode = run->settings.mode;

    return mode == MODE_REPAIR || (mode == MODE_START && autostart_wants_repair(&run->judgement));
}

/* -n: what would be changed first. Nothing is written, counted or started. */
static enum status show_only(struct auto_run *run)
{
    struct context *context = run->context;
    struct judgement judgement;
    struct plan plan;

    agree_by_settings(run);
    enum status status = look_at_machine(run);
    if (status != ST_OK)
        return status;
    bool spare = autostart_spares_disks(&context->machine);
    if (wants_mending(run) && plan_part(run, spare, &plan) == ST_OK && plan.count > 0)
        return mend_run(context, &plan, ST_OK, false, &judgement);
    show_verdict(context, &run->judgement);
    return ST_OK;
}

/* Looks, mends, starts. Comes back when nothing has taken the machine over, or a person has stopped it. */
static void do_unattended(struct auto_run *run)
{
    struct context *context = run->context;
    enum settings_mode mode = run->settings.mode;

    agree_by_settings(run);
    if (look_at_machine(run) != ST_OK) {
        auto_report(run, run->stopped ? "stopped" : "failed");
        return;
    }
    if (wants_mending(run))
        mend_unattended(run);
    else
        show_verdict(context, &run->judgement);
    if (run->stopped)
        auto_report(run, "stopped");
    if (!run->judged || run->stopped)
        return;
    if (mode != MODE_REPORT)
        run->stopped = go_on_with_tests(run->context, &run->judgement) == ST_CANCELLED;
    if (mode != MODE_REPORT && !run->stopped)
        auto_start(run);
    auto_report(run, mode == MODE_REPORT ? "report" : run->stopped ? "stopped" : "nothing started");
}

static void say_nothing_started(struct auto_run *run)
{
    say(run->context,
        "Nothing could be started. \"shadowboot status\" says what is wrong, and what "
        "can be done.\n");
    if (run->judged)
        show_next(run->context, &run->judgement);
}

/* Where nobody has said what to do, a person decides; without one the machine goes the way it would go without
 * this program, which may lead to its copy on another disk. */
static bool goes_on_without(struct auto_run *run, enum status status)
{
    struct context *context = run->context;

    if (run->settings.mode != MODE_NONE)
        return false;
    if (status == ST_ABSENT)
        say(context, "No settings say what to do: nothing is changed or started unasked.\n");
    if (!context->ports->start.by_firmware || person_is_there(run))
        return false;
    say(context, "The firmware goes on with its next boot entry.\n");
    return true;
}

static void say_start(struct auto_run *run)
{
    struct context *context = run->context;

    auto_log_begin(run);
    say_program(context);
    say(context, "shadowboot: %s.\n",
        context->ports->net.is_source
            ? "started from a network"
            : "no boot entry before it has started this machine, or it was chosen");
    auto_say_problems(context, &run->settings);
}

enum status cmd_auto(struct context *context)
{
    struct auto_run run = {.context = context};

    enum status status = auto_settings(context, &run.settings);
    if (status != ST_OK && status != ST_ABSENT)
        say(context, AUTO_UNREADABLE "\n", auto_settings_place(context), status_text(status));
    run.guard = start_guard_read(context->ports);
    if (context->plan_only || run.settings.mode >= MODE_MENU)
        auto_say_problems(context, &run.settings);
    if (context->plan_only)
        return show_only(&run);
    if (goes_on_without(&run, status))
        return ST_ABSENT;
    if (run.settings.mode >= MODE_MENU)
        return hand_to_person(&run);
    say_start(&run);
    if (run.settings.mode != MODE_REPORT && start_guard_is_shut(&run.guard)) {
        say(context,
            "This machine was started %u times in a row without going on for long, so it waits "
            "for you now.\n",
            run.guard.starts);
        run.looked = context_scan(context, SCAN_FULL) == ST_OK;
        auto_report(&run, "waiting");
        if (!pause_passes(&run))
            return hand_to_person(&run);
    } else if (person_is_there(&run)) {
        return hand_to_person(&run);
    }
    do_unattended(&run);
    if (run.settings.mode == MODE_REPORT)
        return ST_ABSENT;
    if (!run.stopped)
        say_nothing_started(&run);
    return hand_to_person(&run);
}
