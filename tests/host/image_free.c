#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64

#include "host/image_free.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "host/host_alloc.h"

#define BOOT_SECTOR 512u
#define FAT16_FROM  4085u /* clusters */
#define FAT32_FROM  65525u
#define FAT32_BITS  0x0fffffffu

struct shape {
    uint64_t fat_at;   /* bytes behind the start of the volume */
    uint64_t fat_size; /* bytes */
    uint64_t clusters;
    uint32_t cluster_size; /* bytes */
    unsigned nibbles;      /* of an entry */
};

static bool read_shape(const uint8_t *sector, struct shape *ret_shape)
{
    uint64_t sector_size = ld_le16(sector + 11);
    uint64_t small = ld_le16(sector + 19);
    uint64_t sectors = small != 0 ? small : ld_le32(sector + 32);
    uint64_t fat = ld_le16(sector + 22) != 0 ? ld_le16(sector + 22) : ld_le32(sector + 36);

    if (sector_size == 0 || sector[13] == 0)
        return false;
    uint64_t root = (ld_le16(sector + 17) * 32ull + sector_size - 1) / sector_size;
    uint64_t meta = ld_le16(sector + 14) + sector[16] * fat + root;
    if (sectors <= meta)
        return false;
    *ret_shape = (struct shape){.fat_at = ld_le16(sector + 14) * sector_size,
                                .fat_size = fat * sector_size,
                                .clusters = (sectors - meta) / sector[13],
                                .cluster_size = (uint32_t)(sector_size * sector[13])};
    ret_shape->nibbles = ret_shape->clusters < FAT16_FROM   ? 3
                         : ret_shape->clusters < FAT32_FROM ? 4
                                                            : 8;
    return ret_shape->fat_size * 2 >= (ret_shape->clusters + 2) * ret_shape->nibbles;
}

static bool is_free(const uint8_t *fat, unsigned nibbles, uint64_t cluster)
{
    const uint8_t *at = fat + cluster * nibbles / 2;

    if (nibbles == 8)
        return (ld_le32(at) & FAT32_BITS) == 0;
    if (nibbles == 4)
        return ld_le16(at) == 0;
    return (cluster % 2 != 0 ? ld_le16(at) >> 4 : ld_le16(at) & 0xfff) == 0;
}

uint64_t image_free(int fd, uint64_t offset)
{
    uint8_t sector[BOOT_SECTOR];
    struct shape shape;
    uint64_t count = 0;

    if (pread(fd, sector, sizeof(sector), (off_t)offset) != (ssize_t)sizeof(sector) ||
        !read_shape(sector, &shape))
        return 0;
    size_t size = (size_t)(((shape.clusters + 2) * shape.nibbles + 1) / 2);
    uint8_t *fat = malloc(size);
    if (fat == NULL)
        host_fail("out of memory");
    if (pread(fd, fat, size, (off_t)(offset + shape.fat_at)) == (ssize_t)size) {
        for (uint64_t cluster = 2; cluster < shape.clusters + 2; cluster++)
            count += is_free(fat, shape.nibbles, cluster);
    }
    free(fat);
    return count * shape.cluster_size;
}
