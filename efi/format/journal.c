#include "format/journal.h"

#include "base/builder.h"
#include "base/crc32.h"
#include "base/mem.h"
#include "base/text.h"

#define MAGIC_SIZE         8u
#define HEADER_SIZE        32u
#define UNDO_OFFSET        23u
#define CRC_OFFSET         28u
#define RECORD_HEADER_SIZE 84u
#define FLAG_OLD           1u
#define FLAG_NEW           2u

static const uint8_t magic[MAGIC_SIZE] = {'S', 'B', 'J', 'O', 'U', 'R', 'N', '1'};
static const uint8_t done_mark[JOURNAL_MARK_SIZE] = {'S', 'B', 'D', 'O', 'N', 'E', '_', '_'};
static const uint8_t undone_mark[JOURNAL_MARK_SIZE] = {'S', 'B', 'U', 'N', 'D', 'O', 'N', 'E'};

struct span journal_mark(enum journal_state state)
{
    return span_of(state == JOURNAL_UNDONE ? undone_mark : done_mark, JOURNAL_MARK_SIZE);
}

/* The CRC over header and records, with its own field taken as zero. */
static uint32_t file_crc(struct span file)
{
    static const uint8_t zero[4];
    uint32_t crc = crc32_update(0, file.at, CRC_OFFSET);

    crc = crc32_update(crc, zero, sizeof(zero));
    return crc32_update(crc, file.at + HEADER_SIZE, file.size - HEADER_SIZE);
}

static void put_record(struct builder *builder, const struct journal_record *record)
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

static void put_date(struct builder *builder, const struct date_time *date)
{
    builder_le16(builder, date->year);
    builder_u8(builder, date->month);
    builder_u8(builder, date->day);
    builder_u8(builder, date->hour);
    builder_u8(builder, date->minute);
    builder_u8(builder, date->second);
}

static size_t file_size(const struct journal *journal)
{
    size_t size = HEADER_SIZE + text_length(journal->command);

    for (size_t i = 0; i < journal->count; i++)
        size += RECORD_HEADER_SIZE + journal->records[i].old_data.size +
                journal->records[i].new_data.size;
    return size;
}

enum status journal_build(struct arena *arena, const struct journal *journal, struct span *ret_file)
{
    size_t command_size = text_length(journal->command);
    size_t size = file_size(journal);
    struct builder builder;

    builder_in_arena(&builder, arena, size);
    builder_bytes(&builder, span_of(magic, sizeof(magic)));
    builder_le32(&builder, (uint32_t)size);
    builder_le32(&builder, (uint32_t)journal->count);
    put_date(&builder, &journal->date);
    builder_u8(&builder, journal->is_undo);
    builder_le32(&builder, (uint32_t)command_size);
    builder_le32(&builder, 0);
    builder_bytes(&builder, span_of(journal->command, command_size));
    for (size_t i = 0; i < journal->count; i++)
        put_record(&builder, &journal->records[i]);
    if (builder.failed)
        return ST_NO_MEMORY;
    st_le32(builder.at + CRC_OFFSET, file_crc(builder_span(&builder)));
    *ret_file = builder_span(&builder);
    return ST_OK;
}

/* Takes one record off `*io_rest`; false when it leads outside or contradicts itself. */
static bool take_record(struct span *io_rest, struct journal_record *ret_record)
{
    struct span head = span_part(*io_rest, 0, RECORD_HEADER_SIZE);
    struct journal_record record;

    if (head.size == 0)
        return false;
    uint32_t flags = ld_le32(head.at);
    uint64_t old_size = ld_le32(head.at + 8);
    uint64_t new_size = ld_le32(head.at + 16);
    record.old_present = (flags & FLAG_OLD) != 0;
    record.old_attributes = ld_le32(head.at + 4);
    record.new_present = (flags & FLAG_NEW) != 0;
    record.new_attributes = ld_le32(head.at + 12);
    memcpy(record.name, head.at + 20, sizeof(record.name));
    if (!span_holds(*io_rest, RECORD_HEADER_SIZE, old_size + new_size))
        return false;
    if (record.name[0] == '\0' || record.name[JOURNAL_NAME_SIZE - 1] != '\0')
        return false;
    record.old_data = span_part(*io_rest, RECORD_HEADER_SIZE, old_size);
    record.new_data = span_part(*io_rest, RECORD_HEADER_SIZE + old_size, new_size);
    uint64_t used = RECORD_HEADER_SIZE + old_size + new_size;
    *io_rest = span_part(*io_rest, used, io_rest->size - used);
    *ret_record = record;
    return true;
}

/* The last whole mark counts. A mark that a power cut left in part may stand before others, so they
 * are looked for at any offset. */
static enum journal_state state_of(struct span marks)
{
    enum journal_state state = JOURNAL_PENDING;

    for (size_t at = 0; at + JOURNAL_MARK_SIZE <= marks.size; at++) {
        struct span mark = span_part(marks, at, JOURNAL_MARK_SIZE);
        if (span_equal(mark, journal_mark(JOURNAL_DONE)))
            state = JOURNAL_DONE;
        if (span_equal(mark, journal_mark(JOURNAL_UNDONE)))
            state = JOURNAL_UNDONE;
    }
    return state;
}

static struct date_time take_date(const uint8_t *at)
{
    struct date_time date = {ld_le16(at), at[2], at[3], at[4], at[5], at[6]};

    return date;
}

/* True when header and records are all there, as their CRC says. */
static bool file_is_whole(struct span file)
{
    if (file.size < HEADER_SIZE || memcmp(file.at, magic, MAGIC_SIZE) != 0)
        return false;
    uint32_t total = ld_le32(file.at + 8);
    if (total < HEADER_SIZE || total > file.size)
        return false;
    return file_crc(span_part(file, 0, total)) == ld_le32(file.at + CRC_OFFSET);
}

enum status journal_parse(struct arena *arena, struct span file, struct journal *ret_journal)
{
    struct journal journal;

    if (!file_is_whole(file))
        return ST_DAMAGED;
    uint32_t total = ld_le32(file.at + 8);
    uint32_t count = ld_le32(file.at + 12);
    uint64_t command_size = ld_le32(file.at + 24);
    struct span body = span_part(file, HEADER_SIZE, total - HEADER_SIZE);
    if (command_size > body.size || count > body.size / RECORD_HEADER_SIZE)
        return ST_DAMAGED;
    char *command = arena_alloc(arena, 1, (size_t)command_size + 1);
    journal.records = arena_alloc(arena, count, sizeof(*journal.records));
    if (command == NULL || journal.records == NULL)
        return ST_NO_MEMORY;
    memcpy(command, body.at, (size_t)command_size);
    struct span rest = span_part(body, command_size, body.size - command_size);
    for (journal.count = 0; journal.count < count; journal.count++) {
        if (!take_record(&rest, &journal.records[journal.count]))
            return ST_DAMAGED;
    }
    if (rest.size != 0)
        return ST_DAMAGED;
    journal.command = command;
    journal.date = take_date(file.at + 16);
    journal.is_undo = file.at[UNDO_OFFSET] == 1;
    journal.state = state_of(span_part(file, total, file.size - total));
    *ret_journal = journal;
    return ST_OK;
}
