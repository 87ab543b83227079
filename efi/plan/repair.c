#include "repair_parts.h"

#include "audit/compare_esps.h"
#include "plan/esp_entries.h"
#include "plan/boot_stores.h"
#include "plan/esp_files.h"
#include "plan/prepare.h"
#include "plan/project.h"

/* What a copy of Windows keeps lies on no ESP. */
static bool is_on_disk(const struct machine *machine, size_t esp, size_t disk)
{
    return esp != NO_INDEX && machine->esps[esp].source == NULL &&
           machine->partitions[machine->esps[esp].partition].disk == disk;
}

static struct guid guid_of(const struct machine *machine, size_t esp)
{
    return machine->partitions[machine->esps[esp].partition].unique;
}

/* The ESP that files for the reference come from: whatever can be read does, since only what is bad
 * or missing is brought. NO_INDEX when there is none. */
static size_t source_for_reference(const struct machine *machine, const struct roles *roles,
                                   size_t disk)
{
    size_t source = esp_files_source(machine, roles, disk);

    for (size_t i = 0; i < roles->member_count && source == NO_INDEX; i++) {
        const struct member *member = &roles->members[i];
        if (member->disk != disk && member->esp != NO_INDEX &&
            esp_files_readable(&machine->esps[member->esp]))
            source = member->esp;
    }
    return source;
}

/* --- Disks ---------------------------------------------------------------------------------- */

/* Only the partition table: for a disk for which there is nothing else to do or to be done. `told`:
 * why there is not has been said. */
static enum status mend_table(struct repair *repair, size_t disk, bool told)
{
    struct plan part;

    plan_init(&part, repair->plan->arena, repair->plan->machine);
    enum status status = plan_mend_gpt(&part, disk);
    if (status == ST_OK)
        status = part.status;
    if (status == ST_OK)
        return repair_take_over(repair->plan, &part);
    return told && status != ST_NO_MEMORY ? ST_OK
                                          : repair_give_up(repair->plan, &part, disk, status);
}

static void warn_of_format(struct repair *repair, size_t disk)
{
    plan_warn_of_rest(
        repair->plan,
        "Disk %zu has to be partitioned or formatted, which is left out: give -format as "
        "well, or answer the question by hand without -y.",
        disk);
}

/* True when nothing would have to be done on a disk that nothing can be done on: then it is not
 * worth a word. */
static bool needs_nothing(struct repair *repair, const struct prepare_request *request)
{
    struct plan *plan = repair->plan;
    const struct disk *disk = &plan->machine->disks[request->disk];
    struct machine free = *plan->machine;
    size_t size = free.disk_count * sizeof(*free.disks);
    struct disk *disks = arena_copy(plan->arena, free.disks, size);
    struct plan part;
    struct guid esp;

    if (disks == NULL || !(disk->has_self || disk->read_only))
        return false;
    disks[request->disk].has_self = false;
    disks[request->disk].read_only = false;
    free.disks = disks;
    plan_init(&part, plan->arena, &free);
    return plan_prepare(&part, repair->roles, request, &esp) == ST_OK && part.status == ST_OK &&
           part.count == 0;
}

static enum status mend_member(struct repair *repair, const struct member *member,
                               const struct prepare_request *request)
{
    struct plan part;
    struct guid esp = {{0}};

    if (member->esp != NO_INDEX)
        esp = guid_of(repair->plan->machine, member->esp);
    if (needs_nothing(repair, request)) {
        repair_add_target(repair, member->disk, &esp);
        return ST_OK;
    }
    plan_init(&part, repair->plan->arena, repair->plan->machine);
    enum status status = plan_prepare(&part, repair->roles, request, &esp);
    if (status == ST_OK)
        status = part.status;
    if (status == ST_OK && part.formats && !repair->request->allow_format) {
        warn_of_format(repair, member->disk);
        return mend_table(repair, member->disk, true);
    }
    repair_add_target(repair, member->disk, &esp);
    if (status == ST_OK)
        return repair_take_over(repair->plan, &part);
    status = repair_give_up(repair->plan, &part, member->disk, status);
    return status == ST_OK ? mend_table(repair, member->disk, true) : status;
}

/* A disk of a RAID is left alone; its entries are not. */
static void leave_alone(struct repair *repair, const struct member *member)
{
    const struct machine *machine = repair->plan->machine;
    enum owner owner = machine->disks[member->disk].owner.owner;

    plan_warn_of_rest(
        repair->plan,
        "Disk %zu is a member of a RAID of whole disks, %s: its disks are one volume, so "
        "nothing is written to it, only boot entries are seen to. Change files and "
        "partitions from the system that runs on the volume, the RAID with %s.",
        member->disk, owner_name(owner), owner_tool(owner));
    if (member->esp == NO_INDEX)
        return;
    struct guid esp = guid_of(machine, member->esp);
    repair_add_target(repair, member->disk, &esp);
}

static bool starts_now(const struct repair *repair, size_t member)
{
    return forecast_is_hopeful(&repair->forecasts[member]);
}

/* The member was brought up to date after the one that the others go by: whoever did that may have
 * meant it, and its files start the machine. */
static bool is_ahead(struct repair *repair, const struct member *member)
{
    const struct machine *machine = repair->plan->machine;
    char own[GUID_TEXT_SIZE];
    char other[GUID_TEXT_SIZE];

    if (repair->reference == NO_INDEX || member->esp == NO_INDEX ||
        machine->esps[member->esp].status != ST_OK ||
        !esp_is_newer(machine, &machine->esps[member->esp], &machine->esps[repair->reference]))
        return false;
    guid_format(&machine->partitions[machine->esps[member->esp].partition].unique, own);
    guid_format(&machine->partitions[machine->esps[repair->reference].partition].unique, other);
    plan_warn_of_rest(
        repair->plan,
        "Disk %zu has a newer boot manager than the disk whose files count, so what differs is "
        "left as it is. \"shadowboot copy -sg %s -tg %s\" brings its files to the other one; with "
        "-sg and -tg exchanged, those of the other one to it.",
        member->disk, own, other);
    return true;
}

/* True when what differs on the member may give way to what the other ESP has: that one starts the
 * system, the member's starts nothing, or less is to be hoped for from it. Where neither is known
 * to start it, nobody can say which of the two is right. */
static bool source_is_better(const struct repair *repair, size_t member, size_t source)
{
    const struct machine *machine = repair->plan->machine;
    size_t disk = machine->partitions[machine->esps[source].partition].disk;
    size_t other = roles_member_on(repair->roles, disk);
    enum outlook own = repair->forecasts[member].ways[ALONE_STRICT].outlook;

    if (other == NO_INDEX || own == OUTLOOK_NOTHING)
        return true;
    enum outlook outlook = repair->forecasts[other].ways[ALONE_STRICT].outlook;
    return outlook >= OUTLOOK_PERHAPS || outlook > own;
}

/* True when what is whole does not give way to what that ESP has: what Windows keeps is always right. */
static bool is_to_stay(const struct repair *repair, size_t source)
{
    return repair->request->missing_only && repair->plan->machine->esps[source].source == NULL;
}

/* True when the member gets from there what it lacks or has in a bad state, and nothing else. */
static bool keeps_what_differs(struct repair *repair, size_t index, size_t source)
{
    return repair->by_windows || is_ahead(repair, &repair->roles->members[index]) ||
           repair->doubtful ||
           (source != NO_INDEX &&
            (is_to_stay(repair, source) || !source_is_better(repair, index, source)));
}

/* Nothing is done on the disk, but its ESP may get an entry. */
static enum status leave_member(struct repair *repair, const struct member *member)
{
    if (member->esp != NO_INDEX) {
        struct guid esp = guid_of(repair->plan->machine, member->esp);
        repair_add_target(repair, member->disk, &esp);
    }
    return ST_OK;
}

static enum status repair_member(struct repair *repair, size_t index)
{
    const struct machine *machine = repair->plan->machine;
    const struct member *member = &repair->roles->members[index];
    struct prepare_request request = {.disk = member->disk,
                                      .use = starts_now(repair, index) ? ESP_KEPT : ESP_UNUSED,
                                      .allow_msr = repair->request->allow_msr,
                                      .now = repair->request->now};
    size_t source = repair->reference;

    if (owner_is_raid(machine->disks[member->disk].owner.owner)) {
        leave_alone(repair, member);
        return ST_OK;
    }
    if (!repair->extent.disks || repair->extent.left_out == index)
        return leave_member(repair, member);
    size_t before = repair->plan->count;
    enum status status = repair_by_windows(repair, member);
    if (status != ST_OK || repair->plan->count > before)
        return status;
    if (is_on_disk(machine, repair->reference, member->disk)) {
        source = source_for_reference(machine, repair->roles, member->disk);
        request.mend_only = true;
    }
    if (!request.mend_only)
        request.mend_only = keeps_what_differs(repair, index, source);
    if (source == NO_INDEX && request.mend_only) {
        struct guid own = guid_of(machine, repair->reference);
        repair_add_target(repair, member->disk, &own);
        status = mend_table(repair, member->disk, false);
        return status == ST_OK ? repair_own_copy(repair, member) : status;
    }
    request.has_source = source != NO_INDEX;
    if (request.has_source)
        request.source = guid_of(machine, source);
    status = mend_member(repair, member, &request);
    return status == ST_OK && repair->plan->count == before ? repair_own_copy(repair, member)
                                                            : status;
}

/* --- Entries -------------------------------------------------------------------------------- */

static bool names_guid(const struct entry *entry, const struct guid *guid)
{
    return entry->in_order && entry->status == ST_OK && entry->boot.has_hd &&
           hd_node_has_guid(&entry->boot.hd, guid);
}

static bool has_entries(const struct machine *machine, const struct guid *guid)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (names_guid(&machine->entries[i], guid))
            return true;
    }
    return false;
}

/* The partition whose entries are cloned: the reference, another member's ESP, or the one that
 * Windows' entries name and no disk has any more. Zero when there are no entries to clone. */
static struct guid entries_source(const struct repair *repair)
{
    const struct machine *machine = repair->plan->machine;
    struct guid guid = {{0}};

    if (repair->reference != NO_INDEX)
        guid = guid_of(machine, repair->reference);
    for (size_t i = 0; i < repair->target_count && !has_entries(machine, &guid); i++)
        guid = repair->targets[i];
    for (size_t i = 0; i < machine->entry_count && !has_entries(machine, &guid); i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry_is_windows(entry) && entry->boot.has_hd && entry->boot.partition == NO_INDEX &&
            entry->boot.hd.signature_type == HD_SIGNATURE_GUID)
            guid = guid_load(entry->boot.hd.signature);
    }
    return has_entries(machine, &guid) ? guid : (struct guid){{0}};
}

/* Plans the entries for the machine as it will be. */
static enum status repair_entries(struct repair *repair)
{
    struct plan *plan = repair->plan;
    struct esp_entries_request request = {.source = entries_source(repair),
                                          .targets = repair->targets,
                                          .target_count = repair->target_count,
                                          .now = plan->machine,
                                          .disk_in_name = repair->request->disk_in_name,
                                          .prune = repair->extent.prune,
                                          .last = repair->extent.entries == ENTRIES_LAST,
                                          .keep_gone = repair->roles->missing > 0};

    enum status status = plan_esp_entries_after(plan, &request);
    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK)
        plan_warn_of_refusal(plan, status);
    return plan->status;
}

/* --- The whole ------------------------------------------------------------------------------ */

enum status repair_plan_extent(struct repair *repair)
{
    const struct boot_stores_request stores = {.disk = NO_INDEX,
                                               .left_out = repair->extent.left_out,
                                               .makes = true,
                                               .now = repair->request->now};
    enum status status = ST_OK;

    repair->target_count = 0;
    for (size_t i = 0; i < repair->roles->member_count && status == ST_OK; i++)
        status = repair_member(repair, i);
    if (status == ST_OK && repair->extent.disks)
        status = plan_boot_stores(repair->plan, repair->roles, &stores);
    if (status != ST_OK || repair->extent.entries == ENTRIES_NONE)
        return status;
    return repair_entries(repair);
}
