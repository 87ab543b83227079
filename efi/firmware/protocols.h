/*
 * Protocols that the EFI headers of the build host do not declare: interfaces as the UEFI and PI
 * specifications give them, up to the last member that is used here.
 */
#ifndef SHADOWBOOT_FIRMWARE_PROTOCOLS_H
#define SHADOWBOOT_FIRMWARE_PROTOCOLS_H

#include <efi.h>

/*
 * Disk information (PI Specification, volume 5, "IDE Controller"): what the device itself answered
 * to IDENTIFY or INQUIRY. `interface` says how to read it.
 */
#define DISK_INFO_GUID                                     \
    {                                                      \
        0xd432a67f, 0x14dc, 0x484b,                        \
        {                                                  \
            0xb3, 0xbb, 0x3f, 0x02, 0x91, 0x84, 0x93, 0x27 \
        }                                                  \
    }
#define DISK_INFO_IDE_GUID                                 \
    {                                                      \
        0x5e948fe3, 0x26d3, 0x42b5,                        \
        {                                                  \
            0xaf, 0x17, 0x61, 0x02, 0x87, 0x18, 0x8d, 0xec \
        }                                                  \
    }
#define DISK_INFO_AHCI_GUID                                \
    {                                                      \
        0x9e498932, 0x4abc, 0x45af,                        \
        {                                                  \
            0xa3, 0x4d, 0x02, 0x47, 0x78, 0x7b, 0xe7, 0xc6 \
        }                                                  \
    }
#define DISK_INFO_SCSI_GUID                                \
    {                                                      \
        0x08f74baa, 0xea36, 0x41d9,                        \
        {                                                  \
            0x95, 0x21, 0x21, 0xa7, 0x0f, 0x87, 0x80, 0xbc \
        }                                                  \
    }
#define DISK_INFO_USB_GUID                                 \
    {                                                      \
        0xcb871572, 0xc11a, 0x47b5,                        \
        {                                                  \
            0xb4, 0x92, 0x67, 0x5e, 0xaf, 0xa7, 0x77, 0x27 \
        }                                                  \
    }

struct disk_info;

typedef EFI_STATUS(EFIAPI *disk_info_data)(struct disk_info *self, void *data, UINT32 *io_size);

struct disk_info {
    EFI_GUID interface;
    disk_info_data inquiry;
    disk_info_data identify;
};

/* NVM Express pass-through (UEFI Specification 13.15), installed on the controller. */
#define NVME_PASS_THRU_GUID                                \
    {                                                      \
        0x52c78312, 0x8edc, 0x4233,                        \
        {                                                  \
            0x98, 0xf2, 0x1a, 0x1a, 0xa5, 0xe3, 0x88, 0xa5 \
        }                                                  \
    }
#define NVME_CDW10_VALID 0x04 /* bit of nvme_command.flags */
#define NVME_ADMIN_QUEUE 0

struct nvme_command {
    UINT32 cdw0; /* bits 0 to 7: opcode */
    UINT8 flags; /* which of the fields below count */
    UINT32 nsid;
    UINT32 cdw2;
    UINT32 cdw3;
    UINT32 cdw10;
    UINT32 cdw11_to_15[5];
};

struct nvme_completion {
    UINT32 dw[4];
};

struct nvme_packet {
    UINT64 timeout; /* units of 100 ns */
    void *data;
    UINT32 data_size;
    void *metadata;
    UINT32 metadata_size;
    UINT8 queue_type;
    struct nvme_command *command;
    struct nvme_completion *completion;
};

struct nvme_mode {
    UINT32 attributes;
    UINT32 io_align; /* bytes; 0 and 1: none */
    UINT32 version;
};

struct nvme_pass_thru {
    struct nvme_mode *mode;
    EFI_STATUS(EFIAPI *pass_thru)
    (struct nvme_pass_thru *self, UINT32 nsid, struct nvme_packet *packet, EFI_EVENT event);
};

/* ATA pass-through (UEFI Specification 13.11), installed on the controller. */
#define ATA_PASS_THRU_GUID                                 \
    {                                                      \
        0x1d3de7f0, 0x0807, 0x424f,                        \
        {                                                  \
            0xaa, 0x69, 0x11, 0xa5, 0x4e, 0x19, 0xa4, 0x6f \
        }                                                  \
    }
#define ATA_PROTOCOL_NON_DATA 2
#define ATA_LENGTH_NONE       0

struct ata_command {
    UINT8 reserved[2];
    UINT8 command;
    UINT8 features;
    UINT8 registers[16]; /* addresses and counts */
};

struct ata_status {
    UINT8 reserved[2];
    UINT8 status;
    UINT8 error;
    UINT8 registers[16];
};

struct ata_packet {
    struct ata_status *status; /* aligned as the driver's mode says */
    struct ata_command *command;
    UINT64 timeout; /* units of 100 ns */
    void *in_data;
    void *out_data;
    UINT32 in_size;
    UINT32 out_size;
    UINT8 protocol;
    UINT8 length;
};

struct ata_pass_thru {
    void *mode;
    EFI_STATUS(EFIAPI *pass_thru)
    (struct ata_pass_thru *self, UINT16 port, UINT16 multiplier_port, struct ata_packet *packet,
     EFI_EVENT event);
    void *get_next_port;
    void *get_next_device;
    void *build_device_path;
    EFI_STATUS(EFIAPI *get_device)
    (struct ata_pass_thru *self, EFI_DEVICE_PATH_PROTOCOL *node, UINT16 *ret_port,
     UINT16 *ret_multiplier_port);
};

#endif
