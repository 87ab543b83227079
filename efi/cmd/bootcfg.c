/*
 * The lines of KB 814070 as they are typed there. bootcfg's switches have a syntax of their own
 * ("/clone /sg {guid} /d+ text"), its output a shape that people and scripts know, and it asks
 * nothing; what it does is planned, journaled and checked like everything else.
 */
#include "base/text.h"
#include "cmd/command.h"
#include "foreign.h"
#include "run.h"
#include "show.h"
#include "plan/clone.h"
#include "plan/entries.h"
#include "plan/mirror.h"

struct line {
    int argc;
    const char *const *argv;
};

/* The argument behind a switch, NULL when it is not there. */
static const char *value_of(const struct line *line, const char *name)
{
    for (int i = 0; i + 1 < line->argc; i++) {
        if (is_switch(line->argv[i], name))
            return line->argv[i + 1];
    }
    return NULL;
}

static bool word_is_repeated(const struct line *line, int index)
{
    for (int i = index % 2; i < index; i += 2) {
        if (is_switch(line->argv[i], line->argv[index] + 1))
            return true;
    }
    return false;
}

/* Every argument must be one of `known`, or the value of one: a blank inside a GUID would otherwise
 * leave its second half unread. */
static enum status check_switches(struct context *context, const struct line *line,
                                  const char *const *known)
{
    for (int i = 0; i < line->argc; i += 2) {
        bool found = false;
        for (const char *const *name = known; *name != NULL; name++)
            found |= is_switch(line->argv[i], *name);
        const char *shown = text_printable(context->arena, line->argv[i]);
        if (!found)
            return report(context, ST_USAGE,
                          "\"%.64s\" is not understood here. A GUID is typed without blanks. "
                          "Nothing was changed.",
                          shown == NULL ? "" : shown);
        if (i + 1 >= line->argc)
            return report(context, ST_USAGE,
                          "A value is missing behind \"%.64s\". Nothing was changed.",
                          shown == NULL ? "" : shown);
        if (word_is_repeated(line, i))
            return report(context, ST_USAGE, "\"%.64s\" is given twice. Nothing was changed.",
                          shown == NULL ? "" : shown);
    }
    return ST_OK;
}

/* Carries a plan out, unless -n was given, and prints bootcfg's last line. */
static enum status finish(struct context *context, struct plan *plan, enum status made,
                          const char *success)
{
    enum status status = run_plan_silently(context, plan, made);

    if (status == ST_OK && !context->plan_only)
        say(context, "%s\n", success);
    return status;
}

static enum status query(struct context *context)
{
    enum status status = context_scan(context, SCAN_ENTRIES);

    if (status != ST_OK)
        return status;
    show_boot_options(context);
    say(context, "\nBoot Entries\n------------\n\n");
    for (size_t i = 0; i < context->machine.entry_count; i++) {
        const struct entry *entry = &context->machine.entries[i];
        if (entry->in_order && entry->status == ST_OK)
            show_entry_as_bootcfg(context, entry);
    }
    return ST_OK;
}

static enum status bootcfg_query(struct context *context, const struct line *line)
{
    if (line->argc > 0)
        return report(context, ST_USAGE, "/query takes nothing behind it.");
    return query(context);
}

static enum status bootcfg_list(struct context *context, const struct line *line)
{
    uint64_t number = 0;

    if (line->argc != 1 || text_parse_number(line->argv[0], 10, &number) != ST_OK)
        return report(context, ST_USAGE, "/list takes the number of a disk: bootcfg /list 0");
    enum status status = context_scan(context, SCAN_DISKS);
    if (status != ST_OK)
        return status;
    if (number >= context->machine.disk_count)
        return report(context, ST_ABSENT, "There is no Disk %llu on this machine.",
                      (unsigned long long)number);
    const struct disk *disk = &context->machine.disks[number];
    if (disk->status != ST_OK)
        return report(context, disk->status, "Disk %llu cannot be read.",
                      (unsigned long long)number);
    if (disk_hides_partitions(disk))
        return report(context, ST_DAMAGED,
                      "The partition table of Disk %llu is damaged. The primary copy: %s. The "
                      "backup: %s.",
                      (unsigned long long)number, gpt_problem_text(disk->primary.problem),
                      gpt_problem_text(disk->backup.problem));
    say(context, "Partition table info for Disk: %llu\n", (unsigned long long)number);
    say(context, "---------------------------------\n");
    for (size_t i = 0; i < disk->partition_count; i++)
        show_partition(context, disk->first_partition + i, false);
    return ST_OK;
}

static enum status read_clone(struct context *context, const struct line *line,
                              struct clone_request *ret_request)
{
    static const char *const known[] = {"sg", "tg", "d", "d+", NULL};
    struct clone_request request = {.has_source = true, .has_target = true};
    const char *source = value_of(line, "sg");
    const char *target = value_of(line, "tg");
    const char *appended = value_of(line, "d+");

    enum status status = check_switches(context, line, known);
    if (status != ST_OK)
        return status;
    if (source == NULL || target == NULL)
        return report(context, ST_USAGE,
                      "/clone takes /sg with the source GUID and /tg with the target GUID.");
    if (appended != NULL && value_of(line, "d") != NULL)
        return report(context, ST_USAGE, "/d and /d+ exclude each other. Nothing was changed.");
    request.append = appended != NULL;
    request.description = appended != NULL ? appended : value_of(line, "d");
    status = read_guid(context, source, &request.source);
    if (status == ST_OK)
        status = read_guid(context, target, &request.target);
    if (status == ST_OK)
        *ret_request = request;
    return status;
}

static enum status bootcfg_clone(struct context *context, const struct line *line)
{
    struct clone_request request;
    struct plan plan;

    enum status status = read_clone(context, line, &request);
    if (status == ST_OK)
        status = context_scan(context, SCAN_ENTRIES);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    status = run_plan_silently(context, &plan, plan_clone(&plan, &request));
    if (status != ST_OK || context->plan_only)
        return status;
    for (size_t i = 0; i < plan.count; i++) {
        if (plan.actions[i].source_entry != NO_INDEX)
            say(context, "INFO: Boot entry whose id is '%zu' successfully cloned.\n",
                plan.actions[i].source_entry + 1);
    }
    if (plan.count == 0)
        say(context, "INFO: Every entry has its clone already.\n");
    say(context, "SUCCESS: The operation completed successfully.\n");
    return ST_OK;
}

static enum status bootcfg_mirror(struct context *context, const struct line *line)
{
    static const char *const known[] = {"add", "d", NULL};
    struct mirror_request request = {.template_entry = NO_INDEX};
    const char *partition = value_of(line, "add");
    struct plan plan;

    enum status status = check_switches(context, line, known);
    if (status != ST_OK)
        return status;
    request.description = value_of(line, "d");
    if (partition == NULL || request.description == NULL)
        return report(context, ST_USAGE,
                      "/mirror takes /add with the GUID of the partition and /d with a name.");
    status = read_guid(context, partition, &request.partition);
    if (status == ST_OK)
        status = context_scan(context, SCAN_ENTRIES);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return finish(context, &plan, plan_mirror(&plan, &request),
                  "SUCCESS: The mirrored boot entry has been added.");
}

/* Switches that name one entry by /id and make a plan of it. */
static enum status with_entry(struct context *context, const struct line *line,
                              enum status (*make)(struct plan *, const size_t *, size_t),
                              const char *success)
{
    static const char *const known[] = {"id", NULL};
    const char *id = value_of(line, "id");
    size_t entry = NO_INDEX;
    struct plan plan;

    enum status status = check_switches(context, line, known);
    if (status != ST_OK)
        return status;
    if (id == NULL)
        return report(context, ST_USAGE, "Name the entry: /id 6");
    status = context_scan(context, SCAN_ENTRIES);
    if (status == ST_OK)
        status = find_entry(context, id, &entry);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return finish(context, &plan, make(&plan, &entry, 1), success);
}

static enum status bootcfg_delete(struct context *context, const struct line *line)
{
    return with_entry(context, line, plan_delete,
                      "SUCCESS: Specified boot entry has been deleted.");
}

static enum status bootcfg_default(struct context *context, const struct line *line)
{
    return with_entry(context, line, plan_order,
                      "SUCCESS: Specified boot entry is the default now.");
}

static enum status bootcfg_timeout(struct context *context, const struct line *line)
{
    uint64_t seconds = 0;
    struct plan plan;

    if (line->argc != 1 || text_parse_number(line->argv[0], 10, &seconds) != ST_OK || seconds > 999)
        return report(context, ST_USAGE, "/timeout takes a number of seconds from 0 to 999.");
    enum status status = context_scan(context, SCAN_ENTRIES);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return finish(context, &plan, plan_timeout(&plan, (uint16_t)seconds),
                  "SUCCESS: The timeout value has been changed.");
}

static enum status bootcfg_help(struct context *context, const struct line *line)
{
    (void)line;
    say(context,
        "bootcfg                                      lists the boot entries\n"
        "bootcfg /query                               the same\n"
        "bootcfg /list DISK                           lists the partitions of a disk\n"
        "bootcfg /clone /sg GUID /tg GUID [/d+ TEXT]  clones entries to another ESP\n"
        "bootcfg /mirror /add GUID /d TEXT            adds an entry for a mirrored system\n"
        "bootcfg /delete /id ID                       deletes an entry\n"
        "bootcfg /default /id ID                      makes an entry the first\n"
        "bootcfg /timeout SECONDS                     sets the time to wait\n"
        "\n"
        "-n shows the plan and changes nothing, -v counts what was read and written, -b stops\n"
        "after each screen; -y is taken, though nothing is asked.\n");
    return ST_OK;
}

static const struct {
    const char *name;
    enum status (*run)(struct context *context, const struct line *line);
} switches[] = {
    {"query", bootcfg_query},     {"list", bootcfg_list},     {"clone", bootcfg_clone},
    {"mirror", bootcfg_mirror},   {"delete", bootcfg_delete}, {"default", bootcfg_default},
    {"timeout", bootcfg_timeout}, {"?", bootcfg_help},        {"h", bootcfg_help},
};

enum status cmd_bootcfg(struct context *context)
{
    const char *const *argv = context->words;

    if (context->word_count == 0)
        return query(context);
    struct line line = {(int)context->word_count - 1, argv + 1};
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (is_switch(argv[0], switches[i].name))
            return switches[i].run(context, &line);
    }
    const char *shown = text_printable(context->arena, argv[0]);
    return report(context, ST_USAGE,
                  "\"%.64s\" is not one of bootcfg's switches here. \"bootcfg /?\" lists them.",
                  shown == NULL ? "" : shown);
}
