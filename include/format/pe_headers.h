/*
 * The headers of an image (PE/COFF Specification, sections 2 to 4), as a loader reads them.
 *
 *   file start   0  2  "MZ"                     PE header   0  4  "PE", 0, 0
 *               60  4  offset of the PE header              4  2  machine
 *                                                           6  2  number of sections
 *   optional header, behind the PE header                  20  2  size of the optional header
 *     0  2  10b: PE32, 20b: PE32+
 *    60  4  size of all headers together        section header, behind the optional header
 *    64  4  checksum of the file, 0 = none                  0  8  name
 *    68  2  subsystem                                       8  4  size in memory, address at 12
 *    70  2  flags for the loader                           16  4  size in the file
 *    92  4  number of directories (PE32+: 108)             20  4  offset in the file
 *    96  8  directories of 4 + 4 bytes (PE32+: 112)        36  4  flags
 *           no. 4: offset in the file and size of the certificate table
 */
#ifndef SHADOWBOOT_FORMAT_PE_HEADERS_H
#define SHADOWBOOT_FORMAT_PE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* Headers are looked at in this many bytes from the start of the file: room for 190 sections, twice
 * what Windows loads. */
#define PE_HEADER_MAX 8192

struct pe_headers {
    uint16_t machine;
    uint16_t subsystem;
    uint16_t loader_flags;
    uint32_t size;             /* of all headers; the first section's bytes follow */
    uint32_t checksum;         /* as stored */
    uint64_t checksum_offset;  /* of that field, 4 bytes */
    uint64_t directory_offset; /* of the certificate table's entry, 8 bytes; 0 without one */
    uint64_t certificates;     /* offset of the certificate table; 0 when there is none */
    uint64_t certificates_size;
    uint64_t sections_offset; /* of the section headers */
    size_t section_count;
};

struct pe_section {
    struct span name; /* 8 bytes, filled up with zeros; of the headers */
    uint32_t address; /* in memory, from the image's start */
    uint64_t offset;  /* in the file */
    uint64_t size;    /* in the file */
    uint32_t flags;
};

/*
 * Reads the headers from `start`, the file's first PE_HEADER_MAX bytes or all of it, where the file
 * has `file_size`. Statuses: ST_OK; ST_ABSENT for what is no image; ST_TOO_SMALL when the headers
 * pass the end of the file; ST_DAMAGED when they contradict themselves in a way that firmware does
 * not accept. Sections and certificates may pass the end all the same: pe_headers_extent.
 */
MUST_CHECK enum status pe_headers_parse(struct span start, uint64_t file_size,
                                        struct pe_headers *ret_headers);

/* The section number `index` < section_count; `start` is what the headers were read from. */
struct pe_section pe_headers_section(struct span start, const struct pe_headers *headers,
                                     size_t index);

/* True when a section has this name, of at most 8 characters; `*ret_section` is the first such. */
bool pe_headers_find_section(struct span start, const struct pe_headers *headers, const char *name,
                             struct pe_section *ret_section);

/* Where the last section or the certificate table ends: a whole file is at least as long. */
uint64_t pe_headers_extent(struct span start, const struct pe_headers *headers);

/*
 * True when the sections follow each other without a gap from the end of the headers on, and the
 * certificate table, if any, is the last thing in the file: then Authenticode digests the file from
 * start to end, and its digest can be made in one pass.
 */
bool pe_headers_tile_file(struct span start, const struct pe_headers *headers, uint64_t file_size);

/*
 * True when the image keeps its code apart from its data, so that no page of the code should be
 * zero. Some have all in one section (syslinux), or zero pages in their code (a Linux kernel that
 * is not compressed).
 */
bool pe_headers_split_code(struct span start, const struct pe_headers *headers);

/* True when the bytes [offset, offset + size) of the file lie in one section of nothing but
 * code. */
bool pe_headers_is_code(struct span start, const struct pe_headers *headers, uint64_t offset,
                        uint64_t size);

/*
 * True when `machine` is what `architecture` (as in BOOT<ARCH>.EFI, any case) starts: its own code
 * and EFI byte code. Also true for an architecture that is not known here.
 */
bool pe_machine_fits(uint16_t machine, const char *architecture);

/* True for the applications and drivers of UEFI. */
bool pe_subsystem_is_efi(uint16_t subsystem);

#endif
