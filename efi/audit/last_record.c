#include "audit/last_record.h"

#include "base/text.h"
#include "model/boot_paths.h"
#include "model/firmware_entry.h"

bool loader_is_on(const struct machine *machine, size_t esp, const char *file)
{
    const struct esp *own = &machine->esps[esp];

    return own->status == ST_OK && fat_find(&own->report, file) != FAT_NO_FILE;
}

bool loader_is_here(const struct machine *machine, const char *file)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (loader_is_on(machine, i, file))
            return true;
    }
    return false;
}

/* True when the entry leads to a file that is there. */
static bool leads_to_a_file(const struct machine *machine, const struct entry *entry)
{
    const struct target *boot = &entry->boot;

    if (boot->partition == NO_INDEX || boot->file == NULL)
        return false;
    size_t esp = machine_find_esp(machine, boot->partition);
    return boot->file_status == ST_OK ||
           (esp != NO_INDEX && loader_is_on(machine, esp, boot->file));
}

static bool entry_is_started(const struct entry *entry)
{
    uint32_t kind = LOAD_OPTION_ACTIVE | LOAD_OPTION_CATEGORY;

    return entry->status == ST_OK && (entry->option.attributes & kind) == LOAD_OPTION_ACTIVE &&
           !entry_is_firmwares(entry);
}

/* True for the removable-media path where a disk has that file: every firmware knows it. */
static bool is_known_anyway(const struct machine *machine, const char *file)
{
    if (!text_has_prefix_nocase(file, FALLBACK_PREFIX))
        return false;
    for (size_t i = 0; i < machine->partition_count; i++) {
        if (machine->partitions[i].fallback_status == ST_OK)
            return true;
    }
    return false;
}

/* Without a BootOrder all entries count: putting them in is what is to be done first. */
static bool is_named_later(const struct machine *machine, const bool *named, size_t index)
{
    if (named != NULL)
        return named[index];
    return machine->entries[index].in_order || order_is_missing(machine);
}

bool entry_will_be_last_record(const struct machine *machine, const bool *named, size_t index)
{
    const struct entry *entry = &machine->entries[index];
    bool other_way = false;

    if (entry->status != ST_OK || !entry->boot.has_hd || entry->boot.file == NULL ||
        entry_is_firmwares(entry) || is_known_anyway(machine, entry->boot.file))
        return false;
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *other = &machine->entries[i];
        if (i == index || !is_named_later(machine, named, i) || !entry_is_started(other) ||
            !leads_to_a_file(machine, other))
            continue;
        if (text_equal_nocase(other->boot.file, entry->boot.file))
            return false;
        other_way = true;
    }
    return !other_way || loader_is_here(machine, entry->boot.file);
}

bool entry_is_last_record(const struct machine *machine, size_t entry)
{
    return entry_will_be_last_record(machine, NULL, entry);
}
