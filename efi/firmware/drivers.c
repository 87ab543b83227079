#include "drivers.h"

#include "base/mem.h"

#define VENDOR_SIZE 32 /* bytes; of longer names the begin is enough */

static const EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static const EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static const EFI_GUID disk_io_guid = EFI_DISK_IO_PROTOCOL_GUID;
static const EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;

/* What is done with a handle; true ends the walk. */
typedef bool handle_call(const struct uefi *uefi, EFI_HANDLE handle);

static bool is_on(const struct uefi *uefi, EFI_HANDLE handle, struct span disk_path)
{
    struct span path = uefi_path_span(uefi_protocol(uefi, handle, &device_path_guid));

    return uefi_path_is_on(path, disk_path);
}

/* Calls `call` for the handles with `guid` that lie on the disk, the disk itself left out; true
 * when a call says so. */
static bool walk_below(const struct uefi *uefi, const EFI_GUID *guid, EFI_HANDLE disk,
                       struct span disk_path, handle_call *call)
{
    EFI_GUID copy = *guid;
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    bool ended = false;

    if (uefi->boot->LocateHandleBuffer(ByProtocol, &copy, NULL, &count, &handles) != EFI_SUCCESS)
        return false;
    for (UINTN i = 0; i < count && !ended; i++) {
        if (handles[i] != disk && is_on(uefi, handles[i], disk_path))
            ended = call(uefi, handles[i]);
    }
    uefi->boot->FreePool(handles);
    return ended;
}

static bool take_off_all(const struct uefi *uefi, EFI_HANDLE handle)
{
    uefi->boot->DisconnectController(handle, NULL, NULL); /* success is judged by what is left */
    return false;
}

static bool is_there(const struct uefi *uefi, EFI_HANDLE handle)
{
    (void)uefi;
    (void)handle;
    return true;
}

/*
 * Takes off what works on the disk through byte access: the driver of its partitions, or that of a
 * file system without partitions. Not all drivers: on USB the disk's own one sits there as well.
 */
static void take_off_users(const struct uefi *uefi, EFI_HANDLE disk)
{
    EFI_GUID guid = disk_io_guid;
    EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *users = NULL;
    UINTN count = 0;

    if (uefi->boot->OpenProtocolInformation(disk, &guid, &users, &count) != EFI_SUCCESS)
        return;
    for (UINTN i = 0; i < count; i++) {
        if ((users[i].Attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) != 0)
            uefi->boot->DisconnectController(disk, users[i].AgentHandle, NULL);
    }
    uefi->boot->FreePool(users);
}

/*
 * True for a firmware whose file systems are no drivers, stay there whatever is asked of it, and know
 * nothing from one call to the next: what is written beside them is what they see.
 */
static bool looks_anew(const struct uefi *uefi)
{
    char vendor[VENDOR_SIZE] = "";

    if (uefi->system->FirmwareVendor != NULL)
        uefi_utf8_into(vendor, sizeof(vendor), uefi->system->FirmwareVendor);
    return firmware_is_uboot(vendor);
}

enum status drivers_take_off(const struct uefi *uefi, struct span disk_path, EFI_HANDLE *ret_disk)
{
    EFI_HANDLE disk = uefi_handle_at(uefi, &block_io_guid, disk_path);

    if (disk == NULL)
        return ST_IO;
    walk_below(uefi, &file_system_guid, disk, disk_path, take_off_all);
    take_off_users(uefi, disk);
    bool stays = walk_below(uefi, &file_system_guid, disk, disk_path, is_there) ||
                 walk_below(uefi, &block_io_guid, disk, disk_path, is_there) ||
                 uefi_protocol(uefi, disk, &file_system_guid) != NULL;
    if (stays && !looks_anew(uefi)) {
        drivers_put_back(uefi, disk);
        return ST_REFUSED;
    }
    *ret_disk = disk;
    return ST_OK;
}

void drivers_put_back(const struct uefi *uefi, EFI_HANDLE disk)
{
    uefi->boot->ConnectController(disk, NULL, NULL, TRUE);
}
