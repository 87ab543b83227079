/* The block port over EFI_BLOCK_IO_PROTOCOL (UEFI Specification 13.9). */
#ifndef SHADOWBOOT_FIRMWARE_BLOCK_H
#define SHADOWBOOT_FIRMWARE_BLOCK_H

#include "port/block.h"
#include "uefi.h"

struct uefi_blocks {
    const struct block_port *disks; /* in the arena, in the firmware's order */
    size_t count;
    const struct uefi *uefi;
    EFI_PHYSICAL_ADDRESS pages; /* 0: none */
    size_t page_count;
    uint8_t *bounce;      /* in these pages, aligned as any of the disks wants it */
    uint32_t bounce_size; /* bytes, a power of two */
};

/*
 * Finds the whole disks that have a medium. `*ret_blocks`, `uefi` and the arena must stay in place
 * as long as the ports are used. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status uefi_blocks_open(const struct uefi *uefi, struct arena *arena,
                                        struct uefi_blocks *ret_blocks);

/* Gives back what open took from the firmware; the ports are dead then. */
void uefi_blocks_close(struct uefi_blocks *blocks);

#endif
