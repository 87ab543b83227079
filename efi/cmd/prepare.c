#include "base/text.h"
#include "plan/make_ready.h"

#include "cmd/command.h"
#include "disk_word.h"
#include "mend.h"
#include "run.h"
#include "plan/new_guids.h"

/* The disk with its entries; or with -gpt the table alone. */
static enum status make_plan(struct context *context, const struct prepare_request *request,
                             struct plan *io_plan)
{
    struct judgement judgement;

    if (option(context, "-new-guids") != NULL)
        return plan_new_guids(io_plan, request->disk, &request->now);
    if (option(context, "-gpt") != NULL)
        return plan_mend_gpt(io_plan, request->disk);
    enum status status = audit_machine(context->arena, &context->machine, &judgement);
    return status == ST_OK ? plan_make_ready(io_plan, &judgement, request) : status;
}

enum status cmd_prepare(struct context *context)
{
    struct prepare_request request = {.disk = NO_INDEX};
    struct judgement judgement;
    struct plan plan;

    if (option(context, "-new-guids") != NULL && option(context, "-gpt") == NULL) {
        const char *disk = text_printable(context->arena, context->words[0]);
        return report(context, ST_USAGE,
                      "New GUIDs are a matter of the partition table alone: shadowboot prepare "
                      "%.64s -gpt -new-guids. Nothing was changed.",
                      disk == NULL ? "DISK" : disk);
    }
    enum status status = option_guid(context, "-sg", &request.has_source, &request.source);
    if (status == ST_OK)
        status = mend_begin(context, SCAN_LISTED);
    if (status == ST_OK)
        status = disk_word(context, context->words[0], &request.disk);
    if (status != ST_OK)
        return status;
    request.now = context_now(context);
    /* Who is there to be asked, is asked (plan.gives_up_msr); under -y nobody is. */
    request.allow_msr = !context->yes || option(context, "-msr") != NULL;
    request.disk_in_name = option(context, "-disk") != NULL;
    run_begin(context, &plan);
    return mend_run(context, &plan, make_plan(context, &request, &plan), false, &judgement);
}
