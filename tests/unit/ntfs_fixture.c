#include "unit/ntfs_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "host/host_alloc.h"

#define SERIAL           0x5eed0123456789abull
#define FIRST_RECORD     24u /* for files; those before are the system's */
#define EXTENSION        15u /* describes the second part of a split $MFT */
#define FIRST_PART       32u /* records in the first part */
#define SEQUENCE_NUMBER  0x0007u
#define ROOT_ROOM        400u /* bytes of entries in $INDEX_ROOT */
#define TAIL_BLOCKS      16u
#define LZNT1_UNIT_SHIFT 4u /* units of 16 clusters */

enum { WIN32 = 1, DOS = 2, WIN32_AND_DOS = 3 };
enum { IN_USE = 1, DIRECTORY = 2 };

struct ntfs_name {
    uint64_t parent;
    uint64_t record;
    uint16_t units[255];
    uint8_t length;
    uint8_t space;
};

struct run {
    uint64_t clusters;
    uint64_t lcn; /* 0 for a hole */
};

/* --- Names ------------------------------------------------------------------------------------ */

/* UTF-8 of up to three bytes a character. */
static uint8_t to_units(const char *text, uint16_t *ret_units)
{
    uint8_t length = 0;

    for (const uint8_t *at = (const uint8_t *)text; *at != 0;) {
        if (at[0] < 0x80) {
            ret_units[length++] = at[0];
            at += 1;
        } else if (at[0] < 0xe0) {
            ret_units[length++] = (uint16_t)((at[0] & 0x1f) << 6 | (at[1] & 0x3f));
            at += 2;
        } else {
            ret_units[length++] =
                (uint16_t)((at[0] & 0x0f) << 12 | (at[1] & 0x3f) << 6 | (at[2] & 0x3f));
            at += 3;
        }
    }
    return length;
}

/* This volume's $UpCase: ASCII, Latin-1, Greek and Cyrillic. */
static uint16_t upcase(uint16_t unit)
{
    if ((unit >= 'a' && unit <= 'z') || (unit >= 0xe0 && unit <= 0xfe && unit != 0xf7))
        return (uint16_t)(unit - 0x20);
    if ((unit >= 0x3b1 && unit <= 0x3c9 && unit != 0x3c2) || (unit >= 0x430 && unit <= 0x44f))
        return (uint16_t)(unit - 0x20);
    return unit;
}

static int compare_names(const void *left, const void *right)
{
    const struct ntfs_name *a = left;
    const struct ntfs_name *b = right;

    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;
    for (int i = 0; i < a->length && i < b->length; i++)
        if (upcase(a->units[i]) != upcase(b->units[i]))
            return upcase(a->units[i]) < upcase(b->units[i]) ? -1 : 1;
    return a->length - b->length;
}

static void add_name(struct ntfs_fixture *fixture, uint64_t parent, uint64_t record,
                     const char *text, uint8_t space)
{
    size_t count = fixture->name_count++;

    if ((count & (count - 1)) == 0)
        fixture->names =
            host_grow(fixture->names, (count == 0 ? 1 : 2 * count) * sizeof *fixture->names);
    struct ntfs_name *name = &fixture->names[count];
    memset(name, 0, sizeof *name);
    name->parent = parent;
    name->record = record;
    name->length = to_units(text, name->units);
    name->space = space;
}

/* --- Places ----------------------------------------------------------------------------------- */

uint8_t *ntfs_fixture_cluster(const struct ntfs_fixture *fixture, uint64_t cluster)
{
    return fixture->bytes + cluster * fixture->shape.cluster_size;
}

uint8_t *ntfs_fixture_record(const struct ntfs_fixture *fixture, uint64_t number)
{
    uint64_t offset = number * fixture->shape.record_size;
    uint64_t first = fixture->mft_clusters[0] * fixture->shape.cluster_size;
    int part = offset >= first ? 1 : 0;

    return ntfs_fixture_cluster(fixture, fixture->mft_cluster[part]) + offset -
           (part == 1 ? first : 0);
}

static uint64_t take_clusters(struct ntfs_fixture *fixture, uint64_t count)
{
    uint64_t first = fixture->next_cluster;

    fixture->next_cluster += count;
    if (fixture->next_cluster * fixture->shape.cluster_size >
        fixture->shape.sectors * fixture->shape.sector_size)
        host_fail("ntfs_fixture: the volume is too small");
    return first;
}

static uint16_t sequence_of(uint64_t number)
{
    return number < 16 ? (uint16_t)(number + (number == 0)) : (uint16_t)(1 + number % 7);
}

static uint64_t reference_to(uint64_t number)
{
    return number | (uint64_t)sequence_of(number) << 48;
}

/* --- Records ---------------------------------------------------------------------------------- */

void ntfs_fixture_seal(uint8_t *record, size_t size)
{
    uint8_t *sequence = record + ld_le16(record + 4);

    st_le16(sequence, SEQUENCE_NUMBER);
    for (size_t i = 1; i <= size / 512; i++) {
        memcpy(sequence + 2 * i, record + 512 * i - 2, 2);
        st_le16(record + 512 * i - 2, SEQUENCE_NUMBER);
    }
}

void ntfs_fixture_unseal(uint8_t *record, size_t size)
{
    const uint8_t *sequence = record + ld_le16(record + 4);

    for (size_t i = 1; i <= size / 512; i++)
        memcpy(record + 512 * i - 2, sequence + 2 * i, 2);
}

static uint32_t align8(size_t size)
{
    return (uint32_t)((size + 7) / 8 * 8);
}

static void end_record(uint8_t *record, size_t used)
{
    st_le32(record + used, 0xffffffff);
    st_le32(record + 0x18, (uint32_t)used + 8);
}

static uint8_t *begin_record(struct ntfs_fixture *fixture, uint64_t number, uint16_t flags,
                             uint64_t base)
{
    uint8_t *record = ntfs_fixture_record(fixture, number);
    uint32_t size = fixture->shape.record_size;
    uint32_t first = align8(0x30 + 2 * (size / 512 + 1));

    memset(record, 0, size);
    memcpy(record, "FILE", 4);
    st_le16(record + 4, 0x30);
    st_le16(record + 6, (uint16_t)(size / 512 + 1));
    st_le16(record + 0x10, sequence_of(number));
    st_le16(record + 0x12, 1);
    st_le16(record + 0x14, (uint16_t)first);
    st_le16(record + 0x16, flags);
    st_le32(record + 0x1c, size);
    st_le64(record + 0x20, base);
    st_le32(record + 0x2c, (uint32_t)number);
    end_record(record, first);
    return record;
}

/* Room for an attribute of `size` bytes, name included, at the end of the record. */
static uint8_t *add_attribute(uint8_t *record, uint32_t type, const char *name, size_t header,
                              size_t size)
{
    size_t used = ld_le32(record + 0x18) - 8;
    uint8_t *at = record + used;
    uint16_t units[20];
    uint8_t length = to_units(name, units);
    uint32_t bytes = align8(header + align8(2u * length) + size);

    if (used + bytes + 8 > ld_le32(record + 0x1c))
        host_fail("ntfs_fixture: a record is full");
    memset(at, 0, bytes);
    st_le32(at, type);
    st_le32(at + 4, bytes);
    at[9] = length;
    st_le16(at + 0x0a, (uint16_t)header);
    for (size_t i = 0; i < length; i++)
        st_le16(at + header + 2 * i, units[i]);
    end_record(record, used + bytes);
    return at;
}

static void add_resident(uint8_t *record, uint32_t type, const char *name, const void *value,
                         size_t size)
{
    uint8_t *at = add_attribute(record, type, name, 0x18, size);
    uint16_t offset = (uint16_t)(0x18 + align8(2u * at[9]));

    st_le32(at + 0x10, (uint32_t)size);
    st_le16(at + 0x14, offset);
    memcpy(at + offset, value, size);
}

/* A number in as few bytes as it takes, sign included; gives their count. */
static size_t put_signed(uint8_t *at, int64_t value)
{
    size_t count = 0;
    bool more = true;

    while (more) {
        at[count++] = (uint8_t)value;
        more = !((value >= 0 && value < 0x80) || (value < 0 && value >= -0x80));
        value >>= 8;
    }
    return count;
}

static size_t put_pairs(uint8_t *at, const struct run *runs, size_t count)
{
    uint8_t *start = at;
    int64_t lcn = 0;

    for (size_t i = 0; i < count; i++) {
        size_t length = put_signed(at + 1, (int64_t)runs[i].clusters);
        size_t distance = 0;
        if (runs[i].lcn != 0) {
            distance = put_signed(at + 1 + length, (int64_t)runs[i].lcn - lcn);
            lcn = (int64_t)runs[i].lcn;
        }
        at[0] = (uint8_t)(distance << 4 | length);
        at += 1 + length + distance;
    }
    *at++ = 0;
    return (size_t)(at - start);
}

struct part {
    uint16_t flags;
    uint64_t first_vcn;
    const struct run *runs;
    size_t count;
    uint64_t size;
    uint64_t initialised;
};

static void add_clusters(struct ntfs_fixture *fixture, uint8_t *record, uint32_t type,
                         const char *name, const struct part *part)
{
    uint8_t pairs[256];
    size_t size = put_pairs(pairs, part->runs, part->count);
    uint8_t *at = add_attribute(record, type, name, 0x40, size);
    uint16_t offset = (uint16_t)(0x40 + align8(2u * at[9]));
    uint64_t clusters = 0;

    for (size_t i = 0; i < part->count; i++)
        clusters += part->runs[i].clusters;
    at[8] = 1;
    st_le16(at + 0x0c, part->flags);
    st_le64(at + 0x10, part->first_vcn);
    st_le64(at + 0x18, part->first_vcn + clusters - 1);
    st_le16(at + 0x20, offset);
    if (part->first_vcn == 0) {
        at[0x22] = fixture->shape.packed && (part->flags & 1) != 0 ? LZNT1_UNIT_SHIFT : 0;
        st_le64(at + 0x28, clusters * fixture->shape.cluster_size);
        st_le64(at + 0x30, part->size);
        st_le64(at + 0x38, part->initialised);
    }
    memcpy(at + offset, pairs, size);
}

static size_t put_file_name(uint8_t *at, const struct ntfs_name *name)
{
    memset(at, 0, 0x42);
    st_le64(at, reference_to(name->parent));
    at[0x40] = name->length;
    at[0x41] = name->space;
    for (size_t i = 0; i < name->length; i++)
        st_le16(at + 0x42 + 2 * i, name->units[i]);
    return 0x42 + 2u * name->length;
}

static void add_file_names(const struct ntfs_fixture *fixture, uint8_t *record, uint64_t number)
{
    static const uint8_t information[0x30];
    uint8_t key[0x42 + 2 * 255];

    add_resident(record, 0x10, "", information, sizeof information);
    for (size_t i = fixture->name_count; i-- > 0;) {
        if (fixture->names[i].record != number)
            break;
        add_resident(record, 0x30, "", key, put_file_name(key, &fixture->names[i]));
    }
}

uint8_t *ntfs_fixture_attribute(const struct ntfs_fixture *fixture, uint64_t number, uint32_t type)
{
    uint8_t *record = ntfs_fixture_record(fixture, number);
    uint8_t *at = record + ld_le16(record + 0x14);

    while (ld_le32(at) != 0xffffffff && ld_le32(at) != type)
        at += ld_le32(at + 4);
    return ld_le32(at) == type ? at : NULL;
}

/* --- Attribute lists -------------------------------------------------------------------------- */

struct list {
    uint8_t bytes[512];
    size_t size;
};

static void list_add(struct list *list, uint32_t type, const char *name, uint64_t first_vcn,
                     uint64_t record)
{
    uint8_t *at = list->bytes + list->size;
    uint16_t units[8];
    uint8_t length = to_units(name, units);
    uint32_t bytes = align8(0x1a + 2u * length);

    st_le32(at, type);
    st_le16(at + 4, (uint16_t)bytes);
    at[6] = length;
    at[7] = 0x1a;
    st_le64(at + 8, first_vcn);
    st_le64(at + 0x10, reference_to(record));
    for (size_t i = 0; i < length; i++)
        st_le16(at + 0x1a + 2 * i, units[i]);
    list->size += bytes;
}

/* --- Directories ------------------------------------------------------------------------------ */

/* One level of a directory's tree: entries with the block left of each, and one right of the
 * last. */
struct level {
    const struct ntfs_name **names;
    uint64_t *children; /* count + 1; NULL on the lowest level */
    size_t count;
};

/* An index in the making: its blocks. */
struct index {
    uint8_t *blocks;
    size_t count;
    uint32_t size;
    uint32_t unit; /* what blocks are numbered in */
};

static size_t entry_bytes(const struct ntfs_name *name, bool has_child)
{
    size_t key = name == NULL ? 0 : 0x42 + 2u * name->length;

    return align8(0x10 + key) + (has_child ? 8u : 0u);
}

/* `name` is NULL for the last one. */
static size_t put_entry(uint8_t *at, const struct ntfs_name *name, const uint64_t *child)
{
    size_t bytes = entry_bytes(name, child != NULL);

    memset(at, 0, bytes);
    if (name != NULL) {
        st_le64(at, reference_to(name->record));
        st_le16(at + 0x0a, (uint16_t)put_file_name(at + 0x10, name));
    }
    st_le16(at + 8, (uint16_t)bytes);
    st_le16(at + 0x0c, (uint16_t)((child != NULL ? 1 : 0) | (name == NULL ? 2 : 0)));
    if (child != NULL)
        st_le64(at + bytes - 8, *child);
    return bytes;
}

/* Entries [first, first + count) of a level, the last one, and the node header before them. */
static size_t put_node(uint8_t *at, size_t header, size_t room, const struct level *level,
                       size_t first, size_t count)
{
    size_t used = header;

    for (size_t i = first; i <= first + count; i++)
        used += put_entry(at + used, i < first + count ? level->names[i] : NULL,
                          level->children != NULL ? &level->children[i] : NULL);
    st_le32(at, (uint32_t)header);
    st_le32(at + 4, (uint32_t)used);
    st_le32(at + 8, (uint32_t)(room > 0 ? room : used));
    at[0x0c] = level->children != NULL;
    return used;
}

static uint64_t put_block(struct index *index, const struct level *level, size_t first,
                          size_t count)
{
    uint64_t vcn = index->count * (uint64_t)(index->size / index->unit);
    size_t header = align8(0x10 + 2 * (index->size / 512 + 1));

    if ((index->count & (index->count - 1)) == 0) /* room for as many again */
        index->blocks = host_grow(index->blocks, (2 * index->count + 1) * (size_t)index->size);
    uint8_t *block = index->blocks + index->count++ * (size_t)index->size;
    memset(block, 0, index->size);
    memcpy(block, "INDX", 4);
    st_le16(block + 4, 0x28);
    st_le16(block + 6, (uint16_t)(index->size / 512 + 1));
    st_le64(block + 0x10, vcn);
    put_node(block + 0x18, header, index->size - 0x18, level, first, count);
    ntfs_fixture_seal(block, index->size);
    return vcn;
}

static size_t level_bytes(const struct level *level)
{
    size_t bytes = entry_bytes(NULL, level->children != NULL);

    for (size_t i = 0; i < level->count; i++)
        bytes += entry_bytes(level->names[i], level->children != NULL);
    return bytes;
}

/* How many entries from `first` on one block takes. */
static size_t block_share(const struct level *level, size_t first, uint32_t size)
{
    size_t room = size - 0x60 - 2 * (size / 512) - entry_bytes(NULL, true);
    size_t count = 0;

    while (first + count < level->count) {
        size_t bytes = entry_bytes(level->names[first + count], level->children != NULL);
        if (bytes > room)
            break;
        room -= bytes;
        count++;
    }
    return count;
}

/* Moves a level into blocks; what is left, the entries between them, becomes the level above. */
static void raise_level(struct index *index, struct level *level)
{
    struct level above = {host_alloc(level->count + 1, sizeof *above.names),
                          host_alloc(level->count + 1, sizeof *above.children), 0};
    size_t at = 0;

    for (;;) {
        size_t count = block_share(level, at, index->size);
        above.children[above.count] = put_block(index, level, at, count);
        at += count;
        if (at >= level->count)
            break;
        above.names[above.count++] = level->names[at++];
    }
    free(level->names);
    free(level->children);
    *level = above;
}

static void put_index_root(uint8_t *record, const struct level *level, uint32_t index_size,
                           uint32_t cluster_size)
{
    uint8_t root[0x20 + ROOT_ROOM + 0x20] = {0};

    st_le32(root, 0x30);
    st_le32(root + 4, 1);
    st_le32(root + 8, index_size);
    root[12] = (uint8_t)(index_size >= cluster_size ? index_size / cluster_size : index_size / 512);
    size_t used = put_node(root + 0x10, 0x10, 0, level, 0, level->count);
    add_resident(record, 0x90, "$I30", root, 0x10 + used);
}

/* The blocks of an index as clusters, in two places with a gap between them. */
static size_t place_index(struct ntfs_fixture *fixture, const struct index *index, struct run *runs)
{
    uint32_t cluster_size = fixture->shape.cluster_size;
    size_t bytes = index->count * (size_t)index->size;
    uint64_t clusters = (bytes + cluster_size - 1) / cluster_size;
    uint64_t first = clusters > 1 ? clusters / 2 : clusters;
    size_t head = bytes < first * cluster_size ? bytes : first * cluster_size;

    runs[0] = (struct run){first, take_clusters(fixture, first)};
    memcpy(ntfs_fixture_cluster(fixture, runs[0].lcn), index->blocks, head);
    if (clusters == first)
        return 1;
    take_clusters(fixture, 1);
    runs[1] = (struct run){clusters - first, take_clusters(fixture, clusters - first)};
    memcpy(ntfs_fixture_cluster(fixture, runs[1].lcn), index->blocks + head, bytes - head);
    return 2;
}

/* $INDEX_ALLOCATION in two records that are not the directory's own, and the list that says so. */
static void split_allocation(struct ntfs_fixture *fixture, uint8_t *record, uint64_t number,
                             const struct level *level, const struct run *runs, uint64_t size)
{
    uint64_t extension[2] = {fixture->next_record, fixture->next_record + 1};
    struct list list = {{0}, 0};
    uint64_t vcn = 0;

    fixture->next_record += 2;
    list_add(&list, 0x10, "", 0, number);
    list_add(&list, 0x30, "", 0, number);
    list_add(&list, 0x90, "$I30", 0, extension[1]);
    for (size_t i = 0; i < 2; i++) {
        uint8_t *at = begin_record(fixture, extension[i], IN_USE, reference_to(number));
        if (i == 1)
            put_index_root(at, level, fixture->shape.index_size, fixture->shape.cluster_size);
        struct part part = {0, vcn, &runs[i], 1, size, size};
        add_clusters(fixture, at, 0xa0, "$I30", &part);
        ntfs_fixture_seal(at, fixture->shape.record_size);
        list_add(&list, 0xa0, "$I30", vcn, extension[i]);
        vcn += runs[i].clusters;
    }
    add_resident(record, 0x20, "", list.bytes, list.size);
}

/* Adds the index of a directory to its record; gives the cluster of its first block, or 0. */
static uint64_t add_index(struct ntfs_fixture *fixture, uint8_t *record, uint64_t number,
                          struct level *level)
{
    const struct ntfs_fixture_shape *shape = &fixture->shape;
    struct index index = {NULL, 0, shape->index_size, 0};
    struct run runs[2] = {{0, 0}, {0, 0}};

    index.unit = shape->cluster_size <= shape->index_size ? shape->cluster_size : 512;
    while (level_bytes(level) > ROOT_ROOM)
        raise_level(&index, level);
    size_t count = index.count > 0 ? place_index(fixture, &index, runs) : 0;
    uint64_t size = index.count * (uint64_t)index.size;
    if (count == 2 && shape->split_index && number == fixture->system32) {
        split_allocation(fixture, record, number, level, runs, size);
    } else {
        struct part part = {0, 0, runs, count, size, size};
        put_index_root(record, level, shape->index_size, shape->cluster_size);
        if (count > 0)
            add_clusters(fixture, record, 0xa0, "$I30", &part);
    }
    free(index.blocks);
    return runs[0].lcn;
}

/* Writes the record of a directory, with the names that have it as parent (all are sorted). */
static uint64_t finish_directory(struct ntfs_fixture *fixture, uint64_t number)
{
    static const uint8_t information[0x30];
    uint8_t key[0x42 + 2 * 255];
    struct level level = {host_alloc(fixture->name_count + 1, sizeof *level.names), NULL, 0};
    uint8_t *record = begin_record(fixture, number, IN_USE | DIRECTORY, 0);

    add_resident(record, 0x10, "", information, sizeof information);
    for (size_t i = 0; i < fixture->name_count; i++) {
        const struct ntfs_name *name = &fixture->names[i];
        if (name->parent == number)
            level.names[level.count++] = name;
        if (name->record == number)
            add_resident(record, 0x30, "", key, put_file_name(key, name));
    }
    uint64_t cluster = add_index(fixture, record, number, &level);
    if (number == fixture->junction)
        add_resident(record, 0xc0, "", "\x03\0\0\xa0\0\0\0\0", 8);
    ntfs_fixture_seal(record, fixture->shape.record_size);
    free(level.names);
    free(level.children);
    return cluster;
}

/* --- Files ------------------------------------------------------------------------------------ */

uint8_t ntfs_fixture_byte(uint64_t number, uint64_t offset)
{
    return (uint8_t)(number * 31 + offset % 251 + offset / 1024 * 7);
}

/* Clusters with content, `vcn` being the first one's place in the file. */
static uint64_t take_filled(struct ntfs_fixture *fixture, uint64_t number, uint64_t vcn,
                            uint64_t count)
{
    uint64_t lcn = take_clusters(fixture, count);
    uint8_t *at = ntfs_fixture_cluster(fixture, lcn);
    uint64_t offset = vcn * fixture->shape.cluster_size;

    for (uint64_t i = 0; i < count * fixture->shape.cluster_size; i++)
        at[i] = ntfs_fixture_byte(number, offset + i);
    return lcn;
}

static uint64_t add_directory(struct ntfs_fixture *fixture, uint64_t parent, const char *name)
{
    uint64_t number = fixture->next_record++;

    add_name(fixture, parent, number, name, WIN32_AND_DOS);
    return number;
}

static uint64_t add_resident_file(struct ntfs_fixture *fixture, uint64_t parent, const char *name,
                                  const char *short_name, const char *content)
{
    uint64_t number = fixture->next_record++;
    uint8_t *record = begin_record(fixture, number, IN_USE, 0);

    add_name(fixture, parent, number, name, short_name != NULL ? WIN32 : WIN32_AND_DOS);
    if (short_name != NULL)
        add_name(fixture, parent, number, short_name, DOS);
    add_file_names(fixture, record, number);
    add_resident(record, 0x80, "", content, strlen(content));
    ntfs_fixture_seal(record, fixture->shape.record_size);
    return number;
}

static uint64_t add_file(struct ntfs_fixture *fixture, uint64_t parent, const char *name,
                         const struct part *part)
{
    uint64_t number = fixture->next_record++;
    uint8_t *record = begin_record(fixture, number, IN_USE, 0);

    add_name(fixture, parent, number, name, WIN32_AND_DOS);
    add_file_names(fixture, record, number);
    add_clusters(fixture, record, 0x80, "", part);
    ntfs_fixture_seal(record, fixture->shape.record_size);
    return number;
}

/* Three clusters, less 100 bytes at the end. */
static uint64_t add_plain_file(struct ntfs_fixture *fixture, uint64_t parent, const char *name)
{
    struct run run = {3, take_filled(fixture, fixture->next_record, 0, 3)};
    uint64_t size = 3ull * fixture->shape.cluster_size - 100;
    struct part part = {0, 0, &run, 1, size, size};

    return add_file(fixture, parent, name, &part);
}

static uint64_t add_content_file(struct ntfs_fixture *fixture, uint64_t parent, const char *name,
                                 struct span content)
{
    uint64_t count = (content.size - 1) / fixture->shape.cluster_size + 1;
    struct run run = {count, take_clusters(fixture, count)};
    struct part part = {0, 0, &run, 1, content.size, content.size};

    memcpy(ntfs_fixture_cluster(fixture, run.lcn), content.at, content.size);
    return add_file(fixture, parent, name, &part);
}

/* A loader as far as headers tell: x64, without sections (PE format, "File Headers"). */
static uint64_t add_loader(struct ntfs_fixture *fixture)
{
    enum { PE = 64, OPTIONAL = PE + 24, HEADERS = OPTIONAL + 112 };
    struct run run = {3, take_filled(fixture, fixture->next_record, 0, 3)};
    uint64_t size = 3ull * fixture->shape.cluster_size - 100;
    struct part part = {0, 0, &run, 1, size, size};
    uint8_t *at = ntfs_fixture_cluster(fixture, run.lcn);

    memset(at, 0, HEADERS);
    memcpy(at, "MZ", 2);
    st_le32(at + 60, PE);
    memcpy(at + PE, "PE\0\0\x64\x86", 6);
    st_le16(at + PE + 20, HEADERS - OPTIONAL);
    st_le16(at + OPTIONAL, 0x20b);
    st_le32(at + OPTIONAL + 60, HEADERS);
    return add_file(fixture, fixture->system32, "winload.efi", &part);
}

/* Two clusters at the front, four behind, each described by a record of its own. */
static void add_scattered_file(struct ntfs_fixture *fixture)
{
    uint64_t number = fixture->next_record;
    uint64_t size = 6ull * fixture->shape.cluster_size;
    struct list list = {{0}, 0};

    fixture->next_record += 3;
    fixture->scattered = number;
    list_add(&list, 0x10, "", 0, number);
    list_add(&list, 0x30, "", 0, number);
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t vcn = 2 * i;
        uint64_t count = i == 0 ? 2 : 4;
        struct run run = {count, take_filled(fixture, number, vcn, count)};
        struct part part = {0, vcn, &run, 1, size, size};
        fixture->extensions[i] = number + 1 + i;
        uint8_t *record = begin_record(fixture, number + 1 + i, IN_USE, reference_to(number));
        add_clusters(fixture, record, 0x80, "", &part);
        ntfs_fixture_seal(record, fixture->shape.record_size);
        list_add(&list, 0x80, "", vcn, number + 1 + i);
        take_clusters(fixture, 1);
    }
    uint8_t *record = begin_record(fixture, number, IN_USE, 0);
    add_name(fixture, 5, number, "scattered.bin", WIN32_AND_DOS);
    add_resident(record, 0x20, "", list.bytes, list.size);
    add_file_names(fixture, record, number);
    ntfs_fixture_seal(record, fixture->shape.record_size);
}

static void add_special_files(struct ntfs_fixture *fixture)
{
    uint64_t cluster = fixture->shape.cluster_size;
    uint64_t number = fixture->next_record;
    struct run sparse[] = {
        {1, take_filled(fixture, number, 0, 1)}, {2, 0}, {1, take_filled(fixture, number, 3, 1)}};
    struct part part = {0x8000, 0, sparse, 3, 4 * cluster, 4 * cluster};
    fixture->sparse = add_file(fixture, 5, "sparse.bin", &part);

    struct run short_run = {3, take_filled(fixture, fixture->next_record, 0, 3)};
    part = (struct part){0, 0, &short_run, 1, 3 * cluster, cluster + cluster / 2};
    fixture->short_one = add_file(fixture, 5, "short.bin", &part);

    struct run packed[] = {{4, take_filled(fixture, fixture->next_record, 0, 4)}, {12, 0}};
    part = (struct part){0x0001, 0, packed, 2, 16 * cluster, 16 * cluster};
    fixture->packed = add_file(fixture, 5, "packed.bin", &part);
    part = (struct part){0x4000, 0, packed, 1, 4 * cluster, 4 * cluster};
    fixture->secret = add_file(fixture, 5, "secret.bin", &part);
}

/* --- Compressed files ------------------------------------------------------------------------- */

#define PACKED_CLUSTER 1024u
#define LZNT1_UNIT     16384u
#define LZNT1_TAIL     1000u /* bytes in the last unit */
#define XPRESS_CHUNK   4096u
#define XPRESS_TAIL    100u
#define LZX_PERIOD     21u

/* 1000 bytes of lzx_text, packed by wimlib 1.13. */
static const char lzx_text[] = "call \xe8\x10\x27\0\0 and again ";
static const uint8_t lzx_packed[] = {
    0x3e, 0x20, 0x00, 0x81, 0x00, 0x00, 0x52, 0x00, 0x00, 0x55, 0x30, 0x00, 0x27, 0x5b, 0x0a, 0x07,
    0x49, 0x16, 0x3f, 0xd4, 0x42, 0xb2, 0xb2, 0x10, 0x10, 0x42, 0x43, 0xb2, 0x92, 0xca, 0x21, 0x24,
    0x59, 0x08, 0x08, 0x21, 0x21, 0x59, 0x59, 0x08, 0x08, 0x21, 0x21, 0x59, 0x59, 0x08, 0x08, 0x21,
    0x78, 0x56, 0x00, 0x42, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06, 0x06, 0x00, 0x11, 0x42, 0xe4, 0xf7,
    0x93, 0xcf, 0x50, 0x9f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x43, 0x88, 0x7d, 0x6a,
    0xdf, 0xf7, 0xd4, 0x36, 0xdf, 0x2f, 0xcc, 0x8b, 0xb1, 0x99, 0x45, 0xa3, 0x16, 0x0c, 0x85, 0xe2,
    0x5e, 0xd8, 0x15, 0xc1, 0xbe, 0xaf, 0x51, 0x83, 0xde, 0xb0, 0x3a, 0x72, 0x8f, 0x1d, 0xa3, 0x07,
    0xf8, 0xe1, 0x9c, 0xc8, 0x69, 0x4c, 0xdb, 0xb5, 0x37, 0x8e, 0xad, 0x3b, 0xf3, 0xde, 0xbe, 0x7b,
    0xf9, 0xdf, 0xb6, 0xe4, 0x59, 0x93, 0x89, 0x83, 0xea, 0xcc, 0x3c, 0x77, 0xcf, 0x9e, 0xfa, 0xa7,
    0x29, 0x81, 0xd5, 0xa2, 0xb8, 0x6c, 0xae, 0x5c, 0x6b, 0x97, 0xea, 0xc5, 0xfd, 0xc7, 0x00, 0xec};

uint8_t ntfs_fixture_packed_byte(const struct ntfs_fixture *fixture, uint64_t number,
                                 uint64_t offset)
{
    if (number == fixture->lznt1 && offset / LZNT1_UNIT != 1)
        return offset / LZNT1_UNIT == 0 ? 'L' : offset / LZNT1_UNIT == 2 ? 0 : 'T';
    if (number == fixture->xpress && offset / XPRESS_CHUNK == 1)
        return 'X';
    if (number == fixture->lzx)
        return (uint8_t)lzx_text[offset % LZX_PERIOD];
    return ntfs_fixture_byte(number, offset);
}

/* Chunks of 4 KiB, the last one of `size`, of one byte: itself, and a match of all the others. */
static void put_lznt1(uint8_t *at, uint8_t byte, size_t size)
{
    for (size_t done = 0; done < size; done += 4096, at += 6) {
        size_t chunk = size - done < 4096 ? size - done : 4096;
        st_le16(at, 0xb003);
        at[2] = 2;
        at[3] = byte;
        st_le16(at + 4, (uint16_t)(chunk - 1 - 3));
    }
}

static void add_lznt1_file(struct ntfs_fixture *fixture)
{
    uint64_t number = fixture->next_record;
    uint64_t size = 3 * LZNT1_UNIT + LZNT1_TAIL;
    struct run runs[] = {{1, take_clusters(fixture, 1)},
                         {15, 0},
                         {16, take_filled(fixture, number, 16, 16)},
                         {16, 0},
                         {1, take_clusters(fixture, 1)},
                         {15, 0}};
    struct part part = {0x0001, 0, runs, 6, size, size};

    put_lznt1(ntfs_fixture_cluster(fixture, runs[0].lcn), 'L', LZNT1_UNIT);
    put_lznt1(ntfs_fixture_cluster(fixture, runs[4].lcn), 'T', LZNT1_TAIL);
    fixture->lznt1_cluster = runs[0].lcn;
    fixture->lznt1 = add_file(fixture, 5, "lznt1.bin", &part);
}

/* 265 bytes: all codes have 9 bits. The byte, then a match with all of its length behind it. */
static size_t put_xpress(uint8_t *at, uint8_t byte, size_t size)
{
    uint32_t bits = (uint32_t)byte << 9 | (256 + 15);

    memset(at, 0x99, 256);
    st_le16(at + 256, (uint16_t)(bits >> 2));
    st_le16(at + 258, (uint16_t)(bits << 14));
    st_le16(at + 260, 0);
    at[262] = 0xff;
    st_le16(at + 263, (uint16_t)(size - 1 - 3));
    return 265;
}

/* A file whose content is in the first `packed_size` bytes of `clusters` clusters from `lcn` on. */
static uint64_t add_wof_file(struct ntfs_fixture *fixture, const char *name, uint8_t algorithm,
                             uint64_t size, uint64_t lcn, uint64_t packed_size)
{
    uint8_t reparse[24] = {0x17, 0, 0, 0x80, 16, 0, 0, 0, 1, 0,        0,
                           0,    2, 0, 0,    0,  1, 0, 0, 0, algorithm};
    uint64_t number = fixture->next_record++;
    struct run hole = {(size - 1) / PACKED_CLUSTER + 1, 0};
    struct run run = {(packed_size - 1) / PACKED_CLUSTER + 1, lcn};
    struct part plain = {0x8000, 0, &hole, 1, size, size};
    struct part packed = {0, 0, &run, 1, packed_size, packed_size};
    uint8_t *record = begin_record(fixture, number, IN_USE, 0);

    add_name(fixture, 5, number, name, WIN32_AND_DOS);
    add_file_names(fixture, record, number);
    add_clusters(fixture, record, 0x80, "", &plain);
    add_clusters(fixture, record, 0x80, "WofCompressedData", &packed);
    add_resident(record, 0xc0, "", reparse, sizeof reparse);
    ntfs_fixture_seal(record, fixture->shape.record_size);
    return number;
}

static void add_wof_files(struct ntfs_fixture *fixture)
{
    uint64_t number = fixture->next_record;
    uint64_t lcn = take_clusters(fixture, 5);
    uint8_t *start = ntfs_fixture_cluster(fixture, lcn);
    uint8_t *at = start + 8;

    for (size_t i = 0; i < XPRESS_CHUNK; i++)
        *at++ = ntfs_fixture_byte(number, i);
    st_le32(start, (uint32_t)(at - start - 8));
    at += put_xpress(at, 'X', XPRESS_CHUNK);
    st_le32(start + 4, (uint32_t)(at - start - 8));
    for (size_t i = 2 * XPRESS_CHUNK; i < 2 * XPRESS_CHUNK + XPRESS_TAIL; i++)
        *at++ = ntfs_fixture_byte(number, i);
    fixture->xpress_cluster = lcn;
    fixture->xpress = add_wof_file(fixture, "xpress.bin", 0, 2 * XPRESS_CHUNK + XPRESS_TAIL, lcn,
                                   (uint64_t)(at - start));
    lcn = take_clusters(fixture, 1);
    memcpy(ntfs_fixture_cluster(fixture, lcn), lzx_packed, sizeof lzx_packed);
    fixture->lzx = add_wof_file(fixture, "lzx.bin", 1, 1000, lcn, sizeof lzx_packed);
}

/* The folder of that name in the folder `parent`, made where it is not there. */
static uint64_t need_directory(struct ntfs_fixture *fixture, uint64_t parent, const char *text)
{
    uint16_t units[255];
    uint8_t length = to_units(text, units);

    for (size_t i = 0; i < fixture->name_count; i++) {
        const struct ntfs_name *name = &fixture->names[i];
        if (name->parent == parent && name->length == length &&
            memcmp(name->units, units, 2u * length) == 0)
            return name->record;
    }
    return add_directory(fixture, parent, text);
}

static void add_extra(struct ntfs_fixture *fixture, const struct ntfs_fixture_extra *extra)
{
    const char *at = extra->path + 1;
    uint64_t parent = 5;
    char name[64];

    for (const char *end = strchr(at, '\\'); end != NULL; end = strchr(at, '\\')) {
        snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
        parent = need_directory(fixture, parent, name);
        at = end + 1;
    }
    add_content_file(fixture, parent, at, extra->content);
}

static void add_tree(struct ntfs_fixture *fixture)
{
    char name[64];
    char short_name[64];

    add_name(fixture, 5, 5, ".", WIN32_AND_DOS);
    fixture->windows = add_directory(fixture, 5, "Windows");
    fixture->system32 = add_directory(fixture, fixture->windows, "System32");
    fixture->junction = add_directory(fixture, 5, "Junction");
    uint64_t boot = add_directory(fixture, fixture->windows, "Boot");
    uint64_t efi = add_directory(fixture, boot, "EFI");
    fixture->small = add_resident_file(fixture, 5, "small.txt", NULL, "What is in a file record");
    add_resident_file(fixture, 5, "Äpfel.txt", NULL, "apples");
    add_resident_file(fixture, 5, "Ωmega", NULL, "omega");
    add_resident_file(fixture, 5, "Жук", NULL, "beetle");
    add_special_files(fixture);
    add_scattered_file(fixture);
    if (fixture->shape.packed) {
        add_lznt1_file(fixture);
        add_wof_files(fixture);
    }
    if (fixture->shape.manager.size > 0)
        add_content_file(fixture, efi, "bootmgfw.efi", fixture->shape.manager);
    else
        add_plain_file(fixture, efi, "bootmgfw.efi");
    if (fixture->shape.twin.size > 0)
        add_content_file(fixture, add_directory(fixture, boot, "EFI_EX"), "bootmgfw_EX.efi",
                         fixture->shape.twin);
    if (fixture->shape.store.size > 0)
        add_content_file(fixture, add_directory(fixture, fixture->system32, "config"),
                         "BCD-Template", fixture->shape.store);
    fixture->winload = add_loader(fixture);
    add_plain_file(fixture, fixture->system32, "ntoskrnl.exe");
    for (unsigned i = 0; i < fixture->shape.names; i++) {
        snprintf(name, sizeof name, "file%05uname.dll", i);
        snprintf(short_name, sizeof short_name, "FILE~%03X.DLL", i);
        add_resident_file(fixture, fixture->system32, name, short_name, "");
    }
    for (size_t i = 0; i < fixture->shape.extra_count; i++)
        add_extra(fixture, &fixture->shape.extras[i]);
}

/* --- The system's own files ------------------------------------------------------------------- */

static void write_boot(struct ntfs_fixture *fixture, uint8_t *at)
{
    const struct ntfs_fixture_shape *shape = &fixture->shape;
    uint32_t factor = shape->cluster_size / shape->sector_size;

    memset(at, 0, shape->sector_size);
    memcpy(at, "\xeb\x52\x90NTFS    ", 11);
    st_le16(at + 11, (uint16_t)shape->sector_size);
    at[13] = factor <= 128 ? (uint8_t)factor : (uint8_t)(256 - __builtin_ctz(factor));
    at[21] = 0xf8;
    st_le64(at + 40, shape->sectors);
    st_le64(at + 48, fixture->mft_cluster[0]);
    st_le64(at + 56, fixture->mirror_cluster);
    at[64] = shape->record_size >= shape->cluster_size
                 ? (uint8_t)(shape->record_size / shape->cluster_size)
                 : (uint8_t)(256 - __builtin_ctz(shape->record_size));
    at[68] = shape->index_size >= shape->cluster_size
                 ? (uint8_t)(shape->index_size / shape->cluster_size)
                 : (uint8_t)(256 - __builtin_ctz(shape->index_size));
    st_le64(at + 72, SERIAL);
    st_le16(at + 510, 0xaa55);
}

/* $MFT for `records`, in one or two places. */
static void place_mft(struct ntfs_fixture *fixture, uint64_t records)
{
    uint32_t cluster_size = fixture->shape.cluster_size;
    uint64_t all = (records * fixture->shape.record_size + cluster_size - 1) / cluster_size;
    uint64_t first =
        ((uint64_t)FIRST_PART * fixture->shape.record_size + cluster_size - 1) / cluster_size;

    if (!fixture->shape.split_mft || first >= all)
        first = all;
    fixture->mft_clusters[0] = first;
    fixture->mft_cluster[0] = take_clusters(fixture, first);
    take_clusters(fixture, 1);
    fixture->mft_clusters[1] = all - first;
    fixture->mft_cluster[1] = all > first ? take_clusters(fixture, all - first) : 0;
}

static void write_mft_record(struct ntfs_fixture *fixture)
{
    uint64_t size = fixture->next_record * fixture->shape.record_size;
    struct run runs[2] = {{fixture->mft_clusters[0], fixture->mft_cluster[0]},
                          {fixture->mft_clusters[1], fixture->mft_cluster[1]}};
    struct part first = {0, 0, &runs[0], 1, size, size};
    struct part second = {0, runs[0].clusters, &runs[1], 1, size, size};
    uint8_t *record = begin_record(fixture, 0, IN_USE, 0);
    struct list list = {{0}, 0};

    add_name(fixture, 5, 0, "$MFT", WIN32_AND_DOS);
    if (runs[1].clusters > 0) {
        list_add(&list, 0x80, "", 0, 0);
        list_add(&list, 0x80, "", runs[0].clusters, EXTENSION);
        add_resident(record, 0x20, "", list.bytes, list.size);
        uint8_t *extension = begin_record(fixture, EXTENSION, IN_USE, reference_to(0));
        add_clusters(fixture, extension, 0x80, "", &second);
        ntfs_fixture_seal(extension, fixture->shape.record_size);
    }
    add_file_names(fixture, record, 0);
    add_clusters(fixture, record, 0x80, "", &first);
    ntfs_fixture_seal(record, fixture->shape.record_size);
}

static void write_volume_record(struct ntfs_fixture *fixture)
{
    static const uint8_t label[] = {'T', 0, 0xe9, 0, 's', 0, 't', 0};
    static const uint8_t information[] = {0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0};
    uint8_t *record = begin_record(fixture, 3, IN_USE, 0);

    add_name(fixture, 5, 3, "$Volume", WIN32_AND_DOS);
    add_file_names(fixture, record, 3);
    add_resident(record, 0x60, "", label, sizeof label);
    add_resident(record, 0x70, "", information, sizeof information);
    ntfs_fixture_seal(record, fixture->shape.record_size);
}

static void write_upcase_record(struct ntfs_fixture *fixture)
{
    uint64_t clusters = (131072 - 1) / fixture->shape.cluster_size + 1;
    struct run run = {clusters, take_clusters(fixture, clusters)};
    struct part part = {0, 0, &run, 1, 131072, 131072};
    uint8_t *table = ntfs_fixture_cluster(fixture, run.lcn);
    uint8_t *record = begin_record(fixture, 10, IN_USE, 0);

    for (uint32_t unit = 0; unit < 65536; unit++)
        st_le16(table + 2 * unit, upcase((uint16_t)unit));
    add_name(fixture, 5, 10, "$UpCase", WIN32_AND_DOS);
    add_file_names(fixture, record, 10);
    add_clusters(fixture, record, 0x80, "", &part);
    ntfs_fixture_seal(record, fixture->shape.record_size);
}

void ntfs_fixture_mirror(const struct ntfs_fixture *fixture)
{
    memcpy(ntfs_fixture_cluster(fixture, fixture->mirror_cluster), ntfs_fixture_record(fixture, 0),
           4 * (size_t)fixture->shape.record_size);
}

static void write_directories(struct ntfs_fixture *fixture)
{
    bool *is_directory = host_alloc(fixture->next_record, sizeof *is_directory);
    uint64_t count = fixture->next_record;

    for (size_t i = 0; i < fixture->name_count; i++)
        is_directory[fixture->names[i].parent] = true;
    is_directory[fixture->junction] = true;
    qsort(fixture->names, fixture->name_count, sizeof *fixture->names, compare_names);
    for (uint64_t number = 0; number < count; number++) {
        if (!is_directory[number])
            continue;
        uint64_t cluster = finish_directory(fixture, number);
        if (number == fixture->system32)
            fixture->system32_index = cluster;
        if (number == 5)
            fixture->root_index = cluster;
    }
    free(is_directory);
}

struct ntfs_fixture_shape ntfs_fixture_small(void)
{
    return (struct ntfs_fixture_shape){
        .sector_size = 512,
        .cluster_size = 1024,
        .record_size = 1024,
        .index_size = 4096,
        .sectors = 2047,
        .names = 40,
    };
}

struct ntfs_fixture *ntfs_fixture_new(const struct ntfs_fixture_shape *shape)
{
    struct ntfs_fixture *fixture = host_alloc(1, sizeof *fixture);
    uint64_t boot_clusters = (8192 - 1) / shape->cluster_size + 1;
    uint64_t mirror_clusters = (4 * shape->record_size - 1) / shape->cluster_size + 1;

    fixture->shape = *shape;
    fixture->size = (size_t)((shape->sectors + 1) * shape->sector_size);
    fixture->bytes = host_alloc(1, fixture->size);
    fixture->mirror_cluster = boot_clusters;
    fixture->next_cluster = boot_clusters + mirror_clusters;
    fixture->next_record = FIRST_RECORD;
    place_mft(fixture, FIRST_RECORD + 24 + shape->names + 4 * shape->extra_count);
    write_upcase_record(fixture);
    add_tree(fixture);
    write_volume_record(fixture);
    write_directories(fixture);
    write_mft_record(fixture);
    ntfs_fixture_mirror(fixture);
    write_boot(fixture, fixture->bytes);
    write_boot(fixture, fixture->bytes + fixture->size - shape->sector_size);
    return fixture;
}

void ntfs_fixture_free(struct ntfs_fixture *fixture)
{
    free(fixture->names);
    free(fixture->bytes);
    free(fixture);
}

/* --- The disk --------------------------------------------------------------------------------- */

uint64_t ntfs_fixture_blocks(const struct ntfs_fixture *fixture)
{
    return fixture->size / fixture->shape.sector_size;
}

static enum status read_disk(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct ntfs_fixture *fixture = ctx;
    uint32_t block = fixture->shape.sector_size;
    uint64_t size = (uint64_t)count * block;

    fixture->reads++;
    fixture->read_bytes += size;
    if (count == 0 || lba < fixture->first_lba || lba - fixture->first_lba > UINT32_MAX)
        return ST_IO;
    uint64_t offset = (lba - fixture->first_lba) * block;
    if (offset > fixture->size || size > fixture->size - offset)
        return ST_IO;
    if (offset < fixture->bad_offset + fixture->bad_size && fixture->bad_offset < offset + size)
        return ST_IO;
    memcpy(ret_data, fixture->bytes + offset, (size_t)size);
    return ST_OK;
}

struct block_port ntfs_fixture_port(struct ntfs_fixture *fixture)
{
    return (struct block_port){
        .ctx = fixture,
        .model = "",
        .block_size = fixture->shape.sector_size,
        .block_count = fixture->first_lba + ntfs_fixture_blocks(fixture) + TAIL_BLOCKS,
        .read = read_disk,
    };
}
