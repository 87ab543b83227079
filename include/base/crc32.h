/*
 * The CRC-32 of GPT headers and entry arrays (UEFI Specification 5.3.2: ISO-HDLC, polynomial
 * 0x04C11DB7 reflected, initial and final value all ones). Usable in pieces.
 */
#ifndef SHADOWBOOT_BASE_CRC32_H
#define SHADOWBOOT_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/*
 * The CRC of `size` bytes at `data`, continuing from `crc`: 0 for the first piece, the last
 * result for the next.
 */
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

#endif
