#include "plan/prospect.h"

#include "base/print.h"
#include "base/text.h"
#include "model/boot_name.h"
#include "plan/project.h"

/* One disk afterwards, apart from the memory in which it was worked out. */
struct later {
    enum verdict verdict;
    bool has_entry;
    uint16_t number; /* of the entry that starts or stops it */
    bool is_new;     /* the plan makes that entry */
};

/* How well a disk starts. Through the removable-media path, or with lenient firmware, is a step
 * below a start, and what cannot be told is better than what is known to fail. */
static int rank_of(enum verdict verdict)
{
    static const int ranks[] = {
        [VERDICT_STARTS] = 3,  [VERDICT_FALLBACK] = 2, [VERDICT_PERHAPS] = 2,
        [VERDICT_UNKNOWN] = 1, [VERDICT_FAILS] = 0,
    };

    return ranks[verdict];
}

static const char *answer_of(enum verdict verdict)
{
    static const char *const answers[] = {
        [VERDICT_STARTS] = "yes", [VERDICT_FALLBACK] = "perhaps",  [VERDICT_PERHAPS] = "perhaps",
        [VERDICT_FAILS] = "no",   [VERDICT_UNKNOWN] = "not known",
    };

    return answers[verdict];
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
    size_t member = roles_member_on(&judgement->roles, disk);
    char name[VAR_NAME_SIZE];

    if (member == NO_INDEX)
        return later;
    const struct start *start = &judgement->starts[member];
    later.verdict = start->verdict;
    later.has_entry = start->entry != NO_INDEX;
    if (!later.has_entry)
        return later;
    later.number = machine->entries[start->entry].number;
    boot_variable_name(later.number, name);
    later.is_new = is_made_by(plan, name);
    return later;
}

/* "yes, by Boot0001"; NULL when there is no memory. */
static const char *say(struct arena *arena, const struct later *later)
{
    const char *answer = answer_of(later->verdict);

    if (later->verdict != VERDICT_STARTS || !later->has_entry)
        return answer;
    return arena_printf(arena, "%s, by %sBoot%04X", answer, later->is_new ? "the new " : "",
                        later->number);
}

static enum status judge_later(struct plan *plan, const struct judgement *now,
                               struct later *ret_later, size_t *ret_hopeful)
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
        hopeful += start_is_hopeful(&judgement.starts[i]);
    for (size_t i = 0; status == ST_OK && i < now->roles.member_count; i++)
        ret_later[i] = later_of(plan, &machine, &judgement, now->roles.members[i].disk);
    arena_release(arena, mark);
    *ret_hopeful = hopeful;
    return status;
}

enum status prospect_find(struct plan *plan, const struct judgement *now,
                          struct prospect *ret_prospect)
{
    size_t count = now->roles.member_count;
    struct prospect prospect = {.worse = NO_INDEX, .text = "", .then = ""};
    struct promise *promises = arena_alloc(plan->arena, count, sizeof(*promises));
    struct later *later = arena_alloc(plan->arena, count, sizeof(*later));

    if (promises == NULL || later == NULL)
        return ST_NO_MEMORY;
    enum status status = judge_later(plan, now, later, &prospect.hopeful);
    for (size_t i = 0; status == ST_OK && i < count; i++) {
        enum verdict before = now->starts[i].verdict;
        promises[i] = (struct promise){now->roles.members[i].disk, verdict_name(later[i].verdict),
                                       say(plan->arena, &later[i])};
        if (promises[i].text == NULL)
            return ST_NO_MEMORY;
        if (prospect.worse != NO_INDEX || rank_of(later[i].verdict) >= rank_of(before))
            continue;
        prospect.worse = promises[i].disk;
        prospect.text = answer_of(before);
        prospect.then = answer_of(later[i].verdict);
    }
    if (status != ST_OK)
        return status;
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
