/*
 * EFI programs as files (PE/COFF Specification): is it an image for this machine, and is it whole?
 *
 * The file is fed from start to end in pieces of any size, so that it is read only once and need
 * not fit into memory:
 *
 *     pe_check_start(&check, size, "X64");
 *     while (more) pe_check_feed(&check, piece);
 *     verdict = pe_check_finish(&check);
 *
 * Three things tell that content is not what its maker wrote:
 * - the digest in its signature (Authenticode, SHA-256). It has the last word on what it covers,
 *   which is all but the checksum and the signature. Signatures with SHA-1 only are not used, nor
 *   is any where sections overlap or leave gaps, for then the digest takes more than one pass. Of
 *   several the first counts.
 *   Nobody looks whether the signature itself is good.
 * - the checksum in the optional header, 0 where a linker left it out. Tools that set the loader's
 *   flags afterwards (NX compatible) leave it as it was before; such a file passes.
 * - code that is zero over whole pages, in an image that keeps code apart from data. Right digest
 * or checksum, and the zeros are as they should be. Where none of them is there, as in most of what
 * GRUB installs, damage in data is not seen.
 */
#ifndef SHADOWBOOT_FORMAT_PE_H
#define SHADOWBOOT_FORMAT_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "base/status.h"
#include "format/pe_headers.h"
#include "format/pe_levels.h"
#include "format/pe_mark.h"
#include "format/pe_resource.h"
#include "format/pe_signature.h"

/*
 * Where several hold, the one that says most: what is no program for this machine before what is
 * truncated, zeros before a digest, a digest before a checksum. PE_NOT_EFI comes last, for a file
 * that is whole: Windows' own boot applications, such as memtest.efi, are such.
 */
enum pe_verdict {
    PE_GOOD,
    PE_NOT_AN_IMAGE,  /* no MZ and PE headers, or headers that contradict themselves */
    PE_EMPTY,         /* a file of no bytes */
    PE_ZERO,          /* a file of zero bytes only */
    PE_OTHER_MACHINE, /* an image for another architecture */
    PE_NOT_EFI,       /* an image whose subsystem is none of UEFI's */
    PE_TRUNCATED,     /* its headers, a section or the certificate table pass the end of the file */
    PE_ZERO_FILLED,   /* whole pages of its code are zero, or blocks of its signature are */
    PE_BAD_CHECKSUM,  /* the checksum in its header is not that of the content */
    PE_BAD_DIGEST,    /* the digest in its signature is not that of the content */
    PE_VERDICT_COUNT
};

/* Half a sentence, such as "it is shorter than its own headers say". Static lifetime. */
const char *pe_verdict_text(enum pe_verdict verdict);

/*
 * True when firmware refuses the file (the next boot entry gets its turn); false when it starts
 * what is broken behind the headers, and the machine stops there: under Secure Boot it refuses that
 * as well. Meaningful for all but PE_GOOD.
 */
bool pe_verdict_is_refused(enum pe_verdict verdict);

/* Certificate tables up to this size are looked into, eight times what usual signatures take. */
#define PE_TABLE_MAX 65536

/* The state of a check; its fields are private. */
struct pe_check {
    uint64_t size;            /* of the file */
    const char *architecture; /* as in BOOT<ARCH>.EFI */
    uint64_t at;              /* bytes fed so far */
    uint8_t start[PE_HEADER_MAX];
    size_t start_used;
    enum status headers_status; /* ST_OK: `headers` is meaningful */
    struct pe_headers headers;
    uint64_t sum; /* of all 16-bit words, for the checksum */

    bool all_zero;
    bool block_is_zero;   /* all bytes of the block that `at` is in, so far */
    uint64_t zero_blocks; /* whole ones in a row before `at` */
    bool zero_code;

    bool looked_up;
    bool digest_wanted;
    struct sha256_state digest_state;
    struct sha256 digest; /* at the end */
    size_t table_used;

    struct pe_section sbat; /* of no bytes when there is none */
    uint8_t sbat_head[PE_SBAT_HEAD];
    size_t sbat_used;
    struct pe_levels levels;
    struct pe_pdb_search pdb;
    struct pe_resources resources;

    uint8_t table[PE_TABLE_MAX]; /* the last field: not cleared at the start */
};

/* `size` is that of the file in bytes; `architecture` must outlive the check. What is not signed has a
 * digest made only if it is `looked_up` in lists of such: nothing else asks for it. */
void pe_check_start(struct pe_check *check, uint64_t size, const char *architecture,
                    bool looked_up);

/* The next bytes of the file. What is beyond its size is ignored. */
void pe_check_feed(struct pe_check *check, struct span piece);

/* The verdict, once all bytes were fed; PE_TRUNCATED when they were fewer than `size`. The check is
 * used up. */
enum pe_verdict pe_check_finish(struct pe_check *check);

/* The checksum that goes with the content, whatever is stored; once all bytes were fed, 0 for what
 * is no image. Two files of one size that have the same differ in nothing but the stored one, as
 * far as it tells. */
uint32_t pe_check_sum(const struct pe_check *check);

/* What Authenticode makes of the content, once the check is finished. False where it would take more
 * than one pass, for what is no image, and for what is neither signed nor looked up. */
bool pe_check_digest(const struct pe_check *check, struct sha256 *ret_digest);

/*
 * The certificate table, once all bytes were fed; it lies in the check. Statuses: ST_OK; ST_ABSENT
 * where there is none; ST_UNSUPPORTED for one that is larger than PE_TABLE_MAX; ST_DAMAGED when the
 * file ends before it does, or goes on behind it.
 */
MUST_CHECK enum status pe_check_table(const struct pe_check *check, struct span *ret_table);

/* The start of the .sbat section, once all bytes were fed; empty without one. Lies in the check. */
struct span pe_check_sbat(const struct pe_check *check);

/* What the program says of itself, once all bytes were fed; PE_MARK_NONE for what is no image. */
enum pe_mark pe_check_mark(const struct pe_check *check);

/* Which version it says it is (pe_mark_version); 0 for what is no image. */
uint32_t pe_check_version(const struct pe_check *check);

#endif
