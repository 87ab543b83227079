#include "format/disk_edit.h"

#include "base/mem.h"
#include "base/sort.h"

#define FIRST_CAPACITY 64u
#define MERGED_MAX     (256u << 10) /* bytes: what is larger gains nothing by it */

void disk_edit_start(struct disk_edit_builder *builder, struct arena *arena, uint32_t block_size)
{
    *builder = (struct disk_edit_builder){.arena = arena, .block_size = block_size};
}

/* Room for one more item of `size` bytes; `items` as they are or moved. NULL without memory. */
static void *make_item_room(struct disk_edit_builder *builder, void *items, size_t size,
                            size_t count, size_t *io_capacity)
{
    if (count < *io_capacity)
        return items;
    size_t capacity = *io_capacity == 0 ? FIRST_CAPACITY : *io_capacity * 2;
    void *larger = arena_alloc(builder->arena, capacity, size);
    if (larger == NULL) {
        builder->failed = true;
        return NULL;
    }
    if (count > 0)
        memcpy(larger, items, count * size);
    *io_capacity = capacity;
    return larger;
}

static void add_write(struct disk_edit_builder *builder, struct disk_write write)
{
    struct disk_write *writes = make_item_room(builder, builder->writes, sizeof(*writes),
                                               builder->write_count, &builder->write_capacity);

    if (writes == NULL)
        return;
    builder->writes = writes;
    writes[builder->write_count++] = write;
}

void disk_edit_write(struct disk_edit_builder *builder, unsigned phase, uint64_t lba,
                     struct span data, bool free_space)
{
    while (data.size > 0 && !builder->failed) {
        size_t size = data.size < DISK_WRITE_MAX ? data.size : DISK_WRITE_MAX;
        add_write(builder, (struct disk_write){.phase = phase,
                                               .lba = lba,
                                               .data = span_of(data.at, size),
                                               .free_space = free_space});
        data = span_of(data.at + size, data.size - size);
        lba += size / builder->block_size;
    }
}

/* At least `size` zero bytes, at most those of one write. */
static void need_zeros(struct disk_edit_builder *builder, size_t size)
{
    if (builder->zeros.size >= size)
        return;
    void *at = arena_alloc(builder->arena, size, 1);
    if (at == NULL)
        builder->failed = true;
    else
        builder->zeros = span_of(at, size);
}

void disk_edit_zero(struct disk_edit_builder *builder, unsigned phase, uint64_t lba,
                    uint64_t blocks)
{
    uint64_t most = DISK_WRITE_MAX / builder->block_size;

    need_zeros(builder, (size_t)(blocks < most ? blocks : most) * builder->block_size);
    while (blocks > 0 && !builder->failed) {
        uint64_t count = blocks < most ? blocks : most;
        add_write(builder, (struct disk_write){
                               .phase = phase,
                               .lba = lba,
                               .data = span_part(builder->zeros, 0, count * builder->block_size)});
        lba += count;
        blocks -= count;
    }
}

void disk_edit_file(struct disk_edit_builder *builder, const struct disk_file *file)
{
    struct disk_file *files = make_item_room(builder, builder->files, sizeof(*files),
                                             builder->file_count, &builder->file_capacity);

    if (files == NULL)
        return;
    builder->files = files;
    files[builder->file_count++] = *file;
}

void disk_edit_freed(struct disk_edit_builder *builder, uint64_t lba, uint64_t bytes)
{
    struct disk_extent *freed = builder->freed;
    size_t count = builder->freed_count;

    if (count > 0 && freed[count - 1].lba + freed[count - 1].bytes / builder->block_size == lba) {
        freed[count - 1].bytes += bytes;
        return;
    }
    freed = make_item_room(builder, freed, sizeof(*freed), count, &builder->freed_capacity);
    if (freed == NULL)
        return;
    builder->freed = freed;
    freed[builder->freed_count++] = (struct disk_extent){lba, bytes};
}

static int compare_write_places(unsigned phase_a, uint64_t lba_a, unsigned phase_b, uint64_t lba_b)
{
    if (phase_a != phase_b)
        return phase_a < phase_b ? -1 : 1;
    return lba_a < lba_b ? -1 : lba_a > lba_b;
}

static int compare_writes(const void *ctx, size_t a, size_t b)
{
    const struct disk_write *writes = ctx;

    return compare_write_places(writes[a].phase, writes[a].lba, writes[b].phase, writes[b].lba);
}

static int compare_files(const void *ctx, size_t a, size_t b)
{
    const struct disk_file *files = ctx;

    return compare_write_places(files[a].phase, files[a].extents[0].lba, files[b].phase,
                                files[b].extents[0].lba);
}

/* `count` items of `size` bytes in the order of `compare`. NULL without memory. */
static void *sorted(struct disk_edit_builder *builder, const void *items, size_t size, size_t count,
                    sort_compare *compare)
{
    uint8_t *result = arena_alloc(builder->arena, count, size);
    size_t mark = arena_mark(builder->arena);
    const size_t *order = sort_order(builder->arena, count, compare, items);

    if (result == NULL || order == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        memcpy(result + i * size, (const uint8_t *)items + order[i] * size, size);
    arena_release(builder->arena, mark);
    return result;
}

static uint64_t end_of(const struct disk_edit_builder *builder, const struct disk_write *write)
{
    return write->lba + write->data.size / builder->block_size;
}

/* --- Blocks that are written twice ------------------------------------------------------------ */

struct write_place {
    unsigned phase;
    uint64_t lba;
    uint64_t end; /* behind the last block */
};

static int compare_by_place(const void *ctx, size_t a, size_t b)
{
    const struct write_place *places = ctx;

    return compare_write_places(places[a].phase, places[a].lba, places[b].phase, places[b].lba);
}

static size_t count_places(const struct disk_edit_builder *builder)
{
    size_t count = builder->write_count;

    for (size_t i = 0; i < builder->file_count; i++)
        count += builder->files[i].extent_count;
    return count;
}

/* Where everything goes: writes, and the content of files. */
static void gather_places(const struct disk_edit_builder *builder, struct write_place *ret_places)
{
    struct write_place *at = ret_places;

    for (size_t i = 0; i < builder->write_count; i++) {
        const struct disk_write *write = &builder->writes[i];
        *at++ = (struct write_place){write->phase, write->lba, end_of(builder, write)};
    }
    for (size_t i = 0; i < builder->file_count; i++) {
        const struct disk_file *file = &builder->files[i];
        for (size_t k = 0; k < file->extent_count; k++) {
            uint64_t blocks =
                (file->extents[k].bytes + builder->block_size - 1) / builder->block_size;
            *at++ = (struct write_place){file->phase, file->extents[k].lba,
                                         file->extents[k].lba + blocks};
        }
    }
}

/* Statuses: ST_OK; ST_REFUSED when a block is written twice in a phase; ST_NO_MEMORY. */
static enum status check_overlap(struct disk_edit_builder *builder)
{
    size_t mark = arena_mark(builder->arena);
    size_t count = count_places(builder);
    struct write_place *places = arena_alloc(builder->arena, count, sizeof(*places));
    bool overlap = false;

    if (places == NULL)
        return ST_NO_MEMORY;
    gather_places(builder, places);
    places = sorted(builder, places, sizeof(*places), count, compare_by_place);
    if (places == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 1; i < count && !overlap; i++)
        overlap = places[i].phase == places[i - 1].phase && places[i].lba < places[i - 1].end;
    arena_release(builder->arena, mark);
    return overlap ? ST_REFUSED : ST_OK;
}

/* --- Neighbours ------------------------------------------------------------------------------- */

static bool are_neighbours(const struct disk_edit_builder *builder, const struct disk_write *a,
                           const struct disk_write *b)
{
    return a->phase == b->phase && a->free_space == b->free_space && end_of(builder, a) == b->lba;
}

/* How many writes from the first on, of `count`, become one, and the bytes of it. */
static size_t group_size(const struct disk_edit_builder *builder, const struct disk_write *writes,
                         size_t count, size_t *ret_bytes)
{
    size_t bytes = writes[0].data.size;
    size_t size = 1;

    while (size < count && bytes + writes[size].data.size <= MERGED_MAX &&
           are_neighbours(builder, &writes[size - 1], &writes[size]))
        bytes += writes[size++].data.size;
    *ret_bytes = bytes;
    return size;
}

/* Makes one write of neighbours, in place. Gives how many are left. */
static enum status merge_writes(struct disk_edit_builder *builder, struct disk_write *writes,
                                size_t *ret_count)
{
    size_t left = 0;

    for (size_t i = 0; i < builder->write_count;) {
        size_t bytes = 0;
        size_t size = group_size(builder, &writes[i], builder->write_count - i, &bytes);
        struct disk_write merged = writes[i];
        if (size > 1) {
            uint8_t *at = arena_alloc(builder->arena, bytes, 1);
            if (at == NULL)
                return ST_NO_MEMORY;
            merged.data = span_of(at, bytes);
            for (size_t k = i; k < i + size; k++) {
                memcpy(at, writes[k].data.at, writes[k].data.size);
                at += writes[k].data.size;
            }
        }
        writes[left++] = merged;
        i += size;
    }
    *ret_count = left;
    return ST_OK;
}

enum status disk_edit_finish(struct disk_edit_builder *builder, unsigned phase_count,
                             struct disk_edit *ret_edit)
{
    struct disk_edit edit = {.phase_count = phase_count,
                             .file_count = builder->file_count,
                             .freed = builder->freed,
                             .freed_count = builder->freed_count};

    if (builder->failed)
        return ST_NO_MEMORY;
    edit.writes = sorted(builder, builder->writes, sizeof(*edit.writes), builder->write_count,
                         compare_writes);
    edit.files =
        sorted(builder, builder->files, sizeof(*edit.files), builder->file_count, compare_files);
    if (edit.writes == NULL || edit.files == NULL)
        return ST_NO_MEMORY;
    enum status status = check_overlap(builder);
    if (status == ST_OK)
        status = merge_writes(builder, edit.writes, &edit.write_count);
    if (status == ST_OK)
        *ret_edit = edit;
    return status;
}
