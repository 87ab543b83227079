/* Where the boot managers of an EFI System Partition lie, from its root. */
#ifndef SHADOWBOOT_MODEL_BOOT_PATHS_H
#define SHADOWBOOT_MODEL_BOOT_PATHS_H

#define MICROSOFT_FOLDER  "\\EFI\\Microsoft"
#define BOOT_MANAGER_PATH MICROSOFT_FOLDER "\\Boot\\bootmgfw.efi"

/* Where shadowboot keeps its journals. */
#define SHADOWBOOT_FOLDER "\\EFI\\shadowboot"

/* Where kernels lie that start by themselves (UAPI Group, Boot Loader Specification). */
#define KERNEL_FOLDER "\\EFI\\Linux"

/* U-Boot's variables, on the first ESP that it comes to (U-Boot, doc/develop/uefi, "Non-volatile
 * variables"). */
#define BOOT_VARIABLES_PATH "\\ubootefi.var"

/* The removable-media path, a format with the architecture as in "X64" (UEFI Specification
 * 3.5.1.1): machine.fallback is that of this machine. FALLBACK_PREFIX begins those of all. */
#define FALLBACK_FOLDER      "\\EFI\\BOOT"
#define FALLBACK_PREFIX      FALLBACK_FOLDER "\\BOOT"
#define FALLBACK_PATH_FORMAT FALLBACK_PREFIX "%s.EFI"

/* The boot store of Windows' boot manager, and what it is mended by. */
#define BOOT_STORE_PATH     MICROSOFT_FOLDER "\\Boot\\BCD"
#define BOOT_STORE_LOG_PATH BOOT_STORE_PATH ".LOG"

/* The boot store of Windows' boot manager for BIOS, on the active partition. */
#define BIOS_STORE_PATH "\\Boot\\BCD"

#endif
