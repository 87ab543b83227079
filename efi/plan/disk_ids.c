#include "plan/disk_ids.h"

#include "disk_ids_parts.h"
#include "gpt_state.h"
#include "plan/new_guid.h"
#include "plan/new_guids.h"
#include "plan/owner_guard.h"
#include "plan/place.h"

static bool are_repeated(const struct machine *machine, const struct disk_ids *ids)
{
    return (ids->sets_disk && machine->disks[ids->disk].guid_repeated) ||
           (ids->sets_partition && machine->partitions[ids->partition].guid_repeated);
}

/* --- Refusals ------------------------------------------------------------------------------- */

/* Who has the GUID already, other than what is to get it: "Disk 0"; NULL for nobody. */
static const char *owner_of_guid(const struct plan *plan, const struct guid *guid, size_t disk,
                                 size_t partition)
{
    const struct machine *machine = plan->machine;

    for (size_t i = 0; i < machine->disk_count; i++) {
        if (i != disk && machine->disks[i].style == DISK_GPT &&
            guid_equal(&machine->disks[i].guid, guid))
            return arena_printf(plan->arena, "Disk %zu", i);
    }
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *own = &machine->partitions[i];
        if (i != partition && machine->disks[own->disk].style == DISK_GPT &&
            guid_equal(&own->unique, guid))
            return arena_printf(plan->arena, "Disk %zu Partition %u", own->disk, own->number);
    }
    return NULL;
}

static enum status check_new_guid(struct plan *plan, const struct guid *guid, size_t disk,
                                  size_t partition)
{
    char text[GUID_TEXT_SIZE];

    if (guid_is_zero(guid))
        return plan_refuse(plan, ST_REFUSED,
                           "A GUID of zeros is none: firmware would find nothing by it.");
    const char *owner = owner_of_guid(plan, guid, disk, partition);
    if (owner == NULL)
        return ST_OK;
    guid_format(guid, text);
    return plan_refuse(plan, ST_REFUSED,
                       "%s has the GUID %s already: two with one GUID cannot be told apart. Give "
                       "that one another GUID first.",
                       owner, text);
}

static enum status check_new_signature(struct plan *plan, const struct disk_ids *ids)
{
    const struct machine *machine = plan->machine;

    if (ids->signature == 0)
        return plan_refuse(plan, ST_REFUSED,
                           "A signature of zero is none: Windows would write another one.");
    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *other = &machine->disks[i];
        if (i != ids->disk && other->style == DISK_MBR && other->mbr.signature == ids->signature)
            return plan_refuse(plan, ST_REFUSED,
                               "Disk %zu has the signature %08X already: two disks with one "
                               "signature cannot be told apart. Give that one another first: "
                               "shadowboot diskid %zu -set new.",
                               i, ids->signature, i);
    }
    return ST_OK;
}

/* The disk itself may be written, as far as the plan can tell. */
static enum status check_may_be_set(struct plan *plan, size_t disk)
{
    const struct disk *own = &plan->machine->disks[disk];

    if (own->status != ST_OK || own->style == DISK_RAW)
        return plan_refuse(
            plan, ST_REFUSED,
            "Disk %zu has no partition table that can be read, so it has no identity "
            "to set. \"shadowboot disks %zu\" shows it.",
            disk, disk);
    if (own->read_only)
        return plan_refuse(plan, ST_READ_ONLY,
                           "Disk %zu is write-protected. Take the protection off, then run the "
                           "command again.",
                           disk);
    return owner_guard_disk(plan, disk);
}

/* --- MBR ------------------------------------------------------------------------------------ */

static enum status plan_signature(struct plan *plan, const struct disk_ids *ids)
{
    const struct disk *disk = &plan->machine->disks[ids->disk];
    struct disk_change change = {.kind = DISK_CHANGE_SIGNATURE,
                                 .disk = ids->disk,
                                 .block_count = 1,
                                 .signature = ids->signature,
                                 .esp = NO_INDEX};

    if (!ids->sets_disk || disk->mbr.signature == ids->signature)
        return ST_OK;
    if (disk->mbr_unreadable)
        return plan_refuse(plan, ST_REFUSED,
                           "The first block of Disk %zu cannot be read, and the signature lies in "
                           "it.",
                           ids->disk);
    enum status status = check_new_signature(plan, ids);
    if (status != ST_OK)
        return status;
    plan_change_disk(plan, &change,
                     arena_printf(plan->arena, "give Disk %zu the signature %08X in place of %08X",
                                  ids->disk, ids->signature, disk->mbr.signature));
    plan_warn(plan,
              "Windows keeps the letters of basic volumes by the signature of their disk, so "
              "it may give those on Disk %zu other letters.",
              ids->disk);
    return plan->status;
}

/* --- GPT ------------------------------------------------------------------------------------ */

static const char *words_for_gpt(const struct plan *plan, const struct disk_ids *ids, bool disk,
                                 bool partition)
{
    const struct machine *machine = plan->machine;
    char of_disk[GUID_TEXT_SIZE];
    char of_partition[GUID_TEXT_SIZE];

    guid_format(&ids->disk_guid, of_disk);
    guid_format(&ids->partition_guid, of_partition);
    if (!partition)
        return arena_printf(plan->arena, "give Disk %zu the GUID %s", ids->disk, of_disk);
    uint32_t number = machine->partitions[ids->partition].number;
    if (!disk)
        return arena_printf(plan->arena, "give Disk %zu Partition %u the GUID %s", ids->disk,
                            number, of_partition);
    return arena_printf(plan->arena, "give Disk %zu the GUID %s, and its Partition %u the GUID %s",
                        ids->disk, of_disk, number, of_partition);
}

static enum status change_gpt(struct plan *plan, const struct disk_ids *ids, bool disk,
                              bool partition)
{
    const struct machine *machine = plan->machine;
    struct gpt_identity *identity = arena_alloc(plan->arena, 1, sizeof(*identity));
    struct disk_change change = {
        .kind = DISK_CHANGE_GPT,
        .disk = ids->disk,
        .gpt = {.renames_disk = disk,
                .disk_guid = ids->disk_guid,
                .write_mbr = gpt_state_needs_mbr(&machine->disks[ids->disk])},
        .esp = NO_INDEX};

    if (identity == NULL)
        return ST_NO_MEMORY;
    if (partition) {
        *identity = (struct gpt_identity){.slot = machine->partitions[ids->partition].hd_number - 1,
                                          .unique = ids->partition_guid};
        change.gpt.identities = identity;
        change.gpt.identity_count = 1;
        plan_warn(plan,
                  "Windows keeps the letters of basic volumes by the GUID of their partition, "
                  "so it may give %s another letter.",
                  place_text(plan->arena, machine, ids->partition));
    }
    plan_change_disk(plan, &change, words_for_gpt(plan, ids, disk, partition));
    return plan->status;
}

static enum status plan_gpt(struct plan *plan, const struct disk_ids *ids)
{
    const struct machine *machine = plan->machine;
    bool disk = ids->sets_disk && !guid_equal(&machine->disks[ids->disk].guid, &ids->disk_guid);
    bool partition = ids->sets_partition &&
                     !guid_equal(&machine->partitions[ids->partition].unique, &ids->partition_guid);
    enum status status = ST_OK;

    if (!disk && !partition)
        return ST_OK;
    if (disk)
        status = check_new_guid(plan, &ids->disk_guid, ids->disk, NO_INDEX);
    if (status == ST_OK && partition)
        status = check_new_guid(plan, &ids->partition_guid, NO_INDEX, ids->partition);
    if (status == ST_OK && disk && partition && guid_equal(&ids->disk_guid, &ids->partition_guid))
        status = plan_refuse(plan, ST_REFUSED, "The disk and its partition cannot have one GUID.");
    if (status == ST_OK)
        status = new_guids_check(plan, ids->disk, are_repeated(machine, ids));
    return status == ST_OK ? change_gpt(plan, ids, disk, partition) : status;
}

/* --- The whole ------------------------------------------------------------------------------ */

enum status plan_disk_ids(struct plan *plan, const struct disk_ids *ids)
{
    bool gpt = plan->machine->disks[ids->disk].style == DISK_GPT;

    enum status status = check_may_be_set(plan, ids->disk);
    if (status == ST_OK)
        status = gpt ? plan_gpt(plan, ids) : plan_signature(plan, ids);
    if (status != ST_OK || plan->count == 0)
        return status;
    if (are_repeated(plan->machine, ids))
        plan_warn(plan, "What has the old identity too goes on being called so: boot entries and "
                        "the boot stores of other disks mean that one, and are left as they are.");
    status = disk_ids_follow(plan, ids->disk);
    return status == ST_OK ? plan->status : status;
}

struct disk_ids disk_ids_fresh(const struct machine *machine, size_t disk,
                               const struct date_time *now)
{
    struct disk_ids ids = {.disk = disk, .sets_disk = true, .partition = NO_INDEX};
    struct identity identity;

    identity_begin(&identity, machine, disk, now);
    if (machine->disks[disk].style == DISK_GPT)
        ids.disk_guid = identity_guid(&identity);
    else
        ids.signature = identity_signature(&identity);
    return ids;
}
