#include "model.h"

#include "base/mem.h"
#include "protocols.h"

#define IDENTIFY_SIZE       512 /* ATA IDENTIFY DEVICE; also more than any standard INQUIRY */
#define ATA_MODEL_AT        54  /* words 27 to 46 */
#define ATA_MODEL_SIZE      40
#define INQUIRY_MODEL_AT    8 /* vendor in 8 bytes, product in 16 (SPC, standard INQUIRY) */
#define INQUIRY_VENDOR_SIZE 8
#define INQUIRY_MODEL_SIZE  24
#define NVME_PAGE           4096
#define NVME_IDENTIFY       0x06
#define NVME_CNS_CONTROLLER 1
#define NVME_MODEL_AT       24
#define NVME_MODEL_SIZE     40
#define NVME_TIMEOUT        50000000 /* 5 s in units of 100 ns */
#define MODEL_SIZE          48 /* bytes of any of them with the NUL, and a blank between parts */

static const EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static const EFI_GUID disk_info_guid = DISK_INFO_GUID;
static const EFI_GUID nvme_guid = NVME_PASS_THRU_GUID;

/* How a kind of device reports its model: through which call, and in which bytes of the answer. */
struct model_format {
    EFI_GUID interface;
    bool is_ata; /* IDENTIFY, each word with its bytes swapped; otherwise INQUIRY */
};

static const struct model_format formats[] = {
    {DISK_INFO_IDE_GUID, true},
    {DISK_INFO_AHCI_GUID, true},
    {DISK_INFO_SCSI_GUID, false},
    {DISK_INFO_USB_GUID, false},
};

struct model {
    char text[MODEL_SIZE];
    size_t used;
};

/* Appends a fixed field of the device: without blanks around it, one blank before it. */
static void append_field(struct model *model, const uint8_t *field, size_t size)
{
    size_t first = 0;

    while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == 0))
        size--;
    while (first < size && field[first] == ' ')
        first++;
    if (first == size)
        return;
    if (model->used > 0)
        model->text[model->used++] = ' ';
    for (size_t i = first; i < size; i++)
        model->text[model->used++] = field[i] >= 0x20 && field[i] < 0x7f ? (char)field[i] : '?';
}

static void model_from_identify(struct disk_info *info, struct model *model)
{
    uint8_t data[IDENTIFY_SIZE] = {0};
    uint8_t swapped[ATA_MODEL_SIZE];
    UINT32 size = sizeof(data);

    if (info->identify(info, data, &size) != EFI_SUCCESS || size < ATA_MODEL_AT + ATA_MODEL_SIZE)
        return;
    for (size_t i = 0; i < sizeof(swapped); i++)
        swapped[i] = data[ATA_MODEL_AT + (i ^ 1)];
    append_field(model, swapped, sizeof(swapped));
}

static void model_from_inquiry(struct disk_info *info, struct model *model)
{
    uint8_t data[IDENTIFY_SIZE] = {0};
    UINT32 size = sizeof(data);

    if (info->inquiry(info, data, &size) != EFI_SUCCESS ||
        size < INQUIRY_MODEL_AT + INQUIRY_MODEL_SIZE)
        return;
    append_field(model, data + INQUIRY_MODEL_AT, INQUIRY_VENDOR_SIZE);
    append_field(model, data + INQUIRY_MODEL_AT + INQUIRY_VENDOR_SIZE,
                 INQUIRY_MODEL_SIZE - INQUIRY_VENDOR_SIZE);
}

static void model_from_disk_info(struct disk_info *info, struct model *model)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (!uefi_guid_equal(&info->interface, &formats[i].interface))
            continue;
        if (formats[i].is_ata)
            model_from_identify(info, model);
        else
            model_from_inquiry(info, model);
        return;
    }
}

/* The pass-through of the controller above `handle`, or NULL for a disk that is not NVMe. */
static struct nvme_pass_thru *find_nvme(const struct uefi *uefi, EFI_HANDLE handle)
{
    EFI_GUID guid = nvme_guid;
    EFI_DEVICE_PATH_PROTOCOL *path = uefi_protocol(uefi, handle, &device_path_guid);
    EFI_HANDLE controller = NULL;

    if (path == NULL || uefi->boot->LocateDevicePath(&guid, &path, &controller) != EFI_SUCCESS)
        return NULL;
    return uefi_protocol(uefi, controller, &nvme_guid);
}

/* Asks the controller who it is: its disk information knows only the namespace, which has no
 * name. */
static void model_from_nvme(const struct uefi *uefi, struct nvme_pass_thru *nvme,
                            struct model *model)
{
    EFI_PHYSICAL_ADDRESS page = 0;
    struct nvme_completion completion = {{0}};
    struct nvme_command command = {
        .cdw0 = NVME_IDENTIFY, .flags = NVME_CDW10_VALID, .cdw10 = NVME_CNS_CONTROLLER};

    if (uefi->boot->AllocatePages(AllocateAnyPages, EfiLoaderData, 1, &page) != EFI_SUCCESS)
        return;
    uint8_t *data = (uint8_t *)(uintptr_t)page; /* a page suits every io_align in use */
    struct nvme_packet packet = {.timeout = NVME_TIMEOUT,
                                 .data = data,
                                 .data_size = NVME_PAGE,
                                 .queue_type = NVME_ADMIN_QUEUE,
                                 .command = &command,
                                 .completion = &completion};
    if (nvme->pass_thru(nvme, 0, &packet, NULL) == EFI_SUCCESS)
        append_field(model, data + NVME_MODEL_AT, NVME_MODEL_SIZE);
    uefi->boot->FreePages(page, 1);
}

const char *uefi_disk_model(const struct uefi *uefi, EFI_HANDLE handle, struct arena *arena)
{
    struct model model = {.used = 0};
    struct disk_info *info = uefi_protocol(uefi, handle, &disk_info_guid);

    if (info != NULL)
        model_from_disk_info(info, &model);
    if (model.used == 0) {
        struct nvme_pass_thru *nvme = find_nvme(uefi, handle);
        if (nvme != NULL)
            model_from_nvme(uefi, nvme, &model);
    }
    const char *text = arena_copy(arena, model.text, model.used + 1);
    return text == NULL ? "" : text;
}
