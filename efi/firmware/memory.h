/*
 * The memory of the arena: addresses that lie free in one piece, of which the firmware gives pages
 * as they are needed (UEFI Specification 7.2). Firmware overwrites what it gets back, so what was
 * never taken is what saves time.
 */
#ifndef SHADOWBOOT_FIRMWARE_MEMORY_H
#define SHADOWBOOT_FIRMWARE_MEMORY_H

#include "uefi.h"

#define MEMORY_MOST  (256u << 20) /* bytes that an arena has at most */
#define MEMORY_LEAST (4u << 20)   /* bytes below which there is no point in going on */

struct uefi_memory {
    EFI_BOOT_SERVICES *boot;
    EFI_PHYSICAL_ADDRESS base;
    struct arena_source source;
    bool taken[MEMORY_MOST / ARENA_STEP]; /* the steps that are ours */
};

/*
 * Starts an arena over half of the largest piece of free memory, or MEMORY_MOST bytes of it; the
 * firmware has the rest. `*ret_memory` must stay in place. Statuses: ST_OK; ST_NO_MEMORY, which
 * leaves nothing to close.
 */
MUST_CHECK enum status uefi_memory_open(EFI_BOOT_SERVICES *boot, struct uefi_memory *ret_memory,
                                        struct arena *ret_arena);

/* Gives everything back; the arena is dead then. */
void uefi_memory_close(struct uefi_memory *memory);

#endif
