#include "plan/esp_files.h"

#include "audit/compare_esps.h"
#include "audit/lead.h"
#include "audit/program.h"
#include "base/text.h"
#include "format/fat/fat_edit.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "plan/place.h"
#include "plan/start_files.h"

#define ARCHIVE      0x20u
#define NAMES_SHOWN  3
#define VOLUME_STATE "\\System Volume Information"
#define STORE_NAME   "BCD"
#define ALL_FILES    "\\"

/* What of the source is asked for. */
enum wanted {
    WANT_ALL,       /* for a fresh file system */
    WANT_REST,      /* of the ESP it takes the place of: what was not taken from the source */
    WANT_DIFFERENT, /* what the target lacks or has otherwise */
    WANT_MENDING,   /* what the target lacks or has in a bad state */
};

struct left_out {
    size_t count;
    const char *first;
};

/* One ESP that files are taken from, held against another. */
struct gathering {
    struct plan *plan;
    enum wanted wanted;
    size_t from; /* index into machine.esps */
    const struct esp *source;
    const struct esp *target; /* NULL: none */
    const size_t *order;      /* of the source's files */
    const size_t *twins;      /* of the source's files on the target */
    const char *path;
    bool for_linux; /* the ESP that others go by starts no Windows */
    const struct start_files
        *only;           /* what the machine is started by; NULL: all that is at `path` */
    bool *taken;         /* by index of the source's files */
    const bool *on_twin; /* WANT_REST: what was taken from the other one */
    struct file_copy *items;
    size_t count;
    struct left_out inexact;
    struct left_out bad;
    struct left_out crossed; /* a file in the place of a directory, or the other way round */
};

static void leave_out(struct left_out *io_list, const char *path)
{
    if (io_list->count++ == 0)
        io_list->first = path;
}

static bool is_at_or_in(const char *path, const char *folder)
{
    return text_equal(folder, ALL_FILES) || text_equal_nocase(path, folder) ||
           esp_path_is_in(path, folder);
}

bool esp_files_readable(const struct esp *esp)
{
    const struct fat_report *report = &esp->report;

    return esp->status == ST_OK && !esp->volume.from_backup &&
           (!fat_report_has_damage(report) || fat_edit_is_possible(report));
}

/* True when the ESP's boot store is known to be unusable. One whose log holds the rest is not. */
static bool store_is_bad(const struct esp *esp)
{
    if (esp->store_status == ST_OK)
        return !boot_store_is_usable(esp) ||
               (esp->store_end != BCD_STARTS && esp->store_end != BCD_NOT_UNDERSTOOD);
    return esp->store_status != ST_ABSENT && esp->store_status != ST_UNSUPPORTED;
}

/* True for what this machine is started by, whichever ESP an entry names it on. */
static bool is_started(const struct machine *machine, const char *path)
{
    if (text_equal_nocase(path, BOOT_MANAGER_PATH) || text_equal_nocase(path, machine->fallback))
        return true;
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->in_order && entry->boot.partition != NO_INDEX && entry->boot.file != NULL &&
            text_equal_nocase(path, entry->boot.file))
            return true;
    }
    return false;
}

/* True when the file is known to be of no use. A whole program for another kind of machine may lie
 * on an ESP, but not where this one is started from. */
static bool is_bad(const struct machine *machine, const struct esp *esp, size_t index)
{
    const struct fat_file *file = &esp->report.files[index];
    const struct file_content *content = &esp->contents[index];

    if (text_equal_nocase(file->path, BOOT_STORE_PATH) && store_is_bad(esp))
        return true;
    if (esp_content_is_bad(file, content))
        return true;
    return content->status == ST_OK && content->is_program && content->program != PE_GOOD &&
           is_started(machine, file->path);
}

static bool is_usable(const struct machine *machine, const struct esp *esp, size_t index)
{
    const struct fat_file *file = &esp->report.files[index];

    return file->exact_name && (file->is_directory || !is_bad(machine, esp, index));
}

/* True when firmware of this machine can start the file, as far as is known. */
static bool can_be_started(const struct machine *machine, const struct esp *esp, size_t index)
{
    const struct file_content *content = &esp->contents[index];

    return !is_bad(machine, esp, index) &&
           (content->status != ST_OK || content->program == PE_GOOD);
}

/* --- The source ----------------------------------------------------------------------------- */

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
            can_be_started(machine, esp, i))
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
    return program != FAT_NO_FILE && can_be_started(machine, esp, program);
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

size_t esp_files_source(const struct machine *machine, const struct roles *roles, size_t disk)
{
    size_t source = NO_INDEX;

    for (int how = 0; how < KNOWN_BY_COUNT && source == NO_INDEX; how++)
        source = best_source(machine, roles, disk, (enum known_by)how);
    return source;
}

/* --- What is asked for ---------------------------------------------------------------------- */

/* Never brought. Journals stay where they are when only the file system around them is new. */
static bool is_excluded(const struct gathering *g, const char *path)
{
    bool journal = is_at_or_in(path, SHADOWBOOT_FOLDER) && g->wanted != WANT_REST;

    return journal || is_at_or_in(path, VOLUME_STATE);
}

/* The store in whose directory the file lies when the file is named as its logs are; FAT_NO_FILE
 * when it is not, or is the store itself. */
static size_t store_of_log(const struct gathering *g, const char *path)
{
    const char *name = esp_path_name(path);

    if (!text_has_prefix_nocase(name, STORE_NAME) || text_equal_nocase(name, STORE_NAME))
        return FAT_NO_FILE;
    const char *store = arena_printf(g->plan->arena, "%.*s" STORE_NAME, (int)(name - path), path);
    return store == NULL ? FAT_NO_FILE : fat_find(&g->source->report, store);
}

static bool kinds_differ(const struct gathering *g, size_t file, size_t twin)
{
    return g->source->report.files[file].is_directory != g->target->report.files[twin].is_directory;
}

/* What the target has under the name; FAT_NO_FILE for nothing. What is asked for first on a fresh
 * file system gives way to nothing of the other kind. */
static size_t twin_of(const struct gathering *g, size_t file)
{
    size_t twin = g->twins == NULL ? FAT_NO_FILE : g->twins[file];
    bool ignored = twin != FAT_NO_FILE && g->wanted == WANT_ALL && kinds_differ(g, file, twin);

    return ignored ? FAT_NO_FILE : twin;
}

/* True when the twin starts another kind of system than the file does: whoever has put it there has
 * meant it, and it is no older or newer copy of the same. */
static bool starts_another(const struct gathering *g, size_t file, size_t twin)
{
    const struct machine *machine = g->plan->machine;
    enum program_kind own = program_of(machine, g->source, file).kind;
    enum program_kind other = program_of(machine, g->target, twin).kind;

    return (own == PROGRAM_WINDOWS && lead_is_other_loader(other)) ||
           (other == PROGRAM_WINDOWS && lead_is_other_loader(own));
}

/* True when the file is to take its twin's place, whatever state it is in itself. */
static bool replaces_twin(const struct gathering *g, size_t file, size_t twin)
{
    const char *path = g->source->report.files[file].path;

    switch (g->wanted) {
    case WANT_ALL:
        return !esp_path_is_own_state(path) || !is_usable(g->plan->machine, g->target, twin);
    case WANT_REST:
        return !g->on_twin[twin];
    case WANT_DIFFERENT:
        return is_bad(g->plan->machine, g->target, twin) ||
               (!esp_path_is_own_state(path) &&
                !esp_files_equal(g->source, file, g->target, twin) &&
                !starts_another(g, file, twin));
    case WANT_MENDING:
        break;
    }
    return is_bad(g->plan->machine, g->target, twin);
}

/* Whether a log whose store comes along comes as well. */
static bool log_is_wanted(const struct gathering *g, size_t file, size_t twin)
{
    if (twin == FAT_NO_FILE || g->wanted == WANT_ALL)
        return true;
    if (g->wanted == WANT_REST)
        return !g->on_twin[twin];
    return is_bad(g->plan->machine, g->target, twin) ||
           !esp_files_equal(g->source, file, g->target, twin);
}

/* What becomes of a log is what becomes of its store: to another one it means nothing, or harm. */
static bool is_wanted(const struct gathering *g, size_t file)
{
    size_t twin = twin_of(g, file);
    size_t store = store_of_log(g, g->source->report.files[file].path);

    if (store == FAT_NO_FILE)
        return twin == FAT_NO_FILE || replaces_twin(g, file, twin);
    size_t other = twin_of(g, store);
    bool store_comes = is_usable(g->plan->machine, g->source, store) &&
                       (other == FAT_NO_FILE || replaces_twin(g, store, other));
    return store_comes && log_is_wanted(g, file, twin);
}

/* True when a directory on the way to the path is a file on the target. */
static bool is_under_file(const struct gathering *g, const char *path)
{
    for (size_t i = 0; g->crossed.count > 0 && i < g->target->report.file_count; i++) {
        const struct fat_file *file = &g->target->report.files[i];
        if (!file->is_directory && esp_path_is_in(path, file->path))
            return true;
    }
    return false;
}

/* True for what lies at the path that is asked for, and for the directories that lead there. */
static bool is_covered(const struct gathering *g, const struct fat_file *file)
{
    if (g->only != NULL)
        return start_files_cover(g->only, file->path) ||
               (file->is_directory && start_files_lead_through(g->only, file->path));
    return is_at_or_in(file->path, g->path) ||
           (file->is_directory && esp_path_is_in(g->path, file->path));
}

/* True when a part of the path is a short name such as "RESOUR~1": the long one that went with it
 * is gone, and in the new file system it may be somebody else's. */
static bool has_lost_name(const char *path)
{
    bool upper = true;

    for (; *path != '\0'; path++) {
        if (*path == '\\')
            upper = true;
        upper = upper && !(*path >= 'a' && *path <= 'z');
        if (upper && path[0] == '~' && path[1] >= '1' && path[1] <= '9')
            return true;
    }
    return false;
}

static bool name_is_exact(const struct gathering *g, const struct fat_file *file)
{
    return file->exact_name && (g->wanted != WANT_REST || !has_lost_name(file->path));
}

/* --- Gathering ------------------------------------------------------------------------------ */

static void take(struct gathering *g, size_t index)
{
    const struct fat_file *file = &g->source->report.files[index];

    g->taken[index] = true;
    g->items[g->count++] = (struct file_copy){
        .path = file->path,
        .is_directory = file->is_directory,
        .attributes = file->attributes & ESP_FILES_ATTRIBUTES,
        .written = file->written,
        .size = file->is_directory ? 0 : file->size,
        .esp = file->is_directory || file->size == 0 ? NO_INDEX : g->from,
        .file = index,
    };
}

static void consider_file(struct gathering *g, size_t index)
{
    const struct fat_file *file = &g->source->report.files[index];
    size_t twin = twin_of(g, index);

    if (!is_wanted(g, index))
        return;
    if (!name_is_exact(g, file))
        leave_out(&g->inexact, file->path);
    else if (is_usable(g->plan->machine, g->source, index))
        take(g, index);
    else if (twin == FAT_NO_FILE || is_bad(g->plan->machine, g->target, twin))
        leave_out(&g->bad, file->path); /* else the target's own does */
}

static void consider(struct gathering *g, size_t index)
{
    const struct fat_file *file = &g->source->report.files[index];
    size_t twin = twin_of(g, index);

    if ((twin != FAT_NO_FILE && kinds_differ(g, index, twin)) || is_under_file(g, file->path)) {
        leave_out(&g->crossed, file->path);
        return;
    }
    if (!file->is_directory)
        consider_file(g, index);
    else if (!name_is_exact(g, file))
        leave_out(&g->inexact, file->path);
    else if (twin == FAT_NO_FILE || g->wanted == WANT_ALL)
        take(g, index);
}

/* Goes through the source's files, a directory before what is in it. */
static void gather(struct gathering *g)
{
    const struct fat_file *files = g->source->report.files;
    const char *last = "";

    for (size_t i = 0; i < g->source->report.file_count; i++) {
        const struct fat_file *file = &files[g->order[i]];
        /* A damaged directory may have one name twice: the first is what a driver finds. */
        if (text_equal_nocase(last, file->path))
            continue;
        last = file->path;
        if (is_covered(g, file) && !is_excluded(g, file->path))
            consider(g, g->order[i]);
    }
}

/* --- The removable-media file --------------------------------------------------------------- */

/* True when it will be there, in a good state. */
static bool will_have(const struct gathering *g, const struct esp *esp, const char *path)
{
    size_t file = esp == NULL ? FAT_NO_FILE : fat_find(&esp->report, path);

    for (size_t i = 0; i < g->count; i++) {
        if (text_equal_nocase(g->items[i].path, path))
            return true;
    }
    return file != FAT_NO_FILE &&
           (esp->report.files[file].is_directory || !is_bad(g->plan->machine, esp, file));
}

static bool is_file(const struct esp *esp, const char *path)
{
    size_t found = esp == NULL ? FAT_NO_FILE : fat_find(&esp->report, path);

    return found != FAT_NO_FILE && !esp->report.files[found].is_directory;
}

/* \EFI\BOOT\BOOT<ARCH>.EFI from Windows' boot manager, as Windows' own setup makes it. `target` is
 * the ESP whose files stay; NULL for a fresh one. */
static enum status add_fallback(struct gathering *g, const struct esp *target)
{
    static const char folder[] = FALLBACK_FOLDER;
    const char *path = g->plan->machine->fallback;
    size_t manager = fat_find(&g->source->report, BOOT_MANAGER_PATH);

    if (g->for_linux || !is_at_or_in(path, g->path) || manager == FAT_NO_FILE ||
        !is_usable(g->plan->machine, g->source, manager) ||
        !can_be_started(g->plan->machine, g->source, manager) || will_have(g, target, path) ||
        is_file(target, folder))
        return ST_OK;
    const struct fat_file *file = &g->source->report.files[manager];
    if (!will_have(g, target, folder))
        g->items[g->count++] = (struct file_copy){
            .path = folder, .is_directory = true, .written = file->written, .esp = NO_INDEX};
    g->items[g->count++] = (struct file_copy){.path = path,
                                              .attributes = ARCHIVE,
                                              .written = file->written,
                                              .size = file->size,
                                              .esp = g->from,
                                              .file = manager};
    return ST_OK;
}

/* --- What to say ---------------------------------------------------------------------------- */

static void warn_of_left_out(struct gathering *g, const struct left_out *list, const char *why)
{
    if (list->count > 0)
        plan_warn(
            g->plan, "Left out of what is on %s, because %s: %s%s.",
            place_text(g->plan->arena, g->plan->machine, g->source->partition), why, list->first,
            list->count == 1 ? "" : arena_printf(g->plan->arena, " and %zu more", list->count - 1));
}

static void warn(struct gathering *g)
{
    warn_of_left_out(g, &g->inexact, "the name cannot be copied exactly");
    warn_of_left_out(g, &g->bad, "it is damaged or cannot be read");
    warn_of_left_out(g, &g->crossed, "where one has a file the other has a folder of that name");
}

/* --- Lists ---------------------------------------------------------------------------------- */

/* True when the ESP starts its system by a boot manager that is not Windows' own. */
static bool starts_linux(const struct machine *machine, const struct esp *esp)
{
    size_t program = esp->status == ST_OK ? esp_boot_program(machine, esp) : FAT_NO_FILE;

    if (program == FAT_NO_FILE)
        return false;
    enum program_kind kind = program_of(machine, esp, program).kind;
    return kind == PROGRAM_SHIM || kind == PROGRAM_SHIM_FALLBACK || kind == PROGRAM_LOADER;
}

/* `against` is NO_INDEX for none. The items are put behind `items`, which needs room for all. */
static enum status start(struct plan *plan, enum wanted wanted, size_t from, size_t against,
                         struct gathering *ret_gathering)
{
    const struct machine *machine = plan->machine;
    struct gathering g = {.plan = plan,
                          .wanted = wanted,
                          .from = from,
                          .source = &machine->esps[from],
                          .path = ALL_FILES};
    size_t count = g.source->report.file_count;

    /* What is mended is what the others go by. */
    g.for_linux = starts_linux(machine, wanted == WANT_MENDING && against != NO_INDEX
                                            ? &machine->esps[against]
                                            : g.source);
    if (against != NO_INDEX) {
        g.target = &machine->esps[against];
        g.twins = esp_twins(plan->arena, g.source, g.target);
    }
    g.order = esp_sorted_files(plan->arena, g.source);
    g.taken = arena_alloc(plan->arena, count, sizeof(*g.taken));
    if (g.order == NULL || g.taken == NULL || (against != NO_INDEX && g.twins == NULL))
        return ST_NO_MEMORY;
    *ret_gathering = g;
    return ST_OK;
}

/* Room for all files of both, the removable-media file and its directory. */
static struct file_copy *room_for(struct plan *plan, size_t source, size_t old)
{
    const struct esp *esps = plan->machine->esps;
    size_t count = esps[source].report.file_count + 2;

    if (old != NO_INDEX)
        count += esps[old].report.file_count;
    return arena_alloc(plan->arena, count, sizeof(struct file_copy));
}

/* Adds what the old file system has besides. */
static enum status add_rest(struct gathering *io_first, size_t old)
{
    struct gathering rest;

    enum status status = start(io_first->plan, WANT_REST, old, io_first->from, &rest);
    if (status != ST_OK)
        return status;
    rest.items = io_first->items;
    rest.count = io_first->count;
    rest.on_twin = io_first->taken;
    gather(&rest);
    warn(&rest);
    status = add_fallback(&rest, NULL);
    io_first->count = rest.count;
    return status;
}

/* Takes only what the machine is started by from the gathering's source. */
static enum status restrict_to_start(struct gathering *io_gathering)
{
    struct start_files *only = arena_alloc(io_gathering->plan->arena, 1, sizeof(*only));

    if (only == NULL)
        return ST_NO_MEMORY;
    io_gathering->only = only;
    return start_files_find(io_gathering->plan->arena, io_gathering->plan->machine,
                            io_gathering->source, !io_gathering->for_linux, only);
}

enum status esp_files_fresh(struct plan *plan, size_t source, size_t old, enum files_wanted wanted,
                            struct files_change *ret_files)
{
    struct gathering g;

    if (old != NO_INDEX && plan->machine->esps[old].status != ST_OK)
        old = NO_INDEX;
    enum status status = start(plan, WANT_ALL, source, old, &g);
    if (status == ST_OK && wanted == FILES_OF_START)
        status = restrict_to_start(&g);
    if (status != ST_OK)
        return status;
    g.items = room_for(plan, source, old);
    if (g.items == NULL)
        return ST_NO_MEMORY;
    gather(&g);
    warn(&g);
    if (old != NO_INDEX)
        status = add_rest(&g, old);
    if (status == ST_OK)
        status = add_fallback(&g, NULL);
    if (status == ST_OK)
        status = plan->status;
    if (status == ST_OK)
        *ret_files = (struct files_change){g.items, g.count};
    return status;
}

static enum status bring(struct plan *plan, enum wanted wanted, size_t source, size_t target,
                         const char *path, struct files_change *ret_files)
{
    struct gathering g;

    if (path != NULL && !text_equal(path, ALL_FILES) &&
        fat_find(&plan->machine->esps[source].report, path) == FAT_NO_FILE)
        return ST_ABSENT;
    enum status status = start(plan, wanted, source, target, &g);
    if (status == ST_OK && path == NULL)
        status = restrict_to_start(&g);
    if (status != ST_OK)
        return status;
    g.path = path == NULL ? ALL_FILES : path;
    g.items = room_for(plan, source, NO_INDEX);
    if (g.items == NULL)
        return ST_NO_MEMORY;
    gather(&g);
    status = add_fallback(&g, g.target);
    warn(&g);
    if (status == ST_OK)
        status = plan->status;
    if (status == ST_OK)
        *ret_files = (struct files_change){g.items, g.count};
    return status;
}

enum status esp_files_update(struct plan *plan, size_t source, size_t target, const char *path,
                             struct files_change *ret_files)
{
    return bring(plan, WANT_DIFFERENT, source, target, path, ret_files);
}

enum status esp_files_mend(struct plan *plan, size_t source, size_t target, const char *path,
                           struct files_change *ret_files)
{
    return bring(plan, WANT_MENDING, source, target, path, ret_files);
}

/* True when the list has it: then it comes from the source, whatever its name there is. */
static bool is_listed(const struct files_change *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (text_equal_nocase(files->items[i].path, path))
            return true;
    }
    return false;
}

enum status esp_files_tell_others(struct plan *plan, size_t source, size_t target, const char *path,
                                  const struct files_change *files)
{
    struct arena *arena = plan->arena;
    const struct fat_file *own = plan->machine->esps[target].report.files;
    struct gathering g;
    const char *names = "";
    size_t count = 0;

    enum status status = start(plan, WANT_DIFFERENT, target, source, &g);
    if (status != ST_OK)
        return status;
    g.path = path;
    for (size_t i = 0; i < g.source->report.file_count; i++) {
        const char *name = own[i].path;
        bool counts = !own[i].is_directory && g.twins[i] == FAT_NO_FILE &&
                      is_covered(&g, &own[i]) && !is_excluded(&g, name) &&
                      !esp_path_is_own_state(name) && !is_listed(files, name);
        if (counts && count++ < NAMES_SHOWN && names != NULL)
            names = arena_printf(arena, "%s%s%s", names, count == 1 ? "" : ", ", name);
    }
    if (count == 0)
        return ST_OK;
    plan_warn(plan, "Files that only %s has stay as they are: %s%s.",
              place_text(arena, plan->machine, g.source->partition), names,
              count <= NAMES_SHOWN ? ""
                                   : arena_printf(arena, " and %zu more", count - NAMES_SHOWN));
    return plan->status;
}
