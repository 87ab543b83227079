#include "plan/clone.h"

#include "base/text.h"
#include "cmd/command.h"
#include "run.h"
#include "plan/mirror.h"

/* -short, -full, or neither. */
static enum status read_form(struct context *context, enum path_form *ret_form)
{
    bool is_short = option(context, "-short") != NULL;
    bool full = option(context, "-full") != NULL;

    if (is_short && full)
        return report(context, ST_USAGE, "-short and -full exclude each other.");
    *ret_form = PATH_KEEP;
    if (is_short)
        *ret_form = PATH_SHORT;
    if (full)
        *ret_form = PATH_FULL;
    return ST_OK;
}

static enum status read_clone_request(struct context *context, struct clone_request *ret_request)
{
    struct clone_request request = {.has_source = false};
    const char *replaced = option(context, "-d");
    const char *appended = option(context, "-d+");

    if (replaced != NULL && appended != NULL)
        return report(context, ST_USAGE, "-d and -d+ exclude each other.");
    request.disk_in_name = option(context, "-disk") != NULL;
    if (request.disk_in_name && (replaced != NULL || appended != NULL))
        return report(context, ST_USAGE,
                      "-disk and a name of your own (-d, -d+) exclude each other.");
    request.append = appended != NULL;
    request.description = request.append ? appended : replaced;
    enum status status = option_guid(context, "-sg", &request.has_source, &request.source);
    if (status == ST_OK)
        status = option_guid(context, "-tg", &request.has_target, &request.target);
    if (status == ST_OK)
        status = read_form(context, &request.form);
    if (status == ST_OK)
        *ret_request = request;
    return status;
}

enum status cmd_clone(struct context *context)
{
    struct clone_request request;
    struct plan plan;

    enum status status = read_clone_request(context, &request);
    if (status == ST_OK)
        status = context_scan(context, SCAN_ENTRIES);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return run_plan(context, &plan, plan_clone(&plan, &request), NULL);
}

enum status cmd_mirror(struct context *context)
{
    struct mirror_request request = {.template_entry = NO_INDEX};
    const char *from = option(context, "-from");
    struct plan plan;

    request.description = option(context, "-d");
    if (request.description == NULL)
        request.description = "Windows on the shadow disk";
    enum status status = read_guid(context, context->words[0], &request.partition);
    if (status == ST_OK)
        status = context_scan(context, SCAN_ENTRIES);
    if (status == ST_OK && from != NULL)
        status = find_entry(context, from, &request.template_entry);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return run_plan(context, &plan, plan_mirror(&plan, &request), NULL);
}
