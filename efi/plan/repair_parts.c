/* What the parts of a repair put together: plans of one disk, why there is none, and who gets entries. */
#include "repair_parts.h"

#include "base/text.h"

enum status repair_take_over(struct plan *plan, const struct plan *part)
{
    plan_append(plan, part);
    /* There may be several disks, and each change says itself what must be there. */
    plan->target_disk = NO_INDEX;
    return plan->status;
}

enum status repair_give_up(struct plan *plan, const struct plan *part, size_t disk,
                           enum status status)
{
    const char *why = part->refusal[0] == '\0' ? status_text(status) : part->refusal;

    if (status == ST_NO_MEMORY)
        return status;
    const char *name = arena_printf(plan->arena, "Disk %zu", disk);
    if (name == NULL)
        return ST_NO_MEMORY;
    plan->refusal =
        text_has_prefix_nocase(why, name) ? why : arena_printf(plan->arena, "%s: %s", name, why);
    if (plan->refusal == NULL)
        return ST_NO_MEMORY;
    plan_warn_of_refusal(plan, status);
    return plan->status;
}

void repair_add_target(struct repair *repair, size_t disk, const struct guid *guid)
{
    for (size_t i = 0; i < repair->target_count; i++) {
        if (guid_equal(&repair->targets[i], guid))
            return; /* the other half of a RAID has it */
    }
    if (!guid_is_zero(guid) && !repair->plan->machine->disks[disk].mbr_unreadable)
        repair->targets[repair->target_count++] = *guid;
}
