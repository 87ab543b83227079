/* What the firmware says of itself: the EFI System Table (UEFI Specification 4.3). */
#ifndef SHADOWBOOT_PORT_FIRMWARE_H
#define SHADOWBOOT_PORT_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

struct firmware_info {
    const char *vendor; /* UTF-8, untrusted; "" or NULL when it does not say */
    uint32_t revision;  /* the vendor's own number */
    uint32_t uefi;      /* of UEFI: major in the upper 16 bits, 10 * minor + sub in the lower */
};

/*
 * True for U-Boot, which keeps variables in a file on one ESP (\ubootefi.var), tries the
 * removable-media path on every disk, and looks at a volume anew with each call (U-Boot, doc/develop/uefi).
 */
bool firmware_is_uboot(const char *vendor);

#endif
