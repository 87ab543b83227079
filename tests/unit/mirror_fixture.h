/*
 * A machine as a value: what a full scan would find on two disks that carry a healthy mirror. Tests
 * change the value and have it judged. Only the boot entries are made from bytes, by way of the
 * variables of a machine in memory (unit/machine_fixture.h).
 *
 *   each disk  512-byte blocks, AHCI: partition 1 ESP, 2 LDM metadata, 3 MSR, 4 LDM data
 *   LDM        Volume1 (C:), a mirror: Volume1-01 on Disk 0, Volume1-02 on Disk 1, with Windows
 *   ESP        FAT32 with boot manager, store, memtest.efi and fallback file, the same as the boot
 *              manager
 *   entries    Boot0000 "Windows Boot Manager" for the ESP of Disk 0, Boot0001 "Boot Mirror" for
 *              that of Disk 1, both short and with BCDOBJECT; BootOrder is 0000,0001
 */
#ifndef SHADOWBOOT_UNIT_MIRROR_FIXTURE_H
#define SHADOWBOOT_UNIT_MIRROR_FIXTURE_H

#include "audit/audit_machine.h"
#include "unit/machine_fixture.h"

#define MIRROR_DISKS      4
#define MIRROR_PARTITIONS 16
#define MIRROR_ESPS       4
#define MIRROR_FILES      24
#define MIRROR_COPIES     6

/* Indices of partitions. */
#define MIRROR_ESP(disk)  ((size_t)(disk)*4)
#define MIRROR_LDM(disk)  ((size_t)(disk)*4 + 1)
#define MIRROR_MSR(disk)  ((size_t)(disk)*4 + 2)
#define MIRROR_DATA(disk) ((size_t)(disk)*4 + 3)

#define MIRROR_MANAGER  "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
#define MIRROR_STORE    "\\EFI\\Microsoft\\Boot\\BCD"
#define MIRROR_MEMTEST  "\\EFI\\Microsoft\\Boot\\memtest.efi"
#define MIRROR_FALLBACK "\\EFI\\BOOT\\BOOTX64.EFI"
#define MIRROR_DEBIAN   "\\EFI\\debian"
#define MIRROR_SHIM     MIRROR_DEBIAN "\\shimx64.efi"
#define MIRROR_GRUB     MIRROR_DEBIAN "\\grubx64.efi"
#define MIRROR_SETTINGS MIRROR_DEBIAN "\\grub.cfg"

struct mirror {
    struct host *host; /* for device paths and variables */
    void *memory;
    struct arena arena;
    struct machine machine;
    struct disk disks[MIRROR_DISKS];
    struct partition partitions[MIRROR_PARTITIONS];
    struct esp esps[MIRROR_ESPS]; /* by disk */
    struct fat_file files[MIRROR_ESPS][MIRROR_FILES];
    struct file_content contents[MIRROR_ESPS][MIRROR_FILES];
    struct system_copy copies[MIRROR_COPIES];
    struct md_partition md[MIRROR_DISKS];
    struct volume_disk_note notes[MIRROR_DISKS];
    struct dynamic_group groups[1];
    struct dynamic_disk dynamic_disks[MIRROR_DISKS];
    struct dynamic_volume volumes[2];
    struct dynamic_plex plexes[4];
    struct dynamic_extent extents[6];
};

struct mirror *mirror_new(void);
void mirror_free(struct mirror *mirror);

/* For a test's set-up and tear-down: `*state` is a healthy machine. */
int mirror_set_up(void **state);
int mirror_tear_down(void **state);

/* --- Disks and partitions ------------------------------------------------------------------- */

/* The partition with this index, for entries. */
struct host_partition mirror_place(const struct mirror *mirror, size_t partition);

/* Adds a disk without LDM: ESP (as the others have), MSR and a basic data partition. Gives its
 * index; its partitions are MIRROR_ESP, MIRROR_LDM (an MSR) and MIRROR_MSR (basic data). */
size_t mirror_add_disk(struct mirror *mirror, enum disk_controller controller);

/* The MSR of Disk 1 becomes a second ESP like the first one; gives its index. */
size_t mirror_add_second_esp(struct mirror *mirror);

/* A second mirror, "Volume2" with the letter `hint` ("" for none) and without Windows: its pieces
 * are the first 1000 blocks of each MSR. Gives its index. */
size_t mirror_add_data_volume(struct mirror *mirror, const char *hint);

/* Takes Disk 1 out of the machine: the database of the other one still knows it. */
void mirror_lose_disk_1(struct mirror *mirror);

/* The ESP of a disk becomes a partition of another type. */
void mirror_drop_esp(struct mirror *mirror, size_t disk);

/* There is no LDM on any disk; both data partitions are plain, with Windows on Disk 0 only. */
void mirror_make_plain(struct mirror *mirror);

/* The data partitions are members of a Linux md mirror. */
void mirror_make_md(struct mirror *mirror);

/* The same, and both ESPs hold shim, GRUB and its settings in MIRROR_DEBIAN alone; an entry with
 * the number of the disk starts shim. */
void mirror_make_linux(struct mirror *mirror);

/* --- Files of an ESP ------------------------------------------------------------------------ */

/* The index of a file, which must be there. */
size_t mirror_file(const struct mirror *mirror, size_t esp, const char *path);
struct file_content *mirror_content(struct mirror *mirror, size_t esp, const char *path);

/* Adds a file (a folder when `size` is 0) of content `digest`; gives its index. */
size_t mirror_add_file(struct mirror *mirror, size_t esp, const char *path, uint64_t size,
                       uint8_t digest);

/* Takes away a file, or a folder with all that is in it. */
void mirror_drop_file(struct mirror *mirror, size_t esp, const char *path);

/* Takes away everything. */
void mirror_drop_files(struct mirror *mirror, size_t esp);

/* Nobody has read the files' contents: as SCAN_QUICK leaves it. */
void mirror_make_quick(struct mirror *mirror);

/* --- Boot entries --------------------------------------------------------------------------- */

/* Puts the variable, with the same number in the place of an old one, and reads all entries
 * anew. */
void mirror_put_entry(struct mirror *mirror, const struct fixture_entry *entry);
void mirror_drop_entry(struct mirror *mirror, uint16_t number);
void mirror_set_order(struct mirror *mirror, const uint16_t *numbers, size_t count);

/* Reads BootOrder and the entries from the variables again. */
void mirror_read_entries(struct mirror *mirror);

/* The entry of Windows for the ESP of a disk, short form. */
struct fixture_entry mirror_windows_entry(const struct mirror *mirror, uint16_t number,
                                          size_t disk);

/* --- Judging -------------------------------------------------------------------------------- */

struct roles mirror_roles(struct mirror *mirror);
struct forecast mirror_forecast(struct mirror *mirror, size_t member);
struct judgement mirror_judge(struct mirror *mirror);

/* What a damage has the audit find: lines as findings_assert takes them. */
struct mirror_case {
    void (*inflict)(struct mirror *mirror);
    const char *findings;
};

/* Fails the test when the audit finds anything else. The second takes a healthy machine for
 * each. */
void mirror_assert_findings(struct mirror *mirror, const char *expected);
void mirror_assert_cases(const struct mirror_case *cases, size_t count);

#endif
