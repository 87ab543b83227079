#include "auto.h"

#include "model/boot_name.h"
#include "plan/autostart.h"
#include "program.h"

#define BOOT_CURRENT_ATTRIBUTES (VAR_BOOT_SERVICE | VAR_RUNTIME)

static size_t choice_disk(const struct context *context, const struct autostart_choice *choice)
{
    const struct machine *machine = &context->machine;

    return machine->partitions[machine->esps[choice->esp].partition].disk;
}

static const char *choice_path(const struct context *context, const struct autostart_choice *choice)
{
    return context->machine.esps[choice->esp].report.files[choice->file].path;
}

/* " by Boot0001 "Windows Boot Manager"", or the path. In the arena. */
static const char *choice_text(struct context *context, const struct autostart_choice *choice)
{
    const struct entry *entry;
    const char *text;

    if (choice->entry == NO_INDEX) {
        text = arena_printf(context->arena, "Disk %zu, %s", choice_disk(context, choice),
                            choice_path(context, choice));
    } else {
        entry = &context->machine.entries[choice->entry];
        text = arena_printf(context->arena, "Disk %zu by Boot%04X \"%.40s\"",
                            choice_disk(context, choice), entry->number, entry->description);
    }
    return text == NULL ? "" : text;
}

/* A variable of two bytes of the global vendor. */
static enum status set_number(struct context *context, const char *name, uint32_t attributes,
                              uint16_t number)
{
    const struct vars_port *vars = &context->ports->vars;
    const uint8_t data[2] = {(uint8_t)number, (uint8_t)(number >> 8)};

    return vars->set(vars->ctx, NULL, name, attributes, data, sizeof(data));
}

/* By the firmware's own hands, after a reset: what it measures then is what it measures every day. Comes back
 * when that cannot be. */
static void start_by_reset(struct auto_run *run, const struct autostart_choice *choice)
{
    struct context *context = run->context;
    const struct start_port *start = &context->ports->start;
    uint16_t number = context->machine.entries[choice->entry].number;

    say(context, "The machine is reset to start from %s.\n", choice_text(context, choice));
    enum status status = set_number(context, "BootNext", VAR_BOOT_OPTION, number);
    if (status == ST_OK) {
        screen_flush(context->screen);
        auto_report(run, "reset");
        status = start->reset(start->ctx, START_RESET_COLD);
        (void)!context->ports->vars.set(context->ports->vars.ctx, NULL, "BootNext", VAR_BOOT_OPTION,
                                        NULL, 0);
    }
    say(context, "That is not possible: %s.\n", status_text(status));
}

/* Why it did not start, or came back. */
static void say_answer(struct context *context, bool started, struct start_answer answer)
{
    if (started && answer.status == ST_OK)
        say(context, "It came back without an error.\n");
    else if (started)
        say(context, "It came back with error %u: %s.\n", answer.code, status_text(answer.status));
    else if (answer.status == ST_REFUSED)
        say(context, "Secure Boot refuses it (error %u).\n", answer.code);
    else
        say(context, "The firmware does not load it (error %u): %s.\n", answer.code,
            status_text(answer.status));
}

static void start_directly(struct auto_run *run, const struct autostart_choice *choice)
{
    struct context *context = run->context;
    const struct machine *machine = &context->machine;
    size_t volume = machine->partitions[machine->esps[choice->esp].partition].volume;
    bool started = false;

    say(context, "Starting from %s.\n", choice_text(context, choice));
    screen_flush(context->screen);
    if (volume == NO_INDEX) {
        say(context, "The firmware has no file system there.\n");
        return;
    }
    auto_report(run, "start");
    /* The started system reads which entry it came by. */
    if (choice->entry != NO_INDEX)
        (void)!set_number(context, "BootCurrent", BOOT_CURRENT_ATTRIBUTES,
                          machine->entries[choice->entry].number);
    struct start_answer answer =
        program_run(context, &context->ports->files.volumes[volume], choice_path(context, choice),
                    choice->optional, &started);
    if (machine->current.status == ST_OK)
        (void)!set_number(context, "BootCurrent", BOOT_CURRENT_ATTRIBUTES, machine->current.number);
    say_answer(context, started, answer);
}

/* What keeps each disk from starting. */
static void say_reasons(struct auto_run *run, const struct autostart *autostart)
{
    const struct roles *roles = &run->judgement.roles;

    for (size_t i = 0; i < roles->member_count; i++) {
        if (autostart->reasons[i][0] != '\0')
            say(run->context, "Disk %zu: %s\n", roles->members[i].disk, autostart->reasons[i]);
    }
    if (roles->member_count == 0)
        say(run->context, "No disk with a boot volume or with boot files was found.\n");
}

static bool is_bitlocker_rule(const struct auto_run *run)
{
    return run->context->ports->start.has_tpm && autostart_spares_disks(&run->context->machine);
}

/* Each start counts: nobody comes to this program but where those before it in BootOrder have not started,
 * or by choice, and a system that resets the machine over and over may look healthy. */
static void count_start(struct auto_run *run)
{
    enum status status = start_guard_count(run->context->ports, &run->guard);

    if (status != ST_OK)
        say(run->context, "Starts in a row cannot be counted: %s.\n", status_text(status));
}

static void try_choice(struct auto_run *run, const struct autostart_choice *choice)
{
    if (choice->by_reset)
        start_by_reset(run, choice);
    if (!choice->by_reset || !is_bitlocker_rule(run))
        start_directly(run, choice);
}

void auto_start_disk(struct context *context, const struct judgement *judgement, size_t disk)
{
    struct auto_run run = {.context = context, .judgement = *judgement, .judged = true};
    struct autostart autostart = {.count = 0};
    size_t member = roles_member_on(&judgement->roles, disk);

    (void)auto_settings(context, &run.settings);
    run.settings.reports = 0;
    run.settings.send[0] = '\0';
    const struct autostart_request request = {.has_disk = true,
                                              .disk = disk,
                                              .by_reset = run.settings.by_reset,
                                              .has_tpm = context->ports->start.has_tpm};
    enum status status =
        autostart_plan(context->arena, &context->machine, judgement, &request, &autostart);
    if (status != ST_OK) {
        report(context, status, "Out of memory.");
        return;
    }
    if (member != NO_INDEX && autostart.reasons[member][0] != '\0')
        say(context, "Disk %zu: %s\n", disk, autostart.reasons[member]);
    for (size_t i = 0; i < autostart.count; i++) {
        if (autostart.choices[i].member == member)
            try_choice(&run, &autostart.choices[i]);
    }
}

void auto_start(struct auto_run *run)
{
    struct context *context = run->context;
    const struct settings *settings = &run->settings;
    struct autostart autostart = {.count = 0};
    struct autostart_request request = {.has_disk = settings->has_disk,
                                        .disk = settings->disk,
                                        .turn = run->guard.starts,
                                        .by_reset = settings->by_reset,
                                        .has_tpm = context->ports->start.has_tpm};

    enum status status =
        autostart_plan(context->arena, &context->machine, &run->judgement, &request, &autostart);
    if (status != ST_OK) {
        report(context, status, "Out of memory.");
        return;
    }
    say_reasons(run, &autostart);
    if (autostart.count > 0)
        count_start(run);
    for (size_t i = 0; i < autostart.count; i++)
        try_choice(run, &autostart.choices[i]);
}
