/* Where firmware keeps the structures of SMBIOS (UEFI Specification 4.6; DMTF DSP0134, 5.2). */
#ifndef SHADOWBOOT_FIRMWARE_SMBIOS_H
#define SHADOWBOOT_FIRMWARE_SMBIOS_H

#include "uefi.h"

/* The structures, in the firmware's own memory; an empty span when it has none. */
struct span uefi_smbios(const struct uefi *uefi);

#endif
