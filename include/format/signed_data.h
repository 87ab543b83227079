/*
 * PKCS #7 SignedData (RFC 2315), the structure around signatures. Nothing is verified.
 *
 *   ContentInfo ::= SEQUENCE { OBJECT IDENTIFIER, [0] SignedData }
 *   SignedData ::= SEQUENCE { version INTEGER, digestAlgorithms SET,
 *       contentInfo SEQUENCE { contentType OBJECT IDENTIFIER, [0] content OPTIONAL },
 *       certificates [0] OPTIONAL, crls [1] OPTIONAL, signerInfos SET of SEQUENCE {
 *           version INTEGER, issuerAndSerialNumber SEQUENCE { Name, INTEGER }, ... } }
 */
#ifndef SHADOWBOOT_FORMAT_SIGNED_DATA_H
#define SHADOWBOOT_FORMAT_SIGNED_DATA_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"
#include "format/certificate.h"

struct signed_data {
    struct span content_type; /* of the OBJECT IDENTIFIER */
    struct span content;      /* of [0]; empty when what was signed lies elsewhere */
    struct span certificates; /* one behind the other, in any order; may be none */
    struct span signers;      /* SignerInfos, one behind the other; may be none */
};

/* Who made a signature, as the SignerInfo names his certificate. */
struct signer_name {
    struct span issuer; /* whole Name */
    struct span serial; /* content of the INTEGER */
};

/* Reads a ContentInfo, or a SignedData without one. Statuses: ST_OK; ST_DAMAGED. */
MUST_CHECK enum status signed_data_parse(struct span bytes, struct signed_data *ret_data);

/* Takes the first SignerInfo off `*io_signers`. False at the end, and for one that is none. */
bool signed_data_next_signer(struct span *io_signers, struct signer_name *ret_name);

/* The certificate that a signer names. Statuses: ST_OK; ST_ABSENT when it is not among them. */
MUST_CHECK enum status signed_data_certificate(const struct signed_data *data,
                                               const struct signer_name *name,
                                               struct certificate_parts *ret_parts);

/* Takes certificates off `*io_certificates` up to the first that is one: others may lie between
 * them. False at the end. */
bool signed_data_next_certificate(struct span *io_certificates,
                                  struct certificate_parts *ret_parts);

#endif
