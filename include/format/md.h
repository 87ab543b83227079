/*
 * Members of Linux software RAID (md): the superblock by which a partition or disk is known as one.
 * Formats 1.0, 1.1 and 1.2 are one structure in three places, 0.90 is an older one. All numbers are
 * little-endian (0.90: those of the machine that wrote it; others are not recognised).
 *
 *   1.x                                        0.90, in words of 32 bits
 *     0  4  a92b4efc                             0  a92b4efc
 *     4  4  1                                    1  0
 *    16 16  set UUID                             2  90; 91 while it is being reshaped
 *    32 32  name                                 5  set UUID, and 13 to 15
 *    72  4  level                                7  level
 *    76  4  layout                               8  KiB of each member that are used
 *    80  8  sectors of each member               10  disks in the array
 *           that are used                        38  checksum
 *    92  4  disks in the array                   39  events, low and high
 *   128  8  sector where the data begins        64  layout
 *   136  8  sectors there is room for          992  this member: number, major, minor,
 *   144  8  sector of this superblock               995 role, 996 flags
 *   160  4  number of this member
 *   200  8  events
 *   216  4  checksum
 *   220  4  members there is room for
 *   256     role of each member, 2 bytes
 *
 * The checksum is the sum of 32-bit words with its own field 0, the carries added once.
 */
#ifndef SHADOWBOOT_FORMAT_MD_H
#define SHADOWBOOT_FORMAT_MD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"

#define MD_SUPERBLOCK_BYTES 4096u
#define MD_NO_OFFSET        UINT64_MAX

enum md_version { MD_0_90, MD_1_0, MD_1_1, MD_1_2, MD_VERSION_COUNT };

/* Roles that are not a place in the array. */
#define MD_ROLE_SPARE   0xffffu
#define MD_ROLE_FAULTY  0xfffeu
#define MD_ROLE_JOURNAL 0xfffdu

struct md_member {
    enum md_version version;
    struct guid set;      /* the bytes of the set UUID as md orders them, the same in all members */
    int32_t level;        /* 1: mirror; 0, 4, 5, 6, 10; -1: linear; others exist */
    uint32_t layout;      /* of levels that have several */
    uint32_t raid_disks;  /* active members of a complete array */
    uint64_t offset;      /* bytes from the device's start to this superblock; for 0.90 where one
                           * may be: MD_NO_OFFSET, it does not say */
    uint64_t data_offset; /* bytes from the device's start to the data */
    uint64_t data_bytes;  /* of data on this device */
    uint32_t role;   /* of this member: its place from 0 on, or one of the above; SPARE also while
                      * it is being rebuilt */
    char name[33];   /* printable ASCII, usually "host:name"; "" for 0.90 */
    uint64_t events; /* a member with fewer events than another missed writes */
};

/*
 * Where the superblock of a device of `device_bytes` would be, in bytes from its start; a multiple
 * of 4096 but for the format 0.90, whose are multiples of 65536. MD_NO_OFFSET when the device is
 * too small to have one there.
 */
uint64_t md_offset(enum md_version version, uint64_t device_bytes);

/* True when `block` begins as all superblocks do. */
bool md_has_magic(struct span block);

/*
 * Reads a superblock from the MD_SUPERBLOCK_BYTES bytes at that offset. Statuses: ST_OK; ST_ABSENT
 * when there is none of this format, or fewer bytes; ST_DAMAGED when its checksum is wrong.
 */
MUST_CHECK enum status md_parse(struct span superblock, enum md_version version,
                                struct md_member *ret_member);

/* True when every member holds all of the array's data: level 1, or level 10 with as many near
 * copies as disks. */
bool md_is_mirror(const struct md_member *member);

/*
 * True when a file system that begins at the device's first byte and is `bytes` long (0: not known)
 * can be the array's own, and the superblock found at `offset` speaks for an array that is.
 *
 * Formatting a former member leaves superblocks of the formats 0.90 and 1.0 where they are, at the
 * end, and of 1.2 where the new file system does not write. Such a mark is told by what cannot be:
 * the data of 1.1 and 1.2 begin behind the superblock, so that nothing at the first byte is theirs;
 * one of 1.0 that is not where it says was moved with its bytes, or its partition's size changed
 * since (Linux does not take such a one either); and what was made on the array ends before the
 * superblock, while mkfs on the bare partition goes on to the partition's end. Everything else is
 * taken for a member: a write to a part of an array does more harm than one that is refused.
 */
bool md_begins_with(const struct md_member *member, uint64_t offset, uint64_t bytes);

#endif
