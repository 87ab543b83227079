/*
 * File systems in memory, one tree per volume. A write is complete when the call returns; what a
 * power cut leaves of a write under way is the business of host/fault.h.
 *
 * Stricter than firmware, to catch careless paths: a path starts with one backslash and has no
 * empty, "." or ".." part. Anything else is ST_ABSENT to look at and ST_REFUSED to write, as are
 * names FAT cannot hold. A directory can be neither written nor removed (ST_REFUSED, ST_ABSENT).
 *
 * Release marks the volumes of a disk absent, renew takes the marks away; their files stay as they
 * were. Whoever wants volumes to follow what is on the disks sets a call that does it.
 */
#ifndef SHADOWBOOT_HOST_MEM_FILES_H
#define SHADOWBOOT_HOST_MEM_FILES_H

#include "port/files.h"

#define MEM_FILES_MAX_VOLUMES 64
#define MEM_FILES_CLUSTER     4096u /* bytes; what each file and directory is rounded up to */

struct mem_files;

struct mem_files *mem_files_new(void);
void mem_files_free(struct mem_files *files);

/* The same volumes with copies of the same files; without a call for renewal. */
struct mem_files *mem_files_clone(const struct mem_files *files);

/*
 * Adds an empty volume of `capacity` bytes (0: without limit, and the free space is unknown) on the
 * partition at device path `path`, and gives its index. `path` and `alias` are copied.
 */
size_t mem_files_add_volume(struct mem_files *files, struct span path, const char *alias,
                            uint64_t capacity);
/* Adds the volume `volume` of `from` once more, with copies of its files; gives its index. */
size_t mem_files_copy_volume(struct mem_files *files, const struct mem_files *from, size_t volume);
void mem_files_set_read_only(struct mem_files *files, size_t volume, bool read_only);

/* Sets what the port says is free on the volume. */
void mem_files_set_free(struct mem_files *files, size_t volume, uint64_t free_bytes);

/* Sets `self`, and `current` with its directory, of ports made from now on. */
void mem_files_set_self(struct mem_files *files, size_t volume);
void mem_files_set_current(struct mem_files *files, size_t volume, const char *directory);

/*
 * At renew `call` is called, after all marks of release are gone, to change volumes and files as
 * the disks have changed. What it returns is what renew returns.
 */
typedef enum status mem_files_renewal(void *ctx, struct mem_files *files);
void mem_files_set_renewal(struct mem_files *files, mem_files_renewal *call, void *ctx);

/*
 * Takes all volumes away with their files; self and current are none. Device paths and names that
 * the port gave out stay in memory.
 */
void mem_files_clear(struct mem_files *files);

/* The volume with the device path `path`, or FILES_NO_VOLUME. */
size_t mem_files_volume_at(const struct mem_files *files, struct span path);

/* True for a volume that was let go of, and for none. */
bool mem_files_is_released(const struct mem_files *files, size_t volume);

/* The port, valid as long as `files` and until a volume is added. */
struct files_port mem_files_port(struct mem_files *files);

/*
 * Creates or replaces a file, or makes a directory, with the directories on the way, whatever the
 * capacity and even on a read-only volume. The path must be one that can be written.
 */
void mem_files_put(struct mem_files *files, size_t volume, const char *path, const void *data,
                   size_t size);
void mem_files_put_directory(struct mem_files *files, size_t volume, const char *path);

/* Deletes a file or a directory with all that is in it; does nothing when it is not there. */
void mem_files_drop(struct mem_files *files, size_t volume, const char *path);

/* The content of a file, at NULL when there is none. Valid until the file changes. */
struct span mem_files_find(const struct mem_files *files, size_t volume, const char *path);

/*
 * What a write in `mode` to `path` would say before any space is needed: ST_OK or the statuses of
 * the port's write, ST_NO_SPACE and ST_IO (but for a bad volume) excepted.
 */
MUST_CHECK enum status mem_files_check_write(const struct mem_files *files, size_t volume,
                                             const char *path, enum file_write_mode mode);

/* From now on reading this file gives ST_IO. */
void mem_files_spoil(struct mem_files *files, size_t volume, const char *path);

/* True when both have the same files and directories on `volume`, in whatever order. */
bool mem_files_equal(const struct mem_files *a, const struct mem_files *b, size_t volume);

#endif
