#include "format/mbr.h"

#include "base/mem.h"

#define CODE_SIZE      440u
#define RECORDS_OFFSET 446u
#define RECORD_SIZE    16u
#define MAGIC_OFFSET   510u
#define FLAG_ACTIVE    0x80

static const uint8_t *record_at(struct span block, unsigned index)
{
    return block.at + RECORDS_OFFSET + index * RECORD_SIZE;
}

static bool has_magic(struct span block)
{
    return block.size >= MBR_SIZE && block.at[MAGIC_OFFSET] == 0x55 &&
           block.at[MAGIC_OFFSET + 1] == 0xaa;
}

/*
 * A slot without type or without blocks is unused whatever else stands in it (5.2.1), and comes
 * back as zeros. A protective record counts by its type alone, as it does for firmware.
 */
static struct mbr_record load_record(const uint8_t *at)
{
    struct mbr_record record = {at[0] == FLAG_ACTIVE, at[4], ld_le32(at + 8), ld_le32(at + 12)};
    static const struct mbr_record unused;

    if (record.type == MBR_TYPE_EMPTY)
        return unused;
    return record.block_count == 0 && record.type != MBR_TYPE_PROTECTIVE ? unused : record;
}

static bool is_used(const struct mbr_record *record)
{
    return record->type != MBR_TYPE_EMPTY;
}

/* The rules without which the four records are not a partition table. */
static bool records_are_sound(struct span block, uint64_t disk_blocks)
{
    for (unsigned i = 0; i < MBR_RECORD_COUNT; i++) {
        const uint8_t *at = record_at(block, i);
        struct mbr_record record = load_record(at);
        if (at[0] != 0 && at[0] != FLAG_ACTIVE)
            return false;
        if (is_used(&record) && record.first_lba >= disk_blocks)
            return false;
    }
    return true;
}

/* True for a record that only a partitioning tool writes: behind the MBR, and inside the disk. */
static bool is_convincing(const struct mbr_record *record, uint64_t disk_blocks)
{
    if (!is_used(record) || record->first_lba == 0)
        return false;
    return record->type == MBR_TYPE_PROTECTIVE ||
           (uint64_t)record->first_lba + record->block_count <= disk_blocks;
}

/*
 * True when the sector begins as the boot sector of FAT, exFAT or NTFS does: a jump, the name of
 * the file system, and a parameter block that could be its own.
 */
static bool looks_like_boot_sector(struct span block)
{
    const uint8_t *at = block.at;
    uint16_t sector_size = ld_le16(at + 11);
    bool size_fits = sector_size >= 512 && sector_size <= 4096 &&
                     (sector_size & (sector_size - 1)) == 0 && at[13] != 0;

    if (at[0] != 0xeb && at[0] != 0xe9)
        return false;
    if (memcmp(at + 3, "EXFAT   ", 8) == 0)
        return span_is_zero(span_of(at + 11, 53));
    return size_fits && (memcmp(at + 3, "NTFS    ", 8) == 0 || memcmp(at + 54, "FAT", 3) == 0 ||
                         memcmp(at + 82, "FAT", 3) == 0);
}

/*
 * Boot sectors have text, code or zeros where an MBR has its table. But partitioning tools keep
 * the code area, so a disk that once was one big FAT file system still shows its name there: a
 * convincing record outweighs the name.
 */
static bool is_partition_table(struct span block, uint64_t disk_blocks)
{
    if (!has_magic(block) || !records_are_sound(block, disk_blocks))
        return false;
    if (!looks_like_boot_sector(block))
        return true;
    for (unsigned i = 0; i < MBR_RECORD_COUNT; i++) {
        struct mbr_record record = load_record(record_at(block, i));
        if (is_convincing(&record, disk_blocks))
            return true;
    }
    return false;
}

static enum mbr_kind kind_of(const struct mbr *mbr)
{
    int used = 0;
    int protective = 0;

    for (int i = 0; i < MBR_RECORD_COUNT; i++) {
        used += is_used(&mbr->records[i]);
        protective += mbr->records[i].type == MBR_TYPE_PROTECTIVE;
    }
    if (protective == 0)
        return MBR_PLAIN;
    return used == 1 ? MBR_PROTECTIVE : MBR_HYBRID;
}

struct mbr mbr_parse(struct span block, uint64_t disk_blocks)
{
    struct mbr mbr = {0};

    if (!is_partition_table(block, disk_blocks))
        return mbr;
    mbr.has_code = !span_is_zero(span_of(block.at, CODE_SIZE));
    mbr.signature = ld_le32(block.at + MBR_SIGNATURE_AT);
    for (unsigned i = 0; i < MBR_RECORD_COUNT; i++) {
        struct mbr_record *record = &mbr.records[i];
        *record = load_record(record_at(block, i));
        if (record->type == MBR_TYPE_PROTECTIVE && record->first_lba == 1)
            mbr.protective_at_lba_1 = true;
    }
    mbr.kind = kind_of(&mbr);
    return mbr;
}

bool mbr_type_is_extended(uint8_t type)
{
    return type == 0x05 || type == 0x0f || type == 0x85;
}

bool ebr_parse(struct span block, struct ebr *ret_ebr)
{
    struct ebr ebr = {0};

    if (!has_magic(block))
        return false;
    /* The first two slots are in use; which of them is the link, its type alone says. */
    for (unsigned i = 0; i < 2; i++) {
        struct mbr_record record = load_record(record_at(block, i));
        struct mbr_record *place = mbr_type_is_extended(record.type) ? &ebr.next : &ebr.logical;
        if (!is_used(place))
            *place = record;
    }
    *ret_ebr = ebr;
    return true;
}

const char *mbr_type_name(uint8_t type)
{
    static const struct {
        uint8_t type;
        const char *name;
    } names[] = {
        {0x01, "FAT12"},
        {0x04, "FAT16 below 32 MiB"},
        {0x05, "extended"},
        {0x06, "FAT16"},
        {0x07, "NTFS/exFAT/HPFS"},
        {0x0b, "FAT32"},
        {0x0c, "FAT32 (LBA)"},
        {0x0e, "FAT16 (LBA)"},
        {0x0f, "extended (LBA)"},
        {0x11, "hidden FAT12"},
        {0x12, "diagnostics"},
        {0x14, "hidden FAT16 below 32 MiB"},
        {0x16, "hidden FAT16"},
        {0x17, "hidden NTFS/exFAT/HPFS"},
        {0x1b, "hidden FAT32"},
        {0x1c, "hidden FAT32 (LBA)"},
        {0x1e, "hidden FAT16 (LBA)"},
        {0x27, "Windows recovery"},
        {MBR_TYPE_LDM, "LDM (dynamic disk)"},
        {0x82, "Linux swap"},
        {0x83, "Linux"},
        {0x85, "Linux extended"},
        {0x8e, "Linux LVM"},
        {MBR_TYPE_PROTECTIVE, "GPT protective"},
        {MBR_TYPE_ESP, "EFI system partition"},
        {0xfd, "Linux RAID"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].type == type)
            return names[i].name;
    }
    return "";
}
