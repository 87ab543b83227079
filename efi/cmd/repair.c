#include "plan/repair.h"

#include "cmd/command.h"
#include "kept_files.h"
#include "mend.h"
#include "run.h"

/* True when the volume this program was started from takes no journal, or lies on a disk that may change. */
static bool has_no_own_place(const struct context *context)
{
    bool on_fixed = false;

    for (size_t i = 0; i < context->machine.disk_count; i++)
        on_fixed |= context->machine.disks[i].has_self && !context->machine.disks[i].removable;
    return on_fixed || !files_own_is_writable(&context->ports->files);
}

enum status cmd_repair(struct context *context)
{
    struct repair_request request = {
        .allow_msr = !context->yes || option(context, "-msr") != NULL,
        .allow_format = !context->yes || option(context, "-format") != NULL,
    };
    struct judgement judgement;
    struct plan plan;

    request.disk_in_name = option(context, "-disk") != NULL;
    enum status status = mend_begin(context, SCAN_FULL);
    if (status != ST_OK)
        return status;
    if (context->machine.disk_count == 0)
        return report(context, ST_ABSENT, "The firmware shows no disk.");
    if (audit_machine(context->arena, &context->machine, &judgement) != ST_OK ||
        need_kept_files(context, &judgement) != ST_OK)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    request.keeps_esp = has_no_own_place(context);
    run_begin(context, &plan);
    request.now = context_now(context);
    status = mend_run(context, &plan, plan_repair(&plan, &judgement, &request), true, &judgement);
    if (status != ST_OK)
        return status;
    context->exit_status = judgement.state;
    return ST_OK;
}
