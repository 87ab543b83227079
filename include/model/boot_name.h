/* The names of boot entry variables (UEFI Specification 3.3). */
#ifndef SHADOWBOOT_MODEL_BOOT_NAME_H
#define SHADOWBOOT_MODEL_BOOT_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "port/vars.h"

/* The name Boot#### of an entry. */
void boot_variable_name(uint16_t number, char ret_name[VAR_NAME_SIZE]);

/* True, with `*ret_number` set, when `name` is "Boot" and four upper-case hexadecimal digits. */
bool boot_variable_number(const char *name, uint16_t *ret_number);

#endif
