#include "plan/make_ready.h"

#include "plan/esp_entries.h"
#include "plan/esp_files.h"
#include "plan/prospect.h"

static bool has_entry(const struct machine *machine, size_t partition)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (machine->entries[i].in_order && machine->entries[i].boot.partition == partition)
            return true;
    }
    return false;
}

/* The GUID of the disk's ESP in `*ret_guid` when boot entries name it. */
static bool named_esp(const struct machine *machine, size_t disk, struct guid *ret_guid)
{
    size_t esp = roles_esp_of(machine, disk);

    if (esp == NO_INDEX || !has_entry(machine, machine->esps[esp].partition))
        return false;
    *ret_guid = machine->partitions[machine->esps[esp].partition].unique;
    return true;
}

/* The ESP whose entries are cloned: that on the disk the files come from, else the primary's; zero
 * when none is named by any. */
static struct guid entries_to_clone(const struct machine *machine, const struct roles *roles,
                                    const struct prepare_request *request)
{
    size_t partition = NO_INDEX;
    struct guid guid = {{0}};
    size_t esp = NO_INDEX;

    if (request->has_source) {
        partition = machine_find_partition(machine, &request->source, NULL);
    } else {
        esp = esp_files_source(machine, roles, request->disk);
        partition = esp == NO_INDEX ? NO_INDEX : machine->esps[esp].partition;
    }
    if (partition != NO_INDEX && named_esp(machine, machine->partitions[partition].disk, &guid))
        return guid;
    if (roles->primary != NO_INDEX && roles->members[roles->primary].disk != request->disk)
        (void)named_esp(machine, roles->members[roles->primary].disk, &guid);
    return guid;
}

/* Adds the entries for the disk's ESP, planned over the machine as it will be then. */
static enum status add_entries(struct plan *io_plan, const struct roles *roles,
                               const struct prepare_request *request, const struct guid *esp)
{
    struct esp_entries_request wanted = {
        .source = entries_to_clone(io_plan->machine, roles, request),
        .targets = esp,
        .target_count = 1,
        .now = io_plan->machine,
        .disk_in_name = request->disk_in_name,
        .last = request->entries_last,
    };

    return plan_esp_entries_after(io_plan, &wanted);
}

/* What hangs on the ESP of the disk. */
static enum esp_use use_of_esp(const struct judgement *judgement, size_t disk)
{
    size_t own = roles_member_on(&judgement->roles, disk);
    size_t others = 0;

    for (size_t i = 0; i < judgement->roles.member_count; i++)
        others += i != own && forecast_is_hopeful(&judgement->forecasts[i]);
    if (own == NO_INDEX || !forecast_is_hopeful(&judgement->forecasts[own]))
        return ESP_UNUSED;
    return others > 0 ? ESP_IN_USE : ESP_ONLY_ONE;
}

enum status plan_make_ready(struct plan *io_plan, const struct judgement *now,
                            const struct prepare_request *request)
{
    struct prepare_request own = *request;
    struct guid esp;

    own.use = use_of_esp(now, request->disk);
    enum status status = plan_prepare(io_plan, &now->roles, &own, &esp);
    /* Where the first block cannot be read firmware may not find what an entry names. */
    if (status == ST_OK && !request->files_only && !request->no_entries &&
        !io_plan->machine->disks[request->disk].mbr_unreadable)
        status = add_entries(io_plan, &now->roles, &own, &esp);
    return status == ST_OK ? prospect_check(io_plan, now) : status;
}
