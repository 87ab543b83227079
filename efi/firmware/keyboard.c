#include "keyboard.h"

#include <eficonex.h>

#define STALE_KEYS   16    /* keys at most that are thrown away with a break */
#define IDLE_WAKEUPS 200   /* signals without a key before the input counts as ended */
#define IDLE_STALL   1000  /* microseconds between them */
#define POLL_STEP    10    /* milliseconds between two looks, where it does not wait for ever */
#define CONTROL_BITS 0x1fu /* of a letter: its control character */
#define CONTROL_KEYS (EFI_LEFT_CONTROL_PRESSED | EFI_RIGHT_CONTROL_PRESSED)

static const EFI_GUID extended_guid = EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL_GUID;

/* Of the input that is used now: the Shell's redirections put others in its place. */
static EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *extended_input(const struct uefi *uefi)
{
    EFI_HANDLE handle = uefi->system->ConsoleInHandle;

    return handle == NULL ? NULL : uefi_protocol(uefi, handle, &extended_guid);
}

/* Ctrl and a letter as the control character, however the keyboard says it. */
static EFI_INPUT_KEY plain_key(const EFI_KEY_DATA *data)
{
    EFI_INPUT_KEY key = data->Key;
    UINT32 shift = data->KeyState.KeyShiftState;
    bool letter = (key.UnicodeChar >= 'a' && key.UnicodeChar <= 'z') ||
                  (key.UnicodeChar >= 'A' && key.UnicodeChar <= 'Z');

    if ((shift & EFI_SHIFT_STATE_VALID) != 0 && (shift & CONTROL_KEYS) != 0 && letter)
        key.UnicodeChar &= CONTROL_BITS;
    return key;
}

/* A key that is there already. EFI_NOT_READY for none, as for a shift key alone. */
static EFI_STATUS take_waiting(const struct uefi *uefi, EFI_INPUT_KEY *ret_key)
{
    EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *extended = extended_input(uefi);
    SIMPLE_INPUT_INTERFACE *device = uefi->system->ConIn;
    EFI_KEY_DATA data = {0};

    if (extended == NULL)
        return device->ReadKeyStroke(device, ret_key);
    EFI_STATUS efi = extended->ReadKeyStrokeEx(extended, &data);
    if (efi != EFI_SUCCESS)
        return efi;
    *ret_key = plain_key(&data);
    return ret_key->UnicodeChar == 0 && ret_key->ScanCode == 0 ? EFI_NOT_READY : EFI_SUCCESS;
}

/* Throws away the keys typed up to a Ctrl-C; true when there was one. */
static bool take_ctrl_c(const struct uefi *uefi)
{
    EFI_INPUT_KEY key;

    for (int i = 0; i < STALE_KEYS && uefi->system->ConIn != NULL; i++) {
        if (take_waiting(uefi, &key) != EFI_SUCCESS)
            return false;
        if (key.UnicodeChar == KEY_CTRL_C)
            return true;
    }
    return false;
}

/* True once for each Ctrl-C that the Shell has seen. */
static bool take_shell_break(const struct uefi *uefi)
{
    return uefi->shell != NULL && uefi->shell->ExecutionBreak != NULL &&
           uefi->boot->CheckEvent(uefi->shell->ExecutionBreak) == EFI_SUCCESS;
}

/* Sleeps until a key or the Shell's break event; which of the two, the caller finds out. */
static void wait_for_input(const struct uefi *uefi)
{
    EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *extended = extended_input(uefi);
    EFI_EVENT key = extended == NULL ? uefi->system->ConIn->WaitForKey : extended->WaitForKeyEx;
    EFI_EVENT events[2] = {key, NULL};
    UINTN index = 0;
    UINTN count = 1;

    if (uefi->shell != NULL && uefi->shell->ExecutionBreak != NULL)
        events[count++] = uefi->shell->ExecutionBreak;
    EFI_STATUS efi = uefi->boot->WaitForEvent(count, events, &index);
    if (efi == EFI_SUCCESS && index == 1)
        uefi->boot->SignalEvent(events[1]); /* waiting has consumed it */
    if (efi != EFI_SUCCESS)
        uefi->boot->Stall(IDLE_STALL);
}

/* Statuses as keyboard_read; ST_ABSENT when there is none yet. */
static enum status try_key(const struct uefi *uefi, EFI_INPUT_KEY *ret_key)
{
    EFI_STATUS efi = take_waiting(uefi, ret_key);

    if (efi == EFI_SUCCESS) {
        if (ret_key->UnicodeChar == KEY_CTRL_C)
            take_shell_break(uefi); /* the same key again: it shall not cancel what comes next */
        return ST_OK;
    }
    return efi == EFI_NOT_READY ? ST_ABSENT : ST_IO;
}

static bool was_broken(const struct uefi *uefi)
{
    if (!take_shell_break(uefi))
        return false;
    take_ctrl_c(uefi);
    return true;
}

static enum status wait_forever(const struct uefi *uefi, EFI_INPUT_KEY *ret_key)
{
    for (int idle = 0; idle < IDLE_WAKEUPS; idle++) {
        enum status status = try_key(uefi, ret_key);
        if (status != ST_ABSENT)
            return status;
        if (idle > 0)
            uefi->boot->Stall(IDLE_STALL);
        wait_for_input(uefi);
        if (was_broken(uefi))
            return ST_CANCELLED;
    }
    return ST_IO;
}

enum status keyboard_read(const struct uefi *uefi, uint32_t milliseconds, EFI_INPUT_KEY *ret_key)
{
    enum status status = ST_ABSENT;

    if (uefi->system->ConIn == NULL)
        return ST_IO;
    if (milliseconds == KEY_WAIT_FOREVER)
        return wait_forever(uefi, ret_key);
    for (uint32_t waited = 0; status == ST_ABSENT; waited += POLL_STEP) {
        if (was_broken(uefi))
            return ST_CANCELLED;
        status = try_key(uefi, ret_key);
        if (status != ST_ABSENT || waited >= milliseconds)
            return status;
        uefi->boot->Stall(POLL_STEP * 1000);
    }
    return status;
}

uint32_t keyboard_code(EFI_INPUT_KEY key)
{
    static const struct {
        CHAR16 scan;
        uint32_t code;
    } names[] = {
        {SCAN_UP, KEY_UP},           {SCAN_DOWN, KEY_DOWN}, {SCAN_RIGHT, KEY_RIGHT},
        {SCAN_LEFT, KEY_LEFT},       {SCAN_HOME, KEY_HOME}, {SCAN_END, KEY_END},
        {SCAN_PAGE_UP, KEY_PAGE_UP}, {SCAN_ESC, KEY_ESC},   {SCAN_PAGE_DOWN, KEY_PAGE_DOWN},
        {SCAN_DELETE, KEY_DELETE}};

    if (key.ScanCode == SCAN_NULL)
        return key.UnicodeChar == CHAR_LINEFEED ? (uint32_t)KEY_ENTER : key.UnicodeChar;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (names[i].scan == key.ScanCode)
            return names[i].code;
    }
    return KEY_OTHER;
}

bool keyboard_take_break(const struct uefi *uefi)
{
    return uefi->shell == NULL ? take_ctrl_c(uefi) : was_broken(uefi);
}
