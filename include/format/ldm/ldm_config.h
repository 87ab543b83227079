/*
 * The config region of an LDM database, down to whole records: a header (VMDB) and then slots of
 * 128 bytes (VBLK), each with a fragment of a record or free. (LDM database, sections 5, 6 and 11.)
 * Every integer is big-endian and unaligned. Nothing here has a checksum.
 *
 *   VMDB                                           VBLK slot
 *   00  4  "VMDB"                                  00  4  "VBLK", also in free slots
 *   04  4  slots, those of the header included     04  4  number of this slot
 *   08  4  bytes of a slot, 128                    08  4  group: the same in all of a record
 *   0C  4  offset of the first slot                0C  2  fragment, from 0
 *   10  2  update status                           0E  2  fragments of the record; 0 = free
 *   12  2  version, major                          10 112 payload
 *   14  2  version, minor
 *   16 31  group name                              record = payloads in order of fragment
 *   35 64  group GUID, ASCII                       0  2  status
 *   75  8  committed transaction                   2  1  flags: which optional fields follow
 *   7D  8  pending transaction                     3  1  high nibble revision, low nibble kind
 *   85 16  committed counts: volumes, components,  4  4  bytes of the body
 *          partitions, disks                       8     body, begins with the object's ID
 *   A1 16  pending counts, same order
 */
#ifndef SHADOWBOOT_FORMAT_LDM_CONFIG_H
#define SHADOWBOOT_FORMAT_LDM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/guid.h"
#include "base/sha256.h"
#include "base/status.h"

#define LDM_SLOT_BYTES       128u
#define LDM_FRAGMENT_BYTES   112u
#define LDM_FRAGMENTS_MAX    16u
#define LDM_CONFIG_MAX_BYTES (1024u * 1024) /* 740.5 KiB on every disk seen */

enum ldm_update {
    LDM_UPDATE_CLEAN = 1,
    LDM_UPDATE_CHANGE = 2, /* a transaction was begun: it counts as not done */
    LDM_UPDATE_COMMIT = 3, /* a transaction was decided: it counts as done */
};

enum ldm_count { LDM_VOLUMES, LDM_COMPONENTS, LDM_PARTITIONS, LDM_DISKS, LDM_COUNTS };

struct ldm_vmdb {
    uint32_t slot_count; /* those the header takes included */
    uint32_t first_slot; /* number of the first slot behind the header */
    enum ldm_update update;
    struct guid group;
    uint64_t committed;          /* transaction */
    uint64_t pending;            /* the same when nothing is in flight */
    uint32_t counts[LDM_COUNTS]; /* those that hold for the records to be used; never a size
                                    to allocate by */
    struct sha256 digest; /* of all bytes of header and slots that were given; what lies behind the
                             slots in the region depends on the block size of the disk */
    uint64_t effective; /* the transaction the records to be used belong to: pending when the update
                           was decided, else committed */
};

/* One object of the database as bytes. */
struct ldm_record {
    uint64_t id; /* > 0, unique among the records of one reading */
    uint8_t flags;
    uint8_t type;     /* revision and kind */
    struct span body; /* `id` included; in the config region or in the scratch arena */
    bool settled;     /* active, whatever becomes of a transaction in flight */
    const struct ldm_record *rival; /* not settled: the record with this ID that does not hold, NULL
                                       when there is none */
};

struct ldm_record_list {
    const struct ldm_record *at; /* in order of ID */
    size_t count;
    bool clean; /* no transaction was in flight: each record is active, committed equals pending */
};

/*
 * Checks the header of a config region of `region_bytes` whose bytes are `config`: all of them, or
 * its front as far as ldm_front_bytes says. Statuses: ST_OK; ST_ABSENT without the magic;
 * ST_DAMAGED, also for an update status under which this copy must not be used; ST_UNSUPPORTED for
 * a version other than 4.10.
 */
MUST_CHECK enum status ldm_vmdb_parse(struct span config, size_t region_bytes,
                                      struct ldm_vmdb *ret_vmdb);

/*
 * How many bytes of `front`, the first ones of a config region of `region_bytes`, hold the header
 * and as many records as it counts: what would lie behind them is free, or a fault. 0 when they are
 * not all there, when something there is not sound, and with a transaction in flight, whose records
 * no count tells of: more of the region is to be read then, at last all of it.
 */
size_t ldm_front_bytes(struct span front, size_t region_bytes);

/*
 * Walks all slots in `config` and gathers the records that hold: those that are active, and with a
 * transaction in flight those of the side that wins. The list lies in `scratch` and points into
 * `config` too. Twice the size of the config region plus 256 bytes of scratch always suffice.
 * Statuses: ST_OK; ST_DAMAGED for any slot or record that is not sound, and for two objects of one
 * ID; ST_NO_MEMORY.
 */
MUST_CHECK enum status ldm_records_gather(struct span config, const struct ldm_vmdb *vmdb,
                                          struct arena *scratch, struct ldm_record_list *ret_list);

#endif
