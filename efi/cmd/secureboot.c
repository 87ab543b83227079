/* What Secure Boot trusts and forbids, and what it makes of this machine's boot files. */
#include "base/print.h"
#include "cmd/command.h"
#include "program.h"
#include "secure_rows.h"
#include "show.h"

/* --- The lists -------------------------------------------------------------------------------- */

static void show_certificate(struct context *context, const struct certificate *own)
{
    const char *use = secure_certificate_use(own);

    say(context, "      %s%s%s%s%s\n",
        own->name[0] == '\0' ? "a certificate without a name" : own->name,
        own->end[0] == '\0' ? "" : ", until ", own->end, use[0] == '\0' ? "" : ": ", use);
}

static void show_list(struct context *context, enum secure_list_id id)
{
    const struct secure_list *list = &context->machine.secure.lists[id];

    if (list->status == ST_ABSENT && id == SECURE_DBT)
        return;
    say(context, "%-4s", secure_list_name(id));
    if (list->status != ST_OK)
        say(context, " %s", list->status == ST_ABSENT ? "not there" : status_text(list->status));
    for (int i = 0; i < SIGNATURE_KIND_COUNT; i++) {
        if (list->counts[i] > 0)
            say(context, " %s: %zu", signature_kind_text((enum signature_kind)i), list->counts[i]);
    }
    const char *before = " security version numbers:";
    for (int i = 0; i < SVN_PROGRAM_COUNT; i++) {
        if (list->svns[i] == 0)
            continue;
        say(context, "%s %s %u.%u", before, svn_program_name((enum svn_program)i),
            list->svns[i] >> 16, list->svns[i] & 0xffff);
        before = ",";
    }
    say(context, "\n");
    for (size_t i = 0; i < list->certificate_count; i++)
        show_certificate(context, &list->certificates[i]);
}

static void show_state(struct context *context)
{
    const struct secure_boot *state = &context->machine.secure;
    struct rows rows = rows_of_tables(context);

    if (context->sfo) {
        rows_secure_state(&rows);
        for (int i = 0; i < SECURE_LIST_COUNT; i++)
            rows_secure_list(&rows, (enum secure_list_id)i);
        return;
    }
    say(context, "Secure Boot: %s\n\n", secure_state_text(state));
    for (int i = 0; state->status == ST_OK && i < SECURE_LIST_COUNT; i++)
        show_list(context, (enum secure_list_id)i);
    if (state->levels.size > 0)
        say(context, "shim's SbatLevel:\n%.*s\n", (int)state->levels.size,
            (const char *)state->levels.at);
}

/* --- The files -------------------------------------------------------------------------------- */

/* Has firmware load the file, and lets go of it. */
static void ask_firmware(struct context *context, struct secure_file *io_file)
{
    const struct partition *own = &context->machine.partitions[io_file->esp->partition];

    if (own->volume == NO_INDEX)
        return;
    io_file->answer =
        program_try_load(context, own->volume, io_file->esp->report.files[io_file->file].path)
            .status;
    if (io_file->answer == ST_OK)
        io_file->firmware = "accepted";
    else if (io_file->answer == ST_REFUSED)
        io_file->firmware = "refused";
    else
        io_file->firmware =
            arena_printf(context->arena, "not told (%s)", status_text(io_file->answer));
}

/* True when firmware, with Secure Boot on, has said the other thing. */
static bool contradicts(const struct context *context, const struct secure_file *file)
{
    enum secure_verdict verdict = file->judgement.verdict;

    if (!context->machine.secure.on || file->firmware == NULL)
        return false;
    return secure_is_refused(verdict) ? file->answer == ST_OK
                                      : verdict == SECURE_ACCEPTED && file->answer == ST_REFUSED;
}

/* What is to be believed: firmware where it has answered, else its lists. */
static bool is_refused(const struct context *context, const struct secure_file *file)
{
    bool answered = file->firmware != NULL && (file->answer == ST_OK || file->answer == ST_REFUSED);

    if (!answered)
        return secure_refuses(&context->machine, &file->esp->contents[file->file]);
    return context->machine.secure.on && file->answer == ST_REFUSED;
}

static void show_file(struct context *context, const struct secure_file *file)
{
    const char *reason = secure_reason(context->arena, &file->judgement);
    enum secure_verdict verdict = file->judgement.verdict;
    const char *word = verdict == SECURE_NOT_JUDGED ? "not judged"
                       : verdict == SECURE_UNKNOWN  ? "not known"
                       : secure_is_refused(verdict) ? "refused"
                                                    : "accepted";
    const char *signer = secure_signer_name(file);
    const char *version = secure_version_text(context->arena, file);
    const char *svn = secure_svn_text(context->arena, file);

    say(context, "  %s\n", file->esp->report.files[file->file].path);
    say(context, "      %s: %s.\n", word, reason == NULL ? "" : reason);
    if (signer[0] != '\0')
        say(context, "      Signed below %s.\n", signer);
    if (version != NULL && version[0] != '\0')
        say(context, "      Version %s%s%s.\n", version,
            svn == NULL || svn[0] == '\0' ? "" : ", security version number ",
            svn == NULL ? "" : svn);
    if (file->judgement.least_svn > 0)
        say(context, "      dbx asks boot managers for security version number %u.%u.\n",
            file->judgement.least_svn >> 16, file->judgement.least_svn & 0xffff);
    if (file->judgement.below_level)
        say(context, "      It stops itself: it is below the level of its SbatLevel.\n");
    if (file->firmware != NULL)
        say(context, "      Firmware says: %s.%s\n", file->firmware,
            contradicts(context, file)
                ? " That is not what its lists say: believe the firmware, and tell "
                  "its maker."
                : "");
}

/* Judges the files of one ESP. True when one is refused. */
static bool print_esp(struct context *context, const struct esp *esp, bool ask)
{
    bool refused = false;
    const struct machine *machine = &context->machine;
    const struct partition *own = &machine->partitions[esp->partition];
    struct rows rows = rows_of_tables(context);

    if (!context->sfo)
        say(context, "\nDisk %zu Partition %u\n", own->disk, own->number);
    for (size_t i = 0; i < esp->report.file_count; i++) {
        size_t mark = arena_mark(context->arena);
        if (esp->contents[i].status != ST_OK || !secure_is_loaded_by_firmware(machine, esp, i))
            continue;
        struct secure_file file = {.esp = esp,
                                   .file = i,
                                   .judgement =
                                       secure_judge(&machine->secure, esp->contents[i].signers)};
        if (ask)
            ask_firmware(context, &file);
        if (context->sfo)
            rows_secure_file(&rows, &file);
        else
            show_file(context, &file);
        refused |= is_refused(context, &file);
        arena_release(context->arena, mark);
    }
    return refused;
}

static void warn_of_asking(struct context *context)
{
    if (context->sfo)
        return;
    if (!context->machine.secure.on)
        say(context,
            "Secure Boot is off: what firmware says now it does not say of its lists.\n\n");
    if (context->ports->start.has_tpm)
        say(context, "Note: This machine has a TPM, which has noted each file that was loaded. "
                     "Restart before Windows is started, or BitLocker asks for its key.\n\n");
}

enum status cmd_secureboot(struct context *context)
{
    bool ask = option(context, "-ask") != NULL;
    bool refused = false;

    enum status status = context_scan(context, SCAN_FULL);
    if (status != ST_OK)
        return status;
    if (context->sfo)
        sfo_begin(context);
    show_state(context);
    if (ask)
        warn_of_asking(context);
    for (size_t i = 0; i < context->machine.esp_count; i++) {
        if (context->machine.esps[i].status == ST_OK)
            refused |= print_esp(context, &context->machine.esps[i], ask);
    }
    if (!context->sfo && !ask)
        say(context, "\nSignatures are not computed here: firmware does that when it loads a file "
                     "(shadowboot secureboot -ask). It does not go by dates.\n");
    return refused ? ST_DAMAGED : ST_OK;
}
