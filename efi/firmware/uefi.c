#include "uefi.h"

#include "base/mem.h"

#define PATH_LIMIT    65536 /* bytes; a longer device path is taken for a broken one */
#define REPLACEMENT   0xfffdu
#define UTF8_PER_UNIT 3 /* bytes that one unit of UCS-2 needs at most */

static const EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static const EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static const EFI_GUID parameters_guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;
static const EFI_GUID shell_guid = EFI_SHELL_PROTOCOL_GUID;

static EFI_SHELL_PROTOCOL *locate_shell(const struct uefi *uefi)
{
    EFI_GUID guid = shell_guid;
    void *shell = NULL;

    if (uefi->boot->LocateProtocol(&guid, NULL, &shell) != EFI_SUCCESS)
        return NULL;
    return shell;
}

void uefi_open(struct uefi *ret_uefi, EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    struct uefi uefi = {.image = image,
                        .system = system,
                        .boot = system->BootServices,
                        .runtime = system->RuntimeServices};

    uefi.loaded = uefi_protocol(&uefi, image, &loaded_image_guid);
    uefi.parameters = uefi_protocol(&uefi, image, &parameters_guid);
    uefi.shell = locate_shell(&uefi);
    *ret_uefi = uefi;
}

static bool has_user(const struct uefi *uefi, EFI_HANDLE handle, EFI_GUID *protocol)
{
    EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *users = NULL;
    UINTN count = 0;
    bool found = false;

    if (uefi->boot->OpenProtocolInformation(handle, protocol, &users, &count) != EFI_SUCCESS)
        return false;
    for (UINTN i = 0; i < count; i++)
        found |= (users[i].Attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) != 0;
    uefi->boot->FreePool(users);
    return found;
}

/* True when a driver works on the handle. */
static bool is_managed(const struct uefi *uefi, EFI_HANDLE handle)
{
    EFI_GUID **protocols = NULL;
    UINTN count = 0;
    bool found = false;

    if (uefi->boot->ProtocolsPerHandle(handle, &protocols, &count) != EFI_SUCCESS)
        return false;
    for (UINTN i = 0; i < count && !found; i++)
        found = has_user(uefi, handle, protocols[i]);
    uefi->boot->FreePool(protocols);
    return found;
}

/* A bus that hangs on nothing; drivers, images and services are no devices. */
static bool is_to_be_connected(const struct uefi *uefi, EFI_HANDLE handle)
{
    struct span path = uefi_path_span(uefi_protocol(uefi, handle, &device_path_guid));

    if (path.size <= END_DEVICE_PATH_LENGTH)
        return false;
    bool is_root = ld_le16(path.at + 2) == path.size - END_DEVICE_PATH_LENGTH;
    return is_root || !is_managed(uefi, handle);
}

/* Each device would take along all that hangs on it once more: what has a driver has been reached from its root. */
void uefi_connect_all(const struct uefi *uefi)
{
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;

    if (uefi->boot->LocateHandleBuffer(AllHandles, NULL, NULL, &count, &handles) != EFI_SUCCESS)
        return;
    for (UINTN i = 0; i < count; i++) {
        if (is_to_be_connected(uefi, handles[i]))
            uefi->boot->ConnectController(handles[i], NULL, NULL, TRUE);
    }
    uefi->boot->FreePool(handles);
}

struct firmware_info uefi_firmware(const struct uefi *uefi, struct arena *arena)
{
    const EFI_SYSTEM_TABLE *system = uefi->system;

    return (struct firmware_info){
        .vendor = system->FirmwareVendor == NULL ? NULL : uefi_utf8(arena, system->FirmwareVendor),
        .revision = system->FirmwareRevision,
        .uefi = system->Hdr.Revision};
}

void *uefi_protocol(const struct uefi *uefi, EFI_HANDLE handle, const EFI_GUID *guid)
{
    EFI_GUID copy = *guid; /* the firmware's prototypes take it as writable */
    void *interface = NULL;

    if (handle == NULL || uefi->boot->HandleProtocol(handle, &copy, &interface) != EFI_SUCCESS)
        return NULL;
    return interface;
}

enum status uefi_handles(const struct uefi *uefi, const EFI_GUID *guid, struct arena *arena,
                         struct handle_list *ret_list)
{
    EFI_GUID copy = *guid;
    EFI_HANDLE *found = NULL;
    UINTN count = 0;
    EFI_STATUS efi = uefi->boot->LocateHandleBuffer(ByProtocol, &copy, NULL, &count, &found);

    if (efi != EFI_SUCCESS || found == NULL) {
        *ret_list = (struct handle_list){NULL, 0};
        return efi == EFI_OUT_OF_RESOURCES ? ST_NO_MEMORY : ST_OK;
    }
    const EFI_HANDLE *handles = arena_copy(arena, found, count * sizeof(*found));
    uefi->boot->FreePool(found);
    if (handles == NULL)
        return ST_NO_MEMORY;
    *ret_list = (struct handle_list){handles, count};
    return ST_OK;
}

struct span uefi_path_span(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    const uint8_t *bytes = (const uint8_t *)path;

    if (path == NULL)
        return span_of(NULL, 0);
    for (size_t at = 0; at < PATH_LIMIT;) {
        size_t length = ld_le16(bytes + at + 2);
        if (length < END_DEVICE_PATH_LENGTH)
            break;
        bool is_end = (bytes[at] & EFI_DP_TYPE_MASK) == END_DEVICE_PATH_TYPE &&
                      bytes[at + 1] == END_ENTIRE_DEVICE_PATH_SUBTYPE;
        at += length;
        if (is_end)
            return span_of(bytes, at);
    }
    return span_of(NULL, 0);
}

enum status uefi_handle_path(const struct uefi *uefi, EFI_HANDLE handle, struct arena *arena,
                             struct span *ret_path)
{
    struct span path = uefi_path_span(uefi_protocol(uefi, handle, &device_path_guid));

    if (path.size == 0)
        return ST_ABSENT;
    const void *copy = arena_copy(arena, path.at, path.size);
    if (copy == NULL)
        return ST_NO_MEMORY;
    *ret_path = span_of(copy, path.size);
    return ST_OK;
}

bool uefi_path_is_on(struct span path, struct span disk_path)
{
    return disk_path.size > END_DEVICE_PATH_LENGTH && path.size >= disk_path.size &&
           memcmp(path.at, disk_path.at, disk_path.size - END_DEVICE_PATH_LENGTH) == 0;
}

EFI_HANDLE uefi_handle_at(const struct uefi *uefi, const EFI_GUID *guid, struct span path)
{
    EFI_GUID copy = *guid;
    EFI_DEVICE_PATH_PROTOCOL *rest = (EFI_DEVICE_PATH_PROTOCOL *)path.at;
    EFI_HANDLE handle = NULL;

    if (path.size == 0 || uefi->boot->LocateDevicePath(&copy, &rest, &handle) != EFI_SUCCESS ||
        !IsDevicePathEnd(rest))
        return NULL;
    return handle;
}

bool uefi_guid_equal(const EFI_GUID *a, const EFI_GUID *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

enum status uefi_status(EFI_STATUS efi, const struct status_row *rows, size_t count)
{
    if (!EFI_ERROR(efi))
        return ST_OK;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].efi == efi)
            return rows[i].status;
    }
    return ST_IO;
}

/* One character at `*io_from`, which moves behind it. */
static uint32_t next_rune(const CHAR16 **io_from)
{
    uint32_t first = *(*io_from)++;

    if (first < 0xd800 || first > 0xdfff)
        return first;
    uint32_t second = **io_from;
    if (first > 0xdbff || second < 0xdc00 || second > 0xdfff)
        return REPLACEMENT;
    ++*io_from;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/* Writes the UTF-8 of one character; returns its size in bytes. */
static size_t encode(uint32_t rune, char to[4])
{
    static const uint8_t leads[] = {0x00, 0xc0, 0xe0, 0xf0};
    size_t size = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;

    for (size_t i = size - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (rune & 0x3f));
        rune >>= 6;
    }
    to[0] = (char)(leads[size - 1] | rune);
    return size;
}

void uefi_utf8_into(char *to, size_t size, const CHAR16 *from)
{
    size_t used = 0;

    while (*from != 0) {
        char bytes[4];
        size_t length = encode(next_rune(&from), bytes);
        if (length >= size - used)
            break;
        memcpy(to + used, bytes, length);
        used += length;
    }
    to[used] = '\0';
}

const char *uefi_utf8(struct arena *arena, const CHAR16 *from)
{
    size_t units = 0;

    while (from[units] != 0)
        units++;
    char *text = arena_alloc(arena, units + 1, UTF8_PER_UNIT);
    if (text != NULL)
        uefi_utf8_into(text, (units + 1) * UTF8_PER_UNIT, from);
    return text;
}
