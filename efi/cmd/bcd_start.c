/* `bcd start`: how Windows is to start, what a recovery console offers, a word each. */
#include "base/mem.h"
#include "base/text.h"
#include "bcd.h"

#define STEPS_MAX 8

/* How long it lasts, and how it is taken back. */
static const char until_normal[] =
    "Windows starts so each time, until \"shadowboot bcd start normal\" takes it back.";
static const char once[] =
    "That is for the next start only: the boot manager forgets it then. \"shadowboot bcd start "
    "normal\" takes it back before.";

static const struct mode {
    const char *name;
    /* Pairs of an element of {default} and its value, with blanks between them: "-" for none, "!"
     * for the recovery system, "<" for an element of the boot manager that goes away. */
    const char *edits;
    const char *after;
    const char *meaning; /* for somebody who chooses */
} modes[] = {
    {"normal",
     "safeboot - safebootalternateshell - lastknowngood - advancedoptions - "
     "onetimeadvancedoptions - bootsequence <",
     "Windows starts as usual.", "As usual"},
    {"safe", "safeboot Minimal safebootalternateshell -", until_normal, "In safe mode"},
    {"safe-network", "safeboot Network safebootalternateshell -", until_normal,
     "In safe mode, with network"},
    {"safe-command", "safeboot Minimal safebootalternateshell yes", until_normal,
     "In safe mode, with a command prompt"},
    {"recovery", "bootsequence !", once, "Once in its recovery system"},
    {"last-known-good", "lastknowngood yes", until_normal,
     "With the last configuration that worked"},
    {"menu", "onetimeadvancedoptions yes",
     "That is for the next start only. \"shadowboot bcd start normal\" takes it back before. "
     "Windows 7 and Server 2008 R2 do not know that setting: press F8 there before Windows starts, "
     "or choose a way here, such as \"shadowboot bcd start safe\".",
     "Once with the menu of start options"},
    {"never-recovery", "recoveryenabled no bootstatuspolicy IgnoreAllFailures",
     "Windows does not go into recovery by itself any more. \"shadowboot bcd set {default} "
     "recoveryenabled yes\" and \"shadowboot bcd delete {default} bootstatuspolicy\" take it "
     "back.",
     "Never into recovery by itself"},
};

#define MODE_COUNT (sizeof(modes) / sizeof(modes[0]))

/* Makes the blanks of the text ends of words. How many words there are; at most 2 * STEPS_MAX. */
static size_t split_edits(char *text, const char **ret_words)
{
    size_t count = 0;

    for (bool inside = false; *text != '\0' && count < 2 * STEPS_MAX; text++) {
        if (*text == ' ')
            *text = '\0';
        else if (!inside)
            ret_words[count++] = text;
        inside = *text != '\0';
    }
    return count;
}

static struct bcd_step step_of(const char *const *pair)
{
    struct bcd_step step = {BCD_SET, "{default}", pair[0], pair + 1, 1};

    switch (pair[1][0]) {
    case '<':
        step.object = "{bootmgr}";
        __attribute__((fallthrough));
    case '-':
        step.kind = BCD_UNSET;
        step.count = 0;
        return step;
    case '!':
        return (struct bcd_step){.kind = BCD_RECOVERY, .object = "{default}"};
    default:
        return step;
    }
}

static enum status run_mode(struct context *context, const struct mode *mode)
{
    char *edits = arena_copy(context->arena, mode->edits, text_length(mode->edits) + 1);
    const char *words[2 * STEPS_MAX];
    struct bcd_step steps[STEPS_MAX];

    if (edits == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    size_t count = split_edits(edits, words) / 2;
    for (size_t i = 0; i < count; i++)
        steps[i] = step_of(words + 2 * i);
    enum status status = bcd_change(context, steps, count, false, NULL);
    if (status == ST_OK && !context->plan_only && !context->sfo)
        say(context, "%s\n", mode->after);
    return status;
}

const char *bcd_start_mode(size_t index, const char **ret_meaning)
{
    if (index >= MODE_COUNT)
        return NULL;
    *ret_meaning = modes[index].meaning;
    return modes[index].name;
}

enum status bcd_start(struct context *context)
{
    const char *list = "";

    for (size_t i = 0; i < MODE_COUNT && list != NULL; i++) {
        if (context->word_count > 1 && text_equal_nocase(modes[i].name, context->words[1]))
            return run_mode(context, &modes[i]);
        list = arena_printf(context->arena, "%s%s%s", list, i == 0 ? "" : ", ", modes[i].name);
    }
    if (context->word_count < 2)
        return report(context, ST_USAGE, "Which way? There are: %s. Nothing was changed.",
                      list == NULL ? "" : list);
    const char *shown = text_printable(context->arena, context->words[1]);
    return report(context, ST_USAGE,
                  "\"%.40s\" is no way to start. There are: %s. Nothing was changed.",
                  shown == NULL ? "" : shown, list == NULL ? "" : list);
}
