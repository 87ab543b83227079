/*
 * The two structures by which a disk leads to its LDM database: PRIVHEAD, which says where on the
 * disk everything is, and TOCBLOCK, which says where in the private region the database lies.
 * (LDM database, sections 2 to 4.) Every integer is big-endian and unaligned; "rel" is a block
 * number relative to the start of the private region.
 *
 *   PRIVHEAD, 512 bytes                            TOCBLOCK, 512 bytes
 *   000  8  "PRIVHEAD"                             00  8  "TOCBLOCK"
 *   008  4  checksum                               08  4  checksum
 *   00C  2  version, major                         0C  8  update sequence
 *   00E  2  version, minor                         24 34  up to 14 regions:
 *   018  8  update sequence                               +00  8  name, zero padded
 *   020  8  primary header, rel                           +08  2  flags
 *   028  8  secondary header, rel                         +0A  8  start, rel
 *   030 64  disk GUID, ASCII                              +12  8  size, blocks
 *   0B0 64  group GUID, ASCII                             +1A  8  not used here
 *   0F0 31  group name
 *   10F  4  bytes per block
 *   11B  8  public region, first LBA
 *   123  8  public region, blocks
 *   12B  8  private region, first LBA
 *   133  8  private region, blocks
 *   13B  8  first TOCBLOCK, rel
 *   143  8  second TOCBLOCK, rel
 *
 * The checksum is the sum of all 512 bytes, its own four taken as zero.
 */
#ifndef SHADOWBOOT_FORMAT_LDM_PRIVHEAD_H
#define SHADOWBOOT_FORMAT_LDM_PRIVHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"

#define LDM_HEAD_BYTES        512u /* PRIVHEAD and TOCBLOCK, whatever the block size */
#define LDM_GROUP_NAME_SIZE   32   /* 31 bytes and a NUL */
#define LDM_PRIVATE_MAX_BYTES (8u * 1024 * 1024) /* eight times what any disk seen has */

/* Places to find a first PRIVHEAD: on a private region of 2048 blocks the secondary is at rel 1856,
 * the primary in the last block; MBR disks have a third one at LBA 6. */
#define LDM_SECONDARY_HEAD_REL 1856u
#define LDM_PRIVATE_BLOCKS     2048u
#define LDM_MBR_HEAD_LBA       6u

struct ldm_privhead {
    uint64_t sequence; /* of this disk alone: not comparable between disks */
    uint64_t primary;  /* rel, as are all without unit below */
    uint64_t secondary;
    struct guid disk;
    struct guid group;
    char group_name[LDM_GROUP_NAME_SIZE]; /* printable ASCII */
    uint64_t public_start;                /* LBA */
    uint64_t public_size;                 /* blocks, > 0 */
    uint64_t private_start;               /* LBA */
    uint64_t private_size;                /* blocks, > 0 */
    uint64_t toc[2];
};

/* A part of the private region. */
struct ldm_region {
    uint64_t start; /* rel */
    uint64_t size;  /* blocks, > 0 */
};

struct ldm_toc {
    uint64_t sequence; /* that of PRIVHEAD on the current copies */
    struct ldm_region config;
    struct ldm_region log; /* size 0 when there is none */
};

/*
 * Checks the PRIVHEAD at the start of `block`, one logical block of a disk of `disk_blocks` blocks
 * of `block_size` bytes. Both regions lie inside the disk, and every rel place inside the private
 * region. The public region may enclose the private one, as on a GPT disk with LDM data partitions
 * on both sides of the metadata partition: ldm_regions_are_apart tells. Statuses: ST_OK; ST_ABSENT
 * without the magic; ST_DAMAGED; ST_UNSUPPORTED for a version other than 2.11 and 2.12, another
 * block size or a private region above LDM_PRIVATE_MAX_BYTES.
 */
MUST_CHECK enum status ldm_privhead_parse(struct span block, uint32_t block_size,
                                          uint64_t disk_blocks, struct ldm_privhead *ret_head);

/* True when no block belongs to both the public and the private region of a checked PRIVHEAD. */
bool ldm_regions_are_apart(const struct ldm_privhead *head);

/*
 * Checks the TOCBLOCK at the start of `block` of the disk that `head` describes. Its regions lie in
 * the private region, apart from each other and from both headers and both TOCBLOCKs. An outdated
 * copy may be sound: the caller compares sequences. Statuses: ST_OK; ST_ABSENT without the magic;
 * ST_DAMAGED, also when there is no region "config" or it is marked as not usable.
 */
MUST_CHECK enum status ldm_toc_parse(struct span block, const struct ldm_privhead *head,
                                     struct ldm_toc *ret_toc);

/*
 * Reads a GUID kept as text in a field of fixed size: 36 characters, any case, then zero bytes.
 * Statuses: ST_OK; ST_DAMAGED for anything else.
 */
MUST_CHECK enum status ldm_guid_field(struct span field, struct guid *ret_guid);

/* Copies `from`, up to its first zero byte or its end, as printable ASCII: '?' for anything else,
 * cut to `size` - 1 characters; `size` > 0. */
void ldm_text_field(struct span from, char *ret_text, size_t size);

#endif
