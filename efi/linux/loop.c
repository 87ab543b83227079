#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "loop.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device.h"

bool linux_place_of(const char *file, struct linux_place *ret_place)
{
    struct stat info;

    if (stat(file, &info) != 0 || (!S_ISBLK(info.st_mode) && !S_ISREG(info.st_mode)))
        return false;
    bool is_file = !S_ISBLK(info.st_mode);
    *ret_place = (struct linux_place){.is_file = is_file,
                                      .device = is_file ? info.st_dev : info.st_rdev,
                                      .inode = is_file ? info.st_ino : 0};
    return true;
}

bool linux_place_is_in(const struct linux_place *a, const struct linux_place *b)
{
    return a->is_file == b->is_file && a->device == b->device && a->inode == b->inode;
}

/* The numbers are as the kernel packs them, which is how makedev does for all that it has. */
static bool ask_loop(const struct linux_calls *calls, const char *name,
                     struct linux_place *ret_place)
{
    struct loop_info64 info = {0};
    char node[PATH_MAX];

    snprintf(node, sizeof(node), "%s/dev/%s", calls->root, name);
    int fd = open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool good = calls->control(fd, LOOP_GET_STATUS64, &info) == 0;
    close(fd);
    /* Of a file some kernels give the number of its file system twice, others 0. */
    bool is_file = info.lo_rdevice == 0 || info.lo_rdevice == info.lo_device;
    *ret_place = (struct linux_place){.is_file = is_file,
                                      .device = is_file ? info.lo_device : info.lo_rdevice,
                                      .inode = is_file ? info.lo_inode : 0,
                                      .offset = info.lo_offset};
    return good;
}

bool linux_loop_read(const struct linux_calls *calls, const char *name, struct linux_loop *ret_loop)
{
    struct linux_loop loop = {0};
    char file[PATH_MAX];
    char backing[PATH_MAX] = "";

    snprintf(file, sizeof(file), "%s/sys/block/%s/loop/backing_file", calls->root, name);
    FILE *said = fopen(file, "re");
    bool good = said != NULL && fgets(backing, sizeof(backing), said) != NULL;
    if (said != NULL)
        fclose(said);
    backing[strcspn(backing, "\n")] = 0;
    snprintf(loop.name, sizeof(loop.name), "%s", name);
    snprintf(loop.backing, sizeof(loop.backing), "%.255s", backing);
    if (!good || (!ask_loop(calls, name, &loop.under) && !linux_place_of(backing, &loop.under)))
        return false;
    *ret_loop = loop;
    return true;
}

bool linux_loop_at(const struct linux_calls *calls, const struct linux_place *place,
                   struct linux_loop *ret_loop)
{
    char folder[PATH_MAX];
    char name[LINUX_LOOP_NAME];

    linux_device_path(calls, place->device, "", folder);
    return !place->is_file && linux_device_name(folder, name, sizeof(name)) &&
           linux_loop_read(calls, name, ret_loop);
}

/* What is under all loop devices. */
static bool find_base(const struct linux_calls *calls, const char *file,
                      struct linux_place *ret_place)
{
    struct linux_loop loop;

    if (!linux_place_of(file, ret_place))
        return false;
    for (int i = 0; i < LINUX_LOOP_DEPTH && linux_loop_at(calls, ret_place, &loop); i++) {
        loop.under.offset += ret_place->offset;
        *ret_place = loop.under;
    }
    return true;
}

bool linux_loop_is_same_disk(const struct linux_calls *calls, const char *a, const char *b)
{
    struct linux_place one;
    struct linux_place other;

    return find_base(calls, a, &one) && find_base(calls, b, &other) &&
           linux_place_is_in(&one, &other) && one.offset == other.offset;
}
