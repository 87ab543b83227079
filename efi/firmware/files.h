/* The files port over EFI_SIMPLE_FILE_SYSTEM_PROTOCOL (UEFI Specification 13.4, 13.5). */
#ifndef SHADOWBOOT_FIRMWARE_FILES_H
#define SHADOWBOOT_FIRMWARE_FILES_H

#include "port/files.h"
#include "uefi.h"

#define WALK_PATH_SIZE 512

struct uefi_files {
    const struct uefi *uefi;
    struct arena scratch;        /* for paths in UCS-2, emptied after each call */
    const EFI_HANDLE *handles;   /* one per volume */
    struct file_volume *volumes; /* in the arena, in the firmware's order */
    size_t count;
    EFI_FILE_INFO *info; /* room for the information about one file */

    /* The directory being listed stays open: each entry costs one read, not a walk from the top. */
    struct {
        EFI_FILE_PROTOCOL *directory; /* NULL: none */
        size_t volume;
        size_t next; /* index of the entry that the next read gives */
        char path[WALK_PATH_SIZE];
    } walk;
};

/*
 * Finds the volumes. `*ret_files`, `uefi` and the arena must stay in place as long as the port is
 * used. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status uefi_files_open(const struct uefi *uefi, struct arena *arena,
                                       struct uefi_files *ret_files, struct files_port *ret_port);

/* Closes what is open; the port is dead then. */
void uefi_files_close(struct uefi_files *files);

#endif
