/* What the parts of the stand-in share: the firmware's tables, and text on the console. */
#ifndef STANDIN_H
#define STANDIN_H

#include <efi.h>

extern EFI_SYSTEM_TABLE *st;
extern EFI_BOOT_SERVICES *bs;

void print(const CHAR16 *text);
void print_char(CHAR16 c);
void print_hex(UINT64 value, int digits);
void print_guid(const UINT8 *bytes);

UINTN node_length(const UINT8 *node);
BOOLEAN is_end(const UINT8 *node);
UINTN path_length(const UINT8 *path); /* bytes without the end node */
BOOLEAN same_bytes(const UINT8 *a, const UINT8 *b, UINTN count);

/* The GUID in the last GPT partition node of the path; NULL without one. */
const UINT8 *path_partition(const UINT8 *path);

static inline UINT16 le16(const UINT8 *bytes)
{
    return (UINT16)(bytes[0] | bytes[1] << 8);
}

static inline UINT32 le32(const UINT8 *bytes)
{
    return le16(bytes) | (UINT32)le16(bytes + 2) << 16;
}

static inline void put32(UINT8 *bytes, UINT32 value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (UINT8)(value >> (8 * i));
}

#endif
