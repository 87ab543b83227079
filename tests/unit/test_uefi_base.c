/* What the ports over UEFI share: what a firmware offers is found, and what it says of itself is taken as it is
 * meant, or left out where it makes no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../efi/firmware/uefi.c"

#define HANDLES 3

#define ROOT 0x02, 0x01, 0x0c, 0x00, 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0
#define PCI  0x01, 0x01, 0x06, 0x00, 0, 3
#define MORE 0x7f, 0x01, 0x04, 0x00 /* the end of one instance of several */
#define END  0x7f, 0xff, 0x04, 0x00

static const uint8_t controller_path[] = {ROOT, PCI, END};

/* The firmware. */
static struct {
    EFI_BOOT_SERVICES boot;
    EFI_RUNTIME_SERVICES runtime;
    EFI_SYSTEM_TABLE system;
    EFI_STATUS listing;
    bool has_shell;
    const uint8_t *path; /* of every place; NULL: they have none */
    size_t known;        /* bytes of it that lead to a device */
    size_t pools;        /* that are to be given back */
} firmware;

static int places[HANDLES];
static EFI_LOADED_IMAGE image;
static EFI_SHELL_PARAMETERS_PROTOCOL parameters;
static EFI_SHELL_PROTOCOL shell;

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
    assert_non_null(handle);
    *ret_interface = NULL;
    if (uefi_guid_equal(guid, &device_path_guid))
        *ret_interface = (void *)firmware.path;
    else if (uefi_guid_equal(guid, &loaded_image_guid))
        *ret_interface = &image;
    else if (uefi_guid_equal(guid, &parameters_guid) && firmware.has_shell)
        *ret_interface = &parameters;
    return *ret_interface == NULL ? EFI_UNSUPPORTED : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *key, void **ret_interface)
{
    assert_null(key);
    assert_true(uefi_guid_equal(guid, &shell_guid));
    *ret_interface = &shell; /* said or not: only the status counts */
    return firmware.has_shell ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, void *key,
                                        UINTN *ret_count, EFI_HANDLE **ret_handles)
{
    (void)guid;
    (void)key;
    assert_int_equal(type, ByProtocol);
    if (firmware.listing != EFI_SUCCESS)
        return firmware.listing;
    *ret_count = HANDLES;
    *ret_handles = malloc(HANDLES * sizeof(**ret_handles));
    firmware.pools++;
    for (size_t i = 0; i < HANDLES; i++)
        (*ret_handles)[i] = &places[i];
    return EFI_SUCCESS;
}

/* The device that has the most of the path (UEFI Specification 7.3.11). */
static EFI_STATUS EFIAPI locate_device_path(EFI_GUID *guid, EFI_DEVICE_PATH_PROTOCOL **io_path,
                                            EFI_HANDLE *ret_handle)
{
    (void)guid;
    if (firmware.known == 0)
        return EFI_NOT_FOUND;
    *io_path = (void *)((uint8_t *)*io_path + firmware.known);
    *ret_handle = &places[0];
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
    firmware.pools--;
    free(buffer);
    return EFI_SUCCESS;
}

static struct uefi uefi;
static struct arena arena;
static uint8_t room[256];

static int start(void **state)
{
    (void)state;
    memset(&firmware, 0, sizeof(firmware));
    firmware.boot.HandleProtocol = handle_protocol;
    firmware.boot.LocateProtocol = locate_protocol;
    firmware.boot.LocateHandleBuffer = locate_handles;
    firmware.boot.LocateDevicePath = locate_device_path;
    firmware.boot.FreePool = free_pool;
    firmware.system.BootServices = &firmware.boot;
    firmware.system.RuntimeServices = &firmware.runtime;
    firmware.path = controller_path;
    arena_init(&arena, room, sizeof(room));
    uefi_open(&uefi, &places[0], &firmware.system);
    return 0;
}

/* --- What is there ---------------------------------------------------------------------------- */

static void program_of_a_shell_knows_it_and_its_words(void **state)
{
    (void)state;
    firmware.has_shell = true;
    uefi_open(&uefi, &places[0], &firmware.system);
    assert_ptr_equal(uefi.image, &places[0]);
    assert_ptr_equal(uefi.system, &firmware.system);
    assert_ptr_equal(uefi.boot, &firmware.boot);
    assert_ptr_equal(uefi.runtime, &firmware.runtime);
    assert_ptr_equal(uefi.loaded, &image);
    assert_ptr_equal(uefi.parameters, &parameters);
    assert_ptr_equal(uefi.shell, &shell);
}

static void program_of_a_boot_manager_has_no_shell(void **state)
{
    (void)state;
    assert_ptr_equal(uefi.loaded, &image);
    assert_null(uefi.parameters);
    assert_null(uefi.shell);
}

static void handles_come_in_the_sequence_of_firmware(void **state)
{
    struct handle_list list;

    (void)state;
    assert_int_equal(uefi_handles(&uefi, &shell_guid, &arena, &list), ST_OK);
    assert_int_equal(list.count, HANDLES);
    for (size_t i = 0; i < HANDLES; i++)
        assert_ptr_equal(list.at[i], &places[i]);
    assert_int_equal(firmware.pools, 0);
}

/* No disk is something to say, and no memory something else. */
static void no_handles_are_no_error_but_no_memory_is(void **state)
{
    struct handle_list list = {NULL, 9};

    (void)state;
    firmware.listing = EFI_NOT_FOUND;
    assert_int_equal(uefi_handles(&uefi, &shell_guid, &arena, &list), ST_OK);
    assert_int_equal(list.count, 0);
    firmware.listing = EFI_OUT_OF_RESOURCES;
    assert_int_equal(uefi_handles(&uefi, &shell_guid, &arena, &list), ST_NO_MEMORY);
    firmware.listing = EFI_SUCCESS;
    arena_init(&arena, room, sizeof(void *));
    assert_int_equal(uefi_handles(&uefi, &shell_guid, &arena, &list), ST_NO_MEMORY);
    assert_int_equal(firmware.pools, 0);
}

/* --- Device paths ----------------------------------------------------------------------------- */

static size_t size_of_path(const uint8_t *path)
{
    return uefi_path_span((const EFI_DEVICE_PATH_PROTOCOL *)path).size;
}

static void path_goes_up_to_the_end_of_all_its_instances(void **state)
{
    static const uint8_t two[] = {ROOT, MORE, PCI, END, PCI, END};

    (void)state;
    assert_int_equal(size_of_path(controller_path), 12 + 6 + 4);
    assert_int_equal(size_of_path(two), 12 + 4 + 6 + 4);
}

/* A node has at least its own head (UEFI Specification 10.3.1); with less one would not get on. */
static void broken_path_is_none(void **state)
{
    static const uint8_t short_node[] = {ROOT, 0x01, 0x01, 0x03, 0x00, END};
    uint8_t *endless = calloc(3, 32768);
    struct span path;

    (void)state;
    assert_int_equal(size_of_path(NULL), 0);
    assert_int_equal(size_of_path(short_node), 0);
    for (size_t at = 0; at < 3 * 32768; at += 32768)
        memcpy(endless + at, (uint8_t[]){0x01, 0x04, 0x00, 0x80}, 4);
    assert_int_equal(size_of_path(endless), 0);
    free(endless);
    firmware.path = short_node;
    assert_int_equal(uefi_handle_path(&uefi, &places[1], &arena, &path), ST_ABSENT);
    firmware.path = NULL;
    assert_int_equal(uefi_handle_path(&uefi, &places[1], &arena, &path), ST_ABSENT);
}

/* The firmware's may go with its device. */
static void path_of_a_handle_is_a_copy(void **state)
{
    struct span path;

    (void)state;
    assert_int_equal(uefi_handle_path(&uefi, &places[1], &arena, &path), ST_OK);
    assert_int_equal(path.size, sizeof(controller_path));
    assert_memory_equal(path.at, controller_path, path.size);
    assert_ptr_not_equal(path.at, controller_path);
    arena_init(&arena, room, sizeof(controller_path) - 1);
    assert_int_equal(uefi_handle_path(&uefi, &places[1], &arena, &path), ST_NO_MEMORY);
}

/* A controller that has no driver for the disk on it is not the disk. */
static void handle_is_at_a_path_when_nothing_of_it_is_left(void **state)
{
    struct span path = span_of(controller_path, sizeof(controller_path));

    (void)state;
    assert_null(uefi_handle_at(&uefi, &shell_guid, path));
    firmware.known = 12;
    assert_null(uefi_handle_at(&uefi, &shell_guid, path));
    firmware.known = 12 + 6;
    assert_ptr_equal(uefi_handle_at(&uefi, &shell_guid, path), &places[0]);
    assert_null(uefi_handle_at(&uefi, &shell_guid, span_of(NULL, 0)));
}

/* --- Texts ------------------------------------------------------------------------------------ */

static void firmware_says_who_it_is(void **state)
{
    CHAR16 vendor[] = {'M', 0xfc, 'l', 0x20ac, 0};

    (void)state;
    firmware.system.FirmwareVendor = vendor;
    firmware.system.FirmwareRevision = 0x10000;
    firmware.system.Hdr.Revision = 0x2001f;
    struct firmware_info info = uefi_firmware(&uefi, &arena);
    assert_string_equal(info.vendor, "M\xc3\xbcl\xe2\x82\xac"); /* RFC 3629, 3 */
    assert_int_equal(info.revision, 0x10000);
    assert_int_equal(info.uefi, 0x2001f);
    firmware.system.FirmwareVendor = NULL;
    assert_null(uefi_firmware(&uefi, &arena).vendor);
}

static void text_without_room_is_none(void **state)
{
    static const CHAR16 text[] = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 0};

    (void)state;
    arena_init(&arena, room, 8);
    assert_null(uefi_utf8(&arena, text));
}

/* The pair is U+1F5A5; of a half nobody knows what it was (Unicode Standard 3.9, D91). */
static void pair_of_surrogates_is_one_character_and_half_a_one_is_unknown(void **state)
{
    static const struct {
        CHAR16 from[4];
        const char *to;
    } texts[] = {
        {{0xd83d, 0xdda5, 'x', 0}, "\xf0\x9f\x96\xa5x"},
        {{0xd83d, 'x', 0}, "\xef\xbf\xbdx"},
        {{0xd83d, 0xd83d, 'x', 0}, "\xef\xbf\xbd\xef\xbf\xbdx"},
        {{0xdda5, 0xdda5, 'x', 0}, "\xef\xbf\xbd\xef\xbf\xbdx"},
        {{0xd83d, 0}, "\xef\xbf\xbd"},
        {{0xd7ff, 0xe000, 0}, "\xed\x9f\xbf\xee\x80\x80"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_string_equal(uefi_utf8(&arena, texts[i].from), texts[i].to);
}

static void text_is_cut_between_characters(void **state)
{
    static const CHAR16 text[] = {'a', 0x20ac, 'b', 0};
    char to[5];

    (void)state;
    uefi_utf8_into(to, 4, text);
    assert_string_equal(to, "a");
    uefi_utf8_into(to, 5, text);
    assert_string_equal(to, "a\xe2\x82\xac");
}

static void warning_is_success_and_unknown_trouble_is_trouble(void **state)
{
    static const struct status_row rows[] = {{EFI_NOT_FOUND, ST_ABSENT}};

    (void)state;
    assert_int_equal(uefi_status(EFI_SUCCESS, rows, 1), ST_OK);
    assert_int_equal(uefi_status(EFI_WARN_DELETE_FAILURE, rows, 1), ST_OK);
    assert_int_equal(uefi_status(EFI_NOT_FOUND, rows, 1), ST_ABSENT);
    assert_int_equal(uefi_status(EFI_ABORTED, rows, 1), ST_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(program_of_a_shell_knows_it_and_its_words, start),
        cmocka_unit_test_setup(program_of_a_boot_manager_has_no_shell, start),
        cmocka_unit_test_setup(handles_come_in_the_sequence_of_firmware, start),
        cmocka_unit_test_setup(no_handles_are_no_error_but_no_memory_is, start),
        cmocka_unit_test_setup(path_goes_up_to_the_end_of_all_its_instances, start),
        cmocka_unit_test_setup(broken_path_is_none, start),
        cmocka_unit_test_setup(path_of_a_handle_is_a_copy, start),
        cmocka_unit_test_setup(handle_is_at_a_path_when_nothing_of_it_is_left, start),
        cmocka_unit_test_setup(firmware_says_who_it_is, start),
        cmocka_unit_test_setup(text_without_room_is_none, start),
        cmocka_unit_test_setup(pair_of_surrogates_is_one_character_and_half_a_one_is_unknown,
                               start),
        cmocka_unit_test_setup(text_is_cut_between_characters, start),
        cmocka_unit_test_setup(warning_is_success_and_unknown_trouble_is_trouble, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
