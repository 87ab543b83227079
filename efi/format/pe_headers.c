#include "format/pe_headers.h"

#include "base/mem.h"
#include "base/text.h"

#define DOS_HEADER_SIZE     64u
#define PE_HEADER_SIZE      24u
#define SECTION_HEADER_SIZE 40u
#define SECTION_NAME_SIZE   8u
#define DIRECTORY_SIZE      8u
#define DIRECTORIES_MAX     16u
#define DIRECTORY_SECURITY  4u
#define MAGIC_PE32          0x10bu
#define MAGIC_PE32_PLUS     0x20bu

#define SECTION_CODE  0x00000020u
#define SECTION_DATA  0x00000040u
#define SECTION_WRITE 0x80000000u

/* The bytes [offset, offset + size): ST_TOO_SMALL when the file ends before them, ST_DAMAGED when
 * they are too far behind its start for headers. */
static enum status take_fields(struct span start, uint64_t file_size, uint64_t offset,
                               uint64_t size, const uint8_t **ret_at)
{
    if (offset > file_size || size > file_size - offset)
        return ST_TOO_SMALL;
    struct span part = span_part(start, offset, size);
    if (part.at == NULL)
        return ST_DAMAGED;
    *ret_at = part.at;
    return ST_OK;
}

/* The offset of the PE header. */
static enum status find_pe_header(struct span start, uint64_t file_size, uint64_t *ret_offset)
{
    const uint8_t *at = NULL;

    if (start.size < 2 || memcmp(start.at, "MZ", 2) != 0)
        return ST_ABSENT;
    enum status status = take_fields(start, file_size, 0, DOS_HEADER_SIZE, &at);
    if (status != ST_OK)
        return status;
    uint64_t offset = ld_le32(at + 60);
    status = take_fields(start, file_size, offset, PE_HEADER_SIZE, &at);
    if (status != ST_OK)
        return status == ST_DAMAGED ? ST_ABSENT : status;
    if (memcmp(at, "PE\0\0", 4) != 0)
        return ST_ABSENT;
    *ret_offset = offset;
    return ST_OK;
}

/* The directories fill the rest of the optional header: firmware accepts nothing else. */
static enum status load_directories(const uint8_t *optional, uint64_t optional_size,
                                    uint64_t optional_offset, uint64_t first,
                                    struct pe_headers *headers)
{
    uint32_t count = ld_le32(optional + first - 4);
    uint64_t entry = first + DIRECTORY_SECURITY * DIRECTORY_SIZE;

    if (count > DIRECTORIES_MAX || optional_size - first != count * DIRECTORY_SIZE)
        return ST_DAMAGED;
    if (count <= DIRECTORY_SECURITY)
        return ST_OK;
    headers->directory_offset = optional_offset + entry;
    uint32_t offset = ld_le32(optional + entry);
    uint32_t size = ld_le32(optional + entry + 4);
    if (offset == 0 || size == 0)
        return ST_OK;
    headers->certificates = offset;
    headers->certificates_size = size;
    return ST_OK;
}

/* `optional` holds all `size` bytes of the optional header, which is at `offset` of the file. */
static enum status load_optional(const uint8_t *optional, uint64_t size, uint64_t offset,
                                 struct pe_headers *headers)
{
    uint16_t magic = size >= 2 ? ld_le16(optional) : 0;
    uint64_t first = magic == MAGIC_PE32_PLUS ? 112 : 96;

    if ((magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS) || size < first)
        return ST_DAMAGED;
    headers->size = ld_le32(optional + 60);
    headers->checksum = ld_le32(optional + 64);
    headers->checksum_offset = offset + 64;
    headers->subsystem = ld_le16(optional + 68);
    headers->loader_flags = ld_le16(optional + 70);
    return load_directories(optional, size, offset, first, headers);
}

enum status pe_headers_parse(struct span start, uint64_t file_size, struct pe_headers *ret_headers)
{
    struct pe_headers headers = {0};
    const uint8_t *at = NULL;
    uint64_t offset = 0;

    enum status status = find_pe_header(start, file_size, &offset);
    if (status != ST_OK)
        return status;
    headers.machine = ld_le16(start.at + offset + 4);
    headers.section_count = ld_le16(start.at + offset + 6);
    uint64_t optional_size = ld_le16(start.at + offset + 20);
    offset += PE_HEADER_SIZE;
    status = take_fields(start, file_size, offset, optional_size, &at);
    if (status != ST_OK)
        return status;
    status = load_optional(at, optional_size, offset, &headers);
    if (status != ST_OK)
        return status;
    headers.sections_offset = offset + optional_size;
    uint64_t sections_size = headers.section_count * SECTION_HEADER_SIZE;
    status = take_fields(start, file_size, headers.sections_offset, sections_size, &at);
    if (status != ST_OK)
        return status;
    if (headers.size < headers.sections_offset + sections_size)
        return ST_DAMAGED;
    if (headers.size > file_size)
        return ST_TOO_SMALL;
    *ret_headers = headers;
    return ST_OK;
}

struct pe_section pe_headers_section(struct span start, const struct pe_headers *headers,
                                     size_t index)
{
    const uint8_t *at = start.at + headers->sections_offset + index * SECTION_HEADER_SIZE;
    struct pe_section section = {
        .name = span_of(at, SECTION_NAME_SIZE),
        .address = ld_le32(at + 12),
        .size = ld_le32(at + 16),
        .offset = ld_le32(at + 20),
        .flags = ld_le32(at + 36),
    };

    return section;
}

static bool section_has_name(const struct pe_section *section, const char *name)
{
    size_t length = text_length(name);

    return length <= section->name.size && memcmp(section->name.at, name, length) == 0 &&
           span_is_zero(span_part(section->name, length, section->name.size - length));
}

bool pe_headers_find_section(struct span start, const struct pe_headers *headers, const char *name,
                             struct pe_section *ret_section)
{
    for (size_t i = 0; i < headers->section_count; i++) {
        struct pe_section section = pe_headers_section(start, headers, i);
        if (!section_has_name(&section, name))
            continue;
        *ret_section = section;
        return true;
    }
    return false;
}

uint64_t pe_headers_extent(struct span start, const struct pe_headers *headers)
{
    uint64_t extent = headers->certificates + headers->certificates_size;

    for (size_t i = 0; i < headers->section_count; i++) {
        struct pe_section section = pe_headers_section(start, headers, i);
        if (section.size > 0 && section.offset + section.size > extent)
            extent = section.offset + section.size;
    }
    return extent;
}

/* The first section whose bytes begin at `offset`; false when there is none. */
static bool section_at(struct span start, const struct pe_headers *headers, uint64_t offset,
                       struct pe_section *ret_section)
{
    for (size_t i = 0; i < headers->section_count; i++) {
        struct pe_section section = pe_headers_section(start, headers, i);
        if (section.size > 0 && section.offset == offset) {
            *ret_section = section;
            return true;
        }
    }
    return false;
}

static size_t sections_with_bytes(struct span start, const struct pe_headers *headers)
{
    size_t count = 0;

    for (size_t i = 0; i < headers->section_count; i++)
        count += pe_headers_section(start, headers, i).size > 0;
    return count;
}

bool pe_headers_tile_file(struct span start, const struct pe_headers *headers, uint64_t file_size)
{
    size_t left = sections_with_bytes(start, headers);
    uint64_t at = headers->size;
    struct pe_section section = {0};

    while (left > 0 && section_at(start, headers, at, &section)) {
        at += section.size;
        left--;
    }
    if (left > 0)
        return false;
    if (headers->certificates == 0)
        return at <= file_size;
    return at <= headers->certificates &&
           headers->certificates + headers->certificates_size == file_size;
}

/* The magic numbers of kernels that lie in the file as they will lie in memory. */
static bool is_bare_kernel(struct span start)
{
    struct span magic = span_part(start, 56, 4);

    return magic.at != NULL &&
           (memcmp(magic.at, "ARM\x64", 4) == 0 || memcmp(magic.at, "RSC\x05", 4) == 0);
}

bool pe_headers_split_code(struct span start, const struct pe_headers *headers)
{
    const uint32_t wanted = SECTION_DATA | SECTION_WRITE;

    if (is_bare_kernel(start))
        return false;
    for (size_t i = 0; i < headers->section_count; i++) {
        struct pe_section section = pe_headers_section(start, headers, i);
        if (section.size > 0 && (section.flags & (wanted | SECTION_CODE)) == wanted)
            return true;
    }
    return false;
}

bool pe_headers_is_code(struct span start, const struct pe_headers *headers, uint64_t offset,
                        uint64_t size)
{
    const uint32_t all = SECTION_CODE | SECTION_DATA | SECTION_WRITE;

    for (size_t i = 0; i < headers->section_count; i++) {
        struct pe_section section = pe_headers_section(start, headers, i);
        if ((section.flags & all) == SECTION_CODE && offset >= section.offset &&
            offset + size <= section.offset + section.size)
            return true;
    }
    return false;
}

#define MACHINE_EBC 0x0ebcu

bool pe_machine_fits(uint16_t machine, const char *architecture)
{
    static const struct {
        const char *architecture;
        uint16_t machine;
    } known[] = {
        {"X64", 0x8664},     {"IA32", 0x014c},     {"AA64", 0xaa64},        {"ARM", 0x01c2},
        {"ARM", 0x01c0},     {"ARM", 0x01c4},      {"IA64", 0x0200},        {"RISCV32", 0x5032},
        {"RISCV64", 0x5064}, {"RISCV128", 0x5128}, {"LOONGARCH32", 0x6232}, {"LOONGARCH64", 0x6264},
    };
    bool is_known = false;

    if (machine == MACHINE_EBC)
        return true;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!text_equal_nocase(known[i].architecture, architecture))
            continue;
        is_known = true;
        if (known[i].machine == machine)
            return true;
    }
    return !is_known;
}

#define SUBSYSTEM_EFI_APPLICATION 10u
#define SUBSYSTEM_EFI_ROM         13u

bool pe_subsystem_is_efi(uint16_t subsystem)
{
    return subsystem >= SUBSYSTEM_EFI_APPLICATION && subsystem <= SUBSYSTEM_EFI_ROM;
}
