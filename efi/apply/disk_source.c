#include "disk_source.h"

#include "base/mem.h"
#include "model/copy_blocks.h"

static bool same_report(const struct fat_report *a, const struct fat_report *b)
{
    if (a->file_count != b->file_count || a->complete != b->complete)
        return false;
    if (a->complete &&
        (a->used_clusters != b->used_clusters || a->free_clusters != b->free_clusters))
        return false;
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++) {
        if (a->problems[i] != b->problems[i])
            return false;
    }
    for (size_t i = 0; i < a->file_count; i++) {
        if (!fat_file_equal(&a->files[i], &b->files[i]))
            return false;
    }
    return true;
}

/* Opens the file system on the ESP's partition as it is now. */
static enum status open_now(struct arena *arena, const struct ports *ports,
                            const struct machine *machine, size_t esp,
                            struct fat_volume *ret_volume)
{
    const struct partition *partition = &machine->partitions[machine->esps[esp].partition];
    const struct block_port *port = &ports->disks[machine->disks[partition->disk].port];
    enum status status =
        fat_open(arena, port, partition->first_lba, partition->block_count, ret_volume);

    return status == ST_OK || status == ST_NO_MEMORY || status == ST_IO ? status : ST_CHANGED;
}

/* --- What a copy of Windows keeps ------------------------------------------------------------- */

/* Opens the copy's volume as it is now, and looks whether files are what they were: those of the
 * change, or all. */
static enum status open_kept(struct arena *arena, const struct ports *ports,
                             const struct machine *machine, size_t esp,
                             struct ntfs_volume *ret_volume)
{
    const struct boot_source *kept = machine->esps[esp].source;
    const struct system_copy *copy = &machine->copies[kept->copy];
    const struct block_port *port = NULL;
    enum status status = copy_blocks_open(arena, ports->disks, machine, copy, &port);

    if (status == ST_OK)
        status = ntfs_open(arena, port, 0, port->block_count, ret_volume);
    return status == ST_OK || status == ST_NO_MEMORY || status == ST_IO ? status : ST_CHANGED;
}

static enum status check_kept(struct ntfs_volume *volume, const struct ntfs_file *before)
{
    struct ntfs_file now;
    enum status status = ntfs_describe(volume, ntfs_reference(before), &now);

    if (status != ST_OK)
        return status == ST_NO_MEMORY || status == ST_IO ? status : ST_CHANGED;
    return now.size == before->size && now.form == before->form && now.written == before->written
               ? ST_OK
               : ST_CHANGED;
}

/* Whether the files that are taken are what they were. */
static enum status check_kept_files(const struct disk_source *source, struct ntfs_volume *volume,
                                    const struct files_change *files)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < files->count && status == ST_OK; i++) {
        if (!files->items[i].is_directory && files->items[i].esp == source->esp)
            status = check_kept(volume, &source->kept[files->items[i].file]);
    }
    return status;
}

const struct block_port **disk_source_port(struct disk_source *source)
{
    return source->kept == NULL ? &source->volume.port : &source->ntfs.port;
}

/* --- Sources ---------------------------------------------------------------------------------- */

enum status disk_source_open(struct arena *arena, const struct ports *ports,
                             const struct machine *machine, size_t esp,
                             struct disk_source *ret_source)
{
    const struct esp *known = &machine->esps[esp];
    struct disk_source source = {.esp = esp};

    if (known->status != ST_OK)
        return ST_CHANGED;
    if (known->source != NULL) {
        source.kept = known->source->files;
        enum status opened = open_kept(arena, ports, machine, esp, &source.ntfs);
        if (opened == ST_OK)
            *ret_source = source;
        return opened;
    }
    enum status status = open_now(arena, ports, machine, esp, &source.volume);
    if (status == ST_OK)
        status = fat_check(arena, &source.volume, UINT64_MAX, &source.report);
    if (status != ST_OK)
        return status;
    if (source.volume.serial != known->volume.serial ||
        !same_report(&source.report, &known->report))
        return ST_CHANGED;
    *ret_source = source;
    return ST_OK;
}

struct disk_source *disk_source_find(struct disk_source *sources, size_t count, size_t esp)
{
    for (size_t i = 0; i < count; i++) {
        if (sources[i].esp == esp)
            return &sources[i];
    }
    return NULL;
}

/* True when all files that are taken from the source are in `now` as they were. */
static bool has_same_files(const struct disk_source *source, const struct disk_source *now,
                           const struct files_change *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct file_copy *item = &files->items[i];
        if (item->is_directory || item->esp != source->esp)
            continue;
        const struct fat_file *before = &source->report.files[item->file];
        size_t file = fat_find_near(&now->report, before->path, item->file);
        if (file == FAT_NO_FILE || !fat_file_equal(before, &now->report.files[file]))
            return false;
    }
    return true;
}

enum status disk_source_check(struct arena *arena, const struct ports *ports,
                              const struct machine *machine, const struct disk_source *source,
                              const struct files_change *files)
{
    size_t mark = arena_mark(arena);
    struct disk_source now;
    enum status status;

    if (source->kept != NULL) {
        status = open_kept(arena, ports, machine, source->esp, &now.ntfs);
        if (status == ST_OK)
            status = check_kept_files(source, &now.ntfs, files);
        arena_release(arena, mark);
        return status;
    }
    status = open_now(arena, ports, machine, source->esp, &now.volume);
    if (status == ST_OK)
        status = fat_list(arena, &now.volume, &now.report);
    if (status == ST_OK && !has_same_files(source, &now, files))
        status = ST_CHANGED;
    arena_release(arena, mark);
    return status;
}

enum status disk_stream_start(struct disk_stream *stream, struct disk_source *source, size_t file,
                              const struct file_content *content, uint8_t *stage, size_t stage_size)
{
    *stream = (struct disk_stream){.stage = stage,
                                   .stage_size = stage_size,
                                   .has_digest = content->status == ST_OK,
                                   .expected = content->digest};
    sha256_start(&stream->digest);
    if (source->kept != NULL) {
        stream->is_kept = true;
        stream->mark = arena_mark(source->ntfs.arena);
        return ntfs_data_open(&source->ntfs, &source->kept[file], &stream->data);
    }
    fat_reader_start(&stream->reader, &source->volume, &source->report.files[file]);
    return ST_OK;
}

void disk_stream_start_memory(struct disk_stream *stream, struct span content)
{
    *stream = (struct disk_stream){.ready = content, .is_memory = true};
}

/* Takes from what was read already; gives how much. */
static size_t take_ready(struct disk_stream *stream, uint8_t *to, size_t size)
{
    size_t part = size < stream->ready.size ? size : stream->ready.size;

    if (part > 0)
        memcpy(to, stream->ready.at, part);
    stream->ready = span_of(stream->ready.at + part, stream->ready.size - part);
    return part;
}

/* Reads whole sectors to where they are wanted: at least one, also where less is. */
static enum status read_direct(struct disk_stream *stream, uint8_t *to, size_t size,
                               size_t *ret_size)
{
    size_t sector = stream->reader.volume->sector_size;
    size_t whole = size / sector * sector;
    bool to_the_end = size >= stream->reader.left;

    /* The last sector of the file is wanted in whole, as far as it goes. */
    if (to_the_end)
        whole = (size + sector - 1) / sector * sector;
    if (whole > 0)
        return fat_reader_next(&stream->reader, to, whole, ret_size);
    *ret_size = 0;
    enum status status = fat_reader_next(&stream->reader, stream->stage, stream->stage_size, &size);
    if (status == ST_OK)
        stream->ready = span_of(stream->stage, size);
    return status;
}

/* The next bytes, from where they are kept. */
static enum status read_kept(struct disk_stream *stream, uint8_t *to, size_t size, size_t *ret_size)
{
    enum status status = ntfs_data_read(&stream->data, stream->at, to, size, ret_size);

    if (status == ST_OK)
        stream->at += *ret_size;
    return status == ST_OK && *ret_size == 0 ? ST_CHANGED : status;
}

enum status disk_stream_take(struct disk_stream *stream, uint8_t *ret_data, size_t size)
{
    uint8_t *at = ret_data;
    size_t left = size;

    while (left > 0) {
        size_t part = take_ready(stream, at, left);
        bool ends = stream->is_memory || (!stream->is_kept && stream->reader.left == 0);
        if (part == 0 && ends)
            return ST_CHANGED;
        if (part == 0) {
            enum status status = stream->is_kept ? read_kept(stream, at, left, &part)
                                                 : read_direct(stream, at, left, &part);
            if (status != ST_OK)
                return status;
        }
        at += part;
        left -= part;
    }
    if (stream->has_digest)
        sha256_feed(&stream->digest, span_of(ret_data, size));
    return ST_OK;
}

enum status disk_stream_end(struct disk_stream *stream)
{
    if (stream->is_kept)
        arena_release(stream->data.volume->arena, stream->mark);
    if (!stream->has_digest)
        return ST_OK;
    struct sha256 digest = sha256_finish(&stream->digest);
    return sha256_equal(&digest, &stream->expected) ? ST_OK : ST_CHANGED;
}
