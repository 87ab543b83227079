/* Devices that a boot store names, as the machine knows them. */
#ifndef SHADOWBOOT_MODEL_BOOT_STORE_TEXT_H
#define SHADOWBOOT_MODEL_BOOT_STORE_TEXT_H

#include "base/arena.h"
#include "format/bcd/bcd.h"
#include "model/machine.h"

/* "Disk 1 Partition 4 (LDM data, plex of C:)", in the arena; NULL when that is full. */
const char *boot_store_place_text(struct arena *arena, const struct machine *machine,
                                  size_t partition);

/*
 * A device element in words: its partition as above, with the other ones of the same name behind
 * it; "boot"; "locate=..." ; what lies in a file as bcdedit prints it, "ramdisk=[...]\file,{...}".
 * In the arena; NULL when that is full.
 */
const char *boot_store_device_text(struct arena *arena, const struct machine *machine,
                                   const struct bcd_store *store, uint32_t type, struct span data);

#endif
