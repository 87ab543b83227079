/* The old content of what a disk change is going to write. */
#include "apply/disk_work.h"

#include "base/mem.h"

#define UNREADABLE_MAX 64u /* blocks that may be unreadable before the disk is given up */
#define HALVINGS_MOST  11u /* of the largest piece, until one block is left */
#define BLOCK_LEAST    512u

_Static_assert(DISK_WORK_BUFFER / BLOCK_LEAST <= 1u << HALVINGS_MOST &&
                   DISK_WRITE_MAX / BLOCK_LEAST <= 1u << HALVINGS_MOST,
               "a piece is halved no more often");

/* Where records go, and how much went wrong. */
struct recording {
    struct disk_work *work;
    struct journal *journal;
    size_t disk;
    uint32_t step;
    unsigned phase;
    size_t unreadable;
};

static uint64_t pieces_of(uint64_t blocks, uint32_t block_size)
{
    uint64_t most = DISK_WORK_BUFFER / block_size;

    return (blocks + most - 1) / most;
}

/* Of blocks of a file system that is made anew, and of a boot sector that is, those that cannot be
 * read have nothing to come back to. Everything else is in use as it is. */
static bool may_be_unreadable(const struct disk_work *work)
{
    return work->change->kind == DISK_CHANGE_FORMAT ||
           work->change->kind == DISK_CHANGE_BOOT_SECTOR;
}

size_t disk_work_record_room(const struct disk_work *work)
{
    const struct disk_edit *edit = &work->edit;
    uint64_t room = edit->freed_count;

    for (size_t i = 0; i < edit->write_count; i++)
        room += !edit->writes[i].free_space;
    for (size_t i = 0; i < edit->file_count; i++) {
        const struct disk_file *file = &edit->files[i];
        for (size_t k = 0; k < file->extent_count && !file->free_space; k++)
            room +=
                pieces_of(disk_work_extent_blocks(work, &file->extents[k]), work->port->block_size);
    }
    /* On the way to a block that cannot be read, each halving leaves a half that can. */
    if (may_be_unreadable(work))
        room += (UNREADABLE_MAX + 1) * HALVINGS_MOST;
    return (size_t)room;
}

/* Puts over old content what an earlier phase will have written there by then. */
static void overlay(const struct recording *recording, uint64_t lba, uint64_t count, uint8_t *old)
{
    const struct disk_edit *edit = &recording->work->edit;
    uint32_t block_size = recording->work->port->block_size;

    for (size_t i = 0; i < edit->write_count && edit->writes[i].phase < recording->phase; i++) {
        const struct disk_write *write = &edit->writes[i];
        uint64_t blocks = write->data.size / block_size;
        uint64_t first = write->lba > lba ? write->lba : lba;
        uint64_t end = write->lba + blocks < lba + count ? write->lba + blocks : lba + count;
        if (first < end)
            memcpy(old + (first - lba) * block_size,
                   write->data.at + (first - write->lba) * block_size,
                   (size_t)(end - first) * block_size);
    }
}

/* Blocks that are the same as the one before, as those of a new FAT are, share its digest. */
static enum status put_digests(const struct recording *recording, struct span data,
                               struct span *ret_digests)
{
    uint32_t block_size = recording->work->port->block_size;
    size_t count = data.size / block_size;
    uint8_t *digests = arena_alloc(recording->work->arena, count, JOURNAL_DIGEST_SIZE);

    if (digests == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        uint8_t *digest = digests + i * JOURNAL_DIGEST_SIZE;
        struct span block = span_part(data, (uint64_t)i * block_size, block_size);
        if (i > 0 && memcmp(block.at - block_size, block.at, block_size) == 0)
            memcpy(digest, digest - JOURNAL_DIGEST_SIZE, JOURNAL_DIGEST_SIZE);
        else
            journal_digest(block, digest);
    }
    *ret_digests = span_of(digests, count * JOURNAL_DIGEST_SIZE);
    return ST_OK;
}

/* Reads old content; a run of zeros takes no memory. */
static enum status read_old(const struct recording *recording, struct journal_record *io_record)
{
    const struct block_port *port = recording->work->port;
    struct arena *arena = recording->work->arena;
    size_t mark = arena_mark(arena);
    uint8_t *old = arena_alloc(arena, io_record->block_count, port->block_size);

    if (old == NULL)
        return ST_NO_MEMORY;
    enum status status = port->read(port->ctx, io_record->lba, io_record->block_count, old);
    if (status == ST_IO) /* what fails once only must not be missing from the journal */
        status = port->read(port->ctx, io_record->lba, io_record->block_count, old);
    if (status != ST_OK) {
        arena_release(arena, mark);
        return status;
    }
    overlay(recording, io_record->lba, io_record->block_count, old);
    io_record->old_data = span_of(old, (size_t)io_record->block_count * port->block_size);
    io_record->old_is_zero = span_is_zero(io_record->old_data);
    if (io_record->old_is_zero) {
        io_record->old_data = span_of(NULL, 0);
        arena_release(arena, mark);
    }
    return ST_OK;
}

/*
 * Adds a record for blocks that will hold `data` (empty: content of a file, not known yet). Of
 * blocks that cannot be read nothing can be kept; the rest around them is.
 */
static enum status add_blocks(struct recording *recording, uint64_t lba, uint64_t count,
                              struct span data)
{
    struct journal *journal = recording->journal;
    uint32_t block_size = recording->work->port->block_size;
    struct journal_record record = {.kind = JOURNAL_BLOCKS,
                                    .disk = recording->disk,
                                    .step = recording->step,
                                    .lba = lba,
                                    .block_count = (uint32_t)count,
                                    .new_data = data};

    enum status status = read_old(recording, &record);
    if (status == ST_OK && data.size > 0)
        status = put_digests(recording, data, &record.new_digests);
    if (status == ST_OK)
        journal->records[journal->count++] = record;
    if (status != ST_IO || !may_be_unreadable(recording->work))
        return status;
    if (count == 1)
        return ++recording->unreadable > UNREADABLE_MAX ? ST_IO : ST_OK;
    uint64_t half = count / 2;
    struct span front = span_part(data, 0, half * block_size);
    struct span back = span_part(data, front.size, data.size - front.size);
    status = add_blocks(recording, lba, half, front);
    return status == ST_OK ? add_blocks(recording, lba + half, count - half, back) : status;
}

/* Blocks of files that follow each other, so that they are read and kept together. */
struct neighbours {
    uint64_t lba;
    uint64_t count;
};

static enum status add_neighbours(struct recording *recording, struct neighbours *io_blocks)
{
    uint64_t most = DISK_WORK_BUFFER / recording->work->port->block_size;
    enum status status = ST_OK;

    while (io_blocks->count > 0 && status == ST_OK) {
        uint64_t count = io_blocks->count < most ? io_blocks->count : most;
        status = add_blocks(recording, io_blocks->lba, count, span_of(NULL, 0));
        io_blocks->lba += count;
        io_blocks->count -= count;
    }
    return status;
}

static enum status add_file_records(struct recording *recording, const struct disk_file *file,
                                    struct neighbours *io_blocks)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < file->extent_count && status == ST_OK; i++) {
        uint64_t lba = file->extents[i].lba;
        if (lba != io_blocks->lba + io_blocks->count)
            status = add_neighbours(recording, io_blocks);
        if (io_blocks->count == 0)
            io_blocks->lba = lba;
        io_blocks->count += disk_work_extent_blocks(recording->work, &file->extents[i]);
    }
    return status;
}

static enum status add_phase(struct recording *recording)
{
    const struct disk_edit *edit = &recording->work->edit;
    uint32_t block_size = recording->work->port->block_size;
    struct neighbours blocks = {0, 0};
    enum status status = ST_OK;

    for (size_t i = 0; i < edit->write_count && status == ST_OK; i++) {
        const struct disk_write *write = &edit->writes[i];
        if (write->phase == recording->phase && !write->free_space)
            status = add_blocks(recording, write->lba, write->data.size / block_size, write->data);
    }
    for (size_t i = 0; i < edit->file_count && status == ST_OK; i++) {
        if (edit->files[i].phase == recording->phase && !edit->files[i].free_space)
            status = add_file_records(recording, &edit->files[i], &blocks);
    }
    return status == ST_OK ? add_neighbours(recording, &blocks) : status;
}

/* The content of clusters that are set free: undo brings back what leads there, so it has to be
 * what it was. */
static enum status add_relied(struct recording *recording, const struct disk_extent *extent)
{
    const struct block_port *port = recording->work->port;
    uint64_t blocks = extent->bytes / port->block_size;
    struct journal_record record = {.kind = JOURNAL_RELIED,
                                    .disk = recording->disk,
                                    .step = recording->step,
                                    .lba = extent->lba,
                                    .block_count = (uint32_t)blocks};
    struct sha256_state digest;

    sha256_start(&digest);
    for (uint64_t done = 0; done < blocks;) {
        uint64_t left = blocks - done;
        uint64_t most = DISK_WORK_BUFFER / port->block_size;
        uint32_t count = (uint32_t)(left < most ? left : most);
        if (port->read(port->ctx, extent->lba + done, count, recording->work->buffer) != ST_OK)
            return ST_OK; /* a file that cannot be read is nothing to come back to */
        sha256_feed(&digest, span_of(recording->work->buffer, (size_t)count * port->block_size));
        done += count;
    }
    record.digest = sha256_finish(&digest);
    recording->journal->records[recording->journal->count++] = record;
    return ST_OK;
}

/* The disk's number in the journal. */
static size_t add_disk_records(const struct disk_work *work, struct journal *journal)
{
    const struct disk *disk = &work->machine->disks[work->change->disk];
    struct journal_disk own = {.guid_before = disk->guid,
                               .guid_after = disk->guid,
                               .block_count = disk->block_count,
                               .block_size = disk->block_size,
                               .path = disk->path};

    if (work->change->kind == DISK_CHANGE_GPT &&
        (work->change->gpt.fresh || work->change->gpt.renames_disk))
        own.guid_after = work->change->gpt.disk_guid;
    size_t index = journal_find_disk(journal, own.path);
    if (index == journal->disk_count)
        journal->disks[journal->disk_count++] = own;
    else if (work->change->kind == DISK_CHANGE_GPT)
        journal->disks[index].guid_after = own.guid_after;
    return index;
}

enum status disk_work_records(struct disk_work *work, struct journal *journal, uint32_t *io_step)
{
    struct recording recording = {.work = work, .journal = journal};
    enum status status = ST_OK;

    recording.disk = add_disk_records(work, journal);
    work->first_step = *io_step;
    for (unsigned phase = 0; phase < work->edit.phase_count && status == ST_OK; phase++) {
        recording.phase = phase;
        recording.step = *io_step + phase;
        status = add_phase(&recording);
    }
    for (size_t i = 0; i < work->edit.freed_count && status == ST_OK; i++)
        status = add_relied(&recording, &work->edit.freed[i]);
    *io_step += work->edit.phase_count;
    return status;
}
