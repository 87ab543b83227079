/*
 * The database of the Windows Logical Disk Manager (LDM), which describes the volumes of dynamic
 * disks. Every disk of a group carries the whole database, so one disk tells of all volumes and of
 * disks that are not there.
 *
 *   volume ── component (one full copy = plex) ── partition (one piece on one disk) ── disk
 *
 * Reading a disk: PRIVHEAD and TOCBLOCK (ldm_privhead.h) lead to the config region; ldm_vmdb_parse
 * (ldm_config.h) reads its header and ldm_database_parse, here, everything else. Neither header nor
 * records have a checksum: what is wrong shows only where two things contradict each other, so
 * every relation is tried and the caller compares the databases of several disks.
 */
#ifndef SHADOWBOOT_FORMAT_LDM_H
#define SHADOWBOOT_FORMAT_LDM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/sha256.h"
#include "base/status.h"
#include "format/ldm/ldm_config.h"
#include "format/ldm/ldm_privhead.h"
#include "format/ldm/ldm_records.h"

struct ldm_database {
    struct ldm_vmdb header;
    struct ldm_group group;
    struct ldm_volume *volumes; /* this array and the next three: in order of object ID */
    size_t volume_count;
    struct ldm_component *components;
    size_t component_count;
    struct ldm_partition *partitions;
    size_t partition_count;
    struct ldm_disk *disks;
    size_t disk_count;
    bool clean;                   /* no transaction was in flight */
    bool extended;                /* some record has bytes behind its known fields */
    struct sha256 records_digest; /* of the records used, whatever else the region holds */
};

/*
 * Reads the whole database in the config region `config`, or the front of one as far as
 * ldm_front_bytes says; its header is `vmdb`. In the result
 * each component has its volume, each partition its component and disk, every number of parts is
 * right, no two partitions of a disk overlap, and no record was changed by a transaction later than
 * the one it belongs to. Whether a volume's pieces add up to it shows in
 * its shape (LDM database, section 9). The arrays lie in `arena`; `scratch` needs twice the size of
 * `config` plus 512 bytes at most, and can be given back at once. Statuses: ST_OK; ST_DAMAGED;
 * ST_UNSUPPORTED for a kind, revision or flag of records that is not known; ST_NO_MEMORY.
 */
MUST_CHECK enum status ldm_database_parse(struct span config, const struct ldm_vmdb *vmdb,
                                          struct arena *arena, struct arena *scratch,
                                          struct ldm_database *ret_database);

#endif
