#include "ntfs_packed.h"

#include "base/mem.h"
#include "format/unpack/unpack.h"

#define LZNT1_UNIT_MAX 65536u
#define WINDOW_MAX     (256u * 1024) /* packed bytes that are read at once */
#define WINDOW_STEP    4096u         /* of what it begins and ends at */
#define NO_UNIT        UINT64_MAX

/* Where a unit's packed bytes are in `stored`. */
struct packed_piece {
    uint64_t at;
    size_t size; /* 0: it is zero; that of the unit: it is kept as it is */
};

/* A way through the runs of an LZNT1 stream, for units one behind the other. */
struct unit_cursor {
    const struct ntfs_run *run;
    uint64_t stored; /* clusters of the runs before it */
};

struct ntfs_packed {
    struct ntfs_volume *volume;
    enum ntfs_form form;
    uint64_t size;             /* bytes of the content */
    uint64_t written;          /* of them were ever; what lies behind is zero */
    uint32_t unit;             /* bytes of a unit, unpacked; the last one of WOF has fewer */
    struct ntfs_stream stored; /* what is kept, without holes */
    const struct ntfs_run *runs;
    struct unit_cursor cursor; /* LZNT1 */
    uint32_t entry_bytes;      /* WOF: of an entry of the table */
    uint64_t table_bytes;
    uint8_t *window; /* a part of `stored` */
    size_t window_room;
    uint64_t window_at;
    size_t window_size;
    uint8_t *unpacked; /* one unit */
    uint64_t unpacked_unit;
    struct unpack_tables *tables;
};

uint32_t ntfs_lznt1_unit(const struct ntfs_volume *volume, uint8_t unit_shift)
{
    if (unit_shift == 0 || unit_shift > 16)
        return 0;
    uint64_t bytes = (uint64_t)volume->cluster_size << unit_shift;
    return bytes <= LZNT1_UNIT_MAX ? (uint32_t)bytes : 0;
}

/* --- Opening ---------------------------------------------------------------------------------- */

static enum status open_lznt1(struct ntfs_packed *packed, const struct ntfs_stream *data)
{
    packed->unit = ntfs_lznt1_unit(packed->volume, data->unit_shift);
    if (packed->unit == 0 || data->resident)
        return ST_DAMAGED;
    packed->written = data->initialised;
    packed->runs = data->runs;
    packed->cursor.run = data->runs;
    return ntfs_stream_stored(packed->volume, data, &packed->stored);
}

static uint32_t wof_chunk_bytes(enum ntfs_form form)
{
    switch (form) {
    case NTFS_FORM_XPRESS4K:
        return 4096;
    case NTFS_FORM_XPRESS8K:
        return 8192;
    case NTFS_FORM_XPRESS16K:
        return 16384;
    default:
        return UNPACK_LZX_MAX;
    }
}

static enum status open_wof_stream(struct ntfs_packed *packed, const struct ntfs_record *record)
{
    static const uint8_t name[] = {'W', 0, 'o', 0, 'f', 0, 'C', 0, 'o', 0, 'm', 0,
                                   'p', 0, 'r', 0, 'e', 0, 's', 0, 's', 0, 'e', 0,
                                   'd', 0, 'D', 0, 'a', 0, 't', 0, 'a', 0};
    static const struct ntfs_key key = {NTFS_DATA, {name, sizeof name}};
    struct ntfs_stream *stored = &packed->stored;
    enum status status = ntfs_stream_open(packed->volume, record, &key, stored);

    if (status != ST_OK)
        return status == ST_ABSENT ? ST_DAMAGED : status;
    if ((stored->flags & (NTFS_COMPRESSED | NTFS_ENCRYPTED)) != 0)
        return ST_DAMAGED;
    return ntfs_stream_keep(packed->volume, stored);
}

static enum status open_wof(struct ntfs_packed *packed, const struct ntfs_record *record)
{
    packed->unit = wof_chunk_bytes(packed->form);
    packed->written = packed->size;
    packed->entry_bytes = packed->size > UINT32_MAX ? 8 : 4;
    if (packed->size > 0)
        packed->table_bytes = (packed->size - 1) / packed->unit * packed->entry_bytes;
    enum status status = open_wof_stream(packed, record);
    if (status != ST_OK)
        return status;
    packed->tables = unpack_tables_new(packed->volume->arena);
    if (packed->tables == NULL)
        return ST_NO_MEMORY;
    return packed->table_bytes > packed->stored.size ? ST_DAMAGED : ST_OK;
}

static enum status make_buffers(struct ntfs_packed *packed)
{
    uint64_t stored = packed->stored.size;
    struct arena *arena = packed->volume->arena;

    packed->window_room = stored < WINDOW_MAX ? (size_t)stored : WINDOW_MAX;
    packed->window = arena_alloc(arena, 1, packed->window_room);
    packed->unpacked = arena_alloc(arena, 1, packed->unit);
    return packed->window != NULL && packed->unpacked != NULL ? ST_OK : ST_NO_MEMORY;
}

enum status ntfs_packed_open(struct ntfs_volume *volume, const struct ntfs_record *record,
                             enum ntfs_form form, const struct ntfs_stream *data,
                             struct ntfs_packed **ret_packed)
{
    struct ntfs_packed *packed = arena_alloc(volume->arena, 1, sizeof *packed);

    if (packed == NULL)
        return ST_NO_MEMORY;
    packed->volume = volume;
    packed->form = form;
    packed->size = data->size;
    packed->unpacked_unit = NO_UNIT;
    enum status status =
        form == NTFS_FORM_LZNT1 ? open_lznt1(packed, data) : open_wof(packed, record);
    if (status == ST_OK)
        status = make_buffers(packed);
    if (status == ST_OK)
        *ret_packed = packed;
    return status;
}

/* --- Units ------------------------------------------------------------------------------------ */

/* The run with cluster `vcn`, which the cursor moves to. NULL behind the last one. */
static const struct ntfs_run *seek_run(const struct ntfs_packed *packed, struct unit_cursor *cursor,
                                       uint64_t vcn)
{
    if (cursor->run == NULL || cursor->run->first_vcn > vcn)
        *cursor = (struct unit_cursor){.run = packed->runs};
    while (cursor->run != NULL && vcn - cursor->run->first_vcn >= cursor->run->clusters) {
        cursor->stored += cursor->run->hole ? 0 : cursor->run->clusters;
        cursor->run = cursor->run->next;
    }
    return cursor->run;
}

/* Statuses: ST_OK; ST_DAMAGED when its clusters do not come first, or are not all told of. */
static enum status lznt1_piece(struct ntfs_packed *packed, uint64_t unit,
                               struct packed_piece *ret_piece)
{
    uint32_t cluster_size = packed->volume->cluster_size;
    uint64_t vcn = unit * (packed->unit / cluster_size);
    uint64_t end = vcn + packed->unit / cluster_size;
    const struct ntfs_run *run = seek_run(packed, &packed->cursor, vcn);
    uint64_t stored = 0;
    bool ended = false; /* a hole was seen */

    if (run == NULL)
        return ST_DAMAGED;
    uint64_t before = packed->cursor.stored + (run->hole ? 0 : vcn - run->first_vcn);
    for (; run != NULL && vcn < end; run = run->next) {
        uint64_t run_end = run->first_vcn + run->clusters;
        uint64_t part = (run_end < end ? run_end : end) - vcn;
        if (!run->hole && ended)
            return ST_DAMAGED;
        ended = run->hole;
        stored += run->hole ? 0 : part;
        vcn += part;
    }
    *ret_piece = (struct packed_piece){before * cluster_size, (size_t)(stored * cluster_size)};
    return vcn == end ? ST_OK : ST_DAMAGED;
}

/* Bytes of a unit, unpacked. */
static size_t unit_bytes(const struct ntfs_packed *packed, uint64_t unit)
{
    uint64_t left = packed->size - unit * packed->unit;

    if (packed->form == NTFS_FORM_LZNT1)
        return packed->unit;
    return left < packed->unit ? (size_t)left : packed->unit;
}

/* --- The window ------------------------------------------------------------------------------- */

static bool window_holds(const struct ntfs_packed *packed, uint64_t at, size_t size)
{
    return at >= packed->window_at && at + size <= packed->window_at + packed->window_size;
}

/* Moves what the window has from `at` on to its front; gives how much that is. */
static size_t keep_end(struct ntfs_packed *packed, uint64_t at)
{
    uint64_t end = packed->window_at + packed->window_size;

    if (at < packed->window_at || at >= end)
        return 0;
    memmove(packed->window, packed->window + (at - packed->window_at), (size_t)(end - at));
    return (size_t)(end - at);
}

/* Makes the window hold bytes of `stored`, and what comes behind them up to `wanted` bytes. */
static enum status fill_window(struct ntfs_packed *packed, uint64_t at, size_t size, size_t wanted)
{
    uint64_t first = at / WINDOW_STEP * WINDOW_STEP;
    uint64_t left = packed->stored.size - first;
    size_t room = (size_t)(at - first) + (wanted > size ? wanted : size);

    if (window_holds(packed, at, size))
        return ST_OK;
    room = (room + WINDOW_STEP - 1) / WINDOW_STEP * WINDOW_STEP;
    if (room > packed->window_room)
        room = packed->window_room;
    if (room > left)
        room = (size_t)left;
    size_t kept = keep_end(packed, first);
    packed->window_size = 0;
    enum status status = ntfs_stream_read(packed->volume, &packed->stored, first + kept,
                                          packed->window + kept, room - kept);
    if (status != ST_OK)
        return status;
    packed->window_at = first;
    packed->window_size = room;
    return ST_OK;
}

/* --- Chunks ----------------------------------------------------------------------------------- */

/* Where chunk `number` begins, counted from the end of the table. The table is read with the first
 * chunks, or by itself. */
static enum status chunk_start(struct ntfs_packed *packed, uint64_t number, size_t wanted,
                               uint64_t *ret_start)
{
    uint8_t entry[8] = {0};
    enum status status = ST_OK;

    *ret_start = 0;
    if (number == 0)
        return ST_OK;
    uint64_t at = (number - 1) * packed->entry_bytes;
    if (packed->window_size == 0)
        status = fill_window(packed, at, packed->entry_bytes, wanted);
    if (status == ST_OK && window_holds(packed, at, packed->entry_bytes))
        memcpy(entry, packed->window + (at - packed->window_at), packed->entry_bytes);
    else if (status == ST_OK)
        status = ntfs_stream_read(packed->volume, &packed->stored, at, entry, packed->entry_bytes);
    *ret_start = ld_le64(entry);
    return status;
}

static enum status wof_piece(struct ntfs_packed *packed, uint64_t chunk, size_t wanted,
                             struct packed_piece *ret_piece)
{
    size_t size = unit_bytes(packed, chunk);
    uint64_t room = packed->stored.size - packed->table_bytes;
    uint64_t start = 0;
    uint64_t end = room;
    enum status status = chunk_start(packed, chunk, wanted, &start);

    if (status == ST_OK && (chunk + 1) * packed->unit < packed->size)
        status = chunk_start(packed, chunk + 1, wanted, &end);
    if (status != ST_OK)
        return status;
    if (start >= end || end > room || end - start > size)
        return ST_DAMAGED;
    *ret_piece = (struct packed_piece){packed->table_bytes + start, (size_t)(end - start)};
    return ST_OK;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static enum status unpack_bytes(struct ntfs_packed *packed, uint64_t unit, struct span bytes,
                                uint8_t *ret_data)
{
    size_t size = unit_bytes(packed, unit);
    uint64_t written = packed->written - unit * packed->unit;
    size_t there = size;
    enum status status = ST_OK;

    if (bytes.size == size)
        memcpy(ret_data, bytes.at, size);
    else if (packed->form == NTFS_FORM_LZNT1)
        status = unpack_lznt1(bytes, ret_data, size, &there);
    else if (packed->form == NTFS_FORM_LZX)
        status = unpack_lzx(packed->tables, bytes, ret_data, size);
    else
        status = unpack_xpress(packed->tables, bytes, ret_data, size);
    return status == ST_OK && there < size && there < written ? ST_DAMAGED : status;
}

/* All of a unit. `wanted`: as many bytes will be asked for from it on. */
static enum status read_unit(struct ntfs_packed *packed, uint64_t unit, size_t wanted,
                             uint8_t *ret_data)
{
    struct packed_piece piece;
    enum status status = packed->form == NTFS_FORM_LZNT1 ? lznt1_piece(packed, unit, &piece)
                                                         : wof_piece(packed, unit, wanted, &piece);

    if (status != ST_OK)
        return status;
    if (piece.size == 0) {
        memset(ret_data, 0, unit_bytes(packed, unit));
        return ST_OK;
    }
    status = fill_window(packed, piece.at, piece.size, wanted);
    if (status != ST_OK)
        return status;
    struct span bytes = span_of(packed->window + (piece.at - packed->window_at), piece.size);
    return unpack_bytes(packed, unit, bytes, ret_data);
}

static enum status read_unit_part(struct ntfs_packed *packed, uint64_t unit, size_t within,
                                  size_t wanted, uint8_t *ret_data, size_t size)
{
    if (packed->unpacked_unit != unit) {
        packed->unpacked_unit = NO_UNIT;
        enum status status = read_unit(packed, unit, wanted, packed->unpacked);
        if (status != ST_OK)
            return status;
        packed->unpacked_unit = unit;
    }
    memcpy(ret_data, packed->unpacked + within, size);
    return ST_OK;
}

enum status ntfs_packed_read(struct ntfs_packed *packed, uint64_t offset, uint8_t *ret_data,
                             size_t size)
{
    uint64_t written = offset < packed->written ? packed->written - offset : 0;
    size_t left = size < written ? size : (size_t)written;
    size_t part = 0;

    memset(ret_data + left, 0, size - left);
    for (; left > 0; left -= part, offset += part, ret_data += part) {
        uint64_t unit = offset / packed->unit;
        size_t within = (size_t)(offset % packed->unit);
        size_t whole = unit_bytes(packed, unit);
        part = left < whole - within ? left : whole - within;
        enum status status = part == whole
                                 ? read_unit(packed, unit, left, ret_data)
                                 : read_unit_part(packed, unit, within, left, ret_data, part);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}
