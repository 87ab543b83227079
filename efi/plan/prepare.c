#include "plan/prepare.h"

#include "gpt_state.h"
#include "plan/boot_stores.h"
#include "prepare_parts.h"

/* True for a disk with a start of its own on a machine that has no ESP: that is no machine of
 * UEFI. */
static bool is_started_by_bios(const struct machine *machine, size_t disk)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (!machine->disks[machine->partitions[machine->esps[i].partition].disk].removable)
            return false;
    }
    return machine_disk_is_bios(machine, disk);
}

static enum status prepare_disk(struct plan *plan, const struct roles *roles,
                                const struct prepare_request *request, struct guid *ret_esp)
{
    size_t esp = roles_esp_of(plan->machine, request->disk);
    enum status status = prepare_check_disk(plan, request->disk, esp != NO_INDEX);

    if (status != ST_OK)
        return status;
    if (is_started_by_bios(plan->machine, request->disk))
        return plan_refuse(plan, ST_REFUSED,
                           "Disk %zu is started by the code in its MBR, as BIOS does, and no disk "
                           "of this machine by UEFI: it is left as it is.",
                           request->disk);
    struct prepare prepare = {
        .plan = plan,
        .machine = plan->machine,
        .roles = roles,
        .request = request,
        .disk = request->disk,
        .on = &plan->machine->disks[request->disk],
        .source = NO_INDEX,
        .old = NO_INDEX,
        .label = "",
    };
    if (prepare.on->style == DISK_RAW)
        return prepare_blank(&prepare, ret_esp);
    status = gpt_state_check(plan, request->disk);
    if (status != ST_OK)
        return status;
    if (esp != NO_INDEX)
        return prepare_esp(&prepare, esp, ret_esp);
    return prepare_new_esp(&prepare, ret_esp);
}

enum status plan_prepare(struct plan *plan, const struct roles *roles,
                         const struct prepare_request *request, struct guid *ret_esp)
{
    const struct boot_stores_request stores = {.disk = request->disk,
                                               .left_out = NO_INDEX,
                                               .makes = true,
                                               .wishes = request->stores,
                                               .now = request->now};
    struct guid esp = *ret_esp;

    enum status status = prepare_disk(plan, roles, request, &esp);
    if (status == ST_OK && !request->files_only)
        status = plan_boot_stores(plan, roles, &stores);
    if (status == ST_OK)
        *ret_esp = esp;
    return status;
}
