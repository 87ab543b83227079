#include "plan/start_files.h"

#include "audit/esp_path.h"
#include "audit/program.h"
#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"

/* What is there wherever it is. */
static const char *const usual[] = {
    FALLBACK_FOLDER, "\\EFI\\systemd", KERNEL_FOLDER, "\\loader", "\\grub", "\\grub2",
};

/* How kernels and what is loaded with them are called. */
static const char *const kernels[] = {"vmlinuz", "initr",       "linux",
                                      "bzImage", "intel-ucode", "amd-ucode"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* True when an entry names the file, whichever partition it names it on. */
static bool entry_names(const struct machine *machine, const char *path)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->status == ST_OK && entry->boot.file != NULL &&
            text_equal_nocase(entry->boot.file, path))
            return true;
    }
    return false;
}

static bool esp_starts_system(const struct machine *machine, const struct esp *esp, bool windows,
                              size_t file)
{
    enum program_kind kind = program_of(machine, esp, file).kind;

    if (kind == PROGRAM_UNKNOWN)
        return entry_names(machine, esp->report.files[file].path);
    return kind != PROGRAM_TOOL && (windows || kind != PROGRAM_WINDOWS);
}

/* How many folders the path goes through: 0 for what is in the root. */
static size_t folder_depth(const char *path)
{
    size_t depth = 0;

    for (size_t i = 1; path[i] != '\0'; i++)
        depth += path[i] == '\\';
    return depth;
}

/* The folder of a program, or the program alone where others' things lie beside it. */
static const char *link_place(struct arena *arena, const char *path)
{
    size_t length = (size_t)(esp_path_name(path) - path);

    if (folder_depth(path) == 0 ||
        (folder_depth(path) == 1 && text_has_prefix_nocase(path, "\\EFI\\")))
        return path;
    return arena_printf(arena, "%.*s", (int)(length - 1), path);
}

/* A kernel, or what is loaded with one, of a boot manager that finds them by its settings. */
static bool is_for_kernels(const struct fat_file *file)
{
    const char *name = esp_path_name(file->path);

    if (file->is_directory || text_has_prefix_nocase(file->path, "\\EFI\\"))
        return false;
    for (size_t i = 0; i < COUNT_OF(kernels); i++) {
        if (text_has_prefix_nocase(name, kernels[i]))
            return true;
    }
    return false;
}

enum status start_files_find(struct arena *arena, const struct machine *machine,
                             const struct esp *esp, bool windows, struct start_files *ret_files)
{
    size_t room = COUNT_OF(usual) + 1 + esp->report.file_count;
    const char **places = arena_alloc(arena, room, sizeof(*places));
    size_t count = 0;

    if (places == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < COUNT_OF(usual); i++)
        places[count++] = usual[i];
    if (windows)
        places[count++] = MICROSOFT_FOLDER;
    for (size_t i = 0; i < esp->report.file_count; i++) {
        const struct fat_file *file = &esp->report.files[i];
        const struct start_files so_far = {places, count};
        if (start_files_cover(&so_far, file->path))
            continue;
        bool starts = !file->is_directory && esp_starts_system(machine, esp, windows, i);
        if (!starts && !is_for_kernels(file))
            continue;
        places[count] = link_place(arena, file->path);
        if (places[count++] == NULL)
            return ST_NO_MEMORY;
    }
    *ret_files = (struct start_files){places, count};
    return ST_OK;
}

bool start_files_cover(const struct start_files *files, const char *path)
{
    if (esp_path_is_saved(path))
        return false;
    for (size_t i = 0; i < files->count; i++) {
        if (text_equal_nocase(path, files->places[i]) || esp_path_is_in(path, files->places[i]))
            return true;
    }
    return false;
}

bool start_files_lead_through(const struct start_files *files, const char *folder)
{
    for (size_t i = 0; i < files->count; i++) {
        if (esp_path_is_in(files->places[i], folder))
            return true;
    }
    return false;
}
