#include "audit/esp_path.h"
#include "base/text.h"
#include "esp_spare.h"
#include "format/fat/fat_layout.h"
#include "plan/esp_files.h"
#include "plan/esp_guard.h"
#include "plan/place.h"

#define NAMES_SHOWN 2
#define LONG_PIECE  13 /* characters of a long name in one entry of a directory */

/* True when no other directory of the list leads to this one. */
static bool is_topmost(const struct files_change *files, size_t index)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].is_directory &&
            esp_path_is_in(files->items[index].path, files->items[i].path))
            return false;
    }
    return true;
}

/*
 * Bytes that directory `top` of the list takes, with all new directories and files in it: worked
 * out as if its parent were the root of a new volume, which holds nothing else and takes one
 * cluster.
 */
static enum status directory_bytes(struct arena *arena, const struct files_change *files,
                                   size_t top, uint32_t unit, uint64_t *io_bytes)
{
    const char *path = files->items[top].path;
    size_t parent = (size_t)(esp_path_name(path) - path) - 1;
    size_t mark = arena_mark(arena);
    struct fat_entry_request *entries = arena_alloc(arena, files->count, sizeof(*entries));
    size_t count = 0;
    uint64_t bytes = 0;

    if (entries == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < files->count; i++) {
        const struct file_copy *item = &files->items[i];
        if (i == top || esp_path_is_in(item->path, path))
            entries[count++] = (struct fat_entry_request){.path = item->path + parent,
                                                          .is_directory = item->is_directory,
                                                          .size = item->size};
    }
    enum status status = fat_layout_bytes(arena, entries, count, unit, &bytes);
    arena_release(arena, mark);
    if (status == ST_OK)
        *io_bytes += bytes - unit;
    return status;
}

static enum status files_bytes(struct arena *arena, const struct files_change *files, uint32_t unit,
                               uint64_t *ret_bytes)
{
    uint64_t bytes = 0;
    enum status status = ST_OK;

    for (size_t i = 0; i < files->count && status == ST_OK; i++) {
        const struct file_copy *item = &files->items[i];
        if (!is_topmost(files, i) || item->before.size > 0 || item->goes)
            continue;
        if (item->is_directory)
            status = directory_bytes(arena, files, i, unit, &bytes);
        else
            bytes += (item->size + unit - 1) / unit * unit;
    }
    if (status == ST_OK)
        *ret_bytes = bytes;
    return status;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Entries that the name takes in its directory: one, and those of its long form if it has one. */
static uint32_t entries_of(const char *name)
{
    size_t length = text_length(name);
    size_t dot = length; /* the first */
    bool is_short = true;

    for (size_t i = 0; i < length; i++) {
        is_short = is_short && !is_lower(name[i]) && (name[i] != '.' || dot == length);
        dot = name[i] == '.' && dot == length ? i : dot;
    }
    if (is_short && dot <= 8 && length <= dot + 4)
        return 1;
    return (uint32_t)(1 + (length + LONG_PIECE - 1) / LONG_PIECE);
}

/* The root directory of FAT12 and FAT16 does not grow. What is in folders that are there needs
 * nothing of it. */
static enum status check_root(struct plan *plan, const struct esp *esp,
                              const struct files_change *files)
{
    const char *first = NULL;
    uint32_t need = 0;

    for (size_t i = 0; i < files->count && esp->report.root_entries > 0; i++) {
        const char *path = files->items[i].path;
        if (esp_path_name(path) != path + 1 || fat_find(&esp->report, path) != FAT_NO_FILE)
            continue;
        first = first == NULL ? path : first;
        need += entries_of(path + 1);
    }
    if (need <= esp->report.root_free)
        return ST_OK;
    return plan_refuse(
        plan, ST_NO_SPACE,
        "The root directory of %s is full: it has %u entries and does not grow, %u "
        "are free, and %s needs %u. Delete files from it, or put them into a folder, "
        "and run the command again.",
        place_text(plan->arena, plan->machine, esp->partition), esp->report.root_entries,
        esp->report.root_free, first, need);
}

enum status esp_files_check_room(struct plan *plan, size_t target, const struct files_change *files)
{
    const struct esp *esp = &plan->machine->esps[target];
    uint32_t unit = esp->volume.cluster_size;
    uint64_t clusters = esp->report.free_clusters + esp->report.problems[FAT_CHAIN_LOST];
    size_t disk = plan->machine->partitions[esp->partition].disk;
    char need[THOUSANDS_SIZE];
    char have[THOUSANDS_SIZE];
    char lack[THOUSANDS_SIZE];
    uint64_t bytes = 0;

    enum status status = files_bytes(plan->arena, files, unit, &bytes);
    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK)
        return plan_refuse(plan, status, "The files cannot be put on %s: %s.",
                           place_text(plan->arena, plan->machine, esp->partition),
                           status_text(status));
    if (bytes <= clusters * unit)
        return check_root(plan, esp, files);
    return plan_refuse(
        plan, ST_NO_SPACE,
        "The files need %s bytes on %s, beside what is there until they have taken "
        "its place, and %s bytes are free. Make room there for %s bytes more (in the "
        "Shell: rm) and run the command again. Or, where another disk starts the "
        "machine, delete that partition (diskpart), and \"shadowboot prepare %zu\" "
        "makes a larger one in free space.",
        format_thousands(bytes, need), place_text(plan->arena, plan->machine, esp->partition),
        format_thousands(clusters * unit, have), format_thousands(bytes - clusters * unit, lack),
        disk);
}

/* --- What to say ---------------------------------------------------------------------------- */

static bool takes_from(const struct files_change *files, size_t esp)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].esp == esp)
            return true;
    }
    return false;
}

/* ", from Disk 0 Partition 1 {...} and Disk 2 Partition 1 {...}"; "" when no file has content. */
static const char *sources_text(struct plan *plan, const struct files_change *files)
{
    const struct machine *machine = plan->machine;
    const char *text = "";

    for (size_t i = 0; i < machine->esp_count + machine->source_count && text != NULL; i++) {
        if (takes_from(files, i))
            text = arena_printf(plan->arena, "%s%s %s", text, text[0] == '\0' ? ", from" : " and",
                                place_text(plan->arena, machine, machine->esps[i].partition));
    }
    return text;
}

/* "\EFI, \EFI\BOOT and 13 more" */
static const char *names_text(struct arena *arena, const struct files_change *files)
{
    const char *names = files->items[0].path;

    if (files->count > 1)
        names = arena_printf(arena, "%s, %s", names, files->items[1].path);
    if (files->count > NAMES_SHOWN)
        names = arena_printf(arena, "%s and %zu more", names, files->count - NAMES_SHOWN);
    return names;
}

/* "21 files and 10 folders" */
static const char *count_text(struct arena *arena, const struct files_change *files)
{
    size_t folders = 0;

    for (size_t i = 0; i < files->count; i++)
        folders += files->items[i].is_directory;
    size_t count = files->count - folders;
    const char *and_folders = folders == 0 ? ""
                                           : arena_printf(arena, " and %zu %s", folders,
                                                          folders == 1 ? "folder" : "folders");
    return arena_printf(arena, "%zu %s%s", count, count == 1 ? "file" : "files", and_folders);
}

static const char *removal_text(struct plan *plan, size_t target, const struct files_change *files)
{
    const struct machine *machine = plan->machine;

    return arena_printf(plan->arena, "delete %s of %s: %s", count_text(plan->arena, files),
                        place_text(plan->arena, machine, machine->esps[target].partition),
                        names_text(plan->arena, files));
}

const char *esp_files_text(struct plan *plan, size_t target, const struct files_change *files)
{
    struct arena *arena = plan->arena;
    uint64_t bytes = 0;
    char size[SIZE_TEXT_SIZE];
    const char *to = "";

    if (files->items[0].goes)
        return removal_text(plan, target, files);
    for (size_t i = 0; i < files->count; i++)
        bytes += files->items[i].size;
    if (target != NO_INDEX)
        to = arena_printf(arena, " to %s",
                          place_text(arena, plan->machine, plan->machine->esps[target].partition));
    return arena_printf(arena, "bring %s, %s%s%s: %s", count_text(arena, files),
                        format_size(bytes, size), sources_text(plan, files), to,
                        names_text(arena, files));
}

enum status esp_files_fit(struct plan *plan, size_t target, struct files_change *io_files)
{
    const struct esp *esp = &plan->machine->esps[target];
    const struct files_change all = *io_files;
    enum status status = ST_NO_SPACE;
    enum spare spare = SPARE_NOTHING;

    for (; status == ST_NO_SPACE && spare < SPARE_COUNT; spare++) {
        status = esp_spare(plan, &all, spare, io_files);
        if (status == ST_OK && io_files->count > 0)
            status = esp_files_check_room(plan, target, io_files);
    }
    if (status != ST_OK)
        return status;
    plan->refusal = "";
    esp_spare_tell(plan, &all, io_files, spare - 1,
                   place_text(plan->arena, plan->machine, esp->partition));
    return plan->status;
}

enum status esp_files_plan(struct plan *plan, size_t target, const struct files_change *files)
{
    const struct partition *partition =
        &plan->machine->partitions[plan->machine->esps[target].partition];
    struct disk_change change = {.kind = DISK_CHANGE_FILES,
                                 .disk = partition->disk,
                                 .first_lba = partition->first_lba,
                                 .block_count = partition->block_count,
                                 .files = *files,
                                 .esp = target};

    if (files->count == 0)
        return ST_OK;
    enum status status = esp_guard_check(plan, plan->machine->esps[target].partition);
    if (status == ST_OK)
        status = esp_files_fit(plan, target, &change.files);
    if (status != ST_OK)
        return status;
    if (change.files.count > 0)
        plan_change_disk(plan, &change, esp_files_text(plan, target, &change.files));
    return plan->status;
}
