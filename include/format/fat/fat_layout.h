/*
 * A fresh FAT file system, worked out in memory: boot sector, FATs, directories with long names,
 * and for each file the one run of clusters it will lie in, in the order of the entries. Nothing is
 * read or written here.
 *
 * Phases of the result: 0 the boot sector of a file system that may be there is made invalid, 1 the
 * backups it may have, 2 everything but the boot sector (and all file contents), 3 the FAT32 backup
 * of the boot sector and FSInfo (FAT16 has none, and no such phase), then the boot sector: nothing
 * half-made ever looks like a file system. No write goes to free space: what is there may still be
 * wanted.
 */
#ifndef SHADOWBOOT_FORMAT_FAT_LAYOUT_H
#define SHADOWBOOT_FORMAT_FAT_LAYOUT_H

#include "base/arena.h"
#include "base/date.h"
#include "base/status.h"
#include "format/disk_edit.h"
#include "format/fat/fat.h"

/* A file or directory to be there. Directories on the way are made by themselves. */
struct fat_entry_request {
    const char *path; /* "\EFI\Microsoft\Boot\BCD", UTF-8 */
    bool is_directory;
    uint8_t attributes;       /* of FAT: 1 read-only, 2 hidden, 4 system, 0x20 archive */
    struct date_time written; /* a date FAT cannot hold becomes 1980-01-01 */
    uint64_t size;            /* bytes; ignored for directories */
    size_t source;            /* the caller's index, for disk_file.source */
    struct span before; /* fat_edit only, of a file that stays where it lies: what it holds now, */
    struct span after;  /* and what it is to hold, of the same size; empty: it is written anew */
    bool goes; /* fat_edit only: what is there is to be gone; but for the path, and which of file
                * and directory it is, nothing else counts */
};

struct fat_layout_request {
    uint64_t first_lba; /* of the partition: hidden sectors, and where the writes go */
    uint64_t block_count;
    uint32_t block_size; /* of the disk: 512 or 4096 */
    enum fat_type type;  /* FAT_16 or FAT_32: what fat_type_for says */
    uint32_t serial;
    const char *label; /* at most 11 ASCII characters; "" for none */
    const struct fat_entry_request *entries;
    size_t entry_count;
};

/*
 * The type and cluster size Windows' format gives a volume of that size: FAT32 wherever its least
 * number of clusters is reached, else FAT16 (4096-byte sectors: from about 257 MiB on). When the
 * volume is too small or too large for both, `*ret_cluster_bytes` is 0.
 */
enum fat_type fat_type_for(uint64_t bytes, uint32_t block_size, uint32_t *ret_cluster_bytes);

/*
 * Works out the file system. The result lies in `arena`. Statuses: ST_OK; ST_NO_SPACE when the
 * files do not fit; ST_UNSUPPORTED for a volume too small or too large for the type, or other block
 * sizes; ST_USAGE for a name or a label FAT cannot hold, a file of 4 GiB or more, or two entries of
 * one name; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_layout(struct arena *arena, const struct fat_layout_request *request,
                                  struct disk_edit *ret_edit);

/*
 * Bytes of clusters the entries take on a new volume with this cluster size, all directories
 * included (the root too, as on FAT32). Scratch memory is taken from `arena` and given back.
 * Statuses: ST_OK; ST_USAGE, ST_NO_SPACE, ST_NO_MEMORY as fat_layout.
 */
MUST_CHECK enum status fat_layout_bytes(struct arena *arena,
                                        const struct fat_entry_request *entries, size_t count,
                                        uint32_t cluster_bytes, uint64_t *ret_bytes);

#endif
