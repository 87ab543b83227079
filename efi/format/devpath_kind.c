#include "devpath_kind.h"

#define HEX(offset, size)         \
    {                             \
        offset, size, DEVPATH_HEX \
    }
#define DECIMAL(offset, size)         \
    {                                 \
        offset, size, DEVPATH_DECIMAL \
    }
#define EUI(offset)            \
    {                          \
        offset, 8, DEVPATH_EUI \
    }
#define GUID(offset)             \
    {                            \
        offset, 16, DEVPATH_GUID \
    }

static const struct devpath_kind kinds[] = {
    {DEVPATH_HARDWARE, 1, 2, false, "Pci", {HEX(1, 1), HEX(0, 1)}}, /* the function is first */
    {DEVPATH_HARDWARE, 2, 1, false, "PcCard", {HEX(0, 1)}},
    {DEVPATH_HARDWARE, 3, 20, false, "MemoryMapped", {HEX(0, 4), HEX(4, 8), HEX(12, 8)}},
    {DEVPATH_HARDWARE, 4, 16, true, "VenHw", {GUID(0)}},
    {DEVPATH_HARDWARE, 5, 4, false, "Ctrl", {HEX(0, 4)}},
    {DEVPATH_HARDWARE, 6, 9, false, "BMC", {HEX(0, 1), HEX(1, 8)}},
    {DEVPATH_ACPI, 1, 8, false, "Acpi", {HEX(0, 4), HEX(4, 4)}},
    {DEVPATH_ACPI, 3, 4, false, "AcpiAdr", {HEX(0, 4)}},
    {DEVPATH_MESSAGING, 1, 4, false, "Ata", {HEX(0, 1), HEX(1, 1), HEX(2, 2)}},
    {DEVPATH_MESSAGING, 2, 4, false, "Scsi", {HEX(0, 2), HEX(2, 2)}},
    {DEVPATH_MESSAGING, 3, 20, false, "Fibre", {HEX(4, 8), HEX(12, 8)}},
    {DEVPATH_MESSAGING, 5, 2, false, "USB", {HEX(0, 1), HEX(1, 1)}},
    {DEVPATH_MESSAGING, 10, 16, true, "VenMsg", {GUID(0)}},
    {DEVPATH_MESSAGING,
     15,
     7,
     false,
     "UsbClass",
     {HEX(0, 2), HEX(2, 2), HEX(4, 1), HEX(5, 1), HEX(6, 1)}},
    {DEVPATH_MESSAGING, 17, 1, false, "Unit", {HEX(0, 1)}},
    {DEVPATH_MESSAGING, 18, 6, false, "Sata", {HEX(0, 2), HEX(2, 2), HEX(4, 2)}},
    {DEVPATH_MESSAGING, 20, 2, false, "Vlan", {DECIMAL(0, 2)}},
    {DEVPATH_MESSAGING, 23, 12, false, "NVMe", {HEX(0, 4), EUI(4)}},
    {DEVPATH_MESSAGING, 25, 2, false, "UFS", {HEX(0, 1), HEX(1, 1)}},
    {DEVPATH_MESSAGING, 26, 1, false, "SD", {HEX(0, 1)}},
    {DEVPATH_MESSAGING, 29, 1, false, "eMMC", {HEX(0, 1)}},
    {DEVPATH_MEDIA, 1, 38, false, "HD", {DECIMAL(0, 4), HEX(4, 8), HEX(12, 8)}},
    {DEVPATH_MEDIA, 2, 20, false, "CDROM", {HEX(0, 4), HEX(4, 8), HEX(12, 8)}},
    {DEVPATH_MEDIA, 3, 16, true, "VenMedia", {GUID(0)}},
    {DEVPATH_MEDIA, 5, 16, false, "Media", {GUID(0)}},
    {DEVPATH_MEDIA, 6, 16, false, "FvFile", {GUID(0)}},
    {DEVPATH_MEDIA, 7, 16, false, "Fv", {GUID(0)}},
    {DEVPATH_MEDIA, 8, 20, false, "Offset", {HEX(4, 8), HEX(12, 8)}},
};

const struct devpath_kind *devpath_kind_of(const struct devpath_node *node)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].type == node->type && kinds[i].subtype == node->subtype)
            return &kinds[i];
    }
    return NULL;
}

bool devpath_kind_fits(const struct devpath_kind *kind, const struct devpath_node *node)
{
    return node->data.size == kind->data_size || (kind->open && node->data.size > kind->data_size);
}

uint64_t devpath_field_value(const struct devpath_node *node, const struct devpath_field *field)
{
    uint64_t value = 0;

    if (field->size > 8 || !span_holds(node->data, field->offset, field->size))
        return 0;
    for (size_t i = field->size; i > 0; i--)
        value = value << 8 | node->data.at[field->offset + i - 1];
    return value;
}
