/*
 * What Secure Boot goes by in a program: its digest, who signed it, the security version number of
 * Windows' boot managers and shim's levels. Read while the file is checked (format/pe.h), and kept
 * without the file. Nothing is verified: that is firmware's.
 */
#ifndef SHADOWBOOT_FORMAT_PE_SIGNERS_H
#define SHADOWBOOT_FORMAT_PE_SIGNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "base/status.h"
#include "format/certificate.h"
#include "format/pe.h"

#define PE_SIGNERS_MAX 4 /* signatures of a file */
#define PE_CHAINS_MAX  8 /* certificates of all of them */

struct pe_signer {
    enum status status; /* ST_OK; ST_UNSUPPORTED where the signature, or the chain from it, is not
                         * followed here */
    bool right;         /* ST_OK: the digest in it is that of the content; false also where that is
                         * not known */
    size_t first;       /* ST_OK: index into `certificates` of the signer's own, */
    size_t count;       /* then all of the file that may have issued it, or another of these */
    char issuer_name[CERTIFICATE_NAME_SIZE]; /* common name of who issued the signer's own */
};

struct pe_signers {
    enum status
        table; /* of the certificate table: ST_OK; ST_ABSENT: not signed; ST_DAMAGED: firmware
                        * takes it for broken; ST_UNSUPPORTED: larger, or with more signatures, than
                        * is kept here */
    bool has_digest;
    struct sha256 digest; /* as Authenticode makes it (pe_check_digest) */
    struct pe_signer signers[PE_SIGNERS_MAX];
    size_t count;
    struct certificate certificates[PE_CHAINS_MAX];
    enum pe_mark mark; /* what it says it is */
    bool has_svn;
    uint32_t svn; /* major number in the upper 16 bits */
    bool has_version;
    uint64_t version;               /* a.b.c.d of 16 bits each */
    char sbat[PE_SBAT_HEAD + 1];    /* whole lines of the .sbat section, "" without one */
    uint8_t levels[PE_LEVELS_SIZE]; /* of a shim (format/pe_levels.h), all zero without any */
};

/* Of a check that is finished. */
void pe_signers_read(const struct pe_check *check, struct pe_signers *ret_signers);

/* Whether the program is below the levels of shim's variable SbatLevel, "component,generation"
 * lines. False for a program without lines of that kind. */
bool pe_signers_below_level(const struct pe_signers *signers, struct span level);

#endif
