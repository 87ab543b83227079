/* Which file systems there are, what the Shell calls them, and where the user stands. */
#ifndef SHADOWBOOT_FIRMWARE_VOLUMES_H
#define SHADOWBOOT_FIRMWARE_VOLUMES_H

#include "files.h"

/*
 * Fills in `handles`, `volumes` and `count` of `files`; a file system without a device path is left
 * out. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status volumes_find(struct uefi_files *files, struct arena *arena);

#define VOLUME_FULL 1u /* stands for a free space of none, as 0 is an unknown one */

/* Asks the volume again for its free space; 0 when it does not say, VOLUME_FULL for none. */
void volume_refresh(struct uefi_files *files, size_t volume);

/* True for a volume on a disk that was let go of. */
bool volume_is_released(const struct uefi_files *files, size_t volume);

/* Opens the root directory of a volume; NULL when that fails. The caller closes it. */
EFI_FILE_PROTOCOL *volume_root(const struct uefi_files *files, size_t volume);

/*
 * Fills in `self`, `current` and `directory` of the port. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status volumes_locate_user(const struct uefi_files *files, struct arena *arena,
                                           struct files_port *port);

/*
 * The release and renew calls of the port. For release nothing may be open; on a disk whose drivers
 * have been restarted the volumes get new handles.
 */
enum status volumes_release(struct uefi_files *files, struct span disk_path);
enum status volumes_renew(struct uefi_files *files, struct files_port *io_port);

/* Gives all released disks back to their drivers, and the memory of renewed volumes. */
void volumes_close(struct uefi_files *files);

#endif
