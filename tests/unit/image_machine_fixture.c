#define _GNU_SOURCE /* SEEK_DATA */
#include "unit/image_machine_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/devpath.h"
#include "host/host_alloc.h"
#include "unit/disk_machine_fixture.h"

#define PIECE         (1u << 20)
#define STICK_PROGRAM "\\EFI\\BOOT\\BOOTX64.EFI"

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

/* Puts the program's own file on the stick, which it was started from. */
static bool put_program(struct host *host, const char *image)
{
    int file = open(image, O_RDONLY | O_CLOEXEC);
    struct stat info;

    if (file < 0 || fstat(file, &info) != 0)
        return host_options_complain("cannot be read", image);
    uint8_t *data = host_alloc(1, (size_t)info.st_size);
    bool good = read(file, data, (size_t)info.st_size) == info.st_size;
    mem_files_put(host->files, disk_machine_stick(host), STICK_PROGRAM, data, (size_t)info.st_size);
    host_start_set_self(host->start, false, STICK_PROGRAM);
    free(data);
    close(file);
    return good || host_options_complain("cannot be read", image);
}

/* The volume on that partition is the one that the program was started from. */
static bool be_started_from(struct host *host, const struct host_options *options)
{
    const struct files_port *files = &host_ports(host)->files;
    size_t disk = host_options_disk_at(options, options->self.disk);
    size_t offset = 0;

    for (size_t i = 0; i < files->volume_count && disk < options->disk_count; i++) {
        struct span path = files->volumes[i].path;
        if (devpath_has_prefix(path, host_ports(host)->disks[disk].path, &offset) &&
            ld_le32(path.at + offset + 4) == options->self.partition) {
            mem_files_set_self(host->files, i);
            return true;
        }
    }
    return host_options_complain("no volume", "--self");
}

/* What the program was started from. */
static bool start_from(struct host *host, const struct host_options *options, bool stick,
                       const char *image)
{
    if (stick)
        disk_machine_add_stick(host);
    disk_machine_follow(host);
    if (stick && image != NULL)
        return put_program(host, image);
    return stick || !options->has_self || be_started_from(host, options);
}

struct host *image_machine_new(const struct host_options *options, bool stick, const char *image)
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
    if (!add_disks(host, options) || !start_from(host, options, stick, image)) {
        host_free(host);
        return NULL;
    }
    return host;
}
