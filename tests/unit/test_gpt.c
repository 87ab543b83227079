/*
 * GUID Partition Table. Headers come from a builder of this file's own, with its own CRC, and from
 * sgdisk: bytes it once wrote, and where it is installed, images it writes now.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/crc32.h"
#include "format/gpt.h"
#include "unit/bytes_fixture.h"
#include "unit/skip_fixture.h"

#define DISK_BLOCKS 131072u

/* What `sgdisk` (gdisk 1.0.9) wrote on an image of 64 MiB:
 * -o -a 1 -U c0ffee00-1111-4222-8333-0123456789ab
 * -n 1:63:2110 -t 1:ef00 -c "1:EFI system partition" -u 1:68d298c0-1b6a-01c1-507b-9e5f8078f531
 * -n 2:4096:8191 -t 2:4200 -A 2:set:63 -u 2:68d298c0-1b6a-01c1-f1b3-12714f758821 */
static const uint8_t sgdisk_primary[] = {
    0x45, 0x46, 0x49, 0x20, 0x50, 0x41, 0x52, 0x54, 0x00, 0x00, 0x01, 0x00, 0x5c, 0x00, 0x00, 0x00,
    0xc5, 0x84, 0xf9, 0x80, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xff, 0xff, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xde, 0xff, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xee, 0xff, 0xc0, 0x11, 0x11, 0x22, 0x42,
    0x83, 0x33, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x80, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x3c, 0x56, 0xae, 0x97,
};

static const uint8_t sgdisk_backup[] = {
    0x45, 0x46, 0x49, 0x20, 0x50, 0x41, 0x52, 0x54, 0x00, 0x00, 0x01, 0x00, 0x5c, 0x00, 0x00, 0x00,
    0x00, 0x48, 0xf5, 0x0e, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xde, 0xff, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xee, 0xff, 0xc0, 0x11, 0x11, 0x22, 0x42,
    0x83, 0x33, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xdf, 0xff, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x80, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x3c, 0x56, 0xae, 0x97,
};

static const uint8_t sgdisk_entries[] = {
    0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
    0xc0, 0x98, 0xd2, 0x68, 0x6a, 0x1b, 0xc1, 0x01, 0x50, 0x7b, 0x9e, 0x5f, 0x80, 0x78, 0xf5, 0x31,
    0x3f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3e, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x45, 0x00, 0x46, 0x00, 0x49, 0x00, 0x20, 0x00,
    0x73, 0x00, 0x79, 0x00, 0x73, 0x00, 0x74, 0x00, 0x65, 0x00, 0x6d, 0x00, 0x20, 0x00, 0x70, 0x00,
    0x61, 0x00, 0x72, 0x00, 0x74, 0x00, 0x69, 0x00, 0x74, 0x00, 0x69, 0x00, 0x6f, 0x00, 0x6e, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xa0, 0x60, 0x9b, 0xaf, 0x31, 0x14, 0x62, 0x4f, 0xbc, 0x68, 0x33, 0x11, 0x71, 0x4a, 0x69, 0xad,
    0xc0, 0x98, 0xd2, 0x68, 0x6a, 0x1b, 0xc1, 0x01, 0xf1, 0xb3, 0x12, 0x71, 0x4f, 0x75, 0x88, 0x21,
    0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x1f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

/* Everything a test may want different about a header. */
struct recipe {
    uint32_t block_size;
    uint64_t lba; /* it is read from */
    uint64_t disk_blocks;
    uint32_t revision;
    uint32_t header_size;
    uint64_t my_lba;
    uint64_t alternate_lba;
    uint64_t first_usable;
    uint64_t last_usable;
    uint64_t entries_lba;
    uint32_t entry_count;
    uint32_t entry_size;
    uint32_t crc_flip; /* XORed into the right CRC */
    char signature[9];
};

static const struct recipe usual_primary = {
    .block_size = 512,
    .lba = 1,
    .disk_blocks = DISK_BLOCKS,
    .revision = 0x00010000,
    .header_size = 92,
    .my_lba = 1,
    .alternate_lba = DISK_BLOCKS - 1,
    .first_usable = 34,
    .last_usable = DISK_BLOCKS - 34,
    .entries_lba = 2,
    .entry_count = 128,
    .entry_size = 128,
    .signature = "EFI PART",
};

static const struct recipe usual_backup = {
    .block_size = 512,
    .lba = DISK_BLOCKS - 1,
    .disk_blocks = DISK_BLOCKS,
    .revision = 0x00010000,
    .header_size = 92,
    .my_lba = DISK_BLOCKS - 1,
    .alternate_lba = 1,
    .first_usable = 34,
    .last_usable = DISK_BLOCKS - 34,
    .entries_lba = DISK_BLOCKS - 33,
    .entry_count = 128,
    .entry_size = 128,
    .signature = "EFI PART",
};

/* The block of a recipe, in memory of exactly its size. */
static uint8_t *build(const struct recipe *recipe)
{
    uint8_t *at = calloc(1, recipe->block_size);
    uint32_t covered = recipe->header_size < recipe->block_size ? recipe->header_size : 92;

    assert_non_null(at);
    memcpy(at, recipe->signature, 8);
    fixture_store_le(at + 8, recipe->revision, 4);
    fixture_store_le(at + 12, recipe->header_size, 4);
    fixture_store_le(at + 24, recipe->my_lba, 8);
    fixture_store_le(at + 32, recipe->alternate_lba, 8);
    fixture_store_le(at + 40, recipe->first_usable, 8);
    fixture_store_le(at + 48, recipe->last_usable, 8);
    memset(at + 56, 0x5d, 16);
    fixture_store_le(at + 72, recipe->entries_lba, 8);
    fixture_store_le(at + 80, recipe->entry_count, 4);
    fixture_store_le(at + 84, recipe->entry_size, 4);
    fixture_store_le(at + 88, 0x12345678, 4);
    if (recipe->header_size == recipe->block_size)
        covered = recipe->header_size;
    fixture_store_le(at + 16, fixture_crc32(at, covered) ^ recipe->crc_flip, 4);
    return at;
}

static enum gpt_problem parse(const struct recipe *recipe, struct gpt_header *ret_header)
{
    uint8_t *block = build(recipe);
    enum gpt_problem problem = gpt_header_parse(span_of(block, recipe->block_size), recipe->lba,
                                                recipe->disk_blocks, ret_header);

    free(block);
    return problem;
}

/* The problem of a recipe; checks on the way that only a sound header is handed out. */
static enum gpt_problem problem_of(const struct recipe *recipe)
{
    struct gpt_header header;
    struct gpt_header untouched;

    memset(&header, 0xa5, sizeof(header));
    memset(&untouched, 0xa5, sizeof(untouched));
    enum gpt_problem problem = parse(recipe, &header);
    if (problem == GPT_FINE || problem == GPT_OF_LARGER_DISK)
        assert_int_equal(header.my_lba, recipe->my_lba);
    else
        assert_memory_equal(&header, &untouched, sizeof(header));
    return problem;
}

/* A captured header in a block of its own. */
static enum gpt_problem parse_captured(const uint8_t *bytes, uint64_t lba, uint64_t disk_blocks,
                                       struct gpt_header *ret_header)
{
    uint8_t *block = calloc(1, 512);

    assert_non_null(block);
    memcpy(block, bytes, sizeof(sgdisk_primary));
    enum gpt_problem problem = gpt_header_parse(span_of(block, 512), lba, disk_blocks, ret_header);
    free(block);
    return problem;
}

static void header_written_by_sgdisk_is_taken_apart(void **state)
{
    static const struct guid disk_guid =
        GUID_INIT(0xc0ffee00, 0x1111, 0x4222, 0x8333, 0x0123456789ab);
    struct gpt_header header;

    (void)state;
    assert_int_equal(parse_captured(sgdisk_primary, 1, DISK_BLOCKS, &header), GPT_FINE);
    assert_int_equal(header.revision, 0x00010000);
    assert_int_equal(header.header_size, 92);
    assert_int_equal(header.my_lba, 1);
    assert_int_equal(header.alternate_lba, 131071);
    assert_int_equal(header.first_usable_lba, 34);
    assert_int_equal(header.last_usable_lba, 131038);
    assert_true(guid_equal(&header.disk_guid, &disk_guid));
    assert_int_equal(header.entries_lba, 2);
    assert_int_equal(header.entry_count, 128);
    assert_int_equal(header.entry_size, 128);
    assert_int_equal(gpt_array_bytes(&header), 16384);
}

static void array_crc_of_sgdisk_is_ours(void **state)
{
    struct gpt_header header;
    uint8_t *array = calloc(128, 128);

    (void)state;
    assert_non_null(array);
    memcpy(array, sgdisk_entries, sizeof(sgdisk_entries));
    assert_int_equal(parse_captured(sgdisk_primary, 1, DISK_BLOCKS, &header), GPT_FINE);
    assert_int_equal(crc32_update(0, array, 16384), header.entries_crc);
    free(array);
}

static void both_copies_of_sgdisk_agree(void **state)
{
    struct gpt_header primary;
    struct gpt_header backup;

    (void)state;
    assert_int_equal(parse_captured(sgdisk_primary, 1, DISK_BLOCKS, &primary), GPT_FINE);
    assert_int_equal(parse_captured(sgdisk_backup, 131071, DISK_BLOCKS, &backup), GPT_FINE);
    assert_int_equal(backup.entries_lba, 131039);
    assert_true(gpt_headers_agree(&primary, &backup));
}

static void entries_of_sgdisk_are_taken_apart(void **state)
{
    static const struct guid esp = GUID_INIT(0xc12a7328, 0xf81f, 0x11d2, 0xba4b, 0x00a0c93ec93b);
    static const struct guid unique = GUID_INIT(0x68d298c0, 0x1b6a, 0x01c1, 0x507b, 0x9e5f8078f531);
    struct gpt_entry first = gpt_entry_parse(span_of(sgdisk_entries, 128));
    struct gpt_entry second = gpt_entry_parse(span_of(sgdisk_entries + 128, 128));

    (void)state;
    assert_true(gpt_entry_is_used(&first));
    assert_true(guid_equal(&first.type, &esp));
    assert_true(guid_equal(&first.unique, &unique));
    assert_int_equal(first.first_lba, 63);
    assert_int_equal(first.last_lba, 2110);
    assert_int_equal(first.attributes, 0);
    assert_memory_equal(first.name, "E\0F\0I\0 \0s\0y\0s\0", 14);
    assert_int_equal(second.first_lba, 4096);
    assert_int_equal(second.last_lba, 8191);
    assert_true(second.attributes == 0x8000000000000000u);
}

static void whole_name_is_kept(void **state)
{
    uint8_t *bytes = malloc(128);

    (void)state;
    assert_non_null(bytes);
    for (int i = 0; i < 128; i++)
        bytes[i] = (uint8_t)i;
    struct gpt_entry entry = gpt_entry_parse(span_of(bytes, 128));
    assert_int_equal(sizeof(entry.name), 72);
    assert_memory_equal(entry.name, bytes + 56, 72);
    free(bytes);
}

static void entry_without_type_is_unused(void **state)
{
    uint8_t bytes[128];

    (void)state;
    memset(bytes, 0xff, sizeof(bytes));
    memset(bytes, 0, 16);
    struct gpt_entry entry = gpt_entry_parse(span_of(bytes, sizeof(bytes)));
    assert_false(gpt_entry_is_used(&entry));
    bytes[15] = 1;
    entry = gpt_entry_parse(span_of(bytes, sizeof(bytes)));
    assert_true(gpt_entry_is_used(&entry));
}

static void usual_tables_are_fine(void **state)
{
    (void)state;
    assert_int_equal(problem_of(&usual_primary), GPT_FINE);
    assert_int_equal(problem_of(&usual_backup), GPT_FINE);
}

static void missing_signature_is_reported(void **state)
{
    struct recipe recipe = usual_primary;

    (void)state;
    memcpy(recipe.signature, "EFI PARS", 8);
    assert_int_equal(problem_of(&recipe), GPT_NO_SIGNATURE);
}

static void short_block_is_not_read_beyond_its_end(void **state)
{
    static const size_t sizes[] = {0, 7, 8, 91, 92, 511};
    struct gpt_header header;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *block = calloc(1, sizes[i] + 1);
        assert_non_null(block);
        uint8_t *exact = realloc(block, sizes[i] > 0 ? sizes[i] : 1);
        assert_non_null(exact);
        memcpy(exact, sgdisk_primary,
               sizes[i] < sizeof(sgdisk_primary) ? sizes[i] : sizeof(sgdisk_primary));
        assert_int_equal(gpt_header_parse(span_of(exact, sizes[i]), 1, DISK_BLOCKS, &header),
                         GPT_NO_SIGNATURE);
        free(exact);
    }
    assert_int_equal(gpt_header_parse(span_of(NULL, 0), 1, DISK_BLOCKS, &header), GPT_NO_SIGNATURE);
}

static void header_size_is_92_to_the_block_size(void **state)
{
    struct recipe recipe = usual_primary;

    (void)state;
    recipe.header_size = 91;
    assert_int_equal(problem_of(&recipe), GPT_BAD_HEADER_SIZE);
    recipe.header_size = 513;
    assert_int_equal(problem_of(&recipe), GPT_BAD_HEADER_SIZE);
    recipe.header_size = 0xffffffff;
    assert_int_equal(problem_of(&recipe), GPT_BAD_HEADER_SIZE);
    recipe.header_size = 0;
    assert_int_equal(problem_of(&recipe), GPT_BAD_HEADER_SIZE);
    recipe.header_size = 96;
    assert_int_equal(problem_of(&recipe), GPT_FINE);
    recipe.header_size = 512;
    assert_int_equal(problem_of(&recipe), GPT_FINE);
}

static void header_with_wrong_crc_is_reported(void **state)
{
    struct recipe recipe = usual_primary;

    (void)state;
    recipe.crc_flip = 1;
    assert_int_equal(problem_of(&recipe), GPT_BAD_HEADER_CRC);
    recipe.crc_flip = 0x80000000;
    assert_int_equal(problem_of(&recipe), GPT_BAD_HEADER_CRC);
}

static void every_byte_of_the_header_is_under_its_crc(void **state)
{
    struct gpt_header header;

    (void)state;
    for (size_t i = 16; i < sizeof(sgdisk_primary); i++) {
        uint8_t bytes[sizeof(sgdisk_primary)];
        memcpy(bytes, sgdisk_primary, sizeof(bytes));
        bytes[i] ^= 0x10;
        assert_int_equal(parse_captured(bytes, 1, DISK_BLOCKS, &header), GPT_BAD_HEADER_CRC);
    }
}

static void crc_covers_as_many_bytes_as_the_header_size_says(void **state)
{
    static const struct {
        uint32_t header_size;
        size_t changed;
        enum gpt_problem expected;
    } cases[] = {
        {92, 92, GPT_FINE},
        {92, 511, GPT_FINE},
        {512, 92, GPT_BAD_HEADER_CRC},
        {512, 511, GPT_BAD_HEADER_CRC},
    };
    struct gpt_header header;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = usual_primary;
        recipe.header_size = cases[i].header_size;
        uint8_t *block = build(&recipe);
        block[cases[i].changed] ^= 1;
        assert_int_equal(gpt_header_parse(span_of(block, 512), 1, DISK_BLOCKS, &header),
                         cases[i].expected);
        free(block);
    }
}

static void only_revision_1_is_understood(void **state)
{
    struct recipe recipe = usual_primary;

    (void)state;
    recipe.revision = 0x00010002;
    assert_int_equal(problem_of(&recipe), GPT_FINE);
    recipe.revision = 0x00020000;
    assert_int_equal(problem_of(&recipe), GPT_BAD_REVISION);
    recipe.revision = 0x00000100;
    assert_int_equal(problem_of(&recipe), GPT_BAD_REVISION);
}

static void header_of_another_lba_is_in_the_wrong_place(void **state)
{
    struct recipe recipe = usual_primary;

    (void)state;
    recipe.lba = 2;
    assert_int_equal(problem_of(&recipe), GPT_WRONG_PLACE);
    recipe = usual_backup;
    recipe.lba = 1;
    assert_int_equal(problem_of(&recipe), GPT_WRONG_PLACE);
    recipe = usual_primary;
    recipe.my_lba = 0x100000001;
    assert_int_equal(problem_of(&recipe), GPT_WRONG_PLACE);
}

static void backup_in_the_middle_of_a_grown_disk_is_fine(void **state)
{
    struct recipe recipe = usual_backup;

    (void)state;
    recipe.disk_blocks = 2 * DISK_BLOCKS;
    assert_int_equal(problem_of(&recipe), GPT_FINE);
    recipe = usual_primary;
    recipe.disk_blocks = 2 * DISK_BLOCKS;
    assert_int_equal(problem_of(&recipe), GPT_FINE);
}

static void primary_survives_the_loss_of_the_end_of_the_disk(void **state)
{
    struct recipe recipe = usual_primary;

    (void)state;
    recipe.disk_blocks = DISK_BLOCKS - 33;
    assert_int_equal(problem_of(&recipe), GPT_FINE);
    recipe.disk_blocks--;
    assert_int_equal(problem_of(&recipe), GPT_OF_LARGER_DISK);
    recipe.disk_blocks = recipe.first_usable + 1;
    assert_int_equal(problem_of(&recipe), GPT_OF_LARGER_DISK);
    recipe.disk_blocks--;
    assert_int_equal(problem_of(&recipe), GPT_BAD_USABLE_RANGE);
}

static void usable_range_is_inside_the_disk_and_clear_of_headers(void **state)
{
    static const struct {
        uint64_t first;
        uint64_t last;
        enum gpt_problem expected;
    } cases[] = {
        {34, 34, GPT_FINE},
        {DISK_BLOCKS - 34, DISK_BLOCKS - 34, GPT_FINE},
        {34, DISK_BLOCKS - 2, GPT_FINE},
        {2048, DISK_BLOCKS - 34, GPT_FINE},
        {35, 34, GPT_BAD_USABLE_RANGE},
        {34, 0, GPT_BAD_USABLE_RANGE},
        {34, DISK_BLOCKS - 1, GPT_BAD_USABLE_RANGE},
        {34, DISK_BLOCKS, GPT_BAD_USABLE_RANGE},
        {34, UINT64_MAX, GPT_BAD_USABLE_RANGE},
        {UINT64_MAX, UINT64_MAX, GPT_BAD_USABLE_RANGE},
        {0, DISK_BLOCKS - 34, GPT_BAD_USABLE_RANGE},
        {1, DISK_BLOCKS - 34, GPT_BAD_USABLE_RANGE},
        {0, 0, GPT_BAD_USABLE_RANGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = usual_primary;
        recipe.first_usable = cases[i].first;
        recipe.last_usable = cases[i].last;
        assert_int_equal(problem_of(&recipe), cases[i].expected);
    }
}

static void alternate_header_among_the_partitions_is_reported(void **state)
{
    struct recipe recipe = usual_primary;

    (void)state;
    recipe.alternate_lba = 5000;
    assert_int_equal(problem_of(&recipe), GPT_BAD_USABLE_RANGE);
    recipe.alternate_lba = recipe.last_usable;
    assert_int_equal(problem_of(&recipe), GPT_BAD_USABLE_RANGE);
    recipe.alternate_lba = recipe.last_usable + 1;
    assert_int_equal(problem_of(&recipe), GPT_FINE);
}

static void backup_header_among_the_partitions_is_reported(void **state)
{
    struct recipe recipe = usual_backup;

    (void)state;
    recipe.last_usable = DISK_BLOCKS - 1;
    assert_int_equal(problem_of(&recipe), GPT_BAD_USABLE_RANGE);
}

static void header_beyond_the_disk_is_reported(void **state)
{
    struct recipe recipe = usual_backup;

    (void)state;
    recipe.disk_blocks = DISK_BLOCKS - 1;
    assert_int_equal(problem_of(&recipe), GPT_BAD_USABLE_RANGE);
    recipe.disk_blocks = 0;
    assert_int_equal(problem_of(&recipe), GPT_BAD_USABLE_RANGE);
}

static void entry_size_is_128_times_a_power_of_two(void **state)
{
    static const struct {
        uint32_t size;
        enum gpt_problem expected;
    } cases[] = {
        {128, GPT_FINE},
        {256, GPT_FINE},
        {512, GPT_FINE},
        {4096, GPT_FINE},
        {0, GPT_BAD_ENTRY_SIZE},
        {1, GPT_BAD_ENTRY_SIZE},
        {64, GPT_BAD_ENTRY_SIZE},
        {127, GPT_BAD_ENTRY_SIZE},
        {129, GPT_BAD_ENTRY_SIZE},
        {384, GPT_BAD_ENTRY_SIZE},
        {0xffffffff, GPT_BAD_ENTRY_SIZE},
        {0x80000000, GPT_BAD_ENTRY_COUNT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = usual_primary;
        recipe.entry_size = cases[i].size;
        recipe.entry_count = 4;
        assert_int_equal(problem_of(&recipe), cases[i].expected);
    }
}

static void entry_count_is_neither_zero_nor_excessive(void **state)
{
    static const struct {
        uint32_t count;
        enum gpt_problem expected;
    } cases[] = {
        {1, GPT_FINE},
        {32768, GPT_FINE},
        {0, GPT_BAD_ENTRY_COUNT},
        {32769, GPT_BAD_ENTRY_COUNT},
        {0x02000000, GPT_BAD_ENTRY_COUNT}, /* times 128 is 0 in 32 bits */
        {0xffffffff, GPT_BAD_ENTRY_COUNT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = usual_primary;
        recipe.entry_count = cases[i].count;
        recipe.first_usable = 2 + 32768 * 128 / 512;
        assert_int_equal(problem_of(&recipe), cases[i].expected);
    }
}

static void first_usable_block_follows_the_array_closely(void **state)
{
    static const struct {
        uint32_t block_size;
        uint32_t count;
        uint64_t first_usable;
        enum gpt_problem expected;
    } cases[] = {
        {512, 128, 34, GPT_FINE},  {512, 128, 33, GPT_BAD_ARRAY_PLACE},
        {512, 4, 3, GPT_FINE},     {512, 4, 2, GPT_BAD_ARRAY_PLACE},
        {512, 5, 4, GPT_FINE},     {512, 5, 3, GPT_BAD_ARRAY_PLACE},
        {512, 512, 130, GPT_FINE}, {512, 512, 129, GPT_BAD_ARRAY_PLACE},
        {4096, 128, 6, GPT_FINE},  {4096, 128, 5, GPT_BAD_ARRAY_PLACE},
        {4096, 129, 7, GPT_FINE},  {4096, 129, 6, GPT_BAD_ARRAY_PLACE},
        {65536, 128, 3, GPT_FINE}, {65536, 128, 2, GPT_BAD_ARRAY_PLACE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = usual_primary;
        recipe.block_size = cases[i].block_size;
        recipe.entry_count = cases[i].count;
        recipe.first_usable = cases[i].first_usable;
        assert_int_equal(problem_of(&recipe), cases[i].expected);
    }
}

static void primary_array_lies_between_header_and_usable_range(void **state)
{
    static const struct {
        uint64_t entries_lba;
        enum gpt_problem expected;
    } cases[] = {
        {2, GPT_FINE},
        {2016, GPT_FINE}, /* 2016 + 32 = 2048 */
        {2017, GPT_BAD_ARRAY_PLACE},
        {2048, GPT_BAD_ARRAY_PLACE},
        {0, GPT_BAD_ARRAY_PLACE},
        {1, GPT_BAD_ARRAY_PLACE},
        {DISK_BLOCKS - 33, GPT_BAD_ARRAY_PLACE},
        {UINT64_MAX, GPT_BAD_ARRAY_PLACE},
        {UINT64_MAX - 31, GPT_BAD_ARRAY_PLACE}, /* its end is 0 in 64 bits */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = usual_primary;
        recipe.first_usable = 2048;
        recipe.entries_lba = cases[i].entries_lba;
        assert_int_equal(problem_of(&recipe), cases[i].expected);
    }
}

static void backup_array_lies_between_usable_range_and_header(void **state)
{
    static const struct {
        uint64_t entries_lba;
        uint64_t last_usable;
        enum gpt_problem expected;
    } cases[] = {
        {DISK_BLOCKS - 33, DISK_BLOCKS - 34, GPT_FINE},
        {DISK_BLOCKS - 33, DISK_BLOCKS - 100, GPT_FINE},
        {DISK_BLOCKS - 50, DISK_BLOCKS - 100, GPT_FINE},
        {DISK_BLOCKS - 33, DISK_BLOCKS - 33, GPT_BAD_ARRAY_PLACE},
        {DISK_BLOCKS - 32, DISK_BLOCKS - 34, GPT_BAD_ARRAY_PLACE},
        {DISK_BLOCKS - 1, DISK_BLOCKS - 34, GPT_BAD_ARRAY_PLACE},
        {DISK_BLOCKS, DISK_BLOCKS - 34, GPT_BAD_ARRAY_PLACE},
        {2, DISK_BLOCKS - 34, GPT_BAD_ARRAY_PLACE},
        {UINT64_MAX, DISK_BLOCKS - 34, GPT_BAD_ARRAY_PLACE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = usual_backup;
        recipe.entries_lba = cases[i].entries_lba;
        recipe.last_usable = cases[i].last_usable;
        assert_int_equal(problem_of(&recipe), cases[i].expected);
    }
}

/* Each step repairs what the step before reported, so the next problem in the order shows. */
static void first_problem_in_the_order_is_reported(void **state)
{
    struct recipe recipe = {.block_size = 512, .lba = 1, .disk_blocks = 100, .crc_flip = 1};

    (void)state;
    assert_int_equal(problem_of(&recipe), GPT_NO_SIGNATURE);
    memcpy(recipe.signature, "EFI PART", 8);
    assert_int_equal(problem_of(&recipe), GPT_BAD_HEADER_SIZE);
    recipe.header_size = 92;
    assert_int_equal(problem_of(&recipe), GPT_BAD_HEADER_CRC);
    recipe.crc_flip = 0;
    assert_int_equal(problem_of(&recipe), GPT_BAD_REVISION);
    recipe.revision = 0x00010000;
    assert_int_equal(problem_of(&recipe), GPT_WRONG_PLACE);
    recipe.my_lba = 1;
    assert_int_equal(problem_of(&recipe), GPT_BAD_USABLE_RANGE);
    recipe.first_usable = 34;
    recipe.last_usable = 66;
    assert_int_equal(problem_of(&recipe), GPT_BAD_ENTRY_SIZE);
    recipe.entry_size = 128;
    assert_int_equal(problem_of(&recipe), GPT_BAD_ENTRY_COUNT);
    recipe.entry_count = 128;
    assert_int_equal(problem_of(&recipe), GPT_BAD_ARRAY_PLACE);
    recipe.entries_lba = 2;
    assert_int_equal(problem_of(&recipe), GPT_FINE);
}

/* The two system disks of KB 814070 have their first partitions at LBA 63 and 34. */
static void partition_is_in_range_up_to_the_last_usable_block(void **state)
{
    static const struct {
        uint64_t first;
        uint64_t last;
        bool in_range;
    } cases[] = {
        {34, 417825, true},      {63, 417689, true},      {34, 34, true},
        {999966, 999966, true},  {34, 999966, true},      {33, 417825, false},
        {0, 10, false},          {1000, 999, false},      {999966, 999967, false},
        {999967, 999967, false}, {34, UINT64_MAX, false}, {UINT64_MAX, 34, false},
    };
    static const struct gpt_header header = {.first_usable_lba = 34, .last_usable_lba = 999966};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gpt_entry entry = {.first_lba = cases[i].first, .last_lba = cases[i].last};
        assert_int_equal(gpt_entry_in_range(&entry, &header), cases[i].in_range);
    }
}

static void array_size_does_not_wrap(void **state)
{
    struct gpt_header header = {.entry_count = 0xffffffff, .entry_size = 0x80000000};

    (void)state;
    assert_true(gpt_array_bytes(&header) == 0x7fffffff80000000u);
}

static void copies_agree_only_when_all_that_is_shared_is_equal(void **state)
{
    struct gpt_header primary;
    struct gpt_header backup;

    (void)state;
    assert_int_equal(parse(&usual_primary, &primary), GPT_FINE);
    assert_int_equal(parse(&usual_backup, &backup), GPT_FINE);
    assert_true(gpt_headers_agree(&primary, &backup));
    backup.header_size = 512; /* a matter of each copy alone */
    assert_true(gpt_headers_agree(&primary, &backup));

#define DISAGREES_WHEN(change)                             \
    do {                                                   \
        struct gpt_header other = backup;                  \
        change;                                            \
        assert_false(gpt_headers_agree(&primary, &other)); \
    } while (0)
    DISAGREES_WHEN(other.disk_guid.bytes[15] ^= 1);
    DISAGREES_WHEN(other.first_usable_lba++);
    DISAGREES_WHEN(other.last_usable_lba--);
    DISAGREES_WHEN(other.entry_count++);
    DISAGREES_WHEN(other.entry_size *= 2);
    DISAGREES_WHEN(other.entries_crc ^= 1);
    DISAGREES_WHEN(other.alternate_lba = 2);
    DISAGREES_WHEN(other.my_lba--);
#undef DISAGREES_WHEN
}

static void every_problem_has_words(void **state)
{
    (void)state;
    assert_string_equal(gpt_problem_text(GPT_FINE), "");
    for (int i = GPT_FINE + 1; i < GPT_PROBLEM_COUNT; i++) {
        const char *text = gpt_problem_text((enum gpt_problem)i);
        assert_non_null(text);
        assert_true(strlen(text) > 5);
        for (int j = GPT_FINE; j < i; j++)
            assert_string_not_equal(text, gpt_problem_text((enum gpt_problem)j));
    }
    assert_non_null(gpt_problem_text(GPT_PROBLEM_COUNT));
}

/* Runs sgdisk with `arguments` on a fresh image of `bytes` bytes; NULL when it is not installed. */
static FILE *image_by_sgdisk(const char *arguments, off_t bytes)
{
    char path[] = "/tmp/test_gpt_XXXXXX";
    char command[256];

    if (system("command -v sgdisk >/dev/null 2>&1") != 0)
        return NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, bytes), 0);
    snprintf(command, sizeof(command), "sgdisk %s %s >/dev/null 2>&1", arguments, path);
    int status = system(command);
    unlink(path);
    assert_int_equal(status, 0);
    FILE *image = fdopen(fd, "rb");
    assert_non_null(image);
    return image;
}

static void read_bytes(FILE *image, uint64_t offset, void *ret_data, size_t size)
{
    assert_int_equal(fseek(image, (long)offset, SEEK_SET), 0);
    assert_int_equal(fread(ret_data, 1, size, image), size);
}

static void tables_that_sgdisk_makes_now_are_fine(void **state)
{
    static const struct {
        const char *arguments;
        uint32_t count;
        uint64_t first_usable;
    } cases[] = {
        {"-o -a 1 -n 1:34:2081 -t 1:ef00 -n 2:0:0 -t 2:4200", 128, 34},
        {"-o -S 512 -n 1:0:+10M -t 1:ef00", 512, 130},
        {"-o -S 512 -j 200 -n 1:0:+10M", 512, 328}, /* the array moved to block 200 */
        {"-o -S 4", 4, 3},
    };
    const uint64_t blocks = 131072;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gpt_header headers[2];
        FILE *image = image_by_sgdisk(cases[i].arguments, (off_t)blocks * 512);
        if (image == NULL)
            SKIP_BECAUSE("sgdisk is not installed");
        for (int copy = 0; copy < 2; copy++) {
            uint64_t lba = copy == 0 ? 1 : blocks - 1;
            uint8_t block[512];
            read_bytes(image, lba * 512, block, sizeof(block));
            assert_int_equal(gpt_header_parse(span_of(block, 512), lba, blocks, &headers[copy]),
                             GPT_FINE);
            assert_int_equal(headers[copy].entry_count, cases[i].count);
            assert_int_equal(headers[copy].first_usable_lba, cases[i].first_usable);

            size_t bytes = (size_t)gpt_array_bytes(&headers[copy]);
            uint8_t *array = malloc(bytes);
            assert_non_null(array);
            read_bytes(image, headers[copy].entries_lba * 512, array, bytes);
            assert_int_equal(crc32_update(0, array, bytes), headers[copy].entries_crc);
            free(array);
        }
        assert_true(gpt_headers_agree(&headers[0], &headers[1]));
        fclose(image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_written_by_sgdisk_is_taken_apart),
        cmocka_unit_test(array_crc_of_sgdisk_is_ours),
        cmocka_unit_test(both_copies_of_sgdisk_agree),
        cmocka_unit_test(entries_of_sgdisk_are_taken_apart),
        cmocka_unit_test(whole_name_is_kept),
        cmocka_unit_test(entry_without_type_is_unused),
        cmocka_unit_test(usual_tables_are_fine),
        cmocka_unit_test(missing_signature_is_reported),
        cmocka_unit_test(short_block_is_not_read_beyond_its_end),
        cmocka_unit_test(header_size_is_92_to_the_block_size),
        cmocka_unit_test(header_with_wrong_crc_is_reported),
        cmocka_unit_test(every_byte_of_the_header_is_under_its_crc),
        cmocka_unit_test(crc_covers_as_many_bytes_as_the_header_size_says),
        cmocka_unit_test(only_revision_1_is_understood),
        cmocka_unit_test(header_of_another_lba_is_in_the_wrong_place),
        cmocka_unit_test(backup_in_the_middle_of_a_grown_disk_is_fine),
        cmocka_unit_test(primary_survives_the_loss_of_the_end_of_the_disk),
        cmocka_unit_test(usable_range_is_inside_the_disk_and_clear_of_headers),
        cmocka_unit_test(alternate_header_among_the_partitions_is_reported),
        cmocka_unit_test(backup_header_among_the_partitions_is_reported),
        cmocka_unit_test(header_beyond_the_disk_is_reported),
        cmocka_unit_test(entry_size_is_128_times_a_power_of_two),
        cmocka_unit_test(entry_count_is_neither_zero_nor_excessive),
        cmocka_unit_test(first_usable_block_follows_the_array_closely),
        cmocka_unit_test(primary_array_lies_between_header_and_usable_range),
        cmocka_unit_test(backup_array_lies_between_usable_range_and_header),
        cmocka_unit_test(first_problem_in_the_order_is_reported),
        cmocka_unit_test(partition_is_in_range_up_to_the_last_usable_block),
        cmocka_unit_test(array_size_does_not_wrap),
        cmocka_unit_test(copies_agree_only_when_all_that_is_shared_is_equal),
        cmocka_unit_test(every_problem_has_words),
        cmocka_unit_test(tables_that_sgdisk_makes_now_are_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
