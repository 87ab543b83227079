/* The bytes of a journal. */
#include "journal_layout.h"

#include "base/mem.h"
#include "base/text.h"

static void put_variable(struct builder *builder, const struct journal_record *record)
{
    uint32_t flags = (record->old_present ? FLAG_OLD : 0) | (record->new_present ? FLAG_NEW : 0);

    builder_le32(builder, flags);
    builder_le32(builder, record->old_attributes);
    builder_le32(builder, (uint32_t)record->old_data.size);
    builder_le32(builder, record->new_attributes);
    builder_le32(builder, (uint32_t)record->new_data.size);
    builder_bytes(builder, span_of(record->name, sizeof(record->name)));
    builder_bytes(builder, record->old_data);
    builder_bytes(builder, record->new_data);
}

static void put_blocks_head(struct builder *builder, const struct journal_record *record,
                            uint32_t flags, size_t differences)
{
    builder_le32(builder, flags);
    builder_le32(builder, (uint32_t)record->disk);
    builder_le32(builder, record->step);
    builder_le64(builder, record->lba);
    builder_le32(builder, record->block_count);
    builder_le32(builder, (uint32_t)differences);
}

static void put_blocks(struct builder *builder, const struct journal_record *record)
{
    uint32_t flags = (record->old_is_zero ? FLAG_OLD_IS_ZERO : 0) |
                     (record->new_digests.size > 0 ? FLAG_DIGESTS : 0) |
                     (record->old_digests.size > 0 ? FLAG_DIFFERENCES : 0);

    put_blocks_head(builder, record, flags, record->differences.size);
    builder_bytes(builder, record->old_data);
    builder_bytes(builder, record->differences);
    builder_bytes(builder, record->old_digests);
    builder_bytes(builder, record->new_digests);
}

/* Digests of all blocks of a content. */
static void put_block_digests(struct builder *builder, struct span content, uint32_t block_size)
{
    uint8_t digest[JOURNAL_DIGEST_SIZE];

    for (size_t at = 0; at < content.size; at += block_size) {
        journal_digest(span_part(content, at, block_size), digest);
        builder_bytes(builder, span_of(digest, sizeof(digest)));
    }
}

static void put_small_blocks(struct builder *builder, const struct journal_record *record,
                             uint32_t block_size)
{
    put_blocks_head(builder, record, FLAG_DIGESTS | FLAG_DIFFERENCES, 0);
    size_t at = builder->used;
    journal_put_differences(builder, record->old_data, record->new_data);
    if (!builder->failed)
        st_le32(builder->at + at - sizeof(uint32_t), (uint32_t)(builder->used - at));
    put_block_digests(builder, record->old_data, block_size);
    builder_bytes(builder, record->new_digests);
}

static void put_relied(struct builder *builder, const struct journal_record *record)
{
    builder_le32(builder, 0);
    builder_le32(builder, (uint32_t)record->disk);
    builder_le32(builder, record->block_count);
    builder_le64(builder, record->lba);
    builder_bytes(builder, span_of(record->digest.bytes, sizeof(record->digest.bytes)));
}

/* True when the old content can be told by differences. */
static bool can_be_small(const struct journal_record *record)
{
    return !record->old_is_zero && record->new_digests.size > 0 &&
           record->new_data.size == record->old_data.size;
}

static void put_record(struct builder *builder, const struct journal *journal, size_t index,
                       bool small)
{
    const struct journal_record *record = &journal->records[index];

    builder_le32(builder, record->kind);
    if (record->kind == JOURNAL_VARIABLE)
        put_variable(builder, record);
    else if (record->kind == JOURNAL_BLOCKS && small && can_be_small(record))
        put_small_blocks(builder, record, journal->disks[record->disk].block_size);
    else if (record->kind == JOURNAL_BLOCKS)
        put_blocks(builder, record);
    else
        put_relied(builder, record);
}

static void put_record_disk(struct builder *builder, const struct journal_disk *disk)
{
    builder_bytes(builder, span_of(disk->guid_before.bytes, sizeof(disk->guid_before.bytes)));
    builder_bytes(builder, span_of(disk->guid_after.bytes, sizeof(disk->guid_after.bytes)));
    builder_le64(builder, disk->block_count);
    builder_le32(builder, disk->block_size);
    builder_le32(builder, (uint32_t)disk->path.size);
    builder_bytes(builder, disk->path);
}

static void put_date(struct builder *builder, const struct date_time *date)
{
    builder_le16(builder, date->year);
    builder_u8(builder, date->month);
    builder_u8(builder, date->day);
    builder_u8(builder, date->hour);
    builder_u8(builder, date->minute);
    builder_u8(builder, date->second);
}

static uint64_t record_size(const struct journal_record *record)
{
    uint64_t old_size = record->old_data.size;

    if (record->kind == JOURNAL_VARIABLE)
        return VARIABLE_HEADER + old_size + record->new_data.size;
    if (record->kind == JOURNAL_BLOCKS)
        return BLOCKS_HEADER + old_size + record->differences.size + record->old_digests.size +
               record->new_digests.size;
    return RELIED_SIZE;
}

uint64_t journal_size(const struct journal *journal)
{
    uint64_t size = HEADER_SIZE + (uint64_t)text_length(journal->command);

    for (size_t i = 0; i < journal->disk_count; i++)
        size += DISK_HEADER + journal->disks[i].path.size;
    for (size_t i = 0; i < journal->count; i++)
        size += record_size(&journal->records[i]);
    return size;
}

static void put_journal(struct builder *builder, const struct journal *journal, bool small)
{
    size_t command_size = text_length(journal->command);

    builder_bytes(builder, span_of(journal_magic, MAGIC_SIZE));
    builder_le32(builder, 0);
    builder_le32(builder, (uint32_t)journal->count);
    put_date(builder, &journal->date);
    builder_u8(builder, journal->is_undo);
    builder_le32(builder, (uint32_t)command_size);
    builder_le32(builder, 0);
    builder_le32(builder, (uint32_t)journal->disk_count);
    builder_le32(builder, 0);
    builder_bytes(builder, span_of(journal->command, command_size));
    for (size_t i = 0; i < journal->disk_count; i++)
        put_record_disk(builder, &journal->disks[i]);
    for (size_t i = 0; i < journal->count; i++)
        put_record(builder, journal, i, small);
    if (builder->failed)
        return;
    st_le32(builder->at + MAGIC_SIZE, (uint32_t)builder->used);
    st_le32(builder->at + CRC_OFFSET, journal_crc(builder_span(builder)));
}

enum status journal_build(struct arena *arena, const struct journal *journal, struct span *ret_file)
{
    uint64_t size = journal_size(journal);
    struct builder builder;

    if (size > UINT32_MAX)
        return ST_NO_MEMORY; /* nothing of that size is in memory besides its parts */
    builder_in_arena(&builder, arena, (size_t)size);
    put_journal(&builder, journal, false);
    if (builder.failed)
        return ST_NO_MEMORY;
    *ret_file = builder_span(&builder);
    return ST_OK;
}

enum status journal_build_small(struct arena *arena, const struct journal *journal, size_t most,
                                struct span *ret_file)
{
    struct builder builder;

    builder_in_arena(&builder, arena, most);
    if (builder.failed)
        return ST_NO_MEMORY;
    put_journal(&builder, journal, true);
    if (builder.failed)
        return ST_NO_SPACE;
    *ret_file = builder_span(&builder);
    return ST_OK;
}
