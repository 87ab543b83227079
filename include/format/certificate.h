/*
 * X.509 certificates (RFC 5280), as far as tells which one it is and who issued it. Nothing is
 * verified: neither its signature, nor its dates, which no firmware goes by either.
 *
 *   Certificate ::= SEQUENCE { tbsCertificate SEQUENCE {
 *       [0] version OPTIONAL, serialNumber INTEGER, signature SEQUENCE, issuer Name,
 *       validity SEQUENCE { notBefore, notAfter }, subject Name, subjectPublicKeyInfo SEQUENCE,
 *       ..., [3] SEQUENCE of SEQUENCE { OBJECT IDENTIFIER, critical BOOLEAN OPTIONAL,
 *       OCTET STRING } OPTIONAL }, ... }
 *   Name ::= SEQUENCE of SET of SEQUENCE { OBJECT IDENTIFIER, string }
 */
#ifndef SHADOWBOOT_FORMAT_CERTIFICATE_H
#define SHADOWBOOT_FORMAT_CERTIFICATE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "base/sha512.h"
#include "base/status.h"

#define CERTIFICATE_NAME_SIZE 64
#define CERTIFICATE_DATE_SIZE 11

/* The parts of a certificate, as they lie in its bytes. */
struct certificate_parts {
    struct span whole;
    struct span signed_part; /* tbsCertificate, the whole element */
    struct span serial;      /* content of the INTEGER */
    struct span issuer;      /* the whole Name */
    struct span subject;     /* the whole Name */
    struct span end;         /* notAfter: the whole element */
    struct span key;         /* subjectPublicKeyInfo, the whole element */
    /* What its key, and that of who issued it, are called (4.2.1.2, 4.2.1.1); empty where that is
     * not told. */
    struct span key_id;
    struct span issuer_key_id;
};

/* Digest of what may not be there. */
struct certificate_id {
    bool known;
    struct sha256 digest;
};

/* What a certificate is known by when its bytes are gone. */
struct certificate {
    struct sha256 digest;      /* of the whole */
    struct sha256 signed_part; /* of tbsCertificate */
    struct sha512 signed_part_384;
    struct sha512 signed_part_512;
    struct sha256 issuer;         /* of the Name */
    struct sha256 subject;        /* of the Name */
    struct sha256 key;            /* of the public key */
    struct certificate_id key_id; /* of its name */
    struct certificate_id issuer_key_id;
    char name[CERTIFICATE_NAME_SIZE]; /* the subject's common name, for people: anybody can write
                                       * any name into a certificate. Printable ASCII, cut */
    char end[CERTIFICATE_DATE_SIZE];  /* "2026-10-19", or "" */
};

/* Takes a certificate apart; what may follow it in `bytes` is no part of it. Statuses: ST_OK;
 * ST_DAMAGED for what is no certificate. */
MUST_CHECK enum status certificate_split(struct span bytes, struct certificate_parts *ret_parts);

/* What it is known by. */
struct certificate certificate_of(const struct certificate_parts *parts);

/* Reads it at once. Statuses as certificate_split. */
MUST_CHECK enum status certificate_parse(struct span bytes, struct certificate *ret_certificate);

/* True when the one may have issued the other, by names and by what their keys are called. Several
 * may have: those of one name whose keys are called nothing. */
bool certificate_may_have_issued(const struct certificate *issuer, const struct certificate *own);

/* True for a certificate of itself, which nobody else can have issued. */
bool certificate_is_its_own(const struct certificate *own);

/* The common name in a whole Name, in the form above; "" where it has none. */
void certificate_common_name(struct span name, char ret_text[CERTIFICATE_NAME_SIZE]);

#endif
