#include "ntfs_upcase.h"

#include "ntfs_stream.h"

#define UPCASE_RECORD 10u
#define TABLE_BYTES   131072u
#define PAGE_UNITS    256u
#define PAGE_BYTES    (2u * PAGE_UNITS)
#define PAGES         16u

struct page {
    bool known;
    uint16_t number; /* high byte of the units in it */
    uint8_t bytes[PAGE_BYTES];
};

struct ntfs_upcase {
    enum status status; /* whether the table was found */
    struct ntfs_stream stream;
    struct page pages[PAGES];
};

static enum status open_table(struct ntfs_volume *volume, struct ntfs_stream *stream)
{
    static const struct ntfs_key data = {.type = NTFS_DATA};
    struct ntfs_record record;
    enum status status = ntfs_file_load(volume, UPCASE_RECORD, &record);

    if (status == ST_OK)
        status = ntfs_stream_open(volume, &record, &data, stream);
    if (status == ST_ABSENT)
        return ST_DAMAGED;
    if (status == ST_OK && (stream->resident || stream->size != TABLE_BYTES))
        return ST_DAMAGED;
    return status;
}

enum status ntfs_upcase_open(struct ntfs_volume *volume)
{
    struct ntfs_upcase *upcase = arena_alloc(volume->arena, 1, sizeof *upcase);

    if (upcase == NULL)
        return ST_NO_MEMORY;
    upcase->status = open_table(volume, &upcase->stream);
    volume->upcase = upcase;
    return upcase->status == ST_NO_MEMORY ? ST_NO_MEMORY : ST_OK;
}

static enum status load_page(struct ntfs_volume *volume, uint16_t number, struct page *page)
{
    struct ntfs_upcase *upcase = volume->upcase;

    if (upcase->status != ST_OK)
        return upcase->status;
    page->known = false;
    enum status status = ntfs_stream_read(volume, &upcase->stream, (uint64_t)number * PAGE_BYTES,
                                          page->bytes, PAGE_BYTES);
    if (status != ST_OK)
        return status;
    page->known = true;
    page->number = number;
    return ST_OK;
}

static enum status upcase_unit(struct ntfs_volume *volume, uint16_t unit, uint16_t *ret_unit)
{
    uint16_t number = unit / PAGE_UNITS;
    struct page *page = &volume->upcase->pages[number % PAGES];

    if (unit < 0x80) {
        *ret_unit = unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - 'a' + 'A') : unit;
        return ST_OK;
    }
    if (!page->known || page->number != number) {
        enum status status = load_page(volume, number, page);
        if (status != ST_OK)
            return status;
    }
    *ret_unit = ld_le16(page->bytes + 2 * (unit % PAGE_UNITS));
    return ST_OK;
}

static enum status compare_units(struct ntfs_volume *volume, uint16_t a, uint16_t b, int *ret_order)
{
    uint16_t upper_a = 0;
    uint16_t upper_b = 0;

    *ret_order = 0;
    if (a == b)
        return ST_OK;
    enum status status = upcase_unit(volume, a, &upper_a);
    if (status == ST_OK)
        status = upcase_unit(volume, b, &upper_b);
    *ret_order = (upper_a > upper_b) - (upper_a < upper_b);
    return status;
}

enum status ntfs_compare_names(struct ntfs_volume *volume, struct span a, struct span b,
                               int *ret_order)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = 0;

    for (size_t at = 0; at < common && order == 0; at += 2) {
        enum status status = compare_units(volume, ld_le16(a.at + at), ld_le16(b.at + at), &order);
        if (status != ST_OK)
            return status;
    }
    *ret_order = order != 0 ? order : (a.size > b.size) - (a.size < b.size);
    return ST_OK;
}
