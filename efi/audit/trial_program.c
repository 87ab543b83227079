#include "trial.h"

#include "audit/esp_path.h"
#include "audit/program.h"
#include "audit/secure.h"
#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"

/* What one kind of program comes to. */
typedef enum outcome run_fn(struct trial *trial, const struct esp *esp, size_t file,
                            const struct program *program);

/* "\EFI\BOOT\BOOTX64.EFI is a memory tester<what>" */
static enum outcome because_it_is(struct trial *trial, enum outcome outcome, const char *path,
                                  const struct program *program, const char *what)
{
    return trial_because(trial, outcome,
                         arena_printf(trial->arena, "%s is %s%s", path, program->name, what));
}

static bool is_windows(const struct trial *trial)
{
    return trial->roles->kind == BOOT_LDM || trial->roles->kind == BOOT_PLAIN;
}

/* The program starts a system, and which one cannot be told from it. */
static enum outcome try_any_system(struct trial *trial, const char *path)
{
    if (trial->roles->kind == BOOT_LDM || trial->roles->kind == BOOT_MD)
        return trial_system(trial);
    return trial_because(trial, UNKNOWN,
                         arena_printf(trial->arena,
                                      "What %s goes on to start is on no volume that could be "
                                      "looked into.",
                                      path));
}

/* --- Windows' boot manager, tools, and what nobody knows ------------------------------------ */

static enum outcome run_windows(struct trial *trial, const struct esp *esp, size_t file,
                                const struct program *program)
{
    if (trial->roles->kind != BOOT_MD)
        return trial_store(trial, esp);
    bool has_store = esp->store_status == ST_UNSUPPORTED || boot_store_is_usable(esp);
    return because_it_is(trial, has_store ? ELSEWHERE : FAILS, trial_path_of(esp, file), program,
                         ", which does not start the system on the md array.");
}

static enum outcome run_tool(struct trial *trial, const struct esp *esp, size_t file,
                             const struct program *program)
{
    return because_it_is(trial, program->is_own ? GOES_ON : FAILS, trial_path_of(esp, file),
                         program, ", which starts no system.");
}

/* The entry by which the machine starts its system now: the first one that is tried and leads to a
 * program, and no tool, on the ESP it starts from. */
static const char *path_started_now(const struct trial *trial)
{
    const struct machine *machine = trial->machine;
    size_t index = trial->roles->start_esp;

    for (size_t i = 0; index != NO_INDEX && i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        const struct esp *esp = &machine->esps[index];
        if (!entry_is_tried(entry) || entry->boot.partition != esp->partition ||
            entry->boot.file == NULL)
            continue;
        size_t file = esp->status == ST_OK ? fat_find(&esp->report, entry->boot.file) : FAT_NO_FILE;
        if (file != FAT_NO_FILE && program_of(machine, esp, file).kind != PROGRAM_TOOL)
            return entry->boot.file;
    }
    return NULL;
}

/* A loader that Windows made the entry for (on Itanium it has no boot manager), or that starts the
 * system now. */
static enum outcome run_unknown(struct trial *trial, const struct esp *esp, size_t file,
                                const struct program *program)
{
    const char *path = trial_path_of(esp, file);
    const char *now = path_started_now(trial);

    (void)program;
    bool by_windows = trial->entry != NULL && entry_is_windows(trial->entry);
    if (by_windows || (now != NULL && text_equal_nocase(now, path)))
        return try_any_system(trial, path);
    return trial_because(trial, UNKNOWN,
                         arena_printf(trial->arena,
                                      "What %s is, and which system it starts, cannot be told.",
                                      path));
}

/* --- Loaders -------------------------------------------------------------------------------- */

/* True when the ESP has a file in `folder`, or deeper, whose name ends in `tail`. */
static bool has_file_in(const struct esp *esp, const char *folder, const char *tail)
{
    for (size_t i = 0; i < esp->report.file_count; i++) {
        const char *path = trial_path_of(esp, i);
        size_t length = text_length(path);
        size_t tail_length = text_length(tail);
        if (!esp->report.files[i].is_directory && esp_path_is_in(path, folder) &&
            length > tail_length && text_equal_nocase(path + length - tail_length, tail))
            return true;
    }
    return false;
}

static enum outcome try_systemd_boot(struct trial *trial, const struct esp *esp, size_t file)
{
    const char *path = trial_path_of(esp, file);

    if (has_file_in(esp, "\\loader\\entries", ".conf") || has_file_in(esp, KERNEL_FOLDER, ".efi"))
        return try_any_system(trial, path);
    if (!esp->report.listed)
        return trial_cut_short(trial);
    return trial_because(
        trial, UNKNOWN,
        arena_printf(trial->arena,
                     "%s is systemd-boot, and its ESP has neither entries in \\loader\\entries nor "
                     "kernels in " KERNEL_FOLDER " for it.",
                     path));
}

static enum outcome run_loader(struct trial *trial, const struct esp *esp, size_t file,
                               const struct program *program)
{
    const char *path = trial_path_of(esp, file);

    if (program->system == PROGRAM_OTHER_SYSTEM && trial->roles->kind != BOOT_NONE)
        return because_it_is(trial, ELSEWHERE, path, program,
                             ", which does not start the system of the mirror.");
    if (program->system == PROGRAM_LINUX && is_windows(trial))
        return because_it_is(trial, ELSEWHERE, path, program, ", which does not start Windows.");
    if (is_windows(trial))
        return because_it_is(trial, UNKNOWN, path, program,
                             ", and whether it goes on to Windows cannot be told.");
    enum outcome outcome = text_equal(program->name, "systemd-boot")
                               ? try_systemd_boot(trial, esp, file)
                               : try_any_system(trial, path);
    return outcome == STARTS ? trial_whose(trial, esp, file, program) : outcome;
}

/* --- Programs that others follow ------------------------------------------------------------- */

static enum outcome run_shim(struct trial *trial, const struct esp *esp, size_t file,
                             const struct program *program)
{
    (void)program;
    return trial_shim(trial, trial_program, esp, file);
}

static enum outcome run_shim_fallback(struct trial *trial, const struct esp *esp, size_t file,
                                      const struct program *program)
{
    (void)program;
    return trial_shim_fallback(trial, trial_program, esp, file);
}

/* --- Any program ---------------------------------------------------------------------------- */

/* What firmware makes of the file; STARTS when it starts it, and PERHAPS where it is lenient. */
static enum outcome try_image(struct trial *trial, const struct esp *esp, size_t file)
{
    const struct file_content *content = &esp->contents[file];
    const struct fat_file *listed = &esp->report.files[file];

    if (listed->is_directory || listed->status != ST_OK || listed->size == 0)
        return trial_because(
            trial, GOES_ON,
            arena_printf(trial->arena, "%s cannot be read from its ESP.", listed->path));
    if (!esp->contents_read)
        return STARTS;
    if (content->status != ST_OK)
        return trial_because(trial, GOES_ON,
                             arena_printf(trial->arena, "%s cannot be read: %s.", listed->path,
                                          status_text(content->status)));
    if (content->program == PE_GOOD)
        return STARTS;
    if (content->program == PE_BAD_CHECKSUM && !program_is_changed(trial->machine, esp, file))
        return trial_because(trial, PERHAPS,
                             arena_printf(trial->arena,
                                          "%s may be damaged: %s. Most firmware does not look at "
                                          "that, and it starts if nothing else is wrong with it.",
                                          listed->path, pe_verdict_text(content->program)));
    bool refused =
        pe_verdict_is_refused(content->program) || secure_refuses(trial->machine, content);
    return trial_because(trial, refused ? GOES_ON : FAILS,
                         arena_printf(trial->arena, "%s is damaged: %s.", listed->path,
                                      pe_verdict_text(content->program)));
}

/* "Secure Boot refuses \\EFI\\BOOT\\BOOTX64.EFI: its digest is in dbx." */
static enum outcome because_secure(struct trial *trial, enum outcome outcome, const char *what,
                                   const char *path, const struct secure_judgement *judgement)
{
    const char *reason = secure_reason(trial->arena, judgement);

    return trial_because(
        trial, outcome,
        reason == NULL ? NULL : arena_printf(trial->arena, "%s %s: %s.", what, path, reason));
}

/* A program that another one starts: shim has certificates of its own, and goes by dbx too. */
static bool is_refused_by_shim(enum secure_verdict verdict)
{
    return verdict == SECURE_FORBIDDEN || verdict == SECURE_DIGEST_FORBIDDEN ||
           verdict == SECURE_ALTERED;
}

/* What Secure Boot makes of a program that is whole; STARTS where it is off. */
static enum outcome try_secure(struct trial *trial, const struct esp *esp, size_t file)
{
    const struct file_content *content = &esp->contents[file];
    const char *path = trial_path_of(esp, file);

    if (!trial->machine->secure.on || content->status != ST_OK)
        return STARTS;
    const struct secure_boot *state = &trial->machine->secure;
    struct secure_judgement judgement = secure_judge(state, content->signers);
    trial->levels = secure_levels_by(state, trial->stage == 0 ? state->levels : trial->levels,
                                     content->signers);
    if (trial->stage > 0 && is_refused_by_shim(judgement.verdict))
        return because_secure(trial, FAILS, "Shim does not start", path, &judgement);
    if (trial->stage == 0 && secure_is_refused(judgement.verdict))
        return because_secure(trial, GOES_ON, "Secure Boot refuses", path, &judgement);
    if (trial->stage == 0 && judgement.verdict == SECURE_UNKNOWN)
        return because_secure(trial, UNKNOWN, "Whether Secure Boot takes it is not known of", path,
                              &judgement);
    if (judgement.below_level ||
        (trial->stage > 0 && secure_is_below_level(trial->levels, content->signers)))
        return trial_because(
            trial, FAILS,
            arena_printf(
                trial->arena,
                "Shim does not start %s: its level is below that of "
                "SbatLevel%s, or it has none.",
                path, span_equal(trial->levels, state->levels) ? "" : " as shim itself makes it"));
    if (judgement.least_svn > 0 && secure_checks_itself(content->signers))
        return trial_because(trial, PERHAPS,
                             arena_printf(trial->arena,
                                          "%s may refuse to go on: its security version number is "
                                          "below that in dbx.",
                                          path));
    return STARTS;
}

enum outcome trial_program(struct trial *trial, const struct esp *esp, size_t file,
                           bool needs_store)
{
    static run_fn *const runs[] = {
        [PROGRAM_UNKNOWN] = run_unknown, [PROGRAM_WINDOWS] = run_windows,
        [PROGRAM_SHIM] = run_shim,       [PROGRAM_SHIM_FALLBACK] = run_shim_fallback,
        [PROGRAM_LOADER] = run_loader,   [PROGRAM_TOOL] = run_tool,
    };
    enum outcome image = try_image(trial, esp, file);
    const char *why = trial->why;

    if (image != STARTS && image != PERHAPS)
        return image;
    enum outcome secure = try_secure(trial, esp, file);
    if (secure != STARTS && secure != PERHAPS)
        return secure;
    if (secure == PERHAPS) {
        image = PERHAPS;
        why = trial->why;
    }
    struct program program = program_of(trial->machine, esp, file);
    trial->doubtful |= image == PERHAPS;
    if (program.kind == PROGRAM_UNKNOWN && needs_store)
        program = program_at(BOOT_MANAGER_PATH);
    enum outcome outcome = runs[program.kind](trial, esp, file, &program);
    return outcome == STARTS && image == PERHAPS ? trial_because(trial, PERHAPS, why) : outcome;
}
