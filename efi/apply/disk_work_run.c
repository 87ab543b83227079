/* Carrying out a disk change, and taking it back. */
#include "disk_restore.h"
#include "disk_source.h"
#include "apply/disk_work.h"
#include "port/read_ahead.h"
#include "base/mem.h"
#include "model/contents.h"

/* What is gathered for the next write: blocks that lie together. */
struct output {
    struct disk_work *work;
    uint8_t *at;   /* DISK_WORK_BUFFER bytes and a sector more */
    uint8_t *back; /* for what is read back */
    uint64_t lba;
    size_t used; /* bytes */
    uint64_t done;
    disk_work_progress *progress;
    void *progress_ctx;
    struct read_ahead ahead;
    struct disk_source *ahead_of; /* the source that is read through it, NULL for none */
};

/* Writes, reads back and compares. */
static enum status write_checked(struct disk_work *work, uint64_t lba, const uint8_t *data,
                                 size_t size, uint8_t *back)
{
    const struct block_port *port = work->port;
    uint32_t count = (uint32_t)(size / port->block_size);

    enum status status = port->write(port->ctx, lba, count, data);
    if (status == ST_OK)
        status = port->read(port->ctx, lba, count, back);
    if (status == ST_OK && memcmp(back, data, size) != 0)
        status = ST_DAMAGED;
    return status;
}

static enum status put_out(struct output *output)
{
    if (output->used == 0)
        return ST_OK;
    struct disk_work *work = output->work;
    enum status status = write_checked(work, output->lba, output->at, output->used, output->back);
    /* What comes back can only be gone on with. */
    if (status != ST_OK && work->change->kind == DISK_CHANGE_RESTORE)
        status = write_checked(work, output->lba, output->at, output->used, output->back);
    if (status != ST_OK)
        return status;
    output->done += output->used;
    output->used = 0;
    if (output->progress != NULL &&
        output->progress(output->progress_ctx, output->done, work->bytes))
        return ST_CANCELLED;
    return ST_OK;
}

/* Makes `lba` the next block of the output: what lies elsewhere is written first. */
static enum status go_to(struct output *output, uint64_t lba)
{
    uint32_t block_size = output->work->port->block_size;
    enum status status = ST_OK;

    if (output->used == DISK_WORK_BUFFER || output->lba + output->used / block_size != lba)
        status = put_out(output);
    if (output->used == 0)
        output->lba = lba;
    return status;
}

static enum status put_data(struct output *output, uint64_t lba, struct span data)
{
    uint32_t block_size = output->work->port->block_size;

    while (data.size > 0) {
        enum status status = go_to(output, lba);
        if (status != ST_OK)
            return status;
        size_t room = DISK_WORK_BUFFER - output->used;
        size_t part = data.size < room ? data.size : room;
        memcpy(output->at + output->used, data.at, part);
        output->used += part;
        lba += part / block_size;
        data = span_of(data.at + part, data.size - part);
    }
    return ST_OK;
}

/* One extent of a file, zeros behind its end. */
static enum status write_extent(struct output *output, struct disk_stream *stream,
                                const struct disk_extent *extent)
{
    uint32_t block_size = output->work->port->block_size;
    uint64_t left = extent->bytes;
    uint64_t whole = disk_work_extent_blocks(output->work, extent) * block_size;
    uint64_t lba = extent->lba;

    while (whole > 0) {
        enum status status = go_to(output, lba);
        if (status != ST_OK)
            return status;
        size_t room = DISK_WORK_BUFFER - output->used;
        size_t part = whole < room ? (size_t)whole : room;
        size_t content = left < part ? (size_t)left : part;
        uint8_t *at = output->at + output->used;
        if (content > 0)
            status = disk_stream_take(stream, at, content);
        if (status != ST_OK)
            return status;
        memset(at + content, 0, part - content);
        output->used += part;
        lba += part / block_size;
        whole -= part;
        left -= content;
    }
    return ST_OK;
}

/* Lets the source be read through the window, and no other. NULL: none. */
static void read_through_window(struct output *output, struct disk_source *source)
{
    uint8_t *window = output->work->buffer + 2 * DISK_WORK_BUFFER + DISK_WORK_SECTOR;

    if (output->ahead_of == source)
        return;
    if (output->ahead_of != NULL)
        *disk_source_port(output->ahead_of) = output->ahead.disk;
    output->ahead_of = source;
    if (source == NULL)
        return;
    read_ahead_start(&output->ahead, *disk_source_port(source), window, DISK_WORK_BUFFER);
    *disk_source_port(source) = &output->ahead.port;
}

static enum status start_stream(struct output *output, size_t item_index,
                                struct disk_stream *ret_stream)
{
    struct disk_work *work = output->work;
    const struct file_copy *item = &work->change->files.items[item_index];

    if (item->content.size > 0) {
        disk_stream_start_memory(ret_stream, item->content);
        return ST_OK;
    }
    if (work->contents != NULL && work->contents[item_index].at != NULL) {
        disk_stream_start_memory(ret_stream, work->contents[item_index]);
        return ST_OK;
    }
    const struct file_content *kept = disk_work_kept(work, item);
    if (kept != NULL) {
        disk_stream_start_memory(ret_stream, content_bytes(kept));
        return ST_OK;
    }
    struct disk_source *source = disk_source_find(work->sources, work->source_count, item->esp);
    read_through_window(output, source);
    return disk_stream_start(
        ret_stream, source, item->file, &work->machine->esps[item->esp].contents[item->file],
        work->buffer + 3 * DISK_WORK_BUFFER + DISK_WORK_SECTOR, DISK_WORK_STAGE);
}

static enum status start_old_content(const struct disk_work *work, const struct disk_file *file,
                                     struct disk_stream *ret_stream)
{
    struct span content;
    enum status status = disk_restore_content(work, file, &content);

    if (status == ST_OK)
        disk_stream_start_memory(ret_stream, content);
    return status;
}

static enum status write_disk_file(struct output *output, const struct disk_file *file)
{
    struct disk_work *work = output->work;
    bool is_file = work->change->kind != DISK_CHANGE_RESTORE;
    struct disk_stream stream;

    work->where = is_file ? work->change->files.items[file->source].path : "from the journal";
    enum status status = is_file ? start_stream(output, file->source, &stream)
                                 : start_old_content(work, file, &stream);
    for (size_t i = 0; i < file->extent_count && status == ST_OK; i++)
        status = write_extent(output, &stream, &file->extents[i]);
    if (status == ST_OK)
        status = disk_stream_end(&stream);
    if (status == ST_OK)
        work->where = "";
    return status;
}

/* All of one phase, in the order of blocks, so that neighbours are written together. */
static enum status run_phase(struct output *output, unsigned phase)
{
    const struct disk_edit *edit = &output->work->edit;
    enum status status = ST_OK;
    size_t write = 0;
    size_t file = 0;

    while (write < edit->write_count && edit->writes[write].phase < phase)
        write++;
    while (file < edit->file_count && edit->files[file].phase < phase)
        file++;
    while (status == ST_OK) {
        bool has_write = write < edit->write_count && edit->writes[write].phase == phase;
        bool has_file = file < edit->file_count && edit->files[file].phase == phase;
        if (!has_write && !has_file)
            break;
        if (has_write &&
            (!has_file || edit->writes[write].lba < edit->files[file].extents[0].lba)) {
            status = put_data(output, edit->writes[write].lba, edit->writes[write].data);
            write++;
        } else {
            status = write_disk_file(output, &edit->files[file]);
            file++;
        }
    }
    read_through_window(output, NULL);
    return status == ST_OK ? put_out(output) : status;
}

/* Before anything shows the files that were copied: the sources have to be what they were. */
static enum status check_sources(struct disk_work *work)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < work->source_count && status == ST_OK; i++) {
        if (work->sources[i].esp != work->change->esp)
            status = disk_source_check(work->arena, work->ports, work->machine, &work->sources[i],
                                       &work->change->files);
    }
    return status;
}

enum status disk_work_run(struct disk_work *work, disk_work_progress *progress, void *progress_ctx)
{
    const struct block_port *port = work->port;
    struct output output = {.work = work,
                            .at = work->buffer,
                            .back = work->buffer + DISK_WORK_BUFFER + DISK_WORK_SECTOR,
                            .progress = progress,
                            .progress_ctx = progress_ctx};
    unsigned last_copy = 0;

    if (progress != NULL && progress(progress_ctx, 0, work->bytes))
        return ST_CANCELLED;
    for (size_t i = 0; i < work->edit.file_count; i++)
        last_copy = work->edit.files[i].phase;
    for (unsigned phase = 0; phase < work->edit.phase_count; phase++) {
        work->begun = phase + 1;
        uint64_t before = output.done;
        enum status status = run_phase(&output, phase);
        if (status == ST_OK && output.done > before)
            status = port->flush(port->ctx);
        if (status == ST_OK && phase == last_copy)
            status = check_sources(work);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* Brings old content back, unless it is there: a disk that takes no writes any more, and has not
 * taken those before, is as it was. */
static bool bring_back(struct disk_work *work, uint64_t lba, const uint8_t *old, size_t size)
{
    const struct block_port *port = work->port;
    uint8_t *back = work->buffer + DISK_WORK_BUFFER + DISK_WORK_SECTOR;
    enum status status = port->read(port->ctx, lba, (uint32_t)(size / port->block_size), back);

    if (status == ST_OK && memcmp(back, old, size) == 0)
        return true;
    return write_checked(work, lba, old, size, back) == ST_OK ||
           write_checked(work, lba, old, size, back) == ST_OK;
}

/* Writes the old content of one record, a piece at a time. */
static bool revert_record(struct disk_work *work, const struct journal_record *record)
{
    uint32_t block_size = work->port->block_size;
    uint32_t most = DISK_WORK_BUFFER / block_size;

    for (uint32_t done = 0; done < record->block_count;) {
        uint32_t left = record->block_count - done;
        uint32_t count = left < most ? left : most;
        const uint8_t *old = work->buffer;
        if (record->old_is_zero)
            memset(work->buffer, 0, (size_t)count * block_size);
        else
            old = record->old_data.at + (size_t)done * block_size;
        if (!bring_back(work, record->lba + done, old, (size_t)count * block_size))
            return false;
        done += count;
    }
    return true;
}

bool disk_work_revert(struct disk_work *work, const struct journal *journal)
{
    const struct block_port *port = work->port;

    for (unsigned phase = work->begun; phase > 0; phase--) {
        bool wrote = false;
        for (size_t i = 0; i < journal->count; i++) {
            const struct journal_record *record = &journal->records[i];
            if (record->kind != JOURNAL_BLOCKS || record->step != work->first_step + phase - 1)
                continue;
            wrote = true;
            if (!revert_record(work, record))
                return false;
        }
        if (wrote && port->flush(port->ctx) != ST_OK)
            return false;
    }
    work->begun = 0;
    return true;
}
