/*
 * A whole machine whose files really lie on its disks: two disks with GPT, ESPs with FAT file
 * systems, an LDM mirror with Windows on it, and boot entries; and a stick for journals. Healthy,
 * `status` ends with 0. For everything that writes blocks.
 *
 *   partition 1  ESP, FAT16: \EFI\Microsoft\Boot (boot manager, store, `languages` folders with a
 *                file each, a font), \EFI\BOOT\BOOTX64.EFI; boot managers are whole, signed programs
 *   partition 2  LDM metadata
 *   partition 3  MSR, larger than the ESP
 *   partition 4  LDM data: "Volume1", NTFS
 *   behind all   free space, `free_mib`
 *
 * Disk 1 has the numbers 1 and 3 the other way around in its table, as the harness' machines have,
 * so its ESP is named HD(3,...). Boot0000 "Windows Boot Manager" starts the ESP of Disk 0, Boot0001
 * "Boot Mirror" that of Disk 1. With a stick, Disk 2 (USB, removable, empty but for its table) has
 * the volume that the program was started from.
 *
 * Volumes of the files port follow the disks: whenever they are renewed, each partition with a FAT
 * file system that can be read is a volume with the files that its blocks hold then, and others are
 * none. The other way they do not: what is written through the files port (a journal on an ESP when
 * there is no stick) stays in the volume, also over a renewal, and never reaches the blocks. The
 * stick is such a volume only, and its files are what a power cut leaves of them (host/fault.h).
 */
#ifndef SHADOWBOOT_UNIT_DISK_MACHINE_FIXTURE_H
#define SHADOWBOOT_UNIT_DISK_MACHINE_FIXTURE_H

#include "unit/ntfs_fixture.h"
#include "unit/scan_fixture.h"

struct disk_machine_shape {
    uint32_t block_size; /* 512 or 4096 */
    uint32_t free_mib;   /* behind the last partition, 0 for none */
    unsigned languages;
    bool no_msr; /* where it would be, nothing is; that is not free_mib */
    bool no_stick;
    /* Windows has a boot manager and a template of a store, to rebuild ESPs from. */
    bool windows_is_whole;
    struct span windows_manager; /* that one; empty: windows_manager() */
    struct span windows_twin;    /* and its twin of 2023, \Windows\Boot\EFI_EX\bootmgfw_EX.efi */
    const struct ntfs_fixture_extra *windows_extras; /* more files of it */
    size_t windows_extra_count;
};

/* 512-byte blocks, 128 MiB free, 3 languages, MSR and stick. */
struct disk_machine_shape disk_machine_usual(void);

struct host *disk_machine_new(const struct disk_machine_shape *shape);

/* The same for its volumes: a struct host whose disks were made otherwise. Volumes on disks are
 * added now and at each renewal; those that are there and on none of the disks stay. */
void disk_machine_follow(struct host *host);

/* Adds the stick, on a disk of its own behind the others: the program is started from it then. */
void disk_machine_add_stick(struct host *host);

/* Reads the volumes anew, as a restart of the machine does. */
void disk_machine_restart(struct host *host);

/* --- Where things are ----------------------------------------------------------------------- */

enum disk_machine_part { PART_ESP, PART_METADATA, PART_MSR, PART_DATA, DISK_MACHINE_PARTS };

/* A partition of Disk 0 or 1 as it was made. */
struct host_partition disk_machine_place(const struct host *host, size_t disk,
                                         enum disk_machine_part part);

/* The content of a file on the ESP of a disk, read from the blocks: to be freed; NULL when it is
 * not there or no file system is. */
uint8_t *disk_machine_file(struct host *host, size_t disk, const char *path, size_t *ret_size);

/* The volume of the stick, or FILES_NO_VOLUME. */
size_t disk_machine_stick(const struct host *host);

/* --- Damage --------------------------------------------------------------------------------- */

/* All of these change the blocks and restart the machine. Those that need a place of the file
 * system end the program when there is none (any more). */

void disk_machine_blank(struct host *host, size_t disk); /* the whole disk is zero */
void disk_machine_zero(struct host *host, size_t disk, enum disk_machine_part part);
void disk_machine_zero_boot_sector(struct host *host, size_t disk);
void disk_machine_zero_fats(struct host *host, size_t disk); /* both */

/* The chain of a file leads to a cluster that does not exist. */
void disk_machine_break_fat(struct host *host, size_t disk, const char *path);

/* Deletes the entry from both copies of the table, checksums made right. */
void disk_machine_drop_partition(struct host *host, size_t disk, enum disk_machine_part part);

/* The ESP of Disk 1 gets the GUID of that of Disk 0, in both copies of the table. */
void disk_machine_repeat_esp(struct host *host);

/* Inverts a byte of a copy's header. */
void disk_machine_break_gpt(struct host *host, size_t disk, enum gpt_side side);

/* A file that is not in the root directory gets another size (its clusters stay), holds zeros only,
 * ends with another byte, or is gone; a folder is gone with all that is in it. */
void disk_machine_truncate(struct host *host, size_t disk, const char *path, uint32_t size);
void disk_machine_zero_file(struct host *host, size_t disk, const char *path);
void disk_machine_change_end(struct host *host, size_t disk, const char *path);
void disk_machine_delete(struct host *host, size_t disk, const char *path);

/* The entry is gone, from BootOrder too. */
void disk_machine_drop_entry(struct host *host, uint16_t number);

#endif
