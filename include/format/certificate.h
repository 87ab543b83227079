/*
 * X.509 certificates (RFC 5280), as far as tells which one it is and who issued it. Nothing is
 * verified: neither its signature, nor its dates, which no firmware goes by either.
 *
 *   Certificate ::= SEQUENCE { tbsCertificate SEQUENCE {
 *       [0] version OPTIONAL, serialNumber INTEGER, signature SEQUENCE, issuer Name,
 *       validity SEQUENCE { notBefore, notAfter }, subject Name, ... }, ... }
 *   Name ::= SEQUENCE of SET of SEQUENCE { OBJECT IDENTIFIER, string }
 */
#ifndef SHADOWBOOT_FORMAT_CERTIFICATE_H
#define SHADOWBOOT_FORMAT_CERTIFICATE_H

#include "base/bytes.h"
#include "base/sha256.h"
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
};

/* What a certificate is known by when its bytes are gone. */
struct certificate {
    struct sha256 digest;             /* of the whole */
    struct sha256 signed_part;        /* of tbsCertificate */
    struct sha256 issuer;             /* of the Name */
    struct sha256 subject;            /* of the Name */
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

/* The common name in a whole Name, in the form above; "" where it has none. */
void certificate_common_name(struct span name, char ret_text[CERTIFICATE_NAME_SIZE]);

#endif
