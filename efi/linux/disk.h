/*
 * A disk over a block device of Linux or a raw image file. Writes go to the kernel at once; flush
 * returns when they are on the medium, and what is read after it comes from there. So does what is read
 * of blocks that were written: it flushes first.
 */
#ifndef SHADOWBOOT_LINUX_DISK_H
#define SHADOWBOOT_LINUX_DISK_H

#include "port/block.h"
#include "calls.h"

#define LINUX_DISK_PATH_MAX  64  /* bytes of a device path */
#define LINUX_DISK_MODEL_MAX 128 /* bytes of a model with its NUL */

/* How a disk is opened. */
struct linux_disk_request {
    const char *file;
    uint32_t block_size; /* bytes; 0: what the device says, for a file where its GPT lies */
    bool write;          /* false: opened for reading only, and every write is ST_READ_ONLY */
    bool alone;          /* nobody else may hold it: O_EXCL on a device, a lock on a file */
    struct span path;    /* device path with its end node, at most LINUX_DISK_PATH_MAX bytes */
    const char *model;   /* NULL: what the device says, for a file its name */
};

/* Filled in by linux_disk_open; it may not be moved as long as its port is in use. */
struct linux_disk {
    const struct linux_calls *calls;
    struct block_port port; /* read-only when the device or the file is; valid until it is closed */
    bool is_device;
    bool guessed;  /* nothing says how long its blocks are: they are taken to have 512 bytes */
    bool written;  /* since it was opened */
    bool writable; /* it was opened for writing */
    int fd;
    uint64_t dirty_from, dirty_to; /* bytes that were written since the last flush */
    uint8_t path[LINUX_DISK_PATH_MAX];
    char model[LINUX_DISK_MODEL_MAX];
};

/*
 * Opens a disk. Its first write is ST_IO when it has become shorter meanwhile. Bytes behind its last whole block are left out. `calls` must outlive it. Statuses:
 * ST_OK; ST_ABSENT when there is no such file; ST_UNSUPPORTED for what is neither a regular file nor
 * a block device, and for blocks that no port has; ST_USAGE for a device whose blocks have another
 * length than is asked for; ST_REFUSED when it is to be alone and somebody else
 * holds it; ST_READ_ONLY when it is to be written and the device or the file is write-protected; ST_IO
 * when it cannot be opened, or has not one block. On failure nothing stays open.
 */
MUST_CHECK enum status linux_disk_open(const struct linux_calls *calls,
                                       const struct linux_disk_request *request,
                                       struct linux_disk *ret_disk);

/* Has the kernel read the partition table of a device anew if it was written, and closes it. */
void linux_disk_close(struct linux_disk *disk);

/* Has the kernel read the partition table of a device anew; of a file it has none. It may find that
 * somebody holds a partition, and goes on with the old one then. */
void linux_disk_reread_table(const struct linux_disk *disk);

#endif
