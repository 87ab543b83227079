/*
 * A new format: a header here that begins with the layout, byte by byte, and its source; a file in
 * efi/format that takes bytes apart (ld_le16 ... of base/bytes.h, every length and offset checked
 * before it is used) into a plain struct, and says ST_ABSENT for what it is not, ST_DAMAGED for what
 * it is and is broken. It sees bytes, or a block port where it has to read on; no model. If it is
 * written too, the same file puts it together, and a builder of format/disk_edit.h takes the writes
 * in phases. Then: a test in tests/unit whose expected bytes come from the specification or another
 * tool; a program in tests/fuzz with first inputs; faults in tests/mutants/format.list; the scan
 * (efi/model) asks it, and whether a disk is somebody's is added to format/owner.h where it tells.
 * A format of several files gets a folder, and headers that only they read lie beside them.
 *
 * What kind of file system a volume holds, by its first block alone. Encrypted volumes come first:
 * one made for removable disks looks like FAT.
 *
 *   NTFS        3  "NTFS    "
 *   BitLocker   3  "-FVE-FS-"; or the GUID 4967d63b-2e29-4ad8-8399-f6a339e3d001 at 160, or at 424
 *                  of what otherwise looks like FAT (to go)
 *   ReFS        3  "ReFS", four zeros
 *   exFAT       3  "EXFAT   "
 *   FAT         a jump, 55 AA at 510, and a sound BIOS parameter block
 */
#ifndef SHADOWBOOT_FORMAT_VOLUME_CONTENT_H
#define SHADOWBOOT_FORMAT_VOLUME_CONTENT_H

#include "base/bytes.h"

enum volume_content {
    CONTENT_UNKNOWN,
    CONTENT_EMPTY, /* the block is all zero */
    CONTENT_NTFS,
    CONTENT_BITLOCKER, /* encrypted: nothing in it can be looked at */
    CONTENT_REFS,
    CONTENT_FAT,
    CONTENT_EXFAT,
};

/* `block` is the first 512 bytes or more; with less nothing is known. */
enum volume_content volume_content_of(struct span block);

/* "NTFS", "BitLocker", ...; "" for CONTENT_UNKNOWN and CONTENT_EMPTY. Static lifetime. */
const char *volume_content_name(enum volume_content content);

#endif
