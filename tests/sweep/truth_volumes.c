#include "sweep/truth_volumes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/host_alloc.h"

#define MD_MAGIC    0xa92b4efcu
#define MD_PLACE    4096u
#define MD_HEAD     256u
#define MD_ROLES    384u
#define EXT_PLACE   1024u
#define EXT_SIZE    256u
#define EXT_MAGIC   0xef53u
#define RECORDS_MAX 4096u
#define NTFS_ROOT   5u
#define DEPTH_MAX   16u
#define ATTR_NAME   0x30u
#define ATTR_DATA   0x80u

static const uint8_t type_ldm_data[16] = {0xa0, 0x60, 0x9b, 0xaf, 0x31, 0x14, 0x62, 0x4f,
                                          0xbc, 0x68, 0x33, 0x11, 0x71, 0x4a, 0x69, 0xad};
static const uint8_t type_basic[16] = {0xa2, 0xa0, 0xd0, 0xeb, 0xe5, 0xb9, 0x33, 0x44,
                                       0x87, 0xc0, 0x68, 0xb6, 0xb7, 0x26, 0x99, 0xc7};
static const uint8_t type_raid[16] = {0x0f, 0x88, 0x9d, 0xa1, 0xfc, 0x05, 0x3b, 0x4d,
                                      0xa0, 0x06, 0x74, 0x3f, 0x0f, 0x84, 0x91, 0x1e};

static const uint8_t type_linux[16] = {0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
                                       0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4};

/* --- Linux ----------------------------------------------------------------------------------- */

static bool is_member(const struct block_port *disk, const struct truth_part *part,
                      const char *name)
{
    uint8_t block[MD_HEAD + 2 * MD_ROLES];
    uint64_t sum = 0;
    uint64_t offset = part->first * disk->block_size + MD_PLACE;

    if (memcmp(part->type, type_raid, 16) != 0 ||
        !truth_disk_read(disk, offset, block, sizeof(block)) || ld_le32(block) != MD_MAGIC ||
        ld_le32(block + 4) != 1)
        return false;
    uint32_t roles = ld_le32(block + 220);
    if (roles > MD_ROLES)
        return false;
    for (uint32_t i = 0; i < MD_HEAD + 2 * roles; i += 4)
        sum += i == 216                       ? 0
               : i + 2 == MD_HEAD + 2 * roles ? ld_le16(block + i)
                                              : ld_le32(block + i);
    if ((uint32_t)((sum & 0xffffffff) + (sum >> 32)) != ld_le32(block + 216))
        return false;
    return name[0] == 0 || strncmp((const char *)block + 32, name, 32) == 0;
}

/* An ext file system with that label, on a plain partition. */
static bool is_root(const struct block_port *disk, const struct truth_part *part, const char *name)
{
    uint8_t block[EXT_SIZE];

    return memcmp(part->type, type_linux, 16) == 0 &&
           truth_disk_read(disk, part->first * disk->block_size + EXT_PLACE, block, EXT_SIZE) &&
           ld_le16(block + 56) == EXT_MAGIC &&
           (name[0] == 0 || strncmp((const char *)block + 120, name, 16) == 0);
}

bool truth_has_root(const struct truth_scene *scene, const char *name)
{
    struct truth_parts parts;

    for (size_t i = 0; i < scene->count; i++) {
        truth_disk_table(scene->disks[i], &parts);
        for (size_t j = 0; j < parts.count; j++) {
            if (is_member(scene->disks[i], &parts.items[j], name) ||
                is_root(scene->disks[i], &parts.items[j], name))
                return true;
        }
    }
    return false;
}

/* --- NTFS ----------------------------------------------------------------------------------- */

/* The first run of the MFT, records with their fixups taken out. */
struct mft {
    uint8_t *records;
    uint32_t record_size;
    size_t count;
};

static bool unfix(uint8_t *record, uint32_t size)
{
    uint32_t at = ld_le16(record + 4);
    uint32_t count = ld_le16(record + 6);

    if (memcmp(record, "FILE", 4) != 0 || count != size / 512 + 1 || at + 2 * count > size)
        return false;
    for (uint32_t i = 1; i < count; i++) {
        uint8_t *end = record + 512 * i - 2;
        if (memcmp(end, record + at, 2) != 0)
            return false;
        memcpy(end, record + at + 2 * i, 2);
    }
    return true;
}

/* The next attribute of a record from `*io_at` on, NULL at the end. */
static const uint8_t *next_attribute(const uint8_t *record, uint32_t size, uint32_t *io_at)
{
    uint32_t at = *io_at;

    if (at + 24 > size || ld_le32(record + at) == 0xffffffff)
        return NULL;
    uint32_t length = ld_le32(record + at + 4);
    if (length < 24 || length > size - at)
        return NULL;
    *io_at = at + length;
    return record + at;
}

static const uint8_t *find_attribute(const uint8_t *record, uint32_t size, uint32_t type)
{
    uint32_t at = ld_le16(record + 20);
    const uint8_t *found = next_attribute(record, size, &at);

    while (found != NULL && ld_le32(found) != type)
        found = next_attribute(record, size, &at);
    return found;
}

/* How many clusters the first run of the MFT's data takes. */
static uint64_t first_run(const uint8_t *record, uint32_t size)
{
    const uint8_t *data = find_attribute(record, size, ATTR_DATA);
    uint64_t count = 0;

    if (data == NULL || data[8] == 0)
        return 0;
    const uint8_t *run = data + ld_le16(data + 32);
    for (unsigned i = 0; i < (run[0] & 15u) && i < 8; i++)
        count |= (uint64_t)run[1 + i] << 8 * i;
    return count;
}

static uint32_t record_size_of(const uint8_t *boot, uint32_t cluster)
{
    int8_t value = (int8_t)boot[64];

    return value < 0 ? (uint32_t)1 << (-value & 31) : (uint32_t)value * cluster;
}

static bool read_mft(const struct block_port *disk, uint64_t offset, const uint8_t *boot,
                     struct mft *ret_mft)
{
    uint32_t cluster = (uint32_t)ld_le16(boot + 11) * boot[13];
    uint64_t place = offset + ld_le64(boot + 48) * cluster;
    uint32_t size = record_size_of(boot, cluster);
    uint8_t first[4096];

    if (cluster == 0 || size < 512 || size > sizeof(first) || ld_le64(boot + 48) > UINT32_MAX ||
        !truth_disk_read(disk, place, first, size) || !unfix(first, size))
        return false;
    uint64_t count = first_run(first, size) * cluster / size;
    *ret_mft = (struct mft){.record_size = size,
                            .count = (size_t)(count < RECORDS_MAX ? count : RECORDS_MAX)};
    ret_mft->records = host_alloc(ret_mft->count + 1, size);
    if (!truth_disk_read(disk, place, ret_mft->records, ret_mft->count * size))
        return false;
    for (size_t i = 0; i < ret_mft->count; i++) {
        uint8_t *record = ret_mft->records + i * size;
        if (!unfix(record, size))
            memset(record, 0, 4);
    }
    return true;
}

static const uint8_t *record_at(const struct mft *mft, uint64_t number)
{
    const uint8_t *record = mft->records + number * mft->record_size;
    bool good = number < mft->count && memcmp(record, "FILE", 4) == 0 && (record[22] & 1) != 0;

    return good ? record : NULL;
}

/* True when one of the record's names is `name`; `*ret_parent` is the folder it stands in. */
static bool has_name(const struct mft *mft, const uint8_t *record, const char *name,
                     uint64_t *ret_parent)
{
    uint32_t at = ld_le16(record + 20);
    const uint8_t *found = next_attribute(record, mft->record_size, &at);
    size_t length = strlen(name);

    for (; found != NULL; found = next_attribute(record, mft->record_size, &at)) {
        const uint8_t *value = found + ld_le16(found + 20);
        if (ld_le32(found) != ATTR_NAME || found[8] != 0 || ld_le32(found + 16) < 66 + 2 * length ||
            value[64] != length)
            continue;
        size_t same = 0;
        while (same < length && ld_le16(value + 66 + 2 * same) < 0x80 &&
               strncasecmp((const char *)value + 66 + 2 * same, name + same, 1) == 0)
            same++;
        *ret_parent = ld_le64(value) & 0xffffffffffffu;
        if (same == length)
            return true;
    }
    return false;
}

/* True when the path, given from its end to its start, leads from the record up to the root. */
static bool leads_up(const struct mft *mft, uint64_t number, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *record = record_at(mft, number);
        if (record == NULL || !has_name(mft, record, names[i], &number))
            return false;
    }
    return number == NTFS_ROOT && record_at(mft, NTFS_ROOT) != NULL;
}

static bool has_file(const struct mft *mft, const char *name)
{
    const char *const names[] = {name, "System32", "Windows"};

    for (uint64_t i = 0; i < mft->count; i++) {
        if (leads_up(mft, i, names, 3))
            return true;
    }
    return false;
}

static enum truth_verdict look_at_volume(const struct block_port *disk,
                                         const struct truth_part *part, const char *system)
{
    uint64_t offset = part->first * disk->block_size;
    struct mft mft = {.records = NULL};
    uint8_t boot[512];

    if (!truth_disk_read(disk, offset, boot, sizeof(boot)))
        return TRUTH_FAILS;
    if (memcmp(boot + 3, "-FVE-FS-", 8) == 0)
        return TRUTH_UNSURE;
    if (memcmp(boot + 3, "NTFS    ", 8) != 0 ||
        (system[0] != 0 && ld_le64(boot + 72) != truth_serial_of(system)))
        return TRUTH_FAILS;
    bool good = read_mft(disk, offset, boot, &mft) && has_file(&mft, "winload.efi") &&
                has_file(&mft, "ntoskrnl.exe");
    free(mft.records);
    return good ? TRUTH_STARTS : TRUTH_FAILS;
}

enum truth_verdict truth_windows(const struct truth_scene *scene, const char *system)
{
    enum truth_verdict best = TRUTH_FAILS;
    struct truth_parts parts;

    for (size_t i = 0; i < scene->count; i++) {
        truth_disk_table(scene->disks[i], &parts);
        for (size_t j = 0; j < parts.count; j++) {
            const struct truth_part *part = &parts.items[j];
            bool data = memcmp(part->type, type_ldm_data, 16) == 0 ||
                        memcmp(part->type, type_basic, 16) == 0;
            enum truth_verdict one =
                data ? look_at_volume(scene->disks[i], part, system) : TRUTH_FAILS;
            best = one > best ? one : best;
        }
    }
    return best;
}

enum truth_verdict truth_windows_on(const struct truth_scene *scene, const uint8_t guid[16],
                                    const char *system)
{
    struct truth_parts parts;

    for (size_t i = 0; i < scene->count; i++) {
        truth_disk_table(scene->disks[i], &parts);
        for (size_t j = 0; j < parts.count; j++) {
            if (!parts.items[j].is_mbr && memcmp(parts.items[j].guid, guid, 16) == 0)
                return look_at_volume(scene->disks[i], &parts.items[j], system);
        }
    }
    return TRUTH_FAILS;
}

void truth_system_on(const struct truth_scene *scene, const uint8_t guid[16],
                     char ret_name[TRUTH_NAME + 1])
{
    char name[2] = "A";

    while (name[0] <= 'Z' && truth_windows_on(scene, guid, name) != TRUTH_STARTS)
        name[0]++;
    strcpy(ret_name, name[0] <= 'Z' ? name : "");
}

uint64_t truth_serial_of(const char *system)
{
    uint64_t serial = 0xcbf29ce484222325u;

    for (; *system != 0; system++)
        serial = (serial ^ (uint8_t)*system) * 0x100000001b3u;
    return serial;
}
