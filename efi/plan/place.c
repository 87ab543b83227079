#include "plan/place.h"

#include "audit/audit.h"
#include "model/boot_name.h"
#include "model/resolve.h"

const char *place_text(struct arena *arena, const struct machine *machine, size_t partition)
{
    const struct partition *found = &machine->partitions[partition];
    char guid[GUID_TEXT_SIZE];

    if (guid_is_zero(&found->unique))
        return arena_printf(arena, "Disk %zu Partition %u", found->disk, found->number);
    guid_format(&found->unique, guid);
    return arena_printf(arena, "Disk %zu Partition %u %s", found->disk, found->number, guid);
}

bool place_is_fixed_esp(const struct machine *machine, size_t partition)
{
    const struct partition *esp = &machine->partitions[partition];
    const struct disk *disk = &machine->disks[esp->disk];

    return esp->kind == PT_ESP && disk->style == DISK_GPT && !disk->removable;
}

/* Which disk the missing partition may be on: one that does not show its partitions. */
static const char *hidden_by(struct plan *plan)
{
    const struct machine *machine = plan->machine;

    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *disk = &machine->disks[i];
        if (!disk_hides_partitions(disk))
            continue;
        return arena_printf(plan->arena, " %sDisk %zu %s; it may be there.",
                            disk->status == ST_OK ? "The partition table of " : "", i,
                            disk->status == ST_OK ? "is damaged" : "cannot be read");
    }
    return "";
}

/* What keeps firmware from finding partitions on the disk; NULL when nothing does. */
static const char *table_trouble(const struct disk *disk)
{
    if (disk->mbr_unreadable)
        return "its first block cannot be read";
    if (!disk->mbr.protective_at_lba_1)
        return "its protective MBR is missing";
    return disk_table_copy(disk) == &disk->primary ? NULL
                                                   : "its primary partition table is damaged";
}

/* An entry is no use on a disk whose partitions firmware may not see. */
static enum status check_firmware_sees(struct plan *plan, size_t index)
{
    const struct disk *disk = &plan->machine->disks[index];
    const char *trouble = table_trouble(disk);

    if (trouble != NULL)
        return plan_refuse(
            plan, ST_REFUSED,
            "Firmware may not see the partitions of Disk %zu: %s. \"shadowboot disks "
            "%zu\" says what to do about it.",
            index, trouble, index);
    if (disk->backup.problem != GPT_FINE || disk->copies_differ)
        plan_warn_of_rest(
            plan,
            "The backup partition table of Disk %zu is not good; if the primary is lost, its "
            "partitions are. \"shadowboot disks %zu\" says more.",
            index, index);
    return ST_OK;
}

/* "Disk 1, Disk 2": where the partitions with the GUID are; NULL when there is no memory. */
static const char *disks_with(struct plan *plan, const struct guid *guid)
{
    const struct machine *machine = plan->machine;
    const char *text = "";

    for (size_t i = 0; i < machine->partition_count && text != NULL; i++) {
        if (guid_equal(&machine->partitions[i].unique, guid))
            text = arena_printf(plan->arena, "%s%sDisk %zu", text, text[0] == '\0' ? "" : ", ",
                                machine->partitions[i].disk);
    }
    return text;
}

/* The last disk that has it: the one that was put in beside the others. */
static size_t last_disk_with(const struct machine *machine, const struct guid *guid)
{
    size_t disk = 0;

    for (size_t i = 0; i < machine->partition_count; i++) {
        if (guid_equal(&machine->partitions[i].unique, guid))
            disk = machine->partitions[i].disk;
    }
    return disk;
}

/* Refuses a GUID that `count` (> 1) partitions have, and says how the copy gets others. */
static enum status refuse_repeated(struct plan *plan, const struct guid *guid, size_t count)
{
    size_t disk = last_disk_with(plan->machine, guid);
    char text[GUID_TEXT_SIZE];

    guid_format(guid, text);
    return plan_refuse(plan, ST_REFUSED,
                       "%zu partitions of this machine have the GUID %s (%s), and firmware would "
                       "start whichever it meets first. %s",
                       count, text, disks_with(plan, guid),
                       finding_copy_advice(plan->arena, plan->machine, disk));
}

enum status place_find_only(struct plan *plan, const struct guid *guid, size_t *ret_partition)
{
    char text[GUID_TEXT_SIZE];
    size_t count = 0;

    *ret_partition = machine_find_partition(plan->machine, guid, &count);
    guid_format(guid, text);
    if (count == 0)
        return plan_refuse(plan, ST_ABSENT,
                           "No partition of this machine has the GUID %s.%s \"shadowboot disks\" "
                           "lists them all.",
                           text, hidden_by(plan));
    return count == 1 ? ST_OK : refuse_repeated(plan, guid, count);
}

enum status place_find(struct plan *plan, const struct guid *guid, size_t *ret_partition)
{
    size_t index = NO_INDEX;
    enum status status = place_find_only(plan, guid, &index);

    if (status != ST_OK)
        return status;
    const struct partition *partition = &plan->machine->partitions[index];
    if (partition->out_of_range || partition->overlaps)
        return plan_refuse(plan, ST_REFUSED,
                           "%s lies outside the usable part of its disk or overlaps another "
                           "partition. \"shadowboot disks %zu\" shows it.",
                           place_text(plan->arena, plan->machine, index), partition->disk);
    status = check_firmware_sees(plan, partition->disk);
    if (status != ST_OK)
        return status;
    plan->target_disk = partition->disk;
    *ret_partition = index;
    return ST_OK;
}

/* True when firmware would start the entry at least as surely as the option. */
static bool starts_as_surely(const struct entry *entry, const struct load_option *option)
{
    uint32_t kind = LOAD_OPTION_ACTIVE | LOAD_OPTION_CATEGORY;
    bool tried = (entry->option.attributes & kind) == LOAD_OPTION_ACTIVE;
    bool wanted = (option->attributes & kind) == LOAD_OPTION_ACTIVE;

    return (tried || !wanted) && !entry->boot.moved && !entry->boot.elsewhere;
}

enum status place_find_equal(struct plan *plan, struct span value, enum devpath_form form,
                             size_t *ret_entry)
{
    const struct machine *machine = plan->machine;
    struct entry candidate = {.status = ST_OK};

    enum status status = load_option_parse(value, &candidate.option);
    if (status != ST_OK)
        return status;
    status = resolve_path(plan->arena, machine, NULL, candidate.option.path, &candidate.boot);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (form != DEVPATH_FORM_EMPTY && entry->form != form)
            continue;
        if (entries_start_the_same(&candidate, entry) &&
            starts_as_surely(entry, &candidate.option)) {
            *ret_entry = i;
            return ST_OK;
        }
    }
    return ST_ABSENT;
}

bool place_is_planned(const struct plan *plan, struct span value)
{
    struct load_option wanted;
    struct load_option planned;
    uint16_t number = 0;

    if (load_option_parse(value, &wanted) != ST_OK)
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        bool creates = action->type == ACTION_SET_VARIABLE && !action->expect_present &&
                       boot_variable_number(action->name, &number);
        if (!creates || load_option_parse(action->data, &planned) != ST_OK)
            continue;
        if (span_equal(planned.path, wanted.path) && span_equal(planned.optional, wanted.optional))
            return true;
    }
    return false;
}
