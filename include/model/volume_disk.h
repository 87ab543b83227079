/*
 * The LDM database of one disk, read through its port: which of its several copies to believe, and
 * a reason when none of them will do. model/volumes.h puts the disks of a group together.
 */
#ifndef SHADOWBOOT_MODEL_VOLUME_DISK_H
#define SHADOWBOOT_MODEL_VOLUME_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "format/ldm.h"
#include "model/volumes.h"

#define VOLUME_CHUNK_BYTES (256u * 1024)  /* the largest single read */
#define VOLUME_READ_MAX    (1280u * 1024) /* bytes read from one disk at most */

struct volume_disk {
    const struct volume_source *source;
    enum volume_disk_state state;
    const char *reason; /* "" when the state is OK; static lifetime */
    bool has_head;      /* `head` is known: the disk has a group and a public region */
    struct ldm_privhead head;
    bool has_config; /* `config` is known */
    struct ldm_region config;
    bool has_database; /* `database` is known, also when `doubtful` */
    struct ldm_database database;
    bool doubtful; /* found by searching, since what should lead to it is damaged */
    bool is_clone; /* another disk has the same identity; set by volumes_read, as is the next */
    size_t group;  /* index of its group, VOLUME_NONE when it has none */
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
 * Reads the database of a disk that volume_disk_find has filled in; does nothing when its place is
 * not known. The records lie in `arena`; `scratch` needs three times the config region and 1 KiB,
 * and can be given back at once. Statuses: ST_OK, whatever the disk holds or fails to give;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status volume_disk_read(struct volume_disk *disk, struct arena *arena,
                                        struct arena *scratch);

#endif
