/*
 * A machine that Windows was mirrored on, with everything on its disks: tables, LDM databases, FAT
 * with boot manager and store, NTFS with the system's files. X64, two AHCI disks of 512-byte
 * blocks, alike but for their identities.
 *
 *   partition 1  ESP, FAT16: \EFI\Microsoft\Boot\bootmgfw.efi, ...\BCD, \EFI\BOOT\BOOTX64.EFI
 *             2  LDM metadata     3  LDM data: "Volume1", drive letter C:
 *
 * Boot0000 "Windows Boot Manager" starts the ESP of Disk 0, Boot0001 "Boot Mirror" that of Disk 1.
 * FS0: (where the program was started from) and FS1: are the ESPs with the same names of files.
 */
#ifndef SHADOWBOOT_UNIT_WINDOWS_FIXTURE_H
#define SHADOWBOOT_UNIT_WINDOWS_FIXTURE_H

#include "unit/machine_fixture.h"

#define WINDOWS_ESP_0 "77777777-0000-4b01-8001-0123456789a0"
#define WINDOWS_ESP_1 "77777777-0001-4b01-8001-0123456789a1"

#define WINDOWS_STORE    "\\EFI\\Microsoft\\Boot\\BCD"
#define WINDOWS_FALLBACK "\\EFI\\BOOT\\BOOTX64.EFI"

struct host *windows_machine(void);

/* What bootmgfw.efi holds on both ESPs. Valid until the program ends. */
struct span windows_manager(void);

/* A boot store of 8192 bytes whose loader is looked for on all volumes, as `locate` does. Valid
 * until the program ends. */
struct span windows_store(void);

/* What Windows keeps as BCD-Template: the path of its loader below
 * \Windows. Valid until the program ends. */
struct span windows_template(void);

/* --- Ways to break it ----------------------------------------------------------------------- */

/* The boot store of a disk is overwritten, so that it does not start alone. */
void windows_break_store(struct host *host, size_t disk);

/* The boot store of a disk is sound, and starts the Windows in \Xindows. */
void windows_move_system(struct host *host, size_t disk);

/* A code page of the boot manager of a disk is zero, and its fallback file another program. */
void windows_break_manager(struct host *host, size_t disk);

/* The entry for Disk 1 is gone. */
void windows_drop_shadow_entry(struct host *host);

/* The copy of a disk is encrypted. */
void windows_encrypt(struct host *host, size_t disk);

/* winload.efi is there on the copy of a disk, and empty. */
void windows_empty_loader(struct host *host, size_t disk);

/* The ESP of a disk is all zero. */
void windows_unformat(struct host *host, size_t disk);

#endif
