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
 *    92  4  disks in the array                  10  disks in the array
 *   144  8  sector of this superblock           38  checksum
 *   160  4  number of this member               39  events, low and high
 *   200  8  events                             992  this member: number, major, minor,
 *   216  4  checksum                                995 role, 996 flags
 *   220  4  members there is room for
 *   256     role of each member, 2 bytes
 *
 * The checksum is the sum of 32-bit words with its own field 0, the carries added once.
 */
#ifndef SHADOWBOOT_FORMAT_MD_H
#define SHADOWBOOT_FORMAT_MD_H

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
    struct guid set;     /* the bytes of the set UUID as md orders them, the same in all members */
    int32_t level;       /* 1: mirror; 0, 4, 5, 6, 10; -1: linear; others exist */
    uint32_t raid_disks; /* active members of a complete array */
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

/*
 * Reads a superblock from the MD_SUPERBLOCK_BYTES bytes at that offset. Statuses: ST_OK; ST_ABSENT
 * when there is none of this format, or fewer bytes; ST_DAMAGED when its checksum is wrong.
 */
MUST_CHECK enum status md_parse(struct span superblock, enum md_version version,
                                struct md_member *ret_member);

#endif
