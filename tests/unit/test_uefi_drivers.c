/*
 * Taking drivers off a disk, against a firmware with one disk and one volume on it, that may or may not
 * go away when its driver is asked to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../efi/firmware/drivers.c"
#define device_path_guid other_device_path_guid /* each file has its own */
#include "../../efi/firmware/uefi.c"
#undef device_path_guid

#define PATH_DISK   0x04, 0x01, 0x14, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define PATH_END    0x7f, 0xff, 0x04, 0x00
#define PATH_VOLUME 0x04, 0x02, 0x06, 0x00, 1, 0

static const uint8_t disk_path[] = {PATH_DISK, PATH_END};
static const uint8_t volume_path[] = {PATH_DISK, PATH_VOLUME, PATH_END};

/* The firmware. */
static struct {
    EFI_BOOT_SERVICES boot;
    EFI_SYSTEM_TABLE system;
    bool goes; /* the volume, when its drivers are taken off */
    bool is_gone;
    size_t connects;
} firmware;

static int disk_place;
static int volume_place;
static struct uefi uefi;

static bool same(const EFI_GUID *a, const EFI_GUID *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
    bool is_disk = handle == &disk_place;

    if (same(guid, &device_path_guid))
        *ret_interface = (void *)(is_disk ? disk_path : volume_path);
    else if (same(guid, &file_system_guid) && is_disk)
        return EFI_UNSUPPORTED;
    else
        *ret_interface = handle;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_device_path(EFI_GUID *guid, EFI_DEVICE_PATH_PROTOCOL **io_path,
                                            EFI_HANDLE *ret_handle)
{
    (void)guid;
    *io_path = (void *)(disk_path + sizeof(disk_path) - END_DEVICE_PATH_LENGTH);
    *ret_handle = &disk_place;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, void *key,
                                        UINTN *ret_count, EFI_HANDLE **ret_handles)
{
    (void)type;
    (void)key;
    EFI_HANDLE *handles = malloc(2 * sizeof(*handles));
    *ret_count = 0;
    if (same(guid, &block_io_guid))
        handles[(*ret_count)++] = &disk_place;
    if (!firmware.is_gone)
        handles[(*ret_count)++] = &volume_place;
    *ret_handles = handles;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI disconnect(EFI_HANDLE handle, EFI_HANDLE agent, EFI_HANDLE child)
{
    (void)handle;
    (void)agent;
    (void)child;
    firmware.is_gone = firmware.goes;
    return firmware.goes ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI connect(EFI_HANDLE handle, EFI_HANDLE *driver,
                                 EFI_DEVICE_PATH_PROTOCOL *rest, BOOLEAN all)
{
    (void)handle;
    (void)driver;
    (void)rest;
    (void)all;
    firmware.connects++;
    return EFI_SUCCESS;
}

/* U-Boot and edk2 both know that of a protocol nobody has opened. */
static EFI_STATUS EFIAPI nobody(EFI_HANDLE handle, EFI_GUID *guid,
                                EFI_OPEN_PROTOCOL_INFORMATION_ENTRY **ret_users, UINTN *ret_count)
{
    (void)handle;
    (void)guid;
    *ret_users = NULL;
    *ret_count = 0;
    return EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
    free(buffer);
    return EFI_SUCCESS;
}

static int start(void **state)
{
    (void)state;
    memset(&firmware, 0, sizeof(firmware));
    firmware.boot.HandleProtocol = handle_protocol;
    firmware.boot.LocateDevicePath = locate_device_path;
    firmware.boot.LocateHandleBuffer = locate_handles;
    firmware.boot.DisconnectController = disconnect;
    firmware.boot.ConnectController = connect;
    firmware.boot.OpenProtocolInformation = nobody;
    firmware.boot.FreePool = free_pool;
    firmware.system.BootServices = &firmware.boot;
    uefi = (struct uefi){.boot = &firmware.boot, .system = &firmware.system};
    return 0;
}

static enum status take_off(CHAR16 *vendor, bool goes)
{
    EFI_HANDLE disk = NULL;

    firmware.system.FirmwareVendor = vendor;
    firmware.goes = goes;
    firmware.is_gone = false;
    enum status status = drivers_take_off(&uefi, span_of(disk_path, sizeof(disk_path)), &disk);
    assert_ptr_equal(disk, status == ST_OK ? &disk_place : NULL);
    return status;
}

static void volume_that_goes_is_let_go_of(void **state)
{
    (void)state;
    assert_int_equal(take_off((CHAR16 *)L"EDK II", true), ST_OK);
    assert_int_equal(firmware.connects, 0);
}

/* What it knows of the volume would be written over what is written there. */
static void volume_that_stays_is_not_written_under(void **state)
{
    CHAR16 *vendors[] = {NULL,
                         (CHAR16 *)L"",
                         (CHAR16 *)L"EDK II",
                         (CHAR16 *)L"Das U-Boot 2",
                         (CHAR16 *)L"Das U-Boo",
                         (CHAR16 *)L"American Megatrends and others with a long name"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vendors); i++) {
        assert_int_equal(take_off(vendors[i], false), ST_REFUSED);
        assert_int_equal(firmware.connects, i + 1);
    }
}

static void volume_of_uboot_may_stay(void **state)
{
    (void)state;
    assert_int_equal(take_off((CHAR16 *)L"Das U-Boot", false), ST_OK);
    assert_int_equal(firmware.connects, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(volume_that_goes_is_let_go_of, start),
        cmocka_unit_test_setup(volume_that_stays_is_not_written_under, start),
        cmocka_unit_test_setup(volume_of_uboot_may_stay, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
