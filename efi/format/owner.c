#include "format/owner.h"

#include "base/mem.h"
#include "format/md.h"
#include "format/owner_rows.h"
#include "format/volume_content.h"

#define KIB 1024u
#define MIB (1024u * KIB)

#define MD_MAGIC           0xa92b4efcu
#define ZFS_UBERBLOCK      0x00bab10cu
#define ZFS_UBERBLOCK_STEP 1024u
#define ZFS_UBERBLOCKS     128u

struct owner_words {
    const char *name;
    const char *tool;
};

#define CONTROLLER "the RAID setup of its controller or firmware"
#define SYSTEM     "the system it belongs to"

static const struct owner_words words[OWNER_COUNT] = {
    [OWNER_NOBODY] = {"", ""},
    [OWNER_MD_0_90] = {"Linux md 0.90", "mdadm"},
    [OWNER_MD_1_0] = {"Linux md 1.0", "mdadm"},
    [OWNER_MD_1_1] = {"Linux md 1.1", "mdadm"},
    [OWNER_MD_1_2] = {"Linux md 1.2", "mdadm"},
    [OWNER_IMSM] = {"Intel RAID (IMSM, VROC)", "the RAID setup of the firmware, or mdadm"},
    [OWNER_DDF] = {"DDF RAID", "the RAID setup of its controller, or mdadm"},
    [OWNER_PROMISE] = {"Promise or AMD RAID", CONTROLLER},
    [OWNER_NVIDIA] = {"nVidia RAID", CONTROLLER},
    [OWNER_VIA] = {"VIA RAID", CONTROLLER},
    [OWNER_SILICON_IMAGE] = {"Silicon Image RAID", CONTROLLER},
    [OWNER_LSI] = {"LSI MegaRAID", CONTROLLER},
    [OWNER_ADAPTEC] = {"Adaptec RAID", CONTROLLER},
    [OWNER_HIGHPOINT_37X] = {"HighPoint 37x RAID", CONTROLLER},
    [OWNER_HIGHPOINT_45X] = {"HighPoint 45x RAID", CONTROLLER},
    [OWNER_JMICRON] = {"JMicron RAID", CONTROLLER},
    [OWNER_ITE] = {"ITE RAID", CONTROLLER},
    [OWNER_GEOM] = {"FreeBSD GEOM (gmirror)", "gmirror or the geom class it is of, in FreeBSD"},
    [OWNER_DRBD] = {"DRBD", "drbdadm"},
    [OWNER_LVM1] = {"LVM1", "vgreduce and pvremove"},
    [OWNER_LVM2] = {"LVM2", "vgreduce and pvremove"},
    [OWNER_LDM] = {"Windows dynamic disks (LDM)", "Disk Management of Windows"},
    [OWNER_STORAGE_SPACES] = {"Windows Storage Spaces", "Storage Spaces of Windows"},
    [OWNER_ZFS] = {"ZFS", "zpool"},
    [OWNER_BCACHE] = {"bcache or bcachefs", "bcache-super-show or bcachefs"},
    [OWNER_BCACHEFS] = {"bcachefs", "bcachefs"},
    [OWNER_BLUESTORE] = {"Ceph BlueStore", "ceph-volume"},
    [OWNER_VMFS] = {"VMware VMFS", "the datastores of VMware ESXi"},
    [OWNER_STRATIS] = {"Stratis", "stratis"},
    [OWNER_VDO] = {"VDO", "vdo or lvm"},
    [OWNER_DEVICE_MAPPER] = {"device mapper (verity, integrity or snapshot)", "dmsetup"},
    [OWNER_ORACLE_ASM] = {"Oracle ASM", "oracleasm"},
    [OWNER_LUKS] = {"LUKS", "cryptsetup"},
    [OWNER_BITLOCKER] = {"BitLocker", "manage-bde"},
    [OWNER_CORE_STORAGE] = {"Apple CoreStorage", "diskutil"},
    [OWNER_NTFS] = {"NTFS", SYSTEM},
    [OWNER_REFS] = {"ReFS", SYSTEM},
    [OWNER_EXFAT] = {"exFAT", SYSTEM},
    [OWNER_FAT] = {"FAT", SYSTEM},
    [OWNER_APFS] = {"APFS", "diskutil"},
    [OWNER_HFS] = {"HFS", "diskutil"},
    [OWNER_BTRFS] = {"btrfs", "btrfs"},
    [OWNER_EXT] = {"ext2, ext3 or ext4", SYSTEM},
    [OWNER_XFS] = {"XFS", SYSTEM},
    [OWNER_F2FS] = {"F2FS", SYSTEM},
    [OWNER_REISERFS] = {"ReiserFS", SYSTEM},
    [OWNER_JFS] = {"JFS", SYSTEM},
    [OWNER_NILFS] = {"NILFS2", SYSTEM},
    [OWNER_OCFS] = {"OCFS", SYSTEM},
    [OWNER_GFS] = {"GFS", SYSTEM},
    [OWNER_UFS] = {"UFS", SYSTEM},
    [OWNER_ISO9660] = {"ISO 9660 or UDF", SYSTEM},
    [OWNER_SWAP] = {"Linux swap", "swapoff"},
    [OWNER_OTHER_FILES] = {"a file system", SYSTEM},
    [OWNER_UNKNOWN] = {"something that is not known here", SYSTEM},
};

/* Neighbours are read together. */
static const struct owner_place fixed_places[] = {
    {false, false, 0, 72 * KIB},
    {false, false, 128 * KIB, 512},
    {false, true, 128 * KIB, 128 * KIB}, /* uberblocks of ZFS */
    {false, false, 256 * KIB, 2 * KIB},
    {false, false, 272 * KIB, 512},
    {false, false, 512 * KIB, 512},
    {false, false, MIB, 512},
    {false, false, 2 * MIB, 512},
    {true, false, 3087 * 512, 512},
    {true, false, MIB, 512},
    {true, false, 991 * 512, 512},
    {true, false, 496 * KIB, 512},
    {true, false, 974 * 512, 512},
    {true, false, 951 * 512, 512},
    {true, false, 911 * 512, 512},
    {true, false, 735 * 512, 512},
    {true, false, 675 * 512, 512},
    {true, false, 591 * 512, 512},
    {true, false, 240 * KIB, 512},
    {true, false, 399 * 512, 512},
    {true, false, 257 * 512, 3 * 512},
    {true, true, 128 * KIB, 112 * KIB}, /* uberblocks of ZFS */
    {true, false, 63 * 512, 512},
    {true, false, 17 * 512, 17 * 512},
};

#define FIXED_COUNT (sizeof(fixed_places) / sizeof(fixed_places[0]))

size_t owner_places(uint64_t bytes, struct owner_place *ret_places)
{
    size_t count = FIXED_COUNT;

    for (size_t i = 0; i < FIXED_COUNT; i++)
        ret_places[i] = fixed_places[i];
    for (int i = 0; i < MD_VERSION_COUNT; i++) {
        uint64_t offset = md_offset((enum md_version)i, bytes);
        if (offset == MD_NO_OFFSET || offset < 72 * KIB)
            continue; /* there is none, or it is read already */
        ret_places[count++] =
            (struct owner_place){true, false, (uint32_t)(bytes - offset), MD_SUPERBLOCK_BYTES};
    }
    return count;
}

bool owner_is_raid(enum owner owner)
{
    return owner >= OWNER_MD_0_90 && owner <= OWNER_DRBD;
}

const char *owner_name(enum owner owner)
{
    return words[owner].name;
}

const char *owner_tool(enum owner owner)
{
    return words[owner].tool;
}

/* --- Looking --------------------------------------------------------------------------------- */

struct search {
    const struct owner_view *view;
    owner_accept *accept;
    const void *ctx;
};

/* The bytes at an offset; empty when they were not read. */
static struct span bytes_at(const struct owner_view *view, uint64_t offset, uint64_t size)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct owner_piece *piece = &view->pieces[i];
        if (offset < piece->offset)
            continue;
        struct span found = span_part(piece->bytes, offset - piece->offset, size);
        if (found.at != NULL)
            return found;
    }
    return span_of(NULL, 0);
}

static bool is_accepted(const struct search *search, enum owner owner, uint64_t offset,
                        struct owner_mark *ret_mark)
{
    struct owner_mark mark = {owner, offset};

    if (search->accept != NULL && !search->accept(search->ctx, &mark))
        return false;
    *ret_mark = mark;
    return true;
}

/* A superblock whose checksum is wrong counts. One of format 1.0 names its place, which tells it
 * from that of a part of the disk; one of 0.90 may have been written in the other byte order. */
static bool is_md(struct span at, enum md_version version, uint64_t offset)
{
    struct md_member member;
    enum status status = md_parse(at, version, &member);

    if (at.size < MD_SUPERBLOCK_BYTES)
        return false;
    if (version == MD_0_90 && ld_be32(at.at) == MD_MAGIC)
        return true;
    if (version == MD_1_0 && ld_le64(at.at + 144) != offset / 512)
        return false;
    return status == ST_OK || status == ST_DAMAGED;
}

static bool find_md(const struct search *search, struct owner_mark *ret_mark)
{
    static const enum owner owners[] = {
        [MD_0_90] = OWNER_MD_0_90,
        [MD_1_0] = OWNER_MD_1_0,
        [MD_1_1] = OWNER_MD_1_1,
        [MD_1_2] = OWNER_MD_1_2,
    };

    for (int i = 0; i < MD_VERSION_COUNT; i++) {
        uint64_t offset = md_offset((enum md_version)i, search->view->bytes);
        if (offset == MD_NO_OFFSET)
            continue;
        struct span at = bytes_at(search->view, offset, MD_SUPERBLOCK_BYTES);
        if (is_md(at, (enum md_version)i, offset) &&
            is_accepted(search, owners[i], offset, ret_mark))
            return true;
    }
    return false;
}

static bool find_row(const struct search *search, const struct owner_row *row,
                     struct owner_mark *ret_mark)
{
    const struct owner_view *view = search->view;
    uint32_t end = (uint32_t)row->magic_at + row->length;
    uint32_t size = row->size > end ? row->size : end;

    if (row->distance > view->bytes)
        return false;
    uint64_t offset = row->from_end ? view->bytes - row->distance : row->distance;
    struct span at = bytes_at(view, offset, size);
    if (at.at == NULL || memcmp(at.at + row->magic_at, row->magic, row->length) != 0)
        return false;
    if (row->check != NULL && !row->check(at.at))
        return false;
    return is_accepted(search, row->owner, offset + row->magic_at, ret_mark);
}

static bool is_uberblock(struct span at)
{
    return at.size >= 8 && (ld_le64(at.at) == ZFS_UBERBLOCK || ld_be64(at.at) == ZFS_UBERBLOCK);
}

/* A pool whose labels are gone still has its uberblocks: 128 behind each label. */
static bool find_uberblock(const struct search *search, struct owner_mark *ret_mark)
{
    uint64_t end = search->view->bytes;
    const uint64_t rings[] = {128 * KIB, end < 128 * KIB ? end : end - 128 * KIB};

    for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
        for (uint32_t k = 0; k < ZFS_UBERBLOCKS; k++) {
            uint64_t offset = rings[i] + k * ZFS_UBERBLOCK_STEP;
            if (is_uberblock(bytes_at(search->view, offset, 8)) &&
                is_accepted(search, OWNER_ZFS, offset, ret_mark))
                return true;
        }
    }
    return false;
}

/* What the first block says by itself, as on a volume. */
static bool find_content(const struct search *search, struct owner_mark *ret_mark)
{
    static const enum owner owners[] = {
        [CONTENT_UNKNOWN] = OWNER_NOBODY, [CONTENT_EMPTY] = OWNER_NOBODY,
        [CONTENT_NTFS] = OWNER_NTFS,      [CONTENT_BITLOCKER] = OWNER_BITLOCKER,
        [CONTENT_REFS] = OWNER_REFS,      [CONTENT_FAT] = OWNER_FAT,
        [CONTENT_EXFAT] = OWNER_EXFAT,
    };
    enum owner owner = owners[volume_content_of(bytes_at(search->view, 0, 512))];

    return owner != OWNER_NOBODY && is_accepted(search, owner, 0, ret_mark);
}

void owner_find(const struct owner_view *view, owner_accept *accept, const void *ctx,
                struct owner_mark *ret_mark)
{
    struct search search = {view, accept, ctx};
    size_t count = 0;
    const struct owner_row *rows = owner_rows(&count);

    *ret_mark = (struct owner_mark){OWNER_NOBODY, 0};
    if (find_md(&search, ret_mark))
        return;
    for (size_t i = 0; i < count; i++) {
        if (find_row(&search, &rows[i], ret_mark))
            return;
    }
    if (!find_uberblock(&search, ret_mark))
        (void)find_content(&search, ret_mark);
}
