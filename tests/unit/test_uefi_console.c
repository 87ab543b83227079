/*
 * The screen of a firmware: one with a single text mode, whose attribute starts as 0, as U-Boot's is; one whose mode
 * cannot be asked for; and what only looks like a screen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../efi/firmware/console.c"
#define device_path_guid other_device_path_guid /* each file has its own */
#include "../../efi/firmware/uefi.c"
#undef device_path_guid

static struct {
    SIMPLE_TEXT_OUTPUT_MODE mode;
    EFI_SIMPLE_TEXT_OUT_PROTOCOL out;
    EFI_SYSTEM_TABLE system;
    struct uefi uefi;
    bool takes_attributes;
    EFI_STATUS asked;
    size_t cleared;
    size_t modes_set;
} firmware;

enum status keyboard_read(const struct uefi *uefi, uint32_t milliseconds, EFI_INPUT_KEY *ret_key)
{
    (void)uefi;
    (void)milliseconds;
    (void)ret_key;
    return ST_IO;
}

uint32_t keyboard_code(EFI_INPUT_KEY key)
{
    return key.UnicodeChar;
}

bool keyboard_take_break(const struct uefi *uefi)
{
    (void)uefi;
    return false;
}

static EFI_STATUS EFIAPI set_attribute(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, UINTN attribute)
{
    if (firmware.takes_attributes)
        device->Mode->Attribute = (INT32)attribute;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_mode(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, UINTN mode)
{
    (void)device;
    (void)mode;
    firmware.modes_set++;
    return EFI_UNSUPPORTED;
}

/* Mode 0 is all there is. */
static EFI_STATUS EFIAPI query_mode(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, UINTN mode,
                                    UINTN *ret_columns, UINTN *ret_rows)
{
    (void)device;
    if (mode != 0 || firmware.asked != EFI_SUCCESS)
        return mode != 0 ? EFI_UNSUPPORTED : firmware.asked;
    *ret_columns = 80;
    *ret_rows = 25;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI clear_screen(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device)
{
    (void)device;
    firmware.cleared++;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI enable_cursor(EFI_SIMPLE_TEXT_OUT_PROTOCOL *device, BOOLEAN visible)
{
    device->Mode->CursorVisible = visible;
    return EFI_UNSUPPORTED;
}

static int set_up(void **state)
{
    (void)state;
    memset(&firmware, 0, sizeof(firmware));
    firmware.mode = (SIMPLE_TEXT_OUTPUT_MODE){.MaxMode = 1};
    firmware.out = (EFI_SIMPLE_TEXT_OUT_PROTOCOL){.SetAttribute = set_attribute,
                                                  .SetMode = set_mode,
                                                  .QueryMode = query_mode,
                                                  .ClearScreen = clear_screen,
                                                  .EnableCursor = enable_cursor,
                                                  .Mode = &firmware.mode};
    firmware.system.ConOut = &firmware.out;
    firmware.uefi.system = &firmware.system;
    firmware.takes_attributes = true;
    return 0;
}

static struct screen_size size_now(void)
{
    struct uefi_console console;
    struct console_port port;

    uefi_console_open(&firmware.uefi, &console, &port);
    return port.screen_size(port.ctx);
}

static void single_mode_is_the_screen(void **state)
{
    struct uefi_console console;
    struct console_port port;

    (void)state;
    uefi_console_open(&firmware.uefi, &console, &port);
    struct screen_size size = port.screen_size(port.ctx);
    assert_int_equal(size.columns, 80);
    assert_int_equal(size.rows, 25);
    port.clear(port.ctx, false);
    assert_int_equal(firmware.cleared, 1);
    assert_int_equal(firmware.mode.Attribute, 0);
    assert_int_equal(firmware.modes_set, 0);
}

static void mode_that_is_not_told_has_no_size(void **state)
{
    (void)state;
    firmware.asked = EFI_DEVICE_ERROR;
    assert_int_equal(size_now().columns, 0);
    assert_int_equal(size_now().rows, 0);
}

static void what_takes_no_attribute_is_a_file(void **state)
{
    (void)state;
    firmware.takes_attributes = false;
    assert_int_equal(size_now().columns, 0);
    firmware.out.Mode = NULL;
    assert_int_equal(size_now().columns, 0);
    firmware.system.ConOut = NULL;
    assert_int_equal(size_now().columns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(single_mode_is_the_screen, set_up),
        cmocka_unit_test_setup(mode_that_is_not_told_has_no_size, set_up),
        cmocka_unit_test_setup(what_takes_no_attribute_is_a_file, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
