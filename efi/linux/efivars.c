#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "efivars.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/text.h"

#define ATTRIBUTE_BYTES 4u
#define GUID_LENGTH     36u                 /* characters without braces */
#define FNV_START       0xcbf29ce484222325u /* of the 64-bit FNV-1a hash */
#define FNV_FACTOR      0x100000001b3u

static const struct guid global_vendor = VAR_GLOBAL_VENDOR;

/* The file of a variable; false when its name is too long. */
static bool variable_file(const struct linux_efivars *vars, const struct guid *vendor,
                          const char *name, char ret_file[PATH_MAX])
{
    char braced[GUID_TEXT_SIZE];
    char plain[GUID_TEXT_SIZE];

    guid_format(vendor == NULL ? &global_vendor : vendor, braced);
    snprintf(plain, sizeof(plain), "%.36s", braced + 1);
    for (char *at = plain; *at != 0; at++)
        *at = (char)tolower((unsigned char)*at);
    int length = snprintf(ret_file, PATH_MAX, "%s/%s-%s", vars->folder, name, plain);
    return length > 0 && length < PATH_MAX;
}

/* Takes NAME-VENDOR apart; false for any other file. */
static bool id_of(const char *file, struct var_id *ret_id)
{
    size_t length = strlen(file);

    if (length < GUID_LENGTH + 2 || file[length - GUID_LENGTH - 1] != '-' ||
        guid_parse(file + length - GUID_LENGTH, &ret_id->vendor) != ST_OK)
        return false;
    size_t name = length - GUID_LENGTH - 1;
    ret_id->hash = FNV_START;
    for (size_t i = 0; i < name; i++)
        ret_id->hash = (ret_id->hash ^ (unsigned char)file[i]) * FNV_FACTOR;
    size_t kept = name < sizeof(ret_id->name) - 1 ? name : sizeof(ret_id->name) - 1;
    for (size_t i = 0; i < kept; i++)
        ret_id->name[i] = file[i] >= 0x20 && file[i] < 0x7f ? file[i] : '?';
    ret_id->name[kept] = 0;
    return true;
}

static void end_walk(struct linux_efivars *vars)
{
    if (vars->walk != NULL)
        closedir(vars->walk);
    vars->walk = NULL;
}

static enum status next_variable(void *ctx, bool restart, struct var_id *ret_id)
{
    struct linux_efivars *vars = ctx;
    const struct dirent *entry = NULL;

    if (restart) {
        end_walk(vars);
        vars->walk = opendir(vars->folder);
    }
    if (vars->walk == NULL)
        return ST_IO;
    do {
        errno = 0;
        entry = readdir(vars->walk);
    } while (entry != NULL && !id_of(entry->d_name, ret_id));
    if (entry != NULL)
        return ST_OK;
    enum status status = errno == 0 ? ST_ABSENT : ST_IO;
    end_walk(vars);
    return status;
}

/* True in the kernel's own file system; a copy of the folder is made of plain files. */
static bool is_firmwares(const struct linux_efivars *vars)
{
    struct statfs info;

    return statfs(vars->folder, &info) == 0 && (uint32_t)info.f_type == EFIVARFS_MAGIC;
}

/* What is not here a machine does without, but for SecureBoot: firmware without it has no Secure Boot,
 * and that is nothing to go by unless firmware itself says so. */
static enum status status_of_lacking(const struct guid *vendor, const char *name)
{
    return vendor == NULL && text_equal(name, "SecureBoot") ? ST_UNSUPPORTED : ST_ABSENT;
}

/* What firmware with Secure Boot on goes by. One that trusts or forbids nothing is not met: what a copy
 * lacks of these was not copied. */
static bool is_list(const char *name)
{
    return text_equal(name, "db") || text_equal(name, "dbx");
}

/* The whole file, attributes and all, to be freed. */
static enum status read_variable(const char *file, uint8_t **ret_bytes, size_t *ret_size)
{
    struct stat info;
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? ST_ABSENT : ST_IO;
    bool known = fstat(fd, &info) == 0 && info.st_size >= (off_t)ATTRIBUTE_BYTES;
    uint8_t *bytes = known ? malloc((size_t)info.st_size) : NULL;
    /* The kernel gives a variable out in one piece. */
    ssize_t got = bytes == NULL ? -1 : read(fd, bytes, (size_t)info.st_size);
    close(fd);
    if (got < (ssize_t)ATTRIBUTE_BYTES) {
        free(bytes);
        return ST_IO;
    }
    *ret_bytes = bytes;
    *ret_size = (size_t)got;
    return ST_OK;
}

/* Secure Boot is on by the variable that says so. */
static bool is_secure(const struct linux_efivars *vars)
{
    char file[PATH_MAX];
    uint8_t *bytes = NULL;
    size_t size = 0;

    if (!variable_file(vars, NULL, "SecureBoot", file) ||
        read_variable(file, &bytes, &size) != ST_OK)
        return false;
    bool on = size > ATTRIBUTE_BYTES && bytes[ATTRIBUTE_BYTES] == 1;
    free(bytes);
    return on;
}

static enum status get_variable(void *ctx, const struct guid *vendor, const char *name,
                                uint32_t *ret_attributes, void *ret_data, size_t size,
                                size_t *ret_size)
{
    char file[PATH_MAX];
    uint8_t *bytes = NULL;
    size_t got = 0;

    if (!variable_file(ctx, vendor, name, file))
        return ST_ABSENT;
    enum status status = read_variable(file, &bytes, &got);
    if (status == ST_ABSENT && !is_firmwares(ctx))
        return is_list(name) && is_secure(ctx) ? ST_UNSUPPORTED : status_of_lacking(vendor, name);
    if (status != ST_OK)
        return status;
    got -= ATTRIBUTE_BYTES;
    *ret_size = got;
    *ret_attributes = ld_le32(bytes);
    if (got > size)
        status = ST_TOO_SMALL;
    else if (got > 0)
        memcpy(ret_data, bytes + ATTRIBUTE_BYTES, got);
    free(bytes);
    return status;
}

static enum status status_of_set(void)
{
    switch (errno) {
    case ENOSPC:
        return ST_NO_SPACE;
    case EROFS:
    case EACCES:
    case EPERM:
        return ST_READ_ONLY;
    case EINVAL:
        return ST_REFUSED;
    case ENOENT:
        return ST_ABSENT;
    default:
        return ST_IO;
    }
}

/* Linux makes what it does not know immutable, against rm -r (chattr -i). */
static void make_mutable(const char *file)
{
    int flags = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_IMMUTABLE_FL) != 0) {
        flags &= ~FS_IMMUTABLE_FL;
        (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
    close(fd);
}

/* One write is one call of the firmware: attributes and data together. */
static enum status write_variable(const struct linux_efivars *vars, const char *file,
                                  uint32_t attributes, const void *data, size_t size)
{
    size_t room = ATTRIBUTE_BYTES + size;
    uint8_t *bytes = malloc(room);
    bool is_new = access(file, F_OK) != 0;
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (is_firmwares(vars) ? 0 : O_TRUNC);

    if (bytes == NULL)
        return ST_IO;
    st_le32(bytes, attributes);
    memcpy(bytes + ATTRIBUTE_BYTES, data, size);
    int fd = open(file, flags, 0644);
    ssize_t done = fd < 0 ? -1 : write(fd, bytes, room);
    enum status status = done == (ssize_t)room ? ST_OK : done < 0 ? status_of_set() : ST_IO;
    free(bytes);
    if (fd >= 0)
        close(fd);
    if (status != ST_OK && fd >= 0 && is_new)
        unlink(file); /* of a variable that firmware refused an empty file would stay */
    return status;
}

static enum status set_variable(void *ctx, const struct guid *vendor, const char *name,
                                uint32_t attributes, const void *data, size_t size)
{
    const struct linux_efivars *vars = ctx;
    char file[PATH_MAX];

    if (!vars->write)
        return ST_READ_ONLY;
    if (!variable_file(vars, vendor, name, file))
        return ST_REFUSED;
    make_mutable(file);
    if (size > 0)
        return write_variable(vars, file, attributes, data, size);
    return unlink(file) == 0 ? ST_OK : status_of_set();
}

static enum status space_unknown(void *ctx, struct var_space *ret_space)
{
    (void)ctx;
    (void)ret_space;
    return ST_UNSUPPORTED;
}

struct vars_port linux_efivars_open(const char *folder, bool write, struct linux_efivars *ret_vars)
{
    struct vars_port port = {.ctx = ret_vars,
                             .next = next_variable,
                             .get = get_variable,
                             .set = set_variable,
                             .space = space_unknown};

    *ret_vars = (struct linux_efivars){.folder = folder, .write = write};
    return port;
}

void linux_efivars_close(struct linux_efivars *vars)
{
    end_walk(vars);
}

static enum status no_next(void *ctx, bool restart, struct var_id *ret_id)
{
    (void)ctx;
    (void)restart;
    (void)ret_id;
    return ST_UNSUPPORTED;
}

static enum status no_get(void *ctx, const struct guid *vendor, const char *name,
                          uint32_t *ret_attributes, void *ret_data, size_t size, size_t *ret_size)
{
    (void)ctx;
    (void)ret_attributes;
    (void)ret_data;
    (void)size;
    (void)ret_size;
    return status_of_lacking(vendor, name);
}

static enum status no_set(void *ctx, const struct guid *vendor, const char *name,
                          uint32_t attributes, const void *data, size_t size)
{
    (void)ctx;
    (void)vendor;
    (void)name;
    (void)attributes;
    (void)data;
    (void)size;
    return ST_READ_ONLY;
}

struct vars_port linux_efivars_none(void)
{
    struct vars_port port = {
        .ctx = NULL, .next = no_next, .get = no_get, .set = no_set, .space = space_unknown};

    return port;
}
