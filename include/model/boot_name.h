/* The names of boot entry variables (UEFI Specification 3.3), and what entries are called. */
#ifndef SHADOWBOOT_MODEL_BOOT_NAME_H
#define SHADOWBOOT_MODEL_BOOT_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "port/vars.h"

/* The name Boot#### of an entry. */
void boot_variable_name(uint16_t number, char ret_name[VAR_NAME_SIZE]);

/* True, with `*ret_number` set, when `name` is "Boot" and four upper-case hexadecimal digits. */
bool boot_variable_number(const char *name, uint16_t *ret_number);

/*
 * The description `ucs2` (with its NUL) with " (Disk N)" behind it, in the arena, in place of such
 * an ending if it has one: a clone of a clone is called no longer than the clone. Statuses: ST_OK;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status boot_description_on_disk(struct arena *arena, struct span ucs2, size_t disk,
                                                struct span *ret_ucs2);

#endif
