#include "audit/installed.h"

#include "audit/program.h"
#include "base/text.h"
#include "model/boot_paths.h"

#define PART_BITS 10 /* of a version (format/pe_mark.h) */
#define PART_MASK ((1u << PART_BITS) - 1)

const char *installed_path(struct arena *arena, const struct machine *machine)
{
    char name[16];
    size_t i = 0;

    for (; machine->architecture[i] != '\0' && i < sizeof(name) - 1; i++)
        name[i] = text_lower(machine->architecture[i]);
    name[i] = '\0';
    return arena_printf(arena, SHADOWBOOT_FOLDER "\\shadowboot%s.efi", name);
}

bool installed_entry_is_own(const struct entry *entry, const char *path)
{
    return entry->status == ST_OK && entry->boot.has_hd && entry->boot.file != NULL &&
           text_equal_nocase(entry->boot.file, path);
}

struct installed installed_at(const struct machine *machine, size_t esp, const char *path)
{
    const struct esp *own = &machine->esps[esp];
    struct installed found = {.file = FAT_NO_FILE, .entry = NO_INDEX};

    if (own->status != ST_OK)
        return found;
    found.file = fat_find(&own->report, path);
    if (found.file != FAT_NO_FILE) {
        const struct file_content *content = &own->contents[found.file];
        found.sound = content->status == ST_OK && content->mark == PE_MARK_SHADOWBOOT &&
                      content->program == PE_GOOD;
        found.version = found.sound ? content->version : 0;
    }
    for (size_t i = 0; i < machine->entry_count && found.entry == NO_INDEX; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry_is_tried(entry) && installed_entry_is_own(entry, path) &&
            entry->boot.partition == own->partition)
            found.entry = i;
    }
    return found;
}

const char *installed_version_text(struct arena *arena, uint32_t version)
{
    const char *text = arena_printf(arena, "%u.%u.%u", version >> (2 * PART_BITS) & PART_MASK,
                                    version >> PART_BITS & PART_MASK, version & PART_MASK);

    return text == NULL ? "" : text;
}

/* What one member's ESP lacks of what stands on another. */
static void audit_one(struct collector *to, const struct machine *machine, size_t esp,
                      const char *path, uint32_t newest)
{
    struct installed own = installed_at(machine, esp, path);
    size_t partition = machine->esps[esp].partition;

    if (machine->esps[esp].status != ST_OK || !machine->esps[esp].contents_read)
        return;
    if (own.file == FAT_NO_FILE && own.entry != NO_INDEX)
        return; /* which is said of the entry */
    if (!own.sound) {
        collect_at_partition(to, FINDING_INSTALL_MISSING, partition,
                             own.file == FAT_NO_FILE ? "" : " What lies in its place is damaged.");
        return;
    }
    if (own.version < newest)
        collect_at_partition(to, FINDING_INSTALL_OLDER, partition,
                             arena_printf(to->arena, " %s instead of %s.",
                                          installed_version_text(to->arena, own.version),
                                          installed_version_text(to->arena, newest)));
    if (own.entry == NO_INDEX)
        collect_at_partition(to, FINDING_INSTALL_NO_ENTRY, partition, "");
}

void audit_installed(struct collector *to, const struct machine *machine, const struct roles *roles)
{
    const char *path = installed_path(to->arena, machine);
    bool anywhere = false;
    uint32_t newest = 0;

    if (path == NULL) {
        to->status = ST_NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < roles->member_count; i++) {
        if (roles->members[i].esp == NO_INDEX)
            continue;
        struct installed own = installed_at(machine, roles->members[i].esp, path);
        anywhere |= own.file != FAT_NO_FILE || own.entry != NO_INDEX;
        newest = own.version > newest ? own.version : newest;
    }
    for (size_t i = 0; anywhere && i < roles->member_count; i++) {
        if (roles->members[i].esp != NO_INDEX)
            audit_one(to, machine, roles->members[i].esp, path, newest);
    }
}
