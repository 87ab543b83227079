#include "plan/esp_files.h"

#include "audit/compare_esps.h"
#include "audit/esp_path.h"
#include "audit/program.h"
#include "audit/secure.h"
#include "base/text.h"
#include "esp_gathering.h"
#include "esp_usable.h"
#include "model/boot_paths.h"
#include "plan/place.h"

#define NAMES_SHOWN 3

static void leave_out(struct left_out *io_list, const char *path)
{
    if (io_list->count++ == 0)
        io_list->first = path;
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
    size_t twin = gathering_twin(g, index);

    if (!gathering_wants(g, index))
        return;
    if (gathering_is_older(g, index, twin))
        leave_out(&g->older, file->path);
    else if (gathering_is_worse(g, index, twin))
        leave_out(&g->worse, file->path);
    else if (!gathering_knows_name(g, file))
        leave_out(&g->inexact, file->path);
    else if (esp_file_is_usable(g->plan->machine, g->source, index))
        take(g, index);
    else if (twin == FAT_NO_FILE || esp_file_is_bad(g->plan->machine, g->target, twin))
        leave_out(&g->bad, file->path); /* else the target's own does */
}

static void consider(struct gathering *g, size_t index)
{
    const struct fat_file *file = &g->source->report.files[index];
    size_t twin = gathering_twin(g, index);

    if ((twin != FAT_NO_FILE && gathering_kinds_differ(g, index, twin)) ||
        gathering_has_file_above(g, file->path)) {
        leave_out(&g->crossed, file->path);
        return;
    }
    if (file->is_directory && file->status != ST_OK && g->source->source != NULL)
        leave_out(&g->bad, file->path); /* what is in it cannot be brought */
    if (!file->is_directory)
        consider_file(g, index);
    else if (!gathering_knows_name(g, file))
        leave_out(&g->inexact, file->path);
    else if (twin == FAT_NO_FILE || g->wish->fresh)
        take(g, index);
}

/* True when something that comes lies in it; anywhere, for NULL. */
static bool leads_to_file(const struct gathering *g, const char *folder)
{
    for (size_t i = 0; i < g->count; i++) {
        if (!g->items[i].is_directory &&
            (folder == NULL || esp_path_is_in(g->items[i].path, folder)))
            return true;
    }
    return false;
}

/* A directory without anything in it is nothing that a start needs. Those that bcdboot makes come with
 * the files that Windows keeps, and not by themselves. */
static void drop_empty_directories(struct gathering *g)
{
    size_t kept = 0;

    for (size_t i = 0; i < g->count; i++) {
        g->taken[g->items[i].file] =
            !g->items[i].is_directory || leads_to_file(g, g->items[i].path);
    }
    for (size_t i = 0; i < g->count; i++) {
        if (g->taken[g->items[i].file])
            g->items[kept++] = g->items[i];
    }
    g->count = kept;
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
        if (gathering_covers(g, file) && !gathering_excludes(g, file->path))
            consider(g, g->order[i]);
    }
    if (g->wish->only_files &&
        (g->source->source == NULL || g->wish->of_windows || !leads_to_file(g, NULL)))
        drop_empty_directories(g);
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

/* The same for what cannot be brought as it is, and would have to be. One file that cannot be had is
 * no failure where others come; what somebody has to move away is. */
static void warn_of_undone(struct gathering *g, const struct left_out *list, const char *why)
{
    warn_of_left_out(g, list, why);
    if (list->count == 0)
        return;
    g->plan->left_out = true;
    if (g->plan->left_status == ST_OK && (g->count == 0 || list == &g->crossed))
        g->plan->left_status = ST_REFUSED;
}

/* Why the first of what is bad is. */
static const char *why_bad(const struct gathering *g)
{
    const struct machine *machine = g->plan->machine;
    const struct boot_source *kept = g->source->source;
    size_t file = g->bad.count == 0 ? FAT_NO_FILE : fat_find(&g->source->report, g->bad.first);

    if (file != FAT_NO_FILE && kept != NULL && !ntfs_form_is_read(kept->files[file].form))
        return arena_printf(g->plan->arena, "it is %s", ntfs_form_text(kept->files[file].form));
    if (file != FAT_NO_FILE && secure_refuses(machine, &g->source->contents[file])) {
        const struct secure_judgement judgement =
            secure_judge(&machine->secure, g->source->contents[file].signers);
        const char *reason = secure_reason(g->plan->arena, &judgement);
        return arena_printf(g->plan->arena, "Secure Boot, which is on, refuses it (%s)",
                            reason == NULL ? "" : reason);
    }
    return "it is damaged or cannot be read";
}

/* What Windows keeps comes also where it would be refused, as long as nothing better is there. */
static void warn_of_manager(struct gathering *g)
{
    const struct machine *machine = g->plan->machine;
    size_t file = fat_find(&g->source->report, BOOT_MANAGER_PATH);

    if (g->source->source == NULL || file == FAT_NO_FILE || !g->taken[file])
        return;
    const char *note = machine->copies[g->source->source->copy].twin;
    if (note != NULL && note[0] != '\0')
        plan_warn(g->plan, "The boot manager is that of before 2023.%s", note);
    const struct file_content *content = &g->source->contents[file];
    bool off = secure_would_refuse(machine, content);
    if (!off && !secure_refuses(machine, content))
        return;
    const struct secure_judgement judgement = secure_judge(&machine->secure, content->signers);
    const char *reason = secure_reason(g->plan->arena, &judgement);
    plan_warn(g->plan, "Secure Boot is %s refuse the boot manager that comes from %s: %s.",
              off ? "off; switched on, it would" : "on, and will",
              place_text(g->plan->arena, machine, g->source->partition),
              reason == NULL ? "" : reason);
}

static void warn_of_secure_unknown(struct gathering *g)
{
    if (g->count > 0 && secure_is_unknown(&g->plan->machine->secure))
        plan_warn(g->plan, "Secure Boot is not known here (shadowboot-linux: give "
                           "--efivars): it may refuse what is brought.");
}

static void warn(struct gathering *g)
{
    warn_of_secure_unknown(g);
    warn_of_undone(g, &g->inexact, "the name cannot be copied exactly");
    warn_of_undone(g, &g->bad, why_bad(g));
    warn_of_left_out(g, &g->older, "there is a newer version where it would go");
    warn_of_left_out(
        g, &g->worse,
        secure_is_unknown(&g->plan->machine->secure)
            ? "Secure Boot is not known here, and what is there has another signer, or "
              "a higher security version number"
            : "Secure Boot's lists trust what is there, and not this");
    warn_of_manager(g);
    warn_of_undone(g, &g->crossed,
                   "where one has a file the other has a folder of that name (move the wrong one "
                   "away)");
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
static enum status start_gathering(struct plan *plan, const struct wish *wish, size_t from,
                                   size_t against, struct gathering *ret_gathering)
{
    const struct machine *machine = plan->machine;
    struct gathering g = {.plan = plan,
                          .wish = wish,
                          .from = from,
                          .source = &machine->esps[from],
                          .path = ALL_FILES};
    size_t count = g.source->report.file_count;

    /* What is mended is what the others go by. */
    g.for_linux = starts_linux(
        machine, wish->others_go_by_it && against != NO_INDEX ? &machine->esps[against] : g.source);
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

    enum status status =
        start_gathering(io_first->plan, &wish_for_rest, old, io_first->from, &rest);
    if (status != ST_OK)
        return status;
    rest.items = io_first->items;
    rest.count = io_first->count;
    rest.on_twin = io_first->taken;
    gather(&rest);
    warn(&rest);
    gathering_add_fallback(&rest, NULL);
    io_first->count = rest.count;
    return ST_OK;
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
    enum status status = start_gathering(plan, &wish_for_all, source, old, &g);
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
        gathering_add_fallback(&g, NULL);
    if (status == ST_OK)
        status = plan->status;
    if (status == ST_OK)
        *ret_files = (struct files_change){g.items, g.count};
    return status;
}

static enum status bring(struct plan *plan, const struct wish *wish, size_t source, size_t target,
                         const char *path, struct files_change *ret_files)
{
    struct gathering g;

    if (path != NULL && !text_equal(path, ALL_FILES) &&
        fat_find(&plan->machine->esps[source].report, path) == FAT_NO_FILE)
        return ST_ABSENT;
    enum status status = start_gathering(plan, wish, source, target, &g);
    if (status == ST_OK && path == NULL)
        status = restrict_to_start(&g);
    if (status != ST_OK)
        return status;
    g.path = path == NULL ? ALL_FILES : path;
    g.items = room_for(plan, source, NO_INDEX);
    if (g.items == NULL)
        return ST_NO_MEMORY;
    gather(&g);
    gathering_add_fallback(&g, g.target);
    warn(&g);
    status = plan->status;
    if (status == ST_OK)
        *ret_files = (struct files_change){g.items, g.count};
    return status;
}

enum status esp_files_update(struct plan *plan, size_t source, size_t target, const char *path,
                             struct files_change *ret_files)
{
    return bring(plan, &wish_for_different, source, target, path, ret_files);
}

enum status esp_files_mend(struct plan *plan, size_t source, size_t target, const char *path,
                           struct files_change *ret_files)
{
    return bring(plan, &wish_for_mending, source, target, path, ret_files);
}

/* What goes with Windows on that copy, by the versions that it keeps. */
static void go_by_windows(struct gathering *g, const struct system_copy *copy)
{
    size_t manager = fat_find(&g->target->report, BOOT_MANAGER_PATH);
    const struct pe_signers *signers =
        manager == FAT_NO_FILE ? NULL : g->target->contents[manager].signers;

    g->newest = copy->managers[copy->managers[1] > copy->managers[0]];
    g->too_new =
        g->newest != 0 && signers != NULL && signers->has_version && signers->version > g->newest;
}

/* True when the boot manager of the source will be the target's. */
static bool brings_manager(const struct gathering *g)
{
    size_t manager = fat_find(&g->source->report, BOOT_MANAGER_PATH);

    return manager != FAT_NO_FILE &&
           (g->taken[manager] ||
            (g->twins[manager] != FAT_NO_FILE &&
             esp_files_equal(g->source, manager, g->target, g->twins[manager])));
}

enum status esp_files_of_windows(struct plan *plan, size_t source, size_t target,
                                 const struct system_copy *copy, struct files_change *ret_files)
{
    bool is_own = source == target;
    struct gathering g;
    enum status status = start_gathering(plan, &wish_for_windows, source, target, &g);

    if (status == ST_OK && !is_own)
        status = restrict_to_start(&g);
    if (status != ST_OK)
        return status;
    g.items = room_for(plan, source, NO_INDEX);
    if (g.items == NULL)
        return ST_NO_MEMORY;
    go_by_windows(&g, copy);
    if (!is_own)
        gather(&g);
    if (is_own || brings_manager(&g))
        gathering_add_fallback(&g, g.target);
    else
        g.count = 0;
    if (g.count > 0)
        warn(&g);
    *ret_files = (struct files_change){g.items, g.count};
    return plan->status;
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

    enum status status = start_gathering(plan, &wish_for_different, target, source, &g);
    if (status != ST_OK)
        return status;
    g.path = path;
    for (size_t i = 0; i < g.source->report.file_count; i++) {
        const char *name = own[i].path;
        bool counts = !own[i].is_directory && g.twins[i] == FAT_NO_FILE &&
                      gathering_covers(&g, &own[i]) && !gathering_excludes(&g, name) &&
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
