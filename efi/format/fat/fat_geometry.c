#include "format/fat/fat_geometry.h"

#include "base/mem.h"

#define MIB           (1u << 20)
#define ALIGN_SMALL   4096u
#define ALIGN_LARGE   MIB
#define LARGE_VOLUME  (64ull * MIB) /* from here on a MiB more or less does not matter */
#define FAT_COPIES    2u
#define DIRENT_SIZE   32u
#define MARGIN        16u /* clusters off the limits of a type: not all drivers count alike */
#define NOT_FIXED     0xf8u
#define FIRST_DISK    0x80u
#define HAS_LABEL     0x29u
#define TRACK_SECTORS 63u
#define HEADS         255u

struct limits {
    uint32_t least_clusters;
    uint32_t most_clusters;
    uint32_t least_reserved;
    uint32_t entry_bytes;
    uint32_t root_entries;
};

static const struct limits fat16_limits = {4085 + MARGIN, 65524 - MARGIN, 1, 2, FAT_ROOT_ENTRIES};
static const struct limits fat32_limits = {65525 + MARGIN, FAT_TABLE_MAX / 4 - MARGIN, 32, 4, 0};

/* Cluster sizes of Windows' format, for volumes up to so many MiB. */
struct cluster_choice {
    uint32_t mib;
    uint32_t cluster_bytes;
};

static const struct cluster_choice fat16_choices[] = {
    {32, 512}, {64, 1024}, {128, 2048}, {256, 4096}, {512, 8192}, {1024, 16384}, {2048, 32768},
};
static const struct cluster_choice fat32_choices[] = {
    {64, 512},     {128, 1024},    {256, 2048},         {8192, 4096},
    {16384, 8192}, {32768, 16384}, {UINT32_MAX, 32768},
};

static uint64_t round_up(uint64_t value, uint64_t step)
{
    return (value + step - 1) / step * step;
}

/* The usual cluster size, or 0 beyond the table. */
static uint32_t usual_cluster(enum fat_type type, uint64_t bytes)
{
    bool is_32 = type == FAT_32;
    const struct cluster_choice *choices = is_32 ? fat32_choices : fat16_choices;
    size_t count = is_32 ? sizeof(fat32_choices) / sizeof(fat32_choices[0])
                         : sizeof(fat16_choices) / sizeof(fat16_choices[0]);

    for (size_t i = 0; i < count; i++) {
        if (bytes <= (uint64_t)choices[i].mib * MIB)
            return choices[i].cluster_bytes;
    }
    return 0;
}

/* What stays the same while cluster size and alignment are tried. */
struct volume {
    const struct limits *limits;
    enum fat_type type;
    uint64_t first_lba;
    uint32_t sectors;
    uint32_t sector_size;
};

/* Divides it with these two. False when it does not come out. */
static bool divide(const struct volume *volume, uint32_t cluster_bytes, uint32_t alignment,
                   struct fat_geometry *ret_geometry)
{
    const struct limits *limits = volume->limits;
    uint32_t sector_size = volume->sector_size;
    uint32_t cluster_sectors = cluster_bytes / sector_size;
    uint32_t fat_step = ALIGN_SMALL / sector_size;
    uint64_t root = limits->root_entries * DIRENT_SIZE / sector_size;
    /* No more entries than if there were no FATs: a little too long is right too. */
    uint64_t fat_bytes = ((uint64_t)volume->sectors / cluster_sectors + 2) * limits->entry_bytes;
    uint64_t fat = round_up((fat_bytes + sector_size - 1) / sector_size, fat_step);
    uint64_t least = volume->first_lba + limits->least_reserved + FAT_COPIES * fat + root;
    uint64_t data = round_up(least, alignment / sector_size) - volume->first_lba;

    if (data >= volume->sectors)
        return false;
    uint64_t clusters = (volume->sectors - data) / cluster_sectors;
    uint64_t reserved = data - root - FAT_COPIES * fat;
    if (clusters < limits->least_clusters || clusters > limits->most_clusters ||
        reserved > UINT16_MAX)
        return false;
    *ret_geometry = (struct fat_geometry){
        .type = volume->type,
        .sector_size = sector_size,
        .sectors = volume->sectors,
        .cluster_sectors = cluster_sectors,
        .reserved = (uint32_t)reserved,
        .fat_sectors = (uint32_t)fat,
        .root_sectors = (uint32_t)root,
        .data = (uint32_t)data,
        .cluster_count = (uint32_t)clusters,
    };
    return true;
}

bool fat_geometry_make(enum fat_type type, uint64_t first_lba, uint64_t block_count,
                       uint32_t block_size, struct fat_geometry *ret_geometry)
{
    if ((type != FAT_16 && type != FAT_32) || (block_size != 512 && block_size != 4096) ||
        block_count > UINT32_MAX || first_lba > UINT64_MAX / 2)
        return false;
    struct volume volume = {.limits = type == FAT_32 ? &fat32_limits : &fat16_limits,
                            .type = type,
                            .first_lba = first_lba,
                            .sectors = (uint32_t)block_count,
                            .sector_size = block_size};
    uint64_t bytes = block_count * block_size;
    uint32_t cluster = usual_cluster(type, bytes);
    if (cluster != 0 && cluster < block_size)
        cluster = block_size;
    for (; cluster >= block_size; cluster /= 2) {
        if (bytes >= LARGE_VOLUME && divide(&volume, cluster, ALIGN_LARGE, ret_geometry))
            return true;
        if (divide(&volume, cluster, ALIGN_SMALL, ret_geometry))
            return true;
    }
    return false;
}

enum fat_type fat_type_for(uint64_t bytes, uint32_t block_size, uint32_t *ret_cluster_bytes)
{
    static const enum fat_type types[] = {FAT_32, FAT_16};
    struct fat_geometry geometry;

    *ret_cluster_bytes = 0;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (fat_geometry_make(types[i], 0, bytes / block_size, block_size, &geometry)) {
            *ret_cluster_bytes = geometry.cluster_sectors * block_size;
            return types[i];
        }
    }
    return FAT_16;
}

/* From byte 36 (FAT16) or 64 (FAT32) on. */
static void put_names(const char *type_name, uint32_t serial, const uint8_t *label, uint8_t *at)
{
    at[0] = FIRST_DISK;
    at[2] = HAS_LABEL;
    st_le32(at + 3, serial);
    memcpy(at + 7, label, 11);
    memcpy(at + 18, type_name, 8);
}

/* The beginning: a jump over the fields to code that only stops, and the maker most drivers
 * know. */
static void put_code(uint8_t *at, uint8_t fields_end)
{
    static const uint8_t stop[] = {0xfa, 0xf4, 0xeb, 0xfd}; /* cli; hlt; back to hlt */

    at[0] = 0xeb;
    at[1] = fields_end - 2;
    at[2] = 0x90;
    memcpy(at + 3, "MSDOS5.0", 8);
    memcpy(at + fields_end, stop, sizeof(stop));
    at[510] = 0x55;
    at[511] = 0xaa;
}

void fat_boot_sector_put(const struct fat_geometry *geometry, uint64_t first_lba, uint32_t serial,
                         const uint8_t *label, uint8_t *ret_sector)
{
    uint8_t *at = ret_sector;
    bool is_32 = geometry->type == FAT_32;

    put_code(at, is_32 ? 90 : 62);
    st_le16(at + 11, (uint16_t)geometry->sector_size);
    at[13] = (uint8_t)geometry->cluster_sectors;
    st_le16(at + 14, (uint16_t)geometry->reserved);
    at[16] = FAT_COPIES;
    at[21] = NOT_FIXED;
    st_le16(at + 24, TRACK_SECTORS);
    st_le16(at + 26, HEADS);
    st_le32(at + 28, first_lba <= UINT32_MAX ? (uint32_t)first_lba : 0);
    if (!is_32 && geometry->sectors <= UINT16_MAX)
        st_le16(at + 19, (uint16_t)geometry->sectors);
    else
        st_le32(at + 32, geometry->sectors);
    if (!is_32) {
        st_le16(at + 17, FAT_ROOT_ENTRIES);
        st_le16(at + 22, (uint16_t)geometry->fat_sectors);
        put_names("FAT16   ", serial, label, at + 36);
        return;
    }
    st_le32(at + 36, geometry->fat_sectors);
    st_le32(at + 44, 2); /* root directory */
    st_le16(at + 48, FAT_FSINFO_SECTOR);
    st_le16(at + 50, FAT_BACKUP_SECTOR);
    put_names("FAT32   ", serial, label, at + 64);
}

#define FSINFO_FIRST  0x41615252u
#define FSINFO_SECOND 0x61417272u
#define FSINFO_LAST   0xaa550000u

void fat_fsinfo_put(uint32_t free_clusters, uint32_t next, uint8_t *ret_sector)
{
    st_le32(ret_sector, FSINFO_FIRST);
    st_le32(ret_sector + 484, FSINFO_SECOND);
    st_le32(ret_sector + 508, FSINFO_LAST);
    (void)fat_fsinfo_update(ret_sector, free_clusters, next);
}

bool fat_fsinfo_update(uint8_t *sector, uint32_t free_clusters, uint32_t next)
{
    if (ld_le32(sector) != FSINFO_FIRST || ld_le32(sector + 484) != FSINFO_SECOND ||
        ld_le32(sector + 508) != FSINFO_LAST)
        return false;
    st_le32(sector + 488, free_clusters);
    st_le32(sector + 492, next);
    return true;
}
