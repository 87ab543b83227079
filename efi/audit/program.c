#include "audit/program.h"

#include "audit/esp_path.h"
#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"
#include "model/contents.h"

/* How many loaders are listed at most: nobody reads more. */
#define LOADERS_MAX 32

/* True when the two are the same program. Contents that were not read are told by size. */
static bool is_copy_of(const struct esp *esp, size_t file, const struct esp *other, size_t twin)
{
    if (esp->report.files[file].size != other->report.files[twin].size)
        return false;
    if (esp->contents[file].status == ST_OK && other->contents[twin].status == ST_OK)
        return content_equal(&esp->contents[file], &other->contents[twin]);
    return !esp->contents_read;
}

/* How much a place counts among those of files with one content. Under Windows' own path lies now
 * and then another loader, for firmware that starts nothing else. Contents that were not read are
 * taken for Windows' boot manager first. */
static int kind_weight(const struct program *program, bool contents_read)
{
    if (program->kind == PROGRAM_UNKNOWN)
        return 0;
    if (program->kind == PROGRAM_TOOL)
        return contents_read ? 1 : 0;
    return (program->kind == PROGRAM_WINDOWS) == contents_read ? 2 : 3;
}

/* What the places of files with this content tell, the file itself among them. */
static struct program program_by_copies(const struct machine *machine, const struct esp *esp,
                                        size_t file)
{
    struct program found = {PROGRAM_UNKNOWN, "", PROGRAM_ANY_SYSTEM, false};

    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *other = &machine->esps[i];
        for (size_t j = 0; other->status == ST_OK && j < other->report.file_count; j++) {
            if (!other->contents[j].is_program || !is_copy_of(esp, file, other, j))
                continue;
            struct program program = program_at(other->report.files[j].path);
            if (kind_weight(&program, esp->contents_read) > kind_weight(&found, esp->contents_read))
                found = program;
        }
    }
    return found;
}

struct program program_of(const struct machine *machine, const struct esp *esp, size_t file)
{
    const char *path = esp->report.files[file].path;
    struct program by_mark = program_by_mark(esp->contents[file].mark);
    struct program by_place = program_at(path);

    /* fb<arch>.efi and mm<arch>.efi carry shim's own mark. */
    if (by_mark.kind == PROGRAM_SHIM &&
        (by_place.kind == PROGRAM_SHIM_FALLBACK || by_place.kind == PROGRAM_TOOL))
        return by_place;
    if (by_mark.kind != PROGRAM_UNKNOWN)
        return by_mark;
    if (by_place.kind != PROGRAM_UNKNOWN && !text_equal_nocase(path, BOOT_MANAGER_PATH))
        return by_place;
    return program_by_copies(machine, esp, file);
}

/* True for a sound file of the same size whose content is another one. */
static bool is_other_content(const struct esp *esp, size_t file, const struct esp *other,
                             size_t twin)
{
    const struct file_content *content = &other->contents[twin];

    return esp->report.files[file].size == other->report.files[twin].size &&
           content->status == ST_OK && content->program == PE_GOOD &&
           content->checksum != esp->contents[file].checksum;
}

bool program_is_changed(const struct machine *machine, const struct esp *esp, size_t file)
{
    const char *path = esp->report.files[file].path;
    const char *fallback = machine->fallback;
    const char *copy = text_equal_nocase(path, BOOT_MANAGER_PATH) ? fallback
                       : text_equal_nocase(path, fallback)        ? BOOT_MANAGER_PATH
                                                                  : path;
    const char *const paths[] = {path, copy};
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *other = &machine->esps[i];
        for (size_t j = 0; j < 2 && other->status == ST_OK; j++) {
            size_t twin = fat_find(&other->report, paths[j]);
            if (twin != FAT_NO_FILE && is_other_content(esp, file, other, twin))
                return true;
        }
    }
    return false;
}

static bool is_sound(const struct esp *esp, size_t file)
{
    const struct file_content *content = &esp->contents[file];

    if (!content->is_program || esp->report.files[file].is_directory ||
        esp->report.files[file].size == 0 || esp->report.files[file].status != ST_OK)
        return false;
    /* Where only the checksum is stale the program starts all the same. */
    return content->status == ST_UNSUPPORTED ||
           (content->status == ST_OK &&
            (content->program == PE_GOOD || content->program == PE_BAD_CHECKSUM));
}

/* True when both files are directly in one folder. */
static bool is_same_folder(const char *path, const char *other)
{
    size_t length = (size_t)(esp_path_name(path) - path);

    if ((size_t)(esp_path_name(other) - other) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text_lower(path[i]) != text_lower(other[i]))
            return false;
    }
    return true;
}

size_t program_beside(const struct esp *esp, const char *path, const char *name)
{
    for (size_t i = 0; i < esp->report.file_count; i++) {
        const char *other = esp->report.files[i].path;
        if (text_equal_nocase(esp_path_name(other), name) && is_same_folder(path, other))
            return i;
    }
    return FAT_NO_FILE;
}

size_t program_second_stage(const struct machine *machine, const struct esp *esp, const char *path)
{
    char name[32];
    struct text_buffer text;

    text_buffer_init(&text, name, sizeof(name));
    text_buffer_printf(&text, "grub%s.efi", machine->architecture);
    size_t file = program_beside(esp, path, name);
    return file != FAT_NO_FILE ? file : program_beside(esp, path, "grub.efi");
}

bool program_is_bare_shim(const struct machine *machine, const struct esp *esp, const char *path)
{
    size_t file = fat_find(&esp->report, path);
    char name[32];
    struct text_buffer text;

    text_buffer_init(&text, name, sizeof(name));
    text_buffer_printf(&text, "fb%s.efi", machine->architecture);
    return file != FAT_NO_FILE && program_of(machine, esp, file).kind == PROGRAM_SHIM &&
           program_beside(esp, path, name) == FAT_NO_FILE &&
           program_second_stage(machine, esp, path) == FAT_NO_FILE;
}

/* The loaders of an ESP, one of each system. */
struct search {
    const struct machine *machine;
    const struct esp *esp;
    size_t files[LOADERS_MAX];
    int ranks[LOADERS_MAX];
    size_t count;
};

#define RANK_NAMED 8 /* an entry names it */

/* The first entry that names the path, on whatever ESP; NULL when none does. */
static const struct entry *entry_naming(const struct machine *machine, const char *path)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->status == ST_OK && entry->boot.file != NULL &&
            text_equal_nocase(entry->boot.file, path))
            return entry;
    }
    return NULL;
}

/* How good the file is for an entry, among those of its folder; 0: not at all. */
static int rank_of(const struct search *search, size_t file, const struct program *program)
{
    const char *path = search->esp->report.files[file].path;
    bool named = entry_naming(search->machine, path) != NULL;
    int rank = named ? RANK_NAMED : 0;

    switch (program->kind) {
    case PROGRAM_WINDOWS:
        return rank + 4;
    case PROGRAM_SHIM: {
        size_t stage = program_second_stage(search->machine, search->esp, path);
        return stage != FAT_NO_FILE && is_sound(search->esp, stage) ? rank + 3 : 0;
    }
    case PROGRAM_LOADER:
        return rank + 2;
    case PROGRAM_UNKNOWN:
        return named ? rank + 1 : 0;
    default:
        return 0;
    }
}

static const char *describe(struct arena *arena, const struct search *search, size_t file)
{
    const char *path = search->esp->report.files[file].path;
    const struct entry *entry = entry_naming(search->machine, path);
    struct program program = program_of(search->machine, search->esp, file);
    struct span folder = program_folder(path);

    if (entry != NULL && entry->description[0] != '\0')
        return entry->description;
    if (program.kind == PROGRAM_WINDOWS)
        return program.name;
    if (folder.at == NULL || esp_path_is_in(path, FALLBACK_FOLDER))
        return "UEFI OS";
    if (esp_path_is_in(path, KERNEL_FOLDER))
        return esp_path_name(path);
    return arena_printf(arena, "%.*s", (int)folder.size, (const char *)folder.at);
}

/* The listed loader of the same system; the end of the list when there is none. */
static size_t find_listed(const struct search *search, const char *path)
{
    size_t i = 0;

    if (esp_path_is_in(path, KERNEL_FOLDER))
        return search->count;
    while (i < search->count &&
           !is_same_folder(search->esp->report.files[search->files[i]].path, path))
        i++;
    return i;
}

/* Lists the file, or puts it in the place of a worse one of the same system. */
static void list_loader(struct search *search, size_t file)
{
    const char *path = search->esp->report.files[file].path;
    struct program program = program_of(search->machine, search->esp, file);
    int rank = rank_of(search, file, &program);
    size_t at = find_listed(search, path);

    if (rank == 0 || at == LOADERS_MAX || (at < search->count && rank <= search->ranks[at]))
        return;
    search->files[at] = file;
    search->ranks[at] = rank;
    search->count += at == search->count;
}

/* True for a file that is looked at before the removable-media path and kernels are. */
static bool is_first_choice(const struct search *search, size_t file)
{
    const char *path = search->esp->report.files[file].path;
    bool own_place = program_folder(path).at != NULL || text_equal_nocase(path, BOOT_MANAGER_PATH);

    if (esp_path_is_in(path, FALLBACK_FOLDER) || esp_path_is_in(path, KERNEL_FOLDER))
        return false;
    return own_place || entry_naming(search->machine, path) != NULL;
}

static bool is_kernel(const struct search *search, size_t file)
{
    return esp_path_is_in(search->esp->report.files[file].path, KERNEL_FOLDER);
}

static bool is_fallback(const struct search *search, size_t file)
{
    return text_equal_nocase(search->esp->report.files[file].path, search->machine->fallback);
}

/* The best first, those of one rank as they were. */
static void sort_loaders(struct search *search)
{
    for (size_t i = 1; i < search->count; i++) {
        size_t file = search->files[i];
        int rank = search->ranks[i];
        size_t j = i;
        for (; j > 0 && search->ranks[j - 1] < rank; j--) {
            search->files[j] = search->files[j - 1];
            search->ranks[j] = search->ranks[j - 1];
        }
        search->files[j] = file;
        search->ranks[j] = rank;
    }
}

/* Searches by one choice after the other, until there are loaders. */
static void search_loaders(struct search *search, bool with_fallback)
{
    static bool (*const choices[])(const struct search *search,
                                   size_t file) = {is_first_choice, is_kernel, is_fallback};
    size_t count = with_fallback ? 3 : 2;

    for (size_t i = 0; search->esp->status == ST_OK && search->count == 0 && i < count; i++) {
        for (size_t file = 0; file < search->esp->report.file_count; file++) {
            if (is_sound(search->esp, file) && choices[i](search, file))
                list_loader(search, file);
        }
    }
    sort_loaders(search);
}

size_t program_main_loader(const struct machine *machine, const struct esp *esp)
{
    struct search search = {.machine = machine, .esp = esp};

    search_loaders(&search, false);
    return search.count == 0 ? FAT_NO_FILE : search.files[0];
}

enum status program_loaders(struct arena *arena, const struct machine *machine,
                            const struct esp *esp, struct loaders *ret_loaders)
{
    struct search search = {.machine = machine, .esp = esp};

    search_loaders(&search, true);
    struct loader *found = arena_alloc(arena, search.count, sizeof(*found));
    if (found == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < search.count; i++) {
        found[i] =
            (struct loader){search.files[i], describe(arena, &search, search.files[i]), NULL};
        if (found[i].description == NULL)
            return ST_NO_MEMORY;
    }
    *ret_loaders = (struct loaders){found, search.count};
    return ST_OK;
}
