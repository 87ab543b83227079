/*
 * What the scan found inside partitions: the ESPs with their files, and the copies of volumes that
 * may carry an operating system. All of it is read through the disks' own blocks, so a file system
 * that the firmware does not mount is judged as well.
 */
#ifndef SHADOWBOOT_MODEL_CONTENT_H
#define SHADOWBOOT_MODEL_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "base/status.h"
#include "format/bcd/bcd.h"
#include "format/fat/fat.h"
#include "format/md.h"
#include "format/ntfs/ntfs.h"
#include "format/pe.h"
#include "format/pe_signers.h"
#include "format/regf/regf_log.h"
#include "format/regf/regf.h"

struct kept_content; /* of model/contents.h */

/* What is known of a file's content; model/contents.h compares two. */
struct file_content {
    enum status status; /* ST_OK: all of it was read; ST_UNSUPPORTED: nobody looked; else why not */
    struct kept_content *kept; /* ST_OK only: its bytes; NULL: they are not kept */
    struct sha256 digest;      /* ST_OK only, and only where it is not kept */
    bool is_program;           /* its name ends in .efi; `program` is meaningful with ST_OK */
    enum pe_verdict program;
    uint32_t checksum; /* that its content ought to have; like `program` */
    enum pe_mark mark; /* what the program says of itself; like `program` */
    uint32_t version;  /* the same of its version (pe_mark_version); 0 when it says none */
    const struct pe_signers *signers; /* who signed the program; NULL for what is none, or was not
                                       * read */
};

/* A list of entries that shim's fallback makes: \EFI\<folder>\BOOT<ARCH>.CSV or BOOT.CSV. */
struct boot_csv {
    size_t file;      /* index into the report */
    struct span text; /* all of it: UCS-2 */
};

/*
 * What a copy of Windows keeps for the ESPs that are to start it, \Windows\Boot and what belongs to
 * it. It is known as a `struct esp` with the files as an ESP has them, whose partition is that of the
 * copy; its file system and its boot store are none.
 */
struct boot_source {
    size_t copy;                   /* index into machine.copies */
    const struct ntfs_file *files; /* by index into the report; those of folders mean nothing */
    struct span template_file;     /* BCD-Template; empty when there is none that can be read */
    uint32_t build;                /* of Windows, such as 19041; 0 when it is not known */
    bool is_server;
    bool has_twins; /* files for the certificates of 2023 are in the places of others */
};

/* An EFI System Partition, or another FAT volume that firmware may be started from. One
 * in pieces of an md array is ST_UNSUPPORTED, of CONTENT_UNKNOWN; so is one for which the disk's
 * limit left nothing. */
struct esp {
    size_t partition;            /* index into machine.partitions */
    enum volume_content content; /* of its first block */
    enum status status;       /* ST_OK: `volume` and `report` are known; else what fat_open said */
    struct fat_volume volume; /* its facts; nothing can be read through it any more */
    struct fat_report report;
    struct file_content *contents; /* of each file of the report */
    bool contents_read;            /* contents were looked at (not under SCAN_QUICK) */
    enum status store_status;      /* ST_OK: \EFI\Microsoft\Boot\BCD was read; ST_ABSENT: it is not
                                    * there; ST_UNSUPPORTED: nobody looked; else why not */
    enum regf_state store;
    enum regf_recovery store_recovery; /* REGF_DIRTY: what comes of it by BCD.LOG beside it */
    struct span store_file; /* a store that can be used (boot_store_is_usable): all of it, or what
                             * Windows' boot manager makes of it and its log; else empty */
    enum bcd_end store_end; /* of such a one: what its object {bootmgr} comes to */
    struct boot_csv *csvs;  /* those that were read, in the order of the report */
    size_t csv_count;
    const struct boot_source *source; /* where the files are; NULL: on the ESP itself */
};

/* The files by which a copy of Windows is known. */
enum system_file { SYSTEM_LOADER, SYSTEM_KERNEL, SYSTEM_BOOT_MANAGER, SYSTEM_FILE_COUNT };

/* Where Windows keeps it, from the root of its volume. Static lifetime. */
const char *system_file_path(enum system_file file);

/* What SYSTEM_LOADER is, as far as its headers say. */
enum system_loader {
    LOADER_FITS, /* a program for this machine, or one that could not be read */
    LOADER_OF_OTHER_MACHINE,
    LOADER_NO_PROGRAM /* not what can be loaded: no image, or cut short */
};

/* One copy of a volume that may carry an operating system: a plex, or a plain partition. */
struct system_copy {
    size_t disk;
    size_t partition; /* NO_INDEX when its blocks are in none of the table's partitions */
    size_t plex;      /* index into machine.volumes.plexes; NO_INDEX for a plain partition */
    uint64_t lba;     /* of its first piece, as is the next */
    uint64_t block_count;
    size_t pieces; /* the contiguous ones that it lies in (model/copy_blocks.h); 0 and 1: one */
    enum volume_content content; /* of its first block, or NTFS when only the backup is left */
    enum status status;          /* of ntfs_open; ST_UNSUPPORTED also when nobody looked inside */
    bool looked;                 /* ntfs_open was called */
    struct ntfs_volume ntfs;     /* meaningful when status is ST_OK */
    enum status
        files[SYSTEM_FILE_COUNT]; /* of each system file: ST_OK: it is there; ST_ABSENT; ... */
    enum system_loader loader;    /* what kind of program its loader is, where it is there */
    uint64_t
        managers[2];  /* versions (a.b.c.d, 16 bits each) of the boot manager that Windows keeps for
                           * the ESPs and of its twin of 2023; 0: there is none, it is not known, or
                           * nobody looked (SCAN_FULL does) */
    const char *twin; /* why the twin of 2023 is not what is kept (plan/twin.h); NULL: it is, or
                       * nobody looked */
    enum status kept_status; /* why what Windows keeps for ESPs could not be looked for
                              * (model/scan_source.h); ST_OK: it was not tried, or it could */
    enum status
        bios_store_status;  /* of \Boot\BCD, which Windows' boot manager for BIOS reads, on an
                                    * active partition of an MBR: ST_OK: it was read; ST_ABSENT: it
                                    * is not there; ST_UNSUPPORTED: nobody looked; else why not */
    struct span bios_store; /* ST_OK: all of it, good or not */
};

/* Whether the copy carries Windows: ST_OK, ST_ABSENT, or why nobody can say. */
enum status system_copy_windows(const struct system_copy *copy);

/* A partition that is a member of a Linux md array. */
struct md_partition {
    size_t partition;
    struct md_member member;
};

/* What a volume that firmware starts from is to the md array it belongs to. */
enum md_use {
    MD_HALF,  /* a full copy of the array's data, up to date: read by firmware like any volume */
    MD_OLD,   /* a full copy that missed writes, or is not in use: of an earlier day */
    MD_PIECE, /* a part of the data, which firmware cannot put together */
};

/* A volume that firmware starts from, or would, and that is a member of an md array: nothing on it
 * may be written but through the array. */
struct md_volume {
    size_t partition;
    enum md_use use;
    struct md_member member;
};

#endif
