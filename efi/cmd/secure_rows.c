#include "secure_rows.h"

#include "base/print.h"

/* Certificates of Microsoft, by the SHA-256 of their DER (microsoft/secureboot_objects). */
static const struct {
    uint8_t digest[8]; /* as much as tells them from everything that lies in a firmware */
    const char *use;
} known[] = {
    {{0xe8, 0xe9, 0x5f, 0x07, 0x33, 0xa5, 0x5e, 0x8b}, "Windows' boot managers up to 2026"},
    {{0x07, 0x6f, 0x1f, 0xea, 0x90, 0xac, 0x29, 0x15}, "Windows' boot managers of 2023 and later"},
    {{0x48, 0xe9, 0x9b, 0x99, 0x1f, 0x57, 0xfc, 0x52}, "shim and other loaders up to 2026"},
    {{0xf6, 0x12, 0x4e, 0x34, 0x12, 0x5b, 0xee, 0x3f}, "shim and other loaders of 2023 and later"},
    {{0xe5, 0xbe, 0x3e, 0x64, 0xc6, 0xe6, 0x6a, 0x28}, "option ROMs of 2023 and later"},
    {{0xa1, 0x11, 0x7f, 0x51, 0x6a, 0x32, 0xce, 0xfc}, "changes of db and dbx up to 2026"},
    {{0x3c, 0xd3, 0xf0, 0x30, 0x9e, 0xda, 0xe2, 0x28}, "changes of db and dbx of 2023 and later"},
};

const char *secure_certificate_use(const struct certificate *certificate)
{
    struct span digest = span_of(certificate->digest.bytes, sizeof(known[0].digest));

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (span_equal(digest, span_of(known[i].digest, sizeof(known[i].digest))))
            return known[i].use;
    }
    return "";
}

const char *secure_state_text(const struct secure_boot *state)
{
    if (state->status == ST_ABSENT)
        return "not there";
    if (state->status != ST_OK)
        return "not known";
    if (state->on)
        return "on";
    return state->setup ? "off, without keys" : "off";
}

const char *secure_signer_name(const struct secure_file *file)
{
    const struct pe_signers *signers = file->esp->contents[file->file].signers;

    for (size_t i = 0; signers != NULL && i < signers->count; i++) {
        if (signers->signers[i].status == ST_OK)
            return signers->signers[i].issuer_name;
    }
    return "";
}

const char *secure_version_text(struct arena *arena, const struct secure_file *file)
{
    const struct pe_signers *signers = file->esp->contents[file->file].signers;

    if (signers == NULL || !signers->has_version)
        return "";
    return arena_printf(arena, "%u.%u.%u.%u", (unsigned)(signers->version >> 48),
                        (unsigned)(signers->version >> 32 & 0xffff),
                        (unsigned)(signers->version >> 16 & 0xffff),
                        (unsigned)(signers->version & 0xffff));
}

const char *secure_svn_text(struct arena *arena, const struct secure_file *file)
{
    const struct pe_signers *signers = file->esp->contents[file->file].signers;

    if (signers == NULL || !signers->has_svn)
        return "";
    return arena_printf(arena, "%u.%u", signers->svn >> 16, signers->svn & 0xffff);
}

void rows_secure_state(struct rows *to)
{
    const struct secure_boot *state = &to->context->machine.secure;

    row_open(to, ROW_SECURE_STATE);
    row_text(to, secure_state_text(state));
    row_text(to, state->levels.size == 0
                     ? ""
                     : arena_printf(to->context->arena, "%.*s", (int)state->levels.size,
                                    (const char *)state->levels.at));
    row_close(to);
}

static void put_list_row(struct rows *to, enum secure_list_id id, const char *kind, size_t count,
                         const char *what, const char *until)
{
    row_open(to, ROW_SECURE_LIST);
    row_text(to, secure_list_name(id));
    row_text(to, kind);
    row_number(to, count);
    row_text(to, what);
    row_text(to, until);
    row_close(to);
}

void rows_secure_list(struct rows *to, enum secure_list_id id)
{
    const struct secure_list *list = &to->context->machine.secure.lists[id];

    for (size_t i = 0; i < list->certificate_count; i++)
        put_list_row(to, id, "certificates", 1, list->certificates[i].name,
                     list->certificates[i].end);
    for (int i = 0; i < SIGNATURE_KIND_COUNT; i++) {
        if (i != SIGNATURE_CERTIFICATE && list->counts[i] > 0)
            put_list_row(to, id, signature_kind_text((enum signature_kind)i), list->counts[i], "",
                         "");
    }
    for (int i = 0; i < SVN_PROGRAM_COUNT; i++) {
        if (list->svns[i] > 0)
            put_list_row(to, id, "security version number", 1,
                         arena_printf(to->context->arena, "%s %u.%u",
                                      svn_program_name((enum svn_program)i), list->svns[i] >> 16,
                                      list->svns[i] & 0xffff),
                         "");
    }
}

void rows_secure_file(struct rows *to, const struct secure_file *file)
{
    const struct machine *machine = &to->context->machine;
    const struct partition *own = &machine->partitions[file->esp->partition];
    struct arena *arena = to->context->arena;

    row_open(to, ROW_SECURE_FILE);
    row_number(to, own->disk);
    row_number(to, own->number);
    row_text(to, file->esp->report.files[file->file].path);
    row_text(to, secure_verdict_name(file->judgement.verdict));
    row_text(to, secure_reason(arena, &file->judgement));
    row_text(to, secure_signer_name(file));
    row_text(to, secure_version_text(arena, file));
    row_text(to, secure_svn_text(arena, file));
    row_text(to, file->firmware == NULL ? "" : file->firmware);
    row_close(to);
}

void rows_secure_files(struct rows *to)
{
    const struct machine *machine = &to->context->machine;

    rows_open_list(to, ROW_SECURE_FILE);
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *esp = &machine->esps[i];
        for (size_t j = 0; esp->status == ST_OK && j < esp->report.file_count; j++) {
            if (esp->contents[j].signers == NULL || !secure_is_loaded_by_firmware(machine, esp, j))
                continue;
            const struct secure_file file = {
                .esp = esp,
                .file = j,
                .judgement = secure_judge(&machine->secure, esp->contents[j].signers)};
            rows_secure_file(to, &file);
        }
    }
    rows_close_list(to);
}
