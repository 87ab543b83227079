#include "plan/rebuild.h"

#include "cmd/command.h"
#include "disk_word.h"
#include "kept_files.h"
#include "mend.h"
#include "run.h"

/* The disk that is meant without a word: the only one of the system that does not start. */
static enum status disk_without_word(struct context *context, const struct judgement *judgement,
                                     size_t *ret_disk)
{
    const struct roles *roles = &judgement->roles;
    size_t found = NO_INDEX;
    size_t count = 0;

    for (size_t i = 0; i < roles->member_count; i++) {
        if (roles->member_count > 1 && forecast_is_hopeful(&judgement->forecasts[i]))
            continue;
        found = roles->members[i].disk;
        count++;
    }
    if (count != 1)
        return report(context, ST_USAGE,
                      "Which disk is meant? \"shadowboot status\" shows them; then type "
                      "shadowboot rebuild 1, or whichever it is. Nothing was changed.");
    *ret_disk = found;
    return ST_OK;
}

static enum status choose_parts(struct context *context, struct rebuild_request *io_request)
{
    bool store = option(context, "-store") != NULL;
    bool files = option(context, "-files") != NULL;

    if (store && files)
        return report(context, ST_USAGE,
                      "-store is the store alone, -files the files alone; without either both are "
                      "seen to. Nothing was changed.");
    if (store || files)
        io_request->parts = store ? REBUILD_STORE : REBUILD_FILES;
    return ST_OK;
}

enum status cmd_rebuild(struct context *context)
{
    struct rebuild_request request = {.disk = NO_INDEX};
    struct judgement judgement;
    struct plan plan;

    enum status status = choose_parts(context, &request);
    if (status == ST_OK)
        status = mend_begin(context, SCAN_FULL);
    if (status != ST_OK)
        return status;
    if (audit_machine(context->arena, &context->machine, &judgement) != ST_OK)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    status = context->word_count > 0 ? disk_word(context, context->words[0], &request.disk)
                                     : disk_without_word(context, &judgement, &request.disk);
    if (status == ST_OK)
        status = find_kept_files(context, &judgement, request.disk);
    if (status != ST_OK)
        return status;
    request.now = context_now(context);
    request.allow_msr = !context->yes || option(context, "-msr") != NULL;
    request.disk_in_name = option(context, "-disk") != NULL;
    run_begin(context, &plan);
    return mend_run_whole(context, &plan, plan_rebuild(&plan, &judgement, &request), true,
                          &judgement);
}
