/*
 * FAT file systems (Microsoft FAT Specification, 2005; UEFI Specification 13.3), read only, through
 * the disk's own blocks: what is on an ESP can be judged also where the firmware does not mount it.
 *
 *   fat_open    reads the boot sector; the volume is then known, whatever state the rest is in
 *   fat_check   walks directories and chains and lists every file; counts what is wrong
 *   fat_reader  reads one listed file from start to end, in pieces as large as it lies together
 *
 * The layout of the boot sector is in format/fat/fat_boot.h, that of directories in
 * format/fat/fat_directory.h.
 */
#ifndef SHADOWBOOT_FORMAT_FAT_H
#define SHADOWBOOT_FORMAT_FAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/date.h"
#include "base/status.h"
#include "format/disk_edit.h"
#include "port/block.h"

enum fat_type { FAT_12, FAT_16, FAT_32 };

#define FAT_LABEL_SIZE 12
#define FAT_NO_FILE    ((size_t)-1)

/* A volume that was opened. The fields are for reading; `table` is filled in as it is needed. */
struct fat_volume {
    const struct block_port *port; /* whose blocks are no larger than sectors */
    uint64_t first_lba;            /* of the partition, in blocks of the port */
    uint64_t block_count;          /* of the partition */
    enum fat_type type;
    uint32_t sector_size;  /* bytes */
    bool other_sectors;    /* they are not as long as the disk's blocks */
    bool is_narrow;        /* they are shorter: it can be read only */
    uint32_t cluster_size; /* bytes */
    uint32_t cluster_count;
    uint32_t clusters_present;  /* of these, those that lie in the partition */
    uint64_t sectors;           /* of the whole file system */
    uint32_t fat_count;         /* copies of the FAT */
    uint64_t fat_offset;        /* bytes from the start of the partition to the first FAT */
    uint64_t fat_bytes;         /* of one FAT */
    uint64_t root_offset;       /* FAT12/16: bytes to the root directory */
    uint64_t root_bytes;        /* FAT12/16 */
    uint32_t root_cluster;      /* FAT32 */
    uint64_t data_offset;       /* bytes to cluster 2 */
    uint32_t serial;            /* volume serial number */
    char label[FAT_LABEL_SIZE]; /* of the boot sector, printable, trailing blanks cut */
    bool from_backup;           /* the boot sector is damaged, and all this comes from its backup */
    bool has_signature;         /* the boot sector ends with 55 AA */
    uint64_t read_bytes;        /* read from the disk so far, all calls together */
    struct arena *arena;        /* where `table` lies */
    uint8_t *table;             /* the FAT that counts, in part */
    uint8_t *table_loaded;      /* which sectors of it */
    /* private */
    uint64_t table_bytes;   /* of the FAT, those that stand for clusters */
    uint32_t fat_active;    /* which FAT counts */
    bool fat_mirrored;      /* the others are copies of it */
    uint32_t backup_sector; /* FAT32: of the backup boot sector; 0 without one */
    uint32_t reserved;      /* sectors before the first FAT */
    uint8_t media;          /* as the boot sector has it */
    uint8_t dirty;          /* the boot sector's own bits: 1 not unmounted, 2 errors seen */
    uint64_t read_limit;    /* `read_bytes` does not go past it */
    uint32_t read_size;     /* how much is read at once, bytes: a multiple of 4096 */
    uint32_t table_unit;    /* sectors of the FAT that are read when one is needed */
    uint32_t table_ahead;   /* bytes of the FAT that are read at once at most */
    uint32_t reads_failed;  /* so far */
    uint32_t table_failed;  /* of these, pieces of the FAT */
};

/*
 * Reads the boot sector of the partition at `first_lba`. The volume keeps using `port` and `arena`
 * (for the FAT, at most FAT_TABLE_MAX bytes and a quarter of the room that is free). Statuses:
 * ST_OK, also when the partition ends before the file system does, or when only the signature
 * of the boot sector is missing; ST_ABSENT when this is no FAT file
 * system (also when it is empty or another file system); ST_DAMAGED when it says FAT and
 * contradicts itself or has no cluster in the partition; ST_UNSUPPORTED when its FAT is larger than
 * this program can check or has room for, or it is of a later version; ST_IO; ST_NO_MEMORY. A boot
 * sector that is not good, or all zero, but has a good backup (FAT32 only) is not missed.
 */
#define FAT_TABLE_MAX (32u << 20)
MUST_CHECK enum status fat_open(struct arena *arena, const struct block_port *port,
                                uint64_t first_lba, uint64_t block_count,
                                struct fat_volume *ret_volume);

/* True for FAT_FORM_UNUSUAL, below. */
bool fat_form_is_unusual(const struct fat_volume *volume);

enum fat_problem {
    FAT_BOOT_SECTOR_FROM_BACKUP, /* the first boot sector is damaged, its backup is good */
    FAT_BACKUP_DIFFERS,          /* FAT32: the backup boot sector is not that of this file system */
    FAT_COPIES_DIFFER,           /* the FATs are not equal */
    FAT_UNREADABLE,              /* a part of a FAT or of a directory cannot be read */
    FAT_MEDIA_ENTRY,             /* the first FAT entry does not go with the media byte */
    FAT_MARKED_DIRTY,            /* not unmounted cleanly, or errors were seen (bits of entry 1) */
    FAT_CHAIN_OUT_OF_RANGE,      /* a chain meets a cluster that does not exist, is free or bad */
    FAT_CHAIN_LOOPS,
    FAT_CHAIN_CROSSED,     /* two chains share a cluster */
    FAT_CHAIN_SHORT,       /* a file is longer than its chain */
    FAT_CHAIN_LONG,        /* a chain is longer than its file */
    FAT_CHAIN_LOST,        /* clusters in use that belong to nothing; counted one by one */
    FAT_DIRECTORY_BROKEN,  /* an entry that cannot be, or "." and ".." that lead astray */
    FAT_NAME_BROKEN,       /* a long name whose pieces do not go together */
    FAT_NAME_REPEATED,     /* two entries of a directory have one name */
    FAT_TOO_DEEP,          /* more than is followed: FAT_DEPTH_MAX, FAT_FILES_MAX, FAT_PATH_MAX,
                            * FAT_PATHS_MAX */
    FAT_FORM_UNUSUAL,      /* FAT32 with fewer clusters than it must have, or with one FAT only in
                            * use: files are fine, but UEFI firmware (EDK II) does not mount it */
    FAT_PAST_PARTITION,    /* it is longer than its partition. Firmware mounts it; a cluster in use
                            * that lies outside is FAT_CHAIN_OUT_OF_RANGE as well */
    FAT_SECTOR_SIZE,       /* its sectors are not as long as the disk's blocks: EDK II mounts it,
                            * Windows does not, Linux only where they are longer */
    FAT_SIGNATURE_MISSING, /* no 55 AA: firmware mounts it, Windows does not */
    FAT_PROBLEM_COUNT
};

#define FAT_DEPTH_MAX 32
#define FAT_FILES_MAX 16384
#define FAT_PATH_MAX  1024       /* bytes of a path, the closing NUL included */
#define FAT_PATHS_MAX (3u << 19) /* bytes of all paths together */

/* What it says, such as "the two copies of the FAT differ". Static lifetime. */
const char *fat_problem_text(enum fat_problem problem);

/* True when files may be lost or wrong by it; false for what any driver lives with. */
bool fat_problem_is_damage(enum fat_problem problem);

/* True for damage under which a file system is read and changed all the same: what a cut leaves
 * (lost clusters, copies that differ), and what ends at one file (a chain of another length). */
bool fat_problem_is_minor(enum fat_problem problem);

struct fat_file {
    /* From the root: "\EFI\Microsoft\Boot\BCD", UTF-8 as stored, in the harmless form of
     * text_from_ucs2; a byte of a short name that is not ASCII is shown as %NN. */
    const char *path;
    bool exact_name; /* the path is what is stored, character by character, and may be used to make
                      * such a file elsewhere */
    bool is_directory;
    uint8_t attributes;     /* as stored: 1 read-only, 2 hidden, 4 system, 0x10 directory, 0x20 */
    uint64_t size;          /* bytes; 0 for a directory */
    uint32_t first_cluster; /* 0 for an empty file */
    struct date_time written;
    /* ST_OK, also in an incomplete report when its chain was not looked at, and when only its chain
     * is longer than it; ST_DAMAGED: its chain is not sound; ST_IO: part of its chain, or of a
     * directory itself, cannot be read (the content of files is not read here). */
    enum status status;
};

/* True when their entries say the same: path, size, place, date, attributes and status. */
bool fat_file_equal(const struct fat_file *a, const struct fat_file *b);

struct fat_report {
    uint32_t problems[FAT_PROBLEM_COUNT];       /* how often each was met */
    const char *first_place[FAT_PROBLEM_COUNT]; /* path of the first, "" when it has none */
    struct fat_file *files; /* in the order of the walk: a directory before what is in it */
    size_t file_count;
    bool complete;          /* everything was looked at; else the read limit ended the check, or
                             * there was no room for a list of the clusters */
    bool listed;            /* all names were seen: the limit ended no directory */
    uint32_t root_entries;  /* FAT12/16: the root directory has room for, and does not grow */
    uint32_t root_free;     /* of these, not in use */
    uint64_t used_clusters; /* by the FAT; meaningful when complete, like the next */
    uint64_t free_clusters; /* of those in the partition */
};

/*
 * Checks the file system and lists its files. Of the disk at most about `read_limit` bytes are read
 * (UINT64_MAX for all): what the limit leaves out makes the report incomplete, not wrong. Under a
 * limit all directories come before the chains of files, those on the way to \EFI\BOOT and
 * \EFI\Microsoft\Boot first, and of the FAT no more is read than the sectors that they need; lost
 * chains and the other copies of the FAT are looked for when there is room for all of them. Reading
 * continues behind what cannot be read. The report lies in `arena`. Statuses: ST_OK, whatever state
 * the file system is in; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_check(struct arena *arena, struct fat_volume *volume,
                                 uint64_t read_limit, struct fat_report *ret_report);

/*
 * Lists the files only, each with its chain followed: lost clusters are not looked for, nor are the
 * FATs compared, so the report is not complete. Statuses as fat_check.
 */
MUST_CHECK enum status fat_list(struct arena *arena, struct fat_volume *volume,
                                struct fat_report *ret_report);

/* True when a problem of the report is damage. */
bool fat_report_has_damage(const struct fat_report *report);

/* Bytes in use: boot sector, FATs, root directory and used clusters. */
uint64_t fat_used_bytes(const struct fat_volume *volume, const struct fat_report *report);

/* The file or directory at `path` (ASCII letters without regard to case), or FAT_NO_FILE. */
size_t fat_find(const struct fat_report *report, const char *path);

/* The same, where it is likely to be the file of number `near` or to come behind it. */
size_t fat_find_near(const struct fat_report *report, const char *path, size_t near);

/* From now on reading from the volume ends with ST_REFUSED when it would take more than `bytes`
 * more; UINT64_MAX: no limit. fat_check and fat_list take the limit away. */
void fat_limit_reads(struct fat_volume *volume, uint64_t bytes);

/* Reads one file from its start. */
struct fat_reader {
    struct fat_volume *volume;
    uint64_t left;    /* bytes of the file still to come */
    uint32_t cluster; /* where the next byte is */
    uint32_t offset;  /* bytes into it */
};

/* Starts at the beginning of a file of this volume. Never reads. */
void fat_reader_start(struct fat_reader *reader, struct fat_volume *volume,
                      const struct fat_file *file);

/*
 * Reads the next bytes of the file, at most `size`, a whole number of sectors except at the end.
 * `*ret_size` is 0 at the end only. Clusters that lie together are read together. `ret_data` needs
 * room for `size` bytes, a multiple of the cluster size (what follows the file's last byte in its
 * last sector is read too). Statuses: ST_OK; ST_DAMAGED when the chain ends
 * too early or leads astray; ST_IO; ST_REFUSED past fat_limit_reads; ST_NO_MEMORY. On failure the
 * content of `ret_data` is undefined.
 */
MUST_CHECK enum status fat_reader_next(struct fat_reader *reader, void *ret_data, size_t size,
                                       size_t *ret_size);

/* True when the content of the file lies just in these blocks of the disk, in this sequence. False
 * too where its chain cannot be followed, and for sectors shorter than the disk's blocks. */
bool fat_file_lies_in(struct fat_volume *volume, const struct fat_file *file,
                      const struct disk_extent *extents, size_t count);

#endif
