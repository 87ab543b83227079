#include "base/text.h"
#include "cmd/command.h"
#include "path.h"
#include "run.h"
#include "plan/edit.h"
#include "plan/entries.h"

/* -at POSITION, counted from 1; the end when it is not given. */
static enum status read_position(struct context *context, size_t *ret_position)
{
    const char *text = option(context, "-at");
    uint64_t position = 0;

    *ret_position = ORDER_END;
    if (text == NULL)
        return ST_OK;
    if (text_parse_number(text, 10, &position) != ST_OK || position == 0)
        return report(context, ST_USAGE, "-at takes a place in the list, from 1.");
    *ret_position = (size_t)position - 1;
    return ST_OK;
}

enum status cmd_add(struct context *context)
{
    struct add_request request = {.optional = option(context, "-opt")};
    struct plan plan;

    request.description = option(context, "-d");
    request.full_path = option(context, "-full") != NULL;
    if (request.description == NULL || request.description[0] == '\0')
        return report(context, ST_USAGE, "Give the new entry a name: -d \"Windows on Disk 1\"");
    request.file = path_from_root(context, context->words[1]);
    enum status status = read_guid(context, context->words[0], &request.partition);
    if (status == ST_OK)
        status = read_position(context, &request.position);
    if (status == ST_OK)
        status = context_scan(context, SCAN_ENTRIES);
    if (status == ST_OK && request.file == NULL)
        status = report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return run_plan(context, &plan, plan_add(&plan, &request), NULL);
}

/* Commands that take a list of entries and make one plan of it. */
static enum status edit_entries(struct context *context,
                                enum status (*make)(struct plan *, const size_t *, size_t))
{
    size_t *entries = NULL;
    size_t count = 0;
    struct plan plan;

    enum status status = context_scan(context, SCAN_ENTRIES);
    if (status == ST_OK)
        status = find_entries(context, 0, &entries, &count);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return run_plan(context, &plan, make(&plan, entries, count), NULL);
}

enum status cmd_delete(struct context *context)
{
    return edit_entries(context, plan_delete);
}

enum status cmd_order(struct context *context)
{
    return edit_entries(context, plan_order);
}

enum status cmd_default(struct context *context)
{
    return edit_entries(context, plan_order);
}

enum status cmd_next(struct context *context)
{
    size_t entry = NO_INDEX;
    struct plan plan;

    enum status status = context_scan(context, SCAN_ENTRIES);
    if (status == ST_OK && !text_equal_nocase(context->words[0], "none"))
        status = find_entry(context, context->words[0], &entry);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return run_plan(context, &plan, plan_next(&plan, entry), NULL);
}

enum status cmd_timeout(struct context *context)
{
    const char *text = context->words[0];
    uint64_t seconds = UINT16_MAX;
    struct plan plan;

    bool number = !text_equal_nocase(text, "none");
    if (number && (text_parse_number(text, 10, &seconds) != ST_OK || seconds >= UINT16_MAX))
        return report(
            context, ST_USAGE,
            "The timeout is a number of seconds, 0 to 65534, or \"none\" to wait for ever. "
            "Nothing was changed.");
    enum status status = context_scan(context, SCAN_ENTRIES);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return run_plan(context, &plan, plan_timeout(&plan, (uint16_t)seconds), NULL);
}

enum status cmd_prune(struct context *context)
{
    struct plan plan;

    /* What is on the ESPs says which entries alone know how it is started. */
    enum status status = context_scan(context, SCAN_LISTED);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    return run_plan(context, &plan, plan_prune(&plan), NULL);
}
