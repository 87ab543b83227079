/*
 * What edk2 lets a program store under the global vendor. Written from the specification alone and
 * apart from the program's own parser, so that each is a check on the other.
 */
#ifndef SHADOWBOOT_HOST_VAR_RULES_H
#define SHADOWBOOT_HOST_VAR_RULES_H

#include "base/bytes.h"

/* True when a variable `name` of these attributes and this content (not empty) is acceptable. */
bool var_rules_accept(const char *name, uint32_t attributes, struct span data);

/* True when `data` is a well-formed EFI_LOAD_OPTION (UEFI Specification 3.1.3). */
bool var_rules_load_option(struct span data);

/*
 * True for a load option whose optional data is the mark of edk2's boot manager alone,
 * 8108ac4e-9f11-4d59-850e-e21a522c59b2: it may delete such an entry again.
 */
bool var_rules_is_auto_created(struct span data);

/* The number of "Boot####" with four upper-case hexadecimal digits, or -1 for any other name. */
int var_rules_boot_number(const char *name);

#endif
