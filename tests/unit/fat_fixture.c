#include "unit/fat_fixture.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"

#define SERIAL 0x1234abcdu
#define TIME   (12u << 11 | 34u << 5 | 56u / 2)
#define DATE   ((2021u - 1980) << 9 | 6u << 5 | 15u)

static uint32_t load(const uint8_t *at, size_t size)
{
    uint32_t value = 0;

    while (size-- > 0)
        value = value << 8 | at[size];
    return value;
}

uint32_t fat_fixture_end(const struct fat_fixture *fat)
{
    return fat->type == 12 ? 0xfff : fat->type == 16 ? 0xffff : 0x0fffffff;
}

uint32_t fat_fixture_bad(const struct fat_fixture *fat)
{
    return fat_fixture_end(fat) - 8;
}

/* How many clusters there are when each FAT has so many sectors. */
static uint64_t clusters_with(const struct fat_fixture *fat, uint64_t reserved,
                              uint64_t fat_sectors)
{
    uint64_t used =
        (reserved + fat->fats * fat_sectors) * fat->sector_size + fat->root_entries * 32u;

    if (used >= fat->size)
        host_fail("no room for a FAT");
    return (fat->size - used) / fat->cluster_size;
}

static uint64_t bytes_for(const struct fat_fixture *fat, uint64_t clusters)
{
    return ((clusters + 2) * (uint64_t)fat->type + 7) / 8;
}

static void lay_out(struct fat_fixture *fat, uint64_t reserved)
{
    uint64_t sectors = 1;

    while (bytes_for(fat, clusters_with(fat, reserved, sectors)) > sectors * fat->sector_size)
        sectors++;
    fat->clusters = (uint32_t)clusters_with(fat, reserved, sectors);
    fat->fat_offset = reserved * fat->sector_size;
    fat->fat_bytes = sectors * fat->sector_size;
    fat->root_offset = fat->fat_offset + fat->fats * fat->fat_bytes;
    fat->data_offset = fat->root_offset + fat->root_entries * 32u;
    if ((fat->type == 12 && fat->clusters >= 4085) ||
        (fat->type == 16 && (fat->clusters < 4085 || fat->clusters >= 65525)))
        host_fail("the number of clusters is for another type of FAT");
}

static void write_names(uint8_t *at)
{
    at[0] = 0x80;
    at[2] = 0x29;
    fixture_store_le(at + 3, SERIAL, 4);
    memcpy(at + 7, "FIXTURE    ", 11);
}

static void write_boot_sector(const struct fat_fixture *fat, uint8_t *at)
{
    uint64_t sectors = fat->size / fat->sector_size;
    bool small = fat->type != 32 && sectors < 65536;

    memcpy(at, "\xeb\x3c\x90MSDOS5.0", 11);
    fixture_store_le(at + 11, fat->sector_size, 2);
    at[13] = (uint8_t)(fat->cluster_size / fat->sector_size);
    fixture_store_le(at + 14, fat->fat_offset / fat->sector_size, 2);
    at[16] = (uint8_t)fat->fats;
    fixture_store_le(at + 17, fat->root_entries, 2);
    fixture_store_le(at + (small ? 19 : 32), sectors, small ? 2 : 4);
    at[21] = 0xf8;
    at[510] = 0x55;
    at[511] = 0xaa;
    if (fat->type != 32) {
        fixture_store_le(at + 22, fat->fat_bytes / fat->sector_size, 2);
        write_names(at + 36);
        memcpy(at + 54, fat->type == 12 ? "FAT12   " : "FAT16   ", 8);
        return;
    }
    fixture_store_le(at + 36, fat->fat_bytes / fat->sector_size, 4);
    fixture_store_le(at + 44, fat->root_cluster, 4);
    fixture_store_le(at + 48, 1, 2);
    fixture_store_le(at + 50, 6, 2);
    write_names(at + 64);
    memcpy(at + 82, "FAT32   ", 8);
}

void fat_fixture_format(struct fat_fixture *fat, void *image, uint64_t size, int type,
                        uint32_t sector_size, uint32_t sectors_per_cluster)
{
    *fat = (struct fat_fixture){
        .image = image,
        .size = size,
        .type = type,
        .sector_size = sector_size,
        .cluster_size = sector_size * sectors_per_cluster,
        .fats = 2,
        .root_entries = type == 32 ? 0 : 512,
        .next_cluster = 2,
    };
    lay_out(fat, type == 32 ? 32 : 1);
    fat_fixture_set_link(fat, 0, fat_fixture_end(fat) & (~0xffu | 0xf8));
    fat_fixture_set_link(fat, 1, fat_fixture_end(fat));
    if (type == 32)
        fat->root_cluster = fat_fixture_take(fat, 1);
    write_boot_sector(fat, fat->image);
    if (type == 32)
        write_boot_sector(fat, fat->image + 6 * (size_t)sector_size);
}

uint8_t *fat_fixture_cluster(const struct fat_fixture *fat, uint32_t cluster)
{
    return fat->image + fat->data_offset + (uint64_t)(cluster - 2) * fat->cluster_size;
}

static uint8_t *link_at(const struct fat_fixture *fat, uint32_t copy, uint32_t cluster)
{
    return fat->image + fat->fat_offset + copy * fat->fat_bytes +
           (uint64_t)cluster * (uint64_t)fat->type / 8;
}

uint32_t fat_fixture_link(const struct fat_fixture *fat, uint32_t cluster)
{
    const uint8_t *at = link_at(fat, 0, cluster);

    if (fat->type == 12)
        return cluster % 2 != 0 ? load(at, 2) >> 4 : load(at, 2) & 0xfff;
    return load(at, (size_t)fat->type / 8);
}

void fat_fixture_set_link_in(struct fat_fixture *fat, uint32_t copy, uint32_t cluster,
                             uint32_t value)
{
    uint8_t *at = link_at(fat, copy, cluster);

    if (fat->type != 12)
        fixture_store_le(at, value, (size_t)fat->type / 8);
    else if (cluster % 2 != 0)
        fixture_store_le(at, (load(at, 2) & 0x000f) | value << 4, 2);
    else
        fixture_store_le(at, (load(at, 2) & 0xf000) | value, 2);
}

void fat_fixture_set_link(struct fat_fixture *fat, uint32_t cluster, uint32_t value)
{
    for (uint32_t copy = 0; copy < fat->fats; copy++)
        fat_fixture_set_link_in(fat, copy, cluster, value);
}

uint32_t fat_fixture_take(struct fat_fixture *fat, uint32_t count)
{
    uint32_t first = fat->next_cluster;

    if (count > fat->clusters + 2 - first)
        host_fail("the FAT volume is full");
    for (uint32_t i = 0; i < count; i++)
        fat_fixture_set_link(fat, first + i, i + 1 < count ? first + i + 1 : fat_fixture_end(fat));
    fat->next_cluster += count;
    return first;
}

static bool is_last(const struct fat_fixture *fat, uint32_t cluster)
{
    return fat_fixture_link(fat, cluster) == fat_fixture_end(fat);
}

/* Place `index` of a directory; it grows by a cluster when `grow` is set and that is just enough,
 * else NULL. */
static uint8_t *place(struct fat_fixture *fat, uint32_t parent, size_t index, bool grow)
{
    uint32_t per_cluster = fat->cluster_size / 32;
    uint32_t cluster = parent != 0 ? parent : fat->root_cluster;

    if (parent == 0 && fat->type != 32)
        return index < fat->root_entries ? fat->image + fat->root_offset + 32 * index : NULL;
    for (; index >= per_cluster; index -= per_cluster) {
        if (is_last(fat, cluster)) {
            if (!grow)
                return NULL;
            uint32_t next = fat_fixture_take(fat, 1);
            fat_fixture_set_link(fat, cluster, next);
        }
        cluster = fat_fixture_link(fat, cluster);
    }
    return fat_fixture_cluster(fat, cluster) + 32 * index;
}

uint8_t *fat_fixture_put_entry(struct fat_fixture *fat, uint32_t parent, const uint8_t *entry)
{
    for (size_t i = fat->last_parent == parent ? fat->last_index : 0;; i++) {
        uint8_t *at = place(fat, parent, i, true);
        if (at == NULL)
            host_fail("the root directory is full");
        if (at[0] != 0)
            continue;
        memcpy(at, entry, 32);
        fat->last_parent = parent;
        fat->last_index = i;
        return at;
    }
}

/* True when `name` is in capitals and 8.3, which is then in `ret_short`. */
static bool is_short(const char *name, uint8_t ret_short[11])
{
    const char *dot = strchr(name, '.');
    size_t base = dot != NULL ? (size_t)(dot - name) : strlen(name);
    const char *extension = dot != NULL ? dot + 1 : "";

    if (base == 0 || base > 8 || strlen(extension) > 3 || strchr(extension, '.') != NULL)
        return false;
    for (const char *at = name; *at != '\0'; at++) {
        if (islower((unsigned char)*at) || *at == ' ' || *at == '+' || *at == ',')
            return false;
    }
    memset(ret_short, ' ', 11);
    memcpy(ret_short, name, base);
    memcpy(ret_short + 8, extension, strlen(extension));
    return true;
}

/* A short name that no other has. */
static void invent_short(struct fat_fixture *fat, uint8_t ret_short[11])
{
    char text[16];

    snprintf(text, sizeof(text), "L~%06u   ", fat->names++ % 1000000);
    memcpy(ret_short, text, 11);
}

size_t fat_fixture_long_pieces(const uint16_t *units, size_t count, const uint8_t short_name[11],
                               uint8_t ret_pieces[20 * 32])
{
    static const uint8_t offsets[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    size_t pieces = (count + 12) / 13;
    unsigned sum = 0;

    for (size_t i = 0; i < 11; i++)
        sum = (((sum & 1) << 7) + (sum >> 1) + short_name[i]) & 0xff;
    memset(ret_pieces, 0, pieces * 32);
    for (size_t piece = 0; piece < pieces; piece++) {
        uint8_t *at = ret_pieces + 32 * (pieces - 1 - piece);
        at[0] = (uint8_t)(piece + 1 + (piece + 1 == pieces ? 0x40 : 0));
        at[11] = 0x0f;
        at[13] = (uint8_t)sum;
        for (size_t i = 0; i < 13; i++) {
            size_t unit = piece * 13 + i;
            uint16_t value = unit < count ? units[unit] : unit == count ? 0 : 0xffff;
            fixture_store_le(at + offsets[i], value, 2);
        }
    }
    return pieces;
}

static void put_long(struct fat_fixture *fat, uint32_t parent, const char *name,
                     const uint8_t short_name[11])
{
    uint16_t units[255];
    uint8_t pieces[20 * 32];
    size_t length = strlen(name);

    if (length > 255)
        host_fail("a name of more than 255 characters");
    for (size_t i = 0; i < length; i++)
        units[i] = (uint8_t)name[i];
    size_t count = fat_fixture_long_pieces(units, length, short_name, pieces);
    for (size_t i = 0; i < count; i++)
        fat_fixture_put_entry(fat, parent, pieces + 32 * i);
}

uint8_t *fat_fixture_add(struct fat_fixture *fat, uint32_t parent, const char *name,
                         uint8_t attributes, uint32_t first_cluster, uint32_t size)
{
    uint8_t entry[32] = {0};

    if (!is_short(name, entry)) {
        invent_short(fat, entry);
        put_long(fat, parent, name, entry);
    }
    entry[11] = attributes;
    fixture_store_le(entry + 20, fat->type == 32 ? first_cluster >> 16 : 0, 2);
    fixture_store_le(entry + 22, TIME, 2);
    fixture_store_le(entry + 24, DATE, 2);
    fixture_store_le(entry + 26, first_cluster & 0xffff, 2);
    fixture_store_le(entry + 28, size, 4);
    return fat_fixture_put_entry(fat, parent, entry);
}

uint32_t fat_fixture_add_file(struct fat_fixture *fat, uint32_t parent, const char *name,
                              const void *data, uint32_t size)
{
    uint32_t count = (size + fat->cluster_size - 1) / fat->cluster_size;
    uint32_t first = count > 0 ? fat_fixture_take(fat, count) : 0;

    if (size > 0)
        memcpy(fat_fixture_cluster(fat, first), data, size);
    fat_fixture_add(fat, parent, name, 0x20, first, size);
    return first;
}

static void put_dot(struct fat_fixture *fat, uint32_t directory, const char *name, uint32_t cluster)
{
    uint8_t entry[32] = {0};

    memcpy(entry, name, 11);
    entry[11] = 0x10;
    fixture_store_le(entry + 20, fat->type == 32 ? cluster >> 16 : 0, 2);
    fixture_store_le(entry + 26, cluster & 0xffff, 2);
    fat_fixture_put_entry(fat, directory, entry);
}

uint32_t fat_fixture_add_directory(struct fat_fixture *fat, uint32_t parent, const char *name)
{
    uint32_t first = fat_fixture_take(fat, 1);

    put_dot(fat, first, ".          ", first);
    put_dot(fat, first, "..         ", parent);
    fat_fixture_add(fat, parent, name, 0x10, first, 0);
    return first;
}

/* The long name whose pieces end before `entry` is `name`. Only ASCII is compared. */
static bool has_long_name(const uint8_t *entries, size_t index, const char *name)
{
    static const uint8_t offsets[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++) {
        size_t back = i / 13 + 1;
        if (back > index)
            return false;
        const uint8_t *piece = entries + 32 * (index - back);
        if (piece[11] != 0x0f || piece[offsets[i % 13]] != (uint8_t)name[i])
            return false;
    }
    /* It must end there too: in a piece that is not full with a NUL, else with the last piece. */
    const uint8_t *last =
        index > (length - 1) / 13 ? entries + 32 * (index - 1 - (length - 1) / 13) : NULL;
    return last != NULL && (last[0] & 0x40) != 0 &&
           (length % 13 == 0 || last[offsets[length % 13]] == 0);
}

uint8_t *fat_fixture_entry(const struct fat_fixture *fat, uint32_t parent, const char *name)
{
    struct fat_fixture copy = *fat;
    uint8_t seen[64 * 32]; /* the last entries, in order */
    uint8_t short_name[11];
    bool wants_short = is_short(name, short_name);
    size_t kept = 0;

    for (size_t i = 0;; i++) {
        uint8_t *at = place(&copy, parent, i, false);
        if (at == NULL || at[0] == 0)
            return NULL;
        if (kept == 64) {
            memmove(seen, seen + 32, sizeof(seen) - 32);
            kept--;
        }
        if (at[11] != 0x0f &&
            (wants_short ? memcmp(at, short_name, 11) == 0 : has_long_name(seen, kept, name)))
            return at;
        memcpy(seen + 32 * kept++, at, 32);
    }
}
