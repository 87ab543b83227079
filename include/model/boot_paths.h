/* Where the boot managers of an EFI System Partition lie, from its root. */
#ifndef SHADOWBOOT_MODEL_BOOT_PATHS_H
#define SHADOWBOOT_MODEL_BOOT_PATHS_H

#define MICROSOFT_FOLDER  "\\EFI\\Microsoft"
#define BOOT_MANAGER_PATH MICROSOFT_FOLDER "\\Boot\\bootmgfw.efi"

/* Where shadowboot keeps its journals. */
#define SHADOWBOOT_FOLDER "\\EFI\\shadowboot"

/* The removable-media path, a format with the architecture as in "X64" (UEFI Specification
 * 3.5.1.1). */
#define FALLBACK_PATH_FORMAT "\\EFI\\BOOT\\BOOT%s.EFI"

#endif
