#include "esp_entries_parts.h"

#include "audit/audit_machine.h"
#include "audit/lead.h"
#include "audit/program.h"
#include "model/firmware_entry.h"

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
    return esp->report.listed ? MISSING : NOT_KNOWN;
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

    if (pass->edit.deleted[index] || entry_is_firmwares(entry) || !entry->boot.has_hd ||
        entry->boot.moved || entry->boot.elsewhere ||
        !audit_entry_leads_to(machine, entry, partition))
        return false;
    return entry->boot.file == NULL ||
           (esp_entries_presence(machine, partition, entry->boot.file) != MISSING &&
            !esp_entries_is_tool(machine, partition, entry->boot.file));
}

/* --- Positions ------------------------------------------------------------------------------ */

/* The first entry of this program's own that is tried: it is there for when nothing else starts. */
static size_t find_own(const struct machine *machine)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        struct lead lead;
        if (entry_is_tried(entry) && lead_of(machine, entry, &lead) && lead.program.is_own)
            return i;
    }
    return NO_INDEX;
}

/* The place of the first entry that does not give way, or is this program's; NO_INDEX for none. */
static size_t find_blocker(const struct esp_entries_pass *pass)
{
    const struct machine *machine = pass->plan->machine;
    size_t blocker = forecast_blocker(machine, &pass->roles, machine->entry_count);
    size_t own = find_own(machine);

    if (blocker == NO_INDEX || (own != NO_INDEX && own < blocker))
        blocker = own;
    return blocker == NO_INDEX ? NO_INDEX : esp_entries_place(pass, blocker);
}

/* True when the entry at that place of BootOrder starts a member's system, or is new: all that are
 * made here do. */
static bool starts_member(const struct esp_entries_pass *pass, size_t place)
{
    const struct machine *machine = pass->plan->machine;
    size_t index = machine_find_entry(machine, pass->edit.order[place]);

    if (index == NO_INDEX)
        return true;
    size_t partition = machine->entries[index].boot.partition;
    return partition != NO_INDEX &&
           roles_member_on(&pass->roles, machine->partitions[partition].disk) != NO_INDEX &&
           esp_entries_serves(pass, index, partition);
}

size_t esp_entries_position(const struct esp_entries_pass *pass, size_t original)
{
    size_t blocker = find_blocker(pass);
    size_t place = original == NO_INDEX ? NO_INDEX : esp_entries_place(pass, original);

    if (blocker == NO_INDEX || pass->request->last)
        return ORDER_END;
    for (size_t i = 0; i < pass->edit.count && place == NO_INDEX; i++)
        place = starts_member(pass, i) ? i : NO_INDEX;
    if (place == NO_INDEX)
        return blocker;
    for (place++; place < blocker && starts_member(pass, place);)
        place++;
    return place;
}
