#include "mend.h"

#include "apply/journal_undo.h"
#include "cmd/interrupted.h"
#include "judgement.h"
#include "run.h"
#include "show.h"
#include "show_plan.h"

enum status mend_begin(struct context *context, enum scan_depth depth)
{
    bool again = false;
    enum status status = context_scan(context, depth);

    if (status == ST_OK)
        status = take_back_interrupted(context, &again);
    return status == ST_OK && again ? context_scan(context, depth) : status;
}

/* How the machine is now, the verdict and what to type next last. */
static void show_outcome(struct context *context, const struct plan *plan,
                         const struct judgement *judgement, bool with_findings)
{
    if (with_findings && judgement->state != MACHINE_SAFE && judgement->findings.count > 0) {
        show_findings(context, &judgement->findings);
        say(context, "\n");
    }
    show_verdict(context, judgement);
    if (!context->plan_only)
        show_next_after(context, judgement);
    else if (plan->count > 0)
        say(context, "\nWhat to type next: the same line without -n.\n");
}

enum status mend_run(struct context *context, struct plan *plan, enum status made,
                     bool with_findings, struct judgement *ret_judgement)
{
    struct apply_result result = {.has_journal = false};
    struct rows rows = rows_of_tables(context);
    struct judgement judgement;
    enum status status = run_plan(context, plan, made, &result);

    if (status != ST_OK)
        return status;
    if (plan->count > 0 && !context->plan_only)
        journal_give_up(context->arena, context->ports,
                        result.has_journal ? &result.journal : NULL);
    status = audit_machine(context->arena, &context->machine, &judgement);
    if (status != ST_OK)
        return report(context, status,
                      "Out of memory: whether the machine starts could not be told. "
                      "\"shadowboot status\" says it.");
    if (context->sfo)
        rows_judgement(&rows, &judgement);
    else
        show_outcome(context, plan, &judgement, with_findings);
    if (context->sfo && with_findings)
        show_findings(context, &judgement.findings);
    *ret_judgement = judgement;
    return ST_OK;
}

enum status mend_run_whole(struct context *context, struct plan *plan, enum status made,
                           bool with_findings, struct judgement *ret_judgement)
{
    enum status status = mend_run(context, plan, made, with_findings, ret_judgement);

    if (status == ST_OK && plan->left_out)
        context->exit_status = exit_code(plan->left_status);
    return status;
}
