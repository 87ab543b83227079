#include "base/mem.h"
#include "base/text.h"
#include "format/ntfs/ntfs_boot.h"
#include "format/ntfs/ntfs_index.h"
#include "ntfs_stream.h"
#include "ntfs_upcase.h"

#define ROOT_RECORD    5u
#define DEPTH_MAX      16u /* of a directory's tree: four levels hold millions of names */
#define NAME_MAX_UNITS 255u
#define SMALL_UNIT     512u /* blocks are numbered in these where clusters are larger than they */

static const uint8_t i30[] = {'$', 0, 'I', 0, '3', 0, '0', 0};

/* A name on its way down a directory's tree. */
struct search {
    struct ntfs_volume *volume;
    struct span name;
    bool found;
    uint64_t reference; /* found: the file */
    uint64_t child;     /* else: the block to go on in */
};

/*
 * Statuses: ST_OK: found, or `child` is where to go on; ST_ABSENT: the name is not in the tree;
 * those of comparing.
 */
static enum status search_node(struct search *search, const struct ntfs_node *node)
{
    struct ntfs_entry entry;
    size_t at = 0;
    int order = 1;

    do {
        entry = ntfs_node_entry(node, &at);
        if (entry.is_last)
            break;
        enum status status = ntfs_compare_names(search->volume, search->name, entry.name, &order);
        if (status != ST_OK)
            return status;
    } while (order > 0);
    search->found = order == 0;
    search->reference = entry.reference;
    search->child = entry.child;
    return search->found || entry.has_child ? ST_OK : ST_ABSENT;
}

/* Where index block `vcn` lies in $INDEX_ALLOCATION. Statuses: ST_OK; ST_DAMAGED. */
static enum status block_offset(const struct ntfs_volume *volume, uint32_t block_size, uint64_t vcn,
                                uint64_t *ret_offset)
{
    uint32_t unit = volume->cluster_size <= block_size ? volume->cluster_size : SMALL_UNIT;

    return __builtin_mul_overflow(vcn, unit, ret_offset) ? ST_DAMAGED : ST_OK;
}

static enum status load_block(struct ntfs_volume *volume, const struct ntfs_stream *allocation,
                              uint32_t block_size, uint64_t vcn, uint8_t *buffer,
                              struct ntfs_node *ret_node)
{
    uint64_t offset = 0;
    enum status status = block_offset(volume, block_size, vcn, &offset);

    if (status != ST_OK)
        return status;
    status = ntfs_stream_read(volume, allocation, offset, buffer, block_size);
    if (status != ST_OK)
        return status;
    return ntfs_index_block_parse(buffer, block_size, vcn, ret_node);
}

/* Goes on in $INDEX_ALLOCATION, one block on each level. */
static enum status descend(struct search *search, const struct ntfs_record *directory,
                           uint32_t block_size)
{
    static const struct ntfs_key key = {NTFS_INDEX_ALLOCATION, {i30, sizeof i30}};
    struct ntfs_volume *volume = search->volume;
    struct ntfs_stream allocation = {0};
    struct ntfs_node node;
    uint8_t *buffer = arena_alloc(volume->arena, 1, block_size);

    if (buffer == NULL)
        return ST_NO_MEMORY;
    enum status status = ntfs_stream_open(volume, directory, &key, &allocation);
    if (status != ST_OK)
        return status == ST_ABSENT ? ST_DAMAGED : status;
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        status = load_block(volume, &allocation, block_size, search->child, buffer, &node);
        if (status != ST_OK)
            return status;
        status = search_node(search, &node);
        if (status != ST_OK || search->found)
            return status;
    }
    return ST_DAMAGED;
}

/* Statuses: ST_OK; ST_ABSENT when the name is not in the directory; ST_DAMAGED and others. */
static enum status find_in_directory(struct ntfs_volume *volume,
                                     const struct ntfs_record *directory, struct span name,
                                     uint64_t *ret_reference)
{
    static const struct ntfs_key key = {NTFS_INDEX_ROOT, {i30, sizeof i30}};
    struct search search = {.volume = volume, .name = name};
    struct ntfs_attribute root;
    struct ntfs_node node;
    uint32_t block_size = 0;
    enum status status = ntfs_attribute_head(volume, directory, &key, &root);

    if (status != ST_OK)
        return status == ST_ABSENT ? ST_DAMAGED : status;
    status = ntfs_index_root_parse(root.value, &block_size, &node);
    if (status != ST_OK)
        return status;
    status = search_node(&search, &node);
    if (status == ST_OK && !search.found)
        status = descend(&search, directory, block_size);
    if (status == ST_OK)
        *ret_reference = search.reference;
    return status;
}

/* Statuses: ST_OK: `*ret_there` says whether the file has the attribute; ST_DAMAGED and others. */
static enum status has_attribute(struct ntfs_volume *volume, const struct ntfs_record *record,
                                 uint32_t type, bool *ret_there)
{
    const struct ntfs_key key = {.type = type};
    struct ntfs_attribute attribute;
    enum status status = ntfs_attribute_head(volume, record, &key, &attribute);

    *ret_there = status == ST_OK;
    return status == ST_ABSENT ? ST_OK : status;
}

/* One step down the path: `*io_reference` leads to a directory, then to what `name` is there. */
static enum status step(struct ntfs_volume *volume, struct span name, uint64_t *io_reference)
{
    struct ntfs_record directory;
    bool reparse = false;
    enum status status = ntfs_file_load(volume, *io_reference, &directory);

    if (status != ST_OK)
        return status;
    status = has_attribute(volume, &directory, NTFS_REPARSE_POINT, &reparse);
    if (status != ST_OK)
        return status;
    if (reparse)
        return ST_UNSUPPORTED;
    if (!directory.is_directory || name.size > 2 * NAME_MAX_UNITS)
        return ST_ABSENT;
    size_t mark = arena_mark(volume->arena);
    status = find_in_directory(volume, &directory, name, io_reference);
    arena_release(volume->arena, mark);
    return status;
}

/* The units of `path` (closed by a NUL unit) from `*io_at` up to a backslash or the end; none at
 * the end. */
static struct span next_name(struct span path, size_t *io_at)
{
    size_t first = *io_at;

    while (ld_le16(path.at + first) == '\\')
        first += 2;
    size_t end = first;
    while (ld_le16(path.at + end) != '\\' && ld_le16(path.at + end) != 0)
        end += 2;
    *io_at = end;
    return span_part(path, first, end - first);
}

static enum status walk(struct ntfs_volume *volume, const char *path, uint64_t *ret_reference)
{
    uint64_t reference = ROOT_RECORD;
    struct span units;
    size_t at = 0;
    enum status status = text_to_ucs2(volume->arena, path, &units);

    if (status != ST_OK)
        return status == ST_USAGE ? ST_ABSENT : status;
    struct span name = next_name(units, &at);
    while (status == ST_OK && name.size > 0) {
        status = step(volume, name, &reference);
        name = next_name(units, &at);
    }
    if (status == ST_OK)
        *ret_reference = reference;
    return status;
}

static enum status describe_entry(struct ntfs_volume *volume, uint64_t reference,
                                  struct ntfs_file *ret_file)
{
    static const struct ntfs_key key = {.type = NTFS_DATA};
    struct ntfs_attribute data = {0};
    struct ntfs_record record;
    struct ntfs_file file = {0};
    enum status status = ntfs_file_load(volume, reference, &record);

    if (status == ST_OK)
        status = has_attribute(volume, &record, NTFS_REPARSE_POINT, &file.reparse);
    if (status != ST_OK)
        return status;
    status = ntfs_attribute_head(volume, &record, &key, &data);
    if (status != ST_OK && status != ST_ABSENT)
        return status;
    file.record = record.number;
    file.sequence = record.sequence;
    file.is_directory = record.is_directory;
    file.compressed = (data.flags & NTFS_COMPRESSED) != 0;
    file.sparse = (data.flags & NTFS_SPARSE) != 0;
    file.encrypted = (data.flags & NTFS_ENCRYPTED) != 0;
    file.size = record.is_directory ? 0 : data.size;
    *ret_file = file;
    return ST_OK;
}

enum status ntfs_lookup(struct ntfs_volume *volume, const char *path, struct ntfs_file *ret_file)
{
    size_t mark = arena_mark(volume->arena);
    uint64_t reference = 0;
    enum status status = walk(volume, path, &reference);

    if (status == ST_OK)
        status = describe_entry(volume, reference, ret_file);
    arena_release(volume->arena, mark);
    return status;
}
