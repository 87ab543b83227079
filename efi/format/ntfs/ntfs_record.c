#include "format/ntfs/ntfs_record.h"

#include "base/mem.h"

#define PIECE_BYTES         512u /* what one word of an update sequence protects */
#define SEQUENCE_MIN_OFFSET 0x28u
#define RECORD_HEADER_BYTES 0x2au
#define NUMBERED_OFFSET     0x30u /* update sequences from here on leave room for the number */
#define RESIDENT_BYTES      0x18u
#define NON_RESIDENT_BYTES  0x40u
#define TYPE_END            0xffffffffu
#define VCN_LIMIT           ((uint64_t)1 << 55) /* 2^63 bytes in the smallest clusters */

/* --- Update sequence -------------------------------------------------------------------------- */

static bool pieces_end_with(const uint8_t *bytes, size_t size, uint16_t number)
{
    for (size_t at = PIECE_BYTES; at <= size; at += PIECE_BYTES)
        if (ld_le16(bytes + at - 2) != number)
            return false;
    return true;
}

enum status ntfs_fixup(uint8_t *bytes, size_t size, const char *magic)
{
    if (size < PIECE_BYTES || memcmp(bytes, magic, 4) != 0)
        return ST_DAMAGED;
    size_t offset = ld_le16(bytes + 4);
    size_t words = ld_le16(bytes + 6);
    if (words != size / PIECE_BYTES + 1 || offset < SEQUENCE_MIN_OFFSET || offset % 2 != 0)
        return ST_DAMAGED;
    if (offset + 2 * words > PIECE_BYTES - 2)
        return ST_DAMAGED;
    if (!pieces_end_with(bytes, size, ld_le16(bytes + offset)))
        return ST_DAMAGED;
    for (size_t i = 1; i < words; i++)
        memcpy(bytes + i * PIECE_BYTES - 2, bytes + offset + 2 * i, 2);
    return ST_OK;
}

/* --- Attributes ------------------------------------------------------------------------------- */

static enum status parse_resident(struct span bytes, struct ntfs_attribute *attribute)
{
    attribute->resident = true;
    attribute->value = span_part(bytes, ld_le16(bytes.at + 0x14), ld_le32(bytes.at + 0x10));
    attribute->size = attribute->initialised = attribute->value.size;
    return attribute->value.at == NULL ? ST_DAMAGED : ST_OK;
}

static enum status parse_sizes(struct span bytes, struct ntfs_attribute *attribute)
{
    attribute->size = ld_le64(bytes.at + 0x30);
    attribute->initialised = ld_le64(bytes.at + 0x38);
    attribute->unit_shift = bytes.at[0x22];
    if (attribute->size > INT64_MAX || attribute->initialised > attribute->size)
        return ST_DAMAGED;
    return ST_OK;
}

static enum status parse_non_resident(struct span bytes, struct ntfs_attribute *attribute)
{
    if (bytes.size < NON_RESIDENT_BYTES)
        return ST_DAMAGED;
    size_t offset = ld_le16(bytes.at + 0x20);
    uint64_t end = ld_le64(bytes.at + 0x18) + 1; /* an attribute without clusters ends at -1 */

    attribute->first_vcn = ld_le64(bytes.at + 0x10);
    if (attribute->first_vcn > end || end > VCN_LIMIT)
        return ST_DAMAGED;
    attribute->clusters = end - attribute->first_vcn;
    if (offset < NON_RESIDENT_BYTES || offset >= bytes.size)
        return ST_DAMAGED;
    attribute->pairs = span_part(bytes, offset, bytes.size - offset);
    return attribute->first_vcn == 0 ? parse_sizes(bytes, attribute) : ST_OK;
}

/* `bytes` are those of this attribute alone. */
static enum status parse_attribute(struct span bytes, struct ntfs_attribute *ret_attribute)
{
    struct ntfs_attribute attribute = {.key.type = ld_le32(bytes.at)};
    uint8_t form = bytes.at[0x08];
    uint8_t name_units = bytes.at[0x09];

    attribute.flags = ld_le16(bytes.at + 0x0c);
    if (name_units > 0) {
        attribute.key.name = span_part(bytes, ld_le16(bytes.at + 0x0a), name_units * 2u);
        if (attribute.key.name.at == NULL)
            return ST_DAMAGED;
    }
    if (form > 1)
        return ST_DAMAGED;
    enum status status =
        form == 0 ? parse_resident(bytes, &attribute) : parse_non_resident(bytes, &attribute);
    if (status == ST_OK)
        *ret_attribute = attribute;
    return status;
}

/*
 * The attribute at `*io_at`, which moves behind it. Statuses: ST_OK; ST_ABSENT at the end of the
 * record; ST_DAMAGED.
 */
static enum status next_attribute(struct span record, size_t *io_at,
                                  struct ntfs_attribute *ret_attribute)
{
    struct span head = span_part(record, *io_at, 8);

    if (span_holds(record, *io_at, 4) && ld_le32(record.at + *io_at) == TYPE_END)
        return ST_ABSENT;
    if (head.at == NULL)
        return ST_DAMAGED;
    uint32_t length = ld_le32(head.at + 4);
    struct span bytes = span_part(record, *io_at, length);
    if (length < RESIDENT_BYTES || length % 8 != 0 || bytes.at == NULL)
        return ST_DAMAGED;
    *io_at += length;
    return parse_attribute(bytes, ret_attribute);
}

/* --- Records ---------------------------------------------------------------------------------- */

static enum status check_attributes(const struct ntfs_record *record)
{
    struct ntfs_attribute attribute;
    size_t at = record->first;
    enum status status = ST_OK;

    while (status == ST_OK)
        status = next_attribute(record->bytes, &at, &attribute);
    return status == ST_ABSENT ? ST_OK : status;
}

static bool number_fits(const uint8_t *bytes, uint64_t number)
{
    return ld_le16(bytes + 4) < NUMBERED_OFFSET || ld_le32(bytes + 0x2c) == (uint32_t)number;
}

enum status ntfs_record_parse(uint8_t *bytes, size_t size, uint64_t number,
                              struct ntfs_record *ret_record)
{
    enum status status = ntfs_fixup(bytes, size, "FILE");

    if (status != ST_OK)
        return status;
    uint16_t flags = ld_le16(bytes + 0x16);
    struct ntfs_record record = {
        .bytes = span_part(span_of(bytes, size), 0, ld_le32(bytes + 0x18)),
        .number = number,
        .base = ld_le64(bytes + 0x20),
        .first = ld_le16(bytes + 0x14),
        .sequence = ld_le16(bytes + 0x10),
        .in_use = (flags & 1) != 0,
        .is_directory = (flags & 2) != 0,
    };
    if (record.bytes.at == NULL || ld_le32(bytes + 0x1c) != size || !number_fits(bytes, number))
        return ST_DAMAGED;
    if (record.first < RECORD_HEADER_BYTES || record.first % 8 != 0)
        return ST_DAMAGED;
    status = check_attributes(&record);
    if (status == ST_OK)
        *ret_record = record;
    return status;
}

bool ntfs_key_equal(const struct ntfs_key *a, const struct ntfs_key *b)
{
    return a->type == b->type && span_equal(a->name, b->name);
}

bool ntfs_record_find(const struct ntfs_record *record, const struct ntfs_key *key,
                      uint64_t first_vcn, struct ntfs_attribute *ret_attribute)
{
    struct ntfs_attribute attribute;
    size_t at = record->first;

    while (next_attribute(record->bytes, &at, &attribute) == ST_OK) {
        if (ntfs_key_equal(&attribute.key, key) && attribute.first_vcn == first_vcn) {
            *ret_attribute = attribute;
            return true;
        }
    }
    return false;
}

/* --- Mapping pairs ---------------------------------------------------------------------------- */

/* A little-endian number of 1 to 8 bytes with its sign. */
static int64_t load_signed(struct span bytes)
{
    uint64_t value = bytes.at[bytes.size - 1] >= 0x80 ? UINT64_MAX : 0;

    for (size_t i = bytes.size; i-- > 0;)
        value = value << 8 | bytes.at[i];
    return (int64_t)value;
}

/* Moves `*io_lcn` by what the bytes say; false when it leaves all volumes. */
static bool move_lcn(struct span bytes, uint64_t *io_lcn)
{
    int64_t lcn;

    if (__builtin_add_overflow((int64_t)*io_lcn, load_signed(bytes), &lcn) || lcn < 0)
        return false;
    *io_lcn = (uint64_t)lcn;
    return true;
}

enum status ntfs_pair_next(struct ntfs_pair_cursor *cursor, struct ntfs_pair *ret_pair)
{
    if (cursor->at >= cursor->pairs.size)
        return ST_DAMAGED;
    uint8_t head = cursor->pairs.at[cursor->at];
    if (head == 0)
        return ST_ABSENT;
    size_t length_bytes = head & 15;
    size_t distance_bytes = head >> 4;
    struct span length = span_part(cursor->pairs, cursor->at + 1, length_bytes);
    struct span distance = span_part(cursor->pairs, cursor->at + 1 + length_bytes, distance_bytes);

    if (length_bytes == 0 || length_bytes > 8 || distance_bytes > 8)
        return ST_DAMAGED;
    if (length.at == NULL || distance.at == NULL || load_signed(length) <= 0)
        return ST_DAMAGED;
    if (distance_bytes > 0 && !move_lcn(distance, &cursor->lcn))
        return ST_DAMAGED;
    cursor->at += 1 + length_bytes + distance_bytes;
    *ret_pair = (struct ntfs_pair){
        .clusters = (uint64_t)load_signed(length), .lcn = cursor->lcn, .hole = distance_bytes == 0};
    return ST_OK;
}
