/*
 * Members of Linux RAID. The superblocks are those that mdadm 4.2 and Linux 6.1 wrote on disks of
 * 18439 sectors; `mdadm --examine` says of them what is expected here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/md.h"
#include "unit/bytes_fixture.h"

#define DEVICE_BYTES (18439u * 512)

/* The words of a superblock that are not zero. */
struct word {
    uint16_t at;
    uint32_t value;
};

/* mdadm --create --homehost=shadow -e VERSION -l1 -n2, with -N NAME but for 0.90: first member */
static const struct word made_0_90[] = {
    {0x0, 0xa92b4efc},   {0x8, 0x0000005a},   {0x14, 0x81289a88},  {0x18, 0x6b005844},
    {0x1c, 0x00000001},  {0x20, 0x000023c0},  {0x24, 0x00000002},  {0x28, 0x00000002},
    {0x34, 0xe3cf08e7},  {0x38, 0x833d9ded},  {0x3c, 0x0399f82a},  {0x80, 0x6b005844},
    {0x84, 0x00000001},  {0x88, 0x00000002},  {0x8c, 0x00000002},  {0x98, 0x6afb6050},
    {0x9c, 0x00000001},  {0x204, 0x000000fe}, {0x210, 0x00000006}, {0x280, 0x00000001},
    {0x284, 0x000000fe}, {0x288, 0x00000010}, {0x28c, 0x00000001}, {0x290, 0x00000006},
    {0xf84, 0x000000fe}, {0xf90, 0x00000006},
};
static const struct word made_1_0[] = {
    {0x0, 0xa92b4efc},   {0x4, 0x00000001},  {0x10, 0x0ec9c3b5}, {0x14, 0xc5a097b6},
    {0x18, 0x2b3f260f},  {0x1c, 0xb311e23e}, {0x20, 0x64616873}, {0x24, 0x653a776f},
    {0x28, 0x00007073},  {0x40, 0x6b005846}, {0x48, 0x00000001}, {0x50, 0x00004780},
    {0x5c, 0x00000002},  {0x88, 0x000047e0}, {0x90, 0x000047f0}, {0xa8, 0x3ec3cf41},
    {0xac, 0x6cfec660},  {0xb0, 0x0a7dc283}, {0xb4, 0x60d947de}, {0xb8, 0x00080000},
    {0xbc, 0xfffffff8},  {0xc0, 0x6b005846}, {0xd8, 0x12a72b69}, {0xdc, 0x00000080},
    {0x100, 0x00010000},
};
static const struct word made_1_1[] = {
    {0x0, 0xa92b4efc},   {0x4, 0x00000001},  {0x10, 0x8d6c3bae}, {0x14, 0x4e78392f},
    {0x18, 0x066620f2},  {0x1c, 0xc1035d85}, {0x20, 0x64616873}, {0x24, 0x6f3a776f},
    {0x28, 0x0000656e},  {0x40, 0x6b005846}, {0x48, 0x00000001}, {0x50, 0x00004000},
    {0x5c, 0x00000002},  {0x80, 0x00000800}, {0x88, 0x00004007}, {0xa8, 0xcfb5640e},
    {0xac, 0xd6b2c98d},  {0xb0, 0xbd5d9e79}, {0xb4, 0x4de9554c}, {0xb8, 0x00080000},
    {0xbc, 0x00000010},  {0xc0, 0x6b005846}, {0xd8, 0xa7cce22e}, {0xdc, 0x00000080},
    {0x100, 0xffff0000},
};
/* Here the second member. */
static const struct word made_1_2[] = {
    {0x0, 0xa92b4efc},  {0x4, 0x00000001},  {0x10, 0x5ac8d3f3}, {0x14, 0xf3908f03},
    {0x18, 0xe8b63eb1}, {0x1c, 0x1fc35a82}, {0x20, 0x64616873}, {0x24, 0x733a776f},
    {0x28, 0x65747379}, {0x2c, 0x0000006d}, {0x40, 0x6b005846}, {0x48, 0x00000001},
    {0x50, 0x00004000}, {0x5c, 0x00000002}, {0x80, 0x00000800}, {0x88, 0x00004007},
    {0x90, 0x00000008}, {0xa0, 0x00000001}, {0xa8, 0x3aebb88d}, {0xac, 0x78645aa6},
    {0xb0, 0xbeaee64b}, {0xb4, 0x8cc7976e}, {0xb8, 0x00080000}, {0xbc, 0x00000010},
    {0xc0, 0x6b005846}, {0xd8, 0x11df6910}, {0xdc, 0x00000080}, {0x100, 0x00010000},
};
/* The spare of the same array. */
static const struct word made_spare[] = {
    {0x0, 0xa92b4efc},  {0x4, 0x00000001},  {0x10, 0x5ac8d3f3}, {0x14, 0xf3908f03},
    {0x18, 0xe8b63eb1}, {0x1c, 0x1fc35a82}, {0x20, 0x64616873}, {0x24, 0x733a776f},
    {0x28, 0x65747379}, {0x2c, 0x0000006d}, {0x40, 0x6b005846}, {0x48, 0x00000001},
    {0x50, 0x00004000}, {0x5c, 0x00000002}, {0x80, 0x00000800}, {0x88, 0x00004007},
    {0x90, 0x00000008}, {0xa0, 0x00000002}, {0xa8, 0x5b49905e}, {0xac, 0x59d2088d},
    {0xb0, 0x86c9ed65}, {0xb4, 0x58282198}, {0xb8, 0x00080000}, {0xbc, 0x00000010},
    {0xc0, 0x6b005846}, {0xd8, 0xa726800c}, {0xdc, 0x00000080}, {0x100, 0x00010000},
};

struct example {
    enum md_version version;
    const struct word *words;
    size_t count;
    uint64_t offset;
    const char *name;
    uint32_t role;
    uint64_t events;
    uint8_t set[16];
};

#define WORDS(array) array, sizeof(array) / sizeof(array[0])

static const struct example examples[] = {
    {MD_0_90,
     WORDS(made_0_90),
     18304 * 512,
     "",
     0,
     1,
     {0x88, 0x9a, 0x28, 0x81, 0xe7, 0x08, 0xcf, 0xe3, 0xed, 0x9d, 0x3d, 0x83, 0x2a, 0xf8, 0x99,
      0x03}},
    {MD_1_0,
     WORDS(made_1_0),
     18416 * 512,
     "shadow:esp",
     0,
     0,
     {0xb5, 0xc3, 0xc9, 0x0e, 0xb6, 0x97, 0xa0, 0xc5, 0x0f, 0x26, 0x3f, 0x2b, 0x3e, 0xe2, 0x11,
      0xb3}},
    {MD_1_1,
     WORDS(made_1_1),
     0,
     "shadow:one",
     0,
     0,
     {0xae, 0x3b, 0x6c, 0x8d, 0x2f, 0x39, 0x78, 0x4e, 0xf2, 0x20, 0x66, 0x06, 0x85, 0x5d, 0x03,
      0xc1}},
    {MD_1_2,
     WORDS(made_1_2),
     8 * 512,
     "shadow:system",
     1,
     0,
     {0xf3, 0xd3, 0xc8, 0x5a, 0x03, 0x8f, 0x90, 0xf3, 0xb1, 0x3e, 0xb6, 0xe8, 0x82, 0x5a, 0xc3,
      0x1f}},
    {MD_1_2,
     WORDS(made_spare),
     8 * 512,
     "shadow:system",
     MD_ROLE_SPARE,
     0,
     {0xf3, 0xd3, 0xc8, 0x5a, 0x03, 0x8f, 0x90, 0xf3, 0xb1, 0x3e, 0xb6, 0xe8, 0x82, 0x5a, 0xc3,
      0x1f}},
};

#define EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static void build(const struct example *example, uint8_t ret_bytes[MD_SUPERBLOCK_BYTES])
{
    memset(ret_bytes, 0, MD_SUPERBLOCK_BYTES);
    if (example->version != MD_0_90) {
        memset(ret_bytes + 208, 0xff, 8);         /* resynchronised to the end */
        memset(ret_bytes + 260, 0xff, 512 - 260); /* roles of members that never were */
    }
    for (size_t i = 0; i < example->count; i++)
        fixture_store_le(ret_bytes + example->words[i].at, example->words[i].value, 4);
}

static enum status parse(const uint8_t *bytes, size_t size, enum md_version version,
                         struct md_member *ret_member)
{
    struct span copy = fixture_exact(bytes, size);
    enum status status = md_parse(copy, version, ret_member);

    fixture_drop(copy);
    return status;
}

/* The checksum as md_p.h describes it, over the bytes [0, size). */
static void set_checksum(uint8_t *bytes, size_t size, size_t checksum_at)
{
    uint64_t sum = 0;

    fixture_store_le(bytes + checksum_at, 0, 4);
    for (size_t i = 0; i < size; i++)
        sum += (uint64_t)bytes[i] << 8 * (i % 4);
    fixture_store_le(bytes + checksum_at, (sum & 0xffffffff) + (sum >> 32), 4);
}

static void superblocks_of_mdadm_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        const struct example *example = &examples[i];
        uint8_t bytes[MD_SUPERBLOCK_BYTES];
        struct md_member member;
        build(example, bytes);
        assert_int_equal(parse(bytes, sizeof(bytes), example->version, &member), ST_OK);
        assert_int_equal(member.version, example->version);
        assert_memory_equal(member.set.bytes, example->set, 16);
        assert_int_equal(member.level, 1);
        assert_int_equal(member.raid_disks, 2);
        assert_int_equal(member.role, example->role);
        assert_string_equal(member.name, example->name);
        assert_int_equal(member.events, example->events);
    }
}

/* MD_FEATURE_RECOVERY_OFFSET: it has its place already, and not yet its content. */
static void member_that_is_being_rebuilt_is_not_in_use(void **state)
{
    uint8_t bytes[MD_SUPERBLOCK_BYTES];
    struct md_member member;

    (void)state;
    build(&examples[1], bytes);
    bytes[8] = 2;
    set_checksum(bytes, 256 + 2 * 128, 216);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_0, &member), ST_OK);
    assert_int_equal(member.role, MD_ROLE_SPARE);
    bytes[8] = 1; /* a bitmap is there: nothing of that kind */
    set_checksum(bytes, 256 + 2 * 128, 216);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_0, &member), ST_OK);
    assert_int_equal(member.role, 0);
}

static struct md_member member_of(const struct example *example)
{
    uint8_t bytes[MD_SUPERBLOCK_BYTES];
    struct md_member member;

    build(example, bytes);
    assert_int_equal(parse(bytes, sizeof(bytes), example->version, &member), ST_OK);
    return member;
}

/* What mdadm --examine calls Used Dev Size, Data Offset and Super Offset. */
static void place_of_the_data_is_read(void **state)
{
    static const uint64_t data_sectors[] = {9152 * 2, 18304, 16384, 16384, 16384};

    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        struct md_member member = member_of(&examples[i]);
        bool begins_with_data = examples[i].version == MD_0_90 || examples[i].version == MD_1_0;
        assert_int_equal(member.data_bytes, data_sectors[i] * 512);
        assert_int_equal(member.data_offset, begins_with_data ? 0 : 2048 * 512);
        assert_int_equal(member.offset,
                         examples[i].version == MD_0_90 ? MD_NO_OFFSET : examples[i].offset);
    }
}

/* A file system made on the array ends before the superblock, one made on the bare device does not;
 * data of 1.1 and 1.2 do not begin at the start of the device. */
static void mark_of_an_array_that_is_gone_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        struct md_member member = member_of(&examples[i]);
        uint64_t offset = examples[i].offset;
        bool at_end = examples[i].version == MD_0_90 || examples[i].version == MD_1_0;
        assert_int_equal(md_begins_with(&member, offset, member.data_bytes), at_end);
        assert_int_equal(md_begins_with(&member, offset, 1 << 20), at_end);
        assert_false(md_begins_with(&member, offset, member.data_bytes + 512));
        assert_false(md_begins_with(&member, offset, DEVICE_BYTES));
        if (examples[i].version == MD_1_0)
            assert_false(md_begins_with(&member, offset + 4096, 1 << 20));
    }
}

/* A file system over a stripe is longer than one member. */
static void piece_of_a_larger_file_system_is_one(void **state)
{
    struct md_member member = member_of(&examples[1]);
    uint64_t data = member.data_bytes;

    (void)state;
    member.level = 0;
    assert_true(md_begins_with(&member, examples[1].offset, 2 * data));
    assert_false(md_begins_with(&member, examples[1].offset, 2 * data + 512));
    member.data_bytes = UINT64_MAX;
    assert_true(md_begins_with(&member, examples[1].offset, UINT64_MAX));
}

static void mirrors_are_told_by_level_and_layout(void **state)
{
    struct md_member member = {.level = 1, .raid_disks = 3};

    (void)state;
    assert_true(md_is_mirror(&member));
    member = (struct md_member){.level = 10, .raid_disks = 2, .layout = 0x102};
    assert_true(md_is_mirror(&member));
    member.raid_disks = 4;
    assert_false(md_is_mirror(&member));
    member = (struct md_member){.level = 10, .raid_disks = 2, .layout = 0x201};
    assert_false(md_is_mirror(&member));
    for (int level = -1; level <= 6; level++) {
        member = (struct md_member){.level = level, .raid_disks = 2};
        assert_int_equal(md_is_mirror(&member), level == 1);
    }
}

static void superblocks_are_where_mdadm_puts_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++)
        assert_int_equal(md_offset(examples[i].version, DEVICE_BYTES), examples[i].offset);
}

static void offset_depends_on_the_size_as_md_rounds_it(void **state)
{
    (void)state;
    assert_int_equal(md_offset(MD_0_90, 131072), 65536);
    assert_int_equal(md_offset(MD_0_90, 131071), MD_NO_OFFSET);
    assert_int_equal(md_offset(MD_0_90, 196607), 65536);
    assert_int_equal(md_offset(MD_0_90, 196608), 131072);
    assert_int_equal(md_offset(MD_1_0, 12288), 4096);
    assert_int_equal(md_offset(MD_1_0, 12287), MD_NO_OFFSET);
    assert_int_equal(md_offset(MD_1_0, 65536), 65536 - 8192);
    assert_int_equal(md_offset(MD_1_0, 65536 + 4095), 65536 - 8192);
    assert_int_equal(md_offset(MD_1_1, 4096), 0);
    assert_int_equal(md_offset(MD_1_1, 4095), MD_NO_OFFSET);
    assert_int_equal(md_offset(MD_1_2, 8192), 4096);
    assert_int_equal(md_offset(MD_1_2, 8191), MD_NO_OFFSET);
}

static void offset_never_passes_the_end(void **state)
{
    static const uint64_t sizes[] = {0, 1, 512, 4096, 8192, 65536, 1u << 20, UINT64_MAX};

    (void)state;
    for (int version = 0; version < MD_VERSION_COUNT; version++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            uint64_t offset = md_offset((enum md_version)version, sizes[i]);
            if (offset != MD_NO_OFFSET)
                assert_true(offset <= sizes[i] && sizes[i] - offset >= MD_SUPERBLOCK_BYTES);
        }
    }
}

static void superblock_is_read_as_its_own_format_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        uint8_t bytes[MD_SUPERBLOCK_BYTES];
        struct md_member member;
        build(&examples[i], bytes);
        for (int version = 0; version < MD_VERSION_COUNT; version++) {
            enum status status = parse(bytes, sizeof(bytes), (enum md_version)version, &member);
            bool own = (enum md_version)version == examples[i].version;
            assert_int_equal(status, own ? ST_OK : ST_ABSENT);
        }
    }
}

static void changed_superblock_is_damaged_and_gives_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        uint8_t bytes[MD_SUPERBLOCK_BYTES];
        struct md_member member;
        struct md_member before;
        build(&examples[i], bytes);
        size_t covered = examples[i].version == MD_0_90 ? MD_SUPERBLOCK_BYTES : 512;
        memset(&member, 0xa5, sizeof(member));
        memcpy(&before, &member, sizeof(before));
        for (size_t at = 12; at < covered; at++) {
            if (at >= 220 && at < 224 && covered == 512)
                continue; /* says how much is covered */
            bytes[at] ^= 0x40;
            assert_int_equal(parse(bytes, sizeof(bytes), examples[i].version, &member), ST_DAMAGED);
            bytes[at] ^= 0x40;
        }
        assert_memory_equal(&member, &before, sizeof(before));
    }
}

static void anything_else_is_absent(void **state)
{
    uint8_t bytes[MD_SUPERBLOCK_BYTES] = {0};
    struct md_member member;

    (void)state;
    for (int version = 0; version < MD_VERSION_COUNT; version++) {
        assert_int_equal(parse(bytes, sizeof(bytes), (enum md_version)version, &member), ST_ABSENT);
        assert_int_equal(parse(bytes, 0, (enum md_version)version, &member), ST_ABSENT);
    }
    build(&examples[3], bytes);
    assert_int_equal(parse(bytes, sizeof(bytes) - 1, MD_1_2, &member), ST_ABSENT);
    bytes[3] ^= 1;
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_2, &member), ST_ABSENT);
}

static void more_roles_than_there_is_room_for_are_damage(void **state)
{
    uint8_t bytes[MD_SUPERBLOCK_BYTES];
    struct md_member member;

    (void)state;
    build(&examples[3], bytes);
    fixture_store_le(bytes + 220, 1920, 4);
    set_checksum(bytes, MD_SUPERBLOCK_BYTES, 216);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_2, &member), ST_OK);
    fixture_store_le(bytes + 220, 1921, 4);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_2, &member), ST_DAMAGED);
    fixture_store_le(bytes + 220, 0xffffffff, 4);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_2, &member), ST_DAMAGED);
}

static void odd_number_of_roles_is_summed_to_its_end(void **state)
{
    uint8_t bytes[MD_SUPERBLOCK_BYTES];
    struct md_member member;

    (void)state;
    build(&examples[3], bytes);
    fixture_store_le(bytes + 220, 3, 4);
    set_checksum(bytes, 256 + 6, 216);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_2, &member), ST_OK);
}

static void member_without_a_role_is_a_spare(void **state)
{
    uint8_t bytes[MD_SUPERBLOCK_BYTES];
    struct md_member member;

    (void)state;
    build(&examples[3], bytes);
    fixture_store_le(bytes + 160, 128, 4);
    set_checksum(bytes, 512, 216);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_2, &member), ST_OK);
    assert_int_equal(member.role, MD_ROLE_SPARE);
}

static void faulty_member_of_0_90_is_told(void **state)
{
    uint8_t bytes[MD_SUPERBLOCK_BYTES];
    struct md_member member;

    (void)state;
    build(&examples[0], bytes);
    bytes[992 * 4 + 16] = 1;
    set_checksum(bytes, MD_SUPERBLOCK_BYTES, 38 * 4);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_0_90, &member), ST_OK);
    assert_int_equal(member.role, MD_ROLE_FAULTY);
    for (uint8_t flags = 0; flags <= 6; flags += 2) { /* 2: active, 4: in sync */
        bytes[992 * 4 + 16] = flags;
        set_checksum(bytes, MD_SUPERBLOCK_BYTES, 38 * 4);
        assert_int_equal(parse(bytes, sizeof(bytes), MD_0_90, &member), ST_OK);
        assert_int_equal(member.role, flags == 6 ? 0 : MD_ROLE_SPARE);
    }
}

static void level_and_events_may_be_any_number(void **state)
{
    uint8_t bytes[MD_SUPERBLOCK_BYTES];
    struct md_member member;

    (void)state;
    build(&examples[1], bytes);
    fixture_store_le(bytes + 72, 0xffffffff, 4);
    fixture_store_le(bytes + 200, 0x0123456789abcdef, 8);
    set_checksum(bytes, 512, 216);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_0, &member), ST_OK);
    assert_int_equal(member.level, -1);
    assert_true(member.events == 0x0123456789abcdef);
}

static void name_is_made_printable(void **state)
{
    uint8_t bytes[MD_SUPERBLOCK_BYTES];
    struct md_member member;

    (void)state;
    build(&examples[3], bytes);
    memcpy(bytes + 32, "a\x1b[31m\xc3\xa4\x7f 0123456789012345678901", 32);
    set_checksum(bytes, 512, 216);
    assert_int_equal(parse(bytes, sizeof(bytes), MD_1_2, &member), ST_OK);
    assert_string_equal(member.name, "a?[31m??? 0123456789012345678901");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(superblocks_of_mdadm_are_read),
        cmocka_unit_test(member_that_is_being_rebuilt_is_not_in_use),
        cmocka_unit_test(place_of_the_data_is_read),
        cmocka_unit_test(mark_of_an_array_that_is_gone_is_told),
        cmocka_unit_test(piece_of_a_larger_file_system_is_one),
        cmocka_unit_test(mirrors_are_told_by_level_and_layout),
        cmocka_unit_test(superblocks_are_where_mdadm_puts_them),
        cmocka_unit_test(offset_depends_on_the_size_as_md_rounds_it),
        cmocka_unit_test(offset_never_passes_the_end),
        cmocka_unit_test(superblock_is_read_as_its_own_format_only),
        cmocka_unit_test(changed_superblock_is_damaged_and_gives_nothing),
        cmocka_unit_test(anything_else_is_absent),
        cmocka_unit_test(more_roles_than_there_is_room_for_are_damage),
        cmocka_unit_test(odd_number_of_roles_is_summed_to_its_end),
        cmocka_unit_test(member_without_a_role_is_a_spare),
        cmocka_unit_test(faulty_member_of_0_90_is_told),
        cmocka_unit_test(level_and_events_may_be_any_number),
        cmocka_unit_test(name_is_made_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
