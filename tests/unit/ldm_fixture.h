/*
 * LDM databases for tests, written from the description of the format: the private region of each
 * disk of a group with one volume mirrored over two disks, byte for byte. And, where they are
 * there, disks that Windows made.
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

/* Makes the checksum of a PRIVHEAD or TOCBLOCK right again. */
void ldm_fixture_seal(uint8_t *block);

/*
 * The folder into which the disks that Windows made were unpacked, or NULL where they are not
 * there. They are looked for in $SHADOWBOOT_SHARED, else in ../shared. `pattern` chooses among
 * them. Removed again by ldm_images_remove.
 */
const char *ldm_images_unpack(const char *pattern);
void ldm_images_remove(void);

/* Reads `size` bytes at `offset` of an unpacked image; fails the test when it cannot. */
void ldm_image_read(const char *name, uint64_t offset, void *ret_data, size_t size);

#endif
