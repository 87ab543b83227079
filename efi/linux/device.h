/* What Linux says of a block device: /sys/dev/block/MAJOR:MINOR leads to its folder in sysfs. */
#ifndef SHADOWBOOT_LINUX_DEVICE_H
#define SHADOWBOOT_LINUX_DEVICE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"
#include "calls.h"

struct linux_geometry {
    uint32_t block_size; /* bytes of a logical block */
    uint64_t bytes;
    bool read_only;
};

/* Asks the open device (BLKSSZGET, BLKGETSIZE64, BLKROGET). Statuses: ST_OK; ST_IO. */
MUST_CHECK enum status linux_device_geometry(const struct linux_calls *calls, int fd,
                                             struct linux_geometry *ret_geometry);

/* True when sysfs says that the medium can be taken out. */
bool linux_device_is_removable(const struct linux_calls *calls, dev_t device);

/* Model and serial number of the device, with single blanks; "" when it says neither. */
void linux_device_model(const struct linux_calls *calls, dev_t device, char *ret_text, size_t size);

/*
 * The first line of the file `name` in the folder of the device in sysfs, without its end and blanks
 * around it. False when there is none; then `ret_text` is "".
 */
bool linux_device_says(const struct linux_calls *calls, dev_t device, const char *name,
                       char *ret_text, size_t size);

/* The path of `name` in that folder; "" for the folder itself. */
void linux_device_path(const struct linux_calls *calls, dev_t device, const char *name,
                       char ret_path[PATH_MAX]);

/* What the kernel calls the device whose folder `path` leads to: "sda1". False without such a folder;
 * then `ret_name` is "". */
bool linux_device_name(const char *path, char *ret_name, size_t size);

/* The number of another device, "MAJOR:MINOR" in a file as linux_device_says reads it. False when
 * there is none; then `ret_number` is unchanged. */
bool linux_device_number(const struct linux_calls *calls, dev_t device, const char *name,
                         dev_t *ret_number);

#endif
