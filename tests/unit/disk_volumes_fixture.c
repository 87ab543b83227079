#include "unit/disk_volumes_fixture.h"

#include <string.h>

#include "base/crc32.h"
#include "format/gpt.h"
#include "format/mbr.h"

#define END_SIZE 4u

size_t disk_volume_path(const struct block_port *block, const struct hd_node *hd,
                        uint8_t ret_path[DISK_VOLUME_PATH_SIZE])
{
    struct builder path;

    builder_init(&path, ret_path, DISK_VOLUME_PATH_SIZE);
    builder_bytes(&path, span_part(block->path, 0, block->path.size - END_SIZE));
    devpath_put_hd(&path, hd);
    devpath_put_end(&path);
    return path.used;
}

/* The entry array of one copy of the GPT, in the arena; NULL when that copy is not sound. */
static const uint8_t *read_gpt(struct arena *arena, const struct block_port *block, uint64_t lba,
                               struct gpt_header *ret_header)
{
    uint8_t *first = arena_alloc(arena, 1, block->block_size);
    struct gpt_header header;

    if (first == NULL || block->read(block->ctx, lba, 1, first) != ST_OK ||
        gpt_header_parse(span_of(first, block->block_size), lba, block->block_count, &header) !=
            GPT_FINE)
        return NULL;
    uint64_t size = gpt_array_bytes(&header);
    uint32_t blocks = (uint32_t)((size + block->block_size - 1) / block->block_size);
    uint8_t *array = arena_alloc(arena, blocks, block->block_size);
    if (array == NULL || block->read(block->ctx, header.entries_lba, blocks, array) != ST_OK ||
        crc32_update(0, array, (size_t)size) != header.entries_crc)
        return NULL;
    *ret_header = header;
    return array;
}

static void add_entry(struct disk_table *table, const struct gpt_entry *entry, uint32_t slot)
{
    struct disk_table_entry *to = &table->entries[table->count++];

    *to = (struct disk_table_entry){.type = partition_type_of(&entry->type),
                                    .hd = {.number = slot + 1,
                                           .start = entry->first_lba,
                                           .size = entry->last_lba - entry->first_lba + 1,
                                           .format = HD_FORMAT_GPT,
                                           .signature_type = HD_SIGNATURE_GUID}};
    memcpy(to->hd.signature, entry->unique.bytes, sizeof(to->hd.signature));
}

bool disk_table_read(struct arena *arena, const struct block_port *block,
                     struct disk_table *ret_table)
{
    size_t mark = arena_mark(arena);
    struct gpt_header header;
    const uint8_t *array = read_gpt(arena, block, GPT_PRIMARY_LBA, &header);

    if (array == NULL)
        array = read_gpt(arena, block, block->block_count - 1, &header);
    ret_table->count = 0;
    for (uint32_t i = 0; array != NULL && i < header.entry_count; i++) {
        const uint8_t *at = array + (size_t)i * header.entry_size;
        struct gpt_entry entry = gpt_entry_parse(span_of(at, header.entry_size));
        if (gpt_entry_in_range(&entry, &header) && ret_table->count < DISK_TABLE_MAX &&
            gpt_entry_is_used(&entry))
            add_entry(ret_table, &entry, i);
    }
    if (array != NULL) {
        ret_table->first_usable = header.first_usable_lba;
        ret_table->last_usable = header.last_usable_lba;
    }
    arena_release(arena, mark);
    return array != NULL;
}

static void find_in_mbr(struct arena *arena, const struct block_port *block,
                        disk_volume_found *found, void *ctx)
{
    uint8_t *first = arena_alloc(arena, 1, block->block_size);

    if (first == NULL || block->read(block->ctx, 0, 1, first) != ST_OK)
        return;
    struct mbr mbr = mbr_parse(span_of(first, block->block_size), block->block_count);
    for (unsigned i = 0; mbr.kind == MBR_PLAIN && i < MBR_RECORD_COUNT; i++) {
        if (mbr.records[i].type == MBR_TYPE_EMPTY || mbr_type_is_extended(mbr.records[i].type))
            continue;
        struct hd_node hd = {
            .number = i + 1,
            .start = mbr.records[i].first_lba,
            .size = mbr.records[i].block_count,
            .format = HD_FORMAT_MBR,
            .signature_type = HD_SIGNATURE_MBR,
        };
        st_le32(hd.signature, mbr.signature);
        found(ctx, &hd);
    }
}

void disk_volumes_find(struct arena *arena, const struct block_port *block,
                       disk_volume_found *found, void *ctx)
{
    size_t mark = arena_mark(arena);
    struct disk_table table;

    if (!disk_table_read(arena, block, &table))
        find_in_mbr(arena, block, found, ctx);
    for (size_t i = 0; i < table.count; i++) {
        enum partition_type type = table.entries[i].type;
        if (type == PT_ESP || type == PT_BASIC_DATA)
            found(ctx, &table.entries[i].hd);
    }
    arena_release(arena, mark);
}
