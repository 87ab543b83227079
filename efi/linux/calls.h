/*
 * What the ports ask of the Linux kernel. Where trouble with a device comes from, so tests bring their
 * own calls, and a /sys and a /proc of their own.
 */
#ifndef SHADOWBOOT_LINUX_CALLS_H
#define SHADOWBOOT_LINUX_CALLS_H

#include <stddef.h>
#include <sys/types.h>

struct linux_calls {
    const char *root; /* the folder that /sys and /proc are in: "" for the kernel's own */

    /* As pread, pwrite, fsync and ioctl of POSIX and Linux: results, errno and all. */
    ssize_t (*read_at)(int fd, void *ret_data, size_t size, off_t offset);
    ssize_t (*write_at)(int fd, const void *data, size_t size, off_t offset);
    int (*sync)(int fd);
    int (*control)(int fd, unsigned long request, void *argument);

    /* Takes what was read or written of so many bytes out of the kernel's cache, as far as it is on
     * the medium: the next read comes from there (posix_fadvise, POSIX_FADV_DONTNEED). */
    void (*forget)(int fd, off_t offset, off_t size);
};

/* The kernel's own. */
const struct linux_calls *linux_calls(void);

#endif
