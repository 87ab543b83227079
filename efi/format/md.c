#include "format/md.h"

#include "base/mem.h"

#define MAGIC                   0xa92b4efcu
#define FEATURE_RECOVERY_OFFSET 2u
#define ONE_FAR_COPY            0x100u /* of the layout of level 10; the low byte: near copies */
#define SECTOR_SIZE             512u

/* Of format 1.x. */
#define ROLES_AT    256u
#define CHECKSUM_AT 216u
#define ROLES_MAX   ((MD_SUPERBLOCK_BYTES - ROLES_AT) / 2)

/* Of format 0.90: offsets in words. */
#define OLD_CHECKSUM_WORD  38u
#define OLD_LAYOUT_WORD    64u
#define OLD_MEMBER_WORD    992u
#define OLD_MINOR          90u
#define OLD_MINOR_RESHAPE  91u
#define OLD_FLAG_FAULTY    1u
#define OLD_FLAGS_IN_PLACE 6u /* active and in sync */

uint64_t md_offset(enum md_version version, uint64_t device_bytes)
{
    uint64_t sectors = device_bytes / SECTOR_SIZE;
    uint64_t sector = version == MD_1_2 ? 8 : 0;

    if (version == MD_0_90)
        sector = sectors < 256 ? sectors : sectors / 128 * 128 - 128;
    else if (version == MD_1_0)
        sector = sectors < 24 ? sectors : (sectors - 16) / 8 * 8;
    if (sector + MD_SUPERBLOCK_BYTES / SECTOR_SIZE > sectors)
        return MD_NO_OFFSET;
    return sector * SECTOR_SIZE;
}

/* `size` is even; the 4 bytes at `checksum_at` count as zero. */
static uint32_t checksum(const uint8_t *bytes, size_t size, size_t checksum_at)
{
    uint64_t sum = 0;

    for (size_t at = 0; at + 4 <= size; at += 4)
        sum += at == checksum_at ? 0 : ld_le32(bytes + at);
    if (size % 4 != 0)
        sum += ld_le16(bytes + size - 2);
    return (uint32_t)((sum & 0xffffffff) + (sum >> 32));
}

static void load_name(const uint8_t *bytes, char ret_name[33])
{
    size_t used = 0;

    while (used < 32 && bytes[used] != 0) {
        bool printable = bytes[used] >= 0x20 && bytes[used] < 0x7f;
        ret_name[used] = printable ? (char)bytes[used] : '?';
        used++;
    }
    ret_name[used] = '\0';
}

/* The superblock names the sector where it is, which tells the three formats apart. */
static bool place_fits(uint64_t sector, enum md_version version)
{
    if (version == MD_1_0)
        return sector > 8 && sector % 8 == 0;
    return sector == (version == MD_1_2 ? 8 : 0);
}

/* Of so many sectors; what cannot be is as much as there is. */
static uint64_t bytes_of(uint64_t sectors)
{
    return sectors > UINT64_MAX / SECTOR_SIZE ? UINT64_MAX : sectors * SECTOR_SIZE;
}

static enum status parse_1(const uint8_t *at, enum md_version version, struct md_member *ret_member)
{
    uint32_t number = ld_le32(at + 160);
    uint32_t roles = ld_le32(at + 220);

    if (ld_le32(at + 4) != 1)
        return ST_ABSENT;
    if (roles > ROLES_MAX || checksum(at, ROLES_AT + 2 * roles, CHECKSUM_AT) != ld_le32(at + 216))
        return ST_DAMAGED;
    if (!place_fits(ld_le64(at + 144), version))
        return ST_ABSENT;
    /* A member that is still being rebuilt has its place already, and not yet its content. */
    bool rebuilding = (ld_le32(at + 8) & FEATURE_RECOVERY_OFFSET) != 0;
    struct md_member member = {
        .version = version,
        .set = guid_load(at + 16),
        .level = (int32_t)ld_le32(at + 72),
        .layout = ld_le32(at + 76),
        .offset = bytes_of(ld_le64(at + 144)),
        .data_offset = bytes_of(ld_le64(at + 128)),
        .data_bytes = bytes_of(ld_le64(at + 80) != 0 ? ld_le64(at + 80) : ld_le64(at + 136)),
        .raid_disks = ld_le32(at + 92),
        .role = number < roles && !rebuilding ? ld_le16(at + ROLES_AT + 2 * number) : MD_ROLE_SPARE,
        .events = ld_le64(at + 200),
    };
    load_name(at + 32, member.name);
    *ret_member = member;
    return ST_OK;
}

static uint32_t old_word(const uint8_t *at, size_t number)
{
    return ld_le32(at + 4 * number);
}

static uint32_t old_role(const uint8_t *at)
{
    uint32_t flags = old_word(at, OLD_MEMBER_WORD + 4);

    if ((flags & OLD_FLAG_FAULTY) != 0)
        return MD_ROLE_FAULTY;
    if ((flags & OLD_FLAGS_IN_PLACE) != OLD_FLAGS_IN_PLACE)
        return MD_ROLE_SPARE;
    return old_word(at, OLD_MEMBER_WORD + 3);
}

static enum status parse_0(const uint8_t *at, struct md_member *ret_member)
{
    uint32_t minor = old_word(at, 2);

    if (old_word(at, 1) != 0)
        return ST_ABSENT;
    if (minor != OLD_MINOR && minor != OLD_MINOR_RESHAPE)
        return ST_ABSENT;
    if (checksum(at, MD_SUPERBLOCK_BYTES, 4 * OLD_CHECKSUM_WORD) != old_word(at, OLD_CHECKSUM_WORD))
        return ST_DAMAGED;
    struct md_member member = {
        .version = MD_0_90,
        .level = (int32_t)old_word(at, 7),
        .layout = old_word(at, OLD_LAYOUT_WORD),
        .offset = MD_NO_OFFSET,
        .data_bytes = (uint64_t)old_word(at, 8) * 1024,
        .raid_disks = old_word(at, 10),
        .role = old_role(at),
        .events = ld_le64(at + 4 * 39),
    };
    memcpy(member.set.bytes, at + 4 * 5, 4);
    memcpy(member.set.bytes + 4, at + 4 * 13, 12);
    *ret_member = member;
    return ST_OK;
}

bool md_has_magic(struct span block)
{
    return block.size >= 4 && ld_le32(block.at) == MAGIC;
}

enum status md_parse(struct span superblock, enum md_version version, struct md_member *ret_member)
{
    if (superblock.size < MD_SUPERBLOCK_BYTES || !md_has_magic(superblock))
        return ST_ABSENT;
    if (version == MD_0_90)
        return parse_0(superblock.at, ret_member);
    return parse_1(superblock.at, version, ret_member);
}

bool md_is_mirror(const struct md_member *member)
{
    return member->level == 1 ||
           (member->level == 10 && member->layout == (ONE_FAR_COPY | member->raid_disks));
}

bool md_begins_with(const struct md_member *member, uint64_t offset, uint64_t bytes)
{
    uint64_t data = member->data_bytes;

    if (member->data_offset != 0 || (member->offset != MD_NO_OFFSET && member->offset != offset))
        return false;
    if (md_is_mirror(member) || member->raid_disks <= 1)
        return bytes <= data;
    /* A piece of a larger file system. */
    return data > UINT64_MAX / member->raid_disks || bytes <= data * member->raid_disks;
}
