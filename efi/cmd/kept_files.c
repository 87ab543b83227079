#include "kept_files.h"

#include "model/scan_source.h"
#include "plan/place.h"
#include "plan/rebuild.h"
#include "plan/repair.h"

static enum status look_into_kept(struct context *context, size_t copy)
{
    struct machine *machine = &context->machine;
    struct source_request request = {.copy = copy, .twins = machine->secure.status == ST_OK};
    enum status status = scan_source(context->arena, context->ports, &request, machine);
    size_t source = machine_find_source(machine, request.copy);
    if (status != ST_OK || !machine->esps[source].source->has_twins ||
        rebuild_trusts(machine, source))
        return status;
    machine->source_count--;
    request.twins = false;
    return scan_source(context->arena, context->ports, &request, machine);
}

/* Looks into the best copy; where that cannot be looked into, or something in it cannot be read,
 * into the next. `*ret_copy` is the best then; where none can be looked into, the first of them,
 * with the status why; NO_INDEX where there is none. */
static enum status look_for(struct context *context, const struct judgement *judgement, size_t disk,
                            size_t *ret_copy)
{
    const struct machine *machine = &context->machine;
    size_t failed = NO_INDEX;
    enum status status = ST_OK;

    do {
        size_t copy = rebuild_copy(machine, &judgement->roles, disk);
        if (copy == NO_INDEX || machine_find_source(machine, copy) != NO_INDEX) {
            *ret_copy = copy == NO_INDEX ? failed : copy;
            return *ret_copy == NO_INDEX ? ST_OK : machine->copies[*ret_copy].kept_status;
        }
        status = look_into_kept(context, copy);
        failed = status != ST_OK && failed == NO_INDEX ? copy : failed;
    } while (status != ST_NO_MEMORY);
    return status;
}

enum status need_kept_files(struct context *context, const struct judgement *judgement)
{
    size_t copy = NO_INDEX;

    if (!rebuild_is_needed(&context->machine, &judgement->roles) &&
        !(judgement->roles.windows && repair_needs_windows(judgement)))
        return ST_OK;
    enum status status = look_for(context, judgement, NO_INDEX, &copy);
    return status == ST_NO_MEMORY ? status : ST_OK;
}

enum status find_kept_files(struct context *context, const struct judgement *judgement, size_t disk)
{
    size_t copy = NO_INDEX;
    enum status status = look_for(context, judgement, disk, &copy);

    if (status == ST_NO_MEMORY)
        return report(context, status, "Out of memory. Nothing was changed.");
    if (copy == NO_INDEX)
        return report(context, ST_ABSENT,
                      "No copy of Windows was found that could be looked into. \"shadowboot "
                      "volumes\" shows what there is. Nothing was changed.");
    const char *place =
        place_text(context->arena, &context->machine, context->machine.copies[copy].partition);
    if (status == ST_ABSENT)
        return report(context, status,
                      "There is no \\Windows\\Boot\\EFI on %s. Windows before Vista, as that of "
                      "Itanium, keeps its boot files (\\EFI\\Microsoft\\WINNT50) on ESPs alone: "
                      "only \"shadowboot copy\" from another ESP brings them. Nothing was changed.",
                      place);
    if (status != ST_OK)
        return report(context, status,
                      "What Windows keeps on %s for starting it cannot be read: %s. Nothing was "
                      "changed.",
                      place, status_text(status));
    return ST_OK;
}
