/*
 * Signatures of an image (Windows Authenticode Portable Executable Signature Format). Nothing is
 * verified here: firmware does that. The digest tells what the content was when it was signed.
 *
 *   certificate table:  WIN_CERTIFICATE, as often as it was signed, each on an 8-byte boundary
 *     0  4  size with this header
 *     4  2  200
 *     6  2  kind, 2: PKCS #7
 *     8     a SignedData around SEQUENCE { data, DigestInfo }
 *
 * Signers that are in a signature's own attributes (nested ones) are not seen: firmware does not
 * look there either.
 */
#ifndef SHADOWBOOT_FORMAT_PE_SIGNATURE_H
#define SHADOWBOOT_FORMAT_PE_SIGNATURE_H

#include "base/bytes.h"
#include "base/sha256.h"
#include "base/status.h"
#include "format/signed_data.h"

struct pe_signature {
    enum status status; /* ST_OK; ST_UNSUPPORTED for a structure that is not followed here, and for
                         * digests other than SHA-256 */
    struct sha256 digest;    /* like `data`: meaningful with ST_OK */
    struct signed_data data; /* lies in the table */
    size_t size;             /* of header and structure, without the zeros that may follow */
};

/*
 * The signature at `*io_at` of the certificate table (0 for the first), which then moves behind it.
 * Statuses: ST_OK; ST_ABSENT at the table's end; ST_DAMAGED when what is there passes it, or is too
 * short for a signature.
 */
MUST_CHECK enum status pe_signature_next(struct span table, size_t *io_at,
                                         struct pe_signature *ret_signature);

#endif
