#include "esp_gathering.h"

#include "audit/secure.h"
#include "base/text.h"
#include "esp_usable.h"
#include "model/boot_paths.h"
#include "model/contents.h"

#define ARCHIVE 0x20u

static struct file_copy *find_item(const struct gathering *g, const char *path)
{
    for (size_t i = 0; i < g->count; i++) {
        if (text_equal_nocase(g->items[i].path, path))
            return &g->items[i];
    }
    return NULL;
}

/* A file of the ESP as it can be brought. */
static struct file_copy copy_of(const struct machine *machine, const struct esp *esp, size_t file)
{
    const struct fat_file *own = &esp->report.files[file];

    return (struct file_copy){.path = machine->fallback,
                              .attributes = ARCHIVE,
                              .written = own->written,
                              .size = own->size,
                              .esp = (size_t)(esp - machine->esps),
                              .file = file};
}

/* Finds Windows' boot manager on an ESP, if that can be started. */
static bool manager_on(const struct machine *machine, const struct esp *esp,
                       struct file_copy *ret_copy)
{
    size_t manager = esp == NULL ? FAT_NO_FILE : fat_find(&esp->report, BOOT_MANAGER_PATH);

    if (manager == FAT_NO_FILE || !esp_file_is_usable(machine, esp, manager) ||
        !esp_file_can_start(machine, esp, manager))
        return false;
    *ret_copy = copy_of(machine, esp, manager);
    return true;
}

/* The boot manager that will be there; where there is none, the source's. */
static bool find_manager_then(const struct gathering *g, const struct esp *target,
                              struct file_copy *ret_copy)
{
    const struct machine *machine = g->plan->machine;
    const struct file_copy *brought = find_item(g, BOOT_MANAGER_PATH);

    if (brought != NULL && brought->esp != NO_INDEX) {
        *ret_copy = copy_of(machine, &machine->esps[brought->esp], brought->file);
        return esp_file_can_start(machine, &machine->esps[brought->esp], brought->file);
    }
    return manager_on(machine, target, ret_copy) || manager_on(machine, g->source, ret_copy);
}

/* True for an earlier copy of Windows' boot manager, where Windows' own files are brought: its setup
 * writes both. One that is newer, or that firmware trusts more, stays. */
static bool is_outdated(const struct gathering *g, const struct file_content *there,
                        const struct file_copy *manager)
{
    const struct machine *machine = g->plan->machine;
    const struct file_content *own = &machine->esps[manager->esp].contents[manager->file];

    if ((g->source->source == NULL && !g->wish->of_windows) || there->status != ST_OK ||
        own->status != ST_OK || there->mark != PE_MARK_WINDOWS_MANAGER ||
        content_equal(there, own) || secure_keeps(machine, there, own))
        return false;
    return there->signers == NULL || own->signers == NULL || !there->signers->has_version ||
           !own->signers->has_version || there->signers->version <= own->signers->version ||
           (g->newest != 0 && there->signers->version > g->newest);
}

static bool old_copy_stays(const struct gathering *g, const struct esp *target,
                           const struct file_copy *manager)
{
    size_t file = target == NULL ? FAT_NO_FILE : fat_find(&target->report, manager->path);

    if (file == FAT_NO_FILE || esp_file_is_bad(g->plan->machine, target, file))
        return false;
    return target->report.files[file].is_directory ||
           !is_outdated(g, &target->contents[file], manager);
}

/* Adds the folder where there is none; false when a file has its name. */
static bool add_folder(struct gathering *g, const struct esp *target, struct date_time written)
{
    static const char folder[] = FALLBACK_FOLDER;
    size_t there = target == NULL ? FAT_NO_FILE : fat_find(&target->report, folder);

    if (there == FAT_NO_FILE && find_item(g, folder) == NULL)
        g->items[g->count++] = (struct file_copy){
            .path = folder, .is_directory = true, .written = written, .esp = NO_INDEX};
    return there == FAT_NO_FILE || target->report.files[there].is_directory;
}

void gathering_add_fallback(struct gathering *g, const struct esp *target)
{
    const char *path = g->plan->machine->fallback;
    struct file_copy manager;

    if (g->for_linux || !path_is_at_or_in(path, g->path) || find_item(g, path) != NULL ||
        !find_manager_then(g, target, &manager) || old_copy_stays(g, target, &manager))
        return;
    if (add_folder(g, target, manager.written))
        g->items[g->count++] = manager;
}
