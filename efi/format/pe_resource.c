#include "format/pe_resource.h"

#include "base/mem.h"
#include "base/text.h"
#include "pe_piece.h"

#define DIRECTORY_SIZE 16u
#define ENTRY_SIZE     8u
#define LEAF_SIZE      16u
#define HIGH_BIT       0x80000000u
#define TYPE_DATA      10u
#define TYPE_VERSION   16u
#define FIXED_INFO     40u         /* VS_FIXEDFILEINFO in VS_VERSIONINFO */
#define FIXED_MAGIC    0xfeef04bdu /* its first field */

/* What is looked for: by the id of its type, and by its name or as the first of the type. */
static const struct {
    uint32_t type;
    const char *name; /* NULL: any */
    size_t size;
} wanted[PE_RESOURCE_COUNT] = {
    [PE_RESOURCE_SVN] = {TYPE_DATA, "BOOTMGRSECURITYVERSIONNUMBER", 4},
    [PE_RESOURCE_VERSION] = {TYPE_VERSION, NULL, PE_RESOURCE_VALUE},
};

void pe_resources_start(struct pe_resources *resources, const struct pe_section *section)
{
    memset(resources, 0, sizeof(*resources));
    resources->section = *section;
    resources->head_wanted =
        section->size < PE_RESOURCE_HEAD ? (size_t)section->size : PE_RESOURCE_HEAD;
}

/* True when the name at `offset`, a count and UTF-16 units, is `name`. */
static bool name_is(struct span head, uint32_t offset, const char *name)
{
    size_t length = text_length(name);
    struct span count = span_part(head, offset, 2);

    if (count.at == NULL || ld_le16(count.at) != length)
        return false;
    struct span units = span_part(head, (uint64_t)offset + 2, length * 2);
    for (size_t i = 0; units.at != NULL && i < length; i++) {
        if (ld_le16(units.at + i * 2) != (uint8_t)name[i])
            return false;
    }
    return units.at != NULL;
}

/* The entry of the directory at `offset` with that name, or that id where it is no name; the first
 * one where neither is asked for. Gives what it leads to, bit 31 still in it. */
static bool find_resource(struct span head, uint32_t offset, uint32_t id, const char *name,
                          uint32_t *ret_to)
{
    struct span directory = span_part(head, offset, DIRECTORY_SIZE);

    if (directory.at == NULL)
        return false;
    uint32_t count = (uint32_t)ld_le16(directory.at + 12) + ld_le16(directory.at + 14);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = (uint64_t)offset + DIRECTORY_SIZE + (uint64_t)i * ENTRY_SIZE;
        struct span entry = span_part(head, at, ENTRY_SIZE);
        if (entry.at == NULL)
            return false;
        uint32_t key = ld_le32(entry.at);
        bool named = (key & HIGH_BIT) != 0;
        bool fits = name != NULL ? named && name_is(head, key & ~HIGH_BIT, name)
                                 : id == 0 || (!named && key == id);
        if (!fits)
            continue;
        *ret_to = ld_le32(entry.at + 4);
        return true;
    }
    return false;
}

/* Where the value's bytes are in the file. */
static void find_value(struct pe_resources *resources, enum pe_resource_kind kind)
{
    struct pe_resource_value *value = &resources->values[kind];
    struct span head = span_of(resources->head, resources->head_used);
    const struct pe_section *section = &resources->section;
    uint32_t to = 0;

    if (!find_resource(head, 0, wanted[kind].type, NULL, &to) || (to & HIGH_BIT) == 0 ||
        !find_resource(head, to & ~HIGH_BIT, 0, wanted[kind].name, &to) || (to & HIGH_BIT) == 0 ||
        !find_resource(head, to & ~HIGH_BIT, 0, NULL, &to))
        return;
    struct span leaf = span_part(head, to, LEAF_SIZE);
    if (leaf.at == NULL || ld_le32(leaf.at) < section->address ||
        ld_le32(leaf.at + 4) < wanted[kind].size)
        return;
    uint64_t offset = ld_le32(leaf.at) - section->address;
    if (offset > section->size || wanted[kind].size > section->size - offset)
        return;
    value->offset = section->offset + offset;
    value->wanted = wanted[kind].size;
}

static void feed_value(struct pe_resource_value *value, struct span piece, uint64_t at)
{
    piece_capture(piece, at, value->offset, value->bytes, value->wanted, &value->used);
}

void pe_resources_feed(struct pe_resources *resources, struct span piece, uint64_t at)
{
    uint64_t first = resources->section.offset;
    struct span head = span_of(resources->head, resources->head_wanted);

    if (head.size == 0)
        return;
    if (resources->head_used < head.size) {
        piece_capture(piece, at, first, resources->head, head.size, &resources->head_used);
        if (resources->head_used < head.size)
            return;
        for (int i = 0; i < PE_RESOURCE_COUNT; i++) {
            find_value(resources, (enum pe_resource_kind)i);
            feed_value(&resources->values[i], head, first);
        }
    }
    for (int i = 0; i < PE_RESOURCE_COUNT; i++)
        feed_value(&resources->values[i], piece, at);
}

bool pe_resources_want(const struct pe_resources *resources, uint64_t *ret_offset, size_t *ret_size)
{
    if (resources->head_used < resources->head_wanted) {
        *ret_offset = resources->section.offset + resources->head_used;
        *ret_size = resources->head_wanted - resources->head_used;
        return true;
    }
    for (int i = 0; i < PE_RESOURCE_COUNT; i++) {
        const struct pe_resource_value *value = &resources->values[i];
        if (value->used >= value->wanted)
            continue;
        *ret_offset = value->offset + value->used;
        *ret_size = value->wanted - value->used;
        return true;
    }
    return false;
}

/* The value's bytes, NULL when they are not all there. */
static const uint8_t *value_bytes(const struct pe_resources *resources, enum pe_resource_kind kind)
{
    const struct pe_resource_value *value = &resources->values[kind];

    return value->wanted > 0 && value->used == value->wanted ? value->bytes : NULL;
}

bool pe_resources_svn(const struct pe_resources *resources, uint32_t *ret_svn)
{
    const uint8_t *at = value_bytes(resources, PE_RESOURCE_SVN);

    if (at == NULL)
        return false;
    *ret_svn = (uint32_t)ld_le16(at + 2) << 16 | ld_le16(at);
    return true;
}

bool pe_resources_version(const struct pe_resources *resources, uint64_t *ret_version)
{
    const uint8_t *at = value_bytes(resources, PE_RESOURCE_VERSION);

    if (at == NULL || ld_le32(at + FIXED_INFO) != FIXED_MAGIC)
        return false;
    *ret_version = (uint64_t)ld_le32(at + FIXED_INFO + 8) << 32 | ld_le32(at + FIXED_INFO + 12);
    return true;
}
