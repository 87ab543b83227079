#include "repair_parts.h"

#include "plan/esp_files.h"
#include "plan/join.h"
#include "plan/project.h"
#include "plan/prospect.h"

/* Each next run has less to do; what goes round in circles is left at some point. */
#define ROUNDS_MAX 4

/* True when the finding is about a disk that is no member: an old half of the mirror, or another
 * machine's. What is wrong with that is nothing that is to be mended here. */
static bool is_of_outsider(const struct machine *machine, const struct roles *roles,
                           const struct finding *finding)
{
    size_t disk = finding->partition != NO_INDEX ? machine->partitions[finding->partition].disk
                                                 : finding->disk;

    return disk != NO_INDEX && roles_member_on(roles, disk) == NO_INDEX;
}

static bool has_damage(const struct machine *machine, const struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->findings.count; i++) {
        const struct finding *finding = &judgement->findings.items[i];
        if (finding_severity(finding->code) == SEVERITY_DAMAGE &&
            !is_of_outsider(machine, &judgement->roles, finding))
            return true;
    }
    return false;
}

/* Whether the plan keeps what starts starting (I9), and the last record of what could. */
static bool is_safe(const struct plan *plan, const struct prospect *prospect)
{
    return prospect->worse == NO_INDEX &&
           (prospect->hopeful > 0 || !prospect_deletes_entries(plan));
}

/* Plans so much and judges it; what is not safe leaves no trace. */
static enum status try_extent(struct repair *repair, struct plan *plan, struct extent extent,
                              struct prospect *ret_prospect, bool *ret_safe)
{
    size_t mark = arena_mark(plan->arena);
    struct prospect prospect = {.worse = NO_INDEX};
    struct plan part;

    plan_init(&part, plan->arena, plan->machine);
    repair->plan = &part;
    repair->extent = extent;
    enum status status = repair_plan_extent(repair);
    if (status == ST_OK && part.count > 0)
        status = prospect_find(&part, repair->judgement, &prospect);
    if (status != ST_OK)
        return status;
    *ret_safe = part.count == 0 || is_safe(&part, &prospect);
    *ret_prospect = prospect;
    if (*ret_safe)
        plan_append(plan, &part);
    else
        arena_release(plan->arena, mark);
    return plan->status;
}

/* What the extent leaves out of a repair; NULL when there is no memory. */
static const char *name_left_out(struct arena *arena, const struct roles *roles,
                                 struct extent extent)
{
    if (extent.left_out != NO_INDEX)
        return arena_printf(arena, "What is to be done on Disk %zu",
                            roles->members[extent.left_out].disk);
    if (!extent.disks)
        return "What is to be done on disks";
    if (extent.entries == ENTRIES_NONE)
        return "Making boot entries";
    return extent.entries == ENTRIES_LAST ? "Putting boot entries before others"
                                          : "Deleting boot entries";
}

/* Says what is left out, and because of which disk. */
static void say_left_out(struct plan *plan, const struct roles *roles, struct extent extent,
                         const struct prospect *why)
{
    const char *what = name_left_out(plan->arena, roles, extent);
    const char *worse = prospect_worse_name(plan->arena, why);

    if (what == NULL || worse == NULL)
        plan->status = ST_NO_MEMORY;
    else if (why->worse == NO_INDEX)
        plan_warn_of_rest(plan,
                          "No disk would start alone, so no boot entry is deleted: it may be the "
                          "only record of what to start.");
    else
        plan_warn_of_rest(
            plan, "%s is left out: after it %s would start less well than now (%s now, %s then).",
            what, worse, why->text, why->then);
}

/* Puts all that may be planned into the list, from everything to as little as there can be: first
 * nothing is deleted, then entries stand back, then one disk is left alone, then all are. */
static size_t list_extents(size_t members, struct extent *ret_list)
{
    const struct extent all = {.disks = true, .left_out = NO_INDEX, .prune = true};
    struct extent less = {.disks = true, .left_out = NO_INDEX};
    size_t count = 0;

    ret_list[count++] = all;
    ret_list[count++] = less;
    less.entries = ENTRIES_LAST;
    ret_list[count++] = less;
    for (size_t i = 0; i < 2 * members; i++) {
        less.left_out = i % members;
        less.entries = i < members ? ENTRIES_IN_PLACE : ENTRIES_LAST;
        ret_list[count++] = less;
    }
    less.left_out = NO_INDEX;
    less.entries = ENTRIES_NONE;
    ret_list[count++] = less;
    less.disks = false;
    less.entries = ENTRIES_IN_PLACE;
    ret_list[count++] = less;
    less.entries = ENTRIES_LAST;
    ret_list[count++] = less;
    return count;
}

/* Leaves the extents that the request allows in the list. */
static size_t restrict_extents(const struct repair_request *request, struct extent *io_list,
                               size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        struct extent extent = io_list[i];
        extent.prune &= !request->keep_entries;
        if (request->entries_only && extent.entries == ENTRIES_NONE)
            continue;
        extent.disks &= !request->entries_only;
        if (request->entries_only && extent.left_out != NO_INDEX)
            continue;
        io_list[left++] = extent;
    }
    return left;
}

/* Plans as much as is safe. */
static enum status plan_safely(struct repair *repair, struct plan *plan)
{
    const struct roles *roles = repair->roles;
    struct extent *extents =
        arena_alloc(plan->arena, 6 + 2 * roles->member_count, sizeof(*extents));
    struct prospect why = {.worse = NO_INDEX};
    struct prospect last = why;
    enum status status = ST_OK;
    bool safe = false;
    size_t i = 0;

    if (extents == NULL)
        return ST_NO_MEMORY;
    size_t count =
        restrict_extents(repair->request, extents, list_extents(roles->member_count, extents));
    for (; status == ST_OK && !safe && i < count; i++) {
        status = try_extent(repair, plan, extents[i], &last, &safe);
        why = i == 0 ? last : why;
    }
    if (status == ST_OK && safe && i > 1)
        say_left_out(plan, roles, extents[i - 1], &why);
    if (status != ST_OK || safe)
        return status == ST_OK ? plan->status : status;
    return plan_refuse(plan, ST_REFUSED,
                       "After this repair %s would start less well than now (%s now, %s then).",
                       prospect_worse_name(plan->arena, &last), last.text, last.then);
}

/* True when an entry that comes before those of the ESP that the others go by could not be read: it may
 * be another one that they have to go by. */
static bool reference_is_doubtful(const struct machine *machine, size_t reference)
{
    for (size_t i = 0; i < machine->entry_count && machine->entries[i].in_order; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->status == ST_IO)
            return true;
        if (reference != NO_INDEX && entry->status == ST_OK &&
            entry->boot.partition == machine->esps[reference].partition)
            return false;
    }
    return false;
}

/* A plan for what is wrong with the machine now. */
static enum status plan_once(struct plan *plan, const struct judgement *judgement,
                             const struct repair_request *request)
{
    const struct roles *roles = &judgement->roles;
    struct repair repair = {.judgement = judgement,
                            .roles = roles,
                            .forecasts = judgement->forecasts,
                            .request = request,
                            .reference = esp_files_source(plan->machine, roles, NO_INDEX)};

    if (roles->member_count == 0)
        return plan_refuse(plan, ST_ABSENT,
                           "No disk with a boot volume or with boot files was found, so there is "
                           "nothing to go by. \"shadowboot disks\" and \"shadowboot volumes\" show "
                           "what there is.");
    repair.doubtful = reference_is_doubtful(plan->machine, repair.reference);
    plan->incomplete = judgement->state != MACHINE_SAFE || has_damage(plan->machine, judgement);
    repair.targets = arena_alloc(plan->arena, roles->member_count, sizeof(*repair.targets));
    if (repair.targets == NULL || repair_find_windows(&repair, plan) != ST_OK)
        return ST_NO_MEMORY;
    return plan_safely(&repair, plan);
}

/* --- What the next run would do --------------------------------------------------------------- */

/* True when an ESP that may take a journal is on a disk that does not change. */
static bool leaves_esp(const struct plan *plan)
{
    const struct machine *machine = plan->machine;

    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct partition *own = &machine->partitions[machine->esps[i].partition];
        bool changes = machine->disks[own->disk].removable || own->volume == NO_INDEX;
        for (size_t j = 0; j < plan->count; j++)
            changes |=
                plan->actions[j].change != NULL && plan->actions[j].change->disk == own->disk;
        if (!changes)
            return true;
    }
    return false;
}

/* Joins `next`, what is left to be done after the plan, to it, where that is safe as a whole. */
static enum status join_safely(struct plan *plan, const struct judgement *now,
                               const struct repair_request *request, const struct plan *next)
{
    struct prospect prospect;
    struct plan whole;
    enum status status = plan_join(plan, next, &whole);

    if (status == ST_OK)
        status = prospect_find(&whole, now, &prospect);
    if (status == ST_OK && !is_safe(&whole, &prospect))
        status = ST_REFUSED;
    if (status == ST_OK && request->keeps_esp && leaves_esp(plan) && !leaves_esp(&whole))
        status = ST_REFUSED;
    if (status == ST_OK)
        *plan = whole;
    return status;
}

/* What would be planned for the machine as the plan makes it. */
static enum status find_next_member(struct plan *plan, const struct repair_request *request,
                                    struct machine *ret_later, struct plan *ret_next)
{
    struct judgement judgement;
    enum status status = project_machine(plan->arena, plan, ret_later);

    if (status == ST_OK)
        status = audit_machine(plan->arena, ret_later, &judgement);
    plan_init(ret_next, plan->arena, ret_later);
    return status == ST_OK ? plan_once(ret_next, &judgement, request) : status;
}

/* Makes what the next run would do a part of this plan. Gives whether there may be more; what
 * cannot be joined to it leaves no trace. */
static bool plan_next_member(struct plan *plan, const struct judgement *now,
                             const struct repair_request *request)
{
    size_t mark = arena_mark(plan->arena);
    struct machine later;
    struct plan next;
    enum status status = find_next_member(plan, request, &later, &next);

    if (status == ST_OK && next.count > 0)
        status = join_safely(plan, now, request, &next);
    else if (status == ST_OK)
        plan_take_warnings(plan, &next);
    if (status != ST_OK || (next.count == 0 && next.warning_count == 0))
        arena_release(plan->arena, mark);
    if (status != ST_OK)
        plan_warn_of_rest(plan, "Run the command again when this is done: there will be more to do "
                                "that cannot be done in one go.");
    return status == ST_OK && next.count > 0;
}

enum status plan_repair(struct plan *plan, const struct judgement *judgement,
                        const struct repair_request *request)
{
    enum status status = plan_once(plan, judgement, request);

    if (status != ST_OK)
        return status;
    for (int round = 1; round < ROUNDS_MAX && plan->count > 0; round++) {
        if (!plan_next_member(plan, judgement, request))
            break;
    }
    return plan->status;
}
