#include "disk_meter.h"

uint64_t disk_meter_left(const struct disk_meter *meter)
{
    return meter->read_limit > meter->read_bytes ? meter->read_limit - meter->read_bytes : 0;
}

static enum status read_metered(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct disk_meter *meter = ctx;
    const struct block_port *disk = meter->disk;
    uint64_t bytes = (uint64_t)count * disk->block_size;

    if (bytes > disk_meter_left(meter)) {
        meter->stopped = true;
        return ST_IO;
    }
    meter->read_bytes += bytes;
    return disk->read(disk->ctx, lba, count, ret_data);
}

/* It is for reading only. */
static struct block_port metered_port(struct disk_meter *meter)
{
    const struct block_port *disk = meter->disk;

    return (struct block_port){
        .ctx = meter,
        .path = disk->path,
        .model = disk->model,
        .block_size = disk->block_size,
        .block_count = disk->block_count,
        .read_only = disk->read_only,
        .removable = disk->removable,
        .place_unknown = disk->place_unknown,
        .read = read_metered,
    };
}

enum status disk_meters_new(struct arena *arena, const struct ports *ports, struct ports *ret_ports,
                            struct disk_meter **ret_meters)
{
    struct block_port *disks = arena_alloc(arena, ports->disk_count, sizeof(*disks));
    struct disk_meter *meters = arena_alloc(arena, ports->disk_count, sizeof(*meters));

    if (disks == NULL || meters == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < ports->disk_count; i++) {
        meters[i] = (struct disk_meter){.disk = &ports->disks[i], .read_limit = UINT64_MAX};
        disks[i] = metered_port(&meters[i]);
    }
    *ret_ports = *ports;
    ret_ports->disks = disks;
    *ret_meters = meters;
    return ST_OK;
}
