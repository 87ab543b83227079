/*
 * Lines of Windows' bcdedit as they are typed there. As with bootcfg nothing is asked; what a line
 * does is planned, journaled, checked and taken back like everything else.
 */
#include "base/text.h"
#include "bcd.h"
#include "cmd/command.h"
#include "foreign.h"

/* What stands behind the switch that says what to do. */
struct line {
    const char *words[ARGS_MAX];
    size_t count;
    enum bcd_step_kind kind; /* /addfirst, /addlast, /remove; else BCD_LIST */
    const char *description; /* /d */
    bool guids;              /* /v */
};

static enum status usage(struct context *context, const char *form)
{
    return report(context, ST_USAGE, "It goes like this: bcdedit %s. Nothing was changed.", form);
}

static enum status done(struct context *context, enum status status, const char *text)
{
    if (status == ST_OK && !context->plan_only)
        say(context, "%s\n", text);
    return status;
}

#define SUCCESS "The operation completed successfully."

static enum status change(struct context *context, const struct bcd_step *step)
{
    return done(context, bcd_change(context, step, 1, true, NULL), SUCCESS);
}

/* --- What lines do -------------------------------------------------------------------------- */

/* /enum ACTIVE, ALL, or the kinds of objects, all of which are in ALL. */
static enum status enumerate_line(struct context *context, const struct line *line)
{
    unsigned flags = line->guids ? BCD_LIST_GUIDS : 0;
    struct bcd_source *sources = NULL;
    size_t count = 0;

    if (line->count > 1)
        return usage(context, "/enum [ACTIVE | ALL] [/v]");
    if (line->count == 1 && !text_equal_nocase(line->words[0], "active"))
        flags |= BCD_LIST_ALL;
    enum status status = context_scan(context, SCAN_LISTED);
    if (status == ST_OK)
        status = bcd_find_sources(context, NULL, &sources, &count);
    return status == ST_OK ? bcd_show_stores(context, sources, count, flags) : status;
}

/* Without an object bcdedit means {current}: what is started is what is meant here. */
static enum status set_element_line(struct context *context, const struct line *line)
{
    bool named = line->count > 0 && line->words[0][0] == '{';
    size_t skip = named ? 1 : 0;
    struct bcd_step step = {BCD_SET, named ? line->words[0] : "{default}", NULL, NULL, 0};

    if (line->count < skip + 2)
        return usage(context, "/set [OBJECT] ELEMENT VALUE");
    step.element = line->words[skip];
    step.words = line->words + skip + 1;
    step.count = line->count - skip - 1;
    if (line->kind != BCD_LIST)
        step.kind = line->kind;
    return change(context, &step);
}

static enum status delete_value_line(struct context *context, const struct line *line)
{
    bool named = line->count == 2;
    struct bcd_step step = {.kind = BCD_UNSET,
                            .object = named ? line->words[0] : "{default}",
                            .element = line->count > 0 ? line->words[line->count - 1] : NULL};

    if (line->count < 1 || line->count > 2)
        return usage(context, "/deletevalue [OBJECT] ELEMENT");
    return change(context, &step);
}

static enum status delete_line(struct context *context, const struct line *line)
{
    struct bcd_step step = {.kind = BCD_DELETE, .object = line->words[0]};

    return line->count == 1 ? change(context, &step) : usage(context, "/delete OBJECT");
}

static enum status copy_line(struct context *context, const struct line *line)
{
    struct bcd_step step = {BCD_COPY, line->words[0], NULL, &line->description, 1};
    struct guid copy;
    char guid[GUID_TEXT_SIZE];

    if (line->count != 1 || line->description == NULL)
        return usage(context, "/copy OBJECT /d DESCRIPTION");
    enum status status = bcd_change(context, &step, 1, true, &copy);
    if (status != ST_OK || context->plan_only)
        return status;
    guid_format(&copy, guid);
    say(context, "The entry was successfully copied to %s.\n", guid);
    return ST_OK;
}

/* One element of the boot manager, by the words of the line. */
static enum status set_manager(struct context *context, const struct line *line,
                               const char *element)
{
    struct bcd_step step = {BCD_SET, "{bootmgr}", element, line->words, line->count};

    if (line->count != 1)
        return usage(context, "/default OBJECT, /timeout SECONDS");
    return change(context, &step);
}

static enum status default_line(struct context *context, const struct line *line)
{
    return set_manager(context, line, "default");
}

static enum status timeout_line(struct context *context, const struct line *line)
{
    return set_manager(context, line, "timeout");
}

static enum status order_line(struct context *context, const struct line *line, const char *element)
{
    struct bcd_step step = {line->kind, "{bootmgr}", element, line->words, line->count};

    if (line->count == 0)
        return usage(context, "/displayorder OBJECT... [/addfirst | /addlast | /remove]");
    return change(context, &step);
}

static enum status display_order(struct context *context, const struct line *line)
{
    return order_line(context, line, "displayorder");
}

static enum status tools_order(struct context *context, const struct line *line)
{
    return order_line(context, line, "toolsdisplayorder");
}

static enum status boot_sequence(struct context *context, const struct line *line)
{
    return order_line(context, line, "bootsequence");
}

static enum status export_store(struct context *context, const struct line *line)
{
    if (line->count != 1)
        return usage(context, "/export FILE");
    context->words[1] = line->words[0];
    context->word_count = 2;
    context->yes = true;
    return done(context, bcd_export(context), SUCCESS);
}

static enum status show_help(struct context *context, const struct line *line)
{
    (void)line;
    say(context,
        "bcdedit                                       lists the boot manager and its menu\n"
        "bcdedit /enum [ACTIVE | ALL] [/v]             the same, or everything\n"
        "bcdedit /set [OBJECT] ELEMENT VALUE           sets an element\n"
        "bcdedit /deletevalue [OBJECT] ELEMENT         deletes one\n"
        "bcdedit /copy OBJECT /d DESCRIPTION           copies an object\n"
        "bcdedit /delete OBJECT                        deletes one\n"
        "bcdedit /default OBJECT                       what starts by itself\n"
        "bcdedit /displayorder OBJECT... [/addfirst | /addlast | /remove]\n"
        "bcdedit /toolsdisplayorder, /bootsequence     likewise\n"
        "bcdedit /timeout SECONDS                      how long the menu waits\n"
        "bcdedit /export FILE                          saves the store\n"
        "\n"
        "/store FILE before them takes one store; without it those of all disks of the mirror\n"
        "are meant. Without OBJECT, {default} is. -n shows the plan and changes nothing.\n");
    return ST_OK;
}

static const struct {
    const char *name;
    enum status (*run)(struct context *context, const struct line *line);
} switches[] = {
    {"enum", enumerate_line},
    {"set", set_element_line},
    {"deletevalue", delete_value_line},
    {"delete", delete_line},
    {"copy", copy_line},
    {"default", default_line},
    {"timeout", timeout_line},
    {"displayorder", display_order},
    {"toolsdisplayorder", tools_order},
    {"bootsequence", boot_sequence},
    {"export", export_store},
    {"?", show_help},
    {"h", show_help},
};

#define SWITCH_COUNT (sizeof(switches) / sizeof(switches[0]))

/* --- Reading the line ----------------------------------------------------------------------- */

/* Switches that go with others. How many arguments this one takes; 0 when it is none of them. */
static int read_modifier(struct context *context, struct line *io_line, int left,
                         const char *const *at)
{
    static const char *const kinds[] = {"addfirst", "addlast", "remove"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (is_switch(at[0], kinds[i])) {
            io_line->kind = (enum bcd_step_kind)(BCD_FIRST + i);
            return 1;
        }
    }
    if (is_switch(at[0], "v")) {
        io_line->guids = true;
        return 1;
    }
    /* /delete always cleans up, and asks nothing. */
    if (is_switch(at[0], "f") || is_switch(at[0], "cleanup"))
        return 1;
    if (left > 1 && is_switch(at[0], "d")) {
        io_line->description = at[1];
        return 2;
    }
    if (left > 1 && is_switch(at[0], "store")) {
        context->options[context->option_count++] = (struct option_value){"-store", at[1]};
        return 2;
    }
    return 0;
}

static size_t find_switch(const char *argument)
{
    for (size_t i = 0; i < SWITCH_COUNT; i++) {
        if (is_switch(argument, switches[i].name))
            return i;
    }
    return SWITCH_COUNT;
}

static enum status report_unknown(struct context *context, const char *argument)
{
    const char *shown = text_printable(context->arena, argument);

    return report(context, ST_USAGE,
                  "\"%.64s\" is not understood here. \"bcdedit /?\" lists what is. Nothing was "
                  "changed.",
                  shown == NULL ? "" : shown);
}

enum status cmd_bcdedit(struct context *context)
{
    struct line line = {.kind = BCD_LIST};
    size_t what = SWITCH_COUNT;

    for (int i = 0; i < (int)context->word_count;) {
        const char *const *at = context->words + i;
        int taken = read_modifier(context, &line, (int)context->word_count - i, at);
        size_t found = taken > 0 ? SWITCH_COUNT : find_switch(at[0]);
        i += taken > 0 ? taken : 1;
        if (taken > 0)
            continue;
        if (found < SWITCH_COUNT && what == SWITCH_COUNT)
            what = found;
        else if (at[0][0] != '/' && what < SWITCH_COUNT)
            line.words[line.count++] = at[0];
        else
            return report_unknown(context, at[0]);
    }
    return what == SWITCH_COUNT ? enumerate_line(context, &line)
                                : switches[what].run(context, &line);
}
