#include "plan/prospect.h"

#include "base/print.h"
#include "base/text.h"
#include "model/boot_name.h"
#include "plan/project.h"

/* One disk afterwards, apart from the memory in which it was worked out. */
struct later {
    enum verdict verdict;
    struct way ways[START_WAYS];
    bool has_entry;
    uint16_t number; /* of the entry that starts or stops it */
    bool is_new;     /* the plan makes that entry */
};

static const char *answer_of(enum verdict verdict)
{
    static const char *const answers[] = {
        [VERDICT_STARTS] = "yes", [VERDICT_FALLBACK] = "perhaps",  [VERDICT_PERHAPS] = "perhaps",
        [VERDICT_FAILS] = "no",   [VERDICT_UNKNOWN] = "not known",
    };

    return answers[verdict];
}

/* The same of one way. */
static const char *answer_of_way(const struct way *way)
{
    static const char *const answers[] = {
        [OUTLOOK_NOTHING] = "no",         [OUTLOOK_ELSEWHERE] = "another system",
        [OUTLOOK_DOUBTFUL] = "not known", [OUTLOOK_UNKNOWN] = "not known",
        [OUTLOOK_PERHAPS] = "perhaps",    [OUTLOOK_FALLBACK] = "perhaps",
        [OUTLOOK_STARTS] = "yes",
    };

    return answers[way->outlook];
}

/* Where it is not known what comes up now, it is not to be another program of which that is no
 * better known. */
static bool is_less(const struct way *before, const struct way *after)
{
    if (after->outlook != before->outlook)
        return after->outlook < before->outlook;
    return before->outlook == OUTLOOK_UNKNOWN && before->has_program && after->has_program &&
           !sha256_equal(&before->program, &after->program);
}

static bool is_made_by(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        if (action->type == ACTION_SET_VARIABLE && !action->expect_present &&
            text_equal(action->name, name))
            return true;
    }
    return false;
}

/* A disk that is no member afterwards starts nothing of the system. */
static struct later later_of(const struct plan *plan, const struct machine *machine,
                             const struct judgement *judgement, size_t disk)
{
    struct later later = {.verdict = VERDICT_FAILS};

    for (size_t i = 0; i < START_WAYS; i++)
        later.ways[i] = (struct way){.outlook = OUTLOOK_NOTHING};
    size_t member = roles_member_on(&judgement->roles, disk);
    char name[VAR_NAME_SIZE];

    if (member == NO_INDEX)
        return later;
    const struct forecast *forecast = &judgement->forecasts[member];
    later.verdict = forecast->verdict;
    for (size_t i = 0; i < START_WAYS; i++)
        later.ways[i] = forecast->ways[i];
    later.has_entry = forecast->entry != NO_INDEX;
    if (!later.has_entry)
        return later;
    later.number = machine->entries[forecast->entry].number;
    boot_variable_name(later.number, name);
    later.is_new = is_made_by(plan, name);
    return later;
}

/* "yes, by Boot0001"; NULL when there is no memory. */
static const char *say_outlook(struct arena *arena, const struct later *later)
{
    const char *answer = answer_of(later->verdict);

    if (later->verdict != VERDICT_STARTS || !later->has_entry)
        return answer;
    return arena_printf(arena, "%s, by %sBoot%04X", answer, later->is_new ? "the new " : "",
                        later->number);
}

/* True when the boot entries lead to the system that they led to. */
static bool is_same_system(const struct roles *roles, const struct roles *later)
{
    return roles->kind == later->kind && roles->windows == later->windows &&
           roles->volume == later->volume;
}

static bool has_hope(const struct judgement *now)
{
    bool hope = false;

    for (size_t i = 0; i < now->roles.member_count; i++)
        hope |= forecast_is_hopeful(&now->forecasts[i]);
    return hope;
}

static enum status judge_later(struct plan *plan, const struct judgement *now,
                               struct later *ret_later, struct way ret_together[2],
                               struct prospect *io_prospect)
{
    struct arena *arena = plan->arena;
    size_t mark = arena_mark(arena);
    struct machine machine;
    struct judgement judgement;
    size_t hopeful = 0;

    enum status status = project_machine(arena, plan, &machine);
    if (status == ST_OK)
        status = audit_machine(arena, &machine, &judgement);
    for (size_t i = 0; status == ST_OK && i < judgement.roles.member_count; i++)
        hopeful += forecast_is_hopeful(&judgement.forecasts[i]);
    for (size_t i = 0; status == ST_OK && i < now->roles.member_count; i++)
        ret_later[i] = later_of(plan, &machine, &judgement, now->roles.members[i].disk);
    for (size_t i = 0; status == ST_OK && i < 2; i++)
        ret_together[i] = judgement.together[i];
    if (status == ST_OK && has_hope(now) && !is_same_system(&now->roles, &judgement.roles)) {
        io_prospect->worse = EVERY_DISK;
        io_prospect->text = "one system";
        io_prospect->then = "another";
    }
    arena_release(arena, mark);
    io_prospect->hopeful = hopeful;
    return status;
}

/* Notes the first of the ways that is less than it was; `worse` is what they are of. */
static void compare_prospects(const struct way *before, const struct way *after, size_t count,
                              size_t worse, struct prospect *io_prospect)
{
    for (size_t i = 0; i < count && io_prospect->worse == NO_INDEX; i++) {
        if (!is_less(&before[i], &after[i]))
            continue;
        io_prospect->worse = worse;
        io_prospect->text = answer_of_way(&before[i]);
        io_prospect->then = answer_of_way(&after[i]);
    }
}

/* Whether a disk, or the machine with all of them, would start less well. */
static void find_worse(const struct judgement *now, const struct later *later,
                       const struct way together[2], struct prospect *io_prospect)
{
    for (size_t i = 0; i < now->roles.member_count; i++) {
        const struct way *ways = now->forecasts[i].ways;
        compare_prospects(ways, later[i].ways, START_WAYS, now->roles.members[i].disk, io_prospect);
    }
    compare_prospects(now->together, together, 2, EVERY_DISK, io_prospect);
}

const char *prospect_worse_name(struct arena *arena, const struct prospect *prospect)
{
    if (prospect->worse == EVERY_DISK)
        return "the machine with all its disks";
    return arena_printf(arena, "Disk %zu", prospect->worse);
}

enum status prospect_find(struct plan *plan, const struct judgement *now,
                          struct prospect *ret_prospect)
{
    size_t count = now->roles.member_count;
    struct prospect prospect = {.worse = NO_INDEX, .text = "", .then = ""};
    struct way together[2];
    struct promise *promises = arena_alloc(plan->arena, count, sizeof(*promises));
    struct later *later = arena_alloc(plan->arena, count, sizeof(*later));

    if (promises == NULL || later == NULL)
        return ST_NO_MEMORY;
    enum status status = judge_later(plan, now, later, together, &prospect);
    for (size_t i = 0; status == ST_OK && i < count; i++) {
        promises[i] = (struct promise){now->roles.members[i].disk, verdict_name(later[i].verdict),
                                       say_outlook(plan->arena, &later[i])};
        if (promises[i].text == NULL)
            return ST_NO_MEMORY;
    }
    if (status != ST_OK)
        return status;
    find_worse(now, later, together, &prospect);
    plan->promises = promises;
    plan->promise_count = count;
    *ret_prospect = prospect;
    return ST_OK;
}

bool prospect_deletes_entries(const struct plan *plan)
{
    uint16_t number = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        if (action->type == ACTION_DELETE_VARIABLE && boot_variable_number(action->name, &number))
            return true;
    }
    return false;
}

enum status prospect_check(struct plan *io_plan, const struct judgement *now)
{
    struct prospect prospect;

    if (io_plan->count == 0 || io_plan->status != ST_OK)
        return io_plan->status;
    enum status status = prospect_find(io_plan, now, &prospect);
    if (status != ST_OK || prospect.worse == NO_INDEX)
        return status;
    return plan_refuse(
        io_plan, ST_REFUSED, "After this %s would start less well than now (%s now, %s then).",
        prospect_worse_name(io_plan->arena, &prospect), prospect.text, prospect.then);
}
