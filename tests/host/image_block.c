#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64

#include "host/image_block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/disk_port.h"
#include "host/host_alloc.h"

struct image_block {
    int fd;
    struct block_port port;
};

/* Bytes of the open file; 0 when it is no regular file and no block device. */
static uint64_t file_size(int fd)
{
    struct stat info;

    if (fstat(fd, &info) != 0 || S_ISDIR(info.st_mode))
        return 0;
    off_t end = lseek(fd, 0, SEEK_END);
    return end > 0 ? (uint64_t)end : 0;
}

static enum status read_blocks(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct image_block *disk = ctx;
    uint8_t *to = ret_data;

    if (lba > disk->port.block_count || count > disk->port.block_count - lba)
        return ST_IO;
    uint64_t offset = lba * disk->port.block_size;
    uint64_t left = (uint64_t)count * disk->port.block_size;
    while (left > 0) {
        ssize_t got = pread(disk->fd, to, (size_t)left, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ST_IO;
        to += got;
        offset += (uint64_t)got;
        left -= (uint64_t)got;
    }
    return ST_OK;
}

static enum status write_blocks(void *ctx, uint64_t lba, uint32_t count, const void *data)
{
    struct image_block *disk = ctx;
    const uint8_t *from = data;

    if (lba > disk->port.block_count || count > disk->port.block_count - lba)
        return ST_IO;
    if (disk->port.read_only)
        return ST_READ_ONLY;
    uint64_t offset = lba * disk->port.block_size;
    uint64_t left = (uint64_t)count * disk->port.block_size;
    while (left > 0) {
        ssize_t done = pwrite(disk->fd, from, (size_t)left, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ST_IO;
        from += done;
        offset += (uint64_t)done;
        left -= (uint64_t)done;
    }
    return ST_OK;
}

static enum status flush_blocks(void *ctx)
{
    struct image_block *disk = ctx;

    return disk->port.read_only || fsync(disk->fd) == 0 ? ST_OK : ST_IO;
}

enum status image_block_open(const char *file, uint32_t block_size, struct span path,
                             const char *model, struct image_block **ret_disk)
{
    bool read_only = access(file, W_OK) != 0;
    int fd = open(file, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? ST_ABSENT : ST_IO;
    if (file_size(fd) < block_size) {
        close(fd);
        return ST_IO;
    }
    struct image_block *disk = host_alloc(1, sizeof(*disk));
    disk->fd = fd;
    disk->port = disk_port_new(block_size, file_size(fd) / block_size, path, model);
    disk->port.ctx = disk;
    disk->port.read = read_blocks;
    disk->port.write = write_blocks;
    disk->port.flush = flush_blocks;
    disk->port.read_only = read_only;
    *ret_disk = disk;
    return ST_OK;
}

void image_block_close(struct image_block *disk)
{
    if (disk == NULL)
        return;
    close(disk->fd);
    disk_port_free(&disk->port);
    free(disk);
}

struct block_port image_block_port(struct image_block *disk)
{
    return disk->port;
}
