#include "files_opening.h"

#include "base/mem.h"
#include "base/text.h"
#include "volumes.h"

const EFI_GUID file_info_guid = EFI_FILE_INFO_ID;

EFI_STATUS file_open_part(struct uefi_files *files, size_t volume, const char *path, size_t length,
                          UINT64 mode, UINT64 attributes, EFI_FILE_PROTOCOL **ret_file)
{
    struct span wide = span_of(NULL, 0);

    if (volume_is_released(files, volume))
        return EFI_NOT_FOUND;
    arena_release(&files->scratch, 0);
    char *text = arena_alloc(&files->scratch, length + 1, 1);
    if (text == NULL)
        return EFI_INVALID_PARAMETER;
    memcpy(text, path, length);
    if (text_to_ucs2(&files->scratch, text, &wide) != ST_OK)
        return EFI_INVALID_PARAMETER;
    EFI_FILE_PROTOCOL *root = volume_root(files, volume);
    if (root == NULL)
        return EFI_DEVICE_ERROR;
    if (length == 0) {
        *ret_file = root;
        return EFI_SUCCESS;
    }
    EFI_FILE_PROTOCOL *file = NULL;
    EFI_STATUS efi = root->Open(root, &file, (CHAR16 *)wide.at, mode, attributes);
    root->Close(root);
    if (EFI_ERROR(efi))
        return efi;
    *ret_file = file;
    return EFI_SUCCESS;
}

/* The length of `path` without backslashes at its end: 0 for the root. */
static size_t file_path_length(const char *path)
{
    size_t length = text_length(path);

    while (length > 0 && path[length - 1] == '\\')
        length--;
    return length;
}

EFI_STATUS file_open_path(struct uefi_files *files, size_t volume, const char *path, UINT64 mode,
                          EFI_FILE_PROTOCOL **ret_file)
{
    return file_open_part(files, volume, path, file_path_length(path), mode, 0, ret_file);
}

EFI_STATUS file_get_info(struct uefi_files *files, EFI_FILE_PROTOCOL *file)
{
    EFI_GUID guid = file_info_guid;
    UINTN size = FILE_INFO_SIZE;

    return file->GetInfo(file, &guid, &size, files->info);
}

bool file_is_directory(const struct uefi_files *files)
{
    return (files->info->Attribute & EFI_FILE_DIRECTORY) != 0;
}

EFI_STATUS file_open(struct uefi_files *files, size_t volume, const char *path, UINT64 mode,
                     EFI_FILE_PROTOCOL **ret_file)
{
    EFI_FILE_PROTOCOL *file;
    EFI_STATUS efi = file_open_path(files, volume, path, mode, &file);

    if (EFI_ERROR(efi))
        return efi;
    efi = file_get_info(files, file);
    if (!EFI_ERROR(efi) && file_is_directory(files))
        efi = EFI_NOT_FOUND;
    if (EFI_ERROR(efi)) {
        file->Close(file);
        return efi;
    }
    *ret_file = file;
    return EFI_SUCCESS;
}

void file_tell_info(const struct uefi_files *files, struct file_info *ret_info)
{
    uefi_utf8_into(ret_info->name, sizeof(ret_info->name), files->info->FileName);
    ret_info->is_directory = file_is_directory(files);
    ret_info->size = ret_info->is_directory ? 0 : files->info->FileSize;
}
