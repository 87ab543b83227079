#define _GNU_SOURCE /* SEEK_DATA */
#include "unit/image_machine_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/host_alloc.h"
#include "unit/disk_machine_fixture.h"

#define PIECE (1u << 20)

/* Copies what is no hole. */
static bool load_pieces(int file, uint64_t size, struct mem_block *disk)
{
    uint8_t *data = host_alloc(1, PIECE);
    off_t at = lseek(file, 0, SEEK_DATA);
    bool good = true;

    while (at >= 0 && (uint64_t)at < size && good) {
        off_t hole = lseek(file, at, SEEK_HOLE);
        uint64_t end = (uint64_t)hole < size ? (uint64_t)hole : size;
        while ((uint64_t)at < end && good) {
            size_t part = end - (uint64_t)at < PIECE ? (size_t)(end - (uint64_t)at) : PIECE;
            good = pread(file, data, part, at) == (ssize_t)part;
            mem_block_write(disk, (uint64_t)at, data, part);
            at += (off_t)part;
        }
        at = lseek(file, at, SEEK_DATA);
    }
    free(data);
    return good;
}

static bool add_disk(struct host *host, const struct host_disk_option *option)
{
    uint8_t path[DISK_PATH_SIZE];
    size_t path_size = disk_path_make(option->controller, option->position, path);
    int file = open(option->file, O_RDONLY | O_CLOEXEC);
    struct stat info;
    char model[32];

    if (file < 0 || fstat(file, &info) != 0)
        return host_options_complain("cannot be read", option->file);
    snprintf(model, sizeof(model), "Image disk %u", option->position);
    uint64_t blocks = (uint64_t)info.st_size / option->block_size;
    struct mem_block *disk =
        mem_block_new(option->block_size, blocks, span_of(path, path_size), model);
    size_t index = host_add_block(host, mem_block_port(disk));
    host->disks[index] = disk;
    bool good = load_pieces(file, blocks * option->block_size, disk);
    close(file);
    return good || host_options_complain("cannot be read", option->file);
}

static bool add_disks(struct host *host, const struct host_options *options)
{
    for (size_t i = 0; i < options->disk_count; i++) {
        if (!add_disk(host, &options->disks[i]))
            return false;
    }
    for (size_t i = 0; i < options->bad_count; i++) {
        size_t disk = host_options_disk_at(options, options->bad[i].position);
        if (disk == options->disk_count)
            return host_options_complain("no disk at this place", "--bad");
        mem_block_spoil(host->disks[disk], options->bad[i].lba, options->bad[i].count);
    }
    return true;
}

struct host *image_machine_new(const struct host_options *options, bool stick)
{
    struct mem_vars *vars = host_options_load_vars(options);

    if (vars == NULL)
        return NULL;
    struct host *host = host_new();
    mem_vars_free(host->vars);
    host->vars = vars;
    host->architecture = options->architecture;
    host_start_take_options(host->start, options);
    if (options->has_date)
        host->clock.time = options->date;
    if (!add_disks(host, options)) {
        host_free(host);
        return NULL;
    }
    if (stick)
        disk_machine_add_stick(host);
    disk_machine_follow(host);
    return host;
}
