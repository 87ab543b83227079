/*
 * The file systems that firmware has mounted, each volume with its files. Paths are UTF-8,
 * absolute from the volume's root, with backslashes: "\EFI\Microsoft\Boot\bootmgfw.efi". Case is
 * not significant.
 */
#ifndef SHADOWBOOT_PORT_FILES_H
#define SHADOWBOOT_PORT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define FILES_NO_VOLUME ((size_t)-1)
#define FILE_NAME_SIZE  768 /* bytes of a name in UTF-8, with its NUL */

struct file_volume {
    struct span path;  /* device path of the partition, closing end node included */
    const char *alias; /* name the user knows it by, such as "FS0:"; "" when there is none */
    uint64_t free;     /* bytes free, 0 when unknown */
    bool read_only;
};

struct file_info {
    char name[FILE_NAME_SIZE]; /* the last part of the path, as the file system spells it */
    uint64_t size;             /* bytes */
    bool is_directory;
};

enum file_write_mode {
    FILE_CREATE,  /* the file must not be there */
    FILE_REPLACE, /* created, or cut to nothing first */
    FILE_APPEND,  /* the file must be there; the data goes behind its end */
};

struct files_port {
    void *ctx;
    const struct file_volume *volumes; /* as many as `volume_count`; outlive the port */
    size_t volume_count;
    size_t self;           /* the volume this program was started from, or FILES_NO_VOLUME */
    size_t current;        /* the volume relative paths mean, or FILES_NO_VOLUME */
    const char *directory; /* the directory on `current` they start at: "\" or "\EFI\BOOT" */

    /* Statuses: ST_OK; ST_ABSENT (also a missing directory on the way); ST_IO. */
    enum status (*stat)(void *ctx, size_t volume, const char *path, struct file_info *ret_info);

    /*
     * The `index`-th entry (from 0) of a directory, "." and ".." left out; the order stays the same
     * as long as nothing is written. Statuses: ST_OK; ST_ABSENT past the last entry or where there
     * is no such directory; ST_IO.
     */
    enum status (*list)(void *ctx, size_t volume, const char *path, size_t index,
                        struct file_info *ret_info);

    /*
     * Reads up to `size` bytes from byte `offset`; `*ret_size` is less only at the end of the file.
     * Statuses: ST_OK; ST_ABSENT; ST_IO.
     */
    enum status (*read)(void *ctx, size_t volume, const char *path, uint64_t offset, void *ret_data,
                        size_t size, size_t *ret_size);

    /*
     * Writes a whole file (or a whole piece behind its end) and returns ST_OK only when it is on
     * the medium. Missing directories on the way are made. Statuses: ST_OK; ST_EXISTS
     * (FILE_CREATE); ST_ABSENT (FILE_APPEND); ST_NO_SPACE; ST_READ_ONLY; ST_REFUSED for a name the
     * file system cannot hold, and for one that is not to be written as it is; ST_IO. After a failure the file may be there in part.
     */
    enum status (*write)(void *ctx, size_t volume, const char *path, enum file_write_mode mode,
                         const void *data, size_t size);

    /* Deletes a file. Statuses: ST_OK; ST_ABSENT; ST_READ_ONLY; ST_IO. */
    enum status (*remove)(void *ctx, size_t volume, const char *path);

    /*
     * Lets go of all volumes on the disk with this device path (with its end node), so that its
     * blocks can be written: files closed, drivers taken off, nothing of them cached. Until renew
     * the volumes keep their indexes, and every call on them returns ST_ABSENT. Statuses: ST_OK,
     * also when the disk has no volumes or is released already; ST_REFUSED when a driver does not
     * let go (nothing is let go then); ST_IO when there is no such disk.
     */
    enum status (*release)(void *ctx, struct span disk_path);

    /*
     * After release: partition tables are read anew, drivers work again, and `*io_port` gets the
     * volumes there are now (volumes, volume_count, self, current and directory; indexes change).
     * What the port pointed to before stays in place. A disk that has vanished meanwhile has no
     * volumes any more, which is no error. Statuses: ST_OK; ST_NO_MEMORY; ST_IO. On failure
     * `*io_port` is unchanged, and what was released stays so.
     */
    enum status (*renew)(void *ctx, struct files_port *io_port);
};

/* True when the volume this program was started from is here and can be written to. */
static inline bool files_own_is_writable(const struct files_port *files)
{
    return files->self < files->volume_count && !files->volumes[files->self].read_only;
}

#endif
