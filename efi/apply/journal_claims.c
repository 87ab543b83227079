#include "journal_claims.h"

#include "apply/journal_store.h"

static bool meets(uint64_t first, uint64_t count, uint64_t lba, uint64_t blocks)
{
    return lba < first + count && first < lba + blocks;
}

/* Whether a file is to come to lie there. */
static bool file_meets(const struct disk_work *work, const struct disk_file *file, uint64_t first,
                       uint64_t count)
{
    for (size_t i = 0; i < file->extent_count; i++) {
        const struct disk_extent *extent = &file->extents[i];
        if (meets(first, count, extent->lba, disk_work_extent_blocks(work, extent)))
            return true;
    }
    return false;
}

static void claim_area(struct disk_work *io_work, uint64_t first, uint64_t count)
{
    struct disk_edit *edit = &io_work->edit;

    for (size_t i = 0; i < edit->write_count; i++) {
        struct disk_write *write = &edit->writes[i];
        if (meets(first, count, write->lba, write->data.size / io_work->port->block_size))
            write->free_space = false;
    }
    for (size_t i = 0; i < edit->file_count; i++) {
        if (file_meets(io_work, &edit->files[i], first, count))
            edit->files[i].free_space = false;
    }
}

static void claim_record(struct disk_work *io_work, const struct journal_record *record)
{
    const struct disk_change *change = io_work->change;
    bool is_file_system = record->kind == JOURNAL_BLOCKS &&
                          meets(record->lba, record->block_count, change->first_lba, 1);

    if (is_file_system)
        claim_area(io_work, change->first_lba, change->block_count);
    else if (record->kind != JOURNAL_VARIABLE)
        claim_area(io_work, record->lba, record->block_count);
}

/* True when the journal's disk may be that of the work. */
static bool is_same_disk(const struct disk_work *work, const struct journal_disk *disk)
{
    const struct disk *own = &work->machine->disks[work->change->disk];

    return span_equal(disk->path, own->path) || guid_equal(&disk->guid_before, &own->guid) ||
           guid_equal(&disk->guid_after, &own->guid);
}

static void claim_journal(void *ctx, const struct journal *journal)
{
    struct disk_batch *batch = ctx;

    for (size_t i = 0; i < batch->plan->count; i++) {
        struct disk_work *work = &batch->works[i];
        for (size_t k = 0; k < journal->count && action_changes_disk(&batch->plan->actions[i]);
             k++) {
            const struct journal_record *record = &journal->records[k];
            if (record->kind != JOURNAL_VARIABLE &&
                is_same_disk(work, &journal->disks[record->disk]))
                claim_record(work, record);
        }
    }
}

static bool writes_free_space(const struct disk_edit *edit)
{
    bool writes = false;

    for (size_t i = 0; i < edit->write_count; i++)
        writes |= edit->writes[i].free_space;
    for (size_t i = 0; i < edit->file_count; i++)
        writes |= edit->files[i].free_space;
    return writes;
}

enum status journal_claims_mark(struct arena *arena, const struct ports *ports,
                                struct disk_batch *io_batch)
{
    bool asked = false;

    for (size_t i = 0; i < io_batch->plan->count; i++)
        asked |= action_changes_disk(&io_batch->plan->actions[i]) &&
                 writes_free_space(&io_batch->works[i].edit);
    return asked ? journal_store_visit(arena, ports, claim_journal, io_batch) : ST_OK;
}
