#include "ntfs_stream.h"

#include "base/mem.h"
#include "ntfs_disk.h"

#define MIRRORED_RECORDS 4u
#define LIST_MAX_BYTES   (256u * 1024)
#define LIST_ENTRY_BYTES 0x1au
#define NAME_MAX_BYTES   510u

/* --- Records ---------------------------------------------------------------------------------- */

static enum status load_from_mft(struct ntfs_volume *volume, uint64_t number, uint8_t *buffer,
                                 struct ntfs_record *ret_record)
{
    const struct ntfs_stream *mft = volume->mft;

    if (number >= mft->size / volume->record_size)
        return ST_DAMAGED;
    enum status status =
        ntfs_stream_read(volume, mft, number * volume->record_size, buffer, volume->record_size);
    if (status != ST_OK)
        return status;
    return ntfs_record_parse(buffer, volume->record_size, number, ret_record);
}

static enum status load_from_mirror(struct ntfs_volume *volume, uint64_t number, uint8_t *buffer,
                                    struct ntfs_record *ret_record)
{
    uint64_t offset = volume->mirror_cluster * volume->cluster_size + number * volume->record_size;
    enum status status = ntfs_disk_read(volume, offset, buffer, volume->record_size);

    if (status != ST_OK)
        return status;
    return ntfs_record_parse(buffer, volume->record_size, number, ret_record);
}

enum status ntfs_record_load(struct ntfs_volume *volume, uint64_t number, uint8_t *buffer,
                             struct ntfs_record *ret_record)
{
    enum status status = load_from_mft(volume, number, buffer, ret_record);

    if (status == ST_OK || number >= MIRRORED_RECORDS)
        return status;
    if (load_from_mirror(volume, number, buffer, ret_record) != ST_OK)
        return status;
    volume->mirror_used = true;
    return ST_OK;
}

/* A reference without a sequence number fits every record of that number. */
static bool sequence_fits(const struct ntfs_record *record, uint64_t reference)
{
    uint16_t sequence = NTFS_REFERENCE_SEQUENCE(reference);

    return sequence == 0 || sequence == record->sequence;
}

enum status ntfs_file_load(struct ntfs_volume *volume, uint64_t reference,
                           struct ntfs_record *ret_record)
{
    struct ntfs_record record;
    enum status status =
        ntfs_record_load(volume, NTFS_REFERENCE_NUMBER(reference), volume->base, &record);

    if (status != ST_OK)
        return status;
    if (!record.in_use || record.base != 0 || !sequence_fits(&record, reference))
        return ST_DAMAGED;
    *ret_record = record;
    return ST_OK;
}

/* --- Runs ------------------------------------------------------------------------------------- */

static enum status append_run(struct ntfs_volume *volume, struct ntfs_stream *stream,
                              const struct ntfs_pair *pair)
{
    struct ntfs_run *last = stream->last;
    bool continues =
        last != NULL && !last->hole && !pair->hole && pair->lcn == last->lcn + last->clusters;

    if (!pair->hole &&
        (pair->lcn >= volume->clusters || pair->clusters > volume->clusters - pair->lcn))
        return ST_DAMAGED;
    if (continues) {
        last->clusters += pair->clusters;
    } else {
        struct ntfs_run *run = arena_alloc(volume->arena, 1, sizeof *run);
        if (run == NULL)
            return ST_NO_MEMORY;
        *run = (struct ntfs_run){stream->clusters, pair->clusters, pair->lcn, pair->hole, NULL};
        *(last == NULL ? &stream->runs : &last->next) = run;
        stream->last = run;
    }
    stream->clusters += pair->clusters;
    return ST_OK;
}

static enum status append_pairs(struct ntfs_volume *volume, struct ntfs_stream *stream,
                                const struct ntfs_attribute *attribute)
{
    struct ntfs_pair_cursor cursor = {.pairs = attribute->pairs};
    uint64_t left = attribute->clusters;
    struct ntfs_pair pair;
    enum status status;

    while ((status = ntfs_pair_next(&cursor, &pair)) == ST_OK) {
        if (pair.clusters > left)
            return ST_DAMAGED;
        left -= pair.clusters;
        status = append_run(volume, stream, &pair);
        if (status != ST_OK)
            return status;
    }
    return status == ST_ABSENT && left == 0 ? ST_OK : ST_DAMAGED;
}

/* Adds one part of an attribute to what is known of it. */
static enum status append_part(struct ntfs_volume *volume, struct ntfs_stream *stream,
                               const struct ntfs_attribute *part)
{
    if (stream->resident || part->first_vcn != stream->clusters)
        return ST_DAMAGED;
    if (part->resident && stream->runs != NULL)
        return ST_DAMAGED;
    if (part->clusters > INT64_MAX / volume->cluster_size - stream->clusters)
        return ST_DAMAGED;
    if (part->first_vcn == 0) {
        stream->resident = part->resident;
        stream->value = part->value;
        stream->size = part->size;
        stream->initialised = part->initialised;
        stream->flags = part->flags;
        stream->unit_shift = part->unit_shift;
    }
    return part->resident ? ST_OK : append_pairs(volume, stream, part);
}

/* --- The parts of an attribute ---------------------------------------------------------------- */

struct parts {
    struct ntfs_volume *volume;
    const struct ntfs_record *base;
    const struct ntfs_key *key;
    bool done; /* without a list: the one part was given */
    bool has_list;
    struct ntfs_stream list;
    uint64_t at;                  /* of the next entry in the list */
    struct ntfs_record extension; /* the record in volume->extension; number 0 for none */
};

struct list_entry {
    struct ntfs_key key;
    uint64_t first_vcn;
    uint64_t reference;
    uint8_t name[NAME_MAX_BYTES];
};

static enum status parts_start(struct ntfs_volume *volume, const struct ntfs_record *base,
                               const struct ntfs_key *key, struct parts *parts)
{
    static const struct ntfs_key list_key = {.type = NTFS_ATTRIBUTE_LIST};
    struct ntfs_attribute list;

    *parts = (struct parts){.volume = volume, .base = base, .key = key};
    parts->has_list = ntfs_record_find(base, &list_key, 0, &list);
    if (!parts->has_list)
        return ST_OK;
    if (list.size > LIST_MAX_BYTES)
        return ST_DAMAGED;
    return append_part(volume, &parts->list, &list);
}

/* Statuses: ST_OK; ST_ABSENT at the end of the list; ST_DAMAGED and others. */
static enum status next_entry(struct parts *parts, struct list_entry *ret_entry)
{
    uint8_t head[LIST_ENTRY_BYTES];
    const struct ntfs_stream *list = &parts->list;

    if (parts->at == list->size)
        return ST_ABSENT;
    enum status status = ntfs_stream_read(parts->volume, list, parts->at, head, sizeof head);
    if (status != ST_OK)
        return status;
    uint32_t length = ld_le16(head + 4);
    uint32_t name_bytes = head[6] * 2u;
    uint32_t name_offset = head[7];
    if (length < LIST_ENTRY_BYTES || length % 8 != 0 || length > list->size - parts->at)
        return ST_DAMAGED;
    if (name_bytes > 0 && name_offset + name_bytes > length)
        return ST_DAMAGED;
    status = ntfs_stream_read(parts->volume, list, parts->at + name_offset * (name_bytes > 0),
                              ret_entry->name, name_bytes);
    if (status != ST_OK)
        return status;
    ret_entry->key = (struct ntfs_key){ld_le32(head), span_of(ret_entry->name, name_bytes)};
    ret_entry->first_vcn = ld_le64(head + 8);
    ret_entry->reference = ld_le64(head + 0x10);
    parts->at += length;
    return ST_OK;
}

/* The record of the file that a list entry leads to. */
static enum status load_extension(struct parts *parts, uint64_t reference,
                                  const struct ntfs_record **ret_record)
{
    uint64_t number = NTFS_REFERENCE_NUMBER(reference);
    struct ntfs_record *record = &parts->extension;

    if (number == parts->base->number) {
        *ret_record = parts->base;
        return ST_OK;
    }
    if (number == 0)
        return ST_DAMAGED;
    if (record->number != number) {
        record->number = 0;
        enum status status =
            ntfs_record_load(parts->volume, number, parts->volume->extension, record);
        if (status != ST_OK)
            return status;
    }
    if (!record->in_use || !sequence_fits(record, reference))
        return ST_DAMAGED;
    if (NTFS_REFERENCE_NUMBER(record->base) != parts->base->number ||
        !sequence_fits(parts->base, record->base))
        return ST_DAMAGED;
    *ret_record = record;
    return ST_OK;
}

static enum status next_listed(struct parts *parts, struct ntfs_attribute *ret_attribute)
{
    struct list_entry entry;
    const struct ntfs_record *record = NULL;

    do {
        enum status status = next_entry(parts, &entry);
        if (status != ST_OK)
            return status;
    } while (!ntfs_key_equal(&entry.key, parts->key));
    enum status status = load_extension(parts, entry.reference, &record);
    if (status != ST_OK)
        return status;
    return ntfs_record_find(record, parts->key, entry.first_vcn, ret_attribute) ? ST_OK
                                                                                : ST_DAMAGED;
}

/* Statuses: ST_OK; ST_ABSENT after the last part; ST_DAMAGED and others. */
static enum status parts_next(struct parts *parts, struct ntfs_attribute *ret_attribute)
{
    if (parts->has_list)
        return next_listed(parts, ret_attribute);
    if (parts->done || !ntfs_record_find(parts->base, parts->key, 0, ret_attribute))
        return ST_ABSENT;
    parts->done = true;
    return ST_OK;
}

enum status ntfs_attribute_head(struct ntfs_volume *volume, const struct ntfs_record *base,
                                const struct ntfs_key *key, struct ntfs_attribute *ret_attribute)
{
    size_t mark = arena_mark(volume->arena);
    struct ntfs_attribute attribute;
    struct parts parts;
    enum status status = parts_start(volume, base, key, &parts);

    if (status == ST_OK)
        status = parts_next(&parts, &attribute);
    arena_release(volume->arena, mark);
    if (status == ST_OK && attribute.first_vcn != 0)
        return ST_DAMAGED;
    if (status == ST_OK)
        *ret_attribute = attribute;
    return status;
}

enum status ntfs_stream_open(struct ntfs_volume *volume, const struct ntfs_record *base,
                             const struct ntfs_key *key, struct ntfs_stream *stream)
{
    struct ntfs_attribute part;
    struct parts parts;
    enum status status = parts_start(volume, base, key, &parts);
    bool found = false;

    while (status == ST_OK) {
        status = parts_next(&parts, &part);
        if (status != ST_OK)
            break;
        found = true;
        status = append_part(volume, stream, &part);
    }
    if (status != ST_ABSENT)
        return status;
    if (!found)
        return ST_ABSENT;
    if (!stream->resident && stream->size > stream->clusters * volume->cluster_size)
        return ST_DAMAGED;
    return ST_OK;
}

enum status ntfs_stream_keep(struct ntfs_volume *volume, struct ntfs_stream *stream)
{
    if (!stream->resident)
        return ST_OK;
    stream->value.at = arena_copy(volume->arena, stream->value.at, stream->value.size);
    return stream->value.at == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status ntfs_stream_stored(struct ntfs_volume *volume, const struct ntfs_stream *stream,
                               struct ntfs_stream *ret_stored)
{
    struct ntfs_stream stored = {0};

    for (const struct ntfs_run *run = stream->runs; run != NULL; run = run->next) {
        struct ntfs_pair pair = {.clusters = run->clusters, .lcn = run->lcn};
        enum status status = run->hole ? ST_OK : append_run(volume, &stored, &pair);
        if (status != ST_OK)
            return status;
    }
    stored.size = stored.initialised = stored.clusters * volume->cluster_size;
    *ret_stored = stored;
    return ST_OK;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* As much as lies in `run` and before `limit`. */
static enum status read_run(struct ntfs_volume *volume, const struct ntfs_run *run, uint64_t offset,
                            uint8_t *ret_data, size_t size)
{
    uint64_t within = offset - run->first_vcn * volume->cluster_size;

    if (run->hole) {
        memset(ret_data, 0, size);
        return ST_OK;
    }
    return ntfs_disk_read(volume, run->lcn * volume->cluster_size + within, ret_data, size);
}

static enum status read_runs(struct ntfs_volume *volume, const struct ntfs_stream *stream,
                             uint64_t offset, uint8_t *ret_data, size_t size)
{
    const struct ntfs_run *run = stream->runs;

    while (size > 0) {
        while (run != NULL && offset / volume->cluster_size >= run->first_vcn + run->clusters)
            run = run->next;
        if (run == NULL)
            return ST_DAMAGED;
        uint64_t left = (run->first_vcn + run->clusters) * volume->cluster_size - offset;
        size_t piece = size < left ? size : (size_t)left;
        enum status status = read_run(volume, run, offset, ret_data, piece);
        if (status != ST_OK)
            return status;
        ret_data += piece;
        offset += piece;
        size -= piece;
    }
    return ST_OK;
}

enum status ntfs_stream_read(struct ntfs_volume *volume, const struct ntfs_stream *stream,
                             uint64_t offset, void *ret_data, size_t size)
{
    uint8_t *to = ret_data;

    if (offset > stream->size || size > stream->size - offset)
        return ST_DAMAGED;
    if (stream->resident) {
        memcpy(to, stream->value.at + offset, size);
        return ST_OK;
    }
    uint64_t written = offset < stream->initialised ? stream->initialised - offset : 0;
    size_t stored = size < written ? size : (size_t)written;
    memset(to + stored, 0, size - stored);
    return read_runs(volume, stream, offset, to, stored);
}
