/*
 * Taking the drivers of partitions and file systems off a disk, and putting them back (UEFI
 * Specification 7.3, DisconnectController and ConnectController).
 */
#ifndef SHADOWBOOT_FIRMWARE_DRIVERS_H
#define SHADOWBOOT_FIRMWARE_DRIVERS_H

#include "uefi.h"

/*
 * After success nothing but the driver of the disk itself works on the disk with this device path:
 * no file system, no partition; or, under U-Boot, none that keeps what it has read. Statuses: ST_OK; ST_REFUSED when a driver stays; ST_IO when there
 * is no such disk. On failure all drivers work, though maybe on new handles.
 */
MUST_CHECK enum status drivers_take_off(const struct uefi *uefi, struct span disk_path,
                                        EFI_HANDLE *ret_disk);

/* Lets all drivers start on a disk: partition tables are read, file systems looked for. */
void drivers_put_back(const struct uefi *uefi, EFI_HANDLE disk);

#endif
