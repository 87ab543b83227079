/*
 * Folders of Linux as volumes, in front of those of another port: what the user names without a
 * volume lies in the file system he sees, from the current folder; and a journal goes where he says.
 */
#ifndef SHADOWBOOT_LINUX_FOLDERS_H
#define SHADOWBOOT_LINUX_FOLDERS_H

#include <limits.h>

#include "port/files.h"

#define LINUX_VOLUMES_MAX  192 /* folders and those behind them */
#define LINUX_FOLDERS_MAX  2
#define LINUX_JOURNAL_NAME "JOURNAL:"

struct linux_folders {
    struct files_port behind; /* the volumes that are no folders */
    struct files_port port;
    struct file_volume volumes[LINUX_VOLUMES_MAX];
    const char *roots[LINUX_FOLDERS_MAX]; /* by volume: what its root is */
    size_t count;                         /* of folders */
    char current[PATH_MAX];               /* as a path of the port */
};

/*
 * The volumes of `behind` with the file system of Linux in front of them, which is the current one and
 * has no name; before it the folder `journal` as the volume JOURNAL:, which is the one the program was
 * started from, unless it is NULL. All must outlive `*ret_folders`, which may not be moved. Volumes
 * past LINUX_VOLUMES_MAX are left out. A file is on the medium when its write returns.
 */
void linux_folders_open(const struct files_port *behind, const char *journal,
                        struct linux_folders *ret_folders);

#endif
