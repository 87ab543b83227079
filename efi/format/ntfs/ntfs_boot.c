#include "format/ntfs/ntfs_boot.h"

#include "base/mem.h"

/* A power of two from `least` to `most`. */
static enum status check_size(uint64_t size, uint32_t least, uint32_t most)
{
    if (!is_power_of_two(size))
        return ST_DAMAGED;
    return size < least || size > most ? ST_UNSUPPORTED : ST_OK;
}

/* What FAT keeps here is zero on NTFS. */
static bool fat_fields_are_zero(struct span sector)
{
    return span_is_zero(span_part(sector, 14, 7)) && span_is_zero(span_part(sector, 22, 2)) &&
           span_is_zero(span_part(sector, 32, 4));
}

/* Bytes of a cluster; 0 when there is no such number. */
static uint64_t cluster_bytes(uint8_t field, uint32_t sector_size)
{
    if (field <= 128)
        return (uint64_t)field * sector_size;
    unsigned power = 256u - field;
    return power < 32 ? (uint64_t)sector_size << power : 0;
}

/* Bytes of a file or index record; 0 when there is no such number. */
static uint64_t record_bytes(uint8_t field, uint32_t cluster_size)
{
    if (field < 128)
        return (uint64_t)field * cluster_size;
    unsigned power = 256u - field;
    return power < 32 ? (uint64_t)1 << power : 0;
}

static enum status record_sizes(struct span sector, struct ntfs_geometry *geometry)
{
    uint64_t record = record_bytes(sector.at[64], geometry->cluster_size);
    uint64_t index = record_bytes(sector.at[68], geometry->cluster_size);
    enum status status = check_size(record, NTFS_RECORD_MIN_BYTES, NTFS_RECORD_MAX_BYTES);

    if (status != ST_OK)
        return status;
    status = check_size(index, NTFS_RECORD_MIN_BYTES, NTFS_RECORD_MAX_BYTES);
    if (status != ST_OK)
        return status;
    geometry->record_size = (uint32_t)record;
    geometry->index_size = (uint32_t)index;
    return ST_OK;
}

static enum status unit_sizes(struct span sector, struct ntfs_geometry *geometry)
{
    uint32_t sector_size = ld_le16(sector.at + 11);
    enum status status = check_size(sector_size, NTFS_SECTOR_MIN_BYTES, NTFS_SECTOR_MAX_BYTES);

    if (status != ST_OK)
        return status;
    uint64_t cluster = cluster_bytes(sector.at[13], sector_size);
    status = check_size(cluster, NTFS_SECTOR_MIN_BYTES, NTFS_CLUSTER_MAX_BYTES);
    if (status != ST_OK)
        return status;
    geometry->sector_size = sector_size;
    geometry->cluster_size = (uint32_t)cluster;
    return ST_OK;
}

static enum status places(struct span sector, struct ntfs_geometry *geometry)
{
    geometry->sectors = ld_le64(sector.at + 40);
    if (geometry->sectors > INT64_MAX / geometry->sector_size)
        return ST_DAMAGED;
    geometry->bytes = geometry->sectors * geometry->sector_size;
    geometry->clusters = geometry->bytes / geometry->cluster_size;
    geometry->mft_cluster = ld_le64(sector.at + 48);
    geometry->mirror_cluster = ld_le64(sector.at + 56);
    /* Cluster 0 holds the boot sector itself. */
    if (geometry->mft_cluster == 0 || geometry->mft_cluster >= geometry->clusters)
        return ST_DAMAGED;
    if (geometry->mirror_cluster == 0 || geometry->mirror_cluster >= geometry->clusters)
        return ST_DAMAGED;
    return ST_OK;
}

enum status ntfs_boot_parse(struct span sector, struct ntfs_geometry *ret_geometry)
{
    struct ntfs_geometry geometry = {0};

    if (sector.size < NTFS_BOOT_BYTES || memcmp(sector.at + 3, "NTFS    ", 8) != 0)
        return ST_ABSENT;
    if (ld_le16(sector.at + 510) != 0xaa55 || !fat_fields_are_zero(sector))
        return ST_DAMAGED;
    enum status status = unit_sizes(sector, &geometry);
    if (status != ST_OK)
        return status;
    status = record_sizes(sector, &geometry);
    if (status != ST_OK)
        return status;
    status = places(sector, &geometry);
    if (status != ST_OK)
        return status;
    geometry.serial = ld_le64(sector.at + 72);
    *ret_geometry = geometry;
    return ST_OK;
}

bool ntfs_geometry_equal(const struct ntfs_geometry *a, const struct ntfs_geometry *b)
{
    return a->sector_size == b->sector_size && a->cluster_size == b->cluster_size &&
           a->record_size == b->record_size && a->index_size == b->index_size &&
           a->sectors == b->sectors && a->serial == b->serial && a->mft_cluster == b->mft_cluster &&
           a->mirror_cluster == b->mirror_cluster;
}
