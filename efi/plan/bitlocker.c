#include "plan/bitlocker.h"

/* ", Disk 1 Partition 4" */
static const char *append_place(const struct plan *plan, const char *list,
                                const struct system_copy *copy)
{
    const char *between = list[0] == '\0' ? "" : ", ";

    if (copy->partition == NO_INDEX)
        return arena_printf(plan->arena, "%s%sa volume on Disk %zu", list, between, copy->disk);
    return arena_printf(plan->arena, "%s%sDisk %zu Partition %u", list, between, copy->disk,
                        plan->machine->partitions[copy->partition].number);
}

bool plan_asks_for_key(struct plan *io_plan)
{
    const struct machine *machine = io_plan->machine;
    const char *list = "";

    if (!plan_changes_disks(io_plan))
        return false;
    for (size_t i = 0; i < machine->copy_count && list != NULL; i++) {
        if (machine->copies[i].content == CONTENT_BITLOCKER)
            list = append_place(io_plan, list, &machine->copies[i]);
    }
    if (list == NULL) {
        io_plan->status = ST_NO_MEMORY;
        return true;
    }
    if (list[0] == '\0')
        return false;
    plan_warn(io_plan,
              "BitLocker protects %s. After this change Windows may ask for the recovery key, 48 "
              "digits, when it starts next: have it at hand first (on paper, in Active Directory, "
              "or in the Microsoft account). Where Windows still runs, it does not ask if this is "
              "typed there before: manage-bde -protectors -disable C: -rebootcount 1",
              list);
    return true;
}
