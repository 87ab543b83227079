#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define FILE_MODE   0600

/* Vendor nodes (UEFI Specification 10.3.2) of this program's own, which are on no disk. */
static const uint8_t folder_paths[LINUX_FOLDERS_MAX][24] = {
    {0x01, 0x04, 0x14, 0x00, 0x52, 0x3a, 0x6f, 0x7b, 0x0e, 0x4f, 0x0d, 0x4b,
     0x9c, 0x1e, 0x5a, 0xd0, 0xb0, 0x07, 0xf0, 0x01, 0x7f, 0xff, 0x04, 0x00},
    {0x01, 0x04, 0x14, 0x00, 0x52, 0x3a, 0x6f, 0x7b, 0x0e, 0x4f, 0x0d, 0x4b,
     0x9c, 0x1e, 0x5a, 0xd0, 0xb0, 0x07, 0xf0, 0x02, 0x7f, 0xff, 0x04, 0x00},
};

static enum status status_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return ST_ABSENT;
    case EEXIST:
        return ST_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return ST_NO_SPACE;
    case EROFS:
    case EACCES:
    case EPERM:
        return ST_READ_ONLY;
    case ENAMETOOLONG:
    case EISDIR:
        return ST_REFUSED;
    default:
        return ST_IO;
    }
}

/* What only looks says ST_ABSENT or ST_IO. */
static enum status status_of_look(void)
{
    return status_of_errno() == ST_ABSENT ? ST_ABSENT : ST_IO;
}

/* The path as Linux has it; false when it is too long. */
static bool host_path(const struct linux_folders *folders, size_t volume, const char *path,
                      char ret_path[PATH_MAX])
{
    int length = snprintf(ret_path, PATH_MAX, "%s%s%s", folders->roots[volume],
                          path[0] == '\\' ? "" : "/", path);

    if (length < 0 || length >= PATH_MAX)
        return false;
    for (char *at = ret_path + strlen(folders->roots[volume]); *at != 0; at++) {
        if (*at == '\\')
            *at = '/';
    }
    return true;
}

static void tell_file(const char *name, const struct stat *info, struct file_info *ret_info)
{
    *ret_info =
        (struct file_info){.size = (uint64_t)info->st_size, .is_directory = S_ISDIR(info->st_mode)};
    snprintf(ret_info->name, sizeof(ret_info->name), "%s", name);
}

static enum status folder_stat(void *ctx, size_t volume, const char *path,
                               struct file_info *ret_info)
{
    const struct linux_folders *folders = ctx;
    const struct files_port *behind = &folders->behind;
    char name[PATH_MAX];
    struct stat info;

    if (volume >= folders->count)
        return behind->stat(behind->ctx, volume - folders->count, path, ret_info);
    if (!host_path(folders, volume, path, name))
        return ST_ABSENT;
    if (stat(name, &info) != 0)
        return status_of_look();
    const char *last = strrchr(path, '\\');
    tell_file(last == NULL ? path : last + 1, &info, ret_info);
    return ST_OK;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Names of one directory stay in their sequence: they are sorted. */
static int by_entry_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_no_dots(const struct dirent *entry)
{
    return !is_dots(entry->d_name);
}

static enum status folder_list(void *ctx, size_t volume, const char *path, size_t index,
                               struct file_info *ret_info)
{
    const struct linux_folders *folders = ctx;
    const struct files_port *behind = &folders->behind;
    struct dirent **entries = NULL;
    char name[PATH_MAX];
    struct stat info;

    if (volume >= folders->count)
        return behind->list(behind->ctx, volume - folders->count, path, index, ret_info);
    if (!host_path(folders, volume, path, name))
        return ST_ABSENT;
    int count = scandir(name, &entries, is_no_dots, by_entry_name);
    if (count < 0)
        return status_of_look();
    enum status status = index < (size_t)count ? ST_OK : ST_ABSENT;
    if (status == ST_OK) {
        char entry[PATH_MAX + 300];
        snprintf(entry, sizeof(entry), "%s/%s", name, entries[index]->d_name);
        status = stat(entry, &info) == 0 ? ST_OK : ST_IO;
        if (status == ST_OK)
            tell_file(entries[index]->d_name, &info, ret_info);
    }
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return status;
}

/* All that there is from `offset` on, up to `size` bytes. */
static enum status read_up_to(int fd, uint64_t offset, uint8_t *ret_data, size_t size,
                              size_t *ret_size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got = pread(fd, ret_data + used, size - used, (off_t)(offset + used));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ST_IO;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    *ret_size = used;
    return ST_OK;
}

static enum status folder_read(void *ctx, size_t volume, const char *path, uint64_t offset,
                               void *ret_data, size_t size, size_t *ret_size)
{
    const struct linux_folders *folders = ctx;
    const struct files_port *behind = &folders->behind;
    char name[PATH_MAX];

    if (volume >= folders->count)
        return behind->read(behind->ctx, volume - folders->count, path, offset, ret_data, size,
                            ret_size);
    if (!host_path(folders, volume, path, name))
        return ST_ABSENT;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return status_of_look();
    enum status status = read_up_to(fd, offset, ret_data, size, ret_size);
    close(fd);
    return status;
}

/* What a directory holds is on the medium when the directory is. */
static enum status sync_parent(const char *name)
{
    char parent[PATH_MAX];

    snprintf(parent, sizeof(parent), "%s", name);
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        return ST_IO;
    slash[slash == parent ? 1 : 0] = 0;
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ST_IO;
    /* Some file systems have nothing to say of directories. */
    bool good = fsync(fd) == 0 || errno == EINVAL;
    close(fd);
    return good ? ST_OK : ST_IO;
}

/* Makes the directories on the way below `root` bytes of the name. */
static enum status make_way(char *name, size_t root)
{
    for (char *end = strchr(name + root + 1, '/'); end != NULL; end = strchr(end + 1, '/')) {
        *end = 0;
        enum status status = ST_OK;
        if (mkdir(name, FOLDER_MODE) == 0)
            status = sync_parent(name);
        else if (errno != EEXIST)
            status = status_of_errno();
        *end = '/';
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static enum status write_all(int fd, const uint8_t *from, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, from, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? status_of_errno() : ST_IO;
        from += done;
        size -= (size_t)done;
    }
    if (fsync(fd) != 0)
        return errno == ENOSPC || errno == EDQUOT ? ST_NO_SPACE : ST_IO;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* it is read back from the medium */
    return ST_OK;
}

static enum status folder_write(void *ctx, size_t volume, const char *path,
                                enum file_write_mode mode, const void *data, size_t size)
{
    static const int flags[] = {[FILE_CREATE] = O_CREAT | O_EXCL,
                                [FILE_REPLACE] = O_CREAT | O_TRUNC,
                                [FILE_APPEND] = O_APPEND};
    const struct linux_folders *folders = ctx;
    const struct files_port *behind = &folders->behind;
    char name[PATH_MAX];

    if (volume >= folders->count)
        return behind->write(behind->ctx, volume - folders->count, path, mode, data, size);
    if (!host_path(folders, volume, path, name))
        return ST_REFUSED;
    enum status status = ST_OK;
    if (mode != FILE_APPEND)
        status = make_way(name, strlen(folders->roots[volume]));
    if (status != ST_OK)
        return status;
    int fd = open(name, O_WRONLY | O_CLOEXEC | flags[mode], FILE_MODE);
    if (fd < 0)
        return status_of_errno();
    status = write_all(fd, data, size);
    if (close(fd) != 0 && status == ST_OK)
        status = ST_IO;
    return status == ST_OK ? sync_parent(name) : status;
}

static enum status folder_remove(void *ctx, size_t volume, const char *path)
{
    const struct linux_folders *folders = ctx;
    const struct files_port *behind = &folders->behind;
    char name[PATH_MAX];

    if (volume >= folders->count)
        return behind->remove(behind->ctx, volume - folders->count, path);
    if (!host_path(folders, volume, path, name))
        return ST_ABSENT;
    if (unlink(name) != 0)
        return status_of_errno() == ST_REFUSED ? ST_ABSENT : status_of_errno();
    return sync_parent(name);
}

static enum status folder_release(void *ctx, struct span disk_path)
{
    const struct files_port *behind = &((const struct linux_folders *)ctx)->behind;

    return behind->release(behind->ctx, disk_path);
}

/* Puts the volumes that are no folders behind the folders. */
static void join_volumes(struct linux_folders *folders)
{
    size_t count = folders->count;

    for (size_t i = 0; i < folders->behind.volume_count && count < LINUX_VOLUMES_MAX; i++)
        folders->volumes[count++] = folders->behind.volumes[i];
    folders->port.volume_count = count;
}

static enum status folder_renew(void *ctx, struct files_port *io_port)
{
    struct linux_folders *folders = ctx;
    enum status status = folders->behind.renew(folders->behind.ctx, &folders->behind);

    if (status != ST_OK)
        return status;
    join_volumes(folders);
    *io_port = folders->port;
    return ST_OK;
}

static uint64_t free_of(const char *root)
{
    struct statvfs info;

    return statvfs(root, &info) == 0 ? (uint64_t)info.f_bavail * info.f_frsize : 0;
}

static size_t folder_add(struct linux_folders *folders, const char *root, const char *where,
                         const char *alias)
{
    size_t volume = folders->count++;

    folders->roots[volume] = root;
    folders->volumes[volume] =
        (struct file_volume){.path = span_of(folder_paths[volume], sizeof(folder_paths[volume])),
                             .alias = alias,
                             .free = free_of(where)};
    return volume;
}

void linux_folders_open(const struct files_port *behind, const char *journal,
                        struct linux_folders *ret_folders)
{
    struct linux_folders *folders = ret_folders;

    folders->behind = *behind;
    folders->count = 0;
    if (getcwd(folders->current, sizeof(folders->current)) == NULL)
        snprintf(folders->current, sizeof(folders->current), "/");
    for (char *at = folders->current; *at != 0; at++) {
        if (*at == '/')
            *at = '\\';
    }
    folders->port = (struct files_port){.ctx = folders,
                                        .volumes = folders->volumes,
                                        .self = FILES_NO_VOLUME,
                                        .directory = folders->current,
                                        .stat = folder_stat,
                                        .list = folder_list,
                                        .read = folder_read,
                                        .write = folder_write,
                                        .remove = folder_remove,
                                        .release = folder_release,
                                        .renew = folder_renew};
    if (journal != NULL)
        folders->port.self = folder_add(folders, journal, journal, LINUX_JOURNAL_NAME);
    folders->port.current = folder_add(folders, "", "/", "");
    join_volumes(folders);
}
