/* Partitions of the machine as the firmware shows them. */
#ifndef STANDIN_DISKS_H
#define STANDIN_DISKS_H

#include "standin.h"

struct place {
    UINT8 disk[16]; /* GUIDs, as they are stored */
    UINT8 partition[16];
    EFI_HANDLE handle;
};

/* A partition of that GUID, on the disk of the device path `own` before any other. */
BOOLEAN disks_find(const UINT8 *partition, const UINT8 *own, struct place *ret_place);

/* A partition with a file `path`, or with NTFS, into which nobody looks; likewise. */
BOOLEAN disks_locate(const CHAR16 *path, const UINT8 *own, struct place *ret_place);

/* TRUE when a disk has that GUID. */
BOOLEAN disks_have(const UINT8 *disk);

/* The first bytes of a file of the partition. ST: EFI_UNSUPPORTED when the firmware does not read
 * its file system. */
EFI_STATUS disks_read(const struct place *place, const CHAR16 *path, UINT8 *ret_bytes,
                      UINTN *io_size);

#endif
