#include "plan/esp_entries_parts.h"

#include "audit/audit_machine.h"
#include "audit/program.h"
#include "base/text.h"

enum presence esp_entries_presence(const struct machine *machine, size_t partition,
                                   const char *path)
{
    size_t index = machine_find_esp(machine, partition);

    if (index == NO_INDEX)
        return NOT_KNOWN;
    const struct esp *esp = &machine->esps[index];
    if (esp->status != ST_OK)
        return MISSING;
    if (fat_find(&esp->report, path) != FAT_NO_FILE)
        return PRESENT;
    return esp->report.complete ? MISSING : NOT_KNOWN;
}

bool esp_entries_is_tool(const struct machine *machine, size_t partition, const char *path)
{
    size_t index = machine_find_esp(machine, partition);
    const struct esp *esp = index == NO_INDEX ? NULL : &machine->esps[index];

    if (esp == NULL || esp->status != ST_OK)
        return false;
    size_t file = fat_find(&esp->report, path);
    return file != FAT_NO_FILE && program_of(machine, esp, file).kind == PROGRAM_TOOL;
}

bool esp_entries_is_active(const struct entry *entry)
{
    return (entry->option.attributes & LOAD_OPTION_ACTIVE) != 0;
}

size_t esp_entries_place(const struct esp_entries_pass *pass, size_t index)
{
    uint16_t number = pass->plan->machine->entries[index].number;

    for (size_t i = 0; i < pass->edit.count; i++) {
        if (pass->edit.order[i] == number)
            return i;
    }
    return NO_INDEX;
}

bool esp_entries_serves(const struct esp_entries_pass *pass, size_t index, size_t partition)
{
    const struct machine *machine = pass->plan->machine;
    const struct entry *entry = &machine->entries[index];

    if (pass->edit.deleted[index] || !entry->boot.has_hd || entry->boot.moved ||
        entry->boot.elsewhere || !audit_entry_leads_to(machine, entry, partition))
        return false;
    return entry->boot.file == NULL ||
           (esp_entries_presence(machine, partition, entry->boot.file) != MISSING &&
            !esp_entries_is_tool(machine, partition, entry->boot.file));
}

/* --- Positions ------------------------------------------------------------------------------ */

/* The disk that the system is started from now; NO_INDEX when that is not known. */
static size_t start_disk(const struct esp_entries_pass *pass)
{
    const struct machine *now =
        pass->request->now == NULL ? pass->plan->machine : pass->request->now;
    size_t esp = pass->request->roles->start_esp;

    return esp == NO_INDEX ? NO_INDEX : now->partitions[now->esps[esp].partition].disk;
}

/* True for a disk whose entries give way when only `left` is left: it is a member, the disk the
 * system is started from now, or removable. Without roles all others do. */
static bool is_gone_with_others(const struct esp_entries_pass *pass, size_t disk, size_t left)
{
    const struct machine *machine = pass->plan->machine;
    const struct roles *roles = pass->request->roles;

    if (disk == left)
        return false;
    if (roles == NULL || machine->disks[disk].removable || roles_member_on(roles, disk) != NO_INDEX)
        return true;
    return start_disk(pass) == disk;
}

/* True when the entry would be started, and start something else, with only the partition's disk
 * left. */
static bool does_not_give_way(const struct esp_entries_pass *pass, size_t index, size_t partition)
{
    const struct machine *machine = pass->plan->machine;
    const struct entry *entry = &machine->entries[index];
    size_t left = machine->partitions[partition].disk;
    size_t own = entry->boot.partition;

    if (entry->status != ST_OK || !esp_entries_is_active(entry) ||
        (entry->option.attributes & LOAD_OPTION_CATEGORY) != 0)
        return false;
    if (entry->form == DEVPATH_FORM_FV)
        return true;
    if (own == NO_INDEX || entry->boot.file == NULL ||
        is_gone_with_others(pass, machine->partitions[own].disk, left))
        return false;
    if (machine->partitions[own].disk == left)
        return esp_entries_is_tool(machine, own, entry->boot.file);
    return esp_entries_presence(machine, own, entry->boot.file) != MISSING;
}

/* The place of the first entry that does not give way; NO_INDEX for none. */
static size_t find_blocker(const struct esp_entries_pass *pass, size_t partition)
{
    for (size_t i = 0; i < pass->edit.count; i++) {
        size_t index = machine_find_entry(pass->plan->machine, pass->edit.order[i]);
        if (index != NO_INDEX && does_not_give_way(pass, index, partition))
            return i;
    }
    return NO_INDEX;
}

/* True when the entry at that place of BootOrder starts a member's system, or is new: all that are
 * made here do. */
static bool starts_member(const struct esp_entries_pass *pass, size_t place)
{
    const struct machine *machine = pass->plan->machine;
    const struct roles *roles = pass->request->roles;
    size_t index = machine_find_entry(machine, pass->edit.order[place]);

    if (index == NO_INDEX)
        return true;
    size_t partition = machine->entries[index].boot.partition;
    return partition != NO_INDEX && roles != NULL &&
           roles_member_on(roles, machine->partitions[partition].disk) != NO_INDEX &&
           esp_entries_serves(pass, index, partition);
}

size_t esp_entries_position(const struct esp_entries_pass *pass, size_t original, size_t partition)
{
    size_t blocker = find_blocker(pass, partition);
    size_t place = original == NO_INDEX ? NO_INDEX : esp_entries_place(pass, original);

    if (blocker == NO_INDEX)
        return ORDER_END;
    for (size_t i = 0; i < blocker && place == NO_INDEX; i++)
        place = starts_member(pass, i) ? i : NO_INDEX;
    if (place == NO_INDEX)
        return blocker;
    for (place++; place < blocker && starts_member(pass, place);)
        place++;
    return place;
}
