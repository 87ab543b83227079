#include "format/volume_content.h"

#include "base/guid.h"
#include "base/mem.h"

#define LOOKED_AT 512u

static bool holds_name(struct span block, const char *name)
{
    return memcmp(block.at + 3, name, 8) == 0;
}

static bool is_bitlocker(struct span block)
{
    static const struct guid fve = GUID_INIT(0x4967d63b, 0x2e29, 0x4ad8, 0x8399, 0xf6a339e3d001);

    return holds_name(block, "-FVE-FS-") || memcmp(block.at + 160, fve.bytes, 16) == 0 ||
           memcmp(block.at + 424, fve.bytes, 16) == 0;
}

/* Microsoft FAT Specification, section 3.1. */
static bool is_fat(struct span block)
{
    const uint8_t *at = block.at;
    uint16_t sector_size = ld_le16(at + 11);
    bool jumps = (at[0] == 0xeb && at[2] == 0x90) || at[0] == 0xe9;

    if (!jumps || ld_le16(at + 510) != 0xaa55)
        return false;
    if (!is_power_of_two(sector_size) || sector_size < 512 || sector_size > 4096)
        return false;
    if (!is_power_of_two(at[13]) || ld_le16(at + 14) == 0 || at[16] == 0 || at[16] > 4)
        return false;
    return at[21] == 0xf0 || at[21] >= 0xf8;
}

enum volume_content volume_content_of(struct span block)
{
    if (block.size < LOOKED_AT)
        return CONTENT_UNKNOWN;
    if (span_is_zero(block))
        return CONTENT_EMPTY;
    if (is_bitlocker(block))
        return CONTENT_BITLOCKER;
    if (holds_name(block, "NTFS    "))
        return CONTENT_NTFS;
    if (holds_name(block, "ReFS\0\0\0"))
        return CONTENT_REFS;
    if (holds_name(block, "EXFAT   "))
        return CONTENT_EXFAT;
    return is_fat(block) ? CONTENT_FAT : CONTENT_UNKNOWN;
}

const char *volume_content_name(enum volume_content content)
{
    static const char *const names[] = {
        [CONTENT_UNKNOWN] = "",    [CONTENT_EMPTY] = "",
        [CONTENT_NTFS] = "NTFS",   [CONTENT_BITLOCKER] = "BitLocker",
        [CONTENT_REFS] = "ReFS",   [CONTENT_FAT] = "FAT",
        [CONTENT_EXFAT] = "exFAT",
    };

    return (size_t)content < sizeof names / sizeof names[0] ? names[content] : "";
}
