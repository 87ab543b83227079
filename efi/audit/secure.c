#include "audit/secure.h"

#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"

#define SVN_CHECKED (2u << 16) /* 2.0 */

/* What a list says of a chain. */
enum found { FOUND_NOT, FOUND, FOUND_PERHAPS };

/* --- Looking into the lists ------------------------------------------------------------------- */

static bool list_has_digest(const struct secure_list *list, const struct sha256 *digest)
{
    struct signature_walk walk = signature_walk_start(list->lists);
    struct span wanted = span_of(digest->bytes, sizeof(digest->bytes));
    struct signature signature;

    while (signature_next(&walk, &signature) == ST_OK) {
        if (signature.kind == SIGNATURE_SHA256 && span_equal(signature.data, wanted))
            return true;
    }
    return false;
}

/* True when the certificate of a list is in the chain, or has issued its last one. */
static bool is_in_chain(const struct certificate *own, const struct pe_signers *signers,
                        const struct pe_signer *signer)
{
    for (size_t i = 0; i < signer->count; i++) {
        if (sha256_equal(&own->digest, &signers->certificates[signer->first + i].digest))
            return true;
    }
    return own->name[0] != '\0' && sha256_equal(&own->subject, &signer->issuer);
}

static enum found find_certificate(const struct secure_list *list, const struct pe_signers *signers,
                                   const struct pe_signer *signer, const char **ret_name)
{
    for (size_t i = 0; i < list->certificate_count; i++) {
        const struct certificate *own = &list->certificates[i];
        if (!is_in_chain(own, signers, signer))
            continue;
        *ret_name = own->name;
        return FOUND;
    }
    return FOUND_NOT;
}

/* A certificate of the chain whose digest is forbidden. Which time it was used at is not known. */
static enum found find_forbidden_digest(const struct secure_list *list,
                                        const struct pe_signers *signers,
                                        const struct pe_signer *signer, const char **ret_name)
{
    struct signature_walk walk = signature_walk_start(list->lists);
    struct signature signature;
    enum found found = FOUND_NOT;

    while (found != FOUND && signature_next(&walk, &signature) == ST_OK) {
        if (signature.kind == SIGNATURE_CERTIFICATE_SHA384 ||
            signature.kind == SIGNATURE_CERTIFICATE_SHA512)
            found = FOUND_PERHAPS;
        for (size_t i = 0; signature.kind == SIGNATURE_CERTIFICATE_SHA256 && i < signer->count;
             i++) {
            const struct certificate *own = &signers->certificates[signer->first + i];
            struct span digest = span_of(own->signed_part.bytes, sizeof(own->signed_part.bytes));
            if (!span_equal(span_part(signature.data, 0, digest.size), digest))
                continue;
            *ret_name = own->name;
            found = signature_is_forever(&signature) ? FOUND : FOUND_PERHAPS;
        }
    }
    return found;
}

static enum found find_forbidden(const struct secure_list *dbx, const struct pe_signers *signers,
                                 const struct pe_signer *signer, const char **ret_name)
{
    enum found found = find_certificate(dbx, signers, signer, ret_name);

    return found == FOUND ? found : find_forbidden_digest(dbx, signers, signer, ret_name);
}

static bool is_readable(const struct secure_list *list)
{
    return list->status == ST_OK || list->status == ST_ABSENT;
}

/* --- One program ------------------------------------------------------------------------------ */

/* What the lists say of all its signatures together. */
struct sum {
    bool trusted;
    bool forbidden;
    bool doubtful; /* something is not understood, or not known */
    bool right;    /* a signature is that of the content */
    const char *trusted_by;
    const char *forbidden_by;
    const char *issuer;
};

static void add_signer(const struct secure_boot *state, const struct pe_signers *signers,
                       const struct pe_signer *signer, struct sum *io_sum)
{
    const struct secure_list *lists = state->lists;

    if (signer->status != ST_OK) {
        io_sum->doubtful = true;
        return;
    }
    io_sum->issuer = signer->issuer_name;
    enum found forbidden =
        find_forbidden(&lists[SECURE_DBX], signers, signer, &io_sum->forbidden_by);
    io_sum->forbidden |= forbidden == FOUND;
    io_sum->doubtful |= forbidden == FOUND_PERHAPS;
    io_sum->right |= signer->right;
    if (signer->right && forbidden != FOUND)
        io_sum->trusted |=
            find_certificate(&lists[SECURE_DB], signers, signer, &io_sum->trusted_by) == FOUND;
}

static struct secure_judgement judge_as(enum secure_verdict verdict, const char *certificate)
{
    return (struct secure_judgement){.verdict = verdict, .certificate = certificate};
}

static struct secure_judgement judge_signed(const struct secure_boot *state,
                                            const struct pe_signers *signers)
{
    struct sum sum = {.trusted_by = "", .forbidden_by = "", .issuer = ""};

    for (size_t i = 0; i < signers->count; i++)
        add_signer(state, signers, &signers->signers[i], &sum);
    sum.doubtful |= signers->table == ST_UNSUPPORTED || !signers->has_digest;
    if (sum.forbidden && !sum.trusted)
        return judge_as(SECURE_FORBIDDEN, sum.forbidden_by);
    /* One signature forbidden, one trusted: firmware before 2026 refuses, later judges each. */
    if (sum.forbidden)
        return judge_as(SECURE_UNKNOWN, sum.forbidden_by);
    if (sum.trusted && !sum.doubtful && is_readable(&state->lists[SECURE_DBX]))
        return judge_as(SECURE_ACCEPTED, sum.trusted_by);
    if (sum.trusted || sum.doubtful)
        return judge_as(SECURE_UNKNOWN, "");
    return judge_as(sum.right ? SECURE_UNTRUSTED : SECURE_ALTERED, sum.issuer);
}

/* By digest and by signatures, in the sequence in which firmware asks. */
static struct secure_judgement judge_by_lists(const struct secure_boot *state,
                                              const struct pe_signers *signers)
{
    const struct secure_list *db = &state->lists[SECURE_DB];
    const struct secure_list *dbx = &state->lists[SECURE_DBX];

    if (signers->table == ST_DAMAGED)
        return judge_as(SECURE_BROKEN, "");
    if (signers->has_digest && list_has_digest(dbx, &signers->digest))
        return judge_as(SECURE_DIGEST_FORBIDDEN, "");
    bool by_digest = signers->has_digest && list_has_digest(db, &signers->digest);
    struct secure_judgement judgement =
        signers->table == ST_ABSENT
            ? judge_as(signers->has_digest ? SECURE_UNSIGNED : SECURE_UNKNOWN, "")
            : judge_signed(state, signers);
    if (by_digest && judgement.verdict != SECURE_FORBIDDEN)
        judgement = judge_as(is_readable(dbx) ? SECURE_ACCEPTED : SECURE_UNKNOWN, "");
    bool hangs_on_db =
        judgement.verdict == SECURE_UNSIGNED || judgement.verdict == SECURE_UNTRUSTED;
    return hangs_on_db && !is_readable(db) ? judge_as(SECURE_UNKNOWN, "") : judgement;
}

struct secure_judgement secure_judge(const struct secure_boot *state,
                                     const struct pe_signers *signers)
{
    if (state->status != ST_OK || signers == NULL)
        return judge_as(SECURE_NOT_JUDGED, "");
    struct secure_judgement judgement = judge_by_lists(state, signers);
    uint32_t least = state->lists[SECURE_DBX].svns[SVN_BOOT_MANAGER];
    if (signers->mark == PE_MARK_WINDOWS_MANAGER && signers->svn < least)
        judgement.least_svn = least;
    judgement.below_level =
        signers->mark == PE_MARK_SHIM && pe_signers_below_level(signers, state->levels);
    return judgement;
}

bool secure_is_below_level(const struct secure_boot *state, const struct pe_signers *signers)
{
    return signers != NULL &&
           (signers->sbat[0] == '\0' || pe_signers_below_level(signers, state->levels));
}

bool secure_checks_itself(const struct pe_signers *signers)
{
    return signers->has_svn && signers->svn >= SVN_CHECKED;
}

/* --- Words ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    const char *reason; /* with the certificate for %s, where there is one */
} words[SECURE_VERDICT_COUNT] = {
    [SECURE_NOT_JUDGED] = {"not-judged", "there is no Secure Boot here, or the file was not read"},
    [SECURE_ACCEPTED] = {"accepted", "its signer is in db"},
    [SECURE_UNKNOWN] = {"unknown", "its signatures, or the lists, are not understood"},
    [SECURE_UNSIGNED] = {"not-signed", "it is not signed, and its digest is not in db"},
    [SECURE_UNTRUSTED] = {"not-in-db", "its signer is not in db"},
    [SECURE_FORBIDDEN] = {"certificate-in-dbx", "the certificate of its signer is in dbx"},
    [SECURE_DIGEST_FORBIDDEN] = {"digest-in-dbx", "its digest is in dbx"},
    [SECURE_ALTERED] = {"altered", "its content is not what was signed"},
    [SECURE_BROKEN] = {"broken", "its table of signatures is broken"},
};

bool secure_is_refused(enum secure_verdict verdict)
{
    return verdict >= SECURE_UNSIGNED && verdict < SECURE_VERDICT_COUNT;
}

const char *secure_verdict_name(enum secure_verdict verdict)
{
    return words[verdict].name;
}

const char *secure_reason(struct arena *arena, const struct secure_judgement *judgement)
{
    const char *name = judgement->certificate;

    if (judgement->verdict == SECURE_ACCEPTED && name[0] == '\0')
        return "its digest is in db";
    if (name[0] == '\0')
        return words[judgement->verdict].reason;
    return arena_printf(arena, "%s (%s)", words[judgement->verdict].reason, name);
}

/* --- Files of this machine -------------------------------------------------------------------- */

bool secure_is_loaded_by_firmware(const struct machine *machine, const struct esp *esp, size_t file)
{
    const char *path = esp->report.files[file].path;

    if (esp->report.files[file].is_directory || !esp->contents[file].is_program)
        return false;
    if (text_equal_nocase(path, BOOT_MANAGER_PATH) || text_equal_nocase(path, machine->fallback))
        return true;
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->in_order && entry->status == ST_OK && entry->boot.file != NULL &&
            entry->boot.partition == esp->partition && text_equal_nocase(entry->boot.file, path))
            return true;
    }
    return false;
}

bool secure_refuses(const struct machine *machine, const struct file_content *content)
{
    return machine->secure.on && content->status == ST_OK &&
           secure_is_refused(secure_judge(&machine->secure, content->signers).verdict);
}

bool secure_would_refuse(const struct machine *machine, const struct file_content *content)
{
    const struct secure_boot *state = &machine->secure;

    return !state->on && !state->setup && state->lists[SECURE_DB].lists.size > 0 &&
           content->status == ST_OK &&
           secure_is_refused(secure_judge(state, content->signers).verdict);
}

/* How much the lists make of a program: the more, the better. */
enum standing { STANDING_UNKNOWN, STANDING_REFUSED, STANDING_AT_RISK, STANDING_ACCEPTED };

static enum standing standing_of(const struct machine *machine, const struct file_content *content)
{
    struct secure_judgement judgement = secure_judge(&machine->secure, content->signers);

    if (content->status != ST_OK)
        return STANDING_UNKNOWN;
    if (secure_is_refused(judgement.verdict))
        return STANDING_REFUSED;
    if (judgement.verdict != SECURE_ACCEPTED)
        return STANDING_UNKNOWN;
    return judgement.least_svn > 0 || judgement.below_level ? STANDING_AT_RISK : STANDING_ACCEPTED;
}

bool secure_prefers(const struct machine *machine, const struct file_content *content,
                    const struct file_content *other)
{
    enum standing worse = standing_of(machine, other);

    return worse != STANDING_UNKNOWN && standing_of(machine, content) > worse;
}

/* True when the ESP has a file at `path` that firmware takes. */
static bool has_accepted(const struct machine *machine, const struct esp *esp, const char *path)
{
    size_t file = esp->status == ST_OK ? fat_find(&esp->report, path) : FAT_NO_FILE;
    const struct file_content *content = file == FAT_NO_FILE ? NULL : &esp->contents[file];

    return content != NULL && content->status == ST_OK && content->program == PE_GOOD &&
           secure_judge(&machine->secure, content->signers).verdict == SECURE_ACCEPTED;
}

bool secure_is_outdone(const struct machine *machine, const struct esp *esp, size_t file)
{
    const char *path = esp->report.files[file].path;
    bool is_copy = text_equal_nocase(path, machine->fallback) &&
                   esp->contents[file].mark == PE_MARK_WINDOWS_MANAGER;

    if (!secure_refuses(machine, &esp->contents[file]))
        return false;
    for (size_t i = 0; i < machine->esp_count + machine->source_count; i++) {
        if (has_accepted(machine, &machine->esps[i], path) ||
            (is_copy && has_accepted(machine, &machine->esps[i], BOOT_MANAGER_PATH)))
            return true;
    }
    return false;
}
