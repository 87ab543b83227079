/* What lies under loop devices (loop(4)): they claim nothing, and are in nobody's `holders`. */
#ifndef SHADOWBOOT_LINUX_LOOP_H
#define SHADOWBOOT_LINUX_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "calls.h"

#define LINUX_LOOP_NAME  256 /* bytes of a name with its NUL */
#define LINUX_LOOP_DEPTH 8   /* of loop devices over loop devices, which are looked through */

/* Where bytes lie, whatever the name: a block device, or a file. */
struct linux_place {
    bool is_file;
    dev_t device; /* the block device, or the one that the file's file system is on */
    ino_t inode;  /* 0 of a device */
    uint64_t offset;
};

/* A loop device that is in use. */
struct linux_loop {
    char name[LINUX_LOOP_NAME];    /* "loop3" */
    char backing[LINUX_LOOP_NAME]; /* what is under it, as the kernel calls that; cut when longer */
    struct linux_place under;
};

/* False when there is no such file, or one that is neither a regular file nor a block device. */
bool linux_place_of(const char *file, struct linux_place *ret_place);

/* True for the same device or file, wherever in it. */
bool linux_place_is_in(const struct linux_place *a, const struct linux_place *b);

/*
 * What the loop device `name` lies over, by LOOP_GET_STATUS64, or where that cannot be asked for by
 * the path that sysfs says. False when it is none, lies over nothing, or that is not to be found out.
 */
bool linux_loop_read(const struct linux_calls *calls, const char *name,
                     struct linux_loop *ret_loop);

/* As linux_loop_read for the device at `place`; false for a file as well. */
bool linux_loop_at(const struct linux_calls *calls, const struct linux_place *place,
                   struct linux_loop *ret_loop);

/* True when two names are one disk: the same file or device, or loop devices over one place. */
bool linux_loop_is_same_disk(const struct linux_calls *calls, const char *a, const char *b);

#endif
