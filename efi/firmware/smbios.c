#include "smbios.h"

#include "base/mem.h"

#define SIZE_MOST 0x100000u /* bytes; more is no table */

static const EFI_GUID smbios_guid = {
    0xeb9d2d31, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
static const EFI_GUID smbios3_guid = {
    0xf2fd1544, 0x9794, 0x4a2c, {0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94}};

static const uint8_t *configuration_table(const struct uefi *uefi, const EFI_GUID *guid)
{
    const EFI_SYSTEM_TABLE *system = uefi->system;

    for (UINTN i = 0; i < system->NumberOfTableEntries; i++) {
        if (uefi_guid_equal(&system->ConfigurationTable[i].VendorGuid, guid))
            return system->ConfigurationTable[i].VendorTable;
    }
    return NULL;
}

static struct span structures(uint64_t address, size_t size)
{
    if (address == 0 || address > UINTPTR_MAX || size > SIZE_MOST)
        return span_of(NULL, 0);
    return span_of((const void *)(uintptr_t)address, size);
}

struct span uefi_smbios(const struct uefi *uefi)
{
    const uint8_t *entry = configuration_table(uefi, &smbios3_guid);

    if (entry != NULL && memcmp(entry, "_SM3_", 5) == 0)
        return structures(ld_le64(entry + 0x10), ld_le32(entry + 0x0c));
    entry = configuration_table(uefi, &smbios_guid);
    if (entry != NULL && memcmp(entry, "_SM_", 4) == 0)
        return structures(ld_le32(entry + 0x18), ld_le16(entry + 0x16));
    return span_of(NULL, 0);
}
