#include "plan/autostart.h"

#include "audit/lead.h"
#include "audit/program.h"
#include "base/text.h"
#include "plan/project.h"

#define PER_MEMBER 8 /* choices at most */

/* The choices being gathered. */
struct gathering_starts {
    struct arena *arena;
    const struct machine *machine;
    const struct judgement *judgement;
    const struct autostart_request *request;
    struct autostart_choice *sure;
    size_t sure_count;
    struct autostart_choice *unsure;
    size_t unsure_count;
    const char **reasons;
    enum status status;
};

static bool is_listed_in(const struct autostart_choice *list, size_t count, size_t esp, size_t file)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].esp == esp && list[i].file == file)
            return true;
    }
    return false;
}

/* Load options of an entry that starts the same file from whatever ESP, Windows' own. */
static struct span optional_for(const struct machine *machine, const char *path)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->status == ST_OK && entry->optional_kind == OPTIONAL_WINDOWS_BCD &&
            entry->boot.file != NULL && text_equal_nocase(entry->boot.file, path))
            return entry->option.optional;
    }
    return span_of(NULL, 0);
}

/* Judges one program, and lists it unless it is known to come to nothing. */
static void consider_program(struct gathering_starts *to, size_t member, size_t file, size_t entry)
{
    const struct roles *roles = &to->judgement->roles;
    size_t esp = roles->members[member].esp;
    const struct entry *by = entry == NO_INDEX ? NULL : &to->machine->entries[entry];
    struct program program = program_of(to->machine, &to->machine->esps[esp], file);
    struct forecast forecast;

    if (program.kind == PROGRAM_TOOL || is_listed_in(to->sure, to->sure_count, esp, file) ||
        is_listed_in(to->unsure, to->unsure_count, esp, file) || to->status != ST_OK)
        return;
    to->status = forecast_program(to->arena, to->machine, roles, member, file, by, &forecast);
    if (to->status != ST_OK)
        return;
    if (forecast.verdict == VERDICT_FAILS) {
        if (to->reasons[member][0] == '\0')
            to->reasons[member] = forecast.reason;
        return;
    }
    const char *path = to->machine->esps[esp].report.files[file].path;
    struct autostart_choice choice = {
        .member = member,
        .esp = esp,
        .file = file,
        .entry = entry,
        .optional = by != NULL ? by->option.optional : optional_for(to->machine, path),
        .verdict = forecast.verdict,
        .by_reset =
            entry != NO_INDEX && (to->request->by_reset ||
                                  (to->request->has_tpm && autostart_spares_disks(to->machine)))};
    if (forecast_is_hopeful(&forecast))
        to->sure[to->sure_count++] = choice;
    else
        to->unsure[to->unsure_count++] = choice;
}

/* The programs of active entries for the member's ESP. */
static void consider_entries(struct gathering_starts *to, size_t member)
{
    const struct machine *machine = to->machine;
    const struct esp *esp = &machine->esps[to->judgement->roles.members[member].esp];
    unsigned taken = 0;

    for (size_t i = 0; i < machine->entry_count && taken < PER_MEMBER / 2; i++) {
        const struct entry *entry = &machine->entries[i];
        if (!entry_is_tried(entry) || entry->boot.partition != esp->partition ||
            entry->boot.file == NULL)
            continue;
        size_t file = fat_find(&esp->report, entry->boot.file);
        if (file == FAT_NO_FILE || esp->report.files[file].is_directory)
            continue;
        consider_program(to, member, file, i);
        taken++;
    }
}

static void consider_member(struct gathering_starts *to, size_t member)
{
    const struct machine *machine = to->machine;
    size_t index = to->judgement->roles.members[member].esp;
    struct loaders loaders = {.count = 0};

    if (index == NO_INDEX || machine->esps[index].status != ST_OK)
        return;
    size_t before = to->sure_count + to->unsure_count;
    consider_entries(to, member);
    if (to->status == ST_OK)
        to->status = program_loaders(to->arena, machine, &machine->esps[index], &loaders);
    for (size_t i = 0; i < loaders.count && i < PER_MEMBER / 2 - 1; i++)
        consider_program(to, member, loaders.items[i].file, NO_INDEX);
    size_t fallback = fat_find(&machine->esps[index].report, machine->fallback);
    if (fallback != FAT_NO_FILE && !machine->esps[index].report.files[fallback].is_directory)
        consider_program(to, member, fallback, NO_INDEX);
    if (to->sure_count + to->unsure_count > before)
        to->reasons[member] = "";
    else if (to->reasons[member][0] == '\0')
        to->reasons[member] = to->judgement->forecasts[member].reason;
}

/* The member whose turn it is: the preferred disk's first, then the primary, then the others. */
static size_t member_in_turn(const struct gathering_starts *to, size_t place)
{
    const struct roles *roles = &to->judgement->roles;
    size_t count = roles->member_count;
    size_t preferred = to->request->has_disk ? roles_member_on(roles, to->request->disk) : NO_INDEX;
    size_t first = preferred != NO_INDEX ? preferred : roles->primary;

    return (first + place + to->request->turn) % count;
}

static bool room_for_choices(struct gathering_starts *to, size_t count)
{
    to->sure = arena_alloc(to->arena, 2 * count * PER_MEMBER, sizeof(*to->sure));
    to->unsure = arena_alloc(to->arena, count * PER_MEMBER, sizeof(*to->unsure));
    to->reasons = arena_alloc(to->arena, count, sizeof(*to->reasons));
    for (size_t i = 0; to->reasons != NULL && i < count; i++)
        to->reasons[i] = "";
    return to->sure != NULL && to->unsure != NULL && to->reasons != NULL;
}

enum status autostart_plan(struct arena *arena, const struct machine *machine,
                           const struct judgement *judgement,
                           const struct autostart_request *request, struct autostart *ret_autostart)
{
    struct gathering_starts to = {
        .arena = arena, .machine = machine, .judgement = judgement, .request = request};
    size_t count = judgement->roles.member_count;

    if (!room_for_choices(&to, count))
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count && to.status == ST_OK; i++)
        consider_member(&to, member_in_turn(&to, i));
    for (size_t i = 0; i < to.unsure_count; i++)
        to.sure[to.sure_count++] = to.unsure[i];
    *ret_autostart = (struct autostart){to.sure, to.sure_count, to.reasons};
    return to.status;
}

bool autostart_wants_repair(const struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->roles.member_count; i++) {
        if (judgement->forecasts[i].verdict != VERDICT_STARTS)
            return true;
    }
    return false;
}

static size_t count_starting(const struct judgement *judgement)
{
    size_t count = 0;

    for (size_t i = 0; i < judgement->roles.member_count; i++)
        count += judgement->forecasts[i].verdict == VERDICT_STARTS;
    return count;
}

enum status autostart_improves(struct arena *arena, const struct plan *plan,
                               const struct judgement *judgement, bool *ret_improves)
{
    struct judgement then;
    struct machine later;
    enum status status = project_machine(arena, plan, &later);

    if (status == ST_OK)
        status = audit_machine(arena, &later, &then);
    if (status == ST_OK)
        *ret_improves = count_starting(&then) > count_starting(judgement);
    return status;
}

bool autostart_spares_disks(const struct machine *machine)
{
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].content == CONTENT_BITLOCKER)
            return true;
    }
    return false;
}
