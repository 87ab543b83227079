/* Images (PE/COFF Specification) built byte by byte, with and without checksum and signature. */
#ifndef SHADOWBOOT_UNIT_PE_FIXTURE_H
#define SHADOWBOOT_UNIT_PE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define PE_FIXTURE_SECTIONS 8

#define PE_CODE 0x60000020u /* code, may be executed and read */
#define PE_DATA 0xc0000040u /* initialised data, may be read and written */

enum pe_fixture_signature { UNSIGNED, SIGNED_SHA256, SIGNED_SHA1 };

/* What an image is to be like. */
struct pe_recipe {
    uint16_t machine;
    uint16_t subsystem;
    uint16_t loader_flags;
    bool pe32; /* else PE32+ */
    uint32_t pe_offset;
    uint32_t headers_size;
    size_t section_count;
    struct {
        uint32_t offset;
        uint32_t size;
        uint32_t flags;
    } sections[PE_FIXTURE_SECTIONS];
    size_t size; /* of the file without the certificate table */
    bool checksum;
    enum pe_fixture_signature signature;
    size_t page_digests; /* bytes that stand before the digest in the signature */
    size_t certificates; /* bytes behind the digest, where the signer's certificates would be */
    /* Or certificates one behind the other, and signer infos (RFC 2315, 9.2), DER. */
    struct span chain;
    struct span signers;
};

/* An X64 application of two pages of code, one of data and 100 bytes more; not signed, without a
 * checksum. No block of it is zero. */
struct pe_recipe pe_recipe_usual(void);

struct pe_image {
    uint8_t *bytes; /* in a block of just this size */
    size_t size;
    size_t checksum_at;
    size_t directory_at;    /* entry of the certificate table */
    size_t sections_at;     /* section headers */
    size_t certificates_at; /* certificate table; 0 without one */
    size_t digest_at;       /* digest in the signature; 0 without one */
};

struct pe_image pe_image_build(const struct pe_recipe *recipe);

/* The usual one whose last section has that name (up to 8 characters), and holds the text and zeros. */
struct pe_image pe_image_with_section(const char *name, const char *text);
void pe_image_free(struct pe_image *image);

/* Stores the checksum anew. */
void pe_image_set_checksum(struct pe_image *image);

#endif
