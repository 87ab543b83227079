#include "sweep/truth_fat.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/host_alloc.h"

#define BOOT_SIZE      512u
#define RECORD         32u
#define FAT32_CLUSTERS 65525u
#define FAT16_CLUSTERS 4085u
#define NAME_MAX_TEXT  260u
#define DEPTH_MAX      16u
#define FOLDER_MAX     (1u << 20) /* bytes of a folder that are looked at */
#define IS_LONG        0x0fu
#define IS_LABEL       0x08u
#define IS_FOLDER      0x10u
#define UNUSED         0xe5u

struct entry {
    char name[NAME_MAX_TEXT];
    char short_name[13];
    uint8_t attributes;
    uint8_t written[4];
    uint32_t first;
    uint32_t size;
};

/* --- The volume ----------------------------------------------------------------------------- */

static bool is_power(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* The checks of edk2's driver on a boot sector. */
static bool take_geometry(const uint8_t *boot, struct truth_fat *fat)
{
    uint32_t sector = ld_le16(boot + 11);
    uint32_t reserved = ld_le16(boot + 14);
    uint32_t sectors = ld_le16(boot + 19) != 0 ? ld_le16(boot + 19) : ld_le32(boot + 32);
    uint32_t small = ld_le16(boot + 22);
    uint32_t size = small != 0 ? small : ld_le32(boot + 36);
    uint8_t media = boot[21];

    fat->root_entries = ld_le16(boot + 17);
    if (reserved == 0 || boot[16] == 0 || sectors == 0 || size == 0 || !is_power(sector) ||
        sector < 512 || sector > 4096 || !is_power(boot[13]))
        return false;
    if (media < 0xf8 && media != 0xf0 && media > 1)
        return false;
    if (small == 0 ? ld_le16(boot + 42) != 0 || (ld_le16(boot + 40) & 0x80) != 0
                   : fat->root_entries == 0)
        return false;
    uint64_t meta =
        reserved + (uint64_t)boot[16] * size + (fat->root_entries * RECORD + sector - 1) / sector;
    if (meta > sectors)
        return false;
    fat->clusters = (uint32_t)((sectors - meta) / boot[13]);
    fat->cluster_size = sector * boot[13];
    fat->fat_offset = (uint64_t)reserved * sector;
    fat->link_bytes = (size_t)size * sector;
    fat->root_offset = fat->fat_offset + (uint64_t)boot[16] * fat->link_bytes;
    fat->data_offset = meta * sector;
    fat->root_cluster = ld_le32(boot + 44);
    fat->bits = small == 0 ? 32 : fat->clusters < FAT16_CLUSTERS ? 12 : 16;
    return (small == 0) == (fat->clusters >= FAT32_CLUSTERS);
}

/* False when one of the blocks before the data cannot be read. */
static bool meta_is_readable(const struct truth_fat *fat)
{
    uint8_t *meta = host_alloc(1, (size_t)fat->data_offset);
    bool good = truth_disk_read(fat->disk, fat->offset, meta, (size_t)fat->data_offset);

    free(meta);
    return good;
}

bool truth_fat_open(const struct block_port *disk, const struct truth_part *part,
                    struct truth_fat *ret_fat)
{
    uint8_t boot[BOOT_SIZE];

    *ret_fat = (struct truth_fat){.disk = disk, .offset = part->first * disk->block_size};
    if (!truth_disk_read(disk, ret_fat->offset, boot, sizeof(boot)) ||
        !take_geometry(boot, ret_fat) || ret_fat->link_bytes > FOLDER_MAX * 16 ||
        !meta_is_readable(ret_fat))
        return false;
    ret_fat->links = host_alloc(1, ret_fat->link_bytes + 4);
    bool good = truth_disk_read(disk, ret_fat->offset + ret_fat->fat_offset, ret_fat->links,
                                ret_fat->link_bytes);
    if (!good)
        truth_fat_close(ret_fat);
    return good;
}

void truth_fat_close(struct truth_fat *fat)
{
    free(fat->links);
    fat->links = NULL;
}

/* The cluster behind one of a chain, or 0 where the chain ends or leads astray. */
static uint32_t next_of(const struct truth_fat *fat, uint32_t cluster)
{
    uint64_t at = (uint64_t)cluster * (unsigned)fat->bits / 8;
    uint32_t next = 0;

    if (at + 4 > fat->link_bytes + 4)
        return 0;
    if (fat->bits == 32)
        next = ld_le32(fat->links + at) & 0x0fffffff;
    else if (fat->bits == 16)
        next = ld_le16(fat->links + at);
    else
        next =
            (cluster & 1) != 0 ? ld_le16(fat->links + at) >> 4 : ld_le16(fat->links + at) & 0xfffu;
    return next >= 2 && next < fat->clusters + 2 ? next : 0;
}

/* --- Chains --------------------------------------------------------------------------------- */

/* The bytes of a chain, at most `most`: to be freed. NULL when nothing or not all can be read. */
static uint8_t *read_chain(const struct truth_fat *fat, uint32_t cluster, size_t most,
                           size_t *ret_size)
{
    uint8_t *data = NULL;
    size_t used = 0;

    while (cluster >= 2 && cluster < fat->clusters + 2 && used < most) {
        uint64_t place =
            fat->offset + fat->data_offset + (uint64_t)(cluster - 2) * fat->cluster_size;
        data = host_grow(data, used + fat->cluster_size);
        if (!truth_disk_read(fat->disk, place, data + used, fat->cluster_size)) {
            free(data);
            return NULL;
        }
        used += fat->cluster_size;
        cluster = next_of(fat, cluster);
    }
    *ret_size = used;
    return data;
}

static uint8_t *read_folder(const struct truth_fat *fat, uint32_t first, size_t *ret_size)
{
    if (first != 0 || fat->bits == 32)
        return read_chain(fat, first != 0 ? first : fat->root_cluster, FOLDER_MAX, ret_size);
    *ret_size = (size_t)fat->root_entries * RECORD;
    uint8_t *data = host_alloc(1, *ret_size);
    if (truth_disk_read(fat->disk, fat->offset + fat->root_offset, data, *ret_size))
        return data;
    free(data);
    return NULL;
}

/* --- Folders -------------------------------------------------------------------------------- */

/* A long name, put together from its pieces; `count` of them have been met. */
struct long_name {
    uint16_t units[20 * 13 + 1];
    unsigned next; /* number of the piece that comes next, 0: the name is whole */
    uint8_t sum;
    bool broken;
};

static uint8_t sum_of(const uint8_t *short_name)
{
    uint8_t sum = 0;

    for (int i = 0; i < 11; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + short_name[i]);
    return sum;
}

static void take_piece(struct long_name *name, const uint8_t *record)
{
    static const uint8_t places[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    unsigned number = record[0] & 0x1f;

    if ((record[0] & 0x40) != 0) {
        memset(name, 0, sizeof(*name));
        name->next = number;
        name->sum = record[13];
    }
    name->broken = name->broken || number == 0 || number > 20 || number != name->next ||
                   record[13] != name->sum;
    if (name->broken)
        return;
    for (unsigned i = 0; i < 13; i++)
        name->units[(number - 1) * 13 + i] = ld_le16(record + places[i]);
    name->next = number - 1;
}

static void put_short(const uint8_t *record, char ret_name[13])
{
    size_t used = 0;

    for (int i = 0; i < 11; i++) {
        if (i == 8 && record[8] != ' ')
            ret_name[used++] = '.';
        if (record[i] != ' ')
            ret_name[used++] = (char)record[i];
    }
    ret_name[used] = 0;
}

/* The name of the record behind the pieces: the long one where it belongs to it. */
static void put_name(struct long_name *name, const uint8_t *record, struct entry *entry)
{
    bool whole =
        name->units[0] != 0 && !name->broken && name->next == 0 && name->sum == sum_of(record);

    put_short(record, entry->short_name);
    strcpy(entry->name, entry->short_name);
    for (size_t i = 0; whole && i < NAME_MAX_TEXT; i++) {
        uint16_t unit = name->units[i];
        entry->name[i] = unit < 0x80 ? (char)unit : '?';
        if (unit == 0)
            break;
    }
    memset(name, 0, sizeof(*name));
}

/* Gives the next file or folder of a folder's bytes, from `*io_at` on; false at the end. */
static bool next_entry(const struct truth_fat *fat, const uint8_t *folder, size_t size,
                       size_t *io_at, struct entry *ret_entry)
{
    struct long_name name = {.next = 0};

    for (; *io_at + RECORD <= size; *io_at += RECORD) {
        const uint8_t *record = folder + *io_at;
        if (record[0] == 0)
            return false;
        if (record[0] == UNUSED) {
            memset(&name, 0, sizeof(name));
        } else if ((record[11] & 0x3f) == IS_LONG) {
            take_piece(&name, record);
        } else if ((record[11] & IS_LABEL) == 0) {
            put_name(&name, record, ret_entry);
            ret_entry->attributes = record[11];
            memcpy(ret_entry->written, record + 22, 4);
            ret_entry->size = ld_le32(record + 28);
            ret_entry->first = ld_le16(record + 26);
            if (fat->bits == 32)
                ret_entry->first |= (uint32_t)(ld_le16(record + 20) & 0x0fff) << 16;
            *io_at += RECORD;
            return true;
        }
    }
    return false;
}

static bool is_dots(const struct entry *entry)
{
    return strcmp(entry->short_name, ".") == 0 || strcmp(entry->short_name, "..") == 0;
}

static bool find_in(const struct truth_fat *fat, uint32_t folder, const char *name,
                    struct entry *ret_entry)
{
    size_t size = 0;
    uint8_t *data = read_folder(fat, folder, &size);
    size_t at = 0;
    bool found = false;

    while (data != NULL && !found && next_entry(fat, data, size, &at, ret_entry))
        found =
            strcasecmp(ret_entry->name, name) == 0 || strcasecmp(ret_entry->short_name, name) == 0;
    free(data);
    return found;
}

/* --- Files ---------------------------------------------------------------------------------- */

static struct truth_file read_file(const struct truth_fat *fat, const struct entry *entry)
{
    struct truth_file file = {.data = NULL};
    size_t got = 0;

    if (entry->size == 0)
        return (struct truth_file){.data = host_alloc(1, 1)};
    file.data = read_chain(fat, entry->first, entry->size, &got);
    file.size = entry->size;
    if (file.data == NULL || got < entry->size) {
        free(file.data);
        file.data = NULL;
    }
    return file;
}

/* What a path names; false when it is not there. The root folder has no entry. */
static bool walk(const struct truth_fat *fat, const char *path, struct entry *ret_entry)
{
    char name[NAME_MAX_TEXT];
    uint32_t folder = 0;
    bool found = false;

    while (*path != 0) {
        path += strspn(path, "\\/");
        size_t length = strcspn(path, "\\/");
        if (length == 0)
            break;
        if (length >= sizeof(name) || (found && (ret_entry->attributes & IS_FOLDER) == 0))
            return false;
        memcpy(name, path, length);
        name[length] = 0;
        found = find_in(fat, folder, name, ret_entry);
        if (!found)
            return false;
        folder = ret_entry->first;
        path += length;
    }
    return found;
}

struct truth_file truth_fat_read(const struct truth_fat *fat, const char *path)
{
    struct entry entry;

    if (!walk(fat, path, &entry) || (entry.attributes & IS_FOLDER) != 0)
        return (struct truth_file){.data = NULL};
    return read_file(fat, &entry);
}

void truth_fat_folders(const struct truth_fat *fat, const char *path, truth_fat_found *found,
                       void *ctx)
{
    struct entry entry;
    size_t size = 0;
    size_t at = 0;

    if (!walk(fat, path, &entry) || (entry.attributes & IS_FOLDER) == 0)
        return;
    uint8_t *data = read_folder(fat, entry.first, &size);
    while (data != NULL && next_entry(fat, data, size, &at, &entry)) {
        if ((entry.attributes & IS_FOLDER) != 0 && !is_dots(&entry))
            found(ctx, entry.name);
    }
    free(data);
}

/* --- All of it ------------------------------------------------------------------------------ */

static uint64_t mixed(uint64_t digest, const void *data, size_t size)
{
    const uint8_t *at = data;

    for (; size >= 8; at += 8, size -= 8)
        digest = (digest ^ ld_le64(at)) * 0x9e3779b97f4a7c15u;
    for (; size > 0; at++, size--)
        digest = (digest ^ *at) * 0x100000001b3u;
    return digest ^ digest >> 29;
}

static uint64_t digest_folder(const struct truth_fat *fat, uint32_t folder, uint64_t above,
                              unsigned depth)
{
    size_t size = 0;
    uint8_t *data = read_folder(fat, folder, &size);
    struct entry entry;
    uint64_t total = 0;
    size_t at = 0;

    while (data != NULL && depth < DEPTH_MAX && next_entry(fat, data, size, &at, &entry)) {
        uint64_t own = mixed(above, entry.name, strlen(entry.name));
        own = mixed(own, entry.written, sizeof(entry.written));
        own = mixed(own, &entry.attributes, 1);
        if (is_dots(&entry))
            continue;
        if ((entry.attributes & IS_FOLDER) != 0) {
            own += digest_folder(fat, entry.first, own, depth + 1);
        } else {
            struct truth_file file = read_file(fat, &entry);
            own = mixed(own, &entry.size, sizeof(entry.size));
            own = file.data != NULL ? mixed(own, file.data, file.size) : own + 1;
            free(file.data);
        }
        total += own;
    }
    free(data);
    return total;
}

uint64_t truth_fat_digest(const struct truth_fat *fat)
{
    return digest_folder(fat, 0, 0xcbf29ce484222325u, 0);
}
