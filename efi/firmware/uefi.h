/*
 * What the ports over UEFI share: the services of the firmware, and small helpers around handles,
 * device paths, status codes and text.
 */
#ifndef SHADOWBOOT_FIRMWARE_UEFI_H
#define SHADOWBOOT_FIRMWARE_UEFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <efi.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "port/firmware.h"

/* On ia32 compilers align integers of 64 bits as they like: read with other gaps than firmware's, a disk
 * of 64 MiB has 2^58 bytes, and would be written to accordingly (UEFI Specification 2.3.1, 13.9). */
_Static_assert(offsetof(EFI_BLOCK_IO_MEDIA, LastBlock) == 24 &&
                   offsetof(EFI_MEMORY_DESCRIPTOR, PhysicalStart) == 8,
               "integers of 64 bits are aligned to 8 bytes");

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct uefi {
    EFI_HANDLE image;
    EFI_SYSTEM_TABLE *system;
    EFI_BOOT_SERVICES *boot;
    EFI_RUNTIME_SERVICES *runtime;
    EFI_LOADED_IMAGE *loaded;                  /* this program; NULL when firmware does not say */
    EFI_SHELL_PROTOCOL *shell;                 /* NULL when no UEFI Shell 2 is running */
    EFI_SHELL_PARAMETERS_PROTOCOL *parameters; /* NULL when the Shell did not start us */
};

struct handle_list {
    const EFI_HANDLE *at;
    size_t count;
};

/* Looks up what the rest needs. Valid until boot services end. */
void uefi_open(struct uefi *ret_uefi, EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/*
 * Lets every driver start on every device. A boot manager in a hurry starts only what the chosen
 * entry needs, and the other disk of a mirror would not be there. What fails to start is left out.
 */
void uefi_connect_all(const struct uefi *uefi);

/* What the firmware says of itself; its texts in the arena. */
struct firmware_info uefi_firmware(const struct uefi *uefi, struct arena *arena);

/* The interface `guid` on `handle`, or NULL. */
void *uefi_protocol(const struct uefi *uefi, EFI_HANDLE handle, const EFI_GUID *guid);

/*
 * The handles that carry `guid`, in the firmware's order, in the arena; none is no error.
 * Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status uefi_handles(const struct uefi *uefi, const EFI_GUID *guid,
                                    struct arena *arena, struct handle_list *ret_list);

/* The bytes of a device path with its closing end node; an empty span for NULL or a broken one. */
struct span uefi_path_span(const EFI_DEVICE_PATH_PROTOCOL *path);

/*
 * A copy in the arena of the device path of `handle`. Statuses: ST_OK; ST_ABSENT when it has none
 * or a broken one; ST_NO_MEMORY.
 */
MUST_CHECK enum status uefi_handle_path(const struct uefi *uefi, EFI_HANDLE handle,
                                        struct arena *arena, struct span *ret_path);

/* True when `path` is that of the disk at `disk_path` or of something on it; both have end
 * nodes. */
bool uefi_path_is_on(struct span path, struct span disk_path);

/* The handle with this very device path (end node included) that carries `guid`, or NULL. */
EFI_HANDLE uefi_handle_at(const struct uefi *uefi, const EFI_GUID *guid, struct span path);

bool uefi_guid_equal(const EFI_GUID *a, const EFI_GUID *b);

struct status_row {
    EFI_STATUS efi;
    enum status status;
};

/*
 * ST_OK for success and for warnings, else the status of the first of `count` rows with that code,
 * else ST_IO.
 */
enum status uefi_status(EFI_STATUS efi, const struct status_row *rows, size_t count);

/*
 * UTF-8 from NUL-terminated UCS-2, cut to whole characters in `size` bytes (> 0), closing NUL
 * included; unpaired surrogates become U+FFFD.
 */
void uefi_utf8_into(char *to, size_t size, const CHAR16 *from);

/* The same in the arena, never cut; NULL when there is no room. */
const char *uefi_utf8(struct arena *arena, const CHAR16 *from);

#endif
