#include "disk_restore.h"

#include "base/mem.h"

static bool is_ours(const struct disk_work *work, const struct journal_record *record)
{
    return record->kind == JOURNAL_BLOCKS && record->disk == work->change->journal_disk;
}

static bool is_in_record(const struct disk_work *work, const struct journal_record *record,
                         uint64_t lba)
{
    return is_ours(work, record) && lba >= record->lba && lba - record->lba < record->block_count;
}

/* Where old content is read to: behind what the disk is read to and what is read back. */
static uint8_t *old_room(const struct disk_work *work)
{
    return work->buffer + 2 * DISK_WORK_BUFFER + DISK_WORK_SECTOR;
}

/* The same for one block of another record. */
static uint8_t *other_room(const struct disk_work *work)
{
    return old_room(work) + DISK_WORK_BUFFER;
}

static enum status is_old_block(const struct disk_work *work, const struct journal_record *record,
                                uint32_t block, const uint8_t *now, bool *ret_is)
{
    uint8_t *old = other_room(work);
    enum status status = journal_old(work->change->journal, record, block, 1, old);

    *ret_is = status == ST_OK && memcmp(old, now, work->port->block_size) == 0;
    return status;
}

static bool is_new_block(const struct disk_work *work, const struct journal_record *record,
                         uint32_t block, const uint8_t *now)
{
    uint8_t digest[JOURNAL_DIGEST_SIZE];

    if (record->new_digests.size == 0)
        return true;
    journal_digest(span_of(now, work->port->block_size), digest);
    return memcmp(record->new_digests.at + (size_t)block * JOURNAL_DIGEST_SIZE, digest,
                  sizeof(digest)) == 0;
}

/* Whether another step of the change leaves the block like this. */
static enum status is_of_another_step(const struct disk_work *work, uint64_t lba,
                                      const uint8_t *now, bool *ret_is)
{
    const struct journal *journal = work->change->journal;
    enum status status = ST_OK;
    bool is = false;

    for (size_t i = 0; i < journal->count && !is && status == ST_OK; i++) {
        const struct journal_record *record = &journal->records[i];
        if (!is_in_record(work, record, lba))
            continue;
        uint32_t block = (uint32_t)(lba - record->lba);
        is = is_new_block(work, record, block, now);
        if (!is)
            status = is_old_block(work, record, block, now, &is);
    }
    *ret_is = is;
    return status;
}

/* Whether a block that does not hold its old content holds the new one. Statuses as look_at_record. */
static enum status look_at_block(const struct disk_work *work, const struct journal_record *record,
                                 uint32_t block, const uint8_t *now, bool *io_is_new)
{
    bool is_other = false;

    if (is_new_block(work, record, block, now)) {
        *io_is_new = true;
        return ST_OK;
    }
    enum status status = is_of_another_step(work, record->lba + block, now, &is_other);
    if (status != ST_OK || is_other)
        return status;
    *io_is_new = true;
    return work->change->forced ? ST_OK : ST_CHANGED;
}

/* Whether some of a record's blocks hold its new content, and that is another. Statuses: ST_OK;
 * ST_CHANGED when somebody else has written there; ST_IO; those of journal_old. */
static enum status look_at_record(const struct disk_work *work, const struct journal_record *record,
                                  bool *ret_is_new)
{
    const struct block_port *port = work->port;
    uint32_t most = DISK_WORK_BUFFER / port->block_size;
    const uint8_t *old = old_room(work);
    enum status status = ST_OK;
    bool is_new = false;

    for (uint32_t done = 0; done < record->block_count && status == ST_OK;) {
        uint32_t left = record->block_count - done;
        uint32_t count = left < most ? left : most;
        if (port->read(port->ctx, record->lba + done, count, work->buffer) != ST_OK)
            return ST_IO;
        status = journal_old(work->change->journal, record, done, count, old_room(work));
        for (uint32_t i = 0; i < count && status == ST_OK; i++) {
            size_t at = (size_t)i * port->block_size;
            if (memcmp(work->buffer + at, old + at, port->block_size) != 0)
                status = look_at_block(work, record, done + i, work->buffer + at, &is_new);
        }
        done += count;
    }
    *ret_is_new = is_new;
    return status;
}

/* The last step of which anything has reached the disk, counted from 1; 0 when none has. */
static enum status find_last_step(const struct disk_work *work, uint32_t *ret_last)
{
    const struct journal *journal = work->change->journal;
    uint32_t last = 0;

    for (size_t i = 0; i < journal->count; i++) {
        bool is_new = false;
        if (!is_ours(work, &journal->records[i]))
            continue;
        enum status status = look_at_record(work, &journal->records[i], &is_new);
        if (status != ST_OK)
            return status;
        if (is_new && journal->records[i].step + 1 > last)
            last = journal->records[i].step + 1;
    }
    *ret_last = last;
    return ST_OK;
}

static enum status check_relied(const struct disk_work *work, const struct journal_record *record)
{
    const struct block_port *port = work->port;
    uint32_t most = DISK_WORK_BUFFER / port->block_size;
    struct sha256_state state;

    sha256_start(&state);
    for (uint32_t done = 0; done < record->block_count;) {
        uint32_t left = record->block_count - done;
        uint32_t count = left < most ? left : most;
        if (port->read(port->ctx, record->lba + done, count, work->buffer) != ST_OK)
            return ST_IO;
        sha256_feed(&state, span_of(work->buffer, (size_t)count * port->block_size));
        done += count;
    }
    struct sha256 digest = sha256_finish(&state);
    return sha256_equal(&digest, &record->digest) ? ST_OK : ST_CHANGED;
}

static enum status check_all_relied(const struct disk_work *work)
{
    const struct journal *journal = work->change->journal;
    enum status status = ST_OK;

    for (size_t i = 0; i < journal->count && status == ST_OK; i++) {
        const struct journal_record *record = &journal->records[i];
        if (record->kind == JOURNAL_RELIED && record->disk == work->change->journal_disk)
            status = check_relied(work, record);
    }
    return status;
}

/* --- Old content that is told by differences -------------------------------------------------- */

/* What this step has left in a block where a later one has written over it: what that one found there,
 * which is known already. False where none has. */
static bool take_from_later_step(const struct disk_work *work, const struct journal *journal,
                                 size_t index, uint64_t lba, uint8_t *ret_block)
{
    for (size_t i = index + 1; i < journal->count; i++) {
        const struct journal_record *record = &journal->records[i];
        if (is_in_record(work, record, lba))
            return journal_old(journal, record, (uint32_t)(lba - record->lba), 1, ret_block) ==
                   ST_OK;
    }
    return false;
}

/* True when an earlier step is known to leave the block like this, or to have found it so: then this
 * one has not come to it. */
static bool is_of_earlier_step(const struct disk_work *work, const struct journal *journal,
                               size_t index, uint64_t lba, struct span now, uint8_t *scratch)
{
    for (size_t i = 0; i < index; i++) {
        const struct journal_record *record = &journal->records[i];
        if (!is_in_record(work, record, lba))
            continue;
        uint32_t block = (uint32_t)(lba - record->lba);
        bool is = record->old_digests.size > 0 ? journal_old_block(record, block, now, scratch)
                                               : is_new_block(work, record, block, now.at);
        if (is || (record->old_digests.size == 0 &&
                   is_old_block(work, record, block, now.at, &is) == ST_OK && is))
            return true;
    }
    return false;
}

static enum status expand_old_record(struct disk_work *work, struct journal *journal, size_t index)
{
    struct journal_record *record = &journal->records[index];
    uint32_t size = work->port->block_size;
    uint8_t *old = arena_alloc(work->arena, record->block_count, size);
    uint8_t *now = work->buffer;
    uint8_t *later = work->buffer + size;

    if (old == NULL)
        return ST_NO_MEMORY;
    for (uint32_t block = 0; block < record->block_count; block++) {
        uint64_t lba = record->lba + block;
        uint8_t *at = old + (size_t)block * size;
        if (take_from_later_step(work, journal, index, lba, later) &&
            journal_old_block(record, block, span_of(later, size), at))
            continue;
        if (work->port->read(work->port->ctx, lba, 1, now) != ST_OK)
            return ST_IO;
        if (journal_old_block(record, block, span_of(now, size), at))
            continue;
        if (!is_of_earlier_step(work, journal, index, lba, span_of(now, size), at))
            return ST_CHANGED;
        memcpy(at, now, size);
    }
    record->old_data = span_of(old, (size_t)record->block_count * size);
    return ST_OK;
}

/* Gives all records of the disk their old content, from the last one to the first. */
static enum status expand_old(struct disk_work *work)
{
    const struct journal *saved = work->change->journal;
    struct disk_change *change = arena_copy(work->arena, work->change, sizeof(*change));
    struct journal *journal = arena_copy(work->arena, saved, sizeof(*journal));
    enum status status = ST_OK;

    if (change == NULL || journal == NULL)
        return ST_NO_MEMORY;
    journal->records =
        arena_copy(work->arena, saved->records, saved->count * sizeof(*saved->records));
    if (journal->records == NULL)
        return ST_NO_MEMORY;
    for (size_t i = journal->count; i > 0 && status == ST_OK; i--) {
        if (is_ours(work, &journal->records[i - 1]) && journal->records[i - 1].old_digests.size > 0)
            status = expand_old_record(work, journal, i - 1);
    }
    change->journal = journal;
    work->change = change;
    return status;
}

/* --- All of it -------------------------------------------------------------------------------- */

bool disk_restore_is_possible(const struct disk_work *work, const struct journal *journal)
{
    struct span path = work->machine->disks[work->change->disk].path;
    struct disk_change change = {.kind = DISK_CHANGE_RESTORE,
                                 .journal = journal,
                                 .journal_disk = journal_find_disk(journal, path)};
    struct disk_work look = *work;
    uint32_t last = 0;

    look.change = &change;
    return find_last_step(&look, &last) == ST_OK;
}

/* Old content is a file of which nothing is in memory until it is written. */
static void put_content(struct disk_edit_builder *builder, unsigned phase,
                        const struct journal_record *record, size_t index, uint32_t block_size)
{
    uint64_t size = (uint64_t)record->block_count * block_size;
    struct disk_extent extent = {.lba = record->lba, .bytes = size};
    struct disk_file file = {.phase = phase,
                             .source = index,
                             .size = size,
                             .extents = arena_copy(builder->arena, &extent, sizeof(extent)),
                             .extent_count = 1};

    builder->failed |= file.extents == NULL;
    if (file.extents != NULL)
        disk_edit_file(builder, &file);
}

enum status disk_restore_work_out(struct disk_work *work)
{
    uint32_t block_size = work->port->block_size;
    struct disk_edit_builder builder;
    uint32_t last = 0;

    enum status status = expand_old(work);
    const struct journal *journal = work->change->journal;
    if (status == ST_OK)
        status = find_last_step(work, &last);
    if (status == ST_OK && last > 0)
        status = check_all_relied(work);
    if (status != ST_OK)
        return status;
    disk_edit_start(&builder, work->arena, block_size);
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_record *record = &journal->records[i];
        if (!is_ours(work, record) || record->step >= last)
            continue;
        if (record->old_is_zero)
            disk_edit_zero(&builder, last - 1 - record->step, record->lba, record->block_count);
        else
            put_content(&builder, last - 1 - record->step, record, i, block_size);
    }
    return disk_edit_finish(&builder, last, &work->edit);
}

enum status disk_restore_content(const struct disk_work *work, const struct disk_file *file,
                                 struct span *ret_content)
{
    const struct journal *journal = work->change->journal;
    const struct journal_record *record = &journal->records[file->source];
    enum status status = ST_OK;

    if (record->old_data.at == NULL)
        status = journal_old(journal, record, 0, record->block_count, old_room(work));
    *ret_content = record->old_data.at != NULL ? record->old_data
                                               : span_of(old_room(work), (size_t)file->size);
    return status;
}
