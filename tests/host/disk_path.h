/* Device paths as firmware gives them to disks, for machines made up by tests. */
#ifndef SHADOWBOOT_HOST_DISK_PATH_H
#define SHADOWBOOT_HOST_DISK_PATH_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define DISK_PATH_SIZE 64 /* bytes; room for any path made here */

enum disk_controller {
    DISK_NVME,   /* PciRoot(0x0)/Pci(position+2,0x0)/NVMe(0x1,...) */
    DISK_AHCI,   /* PciRoot(0x0)/Pci(0x1F,0x2)/Sata(position,0xFFFF,0x0) */
    DISK_VIRTIO, /* PciRoot(0x0)/Pci(position+2,0x0) */
    DISK_SCSI,   /* PciRoot(0x0)/Pci(0x1,0x0)/Scsi(position,0x0) */
    DISK_USB,    /* PciRoot(0x0)/Pci(0x14,0x0)/USB(position,0x0) */
    DISK_CONTROLLER_COUNT
};

/*
 * Writes the path of the disk at `position` (0 to 223) with its end node into `ret_path` and gives
 * its size in bytes.
 */
size_t disk_path_make(enum disk_controller controller, unsigned position,
                      uint8_t ret_path[DISK_PATH_SIZE]);

/*
 * The controller called `name`: "nvme", "ahci", "virtio", "scsi", "usb". Statuses: ST_OK;
 * ST_ABSENT.
 */
MUST_CHECK enum status disk_controller_named(const char *name,
                                             enum disk_controller *ret_controller);

/* True when `path` leads through the device at `prefix`; both have end nodes. */
bool disk_path_leads_through(struct span path, struct span prefix);

#endif
