#include "format/gpt_edit.h"

#include "base/crc32.h"
#include "base/mem.h"
#include "base/sort.h"
#include "format/mbr.h"

#define BLOCK_MIN 512u
#define ARRAY_LBA 2u /* of the primary copy */
#define BOOT_CODE 440u
#define RECORDS   446u
#define PHASE_MBR 4u

/* Where one copy lies. */
struct copy {
    uint64_t my_lba;
    uint64_t other_lba;
    uint64_t entries_lba;
};

struct table {
    const struct gpt_edit_request *request;
    struct arena *arena;
    uint64_t first_usable;
    uint64_t last_usable;
    struct span array; /* whole blocks */
    struct disk_edit_builder builder;
};

static bool form_is_sound(const struct gpt_edit_request *request)
{
    uint32_t size = request->entry_size;
    uint64_t bytes = (uint64_t)request->entry_count * size;

    return request->entry_count >= GPT_ENTRIES_MIN && size >= GPT_ENTRY_MIN_SIZE &&
           (size & (size - 1)) == 0 && bytes <= GPT_ARRAY_MAX_BYTES &&
           request->entries.size == bytes && request->block_size >= BLOCK_MIN;
}

static uint64_t array_blocks(const struct gpt_edit_request *request)
{
    uint64_t bytes = (uint64_t)request->entry_count * request->entry_size;

    return (bytes + request->block_size - 1) / request->block_size;
}

bool gpt_edit_usable(const struct gpt_edit_request *request, uint64_t *ret_first,
                     uint64_t *ret_last)
{
    uint64_t array = array_blocks(request);

    /* MBR, two headers, two arrays, and a block to use. */
    if (request->block_count < 4 + 2 * array)
        return false;
    *ret_first = ARRAY_LBA + array;
    *ret_last = request->block_count - 2 - array;
    return true;
}

/* --- The entries ------------------------------------------------------------------------------ */

static struct gpt_entry entry_at(const struct gpt_edit_request *request, size_t number)
{
    return gpt_entry_parse(
        span_part(request->entries, (uint64_t)number * request->entry_size, request->entry_size));
}

static int compare_entries(const void *ctx, size_t a, size_t b)
{
    uint64_t x = entry_at(ctx, a).first_lba;
    uint64_t y = entry_at(ctx, b).first_lba;

    return x < y ? -1 : x > y;
}

/* `order` are the numbers of entries that are in use. */
static bool places_are_sound(const struct table *table, size_t *order, size_t count)
{
    uint64_t next = table->first_usable;

    sort_items(order, count, compare_entries, table->request);
    for (size_t i = 0; i < count; i++) {
        struct gpt_entry entry = entry_at(table->request, order[i]);
        if (entry.first_lba < next || entry.last_lba < entry.first_lba ||
            entry.last_lba > table->last_usable)
            return false;
        next = entry.last_lba + 1;
    }
    return true;
}

static enum status check_entries(const struct table *table)
{
    size_t mark = arena_mark(table->arena);
    size_t *order = arena_alloc(table->arena, table->request->entry_count, sizeof(*order));
    size_t count = 0;

    if (order == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < table->request->entry_count; i++) {
        struct gpt_entry entry = entry_at(table->request, i);
        if (gpt_entry_is_used(&entry))
            order[count++] = i;
    }
    bool sound = places_are_sound(table, order, count);
    arena_release(table->arena, mark);
    return sound ? ST_OK : ST_REFUSED;
}

/* --- The writes ------------------------------------------------------------------------------- */

/* The array in whole blocks, the rest zero. */
static enum status make_array(struct table *table)
{
    uint64_t blocks = array_blocks(table->request);
    uint8_t *at = arena_alloc(table->arena, (size_t)blocks, table->request->block_size);

    if (at == NULL)
        return ST_NO_MEMORY;
    memcpy(at, table->request->entries.at, table->request->entries.size);
    table->array = span_of(at, (size_t)blocks * table->request->block_size);
    return ST_OK;
}

static struct gpt_header header_of(const struct table *table, const struct copy *copy)
{
    const struct gpt_edit_request *request = table->request;

    return (struct gpt_header){
        .my_lba = copy->my_lba,
        .alternate_lba = copy->other_lba,
        .first_usable_lba = table->first_usable,
        .last_usable_lba = table->last_usable,
        .disk_guid = request->disk_guid,
        .entries_lba = copy->entries_lba,
        .entry_count = request->entry_count,
        .entry_size = request->entry_size,
        .entries_crc = crc32_update(0, request->entries.at, request->entries.size),
    };
}

static enum status add_copy(struct table *table, unsigned phase, bool is_primary)
{
    uint64_t last = table->request->block_count - 1;
    struct copy primary = {GPT_PRIMARY_LBA, last, ARRAY_LBA};
    struct copy backup = {last, GPT_PRIMARY_LBA, table->last_usable + 1};
    struct copy copy = is_primary ? primary : backup;
    struct gpt_header header = header_of(table, &copy);
    uint8_t *block = arena_alloc(table->arena, table->request->block_size, 1);

    if (block == NULL)
        return ST_NO_MEMORY;
    gpt_header_put(&header, block);
    disk_edit_write(&table->builder, phase, copy.entries_lba, table->array, false);
    disk_edit_write(&table->builder, phase + 1, copy.my_lba,
                    span_of(block, table->request->block_size), false);
    return ST_OK;
}

/* One record over the whole disk; as much as its 32 bits can say (UEFI Specification 5.2.3). */
static void put_protective(uint64_t block_count, uint8_t *block)
{
    static const uint8_t record[] = {0, 0x00, 0x02, 0x00, MBR_TYPE_PROTECTIVE, 0xff, 0xff, 0xff};
    uint64_t blocks = block_count - 1;

    memset(block + BOOT_CODE, 0, MBR_SIZE - BOOT_CODE);
    memcpy(block + RECORDS, record, sizeof(record));
    st_le32(block + RECORDS + 8, GPT_PRIMARY_LBA);
    st_le32(block + RECORDS + 12, blocks <= UINT32_MAX ? (uint32_t)blocks : UINT32_MAX);
    st_le16(block + 510, 0xaa55);
}

static enum status add_mbr(struct table *table)
{
    const struct gpt_edit_request *request = table->request;
    uint8_t *block = arena_alloc(table->arena, request->block_size, 1);

    if (block == NULL)
        return ST_NO_MEMORY;
    if (request->mbr.size == request->block_size)
        memcpy(block, request->mbr.at, request->block_size);
    put_protective(request->block_count, block);
    disk_edit_write(&table->builder, PHASE_MBR, 0, span_of(block, request->block_size), false);
    return ST_OK;
}

enum status gpt_edit(struct arena *arena, const struct gpt_edit_request *request,
                     struct disk_edit *ret_edit)
{
    struct table table = {.request = request, .arena = arena};
    bool primary_first = !request->primary_good && request->backup_good;

    if (!form_is_sound(request))
        return ST_UNSUPPORTED;
    if (!gpt_edit_usable(request, &table.first_usable, &table.last_usable))
        return ST_NO_SPACE;
    enum status status = check_entries(&table);
    if (status == ST_OK)
        status = make_array(&table);
    if (status != ST_OK)
        return status;
    disk_edit_start(&table.builder, arena, request->block_size);
    status = add_copy(&table, 0, primary_first);
    if (status == ST_OK)
        status = add_copy(&table, 2, !primary_first);
    if (status == ST_OK && request->write_mbr)
        status = add_mbr(&table);
    if (status != ST_OK)
        return status;
    return disk_edit_finish(&table.builder, GPT_EDIT_PHASES, ret_edit);
}
