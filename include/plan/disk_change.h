/*
 * What a plan does to a disk, in terms of what is to be there: partitions, file systems, files.
 * Which blocks that takes is worked out when the plan is applied, against what the disk holds then,
 * and before the first write (apply/disk_work.h); so a plan can be made, shown and tested without a
 * disk.
 */
#ifndef SHADOWBOOT_PLAN_DISK_CHANGE_H
#define SHADOWBOOT_PLAN_DISK_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/date.h"
#include "base/guid.h"
#include "format/fat/fat.h"
#include "format/gpt.h"
#include "format/journal.h"

enum disk_change_kind {
    DISK_CHANGE_GPT,         /* a partition table is made, changed or mended */
    DISK_CHANGE_FORMAT,      /* a fresh FAT file system with files in it */
    DISK_CHANGE_FILES,       /* files into a FAT file system that is there */
    DISK_CHANGE_BOOT_SECTOR, /* the boot sector of a FAT32 file system, from its backup */
    DISK_CHANGE_SIGNATURE,   /* the signature in an MBR */
    DISK_CHANGE_RESTORE,     /* what a journal has kept comes back */
};

/* One entry of a partition table as it is to be. */
struct gpt_slot {
    uint32_t slot; /* 0 and up: the number in a hard drive node is one more */
    struct gpt_entry entry;
};

/* Another unique GUID for an entry that is otherwise kept to the last byte. */
struct gpt_identity {
    uint32_t slot;
    struct guid unique;
};

/*
 * Both copies are written anew from the one the scan went by (the primary when it is good, else the
 * backup), the backup to the end of the disk, with the slots given put in.
 */
struct gpt_change {
    bool fresh;            /* there is no table: begin with an empty one of 128 entries */
    bool renames_disk;     /* the table's own disk GUID gives way to this one */
    struct guid disk_guid; /* `fresh` and `renames_disk` only */
    const struct gpt_identity *identities; /* entries that get another GUID */
    size_t identity_count;
    const struct gpt_slot *slots;
    size_t slot_count;
    bool write_mbr; /* put a protective MBR there as well */
};

/* A file or directory as it is to be on a volume. */
struct file_copy {
    const char *path; /* from the root, UTF-8; its name is exact (fat_file.exact_name) */
    bool is_directory;
    uint8_t attributes; /* of FAT */
    struct date_time written;
    uint64_t size; /* bytes */
    size_t esp;    /* files: index into machine.esps of where the content is; NO_INDEX for none
                    * (an empty file) */
    size_t file;   /* index into that ESP's report */
    struct span content; /* files: what is written, where it is no ESP's: `esp` is NO_INDEX then;
                          * else empty */
    struct span before;  /* files with `content`: what the file holds now, of the same size, where
                          * only the blocks that differ are to be written, in any order, and
                          * nothing else of it changes; else empty */
    bool goes; /* FILES only: it is there, and is to be gone; a directory goes with all that
                          * is in it, which is listed too. But for path and is_directory all else is
                          * empty, `esp` is NO_INDEX */
};

struct files_change {
    const struct file_copy *items;
    size_t count;
};

/* The item of that path, in any case; NO_INDEX when nothing of that name is brought. */
size_t files_change_find(const struct files_change *files, const char *path);

/* The file system fills the change's partition. What is there is journaled, free space or not, and
 * an older file system is made invalid first. */
struct format_change {
    enum fat_type type;
    uint32_t serial;
    const char *label; /* at most 11 ASCII characters */
};

struct disk_change {
    enum disk_change_kind kind;
    size_t disk;        /* index into machine.disks */
    uint64_t first_lba; /* FORMAT, FILES, BOOT_SECTOR: the partition, which is all that may be
                         * written; SIGNATURE: block 0 */
    uint64_t block_count;
    struct gpt_change gpt;       /* GPT */
    struct format_change format; /* FORMAT */
    struct files_change files;   /* FORMAT, FILES */
    uint32_t signature;          /* SIGNATURE: as it is to be */
    size_t esp; /* FILES, BOOT_SECTOR: index into machine.esps. FORMAT: the same when files are
                 * taken from what is there now; else NO_INDEX */
    const struct journal *journal; /* RESTORE: all its records of blocks on this disk */
    size_t journal_disk;           /* RESTORE: index into journal->disks */
    /* RESTORE of what was interrupted: also blocks that hold neither old nor new content. */
    bool forced;
};

#endif
