/*
 * Keys from the system table's simple text input (UEFI Specification 12.3), by its extended form
 * (12.2) where there is one: that alone tells Ctrl-C on keyboards that give it as a "c" with a shift
 * state. With a key go the Shell's own signs of a break.
 */
#ifndef SHADOWBOOT_FIRMWARE_KEYBOARD_H
#define SHADOWBOOT_FIRMWARE_KEYBOARD_H

#include "port/console.h"
#include "uefi.h"

/*
 * The next key; Ctrl and a letter are its control character. Statuses: ST_OK; ST_ABSENT when none was
 * pressed within so many milliseconds (KEY_WAIT_FOREVER: it waits); ST_CANCELLED for the Shell's break;
 * ST_IO when there is no keyboard, or when the input says again and again that there is a key and then
 * has none: the way the end of a redirected file looks.
 */
enum status keyboard_read(const struct uefi *uefi, uint32_t milliseconds, EFI_INPUT_KEY *ret_key);

/* The key as an enum console_key or a character. */
uint32_t keyboard_code(EFI_INPUT_KEY key);

/*
 * True once for a Ctrl-C that was pressed. With it go the keys typed before it, and without a shell
 * all keys that are waiting: nothing typed ahead should answer a question.
 */
bool keyboard_take_break(const struct uefi *uefi);

#endif
