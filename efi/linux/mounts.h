/* What is mounted: /proc/self/mountinfo (proc(5)). */
#ifndef SHADOWBOOT_LINUX_MOUNTS_H
#define SHADOWBOOT_LINUX_MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "calls.h"

/* Texts lie in the line that was taken apart, and are as they were before the kernel escaped them. */
struct linux_mount {
    dev_t
        device; /* some file systems (btrfs) have a number of their own, and tell theirs as source */
    const char *point;
    const char *type;
    char *source;
    char *options; /* of the file system */
};

/* Undoes what the kernel makes of blanks in a path: "\040". */
void linux_mount_unescape(char *io_path);

/* Takes a line apart, which is changed by it. False when it is none. */
bool linux_mount_take(char *io_line, struct linux_mount *ret_mount);

/*
 * True when the files of a folder (or a file) are gone with the power: its file system, what an
 * overlay writes to, or a device somewhere under it is in memory. What is not to be seen from here, as
 * the upper folder of a live system's root, counts as memory.
 */
bool linux_mount_is_in_memory(const struct linux_calls *calls, const char *path);

#endif
