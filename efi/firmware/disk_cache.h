/* The write cache inside a disk. */
#ifndef SHADOWBOOT_FIRMWARE_DISK_CACHE_H
#define SHADOWBOOT_FIRMWARE_DISK_CACHE_H

#include "uefi.h"

/*
 * Makes an ATA disk write its cache to the medium; `handle` is the disk or a partition of it. The
 * flush calls of block and file protocols alone do not: the drivers of edk2 for SATA report success
 * and tell the disk nothing. EFI_SUCCESS also for a disk that cannot be asked, as it is no ATA disk
 * or its driver offers no way; EFI_OUT_OF_RESOURCES; any other error is one of the disk.
 */
EFI_STATUS disk_cache_flush(const struct uefi *uefi, EFI_HANDLE handle);

#endif
