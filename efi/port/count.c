#include "port/count.h"

struct counter {
    const struct ports *ports;
    struct port_counts *counts;
};

struct disk_counter {
    const struct block_port *disk;
    struct port_counts *counts;
};

static enum status count_block_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    const struct disk_counter *counter = ctx;
    const struct block_port *disk = counter->disk;

    counter->counts->block_reads++;
    enum status status = disk->read(disk->ctx, lba, count, ret_data);
    if (status == ST_OK)
        counter->counts->block_read_bytes += (uint64_t)count * disk->block_size;
    return status;
}

static enum status count_block_write(void *ctx, uint64_t lba, uint32_t count, const void *data)
{
    const struct disk_counter *counter = ctx;
    const struct block_port *disk = counter->disk;

    counter->counts->block_writes++;
    enum status status = disk->write(disk->ctx, lba, count, data);
    if (status == ST_OK)
        counter->counts->block_written_bytes += (uint64_t)count * disk->block_size;
    return status;
}

static enum status count_block_flush(void *ctx)
{
    const struct disk_counter *counter = ctx;
    const struct block_port *disk = counter->disk;

    counter->counts->block_flushes++;
    return disk->flush(disk->ctx);
}

static enum status count_var_next(void *ctx, bool restart, struct var_id *ret_id)
{
    const struct counter *counter = ctx;
    const struct vars_port *vars = &counter->ports->vars;

    counter->counts->var_calls++;
    return vars->next(vars->ctx, restart, ret_id);
}

static enum status count_var_get(void *ctx, const struct guid *vendor, const char *name,
                                 uint32_t *ret_attributes, void *ret_data, size_t size,
                                 size_t *ret_size)
{
    const struct counter *counter = ctx;
    const struct vars_port *vars = &counter->ports->vars;

    counter->counts->var_calls++;
    return vars->get(vars->ctx, vendor, name, ret_attributes, ret_data, size, ret_size);
}

static enum status count_var_set(void *ctx, const struct guid *vendor, const char *name,
                                 uint32_t attributes, const void *data, size_t size)
{
    const struct counter *counter = ctx;
    const struct vars_port *vars = &counter->ports->vars;

    counter->counts->var_writes++;
    enum status status = vars->set(vars->ctx, vendor, name, attributes, data, size);
    if (status == ST_OK)
        counter->counts->var_written_bytes += size;
    return status;
}

static enum status count_var_space(void *ctx, struct var_space *ret_space)
{
    const struct counter *counter = ctx;
    const struct vars_port *vars = &counter->ports->vars;

    counter->counts->var_calls++;
    return vars->space(vars->ctx, ret_space);
}

static enum status count_file_stat(void *ctx, size_t volume, const char *path,
                                   struct file_info *ret_info)
{
    const struct counter *counter = ctx;
    const struct files_port *files = &counter->ports->files;

    counter->counts->file_calls++;
    return files->stat(files->ctx, volume, path, ret_info);
}

static enum status count_file_list(void *ctx, size_t volume, const char *path, size_t index,
                                   struct file_info *ret_info)
{
    const struct counter *counter = ctx;
    const struct files_port *files = &counter->ports->files;

    counter->counts->file_calls++;
    return files->list(files->ctx, volume, path, index, ret_info);
}

static enum status count_file_read(void *ctx, size_t volume, const char *path, uint64_t offset,
                                   void *ret_data, size_t size, size_t *ret_size)
{
    const struct counter *counter = ctx;
    const struct files_port *files = &counter->ports->files;

    counter->counts->file_calls++;
    enum status status = files->read(files->ctx, volume, path, offset, ret_data, size, ret_size);
    if (status == ST_OK)
        counter->counts->file_read_bytes += *ret_size;
    return status;
}

static enum status count_file_write(void *ctx, size_t volume, const char *path,
                                    enum file_write_mode mode, const void *data, size_t size)
{
    const struct counter *counter = ctx;
    const struct files_port *files = &counter->ports->files;

    counter->counts->file_writes++;
    enum status status = files->write(files->ctx, volume, path, mode, data, size);
    if (status == ST_OK)
        counter->counts->file_written_bytes += size;
    return status;
}

static enum status count_file_remove(void *ctx, size_t volume, const char *path)
{
    const struct counter *counter = ctx;
    const struct files_port *files = &counter->ports->files;

    counter->counts->file_writes++;
    return files->remove(files->ctx, volume, path);
}

static enum status count_release(void *ctx, struct span disk_path)
{
    const struct counter *counter = ctx;
    const struct files_port *files = &counter->ports->files;

    return files->release(files->ctx, disk_path);
}

static enum status count_renew(void *ctx, struct files_port *io_port)
{
    const struct counter *counter = ctx;
    const struct files_port *files = &counter->ports->files;

    return files->renew(files->ctx, io_port);
}

/* The wrapped disks, or NULL when the arena is full. */
static const struct block_port *count_disks(struct arena *arena, const struct ports *ports,
                                            struct port_counts *counts)
{
    struct block_port *disks = arena_alloc(arena, ports->disk_count, sizeof(*disks));
    struct disk_counter *counters = arena_alloc(arena, ports->disk_count, sizeof(*counters));

    if (disks == NULL || counters == NULL)
        return NULL;
    for (size_t i = 0; i < ports->disk_count; i++) {
        counters[i].disk = &ports->disks[i];
        counters[i].counts = counts;
        disks[i] = ports->disks[i];
        disks[i].ctx = &counters[i];
        disks[i].read = count_block_read;
        disks[i].write = count_block_write;
        disks[i].flush = count_block_flush;
    }
    return disks;
}

static struct vars_port count_vars(struct counter *counter)
{
    struct vars_port vars = {
        .ctx = counter,
        .next = count_var_next,
        .get = count_var_get,
        .set = count_var_set,
        .space = count_var_space,
    };
    return vars;
}

static struct files_port count_files(struct counter *counter)
{
    struct files_port files = counter->ports->files;

    files.ctx = counter;
    files.stat = count_file_stat;
    files.list = count_file_list;
    files.read = count_file_read;
    files.write = count_file_write;
    files.remove = count_file_remove;
    files.release = count_release;
    files.renew = count_renew;
    return files;
}

enum status ports_count(struct arena *arena, const struct ports *ports, struct port_counts *counts,
                        struct ports *ret_ports)
{
    size_t mark = arena_mark(arena);
    struct counter *counter = arena_alloc(arena, 1, sizeof(*counter));
    const struct block_port *disks = count_disks(arena, ports, counts);

    if (counter == NULL || disks == NULL) {
        arena_release(arena, mark);
        return ST_NO_MEMORY;
    }
    counter->ports = ports;
    counter->counts = counts;
    *ret_ports = *ports;
    ret_ports->disks = disks;
    ret_ports->vars = count_vars(counter);
    ret_ports->files = count_files(counter);
    return ST_OK;
}
