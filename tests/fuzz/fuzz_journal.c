/*
 * A journal from a stick that anybody may have written on: parsing reads nothing outside, every
 * record lies on its disk, and what was parsed builds the same bytes again.
 */
#include "base/crc32.h"
#include "format/journal.h"
#include "fuzz/fuzz.h"

#define INPUT_MAX 16384u

static uint8_t arena_bytes[1u << 20];

static uint8_t read_bytes[4u << 20];

static uint8_t block_bytes[65536];

static uint8_t old_bytes[INPUT_MAX];

/* What cannot be brought back is not; nothing outside a block is read or written. */
static void check_differences(const struct journal_record *record, uint32_t block_size)
{
    uint8_t *now = exact_copy(block_bytes, block_size);
    uint8_t *old = exact_copy(block_bytes, block_size);

    for (uint32_t i = 0; i < record->block_count && i < 16; i++) {
        if (journal_old_block(record, i, span_of(now, block_size), old))
            (void)journal_old_block(record, i, span_of(old, block_size), now);
    }
    free(now);
    free(old);
}

/* Reads all that the record points to, and holds it against its disk. */
static void check_record(const struct journal *journal, const struct journal_record *record)
{
    size_t sum = 0;

    for (size_t i = 0; i < record->old_data.size; i++)
        sum += record->old_data.at[i];
    for (size_t i = 0; i < record->new_data.size; i++)
        sum += record->new_data.at[i];
    for (size_t i = 0; i < record->new_digests.size; i++)
        sum += record->new_digests.at[i];
    block_bytes[0] = (uint8_t)sum;
    if (record->kind == JOURNAL_VARIABLE) {
        require(memchr(record->name, 0, JOURNAL_NAME_SIZE) != NULL && record->name[0] != '\0');
        return;
    }
    require(record->disk < journal->disk_count);
    const struct journal_disk *disk = &journal->disks[record->disk];
    require(record->block_count > 0 && record->lba < disk->block_count);
    require(record->block_count <= disk->block_count - record->lba);
    if (record->kind == JOURNAL_RELIED)
        return;
    uint64_t size = (uint64_t)record->block_count * disk->block_size;
    require(record->kind == JOURNAL_BLOCKS);
    if (record->old_digests.size > 0)
        check_differences(record, disk->block_size);
    else
        require(record->old_data.size == (record->old_is_zero ? 0 : size));
    require(record->new_digests.size == 0 ||
            record->new_digests.size == (uint64_t)record->block_count * JOURNAL_DIGEST_SIZE);
}

static enum status read_input(void *ctx, uint64_t offset, void *ret_data, size_t size)
{
    const struct span *input = ctx;

    require(size <= input->size && offset <= input->size - size);
    memcpy(ret_data, input->at + offset, size);
    return ST_OK;
}

/* Old content that is read is that which lies in memory; what is passed over unread changes no record. */
static void check_read_record(const struct journal *journal, const struct journal_record *record,
                              const struct journal_record *expected)
{
    require(record->kind == expected->kind && record->lba == expected->lba);
    require(span_equal(record->new_digests, expected->new_digests));
    if (record->kind != JOURNAL_BLOCKS || expected->old_data.at == NULL)
        return;
    size_t size = expected->old_data.size;
    require(record->old_data.at == NULL && size <= sizeof(old_bytes));
    require(journal_old(journal, record, 0, record->block_count, old_bytes) == ST_OK);
    require(memcmp(old_bytes, expected->old_data.at, size) == 0);
}

/* A piece at a time it is the same journal as in memory. */
static void check_read(struct span input, enum status expected, const struct journal *parsed)
{
    struct journal_source source = {.size = input.size, .ctx = &input, .read = read_input};
    struct journal journal;
    struct journal heads;
    struct arena arena;

    arena_init(&arena, read_bytes, sizeof(read_bytes));
    require(journal_read(&arena, &source, &journal) == expected);
    enum status status = journal_read_heads(&arena, &source, &heads);
    if (expected != ST_OK)
        return;
    require(status == ST_OK && heads.count == parsed->count && heads.state == parsed->state);
    require(journal.count == parsed->count && journal.state == parsed->state);
    for (size_t i = 0; i < parsed->count; i++) {
        check_read_record(&journal, &journal.records[i], &parsed->records[i]);
        require(heads.records[i].lba == parsed->records[i].lba);
    }
}

/* Parses and, where that succeeds, builds again. */
static void check(struct span input)
{
    struct arena arena;
    struct journal journal;
    struct span built;

    arena_init(&arena, arena_bytes, sizeof(arena_bytes));
    enum status status = journal_parse(&arena, input, &journal);
    check_read(input, status, &journal);
    if (status != ST_OK)
        return;
    for (size_t i = 0; i < journal.count; i++)
        check_record(&journal, &journal.records[i]);
    for (size_t i = 0; i < journal.disk_count; i++) {
        const struct journal_disk *disk = &journal.disks[i];
        journal_digest(span_of(block_bytes, disk->block_size), block_bytes);
        require(disk->path.size >= 4);
    }
    require(journal_build(&arena, &journal, &built) == ST_OK && built.size <= input.size);
    require(journal_size(&journal) == built.size);
    require(memcmp(built.at, input.at, built.size) == 0);
    /* A quick look never takes an interrupted change for one that is over. */
    if (input.size >= JOURNAL_HEAD_SIZE && journal.state == JOURNAL_PENDING)
        require(!journal_is_closed(
            span_part(input, 0, JOURNAL_HEAD_SIZE),
            span_part(input, input.size - JOURNAL_MARK_SIZE, JOURNAL_MARK_SIZE), input.size));
}

/* Makes total and checksum right: no fuzzer guesses a CRC. */
static void seal(uint8_t *input, size_t size)
{
    st_le32(input + 8, (uint32_t)size);
    st_le32(input + 28, 0);
    st_le32(input + 28, crc32_update(0, input, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    uint8_t *input = exact_copy(data, size);
    check(span_of(input, size));
    if (size >= 40) {
        seal(input, size);
        check(span_of(input, size));
    }
    free(input);
    return 0;
}
