#include "plan/aftermath.h"

#include "audit/audit.h"
#include "audit/collector.h"
#include "audit/roles.h"
#include "audit/forecast.h"
#include "base/text.h"
#include "model/boot_name.h"

/* True when the finding is about an entry that the plan has written. */
static bool about_written_entry(const struct machine *machine, const struct plan *plan,
                                const struct finding *finding)
{
    char name[VAR_NAME_SIZE];

    if (finding->entry == NO_INDEX)
        return false;
    boot_variable_name(machine->entries[finding->entry].number, name);
    for (size_t i = 0; i < plan->count; i++) {
        if (text_equal(plan->actions[i].name, name))
            return true;
    }
    return false;
}

/* True when it says that a start from a partition written into an entry may fail. */
static bool about_written_partition(const struct machine *machine, const struct plan *plan,
                                    const struct finding *finding)
{
    for (size_t i = 0; i < machine->entry_count && finding->partition != NO_INDEX; i++) {
        struct finding at_entry = {finding->code, NO_INDEX, NO_INDEX, i, NO_INDEX, ""};
        if (machine->entries[i].boot.partition == finding->partition &&
            about_written_entry(machine, plan, &at_entry))
            return true;
    }
    return false;
}

/* Whether firmware ever gets to the entries that were written: once for each disk. */
static void audit_reach(struct collector *to, const struct machine *machine,
                        const struct plan *plan)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        struct finding written = {FINDING_ORDER_NEVER_REACHES, NO_INDEX, NO_INDEX, i, NO_INDEX, ""};
        size_t blocker = forecast_blocker(machine, NULL, i);
        if (!entry->in_order || entry->boot.partition == NO_INDEX || blocker == NO_INDEX ||
            !about_written_entry(machine, plan, &written))
            continue;
        collect_at_disk(
            to, FINDING_ORDER_NEVER_REACHES, machine->partitions[entry->boot.partition].disk,
            arena_printf(to->arena, " Boot%04X \"%.40s\".", machine->entries[blocker].number,
                         machine->entries[blocker].description));
        return;
    }
}

enum status plan_aftermath(struct arena *arena, const struct plan *plan,
                           const struct machine *machine, struct findings *ret_findings)
{
    struct findings findings;
    struct roles roles;

    enum status status = audit_entries(arena, machine, &findings);
    if (status != ST_OK)
        return status;
    struct collector to = {.arena = arena};
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.items[i];
        if (about_written_entry(machine, plan, finding) ||
            about_written_partition(machine, plan, finding))
            collect_finding(&to, *finding);
    }
    audit_reach(&to, machine, plan);
    status = collect_finish(&to, &findings);
    if (status == ST_OK)
        status = roles_find(arena, machine, &roles);
    if (status != ST_OK)
        return status;
    findings.linux_only = !roles.windows;
    *ret_findings = findings;
    return ST_OK;
}
