/* The clock port over EFI_RUNTIME_SERVICES.GetTime (UEFI Specification 8.3). */
#ifndef SHADOWBOOT_FIRMWARE_CLOCK_H
#define SHADOWBOOT_FIRMWARE_CLOCK_H

#include "port/clock.h"
#include "uefi.h"

/* The port; `uefi` must outlive it. */
struct clock_port uefi_clock(const struct uefi *uefi);

#endif
