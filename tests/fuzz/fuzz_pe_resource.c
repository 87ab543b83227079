/* Any bytes as a program's resources. The input: 2 bytes, the size of the pieces they come in; then
 * the section. Read in pieces, and only where something is wanted, they say the same. */
#include "format/pe_resource.h"
#include "fuzz/fuzz.h"

#define PREFIX_SIZE 2u
#define SIZE_LIMIT  32768u
#define OFFSET      0x400u
#define ADDRESS     0x1000u

static struct pe_resources by_pieces(const struct pe_section *section, const uint8_t *bytes,
                                     size_t size, size_t piece_size)
{
    struct pe_resources resources;

    pe_resources_start(&resources, section);
    for (size_t at = 0; at < size; at += piece_size) {
        size_t left = size - at < piece_size ? size - at : piece_size;
        uint8_t *piece = exact_copy(bytes + at, left);
        pe_resources_feed(&resources, span_of(piece, left), OFFSET + at);
        free(piece);
    }
    return resources;
}

static struct pe_resources by_wish(const struct pe_section *section, const uint8_t *bytes,
                                   size_t size)
{
    struct pe_resources resources;
    uint64_t offset = 0;
    size_t wanted = 0;
    size_t reads = 0;

    pe_resources_start(&resources, section);
    while (pe_resources_want(&resources, &offset, &wanted)) {
        require(offset >= OFFSET && wanted > 0 && offset + wanted <= OFFSET + size);
        pe_resources_feed(&resources, span_of(bytes + (offset - OFFSET), wanted), offset);
        require(++reads <= 4);
    }
    return resources;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX_SIZE || size > SIZE_LIMIT)
        return 0;
    size_t piece_size = ld_le16(data) % 4096u + 1;
    size_t own_size = size - PREFIX_SIZE;
    const struct pe_section section = {.address = ADDRESS, .offset = OFFSET, .size = own_size};
    uint8_t *bytes = exact_copy(data + PREFIX_SIZE, own_size);
    struct pe_resources first = by_pieces(&section, bytes, own_size, piece_size);
    struct pe_resources second = by_wish(&section, bytes, own_size);
    uint64_t versions[2] = {0, 0};
    uint32_t svns[2] = {0, 0};

    require(pe_resources_svn(&first, &svns[0]) == pe_resources_svn(&second, &svns[1]));
    require(pe_resources_version(&first, &versions[0]) ==
            pe_resources_version(&second, &versions[1]));
    require(svns[0] == svns[1] && versions[0] == versions[1]);
    free(bytes);
    return 0;
}
