/*
 * The clock port: dates over EFI_RUNTIME_SERVICES.GetTime (UEFI Specification 8.3), microseconds
 * from the processor's own counter.
 */
#ifndef SHADOWBOOT_FIRMWARE_CLOCK_H
#define SHADOWBOOT_FIRMWARE_CLOCK_H

#include "port/clock.h"
#include "uefi.h"

struct uefi_clock {
    const struct uefi *uefi;
    bool measured;     /* the rate of the counter has been found out */
    uint64_t rate;     /* ticks of the counter in a millisecond; 0 when there is no counter */
    uint64_t start;    /* the counter when it was measured */
    uint64_t greatest; /* microseconds given last */
};

/* Makes the port. `uefi` and `*ret_clock` must outlive it; the clock must not move. */
void uefi_clock_open(const struct uefi *uefi, struct uefi_clock *ret_clock,
                     struct clock_port *ret_port);

#endif
