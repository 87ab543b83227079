/*
 * Marks by which others claim a disk or a part of one: RAID of whole disks, volume managers,
 * encryption, file systems. What a partition table calls free, and what lies behind it, is not
 * nobody's for that: a mark in it is somebody's.
 *
 * The magic numbers and places are those that libblkid's probes document, those of FreeBSD's
 * ata-raid and GEOM, and of the volume formats that this program reads anyway. Where a magic of few
 * bytes is found by chance too easily the structure around it has to hold together as well; where
 * that is in doubt, the mark counts: a repair that is refused costs less than somebody's data.
 *
 * This module judges bytes; which of them are read is the scan's business (model/scan_owner.h).
 */
#ifndef SHADOWBOOT_FORMAT_OWNER_H
#define SHADOWBOOT_FORMAT_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* What has to be zero at either end of a disk that is called blank: what diskpart's "clean" wipes.
 * Marks that lie farther in are asked for as well. */
#define OWNER_BLANK_BYTES (1u << 20)

enum owner {
    OWNER_NOBODY,
    /* RAID of whole disks (and what mirrors a disk as a whole) */
    OWNER_MD_0_90,
    OWNER_MD_1_0,
    OWNER_MD_1_1,
    OWNER_MD_1_2,
    OWNER_IMSM,
    OWNER_DDF,
    OWNER_PROMISE,
    OWNER_NVIDIA,
    OWNER_VIA,
    OWNER_SILICON_IMAGE,
    OWNER_LSI,
    OWNER_ADAPTEC,
    OWNER_HIGHPOINT_37X,
    OWNER_HIGHPOINT_45X,
    OWNER_JMICRON,
    OWNER_ITE,
    OWNER_GEOM,
    OWNER_DRBD,
    /* volume managers, caches, encryption */
    OWNER_LVM1,
    OWNER_LVM2,
    OWNER_LDM,
    OWNER_STORAGE_SPACES,
    OWNER_ZFS,
    OWNER_BCACHE,
    OWNER_BCACHEFS,
    OWNER_BLUESTORE,
    OWNER_VMFS,
    OWNER_STRATIS,
    OWNER_VDO,
    OWNER_DEVICE_MAPPER,
    OWNER_ORACLE_ASM,
    OWNER_LUKS,
    OWNER_BITLOCKER,
    OWNER_CORE_STORAGE,
    /* file systems */
    OWNER_NTFS,
    OWNER_REFS,
    OWNER_EXFAT,
    OWNER_FAT,
    OWNER_APFS,
    OWNER_HFS,
    OWNER_BTRFS,
    OWNER_EXT,
    OWNER_XFS,
    OWNER_F2FS,
    OWNER_REISERFS,
    OWNER_JFS,
    OWNER_NILFS,
    OWNER_OCFS,
    OWNER_GFS,
    OWNER_UFS,
    OWNER_ISO9660,
    OWNER_SWAP,
    OWNER_OTHER_FILES, /* a file system that few have */
    OWNER_UNKNOWN,     /* bytes where nothing should be, and nobody here knows whose */
    OWNER_COUNT
};

struct owner_mark {
    enum owner owner; /* OWNER_NOBODY: no mark was found */
    uint64_t offset;  /* bytes from the start of what was looked at */
};

/* A place that marks are looked for in. */
struct owner_place {
    bool from_end;     /* `distance` is counted back from the end, else on from the start */
    bool disks_only;   /* for a disk as a whole: too much to read for every gap */
    uint32_t distance; /* bytes, a multiple of 512 */
    uint32_t bytes;    /* a multiple of 512 */
};

/* The most of them, those that are worked out (md) included. */
#define OWNER_PLACES_MAX 48u

/* Bytes that were read, with their offset from the start of what is looked at. */
struct owner_piece {
    uint64_t offset;
    struct span bytes;
};

struct owner_view {
    uint64_t bytes; /* of all that is looked at, a multiple of 512 */
    const struct owner_piece *pieces;
    size_t count;
};

/* Says whether a mark counts. */
typedef bool owner_accept(const void *ctx, const struct owner_mark *mark);

/* Writes the places for something of so many bytes, at most OWNER_PLACES_MAX. */
size_t owner_places(uint64_t bytes, struct owner_place *ret_places);

/* Looks for marks in what was read, RAID first; what was not read says nothing. The first one that
 * `accept` (NULL: all) takes goes into `*ret_mark`, else OWNER_NOBODY. */
void owner_find(const struct owner_view *view, owner_accept *accept, const void *ctx,
                struct owner_mark *ret_mark);

/* True for RAID of whole disks: the disks are one volume, and none may be written by itself. */
bool owner_is_raid(enum owner owner);

/* "Intel RAID (IMSM, VROC)", ...; "" for OWNER_NOBODY. Static lifetime. */
const char *owner_name(enum owner owner);

/* What to use instead of this program: "mdadm", "zpool", ... Static lifetime. */
const char *owner_tool(enum owner owner);

#endif
