/*
 * The digest inside an image's signature (Windows Authenticode Portable Executable Signature
 * Format). Nothing is verified here: neither the signature nor who made it. The digest tells what
 * the content was when it was signed.
 *
 *   certificate table:  WIN_CERTIFICATE, as often as it was signed, each on an 8-byte boundary
 *     0  4  size with this header
 *     4  2  200
 *     6  2  kind, 2: PKCS #7
 *     8     ContentInfo, a DER structure that leads to a DigestInfo
 */
#ifndef SHADOWBOOT_FORMAT_PE_SIGNATURE_H
#define SHADOWBOOT_FORMAT_PE_SIGNATURE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "base/status.h"

/* What pe_signature_locate may look at; the digest itself may be farther on. */
#define PE_SIGNATURE_HEAD 512
/* The size of a DigestInfo for SHA-256 with everything that may be in it. */
#define PE_DIGEST_INFO_MAX 51

struct pe_signature {
    uint64_t size;   /* of header and DER structure, without the zeros that may follow */
    uint64_t digest; /* where the DigestInfo begins, from the start of the table */
};

/*
 * Finds the DigestInfo of the first signature; `head` is the start of the certificate table, of
 * which it holds PE_SIGNATURE_HEAD bytes or all, and `table_size` the size of that. Statuses:
 * ST_OK; ST_UNSUPPORTED for a structure that is not followed here.
 */
MUST_CHECK enum status pe_signature_locate(struct span head, uint64_t table_size,
                                           struct pe_signature *ret_signature);

/*
 * Reads the DigestInfo `info`, of which the table may hold less than PE_DIGEST_INFO_MAX bytes.
 * Statuses: ST_OK; ST_UNSUPPORTED for anything but SHA-256.
 */
MUST_CHECK enum status pe_signature_digest(struct span info, struct sha256 *ret_digest);

#endif
