#include "disk_restore.h"

#include "base/mem.h"

static bool is_ours(const struct disk_work *work, const struct journal_record *record)
{
    return record->kind == JOURNAL_BLOCKS && record->disk == work->change->journal_disk;
}

static bool is_old_block(const struct disk_work *work, const struct journal_record *record,
                         uint32_t block, const uint8_t *now)
{
    uint32_t size = work->port->block_size;

    if (record->old_is_zero)
        return span_is_zero(span_of(now, size));
    return memcmp(record->old_data.at + (size_t)block * size, now, size) == 0;
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

/* True when another step of the change leaves the block like this. */
static bool is_of_another_step(const struct disk_work *work, uint64_t lba, const uint8_t *now)
{
    const struct journal *journal = work->change->journal;

    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_record *record = &journal->records[i];
        if (!is_ours(work, record) || lba < record->lba || lba - record->lba >= record->block_count)
            continue;
        uint32_t block = (uint32_t)(lba - record->lba);
        if (is_old_block(work, record, block, now) || is_new_block(work, record, block, now))
            return true;
    }
    return false;
}

/* Whether some of a record's blocks hold its new content, and that is another. Statuses: ST_OK;
 * ST_CHANGED when somebody else has written there; ST_IO. */
static enum status look_at_record(const struct disk_work *work, const struct journal_record *record,
                                  bool *ret_is_new)
{
    const struct block_port *port = work->port;
    uint32_t most = DISK_WORK_BUFFER / port->block_size;
    bool is_new = false;

    for (uint64_t done = 0; done < record->block_count; done += most) {
        uint64_t left = record->block_count - done;
        uint32_t count = left < most ? (uint32_t)left : most;
        if (port->read(port->ctx, record->lba + done, count, work->buffer) != ST_OK)
            return ST_IO;
        for (uint32_t i = 0; i < count; i++) {
            const uint8_t *now = work->buffer + (size_t)i * port->block_size;
            if (is_old_block(work, record, (uint32_t)done + i, now))
                continue;
            bool is_other = !is_new_block(work, record, (uint32_t)done + i, now);
            if (is_other && is_of_another_step(work, record->lba + done + i, now))
                continue;
            if (is_other && !work->change->forced)
                return ST_CHANGED;
            is_new = true;
        }
    }
    *ret_is_new = is_new;
    return ST_OK;
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
    for (uint64_t done = 0; done < record->block_count; done += most) {
        uint64_t left = record->block_count - done;
        uint32_t count = left < most ? (uint32_t)left : most;
        if (port->read(port->ctx, record->lba + done, count, work->buffer) != ST_OK)
            return ST_IO;
        sha256_feed(&state, span_of(work->buffer, (size_t)count * port->block_size));
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
    uint32_t size = work->port->block_size;

    for (size_t i = index + 1; i < journal->count; i++) {
        const struct journal_record *record = &journal->records[i];
        if (!is_ours(work, record) || lba < record->lba || lba - record->lba >= record->block_count)
            continue;
        memset(ret_block, 0, size);
        if (!record->old_is_zero)
            memcpy(ret_block, record->old_data.at + (size_t)(lba - record->lba) * size, size);
        return true;
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
        if (!is_ours(work, record) || lba < record->lba || lba - record->lba >= record->block_count)
            continue;
        uint32_t block = (uint32_t)(lba - record->lba);
        if (record->old_digests.size > 0 ? journal_old_block(record, block, now, scratch)
                                         : is_old_block(work, record, block, now.at) ||
                                               is_new_block(work, record, block, now.at))
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
    struct disk_change change = {.kind = DISK_CHANGE_RESTORE, .journal = journal};
    struct disk_work look = *work;
    uint32_t last = 0;

    while (change.journal_disk < journal->disk_count &&
           !span_equal(journal->disks[change.journal_disk].path, path))
        change.journal_disk++;
    look.change = &change;
    return find_last_step(&look, &last) == ST_OK;
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
            disk_edit_write(&builder, last - 1 - record->step, record->lba, record->old_data,
                            false);
    }
    return disk_edit_finish(&builder, last, &work->edit);
}
