#include "disk_append.h"

#include "base/mem.h"
#include "format/fat/fat_edit.h"

#define PIECE_SIZE       (1u << 20) /* bytes written at once */
#define KEPT_ATTRIBUTES  0x27u      /* those that fat_entry_request has */
#define CONTENT_SIZE_MAX (1u << 30) /* bytes; the arena ends before */

/* The file as it is to be, zeros up to the end of its last cluster. */
struct content {
    uint8_t *at;
    uint64_t size; /* bytes of the file */
};

static enum status take_old_content(struct fat_volume *volume, const struct fat_file *file,
                                    const struct content *content)
{
    struct fat_reader reader;
    uint64_t used = 0;
    size_t got = 0;

    fat_reader_start(&reader, volume, file);
    while (used < file->size) {
        size_t room = (size_t)((file->size - used + volume->cluster_size - 1) /
                               volume->cluster_size * volume->cluster_size);
        if (fat_reader_next(&reader, content->at + used, room, &got) != ST_OK || got == 0)
            return ST_IO;
        used += got;
    }
    return ST_OK;
}

static enum status make_content(struct arena *arena, struct fat_volume *volume,
                                const struct fat_file *file, struct span more,
                                struct content *ret_content)
{
    struct content content = {.size = file->size + more.size};

    if (content.size > CONTENT_SIZE_MAX)
        return ST_NO_MEMORY;
    /* What the reader takes with the last sector lies in it too. */
    content.at = arena_alloc(arena, 1, (size_t)content.size + 2 * (size_t)volume->cluster_size);
    if (content.at == NULL)
        return ST_NO_MEMORY;
    enum status status = take_old_content(volume, file, &content);
    if (status != ST_OK)
        return status;
    memset(content.at + file->size, 0, more.size + 2 * (size_t)volume->cluster_size);
    memcpy(content.at + file->size, more.at, more.size);
    *ret_content = content;
    return ST_OK;
}

static enum status write_blocks(const struct block_port *port, uint64_t lba, struct span data,
                                uint8_t *back)
{
    while (data.size > 0) {
        size_t part = data.size < PIECE_SIZE ? data.size : PIECE_SIZE;
        uint32_t count = (uint32_t)(part / port->block_size);
        enum status status = port->write(port->ctx, lba, count, data.at);
        if (status == ST_OK)
            status = port->read(port->ctx, lba, count, back);
        if (status == ST_OK && memcmp(back, data.at, part) != 0)
            status = ST_IO;
        if (status != ST_OK)
            return status;
        lba += count;
        data = span_of(data.at + part, data.size - part);
    }
    return ST_OK;
}

/* Each extent up to the end of its last cluster. */
static enum status write_content(const struct fat_volume *volume, const struct disk_file *file,
                                 const struct content *content, uint8_t *back)
{
    const uint8_t *from = content->at;
    enum status status = ST_OK;

    for (size_t i = 0; i < file->extent_count && status == ST_OK; i++) {
        uint64_t clusters =
            (file->extents[i].bytes + volume->cluster_size - 1) / volume->cluster_size;
        size_t size = (size_t)(clusters * volume->cluster_size);
        status = write_blocks(volume->port, file->extents[i].lba, span_of(from, size), back);
        from += size;
    }
    return status;
}

static enum status write_phases(const struct fat_volume *volume, const struct disk_edit *edit,
                                const struct content *content, uint8_t *back)
{
    const struct block_port *port = volume->port;
    enum status status = ST_OK;

    for (unsigned phase = 0; phase < edit->phase_count && status == ST_OK; phase++) {
        for (size_t i = 0; i < edit->write_count && status == ST_OK; i++) {
            if (edit->writes[i].phase == phase)
                status = write_blocks(port, edit->writes[i].lba, edit->writes[i].data, back);
        }
        for (size_t i = 0; i < edit->file_count && status == ST_OK; i++) {
            if (edit->files[i].phase == phase)
                status = write_content(volume, &edit->files[i], content, back);
        }
        if (status == ST_OK)
            status = port->flush(port->ctx);
    }
    return status;
}

/* What a file system cannot take is refused, in one word for all that is wrong with it. */
static enum status status_of_edit(enum status status)
{
    return status == ST_OK || status == ST_NO_SPACE || status == ST_NO_MEMORY || status == ST_IO
               ? status
               : ST_REFUSED;
}

enum status disk_append(struct arena *arena, struct fat_volume *volume, const char *path,
                        struct span more)
{
    uint8_t *back = arena_alloc(arena, 1, PIECE_SIZE);
    struct fat_report report;
    struct content content;
    struct disk_edit edit;

    if (back == NULL || fat_check(arena, volume, UINT64_MAX, &report) != ST_OK)
        return ST_NO_MEMORY;
    size_t index = fat_find(&report, path);
    if (index == FAT_NO_FILE)
        return fat_edit_is_possible(&report) ? ST_ABSENT : ST_REFUSED;
    const struct fat_file *file = &report.files[index];
    if (file->is_directory)
        return ST_ABSENT;
    if (file->status != ST_OK)
        return ST_REFUSED;
    enum status status = make_content(arena, volume, file, more, &content);
    if (status != ST_OK)
        return status;
    struct fat_entry_request entry = {.path = path,
                                      .attributes = file->attributes & KEPT_ATTRIBUTES,
                                      .written = file->written,
                                      .size = content.size};
    status = status_of_edit(fat_edit(arena, volume, &report, &entry, 1, &edit));
    return status == ST_OK ? write_phases(volume, &edit, &content, back) : status;
}
