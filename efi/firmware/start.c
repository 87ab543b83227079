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

/* F541796D-A62E-4954-A775-9584F61B9CDD, EFI_TCG_PROTOCOL (TCG EFI Protocol Specification for TPM Family 1.1 or 1.2,
 * version 1.22, 5). */
static const EFI_GUID tcg_guid = {
    0xf541796d, 0xa62e, 0x4954, {0xa7, 0x75, 0x95, 0x84, 0xf6, 0x1b, 0x9c, 0xdd}};

/* TCG_EFI_BOOT_SERVICE_CAPABILITY (5.1). */
struct tcg_capability {
    UINT8 size;
    UINT8 structure_version[4];
    UINT8 protocol_version[4];
    UINT8 hash_algorithms;
    BOOLEAN present;
    BOOLEAN deactivated;
};

struct tcg {
    EFI_STATUS(EFIAPI *status_check)
    (struct tcg *tcg, struct tcg_capability *ret_capability, UINT32 *ret_features,
     EFI_PHYSICAL_ADDRESS *ret_log, EFI_PHYSICAL_ADDRESS *ret_last_event);
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

/* The protocol's only interface, NULL without one. */
static void *find_only(const struct uefi *uefi, EFI_GUID guid)
{
    void *interface = NULL;

    return uefi->boot->LocateProtocol(&guid, NULL, &interface) == EFI_SUCCESS ? interface : NULL;
}

/* True when there is a TPM 2.0 behind its protocol. One that does not answer may be there all the same. */
static bool has_tpm2(const struct uefi *uefi)
{
    struct tcg2_capability capability = {.size = sizeof(capability)};
    struct tcg2 *tcg2 = find_only(uefi, tcg2_guid);

    return tcg2 != NULL &&
           (EFI_ERROR(tcg2->get_capability(tcg2, &capability)) || capability.present);
}

/* The same for a TPM 1.2; one that is deactivated takes no measurement. */
static bool has_tpm1(const struct uefi *uefi)
{
    struct tcg_capability capability = {.size = 0};
    struct tcg *tcg = find_only(uefi, tcg_guid);
    EFI_PHYSICAL_ADDRESS log = 0;
    EFI_PHYSICAL_ADDRESS last_event = 0;
    UINT32 features = 0;

    return tcg != NULL &&
           (EFI_ERROR(tcg->status_check(tcg, &capability, &features, &log, &last_event)) ||
            (capability.present && !capability.deactivated));
}

static struct start_answer start_load(void *ctx, const struct start_source *source,
                                      void **ret_image)
{
    const struct uefi *uefi = ((const struct uefi_start *)ctx)->uefi;
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

/* Gives the image a copy of the options. Statuses: ST_OK, with `*ret_copy`, NULL for none; ST_IO; ST_NO_MEMORY. */
static enum status hand_options_on(const struct uefi *uefi, void *image, struct span options,
                                   void **ret_copy)
{
    EFI_LOADED_IMAGE *loaded = uefi_protocol(uefi, image, &program_guid);
    void *copy = NULL;

    if (loaded == NULL)
        return ST_IO;
    if (options.size > 0 &&
        uefi->boot->AllocatePool(EfiLoaderData, options.size, &copy) != EFI_SUCCESS)
        return ST_NO_MEMORY;
    if (options.size > 0)
        memcpy(copy, options.at, options.size);
    loaded->LoadOptions = copy;
    loaded->LoadOptionsSize = (UINT32)options.size;
    *ret_copy = copy;
    return ST_OK;
}

static void start_unload(void *ctx, void *image)
{
    const struct uefi *uefi = ((const struct uefi_start *)ctx)->uefi;

    if (image != NULL)
        uefi->boot->UnloadImage(image);
}

static struct start_answer start_start(void *ctx, void *image, struct span options)
{
    const struct uefi_start *start = ctx;
    const struct uefi *uefi = start->uefi;
    void *copy = NULL;
    CHAR16 *words = NULL;
    UINTN size = 0;

    enum status status = hand_options_on(uefi, image, options, &copy);
    if (status != ST_OK) {
        start_unload(ctx, image);
        return (struct start_answer){status, 0};
    }
    uefi_files_rest(start->files);
    uefi->boot->SetWatchdogTimer(WATCHDOG_SECONDS, 0, 0, NULL);
    EFI_STATUS efi = uefi->boot->StartImage(image, &size, &words);
    uefi->boot->SetWatchdogTimer(0, 0, 0, NULL);
    if (words != NULL)
        uefi->boot->FreePool(words);
    if (copy != NULL)
        uefi->boot->FreePool(copy);
    return what_firmware_said(efi);
}

static enum status start_reset(void *ctx, enum start_reset kind)
{
    static const EFI_RESET_TYPE types[] = {
        [START_RESET_COLD] = EfiResetCold,
        [START_RESET_WARM] = EfiResetWarm,
        [START_POWER_OFF] = EfiResetShutdown,
    };
    const struct uefi *uefi = ((const struct uefi_start *)ctx)->uefi;

    uefi->runtime->ResetSystem(types[kind], EFI_SUCCESS, 0, NULL);
    return ST_UNSUPPORTED;
}

void uefi_start_open(const struct uefi *uefi, struct uefi_files *files, const char *program,
                     struct uefi_start *ret_start, struct start_port *ret_port)
{
    *ret_start = (struct uefi_start){uefi, files};
    *ret_port = (struct start_port){.ctx = ret_start,
                                    .by_firmware = uefi->parameters == NULL,
                                    .program = program,
                                    .has_tpm = has_tpm2(uefi) || has_tpm1(uefi),
                                    .load = start_load,
                                    .start = start_start,
                                    .unload = start_unload,
                                    .reset = start_reset};
}
