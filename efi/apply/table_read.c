#include "table_read.h"

#include "base/crc32.h"

enum status table_read_blocks(struct arena *arena, const struct block_port *port, uint64_t lba,
                              uint64_t count, uint8_t **ret_bytes)
{
    uint8_t *at = arena_alloc(arena, (size_t)count, port->block_size);

    if (at == NULL)
        return ST_NO_MEMORY;
    enum status status = port->read(port->ctx, lba, (uint32_t)count, at);
    if (status == ST_OK)
        *ret_bytes = at;
    return status;
}

enum status table_read_header(struct arena *arena, const struct block_port *port,
                              const struct gpt_copy *copy, struct gpt_header *ret_header)
{
    struct gpt_header header;
    uint8_t *block = NULL;

    if (copy == NULL)
        return ST_CHANGED;
    enum status status = table_read_blocks(arena, port, copy->lba, 1, &block);
    if (status != ST_OK)
        return status;
    if (gpt_header_parse(span_of(block, port->block_size), copy->lba, port->block_count, &header) !=
            GPT_FINE ||
        !guid_equal(&header.disk_guid, &copy->header.disk_guid) ||
        header.entries_crc != copy->header.entries_crc)
        return ST_CHANGED;
    *ret_header = header;
    return ST_OK;
}

enum status table_read(struct arena *arena, const struct block_port *port,
                       const struct gpt_copy *copy, struct gpt_header *ret_header,
                       uint8_t **ret_array)
{
    struct gpt_header header;
    uint8_t *array = NULL;

    enum status status = table_read_header(arena, port, copy, &header);
    if (status != ST_OK)
        return status;
    uint64_t bytes = gpt_array_bytes(&header);
    uint64_t blocks = (bytes + port->block_size - 1) / port->block_size;
    status = table_read_blocks(arena, port, header.entries_lba, blocks, &array);
    if (status != ST_OK)
        return status;
    if (crc32_update(0, array, (size_t)bytes) != header.entries_crc)
        return ST_CHANGED;
    *ret_header = header;
    *ret_array = array;
    return ST_OK;
}
