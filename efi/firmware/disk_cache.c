#include "disk_cache.h"

#include "base/mem.h"
#include "protocols.h"

#define FLUSH_CACHE_EXT 0xea /* ATA command set; only disks with 48-bit addresses have it */
#define FLUSH_CACHE     0xe7
#define TIMEOUT         600000000 /* 60 s in units of 100 ns: ATA allows more than 30 */

static const EFI_GUID ata_guid = ATA_PASS_THRU_GUID;
static const EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

struct ata_device {
    struct ata_pass_thru *driver;
    UINT16 port;
    UINT16 multiplier_port;
};

/* False for what is on no ATA disk. Below the controller the device path goes on with the disk. */
static bool find_device(const struct uefi *uefi, EFI_HANDLE handle, struct ata_device *ret_device)
{
    EFI_GUID guid = ata_guid;
    EFI_DEVICE_PATH_PROTOCOL *node = uefi_protocol(uefi, handle, &device_path_guid);
    EFI_HANDLE controller = NULL;
    struct ata_device device = {NULL, 0, 0};

    if (node == NULL || uefi->boot->LocateDevicePath(&guid, &node, &controller) != EFI_SUCCESS)
        return false;
    device.driver = uefi_protocol(uefi, controller, &ata_guid);
    if (device.driver == NULL || device.driver->get_device(device.driver, node, &device.port,
                                                           &device.multiplier_port) != EFI_SUCCESS)
        return false;
    *ret_device = device;
    return true;
}

static EFI_STATUS send(const struct ata_device *device, UINT8 code, struct ata_status *status)
{
    struct ata_command command = {.command = code};
    struct ata_packet packet = {.status = status,
                                .command = &command,
                                .timeout = TIMEOUT,
                                .protocol = ATA_PROTOCOL_NON_DATA,
                                .length = ATA_LENGTH_NONE};

    memset(status, 0, sizeof(*status));
    return device->driver->pass_thru(device->driver, device->port, device->multiplier_port, &packet,
                                     NULL);
}

EFI_STATUS disk_cache_flush(const struct uefi *uefi, EFI_HANDLE handle)
{
    struct ata_device device;
    EFI_PHYSICAL_ADDRESS page = 0; /* suits every alignment in use */

    if (!find_device(uefi, handle, &device))
        return EFI_SUCCESS;
    if (uefi->boot->AllocatePages(AllocateAnyPages, EfiLoaderData, 1, &page) != EFI_SUCCESS)
        return EFI_OUT_OF_RESOURCES;
    struct ata_status *status = (void *)(uintptr_t)page;
    EFI_STATUS efi = send(&device, FLUSH_CACHE_EXT, status);
    if (efi == EFI_DEVICE_ERROR)
        efi = send(&device, FLUSH_CACHE, status);
    uefi->boot->FreePages(page, 1);
    if (efi == EFI_UNSUPPORTED || efi == EFI_INVALID_PARAMETER)
        return EFI_SUCCESS; /* the driver passes no such command on */
    return efi;
}
