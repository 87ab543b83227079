/*
 * What Windows' boot manager makes of \EFI\Microsoft\Boot\BCD on the ESP it was started from. It
 * was measured on that of Windows 10 (10.0.19041): a one-time order goes before the default, the
 * default before the display order; only what is not in the store is passed over. The GUID of a
 * partition alone decides where the loader and its Windows are. Reading NTFS is beyond the
 * stand-in: there the partition has to do.
 */
#ifndef STANDIN_MANAGER_H
#define STANDIN_MANAGER_H

#include "disks.h"

struct started {
    UINT32 code; /* what it stops with, a status of Windows; 0: it starts */
    BOOLEAN odd; /* it goes on to something that the stand-in does not follow */
    struct place loader, system;
    BOOLEAN has_system; /* the store says where \Windows is */
};

/* `own`: device path of the ESP; `options`: of the entry, `size` bytes. */
void manager_follow(EFI_FILE *root, const UINT8 *own, const UINT8 *options, UINTN size,
                    struct started *ret_started);

#endif
