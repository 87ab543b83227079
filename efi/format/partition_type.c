#include "format/partition_type.h"

#include <stddef.h>

static const struct {
    struct guid guid;
    const char *name;
} types[PT_COUNT] = {
    [PT_UNKNOWN] = {GUID_INIT(0, 0, 0, 0, 0), "unknown"},
    [PT_ESP] = {GUID_INIT(0xc12a7328, 0xf81f, 0x11d2, 0xba4b, 0x00a0c93ec93b),
                "EFI system partition"},
    [PT_MSR] = {GUID_INIT(0xe3c9e316, 0x0b5c, 0x4db8, 0x817d, 0xf92df00215ae),
                "Microsoft reserved partition"},
    [PT_LDM_METADATA] = {GUID_INIT(0x5808c8aa, 0x7e8f, 0x42e0, 0x85d2, 0xe1e90434cfb3),
                         "LDM metadata partition"},
    [PT_LDM_DATA] = {GUID_INIT(0xaf9b60a0, 0x1431, 0x4f62, 0xbc68, 0x3311714a69ad),
                     "LDM data partition"},
    [PT_BASIC_DATA] = {GUID_INIT(0xebd0a0a2, 0xb9e5, 0x4433, 0x87c0, 0x68b6b72699c7),
                       "Basic data partition"},
    [PT_WINDOWS_RE] = {GUID_INIT(0xde94bba4, 0x06d1, 0x4d40, 0xa16a, 0xbfd50179d6ac),
                       "Windows recovery partition"},
    [PT_BIOS_BOOT] = {GUID_INIT(0x21686148, 0x6449, 0x6e6f, 0x744e, 0x656564454649),
                      "BIOS boot partition"},
    [PT_STORAGE_SPACES] = {GUID_INIT(0xe75caf8f, 0xf680, 0x4cee, 0xafa3, 0xb001e56efc2d),
                           "Storage Spaces partition"},
    [PT_LINUX_DATA] = {GUID_INIT(0x0fc63daf, 0x8483, 0x4772, 0x8e79, 0x3d69d8477de4),
                       "Linux data partition"},
    [PT_LINUX_RAID] = {GUID_INIT(0xa19d880f, 0x05fc, 0x4d3b, 0xa006, 0x743f0f84911e),
                       "Linux RAID partition"},
    [PT_LINUX_LVM] = {GUID_INIT(0xe6d6d379, 0xf507, 0x44c2, 0xa23c, 0x238f2a3df928),
                      "Linux LVM partition"},
    [PT_LINUX_SWAP] = {GUID_INIT(0x0657fd6d, 0xa4ab, 0x43c4, 0x84e5, 0x0933c84b4f4f),
                       "Linux swap partition"},
    [PT_LINUX_HOME] = {GUID_INIT(0x933ac7e1, 0x2eb4, 0x4f13, 0xb844, 0x0e14e2aef915),
                       "Linux home partition"},
    [PT_LINUX_ROOT_X64] = {GUID_INIT(0x4f68bce3, 0xe8cd, 0x4db1, 0x96e7, 0xfbcaf984b709),
                           "Linux root partition (x64)"},
    [PT_LINUX_XBOOTLDR] = {GUID_INIT(0xbc13c2ff, 0x59e6, 0x4262, 0xa352, 0xb275fd6f7172),
                           "Linux extended boot partition"},
};

enum partition_type partition_type_of(const struct guid *type)
{
    for (size_t i = 0; i < PT_COUNT; i++) {
        if (guid_equal(&types[i].guid, type))
            return (enum partition_type)i;
    }
    return PT_UNKNOWN;
}

/* The type itself, or PT_UNKNOWN for a number that is none. */
static enum partition_type known(enum partition_type type)
{
    return (unsigned)type < PT_COUNT ? type : PT_UNKNOWN;
}

const char *partition_type_name(enum partition_type type)
{
    return types[known(type)].name;
}

struct guid partition_type_guid(enum partition_type type)
{
    return types[known(type)].guid;
}
