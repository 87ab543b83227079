/* The GPT partition types this program knows by name. */
#ifndef SHADOWBOOT_FORMAT_PARTITION_TYPE_H
#define SHADOWBOOT_FORMAT_PARTITION_TYPE_H

#include "base/guid.h"

enum partition_type {
    PT_UNKNOWN = 0,
    PT_ESP,
    PT_MSR,
    PT_LDM_METADATA,
    PT_LDM_DATA,
    PT_BASIC_DATA,
    PT_WINDOWS_RE,
    PT_BIOS_BOOT,
    PT_STORAGE_SPACES,
    PT_LINUX_DATA,
    PT_LINUX_RAID,
    PT_LINUX_LVM,
    PT_LINUX_SWAP,
    PT_LINUX_HOME,
    PT_LINUX_ROOT_X64,
    PT_LINUX_XBOOTLDR,
    PT_COUNT
};

/* The type a GUID stands for, PT_UNKNOWN for any other. */
enum partition_type partition_type_of(const struct guid *type);

/* The GUID of a type; zero for PT_UNKNOWN. */
struct guid partition_type_guid(enum partition_type type);

/*
 * Its name as `bootcfg /list` prints it where the article shows one ("EFI system partition",
 * "LDM data partition", "LDM metadata partition", "Microsoft reserved partition"), else in the same
 * manner; "unknown" for PT_UNKNOWN. Static lifetime.
 */
const char *partition_type_name(enum partition_type type);

#endif
