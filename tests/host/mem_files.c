#include "host/mem_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/disk_path.h"
#include "host/host_alloc.h"
#include "host/host_reports.h"

#define NAME_MAX_UNITS 255u /* UCS-2 units of a long FAT name */

struct node {
    char *name;
    bool is_directory;
    bool spoiled;
    uint8_t *data;
    size_t size;
    struct node **children;
    size_t count;
};

struct volume {
    struct node *root;
    uint64_t capacity; /* 0: no limit */
    bool released;
};

struct mem_files {
    struct volume volumes[MEM_FILES_MAX_VOLUMES];
    struct file_volume described[MEM_FILES_MAX_VOLUMES];
    size_t count;
    size_t self;
    size_t current;
    char *directory;
    mem_files_renewal *renewal;
    void *renewal_ctx;
    void **retired; /* paths and names of volumes that are gone */
    size_t retired_count;
};

static struct node *new_node(const char *name, bool is_directory)
{
    struct node *node = host_alloc(1, sizeof(*node));

    node->name = host_copy_text(name);
    node->is_directory = is_directory;
    return node;
}

static void free_node(struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        free_node(node->children[i]);
    free(node->children);
    free(node->name);
    free(node->data);
    free(node);
}

static void add_child(struct node *directory, struct node *child)
{
    directory->children =
        host_grow(directory->children, (directory->count + 1) * sizeof(*directory->children));
    directory->children[directory->count++] = child;
}

static struct node *clone_node(const struct node *node)
{
    struct node *clone = new_node(node->name, node->is_directory);

    clone->spoiled = node->spoiled;
    clone->data = host_copy(node->data, node->size);
    clone->size = node->size;
    for (size_t i = 0; i < node->count; i++)
        add_child(clone, clone_node(node->children[i]));
    return clone;
}

/* The place of `name` in a directory, or `count` when it is not there. */
static size_t child_index(const struct node *directory, const char *name)
{
    size_t i = 0;

    while (i < directory->count && !text_equal_nocase(directory->children[i]->name, name))
        i++;
    return i;
}

static struct node *child_named(const struct node *directory, const char *name)
{
    size_t i = child_index(directory, name);

    return i < directory->count ? directory->children[i] : NULL;
}

struct mem_files *mem_files_new(void)
{
    struct mem_files *files = host_alloc(1, sizeof(*files));

    files->self = FILES_NO_VOLUME;
    files->current = FILES_NO_VOLUME;
    files->directory = host_copy_text("\\");
    return files;
}

void mem_files_free(struct mem_files *files)
{
    if (files == NULL)
        return;
    for (size_t i = 0; i < files->count; i++) {
        free_node(files->volumes[i].root);
        free((void *)(uintptr_t)files->described[i].path.at);
        free((void *)(uintptr_t)files->described[i].alias);
    }
    for (size_t i = 0; i < files->retired_count; i++)
        free(files->retired[i]);
    free(files->retired);
    free(files->directory);
    free(files);
}

static void retire(struct mem_files *files, const void *memory)
{
    files->retired =
        host_grow(files->retired, (files->retired_count + 1) * sizeof(*files->retired));
    files->retired[files->retired_count++] = (void *)(uintptr_t)memory;
}

void mem_files_clear(struct mem_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free_node(files->volumes[i].root);
        retire(files, files->described[i].path.at);
        retire(files, files->described[i].alias);
    }
    memset(files->volumes, 0, sizeof(files->volumes));
    memset(files->described, 0, sizeof(files->described));
    files->count = 0;
    files->self = FILES_NO_VOLUME;
    files->current = FILES_NO_VOLUME;
}

size_t mem_files_volume_at(const struct mem_files *files, struct span path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (span_equal(files->described[i].path, path))
            return i;
    }
    return FILES_NO_VOLUME;
}

bool mem_files_is_released(const struct mem_files *files, size_t volume)
{
    return volume >= files->count || files->volumes[volume].released;
}

void mem_files_set_renewal(struct mem_files *files, mem_files_renewal *call, void *ctx)
{
    files->renewal = call;
    files->renewal_ctx = ctx;
}

/* Bytes the tree takes on its volume; the root directory takes none. */
static uint64_t bytes_taken(const struct node *node)
{
    uint64_t bytes = node->is_directory ? MEM_FILES_CLUSTER : node->size;

    bytes = (bytes + MEM_FILES_CLUSTER - 1) / MEM_FILES_CLUSTER * MEM_FILES_CLUSTER;
    for (size_t i = 0; i < node->count; i++)
        bytes += bytes_taken(node->children[i]);
    return bytes;
}

static uint64_t bytes_left(const struct volume *volume)
{
    uint64_t used = bytes_taken(volume->root) - MEM_FILES_CLUSTER;

    if (volume->capacity == 0)
        return UINT64_MAX;
    return used < volume->capacity ? volume->capacity - used : 0;
}

static void update_free(struct mem_files *files, size_t volume)
{
    if (files->volumes[volume].capacity != 0)
        files->described[volume].free = bytes_left(&files->volumes[volume]);
}

size_t mem_files_add_volume(struct mem_files *files, struct span path, const char *alias,
                            uint64_t capacity)
{
    if (files->count == MEM_FILES_MAX_VOLUMES)
        host_fail("too many volumes");
    size_t volume = files->count++;
    struct file_volume *described = &files->described[volume];
    files->volumes[volume].root = new_node("", true);
    files->volumes[volume].capacity = capacity;
    described->path = span_of(host_copy(path.at, path.size), path.size);
    described->alias = host_copy_text(alias);
    update_free(files, volume);
    return volume;
}

size_t mem_files_copy_volume(struct mem_files *files, const struct mem_files *from, size_t volume)
{
    const struct file_volume *described = &from->described[volume];
    size_t copy = mem_files_add_volume(files, described->path, described->alias,
                                       from->volumes[volume].capacity);

    free_node(files->volumes[copy].root);
    files->volumes[copy].root = clone_node(from->volumes[volume].root);
    files->described[copy].free = described->free;
    files->described[copy].read_only = described->read_only;
    files->volumes[copy].released = from->volumes[volume].released;
    return copy;
}

struct mem_files *mem_files_clone(const struct mem_files *files)
{
    struct mem_files *clone = mem_files_new();

    for (size_t i = 0; i < files->count; i++)
        mem_files_copy_volume(clone, files, i);
    mem_files_set_self(clone, files->self);
    mem_files_set_current(clone, files->current, files->directory);
    return clone;
}

void mem_files_set_read_only(struct mem_files *files, size_t volume, bool read_only)
{
    files->described[volume].read_only = read_only;
}

void mem_files_set_free(struct mem_files *files, size_t volume, uint64_t free_bytes)
{
    files->described[volume].free = free_bytes;
}

void mem_files_set_self(struct mem_files *files, size_t volume)
{
    files->self = volume;
}

void mem_files_set_current(struct mem_files *files, size_t volume, const char *directory)
{
    char *copy = host_copy_text(directory);

    free(files->directory);
    files->directory = copy;
    files->current = volume;
}

/*
 * Takes the next part off a path that stands at a backslash. Statuses: ST_OK; ST_ABSENT at the end;
 * ST_REFUSED when there is no backslash or the part is empty or too long.
 */
static enum status take_part(const char **io_path, char ret_name[FILE_NAME_SIZE])
{
    const char *at = *io_path;

    if (*at == 0)
        return ST_ABSENT;
    if (*at++ != '\\')
        return ST_REFUSED;
    size_t size = strcspn(at, "\\");
    if (size == 0 || size >= FILE_NAME_SIZE)
        return ST_REFUSED;
    memcpy(ret_name, at, size);
    ret_name[size] = 0;
    *io_path = at + size;
    return ST_OK;
}

/* What `path` names, or NULL. */
static struct node *find_node(const struct mem_files *files, size_t volume, const char *path)
{
    char name[FILE_NAME_SIZE];

    if (volume >= files->count)
        return NULL;
    struct node *node = files->volumes[volume].root;
    if (strcmp(path, "\\") == 0)
        return node;
    if (*path == 0)
        return NULL;
    while (node != NULL && *path != 0) {
        if (!node->is_directory || take_part(&path, name) != ST_OK)
            return NULL;
        node = child_named(node, name);
    }
    return node;
}

/* True for a name that FAT with long names can hold. */
static bool is_fat_name(const char *name)
{
    uint8_t memory[4 * FILE_NAME_SIZE];
    struct arena arena;
    struct span ucs2;
    size_t length = strlen(name);

    if (length == 0 || name[length - 1] == '.' || name[length - 1] == ' ')
        return false;
    for (const char *c = name; *c != 0; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f || strchr("\"*/:<>?|", *c) != NULL)
            return false;
    }
    arena_init(&arena, memory, sizeof(memory));
    return text_to_ucs2(&arena, name, &ucs2) == ST_OK && ucs2.size / 2 - 1 <= NAME_MAX_UNITS;
}

/* True when every part of `path` could be the name of a file or directory. */
static bool is_writable_path(const char *path)
{
    char name[FILE_NAME_SIZE];

    if (*path == 0)
        return false;
    while (*path != 0) {
        if (take_part(&path, name) != ST_OK || !is_fat_name(name))
            return false;
    }
    return true;
}

/*
 * The directory that holds the last part of a writable path, made with all above it as far as
 * `room` bytes allow. Statuses: ST_OK; ST_REFUSED when a file is in the way; ST_NO_SPACE.
 */
static enum status make_parents(struct node *root, const char *path, uint64_t room,
                                struct node **ret_parent, char ret_name[FILE_NAME_SIZE])
{
    struct node *directory = root;

    while (take_part(&path, ret_name) == ST_OK && *path != 0) {
        struct node *next = child_named(directory, ret_name);
        if (next == NULL) {
            if (room < MEM_FILES_CLUSTER)
                return ST_NO_SPACE;
            room -= MEM_FILES_CLUSTER;
            next = new_node(ret_name, true);
            add_child(directory, next);
        }
        if (!next->is_directory)
            return ST_REFUSED;
        directory = next;
    }
    *ret_parent = directory;
    return ST_OK;
}

/* The node at a path to be put, made when it is not there. */
static struct node *put_node(struct mem_files *files, size_t volume, const char *path,
                             bool is_directory)
{
    char name[FILE_NAME_SIZE];
    struct node *parent = NULL;

    if (volume >= files->count || !is_writable_path(path) ||
        make_parents(files->volumes[volume].root, path, UINT64_MAX, &parent, name) != ST_OK)
        host_fail("a path that cannot be put");
    struct node *node = child_named(parent, name);
    if (node == NULL) {
        node = new_node(name, is_directory);
        add_child(parent, node);
    }
    if (node->is_directory != is_directory)
        host_fail("a directory in place of a file, or the reverse");
    return node;
}

static void set_content(struct node *node, const void *data, size_t size)
{
    uint8_t *copy = host_copy(data, size);

    free(node->data);
    node->data = copy;
    node->size = size;
}

void mem_files_put(struct mem_files *files, size_t volume, const char *path, const void *data,
                   size_t size)
{
    set_content(put_node(files, volume, path, false), data, size);
    update_free(files, volume);
}

void mem_files_put_directory(struct mem_files *files, size_t volume, const char *path)
{
    put_node(files, volume, path, true);
    update_free(files, volume);
}

/* Takes what `path` names out of its directory; NULL when it is not there or is the root. */
static struct node *unlink_node(struct mem_files *files, size_t volume, const char *path)
{
    struct node *node = find_node(files, volume, path);
    char name[FILE_NAME_SIZE];
    struct node *parent = NULL;

    if (node == NULL || node == files->volumes[volume].root ||
        make_parents(files->volumes[volume].root, path, 0, &parent, name) != ST_OK)
        return NULL;
    size_t i = child_index(parent, name);
    parent->count--;
    memmove(&parent->children[i], &parent->children[i + 1],
            (parent->count - i) * sizeof(*parent->children));
    return node;
}

void mem_files_drop(struct mem_files *files, size_t volume, const char *path)
{
    struct node *node = unlink_node(files, volume, path);

    if (node == NULL)
        return;
    free_node(node);
    update_free(files, volume);
}

struct span mem_files_find(const struct mem_files *files, size_t volume, const char *path)
{
    const struct node *node = find_node(files, volume, path);

    if (node == NULL || node->is_directory)
        return span_of(NULL, 0);
    return span_of(node->data, node->size);
}

void mem_files_spoil(struct mem_files *files, size_t volume, const char *path)
{
    struct node *node = find_node(files, volume, path);

    if (node == NULL)
        host_fail("no such file to spoil");
    node->spoiled = true;
}

static bool same_tree(const struct node *a, const struct node *b)
{
    if (a->is_directory != b->is_directory || a->count != b->count ||
        !span_equal(span_of(a->data, a->size), span_of(b->data, b->size)))
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct node *other = child_named(b, a->children[i]->name);
        if (other == NULL || !same_tree(a->children[i], other))
            return false;
    }
    return true;
}

bool mem_files_equal(const struct mem_files *a, const struct mem_files *b, size_t volume)
{
    return same_tree(a->volumes[volume].root, b->volumes[volume].root);
}

/* The same for calls of the port, which do not reach what was let go of. */
static const struct node *find_open_node(const struct mem_files *files, size_t volume,
                                         const char *path)
{
    return mem_files_is_released(files, volume) ? NULL : find_node(files, volume, path);
}

static struct file_info info_of(const struct node *node)
{
    struct file_info info = {.size = node->size, .is_directory = node->is_directory};

    memcpy(info.name, node->name, strlen(node->name) + 1);
    return info;
}

static enum status files_stat(void *ctx, size_t volume, const char *path,
                              struct file_info *ret_info)
{
    const struct node *node = find_open_node(ctx, volume, path);

    if (node == NULL)
        return ST_ABSENT;
    *ret_info = info_of(node);
    return ST_OK;
}

static enum status files_list(void *ctx, size_t volume, const char *path, size_t index,
                              struct file_info *ret_info)
{
    const struct node *node = find_open_node(ctx, volume, path);

    if (node == NULL || !node->is_directory || index >= node->count)
        return ST_ABSENT;
    *ret_info = info_of(node->children[index]);
    return ST_OK;
}

static enum status files_read(void *ctx, size_t volume, const char *path, uint64_t offset,
                              void *ret_data, size_t size, size_t *ret_size)
{
    const struct node *node = find_open_node(ctx, volume, path);

    if (node == NULL || node->is_directory)
        return ST_ABSENT;
    if (node->spoiled)
        return ST_IO;
    size_t left = offset < node->size ? node->size - (size_t)offset : 0;
    size_t piece = size < left ? size : left;
    if (piece > 0)
        memcpy(ret_data, node->data + offset, piece);
    *ret_size = piece;
    return ST_OK;
}

/* Puts `data` behind the file's end as far as there is room. */
static enum status append(struct mem_files *files, size_t volume, struct node *node,
                          struct span data)
{
    uint64_t slack = (MEM_FILES_CLUSTER - node->size % MEM_FILES_CLUSTER) % MEM_FILES_CLUSTER;
    uint64_t left = bytes_left(&files->volumes[volume]);
    uint64_t room = left > UINT64_MAX - MEM_FILES_CLUSTER
                        ? left
                        : left / MEM_FILES_CLUSTER * MEM_FILES_CLUSTER + slack;
    size_t piece = data.size <= room ? data.size : (size_t)room;

    if (piece > 0) {
        node->data = host_grow(node->data, node->size + piece);
        memcpy(node->data + node->size, data.at, piece);
        node->size += piece;
    }
    update_free(files, volume);
    return piece == data.size ? ST_OK : ST_NO_SPACE;
}

/* Whether `mode` allows a write where `old` (NULL: nothing) is now. */
static enum status check_mode(enum file_write_mode mode, const struct node *old)
{
    if (mode == FILE_CREATE && old != NULL)
        return ST_EXISTS;
    if (mode == FILE_APPEND && old == NULL)
        return ST_ABSENT;
    if (old != NULL && old->is_directory)
        return ST_REFUSED;
    return ST_OK;
}

enum status mem_files_check_write(const struct mem_files *files, size_t volume, const char *path,
                                  enum file_write_mode mode)
{
    if (volume >= files->count)
        return ST_IO;
    if (files->volumes[volume].released)
        return ST_ABSENT;
    if (!is_writable_path(path))
        return ST_REFUSED;
    enum status status = check_mode(mode, find_node(files, volume, path));
    if (status != ST_OK)
        return status;
    return files->described[volume].read_only ? ST_READ_ONLY : ST_OK;
}

static enum status files_write(void *ctx, size_t volume, const char *path,
                               enum file_write_mode mode, const void *data, size_t size)
{
    struct mem_files *files = ctx;
    struct node *parent = NULL;
    char name[FILE_NAME_SIZE];

    host_reports_keep(span_of(data, size));
    enum status status = mem_files_check_write(files, volume, path, mode);
    if (status != ST_OK)
        return status;
    struct volume *target = &files->volumes[volume];
    status = make_parents(target->root, path, bytes_left(target), &parent, name);
    update_free(files, volume);
    if (status != ST_OK)
        return status;
    struct node *node = child_named(parent, name);
    if (node == NULL) {
        node = new_node(name, false);
        add_child(parent, node);
    }
    if (mode != FILE_APPEND)
        set_content(node, NULL, 0);
    return append(files, volume, node, span_of(data, size));
}

static enum status files_remove(void *ctx, size_t volume, const char *path)
{
    struct mem_files *files = ctx;
    const struct node *node = find_open_node(files, volume, path);

    if (node == NULL || node->is_directory)
        return ST_ABSENT;
    if (files->described[volume].read_only)
        return ST_READ_ONLY;
    mem_files_drop(files, volume, path);
    return ST_OK;
}

static enum status files_release(void *ctx, struct span disk_path)
{
    struct mem_files *files = ctx;

    for (size_t i = 0; i < files->count; i++) {
        if (disk_path_leads_through(files->described[i].path, disk_path))
            files->volumes[i].released = true;
    }
    return ST_OK;
}

static enum status files_renew(void *ctx, struct files_port *io_port)
{
    struct mem_files *files = ctx;

    for (size_t i = 0; i < files->count; i++)
        files->volumes[i].released = false;
    enum status status = ST_OK;
    if (files->renewal != NULL)
        status = files->renewal(files->renewal_ctx, files);
    if (status != ST_OK)
        return status;
    io_port->volumes = files->described;
    io_port->volume_count = files->count;
    io_port->self = files->self;
    io_port->current = files->current;
    io_port->directory = files->directory;
    return ST_OK;
}

struct files_port mem_files_port(struct mem_files *files)
{
    struct files_port port = {
        .ctx = files,
        .volumes = files->described,
        .volume_count = files->count,
        .self = files->self,
        .current = files->current,
        .directory = files->directory,
        .stat = files_stat,
        .list = files_list,
        .read = files_read,
        .write = files_write,
        .remove = files_remove,
        .release = files_release,
        .renew = files_renew,
    };
    return port;
}
