/* `test`: starts one disk once, by BootNext, and later tells what came of it as far as that can be known. */
#include "try_start.h"

#include "apply/start_memory.h"
#include "audit/audit_machine.h"
#include "base/text.h"
#include "cmd/screen.h"
#include "cmd/command.h"
#include "disk_word.h"
#include "plan/entries.h"
#include "rows.h"
#include "run.h"

#define DATE_SIZE 24
#define DAY       (24ull * 3600 * FILETIME_SECOND) /* units of a FILETIME */

/* One start that is to be tried. */
struct trial_start {
    size_t member;
    size_t disk;
    size_t esp;   /* partition */
    size_t entry; /* index into machine.entries */
    bool walk;    /* it is one of all disks */
};

static const char *asked_text(const struct date_time *date, char text[DATE_SIZE])
{
    struct text_buffer buffer;

    text_buffer_init(&buffer, text, DATE_SIZE);
    if (date->year == 0)
        text_buffer_printf(&buffer, "an unknown time");
    else
        text_buffer_printf(&buffer, "%04u-%02u-%02u %02u:%02u", date->year, date->month, date->day,
                           date->hour, date->minute);
    return text;
}

/* True as long as firmware has not taken the entry: BootNext still names it. */
static bool still_waits(const struct machine *machine, const struct start_tests *tests,
                        size_t index)
{
    return index + 1 == tests->count && machine->next.status == ST_OK &&
           machine->next.number == tests->items[index].entry;
}

static void show_start_test(struct context *context, const struct start_test *test, bool waits)
{
    struct rows rows = rows_of_tables(context);
    size_t partition = machine_find_partition(&context->machine, &test->esp, NULL);
    bool here = partition != NO_INDEX;
    size_t disk = here ? context->machine.partitions[partition].disk : 0;
    char asked[DATE_SIZE];

    asked_text(&test->asked, asked);
    if (context->sfo) {
        row_open(&rows, ROW_TEST);
        row_number_or_none(&rows, disk, here);
        row_text(&rows, arena_printf(context->arena, "Boot%04X", test->entry));
        row_text(&rows, asked);
        row_text(&rows, waits ? "waits" : "used");
        row_close(&rows);
        return;
    }
    if (here)
        say(context, "Test of Disk %zu", disk);
    else
        say(context, "Test of a disk that is not here");
    say(context,
        waits ? ", asked for %s: waits. Boot%04X is still the entry for the next start.\n"
              : ", asked for %s: the firmware has taken Boot%04X since, or somebody has chosen "
                "otherwise. Whether the system came up is not written anywhere.\n",
        asked, test->entry);
}

static void show_table(struct context *context, const struct start_tests *tests)
{
    for (size_t i = 0; i < tests->count; i++)
        show_start_test(context, &tests->items[i], still_waits(&context->machine, tests, i));
}

void show_start_tests(struct context *context)
{
    const struct start_tests tests = start_memory_read(&context->ports->vars);

    show_table(context, &tests);
    if (tests.walk && !context->sfo)
        say(context,
            "The test of all disks is not at its end: \"shadowboot test -all\" goes on.\n");
}

/* True when the firmware is sure to look for that ESP: one that tells it by a GUID which another has as well may
 * start the other. */
static bool names_esp(const struct machine *machine, size_t index, size_t partition)
{
    const struct entry *entry = &machine->entries[index];
    bool by_guid = entry->boot.has_hd && entry->form != DEVPATH_FORM_FULL;

    return audit_entry_leads_to(machine, entry, partition) && !entry->boot.elsewhere &&
           !(by_guid && machine->partitions[partition].guid_repeated);
}

static bool names_disk(const struct machine *machine, size_t index, size_t disk)
{
    const struct target *boot = &machine->entries[index].boot;

    return !boot->has_hd && boot->disk == disk;
}

/* The entry that starts from the member's ESP: that by which it starts alone, or else the first that leads there. */
static size_t entry_of_member(const struct context *context, const struct judgement *judgement,
                              size_t member)
{
    const struct machine *machine = &context->machine;
    const struct forecast *forecast = &judgement->forecasts[member];
    size_t esp = judgement->roles.members[member].esp;

    if (esp == NO_INDEX)
        return NO_INDEX;
    size_t partition = machine->esps[esp].partition;
    if (forecast->verdict == VERDICT_STARTS && forecast->entry != NO_INDEX &&
        (names_esp(machine, forecast->entry, partition) ||
         names_disk(machine, forecast->entry, machine->partitions[partition].disk)))
        return forecast->entry;
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (entry_is_tried(&machine->entries[i]) && names_esp(machine, i, partition))
            return i;
    }
    return NO_INDEX;
}

static enum status prepare_trial(struct context *context, const struct judgement *judgement,
                                 size_t member, struct trial_start *ret_trial)
{
    const struct member *own = &judgement->roles.members[member];
    size_t entry = entry_of_member(context, judgement, member);

    if (entry == NO_INDEX && own->esp != NO_INDEX &&
        context->machine.partitions[context->machine.esps[own->esp].partition].guid_repeated)
        return report(
            context, ST_REFUSED,
            "Another partition has the GUID of the ESP of Disk %zu, so no boot entry is sure to start that disk. "
            "\"shadowboot diskid\" shows which, and what to do. Nothing was changed.",
            own->disk);
    if (entry == NO_INDEX || own->esp == NO_INDEX)
        return report(
            context, ST_ABSENT,
            "No boot entry starts from Disk %zu. \"shadowboot repair\" makes one. Nothing was changed.",
            own->disk);
    *ret_trial = (struct trial_start){.member = member,
                                      .disk = own->disk,
                                      .esp = context->machine.esps[own->esp].partition,
                                      .entry = entry};
    return ST_OK;
}

static void explain_trial(struct context *context, const struct judgement *judgement,
                          const struct trial_start *trial)
{
    const struct entry *entry = &context->machine.entries[trial->entry];
    const struct forecast *forecast = &judgement->forecasts[trial->member];

    if (context->sfo)
        return;
    if (forecast->verdict != VERDICT_STARTS)
        say(context, "Note: Disk %zu alone may not start. %s\n", trial->disk, forecast->reason);
    say(context,
        "The machine restarts, and this once its firmware is to start Boot%04X \"%.40s\", from Disk %zu. See which "
        "system comes up and whether it is all there; the start after that is as before. If nothing comes up, the "
        "firmware goes on with its other entries.\n",
        entry->number, entry->description, trial->disk);
}

/* Remembers the trial and restarts. Comes back only when firmware does not restart. */
static enum status restart_for(struct context *context, const struct trial_start *trial)
{
    const struct start_port *start = &context->ports->start;
    struct start_tests tests = start_memory_read(&context->ports->vars);
    struct start_test test = {context->machine.partitions[trial->esp].unique,
                              context->machine.entries[trial->entry].number, context_now(context)};

    if (!trial->walk)
        tests.count = 0;
    tests.walk = trial->walk;
    start_tests_add(&tests, &test);
    enum status status = start_memory_write(&context->ports->vars, &tests);
    if (status != ST_OK)
        return report(
            context, status,
            "The test could not be remembered: %s. Boot%04X is the entry for the next start; restart the "
            "machine to try it, or \"shadowboot next none\".",
            status_text(status), test.entry);
    screen_flush(context->screen);
    start->reset(start->ctx, START_RESET_COLD);
    return report(context, ST_UNSUPPORTED,
                  "This firmware does not restart: restart the machine to go on.");
}

static enum status start_on_trial(struct context *context, const struct judgement *judgement,
                                  size_t member, bool walk)
{
    struct trial_start trial = {.member = NO_INDEX};
    struct plan plan;
    enum status status = prepare_trial(context, judgement, member, &trial);

    if (status != ST_OK)
        return status;
    trial.walk = walk;
    explain_trial(context, judgement, &trial);
    run_begin(context, &plan);
    status = run_plan(context, &plan, plan_next(&plan, trial.entry), NULL);
    return status != ST_OK || context->plan_only ? status : restart_for(context, &trial);
}

/* The first member whose ESP has not been tried, or whose test still waits; NO_INDEX when all have. */
static size_t next_untried(const struct context *context, const struct judgement *judgement,
                           const struct start_tests *tests)
{
    for (size_t i = 0; i < judgement->roles.member_count; i++) {
        size_t esp = judgement->roles.members[i].esp;
        bool tried = false;
        for (size_t j = 0; esp != NO_INDEX && j < tests->count; j++) {
            size_t partition = context->machine.esps[esp].partition;
            tried = tried || (guid_equal(&tests->items[j].esp,
                                         &context->machine.partitions[partition].unique) &&
                              !still_waits(&context->machine, tests, j));
        }
        if (!tried)
            return i;
    }
    return NO_INDEX;
}

static enum status try_all(struct context *context, const struct judgement *judgement)
{
    struct start_tests tests = start_memory_read(&context->ports->vars);
    size_t member = next_untried(context, judgement, &tests);

    show_table(context, &tests);
    if (member != NO_INDEX) {
        if (!context->sfo)
            say(context,
                "When you have seen it, start shadowboot again, from the stick or by the firmware's boot menu: "
                "its menu begins with the next disk, and the one that is installed goes on by itself. At the "
                "end there is a table.\n");
        return start_on_trial(context, judgement, member, true);
    }
    if (!context->sfo)
        say(context, "Each disk of the mirror was tried once.\n");
    tests.count = 0;
    enum status status =
        context->plan_only ? ST_OK : start_memory_write(&context->ports->vars, &tests);
    return status == ST_OK ? ST_OK : report(context, status, "The tests could not be forgotten.");
}

enum status go_on_with_tests(struct context *context, const struct judgement *judgement)
{
    const struct start_tests tests = start_memory_read(&context->ports->vars);
    const struct clock_port *clock = &context->ports->clock;
    struct date_time now;

    if (!tests.walk || tests.count == 0 || judgement->state != MACHINE_SAFE ||
        still_waits(&context->machine, &tests, tests.count - 1))
        return ST_OK;
    const struct date_time *asked = &tests.items[tests.count - 1].asked;
    if (asked->year == 0 || clock->now(clock->ctx, &now) != ST_OK ||
        date_filetime(&now) - date_filetime(asked) >= DAY) /* a clock set back makes it huge */
        return ST_OK;
    return try_all(context, judgement);
}

/* What the words mean: a disk of the mirror, or the shadow without any. */
static enum status member_wanted(struct context *context, const struct judgement *judgement,
                                 size_t *ret_member)
{
    const struct roles *roles = &judgement->roles;
    size_t disk = NO_INDEX;

    if (context->word_count == 0 && roles->shadow == NO_INDEX)
        return report(context, ST_ABSENT, "There is no shadow disk to test. Nothing was changed.");
    if (context->word_count == 0) {
        *ret_member = roles->shadow;
        return ST_OK;
    }
    enum status status = disk_word(context, context->words[0], &disk);
    if (status != ST_OK)
        return status;
    *ret_member = roles_member_on(roles, disk);
    if (*ret_member == NO_INDEX)
        return report(context, ST_ABSENT, "Disk %zu is no disk of the mirror. Nothing was changed.",
                      disk);
    return ST_OK;
}

enum status cmd_test(struct context *context)
{
    struct judgement judgement;
    size_t member = NO_INDEX;

    if (option(context, "-all") != NULL && context->word_count > 0)
        return report(context, ST_USAGE,
                      "-all tests each disk: leave the disk out. Nothing was changed.");
    enum status status = context_scan(context, SCAN_FULL);
    if (status != ST_OK)
        return status;
    if (audit_machine(context->arena, &context->machine, &judgement) != ST_OK)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    if (option(context, "-all") != NULL)
        return try_all(context, &judgement);
    status = member_wanted(context, &judgement, &member);
    return status == ST_OK ? start_on_trial(context, &judgement, member, false) : status;
}
