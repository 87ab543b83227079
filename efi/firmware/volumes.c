#include "volumes.h"

#include "base/mem.h"
#include "base/text.h"
#include "drivers.h"

#define SYSTEM_INFO_SIZE 1024 /* EFI_FILE_SYSTEM_INFO with the longest label */
#define ALIAS_SEPARATOR  ';'
#define MEMORY_PAGES     32 /* for the volumes of one renewal: some hundreds */

struct volume_memory {
    struct volume_memory *before;
};

static const EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static const EFI_GUID system_info_guid = EFI_FILE_SYSTEM_INFO_ID;

bool volume_is_released(const struct uefi_files *files, size_t volume)
{
    return volume < files->count && files->handles[volume] == NULL;
}

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

/* The volume with this very device path. */
static size_t find_volume_by_path(const struct uefi_files *files, struct span path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (span_equal(files->volumes[i].path, path))
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
    return find_volume_by_path(files, path);
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

    port->self = find_volume_by_path(files, files->self_path);
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

/* ---- letting go of a disk ---- */

static bool is_released(const struct uefi_files *files, EFI_HANDLE disk)
{
    for (size_t i = 0; i < files->released_count; i++) {
        if (files->released[i] == disk)
            return true;
    }
    return false;
}

/* The firmware, and the Shell after us, may ask where this program came from. */
static void tell_new_home(const struct uefi_files *files)
{
    EFI_HANDLE home = uefi_handle_at(files->uefi, &file_system_guid, files->self_path);

    if (home != NULL)
        files->uefi->loaded->DeviceHandle = home;
}

enum status volumes_release(struct uefi_files *files, struct span disk_path)
{
    EFI_HANDLE disk = NULL;

    if (files->released_count == RELEASED_MOST)
        return ST_REFUSED;
    enum status status = drivers_take_off(files->uefi, disk_path, &disk);
    for (size_t i = 0; i < files->count; i++) {
        struct span path = files->volumes[i].path;
        if (status == ST_OK && uefi_path_is_on(path, disk_path))
            files->handles[i] = NULL;
        else if (status == ST_REFUSED && files->handles[i] != NULL &&
                 uefi_path_is_on(path, disk_path))
            files->handles[i] = uefi_handle_at(files->uefi, &file_system_guid, path);
    }
    if (status == ST_REFUSED)
        tell_new_home(files);
    if (status == ST_OK && !is_released(files, disk))
        files->released[files->released_count++] = disk;
    return status;
}

static void put_drivers_back(struct uefi_files *files)
{
    for (size_t i = 0; i < files->released_count; i++)
        drivers_put_back(files->uefi, files->released[i]);
    tell_new_home(files);
}

/* Memory for one more list of volumes, as the lists before must stay; NULL when there is none. */
static struct volume_memory *more_memory(const struct uefi_files *files)
{
    EFI_PHYSICAL_ADDRESS pages = 0;

    if (files->uefi->boot->AllocatePages(AllocateAnyPages, EfiLoaderData, MEMORY_PAGES, &pages) !=
        EFI_SUCCESS)
        return NULL;
    struct volume_memory *memory = (void *)(uintptr_t)pages;
    memory->before = files->memory;
    return memory;
}

/* Gives back the latest memory; the one before it. */
static struct volume_memory *less_memory(const struct uefi *uefi, struct volume_memory *memory)
{
    struct volume_memory *before = memory->before;

    uefi->boot->FreePages((EFI_PHYSICAL_ADDRESS)(uintptr_t)memory, MEMORY_PAGES);
    return before;
}

enum status volumes_renew(struct uefi_files *files, struct files_port *io_port)
{
    struct uefi_files found = *files;
    struct files_port port = *io_port;
    struct arena arena;

    found.memory = more_memory(files);
    if (found.memory == NULL)
        return ST_NO_MEMORY;
    arena_init(&arena, found.memory + 1, MEMORY_PAGES * EFI_PAGE_SIZE - sizeof(*found.memory));
    put_drivers_back(files);
    found.count = 0;
    found.released_count = 0;
    enum status status = volumes_find(&found, &arena);
    if (status == ST_OK)
        status = volumes_locate_user(&found, &arena, &port);
    if (status != ST_OK) {
        less_memory(files->uefi, found.memory);
        return status;
    }
    port.volumes = found.volumes;
    port.volume_count = found.count;
    *files = found;
    *io_port = port;
    return ST_OK;
}

void volumes_close(struct uefi_files *files)
{
    if (files->released_count > 0)
        put_drivers_back(files);
    files->released_count = 0;
    while (files->memory != NULL)
        files->memory = less_memory(files->uefi, files->memory);
}
