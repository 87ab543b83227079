#include "sweep/truth_disk.h"

#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"

#define HEADER_SIZE      92u
#define ENTRY_SIZE_MIN   128u
#define TABLE_BYTES_MAX  (1u << 24)
#define OS_SPECIFIC      2u /* attribute: no block device is made */
#define MBR_RECORDS      446u
#define MBR_RECORD_SIZE  16u
#define MBR_RECORD_COUNT 4u
#define MBR_PROTECTIVE   0xeeu

bool truth_disk_read(const struct block_port *disk, uint64_t offset, void *ret_data, size_t size)
{
    uint64_t first = offset / disk->block_size;
    uint64_t end = (offset + size + disk->block_size - 1) / disk->block_size;
    uint8_t *blocks = NULL;

    if (size == 0)
        return true;
    if (end > disk->block_count || end - first > UINT32_MAX)
        return false;
    blocks = host_alloc((size_t)(end - first), disk->block_size);
    bool good = disk->read(disk->ctx, first, (uint32_t)(end - first), blocks) == ST_OK;
    if (good)
        memcpy(ret_data, blocks + (offset - first * disk->block_size), size);
    free(blocks);
    return good;
}

/* --- CRC-32, eight bytes at a time: tables are read very often -------------------------------- */

static uint32_t crc_tables[8][256];

static void make_crc_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
        crc_tables[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++) {
        for (int table = 1; table < 8; table++) {
            uint32_t before = crc_tables[table - 1][i];
            crc_tables[table][i] = before >> 8 ^ crc_tables[0][before & 0xff];
        }
    }
}

static uint32_t crc_of(const uint8_t *data, size_t size)
{
    uint32_t crc = ~0u;

    if (crc_tables[0][1] == 0)
        make_crc_tables();
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t eight = ld_le64(data) ^ crc;
        crc = 0;
        for (int i = 0; i < 8; i++)
            crc ^= crc_tables[7 - i][eight >> 8 * i & 0xff];
    }
    for (; size > 0; data++, size--)
        crc = crc >> 8 ^ crc_tables[0][(crc ^ *data) & 0xff];
    return ~crc;
}

/* --- GPT ------------------------------------------------------------------------------------ */

struct header {
    uint64_t first_usable, last_usable;
    uint32_t count, entry_size;
    uint8_t *entries; /* to be freed */
};

/* The fields of a header that is sound in itself; its entries are not read yet. */
static bool is_header(uint8_t *block, uint32_t block_size, uint64_t lba)
{
    uint32_t size = ld_le32(block + 12);
    uint32_t crc = ld_le32(block + 16);

    if (memcmp(block, "EFI PART", 8) != 0 || size < HEADER_SIZE || size > block_size ||
        ld_le64(block + 24) != lba)
        return false;
    memset(block + 16, 0, 4);
    return crc_of(block, size) == crc;
}

static bool read_entries(const struct block_port *disk, const uint8_t *block,
                         struct header *ret_header)
{
    uint32_t count = ld_le32(block + 80);
    uint32_t entry_size = ld_le32(block + 84);
    uint64_t bytes = (uint64_t)count * entry_size;

    if (entry_size < ENTRY_SIZE_MIN || bytes > TABLE_BYTES_MAX ||
        ld_le64(block + 72) > disk->block_count)
        return false;
    *ret_header = (struct header){.first_usable = ld_le64(block + 40),
                                  .last_usable = ld_le64(block + 48),
                                  .count = count,
                                  .entry_size = entry_size,
                                  .entries = host_alloc(1, (size_t)bytes + 1)};
    return truth_disk_read(disk, ld_le64(block + 72) * disk->block_size, ret_header->entries,
                           (size_t)bytes) &&
           crc_of(ret_header->entries, (size_t)bytes) == ld_le32(block + 88);
}

static bool read_copy(const struct block_port *disk, uint64_t lba, struct header *ret_header)
{
    uint8_t *block = host_alloc(1, disk->block_size);

    ret_header->entries = NULL;
    bool good = lba < disk->block_count &&
                truth_disk_read(disk, lba * disk->block_size, block, disk->block_size) &&
                is_header(block, disk->block_size, lba) && read_entries(disk, block, ret_header);
    free(block);
    if (!good)
        free(ret_header->entries);
    return good;
}

static bool is_used(const uint8_t *entry)
{
    static const uint8_t none[16];

    return memcmp(entry, none, sizeof(none)) != 0;
}

/* True when another used entry lies over this one. */
static bool overlaps(const struct header *header, uint32_t index)
{
    const uint8_t *entry = header->entries + (size_t)index * header->entry_size;

    for (uint32_t i = 0; i < header->count; i++) {
        const uint8_t *other = header->entries + (size_t)i * header->entry_size;
        if (i != index && is_used(other) && ld_le64(other + 32) <= ld_le64(entry + 40) &&
            ld_le64(entry + 32) <= ld_le64(other + 40))
            return true;
    }
    return false;
}

static void take_entry(const struct header *header, uint32_t index, struct truth_parts *parts)
{
    const uint8_t *entry = header->entries + (size_t)index * header->entry_size;
    uint64_t first = ld_le64(entry + 32);
    uint64_t last = ld_le64(entry + 40);

    if (!is_used(entry) || first < header->first_usable || first > last ||
        last > header->last_usable || (ld_le64(entry + 48) & OS_SPECIFIC) != 0 ||
        overlaps(header, index) || parts->count == TRUTH_PARTS_MAX)
        return;
    struct truth_part *part = &parts->items[parts->count++];
    *part = (struct truth_part){.number = index + 1, .first = first, .count = last - first + 1};
    memcpy(part->type, entry, 16);
    memcpy(part->guid, entry + 16, 16);
}

void truth_disk_table(const struct block_port *disk, struct truth_parts *ret_parts)
{
    struct header header;

    ret_parts->count = 0;
    if (!read_copy(disk, 1, &header) && !read_copy(disk, disk->block_count - 1, &header))
        return;
    for (uint32_t i = 0; i < header.count; i++)
        take_entry(&header, i, ret_parts);
    free(header.entries);
}

/* --- MBR ------------------------------------------------------------------------------------ */

static bool is_protective(const uint8_t *mbr)
{
    for (unsigned i = 0; i < MBR_RECORD_COUNT; i++) {
        const uint8_t *record = mbr + MBR_RECORDS + i * MBR_RECORD_SIZE;
        if (record[4] == MBR_PROTECTIVE && ld_le32(record + 8) == 1)
            return true;
    }
    return false;
}

static void take_records(const struct block_port *disk, const uint8_t *mbr,
                         struct truth_parts *parts)
{
    for (unsigned i = 0; i < MBR_RECORD_COUNT; i++) {
        const uint8_t *record = mbr + MBR_RECORDS + i * MBR_RECORD_SIZE;
        struct truth_part part = {.number = i + 1,
                                  .first = ld_le32(record + 8),
                                  .count = ld_le32(record + 12),
                                  .is_mbr = true};
        if (record[4] == 0 || part.first == 0 || part.count == 0 ||
            part.first + part.count > disk->block_count)
            continue;
        memcpy(part.guid, mbr + 440, 4);
        parts->items[parts->count++] = part;
    }
}

static bool has_header(const struct block_port *disk, uint64_t lba)
{
    uint8_t start[8];

    return truth_disk_read(disk, lba * disk->block_size, start, sizeof(start)) &&
           memcmp(start, "EFI PART", sizeof(start)) == 0;
}

bool truth_disk_is_gpt(const struct block_port *disk)
{
    uint8_t mbr[512];

    return (truth_disk_read(disk, 0, mbr, sizeof(mbr)) && is_protective(mbr)) ||
           has_header(disk, 1) || has_header(disk, disk->block_count - 1);
}

void truth_disk_devices(const struct block_port *disk, struct truth_parts *ret_parts)
{
    uint8_t mbr[512];

    ret_parts->count = 0;
    if (!truth_disk_read(disk, 0, mbr, sizeof(mbr)))
        return;
    if (is_protective(mbr))
        truth_disk_table(disk, ret_parts);
    else if (ld_le16(mbr + 510) == 0xaa55)
        take_records(disk, mbr, ret_parts);
}
