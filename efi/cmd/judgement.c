#include "judgement.h"

#include "show.h"

static void show_start(struct context *context, size_t disk, const struct start *start)
{
    static const char *const answers[] = {"yes", "perhaps", "perhaps", "no", "not known"};

    say(context, "Starts from Disk %zu alone: %s", disk, answers[start->verdict]);
    if (start->verdict == VERDICT_STARTS && start->entry != NO_INDEX) {
        const struct entry *entry = &context->machine.entries[start->entry];
        say(context, ", by Boot%04X \"%.40s\"", entry->number, entry->description);
    }
    say(context, ".%s%s\n", start->reason[0] == '\0' ? "" : " ", start->reason);
}

void show_verdict(struct context *context, const struct judgement *judgement)
{
    const struct roles *roles = &judgement->roles;

    for (size_t i = 0; i < roles->member_count; i++)
        show_start(context, roles->members[i].disk, &judgement->starts[i]);
    for (size_t i = 0; i < roles->missing; i++)
        say(context, "A disk with a copy of %s is not here.\n", roles->name);
    if (context->depth < SCAN_FULL)
        say(context, "The files were not read%s: a damaged one would not be seen.\n",
            option(context, "-quick") != NULL ? " (-quick)" : "");
    say(context, "%s\n", machine_state_text(judgement->state, roles->member_count));
}

static void sfo_member(struct context *context, const struct judgement *judgement, size_t index)
{
    const struct machine *machine = &context->machine;
    const struct member *member = &judgement->roles.members[index];
    const struct start *start = &judgement->starts[index];
    size_t copy = member->copy == NO_INDEX ? NO_INDEX : machine->copies[member->copy].partition;

    sfo_row(context, "RoleInfo");
    sfo_number(context, member->disk);
    sfo_text(context, member_role_text(&judgement->roles, index));
    if (member->esp == NO_INDEX)
        sfo_text(context, "");
    else
        sfo_number(context, machine->partitions[machine->esps[member->esp].partition].number);
    if (copy == NO_INDEX)
        sfo_text(context, "");
    else
        sfo_number(context, machine->partitions[copy].number);
    sfo_end(context);
    sfo_row(context, "VerdictInfo");
    sfo_number(context, member->disk);
    sfo_text(context, verdict_name(start->verdict));
    sfo_text(context,
             start->entry == NO_INDEX
                 ? ""
                 : arena_printf(context->arena, "Boot%04X", machine->entries[start->entry].number));
    sfo_text(context, start->reason);
    sfo_end(context);
}

void sfo_verdict(struct context *context, const struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->roles.member_count; i++)
        sfo_member(context, judgement, i);
    sfo_row(context, "StatusInfo");
    sfo_number(context, judgement->state);
    sfo_text(context, machine_state_text(judgement->state, judgement->roles.member_count));
    sfo_end(context);
}
