#include "show_plan.h"

#include "kept_files.h"
#include "plan/repair.h"
#include "rows.h"
#include "show.h"

/* Under -v. */
static void show_details(struct context *context, const struct action *action)
{
    if (action_changes_disk(action))
        show_files_change(context, &action->change->files);
    else if (!context->sfo)
        say(context, "     %zu bytes, replacing %s\n", action->data.size,
            action->expect_present ? "what is there now" : "nothing");
}

void show_promises(struct context *context, const struct plan *plan, const char *when)
{
    struct rows rows = rows_of_tables(context);

    for (size_t i = 0; i < plan->promise_count; i++) {
        const struct promise *promise = &plan->promises[i];
        if (context->sfo) {
            row_open(&rows, ROW_PROMISE);
            row_number(&rows, promise->disk);
            row_text(&rows, promise->verdict);
            row_close(&rows);
            continue;
        }
        say(context, "%s Disk %zu alone: %s%s", i == 0 ? when : ";", promise->disk, promise->text,
            i + 1 == plan->promise_count ? ".\n" : "");
    }
}

void show_plan(struct context *context, const struct plan *plan)
{
    struct rows rows = rows_of_tables(context);

    for (size_t i = 0; i < plan->warning_count; i++) {
        if (!context->sfo) {
            say(context, "Note: %s\n", plan->warnings[i]);
            continue;
        }
        row_open(&rows, ROW_WARNING);
        row_text(&rows, plan->warnings[i]);
        row_close(&rows);
    }
    if (!context->sfo && plan->count > 0)
        say(context, "Plan:\n");
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        if (context->sfo) {
            row_open(&rows, ROW_ACTION);
            row_number(&rows, i + 1);
            row_text(&rows, action->text);
            row_number(&rows, action->data.size);
            row_close(&rows);
        } else {
            say(context, "  %zu. %s\n", i + 1, action->text);
        }
        if (context->verbose)
            show_details(context, action);
    }
    if (plan->count > 0)
        show_promises(context, plan, "After this:");
}

#define BELOW_FINDINGS "what you can do stands below each finding"
/* Nothing is damaged, as where a boot store starts something else on purpose. */
#define BEHIND_VERDICT                                                                   \
    "what keeps a disk from starting stands behind its verdict. Where that is its boot " \
    "store, shadowboot bcd list shows it, and rebuild DISK -store makes it anew"

void show_next(struct context *context, const struct judgement *judgement)
{
    const struct repair_request request = {.allow_msr = true, .allow_format = true};
    struct plan plan;

    if (context->depth == SCAN_FULL && need_kept_files(context, judgement) != ST_OK)
        return;
    size_t mark = arena_mark(context->arena);
    plan_init(&plan, context->arena, &context->machine);
    bool planned = context->depth == SCAN_FULL && plan_repair(&plan, judgement, &request) == ST_OK;
    if (planned && plan.count > 0) {
        say(context, "\nWhat to type next: shadowboot repair (with -n it only shows its plan).\n");
        show_promises(context, &plan, "After it:");
    } else if (planned && judgement->state != MACHINE_SAFE) {
        say(context, "\nshadowboot repair can do nothing more here; %s%s.\n",
            judgement->findings.count > 0 ? BELOW_FINDINGS : BEHIND_VERDICT,
            plan.left_out ? ", and in the notes of shadowboot repair -n" : "");
    }
    arena_release(context->arena, mark);
}

void show_next_after(struct context *context, const struct judgement *judgement)
{
    if (context->depth < SCAN_FULL)
        say(context, "\nWhat to type next: shadowboot status (it reads the files as well).\n");
    else if (judgement->state != MACHINE_SAFE)
        show_next(context, judgement);
}
