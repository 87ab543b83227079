#include "volumes.h"

#include "base/mem.h"
#include "base/text.h"

#define SYSTEM_INFO_SIZE 1024 /* EFI_FILE_SYSTEM_INFO with the longest label */
#define ALIAS_SEPARATOR  ';'

static const EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static const EFI_GUID system_info_guid = EFI_FILE_SYSTEM_INFO_ID;

EFI_FILE_PROTOCOL *volume_root(const struct uefi_files *files, size_t volume)
{
    EFI_FILE_PROTOCOL *root = NULL;
    EFI_FILE_IO_INTERFACE *driver;

    if (volume >= files->count)
        return NULL;
    driver = uefi_protocol(files->uefi, files->handles[volume], &file_system_guid);
    if (driver == NULL || driver->OpenVolume(driver, &root) != EFI_SUCCESS)
        return NULL;
    return root;
}

void volume_refresh(struct uefi_files *files, size_t volume)
{
    union {
        EFI_FILE_SYSTEM_INFO info;
        uint8_t room[SYSTEM_INFO_SIZE];
    } answer;
    EFI_GUID guid = system_info_guid;
    UINTN size = sizeof(answer);
    EFI_FILE_PROTOCOL *root = volume_root(files, volume);

    files->volumes[volume].free = 0;
    if (root == NULL)
        return;
    if (root->GetInfo(root, &guid, &size, &answer) == EFI_SUCCESS) {
        bool full = answer.info.FreeSpace == 0 && answer.info.VolumeSize > 0;
        files->volumes[volume].free = full ? VOLUME_FULL : answer.info.FreeSpace;
        files->volumes[volume].read_only = answer.info.ReadOnly;
    }
    root->Close(root);
}

/* The length of the name at `names`, which ends at a separator or at the end of the text. */
static size_t alias_length(const char *names)
{
    size_t length = 0;

    while (names[length] != '\0' && names[length] != ALIAS_SEPARATOR)
        length++;
    return length;
}

/* Cuts a list such as "FS0:;HD0b:;BLK1:" to the FS name in it, or else to the first name. */
static const char *best_alias(char *names)
{
    char *best = names;

    for (char *at = names; *at != '\0';) {
        if (text_has_prefix_nocase(at, "FS")) {
            best = at;
            break;
        }
        at += alias_length(at);
        if (*at == ALIAS_SEPARATOR)
            at++;
    }
    best[alias_length(best)] = '\0';
    return best;
}

/* What the Shell calls the volume; "" without a shell, without a name, or without memory. */
static const char *find_alias(const struct uefi *uefi, struct span path, struct arena *arena)
{
    EFI_DEVICE_PATH_PROTOCOL *rest = (EFI_DEVICE_PATH_PROTOCOL *)path.at;

    if (uefi->shell == NULL)
        return "";
    const CHAR16 *names = uefi->shell->GetMapFromDevicePath(&rest);
    if (names == NULL || rest == NULL || !IsDevicePathEnd(rest))
        return ""; /* a name for the disk above is none for the volume */
    const char *text = uefi_utf8(arena, names);
    return text == NULL ? "" : best_alias((char *)text);
}

enum status volumes_find(struct uefi_files *files, struct arena *arena)
{
    struct handle_list list;
    enum status status = uefi_handles(files->uefi, &file_system_guid, arena, &list);

    if (status != ST_OK)
        return status;
    EFI_HANDLE *handles = arena_alloc(arena, list.count, sizeof(*handles));
    files->volumes = arena_alloc(arena, list.count, sizeof(*files->volumes));
    if (handles == NULL || files->volumes == NULL)
        return ST_NO_MEMORY;
    files->handles = handles;
    for (size_t i = 0; i < list.count; i++) {
        struct file_volume *volume = &files->volumes[files->count];
        status = uefi_handle_path(files->uefi, list.at[i], arena, &volume->path);
        if (status == ST_ABSENT)
            continue;
        if (status != ST_OK)
            return status;
        volume->alias = find_alias(files->uefi, volume->path, arena);
        handles[files->count++] = list.at[i];
        volume_refresh(files, files->count - 1);
    }
    return ST_OK;
}

static size_t find_self(const struct uefi_files *files)
{
    for (size_t i = 0; files->uefi->loaded != NULL && i < files->count; i++) {
        if (files->handles[i] == files->uefi->loaded->DeviceHandle)
            return i;
    }
    return FILES_NO_VOLUME;
}

/* The volume of a mapped name such as "FS0:", of `units` units with the colon. */
static size_t find_mapped(const struct uefi_files *files, const CHAR16 *name, size_t units,
                          struct arena *arena)
{
    size_t mark = arena_mark(arena);
    CHAR16 *copy = arena_alloc(arena, units + 1, sizeof(*copy));

    if (copy == NULL)
        return FILES_NO_VOLUME;
    memcpy(copy, name, units * sizeof(*copy));
    struct span path = uefi_path_span(files->uefi->shell->GetDevicePathFromMap(copy));
    arena_release(arena, mark);
    for (size_t i = 0; i < files->count; i++) {
        if (span_equal(files->volumes[i].path, path))
            return i;
    }
    return FILES_NO_VOLUME;
}

/* Without the backslash at its end that the Shell may leave there, except for the root. */
static const char *tidy_directory(char *directory)
{
    size_t length = text_length(directory);

    while (length > 1 && directory[length - 1] == '\\')
        directory[--length] = '\0';
    return directory[0] == '\\' ? directory : "\\";
}

enum status volumes_locate_user(const struct uefi_files *files, struct arena *arena,
                                struct files_port *port)
{
    const CHAR16 *where = files->uefi->shell == NULL ? NULL : files->uefi->shell->GetCurDir(NULL);
    size_t colon = 0;

    port->self = find_self(files);
    port->current = port->self;
    port->directory = "\\";
    if (where == NULL)
        return ST_OK;
    while (where[colon] != 0 && where[colon] != ':')
        colon++;
    if (where[colon] == 0)
        return ST_OK;
    const char *directory = uefi_utf8(arena, where + colon + 1);
    if (directory == NULL)
        return ST_NO_MEMORY;
    port->current = find_mapped(files, where, colon + 1, arena);
    port->directory = tidy_directory((char *)directory);
    return ST_OK;
}
