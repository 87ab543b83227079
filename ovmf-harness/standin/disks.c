#include "disks.h"

#define BLOCK_MAX 4096u

static EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;

/* Bytes of the path up to its first partition. */
static UINTN disk_length(const UINT8 *path)
{
    UINTN at = 0;

    while (!is_end(path + at) && !(path[at] == 4 && path[at + 1] == 1))
        at += node_length(path + at);
    return at;
}

static BOOLEAN same_disk(const UINT8 *a, const UINT8 *b)
{
    UINTN length = disk_length(a);

    return length == disk_length(b) && same_bytes(a, b, length);
}

static const UINT8 *path_of(EFI_HANDLE handle)
{
    void *path;

    return EFI_ERROR(bs->HandleProtocol(handle, &device_path_guid, &path)) ? NULL : path;
}

/* A buffer for one block, for whoever reads next. */
static UINT8 *block_buffer(void)
{
    static void *buffer;

    if (buffer == NULL && EFI_ERROR(bs->AllocatePool(EfiLoaderData, BLOCK_MAX, &buffer)))
        buffer = NULL;
    return buffer;
}

static BOOLEAN read_block(EFI_HANDLE handle, BOOLEAN last, UINTN number, UINT8 *ret_block)
{
    EFI_BLOCK_IO *io;

    if (ret_block == NULL || EFI_ERROR(bs->HandleProtocol(handle, &block_io_guid, (void **)&io)) ||
        !io->Media->MediaPresent || io->Media->BlockSize > BLOCK_MAX)
        return FALSE;
    return !EFI_ERROR(io->ReadBlocks(io, io->Media->MediaId, last ? io->Media->LastBlock : number,
                                     io->Media->BlockSize, ret_block));
}

static const UINT8 gpt_mark[8] = {'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'};

/* The GUID of a whole disk, from either table. */
static BOOLEAN disk_guid(EFI_HANDLE handle, UINT8 *ret_guid)
{
    UINT8 *block = block_buffer();

    for (int last = 0; last < 2; last++) {
        if (!read_block(handle, last != 0, 1, block) || !same_bytes(block, gpt_mark, 8))
            continue;
        for (int i = 0; i < 16; i++)
            ret_guid[i] = block[56 + i];
        return TRUE;
    }
    return FALSE;
}

static UINTN list(EFI_HANDLE **ret_handles)
{
    UINTN count;

    return EFI_ERROR(bs->LocateHandleBuffer(ByProtocol, &block_io_guid, NULL, &count, ret_handles))
               ? 0
               : count;
}

/* The GUID of the disk that the path leads through. */
static void fill_disk(const UINT8 *path, UINT8 *ret_guid)
{
    EFI_HANDLE *handles;
    UINTN count = list(&handles);

    for (UINTN i = 0; i < count; i++) {
        const UINT8 *other = path_of(handles[i]);
        if (other != NULL && path_length(other) == disk_length(other) && same_disk(path, other) &&
            disk_guid(handles[i], ret_guid))
            return;
    }
}

BOOLEAN disks_have(const UINT8 *disk)
{
    EFI_HANDLE *handles;
    UINTN count = list(&handles);
    UINT8 guid[16];

    for (UINTN i = 0; i < count; i++) {
        const UINT8 *path = path_of(handles[i]);
        if (path != NULL && path_length(path) == disk_length(path) && disk_guid(handles[i], guid) &&
            same_bytes(guid, disk, 16))
            return TRUE;
    }
    return FALSE;
}

EFI_STATUS disks_read(const struct place *place, const CHAR16 *path, UINT8 *ret_bytes,
                      UINTN *io_size)
{
    EFI_FILE_IO_INTERFACE *volume;
    EFI_FILE *root;
    EFI_FILE *file;

    if (EFI_ERROR(bs->HandleProtocol(place->handle, &file_system_guid, (void **)&volume)) ||
        EFI_ERROR(volume->OpenVolume(volume, &root)))
        return EFI_UNSUPPORTED;
    EFI_STATUS status = root->Open(root, &file, (CHAR16 *)path, EFI_FILE_MODE_READ, 0);
    if (!EFI_ERROR(status)) {
        status = file->Read(file, io_size, ret_bytes);
        file->Close(file);
    }
    root->Close(root);
    return status;
}

static BOOLEAN is_ntfs(EFI_HANDLE handle)
{
    UINT8 *block = block_buffer();
    static const UINT8 name[8] = {'N', 'T', 'F', 'S', ' ', ' ', ' ', ' '};

    return read_block(handle, FALSE, 0, block) && same_bytes(block + 3, name, 8);
}

static BOOLEAN has_file(EFI_HANDLE handle, const CHAR16 *path)
{
    struct place place = {.handle = handle};
    UINT8 byte;
    UINTN size = 1;

    EFI_STATUS status = disks_read(&place, path, &byte, &size);
    return status == EFI_UNSUPPORTED ? is_ntfs(handle) : !EFI_ERROR(status);
}

/* The first partition of that GUID, or with that file where it is NULL. */
static BOOLEAN search(const UINT8 *guid, const CHAR16 *file, const UINT8 *own, BOOLEAN at_home,
                      struct place *ret_place)
{
    EFI_HANDLE *handles;
    UINTN count = list(&handles);

    for (UINTN i = 0; i < count; i++) {
        const UINT8 *path = path_of(handles[i]);
        const UINT8 *partition = path == NULL ? NULL : path_partition(path);
        if (partition == NULL || same_disk(path, own) != at_home)
            continue;
        if (guid != NULL ? !same_bytes(partition, guid, 16) : !has_file(handles[i], file))
            continue;
        for (int j = 0; j < 16; j++)
            ret_place->partition[j] = partition[j];
        ret_place->handle = handles[i];
        fill_disk(path, ret_place->disk);
        return TRUE;
    }
    return FALSE;
}

BOOLEAN disks_find(const UINT8 *partition, const UINT8 *own, struct place *ret_place)
{
    return search(partition, NULL, own, TRUE, ret_place) ||
           search(partition, NULL, own, FALSE, ret_place);
}

BOOLEAN disks_locate(const CHAR16 *path, const UINT8 *own, struct place *ret_place)
{
    return search(NULL, path, own, TRUE, ret_place) || search(NULL, path, own, FALSE, ret_place);
}
