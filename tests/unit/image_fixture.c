#include "unit/image_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"

struct image image_make(uint32_t block_size, uint64_t block_count)
{
    struct image image = {.bytes = host_alloc(block_count, block_size),
                          .block_size = block_size,
                          .block_count = block_count};

    return image;
}

static enum status read_blocks(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    const struct image *image = ctx;

    if (lba > image->block_count || count > image->block_count - lba)
        return ST_IO;
    memcpy(ret_data, image->bytes + lba * image->block_size, (size_t)count * image->block_size);
    return ST_OK;
}

struct block_port image_port(struct image *image)
{
    struct block_port port = {
        .ctx = image,
        .path = span_of("", 0),
        .model = "",
        .block_size = image->block_size,
        .block_count = image->block_count,
        .read = read_blocks,
    };

    return port;
}

static void add_unit(const struct image *image, struct image_units *units, unsigned phase,
                     uint64_t lba, struct span data)
{
    if (lba >= image->block_count || phase >= units->phase_count || data.size > image->block_size)
        host_fail("an edit writes where nothing is");
    if ((units->count & (units->count - 1)) == 0)
        units->at = host_grow(units->at, (units->count * 2 + 1) * sizeof(*units->at));
    struct image_unit *unit = &units->at[units->count++];
    *unit =
        (struct image_unit){.phase = phase, .lba = lba, .data = host_alloc(1, image->block_size)};
    if (data.size > 0)
        memcpy(unit->data, data.at, data.size);
}

static void add_write(const struct image *image, struct image_units *units,
                      const struct disk_write *write)
{
    if (write->data.size == 0 || write->data.size % image->block_size != 0 ||
        write->data.size > DISK_WRITE_MAX)
        host_fail("a write is not of whole blocks, or too large");
    for (size_t at = 0; at < write->data.size; at += image->block_size)
        add_unit(image, units, write->phase, write->lba + at / image->block_size,
                 span_part(write->data, at, image->block_size));
}

static void add_file(const struct image *image, struct image_units *units,
                     const struct disk_file *file, struct span content)
{
    uint64_t at = 0;

    if (content.size != file->size)
        host_fail("a file has another size");
    for (size_t i = 0; i < file->extent_count; i++) {
        const struct disk_extent *extent = &file->extents[i];
        uint64_t end = at + extent->bytes;
        if (end > file->size || (end < file->size && extent->bytes % image->block_size != 0))
            host_fail("an extent does not go with its file");
        for (uint64_t lba = extent->lba; at < end; lba++) {
            uint64_t size = end - at < image->block_size ? end - at : image->block_size;
            add_unit(image, units, file->phase, lba, span_part(content, at, size));
            at += size;
        }
    }
    if (at != file->size)
        host_fail("a file has not all its extents");
}

static int by_phase(const void *a, const void *b)
{
    const struct image_unit *x = a;
    const struct image_unit *y = b;

    if (x->phase != y->phase)
        return x->phase < y->phase ? -1 : 1;
    return x->lba < y->lba ? -1 : x->lba > y->lba;
}

struct image_units image_units_of(const struct image *image, const struct disk_edit *edit,
                                  image_content *content, void *ctx)
{
    struct image_units units = {.phase_count = edit->phase_count};

    for (size_t i = 0; i < edit->write_count; i++)
        add_write(image, &units, &edit->writes[i]);
    for (size_t i = 0; i < edit->file_count; i++)
        add_file(image, &units, &edit->files[i], content(ctx, edit->files[i].source));
    if (units.count > 0)
        qsort(units.at, units.count, sizeof(*units.at), by_phase);
    for (size_t i = 1; i < units.count; i++) {
        if (by_phase(&units.at[i - 1], &units.at[i]) == 0)
            host_fail("a phase writes a block twice");
    }
    return units;
}

void image_units_free(struct image_units *units)
{
    for (size_t i = 0; i < units->count; i++)
        free(units->at[i].data);
    free(units->at);
    *units = (struct image_units){0};
}

void image_swap(struct image *image, struct image_unit *unit)
{
    uint8_t *at = image->bytes + unit->lba * image->block_size;
    uint8_t block[4096];

    memcpy(block, at, image->block_size);
    memcpy(at, unit->data, image->block_size);
    memcpy(unit->data, block, image->block_size);
}

void image_apply(struct image *image, const struct image_units *units)
{
    for (size_t i = 0; i < units->count; i++)
        memcpy(image->bytes + units->at[i].lba * image->block_size, units->at[i].data,
               image->block_size);
}
