#include "format/fat/fat_boot.h"

#include "base/mem.h"
#include "format/fat/fat_table.h"

#define SECTOR_MIN  512u
#define SECTOR_MAX  4096u
#define DIRENT_SIZE 32u

#define FAT12_CLUSTERS_END 4085u
#define FAT16_CLUSTERS_END 65525u
#define FAT32_CLUSTERS_END 0x0ffffff6u

#define ONE_FAT_COUNTS 0x80u
#define WHICH_FAT      0x0fu

bool fat_boot_is_foreign(struct span sector)
{
    static const char makers[][9] = {"NTFS    ", "EXFAT   ", "-FVE-FS-", "ReFS\0\0\0\0",
                                     "HPFS    "};

    if (sector.size < SECTOR_MIN)
        return false;
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
        if (memcmp(sector.at + 3, makers[i], 8) == 0)
            return true;
    }
    return false;
}

uint32_t fat_boot_narrow_size(struct span sector)
{
    uint32_t size = sector.size < SECTOR_MIN ? 0 : ld_le16(sector.at + 11);

    return is_power_of_two(size) && size >= SECTOR_MIN && size < sector.size ? size : 0;
}

uint32_t fat_boot_backup_sector(struct span sector)
{
    uint32_t stored = sector.size < SECTOR_MIN ? 0 : ld_le16(sector.at + 50);

    return stored == 0xffff ? 0 : stored;
}

static bool has_signature(const uint8_t *at)
{
    return at[510] == 0x55 && at[511] == 0xaa;
}

static bool sizes_are_sound(const uint8_t *at)
{
    uint32_t sector_size = ld_le16(at + 11);

    return is_power_of_two(sector_size) && sector_size >= SECTOR_MIN && sector_size <= SECTOR_MAX &&
           is_power_of_two(at[13]) && ld_le16(at + 14) != 0 && at[16] != 0;
}

static bool media_is_known(uint8_t media)
{
    return media == 0xf0 || media >= 0xf8;
}

/* Beyond the known ones what UEFI firmware (EDK II) takes, too. */
static bool media_is_accepted(uint8_t media)
{
    return media_is_known(media) || media <= 1;
}

/* True when something in it says that this was meant to be FAT, sound or not. */
static bool says_fat(const uint8_t *at)
{
    if (memcmp(at + 54, "FAT", 3) == 0 || memcmp(at + 82, "FAT", 3) == 0)
        return true;
    return has_signature(at) && sizes_are_sound(at) && media_is_known(at[21]);
}

/* Where things lie, from fields whose values may be in themselves. False when that cannot be. */
static bool lay_out(const uint8_t *at, struct fat_volume *volume)
{
    uint64_t root_sectors;
    uint64_t fat_sectors = ld_le16(at + 22);

    volume->sector_size = ld_le16(at + 11);
    volume->cluster_size = volume->sector_size * at[13];
    volume->reserved = ld_le16(at + 14);
    volume->fat_count = at[16];
    volume->sectors = ld_le16(at + 19) != 0 ? ld_le16(at + 19) : ld_le32(at + 32);
    volume->root_bytes = (uint64_t)ld_le16(at + 17) * DIRENT_SIZE;
    if (fat_sectors == 0)
        fat_sectors = ld_le32(at + 36);
    root_sectors = (volume->root_bytes + volume->sector_size - 1) / volume->sector_size;
    volume->root_bytes = root_sectors * volume->sector_size;

    uint64_t data = volume->reserved + volume->fat_count * fat_sectors + root_sectors;
    if (fat_sectors == 0 || data >= volume->sectors)
        return false;
    uint64_t clusters = (volume->sectors - data) / at[13];
    if (clusters == 0 || clusters >= FAT32_CLUSTERS_END)
        return false;
    volume->cluster_count = (uint32_t)clusters;
    volume->fat_offset = (uint64_t)volume->reserved * volume->sector_size;
    volume->fat_bytes = fat_sectors * volume->sector_size;
    volume->root_offset = volume->fat_offset + volume->fat_count * volume->fat_bytes;
    volume->data_offset = volume->root_offset + volume->root_bytes;
    return true;
}

/* The type, and of the FAT the part that stands for clusters. False when they contradict. */
static bool decide_type(const uint8_t *at, struct fat_volume *volume)
{
    uint64_t entries = (uint64_t)volume->cluster_count + 2;

    if (ld_le16(at + 22) == 0)
        volume->type = FAT_32;
    else
        volume->type = volume->cluster_count < FAT12_CLUSTERS_END ? FAT_12 : FAT_16;
    volume->table_bytes = fat_entries_bytes(volume->type, entries);
    if (volume->type == FAT_32 && volume->root_bytes != 0)
        return false;
    if (volume->type == FAT_16 && volume->cluster_count >= FAT16_CLUSTERS_END)
        return false;
    if (volume->type != FAT_32 && volume->root_bytes == 0)
        return false;
    return volume->table_bytes <= volume->fat_bytes;
}

/* Which clusters lie in the partition, and not behind its end. False when none does, or when the
 * disk cannot read single sectors. */
static bool fit_partition(struct fat_volume *volume)
{
    uint64_t room = volume->block_count * volume->port->block_size;

    if (volume->sector_size < volume->port->block_size ||
        room < volume->data_offset + volume->cluster_size)
        return false;
    uint64_t present = (room - volume->data_offset) / volume->cluster_size;
    volume->clusters_present =
        present < volume->cluster_count ? (uint32_t)present : volume->cluster_count;
    return true;
}

static bool fat32_fields_are_sound(const uint8_t *at, struct fat_volume *volume)
{
    uint16_t flags = ld_le16(at + 40);

    volume->fat_mirrored = (flags & ONE_FAT_COUNTS) == 0;
    volume->fat_active = volume->fat_mirrored ? 0 : flags & WHICH_FAT;
    volume->root_cluster = ld_le32(at + 44);
    volume->backup_sector = ld_le16(at + 50) == 0xffff ? 0 : ld_le16(at + 50);
    volume->root_offset = 0;
    return volume->fat_active < volume->fat_count && volume->root_cluster >= 2 &&
           volume->root_cluster - 2 < volume->cluster_count;
}

static void copy_label(const uint8_t *from, char ret_label[FAT_LABEL_SIZE])
{
    size_t used = 0;

    for (size_t i = 0; i < FAT_LABEL_SIZE - 1; i++) {
        uint8_t c = from[i];
        ret_label[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
        if (c != ' ')
            used = i + 1;
    }
    ret_label[used] = '\0';
}

/* Serial number, label and dirty bits: they cannot be wrong. `at` is that of byte 36 or 64. */
static void read_names(const uint8_t *at, struct fat_volume *volume)
{
    volume->dirty = at[1];
    volume->serial = 0;
    volume->label[0] = '\0';
    if (at[2] == 0x28 || at[2] == 0x29)
        volume->serial = ld_le32(at + 3);
    if (at[2] == 0x29)
        copy_label(at + 7, volume->label);
}

enum status fat_boot_parse(struct span sector, struct fat_volume *volume)
{
    struct fat_volume found = *volume;
    const uint8_t *at = sector.at;

    if (sector.size < SECTOR_MIN || fat_boot_is_foreign(sector))
        return ST_ABSENT;
    enum status unsound = says_fat(at) ? ST_DAMAGED : ST_ABSENT;
    /* Firmware does not look at the signature. */
    if (!sizes_are_sound(at) || !media_is_accepted(at[21]) || !lay_out(at, &found) ||
        !decide_type(at, &found) || !fit_partition(&found))
        return unsound;

    found.fat_active = 0;
    found.fat_mirrored = true;
    found.backup_sector = 0;
    found.root_cluster = 0;
    found.media = at[21];
    found.has_signature = has_signature(at);
    if (found.type == FAT_32 && ld_le16(at + 42) != 0)
        return says_fat(at) ? ST_UNSUPPORTED : ST_ABSENT;
    if (found.type == FAT_32 && !fat32_fields_are_sound(at, &found))
        return unsound;
    read_names(at + (found.type == FAT_32 ? 64 : 36), &found);
    *volume = found;
    return ST_OK;
}
