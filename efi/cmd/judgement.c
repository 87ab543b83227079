#include "judgement.h"

#include "machine_rows.h"
#include "show.h"
#include "machine_words.h"

static void show_start(struct context *context, size_t disk, const struct forecast *forecast)
{
    static const char *const answers[] = {COLOUR_GOOD "yes", COLOUR_WARNING "perhaps",
                                          COLOUR_WARNING "perhaps", COLOUR_BAD "no",
                                          COLOUR_WARNING "not known"};

    say(context, "Starts from Disk %zu alone: %s" COLOUR_PLAIN, disk, answers[forecast->verdict]);
    if (forecast->verdict == VERDICT_STARTS && forecast->entry != NO_INDEX) {
        const struct entry *entry = &context->machine.entries[forecast->entry];
        say(context, ", by Boot%04X \"%.40s\"", entry->number, entry->description);
    } else if (forecast->verdict == VERDICT_STARTS) {
        say(context, ", by %s", context->machine.fallback);
    }
    say(context, ".%s%s\n", forecast->reason[0] == '\0' ? "" : " ", forecast->reason);
}

static const char *state_colour(enum machine_state state)
{
    switch (state) {
    case MACHINE_SAFE:
        return COLOUR_GOOD;
    case MACHINE_PRIMARY_ONLY:
    case MACHINE_SHADOW_ONLY:
    case MACHINE_NONE:
        return COLOUR_BAD;
    default:
        return COLOUR_WARNING;
    }
}

void show_verdict(struct context *context, const struct judgement *judgement)
{
    const struct roles *roles = &judgement->roles;

    for (size_t i = 0; i < roles->member_count; i++)
        show_start(context, roles->members[i].disk, &judgement->forecasts[i]);
    for (size_t i = 0; i < roles->missing; i++)
        say(context, "A disk with a copy of %s is not here.\n", roles->name);
    if (context->depth < SCAN_FULL)
        say(context, "The files were not read%s: a damaged one would not be seen.\n",
            option(context, "-quick") != NULL ? " (-quick)" : "");
    say(context, "%s%s" COLOUR_PLAIN "\n", state_colour(judgement->state),
        machine_state_text(judgement->state, roles->member_count));
}

static void put_role(struct rows *to, const struct judgement *judgement, size_t index)
{
    const struct machine *machine = &to->context->machine;
    const struct member *member = &judgement->roles.members[index];
    size_t copy = member->copy == NO_INDEX ? NO_INDEX : machine->copies[member->copy].partition;
    size_t esp = member->esp == NO_INDEX ? NO_INDEX : machine->esps[member->esp].partition;
    unsigned copy_number = copy == NO_INDEX ? 0 : machine->partitions[copy].number;
    unsigned esp_number = esp == NO_INDEX ? 0 : machine->partitions[esp].number;

    row_open(to, ROW_ROLE);
    row_number(to, member->disk);
    row_text(to, member_role_text(&judgement->roles, index));
    row_number_or_none(to, esp_number, esp != NO_INDEX);
    row_number_or_none(to, copy_number, copy != NO_INDEX);
    row_close(to);
}

void rows_judgement(struct rows *to, const struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->roles.member_count; i++) {
        put_role(to, judgement, i);
        rows_verdict(to, judgement, i);
    }
    rows_status(to, judgement);
}
