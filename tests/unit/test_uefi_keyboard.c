/*
 * Keys from a firmware that is one: its queue is told to the plain or to the extended protocol, of
 * which both take from the same keyboard.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../efi/firmware/keyboard.c"
#include "../../efi/firmware/uefi.c"

#define KEYS_MOST 8

static struct {
    EFI_BOOT_SERVICES boot;
    EFI_SYSTEM_TABLE system;
    SIMPLE_INPUT_INTERFACE plain;
    EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL extended;
    EFI_SHELL_PROTOCOL shell;
    EFI_KEY_DATA keys[KEYS_MOST];
    size_t count;
    size_t next;
    bool has_extended;
    bool broken; /* the Shell's break is signalled */
    unsigned waits;
    uint64_t stalled; /* microseconds */
} firmware;

static struct uefi uefi;
static int keyboard_place;
static int break_place;

static EFI_STATUS EFIAPI read_plain(SIMPLE_INPUT_INTERFACE *device, EFI_INPUT_KEY *ret_key)
{
    assert_ptr_equal(device, &firmware.plain);
    if (firmware.next == firmware.count)
        return EFI_NOT_READY;
    *ret_key = firmware.keys[firmware.next++].Key;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_extended(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *device,
                                       EFI_KEY_DATA *ret_data)
{
    assert_ptr_equal(device, &firmware.extended);
    if (firmware.next == firmware.count)
        return EFI_NOT_READY;
    *ret_data = firmware.keys[firmware.next++];
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **ret_interface)
{
    assert_ptr_equal(handle, &keyboard_place);
    assert_memory_equal(guid, &extended_guid, sizeof(*guid));
    if (!firmware.has_extended)
        return EFI_UNSUPPORTED;
    *ret_interface = &firmware.extended;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT *events, UINTN *ret_index)
{
    (void)events;
    firmware.waits++;
    *ret_index = count > 1 && firmware.broken ? 1 : 0;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI check_event(EFI_EVENT event)
{
    assert_ptr_equal(event, &break_place);
    bool broken = firmware.broken;
    firmware.broken = false;
    return broken ? EFI_SUCCESS : EFI_NOT_READY;
}

static EFI_STATUS EFIAPI signal_event(EFI_EVENT event)
{
    assert_ptr_equal(event, &break_place);
    firmware.broken = true;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI stall(UINTN microseconds)
{
    firmware.stalled += microseconds;
    return EFI_SUCCESS;
}

static int switch_on(void **state)
{
    (void)state;
    memset(&firmware, 0, sizeof(firmware));
    firmware.has_extended = true;
    firmware.plain.ReadKeyStroke = read_plain;
    firmware.extended.ReadKeyStrokeEx = read_extended;
    firmware.boot.HandleProtocol = handle_protocol;
    firmware.boot.WaitForEvent = wait_for_event;
    firmware.boot.CheckEvent = check_event;
    firmware.boot.SignalEvent = signal_event;
    firmware.boot.Stall = stall;
    firmware.shell.ExecutionBreak = &break_place;
    firmware.system.ConIn = &firmware.plain;
    firmware.system.ConsoleInHandle = &keyboard_place;
    uefi = (struct uefi){.system = &firmware.system, .boot = &firmware.boot};
    return 0;
}

static void press(CHAR16 scan, CHAR16 unit, UINT32 shift)
{
    firmware.keys[firmware.count++] = (EFI_KEY_DATA){{scan, unit}, {shift, 0}};
}

static uint32_t read_code(void)
{
    EFI_INPUT_KEY key;

    assert_int_equal(keyboard_read(&uefi, KEY_WAIT_FOREVER, &key), ST_OK);
    return keyboard_code(key);
}

static void test_ctrl_c_with_a_shift_state_is_ctrl_c(void **state)
{
    (void)state;
    press(0, 'c', EFI_SHIFT_STATE_VALID | EFI_LEFT_CONTROL_PRESSED);
    press(0, 'C', EFI_SHIFT_STATE_VALID | EFI_RIGHT_CONTROL_PRESSED);
    press(0, 3, EFI_SHIFT_STATE_VALID | EFI_LEFT_CONTROL_PRESSED);
    press(0, 'c', EFI_LEFT_CONTROL_PRESSED); /* the state is not valid */
    press(0, 'C', EFI_SHIFT_STATE_VALID | EFI_LEFT_SHIFT_PRESSED);
    press(0, '1', EFI_SHIFT_STATE_VALID | EFI_LEFT_CONTROL_PRESSED);
    assert_int_equal(read_code(), KEY_CTRL_C);
    assert_int_equal(read_code(), KEY_CTRL_C);
    assert_int_equal(read_code(), KEY_CTRL_C);
    assert_int_equal(read_code(), 'c');
    assert_int_equal(read_code(), 'C');
    assert_int_equal(read_code(), '1');
}

static void test_keys_have_their_names(void **state)
{
    static const struct {
        CHAR16 scan;
        CHAR16 unit;
        uint32_t code;
    } keys[] = {{SCAN_UP, 0, KEY_UP},           {SCAN_DOWN, 0, KEY_DOWN},
                {SCAN_RIGHT, 0, KEY_RIGHT},     {SCAN_LEFT, 0, KEY_LEFT},
                {SCAN_HOME, 0, KEY_HOME},       {SCAN_END, 0, KEY_END},
                {SCAN_PAGE_UP, 0, KEY_PAGE_UP}, {SCAN_PAGE_DOWN, 0, KEY_PAGE_DOWN},
                {SCAN_ESC, 0, KEY_ESC},         {SCAN_DELETE, 0, KEY_DELETE},
                {SCAN_F1, 0, KEY_OTHER},        {SCAN_F10, 0, KEY_OTHER},
                {0, '\r', KEY_ENTER},           {0, '\n', KEY_ENTER},
                {0, '\b', KEY_BACKSPACE},       {0, 0xe4, 0xe4}};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        firmware.count = firmware.next = 0;
        press(keys[i].scan, keys[i].unit, 0);
        assert_int_equal(read_code(), keys[i].code);
    }
}

static void test_a_shift_key_alone_is_none(void **state)
{
    EFI_INPUT_KEY key;

    (void)state;
    press(0, 0, EFI_SHIFT_STATE_VALID | EFI_LEFT_CONTROL_PRESSED);
    assert_int_equal(keyboard_read(&uefi, 0, &key), ST_ABSENT);
    press(0, 0, EFI_SHIFT_STATE_VALID | EFI_LEFT_CONTROL_PRESSED);
    press(0, 'x', 0);
    assert_int_equal(read_code(), 'x');
}

static void test_firmware_without_the_extended_protocol_is_read_plainly(void **state)
{
    (void)state;
    firmware.has_extended = false;
    press(0, 3, 0);
    press(SCAN_UP, 0, 0);
    assert_int_equal(read_code(), KEY_CTRL_C);
    assert_int_equal(read_code(), KEY_UP);
}

static void test_a_wait_has_its_end(void **state)
{
    EFI_INPUT_KEY key;

    (void)state;
    assert_int_equal(keyboard_read(&uefi, 100, &key), ST_ABSENT);
    assert_int_equal(firmware.stalled, 100 * 1000);
    assert_int_equal(firmware.waits, 0);
    press(0, 'x', 0);
    assert_int_equal(keyboard_read(&uefi, 100, &key), ST_OK);
    assert_int_equal(firmware.stalled, 100 * 1000);
}

static void test_input_that_has_no_key_when_it_says_so_has_ended(void **state)
{
    EFI_INPUT_KEY key;

    (void)state;
    assert_int_equal(keyboard_read(&uefi, KEY_WAIT_FOREVER, &key), ST_IO);
    assert_int_equal(firmware.waits, IDLE_WAKEUPS);
    firmware.system.ConIn = NULL;
    assert_int_equal(keyboard_read(&uefi, 10, &key), ST_IO);
}

static void test_the_shells_break_cancels_and_takes_its_key(void **state)
{
    EFI_INPUT_KEY key;

    (void)state;
    uefi.shell = &firmware.shell;
    firmware.broken = true;
    press(0, 'y', 0);
    press(0, 3, 0);
    press(0, 'z', 0);
    assert_true(keyboard_take_break(&uefi));
    assert_false(keyboard_take_break(&uefi));
    assert_int_equal(read_code(), 'z');
    firmware.broken = true;
    assert_int_equal(keyboard_read(&uefi, KEY_WAIT_FOREVER, &key), ST_CANCELLED);
    assert_int_equal(firmware.waits, 1);
}

static void test_without_a_shell_the_key_itself_is_the_break(void **state)
{
    (void)state;
    press(0, 'y', 0);
    assert_false(keyboard_take_break(&uefi));
    press(0, 'y', 0);
    press(0, 'c', EFI_SHIFT_STATE_VALID | EFI_LEFT_CONTROL_PRESSED);
    assert_true(keyboard_take_break(&uefi));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ctrl_c_with_a_shift_state_is_ctrl_c, switch_on),
        cmocka_unit_test_setup(test_keys_have_their_names, switch_on),
        cmocka_unit_test_setup(test_a_shift_key_alone_is_none, switch_on),
        cmocka_unit_test_setup(test_firmware_without_the_extended_protocol_is_read_plainly,
                               switch_on),
        cmocka_unit_test_setup(test_a_wait_has_its_end, switch_on),
        cmocka_unit_test_setup(test_input_that_has_no_key_when_it_says_so_has_ended, switch_on),
        cmocka_unit_test_setup(test_the_shells_break_cancels_and_takes_its_key, switch_on),
        cmocka_unit_test_setup(test_without_a_shell_the_key_itself_is_the_break, switch_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
