/* Opening files of volumes by their paths, and what is known of one that is open. */
#ifndef SHADOWBOOT_FIRMWARE_FILES_OPENING_H
#define SHADOWBOOT_FIRMWARE_FILES_OPENING_H

#include "files.h"

extern const EFI_GUID file_info_guid;

#define FILE_INFO_SIZE 2048 /* bytes of EFI_FILE_INFO with a name of 255 characters, and more */

/*
 * Opens the first `length` bytes of `path`. EFI_INVALID_PARAMETER for a path that is no text or
 * beyond all measure, otherwise what the driver says.
 */
EFI_STATUS file_open_part(struct uefi_files *files, size_t volume, const char *path, size_t length,
                          UINT64 mode, UINT64 attributes, EFI_FILE_PROTOCOL **ret_file);

/* The same of a whole path, with or without backslashes at its end; "" is the root. */
EFI_STATUS file_open_path(struct uefi_files *files, size_t volume, const char *path, UINT64 mode,
                          EFI_FILE_PROTOCOL **ret_file);

/* Opens a file, not a directory: EFI_NOT_FOUND for one. `files->info` is filled in. */
EFI_STATUS file_open(struct uefi_files *files, size_t volume, const char *path, UINT64 mode,
                     EFI_FILE_PROTOCOL **ret_file);

/* Reads what is known about an open file into `files->info`. */
EFI_STATUS file_get_info(struct uefi_files *files, EFI_FILE_PROTOCOL *file);

/* True when `files->info` is of a directory. */
bool file_is_directory(const struct uefi_files *files);

/* `files->info` as the port tells it. */
void file_tell_info(const struct uefi_files *files, struct file_info *ret_info);

#endif
