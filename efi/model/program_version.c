#include "program_version.h"

#include "format/pe_resource.h"

/* Where an open program is read, piece by piece. */
struct version_search {
    struct ntfs_volume *volume;
    struct ntfs_file file;
    uint8_t piece[PE_HEADER_MAX];
    struct pe_resources resources;
};

_Static_assert(PE_RESOURCE_HEAD <= PE_HEADER_MAX && PE_RESOURCE_VALUE <= PE_HEADER_MAX,
               "what is wanted has to fit a piece");

/* Reads the parts of the section that tell. */
static enum status read_section(struct version_search *search, const struct pe_section *section)
{
    enum status status = ST_OK;
    uint64_t offset = 0;
    size_t wanted = 0;
    size_t size = 0;

    pe_resources_start(&search->resources, section);
    while (status == ST_OK && pe_resources_want(&search->resources, &offset, &wanted)) {
        status = ntfs_read(search->volume, &search->file, offset, search->piece, wanted, &size);
        if (status == ST_OK && size < wanted)
            status = ST_DAMAGED;
        if (status == ST_OK)
            pe_resources_feed(&search->resources, span_of(search->piece, size), offset);
    }
    return status;
}

static enum status find_version(struct version_search *search, const char *path,
                                uint64_t *ret_version)
{
    struct pe_section section;
    struct pe_headers headers;
    size_t size = 0;

    enum status status = ntfs_lookup(search->volume, path, &search->file);
    if (status == ST_OK)
        status = ntfs_read(search->volume, &search->file, 0, search->piece, PE_HEADER_MAX, &size);
    if (status != ST_OK ||
        pe_headers_parse(span_of(search->piece, size), search->file.size, &headers) != ST_OK ||
        !pe_headers_find_section(span_of(search->piece, size), &headers, ".rsrc", &section))
        return status;
    status = read_section(search, &section);
    if (status == ST_OK)
        (void)pe_resources_version(&search->resources, ret_version);
    return status;
}

enum status program_version(struct arena *arena, struct ntfs_volume *volume, const char *path,
                            uint64_t *ret_version)
{
    size_t mark = arena_mark(arena);
    struct version_search *search = arena_alloc(arena, 1, sizeof(*search));

    if (search == NULL)
        return ST_NO_MEMORY;
    search->volume = volume;
    enum status status = find_version(search, path, ret_version);
    arena_release(arena, mark);
    return status;
}
