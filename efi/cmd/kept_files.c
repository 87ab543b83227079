#include "kept_files.h"

#include "model/scan_source.h"
#include "plan/place.h"
#include "plan/rebuild.h"
#include "plan/repair.h"
#include "plan/twin.h"

static enum status look_into_kept(struct context *context, size_t copy)
{
    struct machine *machine = &context->machine;
    struct source_request request = {.copy = copy, .twins = machine->secure.status == ST_OK};
    struct system_copy *own = &machine->copies[copy];
    enum status status = scan_source(context->arena, context->ports, &request, machine);
    size_t source = machine_find_source(machine, request.copy);
    if (status != ST_OK || !request.twins)
        return status;
    own->twin = twin_judge(context->arena, machine, source);
    if (own->twin == NULL || !machine->esps[source].source->has_twins)
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

/* The piece of the plex that is on a disk which is not here; NULL when all are here, or none is. */
static const struct dynamic_extent *missing_piece(const struct volume_map *map,
                                                  const struct dynamic_plex *plex)
{
    const struct dynamic_extent *missing = NULL;
    size_t here = 0;

    for (size_t i = 0; i < plex->extent_count; i++) {
        const struct dynamic_extent *extent = &map->extents[plex->first_extent + i];
        if (extent->disk == VOLUME_NONE)
            missing = extent;
        else
            here++;
    }
    return here > 0 ? missing : NULL;
}

/* What is said of a plex that only a missing disk keeps from being read: of the boot volume, where
 * that is known; "" when there is none. */
static const char *tell_missing_piece(struct context *context, const struct roles *roles)
{
    const struct volume_map *map = &context->machine.volumes;

    for (size_t i = 0; i < map->plex_count; i++) {
        const struct dynamic_plex *plex = &map->plexes[i];
        bool other = roles->kind == BOOT_LDM && plex->volume != roles->volume;
        const struct dynamic_extent *missing = other ? NULL : missing_piece(map, plex);
        if (missing == NULL)
            continue;
        const char *text =
            arena_printf(context->arena,
                         " %s is no source: a piece of it is on a disk that is not here (\"%s\").",
                         plex->name, missing->disk_name);
        return text == NULL ? "" : text;
    }
    return "";
}

enum status find_kept_files(struct context *context, const struct judgement *judgement, size_t disk)
{
    size_t copy = NO_INDEX;
    enum status status = look_for(context, judgement, disk, &copy);

    if (status == ST_NO_MEMORY)
        return report(context, status, "Out of memory. Nothing was changed.");
    const char *missing = tell_missing_piece(context, &judgement->roles);
    if (copy == NO_INDEX)
        return report(context, ST_ABSENT,
                      "No copy of Windows was found that could be looked into.%s \"shadowboot "
                      "volumes\" shows what there is. Nothing was changed.",
                      missing);
    const char *place =
        place_text(context->arena, &context->machine, context->machine.copies[copy].partition);
    if (status == ST_ABSENT)
        return report(
            context, status,
            "There is no \\Windows\\Boot\\EFI on %s. Windows before Vista, as that of "
            "Itanium, keeps its boot files (\\EFI\\Microsoft\\WINNT50) on ESPs alone: "
            "only \"shadowboot copy\" from another ESP brings them.%s Nothing was changed.",
            place, missing);
    if (status != ST_OK)
        return report(context, status,
                      "What Windows keeps on %s for starting it cannot be read: %s.%s Nothing was "
                      "changed.",
                      place, status_text(status), missing);
    return ST_OK;
}
