/* The name a disk gives itself. */
#ifndef SHADOWBOOT_FIRMWARE_MODEL_H
#define SHADOWBOOT_FIRMWARE_MODEL_H

#include "uefi.h"

/*
 * The model of the disk on `handle`: printable ASCII in the arena, trimmed; "" when neither the
 * device nor its driver says, or when the arena is full.
 */
const char *uefi_disk_model(const struct uefi *uefi, EFI_HANDLE handle, struct arena *arena);

#endif
