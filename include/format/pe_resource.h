/*
 * What Windows' programs say of themselves in their resources (PE/COFF Specification, section
 * ".rsrc"): a tree of three levels, type, name and language, at the start of the section.
 *
 *   directory      12  2  entries with a name        entry   0  4  id; bit 31: offset of a name
 *                  14  2  entries with an id                 4  4  offset; bit 31: of a directory
 *                  16     entries                    leaf    0  4  address      4  4  size
 *
 *   type 16, any name: VS_VERSIONINFO, with the file's version in the VS_FIXEDFILEINFO at 40
 *   type 10, BOOTMGRSECURITYVERSIONNUMBER: u16 minor, u16 major, what dbx may forbid boot managers
 *   below of (format/signature_list.h)
 */
#ifndef SHADOWBOOT_FORMAT_PE_RESOURCE_H
#define SHADOWBOOT_FORMAT_PE_RESOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "format/pe_headers.h"

/* Of the section so much is looked at for the tree itself. */
#define PE_RESOURCE_HEAD  4096
#define PE_RESOURCE_VALUE 56

enum pe_resource_kind { PE_RESOURCE_SVN, PE_RESOURCE_VERSION, PE_RESOURCE_COUNT };

/* Part of a file, and what has been read of it. */
struct pe_resource_value {
    uint64_t offset;
    size_t wanted; /* bytes; 0: there is none */
    size_t used;
    uint8_t bytes[PE_RESOURCE_VALUE];
};

/* The state of a search; its fields are private. */
struct pe_resources {
    struct pe_section section;
    size_t head_wanted;
    size_t head_used;
    uint8_t head[PE_RESOURCE_HEAD];
    struct pe_resource_value values[PE_RESOURCE_COUNT];
};

/* `section` is ".rsrc", or one of no bytes where there is none. */
void pe_resources_start(struct pe_resources *resources, const struct pe_section *section);

/* Bytes of the file from offset `at`; pieces come in order, and what lies between them is not
 * needed. */
void pe_resources_feed(struct pe_resources *resources, struct span piece, uint64_t at);

/* What of the file is needed next, for who does not read it from start to end. False when nothing
 * is. */
bool pe_resources_want(const struct pe_resources *resources, uint64_t *ret_offset,
                       size_t *ret_size);

/* The major number in the upper 16 bits, the minor in the lower. False when the file has none. */
bool pe_resources_svn(const struct pe_resources *resources, uint32_t *ret_svn);

/* The version a.b.c.d, 16 bits each from the top. False when the file has none. */
bool pe_resources_version(const struct pe_resources *resources, uint64_t *ret_version);

#endif
