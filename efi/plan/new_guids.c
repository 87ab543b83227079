#include "plan/new_guids.h"

#include "disk_ids_parts.h"
#include "gpt_state.h"
#include "plan/new_guid.h"
#include "plan/place.h"
#include "plan/prepare.h"

static bool is_repeated(const struct machine *machine, size_t disk)
{
    const struct disk *on = &machine->disks[disk];
    bool repeated = on->guid_repeated;

    for (size_t i = 0; i < on->partition_count; i++)
        repeated |= machine->partitions[on->first_partition + i].guid_repeated;
    return repeated;
}

/* LDM's names are its own and equal no GUID of a GPT; of two disks with one of them Windows takes
 * neither, whatever their GPTs say. */
static enum status check_ldm(struct plan *plan, size_t disk)
{
    const struct machine *machine = plan->machine;
    const struct disk *on = &machine->disks[disk];
    const struct volume_disk_note *note = volume_map_note(&machine->volumes, disk);
    bool clone = volume_map_is_clone(&machine->volumes, disk);
    bool dynamic = false;

    for (size_t i = 0; i < on->partition_count; i++) {
        enum partition_type kind = machine->partitions[on->first_partition + i].kind;
        dynamic |= kind == PT_LDM_DATA || kind == PT_LDM_METADATA;
    }
    if (!dynamic || (note != NULL && note->group != VOLUME_NONE && !clone))
        return ST_OK;
    return plan_refuse(
        plan, ST_REFUSED,
        "Disk %zu is a dynamic disk whose LDM database %s: new GUIDs in its partition "
        "table would not make it another disk for Windows. Take the copy out, or wipe "
        "it (diskpart: clean all) and add it to the mirror anew.",
        disk, clone ? "says that it is the same as another disk" : "cannot be read");
}

static enum status check_md(struct plan *plan, size_t disk)
{
    const struct machine *machine = plan->machine;
    size_t own = NO_INDEX;
    size_t other = machine_md_copy(machine, disk, &own);

    if (other == NO_INDEX)
        return ST_OK;
    return plan_refuse(
        plan, ST_REFUSED,
        "%s is the same part of the md array \"%s\" as %s: Linux would take either, whatever their "
        "GUIDs are. Take the copy out of the array first (mdadm --zero-superblock on the copy), "
        "then give it new GUIDs, then mdadm --add.",
        place_text(plan->arena, machine, machine->md_members[own].partition),
        machine->md_members[own].member.name,
        place_text(plan->arena, machine, machine->md_members[other].partition));
}

/* A path through the disk's hardware says that it is the one meant. */
static enum status check_named_entries(struct plan *plan, size_t disk)
{
    const struct machine *machine = plan->machine;

    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        const struct target *boot = &entry->boot;
        if (entry->status != ST_OK || entry->form != DEVPATH_FORM_FULL || !boot->has_hd ||
            boot->elsewhere || boot->disk != disk)
            continue;
        return plan_refuse(plan, ST_REFUSED,
                           "Boot%04X \"%s\" names Disk %zu by its hardware, so Disk %zu is not the "
                           "copy, and with new GUIDs the entry would start nothing. Give the other "
                           "disk new ones, or delete the entry first.",
                           entry->number, entry->description, disk, disk);
    }
    return ST_OK;
}

/* Whatever keeps the table from being written. */
static enum status check_table(struct plan *plan, size_t disk)
{
    struct plan trial;

    plan_init(&trial, plan->arena, plan->machine);
    enum status status = plan_mend_gpt(&trial, disk);
    if (status == ST_OK)
        status = trial.status;
    plan->refusal = trial.refusal;
    trial.count = 0; /* the table is written anew in any case */
    trial.status = ST_OK;
    plan_append(plan, &trial);
    return status;
}

static enum status plan_change(struct plan *plan, size_t disk, const struct date_time *now)
{
    const struct machine *machine = plan->machine;
    const struct disk *on = &machine->disks[disk];
    struct gpt_identity *identities =
        arena_alloc(plan->arena, on->partition_count, sizeof(*identities));
    struct identity identity;

    if (identities == NULL)
        return ST_NO_MEMORY;
    identity_begin(&identity, machine, disk, now);
    struct guid guid = identity_guid(&identity);
    for (size_t i = 0; i < on->partition_count; i++)
        identities[i] = (struct gpt_identity){
            .slot = machine->partitions[on->first_partition + i].hd_number - 1,
            .unique = identity_guid(&identity)};
    struct disk_change change = {.kind = DISK_CHANGE_GPT,
                                 .disk = disk,
                                 .gpt = {.renames_disk = true,
                                         .disk_guid = guid,
                                         .identities = identities,
                                         .identity_count = on->partition_count,
                                         .write_mbr = gpt_state_needs_mbr(on)},
                                 .esp = NO_INDEX};
    char text[GUID_TEXT_SIZE];
    guid_format(&guid, text);
    plan_change_disk(
        plan, &change,
        arena_printf(plan->arena,
                     "give Disk %zu the new GUID %s, and each of its %zu partitions one", disk,
                     text, on->partition_count));
    plan_warn(plan, "What names a GUID that two have means the other disk from then on: boot "
                    "entries, and on this disk a configuration that was copied with it.");
    enum status status = disk_ids_follow(plan, disk);
    return status == ST_OK ? plan->status : status;
}

enum status new_guids_check(struct plan *plan, size_t disk, bool repeated)
{
    enum status status = check_table(plan, disk);

    if (status != ST_OK || !repeated)
        return status;
    status = check_ldm(plan, disk);
    if (status == ST_OK)
        status = check_md(plan, disk);
    return status == ST_OK ? check_named_entries(plan, disk) : status;
}

enum status plan_new_guids(struct plan *plan, size_t disk, const struct date_time *now)
{
    bool repeated = is_repeated(plan->machine, disk);
    enum status status = new_guids_check(plan, disk, repeated);

    return status == ST_OK && repeated ? plan_change(plan, disk, now) : status;
}
