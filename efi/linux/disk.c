#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"

#define BLOCK_SIZE_MIN     512u
#define BLOCK_SIZE_MAX     65536u
#define BLOCK_SIZE_USUAL   512u
#define GPT_SIGNATURE      "EFI PART" /* UEFI Specification 5.3.2; in block 1 and in the last one */
#define GPT_SIGNATURE_SIZE 8u
#define PAGE_SIZE_MAX      ((uint64_t)2 << 20) /* the kernel joins its pages up to this size */

static bool is_in_range(const struct linux_disk *disk, uint64_t lba, uint32_t count)
{
    return lba <= disk->port.block_count && count <= disk->port.block_count - lba;
}

/* All of the bytes, in as many calls as it takes. */
static enum status disk_get(const struct linux_disk *disk, uint64_t offset, void *ret_data,
                            size_t size)
{
    uint8_t *to = ret_data;

    while (size > 0) {
        ssize_t got = disk->calls->read_at(disk->fd, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ST_IO;
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return ST_OK;
}

static enum status disk_put(const struct linux_disk *disk, uint64_t offset, const uint8_t *from,
                            size_t size)
{
    while (size > 0) {
        ssize_t done = disk->calls->write_at(disk->fd, from, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 && (errno == EROFS || errno == EPERM) ? ST_READ_ONLY : ST_IO;
        from += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return ST_OK;
}

/* False when it is shorter than when it was opened, or gone: of what was planned for it a part may have
 * no place any more. */
static bool is_as_large(const struct linux_disk *disk)
{
    struct linux_geometry geometry;
    struct stat info;
    uint64_t wanted = disk->port.block_count * disk->port.block_size;

    if (disk->is_device)
        return linux_device_geometry(disk->calls, disk->fd, &geometry) == ST_OK &&
               geometry.bytes >= wanted;
    return fstat(disk->fd, &info) == 0 && (uint64_t)info.st_size >= wanted;
}

static enum status disk_write(void *ctx, uint64_t lba, uint32_t count, const void *data)
{
    struct linux_disk *disk = ctx;
    uint32_t block_size = disk->port.block_size;

    if (!is_in_range(disk, lba, count))
        return ST_IO;
    if (disk->port.read_only || !disk->writable)
        return ST_READ_ONLY;
    if (!disk->written && !is_as_large(disk))
        return ST_IO;
    uint64_t from = lba * block_size;
    uint64_t to = from + (uint64_t)count * block_size;
    bool clean = disk->dirty_from == disk->dirty_to;
    disk->dirty_from = clean || from < disk->dirty_from ? from : disk->dirty_from;
    disk->dirty_to = clean || to > disk->dirty_to ? to : disk->dirty_to;
    disk->written = true;
    return disk_put(disk, from, data, (size_t)(to - from));
}

/* Pages that are dropped in part stay in the cache, so whole ones are. */
static enum status disk_flush(void *ctx)
{
    struct linux_disk *disk = ctx;

    if (disk->dirty_from == disk->dirty_to)
        return ST_OK;
    if (disk->calls->sync(disk->fd) != 0)
        return ST_IO;
    uint64_t from = disk->dirty_from / PAGE_SIZE_MAX * PAGE_SIZE_MAX;
    uint64_t to = (disk->dirty_to + PAGE_SIZE_MAX - 1) / PAGE_SIZE_MAX * PAGE_SIZE_MAX;
    disk->calls->forget(disk->fd, (off_t)from, (off_t)(to - from));
    disk->dirty_from = 0;
    disk->dirty_to = 0;
    return ST_OK;
}

/* What was just written is read to be compared: that has to be what the medium has. */
static enum status disk_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct linux_disk *disk = ctx;
    uint32_t block_size = disk->port.block_size;

    if (!is_in_range(disk, lba, count))
        return ST_IO;
    uint64_t from = lba * block_size;
    uint64_t to = from + (uint64_t)count * block_size;
    enum status status = from < disk->dirty_to && disk->dirty_from < to ? disk_flush(disk) : ST_OK;
    if (status != ST_OK)
        return status;
    return disk_get(disk, from, ret_data, (size_t)(to - from));
}

static bool has_gpt_at(const struct linux_disk *disk, uint64_t offset)
{
    char signature[GPT_SIGNATURE_SIZE];

    return disk_get(disk, offset, signature, sizeof(signature)) == ST_OK &&
           memcmp(signature, GPT_SIGNATURE, sizeof(signature)) == 0;
}

/* Of an image nobody says how long its blocks are; the header of a GPT lies in block 1, its copy in
 * the last one. 0 when neither is there. */
static uint32_t block_size_by_gpt(const struct linux_disk *disk, uint64_t bytes)
{
    for (uint32_t size = 512; size <= 4096; size *= 8) {
        if (bytes >= 2 * size && (has_gpt_at(disk, size) || has_gpt_at(disk, bytes - size)))
            return size;
    }
    return 0;
}

static enum status see_device(struct linux_disk *disk, const struct linux_disk_request *request,
                              dev_t device, uint64_t *ret_bytes)
{
    struct linux_geometry geometry;
    enum status status = linux_device_geometry(disk->calls, disk->fd, &geometry);

    if (status != ST_OK)
        return status;
    if (request->block_size != 0 && request->block_size != geometry.block_size)
        return ST_USAGE;
    disk->is_device = true;
    disk->port.block_size = geometry.block_size;
    disk->port.read_only = geometry.read_only;
    disk->port.removable = linux_device_is_removable(disk->calls, device);
    linux_device_model(disk->calls, device, disk->model, sizeof(disk->model));
    *ret_bytes = geometry.bytes;
    return ST_OK;
}

static void see_file(struct linux_disk *disk, const struct linux_disk_request *request,
                     uint64_t bytes)
{
    const char *name = strrchr(request->file, '/');

    disk->port.block_size =
        request->block_size == 0 ? block_size_by_gpt(disk, bytes) : request->block_size;
    disk->guessed = disk->port.block_size == 0;
    if (disk->guessed)
        disk->port.block_size = BLOCK_SIZE_USUAL;
    disk->port.read_only = access(request->file, W_OK) != 0;
    snprintf(disk->model, sizeof(disk->model), "%s", name == NULL ? request->file : name + 1);
}

/* What the open file is, and how large. */
static enum status see(struct linux_disk *disk, const struct linux_disk_request *request)
{
    struct stat info;
    uint64_t bytes = 0;
    enum status status = ST_OK;

    if (fstat(disk->fd, &info) != 0)
        return ST_IO;
    if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
        return ST_UNSUPPORTED;
    if (S_ISBLK(info.st_mode))
        status = see_device(disk, request, info.st_rdev, &bytes);
    else
        see_file(disk, request, bytes = (uint64_t)info.st_size);
    if (status != ST_OK)
        return status;
    uint32_t block_size = disk->port.block_size;
    if (block_size < BLOCK_SIZE_MIN || block_size > BLOCK_SIZE_MAX ||
        (block_size & (block_size - 1)) != 0)
        return ST_UNSUPPORTED;
    disk->port.block_count = bytes / block_size;
    if (request->model != NULL)
        snprintf(disk->model, sizeof(disk->model), "%s", request->model);
    if (disk->port.block_count == 0)
        return ST_IO;
    return request->write && disk->port.read_only ? ST_READ_ONLY : ST_OK;
}

/* Locks a file against this program (flock), and against virtual machines, which lock single bytes of
 * their images (QEMU does so by open file descriptions). */
static bool lock_file(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

static enum status open_file(const struct linux_disk_request *request, int *ret_fd)
{
    struct stat info;

    if (stat(request->file, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? ST_ABSENT : ST_IO;
    bool alone = request->alone && S_ISBLK(info.st_mode);
    int flags =
        (request->write ? O_RDWR : O_RDONLY) | (alone ? O_EXCL : 0) | O_CLOEXEC | O_NONBLOCK;
    int fd = open(request->file, flags);
    if (fd < 0 && errno == EBUSY)
        return ST_REFUSED;
    if (fd < 0)
        return request->write && (errno == EROFS || errno == EACCES || errno == EPERM)
                   ? ST_READ_ONLY
                   : ST_IO;
    if (request->alone && S_ISREG(info.st_mode) && !lock_file(fd)) {
        close(fd);
        return ST_REFUSED;
    }
    *ret_fd = fd;
    return ST_OK;
}

enum status linux_disk_open(const struct linux_calls *calls,
                            const struct linux_disk_request *request, struct linux_disk *ret_disk)
{
    struct linux_disk disk = {.calls = calls, .writable = request->write};
    enum status status =
        request->path.size > sizeof(disk.path) ? ST_UNSUPPORTED : open_file(request, &disk.fd);

    if (status != ST_OK)
        return status;
    status = see(&disk, request);
    if (status != ST_OK) {
        close(disk.fd);
        return status;
    }
    *ret_disk = disk;
    memcpy(ret_disk->path, request->path.at, request->path.size);
    ret_disk->port.ctx = ret_disk;
    ret_disk->port.path = span_of(ret_disk->path, request->path.size);
    ret_disk->port.model = ret_disk->model;
    ret_disk->port.read = disk_read;
    ret_disk->port.write = disk_write;
    ret_disk->port.flush = disk_flush;
    return ST_OK;
}

void linux_disk_reread_table(const struct linux_disk *disk)
{
    if (disk->is_device)
        (void)disk->calls->control(disk->fd, BLKRRPART, NULL);
}

void linux_disk_close(struct linux_disk *disk)
{
    if (disk->written)
        linux_disk_reread_table(disk);
    close(disk->fd);
}
