/* The vars port over the firmware's variable services (UEFI Specification 8.2). */
#ifndef SHADOWBOOT_FIRMWARE_VARS_H
#define SHADOWBOOT_FIRMWARE_VARS_H

#include "port/vars.h"
#include "uefi.h"

struct uefi_vars {
    const struct uefi *uefi;
    CHAR16 *name;    /* where the walk stands, from the firmware's pool */
    size_t size;     /* bytes at `name` */
    EFI_GUID vendor; /* where the walk stands */
};

/*
 * `*ret_vars` and `uefi` must stay in place as long as the port is used. Statuses: ST_OK;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status uefi_vars_open(const struct uefi *uefi, struct uefi_vars *ret_vars,
                                      struct vars_port *ret_port);

/* Gives back what open took from the firmware; the port is dead then. */
void uefi_vars_close(struct uefi_vars *vars);

#endif
