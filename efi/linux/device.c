#define _GNU_SOURCE

#include "device.h"

#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define LINE_SIZE 256

enum status linux_device_geometry(const struct linux_calls *calls, int fd,
                                  struct linux_geometry *ret_geometry)
{
    int block_size = 0;
    int read_only = 0;
    uint64_t bytes = 0;

    if (calls->control(fd, BLKSSZGET, &block_size) != 0 || block_size <= 0 ||
        calls->control(fd, BLKGETSIZE64, &bytes) != 0 ||
        calls->control(fd, BLKROGET, &read_only) != 0)
        return ST_IO;
    *ret_geometry = (struct linux_geometry){(uint32_t)block_size, bytes, read_only != 0};
    return ST_OK;
}

/* Takes the line's end and blanks off both ends of `text`. */
static void trim_line(char *text)
{
    size_t length = strcspn(text, "\r\n");
    size_t start = strspn(text, " \t");

    while (length > start && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    length = length > start ? length - start : 0;
    memmove(text, text + start, length);
    text[length] = 0;
}

void linux_device_path(const struct linux_calls *calls, dev_t device, const char *name,
                       char ret_path[PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%s/sys/dev/block/%u:%u/%s", calls->root, major(device),
             minor(device), name);
}

bool linux_device_says(const struct linux_calls *calls, dev_t device, const char *name,
                       char *ret_text, size_t size)
{
    char file[PATH_MAX];

    ret_text[0] = 0;
    linux_device_path(calls, device, name, file);
    FILE *from = fopen(file, "re");
    if (from == NULL)
        return false;
    bool good = fgets(ret_text, (int)size, from) != NULL;
    fclose(from);
    trim_line(ret_text);
    return good;
}

bool linux_device_name(const char *path, char *ret_name, size_t size)
{
    char folder[PATH_MAX];
    const char *name = realpath(path, folder) == NULL ? NULL : strrchr(folder, '/');

    snprintf(ret_name, size, "%s", name == NULL ? "" : name + 1);
    return name != NULL;
}

bool linux_device_number(const struct linux_calls *calls, dev_t device, const char *name,
                         dev_t *ret_number)
{
    char text[32];
    unsigned numbers[2];

    if (!linux_device_says(calls, device, name, text, sizeof(text)) ||
        sscanf(text, "%u:%u", &numbers[0], &numbers[1]) != 2)
        return false;
    *ret_number = makedev(numbers[0], numbers[1]);
    return true;
}

bool linux_device_is_removable(const struct linux_calls *calls, dev_t device)
{
    char text[8];

    return linux_device_says(calls, device, "removable", text, sizeof(text)) && text[0] == '1';
}

void linux_device_model(const struct linux_calls *calls, dev_t device, char *ret_text, size_t size)
{
    char model[LINE_SIZE];
    char serial[LINE_SIZE];

    linux_device_says(calls, device, "device/model", model, sizeof(model));
    linux_device_says(calls, device, "device/serial", serial, sizeof(serial));
    snprintf(ret_text, size, "%s%s%s", model, model[0] != 0 && serial[0] != 0 ? " " : "", serial);
}
