#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64

#include "host/image_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/disk_path.h"
#include "host/host_alloc.h"
#include "host/host_reports.h"
#include "host/host_run.h"
#include "host/image_free.h"
#include "host/mem_files.h"

#define BOOT_SECTOR_SIZE   512u
#define FAT32_CLUSTERS_MIN 65525u

struct image_volume {
    char *where; /* "FILE@@OFFSET", how mtools names a volume in an image */
    char *image; /* the file's name */
    uint64_t offset;
    bool loaded;
    enum status state; /* of the load */
};

struct image_files {
    struct mem_files *tree; /* what the images hold, as far as loaded */
    struct image_volume volumes[MEM_FILES_MAX_VOLUMES];
    size_t count;
    image_files_renewal *renewal;
    void *renewal_ctx;
    struct file_volume before[MEM_FILES_MAX_VOLUMES]; /* while volumes are renewed */
    size_t before_count;
    bool renewing;
};

struct image_files *image_files_new(void)
{
    struct image_files *files = host_alloc(1, sizeof(*files));

    files->tree = mem_files_new();
    return files;
}

static void forget_places(struct image_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->volumes[i].where);
        free(files->volumes[i].image);
    }
    memset(files->volumes, 0, sizeof(files->volumes));
    files->count = 0;
}

void image_files_free(struct image_files *files)
{
    if (files == NULL)
        return;
    forget_places(files);
    mem_files_free(files->tree);
    free(files);
}

static enum status read_boot_sector(const char *image, uint64_t offset,
                                    uint8_t ret_sector[BOOT_SECTOR_SIZE])
{
    int fd = open(image, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return ST_IO;
    ssize_t got = pread(fd, ret_sector, BOOT_SECTOR_SIZE, (off_t)offset);
    close(fd);
    return got == (ssize_t)BOOT_SECTOR_SIZE ? ST_OK : ST_IO;
}

/* Tells FAT from NTFS, whose boot sector has neither reserved sectors nor FATs. */
static bool is_fat(const uint8_t *sector)
{
    uint16_t sector_size = ld_le16(sector + 11);
    uint8_t cluster_size = sector[13];
    bool sizes_are_powers = (sector_size & (sector_size - 1)) == 0 &&
                            (cluster_size & (cluster_size - 1)) == 0 && cluster_size != 0;

    return ld_le16(sector + 510) == 0xaa55 && sector_size >= 512 && sector_size <= 4096 &&
           sizes_are_powers && ld_le16(sector + 14) > 0 && sector[16] >= 1 && sector[16] <= 2;
}

/* Which FAT32 firmware mounts: one that mirrors its FAT, and has as many clusters as it must. */
static bool is_mounted_fat32(const uint8_t *sector)
{
    uint64_t meta = ld_le16(sector + 14) + (uint64_t)sector[16] * ld_le32(sector + 36);
    uint64_t sectors = ld_le32(sector + 32);

    return (ld_le16(sector + 40) & 0x80) == 0 && sectors > meta &&
           (sectors - meta) / sector[13] >= FAT32_CLUSTERS_MIN;
}

static void update_free(struct image_files *files, size_t volume)
{
    int fd = open(files->volumes[volume].image, O_RDONLY | O_CLOEXEC);

    mem_files_set_free(files->tree, volume,
                       fd < 0 ? 0 : image_free(fd, files->volumes[volume].offset));
    if (fd >= 0)
        close(fd);
}

/* `alias`, but what the volume was called before it was renewed. */
static const char *alias_for(const struct image_files *files, struct span path, const char *alias)
{
    if (!files->renewing)
        return alias;
    for (size_t i = 0; i < files->before_count; i++) {
        if (span_equal(files->before[i].path, path))
            return files->before[i].alias;
    }
    return "";
}

enum status image_files_add_volume(struct image_files *files, const char *image, uint64_t offset,
                                   struct span path, const char *alias, size_t *ret_volume)
{
    uint8_t sector[BOOT_SECTOR_SIZE];
    size_t room = strlen(image) + 32;

    if (files->count == MEM_FILES_MAX_VOLUMES)
        host_fail("too many volumes");
    if (read_boot_sector(image, offset, sector) != ST_OK)
        return ST_IO;
    if (!is_fat(sector) || (ld_le16(sector + 22) == 0 && !is_mounted_fat32(sector)))
        return ST_UNSUPPORTED;
    size_t volume = mem_files_add_volume(files->tree, path, alias_for(files, path, alias), 0);
    char *where = host_alloc(room, 1);
    snprintf(where, room, "%s@@%llu", image, (unsigned long long)offset);
    files->volumes[volume].where = where;
    files->volumes[volume].image = host_copy_text(image);
    files->volumes[volume].offset = offset;
    files->count++;
    mem_files_set_read_only(files->tree, volume, access(image, W_OK) != 0);
    update_free(files, volume);
    *ret_volume = volume;
    return ST_OK;
}

void image_files_set_self(struct image_files *files, size_t volume)
{
    mem_files_set_self(files->tree, volume);
    mem_files_set_current(files->tree, volume, "\\");
}

/* The content of a host file, to be freed; NULL when it cannot be read. */
static uint8_t *read_host_file(const char *name, size_t *ret_size)
{
    struct stat info;
    FILE *from = fopen(name, "rb");

    if (from == NULL)
        return NULL;
    if (fstat(fileno(from), &info) != 0) {
        fclose(from);
        return NULL;
    }
    uint8_t *data = host_alloc((size_t)info.st_size, 1);
    size_t got = fread(data, 1, (size_t)info.st_size, from);
    fclose(from);
    if (got != (size_t)info.st_size) {
        free(data);
        return NULL;
    }
    *ret_size = got;
    return data;
}

/* `directory` and `name` joined, to be freed. */
static char *join(const char *directory, const char *separator, const char *name)
{
    size_t room = strlen(directory) + strlen(separator) + strlen(name) + 1;
    char *path = host_alloc(room, 1);

    snprintf(path, room, "%s%s%s", directory, separator, name);
    return path;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool take_directory(struct image_files *files, size_t volume, const char *from,
                           const char *to);

/* Moves one file or directory from the host into the tree. */
static bool take_entry(struct image_files *files, size_t volume, const char *from, const char *to)
{
    struct stat info;
    size_t size = 0;

    if (mem_files_check_write(files->tree, volume, to, FILE_CREATE) == ST_REFUSED ||
        lstat(from, &info) != 0)
        return false;
    if (S_ISDIR(info.st_mode)) {
        mem_files_put_directory(files->tree, volume, to);
        return take_directory(files, volume, from, to);
    }
    uint8_t *data = read_host_file(from, &size);
    unlink(from);
    if (data == NULL)
        return false;
    mem_files_put(files->tree, volume, to, data, size);
    free(data);
    return true;
}

/* Moves what is in the host's directory `from` to `to` in the tree, and removes `from`. */
static bool take_directory(struct image_files *files, size_t volume, const char *from,
                           const char *to)
{
    struct dirent **entries = NULL;
    int count = scandir(from, &entries, NULL, by_name);
    bool good = count >= 0;

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            char *source = join(from, "/", name);
            char *target = join(to, "\\", name);
            good = take_entry(files, volume, source, target) && good;
            free(source);
            free(target);
        }
        free(entries[i]);
    }
    free(entries);
    return rmdir(from) == 0 && good;
}

/* A fresh directory of the host, to be freed; NULL when there is none. */
static char *make_scratch(void)
{
    const char *parent = getenv("TMPDIR");
    char *name = join(parent != NULL ? parent : "/tmp", "/", "shadowboot-XXXXXX");

    if (mkdtemp(name) != NULL)
        return name;
    free(name);
    return NULL;
}

static enum status load_tree(struct image_files *files, size_t volume)
{
    char *scratch = make_scratch();
    char *output = NULL;

    if (scratch == NULL)
        return ST_IO;
    const char *const argv[] = {"mcopy", "-s",    "-n", "-i", files->volumes[volume].where,
                                "::/",   scratch, NULL};
    bool good = host_run(argv, &output) == 0;
    good = take_directory(files, volume, scratch, "") && good;
    free(output);
    free(scratch);
    return good ? ST_OK : ST_IO;
}

/* Makes sure that the tree holds what the image holds. */
static enum status need_tree(struct image_files *files, size_t volume)
{
    if (volume >= files->count)
        return ST_IO;
    if (mem_files_is_released(files->tree, volume))
        return ST_ABSENT;
    struct image_volume *image = &files->volumes[volume];
    if (!image->loaded) {
        image->loaded = true;
        image->state = load_tree(files, volume);
    }
    return image->state;
}

/* After a failed write nobody knows what is in the image: look again. */
static void forget_tree(struct image_files *files, size_t volume)
{
    struct files_port tree = mem_files_port(files->tree);
    struct file_info info;

    while (tree.list(tree.ctx, volume, "\\", 0, &info) == ST_OK) {
        char *path = join("", "\\", info.name);
        mem_files_drop(files->tree, volume, path);
        free(path);
    }
    files->volumes[volume].loaded = false;
}

/* The path as mtools wants it, to be freed. */
static char *mtools_path(const char *path)
{
    char *copy = join("::", "", path);

    for (char *c = copy; *c != 0; c++) {
        if (*c == '\\')
            *c = '/';
    }
    return copy;
}

static enum status files_stat(void *ctx, size_t volume, const char *path,
                              struct file_info *ret_info)
{
    struct image_files *files = ctx;
    struct files_port tree = mem_files_port(files->tree);
    enum status status = need_tree(files, volume);

    return status == ST_OK ? tree.stat(tree.ctx, volume, path, ret_info) : status;
}

static enum status files_list(void *ctx, size_t volume, const char *path, size_t index,
                              struct file_info *ret_info)
{
    struct image_files *files = ctx;
    struct files_port tree = mem_files_port(files->tree);
    enum status status = need_tree(files, volume);

    return status == ST_OK ? tree.list(tree.ctx, volume, path, index, ret_info) : status;
}

static enum status files_read(void *ctx, size_t volume, const char *path, uint64_t offset,
                              void *ret_data, size_t size, size_t *ret_size)
{
    struct image_files *files = ctx;
    struct files_port tree = mem_files_port(files->tree);
    enum status status = need_tree(files, volume);

    if (status != ST_OK)
        return status;
    return tree.read(tree.ctx, volume, path, offset, ret_data, size, ret_size);
}

static bool is_directory(struct image_files *files, size_t volume, const char *path)
{
    struct file_info info;

    return files_stat(files, volume, path, &info) == ST_OK && info.is_directory;
}

/* Runs an mtools command; what its complaint means. */
static enum status run_mtools(const char *const argv[])
{
    char *output = NULL;
    int code = host_run(argv, &output);
    bool full = strstr(output, "full") != NULL || strstr(output, "No free") != NULL;

    free(output);
    if (code == 0)
        return ST_OK;
    return full ? ST_NO_SPACE : ST_IO;
}

/* Runs an mtools command on one path of the volume. */
static enum status run_on_path(const struct image_files *files, size_t volume, const char *command,
                               const char *path)
{
    char *target = mtools_path(path);
    const char *const argv[] = {command, "-i", files->volumes[volume].where, target, NULL};
    enum status status = run_mtools(argv);

    free(target);
    return status;
}

/* Makes the directories on the way to `path` that are missing. */
static enum status make_parents(struct image_files *files, size_t volume, const char *path)
{
    char *part = host_copy_text(path);
    enum status status = ST_OK;

    for (char *end = strchr(part + 1, '\\'); end != NULL && status == ST_OK;
         end = strchr(end + 1, '\\')) {
        *end = 0;
        if (!is_directory(files, volume, part)) {
            status = run_on_path(files, volume, "mmd", part);
            if (status == ST_OK)
                mem_files_put_directory(files->tree, volume, part);
        }
        *end = '\\';
    }
    free(part);
    return status;
}

static bool write_host_file(const char *name, struct span data)
{
    FILE *to = fopen(name, "wb");

    if (to == NULL)
        return false;
    bool good = data.size == 0 || fwrite(data.at, 1, data.size, to) == data.size;
    return fclose(to) == 0 && good;
}

static enum status copy_in(const struct image_files *files, size_t volume, const char *from,
                           const char *path)
{
    char *target = mtools_path(path);
    const char *const argv[] = {"mcopy", "-o",   "-i", files->volumes[volume].where,
                                from,    target, NULL};
    enum status status = run_mtools(argv);

    free(target);
    return status;
}

static bool copy_out_equals(const struct image_files *files, size_t volume, const char *path,
                            const char *to, struct span data)
{
    char *source = mtools_path(path);
    const char *const argv[] = {"mcopy", "-o", "-n", "-i", files->volumes[volume].where,
                                source,  to,   NULL};
    char *output = NULL;
    int code = host_run(argv, &output);
    size_t size = 0;
    uint8_t *back = code == 0 ? read_host_file(to, &size) : NULL;
    bool equal = back != NULL && span_equal(span_of(back, size), data);

    free(back);
    free(output);
    free(source);
    return equal;
}

/* Puts a file into the image and reads it back. */
static enum status replace_in_image(const struct image_files *files, size_t volume,
                                    const char *path, struct span data)
{
    char *scratch = make_scratch();

    if (scratch == NULL)
        return ST_IO;
    char *name = join(scratch, "/", "data");
    enum status status = write_host_file(name, data) ? copy_in(files, volume, name, path) : ST_IO;
    if (status == ST_OK && !copy_out_equals(files, volume, path, name, data))
        status = ST_IO;
    unlink(name);
    rmdir(scratch);
    free(name);
    free(scratch);
    return status;
}

static enum status store(struct image_files *files, size_t volume, const char *path,
                         struct span data)
{
    enum status status = make_parents(files, volume, path);

    if (status == ST_OK)
        status = replace_in_image(files, volume, path, data);
    if (status == ST_OK)
        mem_files_put(files->tree, volume, path, data.at, data.size);
    else
        forget_tree(files, volume);
    update_free(files, volume);
    return status;
}

/* True when a file stands where `path` needs a directory. */
static bool is_blocked(struct image_files *files, size_t volume, const char *path)
{
    char *part = host_copy_text(path);
    struct file_info info;
    bool blocked = false;

    for (char *end = strchr(part + 1, '\\'); end != NULL; end = strchr(end + 1, '\\')) {
        *end = 0;
        blocked =
            blocked || (files_stat(files, volume, part, &info) == ST_OK && !info.is_directory);
        *end = '\\';
    }
    free(part);
    return blocked;
}

static enum status files_write(void *ctx, size_t volume, const char *path,
                               enum file_write_mode mode, const void *data, size_t size)
{
    struct image_files *files = ctx;

    host_reports_keep(span_of(data, size));
    enum status status = need_tree(files, volume);
    if (status == ST_OK)
        status = mem_files_check_write(files->tree, volume, path, mode);
    if (status != ST_OK)
        return status;
    if (strchr(path, '[') != NULL || is_blocked(files, volume, path))
        return ST_REFUSED;
    if (mode != FILE_APPEND)
        return store(files, volume, path, span_of(data, size));
    struct span old = mem_files_find(files->tree, volume, path);
    uint8_t *whole = host_alloc(old.size + size, 1);
    memcpy(whole, old.at, old.size);
    if (size > 0)
        memcpy(whole + old.size, data, size);
    status = store(files, volume, path, span_of(whole, old.size + size));
    free(whole);
    return status;
}

static enum status files_remove(void *ctx, size_t volume, const char *path)
{
    struct image_files *files = ctx;
    struct file_info info;
    enum status status = files_stat(files, volume, path, &info);

    if (status != ST_OK)
        return status;
    if (info.is_directory)
        return ST_ABSENT;
    if (mem_files_port(files->tree).volumes[volume].read_only)
        return ST_READ_ONLY;
    if (strchr(path, '[') != NULL)
        return ST_IO;
    status = run_on_path(files, volume, "mdel", path);
    if (status != ST_OK)
        return ST_IO;
    mem_files_drop(files->tree, volume, path);
    update_free(files, volume);
    return ST_OK;
}

static enum status files_release(void *ctx, struct span disk_path)
{
    struct image_files *files = ctx;
    struct files_port tree = mem_files_port(files->tree);

    for (size_t i = 0; i < files->count; i++) {
        if (disk_path_leads_through(tree.volumes[i].path, disk_path))
            forget_tree(files, i);
    }
    return tree.release(tree.ctx, disk_path);
}

void image_files_set_renewal(struct image_files *files, image_files_renewal *call, void *ctx)
{
    files->renewal = call;
    files->renewal_ctx = ctx;
}

static enum status find_again(struct image_files *files)
{
    struct files_port tree = mem_files_port(files->tree);

    memcpy(files->before, tree.volumes, sizeof(files->before));
    files->before_count = files->count;
    forget_places(files);
    mem_files_clear(files->tree);
    files->renewing = true;
    enum status status = files->renewal(files->renewal_ctx);
    files->renewing = false;
    return status;
}

static enum status files_renew(void *ctx, struct files_port *io_port)
{
    struct image_files *files = ctx;
    struct files_port tree = mem_files_port(files->tree);
    enum status status = files->renewal == NULL ? ST_OK : find_again(files);

    return status == ST_OK ? tree.renew(tree.ctx, io_port) : status;
}

struct files_port image_files_port(struct image_files *files)
{
    struct files_port port = mem_files_port(files->tree);

    port.ctx = files;
    port.stat = files_stat;
    port.list = files_list;
    port.read = files_read;
    port.write = files_write;
    port.remove = files_remove;
    port.release = files_release;
    port.renew = files_renew;
    return port;
}
