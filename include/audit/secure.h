/*
 * What this firmware makes of a program under Secure Boot, by its lists (UEFI Specification 32.5.3.3,
 * and edk2's DxeImageVerificationLib): refused where its digest or a certificate of its chain is
 * forbidden, or where neither is trusted. Signatures are not computed here: firmware does that when
 * it loads the program, and `secureboot -ask` has it do so. Dates count nowhere.
 *
 * The chain goes from the signer's certificate by names and keys to one that the file, db or dbx has
 * (format/certificate.h). What hangs on something that is told only by computing a signature, as who
 * of several authorities of one name it was, is not known.
 */
#ifndef SHADOWBOOT_AUDIT_SECURE_H
#define SHADOWBOOT_AUDIT_SECURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "format/pe_signers.h"
#include "model/machine.h"
#include "model/secure_boot.h"

enum secure_verdict {
    SECURE_NOT_JUDGED, /* no Secure Boot here, or nobody looked */
    SECURE_ACCEPTED,
    SECURE_UNKNOWN, /* the answer hangs on something that is not understood or could not be read */
    /* Refused: */
    SECURE_UNSIGNED,
    SECURE_UNTRUSTED, /* signed by somebody whom db does not have */
    SECURE_FORBIDDEN, /* a certificate of its chain is in dbx */
    SECURE_DIGEST_FORBIDDEN,
    SECURE_ALTERED, /* it is not what was signed */
    SECURE_BROKEN,  /* its table of signatures contradicts itself */
    SECURE_VERDICT_COUNT
};

/* Why it is not known. */
enum secure_doubt {
    DOUBT_SIGNATURE, /* one that is not followed here: by its form, or a digest other than SHA-256; or
                      * the program is not */
    DOUBT_ISSUER,    /* who of several of one name */
    DOUBT_DIGESTS, /* dbx has the digest of a certificate of its chain: from some day on, and when it
                      * was signed takes computing a time stamp; or one that edk2 does not ask for */
    DOUBT_BOTH,    /* one signature is forbidden, another trusted */
    DOUBT_UNSIGNED, /* not signed, and the lists have digests of other kinds */
    DOUBT_LIST,     /* a list cannot be read to its end */
    DOUBT_COUNT
};

struct secure_judgement {
    enum secure_verdict verdict;
    enum secure_doubt doubt; /* SECURE_UNKNOWN: one of those that there are */
    const char *certificate; /* common name of the one that decided, or that it has none, or of the
                              * issuer that db lacks; "" where none did. Lies in the state or the
                              * signers, or is static */
    uint32_t least_svn; /* dbx asks for it, and Windows' boot manager has a lower one (major number
                         * in the upper 16 bits): it may refuse itself; 0: it does not */
    /* Shim, and SbatLevel, or what it brings along for that, asks for more than it has: it stops itself. */
    bool below_level;
};

/* `signers` NULL is SECURE_NOT_JUDGED. Whether Secure Boot is on makes no difference. */
struct secure_judgement secure_judge(const struct secure_boot *state,
                                     const struct pe_signers *signers);

bool secure_is_refused(enum secure_verdict verdict);

/* The levels that count once a shim has started where `now` did before: `now`, or what it brings along
 * where that is newer, which it makes its SbatLevel first of all. Lies in one of them. */
struct span secure_levels_by(const struct secure_boot *state, struct span now,
                             const struct pe_signers *shim);

/* True when shim does not start the program for its level: it has none at all, or one that is below
 * `levels` (shim's SBAT.md). Firmware does not look at levels. */
bool secure_is_below_level(struct span levels, const struct pe_signers *signers);

/* True for boot managers that are known to look at their own security version number: from 2.0
 * on. */
bool secure_checks_itself(const struct pe_signers *signers);

/* "accepted", "not-signed" ...: for scripts. Static lifetime. */
const char *secure_verdict_name(enum secure_verdict verdict);

/* Why, as half a sentence: "the certificate X of its signer is in dbx". NULL when the arena is
 * full. */
const char *secure_reason(struct arena *arena, const struct secure_judgement *judgement);

/* True for the programs (index into the ESP's report) that firmware itself loads: Windows' boot
 * manager, the removable-media path, and what an entry in BootOrder names; shim, where entries are
 * not known. */
bool secure_is_loaded_by_firmware(const struct machine *machine, const struct esp *esp,
                                  size_t file);

/* True when somebody looked, and whether there is Secure Boot, or what it trusts, is not known: the
 * variables are not here, cannot be read, or some lack: a machine with an owner has db. */
bool secure_is_unknown(const struct secure_boot *state);

/* True when Secure Boot is on and refuses the file. */
bool secure_refuses(const struct machine *machine, const struct file_content *content);

/* True when it is off, and could be switched on, and then would. */
bool secure_would_refuse(const struct machine *machine, const struct file_content *content);

/* True when firmware's lists speak for `content` and against `other`, whether Secure Boot is on or
 * not: it takes the one and refuses the other, or takes both, and dbx or SbatLevel ask for a newer
 * one than the other alone. What is not known of either is no reason. */
bool secure_prefers(const struct machine *machine, const struct file_content *content,
                    const struct file_content *other);

/* True when `content`, which is whole, is not to give way to `other`: the lists prefer it, or are not
 * known and `other` is signed by somebody else, has a lower security version number, or is none that
 * the two can be told of. What is not as it was signed gives way. */
bool secure_keeps(const struct machine *machine, const struct file_content *content,
                  const struct file_content *other);

/*
 * True when the machine's firmware refuses the file (index into the ESP's report) and takes one that
 * is at hand under the same path on another ESP, or that Windows keeps for it; for a copy of Windows'
 * boot manager under the removable-media path also one under its own. Such a file is brought nowhere, and replaced.
 */
bool secure_is_outdone(const struct machine *machine, const struct esp *esp, size_t file);

#endif
