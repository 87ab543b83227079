/* The checksum of a hive's base block, made right, so that a target reaches what is behind it. */
#ifndef SHADOWBOOT_FUZZ_REGF_CHECKSUM_H
#define SHADOWBOOT_FUZZ_REGF_CHECKSUM_H

#include "base/bytes.h"

/* `hive` has 512 bytes or more. */
static void correct_checksum(uint8_t *hive)
{
    uint32_t sum = 0;

    for (size_t at = 0; at < 508; at += 4)
        sum ^= ld_le32(hive + at);
    if (sum == 0)
        sum = 1;
    st_le32(hive + 508, sum == 0xffffffff ? 0xfffffffe : sum);
}

#endif
