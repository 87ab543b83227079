/* What is said of a verdict. */
#include "audit/secure.h"

#include "base/print.h"

static const struct {
    const char *name;
    const char *reason; /* with the certificate for %s, where there is one */
} words[SECURE_VERDICT_COUNT] = {
    [SECURE_NOT_JUDGED] = {"not-judged", "there is no Secure Boot here, or the file was not read"},
    [SECURE_ACCEPTED] = {"accepted", "its signer is in db"},
    [SECURE_UNKNOWN] = {"unknown", NULL},
    [SECURE_UNSIGNED] = {"not-signed", "it is not signed, and its digest is not in db"},
    [SECURE_UNTRUSTED] = {"not-in-db", "its signer is not in db"},
    [SECURE_FORBIDDEN] = {"certificate-in-dbx", "the certificate of its signer is in dbx"},
    [SECURE_DIGEST_FORBIDDEN] = {"digest-in-dbx", "its digest is in dbx"},
    [SECURE_ALTERED] = {"altered", "its content is not what was signed"},
    [SECURE_BROKEN] = {"broken", "its table of signatures is broken"},
};

/* What is not worked out here; firmware does when it loads the file. */
#define UNUSUAL "it hangs on an unusual form, or a digest other than SHA-256"

static const char *const doubts[DOUBT_COUNT] = {
    [DOUBT_SIGNATURE] = UNUSUAL,
    [DOUBT_ISSUER] = "several are called as its signer",
    [DOUBT_DIGESTS] = "dbx has a digest of its chain",
    [DOUBT_BOTH] = "one signature is trusted, one forbidden",
    [DOUBT_UNSIGNED] = UNUSUAL,
    [DOUBT_LIST] = "a list cannot be read to its end",
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
    if (judgement->verdict == SECURE_UNKNOWN)
        return doubts[judgement->doubt];
    if (name[0] == '\0')
        return words[judgement->verdict].reason;
    return arena_printf(arena, "%s (%s)", words[judgement->verdict].reason, name);
}
