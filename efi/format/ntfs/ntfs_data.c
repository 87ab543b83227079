#include "format/ntfs/ntfs_data.h"

#include "base/mem.h"
#include "ntfs_packed.h"
#include "ntfs_stream.h"

/* Statuses: ST_OK, also without unnamed data; ST_DAMAGED and others. */
static enum status open_unnamed(struct ntfs_volume *volume, const struct ntfs_record *record,
                                struct ntfs_stream *stream)
{
    static const struct ntfs_key key = {.type = NTFS_DATA};
    enum status status = ntfs_stream_open(volume, record, &key, stream);

    if (status == ST_ABSENT) {
        stream->resident = true;
        return ST_OK;
    }
    return status == ST_OK ? ntfs_stream_keep(volume, stream) : status;
}

/* What the attribute says of itself fits the form that the file was described with. */
static bool form_fits(const struct ntfs_stream *stream, enum ntfs_form form)
{
    uint16_t flags = stream->resident ? 0 : stream->flags;
    bool is_lznt1 = (flags & NTFS_COMPRESSED) != 0;

    return (flags & NTFS_ENCRYPTED) == 0 && is_lznt1 == (form == NTFS_FORM_LZNT1);
}

/* It is to be what it was when it was described. */
static enum status open_described(struct ntfs_volume *volume, const struct ntfs_file *file,
                                  struct ntfs_data *data)
{
    struct ntfs_record record;
    enum status status = ntfs_file_load(volume, ntfs_reference(file), &record);

    if (status != ST_OK)
        return status;
    data->stream = arena_alloc(volume->arena, 1, sizeof *data->stream);
    if (data->stream == NULL)
        return ST_NO_MEMORY;
    status = open_unnamed(volume, &record, data->stream);
    if (status != ST_OK)
        return status;
    data->size = data->stream->size;
    if (data->size != file->size || !form_fits(data->stream, file->form))
        return ST_DAMAGED;
    if (file->form == NTFS_FORM_PLAIN)
        return ST_OK;
    return ntfs_packed_open(volume, &record, file->form, data->stream, &data->packed);
}

enum status ntfs_data_open(struct ntfs_volume *volume, const struct ntfs_file *file,
                           struct ntfs_data *ret_data)
{
    size_t mark = arena_mark(volume->arena);
    struct ntfs_data data = {.volume = volume};

    if (!ntfs_form_is_read(file->form))
        return ST_UNSUPPORTED;
    if (file->is_directory)
        return ST_ABSENT;
    enum status status = open_described(volume, file, &data);
    if (status == ST_OK)
        *ret_data = data;
    else
        arena_release(volume->arena, mark);
    return status;
}

enum status ntfs_data_read(const struct ntfs_data *data, uint64_t offset, void *ret_data,
                           size_t size, size_t *ret_size)
{
    uint64_t left = offset < data->size ? data->size - offset : 0;
    size_t part = size < left ? size : (size_t)left;
    enum status status = ST_OK;

    if (part > 0 && data->packed != NULL)
        status = ntfs_packed_read(data->packed, offset, ret_data, part);
    else if (part > 0)
        status = ntfs_stream_read(data->volume, data->stream, offset, ret_data, part);
    if (status == ST_OK)
        *ret_size = part;
    return status;
}

enum status ntfs_read(struct ntfs_volume *volume, const struct ntfs_file *file, uint64_t offset,
                      void *ret_data, size_t size, size_t *ret_size)
{
    size_t mark = arena_mark(volume->arena);
    struct ntfs_data data;
    enum status status = ntfs_data_open(volume, file, &data);

    if (status == ST_OK)
        status = ntfs_data_read(&data, offset, ret_data, size, ret_size);
    else if (status == ST_ABSENT)
        *ret_size = 0;
    arena_release(volume->arena, mark);
    return status == ST_ABSENT ? ST_OK : status;
}
