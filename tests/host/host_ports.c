#include "host/host_ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/builder.h"
#include "host/host_alloc.h"

#define END_SIZE  4u
#define SEED_STEP 0x632be59bd9b4e019u

struct host *host_new(void)
{
    struct host *host = host_alloc(1, sizeof(*host));

    host->vars = mem_vars_new(MEM_VARS_TOTAL);
    host->files = mem_files_new();
    host->console = host_console_new();
    host->start = host_start_new();
    host->clock.time = (struct date_time){2026, 1, 2, 3, 4, 5};
    host->architecture = "X64";
    return host;
}

void host_free(struct host *host)
{
    if (host == NULL)
        return;
    for (size_t i = 0; i < host->disk_count; i++)
        mem_block_free(host->disks[i]);
    mem_vars_free(host->vars);
    mem_files_free(host->files);
    host_console_free(host->console);
    host_start_free(host->start);
    free(host);
}

struct host *host_clone(const struct host *host)
{
    struct host *clone = host_alloc(1, sizeof(*clone));

    *clone = *host;
    clone->disks_are_final = true;
    for (size_t i = 0; i < host->disk_count; i++) {
        if (host->disks[i] != NULL)
            clone->disks[i] = mem_block_clone(host->disks[i]);
    }
    clone->vars = mem_vars_clone(host->vars);
    clone->files = mem_files_clone(host->files);
    clone->console = host_console_new();
    clone->start = host_start_clone(host->start);
    return clone;
}

size_t host_add_block(struct host *host, struct block_port block)
{
    if (host->disk_count == HOST_MAX_DISKS || host->disks_are_final)
        host_fail("no more disks here");
    host->blocks[host->disk_count] = block;
    return host->disk_count++;
}

size_t host_add_disk(struct host *host, enum disk_controller controller, uint32_t block_size,
                     uint64_t block_count)
{
    uint8_t path[DISK_PATH_SIZE];
    size_t size = disk_path_make(controller, (unsigned)host->disk_count, path);
    struct mem_block *disk =
        mem_block_new(block_size, block_count, span_of(path, size), "Memory disk");
    size_t index = host_add_block(host, mem_block_port(disk));

    host->disks[index] = disk;
    return index;
}

size_t host_partition_path(const struct host *host, const struct host_partition *partition,
                           uint8_t ret_path[HOST_PARTITION_PATH_SIZE])
{
    static const uint8_t hd_header[4] = {0x04, 0x01, 42, 0x00};
    static const uint8_t end[END_SIZE] = {0x7f, 0xff, 0x04, 0x00};
    struct span disk = host->blocks[partition->disk].path;
    struct builder path;

    builder_init(&path, ret_path, HOST_PARTITION_PATH_SIZE);
    builder_bytes(&path, span_part(disk, 0, disk.size - END_SIZE));
    builder_bytes(&path, span_of(hd_header, sizeof(hd_header)));
    builder_le32(&path, partition->number);
    builder_le64(&path, partition->start);
    builder_le64(&path, partition->size);
    builder_bytes(&path, span_of(partition->guid.bytes, sizeof(partition->guid.bytes)));
    builder_u8(&path, 2); /* GPT */
    builder_u8(&path, 2); /* signature is a GUID */
    builder_bytes(&path, span_of(end, sizeof(end)));
    if (path.failed)
        host_fail("a device path that is too long");
    return path.used;
}

size_t host_add_volume(struct host *host, const struct host_partition *partition, uint64_t capacity)
{
    uint8_t path[HOST_PARTITION_PATH_SIZE];
    char alias[32];
    size_t size = host_partition_path(host, partition, path);

    snprintf(alias, sizeof(alias), "FS%zu:", mem_files_port(host->files).volume_count);
    return mem_files_add_volume(host->files, span_of(path, size), alias, capacity);
}

static uint64_t seed_of_disk(uint64_t seed, size_t disk)
{
    bool special = seed == MEM_BLOCK_LOSE_ALL || seed == MEM_BLOCK_KEEP_ALL;

    return special ? seed : seed + disk * SEED_STEP;
}

void host_power_cut(struct host *host, uint64_t seed)
{
    for (size_t i = 0; i < host->disk_count; i++) {
        if (host->disks[i] != NULL)
            mem_block_cut(host->disks[i], seed_of_disk(seed, i));
    }
}

struct host *host_after_cut(const struct host *host, uint64_t seed)
{
    struct host *after = host_clone(host);

    for (size_t i = 0; i < host->disk_count; i++) {
        if (host->disks[i] == NULL)
            continue;
        mem_block_free(after->disks[i]);
        after->disks[i] = mem_block_replay_seed(host->disks[i], mem_block_log_count(host->disks[i]),
                                                seed_of_disk(seed, i));
    }
    return after;
}

static enum status renew(void *ctx, struct mem_files *files)
{
    struct host *host = ctx;

    (void)files;
    return host->renewal(host);
}

const struct ports *host_ports(struct host *host)
{
    for (size_t i = 0; i < host->disk_count; i++) {
        if (host->disks[i] != NULL)
            host->blocks[i] = mem_block_port(host->disks[i]);
    }
    if (host->renewal != NULL)
        mem_files_set_renewal(host->files, renew, host);
    host->ports.disks = host->blocks;
    host->ports.disk_count = host->disk_count;
    host->ports.vars = mem_vars_port(host->vars);
    host->ports.files = mem_files_port(host->files);
    host->ports.console = host_console_port(host->console);
    host->ports.clock = host_clock_fixed(&host->clock);
    host->ports.start = host_start_port(host->start);
    host->ports.architecture = host->architecture;
    host->ports.firmware = host->firmware;
    return &host->ports;
}
