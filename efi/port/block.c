#include "port/block.h"

static enum status refuse_write(void *ctx, uint64_t lba, uint32_t count, const void *data)
{
    (void)ctx;
    (void)lba;
    (void)count;
    (void)data;
    return ST_READ_ONLY;
}

static enum status flush_nothing(void *ctx)
{
    (void)ctx;
    return ST_OK;
}

void block_read_only(const struct block_port *disk,
                     enum status (*read)(void *ctx, uint64_t lba, uint32_t count, void *ret_data),
                     void *ctx, struct block_port *ret_port)
{
    *ret_port = *disk;
    ret_port->ctx = ctx;
    ret_port->read_only = true;
    ret_port->read = read;
    ret_port->write = refuse_write;
    ret_port->flush = flush_nothing;
}
