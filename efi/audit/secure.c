#include "audit/secure.h"

#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"
#include "model/contents.h"

#define SVN_CHECKED (2u << 16) /* 2.0 */

/* What a list says of a chain. */
enum found { FOUND_NOT, FOUND_PERHAPS, FOUND };

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

/*
 * Whether `issuer`, of a list, has issued `own`, of a chain. Where the file has certificates that may
 * have, their keys tell; else what the keys are called. A name alone anybody can take.
 */
static enum found find_issued(const struct certificate *chain, size_t count,
                              const struct certificate *issuer, const struct certificate *own)
{
    size_t same = 0;
    size_t others = 0;

    if (certificate_is_its_own(own) || !certificate_may_have_issued(issuer, own))
        return FOUND_NOT;
    for (size_t i = 0; i < count; i++) {
        if (!certificate_may_have_issued(&chain[i], own))
            continue;
        if (sha256_equal(&chain[i].key, &issuer->key))
            same++;
        else
            others++;
    }
    if (same + others == 0)
        return issuer->key_id.known && own->issuer_key_id.known ? FOUND : FOUND_PERHAPS;
    if (same == 0)
        return FOUND_NOT;
    return others == 0 ? FOUND : FOUND_PERHAPS;
}

/* Whether the certificate of a list is the signer's own, or has issued one of the chain. */
static enum found find_in_chain(const struct pe_signers *signers, const struct pe_signer *signer,
                                const struct certificate *own)
{
    const struct certificate *chain = &signers->certificates[signer->first];
    enum found found = sha256_equal(&own->digest, &chain[0].digest) ? FOUND : FOUND_NOT;

    for (size_t i = 0; found != FOUND && i < signer->count; i++) {
        enum found issued = find_issued(chain, signer->count, own, &chain[i]);
        if (issued > found)
            found = issued;
    }
    return found;
}

/* The first certificate of the list that the signature leads to is `*ret_own`. */
static enum found find_certificate(const struct secure_list *list, const struct pe_signers *signers,
                                   const struct pe_signer *signer,
                                   const struct certificate **ret_own)
{
    enum found found = FOUND_NOT;

    for (size_t i = 0; found != FOUND && i < list->certificate_count; i++) {
        enum found own = find_in_chain(signers, signer, &list->certificates[i]);
        if (own <= found)
            continue;
        found = own;
        *ret_own = &list->certificates[i];
    }
    return found;
}

/* A certificate is forbidden for ever, or for what was signed after some time: firmware believes
 * whoever dbt names of when that was, and without any it does not let it pass. */
static enum found find_forbidden_time(const struct secure_boot *state,
                                      const struct signature *signature)
{
    const struct secure_list *dbt = &state->lists[SECURE_DBT];
    bool nobody = dbt->status == ST_ABSENT || (dbt->status == ST_OK && dbt->certificate_count == 0);

    return nobody || signature_is_forever(signature) ? FOUND : FOUND_PERHAPS;
}

static bool is_digest_of(const struct signature *signature, const struct certificate *own)
{
    struct span digest = span_of(NULL, 0);

    if (signature->kind == SIGNATURE_CERTIFICATE_SHA256)
        digest = span_of(own->signed_part.bytes, sizeof(own->signed_part.bytes));
    else if (signature->kind == SIGNATURE_CERTIFICATE_SHA384)
        digest = span_of(own->signed_part_384.bytes, SHA384_SIZE);
    else if (signature->kind == SIGNATURE_CERTIFICATE_SHA512)
        digest = span_of(own->signed_part_512.bytes, SHA512_SIZE);
    return digest.size > 0 && span_equal(span_part(signature->data, 0, digest.size), digest);
}

/*
 * Digests of certificates. Of the signer's own and of the one in db that the signature leads to, all
 * firmware asks; of those between them, edk2's does not.
 */
static enum found find_forbidden_digest(const struct secure_boot *state,
                                        const struct pe_signers *signers,
                                        const struct pe_signer *signer,
                                        const struct certificate *anchor,
                                        const struct certificate **ret_own)
{
    struct signature_walk walk = signature_walk_start(state->lists[SECURE_DBX].lists);
    const struct certificate *chain = &signers->certificates[signer->first];
    struct signature signature;
    enum found found = FOUND_NOT;

    while (found != FOUND && signature_next(&walk, &signature) == ST_OK) {
        for (size_t i = 0; found != FOUND && i <= signer->count; i++) {
            const struct certificate *own = i == signer->count ? anchor : &chain[i];
            if (own == NULL || !is_digest_of(&signature, own))
                continue;
            *ret_own = own;
            found =
                i == 0 || own == anchor ? find_forbidden_time(state, &signature) : FOUND_PERHAPS;
        }
    }
    return found;
}

static bool is_readable(const struct secure_list *list)
{
    return list->status == ST_OK || list->status == ST_ABSENT;
}

/* --- One program ------------------------------------------------------------------------------ */

/* What the lists say of all its signatures together. */
struct sum {
    enum found trusted;
    enum found forbidden;
    bool right;              /* a signature is that of the content */
    enum secure_doubt doubt; /* the last one */
    const struct certificate *trusted_by;
    const struct certificate *forbidden_by;
    const char *issuer;
};

static void add_found(enum found found, enum found *io_sum)
{
    if (found > *io_sum)
        *io_sum = found;
}

/* Something is not understood, or not known. */
static void add_doubt(enum secure_doubt doubt, struct sum *io_sum)
{
    io_sum->doubt = doubt;
    add_found(FOUND_PERHAPS, &io_sum->trusted);
    add_found(FOUND_PERHAPS, &io_sum->forbidden);
}

/* A signature of another content neither trusts nor forbids by who made it. */
static void add_signer(const struct secure_boot *state, const struct pe_signers *signers,
                       const struct pe_signer *signer, struct sum *io_sum)
{
    const struct certificate *anchor = NULL;
    enum found trusted = FOUND_NOT;

    if (signer->status != ST_OK) {
        add_doubt(DOUBT_SIGNATURE, io_sum);
        return;
    }
    io_sum->issuer = signer->issuer_name;
    io_sum->right |= signer->right;
    if (signer->right)
        trusted = find_certificate(&state->lists[SECURE_DB], signers, signer, &anchor);
    enum found forbidden =
        find_forbidden_digest(state, signers, signer, anchor, &io_sum->forbidden_by);
    bool by_digest = forbidden == FOUND_PERHAPS;
    if (forbidden != FOUND && (signer->right || !signers->has_digest))
        add_found(
            find_certificate(&state->lists[SECURE_DBX], signers, signer, &io_sum->forbidden_by),
            &forbidden);
    if (forbidden == FOUND_PERHAPS || trusted == FOUND_PERHAPS)
        io_sum->doubt = by_digest ? DOUBT_DIGESTS : DOUBT_ISSUER;
    add_found(forbidden, &io_sum->forbidden);
    if (forbidden == FOUND || trusted == FOUND_NOT)
        return;
    add_found(trusted, &io_sum->trusted);
    io_sum->trusted_by = anchor;
}

static struct secure_judgement judge_as(enum secure_verdict verdict, const char *certificate)
{
    return (struct secure_judgement){.verdict = verdict, .certificate = certificate};
}

static struct secure_judgement judge_unknown(enum secure_doubt doubt)
{
    return (struct secure_judgement){.verdict = SECURE_UNKNOWN, .doubt = doubt, .certificate = ""};
}

static struct secure_judgement judge_by(enum secure_verdict verdict, const struct certificate *own)
{
    if (own == NULL)
        return judge_as(verdict, "");
    return judge_as(verdict, own->name[0] == '\0' ? "a certificate without a name" : own->name);
}

static struct secure_judgement judge_signed(const struct secure_boot *state,
                                            const struct pe_signers *signers, bool digest_in_db)
{
    struct sum sum = {.issuer = ""};

    for (size_t i = 0; i < signers->count; i++)
        add_signer(state, signers, &signers->signers[i], &sum);
    if (signers->table == ST_UNSUPPORTED || !signers->has_digest)
        add_doubt(DOUBT_SIGNATURE, &sum);
    if (!is_readable(&state->lists[SECURE_DBX])) {
        sum.doubt = DOUBT_LIST;
        add_found(FOUND_PERHAPS, &sum.forbidden);
    }
    /* One signature forbidden, one trusted: the specification up to 2.11, and with it edk2 up to
     * 2026, refuses; what is proposed for later judges each. */
    if (sum.forbidden == FOUND)
        return sum.trusted == FOUND ? judge_unknown(DOUBT_BOTH)
                                    : judge_by(SECURE_FORBIDDEN, sum.forbidden_by);
    if (digest_in_db)
        sum.trusted = FOUND;
    if (sum.trusted == FOUND && sum.forbidden == FOUND_NOT)
        return judge_by(SECURE_ACCEPTED, sum.trusted_by);
    if (sum.trusted != FOUND_NOT)
        return judge_unknown(sum.doubt);
    return judge_as(sum.right ? SECURE_UNTRUSTED : SECURE_ALTERED, sum.issuer);
}

/* Digests that are not worked out here; of a program that is signed firmware asks for that kind
 * alone which its signature is made with. */
static bool has_other_digests(const struct secure_list *list)
{
    return list->counts[SIGNATURE_SHA1] + list->counts[SIGNATURE_SHA384] +
               list->counts[SIGNATURE_SHA512] >
           0;
}

static struct secure_judgement judge_unsigned(const struct secure_boot *state,
                                              const struct pe_signers *signers, bool digest_in_db)
{
    const struct secure_list *dbx = &state->lists[SECURE_DBX];
    enum secure_doubt doubt = DOUBT_COUNT;

    if (has_other_digests(digest_in_db ? dbx : &state->lists[SECURE_DB]))
        doubt = DOUBT_UNSIGNED;
    if (digest_in_db && !is_readable(dbx))
        doubt = DOUBT_LIST;
    if (!signers->has_digest && secure_boot_looks_up(state))
        doubt = DOUBT_SIGNATURE;
    if (doubt != DOUBT_COUNT)
        return judge_unknown(doubt);
    return judge_as(digest_in_db ? SECURE_ACCEPTED : SECURE_UNSIGNED, "");
}

/* By digest and by signatures, in the sequence in which firmware asks. */
static struct secure_judgement judge_by_lists(const struct secure_boot *state,
                                              const struct pe_signers *signers)
{
    const struct secure_list *db = &state->lists[SECURE_DB];

    if (signers->table == ST_DAMAGED)
        return judge_as(SECURE_BROKEN, "");
    if (signers->has_digest && list_has_digest(&state->lists[SECURE_DBX], &signers->digest))
        return judge_as(SECURE_DIGEST_FORBIDDEN, "");
    bool in_db = signers->has_digest && list_has_digest(db, &signers->digest);
    struct secure_judgement judgement = signers->table == ST_ABSENT
                                            ? judge_unsigned(state, signers, in_db)
                                            : judge_signed(state, signers, in_db);
    bool hangs_on_db =
        judgement.verdict == SECURE_UNSIGNED || judgement.verdict == SECURE_UNTRUSTED;
    return hangs_on_db && !is_readable(db) ? judge_unknown(DOUBT_LIST) : judgement;
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
        signers->mark == PE_MARK_SHIM &&
        pe_signers_below_level(signers, secure_levels_by(state, state->levels, signers));
    return judgement;
}

struct span secure_levels_by(const struct secure_boot *state, struct span now,
                             const struct pe_signers *shim)
{
    struct span own = span_of(NULL, 0);

    if (shim != NULL && shim->mark == PE_MARK_SHIM)
        own = pe_levels_text(shim->levels, state->latest_levels);
    return pe_levels_are_newer(own, now) ? own : now;
}

bool secure_is_below_level(struct span levels, const struct pe_signers *signers)
{
    return signers != NULL && (signers->sbat[0] == '\0' || pe_signers_below_level(signers, levels));
}

bool secure_checks_itself(const struct pe_signers *signers)
{
    return signers->has_svn && signers->svn >= SVN_CHECKED;
}

/* --- Files of this machine -------------------------------------------------------------------- */

bool secure_is_loaded_by_firmware(const struct machine *machine, const struct esp *esp, size_t file)
{
    const char *path = esp->report.files[file].path;

    if (esp->report.files[file].is_directory || !esp->contents[file].is_program)
        return false;
    if (text_equal_nocase(path, BOOT_MANAGER_PATH) || text_equal_nocase(path, machine->fallback))
        return true;
    if (!machine_knows_entries(machine) && esp->contents[file].mark == PE_MARK_SHIM)
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

bool secure_is_unknown(const struct secure_boot *state)
{
    const struct secure_list *db = &state->lists[SECURE_DB];

    if (state->status != ST_OK)
        return state->asked && state->status != ST_ABSENT;
    bool has_owner = state->on || state->lists[SECURE_PK].status == ST_OK;
    return state->asked && has_owner && db->status != ST_OK && db->status != ST_DAMAGED;
}

/* True when signatures are damaged, or none is that of the content, which is known. */
static bool is_altered(const struct pe_signers *signers)
{
    bool altered = signers->table == ST_OK && signers->has_digest;

    for (size_t i = 0; altered && i < signers->count; i++)
        altered = signers->signers[i].status == ST_OK && !signers->signers[i].right;
    return altered || signers->table == ST_DAMAGED;
}

static bool has_same_issuer(const struct pe_signers *a, const struct pe_signers *b, size_t i)
{
    if (a->signers[i].status != ST_OK || b->signers[i].status != ST_OK || !a->signers[i].right ||
        !b->signers[i].right)
        return false;
    const struct certificate *own = &a->certificates[a->signers[i].first];
    const struct certificate *other = &b->certificates[b->signers[i].first];
    return text_equal(a->signers[i].issuer_name, b->signers[i].issuer_name) &&
           own->issuer_key_id.known == other->issuer_key_id.known &&
           (!own->issuer_key_id.known ||
            sha256_equal(&own->issuer_key_id.digest, &other->issuer_key_id.digest));
}

/* True when whoever takes the one takes the other, as far as signers go; neither may have any. */
static bool has_same_signers(const struct pe_signers *a, const struct pe_signers *b)
{
    bool same = a->table == b->table && (a->table == ST_OK || a->table == ST_ABSENT) &&
                a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = has_same_issuer(a, b, i);
    return same;
}

bool secure_keeps(const struct machine *machine, const struct file_content *content,
                  const struct file_content *other)
{
    const struct pe_signers *own = content->signers;

    if (secure_prefers(machine, content, other))
        return true;
    if (!secure_is_unknown(&machine->secure) || content->status != ST_OK || !content->is_program ||
        own == NULL || is_altered(own) || content_equal(content, other))
        return false;
    return other->status != ST_OK || other->signers == NULL ||
           !has_same_signers(own, other->signers) || other->signers->svn < own->svn;
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
