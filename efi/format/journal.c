#include "format/journal.h"

#include "base/builder.h"
#include "base/crc32.h"
#include "base/mem.h"
#include "base/text.h"
#include "format/devpath.h"

#define MAGIC_SIZE       8u
#define HEADER_SIZE      40u
#define UNDO_OFFSET      23u
#define CRC_OFFSET       28u
#define BEHIND_CRC       32u
#define DISK_HEADER      48u
#define VARIABLE_HEADER  88u
#define BLOCKS_HEADER    32u
#define RELIED_SIZE      56u
#define SMALLEST_RECORD  BLOCKS_HEADER /* all zero before, and no digests */
#define BLOCK_SIZE_MIN   512u
#define BLOCK_SIZE_MAX   65536u
#define FLAG_OLD         1u /* of variables */
#define FLAG_NEW         2u
#define FLAG_OLD_IS_ZERO 1u /* of blocks */
#define FLAG_DIGESTS     2u

static const uint8_t magic[MAGIC_SIZE] = {'S', 'B', 'J', 'O', 'U', 'R', 'N', '2'};

static const uint8_t marks[][JOURNAL_MARK_SIZE] = {
    [JOURNAL_DONE] = {'S', 'B', 'D', 'O', 'N', 'E', '_', '_'},
    [JOURNAL_UNDONE] = {'S', 'B', 'U', 'N', 'D', 'O', 'N', 'E'},
    [JOURNAL_LEFT] = {'S', 'B', 'L', 'E', 'F', 'T', '_', '_'},
};

struct span journal_mark(enum journal_state state)
{
    return span_of(marks[state], JOURNAL_MARK_SIZE);
}

bool journal_has_blocks(const struct journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        if (journal->records[i].kind == JOURNAL_BLOCKS)
            return true;
    }
    return false;
}

void journal_digest(struct span block, uint8_t ret_digest[JOURNAL_DIGEST_SIZE])
{
    struct sha256 digest = sha256_of(block);

    memcpy(ret_digest, digest.bytes, JOURNAL_DIGEST_SIZE);
}

/* The CRC over header, disks and records, with its own field taken as zero. */
static uint32_t file_crc(struct span file)
{
    static const uint8_t zero[4];
    uint32_t crc = crc32_update(0, file.at, CRC_OFFSET);

    crc = crc32_update(crc, zero, sizeof(zero));
    return crc32_update(crc, file.at + BEHIND_CRC, file.size - BEHIND_CRC);
}

/* --- Building ------------------------------------------------------------------------------- */

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

static void put_blocks(struct builder *builder, const struct journal_record *record)
{
    uint32_t flags = (record->old_is_zero ? FLAG_OLD_IS_ZERO : 0) |
                     (record->new_digests.size > 0 ? FLAG_DIGESTS : 0);

    builder_le32(builder, flags);
    builder_le32(builder, (uint32_t)record->disk);
    builder_le32(builder, record->step);
    builder_le64(builder, record->lba);
    builder_le32(builder, record->block_count);
    builder_le32(builder, 0);
    builder_bytes(builder, record->old_data);
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

static void put_record(struct builder *builder, const struct journal_record *record)
{
    builder_le32(builder, record->kind);
    if (record->kind == JOURNAL_VARIABLE)
        put_variable(builder, record);
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
        return BLOCKS_HEADER + old_size + record->new_digests.size;
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

enum status journal_build(struct arena *arena, const struct journal *journal, struct span *ret_file)
{
    size_t command_size = text_length(journal->command);
    uint64_t size = journal_size(journal);
    struct builder builder;

    if (size > UINT32_MAX)
        return ST_NO_MEMORY; /* nothing of that size is in memory besides its parts */
    builder_in_arena(&builder, arena, (size_t)size);
    builder_bytes(&builder, span_of(magic, sizeof(magic)));
    builder_le32(&builder, (uint32_t)size);
    builder_le32(&builder, (uint32_t)journal->count);
    put_date(&builder, &journal->date);
    builder_u8(&builder, journal->is_undo);
    builder_le32(&builder, (uint32_t)command_size);
    builder_le32(&builder, 0);
    builder_le32(&builder, (uint32_t)journal->disk_count);
    builder_le32(&builder, 0);
    builder_bytes(&builder, span_of(journal->command, command_size));
    for (size_t i = 0; i < journal->disk_count; i++)
        put_record_disk(&builder, &journal->disks[i]);
    for (size_t i = 0; i < journal->count; i++)
        put_record(&builder, &journal->records[i]);
    if (builder.failed)
        return ST_NO_MEMORY;
    st_le32(builder.at + CRC_OFFSET, file_crc(builder_span(&builder)));
    *ret_file = builder_span(&builder);
    return ST_OK;
}

/* --- Parsing -------------------------------------------------------------------------------- */

/* What is left to be taken apart. */
struct rest {
    struct span bytes;
    const struct journal_disk *disks;
    size_t disk_count;
};

/* Takes `size` bytes off; a span at NULL when there are not so many. */
static struct span take_bytes(struct rest *rest, uint64_t size)
{
    struct span taken = span_part(rest->bytes, 0, size);

    if (taken.at != NULL)
        rest->bytes = span_part(rest->bytes, size, rest->bytes.size - size);
    return taken;
}

static bool block_size_is_possible(uint32_t size)
{
    return size >= BLOCK_SIZE_MIN && size <= BLOCK_SIZE_MAX && (size & (size - 1)) == 0;
}

static bool take_disk(struct rest *rest, struct journal_disk *ret_disk)
{
    struct journal_disk disk;
    struct span head = take_bytes(rest, DISK_HEADER);
    struct span exact;

    if (head.at == NULL)
        return false;
    disk.guid_before = guid_load(head.at);
    disk.guid_after = guid_load(head.at + 16);
    disk.block_count = ld_le64(head.at + 32);
    disk.block_size = ld_le32(head.at + 40);
    disk.path = take_bytes(rest, ld_le32(head.at + 44));
    if (disk.path.at == NULL || !block_size_is_possible(disk.block_size))
        return false;
    if (devpath_take(disk.path, &exact) != ST_OK || exact.size != disk.path.size)
        return false;
    *ret_disk = disk;
    return true;
}

/* A name is there, ends inside its field, and nothing stands behind its end. */
static bool name_is_sound(const char *name)
{
    size_t length = 0;

    while (length < JOURNAL_NAME_SIZE && name[length] > ' ' && name[length] < '\x7f')
        length++;
    if (length == 0 || length == JOURNAL_NAME_SIZE)
        return false;
    return span_is_zero(span_of(name + length, JOURNAL_NAME_SIZE - length));
}

static bool take_variable(struct rest *rest, struct journal_record *record)
{
    struct span head = take_bytes(rest, VARIABLE_HEADER);

    if (head.at == NULL)
        return false;
    uint32_t flags = ld_le32(head.at + 4);
    record->old_present = (flags & FLAG_OLD) != 0;
    record->old_attributes = ld_le32(head.at + 8);
    record->new_present = (flags & FLAG_NEW) != 0;
    record->new_attributes = ld_le32(head.at + 16);
    memcpy(record->name, head.at + 24, sizeof(record->name));
    record->old_data = take_bytes(rest, ld_le32(head.at + 12));
    if (record->old_data.at == NULL)
        return false;
    record->new_data = take_bytes(rest, ld_le32(head.at + 20));
    return record->new_data.at != NULL && (flags & ~(FLAG_OLD | FLAG_NEW)) == 0 &&
           name_is_sound(record->name);
}

/* True when the record's blocks are there, and on its disk. */
static bool blocks_are_on_disk(const struct rest *rest, const struct journal_record *record)
{
    if (record->disk >= rest->disk_count || record->block_count == 0)
        return false;
    uint64_t end = rest->disks[record->disk].block_count;
    return record->lba < end && record->block_count <= end - record->lba;
}

static bool take_record_blocks(struct rest *rest, struct journal_record *record)
{
    struct span head = take_bytes(rest, BLOCKS_HEADER);

    if (head.at == NULL)
        return false;
    uint32_t flags = ld_le32(head.at + 4);
    record->old_is_zero = (flags & FLAG_OLD_IS_ZERO) != 0;
    record->disk = ld_le32(head.at + 8);
    record->step = ld_le32(head.at + 12);
    record->lba = ld_le64(head.at + 16);
    record->block_count = ld_le32(head.at + 24);
    if ((flags & ~(FLAG_OLD_IS_ZERO | FLAG_DIGESTS)) != 0 || ld_le32(head.at + 28) != 0 ||
        record->step >= JOURNAL_STEPS_MAX || !blocks_are_on_disk(rest, record))
        return false;
    uint64_t count = record->block_count;
    if (!record->old_is_zero) {
        record->old_data = take_bytes(rest, count * rest->disks[record->disk].block_size);
        if (record->old_data.at == NULL)
            return false;
    }
    if ((flags & FLAG_DIGESTS) == 0)
        return true;
    record->new_digests = take_bytes(rest, count * JOURNAL_DIGEST_SIZE);
    return record->new_digests.at != NULL;
}

static bool take_relied(struct rest *rest, struct journal_record *record)
{
    struct span head = take_bytes(rest, RELIED_SIZE);

    if (head.at == NULL)
        return false;
    record->disk = ld_le32(head.at + 8);
    record->block_count = ld_le32(head.at + 12);
    record->lba = ld_le64(head.at + 16);
    memcpy(record->digest.bytes, head.at + 24, sizeof(record->digest.bytes));
    return ld_le32(head.at + 4) == 0 && blocks_are_on_disk(rest, record);
}

/* False when the record leads outside or contradicts itself. */
static bool take_record(struct rest *rest, struct journal_record *ret_record)
{
    struct span kind = span_part(rest->bytes, 0, 4);
    struct journal_record record;
    bool taken = false;

    if (kind.at == NULL)
        return false;
    memset(&record, 0, sizeof(record));
    switch (ld_le32(kind.at)) {
    case JOURNAL_VARIABLE:
        record.kind = JOURNAL_VARIABLE;
        taken = take_variable(rest, &record);
        break;
    case JOURNAL_BLOCKS:
        record.kind = JOURNAL_BLOCKS;
        taken = take_record_blocks(rest, &record);
        break;
    case JOURNAL_RELIED:
        record.kind = JOURNAL_RELIED;
        taken = take_relied(rest, &record);
        break;
    default:
        break;
    }
    if (taken)
        *ret_record = record;
    return taken;
}

/* The last whole mark counts. A mark that a power cut left in part may stand before others, so they
 * are looked for at any offset. */
static enum journal_state journal_file_state(struct span tail)
{
    enum journal_state state = JOURNAL_PENDING;

    for (size_t at = 0; at + JOURNAL_MARK_SIZE <= tail.size; at++) {
        struct span mark = span_part(tail, at, JOURNAL_MARK_SIZE);
        for (enum journal_state i = JOURNAL_DONE; i <= JOURNAL_LEFT; i++) {
            if (span_equal(mark, journal_mark(i)))
                state = i;
        }
    }
    return state;
}

static struct date_time take_date(const uint8_t *at)
{
    struct date_time date = {ld_le16(at), at[2], at[3], at[4], at[5], at[6]};

    return date;
}

/* True when header, disks and records are all there, as their CRC says. */
static bool file_is_whole(struct span file)
{
    if (file.size < HEADER_SIZE || memcmp(file.at, magic, MAGIC_SIZE) != 0)
        return false;
    uint32_t total = ld_le32(file.at + 8);
    if (total < HEADER_SIZE || total > file.size)
        return false;
    if (file_crc(span_part(file, 0, total)) != ld_le32(file.at + CRC_OFFSET))
        return false;
    return file.at[UNDO_OFFSET] <= 1 && ld_le32(file.at + 36) == 0;
}

static enum status take_command(struct arena *arena, struct rest *rest, uint32_t size,
                                const char **ret_command)
{
    struct span text = take_bytes(rest, size);

    if (text.at == NULL)
        return ST_DAMAGED;
    char *command = arena_alloc(arena, 1, text.size + 1);
    if (command == NULL)
        return ST_NO_MEMORY;
    if (text.size > 0)
        memcpy(command, text.at, text.size);
    *ret_command = command;
    return text_length(command) == text.size ? ST_OK : ST_DAMAGED;
}

static enum status take_disks(struct arena *arena, struct rest *rest, uint32_t count,
                              struct journal *journal)
{
    if (count > rest->bytes.size / DISK_HEADER)
        return ST_DAMAGED;
    journal->disks = arena_alloc(arena, count, sizeof(*journal->disks));
    if (journal->disks == NULL)
        return ST_NO_MEMORY;
    for (journal->disk_count = 0; journal->disk_count < count; journal->disk_count++) {
        if (!take_disk(rest, &journal->disks[journal->disk_count]))
            return ST_DAMAGED;
    }
    rest->disks = journal->disks;
    rest->disk_count = count;
    return ST_OK;
}

static enum status take_records(struct arena *arena, struct rest *rest, uint32_t count,
                                struct journal *journal)
{
    if (count > rest->bytes.size / SMALLEST_RECORD)
        return ST_DAMAGED;
    journal->records = arena_alloc(arena, count, sizeof(*journal->records));
    if (journal->records == NULL)
        return ST_NO_MEMORY;
    for (journal->count = 0; journal->count < count; journal->count++) {
        if (!take_record(rest, &journal->records[journal->count]))
            return ST_DAMAGED;
    }
    return rest->bytes.size == 0 ? ST_OK : ST_DAMAGED;
}

enum status journal_parse(struct arena *arena, struct span file, struct journal *ret_journal)
{
    struct journal journal = {.command = ""};

    if (!file_is_whole(file))
        return ST_DAMAGED;
    uint32_t total = ld_le32(file.at + 8);
    struct rest rest = {.bytes = span_part(file, HEADER_SIZE, total - HEADER_SIZE)};
    enum status status = take_command(arena, &rest, ld_le32(file.at + 24), &journal.command);
    if (status == ST_OK)
        status = take_disks(arena, &rest, ld_le32(file.at + 32), &journal);
    if (status == ST_OK)
        status = take_records(arena, &rest, ld_le32(file.at + 12), &journal);
    if (status != ST_OK)
        return status;
    journal.date = take_date(file.at + 16);
    journal.is_undo = file.at[UNDO_OFFSET] == 1;
    journal.state = journal_file_state(span_part(file, total, file.size - total));
    *ret_journal = journal;
    return ST_OK;
}

bool journal_is_closed(struct span head, struct span end, uint64_t file_size)
{
    if (head.size < JOURNAL_HEAD_SIZE || memcmp(head.at, magic, MAGIC_SIZE) != 0)
        return false;
    uint64_t total = ld_le32(head.at + 8);
    return total <= file_size && file_size - total >= JOURNAL_MARK_SIZE &&
           journal_file_state(end) != JOURNAL_PENDING;
}
