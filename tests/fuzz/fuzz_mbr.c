/*
 * A Master Boot Record and an extended boot record. The input: 8 bytes, the blocks of the disk;
 * then the sector, of any length.
 */
#include "format/mbr.h"
#include "fuzz/fuzz.h"

#define PREFIX_SIZE 8u
#define SIZE_LIMIT  8192u

static void check_record(const struct mbr_record *record)
{
    require(mbr_type_name(record->type) != NULL);
    if (record->type == MBR_TYPE_EMPTY)
        require(!record->active && record->first_lba == 0 && record->block_count == 0);
    else
        require(record->block_count > 0 || record->type == MBR_TYPE_PROTECTIVE);
}

/* Everything that mbr.h promises about a result, counted anew. */
static void check_mbr(const struct mbr *mbr, struct span block, uint64_t disk_blocks)
{
    int used = 0;
    int protective = 0;
    int at_lba_1 = 0;

    for (int i = 0; i < MBR_RECORD_COUNT; i++) {
        const struct mbr_record *record = &mbr->records[i];
        check_record(record);
        if (record->type == MBR_TYPE_EMPTY)
            continue;
        require(record->first_lba < disk_blocks);
        used++;
        protective += record->type == MBR_TYPE_PROTECTIVE;
        at_lba_1 += record->type == MBR_TYPE_PROTECTIVE && record->first_lba == 1;
    }
    require(mbr->protective_at_lba_1 == (at_lba_1 > 0));
    if (mbr->kind == MBR_NONE) {
        require(used == 0 && mbr->signature == 0);
        return;
    }
    require(block.size >= MBR_SIZE && block.at[510] == 0x55 && block.at[511] == 0xaa);
    require((mbr->kind == MBR_PLAIN) == (protective == 0));
    require((mbr->kind == MBR_PROTECTIVE) == (protective == 1 && used == 1));
}

static void check_ebr(struct span block)
{
    struct ebr ebr;

    if (!ebr_parse(block, &ebr))
        return;
    require(block.size >= MBR_SIZE);
    check_record(&ebr.logical);
    check_record(&ebr.next);
    require(!mbr_type_is_extended(ebr.logical.type));
    require(ebr.next.type == MBR_TYPE_EMPTY || mbr_type_is_extended(ebr.next.type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX_SIZE || size > SIZE_LIMIT)
        return 0;
    size_t given = size - PREFIX_SIZE;
    uint64_t disk_blocks = ld_le64(data);
    uint8_t *copy = exact_copy(data + PREFIX_SIZE, given);

    struct span block = span_of(copy, given);
    struct mbr mbr = mbr_parse(block, disk_blocks);
    check_mbr(&mbr, block, disk_blocks);
    check_ebr(block);
    free(copy);
    return 0;
}
