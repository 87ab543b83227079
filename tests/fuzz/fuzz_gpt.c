/*
 * A GPT header and its entry array. The input: one byte, the binary logarithm of the block size
 * (9 to 16); 8 bytes, the LBA read; 8 bytes, the blocks of the disk; one byte, 1 to correct the
 * header's CRC first, so that the checks behind it are reached; then the block, then the array.
 */
#include "format/gpt.h"
#include "fuzz/fuzz.h"

#define PREFIX_SIZE 18u
#define SIZE_LIMIT  131072u

/* CRC-32 by its definition, with the header's own field taken as zero. */
static uint32_t crc_of_header(const uint8_t *at, uint32_t size)
{
    uint32_t crc = 0xffffffff;

    for (uint32_t i = 0; i < size; i++) {
        crc ^= i >= 16 && i < 20 ? 0 : at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

static void correct_crc(uint8_t *block, uint32_t block_size)
{
    uint32_t size = ld_le32(block + 12);

    if (size >= GPT_HEADER_MIN_SIZE && size <= block_size)
        st_le32(block + 16, crc_of_header(block, size));
}

/* What every caller may rely on in a header that was found fine, but for the end of the disk. */
static void check_header(const struct gpt_header *header, uint32_t block_size, uint64_t lba,
                         uint64_t disk_blocks, enum gpt_problem problem)
{
    uint64_t bytes = gpt_array_bytes(header);
    uint64_t blocks = (bytes + block_size - 1) / block_size;

    require(header->my_lba == lba && lba < disk_blocks);
    require(header->first_usable_lba <= header->last_usable_lba);
    require((header->last_usable_lba < disk_blocks) == (problem == GPT_FINE));
    require(lba < header->first_usable_lba || lba > header->last_usable_lba);
    require(header->alternate_lba < header->first_usable_lba ||
            header->alternate_lba > header->last_usable_lba);
    require(bytes > 0 && bytes <= GPT_ARRAY_MAX_BYTES);
    require(header->entry_size % GPT_ENTRY_MIN_SIZE == 0);
    require(header->entries_lba > 1 || lba == 0);
    require(header->entries_lba < disk_blocks && blocks <= disk_blocks - header->entries_lba);
    /* The array meets neither the header nor any usable block. */
    require(header->entries_lba > lba || header->entries_lba + blocks <= lba);
    require(header->entries_lba > header->last_usable_lba ||
            header->entries_lba + blocks <= header->first_usable_lba);
}

static void check_entries(const struct gpt_header *header, struct span array)
{
    for (uint32_t i = 0; i < header->entry_count; i++) {
        struct span bytes = span_part(array, (uint64_t)i * header->entry_size, header->entry_size);
        if (bytes.at == NULL)
            return;
        struct gpt_entry entry = gpt_entry_parse(bytes);
        require(gpt_entry_is_used(&entry) == !span_is_zero(span_part(bytes, 0, 16)));
        if (gpt_entry_in_range(&entry, header))
            require(entry.first_lba >= header->first_usable_lba &&
                    entry.last_lba <= header->last_usable_lba && entry.first_lba <= entry.last_lba);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX_SIZE || size > SIZE_LIMIT)
        return 0;
    uint32_t block_size = 1u << (9 + data[0] % 8);
    uint64_t lba = ld_le64(data + 1);
    uint64_t disk_blocks = ld_le64(data + 9);
    size_t given = size - PREFIX_SIZE < block_size ? size - PREFIX_SIZE : block_size;
    uint8_t *block = calloc(1, block_size);
    struct gpt_header header;
    struct gpt_header before;

    require(block != NULL);
    memcpy(block, data + PREFIX_SIZE, given);
    if (data[17] == 1)
        correct_crc(block, block_size);
    memset(&header, 0xa5, sizeof(header));
    memcpy(&before, &header, sizeof(before));
    enum gpt_problem problem =
        gpt_header_parse(span_of(block, block_size), lba, disk_blocks, &header);
    require((unsigned)problem < GPT_PROBLEM_COUNT && gpt_problem_text(problem) != NULL);
    if (problem == GPT_FINE || problem == GPT_OF_LARGER_DISK) {
        check_header(&header, block_size, lba, disk_blocks, problem);
        check_entries(&header, span_of(data + PREFIX_SIZE + given, size - PREFIX_SIZE - given));
    } else {
        require(memcmp(&before, &header, sizeof(before)) == 0);
    }
    free(block);
    return 0;
}
