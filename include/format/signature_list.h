/*
 * Lists of what Secure Boot trusts and forbids: the content of the variables PK, KEK, db, dbx, dbt
 * and dbr (UEFI Specification 32.4.1, EFI_SIGNATURE_LIST).
 *
 *   0  16  kind of all its entries             entry   0  16  owner
 *  16   4  size of the list                           16   -  digest, certificate ...
 *  20   4  size of a header behind these fields
 *  24   4  size of an entry
 *
 * An entry with the digest of a certificate carries the time from when on it is forbidden behind it,
 * zero for always. A digest under Microsoft's own owner GUID is none, but a security version number
 * (SVN): boot managers below it are not to be started any more. Firmware does not know that.
 *
 *   0  1  1     1  16  the program's GUID     17  2  minor number     19  2  major number
 */
#ifndef SHADOWBOOT_FORMAT_SIGNATURE_LIST_H
#define SHADOWBOOT_FORMAT_SIGNATURE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"

enum signature_kind {
    SIGNATURE_SHA256,             /* of a program, as Authenticode makes it */
    SIGNATURE_CERTIFICATE,        /* X.509 */
    SIGNATURE_CERTIFICATE_SHA256, /* of its part that is signed, and a time */
    SIGNATURE_CERTIFICATE_SHA384,
    SIGNATURE_CERTIFICATE_SHA512,
    SIGNATURE_SHA1,
    SIGNATURE_SHA224,
    SIGNATURE_SHA384,
    SIGNATURE_SHA512,
    SIGNATURE_OTHER,
    SIGNATURE_KIND_COUNT
};

/* What they are called: "SHA-256 digests". Static lifetime. */
const char *signature_kind_text(enum signature_kind kind);

struct signature {
    enum signature_kind kind;
    struct guid owner;
    struct span data; /* behind the owner; for kinds of digests at least as long as one */
};

/* A walk through a variable's content. */
struct signature_walk {
    struct span rest; /* lists that follow */
    struct span list; /* entries that follow in this one */
    uint32_t size;    /* of each */
    enum signature_kind kind;
};

/* Starts before the first entry of `lists`. */
struct signature_walk signature_walk_start(struct span lists);

/* The next entry. Statuses: ST_OK; ST_ABSENT at the end; ST_DAMAGED where a list contradicts itself
 * or passes the end: what is behind it is not known. */
MUST_CHECK enum status signature_next(struct signature_walk *walk, struct signature *ret_signature);

/* The programs that SVNs are kept of. */
enum svn_program { SVN_BOOT_MANAGER, SVN_CDBOOT, SVN_WDSMGFW, SVN_PROGRAM_COUNT };

/* "bootmgfw" ...: their names. Static lifetime. */
const char *svn_program_name(enum svn_program program);

/* True when the entry is a security version number; `*ret_program` is SVN_PROGRAM_COUNT for an
 * unknown one, `*ret_svn` the major number in the upper 16 bits and the minor in the lower. */
bool signature_is_svn(const struct signature *signature, enum svn_program *ret_program,
                      uint32_t *ret_svn);

/* The EFI_TIME behind a certificate's digest is zero: it is forbidden whenever it was used. */
bool signature_is_forever(const struct signature *signature);

#endif
