#include "vars.h"

#include "base/mem.h"

#define NAME_BYTES_START 1024u
#define NAME_BYTES_LIMIT 65536u /* a firmware that wants more is broken */
#define REVISION_2_00    0x00020000u
#define FNV_OFFSET       0xcbf29ce484222325u /* FNV-1a, 64 bits */
#define FNV_PRIME        0x00000100000001b3u

static const struct guid global_vendor = VAR_GLOBAL_VENDOR;

static const struct status_row walk_statuses[] = {
    {EFI_NOT_FOUND, ST_ABSENT},
    {EFI_OUT_OF_RESOURCES, ST_NO_MEMORY},
};

static const struct status_row get_statuses[] = {
    {EFI_NOT_FOUND, ST_ABSENT},
    {EFI_BUFFER_TOO_SMALL, ST_TOO_SMALL},
    {EFI_OUT_OF_RESOURCES, ST_NO_MEMORY},
};

/* The store answers "out of resources" when it is full, not when memory is short. */
static const struct status_row set_statuses[] = {
    {EFI_NOT_FOUND, ST_ABSENT},           {EFI_OUT_OF_RESOURCES, ST_NO_SPACE},
    {EFI_WRITE_PROTECTED, ST_READ_ONLY},  {EFI_INVALID_PARAMETER, ST_REFUSED},
    {EFI_SECURITY_VIOLATION, ST_REFUSED}, {EFI_ACCESS_DENIED, ST_REFUSED},
    {EFI_UNSUPPORTED, ST_REFUSED},
};

static EFI_GUID to_efi_guid(const struct guid *guid)
{
    EFI_GUID efi;

    memcpy(&efi, guid->bytes, sizeof(efi)); /* both are the 16 bytes as on disk */
    return efi;
}

/* A name of ours in UCS-2; ST_REFUSED when it is too long for any variable we handle. */
static enum status to_name(const char *name, CHAR16 ret_name[VAR_NAME_SIZE])
{
    size_t i = 0;

    for (; name[i] != '\0'; i++) {
        if (i == VAR_NAME_SIZE - 1)
            return ST_REFUSED;
        ret_name[i] = (uint8_t)name[i];
    }
    ret_name[i] = 0;
    return ST_OK;
}

static struct var_id id_of(const CHAR16 *name, const EFI_GUID *vendor)
{
    struct var_id id = {.hash = FNV_OFFSET};

    memcpy(id.vendor.bytes, vendor, sizeof(id.vendor.bytes));
    for (size_t i = 0; name[i] != 0; i++) {
        id.hash = (id.hash ^ (name[i] & 0xff)) * FNV_PRIME;
        id.hash = (id.hash ^ (uint8_t)(name[i] >> 8)) * FNV_PRIME;
        if (i < VAR_NAME_SIZE - 1)
            id.name[i] = name[i] >= 0x20 && name[i] < 0x7f ? (char)name[i] : '?';
    }
    return id;
}

/* Makes room for `size` bytes; the name the walk stands at is kept, it is needed to go on. */
static enum status grow_name(struct uefi_vars *vars, size_t size)
{
    void *larger = NULL;

    if (size <= vars->size || size > NAME_BYTES_LIMIT)
        return ST_NO_MEMORY;
    if (vars->uefi->boot->AllocatePool(EfiLoaderData, size, &larger) != EFI_SUCCESS)
        return ST_NO_MEMORY;
    memset(larger, 0, size);
    if (vars->name != NULL) {
        memcpy(larger, vars->name, vars->size);
        vars->uefi->boot->FreePool(vars->name);
    }
    vars->name = larger;
    vars->size = size;
    return ST_OK;
}

static enum status vars_next(void *ctx, bool restart, struct var_id *ret_id)
{
    struct uefi_vars *vars = ctx;
    EFI_RUNTIME_SERVICES *runtime = vars->uefi->runtime;

    if (restart)
        vars->name[0] = 0;
    UINTN size = vars->size;
    EFI_STATUS efi = runtime->GetNextVariableName(&size, vars->name, &vars->vendor);
    if (efi == EFI_BUFFER_TOO_SMALL) {
        enum status status = grow_name(vars, size);
        if (status != ST_OK)
            return status;
        size = vars->size;
        efi = runtime->GetNextVariableName(&size, vars->name, &vars->vendor);
    }
    if (EFI_ERROR(efi))
        return uefi_status(efi, walk_statuses, COUNT_OF(walk_statuses));
    *ret_id = id_of(vars->name, &vars->vendor);
    return ST_OK;
}

static enum status vars_get(void *ctx, const struct guid *vendor, const char *name,
                            uint32_t *ret_attributes, void *ret_data, size_t size, size_t *ret_size)
{
    const struct uefi_vars *vars = ctx;
    EFI_GUID guid = to_efi_guid(vendor == NULL ? &global_vendor : vendor);
    CHAR16 wide[VAR_NAME_SIZE];
    uint8_t nothing;
    UINT32 attributes = 0;
    UINTN data_size = size;

    if (to_name(name, wide) != ST_OK)
        return ST_ABSENT;
    EFI_STATUS efi = vars->uefi->runtime->GetVariable(wide, &guid, &attributes, &data_size,
                                                      ret_data == NULL ? &nothing : ret_data);
    enum status status = uefi_status(efi, get_statuses, COUNT_OF(get_statuses));
    if (status == ST_OK || status == ST_TOO_SMALL)
        *ret_size = data_size;
    if (status == ST_OK && ret_attributes != NULL)
        *ret_attributes = attributes;
    return status;
}

static enum status vars_set(void *ctx, const struct guid *vendor, const char *name,
                            uint32_t attributes, const void *data, size_t size)
{
    const struct uefi_vars *vars = ctx;
    EFI_GUID guid = to_efi_guid(vendor == NULL ? &global_vendor : vendor);
    CHAR16 wide[VAR_NAME_SIZE];

    if (to_name(name, wide) != ST_OK)
        return ST_REFUSED;
    EFI_STATUS efi = vars->uefi->runtime->SetVariable(wide, &guid, attributes, size,
                                                      size == 0 ? NULL : (void *)data);
    return uefi_status(efi, set_statuses, COUNT_OF(set_statuses));
}

static enum status vars_space(void *ctx, struct var_space *ret_space)
{
    const struct uefi_vars *vars = ctx;
    EFI_RUNTIME_SERVICES *runtime = vars->uefi->runtime;
    UINT64 total = 0;
    UINT64 remaining = 0;
    UINT64 largest = 0;

    if (runtime->Hdr.Revision < REVISION_2_00)
        return ST_UNSUPPORTED; /* the table ends before this service */
    if (EFI_ERROR(runtime->QueryVariableInfo(VAR_BOOT_OPTION, &total, &remaining, &largest)))
        return ST_UNSUPPORTED;
    /* The firmware's figure covers the name as well: what the longest of ours takes comes off. */
    const UINT64 name_bytes = VAR_NAME_SIZE * sizeof(CHAR16);
    *ret_space = (struct var_space){.total = total,
                                    .remaining = remaining,
                                    .largest = largest > name_bytes ? largest - name_bytes : 0};
    return ST_OK;
}

enum status uefi_vars_open(const struct uefi *uefi, struct uefi_vars *ret_vars,
                           struct vars_port *ret_port)
{
    struct uefi_vars vars = {.uefi = uefi};
    enum status status = grow_name(&vars, NAME_BYTES_START);

    if (status != ST_OK)
        return status;
    *ret_vars = vars;
    *ret_port = (struct vars_port){
        .ctx = ret_vars, .next = vars_next, .get = vars_get, .set = vars_set, .space = vars_space};
    return ST_OK;
}

void uefi_vars_close(struct uefi_vars *vars)
{
    if (vars->name != NULL)
        vars->uefi->boot->FreePool(vars->name);
    vars->name = NULL;
}
