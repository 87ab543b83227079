#include "plan/repair.h"

#include "cmd/command.h"
#include "cmd/judgement.h"
#include "cmd/run.h"

static enum status judge(struct context *context, struct judgement *ret_judgement)
{
    enum status status = context_scan(context, SCAN_FULL);

    if (status != ST_OK)
        return status;
    if (context->machine.disk_count == 0)
        return report(context, ST_ABSENT, "The firmware shows no disk.");
    status = audit_machine(context->arena, &context->machine, ret_judgement);
    return status == ST_OK ? status : report(context, status, "Out of memory.");
}

enum status cmd_repair(struct context *context)
{
    const struct clock_port *clock = &context->ports->clock;
    struct repair_request request = {
        .allow_msr = !context->yes || option(context, "-msr") != NULL,
        .allow_format = !context->yes || option(context, "-format") != NULL,
    };
    size_t mark = arena_mark(context->arena);
    struct judgement judgement;
    struct plan plan;

    enum status status = judge(context, &judgement);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    if (clock->now(clock->ctx, &request.now) != ST_OK)
        request.now = (struct date_time){0};
    status = run_plan(context, &plan, plan_repair(&plan, &judgement, &request), NULL);
    if (status != ST_OK)
        return status;
    if (plan.count > 0 && !context->plan_only) {
        /* Files are what the verdict hangs on, and nothing of what was found before counts now. */
        arena_release(context->arena, mark);
        status = judge(context, &judgement);
        if (status != ST_OK)
            return status;
    }
    if (context->sfo)
        sfo_verdict(context, &judgement);
    else
        show_verdict(context, &judgement);
    context->exit_status = judgement.state;
    return ST_OK;
}
