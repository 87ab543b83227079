#include "trial.h"

#include "audit/compare_esps.h"
#include "audit/esp_path.h"
#include "audit/lead.h"
#include "system.h"
#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"

static bool is_same(const struct esp *esp, size_t file, const struct esp *other, size_t twin)
{
    return twin != FAT_NO_FILE && esp->contents[file].status == ST_OK &&
           other->contents[twin].status == ST_OK && esp_files_equal(esp, file, other, twin);
}

/* --- The same loader on another system's disk ------------------------------------------------- */

/* True when the file is what the loader goes by: which system it starts stands there. */
static bool is_setting(const struct esp *esp, size_t loader, const struct program *program,
                       size_t file)
{
    const char *path = trial_path_of(esp, file);

    if (text_equal(program->name, "systemd-boot"))
        return !esp->report.files[file].is_directory &&
               (esp_path_is_in(path, "\\loader\\entries") || esp_path_is_in(path, KERNEL_FOLDER));
    if (esp_path_is_in(trial_path_of(esp, loader), FALLBACK_FOLDER))
        return text_equal_nocase(esp_path_name(path), "grub.cfg");
    return program_beside(esp, trial_path_of(esp, loader), "grub.cfg") == file;
}

/* True when the other ESP has the loader, and all that it goes by, with the same content. */
static bool has_same_loader(const struct esp *esp, size_t loader, const struct program *program,
                            const struct esp *other)
{
    bool found = false;

    for (size_t i = 0; other->status == ST_OK && i < other->report.file_count && !found; i++)
        found = other->contents[i].is_program && is_same(esp, loader, other, i);
    for (size_t i = 0; found && i < esp->report.file_count; i++) {
        if (is_setting(esp, loader, program, i))
            found = is_same(esp, i, other, fat_find(&other->report, trial_path_of(esp, i)));
    }
    return found;
}

/* --- Other loaders on the members' disks ------------------------------------------------------ */

/* True for a loader in a place of its own: the removable-media path is a copy of one. */
static bool is_loader(const struct machine *machine, const struct esp *esp, size_t file)
{
    return esp->contents[file].is_program &&
           !esp_path_is_in(trial_path_of(esp, file), FALLBACK_FOLDER) &&
           lead_is_other_loader(program_of(machine, esp, file).kind);
}

/* True when both have loaders, and none in the place where the other has one. */
static bool loaders_disagree(const struct machine *machine, const struct esp *esp,
                             const struct esp *other)
{
    bool other_has = false;
    bool has = false;

    for (size_t i = 0; other->status == ST_OK && i < other->report.file_count; i++)
        other_has |= is_loader(machine, other, i);
    for (size_t i = 0; i < esp->report.file_count; i++) {
        if (!is_loader(machine, esp, i))
            continue;
        has = true;
        if (other->status == ST_OK &&
            fat_find(&other->report, trial_path_of(esp, i)) != FAT_NO_FILE)
            return false;
    }
    return has && other_has;
}

/* --- Both ------------------------------------------------------------------------------------- */

/* The first fixed disk that is no member and may have a system of its own; NO_INDEX without any. */
static size_t other_system(const struct trial *trial)
{
    for (size_t i = 0; i < trial->machine->disk_count; i++) {
        if (!trial->machine->disks[i].removable && roles_member_on(trial->roles, i) == NO_INDEX &&
            system_may_be_another_on(trial->machine, i))
            return i;
    }
    return NO_INDEX;
}

/* The disk whose system the loader may start as well as this one; NO_INDEX for none. */
static size_t find_rival(const struct trial *trial, const struct esp *esp, size_t loader,
                         const struct program *program)
{
    const struct machine *machine = trial->machine;
    size_t rival = other_system(trial);

    for (size_t i = 0; i < machine->esp_count && rival != NO_INDEX; i++) {
        const struct esp *other = &machine->esps[i];
        size_t disk = machine->partitions[other->partition].disk;
        bool member = roles_member_on(trial->roles, disk) != NO_INDEX;
        if (member && other != esp && loaders_disagree(machine, esp, other))
            return rival;
        if (!member && !machine->disks[disk].removable && system_may_be_another_on(machine, disk) &&
            has_same_loader(esp, loader, program, other))
            return disk;
    }
    return NO_INDEX;
}

enum outcome trial_whose(struct trial *trial, const struct esp *esp, size_t loader,
                         const struct program *program)
{
    size_t rival = find_rival(trial, esp, loader, program);

    if (rival == NO_INDEX)
        return STARTS;
    return trial_because(
        trial, UNKNOWN,
        arena_printf(trial->arena,
                     "Disk %zu may have a system of its own, and whether %s starts "
                     "that one or this cannot be told.",
                     rival, trial_path_of(esp, loader)));
}
