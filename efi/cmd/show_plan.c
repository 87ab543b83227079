#include "show_plan.h"

#include "show.h"

/* Under -v. */
static void show_details(struct context *context, const struct action *action)
{
    if (action->type == ACTION_CHANGE_DISK)
        show_files_change(context, &action->change->files);
    else if (!context->sfo)
        say(context, "     %zu bytes, replacing %s\n", action->data.size,
            action->expect_present ? "what is there now" : "nothing");
}

void show_promises(struct context *context, const struct plan *plan, const char *when)
{
    for (size_t i = 0; i < plan->promise_count; i++) {
        const struct promise *promise = &plan->promises[i];
        if (context->sfo) {
            sfo_row(context, "PromiseInfo");
            sfo_number(context, promise->disk);
            sfo_text(context, promise->verdict);
            sfo_end(context);
            continue;
        }
        say(context, "%s Disk %zu alone: %s%s", i == 0 ? when : ";", promise->disk, promise->text,
            i + 1 == plan->promise_count ? ".\n" : "");
    }
}

void show_plan(struct context *context, const struct plan *plan)
{
    for (size_t i = 0; i < plan->warning_count; i++) {
        if (!context->sfo) {
            say(context, "Note: %s\n", plan->warnings[i]);
            continue;
        }
        sfo_row(context, "WarningInfo");
        sfo_text(context, plan->warnings[i]);
        sfo_end(context);
    }
    if (!context->sfo && plan->count > 0)
        say(context, "Plan:\n");
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        if (context->sfo) {
            sfo_row(context, "ActionInfo");
            sfo_number(context, i + 1);
            sfo_text(context, action->text);
            sfo_number(context, action->data.size);
            sfo_end(context);
        } else {
            say(context, "  %zu. %s\n", i + 1, action->text);
        }
        if (context->verbose)
            show_details(context, action);
    }
    if (plan->count > 0)
        show_promises(context, plan, "After this:");
}
