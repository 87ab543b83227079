/*
 * The volumes on dynamic disks: which LDM volume a piece of a disk belongs to.
 *
 * Every disk of a group carries the database of the whole group. volumes_read reads it on each disk
 * (model/volume_disk.h), decides per group which database holds, and gives the result as one plain
 * value: arrays and indices. Nothing is ever written.
 *
 * What decides in a group (LDM database, section 11): the database of the latest transaction, read
 * without a fault. Two of the same transaction must be equal; when they are not, no volume of the
 * group is known. The order in which disks are given never decides.
 *
 * No fault of a disk or of its database is an error of the call: the volumes are then not known, or
 * known from another disk, and the disk's state says why.
 */
#ifndef SHADOWBOOT_MODEL_VOLUMES_H
#define SHADOWBOOT_MODEL_VOLUMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/guid.h"
#include "base/status.h"
#include "port/block.h"

#define VOLUME_NONE ((size_t)-1) /* no such disk, group or volume */

/* A disk that may be dynamic, and where to look. */
struct volume_source {
    size_t disk;                   /* the caller's index of the disk, given back in results */
    const struct block_port *port; /* the whole disk */
    bool gpt;                      /* it has a GPT; else an MBR with an entry of type 0x42 */
    uint64_t metadata_lba;         /* GPT: the LDM metadata partition; not used with an MBR */
    uint64_t metadata_blocks;      /* GPT: its length, 0 when there is no such partition */
};

enum volume_disk_state {
    VOLUME_DISK_OK = 0,      /* its database was read and is that of its group */
    VOLUME_DISK_ABSENT,      /* there is no database */
    VOLUME_DISK_UNREADABLE,  /* the device reported an error */
    VOLUME_DISK_DAMAGED,     /* a database is there and not sound */
    VOLUME_DISK_UNSUPPORTED, /* it is of a version or size this program does not read */
    VOLUME_DISK_BEHIND,      /* sound, and older than that of another disk of the group */
    VOLUME_DISK_CONFLICT,    /* sound, and in contradiction to another disk */
};

struct volume_disk_note {
    size_t disk; /* the caller's index */
    enum volume_disk_state state;
    const char *reason;   /* half a sentence, "" when the state is OK; static lifetime */
    size_t group;         /* VOLUME_NONE when it is not known */
    struct guid guid;     /* LDM's own GUID of the disk, zero when the group is not known */
    uint64_t transaction; /* of the database on this disk, 0 when it could not be read */
    uint64_t read_bytes;  /* read from the disk for all this */
};

struct dynamic_group {
    struct guid guid;
    const char *name;
    bool known;  /* a database was accepted; else the group has no volumes here */
    bool clean;  /* no transaction was cut off on any of its disks here */
    bool agreed; /* the databases of all its disks that are here are the same */
    uint64_t transaction;
    size_t disk_count;    /* disks in the database */
    size_t missing_disks; /* those of them that are not here */
};

enum dynamic_type {
    DYNAMIC_OTHER = 0, /* none of these, or its pieces do not add up to it */
    DYNAMIC_SIMPLE,
    DYNAMIC_SPANNED,
    DYNAMIC_STRIPED,
    DYNAMIC_MIRROR,
    DYNAMIC_RAID5,
};

struct dynamic_volume {
    size_t group;
    const char *name; /* as in the database, printable ASCII */
    uint64_t id;      /* object ID, unique in the group */
    struct guid guid;
    enum dynamic_type type;
    uint64_t size;          /* sectors of 512 bytes */
    const char *drive_hint; /* such as "C:"; "" when there is none */
    uint32_t number;        /* N of \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolumeN: that
                               of the name "VolumeN", else the place among the group's volumes */
    bool healthy; /* neither it nor its plexes and disks carry a mark of trouble, and all are here:
                     necessary for equal plexes, not sufficient, since the log is not read */
};

/* A full copy of a volume; of a mirror there are two. Plexes of a volume are in order of ID. */
struct dynamic_plex {
    size_t volume;
    uint64_t id;
    const char *name;
    bool healthy;
    bool complete; /* every disk it needs is here */
};

/* One contiguous piece of a plex on one disk. */
struct dynamic_extent {
    size_t plex;
    size_t disk;           /* the caller's index, VOLUME_NONE when the disk is not here */
    struct guid disk_guid; /* LDM's own */
    const char *disk_name; /* such as "Disk1": LDM's own, not the number Windows gives the disk */
    uint64_t lba;          /* first block; 0 when the disk is not here */
    uint64_t blocks;       /* 0 when the disk is not here */
    uint64_t size;         /* sectors of 512 bytes */
    uint64_t offset;       /* sectors, in the plex (concatenated) or in the column */
    uint64_t column;
};

struct volume_map {
    const struct volume_disk_note *disks; /* one for each source, in the order given */
    size_t disk_count;
    const struct dynamic_group *groups;
    size_t group_count;
    const struct dynamic_volume *volumes; /* by group, then ID */
    size_t volume_count;
    const struct dynamic_plex *plexes;
    size_t plex_count;
    const struct dynamic_extent *extents;
    size_t extent_count;
};

/*
 * Reads the databases of `count` disks. The map and all it points to lie in `arena`; while it runs
 * the call takes up to 3 MiB more from the arena's far end and gives it back. No disk is read for
 * more than VOLUME_READ_MAX bytes, in pieces of at most 256 KiB. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status volumes_read(const struct volume_source *sources, size_t count,
                                    struct arena *arena, struct volume_map *ret_map);

/*
 * Finds the volume of which a piece lies in blocks [first_lba, first_lba + block_count) of the
 * disk with the caller's index `disk`; of several, that of the piece with the lowest start. A piece
 * that lies there only in part does not count. False, with `*ret_volume` unchanged, when there is
 * none.
 */
bool volume_map_at(const struct volume_map *map, size_t disk, uint64_t first_lba,
                   uint64_t block_count, size_t *ret_volume);

#endif
