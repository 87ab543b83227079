/*
 * Machines in memory for tests: disks with partition tables, ESPs with files, and boot entries, all
 * written from the specifications and apart from the program's own code. A machine is a struct host
 * (host/host_ports.h) to be freed by host_free; host_clone gives a second one to change.
 */
#ifndef SHADOWBOOT_UNIT_MACHINE_FIXTURE_H
#define SHADOWBOOT_UNIT_MACHINE_FIXTURE_H

#include "base/arena.h"
#include "host/host_ports.h"

/* --- Partition tables ----------------------------------------------------------------------- */

#define TYPE_ESP          "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define TYPE_MSR          "e3c9e316-0b5c-4db8-817d-f92df00215ae"
#define TYPE_LDM_DATA     "af9b60a0-1431-4f62-bc68-3311714a69ad"
#define TYPE_LDM_METADATA "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3"
#define TYPE_BASIC_DATA   "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"

struct fixture_partition {
    uint32_t number;    /* GPT slot + 1, which a hard drive node names: 1 to 128 */
    const char *type;   /* GUID, 36 characters */
    const char *unique; /* GUID, 36 characters */
    uint64_t first;     /* LBA */
    uint64_t blocks;
    const char *name; /* ASCII, up to 36 characters */
};

/* The GUID that 36 characters of text stand for, as on disk. */
struct guid fixture_guid(const char *text);

/* Writes protective MBR and both copies of a GPT with 128 entries to the disk with this index. */
void fixture_write_gpt(struct host *host, size_t disk, const char *disk_guid,
                       const struct fixture_partition *partitions, size_t count);

/* Adds a disk with such a table; gives its index. */
size_t fixture_add_disk(struct host *host, enum disk_controller controller, uint32_t block_size,
                        uint64_t block_count, const char *disk_guid,
                        const struct fixture_partition *partitions, size_t count);

/*
 * Adds an NVMe disk whose table is full: FIXTURE_FULL_PARTITIONS partitions of `blocks_each` blocks
 * each, the first of them an ESP. GUIDs are made of the disk's index, so those of many disks
 * differ.
 */
#define FIXTURE_FULL_PARTITIONS 128u
size_t fixture_add_full_disk(struct host *host, uint32_t block_size, uint64_t blocks_each);

/* The ESP of such a disk, whether or not it has been added yet. */
struct host_partition fixture_full_disk_esp(size_t disk, uint64_t blocks_each);

/* The table's entry as a host_partition on disk `disk`. */
struct host_partition fixture_place(size_t disk, const struct fixture_partition *partition);

/* --- Boot entries --------------------------------------------------------------------------- */

struct fixture_bytes {
    uint8_t at[8192];
    size_t size;
};

/* All of these append to `*io_bytes`. */
void fixture_put(struct fixture_bytes *io_bytes, const void *data, size_t size);
void fixture_put_le(struct fixture_bytes *io_bytes, uint64_t value, size_t size);
void fixture_put_ucs2(struct fixture_bytes *io_bytes, const char *ascii); /* with its NUL */
void fixture_put_guid(struct fixture_bytes *io_bytes, const char *text);

/* Device path nodes. That of a disk comes without an end node. */
void fixture_put_disk(struct fixture_bytes *io_bytes, const struct host *host, size_t disk);
void fixture_put_hd(struct fixture_bytes *io_bytes, const struct host_partition *partition);
void fixture_put_file(struct fixture_bytes *io_bytes, const char *path);
void fixture_put_end(struct fixture_bytes *io_bytes);

/*
 * WINDOWS_OS_OPTIONS with the load options `options` ("" for none) and an EFI OS path: `os` and
 * `directory`, or an end node only when `os` is NULL. The OS path stands at a multiple of 4.
 */
void fixture_put_windows(struct fixture_bytes *io_bytes, const char *options,
                         const struct host_partition *os, const char *directory);

/* EFI_LOAD_OPTION. `paths` is the whole list with its end nodes. */
void fixture_put_load_option(struct fixture_bytes *io_bytes, uint32_t attributes,
                             const char *description, const struct fixture_bytes *paths,
                             const struct fixture_bytes *optional);

enum fixture_path {
    FIXTURE_SHORT, /* HD/File */
    FIXTURE_FULL,  /* disk/HD/File */
    FIXTURE_FILE,  /* File only */
    FIXTURE_DISK,  /* disk only: partition->disk is what counts */
    FIXTURE_BBS,   /* legacy boot, a BBS node */
    FIXTURE_FV,    /* the firmware's own Shell */
    FIXTURE_ATAPI, /* a drive that is none of the disks; partition->disk is its channel */
};

enum fixture_optional {
    FIXTURE_NONE,
    FIXTURE_WINDOWS,      /* Itanium: `os`, `directory`, `options` */
    FIXTURE_BCD,          /* "BCDOBJECT={options}" and an empty OS path */
    FIXTURE_AUTO_CREATED, /* edk2's mark alone */
    FIXTURE_TEXT,         /* `options` as UCS-2 with its NUL */
};

#define FIXTURE_BOOTMGR_OBJECT "9dea862c-5cdd-4e70-acc1-f32b344d4795"

struct fixture_entry {
    uint16_t number; /* #### of Boot#### */
    const char *description;
    enum fixture_path form;
    struct host_partition partition;
    const char *file; /* may be NULL: a path without one */
    enum fixture_optional optional;
    const char *options; /* NULL: "" */
    struct host_partition os;
    const char *directory;
    bool inactive;
};

/* The value of the entry's variable. */
void fixture_entry_value(const struct host *host, const struct fixture_entry *entry,
                         struct fixture_bytes *ret_value);

/* Puts the variable, without touching BootOrder. */
void fixture_add_entry(struct host *host, const struct fixture_entry *entry);

void fixture_set_order(struct host *host, const uint16_t *numbers, size_t count);

/* Puts BootNext, BootCurrent or Timeout. */
void fixture_set_u16(struct host *host, const char *name, uint16_t value);

/* --- Whole machines ------------------------------------------------------------------------- */

/*
 * The machine of KB 814070 once both ESPs have the boot files: "IA64", two AHCI disks with the
 * article's GUIDs, offsets and lengths and an LDM database in which Volume1 is mirrored over both
 * data partitions. FS0: is the ESP of Disk 0 (the program was started from there), FS1: that of
 * Disk 1. Ids 1 to 5 are, in this order:
 *
 *   Boot0003 "Windows 2003 Server, Enterprise"  short, ia64ldr.efi, system on ARTICLE_DATA_0
 *   Boot0000 "LS120"                            Boot0001 "CDROM"        drives that are not disks
 *   Boot0002 "EFI Shell"                        in the firmware
 *   Boot0004 "Boot Mirror C: - secondary plex"  short, ia64ldr.efi, system on ARTICLE_DATA_1
 *
 * Timeout is 30, Boot0004 is running.
 */
struct host *fixture_article_machine(void);

#define ARTICLE_ESP_0      "68d298c0-1b6a-01c1-507b-9e5f8078f531"
#define ARTICLE_DATA_0     "68d298c0-1b6a-01c1-f1b3-12714f758821"
#define ARTICLE_METADATA_0 "73e47280-0d38-11d7-b47f-806e6f6e6963"
#define ARTICLE_MSR_0      "1ca4672d-a37c-4e12-bacb-c5ae97924965"
#define ARTICLE_ESP_1      "476688c5-8ebf-47d2-80e7-cf9d065edb81"
#define ARTICLE_METADATA_1 "b72d10f6-e94e-4a4d-bb8e-4da985cc1679"
#define ARTICLE_MSR_1      "824858f3-b8d5-4b4d-a3c7-18aac4442b7e"
#define ARTICLE_DATA_1     "f3d11286-2582-4d76-889c-b82c346be44e"

#define IA64LDR "\\EFI\\Microsoft\\WINNT50\\ia64ldr.efi"

/*
 * The article's second half: a new Disk 0 with ESP (FS0:), MSR and a basic data partition, the old
 * shadow as Disk 1 with four LDM partitions and no database that can be read. Ids 1 to 6 are:
 *
 *   Boot0005 "Microsoft Windows Server 2003, Enterprise Edition"  the new system, running
 *   Boot0003 "Windows Server 2003, Enterprise Edition"            ESP and system gone
 *   Boot0000 "LS120"  Boot0001 "CDROM"  Boot0002 "EFI Shell"
 *   Boot0004 "Boot Mirror C: - secondary plex"    ESP gone, system on RECOVERY_DATA_OLD
 *
 * Timeout is 5.
 */
struct host *fixture_recovery_machine(void);

#define RECOVERY_ESP      "0f5e2b60-3a51-11d7-8d2c-806e6f6e6963"
#define RECOVERY_MSR      "0f5e2b61-3a51-11d7-8d2c-806e6f6e6963"
#define RECOVERY_DATA_NEW "0f5e2b62-3a51-11d7-8d2c-806e6f6e6963"
#define RECOVERY_METADATA "646091f1-b826-47e8-a72c-f22072e9a769"
#define RECOVERY_MSR_OLD  "afb1e6b9-d8a6-456d-8df1-31327f94f3fe"
#define RECOVERY_DATA_OLD "9aee294a-fa7d-4d4a-8a47-51a1dd1f9867"
#define RECOVERY_DATA_2   "ab104fde-0782-4810-842e-0fb291e385ad"

/*
 * An x64 machine: Disk 0 is NVMe with 4096-byte blocks, Disk 1 AHCI with 512-byte blocks. Each has
 * an ESP (FS0:, where the program was started from, and FS1:) with bootmgfw.efi, shimx64.efi,
 * BOOTX64.EFI and a store, an MSR and a basic data partition. Ids 1 to 6 are:
 *
 *   Boot0000 "Windows Boot Manager"  short, bootmgfw.efi on MODERN_ESP_0, BCDOBJECT; running
 *   Boot0001 "debian"                full, shimx64.efi on MODERN_ESP_0
 *   Boot0002 "UEFI Disk 0"           the whole disk, made by the firmware (its mark)
 *   Boot0003 "UEFI Disk 1"           the same
 *   Boot000A "Rescue"                a file only
 *   Boot000B "Legacy"                BBS
 *
 * Timeout is 1.
 */
struct host *fixture_modern_machine(void);

#define MODERN_ESP_0  "11111111-aaaa-4b01-8001-0123456789a0"
#define MODERN_MSR_0  "11111111-aaaa-4b02-8001-0123456789a0"
#define MODERN_DATA_0 "11111111-aaaa-4b03-8001-0123456789a0"
#define MODERN_ESP_1  "22222222-bbbb-4b01-8002-0123456789b1"
#define MODERN_MSR_1  "22222222-bbbb-4b02-8002-0123456789b1"
#define MODERN_DATA_1 "22222222-bbbb-4b03-8002-0123456789b1"

#define BOOTMGFW "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
#define SHIMX64  "\\EFI\\debian\\shimx64.efi"

/* The partition of one of these machines that has the GUID `unique`. */
struct host_partition fixture_partition_named(const char *unique);

/*
 * Adds a USB stick with one FAT volume, from which the program is now started; gives the index of
 * the volume.
 */
size_t fixture_add_stick(struct host *host);

#define STICK_GUID "33333333-cccc-4b01-8003-0123456789c2"

/* --- Running the program -------------------------------------------------------------------- */

#define FIXTURE_ARENA (8u << 20)

/*
 * Runs one command line, "shadowboot" left out, words divided by blanks; a word may stand in double
 * quotes. The output goes to the console of the machine behind the ports. Gives the exit status.
 */
unsigned fixture_run_ports(const struct ports *ports, const char *line);
unsigned fixture_run(struct host *host, const char *line);

/* The same in this arena, the peak of which tells how much it took. */
unsigned fixture_run_arena(const struct ports *ports, const char *line, struct arena *arena);

/* The same with an arena of `size` bytes. */
unsigned fixture_run_in(const struct ports *ports, const char *line, size_t size);

#endif
