/* Taking a journal's file apart, from start to end, with no more of it in memory than a window. */
#include "base/crc32.h"
#include "base/mem.h"
#include "base/text.h"
#include "format/devpath.h"
#include "journal_layout.h"

#define WINDOW       0x20000u /* bytes that are read at once */
#define HEADS_WINDOW 0x2000u

/* A file that is being taken apart. */
struct taking {
    struct arena *arena;
    const struct journal_source *source;
    bool heads_only;
    uint8_t *window;
    uint32_t window_most; /* bytes it has room for */
    uint32_t window_at;   /* in the file */
    uint32_t window_size; /* bytes that are in it */
    uint32_t at;          /* the next byte */
    uint32_t end;         /* behind the last record */
    uint32_t crc;         /* of the bytes before */
    enum status status;   /* of the first failure */
    const struct journal_disk *disks;
    size_t disk_count;
};

static void fail_taking(struct taking *taking, enum status status)
{
    if (taking->status == ST_OK)
        taking->status = status;
}

/* Of `size` bytes, how many go through the window at once. */
static uint32_t at_once(const struct taking *taking, uint32_t size)
{
    return size < taking->window_most ? size : taking->window_most;
}

/* Brings the next `size` bytes, at most window_most, into the window. */
static void fill_from_file(struct taking *taking, uint32_t size)
{
    uint32_t left = taking->end - taking->at;

    if (taking->at >= taking->window_at && size <= taking->window_size &&
        taking->at - taking->window_at <= taking->window_size - size)
        return;
    taking->window_at = taking->at;
    taking->window_size = at_once(taking, left);
    fail_taking(taking, taking->source->read(taking->source->ctx, taking->at, taking->window,
                                             taking->window_size));
}

/* Takes `size` bytes off, at most window_most of a file that is not in memory; a span at NULL when there are not so many.
 * They stay there until more is taken. */
static struct span take_bytes(struct taking *taking, uint64_t size)
{
    struct span taken = taking->source->bytes;

    if (size > taking->end - taking->at)
        fail_taking(taking, ST_DAMAGED);
    if (taking->status == ST_OK && taken.at == NULL)
        fill_from_file(taking, (uint32_t)size);
    if (taking->status != ST_OK)
        return span_of(NULL, 0);
    taken = taken.at != NULL
                ? span_part(taken, taking->at, size)
                : span_of(taking->window + (taking->at - taking->window_at), (size_t)size);
    taking->crc = crc32_update(taking->crc, taken.at, taken.size);
    taking->at += (uint32_t)size;
    return taken;
}

/* The same for any number of bytes, which stay. */
static struct span keep_bytes(struct taking *taking, uint64_t size)
{
    uint8_t *at = NULL;

    if (taking->source->bytes.at != NULL || size > taking->end - taking->at)
        return take_bytes(taking, size);
    at = arena_alloc(taking->arena, 1, (size_t)size);
    if (at == NULL)
        fail_taking(taking, ST_NO_MEMORY);
    for (uint32_t done = 0; done < size && taking->status == ST_OK;) {
        uint32_t left = (uint32_t)size - done;
        struct span part = take_bytes(taking, at_once(taking, left));
        if (part.at != NULL)
            memcpy(at + done, part.at, part.size);
        done += (uint32_t)part.size;
    }
    return taking->status == ST_OK ? span_of(at, (size_t)size) : span_of(NULL, 0);
}

/* Passes over bytes; gives their CRC, 0 where they are not read (heads_only). */
static uint32_t pass_bytes(struct taking *taking, uint32_t size)
{
    uint32_t crc = 0;

    if (taking->heads_only && size <= taking->end - taking->at) {
        taking->at += size;
        return 0;
    }
    while (size > 0 && taking->status == ST_OK) {
        struct span part = take_bytes(taking, at_once(taking, size));
        crc = crc32_update(crc, part.at, part.size);
        size -= (uint32_t)part.size;
    }
    return crc;
}

static bool block_size_is_possible(uint32_t size)
{
    return size >= BLOCK_SIZE_MIN && size <= BLOCK_SIZE_MAX && (size & (size - 1)) == 0;
}

static bool take_disk(struct taking *taking, struct journal_disk *ret_disk)
{
    struct journal_disk disk;
    struct span head = take_bytes(taking, DISK_HEADER);
    struct span exact;

    if (head.at == NULL)
        return false;
    disk.guid_before = guid_load(head.at);
    disk.guid_after = guid_load(head.at + 16);
    disk.block_count = ld_le64(head.at + 32);
    disk.block_size = ld_le32(head.at + 40);
    disk.path = keep_bytes(taking, ld_le32(head.at + 44));
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

static bool take_variable(struct taking *taking, struct journal_record *record)
{
    struct span head = take_bytes(taking, VARIABLE_HEADER - KIND_SIZE);

    if (head.at == NULL)
        return false;
    uint32_t flags = ld_le32(head.at);
    uint32_t old_size = ld_le32(head.at + 8);
    uint32_t new_size = ld_le32(head.at + 16);
    record->old_present = (flags & FLAG_OLD) != 0;
    record->old_attributes = ld_le32(head.at + 4);
    record->new_present = (flags & FLAG_NEW) != 0;
    record->new_attributes = ld_le32(head.at + 12);
    memcpy(record->name, head.at + 20, sizeof(record->name));
    record->old_data = keep_bytes(taking, old_size);
    record->new_data = keep_bytes(taking, new_size);
    return record->new_data.at != NULL && (flags & ~(FLAG_OLD | FLAG_NEW)) == 0 &&
           name_is_sound(record->name);
}

/* True when the record's blocks are there, and on its disk. */
static bool blocks_are_on_disk(const struct taking *taking, const struct journal_record *record)
{
    if (record->disk >= taking->disk_count || record->block_count == 0)
        return false;
    uint64_t end = taking->disks[record->disk].block_count;
    return record->lba < end && record->block_count <= end - record->lba;
}

static bool take_differences(struct taking *taking, uint32_t size, uint64_t bytes,
                             struct journal_record *record)
{
    uint64_t digests = (uint64_t)record->block_count * JOURNAL_DIGEST_SIZE;

    record->differences = keep_bytes(taking, size);
    if (record->differences.at == NULL ||
        !journal_differences_are_sound(record->differences, bytes))
        return false;
    record->old_digests = keep_bytes(taking, digests);
    record->new_digests = keep_bytes(taking, digests);
    return record->new_digests.at != NULL;
}

/* Old content in memory is told where it is, else it is left in the file. */
static bool take_old(struct taking *taking, uint64_t bytes, struct journal_record *record)
{
    if (record->old_is_zero)
        return true;
    if (bytes > JOURNAL_OLD_MOST)
        return false;
    record->old_at = taking->at;
    if (taking->source->bytes.at != NULL)
        record->old_data = take_bytes(taking, bytes);
    else
        record->old_crc = pass_bytes(taking, (uint32_t)bytes);
    return taking->status == ST_OK;
}

static bool take_record_blocks(struct taking *taking, struct journal_record *record)
{
    struct span head = take_bytes(taking, BLOCKS_HEADER - KIND_SIZE);

    if (head.at == NULL)
        return false;
    uint32_t flags = ld_le32(head.at);
    uint32_t size = ld_le32(head.at + 24);
    record->old_is_zero = (flags & FLAG_OLD_IS_ZERO) != 0;
    record->disk = ld_le32(head.at + 4);
    record->step = ld_le32(head.at + 8);
    record->lba = ld_le64(head.at + 12);
    record->block_count = ld_le32(head.at + 20);
    if (record->step >= JOURNAL_STEPS_MAX || !blocks_are_on_disk(taking, record))
        return false;
    uint64_t bytes = (uint64_t)record->block_count * taking->disks[record->disk].block_size;
    if (flags == (FLAG_DIGESTS | FLAG_DIFFERENCES))
        return take_differences(taking, size, bytes, record);
    if ((flags & ~(FLAG_OLD_IS_ZERO | FLAG_DIGESTS)) != 0 || size != 0 ||
        !take_old(taking, bytes, record))
        return false;
    if ((flags & FLAG_DIGESTS) == 0)
        return true;
    record->new_digests = keep_bytes(taking, (uint64_t)record->block_count * JOURNAL_DIGEST_SIZE);
    return record->new_digests.at != NULL;
}

static bool take_relied(struct taking *taking, struct journal_record *record)
{
    struct span head = take_bytes(taking, RELIED_SIZE - KIND_SIZE);

    if (head.at == NULL)
        return false;
    record->disk = ld_le32(head.at + 4);
    record->block_count = ld_le32(head.at + 8);
    record->lba = ld_le64(head.at + 12);
    memcpy(record->digest.bytes, head.at + 20, sizeof(record->digest.bytes));
    return ld_le32(head.at) == 0 && blocks_are_on_disk(taking, record);
}

typedef bool take_kind(struct taking *taking, struct journal_record *record);

static take_kind *const kinds[] = {[JOURNAL_VARIABLE] = take_variable,
                                   [JOURNAL_BLOCKS] = take_record_blocks,
                                   [JOURNAL_RELIED] = take_relied};

/* False when the record leads outside or contradicts itself. */
static bool take_record(struct taking *taking, struct journal_record *record)
{
    struct span head = take_bytes(taking, KIND_SIZE);
    uint32_t kind = head.at == NULL ? 0 : ld_le32(head.at);

    if (kind < JOURNAL_VARIABLE || kind > JOURNAL_RELIED)
        return false;
    record->kind = (enum journal_kind)kind;
    return kinds[kind](taking, record);
}

static enum status take_command(struct taking *taking, uint32_t size, const char **ret_command)
{
    struct span text = keep_bytes(taking, size);
    char *command = text.at == NULL ? NULL : arena_alloc(taking->arena, 1, text.size + 1);

    if (text.at == NULL)
        return taking->status;
    if (command == NULL)
        return ST_NO_MEMORY;
    if (text.size > 0)
        memcpy(command, text.at, text.size);
    *ret_command = command;
    return text_length(command) == text.size ? ST_OK : ST_DAMAGED;
}

/* What is wrong where something could not be taken. */
static enum status what_is_wrong(const struct taking *taking)
{
    return taking->status == ST_OK ? ST_DAMAGED : taking->status;
}

static enum status take_disks(struct taking *taking, uint32_t count, struct journal *journal)
{
    if (count > (taking->end - taking->at) / DISK_HEADER)
        return ST_DAMAGED;
    journal->disks = arena_alloc(taking->arena, count, sizeof(*journal->disks));
    if (journal->disks == NULL)
        return ST_NO_MEMORY;
    for (journal->disk_count = 0; journal->disk_count < count; journal->disk_count++) {
        if (!take_disk(taking, &journal->disks[journal->disk_count]))
            return what_is_wrong(taking);
    }
    taking->disks = journal->disks;
    taking->disk_count = count;
    return ST_OK;
}

static enum status take_records(struct taking *taking, uint32_t count, struct journal *journal)
{
    if (count > (taking->end - taking->at) / SMALLEST_RECORD)
        return ST_DAMAGED;
    journal->records = arena_alloc(taking->arena, count, sizeof(*journal->records));
    if (journal->records == NULL)
        return ST_NO_MEMORY;
    for (journal->count = 0; journal->count < count; journal->count++) {
        if (!take_record(taking, &journal->records[journal->count]))
            return what_is_wrong(taking);
    }
    return taking->at == taking->end ? ST_OK : ST_DAMAGED;
}

/* The marks behind the records; one may lie across two pieces. */
static enum status take_marks(struct taking *taking, enum journal_state *ret_state)
{
    enum journal_state state = JOURNAL_PENDING;

    taking->end = (uint32_t)taking->source->size;
    while (taking->end - taking->at >= JOURNAL_MARK_SIZE && taking->status == ST_OK) {
        uint32_t left = taking->end - taking->at;
        struct span part = take_bytes(taking, at_once(taking, left));
        enum journal_state last = journal_last_mark(part);
        state = last != JOURNAL_PENDING ? last : state;
        taking->at -= taking->at < taking->end ? JOURNAL_MARK_SIZE - 1 : 0;
    }
    *ret_state = state;
    return taking->status;
}

/* Command, disks and records, behind their head. */
static enum status take_rest(struct taking *taking, const uint8_t head[HEADER_SIZE],
                             struct journal *journal)
{
    enum status status = take_command(taking, ld_le32(head + 24), &journal->command);

    if (status == ST_OK)
        status = take_disks(taking, ld_le32(head + 32), journal);
    if (status == ST_OK)
        status = take_records(taking, ld_le32(head + 12), journal);
    if (taking->heads_only || status == ST_DAMAGED)
        return status;
    /* Nothing is too much for memory because of a number that is wrong. */
    if (taking->status == ST_NO_MEMORY)
        taking->status = ST_OK;
    (void)pass_bytes(taking, taking->end - taking->at);
    if (taking->status == ST_OK && taking->crc != ld_le32(head + CRC_OFFSET))
        return ST_DAMAGED;
    return taking->status != ST_OK ? taking->status : status;
}

/* True for the head of a journal in another version of this format: the last character counts them. */
static bool is_of_other_version(const uint8_t head[HEADER_SIZE])
{
    uint8_t version = head[MAGIC_SIZE - 1];

    return memcmp(head, journal_magic, MAGIC_SIZE - 1) == 0 && version >= '0' && version <= '9' &&
           version != journal_magic[MAGIC_SIZE - 1];
}

/* The head, as far as it says whose it is and how long. */
static enum status take_beginning(struct taking *taking, uint8_t ret_head[HEADER_SIZE])
{
    struct span head = take_bytes(taking, HEADER_SIZE);

    if (head.at == NULL)
        return taking->status;
    memcpy(ret_head, head.at, HEADER_SIZE);
    if (is_of_other_version(ret_head))
        return ST_UNSUPPORTED;
    uint32_t total = ld_le32(ret_head + 8);
    if (memcmp(ret_head, journal_magic, MAGIC_SIZE) != 0 || total < HEADER_SIZE ||
        total > taking->end || ret_head[UNDO_OFFSET] > 1 || ld_le32(ret_head + 36) != 0)
        return ST_DAMAGED;
    taking->end = total;
    taking->crc = journal_crc(head);
    return ST_OK;
}

static enum status take_whole(struct taking *taking, struct journal *ret_journal)
{
    struct journal journal = {.command = "", .source = taking->source};
    uint8_t head[HEADER_SIZE];
    enum status status = take_beginning(taking, head);

    if (status == ST_OK)
        status = take_rest(taking, head, &journal);
    if (status == ST_OK)
        status = take_marks(taking, &journal.state);
    if (status != ST_OK)
        return status;
    journal.date =
        (struct date_time){ld_le16(head + 16), head[18], head[19], head[20], head[21], head[22]};
    journal.is_undo = head[UNDO_OFFSET] == 1;
    *ret_journal = journal;
    return ST_OK;
}

static enum status read_journal_as(struct arena *arena, const struct journal_source *source,
                                   bool heads_only, struct journal *ret_journal)
{
    struct taking taking = {.arena = arena,
                            .source = source,
                            .heads_only = heads_only,
                            .window_most = heads_only ? HEADS_WINDOW : WINDOW,
                            .end = (uint32_t)source->size};

    if (source->size > UINT32_MAX)
        return ST_DAMAGED;
    if (source->bytes.at == NULL) {
        taking.window = arena_alloc(arena, 1, at_once(&taking, taking.end));
        if (taking.window == NULL)
            return ST_NO_MEMORY;
    }
    return take_whole(&taking, ret_journal);
}

enum status journal_read(struct arena *arena, const struct journal_source *source,
                         struct journal *ret_journal)
{
    return read_journal_as(arena, source, false, ret_journal);
}

enum status journal_read_heads(struct arena *arena, const struct journal_source *source,
                               struct journal *ret_journal)
{
    return read_journal_as(arena, source, true, ret_journal);
}

enum status journal_parse(struct arena *arena, struct span file, struct journal *ret_journal)
{
    struct journal_source *source = arena_alloc(arena, 1, sizeof(*source));

    if (source == NULL)
        return ST_NO_MEMORY;
    source->bytes = file;
    source->size = file.size;
    return journal_read(arena, source, ret_journal);
}

enum status journal_old(const struct journal *journal, const struct journal_record *record,
                        uint32_t first, uint32_t count, uint8_t *ret_old)
{
    const struct journal_source *source = journal->source;
    uint32_t block_size = journal->disks[record->disk].block_size;
    size_t at = (size_t)first * block_size;
    size_t size = (size_t)count * block_size;

    if (record->old_is_zero)
        memset(ret_old, 0, size);
    else if (record->old_data.at != NULL)
        memcpy(ret_old, record->old_data.at + at, size);
    if (record->old_is_zero || record->old_data.at != NULL)
        return ST_OK;
    enum status status = source->read(source->ctx, record->old_at + at, ret_old, size);
    if (status == ST_OK && count == record->block_count &&
        crc32_update(0, ret_old, size) != record->old_crc)
        status = ST_IO;
    return status;
}
