#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "mounts.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "device.h"
#include "loop.h"

#define DEPTH_MAX 16 /* of file systems on devices on files */

void linux_mount_unescape(char *io_path)
{
    char *to = io_path;

    for (const char *from = io_path; *from != 0; from++, to++) {
        unsigned value = 0;
        *to = *from;
        if (*from == '\\' && sscanf(from + 1, "%3o", &value) == 1) {
            *to = (char)value;
            from += 3;
        }
    }
    *to = 0;
}

/* Ends the word at `*io_at`, which is then the next one. */
static char *take_word(char **io_at)
{
    char *word = *io_at;
    size_t length = strcspn(word, " \n");

    *io_at += length + (word[length] != 0);
    word[length] = 0;
    linux_mount_unescape(word);
    return word;
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG ...] - TYPE SOURCE OPTIONS. */
bool linux_mount_take(char *io_line, struct linux_mount *ret_mount)
{
    unsigned major_number = 0;
    unsigned minor_number = 0;
    int place = 0;
    char *rest = strstr(io_line, " - ");

    if (rest == NULL ||
        sscanf(io_line, "%*u %*u %u:%u %*s %n", &major_number, &minor_number, &place) < 2 ||
        place == 0)
        return false;
    rest += 3;
    char *point = io_line + place;
    ret_mount->device = makedev(major_number, minor_number);
    ret_mount->point = take_word(&point);
    ret_mount->type = take_word(&rest);
    ret_mount->source = take_word(&rest);
    ret_mount->options = take_word(&rest);
    return ret_mount->source[0] != 0;
}

/* --- In memory ------------------------------------------------------------------------------ */

/* A question about one path or device number; the mount that answers it best. */
struct search {
    const struct linux_calls *calls;
    int depth;
    char *line; /* which `mount` lies in, or NULL */
    struct linux_mount mount;
};

static bool device_is_memory(const struct linux_calls *calls, dev_t device, int depth);

/* How well the mount answers for a path (or NULL) on a device; 0 when it does not. A mount may be
 * hidden by a later one, so the number of the device says more than the path. */
static size_t fitness(const struct linux_mount *mount, const char *path, dev_t device)
{
    size_t length = strlen(mount->point);
    size_t by_number = mount->device == device ? PATH_MAX : 0;

    if (path == NULL)
        return by_number;
    if (length > 0 && mount->point[length - 1] == '/')
        length--;
    bool above =
        strncmp(mount->point, path, length) == 0 && (path[length] == '/' || path[length] == 0);
    return above ? 1 + length + by_number : 0;
}

/* Of two as fit the later one is on top. The caller frees the line. */
static bool find_mount(struct search *search, const char *path, dev_t device)
{
    char name[PATH_MAX];
    char *line = NULL;
    size_t room = 0;
    size_t best = 1;

    snprintf(name, sizeof(name), "%s/proc/self/mountinfo", search->calls->root);
    FILE *from = fopen(name, "re");
    while (from != NULL && getline(&line, &room, from) >= 0) {
        struct linux_mount mount;
        size_t fit = linux_mount_take(line, &mount) ? fitness(&mount, path, device) : 0;
        if (fit < best)
            continue;
        best = fit;
        free(search->line);
        search->line = line;
        search->mount = mount;
        line = NULL;
        room = 0;
    }
    free(line);
    if (from != NULL)
        fclose(from);
    return search->line != NULL;
}

static bool path_is_memory(const struct linux_calls *calls, const char *file, int depth);

/* What is written to an overlay lies in its upper folder. */
static bool overlay_is_memory(const struct search *search)
{
    static const char option[] = "upperdir=";
    char *upper = strstr(search->mount.options, option);

    if (upper == NULL)
        return true;
    upper += sizeof(option) - 1;
    upper[strcspn(upper, ",")] = 0;
    return path_is_memory(search->calls, upper, search->depth);
}

static bool mount_is_memory(const struct search *search)
{
    static const char *const memory[] = {"tmpfs", "ramfs", "rootfs", "devtmpfs"};
    const struct linux_mount *mount = &search->mount;
    struct linux_place source;

    for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++) {
        if (strcmp(mount->type, memory[i]) == 0)
            return true;
    }
    if (strcmp(mount->type, "overlay") == 0)
        return overlay_is_memory(search);
    if (major(mount->device) != 0)
        return device_is_memory(search->calls, mount->device, search->depth);
    return linux_place_of(mount->source, &source) && !source.is_file &&
           device_is_memory(search->calls, source.device, search->depth);
}

/* The file system of a path, or (NULL) of a number that is no block device's. */
static bool file_system_is_memory(const struct linux_calls *calls, const char *path, dev_t device,
                                  int depth)
{
    struct search search = {.calls = calls, .depth = depth + 1};
    bool memory = true;

    if (depth < DEPTH_MAX && find_mount(&search, path, device))
        memory = mount_is_memory(&search);
    else if (path != NULL && major(device) != 0)
        memory = device_is_memory(calls, device, depth + 1);
    free(search.line);
    return memory;
}

static bool path_is_memory(const struct linux_calls *calls, const char *file, int depth)
{
    char path[PATH_MAX];
    struct stat info;

    if (stat(file, &info) != 0 || realpath(file, path) == NULL)
        return true;
    return file_system_is_memory(calls, path, info.st_dev, depth);
}

static bool loop_is_memory(const struct linux_calls *calls, const struct linux_loop *loop,
                           int depth)
{
    struct linux_place named;

    if (loop->under.is_file && linux_place_of(loop->backing, &named) &&
        linux_place_is_in(&named, &loop->under))
        return path_is_memory(calls, loop->backing, depth);
    return device_is_memory(calls, loop->under.device, depth);
}

/* True when the device whose number is in the file `name` of the folder of `device` is in memory. */
static bool other_is_memory(const struct linux_calls *calls, dev_t device, const char *name,
                            int depth)
{
    dev_t other = 0;

    return linux_device_number(calls, device, name, &other) &&
           device_is_memory(calls, other, depth);
}

/* Device mapper and md name what they lie over. */
static bool slaves_are_memory(const struct linux_calls *calls, dev_t device, int depth)
{
    char folder[PATH_MAX];
    bool memory = false;

    linux_device_path(calls, device, "slaves", folder);
    DIR *from = opendir(folder);
    if (from == NULL)
        return false;
    for (const struct dirent *entry = readdir(from); entry != NULL && !memory;
         entry = readdir(from)) {
        char name[NAME_MAX + 16];
        snprintf(name, sizeof(name), "slaves/%s/dev", entry->d_name);
        memory = entry->d_name[0] != '.' && other_is_memory(calls, device, name, depth);
    }
    closedir(from);
    return memory;
}

static bool device_is_memory(const struct linux_calls *calls, dev_t device, int depth)
{
    const struct linux_place place = {.device = device};
    struct linux_loop loop;
    char folder[PATH_MAX];
    char name[NAME_MAX + 1];
    char text[16];

    if (depth >= DEPTH_MAX)
        return true;
    if (major(device) == 0)
        return file_system_is_memory(calls, NULL, device, depth);
    if (linux_device_says(calls, device, "partition", text, sizeof(text)))
        return other_is_memory(calls, device, "../dev", depth + 1);
    if (linux_loop_at(calls, &place, &loop))
        return loop_is_memory(calls, &loop, depth + 1);
    linux_device_path(calls, device, "", folder);
    if (linux_device_name(folder, name, sizeof(name)) &&
        (strncmp(name, "ram", 3) == 0 || strncmp(name, "zram", 4) == 0))
        return true;
    return slaves_are_memory(calls, device, depth + 1);
}

bool linux_mount_is_in_memory(const struct linux_calls *calls, const char *path)
{
    return path_is_memory(calls, path, 0);
}
