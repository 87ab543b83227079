#include "trial.h"

#include "audit/esp_path.h"
#include "audit/program.h"
#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"

/* Shim, its fallback, shim again, GRUB: who starts more than that goes round in circles. */
#define STAGES_MAX 5u

/* A program that another one starts, which does not go on when this one cannot be started. */
static enum outcome try_stage(struct trial *trial, trial_fn *start, const struct esp *esp,
                              const char *by, size_t file)
{
    const struct file_content *content = &esp->contents[file];
    const char *path = trial_path_of(esp, file);
    bool bad = esp->contents_read &&
               (content->status != ST_OK ||
                (content->program != PE_GOOD && content->program != PE_BAD_CHECKSUM));

    if (bad || esp->report.files[file].is_directory || esp->report.files[file].status != ST_OK)
        return trial_because(
            trial, FAILS, arena_printf(trial->arena, "%s starts %s, which is damaged.", by, path));
    if (trial->stage++ >= STAGES_MAX)
        return trial_because(trial, FAILS,
                             arena_printf(trial->arena, "%s starts %s again and again.", by, path));
    enum outcome outcome = start(trial, esp, file, false);
    return outcome == GOES_ON ? FAILS : outcome;
}

/* True when GRUB at `path`, as distributions sign it, finds its settings: beside it, or, under the
 * removable-media path, in the distribution's folder. */
static bool has_grub_settings(const struct esp *esp, const char *path)
{
    if (program_beside(esp, path, "grub.cfg") != FAT_NO_FILE)
        return true;
    for (size_t i = 0; esp_path_is_in(path, FALLBACK_FOLDER) && i < esp->report.file_count; i++) {
        if (text_equal_nocase(esp_path_name(trial_path_of(esp, i)), "grub.cfg") &&
            program_folder(trial_path_of(esp, i)).at != NULL)
            return true;
    }
    return false;
}

/* GRUB beside shim is that of a distribution, signed for all machines: it knows of none of them but
 * what its settings say. */
static enum outcome try_signed_grub(struct trial *trial, trial_fn *start, const struct esp *esp,
                                    const char *shim, size_t grub)
{
    enum outcome outcome = try_stage(trial, start, esp, shim, grub);

    if ((outcome != STARTS && outcome != PERHAPS) ||
        has_grub_settings(esp, trial_path_of(esp, grub)) ||
        !text_equal(program_of(trial->machine, esp, grub).name, "GRUB"))
        return outcome;
    if (!esp->report.listed)
        return trial_cut_short(trial);
    return trial_because(trial, UNKNOWN,
                         arena_printf(trial->arena,
                                      "%s has no grub.cfg beside it, without which it may stop at "
                                      "a prompt.",
                                      trial_path_of(esp, grub)));
}

/* The first word of the load options from the character at `*io_at` on; NULL when there is none. */
static const char *next_option(struct trial *trial, const char *options, size_t *io_at)
{
    size_t start = *io_at;

    while (options[start] == ' ')
        start++;
    size_t end = start;
    while (options[end] != '\0' && options[end] != ' ')
        end++;
    *io_at = end;
    return end == start ? NULL
                        : arena_printf(trial->arena, "%.*s", (int)(end - start), options + start);
}

/* Where shim at `shim` looks for a program it is told to start: whole paths begin with "\EFI\" as
 * written here, of all others the name counts, in shim's own folder. */
static size_t find_stage(const struct esp *esp, const char *shim, const char *word)
{
    const char prefix[] = "\\EFI\\";

    for (size_t i = 0; i < sizeof(prefix) - 1; i++) {
        if (word[i] != prefix[i])
            return program_beside(esp, shim, esp_path_name(word));
    }
    return fat_find(&esp->report, word);
}

/* The second stage that the entry's load options name and that is there: their first word, or the
 * second one behind shim's own path. FAT_NO_FILE where shim takes its default. */
static size_t stage_of_options(struct trial *trial, const struct esp *esp, const char *shim)
{
    const struct entry *entry = trial->entry;
    size_t at = 0;

    if (entry == NULL || entry->optional_kind != OPTIONAL_OTHER ||
        entry->option.optional.size % 2 != 0)
        return FAT_NO_FILE;
    const char *options = text_shown_from_ucs2(trial->arena, entry->option.optional);
    const char *word = options == NULL ? NULL : next_option(trial, options, &at);
    size_t file = word == NULL ? FAT_NO_FILE : find_stage(esp, shim, word);
    if (file == FAT_NO_FILE || !text_equal_nocase(trial_path_of(esp, file), shim))
        return file;
    word = next_option(trial, options, &at);
    return word == NULL ? FAT_NO_FILE : find_stage(esp, shim, word);
}

/* The program that shim under the removable-media path prefers to all others; FAT_NO_FILE where it
 * is not there, or shim lies elsewhere. */
static size_t fallback_beside(struct trial *trial, const struct esp *esp, const char *shim)
{
    const char *name = arena_printf(trial->arena, "fb%s.efi", trial->machine->architecture);

    if (name == NULL || !text_has_prefix_nocase(shim, FALLBACK_PREFIX))
        return FAT_NO_FILE;
    return program_beside(esp, shim, name);
}

static enum outcome because_no_stage(struct trial *trial, const struct esp *esp, const char *shim)
{
    const char *name = trial->machine->architecture;
    char architecture[16] = "";

    if (!esp->report.listed)
        return trial_cut_short(trial);
    for (size_t i = 0; i + 1 < sizeof(architecture) && name[i] != '\0'; i++)
        architecture[i] = text_lower(name[i]);
    return trial_because(trial, FAILS,
                         arena_printf(trial->arena, "%s starts %.*sgrub%s.efi, which is not there.",
                                      shim, (int)(esp_path_name(shim) - shim), shim, architecture));
}

/* Shim starts its fallback, what load options name, or the GRUB in its own folder. */
enum outcome trial_shim(struct trial *trial, trial_fn *start, const struct esp *esp, size_t file)
{
    const char *path = trial_path_of(esp, file);
    size_t stage = fallback_beside(trial, esp, path);

    if (stage == FAT_NO_FILE)
        stage = stage_of_options(trial, esp, path);
    if (stage != FAT_NO_FILE)
        return try_stage(trial, start, esp, path, stage);
    stage = program_second_stage(trial->machine, esp, path);
    if (stage != FAT_NO_FILE)
        return try_signed_grub(trial, start, esp, path, stage);
    return because_no_stage(trial, esp, path);
}

/* --- Shim's fallback ------------------------------------------------------------------------ */

/* True when the list of this name is read in its folder: BOOT.CSV only without BOOT<ARCH>.CSV. */
static bool csv_counts(struct trial *trial, const struct esp *esp, const char *path)
{
    const char *name = arena_printf(trial->arena, "BOOT%s.CSV", trial->machine->architecture);

    if (program_folder(path).at == NULL || esp_path_is_in(path, FALLBACK_FOLDER) || name == NULL)
        return false;
    return text_equal_nocase(esp_path_name(path), name) ||
           (text_equal_nocase(esp_path_name(path), "BOOT.CSV") &&
            program_beside(esp, path, name) == FAT_NO_FILE);
}

/* The program of the first line that names one, beside the list; NULL when there is none. */
static const char *first_of_csv(struct trial *trial, const struct boot_csv *csv)
{
    struct program_csv_line line;
    struct span rest = csv->text;

    while (program_csv_next(trial->arena, &rest, &line)) {
        if (line.file[0] != '\0' && line.label[0] != '\0')
            return line.file;
    }
    return NULL;
}

static enum outcome try_csv(struct trial *trial, trial_fn *start, const struct esp *esp,
                            const char *by, const struct boot_csv *csv, const char *name)
{
    const char *path = trial_path_of(esp, csv->file);
    size_t file = program_beside(esp, path, name);

    if (file != FAT_NO_FILE)
        return try_stage(trial, start, esp, by, file);
    return trial_because(trial, FAILS,
                         arena_printf(trial->arena, "%s starts %.*s%s, which is not there.", by,
                                      (int)(esp_path_name(path) - path), path, name));
}

/* It makes an entry of each line of all lists, and starts the first one it made. The lists come in
 * the order of their folders, which can only be told when there is one. */
enum outcome trial_shim_fallback(struct trial *trial, trial_fn *start, const struct esp *esp,
                                 size_t file)
{
    const char *path = trial_path_of(esp, file);
    enum outcome outcome = GOES_ON;

    trial->entry = NULL;
    for (size_t i = 0; i < esp->csv_count; i++) {
        const struct boot_csv *csv = &esp->csvs[i];
        bool counts = csv_counts(trial, esp, trial_path_of(esp, csv->file));
        const char *name = counts ? first_of_csv(trial, csv) : NULL;
        if (name == NULL)
            continue;
        enum outcome own = try_csv(trial, start, esp, path, csv, name);
        if (outcome != GOES_ON && own != outcome)
            return trial_because(
                trial, UNKNOWN,
                arena_printf(trial->arena,
                             "Which of the lists BOOT%s.CSV %s starts from cannot be told.",
                             trial->machine->architecture, path));
        outcome = own;
    }
    if (outcome != GOES_ON)
        return outcome;
    if (!esp->report.listed || !esp->contents_read)
        return trial_cut_short(trial);
    return trial_because(trial, FAILS,
                         arena_printf(trial->arena,
                                      "%s finds no list \\EFI\\<folder>\\BOOT%s.CSV to start from.",
                                      path, trial->machine->architecture));
}
