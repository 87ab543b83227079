#include "format/journal.h"

#include "base/crc32.h"
#include "base/mem.h"
#include "base/text.h"
#include "format/devpath.h"
#include "journal_layout.h"

const uint8_t journal_magic[MAGIC_SIZE] = {'S', 'B', 'J', 'O', 'U', 'R', 'N', '2'};

static const uint8_t marks[][JOURNAL_MARK_SIZE] = {
    [JOURNAL_DONE] = {'S', 'B', 'D', 'O', 'N', 'E', '_', '_'},
    [JOURNAL_UNDOING] = {'S', 'B', 'U', 'N', 'D', 'O', '_', '_'},
    [JOURNAL_UNDONE] = {'S', 'B', 'U', 'N', 'D', 'O', 'N', 'E'},
    [JOURNAL_LEFT] = {'S', 'B', 'L', 'E', 'F', 'T', '_', '_'},
};

struct span journal_mark(enum journal_state state)
{
    return span_of(marks[state], JOURNAL_MARK_SIZE);
}

bool journal_is_interrupted(const struct journal *journal)
{
    return journal->state == JOURNAL_PENDING || journal->state == JOURNAL_UNDOING;
}

bool journal_has_blocks(const struct journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        if (journal->records[i].kind == JOURNAL_BLOCKS)
            return true;
    }
    return false;
}

uint32_t journal_crc(struct span file)
{
    static const uint8_t zero[4];
    uint32_t crc = crc32_update(0, file.at, CRC_OFFSET);

    crc = crc32_update(crc, zero, sizeof(zero));
    return crc32_update(crc, file.at + BEHIND_CRC, file.size - BEHIND_CRC);
}

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

static bool take_differences(struct rest *rest, uint32_t size, struct journal_record *record)
{
    uint64_t digests = (uint64_t)record->block_count * JOURNAL_DIGEST_SIZE;
    uint64_t bytes = (uint64_t)record->block_count * rest->disks[record->disk].block_size;

    record->differences = take_bytes(rest, size);
    if (record->differences.at == NULL ||
        !journal_differences_are_sound(record->differences, bytes))
        return false;
    record->old_digests = take_bytes(rest, digests);
    if (record->old_digests.at == NULL)
        return false;
    record->new_digests = take_bytes(rest, digests);
    return record->new_digests.at != NULL;
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
    if (record->step >= JOURNAL_STEPS_MAX || !blocks_are_on_disk(rest, record))
        return false;
    if (flags == (FLAG_DIGESTS | FLAG_DIFFERENCES))
        return take_differences(rest, ld_le32(head.at + 28), record);
    if ((flags & ~(FLAG_OLD_IS_ZERO | FLAG_DIGESTS)) != 0 || ld_le32(head.at + 28) != 0)
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
    if (file.size < HEADER_SIZE || memcmp(file.at, journal_magic, MAGIC_SIZE) != 0)
        return false;
    uint32_t total = ld_le32(file.at + 8);
    if (total < HEADER_SIZE || total > file.size)
        return false;
    if (journal_crc(span_part(file, 0, total)) != ld_le32(file.at + CRC_OFFSET))
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
    if (head.size < JOURNAL_HEAD_SIZE || memcmp(head.at, journal_magic, MAGIC_SIZE) != 0)
        return false;
    uint64_t total = ld_le32(head.at + 8);
    enum journal_state state = journal_file_state(end);
    return total <= file_size && file_size - total >= JOURNAL_MARK_SIZE &&
           state != JOURNAL_PENDING && state != JOURNAL_UNDOING;
}
