/*
 * The LDM database of one disk and its log, read through its port: which of several copies to
 * believe, and a reason when none of them will do. model/volumes.h puts the disks of a group
 * together.
 */
#ifndef SHADOWBOOT_MODEL_VOLUME_DISK_H
#define SHADOWBOOT_MODEL_VOLUME_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "format/ldm/ldm.h"
#include "format/ldm/ldm_log.h"
#include "model/volumes.h"

#define VOLUME_CHUNK_BYTES (256u * 1024)  /* the largest single read */
#define VOLUME_READ_MAX    (1280u * 1024) /* bytes read from one disk at most */

/* Scratch memory that volume_disk_read needs beside three times the config region: the log, one
 * block of it more than once, and what is lost to alignment. */
#define VOLUME_LOG_SCRATCH (LDM_LOG_PAGES_MAX * LDM_LOG_PAGE_BYTES + 9 * 1024)

struct volume_disk {
    const struct volume_source *source;
    enum volume_disk_state state;
    const char *reason; /* "" when the state is OK; static lifetime */
    bool has_head;      /* `head` is known: the disk has a group and a public region */
    struct ldm_privhead head;
    bool copy_damaged; /* a copy of PRIVHEAD or TOCBLOCK is not good where one ought to be */
    bool has_config;   /* `config` is known */
    struct ldm_region config;
    struct ldm_region log_region; /* size 0 when there is none */
    enum volume_log log;
    uint64_t log_pending; /* the latest transaction that the log says was decided, 0 for none */
    bool has_database;    /* `database` is known, also when `doubtful` */
    struct ldm_database database;
    bool doubtful;  /* found by searching, since what should lead to it is damaged */
    bool is_clone;  /* another disk has the same identity; set by volumes_read, as are the next */
    bool is_member; /* the database that holds has a record of it */
    size_t group;   /* index of its group, VOLUME_NONE when it has none */
    uint64_t read_bytes;
};

/*
 * Finds PRIVHEAD and TOCBLOCK of `source`: fills in everything of `*ret_disk` except the database.
 * `scratch` needs one block of the disk, and can be given back at once. Statuses: ST_OK, whatever
 * the disk holds or fails to give; ST_NO_MEMORY.
 */
MUST_CHECK enum status volume_disk_find(const struct volume_source *source, struct arena *scratch,
                                        struct volume_disk *ret_disk);

/* Bytes of the config region; 0 when it is not known. At most LDM_CONFIG_MAX_BYTES. */
size_t volume_disk_config_bytes(const struct volume_disk *disk);

/*
 * Reads the log and the database of a disk that volume_disk_find has filled in; does nothing when
 * their place is not known. A database that is byte for byte that of one of the `earlier_count`
 * disks at `earlier`, as far as both were read, is not parsed again but shared. The records lie in `arena`; `scratch` needs
 * three times the config region and VOLUME_LOG_SCRATCH, and can be given back at once. Statuses:
 * ST_OK, whatever the disk holds or fails to give; ST_NO_MEMORY.
 */
MUST_CHECK enum status volume_disk_read(struct volume_disk *disk, const struct volume_disk *earlier,
                                        size_t earlier_count, struct arena *arena,
                                        struct arena *scratch);

/* The database is known, and a transaction was cut off on this disk. */
bool volume_disk_is_unfinished(const struct volume_disk *disk);

#endif
