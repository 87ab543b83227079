/* The files port over EFI_SIMPLE_FILE_SYSTEM_PROTOCOL (UEFI Specification 13.4, 13.5). */
#ifndef SHADOWBOOT_FIRMWARE_FILES_H
#define SHADOWBOOT_FIRMWARE_FILES_H

#include "port/files.h"
#include "uefi.h"

#define WALK_PATH_SIZE 512
#define RELEASED_MOST  16 /* disks that can be released at the same time */

struct volume_memory; /* of the volumes that renew found */

struct uefi_files {
    const struct uefi *uefi;
    struct arena scratch;        /* for paths in UCS-2, emptied after each call */
    EFI_HANDLE *handles;         /* one per volume; NULL: released */
    struct file_volume *volumes; /* in the arena, in the firmware's order */
    size_t count;
    EFI_FILE_INFO *info;   /* room for the information about one file */
    struct span self_path; /* of the partition this program came from; empty when unknown */
    EFI_HANDLE released[RELEASED_MOST]; /* whole disks */
    size_t released_count;
    struct volume_memory *memory; /* the latest, or NULL */

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

/* Closes the directory that was listed last; a list goes on all the same, from its top. */
void uefi_files_rest(struct uefi_files *files);

/* Closes what is open, gives released disks back to their drivers; the port is dead then. */
void uefi_files_close(struct uefi_files *files);

#endif
