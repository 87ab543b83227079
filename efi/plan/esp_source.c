#include "plan/esp_files.h"

#include "audit/compare_esps.h"
#include "audit/program.h"
#include "audit/secure.h"
#include "esp_usable.h"
#include "model/boot_paths.h"

/* How the program is found by which an ESP starts its system: the best is tried first. */
enum known_by { KNOWN_BY_ENTRIES, KNOWN_BY_KIND, KNOWN_BY_PLACE, KNOWN_BY_COUNT };

/* The first boot manager that can be started, of whatever system. */
static size_t find_manager(const struct machine *machine, const struct esp *esp)
{
    for (size_t i = 0; i < esp->report.file_count; i++) {
        if (esp->report.files[i].is_directory || !esp->contents[i].is_program)
            continue;
        enum program_kind kind = program_of(machine, esp, i).kind;
        if ((kind == PROGRAM_WINDOWS || kind == PROGRAM_SHIM || kind == PROGRAM_LOADER) &&
            esp_file_can_start(machine, esp, i))
            return i;
    }
    return FAT_NO_FILE;
}

/* What the ESP starts its system by: the program that entries name, else any boot manager, else the
 * removable-media file of a system that has nothing else. */
static size_t starting_program(const struct machine *machine, const struct esp *esp,
                               enum known_by how)
{
    size_t program = esp_boot_program(machine, esp);

    if (how == KNOWN_BY_ENTRIES || program != FAT_NO_FILE)
        return how == KNOWN_BY_ENTRIES ? program : FAT_NO_FILE;
    if (how == KNOWN_BY_KIND)
        return find_manager(machine, esp);
    return fat_find(&esp->report, machine->fallback);
}

static bool can_be_source(const struct machine *machine, const struct esp *esp, enum known_by how)
{
    if (!esp_files_readable(esp))
        return false;
    size_t program = starting_program(machine, esp, how);
    return program != FAT_NO_FILE && esp_file_can_start(machine, esp, program);
}

static size_t best_source(const struct machine *machine, const struct roles *roles, size_t disk,
                          enum known_by how)
{
    size_t found = NO_INDEX;
    size_t now = roles->start_esp;

    if (now != NO_INDEX && machine->partitions[machine->esps[now].partition].disk != disk &&
        can_be_source(machine, &machine->esps[now], how))
        return now;
    for (size_t i = 0; i < roles->member_count; i++) {
        const struct member *member = &roles->members[i];
        if (member->disk == disk || member->esp == NO_INDEX ||
            !can_be_source(machine, &machine->esps[member->esp], how))
            continue;
        if (i == roles->primary)
            return member->esp;
        if (found == NO_INDEX)
            found = member->esp;
    }
    return found;
}

/* What a copy of Windows keeps, that on the disk itself before others: boot manager and Windows are
 * of one day then. */
static size_t best_kept(const struct machine *machine, size_t disk)
{
    size_t found = NO_INDEX;

    for (size_t i = machine->esp_count; i < machine->esp_count + machine->source_count; i++) {
        if (!can_be_source(machine, &machine->esps[i], KNOWN_BY_ENTRIES))
            continue;
        if (machine->partitions[machine->esps[i].partition].disk == disk)
            return i;
        if (found == NO_INDEX)
            found = i;
    }
    return found;
}

bool esp_has_manager(const struct machine *machine, const struct esp *esp)
{
    size_t manager = fat_find(&esp->report, BOOT_MANAGER_PATH);

    return manager != FAT_NO_FILE && program_of(machine, esp, manager).kind == PROGRAM_WINDOWS;
}

bool manager_is_refused(const struct machine *machine, size_t index)
{
    const struct esp *esp = &machine->esps[index];
    size_t manager = fat_find(&esp->report, BOOT_MANAGER_PATH);

    return manager != FAT_NO_FILE && secure_refuses(machine, &esp->contents[manager]);
}

bool esp_manager_starts(const struct machine *machine, size_t index)
{
    const struct esp *esp = &machine->esps[index];
    size_t manager = fat_find(&esp->report, BOOT_MANAGER_PATH);

    return manager != FAT_NO_FILE && esp_file_can_start(machine, esp, manager) &&
           !manager_is_refused(machine, index);
}

size_t esp_files_source(const struct machine *machine, const struct roles *roles, size_t disk)
{
    size_t source = NO_INDEX;

    for (int how = 0; how < KNOWN_BY_COUNT && source == NO_INDEX; how++)
        source = best_source(machine, roles, disk, (enum known_by)how);
    if (source != NO_INDEX &&
        (!roles->windows || (esp_has_manager(machine, &machine->esps[source]) &&
                             !manager_is_refused(machine, source))))
        return source;
    size_t kept = best_kept(machine, disk);
    return kept == NO_INDEX ? source : kept;
}
