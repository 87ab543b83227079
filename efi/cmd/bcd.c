#include "bcd.h"

#include "base/text.h"
#include "cmd/command.h"
#include "path.h"
#include "run.h"

enum status bcd_export(struct context *context)
{
    struct bcd_source *sources = NULL;
    struct file_place place;
    struct plan plan;
    size_t count = 0;

    enum status status = context_scan(context, SCAN_LISTED);
    if (status == ST_OK)
        status = path_resolve(context, context->words[1], &place);
    if (status == ST_OK)
        status = bcd_find_sources(context, option(context, "-on"), &sources, &count);
    if (status != ST_OK)
        return status;
    if (count > 1)
        return report(context, ST_USAGE,
                      "There are %zu boot stores. Choose one with -on and the number of its disk, "
                      "or with -store. Nothing was changed.",
                      count);
    if (sources->trouble != NULL)
        return report(context, ST_DAMAGED, "The boot store %s: %s. Nothing was changed.",
                      sources->name, sources->trouble);
    run_begin(context, &plan);
    plan_write_file(&plan, place.volume, place.path, sources->file,
                    arena_printf(context->arena, "write %s: the boot store %s",
                                 path_text(context, &place), sources->name));
    return run_plan(context, &plan, plan.status, NULL);
}

static const struct verb {
    const char *name;
    const char *arguments;
    size_t words_min; /* behind the verb */
    size_t words_max;
    enum status (*run)(struct context *context);
} verbs[] = {
    {"list", "[-all] [-store FILE | DISK | GUID]", 0, 1, bcd_list},
    {"export", "FILE [-store FILE | -on DISK|GUID]", 1, 1, bcd_export},
    {"set", "OBJECT ELEMENT VALUE [VALUE ...]", 3, ARGS_MAX, bcd_set},
    {"delete", "OBJECT [ELEMENT]", 1, 2, bcd_delete},
    {"copy", "OBJECT -d DESCRIPTION", 1, 1, bcd_copy},
    {"default", "OBJECT", 1, 1, bcd_default},
    {"order", "[-addfirst | -addlast | -remove] OBJECT [OBJECT ...]", 1, ARGS_MAX, bcd_order},
    {"timeout", "SECONDS", 1, 1, bcd_timeout},
    {"retarget", "[-from PARTITION -to PARTITION] [-on DISK]", 0, 0, bcd_retarget},
    {"start", "MODE", 0, 1, bcd_start},
    {"check", "[-on DISK]", 0, 0, bcd_check},
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

/* What it does, for who has not said it. */
static enum status report_verbs(struct context *context)
{
    const char *list = "";

    for (size_t i = 0; i < VERB_COUNT && list != NULL; i++)
        list = arena_printf(context->arena, "%s%s%s", list, i == 0 ? "" : ", ", verbs[i].name);
    return report(context, ST_USAGE,
                  "Say what to do: %s. \"shadowboot bcd list\" is a good begin, \"shadowboot help "
                  "bcd\" explains them all.",
                  list == NULL ? "list" : list);
}

enum status cmd_bcd(struct context *context)
{
    if (context->word_count == 0)
        return report_verbs(context);
    size_t words = context->word_count - 1;

    for (size_t i = 0; i < VERB_COUNT; i++) {
        const struct verb *verb = &verbs[i];
        if (!text_equal_nocase(verb->name, context->words[0]))
            continue;
        if (words >= verb->words_min && words <= verb->words_max)
            return verb->run(context);
        return report(context, ST_USAGE,
                      "It goes like this: shadowboot bcd %s %s. Nothing was changed.", verb->name,
                      verb->arguments);
    }
    const char *shown = text_printable(context->arena, context->words[0]);
    return report(context, ST_USAGE,
                  "\"%.40s\" is nothing that bcd does. \"shadowboot help bcd\" says what it does.",
                  shown == NULL ? "" : shown);
}
