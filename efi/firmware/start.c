#include "start.h"

#include "base/mem.h"

#define WATCHDOG_SECONDS 300 /* UEFI Specification 3.1.2 */
#define ERROR_BITS       ((EFI_STATUS)3 << (sizeof(EFI_STATUS) * 8 - 2)) /* errors, OEM errors */

static const EFI_GUID program_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;

/* 607F766C-7455-42BE-930B-E4D76DB2720F, EFI_TCG2_PROTOCOL (TCG EFI Protocol Specification 6). */
static const EFI_GUID tcg2_guid = {
    0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};

/* EFI_TCG2_BOOT_SERVICE_CAPABILITY (6.4), as far as it is read: its size comes first. */
struct tcg2_capability {
    UINT8 size;
    UINT8 structure_version[2];
    UINT8 protocol_version[2];
    UINT32 hash_algorithms;
    UINT32 event_logs;
    BOOLEAN present;
    UINT8 rest[19];
};

struct tcg2 {
    EFI_STATUS(EFIAPI *get_capability)(struct tcg2 *tcg2, struct tcg2_capability *io_capability);
};

static const struct status_row image_statuses[] = {
    {EFI_NOT_FOUND, ST_ABSENT},           {EFI_ACCESS_DENIED, ST_REFUSED},
    {EFI_SECURITY_VIOLATION, ST_REFUSED}, {EFI_LOAD_ERROR, ST_DAMAGED},
    {EFI_INVALID_PARAMETER, ST_DAMAGED},  {EFI_UNSUPPORTED, ST_UNSUPPORTED},
    {EFI_OUT_OF_RESOURCES, ST_NO_MEMORY}, {EFI_ABORTED, ST_CANCELLED},
    {EFI_VOLUME_CORRUPTED, ST_DAMAGED},   {EFI_INCOMPATIBLE_VERSION, ST_UNSUPPORTED},
};

static struct start_answer what_firmware_said(EFI_STATUS efi)
{
    return (struct start_answer){.status =
                                     uefi_status(efi, image_statuses, COUNT_OF(image_statuses)),
                                 .code = EFI_ERROR(efi) ? (unsigned)(efi & ~ERROR_BITS) : 0};
}

/* True when there is a TPM 2.0 behind the protocol. */
static bool has_tpm(const struct uefi *uefi)
{
    EFI_GUID guid = tcg2_guid;
    struct tcg2_capability capability = {.size = sizeof(capability)};
    void *interface = NULL;

    if (uefi->boot->LocateProtocol(&guid, NULL, &interface) != EFI_SUCCESS || interface == NULL)
        return false;
    struct tcg2 *tcg2 = interface;
    /* One that does not answer may be there all the same. */
    return EFI_ERROR(tcg2->get_capability(tcg2, &capability)) || capability.present;
}

static struct start_answer start_load(void *ctx, const struct start_source *source,
                                      void **ret_image)
{
    const struct uefi *uefi = ctx;
    EFI_DEVICE_PATH_PROTOCOL *path = (EFI_DEVICE_PATH_PROTOCOL *)source->path.at;
    void *bytes = (void *)source->bytes.at;
    EFI_HANDLE image = NULL;

    EFI_STATUS efi =
        uefi->boot->LoadImage(TRUE, uefi->image, source->path.size > 0 ? path : NULL,
                              source->bytes.size > 0 ? bytes : NULL, source->bytes.size, &image);
    /* An image comes with these two answers only, whatever stands in the variable else. */
    bool loaded = !EFI_ERROR(efi) || efi == EFI_SECURITY_VIOLATION;
    *ret_image = loaded ? image : NULL;
    return what_firmware_said(efi);
}

static struct start_answer start_start(void *ctx, void *image, struct span options)
{
    const struct uefi *uefi = ctx;
    EFI_LOADED_IMAGE *loaded = uefi_protocol(uefi, image, &program_guid);
    void *copy = NULL;
    CHAR16 *words = NULL;
    UINTN size = 0;

    if (loaded == NULL)
        return (struct start_answer){ST_IO, 0};
    if (options.size > 0 &&
        uefi->boot->AllocatePool(EfiLoaderData, options.size, &copy) != EFI_SUCCESS)
        return (struct start_answer){ST_NO_MEMORY, 0};
    if (options.size > 0)
        memcpy(copy, options.at, options.size);
    loaded->LoadOptions = copy;
    loaded->LoadOptionsSize = (UINT32)options.size;
    uefi->boot->SetWatchdogTimer(WATCHDOG_SECONDS, 0, 0, NULL);
    EFI_STATUS efi = uefi->boot->StartImage(image, &size, &words);
    uefi->boot->SetWatchdogTimer(0, 0, 0, NULL);
    if (words != NULL)
        uefi->boot->FreePool(words);
    if (copy != NULL)
        uefi->boot->FreePool(copy);
    return what_firmware_said(efi);
}

static void start_unload(void *ctx, void *image)
{
    const struct uefi *uefi = ctx;

    if (image != NULL)
        uefi->boot->UnloadImage(image);
}

static enum status start_reset(void *ctx, enum start_reset kind)
{
    static const EFI_RESET_TYPE types[] = {
        [START_RESET_COLD] = EfiResetCold,
        [START_RESET_WARM] = EfiResetWarm,
        [START_POWER_OFF] = EfiResetShutdown,
    };
    const struct uefi *uefi = ctx;

    uefi->runtime->ResetSystem(types[kind], EFI_SUCCESS, 0, NULL);
    return ST_UNSUPPORTED;
}

void uefi_start_open(const struct uefi *uefi, const char *program, struct start_port *ret_port)
{
    *ret_port = (struct start_port){.ctx = (void *)uefi,
                                    .by_firmware = uefi->parameters == NULL,
                                    .program = program,
                                    .has_tpm = has_tpm(uefi),
                                    .load = start_load,
                                    .start = start_start,
                                    .unload = start_unload,
                                    .reset = start_reset};
}
