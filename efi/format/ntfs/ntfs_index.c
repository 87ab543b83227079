#include "format/ntfs/ntfs_index.h"

#include "format/ntfs/ntfs_boot.h"
#include "format/ntfs/ntfs_record.h"

#define ROOT_HEADER_BYTES  0x10u
#define BLOCK_HEADER_BYTES 0x18u
#define NODE_HEADER_BYTES  0x10u
#define ENTRY_BYTES        0x10u
#define NAME_OFFSET        0x42u /* in the key */
#define COLLATE_FILE_NAMES 1u

enum { ENTRY_HAS_CHILD = 1, ENTRY_IS_LAST = 2 };
enum { NODE_HAS_CHILDREN = 1 };
enum { NAME_REPARSE = 0x400, NAME_DIRECTORY = 0x10000000 };
enum { NAME_SPACE_DOS = 2 };

/* `bytes` are those of this entry alone. */
static bool entry_is_sound(struct span bytes, bool children_allowed)
{
    uint16_t flags = ld_le16(bytes.at + 0x0c);
    size_t key_bytes = ld_le16(bytes.at + 0x0a);
    size_t child_bytes = (flags & ENTRY_HAS_CHILD) != 0 ? 8 : 0;

    if (child_bytes > 0 && !children_allowed)
        return false;
    if ((flags & ENTRY_IS_LAST) != 0)
        return bytes.size >= ENTRY_BYTES + child_bytes;
    if (key_bytes < NAME_OFFSET || bytes.size < ENTRY_BYTES + key_bytes + child_bytes)
        return false;
    return NAME_OFFSET + 2u * bytes.at[ENTRY_BYTES + 0x40] <= key_bytes;
}

/* Every entry up to the last one, which must be there. */
static enum status check_index_entries(struct span entries, bool children_allowed)
{
    size_t at = 0;
    uint16_t flags = 0;

    while ((flags & ENTRY_IS_LAST) == 0) {
        if (!span_holds(entries, at, ENTRY_BYTES))
            return ST_DAMAGED;
        size_t length = ld_le16(entries.at + at + 8);
        struct span bytes = span_part(entries, at, length);
        if (length < ENTRY_BYTES || length % 8 != 0 || bytes.at == NULL)
            return ST_DAMAGED;
        if (!entry_is_sound(bytes, children_allowed))
            return ST_DAMAGED;
        flags = ld_le16(bytes.at + 0x0c);
        at += length;
    }
    return ST_OK;
}

/* `bytes` begin with the node header; the entries begin at `least` or behind it. */
static enum status parse_node(struct span bytes, size_t least, struct ntfs_node *ret_node)
{
    if (bytes.size < NODE_HEADER_BYTES)
        return ST_DAMAGED;
    uint32_t first = ld_le32(bytes.at);
    uint32_t end = ld_le32(bytes.at + 4);
    uint32_t room = ld_le32(bytes.at + 8);
    if (first < least || first % 8 != 0 || end < first || end > room || room > bytes.size)
        return ST_DAMAGED;
    struct span entries = span_part(bytes, first, end - first);
    enum status status = check_index_entries(entries, (bytes.at[0x0c] & NODE_HAS_CHILDREN) != 0);
    if (status == ST_OK)
        *ret_node = (struct ntfs_node){entries, (bytes.at[0x0c] & NODE_HAS_CHILDREN) != 0};
    return status;
}

enum status ntfs_index_root_parse(struct span value, uint32_t *ret_block_size,
                                  struct ntfs_node *ret_node)
{
    if (value.size < ROOT_HEADER_BYTES)
        return ST_DAMAGED;
    if (ld_le32(value.at) != NTFS_FILE_NAME || ld_le32(value.at + 4) != COLLATE_FILE_NAMES)
        return ST_UNSUPPORTED;
    uint32_t size = ld_le32(value.at + 8);
    if (size < NTFS_RECORD_MIN_BYTES || size > NTFS_RECORD_MAX_BYTES || (size & (size - 1)) != 0)
        return ST_DAMAGED;
    struct span node = span_part(value, ROOT_HEADER_BYTES, value.size - ROOT_HEADER_BYTES);
    enum status status = parse_node(node, NODE_HEADER_BYTES, ret_node);
    if (status == ST_OK)
        *ret_block_size = size;
    return status;
}

enum status ntfs_index_block_parse(uint8_t *bytes, size_t size, uint64_t vcn,
                                   struct ntfs_node *ret_node)
{
    enum status status = ntfs_fixup(bytes, size, "INDX");

    if (status != ST_OK)
        return status;
    if (ld_le64(bytes + 0x10) != vcn)
        return ST_DAMAGED;
    /* The update sequence stands between the headers and the entries. */
    size_t least = ld_le16(bytes + 4) + 2u * ld_le16(bytes + 6) - BLOCK_HEADER_BYTES;
    return parse_node(span_of(bytes + BLOCK_HEADER_BYTES, size - BLOCK_HEADER_BYTES), least,
                      ret_node);
}

struct ntfs_entry ntfs_node_entry(const struct ntfs_node *node, size_t *io_at)
{
    const uint8_t *at = node->entries.at + *io_at;
    size_t length = ld_le16(at + 8);
    uint16_t flags = ld_le16(at + 0x0c);
    struct ntfs_entry entry = {
        .reference = ld_le64(at),
        .has_child = (flags & ENTRY_HAS_CHILD) != 0,
        .is_last = (flags & ENTRY_IS_LAST) != 0,
    };

    if (entry.has_child)
        entry.child = ld_le64(at + length - 8);
    *io_at += length;
    if (entry.is_last)
        return entry;
    const uint8_t *key = at + ENTRY_BYTES;
    uint32_t name_flags = ld_le32(key + 0x38);
    entry.size = ld_le64(key + 0x30);
    entry.is_directory = (name_flags & NAME_DIRECTORY) != 0;
    entry.reparse = (name_flags & NAME_REPARSE) != 0;
    entry.is_dos = key[0x41] == NAME_SPACE_DOS;
    entry.name = span_of(key + NAME_OFFSET, 2u * key[0x40]);
    return entry;
}
