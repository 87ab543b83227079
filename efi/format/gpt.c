#include "format/gpt.h"

#include "base/crc32.h"
#include "base/mem.h"

#define BLOCK_MIN_SIZE 512u
#define SIGNATURE      "EFI PART"
#define SIGNATURE_SIZE 8u
#define REVISION       0x00010000u
#define CRC_OFFSET     16u /* of the header's own CRC */
#define UNIQUE_OFFSET  16u /* of an entry's own GUID */

/* The header's CRC, computed as it was when its own field was still zero. */
static uint32_t header_crc(const uint8_t *at, uint32_t size)
{
    static const uint8_t zeros[4];
    uint32_t crc = crc32_update(0, at, CRC_OFFSET);

    crc = crc32_update(crc, zeros, sizeof(zeros));
    return crc32_update(crc, at + CRC_OFFSET + 4, size - CRC_OFFSET - 4);
}

/* Whether there is a header at all, and whether its bytes are the ones that were written. */
static enum gpt_problem check_integrity(struct span block)
{
    if (block.size < BLOCK_MIN_SIZE || memcmp(block.at, SIGNATURE, SIGNATURE_SIZE) != 0)
        return GPT_NO_SIGNATURE;
    uint32_t size = ld_le32(block.at + 12);
    if (size < GPT_HEADER_MIN_SIZE || size > block.size)
        return GPT_BAD_HEADER_SIZE;
    if (header_crc(block.at, size) != ld_le32(block.at + CRC_OFFSET))
        return GPT_BAD_HEADER_CRC;
    return GPT_FINE;
}

static struct gpt_header load_header(const uint8_t *at)
{
    struct gpt_header header = {
        .revision = ld_le32(at + 8),
        .header_size = ld_le32(at + 12),
        .my_lba = ld_le64(at + 24),
        .alternate_lba = ld_le64(at + 32),
        .first_usable_lba = ld_le64(at + 40),
        .last_usable_lba = ld_le64(at + 48),
        .disk_guid = guid_load(at + 56),
        .entries_lba = ld_le64(at + 72),
        .entry_count = ld_le32(at + 80),
        .entry_size = ld_le32(at + 84),
        .entries_crc = ld_le32(at + 88),
    };
    return header;
}

void gpt_header_put(const struct gpt_header *header, uint8_t *ret_block)
{
    memcpy(ret_block, SIGNATURE, SIGNATURE_SIZE);
    st_le32(ret_block + 8, REVISION);
    st_le32(ret_block + 12, GPT_HEADER_MIN_SIZE);
    st_le64(ret_block + 24, header->my_lba);
    st_le64(ret_block + 32, header->alternate_lba);
    st_le64(ret_block + 40, header->first_usable_lba);
    st_le64(ret_block + 48, header->last_usable_lba);
    memcpy(ret_block + 56, header->disk_guid.bytes, sizeof(header->disk_guid.bytes));
    st_le64(ret_block + 72, header->entries_lba);
    st_le32(ret_block + 80, header->entry_count);
    st_le32(ret_block + 84, header->entry_size);
    st_le32(ret_block + 88, header->entries_crc);
    st_le32(ret_block + CRC_OFFSET, header_crc(ret_block, GPT_HEADER_MIN_SIZE));
}

static bool lba_is_usable(const struct gpt_header *header, uint64_t lba)
{
    return lba >= header->first_usable_lba && lba <= header->last_usable_lba;
}

/*
 * The blocks for partitions must exist and must not take in the MBR or a header. The other header
 * may lie beyond the disk (its end was cut off): that is the other copy's trouble.
 */
static bool usable_range_is_sound(const struct gpt_header *header, uint64_t disk_blocks)
{
    return header->first_usable_lba <= header->last_usable_lba &&
           header->first_usable_lba < disk_blocks && header->my_lba < disk_blocks &&
           header->first_usable_lba > GPT_PRIMARY_LBA && !lba_is_usable(header, header->my_lba) &&
           !lba_is_usable(header, header->alternate_lba);
}

static bool entry_size_is_valid(uint32_t size)
{
    return size >= GPT_ENTRY_MIN_SIZE && (size & (size - 1)) == 0;
}

/*
 * In front of the usable range the array follows its header, behind the range it precedes it. The
 * header is known to be outside the range and inside the disk.
 */
static bool array_place_is_sound(const struct gpt_header *header, uint64_t block_size)
{
    uint64_t bytes = gpt_array_bytes(header);
    uint64_t blocks = bytes / block_size + (bytes % block_size != 0);
    bool in_front = header->my_lba < header->first_usable_lba;
    uint64_t before = in_front ? header->my_lba : header->last_usable_lba;
    uint64_t end = in_front ? header->first_usable_lba : header->my_lba;

    return header->entries_lba > before && header->entries_lba < end &&
           blocks <= end - header->entries_lba;
}

enum gpt_problem gpt_header_parse(struct span block, uint64_t lba, uint64_t disk_blocks,
                                  struct gpt_header *ret_header)
{
    enum gpt_problem problem = check_integrity(block);

    if (problem != GPT_FINE)
        return problem;
    struct gpt_header header = load_header(block.at);
    if (header.revision >> 16 != 1)
        return GPT_BAD_REVISION;
    if (header.my_lba != lba)
        return GPT_WRONG_PLACE;
    if (!usable_range_is_sound(&header, disk_blocks))
        return GPT_BAD_USABLE_RANGE;
    if (!entry_size_is_valid(header.entry_size))
        return GPT_BAD_ENTRY_SIZE;
    if (header.entry_count == 0 || gpt_array_bytes(&header) > GPT_ARRAY_MAX_BYTES)
        return GPT_BAD_ENTRY_COUNT;
    if (!array_place_is_sound(&header, block.size))
        return GPT_BAD_ARRAY_PLACE;
    *ret_header = header;
    return header.last_usable_lba < disk_blocks ? GPT_FINE : GPT_OF_LARGER_DISK;
}

uint64_t gpt_array_bytes(const struct gpt_header *header)
{
    return (uint64_t)header->entry_count * header->entry_size;
}

struct gpt_entry gpt_entry_parse(struct span bytes)
{
    struct gpt_entry entry = {
        .type = guid_load(bytes.at),
        .unique = guid_load(bytes.at + UNIQUE_OFFSET),
        .first_lba = ld_le64(bytes.at + 32),
        .last_lba = ld_le64(bytes.at + 40),
        .attributes = ld_le64(bytes.at + 48),
    };

    memcpy(entry.name, bytes.at + 56, sizeof(entry.name));
    return entry;
}

void gpt_entry_put(const struct gpt_entry *entry, size_t size, uint8_t *ret_bytes)
{
    memset(ret_bytes, 0, size);
    if (!gpt_entry_is_used(entry))
        return;
    memcpy(ret_bytes, entry->type.bytes, sizeof(entry->type.bytes));
    gpt_entry_set_unique(&entry->unique, ret_bytes);
    st_le64(ret_bytes + 32, entry->first_lba);
    st_le64(ret_bytes + 40, entry->last_lba);
    st_le64(ret_bytes + 48, entry->attributes);
    memcpy(ret_bytes + 56, entry->name, sizeof(entry->name));
}

void gpt_entry_set_unique(const struct guid *unique, uint8_t *bytes)
{
    memcpy(bytes + UNIQUE_OFFSET, unique->bytes, sizeof(unique->bytes));
}

bool gpt_entry_is_used(const struct gpt_entry *entry)
{
    return !guid_is_zero(&entry->type);
}

bool gpt_entry_in_range(const struct gpt_entry *entry, const struct gpt_header *header)
{
    return entry->first_lba <= entry->last_lba && lba_is_usable(header, entry->first_lba) &&
           lba_is_usable(header, entry->last_lba);
}

bool gpt_headers_agree(const struct gpt_header *primary, const struct gpt_header *backup)
{
    return guid_equal(&primary->disk_guid, &backup->disk_guid) &&
           primary->first_usable_lba == backup->first_usable_lba &&
           primary->last_usable_lba == backup->last_usable_lba &&
           primary->entry_count == backup->entry_count &&
           primary->entry_size == backup->entry_size &&
           primary->entries_crc == backup->entries_crc &&
           primary->alternate_lba == backup->my_lba && backup->alternate_lba == primary->my_lba;
}

const char *gpt_problem_text(enum gpt_problem problem)
{
    static const char *const texts[GPT_PROBLEM_COUNT] = {
        [GPT_FINE] = "",
        [GPT_UNREADABLE] = "it cannot be read",
        [GPT_NO_SIGNATURE] = "it is not there",
        [GPT_BAD_HEADER_SIZE] = "its header size is out of range",
        [GPT_BAD_HEADER_CRC] = "its checksum is wrong",
        [GPT_BAD_REVISION] = "its revision is unknown",
        [GPT_WRONG_PLACE] = "it belongs to another block of the disk",
        [GPT_BAD_USABLE_RANGE] = "its range of usable blocks is wrong",
        [GPT_BAD_ENTRY_SIZE] = "its entry size is wrong",
        [GPT_BAD_ENTRY_COUNT] = "its number of entries is out of range",
        [GPT_BAD_ARRAY_PLACE] = "its partition entries are in the wrong place",
        [GPT_BAD_ARRAY_CRC] = "the checksum of its partition entries is wrong",
        [GPT_OF_LARGER_DISK] = "it is that of a larger disk",
    };

    if ((unsigned)problem >= GPT_PROBLEM_COUNT)
        return "it has an unknown problem";
    return texts[problem];
}
