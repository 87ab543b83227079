/*
 * LDM databases for tests, written from the description of the format: the private region of each
 * disk of a group with one volume mirrored over two disks, or of any other group, byte for byte.
 * And, where they are there, disks that Windows made.
 */
#ifndef SHADOWBOOT_UNIT_LDM_FIXTURE_H
#define SHADOWBOOT_UNIT_LDM_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LDM_FIXTURE_DISKS  2
#define LDM_FIXTURE_BLOCK  512u
#define LDM_FIXTURE_BLOCKS 2048u /* of the private region */
#define LDM_FIXTURE_BYTES  (LDM_FIXTURE_BLOCK * LDM_FIXTURE_BLOCKS)

/* Byte offsets in the private region. */
#define LDM_FIXTURE_HEAD_1       (2047u * 512)
#define LDM_FIXTURE_HEAD_2       (1856u * 512)
#define LDM_FIXTURE_TOC_1        (2u * 512)
#define LDM_FIXTURE_TOC_2        (2045u * 512)
#define LDM_FIXTURE_CONFIG       (17u * 512)
#define LDM_FIXTURE_CONFIG_BYTES (1481u * 512)
#define LDM_FIXTURE_SLOT(number) (LDM_FIXTURE_CONFIG + (number)*128u)

/* Slots of the records, as long as each fits one slot; also 4 more than the object's ID - 1. */
enum {
    LDM_SLOT_GROUP = 4,
    LDM_SLOT_DISK_1,
    LDM_SLOT_DISK_2,
    LDM_SLOT_VOLUME,
    LDM_SLOT_PLEX_1,
    LDM_SLOT_PIECE_1,
    LDM_SLOT_PLEX_2,
    LDM_SLOT_PIECE_2,
    LDM_SLOT_FREE, /* the first free one */
};

struct ldm_fixture_disk {
    const char *guid; /* 36 characters */
    const char *name;
    uint64_t public_start;  /* LBA */
    uint64_t public_size;   /* blocks */
    uint64_t private_start; /* LBA */
    uint64_t start;         /* of its piece of the volume, sectors from public_start */
};

struct ldm_fixture {
    const char *group_guid; /* 36 characters */
    const char *group_name;
    const char *volume_guid; /* 36 characters */
    const char *volume_name;
    const char *drive_hint; /* NULL for none */
    uint64_t size;          /* of the volume, sectors */
    uint64_t transaction;   /* the last one, >= 8 */
    struct ldm_fixture_disk disks[LDM_FIXTURE_DISKS];
};

/* A small group to start from: "Volume1" of 4096 sectors on two disks of 16384 blocks. */
struct ldm_fixture ldm_fixture_default(void);

/* Writes the private region of one disk, all LDM_FIXTURE_BYTES. */
void ldm_fixture_build(const struct ldm_fixture *fixture, size_t disk, uint8_t *ret_region);

/* --- Groups of any form --------------------------------------------------------------------- */

/* What is left zero or NULL is ordinary: "ACTIVE", "gen", concatenated, 512 bytes. */

struct ldm_extent_spec {
    size_t disk;                  /* of the group, from 0 */
    uint64_t start, size, offset; /* sectors of 512 bytes; the start in the public region */
    uint64_t column;
    uint32_t flags;
    uint16_t status; /* of its record */
};

struct ldm_plex_spec {
    const struct ldm_extent_spec *extents;
    size_t extent_count;
    uint8_t layout; /* 1 striped, 2 concatenated, 3 RAID-5 */
    const char *state;
    uint32_t flags;
    uint16_t status;
};

struct ldm_volume_spec {
    const char *name;
    const char *guid;
    const char *type; /* "raid5", else "gen" */
    const char *hint;
    const char *state;
    uint64_t size; /* sectors */
    uint32_t flags;
    uint16_t status;
    const struct ldm_plex_spec *plexes;
    size_t plex_count;
};

/* An entry of the log. */
struct ldm_log_spec {
    uint8_t status;
    uint64_t committed, pending;
};

struct ldm_disk_spec {
    const char *guid;
    const char *name;
    uint64_t public_start;  /* LBA */
    uint64_t public_size;   /* blocks */
    uint64_t private_start; /* LBA */
    uint32_t block_size;    /* 512 or 4096 */
    uint32_t flags;
    /* What the database on this disk says, where it is not as on the others. */
    uint64_t committed; /* transaction */
    uint64_t pending;
    uint16_t update; /* status of the header */
    const struct ldm_log_spec *log;
    size_t log_count;
};

struct ldm_group_spec {
    const char *guid;
    const char *name;
    uint64_t transaction;
    const struct ldm_disk_spec *disks;
    size_t disk_count;
    const struct ldm_volume_spec *volumes;
    size_t volume_count;
    uint32_t pending_counts[4]; /* volumes, components, partitions, disks; all zero: as they are */
};

/*
 * Writes the private region of one disk, all LDM_FIXTURE_BYTES, of which the disk has as many
 * blocks as fit. Object IDs count up from 1: group, disks, then each volume with its plexes, each
 * with its extents; records take slots from LDM_SLOT_GROUP on in the same order.
 */
void ldm_group_build(const struct ldm_group_spec *group, size_t disk, uint8_t *ret_region);

/* Writes the PRIVHEAD of one disk: what an MBR disk has at LBA 6, too. */
void ldm_group_build_head(const struct ldm_group_spec *group, size_t disk, uint8_t *ret_block);

/* Makes the checksum of a PRIVHEAD or TOCBLOCK right again. */
void ldm_fixture_seal(uint8_t *block);

/*
 * The folder into which the disks that Windows made were unpacked, or NULL where they are not
 * there. They are looked for in $SHADOWBOOT_SHARED, else in ../shared. `pattern` chooses among
 * them. Removed again by ldm_images_remove.
 */
const char *ldm_images_unpack(const char *pattern);
#define LDM_IMAGES "data/ldm-2008r2.tar.xz"
void ldm_images_remove(void);

/* Reads `size` bytes at `offset` of an unpacked image; fails the test when it cannot. */
void ldm_image_read(const char *name, uint64_t offset, void *ret_data, size_t size);

#endif
