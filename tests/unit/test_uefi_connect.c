/* Which devices are connected when the program was started by a boot manager in a hurry: each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../efi/firmware/uefi.c"

#define ROOT 0x02, 0x01, 0x0c, 0x00, 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0
#define PCI  0x01, 0x01, 0x06, 0x00, 0, 3
#define NVME 0x03, 0x17, 0x10, 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define END  0x7f, 0xff, 0x04, 0x00

static const uint8_t root_path[] = {ROOT, END};
static const uint8_t pci_path[] = {ROOT, PCI, END};
static const uint8_t disk_path[] = {ROOT, PCI, NVME, END};
static const uint8_t end_path[] = {END};

struct device {
    const char *name;
    const uint8_t *path; /* NULL: it is no device */
    bool has_driver;
    unsigned connected;
};

static struct device devices[5];
static EFI_BOOT_SERVICES boot;
static struct uefi uefi;
static size_t pools; /* that are to be given back */
static bool knows_handles;
static bool knows_protocols;
static bool knows_users;
static EFI_GUID some_protocol = {1, 2, 3, {4}};

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
    (void)guid;
    *ret_interface = (void *)((struct device *)handle)->path;
    return *ret_interface == NULL ? EFI_UNSUPPORTED : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, void *key,
                                        UINTN *ret_count, EFI_HANDLE **ret_handles)
{
    (void)guid;
    (void)key;
    assert_int_equal(type, AllHandles);
    if (!knows_handles)
        return EFI_OUT_OF_RESOURCES;
    *ret_count = sizeof(devices) / sizeof(devices[0]);
    pools++;
    *ret_handles = malloc(*ret_count * sizeof(**ret_handles));
    for (size_t i = 0; i < *ret_count; i++)
        (*ret_handles)[i] = &devices[i];
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI protocols_of(EFI_HANDLE handle, EFI_GUID ***ret_protocols,
                                      UINTN *ret_count)
{
    (void)handle;
    if (!knows_protocols)
        return EFI_OUT_OF_RESOURCES;
    pools++;
    *ret_protocols = malloc(sizeof(**ret_protocols));
    (*ret_protocols)[0] = &some_protocol;
    *ret_count = 1;
    return EFI_SUCCESS;
}

/* Somebody has always looked at it; that is not to drive it. */
static EFI_STATUS EFIAPI users_of(EFI_HANDLE handle, EFI_GUID *guid,
                                  EFI_OPEN_PROTOCOL_INFORMATION_ENTRY **ret_users, UINTN *ret_count)
{
    const struct device *device = handle;

    assert_ptr_equal(guid, &some_protocol);
    if (!knows_users)
        return EFI_NOT_FOUND;
    pools++;
    *ret_users = calloc(2, sizeof(**ret_users));
    (*ret_users)[0].Attributes = EFI_OPEN_PROTOCOL_GET_PROTOCOL;
    (*ret_users)[1].Attributes = EFI_OPEN_PROTOCOL_BY_DRIVER;
    *ret_count = device->has_driver ? 2 : 1;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI connect(EFI_HANDLE handle, EFI_HANDLE *driver,
                                 EFI_DEVICE_PATH_PROTOCOL *rest, BOOLEAN all)
{
    assert_null(driver);
    assert_null(rest);
    assert_true(all); /* and what hangs on it */
    ((struct device *)handle)->connected++;
    return EFI_NOT_FOUND; /* nobody wants it, which is no trouble */
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
    pools--;
    free(buffer);
    return EFI_SUCCESS;
}

static int start(void **state)
{
    static const struct device usual[] = {
        {"a driver", NULL, false, 0},     {"nothing's path", end_path, false, 0},
        {"the root", root_path, true, 0}, {"a controller", pci_path, true, 0},
        {"its disk", disk_path, true, 0},
    };

    (void)state;
    memcpy(devices, usual, sizeof(usual));
    boot.HandleProtocol = handle_protocol;
    boot.LocateHandleBuffer = locate_handles;
    boot.ProtocolsPerHandle = protocols_of;
    boot.OpenProtocolInformation = users_of;
    boot.ConnectController = connect;
    boot.FreePool = free_pool;
    uefi = (struct uefi){.boot = &boot};
    knows_handles = knows_protocols = knows_users = true;
    return 0;
}

/* Else a network card's hundred services would be gone through once for each of them. */
static void what_has_a_driver_is_reached_from_its_root_alone(void **state)
{
    static const unsigned times[] = {0, 0, 1, 0, 0};

    (void)state;
    uefi_connect_all(&uefi);
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (devices[i].connected != times[i])
            print_error("%s: %u times\n", devices[i].name, devices[i].connected);
        assert_int_equal(devices[i].connected, times[i]);
    }
    assert_int_equal(pools, 0);
}

/* Whether its bus has told firmware of it or not. */
static void what_has_none_is_connected_itself(void **state)
{
    (void)state;
    devices[3].has_driver = false;
    devices[4].has_driver = false;
    uefi_connect_all(&uefi);
    assert_int_equal(devices[3].connected, 1);
    assert_int_equal(devices[4].connected, 1);
    assert_int_equal(devices[0].connected + devices[1].connected, 0);
}

/* What firmware does not say costs time at most: the other disk of a mirror would not be there. */
static void device_of_which_nothing_is_said_is_connected(void **state)
{
    (void)state;
    knows_users = false;
    uefi_connect_all(&uefi);
    knows_users = true;
    knows_protocols = false;
    uefi_connect_all(&uefi);
    assert_int_equal(devices[4].connected, 2);
    assert_int_equal(devices[0].connected + devices[1].connected, 0);
    assert_int_equal(pools, 0);
}

static void firmware_that_lists_nothing_is_left_alone(void **state)
{
    (void)state;
    knows_handles = false;
    uefi_connect_all(&uefi);
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        assert_int_equal(devices[i].connected, 0);
    assert_int_equal(pools, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_has_a_driver_is_reached_from_its_root_alone, start),
        cmocka_unit_test_setup(what_has_none_is_connected_itself, start),
        cmocka_unit_test_setup(device_of_which_nothing_is_said_is_connected, start),
        cmocka_unit_test_setup(firmware_that_lists_nothing_is_left_alone, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
