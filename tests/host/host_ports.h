/*
 * A whole machine for tests: disks, variables and files in memory, a captured console and a clock
 * that stands still. Tests change the parts directly and then ask for the ports.
 */
#ifndef SHADOWBOOT_HOST_HOST_PORTS_H
#define SHADOWBOOT_HOST_HOST_PORTS_H

#include "host/disk_path.h"
#include "host/host_clock.h"
#include "host/host_console.h"
#include "host/host_start.h"
#include "host/mem_block.h"
#include "host/mem_files.h"
#include "host/mem_vars.h"
#include "port/ports.h"

#define HOST_MAX_DISKS 64

struct host {
    struct mem_block *disks[HOST_MAX_DISKS]; /* NULL for a disk added by host_add_block */
    bool disks_are_final;                    /* no more can be added */
    struct mem_vars *vars;
    struct mem_files *files;
    struct host_console *console;
    struct host_clock clock;
    struct host_start *start;
    const char *architecture;
    struct firmware_info firmware;
    /* Called when volumes are renewed, as mem_files_set_renewal says; NULL: they stay as they
     * are. */
    enum status (*renewal)(struct host *host);

    struct block_port blocks[HOST_MAX_DISKS];
    size_t disk_count;
    struct ports ports; /* as host_ports made it last */
};

/* A partition, for the device path of a volume on it. */
struct host_partition {
    size_t disk;     /* index of the disk */
    uint32_t number; /* GPT entry index + 1 */
    uint64_t start;  /* logical block */
    uint64_t size;   /* logical blocks */
    struct guid guid;
};

#define HOST_PARTITION_PATH_SIZE (DISK_PATH_SIZE + 42)

/*
 * A machine without disks and variables: an empty store of OVMF's size, no volumes, "X64", and
 * 2026-01-02 03:04:05.
 */
struct host *host_new(void);
void host_free(struct host *host);

/*
 * The same machine once more with disks, variables and files of its own, an empty console, and
 * nothing started yet. Only disks added by host_add_block are shared.
 */
struct host *host_clone(const struct host *host);

/* Adds an empty disk with a device path for its position among the disks; gives its index. */
size_t host_add_disk(struct host *host, enum disk_controller controller, uint32_t block_size,
                     uint64_t block_count);

/* Adds a disk made elsewhere, which must outlive the machine; gives its index. */
size_t host_add_block(struct host *host, struct block_port block);

/* Writes the device path of a partition, disk and hard drive node; gives its size in bytes. */
size_t host_partition_path(const struct host *host, const struct host_partition *partition,
                           uint8_t ret_path[HOST_PARTITION_PATH_SIZE]);

/* Adds an empty volume named FS0:, FS1:, ... on the partition; as mem_files_add_volume. */
size_t host_add_volume(struct host *host, const struct host_partition *partition,
                       uint64_t capacity);

/* The power goes: what the disks' caches hold is lost or kept as `seed` says (see mem_block_cut),
 * on each disk in another way. */
void host_power_cut(struct host *host, uint64_t seed);

/* The machine as such a cut would leave it, once more; this one goes on. To be freed. */
struct host *host_after_cut(const struct host *host, uint64_t seed);

/* The ports as the machine is now: valid until it is asked again or freed. */
const struct ports *host_ports(struct host *host);

#endif
