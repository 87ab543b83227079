#include "host/disk_path.h"

#include <string.h>

#include "base/builder.h"

#define PCI_ROOT_HID 0x0a0341d0u /* compressed EISA id of PNP0A03 */
#define END_SIZE     4u
#define SLOTS        28u /* PCI devices for disks on a bus; further ones are functions of those */
#define MAX_POSITION (SLOTS * 8 - 1)

static const char *const names[DISK_CONTROLLER_COUNT] = {
    [DISK_NVME] = "nvme", [DISK_AHCI] = "ahci", [DISK_VIRTIO] = "virtio",
    [DISK_SCSI] = "scsi", [DISK_USB] = "usb",
};

enum status disk_controller_named(const char *name, enum disk_controller *ret_controller)
{
    for (int i = 0; i < DISK_CONTROLLER_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_controller = (enum disk_controller)i;
            return ST_OK;
        }
    }
    return ST_ABSENT;
}

static void put_header(struct builder *to, uint8_t type, uint8_t subtype, uint16_t size)
{
    builder_u8(to, type);
    builder_u8(to, subtype);
    builder_le16(to, size);
}

static void put_pci(struct builder *to, unsigned device, unsigned function)
{
    put_header(to, 1, 1, 6);
    builder_u8(to, (uint8_t)function);
    builder_u8(to, (uint8_t)device);
}

static void put_nvme(struct builder *to, unsigned position)
{
    put_pci(to, position % SLOTS + 2, position / SLOTS);
    put_header(to, 3, 23, 16);
    builder_le32(to, 1);
    builder_le64(to, 0x0100000000385200u + ((uint64_t)position << 56)); /* EUI-64 */
}

static void put_sata(struct builder *to, unsigned position)
{
    put_pci(to, 0x1f, 2);
    put_header(to, 3, 18, 10);
    builder_le16(to, (uint16_t)position);
    builder_le16(to, 0xffff); /* no port multiplier */
    builder_le16(to, 0);
}

static void put_virtio(struct builder *to, unsigned position)
{
    put_pci(to, position % SLOTS + 2, position / SLOTS);
}

static void put_scsi(struct builder *to, unsigned position)
{
    put_pci(to, 1, 0);
    put_header(to, 3, 2, 8);
    builder_le16(to, (uint16_t)position);
    builder_le16(to, 0);
}

static void put_usb(struct builder *to, unsigned position)
{
    put_pci(to, 0x14, 0);
    put_header(to, 3, 5, 6);
    builder_u8(to, (uint8_t)position);
    builder_u8(to, 0);
}

size_t disk_path_make(enum disk_controller controller, unsigned position,
                      uint8_t ret_path[DISK_PATH_SIZE])
{
    static void (*const put[DISK_CONTROLLER_COUNT])(struct builder *, unsigned) = {
        [DISK_NVME] = put_nvme, [DISK_AHCI] = put_sata, [DISK_VIRTIO] = put_virtio,
        [DISK_SCSI] = put_scsi, [DISK_USB] = put_usb,
    };
    struct builder path;

    builder_init(&path, ret_path, DISK_PATH_SIZE);
    put_header(&path, 2, 1, 12);
    builder_le32(&path, PCI_ROOT_HID);
    builder_le32(&path, 0);
    put[controller](&path, position <= MAX_POSITION ? position : MAX_POSITION);
    put_header(&path, 0x7f, 0xff, END_SIZE);
    return path.used;
}

bool disk_path_leads_through(struct span path, struct span prefix)
{
    if (prefix.size < END_SIZE)
        return false;
    size_t size = prefix.size - END_SIZE;
    return size <= path.size && memcmp(path.at, prefix.at, size) == 0;
}
