#include "esp_gathering.h"

#include "audit/compare_esps.h"
#include "audit/esp_path.h"
#include "audit/lead.h"
#include "audit/program.h"
#include "audit/secure.h"
#include "base/text.h"
#include "esp_usable.h"
#include "model/boot_paths.h"

#define VOLUME_STATE "\\System Volume Information"
#define STORE_NAME   "BCD"
#define POLICY_PATH  MICROSOFT_FOLDER "\\Boot\\SkuSiPolicy.p7b"

/* True when the twin starts another kind of system than the file does: whoever has put it there has
 * meant it, and it is no older or newer copy of the same. Shim with nothing to go on to starts
 * none. */
static bool starts_another(const struct gathering *g, size_t file, size_t twin)
{
    const struct machine *machine = g->plan->machine;
    enum program_kind own = program_of(machine, g->source, file).kind;
    enum program_kind other = program_of(machine, g->target, twin).kind;

    if (program_is_bare_shim(machine, g->target, g->target->report.files[twin].path))
        return false;
    return (own == PROGRAM_WINDOWS && lead_is_other_loader(other)) ||
           (other == PROGRAM_WINDOWS && lead_is_other_loader(own));
}

/* --- Ways of asking ------------------------------------------------------------------------- */

/* What belongs to each ESP itself stays, as long as it can be used. */
static bool is_shared_or_unusable(const struct gathering *g, size_t file, size_t twin)
{
    return !esp_path_is_own_state(g->source->report.files[file].path) ||
           !esp_file_is_usable(g->plan->machine, g->target, twin);
}

static bool is_not_taken(const struct gathering *g, size_t file, size_t twin)
{
    (void)file;
    return !g->on_twin[twin];
}

static bool is_better(const struct gathering *g, size_t file, size_t twin)
{
    (void)file;
    return esp_file_is_bad(g->plan->machine, g->target, twin);
}

static bool is_better_or_differs(const struct gathering *g, size_t file, size_t twin)
{
    return is_better(g, file, twin) || !esp_files_equal(g->source, file, g->target, twin);
}

/* True for the policy that firmware may be locked to, as Windows keeps it: which of two is the newer
 * one does not stand in them, and below an older one the boot manager does not start (KB5042562). */
static bool is_kept_policy(const struct gathering *g, const char *path)
{
    return g->source->source != NULL && text_equal_nocase(path, POLICY_PATH);
}

static bool is_better_or_newer(const struct gathering *g, size_t file, size_t twin)
{
    const char *path = g->source->report.files[file].path;

    return is_better(g, file, twin) ||
           (!esp_path_is_own_state(path) && !is_kept_policy(g, path) &&
            !esp_files_equal(g->source, file, g->target, twin) && !starts_another(g, file, twin));
}

static bool always(const struct gathering *g, size_t file, size_t twin)
{
    (void)g;
    (void)file;
    (void)twin;
    return true;
}

const struct wish wish_for_all = {
    .replaces = is_shared_or_unusable, .replaces_log = always, .fresh = true};
const struct wish wish_for_rest = {
    .replaces = is_not_taken, .replaces_log = is_not_taken, .is_rest = true};
const struct wish wish_for_different = {
    .replaces = is_better_or_newer, .replaces_log = is_better_or_differs, .only_files = true};
const struct wish wish_for_windows = {.replaces = is_better_or_newer,
                                      .replaces_log = is_better_or_differs,
                                      .only_files = true,
                                      .of_windows = true};
const struct wish wish_for_mending = {.replaces = is_better,
                                      .replaces_log = is_better_or_differs,
                                      .others_go_by_it = true,
                                      .only_files = true};

/* --- What is asked for ---------------------------------------------------------------------- */

bool path_is_at_or_in(const char *path, const char *folder)
{
    return text_equal(folder, ALL_FILES) || text_equal_nocase(path, folder) ||
           esp_path_is_in(path, folder);
}

bool gathering_excludes(const struct gathering *g, const char *path)
{
    bool journal = path_is_at_or_in(path, SHADOWBOOT_FOLDER) && !g->wish->is_rest;

    bool variables = text_equal_nocase(path, BOOT_VARIABLES_PATH) && !g->wish->is_rest;

    return journal || variables || path_is_at_or_in(path, VOLUME_STATE);
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

bool gathering_kinds_differ(const struct gathering *g, size_t file, size_t twin)
{
    return g->source->report.files[file].is_directory != g->target->report.files[twin].is_directory;
}

size_t gathering_twin(const struct gathering *g, size_t file)
{
    size_t twin = g->twins == NULL ? FAT_NO_FILE : g->twins[file];
    bool ignored = twin != FAT_NO_FILE && g->wish->fresh && gathering_kinds_differ(g, file, twin);

    return ignored ? FAT_NO_FILE : twin;
}

bool gathering_wants(const struct gathering *g, size_t file)
{
    size_t twin = gathering_twin(g, file);
    size_t store = store_of_log(g, g->source->report.files[file].path);

    if (store == FAT_NO_FILE)
        return twin == FAT_NO_FILE || g->wish->replaces(g, file, twin);
    size_t other = gathering_twin(g, store);
    bool store_comes = esp_file_is_usable(g->plan->machine, g->source, store) &&
                       (other == FAT_NO_FILE || g->wish->replaces(g, store, other));
    return store_comes && (twin == FAT_NO_FILE || g->wish->replaces_log(g, file, twin));
}

bool gathering_is_older(const struct gathering *g, size_t file, size_t twin)
{
    const struct pe_signers *own = g->source->contents[file].signers;
    const struct pe_signers *other =
        g->target == NULL || twin == FAT_NO_FILE ? NULL : g->target->contents[twin].signers;

    return g->source->source != NULL && !g->too_new && own != NULL && other != NULL &&
           own->has_version && other->has_version && own->version < other->version &&
           !esp_file_is_bad(g->plan->machine, g->target, twin);
}

bool gathering_is_worse(const struct gathering *g, size_t file, size_t twin)
{
    return g->target != NULL && twin != FAT_NO_FILE && !g->wish->is_rest &&
           secure_is_loaded_by_firmware(g->plan->machine, g->target, twin) &&
           secure_keeps(g->plan->machine, &g->target->contents[twin], &g->source->contents[file]) &&
           !esp_file_is_bad(g->plan->machine, g->target, twin);
}

bool gathering_has_file_above(const struct gathering *g, const char *path)
{
    for (size_t i = 0; g->crossed.count > 0 && i < g->target->report.file_count; i++) {
        const struct fat_file *file = &g->target->report.files[i];
        if (!file->is_directory && esp_path_is_in(path, file->path))
            return true;
    }
    return false;
}

bool gathering_covers(const struct gathering *g, const struct fat_file *file)
{
    if (g->only != NULL)
        return start_files_cover(g->only, file->path) ||
               (file->is_directory && start_files_lead_through(g->only, file->path));
    return path_is_at_or_in(file->path, g->path) ||
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

bool gathering_knows_name(const struct gathering *g, const struct fat_file *file)
{
    return file->exact_name && (!g->wish->is_rest || !has_lost_name(file->path));
}
