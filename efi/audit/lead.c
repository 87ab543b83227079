#include "audit/lead.h"

#include "audit/roles.h"
#include "base/print.h"
#include "model/boot_paths.h"

/* Finds the file on the ESP. One that was planned and not looked at yet is not listed. */
static bool find_file(const struct machine *machine, size_t esp, const char *path,
                      enum status known, struct lead *io_lead)
{
    const struct esp *own = &machine->esps[esp];

    if (machine->disks[machine->partitions[own->partition].disk].removable || own->status != ST_OK)
        return false;
    size_t file = fat_find(&own->report, path);
    bool listed = file != FAT_NO_FILE && !own->report.files[file].is_directory;
    if (!listed && (own->report.listed || known != ST_OK))
        return false;
    io_lead->esp = esp;
    io_lead->program = (struct program){.kind = PROGRAM_UNKNOWN, .name = ""};
    if (listed)
        io_lead->program = program_of(machine, own, file);
    return true;
}

/* The first ESP of the disk, or of any for NO_INDEX, that has the file. */
static bool find_on_disk(const struct machine *machine, size_t disk, const char *path,
                         struct lead *io_lead)
{
    for (size_t i = machine_next_esp(machine, disk, NO_INDEX); i != NO_INDEX;
         i = machine_next_esp(machine, disk, i)) {
        if (find_file(machine, i, path, ST_UNSUPPORTED, io_lead))
            return true;
    }
    return false;
}

bool lead_of(const struct machine *machine, const struct entry *entry, struct lead *ret_lead)
{
    const struct target *boot = &entry->boot;
    struct lead lead = {.entry = entry};
    bool found = false;

    if (entry->status != ST_OK || entry->form == DEVPATH_FORM_FV)
        return false;
    const char *path = boot->file == NULL ? machine->fallback : boot->file;
    if (boot->has_hd) {
        size_t esp =
            boot->partition == NO_INDEX ? NO_INDEX : machine_find_esp(machine, boot->partition);
        found = esp != NO_INDEX && find_file(machine, esp, path, boot->file_status, &lead);
    } else if (boot->disk != NO_INDEX || (entry->form == DEVPATH_FORM_FILE && boot->file != NULL)) {
        found = find_on_disk(machine, boot->disk, path, &lead);
    }
    if (found)
        *ret_lead = lead;
    return found;
}

bool lead_is_tool(const struct machine *machine, const struct entry *entry)
{
    struct lead lead;

    return lead_of(machine, entry, &lead) && lead.program.kind == PROGRAM_TOOL;
}

/* True when firmware starts the file, as far as is known. */
static bool program_is_accepted(const struct esp *esp, const char *path)
{
    size_t file = fat_find(&esp->report, path);
    const struct file_content *content = file == FAT_NO_FILE ? NULL : &esp->contents[file];

    return content != NULL &&
           (content->status == ST_UNSUPPORTED || (content->status == ST_OK && content->is_program &&
                                                  !pe_verdict_is_refused(content->program)));
}

/* The first removable-media path that starts no tool, on the fixed disks. */
static bool find_fallback(const struct machine *machine, struct lead *ret_lead)
{
    const char *fallback = machine->fallback;
    struct lead lead = {.entry = NULL};

    for (size_t i = machine_next_esp(machine, NO_INDEX, NO_INDEX); i != NO_INDEX;
         i = machine_next_esp(machine, NO_INDEX, i)) {
        if (!find_file(machine, i, fallback, ST_UNSUPPORTED, &lead) ||
            !program_is_accepted(&machine->esps[i], fallback) ||
            lead.program.kind == PROGRAM_TOOL || lead.program.kind == PROGRAM_UNKNOWN ||
            program_is_bare_shim(machine, &machine->esps[i], fallback))
            continue;
        *ret_lead = lead;
        return true;
    }
    return false;
}

/* True when firmware gets to the partition by the path as it is: of a short one edk2 compares
 * identity and number, a full one has to be the device's own. */
static bool is_found(const struct machine *machine, const struct entry *entry)
{
    const struct target *boot = &entry->boot;

    if (!boot->has_hd || boot->partition == NO_INDEX)
        return !boot->has_hd;
    if (entry->form == DEVPATH_FORM_FULL)
        return !boot->moved && !boot->elsewhere;
    return boot->hd.number == machine->partitions[boot->partition].hd_number;
}

/* The first entry that is tried and leads to a file, with `exact` as firmware follows it. */
static bool find_by_entries(const struct machine *machine, bool exact, struct lead *ret_lead)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        struct lead lead;
        if (!entry_is_tried(entry) || (exact && !is_found(machine, entry)) ||
            !lead_of(machine, entry, &lead) || lead.program.kind == PROGRAM_TOOL)
            continue;
        *ret_lead = lead;
        return true;
    }
    return false;
}

bool lead_first(const struct machine *machine, struct lead *ret_lead)
{
    return find_by_entries(machine, true, ret_lead) || find_fallback(machine, ret_lead) ||
           find_by_entries(machine, false, ret_lead);
}

bool lead_is_other_loader(enum program_kind kind)
{
    return kind == PROGRAM_SHIM || kind == PROGRAM_SHIM_FALLBACK || kind == PROGRAM_LOADER;
}

bool lead_esp_starts_windows(const struct esp *esp)
{
    return esp->status == ST_OK && fat_find(&esp->report, BOOT_MANAGER_PATH) != FAT_NO_FILE;
}

bool lead_esp_starts_other(const struct machine *machine, const struct esp *esp)
{
    for (size_t i = 0; esp->status == ST_OK && i < esp->report.file_count; i++) {
        if (esp->contents[i].is_program && lead_is_other_loader(program_of(machine, esp, i).kind))
            return true;
    }
    return false;
}
