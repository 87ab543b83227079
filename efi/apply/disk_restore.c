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
            if (is_new_block(work, record, (uint32_t)done + i, now))
                is_new = true;
            else if (!is_of_another_step(work, record->lba + done + i, now))
                return ST_CHANGED;
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

enum status disk_restore_work_out(struct disk_work *work)
{
    const struct journal *journal = work->change->journal;
    uint32_t block_size = work->port->block_size;
    struct disk_edit_builder builder;
    uint32_t last = 0;

    enum status status = find_last_step(work, &last);
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
