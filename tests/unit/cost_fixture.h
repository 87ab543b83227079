/*
 * Machines of which `status` reads as much as it can, from one disk to the largest that is
 * promised, and what a scan of them costs through the counting port. All numbers are the same on
 * every host.
 *
 *   each disk  ESPs (FAT32), LDM metadata (1 MiB, database of 740.5 KiB), LDM data
 *   volumes    lie on the disks in turn, one behind the other; the first `filled` are NTFS with
 *              Windows on them, the others are empty
 */
#ifndef SHADOWBOOT_UNIT_COST_FIXTURE_H
#define SHADOWBOOT_UNIT_COST_FIXTURE_H

#include "model/scan.h"
#include "port/count.h"
#include "unit/machine_fixture.h"
#include "unit/ntfs_fixture.h"

#define COST_DISKS_MAX  64u
#define COST_ARENA      (64u << 20)
#define COST_LARGE_FILE (3u << 19)
#define COST_DISK       (1u << 20) /* bytes that may be read of a disk, ESPs' files apart */
#define COST_GAPS       (1u << 20) /* more from a disk without an ESP: who claims its free space */

struct cost_shape {
    uint32_t block_size; /* 512 or 4096 */
    size_t disks;
    size_t esps;      /* on each disk */
    uint64_t esp_mib; /* 0: 100, or 260 with blocks of 4096 bytes */
    uint32_t cluster; /* blocks of its clusters; 0: 1 KiB, or one block where that is more */
    unsigned files;   /* on each ESP, 100 bytes each, in folders of 100 */
    unsigned large;   /* on each ESP: COST_LARGE_FILE bytes each, each in one piece */
    bool blank;       /* the ESPs are all zero */
    bool first_only;  /* the ESPs of other disks than the first have no files */
    bool boot_files;  /* on each ESP: what Windows has there, 140 files in 43 folders */
    size_t plain;     /* on each disk: partitions with NTFS */
    bool ldm;
    size_t volumes;
    size_t plexes; /* of a volume: 1, or 2 on two disks */
    size_t filled;
    unsigned names; /* in System32, beside those of ntfs_fixture.h */
};

/* A mirror of two disks with a usual installation of Windows. */
struct cost_shape cost_usual(uint32_t block_size);

struct host *cost_machine(const struct cost_shape *shape);

struct cost {
    struct port_counts counts; /* of all disks */
    uint64_t most_bytes;       /* read of one disk */
    uint64_t used_bytes;       /* of all ESPs that were looked through */
    size_t memory;             /* bytes of the arena at most */
    size_t esps, incomplete;   /* ESPs, and those of them that were not looked through */
    size_t esp_files;          /* on all ESPs together, folders not counted */
    size_t esp_items;          /* the same with them */
    size_t stores;             /* ESPs whose boot store was read */
    size_t volumes;
    size_t copies, looked, windows; /* of volumes; looked into; with Windows on them */
};

struct cost cost_of_scan(struct host *host, enum scan_depth depth);

/* Where the files of COST_COPY come from and go to. */
#define COST_COPY \
    "copy -y -sg c0570001-0000-4000-8000-000000000000 -tg c0570001-0001-4000-8000-000000000000"

/* A stick, and two disks with an ESP of 260 MiB each in clusters of 4 KiB: only the first has what
 * Windows has there. */
struct host *cost_copy_machine(void);

/* What the command costs, which must end with 0: the counts of all disks. */
struct port_counts cost_of_command(struct host *host, const char *line);

/* The machine is made, scanned and freed. */
struct cost cost_of(const struct cost_shape *shape, enum scan_depth depth);

#endif
