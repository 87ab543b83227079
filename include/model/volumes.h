/*
 * The volumes on dynamic disks: what the LDM databases of all disks say, put together and judged.
 *
 * Every disk of a group carries the database of the whole group. volumes_read reads it on each disk
 * (model/volume_disk.h), decides per group which database holds, and gives the result as one plain
 * value: arrays and indices. Nothing is ever written.
 *
 * What decides in a group (LDM database, section 11): the database of the latest transaction, read
 * without a fault. Two of the same transaction must hold the same records; when they do not, no
 * volume of the group is known. What differs in free slots, or otherwise in no record, is noted and
 * does no harm. The order in which disks are given never decides.
 *
 * What decides whether a plex is trusted (section 10): every mark of trouble on the volume, the
 * plex, its pieces and their disks, in the database and in its log, and the disk's own copy of the
 * database. No mark is necessary for two plexes to be equal, and not sufficient.
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

/* An LDM data partition of a GPT. */
struct volume_area {
    uint64_t first_lba;
    uint64_t blocks;
};

/* A disk that may be dynamic, and where to look. */
struct volume_source {
    size_t disk;                     /* the caller's index of the disk, given back in results */
    const struct block_port *port;   /* the whole disk */
    bool gpt;                        /* it has a GPT; else an MBR with an entry of type 0x42 */
    uint64_t metadata_lba;           /* GPT: the LDM metadata partition; not used with an MBR */
    uint64_t metadata_blocks;        /* GPT: its length, 0 when there is no such partition */
    const struct volume_area *areas; /* GPT: its LDM data partitions, in any order; NULL when the
                                        caller does not know: extents are not tried on them then */
    size_t area_count;
    bool records_only; /* of the database no more is read than its records take, unless it was cut
                          off in a change; the same for all disks of one call */
};

enum volume_disk_state {
    VOLUME_DISK_OK = 0,      /* its database was read and is that of its group */
    VOLUME_DISK_ABSENT,      /* there is no database */
    VOLUME_DISK_UNREADABLE,  /* the device reported an error */
    VOLUME_DISK_DAMAGED,     /* a database is there and not sound */
    VOLUME_DISK_UNSUPPORTED, /* it is of a version or size this program does not read */
    VOLUME_DISK_BEHIND,      /* sound, and older than that of another disk of the group */
    VOLUME_DISK_CONFLICT,    /* sound, and in contradiction to another disk, or to its own disk */
};

/* What the log beside the database holds (section 8). */
enum volume_log {
    VOLUME_LOG_UNKNOWN = 0, /* nobody could look: no database either, or no log region */
    VOLUME_LOG_EMPTY,       /* no entry that matters: which proves nothing */
    VOLUME_LOG_DIRTY,       /* it notes a detached or dirty plex: the plexes may differ */
    VOLUME_LOG_DAMAGED,     /* not a log, or it could not be read */
};

struct volume_disk_note {
    size_t disk; /* the caller's index */
    enum volume_disk_state state;
    const char *reason;   /* half a sentence, "" when the state is OK; static lifetime */
    size_t group;         /* VOLUME_NONE when it is not known */
    struct guid guid;     /* LDM's own GUID of the disk, zero when the group is not known */
    uint64_t transaction; /* of the database on this disk, 0 when it could not be read */
    uint64_t read_bytes;  /* read from the disk for all this */
    bool is_clone;        /* another disk claims the same identity: neither is used */
    bool is_member;       /* the group's database has a record of this disk */
    bool unfinished;      /* a transaction was cut off on this disk */
    bool copy_damaged;    /* a copy of PRIVHEAD or TOCBLOCK is damaged; another one was good */
    enum volume_log log;
};

struct dynamic_group {
    struct guid guid;
    const char *name;
    bool known;          /* a database was accepted; else the group has no volumes here */
    bool clean;          /* no transaction was cut off on any of its disks here */
    bool agreed;         /* the databases of all its disks that are here are the same */
    bool differs_unused; /* they are not, but all hold the same records of the same transaction, and
                            none was cut off: what differs is used by nothing */
    bool split; /* two disks hold different records of the same transaction; not known then */
    bool may_be_split; /* a disk is behind, and the database that holds does not know it: perhaps
                          both disks went on alone, each without the other */
    bool log_dirty;    /* a log notes a detached or dirty plex */
    bool foreign;      /* the system starts from another group here, and from this one not */
    uint64_t transaction;
    uint64_t pending;      /* the latest transaction that was begun, that above when none is open */
    size_t database_count; /* sound databases: with one only there was nothing to compare */
    size_t disk_count;     /* disks in the database */
    size_t missing_disks;  /* those of them that are not here */
};

/* Flags of a disk in the database. */
#define DYNAMIC_DISK_FAILING  0x004u
#define DYNAMIC_DISK_REMOVED  0x100u
#define DYNAMIC_DISK_DETACHED 0x200u

enum dynamic_disk_status {
    DYNAMIC_DISK_ONLINE = 0,
    DYNAMIC_DISK_ERRORS,  /* here, with a mark of trouble or a database that is not the group's */
    DYNAMIC_DISK_MISSING, /* no disk here has this identity, or more than one */
};

/* A disk that a group's database knows. */
struct dynamic_disk {
    size_t group;
    uint64_t id;
    const char *name; /* such as "Disk1": LDM's own, not the number Windows gives the disk */
    struct guid guid;
    uint32_t flags; /* DYNAMIC_DISK_..., others are possible */
    size_t disk;    /* the caller's index, VOLUME_NONE when it is missing */
    enum dynamic_disk_status status;
    const char *reason; /* half a sentence, "" when it is online; static lifetime */
};

enum dynamic_type {
    DYNAMIC_OTHER = 0, /* none of these, or its pieces do not add up to it */
    DYNAMIC_SIMPLE,
    DYNAMIC_SPANNED,
    DYNAMIC_STRIPED,
    DYNAMIC_MIRROR,
    DYNAMIC_RAID5,
};

enum dynamic_layout {
    DYNAMIC_LAYOUT_STRIPED = 1,
    DYNAMIC_LAYOUT_CONCATENATED = 2,
    DYNAMIC_LAYOUT_RAID5 = 3,
};

/* From good to bad, but for the last. */
enum dynamic_status {
    DYNAMIC_HEALTHY = 0,
    DYNAMIC_AT_RISK,           /* all is here, and something makes its content doubtful */
    DYNAMIC_REBUILDING,        /* being regenerated, or that was cut off */
    DYNAMIC_FAILED_REDUNDANCY, /* it works without one of its disks, and the next one must not go */
    DYNAMIC_FAILED,            /* no plex is whole */
    DYNAMIC_UNKNOWN,           /* of a form this program does not know */
};

/* How far a plex, or a piece of it, can be trusted. From good to bad: of several the last
 * counts. */
enum plex_state {
    PLEX_GOOD = 0,
    PLEX_DOUBTFUL, /* perhaps good: a log entry, an open transaction, a disk that cannot be asked */
    PLEX_REBUILDING, /* being copied from the other one, or that was cut off */
    PLEX_STALE,      /* older than the other one */
    PLEX_FAILED,     /* out of use: marked as failed, or with a state other than ACTIVE */
    PLEX_MISSING,    /* a disk it needs is not here */
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
                               of the name "VolumeN", else, or where an earlier volume has it, the
                               lowest that no volume has */
    const char *state;      /* as in the database: "ACTIVE" when all is well */
    uint32_t flags;         /* as in the database */
    bool boot;              /* flag: Windows runs from it */
    bool system;            /* flag: the boot files are on it */
    bool retain;            /* flag: it has a partition of its own in the partition table */
    uint8_t content;        /* partition type of an MBR: 7 NTFS, 0x0B FAT32, 6 raw or FAT16 */
    enum dynamic_status status;
    size_t first_plex; /* its plexes stand together, in order of ID */
    size_t plex_count;
};

/* A full copy of a volume; of a mirror there are two. By volume, then ID. */
struct dynamic_plex {
    size_t volume;
    uint64_t id;
    const char *name;
    const char *state_text; /* as in the database: "ACTIVE" when all is well */
    uint32_t flags;         /* as in the database */
    enum dynamic_layout layout;
    uint64_t stripe_size; /* sectors, 0 when concatenated */
    uint64_t columns;     /* 0 when concatenated */
    enum plex_state state;
    const char *reason;        /* half a sentence, "" when the state is GOOD; static lifetime */
    enum plex_state own_state; /* without what its extents add */
    bool complete;             /* every disk it needs is here */
    bool place_certain;  /* false: an open transaction may have put it elsewhere; do not read it */
    size_t first_extent; /* its extents stand together, by column, then offset */
    size_t extent_count;
};

/* One contiguous piece of a plex on one disk. By plex, then column, then offset. */
struct dynamic_extent {
    size_t plex;
    uint64_t id;
    const char *name;      /* such as "Disk1-01" */
    uint32_t flags;        /* as in the database */
    size_t dynamic_disk;   /* index of its disk among the disks of the databases */
    size_t disk;           /* the caller's index, VOLUME_NONE when the disk is not here */
    struct guid disk_guid; /* LDM's own */
    const char *disk_name; /* such as "Disk1": LDM's own, not the number Windows gives the disk */
    uint64_t lba;          /* first block; 0 when the disk is not here */
    uint64_t blocks;       /* 0 when the disk is not here */
    uint64_t size;         /* sectors of 512 bytes */
    uint64_t offset;       /* sectors, in the plex (concatenated) or in the column */
    uint64_t column;
    enum plex_state state; /* of this piece by itself */
    const char *reason;    /* half a sentence, "" when the state is GOOD; static lifetime */
};

struct volume_map {
    const struct volume_disk_note *disks; /* one for each source, in the order given */
    size_t disk_count;
    const struct dynamic_group *groups;
    size_t group_count;
    const struct dynamic_disk *dynamic_disks; /* by group, then ID */
    size_t dynamic_disk_count;
    const struct dynamic_volume *volumes; /* by group, then ID */
    size_t volume_count;
    const struct dynamic_plex *plexes;
    size_t plex_count;
    const struct dynamic_extent *extents;
    size_t extent_count;
};

/*
 * Reads the databases of `count` disks. The map and all it points to lie in `arena`; while it runs
 * the call takes up to 4 MiB more from the arena's far end and gives it back. No disk is read for
 * more than VOLUME_READ_MAX bytes, in pieces of at most 256 KiB; one that Windows made takes less
 * than 800 KiB, with `records_only` less than 50 KiB for a hundred records. Statuses: ST_OK; ST_NO_MEMORY.
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

/* The note of the disk with the caller's index `disk`; NULL when it was not among the sources. */
const struct volume_disk_note *volume_map_note(const struct volume_map *map, size_t disk);

/* True when another disk says that it is the same LDM disk: new GUIDs in a GPT change nothing of that. */
bool volume_map_is_clone(const struct volume_map *map, size_t disk);

/* The words of diskpart: "Mirror", "RAID-5"; "Healthy", "Failed Rd"; "Online", "Missing". And one
 * word for each state of a plex: "good", "doubtful". Static lifetime. */
const char *dynamic_type_text(enum dynamic_type type);
const char *dynamic_layout_text(enum dynamic_layout layout);
const char *dynamic_status_text(enum dynamic_status status);
const char *dynamic_disk_status_text(enum dynamic_disk_status status);
const char *plex_state_text(enum plex_state state);

/* What a state of a disk's database is called: "damaged", "behind". Static lifetime. */
const char *volume_disk_state_text(enum volume_disk_state state);

/* True when every database is in order, no change was cut off, and every volume is healthy. */
bool volume_map_is_sound(const struct volume_map *map);

#endif
