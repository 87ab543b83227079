/*
 * The bodies of the records of an LDM database, one call per kind. (LDM database, section 7.)
 *
 *   vint   a length byte n (0 to 8), then n bytes, big-endian
 *   vstr   a length byte n, then n bytes without an end mark
 *   guid-t vstr with 36 characters        guid-b 16 bytes in the order of the text
 *
 *   volume 5.1              component 3.2            partition 3.3        disk 3.4, 4.4
 *   vint  ID                vint ID                  vint ID              vint  ID
 *   vstr  name              vstr name                vstr name            vstr  name
 *   vstr  "gen", "raid5"    vstr state               4    flags           GUID (rev 3: guid-t,
 *   vstr  no drive letter   1    layout              8    transaction       rev 4: guid-b)
 *   14    state             4    flags               8    start           guid-b set (rev 4)
 *   1     read policy       vint partitions          8    offset          vstr  device
 *   vint  number            8    transaction         vint size            4     flags
 *   4     flags             8    zero                vint component       8     transaction
 *   vint  components        vint volume              vint disk
 *   8, 8  transactions      vint log                 vint column   if 08  group 3.5, 4.5
 *   vint  size              vint stripe size if 10   8    unknown  if 20  as disk, but 4 zero
 *   4     zero              vint columns     if 10   vint unknown  if 40  bytes for device and
 *   1     content                                    vint hidden   if 02  flags, and then
 *   guid-b GUID                                                           vint, vint   if 08
 *   vint  if 08                                                           vint         if 10
 *   vint  if 20
 *   vint  if 80
 *   vstr  drive hint if 02
 *
 * A type is a revision (high nibble) and a kind (low nibble). All sizes are in sectors of 512 bytes
 * on every disk.
 */
#ifndef SHADOWBOOT_FORMAT_LDM_RECORDS_H
#define SHADOWBOOT_FORMAT_LDM_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/guid.h"
#include "base/status.h"
#include "format/ldm/ldm_config.h"

#define LDM_SECTOR_BYTES 512u
#define LDM_STATE_SIZE   16 /* 14 or 15 bytes and a NUL */

enum ldm_kind {
    LDM_KIND_VOLUME = 1,
    LDM_KIND_COMPONENT = 2,
    LDM_KIND_PARTITION = 3,
    LDM_KIND_DISK = 4,
    LDM_KIND_GROUP = 5,
};

enum ldm_layout {
    LDM_STRIPED = 1,
    LDM_CONCATENATED = 2,
    LDM_RAID5 = 3,
};

enum ldm_shape {
    LDM_SHAPE_OTHER = 0, /* none of these, or its pieces do not add up to it */
    LDM_SHAPE_SIMPLE,
    LDM_SHAPE_SPANNED,
    LDM_SHAPE_STRIPED,
    LDM_SHAPE_MIRROR, /* two components of one partition each, on two disks */
    LDM_SHAPE_RAID5,
};

/* Names are printable ASCII in the arena, and labels only: never compare by them. */

struct ldm_volume {
    uint64_t id;
    const char *name;
    bool raid5; /* its type is "raid5", else "gen" */
    char state[LDM_STATE_SIZE];
    uint64_t number;
    uint32_t flags;
    uint64_t component_count; /* as the record says */
    uint64_t transaction;     /* of the last change of this record, as in those below */
    uint64_t size;            /* sectors, > 0 */
    uint8_t content;          /* as a partition type of an MBR: 7 NTFS */
    struct guid guid;
    const char *drive_hint; /* such as "C:"; "" when there is none */
    enum ldm_shape shape;   /* set by ldm_database_parse */
    bool certain; /* with a transaction in flight: the same size whatever becomes of it; set by
                     ldm_database_parse, as are those below */
};

struct ldm_component {
    uint64_t id;
    const char *name;
    char state[LDM_STATE_SIZE];
    enum ldm_layout layout;
    uint32_t flags;
    uint64_t partition_count; /* as the record says */
    uint64_t transaction;
    uint64_t volume_id;
    uint64_t stripe_size; /* sectors, 0 when not given */
    uint64_t columns;     /* 0 when not given */
    size_t volume;        /* index, set by ldm_database_parse */
    bool certain;         /* the same form and volume whatever becomes of it */
};

struct ldm_partition {
    uint64_t id;
    const char *name;
    uint32_t flags;
    uint64_t transaction;
    uint64_t start;  /* sectors from the start of the disk's public region */
    uint64_t offset; /* sectors, in its column */
    uint64_t size;   /* sectors, > 0 */
    uint64_t component_id;
    uint64_t disk_id;
    uint64_t column;
    size_t component; /* index, set by ldm_database_parse */
    size_t disk;      /* index, set by ldm_database_parse */
    bool certain;     /* the same place whatever becomes of it */
};

struct ldm_disk {
    uint64_t id;
    const char *name;
    struct guid guid; /* that of the disk's PRIVHEAD */
    uint32_t flags;
    uint64_t transaction;
    bool certain; /* the same disk whatever becomes of it */
};

struct ldm_group {
    uint64_t id;
    const char *name;
    struct guid guid;
    uint64_t transaction; /* 0 on disks seen */
};

/* The kind of a record, any revision. */
static inline enum ldm_kind ldm_record_kind(const struct ldm_record *record)
{
    return (enum ldm_kind)(record->type & 0x0f);
}

/*
 * Each takes one record of its kind apart; names go into `arena`. `*extended` is set to true
 * when bytes follow that are not known, and otherwise left alone; it may be so on failure too.
 * Statuses: ST_OK; ST_DAMAGED when a field passes the end or has an impossible value;
 * ST_UNSUPPORTED for another revision or for flags whose fields are not known; ST_NO_MEMORY.
 */
MUST_CHECK enum status ldm_volume_parse(const struct ldm_record *record, struct arena *arena,
                                        bool *extended, struct ldm_volume *ret_volume);
MUST_CHECK enum status ldm_component_parse(const struct ldm_record *record, struct arena *arena,
                                           bool *extended, struct ldm_component *ret_component);
MUST_CHECK enum status ldm_partition_parse(const struct ldm_record *record, struct arena *arena,
                                           bool *extended, struct ldm_partition *ret_partition);
MUST_CHECK enum status ldm_disk_parse(const struct ldm_record *record, struct arena *arena,
                                      bool *extended, struct ldm_disk *ret_disk);
MUST_CHECK enum status ldm_group_parse(const struct ldm_record *record, struct arena *arena,
                                       bool *extended, struct ldm_group *ret_group);

#endif
