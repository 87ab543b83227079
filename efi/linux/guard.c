#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "guard.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "device.h"
#include "loop.h"
#include "mounts.h"

#define NAME_SIZE 256

/* A place on the disk: all of it, or a partition. */
struct part {
    const struct linux_calls *calls;
    struct linux_place at;
    const char *above;    /* the loop device through which it is written, or NULL */
    char name[NAME_SIZE]; /* as the kernel calls it: "sdb1" */
    char *why;
};

static bool say_why(const struct part *part, const char *what, const char *who, const char *type)
{
    snprintf(part->why, LINUX_GUARD_WHY, "%.64s %s %.160s. Free it first: %s %.160s", part->name,
             what, who, type, who);
    return false;
}

static bool say_taken(const struct part *part, const char *holder, const char *type)
{
    snprintf(part->why, LINUX_GUARD_WHY, "%.64s is taken by /dev/%.100s. Free it first: %.200s",
             part->name, holder, type);
    return false;
}

/* --- Mounted -------------------------------------------------------------------------------- */

/* True when the path is the device's node. */
static bool is_node_of(const char *path, dev_t device)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISBLK(info.st_mode) && info.st_rdev == device;
}

/* True when the kernel's list of mounts has nothing on it; otherwise, and without that list, says why not. */
static bool is_unmounted(const struct part *part)
{
    char name[NAME_SIZE];
    char *line = NULL;
    size_t room = 0;
    bool good = true;

    snprintf(name, sizeof(name), "%s/proc/self/mountinfo", part->calls->root);
    FILE *from = fopen(name, "re");
    if (from == NULL)
        return say_why(part, "cannot be asked about: there is no", name, "mount -t proc proc");
    while (good && getline(&line, &room, from) >= 0) {
        struct linux_mount mount;
        if (linux_mount_take(line, &mount) &&
            (mount.device == part->at.device || is_node_of(mount.source, part->at.device)))
            good = say_why(part, "is mounted on", mount.point, "umount");
    }
    free(line);
    fclose(from);
    return good;
}

/* Lines of /proc/swaps begin with the device or file, below a heading. */
static bool is_unswapped(const struct part *part)
{
    char name[NAME_SIZE];
    char *line = NULL;
    size_t room = 0;
    bool good = true;

    snprintf(name, sizeof(name), "%s/proc/swaps", part->calls->root);
    FILE *from = fopen(name, "re");
    if (from == NULL)
        return true; /* a kernel without swapping */
    while (good && getline(&line, &room, from) >= 0) {
        line[strcspn(line, " \t\n")] = 0;
        linux_mount_unescape(line);
        if (line[0] == '/' && is_node_of(line, part->at.device))
            good = say_why(part, "is swapped to, as", line, "swapoff");
    }
    free(line);
    fclose(from);
    return good;
}

/* --- Taken ---------------------------------------------------------------------------------- */

/* The first entry of a folder but the dots; false without any. */
static bool first_in(const char *folder, char *ret_name, size_t size)
{
    DIR *from = opendir(folder);
    const struct dirent *entry = NULL;

    if (from == NULL)
        return false;
    do
        entry = readdir(from);
    while (entry != NULL && entry->d_name[0] == '.');
    if (entry != NULL)
        snprintf(ret_name, size, "%s", entry->d_name);
    closedir(from);
    return entry != NULL;
}

/* The group of a logical volume: its name up to the first single "-", where two are one (lvm(8)). */
static void group_of(const char *volume, char *ret_group, size_t size)
{
    size_t used = 0;

    for (; *volume != 0 && used + 1 < size; volume++) {
        if (volume[0] == '-' && volume[1] != '-')
            break;
        ret_group[used++] = *volume;
        volume += volume[0] == '-';
    }
    ret_group[used] = 0;
}

/* How a device of device mapper is taken off: whose it is stands at the beginning of its UUID. */
static bool say_mapped(const struct part *part, const char *holder)
{
    static const struct {
        const char *uuid;
        const char *type;
    } owners[] = {{"LVM-", "vgchange -an"},
                  {"CRYPT-", "cryptsetup close"},
                  {"mpath-", "multipath -f"},
                  {"", "dmsetup remove"}};
    char file[NAME_SIZE + 32];
    char uuid[NAME_SIZE];
    char name[NAME_SIZE];
    char group[NAME_SIZE];
    char type[NAME_SIZE + 64];
    size_t i = 0;

    snprintf(file, sizeof(file), "holders/%.200s/dm/uuid", holder);
    linux_device_says(part->calls, part->at.device, file, uuid, sizeof(uuid));
    snprintf(file, sizeof(file), "holders/%.200s/dm/name", holder);
    if (!linux_device_says(part->calls, part->at.device, file, name, sizeof(name)))
        snprintf(name, sizeof(name), "%s", holder);
    while (strncmp(uuid, owners[i].uuid, strlen(owners[i].uuid)) != 0)
        i++;
    group_of(name, group, sizeof(group));
    snprintf(type, sizeof(type), "%s %.120s", owners[i].type, i == 0 ? group : name);
    return say_taken(part, holder, type);
}

/* Who lies upon the device: "md127", "dm-3", "bcache0". */
static bool is_untaken(const struct part *part)
{
    char folder[PATH_MAX];
    char holder[NAME_SIZE];
    char type[NAME_SIZE + 64];

    linux_device_path(part->calls, part->at.device, "holders", folder);
    if (!first_in(folder, holder, sizeof(holder)))
        return true;
    if (strncmp(holder, "dm-", 3) == 0)
        return say_mapped(part, holder);
    if (strncmp(holder, "md", 2) == 0)
        snprintf(type, sizeof(type), "mdadm --stop /dev/%s", holder);
    else if (strncmp(holder, "bcache", 6) == 0)
        snprintf(type, sizeof(type), "echo 1 >/sys/block/%s/bcache/stop", holder);
    else
        snprintf(type, sizeof(type), "lsblk %.200s shows what uses it", part->name);
    return say_taken(part, holder, type);
}

/* A disk that a loop device lies over is a disk twice. */
static bool is_unlooped(const struct part *part)
{
    char folder[PATH_MAX];
    bool good = true;

    snprintf(folder, sizeof(folder), "%s/sys/block", part->calls->root);
    DIR *from = opendir(folder);
    if (from == NULL)
        return say_why(part, "cannot be asked about: there is no", folder, "mount -t sysfs sysfs");
    for (const struct dirent *entry = readdir(from); entry != NULL && good; entry = readdir(from)) {
        struct linux_loop loop;
        char node[NAME_SIZE + 8];
        if ((part->above != NULL && strcmp(part->above, entry->d_name) == 0) ||
            !linux_loop_read(part->calls, entry->d_name, &loop) ||
            !linux_place_is_in(&loop.under, &part->at))
            continue;
        snprintf(node, sizeof(node), "/dev/%s", loop.name);
        good = say_why(part, "is taken by", node, "losetup -d");
    }
    closedir(from);
    return good;
}

static bool part_is_free(const struct part *part)
{
    return is_untaken(part) && is_unmounted(part) && is_unswapped(part) && is_unlooped(part);
}

/* The partitions of a disk are the folders in its own that have a file "partition". */
static bool partitions_are_free(const struct part *disk)
{
    char folder[PATH_MAX];
    bool good = true;

    linux_device_path(disk->calls, disk->at.device, "", folder);
    DIR *from = opendir(folder);
    if (from == NULL)
        return say_why(disk, "cannot be asked about: there is no", folder, "mount -t sysfs sysfs");
    for (const struct dirent *entry = readdir(from); entry != NULL && good; entry = readdir(from)) {
        struct part part = *disk;
        char name[NAME_SIZE + 16];
        char text[16];
        snprintf(name, sizeof(name), "%.200s/partition", entry->d_name);
        if (entry->d_name[0] == '.' ||
            !linux_device_says(disk->calls, disk->at.device, name, text, sizeof(text)))
            continue;
        snprintf(name, sizeof(name), "%.200s/dev", entry->d_name);
        if (!linux_device_number(disk->calls, disk->at.device, name, &part.at.device))
            continue;
        snprintf(part.name, sizeof(part.name), "/dev/%.240s", entry->d_name);
        good = part_is_free(&part);
    }
    closedir(from);
    return good;
}

static bool disk_is_free(const struct part *disk)
{
    if (disk->at.is_file)
        return is_unlooped(disk);
    return part_is_free(disk) && partitions_are_free(disk);
}

bool linux_guard_is_free(const struct linux_calls *calls, const char *file,
                         char ret_why[LINUX_GUARD_WHY])
{
    struct part disk = {.calls = calls, .why = ret_why};
    struct linux_loop loop;
    char above[LINUX_LOOP_NAME];

    snprintf(disk.name, sizeof(disk.name), "%.200s", file);
    if (!linux_place_of(file, &disk.at)) {
        snprintf(ret_why, LINUX_GUARD_WHY, "neither a block device nor an image file");
        return false;
    }
    for (int depth = 0; depth < LINUX_LOOP_DEPTH; depth++) {
        if (!disk_is_free(&disk))
            return false;
        if (!linux_loop_at(calls, &disk.at, &loop))
            return true;
        snprintf(above, sizeof(above), "%s", loop.name);
        snprintf(disk.name, sizeof(disk.name), "%.200s", loop.backing);
        disk.at = loop.under;
        disk.above = above;
    }
    return say_why(&disk, "lies under too many loop devices of", above, "losetup -d");
}

bool linux_guard_is_partition(const struct linux_calls *calls, const char *file, char *ret_disk,
                              size_t size)
{
    char folder[PATH_MAX];
    char name[NAME_SIZE];
    char text[16];
    struct stat info;

    if (stat(file, &info) != 0 || !S_ISBLK(info.st_mode) ||
        !linux_device_says(calls, info.st_rdev, "partition", text, sizeof(text)))
        return false;
    linux_device_path(calls, info.st_rdev, "..", folder);
    snprintf(ret_disk, size, "/dev/%s", linux_device_name(folder, name, sizeof(name)) ? name : "?");
    return true;
}

/* SCSI and ATA say it of the device, NVMe of the disk. */
static bool read_unit_name(const struct linux_calls *calls, const char *file,
                           char ret_name[NAME_SIZE], char ret_size[32])
{
    struct linux_place place;

    return linux_place_of(file, &place) && !place.is_file &&
           (linux_device_says(calls, place.device, "device/wwid", ret_name, NAME_SIZE) ||
            linux_device_says(calls, place.device, "wwid", ret_name, NAME_SIZE)) &&
           ret_name[0] != 0 && linux_device_says(calls, place.device, "size", ret_size, 32);
}

bool linux_guard_is_same_unit(const struct linux_calls *calls, const char *a, const char *b)
{
    char names[2][NAME_SIZE];
    char sizes[2][32];

    return read_unit_name(calls, a, names[0], sizes[0]) &&
           read_unit_name(calls, b, names[1], sizes[1]) && strcmp(names[0], names[1]) == 0 &&
           strcmp(sizes[0], sizes[1]) == 0;
}
