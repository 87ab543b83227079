#include "plan/esp_guard.h"

#include "plan/place.h"

static enum status refuse_member(struct plan *plan, const struct md_volume *volume)
{
    const char *name = volume->member.name;

    return plan_refuse(
        plan, ST_REFUSED,
        "%s is a member of a Linux RAID%s%s%s. Written to from here, it would differ from the "
        "other members, and md would not know. In Linux, mount the array and copy the files there. "
        "If there is no such array any more, mdadm --zero-superblock takes the mark off.",
        place_text(plan->arena, plan->machine, volume->partition), name[0] == '\0' ? "" : " (",
        name, name[0] == '\0' ? "" : ")");
}

enum status esp_guard_check(struct plan *plan, size_t partition)
{
    const struct md_volume *volume = machine_md_volume(plan->machine, partition);
    const struct partition *own = &plan->machine->partitions[partition];

    if (volume != NULL)
        return refuse_member(plan, volume);
    if (own->kind == PT_ESP)
        return ST_OK;
    return plan_refuse(plan, ST_REFUSED,
                       "%s is of type \"%s\", not an EFI system partition: boot entries start from "
                       "it, and it is only read here. If that is what it is for, give it the type "
                       "(sgdisk -t %u:ef00), and run the command again.",
                       place_text(plan->arena, plan->machine, partition),
                       partition_type_name(own->kind), own->hd_number);
}
