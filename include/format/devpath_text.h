/*
 * Device paths as text (UEFI Specification 10.6.1): "PciRoot(0x0)/Pci(0x3,0x0)/NVMe(0x1,...)",
 * "HD(1,GPT,476688c5-...,0x22,0x66000)/\EFI\BOOT\BOOTX64.EFI". GUIDs in lower case.
 */
#ifndef SHADOWBOOT_FORMAT_DEVPATH_TEXT_H
#define SHADOWBOOT_FORMAT_DEVPATH_TEXT_H

#include "base/arena.h"
#include "base/bytes.h"

/*
 * The text of all instances of `path`, in the arena, fit for a terminal. Unknown nodes print as
 * Path(type,subtype,hex) or in their class's own form, cut after 32 bytes with "..."; where the
 * path is malformed the text ends with "<damaged>". NULL when the arena is full.
 */
const char *devpath_text(struct arena *arena, struct span path);

#endif
