#include "format/owner_rows.h"

#include "base/bytes.h"

#define KIB 1024u
#define MIB (1024u * KIB)

/* --- Structures around magics of few bytes --------------------------------------------------- */

static uint16_t sum_of_words(const uint8_t *at, size_t size)
{
    uint16_t sum = 0;

    for (size_t i = 0; i + 2 <= size; i += 2)
        sum = (uint16_t)(sum + ld_le16(at + i));
    return sum;
}

/* Version at 2, checksum of the 50 bytes before it at 50. */
static bool is_via(const uint8_t *at)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < 50; i++)
        sum = (uint8_t)(sum + at[i]);
    return at[2] <= 2 && sum == at[50];
}

/* Number of the disk at 0x116, checksum at 0x13e: the words before it and it make 0. */
static bool is_silicon_image(const uint8_t *at)
{
    return at[0x116] < 8 && sum_of_words(at, 0x140) == 0;
}

/* Mode at 48; all 64 words make 0, or 1 as some controllers have it. */
static bool is_jmicron(const uint8_t *at)
{
    return at[48] <= 5 && sum_of_words(at, 128) <= 1;
}

/* Words of the structure at 8: always 30. */
static bool is_nvidia(const uint8_t *at)
{
    return ld_le32(at + 8) == 30;
}

/* Magics of version 8, of 8.4 while in use, and of version 9. */
static bool is_drbd(const uint8_t *at)
{
    return at[63] >= 0x6b && at[63] <= 0x6d;
}

/* Version at 2; the descriptor begins at byte 0 of the disk (4) and has a size (8). */
static bool is_lvm1(const uint8_t *at)
{
    uint16_t version = ld_le16(at + 2);

    return (version == 1 || version == 2) && ld_le32(at + 4) == 0 && ld_le32(at + 8) != 0;
}

/* Version at 8, type of a volume header at 10. */
static bool is_core_storage(const uint8_t *at)
{
    return ld_le16(at + 8) == 1 && ld_le16(at + 10) == 0x10;
}

/* Block size at 36. */
static bool is_apfs(const uint8_t *at)
{
    uint32_t size = ld_le32(at + 36);

    return size >= 4096 && size <= 65536 && (size & (size - 1)) == 0;
}

/* Blocks, block size, revision; a journal by itself has no inodes. */
static bool is_ext(const uint8_t *at)
{
    return ld_le32(at + 4) != 0 && ld_le32(at + 24) <= 6 && ld_le32(at + 76) <= 1;
}

/* Size of allocation blocks at 20. */
static bool is_hfs(const uint8_t *at)
{
    uint32_t size = ld_be32(at + 20);

    return size != 0 && size % 512 == 0;
}

/* Version at 2: 4, of the variant with case 5. */
static bool is_hfs_plus(const uint8_t *at)
{
    uint16_t version = ld_be16(at + 2);

    return version == 4 || version == 5;
}

/* Revision at 0 and 4, size of the superblock at 8. */
static bool is_nilfs(const uint8_t *at)
{
    uint16_t size = ld_le16(at + 8);

    return ld_le32(at) == 2 && ld_le16(at + 4) == 0 && size > 16 && size <= 1024;
}

/* Version at 4. */
static bool is_xfs_log(const uint8_t *at)
{
    uint32_t version = ld_be32(at + 4);

    return version == 1 || version == 2;
}

/* --- Rows ------------------------------------------------------------------------------------ */

#define START(distance)      false, (distance)
#define END(distance)        true, (distance)
#define MAGIC(at, text)      (at), sizeof(text) - 1, (text)
#define ALONE                0, NULL
#define AND(size, condition) (size), (condition)

/* A magic in the last ten bytes of the first page, whatever the size of pages. */
#define IN_PAGE(owner, text)                                     \
    {owner, START(4 * KIB - 512), MAGIC(502, text), ALONE},      \
        {owner, START(8 * KIB - 512), MAGIC(502, text), ALONE},  \
        {owner, START(16 * KIB - 512), MAGIC(502, text), ALONE}, \
        {owner, START(32 * KIB - 512), MAGIC(502, text), ALONE}, \
    {                                                            \
        owner, START(64 * KIB - 512), MAGIC(502, text), ALONE    \
    }

/* Promise counts in cylinders of the geometry that its controllers made up. */
#define PROMISE(sectors)                                                                \
    {                                                                                   \
        OWNER_PROMISE, END((sectors)*512u), MAGIC(0, "Promise Technology, Inc."), ALONE \
    }

#define LVM2(sector)                                                   \
    {OWNER_LVM2, START((sector)*512u), MAGIC(0, "LABELONE"), ALONE},   \
    {                                                                  \
        OWNER_LVM2, START((sector)*512u), MAGIC(24, "LVM2 001"), ALONE \
    }

#define UFS(distance, little, big)                            \
    {OWNER_UFS, START(distance), MAGIC(1372, little), ALONE}, \
    {                                                         \
        OWNER_UFS, START(distance), MAGIC(1372, big), ALONE   \
    }

#define UFS_EACH(distance)                                     \
    UFS(distance, "\x54\x19\x01\x00", "\x00\x01\x19\x54"),     \
        UFS(distance, "\x19\x01\x54\x19", "\x19\x54\x01\x19"), \
        UFS(distance, "\x12\x56\x19\x00", "\x00\x19\x56\x12"), \
        UFS(distance, "\x14\x50\x09\x00", "\x00\x09\x50\x14"), \
        UFS(distance, "\x95\x21\x61\x00", "\x00\x61\x21\x95"), \
        UFS(distance, "\x94\x19\x23\x05", "\x05\x23\x19\x94")

#define BCACHE_MAGIC   "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"
#define BCACHEFS_MAGIC "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"
#define STRATIS_MAGIC  "!Stra0tis\x86\xff\x02^\x41rh"
#define LUKS_COPY      "SKUL\xba\xbe"

static const struct owner_row rows[] = {
    {OWNER_IMSM, END(1024), MAGIC(0, "Intel Raid ISM Cfg Sig. "), ALONE},
    {OWNER_IMSM, END(8192), MAGIC(0, "Intel Raid ISM Cfg Sig. "), ALONE}, /* 4096-byte blocks */
    {OWNER_IMSM, END(1536), MAGIC(0, "Intel Raid ISM Cfg Sig. "), ALONE}, /* old ones */
    {OWNER_DDF, END(512), MAGIC(0, "\xde\x11\xde\x11"), ALONE},
    {OWNER_DDF, END(4096), MAGIC(0, "\xde\x11\xde\x11"), ALONE},
    {OWNER_DDF, END(257 * 512), MAGIC(0, "\xde\x11\xde\x11"), ALONE},
    PROMISE(16),
    PROMISE(63),
    PROMISE(255),
    PROMISE(256),
    PROMISE(399),
    PROMISE(591),
    PROMISE(675),
    PROMISE(735),
    PROMISE(911),
    PROMISE(951),
    PROMISE(974),
    PROMISE(991),
    PROMISE(3087),
    {OWNER_NVIDIA, END(1024), MAGIC(0, "NVIDIA  "), AND(120, is_nvidia)},
    {OWNER_VIA, END(512), MAGIC(0, "\x55\xaa"), AND(51, is_via)},
    {OWNER_SILICON_IMAGE, END(512), MAGIC(0x60, "\0\0\0\x2f"), AND(0x140, is_silicon_image)},
    {OWNER_LSI, END(512), MAGIC(0, "$XIDE$"), ALONE},
    {OWNER_LSI, END(512), MAGIC(0, "$_IDE$"), ALONE},
    {OWNER_ADAPTEC, END(512), MAGIC(0, "\x37\xfc\x4d\x1e"), ALONE},
    {OWNER_ADAPTEC, END(17 * 512), MAGIC(0, "\xc4\x65\x07\x90"), ALONE},
    {OWNER_HIGHPOINT_45X, END(11 * 512), MAGIC(0, "\xf3\x16\x78\x5a"), ALONE},
    {OWNER_HIGHPOINT_45X, END(11 * 512), MAGIC(0, "\xfd\x16\x78\x5a"), ALONE},
    {OWNER_HIGHPOINT_37X, START(9 * 512), MAGIC(32, "\xf0\x16\x78\x5a"), ALONE},
    {OWNER_HIGHPOINT_37X, START(9 * 512), MAGIC(32, "\xfd\x16\x78\x5a"), ALONE},
    {OWNER_JMICRON, END(512), MAGIC(0, "JM"), AND(128, is_jmicron)},
    {OWNER_ITE, END(1024), MAGIC(54, "Integrated Technology Express Inc"), ALONE},
    {OWNER_GEOM, END(512), MAGIC(0, "GEOM::"), ALONE},
    {OWNER_GEOM, END(4096), MAGIC(0, "GEOM::"), ALONE},
    {OWNER_DRBD, END(4096), MAGIC(60, "\x83\x74\x02"), AND(64, is_drbd)},

    {OWNER_LVM1, START(0), MAGIC(0, "HM"), AND(12, is_lvm1)},
    LVM2(0),
    LVM2(1),
    LVM2(2),
    LVM2(3),
    {OWNER_LDM, START(6 * 512), MAGIC(0, "PRIVHEAD"), ALONE},
    {OWNER_STORAGE_SPACES, START(0), MAGIC(0, "SPACEDB "), ALONE},
    {OWNER_STORAGE_SPACES, START(4 * KIB), MAGIC(0, "SPACEDB "), ALONE},
    {OWNER_ZFS, START(16 * KIB), MAGIC(24, "version\0"), ALONE},
    {OWNER_ZFS, START(272 * KIB), MAGIC(24, "version\0"), ALONE},
    {OWNER_ZFS, END(496 * KIB), MAGIC(24, "version\0"), ALONE},
    {OWNER_ZFS, END(240 * KIB), MAGIC(24, "version\0"), ALONE},
    {OWNER_BCACHE, START(4 * KIB), MAGIC(24, BCACHE_MAGIC), ALONE},
    {OWNER_BCACHEFS, START(4 * KIB), MAGIC(24, BCACHEFS_MAGIC), ALONE},
    {OWNER_BCACHEFS, START(2 * MIB), MAGIC(24, BCACHEFS_MAGIC), ALONE},
    {OWNER_BCACHEFS, END(MIB), MAGIC(24, BCACHEFS_MAGIC), ALONE},
    {OWNER_BLUESTORE, START(0), MAGIC(0, "bluestore block device"), ALONE},
    {OWNER_VMFS, START(MIB), MAGIC(0, "\x0d\xd0\x01\xc0"), ALONE},
    {OWNER_VMFS, START(2 * MIB), MAGIC(0, "\x5e\xf1\xab\x2f"), ALONE},
    {OWNER_STRATIS, START(512), MAGIC(4, STRATIS_MAGIC), ALONE},
    {OWNER_STRATIS, START(9 * 512), MAGIC(4, STRATIS_MAGIC), ALONE},
    {OWNER_VDO, START(0), MAGIC(0, "dmvdo001"), ALONE},
    {OWNER_DEVICE_MAPPER, START(0), MAGIC(0, "verity\0\0"), ALONE},
    {OWNER_DEVICE_MAPPER, START(0), MAGIC(0, "integrt\0"), ALONE},
    {OWNER_DEVICE_MAPPER, START(0), MAGIC(0, "SnAp"), ALONE},
    {OWNER_DRBD, START(0), MAGIC(0, "$DRBDmgr=q"), ALONE},
    {OWNER_DRBD, START(0), MAGIC(0, "DRBDdlh*"), ALONE},
    {OWNER_ORACLE_ASM, START(0), MAGIC(32, "ORCLDISK"), ALONE},
    {OWNER_LUKS, START(0), MAGIC(0, "LUKS\xba\xbe"), ALONE},
    {OWNER_LUKS, START(16 * KIB), MAGIC(0, LUKS_COPY), ALONE},
    {OWNER_LUKS, START(32 * KIB), MAGIC(0, LUKS_COPY), ALONE},
    {OWNER_LUKS, START(64 * KIB), MAGIC(0, LUKS_COPY), ALONE},
    {OWNER_LUKS, START(128 * KIB), MAGIC(0, LUKS_COPY), ALONE},
    {OWNER_LUKS, START(256 * KIB), MAGIC(0, LUKS_COPY), ALONE},
    {OWNER_LUKS, START(512 * KIB), MAGIC(0, LUKS_COPY), ALONE},
    {OWNER_LUKS, START(MIB), MAGIC(0, LUKS_COPY), ALONE},
    {OWNER_LUKS, START(2 * MIB), MAGIC(0, LUKS_COPY), ALONE},
    {OWNER_CORE_STORAGE, START(0), MAGIC(88, "CS"), AND(90, is_core_storage)},

    {OWNER_APFS, START(0), MAGIC(32, "NXSB"), AND(40, is_apfs)},
    {OWNER_BTRFS, START(64 * KIB), MAGIC(64, "_BHRfS_M"), ALONE},
    {OWNER_EXT, START(1024), MAGIC(56, "\x53\xef"), AND(80, is_ext)},
    {OWNER_XFS, START(0), MAGIC(0, "XFSB"), ALONE},
    {OWNER_XFS, START(0), MAGIC(0, "\xfe\xed\xba\xbe"), AND(8, is_xfs_log)},
    {OWNER_F2FS, START(1024), MAGIC(0, "\x10\x20\xf5\xf2"), ALONE},
    {OWNER_REISERFS, START(8 * KIB), MAGIC(0x34, "ReIsErFs"), ALONE},
    {OWNER_REISERFS, START(8 * KIB), MAGIC(20, "ReIsErFs"), ALONE},
    {OWNER_REISERFS, START(64 * KIB), MAGIC(0x34, "ReIsEr"), ALONE},
    {OWNER_REISERFS, START(64 * KIB), MAGIC(0, "ReIsEr4"), ALONE},
    {OWNER_JFS, START(32 * KIB), MAGIC(0, "JFS1"), ALONE},
    {OWNER_NILFS, START(1024), MAGIC(6, "\x34\x34"), AND(16, is_nilfs)},
    {OWNER_NILFS, END(4096), MAGIC(6, "\x34\x34"), AND(16, is_nilfs)},
    {OWNER_OCFS, START(1 * KIB), MAGIC(0, "OCFSV2"), ALONE},
    {OWNER_OCFS, START(2 * KIB), MAGIC(0, "OCFSV2"), ALONE},
    {OWNER_OCFS, START(4 * KIB), MAGIC(0, "OCFSV2"), ALONE},
    {OWNER_OCFS, START(8 * KIB), MAGIC(0, "OCFSV2"), ALONE},
    {OWNER_OCFS, START(8 * KIB), MAGIC(0, "OracleCFS"), ALONE},
    {OWNER_GFS, START(64 * KIB), MAGIC(0, "\x01\x16\x19\x70"), ALONE},
    {OWNER_HFS, START(1024), MAGIC(0, "BD"), AND(24, is_hfs)},
    {OWNER_HFS, START(1024), MAGIC(0, "H+"), AND(4, is_hfs_plus)},
    {OWNER_HFS, START(1024), MAGIC(0, "HX"), AND(4, is_hfs_plus)},
    UFS_EACH(0),
    UFS_EACH(8 * KIB),
    UFS_EACH(64 * KIB),
    UFS_EACH(256 * KIB),
    {OWNER_ISO9660, START(32 * KIB), MAGIC(1, "CD001"), ALONE},
    {OWNER_ISO9660, START(32 * KIB), MAGIC(9, "CDROM"), ALONE},
    {OWNER_ISO9660, START(32 * KIB), MAGIC(1, "BEA01"), ALONE},
    {OWNER_ISO9660, START(32 * KIB), MAGIC(1, "NSR0"), ALONE},
    {OWNER_ISO9660, START(32 * KIB), MAGIC(1, "BOOT2"), ALONE},
    {OWNER_ISO9660, START(32 * KIB), MAGIC(1, "CDW02"), ALONE},
    {OWNER_ISO9660, START(32 * KIB), MAGIC(1, "TEA01"), ALONE},
    IN_PAGE(OWNER_SWAP, "SWAPSPACE2"),
    IN_PAGE(OWNER_SWAP, "SWAP-SPACE"),
    IN_PAGE(OWNER_SWAP, "S1SUSPEND"),
    IN_PAGE(OWNER_SWAP, "S2SUSPEND"),
    IN_PAGE(OWNER_SWAP, "ULSUSPEND"),
    IN_PAGE(OWNER_SWAP, "LINHIB0001"),
    {OWNER_SWAP, START(0), MAGIC(0, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c"), ALONE},
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "hsqs"), ALONE},                    /* squashfs */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "sqsh"), ALONE},                    /* squashfs */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "\x45\x3d\xcd\x28"), ALONE},        /* cramfs */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "\x28\xcd\x3d\x45"), ALONE},        /* cramfs */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "-rom1fs-"), ALONE},                /* romfs */
    {OWNER_OTHER_FILES, START(1024), MAGIC(0, "\xe2\xe1\xf5\xe0"), ALONE},     /* erofs */
    {OWNER_OTHER_FILES, START(0), MAGIC(32, "BFS1"), ALONE},                   /* befs */
    {OWNER_OTHER_FILES, START(0), MAGIC(32, "1SFB"), ALONE},                   /* befs */
    {OWNER_OTHER_FILES, START(512), MAGIC(32, "BFS1"), ALONE},                 /* befs */
    {OWNER_OTHER_FILES, START(512), MAGIC(32, "1SFB"), ALONE},                 /* befs */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "\xce\xfa\xad\x1b"), ALONE},        /* bfs */
    {OWNER_OTHER_FILES, START(8 * KIB), MAGIC(0, "\x49\xe8\x95\xf9"), ALONE},  /* hpfs */
    {OWNER_OTHER_FILES, START(1024), MAGIC(0, "\xf5\xfc\x01\xa5"), ALONE},     /* vxfs */
    {OWNER_OTHER_FILES, START(8 * KIB), MAGIC(0, "\xa5\x01\xfc\xf5"), ALONE},  /* vxfs */
    {OWNER_OTHER_FILES, START(4 * KIB), MAGIC(0, "SPB5"), ALONE},              /* nss */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "SFOZ"), ALONE},                    /* zonefs */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "EXFS"), ALONE},                    /* exfs */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "mpoolDev"), ALONE},                /* mpool */
    {OWNER_OTHER_FILES, START(64 * KIB), MAGIC(4, "\x8b\x42\x3c\x10"), ALONE}, /* scoutfs */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "UBI#"), ALONE},                    /* ubi */
    {OWNER_OTHER_FILES, START(0), MAGIC(0, "\x31\x18\x10\x06"), ALONE},        /* ubifs */
};

const struct owner_row *owner_rows(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
