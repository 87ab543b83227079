#include "plan/copy.h"

#include "cmd/command.h"
#include "mend.h"
#include "path.h"
#include "run.h"
#include "model/boot_paths.h"

static enum status read_copy_request(struct context *context, struct copy_request *ret_request)
{
    struct copy_request request = {.path = MICROSOFT_FOLDER};

    if (context->word_count > 0)
        request.path = path_from_root(context, context->words[0]);
    if (request.path == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    enum status status = option_guid(context, "-sg", &request.has_source, &request.source);
    if (status == ST_OK)
        status = option_guid(context, "-tg", &request.has_target, &request.target);
    if (status == ST_OK)
        *ret_request = request;
    return status;
}

enum status cmd_copy(struct context *context)
{
    struct copy_request request;
    struct judgement judgement;
    struct roles roles;
    struct plan plan;

    enum status status = read_copy_request(context, &request);
    if (status == ST_OK)
        status = mend_begin(context, SCAN_FULL);
    if (status != ST_OK)
        return status;
    if (roles_find(context->arena, &context->machine, &roles) != ST_OK)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    run_begin(context, &plan);
    return mend_run(context, &plan, plan_copy(&plan, &roles, &request), false, &judgement);
}
