/*
 * Which volumes that firmware starts from are members of Linux md arrays. Superblocks are laid down
 * after struct mdp_superblock_1 of Linux (include/uapi/linux/raid/md_p.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/host_alloc.h"
#include "model/scan.h"
#include "model/scan_md.h"
#include "unit/bytes_fixture.h"
#include "unit/fat_fixture.h"
#include "unit/machine_fixture.h"

#define FIRST   2048u  /* LBA of each disk's ESP */
#define BLOCKS  16384u /* of it */
#define SUPER   16368u /* sector of a superblock of format 1.0 on it: (16384 - 16) / 8 * 8 */
#define DATA    16352u /* sectors of the array's data before that */
#define ARENA   (8u << 20)
#define DISKS   2
#define UNUSED  0xffffu
#define SET     0x3d
#define ANOTHER 0x4e

struct machine_with_md {
    struct host *host;
    void *memory;
    struct machine machine;
};

/* What is written into a superblock. */
struct super {
    uint8_t set;
    uint32_t level;
    uint64_t data; /* sectors */
    uint64_t place;
    uint16_t role;
    uint64_t events;
};

static const struct super usual = {
    .set = SET, .level = 1, .data = DATA, .place = SUPER, .role = 0, .events = 8};

static void put_super(struct machine_with_md *made, size_t disk, uint64_t sector,
                      const struct super *super)
{
    uint8_t bytes[4096] = {0};
    uint64_t sum = 0;

    fixture_store_le(bytes, 0xa92b4efc, 4);
    fixture_store_le(bytes + 4, 1, 4);
    bytes[16] = super->set;
    memcpy(bytes + 32, "box:esp", 7);
    fixture_store_le(bytes + 72, super->level, 4);
    fixture_store_le(bytes + 80, super->data, 8);
    fixture_store_le(bytes + 92, 2, 4);
    fixture_store_le(bytes + 136, super->data, 8);
    fixture_store_le(bytes + 144, super->place, 8);
    fixture_store_le(bytes + 200, super->events, 8);
    fixture_store_le(bytes + 220, 2, 4); /* roles: of this member, and of another one */
    fixture_store_le(bytes + 256, super->role, 2);
    fixture_store_le(bytes + 258, 1, 2);
    for (size_t i = 0; i < 260; i += 4) /* the header and two roles */
        sum += (uint64_t)bytes[i] | (uint64_t)bytes[i + 1] << 8 | (uint64_t)bytes[i + 2] << 16 |
               (uint64_t)bytes[i + 3] << 24;
    fixture_store_le(bytes + 216, (sum & 0xffffffff) + (sum >> 32), 4);
    mem_block_write(made->host->disks[disk], (FIRST + sector) * 512, bytes, sizeof(bytes));
}

static void put_fat(struct machine_with_md *made, size_t disk, uint64_t sectors)
{
    uint8_t *image = host_alloc(sectors, 512);
    struct fat_fixture fat;

    assert_non_null(image);
    fat_fixture_format(&fat, image, sectors * 512, 16, 512, 1);
    mem_block_write(made->host->disks[disk], FIRST * 512, image, sectors * 512);
    free(image);
}

static void drop_fat(struct machine_with_md *made, size_t disk)
{
    static const uint8_t zeros[512];

    mem_block_write(made->host->disks[disk], FIRST * 512, zeros, sizeof(zeros));
}

/* Two disks with an ESP each, on both a file system that fits the data of `usual`. */
static int set_up(void **state)
{
    struct machine_with_md *made = host_alloc(1, sizeof(*made));
    static const char *const guids[DISKS] = {"11111111-0000-4000-8000-000000000001",
                                             "22222222-0000-4000-8000-000000000001"};

    made->host = host_new();
    made->memory = malloc(ARENA);
    assert_non_null(made->memory);
    for (size_t i = 0; i < DISKS; i++) {
        struct fixture_partition esp = {1, TYPE_ESP, guids[i], FIRST, BLOCKS, "ESP"};
        (void)fixture_add_disk(made->host, DISK_AHCI, 512, 40000, guids[1 - i], &esp, 1);
        put_fat(made, i, DATA);
    }
    *state = made;
    return 0;
}

static int tear_down(void **state)
{
    struct machine_with_md *made = *state;

    host_free(made->host);
    free(made->memory);
    free(made);
    return 0;
}

static void scan(struct machine_with_md *made)
{
    struct arena arena;

    arena_init(&arena, made->memory, ARENA);
    assert_int_equal(scan_machine(&arena, host_ports(made->host), SCAN_ENTRIES, &made->machine),
                     ST_OK);
}

/* How each disk's ESP is used. */
static void assert_uses(struct machine_with_md *made, const struct super *first,
                        const struct super *second, enum md_use use, enum md_use other)
{
    put_super(made, 0, SUPER, first);
    put_super(made, 1, SUPER, second);
    scan(made);
    assert_int_equal(made->machine.md_volume_count, 2);
    assert_int_equal(made->machine.md_volumes[0].partition, 0);
    assert_int_equal(made->machine.md_volumes[1].partition, 1);
    assert_int_equal(made->machine.md_volumes[0].use, use);
    assert_int_equal(made->machine.md_volumes[1].use, other);
}

static void volume_without_a_superblock_is_no_member(void **state)
{
    struct machine_with_md *made = *state;

    scan(made);
    assert_int_equal(made->machine.md_volume_count, 0);
    put_super(made, 1, SUPER, &usual);
    scan(made);
    assert_int_equal(made->machine.md_volume_count, 1);
    assert_int_equal(made->machine.md_volumes[0].partition, 1);
    assert_string_equal(made->machine.md_volumes[0].member.name, "box:esp");
}

static void members_in_use_are_halves(void **state)
{
    struct super second = usual;

    second.role = 1;
    assert_uses(*state, &usual, &second, MD_HALF, MD_HALF);
}

/* One event behind is what a power cut leaves, and Linux takes it as up to date. */
static void member_that_missed_writes_is_old(void **state)
{
    struct super first = usual;
    struct super second = usual;

    first.events = 7;
    second.role = 1;
    assert_uses(*state, &first, &second, MD_HALF, MD_HALF);
    first.events = 6;
    assert_uses(*state, &first, &second, MD_OLD, MD_HALF);
    second.events = 0;
    assert_uses(*state, &first, &second, MD_HALF, MD_OLD);
}

static void spare_is_old_and_says_nothing_of_writes(void **state)
{
    struct super spare = usual;

    spare.role = UNUSED;
    spare.events = 100;
    assert_uses(*state, &usual, &spare, MD_HALF, MD_OLD);
}

static void member_of_another_array_says_nothing_of_writes(void **state)
{
    struct super other = usual;

    other.set = ANOTHER;
    other.events = 100;
    assert_uses(*state, &usual, &other, MD_HALF, MD_HALF);
}

static void part_of_a_stripe_set_is_a_piece(void **state)
{
    struct super piece = usual;

    piece.level = 0;
    assert_uses(*state, &usual, &piece, MD_HALF, MD_PIECE);
}

/* The partition was moved, or made larger: the array is not there any more. */
static void superblock_that_names_another_place_is_none(void **state)
{
    struct machine_with_md *made = *state;
    struct super moved = usual;

    moved.place = SUPER - 8;
    put_super(made, 0, SUPER, &moved);
    scan(made);
    assert_int_equal(made->machine.md_volume_count, 0);
    drop_fat(made, 0);
    scan(made);
    assert_int_equal(made->machine.md_volume_count, 0);
}

/* Somebody formatted all of the partition, and the superblock behind the old array's data is
 * left. */
static void file_system_that_is_longer_than_the_array_is_none_of_it(void **state)
{
    struct machine_with_md *made = *state;
    struct super shorter = usual;

    shorter.data = DATA - 1;
    put_super(made, 0, SUPER, &shorter);
    scan(made);
    assert_int_equal(made->machine.md_volume_count, 0);
}

/* It may be data of any array: a file system is only seen where it begins with the partition. */
static void esp_without_a_file_system_can_be_a_member(void **state)
{
    struct machine_with_md *made = *state;
    struct super inside = usual;

    drop_fat(made, 0);
    inside.place = 8; /* format 1.2 */
    put_super(made, 0, 8, &inside);
    scan(made);
    assert_int_equal(made->machine.md_volume_count, 1);
    assert_int_equal(made->machine.md_volumes[0].member.version, MD_1_2);
}

/* A quick look is at a few partitions of each disk. */
static void each_disk_is_looked_at_for_itself(void **state)
{
    struct machine_with_md *made = *state;
    struct arena arena;

    put_super(made, 0, SUPER, &usual);
    put_super(made, 1, SUPER, &usual);
    scan(made);
    arena_init(&arena, made->memory, ARENA);
    assert_int_equal(scan_machine(&arena, host_ports(made->host), SCAN_ENTRIES, &made->machine),
                     ST_OK);
    for (size_t most = 0; most < 3; most++) {
        made->machine.md_volume_count = 0;
        assert_int_equal(scan_md_volumes(&arena, host_ports(made->host), most, &made->machine),
                         ST_OK);
        assert_int_equal(made->machine.md_volume_count, most == 0 ? 0 : DISKS);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(volume_without_a_superblock_is_no_member),
        CASE(members_in_use_are_halves),
        CASE(member_that_missed_writes_is_old),
        CASE(spare_is_old_and_says_nothing_of_writes),
        CASE(member_of_another_array_says_nothing_of_writes),
        CASE(part_of_a_stripe_set_is_a_piece),
        CASE(superblock_that_names_another_place_is_none),
        CASE(file_system_that_is_longer_than_the_array_is_none_of_it),
        CASE(esp_without_a_file_system_can_be_a_member),
        CASE(each_disk_is_looked_at_for_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
