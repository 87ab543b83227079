/*
 * The volumes on dynamic disks, read through block ports: two disks of a mirror in memory, whole
 * and damaged, and the disks that Windows made, together and alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/image_block.h"
#include "host/mem_block.h"
#include "model/volume_disk.h"
#include "model/volumes.h"
#include "unit/ldm_fixture.h"
#include "unit/skip_fixture.h"

#define DISK_BLOCKS 16384u
#define ARENA_BYTES (8u << 20)

static const uint8_t end_node[] = {0x7f, 0xff, 0x04, 0x00};

struct state {
    struct ldm_fixture fixture;
    uint8_t *regions[2];
    struct mem_block *disks[2];
    struct block_port ports[2];
    struct volume_source sources[2];
    struct volume_map map;
    struct arena arena;
    void *memory;
};

static int setup(void **state)
{
    struct state *s = calloc(1, sizeof *s);

    s->fixture = ldm_fixture_default();
    for (size_t i = 0; i < 2; i++) {
        s->regions[i] = malloc(LDM_FIXTURE_BYTES);
        ldm_fixture_build(&s->fixture, i, s->regions[i]);
        s->disks[i] = mem_block_new(512, DISK_BLOCKS, span_of(end_node, 4), "memory");
        s->sources[i] = (struct volume_source){
            .disk = 10 + i,
            .port = &s->ports[i],
            .gpt = true,
            .metadata_lba = s->fixture.disks[i].private_start,
            .metadata_blocks = LDM_FIXTURE_BLOCKS,
        };
    }
    s->memory = malloc(ARENA_BYTES);
    arena_init(&s->arena, s->memory, ARENA_BYTES);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 2; i++) {
        free(s->regions[i]);
        mem_block_free(s->disks[i]);
    }
    free(s->memory);
    free(s);
    return 0;
}

static void put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

/* Writes both private regions to their disks and reads `count` of them, from `first` on. */
static const struct volume_map *read_some(struct state *s, size_t first, size_t count)
{
    for (size_t i = 0; i < 2; i++) {
        mem_block_write(s->disks[i], s->fixture.disks[i].private_start * 512, s->regions[i],
                        LDM_FIXTURE_BYTES);
        s->ports[i] = mem_block_port(s->disks[i]);
    }
    assert_int_equal(volumes_read(s->sources + first, count, &s->arena, &s->map), ST_OK);
    assert_int_equal(s->arena.size, ARENA_BYTES);
    for (size_t i = 0; i < s->map.disk_count; i++) {
        assert_true(s->map.disks[i].read_bytes <= VOLUME_READ_MAX);
        assert_true((s->map.disks[i].state == VOLUME_DISK_OK) ==
                    (s->map.disks[i].reason[0] == '\0'));
    }
    return &s->map;
}

static const struct volume_map *read_both(struct state *s)
{
    return read_some(s, 0, 2);
}

static void assert_guid(const struct guid *guid, const char *text)
{
    struct guid expected;

    assert_int_equal(guid_parse(text, &expected), ST_OK);
    assert_memory_equal(guid->bytes, expected.bytes, 16);
}

static uint8_t *config(struct state *s, size_t disk)
{
    return s->regions[disk] + LDM_FIXTURE_CONFIG;
}

static void set_transaction(struct state *s, size_t disk, uint64_t transaction)
{
    put(config(s, disk) + 0x75, transaction, 8);
    put(config(s, disk) + 0x7d, transaction, 8);
}

static void swap_slots(struct state *s, size_t disk, size_t a, size_t b)
{
    uint8_t *first = config(s, disk) + 128 * a + 8;
    uint8_t *second = config(s, disk) + 128 * b + 8;
    uint8_t kept[120];

    memcpy(kept, first, sizeof kept);
    memcpy(first, second, sizeof kept);
    memcpy(second, kept, sizeof kept);
}

/* "Volume1" becomes "volume1" in the database of one disk. */
static void change_volume_name(struct state *s, size_t disk)
{
    config(s, disk)[128 * LDM_SLOT_VOLUME + 0x10 + 8 + 3] = 'v';
}

/* --- Whole groups --------------------------------------------------------------------------- */

static void mirror_on_two_disks_is_found(void **state)
{
    const struct volume_map *map = read_both(*state);

    assert_int_equal(map->group_count, 1);
    assert_guid(&map->groups[0].guid, "a1b2c3d4-0001-11e1-8000-000102030405");
    assert_string_equal(map->groups[0].name, "Test-Dg0");
    assert_true(map->groups[0].known);
    assert_true(map->groups[0].clean);
    assert_true(map->groups[0].agreed);
    assert_int_equal(map->groups[0].transaction, 12);
    assert_int_equal(map->groups[0].disk_count, 2);
    assert_int_equal(map->groups[0].missing_disks, 0);
    assert_int_equal(map->volume_count, 1);
    assert_string_equal(map->volumes[0].name, "Volume1");
    assert_int_equal(map->volumes[0].id, 4);
    assert_guid(&map->volumes[0].guid, "a1b2c3d4-0002-11e1-8000-000102030405");
    assert_int_equal(map->volumes[0].type, DYNAMIC_MIRROR);
    assert_int_equal(map->volumes[0].size, 4096);
    assert_int_equal(map->volumes[0].number, 1);
    assert_int_equal(map->volumes[0].status, DYNAMIC_HEALTHY);
    assert_int_equal(map->plex_count, 2);
    assert_int_equal(map->plexes[0].state, PLEX_GOOD);
    assert_true(map->plexes[0].complete);
    assert_int_equal(map->extent_count, 2);
    assert_int_equal(map->extents[0].plex, 0);
    assert_int_equal(map->extents[0].disk, 10);
    assert_int_equal(map->extents[0].lba, 4096);
    assert_int_equal(map->extents[0].blocks, 4096);
    assert_int_equal(map->extents[1].plex, 1);
    assert_int_equal(map->extents[1].disk, 11);
    assert_int_equal(map->extents[1].lba, 2048 + 16);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(map->disks[i].state, VOLUME_DISK_OK);
}

static void disk_alone_tells_of_the_missing_one(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        const struct volume_map *map = read_some(*state, i, 1);
        assert_int_equal(map->disk_count, 1);
        assert_int_equal(map->groups[0].missing_disks, 1);
        assert_int_equal(map->volumes[0].type, DYNAMIC_MIRROR);
        assert_int_not_equal(map->volumes[0].status, DYNAMIC_HEALTHY);
        assert_int_equal(map->plex_count, 2);
        assert_true(map->plexes[i].complete && map->plexes[i].state == PLEX_GOOD);
        assert_false(map->plexes[1 - i].complete);
        assert_int_equal(map->plexes[1 - i].state, PLEX_MISSING);
        assert_int_equal(map->extents[i].disk, 10 + i);
        assert_int_equal(map->extents[1 - i].disk, VOLUME_NONE);
        assert_int_equal(map->extents[1 - i].lba, 0);
        assert_int_equal(map->extents[1 - i].blocks, 0);
        assert_int_equal(map->extents[1 - i].size, 4096);
        assert_false(volume_map_at(map, VOLUME_NONE, 0, UINT64_MAX, &(size_t){0}));
    }
}

static void no_disks_give_an_empty_map(void **state)
{
    const struct volume_map *map = read_some(*state, 0, 0);
    size_t volume = 77;

    assert_int_equal(map->group_count, 0);
    assert_int_equal(map->volume_count, 0);
    assert_false(volume_map_at(map, 10, 0, UINT64_MAX, &volume));
    assert_int_equal(volume, 77);
}

static void mbr_disk_is_found_by_its_third_header(void **state)
{
    struct state *s = *state;

    /* As after a copy to a larger disk: no header where the end is now. */
    put(s->regions[0] + LDM_FIXTURE_HEAD_1 + 0x12b, 5 * DISK_BLOCKS / 8 + 2048, 8);
    ldm_fixture_seal(s->regions[0] + LDM_FIXTURE_HEAD_1);
    s->fixture.disks[0].private_start = 5 * DISK_BLOCKS / 8 + 2048;
    mem_block_write(s->disks[0], 6 * 512, s->regions[0] + LDM_FIXTURE_HEAD_1, 512);
    s->sources[0] = (struct volume_source){.disk = 10, .port = &s->ports[0], .gpt = false};
    const struct volume_map *map = read_both(s);
    assert_int_equal(map->disks[0].state, VOLUME_DISK_OK);
    assert_int_equal(map->extents[0].disk, 10);
}

static void two_groups_are_kept_apart(void **state)
{
    struct state *s = *state;
    struct ldm_fixture other = s->fixture;

    other.group_guid = "a1b2c3d4-9999-11e1-8000-000102030405";
    other.volume_name = "Volume7";
    ldm_fixture_build(&other, 1, s->regions[1]);
    const struct volume_map *map = read_both(s);
    assert_int_equal(map->group_count, 2);
    assert_int_equal(map->volume_count, 2);
    assert_int_equal(map->plex_count, 4);
    assert_int_equal(map->volumes[1].number, 7);
    assert_int_equal(map->volumes[1].group, 1);
    assert_int_equal(map->plexes[3].volume, 1);
    assert_int_equal(map->extents[0].disk, 10);
    assert_int_equal(map->extents[1].disk, VOLUME_NONE);
    assert_int_equal(map->extents[2].disk, VOLUME_NONE);
    assert_int_equal(map->extents[3].disk, 11);
    assert_int_equal(map->groups[0].missing_disks, 1);
}

static uint32_t number_of(struct state *s, const char *name)
{
    s->fixture.volume_name = name;
    for (size_t i = 0; i < 2; i++)
        ldm_fixture_build(&s->fixture, i, s->regions[i]);
    return read_both(s)->volumes[0].number;
}

static void volume_number_comes_from_its_default_name(void **state)
{
    assert_int_equal(number_of(*state, "Volume3"), 3);
    assert_int_equal(number_of(*state, "Volume120"), 120);
    assert_int_equal(number_of(*state, "Volume"), 1);
    assert_int_equal(number_of(*state, "Volume0"), 1);
    assert_int_equal(number_of(*state, "Volume07"), 1);
    assert_int_equal(number_of(*state, "Volume3x"), 1);
    assert_int_equal(number_of(*state, "Volume4294967299"), 1);
    assert_int_equal(number_of(*state, "Vol"), 1);
    assert_int_equal(number_of(*state, "Data"), 1);
}

/* A foreign disk's volume may be called as one of the machine's own. */
static void no_two_volumes_have_one_number(void **state)
{
    struct state *s = *state;
    struct ldm_fixture other = s->fixture;
    static const struct {
        const char *own;
        const char *other;
        uint32_t numbers[2];
    } cases[] = {
        {"Volume1", "Volume1", {1, 2}}, {"Volume2", "Volume2", {2, 1}}, {"Data", "Data", {1, 2}},
        {"Data", "Volume1", {2, 1}},    {"Volume4", "Volume5", {4, 5}},
    };

    other.group_guid = "a1b2c3d4-9999-11e1-8000-000102030405";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s->fixture.volume_name = cases[i].own;
        other.volume_name = cases[i].other;
        ldm_fixture_build(&s->fixture, 0, s->regions[0]);
        ldm_fixture_build(&other, 1, s->regions[1]);
        const struct volume_map *map = read_both(s);
        assert_int_equal(map->volumes[0].number, cases[i].numbers[0]);
        assert_int_equal(map->volumes[1].number, cases[i].numbers[1]);
    }
}

static void drive_hint_is_given(void **state)
{
    struct state *s = *state;

    assert_string_equal(read_both(s)->volumes[0].drive_hint, "");
    s->fixture.drive_hint = "C:";
    for (size_t i = 0; i < 2; i++)
        ldm_fixture_build(&s->fixture, i, s->regions[i]);
    assert_string_equal(read_both(s)->volumes[0].drive_hint, "C:");
}

static void large_blocks_divide_sectors(void **state)
{
    struct state *s = *state;
    struct mem_block *disk = mem_block_new(4096, DISK_BLOCKS, span_of(end_node, 4), "4K");

    /* The same regions, each block eight times as large; the piece begins at sector 16. */
    put(s->regions[1] + LDM_FIXTURE_HEAD_1 + 0x10f, 4096, 4);
    put(s->regions[1] + LDM_FIXTURE_HEAD_1 + 0x133, 256, 8);
    put(s->regions[1] + LDM_FIXTURE_HEAD_1 + 0x20, 255, 8);
    put(s->regions[1] + LDM_FIXTURE_HEAD_1 + 0x28, 232, 8);
    put(s->regions[1] + LDM_FIXTURE_HEAD_1 + 0x13b, 1, 8);
    put(s->regions[1] + LDM_FIXTURE_HEAD_1 + 0x143, 254, 8);
    ldm_fixture_seal(s->regions[1] + LDM_FIXTURE_HEAD_1);
    put(s->regions[1] + LDM_FIXTURE_TOC_1 + 0x2e, 2, 8);
    put(s->regions[1] + LDM_FIXTURE_TOC_1 + 0x36, 186, 8);
    put(s->regions[1] + LDM_FIXTURE_TOC_1 + 0x50, 188, 8);
    put(s->regions[1] + LDM_FIXTURE_TOC_1 + 0x58, 28, 8);
    ldm_fixture_seal(s->regions[1] + LDM_FIXTURE_TOC_1);
    mem_block_write(disk, (12000 + 255) * 4096ull, s->regions[1] + LDM_FIXTURE_HEAD_1, 512);
    mem_block_write(disk, (12000 + 1) * 4096ull, s->regions[1] + LDM_FIXTURE_TOC_1, 512);
    mem_block_write(disk, (12000 + 2) * 4096ull, config(s, 1), LDM_FIXTURE_CONFIG_BYTES);
    struct block_port port = mem_block_port(disk);
    struct volume_source source = s->sources[1];
    source.port = &port;
    source.metadata_blocks = 256;
    assert_int_equal(volumes_read(&source, 1, &s->arena, &s->map), ST_OK);
    assert_int_equal(s->map.disks[0].state, VOLUME_DISK_OK);
    assert_int_equal(s->map.extents[1].lba, 2048 + 2);
    assert_int_equal(s->map.extents[1].blocks, 512);
    mem_block_free(disk);
}

/* --- Which volume is where ------------------------------------------------------------------ */

static void piece_belongs_to_the_volume_only_as_a_whole(void **state)
{
    const struct volume_map *map = read_both(*state);
    size_t volume = 77;

    assert_false(volume_map_at(map, 10, 4097, 8191, &volume));
    assert_false(volume_map_at(map, 10, 4096, 4095, &volume));
    assert_false(volume_map_at(map, 11, 4096, 8192, &volume));
    assert_false(volume_map_at(map, 12, 0, UINT64_MAX, &volume));
    assert_false(volume_map_at(map, VOLUME_NONE, 0, UINT64_MAX, &volume));
    assert_int_equal(volume, 77);
    assert_true(volume_map_at(map, 10, 4096, 4096, &volume));
    assert_int_equal(volume, 0);
    volume = 77;
    assert_true(volume_map_at(map, 11, 2048, 8192, &volume));
    assert_int_equal(volume, 0);
}

static void of_two_volumes_the_first_on_the_disk_counts(void **state)
{
    (void)state;
    const struct dynamic_plex plexes[] = {{.volume = 3}, {.volume = 5}};
    const struct dynamic_extent extents[] = {
        {.plex = 0, .disk = 1, .lba = 500, .blocks = 10},
        {.plex = 1, .disk = 1, .lba = 100, .blocks = 10},
        {.plex = 0, .disk = 1, .lba = 300, .blocks = 10},
    };
    const struct volume_map map = {
        .plexes = plexes, .plex_count = 2, .extents = extents, .extent_count = 3};
    size_t volume = 77;

    assert_true(volume_map_at(&map, 1, 100, 1000, &volume));
    assert_int_equal(volume, 5);
    assert_true(volume_map_at(&map, 1, 101, UINT64_MAX, &volume));
    assert_int_equal(volume, 3);
}

/* --- Damaged disks -------------------------------------------------------------------------- */

static void assert_first_disk(struct state *s, enum volume_disk_state expected)
{
    assert_int_equal(read_both(s)->disks[0].state, expected);
    assert_int_equal(s->map.disks[1].state, VOLUME_DISK_OK);
    assert_true(s->map.groups[s->map.disks[1].group].known);
    assert_int_equal(s->map.volume_count, 1);
}

static void disk_without_metadata_partition_is_absent(void **state)
{
    struct state *s = *state;

    s->sources[0].metadata_blocks = 0;
    assert_first_disk(s, VOLUME_DISK_ABSENT);
    assert_int_equal(s->map.disks[0].group, VOLUME_NONE);
    assert_int_equal(s->map.disks[0].read_bytes, 0);
}

static void empty_metadata_partition_is_absent(void **state)
{
    struct state *s = *state;

    memset(s->regions[0], 0, LDM_FIXTURE_BYTES);
    assert_first_disk(s, VOLUME_DISK_ABSENT);
}

static void metadata_partition_past_the_disk_is_damaged(void **state)
{
    struct state *s = *state;

    s->sources[0].metadata_lba = DISK_BLOCKS - 2047;
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
    s->sources[0].metadata_lba = UINT64_MAX;
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

static void metadata_partition_of_one_block_is_survived(void **state)
{
    struct state *s = *state;

    s->sources[0].metadata_blocks = 1;
    assert_first_disk(s, VOLUME_DISK_ABSENT);
}

static void one_damaged_header_does_no_harm(void **state)
{
    struct state *s = *state;

    s->regions[0][LDM_FIXTURE_HEAD_1 + 0x20] ^= 1;
    assert_first_disk(s, VOLUME_DISK_OK);
    s->regions[0][LDM_FIXTURE_HEAD_2 + 0x20] ^= 1;
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

static void unreadable_header_is_made_good_by_the_other(void **state)
{
    struct state *s = *state;

    mem_block_spoil(s->disks[0], 64 + 2047, 1);
    assert_first_disk(s, VOLUME_DISK_OK);
    mem_block_spoil(s->disks[0], 64 + 1856, 1);
    assert_first_disk(s, VOLUME_DISK_UNREADABLE);
}

static void headers_of_two_disks_on_one_are_damaged(void **state)
{
    struct state *s = *state;

    memcpy(s->regions[0] + LDM_FIXTURE_HEAD_2 + 0x30, "a1b2c3d4-7777-11e1-8000-000102030405", 36);
    ldm_fixture_seal(s->regions[0] + LDM_FIXTURE_HEAD_2);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
    assert_int_equal(s->map.extents[0].disk, VOLUME_NONE);
}

static void header_of_the_later_sequence_is_used(void **state)
{
    struct state *s = *state;
    uint8_t *late = s->regions[0] + LDM_FIXTURE_HEAD_2;

    put(late + 0x18, 2, 8);
    put(late + 0x11b, 4100, 8);
    ldm_fixture_seal(late);
    for (size_t i = 0; i < 2; i++) {
        uint8_t *toc = s->regions[0] + (i == 0 ? LDM_FIXTURE_TOC_1 : LDM_FIXTURE_TOC_2);
        put(toc + 0x0c, 2, 8);
        ldm_fixture_seal(toc);
    }
    assert_first_disk(s, VOLUME_DISK_OK);
    assert_int_equal(s->map.extents[0].lba, 4100);
}

static void headers_of_one_sequence_must_agree(void **state)
{
    struct state *s = *state;

    put(s->regions[0] + LDM_FIXTURE_HEAD_2 + 0x11b, 4100, 8);
    ldm_fixture_seal(s->regions[0] + LDM_FIXTURE_HEAD_2);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

static void header_that_is_not_of_this_partition_is_damaged(void **state)
{
    struct state *s = *state;

    /* The partition begins one block before the region that ends with it. */
    s->sources[0].metadata_lba--;
    s->sources[0].metadata_blocks++;
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

static void outdated_tocblock_is_passed_over(void **state)
{
    struct state *s = *state;
    uint8_t *old = s->regions[0] + LDM_FIXTURE_TOC_1;

    put(old + 0x0c, 0, 8);
    put(old + 0x2e, 18, 8);
    put(old + 0x36, 1480, 8);
    ldm_fixture_seal(old);
    assert_first_disk(s, VOLUME_DISK_OK);
}

static void tocblock_ahead_of_the_header_is_passed_over(void **state)
{
    struct state *s = *state;
    uint8_t *early = s->regions[0] + LDM_FIXTURE_TOC_1;

    put(early + 0x0c, 2, 8);
    put(early + 0x2e, 18, 8);
    put(early + 0x36, 1480, 8);
    ldm_fixture_seal(early);
    assert_first_disk(s, VOLUME_DISK_OK);
}

static void tocblocks_must_agree(void **state)
{
    struct state *s = *state;
    uint8_t *toc = s->regions[0] + LDM_FIXTURE_TOC_2;

    put(toc + 0x36, 1480, 8);
    ldm_fixture_seal(toc);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

static void stray_tocblock_is_a_last_resort(void **state)
{
    struct state *s = *state;

    memcpy(s->regions[0] + 512, s->regions[0] + LDM_FIXTURE_TOC_1, 512);
    memset(s->regions[0] + LDM_FIXTURE_TOC_1, 0, 512);
    memset(s->regions[0] + LDM_FIXTURE_TOC_2, 0, 512);
    set_transaction(s, 0, 13);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
    assert_int_equal(s->map.groups[0].transaction, 12);
    assert_int_equal(s->map.extents[0].disk, 10);
    read_some(s, 0, 1);
    assert_int_equal(s->map.disks[0].state, VOLUME_DISK_DAMAGED);
    assert_int_equal(s->map.groups[0].transaction, 13);
    assert_int_not_equal(s->map.plexes[0].state, PLEX_GOOD);
    /* Nor can it deny what a sound disk says of the same transaction. */
    set_transaction(s, 0, 12);
    change_volume_name(s, 0);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

static void disk_without_tocblock_is_damaged(void **state)
{
    struct state *s = *state;

    memset(s->regions[0] + LDM_FIXTURE_TOC_1, 0, 512);
    memset(s->regions[0] + LDM_FIXTURE_TOC_2, 0, 512);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
    assert_int_equal(s->map.extents[0].disk, 10);
    assert_int_not_equal(s->map.volumes[0].status, DYNAMIC_HEALTHY);
    mem_block_spoil(s->disks[0], 64 + 1856, 1);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
    mem_block_spoil(s->disks[0], 64 + 2, 1);
    assert_first_disk(s, VOLUME_DISK_UNREADABLE);
}

static void damaged_database_is_made_good_by_the_other_disk(void **state)
{
    struct state *s = *state;

    config(s, 0)[128 * 1000] ^= 1;
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
    assert_int_equal(s->map.extents[0].disk, 10);
    assert_true(s->map.plexes[0].complete);
    assert_int_not_equal(s->map.plexes[0].state, PLEX_GOOD);
}

static void unreadable_database_is_made_good_by_the_other_disk(void **state)
{
    struct state *s = *state;

    mem_block_spoil(s->disks[0], 64 + 17 + 1400, 1);
    assert_first_disk(s, VOLUME_DISK_UNREADABLE);
    assert_int_equal(s->map.extents[0].disk, 10);
}

static void no_sound_database_means_no_volumes(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 2; i++)
        config(s, i)[128 * 1000] ^= 1;
    const struct volume_map *map = read_both(s);
    assert_int_equal(map->group_count, 1);
    assert_false(map->groups[0].known);
    assert_string_equal(map->groups[0].name, "Test-Dg0");
    assert_int_equal(map->volume_count, 0);
}

static void disk_that_is_gone_is_unreadable(void **state)
{
    struct state *s = *state;

    mem_block_set_gone(s->disks[0], true);
    assert_first_disk(s, VOLUME_DISK_UNREADABLE);
    assert_int_equal(s->map.groups[0].missing_disks, 1);
}

static void database_of_another_group_is_damaged(void **state)
{
    struct state *s = *state;
    struct ldm_fixture other = s->fixture;
    uint8_t heads[2][512];

    memcpy(heads[0], s->regions[0] + LDM_FIXTURE_HEAD_1, 512);
    memcpy(heads[1], s->regions[0] + LDM_FIXTURE_HEAD_2, 512);
    other.group_guid = "a1b2c3d4-9999-11e1-8000-000102030405";
    ldm_fixture_build(&other, 0, s->regions[0]);
    memcpy(s->regions[0] + LDM_FIXTURE_HEAD_1, heads[0], 512);
    memcpy(s->regions[0] + LDM_FIXTURE_HEAD_2, heads[1], 512);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

static void unknown_record_is_unsupported(void **state)
{
    struct state *s = *state;

    config(s, 0)[128 * LDM_SLOT_DISK_1 + 0x13] = 0x36;
    assert_first_disk(s, VOLUME_DISK_UNSUPPORTED);
}

static void database_larger_than_the_limit_is_unsupported(void **state)
{
    struct state *s = *state;
    struct ldm_fixture_disk *disk = &s->fixture.disks[0];
    uint8_t *head = s->regions[0] + LDM_FIXTURE_HEAD_1;

    /* A private region of 2.5 MiB whose config region takes more than 1 MiB. */
    put(head + 0x20, 0, 8);
    put(head + 0x28, 0, 8);
    put(head + 0x133, 4000, 8);
    put(head + 0x11b, 8000, 8);
    put(head + 0x13b, 2, 8);
    put(head + 0x143, 2, 8);
    ldm_fixture_seal(head);
    put(s->regions[0] + LDM_FIXTURE_TOC_1 + 0x24 + 34, 0, 1);
    put(s->regions[0] + LDM_FIXTURE_TOC_1 + 0x36, 2049, 8);
    ldm_fixture_seal(s->regions[0] + LDM_FIXTURE_TOC_1);
    mem_block_write(s->disks[0], (disk->private_start + 3999) * 512, head, 512);
    memset(s->regions[0] + LDM_FIXTURE_HEAD_2, 0, 512);
    s->sources[0].metadata_blocks = 4000;
    assert_first_disk(s, VOLUME_DISK_UNSUPPORTED);
}

static void piece_past_the_public_region_has_no_place(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 2; i++) {
        uint8_t *head = s->regions[0] + (i == 0 ? LDM_FIXTURE_HEAD_1 : LDM_FIXTURE_HEAD_2);
        put(head + 0x123, 4095, 8);
        ldm_fixture_seal(head);
    }
    assert_first_disk(s, VOLUME_DISK_CONFLICT);
    assert_int_equal(s->map.extents[0].disk, VOLUME_NONE);
    assert_false(s->map.plexes[0].complete);
}

static void mark_of_trouble_makes_a_plex_unhealthy(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 2; i++)
        config(s, i)[128 * LDM_SLOT_PLEX_2 + 0x10 + 8 + 2 + 11 + 1] = 'S'; /* "SCTIVE" */
    const struct volume_map *map = read_both(s);
    assert_int_equal(map->plexes[0].state, PLEX_GOOD);
    assert_int_not_equal(map->plexes[1].state, PLEX_GOOD);
    assert_true(map->plexes[1].complete);
    assert_int_not_equal(map->volumes[0].status, DYNAMIC_HEALTHY);
}

/* --- Disks that disagree -------------------------------------------------------------------- */

static void later_transaction_wins_in_any_order(void **state)
{
    struct state *s = *state;

    for (size_t late = 0; late < 2; late++) {
        set_transaction(s, late, 14);
        set_transaction(s, 1 - late, 13);
        const struct volume_map *map = read_both(s);
        assert_int_equal(map->disks[late].state, VOLUME_DISK_OK);
        assert_int_equal(map->disks[1 - late].state, VOLUME_DISK_BEHIND);
        assert_int_equal(map->disks[1 - late].transaction, 13);
        assert_int_equal(map->groups[0].transaction, 14);
        assert_false(map->groups[0].agreed);
        assert_true(map->groups[0].clean);
        assert_int_equal(map->extents[1 - late].disk, 10 + 1 - late);
        assert_int_not_equal(map->plexes[1 - late].state, PLEX_GOOD);
        assert_int_equal(map->plexes[late].state, PLEX_GOOD);
    }
}

static void different_records_of_one_transaction_leave_no_volumes(void **state)
{
    struct state *s = *state;

    change_volume_name(s, 1);
    const struct volume_map *map = read_both(s);
    assert_int_equal(map->disks[0].state, VOLUME_DISK_CONFLICT);
    assert_int_equal(map->disks[1].state, VOLUME_DISK_CONFLICT);
    assert_false(map->groups[0].known);
    assert_true(map->groups[0].split);
    assert_false(map->groups[0].agreed || map->groups[0].differs_unused);
    assert_int_equal(map->volume_count, 0);
}

static void different_unused_places_do_no_harm(void **state)
{
    /* A free slot, one right behind the records, and the time in the header. */
    static const size_t places[] = {128 * 5000 + 0x20, 128 * LDM_SLOT_FREE + 0x7f, 0xbd};
    struct state *s = *state;

    assert_false(read_both(s)->groups[0].differs_unused);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        for (size_t disk = 0; disk < 2; disk++) {
            config(s, disk)[places[i]] ^= 1;
            const struct volume_map *map = read_both(s);
            assert_int_equal(map->disks[0].state, VOLUME_DISK_OK);
            assert_int_equal(map->disks[1].state, VOLUME_DISK_OK);
            assert_true(map->groups[0].known && map->groups[0].clean);
            assert_true(map->groups[0].differs_unused);
            assert_false(map->groups[0].agreed || map->groups[0].split);
            assert_int_equal(map->volumes[0].status, DYNAMIC_HEALTHY);
            config(s, disk)[places[i]] ^= 1;
        }
    /* Not when a transaction lies between them, or one was cut off. */
    set_transaction(s, 0, 13);
    assert_false(read_both(s)->groups[0].differs_unused);
    put(config(s, 0) + 0x75, 12, 8);
    put(config(s, 0) + 0x10, 2, 2);
    assert_false(read_both(s)->groups[0].differs_unused);
}

static void record_later_than_its_database_makes_it_damaged(void **state)
{
    struct state *s = *state;

    set_transaction(s, 0, 11);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
    assert_int_equal(s->map.groups[0].transaction, 12);
}

/* Puts the first disk's private region in the middle of its public one, from 2048 to 14336, and its
 * piece of the volume at `start` there. */
static void enclose_private_region(struct state *s, uint64_t start)
{
    struct ldm_fixture_disk *disk = &s->fixture.disks[0];

    disk->public_start = 2048;
    disk->public_size = 12288;
    disk->private_start = 8192;
    disk->start = start;
    s->sources[0].metadata_lba = 8192;
    for (size_t i = 0; i < 2; i++)
        ldm_fixture_build(&s->fixture, i, s->regions[i]);
}

static void public_region_may_enclose_the_private_one_of_a_gpt(void **state)
{
    static const struct {
        uint64_t start;
        bool free;
    } cases[] = {{0, true},     {2048, true}, {2049, false}, {6144, false},
                 {8191, false}, {8192, true}, {7000, false}};
    struct state *s = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enclose_private_region(s, cases[i].start);
        assert_first_disk(s, cases[i].free ? VOLUME_DISK_OK : VOLUME_DISK_CONFLICT);
        assert_int_equal(s->map.extents[0].disk, cases[i].free ? 10 : VOLUME_NONE);
        assert_int_equal(s->map.extents[0].lba, cases[i].free ? 2048 + cases[i].start : 0);
        assert_int_equal(s->map.plexes[0].complete, cases[i].free);
        assert_int_equal(s->map.plexes[0].state, cases[i].free ? PLEX_GOOD : PLEX_MISSING);
        if (!cases[i].free)
            assert_string_equal(s->map.disks[0].reason,
                                "a piece of a volume lies on its LDM database");
    }
}

static void regions_of_an_mbr_disk_are_apart(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 2; i++) {
        enclose_private_region(s, 0);
        if (i == 0)
            s->fixture.disks[0].public_size = 8192 - 2048;
        ldm_fixture_build(&s->fixture, 0, s->regions[0]);
        mem_block_write(s->disks[0], 6 * 512, s->regions[0] + LDM_FIXTURE_HEAD_1, 512);
        s->sources[0].gpt = false;
        assert_first_disk(s, i == 0 ? VOLUME_DISK_OK : VOLUME_DISK_DAMAGED);
    }
}

/* The last block of the disk, one in the private region, and block 6: any one of them will do. */
static void mbr_disk_is_found_by_any_one_of_three_headers(void **state)
{
    struct state *s = *state;
    uint8_t head[512];

    s->fixture.disks[0].private_start = DISK_BLOCKS - 2048;
    s->fixture.disks[0].public_start = 63;
    s->fixture.disks[0].public_size = DISK_BLOCKS - 2048 - 63;
    s->sources[0] = (struct volume_source){.disk = 10, .port = &s->ports[0], .gpt = false};
    for (unsigned good = 0; good < 8; good++) {
        ldm_fixture_build(&s->fixture, 0, s->regions[0]);
        memcpy(head, s->regions[0] + LDM_FIXTURE_HEAD_1, sizeof head);
        head[0x20] ^= good & 1 ? 0 : 1;
        s->regions[0][LDM_FIXTURE_HEAD_1 + 0x20] ^= good & 2 ? 0 : 1;
        s->regions[0][LDM_FIXTURE_HEAD_2 + 0x20] ^= good & 4 ? 0 : 1;
        mem_block_write(s->disks[0], 6 * 512, head, sizeof head);
        assert_first_disk(s, good == 0 ? VOLUME_DISK_DAMAGED : VOLUME_DISK_OK);
    }
}

static void clones_are_not_used(void **state)
{
    struct state *s = *state;

    s->fixture.disks[1].private_start = s->fixture.disks[0].private_start;
    s->sources[1].metadata_lba = s->sources[0].metadata_lba;
    memcpy(s->regions[1], s->regions[0], LDM_FIXTURE_BYTES);
    const struct volume_map *map = read_both(s);
    assert_int_equal(map->disks[0].state, VOLUME_DISK_CONFLICT);
    assert_int_equal(map->disks[1].state, VOLUME_DISK_CONFLICT);
    assert_int_equal(map->volume_count, 1);
    assert_int_equal(map->extents[0].disk, VOLUME_NONE);
    assert_int_equal(map->groups[0].missing_disks, 2);
    assert_true(map->disks[0].is_clone && map->disks[1].is_clone);
    assert_string_equal(map->dynamic_disks[0].reason, "more than one disk claims to be it");
    assert_string_equal(map->dynamic_disks[1].reason, "its disk is not here");
}

static void disk_that_left_the_group_is_no_member(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 2; i++) {
        uint8_t *head = s->regions[0] + (i == 0 ? LDM_FIXTURE_HEAD_1 : LDM_FIXTURE_HEAD_2);
        memcpy(head + 0x30, "a1b2c3d4-8888-11e1-8000-000102030405", 36);
        ldm_fixture_seal(head);
    }
    assert_first_disk(s, VOLUME_DISK_CONFLICT);
    assert_int_equal(s->map.extents[0].disk, VOLUME_NONE);
}

static void change_decided_on_one_disk_counts_for_all(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 2; i++) {
        put(config(s, i) + 0x10, 2 + i, 2);
        put(config(s, i) + 0x7d, 13, 8);
    }
    const struct volume_map *map = read_both(s);
    assert_int_equal(map->disks[0].state, VOLUME_DISK_OK);
    assert_int_equal(map->disks[1].state, VOLUME_DISK_OK);
    assert_int_equal(map->groups[0].transaction, 13);
    assert_false(map->groups[0].clean);
    assert_false(map->groups[0].agreed);
    assert_int_not_equal(map->volumes[0].status, DYNAMIC_HEALTHY);
    assert_int_equal(map->volumes[0].type, DYNAMIC_MIRROR);
}

static void change_begun_on_one_disk_alone_is_no_contradiction(void **state)
{
    struct state *s = *state;

    put(config(s, 0) + 0x10, 2, 2);
    put(config(s, 0) + 0x7d, 13, 8);
    const struct volume_map *map = read_both(s);
    assert_int_equal(map->disks[0].state, VOLUME_DISK_OK);
    assert_int_equal(map->disks[1].state, VOLUME_DISK_OK);
    assert_int_equal(map->groups[0].transaction, 12);
    assert_false(map->groups[0].clean);
    assert_int_equal(map->volume_count, 1);
    /* But it is one when the records that count differ. */
    change_volume_name(s, 0);
    assert_false(read_both(s)->groups[0].known);
}

/* Whether reading the records alone says of the mirror what reading all of it does. */
static void assert_records_tell_the_same(struct state *s, uint64_t least, uint64_t most)
{
    struct volume_map all = *read_both(s);

    s->sources[0].records_only = s->sources[1].records_only = true;
    const struct volume_map *map = read_both(s);
    s->sources[0].records_only = s->sources[1].records_only = false;
    assert_int_equal(map->volume_count, all.volume_count);
    assert_int_equal(map->groups[0].transaction, all.groups[0].transaction);
    assert_true(map->groups[0].known == all.groups[0].known);
    assert_true(map->groups[0].agreed == all.groups[0].agreed);
    assert_true(map->groups[0].split == all.groups[0].split);
    for (size_t i = 0; i < all.volume_count; i++)
        assert_memory_equal(&map->volumes[i].guid, &all.volumes[i].guid, 16);
    for (size_t i = 0; i < all.extent_count; i++)
        assert_int_equal(map->extents[i].lba, all.extents[i].lba);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(map->disks[i].state, all.disks[i].state);
        assert_in_range(map->disks[i].read_bytes, least, most);
    }
}

static void records_alone_tell_of_the_volumes(void **state)
{
    struct state *s = *state;

    assert_records_tell_the_same(s, 1, 24 * 1024);
    for (size_t disk = 0; disk < 2; disk++)
        swap_slots(s, disk, LDM_SLOT_PIECE_2, 5923);
    assert_records_tell_the_same(s, 740 * 1024, 800 * 1024);
    for (size_t disk = 0; disk < 2; disk++)
        swap_slots(s, disk, LDM_SLOT_PIECE_2, 5923);
    set_transaction(s, 0, 13);
    assert_records_tell_the_same(s, 1, 24 * 1024);
    change_volume_name(s, 1);
    assert_records_tell_the_same(s, 1, 24 * 1024);
    set_transaction(s, 1, 13);
    assert_records_tell_the_same(s, 1, 24 * 1024);
}

/* What is wrong behind the records is only seen by who reads all of it. */
static void records_alone_tell_nothing_of_free_slots(void **state)
{
    struct state *s = *state;

    config(s, 0)[128 * 5000] ^= 1;
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
    s->sources[0].records_only = s->sources[1].records_only = true;
    assert_first_disk(s, VOLUME_DISK_OK);
    config(s, 0)[128 * LDM_SLOT_PIECE_1] ^= 1;
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

static void too_little_memory_is_reported(void **state)
{
    struct state *s = *state;

    read_both(s);
    for (size_t room = 0;; room += 4096) {
        struct volume_map map = {.volume_count = 77};
        struct arena arena;
        arena_init(&arena, s->memory, room);
        enum status status = volumes_read(s->sources, 2, &arena, &map);
        assert_int_equal(arena.size, room);
        if (status == ST_OK)
            break;
        assert_int_equal(status, ST_NO_MEMORY);
        assert_int_equal(map.volume_count, 77);
        assert_true(room <= 4u << 20);
    }
}

/* --- Groups of any form --------------------------------------------------------------------- */

#define GROUP_DISKS  64
#define GROUP_BLOCKS 65536u /* of each disk */
#define AT_END       (GROUP_BLOCKS - LDM_FIXTURE_BLOCKS)

static char disk_guids[GROUP_DISKS][37];
static char disk_names[GROUP_DISKS][8];

/* A group on disks in memory: `group` and `disks` may be changed until it is read. */
struct group_run {
    struct ldm_group_spec group;
    struct ldm_disk_spec disks[GROUP_DISKS];
    bool mbr[GROUP_DISKS];
    struct mem_block *blocks[GROUP_DISKS];
    struct block_port ports[GROUP_DISKS];
    struct volume_source sources[GROUP_DISKS];
    struct volume_map map;
    struct arena arena;
    void *memory;
};

static struct group_run *group_new(const struct ldm_volume_spec *volumes, size_t volume_count,
                                   size_t disk_count)
{
    struct group_run *run = calloc(1, sizeof *run);

    for (size_t i = 0; i < disk_count; i++) {
        snprintf(disk_guids[i], sizeof disk_guids[i], "a1b2c3d4-1%03x-11e1-8000-000102030405",
                 (unsigned)i & 0xfff);
        snprintf(disk_names[i], sizeof disk_names[i], "Disk%u", ((unsigned)i + 1) % 1000);
        run->disks[i] = (struct ldm_disk_spec){
            .guid = disk_guids[i],
            .name = disk_names[i],
            .public_start = 4096,
            .public_size = 40960,
            .private_start = 64,
        };
    }
    run->group = (struct ldm_group_spec){
        .guid = "a1b2c3d4-0001-11e1-8000-000102030405",
        .name = "Test-Dg0",
        .transaction = 12,
        .disks = run->disks,
        .disk_count = disk_count,
        .volumes = volumes,
        .volume_count = volume_count,
    };
    return run;
}

/* Makes disk `i` what `run` says it is. */
static void group_write_disk(struct group_run *run, size_t i, uint8_t *region)
{
    const struct ldm_disk_spec *disk = &run->disks[i];
    uint32_t size = disk->block_size != 0 ? disk->block_size : 512;
    uint8_t head[512];

    ldm_group_build(&run->group, i, region);
    if (run->blocks[i] == NULL)
        run->blocks[i] = mem_block_new(size, GROUP_BLOCKS, span_of(end_node, 4), "memory");
    mem_block_write(run->blocks[i], disk->private_start * size, region, LDM_FIXTURE_BYTES);
    run->sources[i].disk = i;
    run->sources[i].port = &run->ports[i];
    run->sources[i].gpt = !run->mbr[i];
    if (run->mbr[i]) {
        ldm_group_build_head(&run->group, i, head);
        mem_block_write(run->blocks[i], 6 * (uint64_t)size, head, 512);
        return;
    }
    run->sources[i].metadata_lba = disk->private_start;
    run->sources[i].metadata_blocks = LDM_FIXTURE_BYTES / size;
}

static void group_write(struct group_run *run)
{
    uint8_t *region = malloc(LDM_FIXTURE_BYTES);

    for (size_t i = 0; i < run->group.disk_count; i++)
        group_write_disk(run, i, region);
    free(region);
}

/* Reads `count` of the disks that were written, from `first` on. */
static const struct volume_map *group_read(struct group_run *run, size_t first, size_t count)
{
    free(run->memory);
    run->memory = malloc(ARENA_BYTES);
    arena_init(&run->arena, run->memory, ARENA_BYTES);
    for (size_t i = 0; i < run->group.disk_count; i++)
        run->ports[i] = mem_block_port(run->blocks[i]);
    assert_int_equal(volumes_read(run->sources + first, count, &run->arena, &run->map), ST_OK);
    return &run->map;
}

static const struct volume_map *group_read_all(struct group_run *run)
{
    group_write(run);
    return group_read(run, 0, run->group.disk_count);
}

/* All disks but `disk`, and others left behind before, go one transaction further. */
static void leave_behind(struct group_run *run, size_t disk)
{
    for (size_t i = 0; i < run->group.disk_count; i++)
        if (run->disks[i].committed == 0)
            run->disks[i].committed = run->group.transaction + 1;
    run->disks[disk].committed = run->group.transaction;
}

static void group_free(struct group_run *run)
{
    for (size_t i = 0; i < GROUP_DISKS; i++)
        if (run->blocks[i] != NULL)
            mem_block_free(run->blocks[i]);
    free(run->memory);
    free(run);
}

#define VOLUME_GUID(digits) "a1b2c3d4-2" digits "-11e1-8000-000102030405"

static const struct ldm_extent_spec simple_extents[] = {{.disk = 0, .start = 8, .size = 1024}};
static const struct ldm_extent_spec spanned_extents[] = {
    {.disk = 2, .start = 0, .size = 800, .offset = 1600},
    {.disk = 0, .start = 2048, .size = 1600},
};
static const struct ldm_extent_spec striped_extents[] = {
    {.disk = 2, .start = 1024, .size = 1024, .column = 1},
    {.disk = 1, .start = 0, .size = 1024},
};
static const struct ldm_extent_spec raid5_extents[] = {
    {.disk = 0, .start = 8192, .size = 1024},
    {.disk = 1, .start = 8192, .size = 1024, .column = 1},
    {.disk = 2, .start = 8192, .size = 1024, .column = 2},
};
static const struct ldm_extent_spec mirror_extents[] = {
    {.disk = 3, .start = 16, .size = 4096},
    {.disk = 1, .start = 16384, .size = 4096},
};
static const struct ldm_plex_spec some_plexes[] = {
    {.extents = simple_extents, .extent_count = 1},
    {.extents = spanned_extents, .extent_count = 2},
    {.extents = striped_extents, .extent_count = 2, .layout = 1},
    {.extents = raid5_extents, .extent_count = 3, .layout = 3},
    {.extents = &mirror_extents[0], .extent_count = 1},
    {.extents = &mirror_extents[1], .extent_count = 1},
};
/* One of each kind. */
static const struct ldm_volume_spec some_volumes[] = {
    {.name = "Volume1",
     .guid = VOLUME_GUID("001"),
     .size = 1024,
     .plexes = &some_plexes[0],
     .plex_count = 1},
    {.name = "Volume2",
     .guid = VOLUME_GUID("002"),
     .size = 2400,
     .plexes = &some_plexes[1],
     .plex_count = 1},
    {.name = "Volume3",
     .guid = VOLUME_GUID("003"),
     .size = 2048,
     .plexes = &some_plexes[2],
     .plex_count = 1},
    {.name = "Volume4",
     .guid = VOLUME_GUID("004"),
     .type = "raid5",
     .size = 2048,
     .plexes = &some_plexes[3],
     .plex_count = 1},
    {.name = "Volume5",
     .guid = VOLUME_GUID("005"),
     .hint = "C:",
     .size = 4096,
     .flags = 0xe00011,
     .plexes = &some_plexes[4],
     .plex_count = 2},
};
#define SOME_DISKS 4

/* Public regions on 4096-byte blocks begin at block 4096 too; a block is 8 sectors. */
static void assert_extent(const struct volume_map *map, size_t index, size_t plex, size_t disk,
                          uint64_t lba, uint64_t blocks)
{
    const struct dynamic_extent *extent = &map->extents[index];

    assert_int_equal(extent->plex, plex);
    assert_int_equal(extent->disk, disk);
    assert_int_equal(extent->lba, lba);
    assert_int_equal(extent->blocks, blocks);
}

static void every_kind_of_volume_is_found_on_every_kind_of_disk(void **state)
{
    struct group_run *run = group_new(some_volumes, 5, SOME_DISKS);

    (void)state;
    run->mbr[0] = true;
    run->disks[0].private_start = AT_END;
    run->disks[2].block_size = 4096;
    const struct volume_map *map = group_read_all(run);
    static const enum dynamic_type types[] = {DYNAMIC_SIMPLE, DYNAMIC_SPANNED, DYNAMIC_STRIPED,
                                              DYNAMIC_RAID5, DYNAMIC_MIRROR};
    assert_true(map->groups[0].agreed && map->groups[0].clean && map->groups[0].known);
    assert_int_equal(map->volume_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(map->volumes[i].type, types[i]);
        assert_int_equal(map->volumes[i].status, DYNAMIC_HEALTHY);
        assert_int_equal(map->volumes[i].first_plex, i);
        assert_int_equal(map->volumes[i].plex_count, i == 4 ? 2 : 1);
    }
    assert_extent(map, 0, 0, 0, 4096 + 8, 1024);
    assert_extent(map, 1, 1, 0, 4096 + 2048, 1600);
    assert_extent(map, 2, 1, 2, 4096, 100);
    assert_extent(map, 3, 2, 1, 4096, 1024);
    assert_extent(map, 4, 2, 2, 4096 + 128, 128);
    assert_extent(map, 5, 3, 0, 4096 + 8192, 1024);
    assert_extent(map, 7, 3, 2, 4096 + 1024, 128);
    assert_extent(map, 8, 4, 3, 4096 + 16, 4096);
    assert_extent(map, 9, 5, 1, 4096 + 16384, 4096);
    assert_int_equal(map->plexes[1].first_extent, 1);
    assert_int_equal(map->plexes[1].extent_count, 2);
    assert_int_equal(map->plexes[3].layout, DYNAMIC_LAYOUT_RAID5);
    assert_int_equal(map->plexes[3].columns, 3);
    assert_int_equal(map->plexes[3].stripe_size, 128);
    group_free(run);
}

static void flags_of_a_volume_are_told(void **state)
{
    struct group_run *run = group_new(some_volumes, 5, SOME_DISKS);
    const struct volume_map *map = group_read_all(run);

    (void)state;
    assert_true(map->volumes[4].boot && map->volumes[4].system && map->volumes[4].retain);
    assert_false(map->volumes[3].boot || map->volumes[3].system || map->volumes[3].retain);
    assert_int_equal(map->volumes[4].flags, 0xe00011);
    assert_string_equal(map->volumes[4].state, "ACTIVE");
    assert_int_equal(map->volumes[4].content, 7);
    group_free(run);
}

static void disks_of_the_database_are_told(void **state)
{
    struct group_run *run = group_new(some_volumes, 5, SOME_DISKS);

    (void)state;
    run->disks[2].flags = DYNAMIC_DISK_FAILING;
    group_write(run);
    const struct volume_map *map = group_read(run, 1, 2);
    assert_int_equal(map->dynamic_disk_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct dynamic_disk *disk = &map->dynamic_disks[i];
        bool here = i == 1 || i == 2;
        assert_string_equal(disk->name, disk_names[i]);
        assert_guid(&disk->guid, disk_guids[i]);
        assert_int_equal(disk->id, i + 2);
        assert_int_equal(disk->disk, here ? i : VOLUME_NONE);
        assert_int_equal(disk->status, i == 1   ? DYNAMIC_DISK_ONLINE
                                       : i == 2 ? DYNAMIC_DISK_ERRORS
                                                : DYNAMIC_DISK_MISSING);
        assert_int_equal(disk->reason[0] == '\0', i == 1);
        assert_int_equal(disk->flags, i == 2 ? DYNAMIC_DISK_FAILING : 0);
    }
    assert_int_equal(map->extents[0].dynamic_disk, 0);
    assert_int_equal(map->extents[9].dynamic_disk, 1);
    assert_int_equal(volume_map_note(map, 2)->disk, 2);
    assert_true(volume_map_note(map, 2)->is_member);
    assert_null(volume_map_note(map, 0));
    group_free(run);
}

/* What a mark on the mirror of two disks makes of its plexes. */
struct mark_case {
    const char *what;
    const char *volume_state;
    uint32_t volume_flags;
    const char *plex_states[2];
    uint32_t plex_flags[2];
    uint32_t extent_flags[2];
    uint32_t disk_flags[2];
    uint8_t log; /* status of an entry on the second disk */
    uint64_t log_pending;
    enum plex_state expected[2];
    enum dynamic_status status;
};

#define BOTH(state)  \
    {                \
        state, state \
    }

/* Marks that concern one volume. */
static const struct mark_case volume_marks[] = {
    {.what = "nothing"},
    {.what = "ordinary flags of the volume", .volume_flags = 0xf00013},
    {.what = "ordinary flags of a piece", .extent_flags = {0x1140}},
    {.what = "volume SYNC",
     .volume_state = "SYNC",
     .expected = BOTH(PLEX_REBUILDING),
     .status = DYNAMIC_REBUILDING},
    {.what = "volume NEEDSYNC",
     .volume_state = "NEEDSYNC",
     .expected = BOTH(PLEX_REBUILDING),
     .status = DYNAMIC_REBUILDING},
    {.what = "volume SYNC, one plex being built",
     .volume_state = "SYNC",
     .plex_flags = {0, 8},
     .expected = {PLEX_DOUBTFUL, PLEX_REBUILDING},
     .status = DYNAMIC_REBUILDING},
    {.what = "volume EMPTY",
     .volume_state = "EMPTY",
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "volume active, not ACTIVE",
     .volume_state = "active",
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "volume ACTIVE2",
     .volume_state = "ACTIVE2",
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "volume crashed",
     .volume_flags = 0x4,
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "volume with a bad log",
     .volume_flags = 0x100,
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "volume detached",
     .volume_flags = 0x400,
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "volume needs recovery",
     .volume_flags = 0x1000,
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "volume pending",
     .volume_flags = 0x2000,
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "plex STALE",
     .plex_states = {"STALE"},
     .expected = {PLEX_STALE},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "plex IOFAIL",
     .plex_states = {NULL, "IOFAIL"},
     .expected = {PLEX_GOOD, PLEX_FAILED},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "plex OFFLINE",
     .plex_states = {NULL, "OFFLINE"},
     .expected = {PLEX_GOOD, PLEX_FAILED},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "plex TEMP",
     .plex_states = {"TEMP"},
     .expected = {PLEX_REBUILDING},
     .status = DYNAMIC_REBUILDING},
    {.what = "plex CLEAN",
     .plex_states = {"CLEAN"},
     .expected = {PLEX_FAILED},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "plex EMPTY",
     .plex_states = {"EMPTY"},
     .expected = {PLEX_FAILED},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "both plexes failed",
     .plex_states = {"IOFAIL", "IOFAIL"},
     .expected = BOTH(PLEX_FAILED),
     .status = DYNAMIC_FAILED},
    {.what = "plex needs recovery",
     .plex_flags = {0, 2},
     .expected = {PLEX_GOOD, PLEX_STALE},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "plex failed",
     .plex_flags = {4},
     .expected = {PLEX_FAILED},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "plex being built",
     .plex_flags = {0, 8},
     .expected = {PLEX_GOOD, PLEX_REBUILDING},
     .status = DYNAMIC_REBUILDING},
    {.what = "plex failed and being built",
     .plex_flags = {0, 0xc},
     .expected = {PLEX_GOOD, PLEX_FAILED},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "plex with an unknown flag",
     .plex_flags = {1},
     .expected = {PLEX_DOUBTFUL},
     .status = DYNAMIC_AT_RISK},
    {.what = "piece needs recovery",
     .extent_flags = {8},
     .expected = {PLEX_STALE},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "piece detached",
     .extent_flags = {0, 0x10},
     .expected = {PLEX_GOOD, PLEX_STALE},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "piece being moved",
     .extent_flags = {0x20},
     .expected = {PLEX_DOUBTFUL},
     .status = DYNAMIC_AT_RISK},
};
#define VOLUME_MARKS (sizeof volume_marks / sizeof volume_marks[0])

/* Marks that concern every volume on the disk. */
static const struct mark_case disk_marks[] = {
    {.what = "disk failing",
     .disk_flags = {4},
     .expected = {PLEX_DOUBTFUL},
     .status = DYNAMIC_AT_RISK},
    {.what = "disk removed",
     .disk_flags = {0, 0x100},
     .expected = {PLEX_GOOD, PLEX_STALE},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "disk detached",
     .disk_flags = {0x200},
     .expected = {PLEX_STALE},
     .status = DYNAMIC_FAILED_REDUNDANCY},
    {.what = "disk with another flag",
     .disk_flags = {0x10},
     .expected = {PLEX_DOUBTFUL},
     .status = DYNAMIC_AT_RISK},
    {.what = "log: detach", .log = 1, .expected = BOTH(PLEX_DOUBTFUL), .status = DYNAMIC_AT_RISK},
    {.what = "log: dirty", .log = 2, .expected = BOTH(PLEX_DOUBTFUL), .status = DYNAMIC_AT_RISK},
    {.what = "log: log detach",
     .log = 4,
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "log: dirty by an application",
     .log = 5,
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "log: the last commit", .log = 3, .log_pending = 12},
    {.what = "log: a commit the database does not know",
     .log = 3,
     .log_pending = 13,
     .expected = BOTH(PLEX_DOUBTFUL),
     .status = DYNAMIC_AT_RISK},
    {.what = "log: unknown entry",
     .log = 6,
     .expected = {PLEX_GOOD, PLEX_DOUBTFUL},
     .status = DYNAMIC_AT_RISK},
};

#define MARKED_SIZE 512

/* Mirrors of two disks, one for each mark. */
struct marked {
    struct ldm_extent_spec extents[2 * VOLUME_MARKS];
    struct ldm_plex_spec plexes[2 * VOLUME_MARKS];
    struct ldm_volume_spec volumes[VOLUME_MARKS];
    char names[VOLUME_MARKS][12];
    struct ldm_log_spec log;
};

static void add_marked(struct marked *marked, const struct mark_case *mark, size_t index)
{
    snprintf(marked->names[index], sizeof marked->names[index], "V%u", (unsigned)index % 1000);
    marked->volumes[index] = (struct ldm_volume_spec){.name = marked->names[index],
                                                      .guid = VOLUME_GUID("001"),
                                                      .state = mark->volume_state,
                                                      .flags = mark->volume_flags,
                                                      .size = MARKED_SIZE,
                                                      .plexes = &marked->plexes[2 * index],
                                                      .plex_count = 2};
    for (size_t i = 0; i < 2; i++) {
        size_t at = 2 * index + i;
        marked->extents[at] = (struct ldm_extent_spec){.disk = i,
                                                       .start = MARKED_SIZE * index + 16 * i,
                                                       .size = MARKED_SIZE,
                                                       .flags = mark->extent_flags[i]};
        marked->plexes[at] = (struct ldm_plex_spec){.extents = &marked->extents[at],
                                                    .extent_count = 1,
                                                    .state = mark->plex_states[i],
                                                    .flags = mark->plex_flags[i]};
    }
}

static struct group_run *marked_mirrors(const struct mark_case *marks, size_t count,
                                        struct marked *ret_marked)
{
    struct group_run *run = group_new(ret_marked->volumes, count, 2);

    memset(ret_marked, 0, sizeof *ret_marked);
    for (size_t i = 0; i < count; i++)
        add_marked(ret_marked, &marks[i], i);
    for (size_t i = 0; i < 2; i++)
        run->disks[i].flags = marks[0].disk_flags[i];
    if (marks[0].log == 0)
        return run;
    ret_marked->log = (struct ldm_log_spec){marks[0].log, 11, marks[0].log_pending};
    run->disks[1].log = &ret_marked->log;
    run->disks[1].log_count = 1;
    return run;
}

static void assert_plex(const struct volume_map *map, size_t plex, enum plex_state expected,
                        const char *what)
{
    if (map->plexes[plex].state != expected)
        fail_msg("%s: plex %zu is %s: %s", what, plex, plex_state_text(map->plexes[plex].state),
                 map->plexes[plex].reason);
    assert_int_equal(map->plexes[plex].reason[0] == '\0', expected == PLEX_GOOD);
}

static void assert_marks(const struct mark_case *marks, size_t count)
{
    struct marked marked;
    struct group_run *run = marked_mirrors(marks, count, &marked);
    const struct volume_map *map = group_read_all(run);

    assert_int_equal(map->volume_count, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < 2; j++)
            assert_plex(map, 2 * i + j, marks[i].expected[j], marks[i].what);
        if (map->volumes[i].status != marks[i].status)
            fail_msg("%s: %s", marks[i].what, dynamic_status_text(map->volumes[i].status));
    }
    group_free(run);
}

static void mark_on_a_volume_makes_its_plexes_less_trusted(void **state)
{
    (void)state;
    assert_marks(volume_marks, VOLUME_MARKS);
}

static void mark_on_a_disk_makes_plexes_less_trusted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof disk_marks / sizeof disk_marks[0]; i++)
        assert_marks(&disk_marks[i], 1);
}

static void worse_of_two_marks_counts(void **state)
{
    const struct mark_case mark = {.plex_flags = {0, 2}, .disk_flags = {0, 4}, .log = 2};
    struct marked marked;
    struct group_run *run = marked_mirrors(&mark, 1, &marked);

    (void)state;
    group_write(run);
    const struct volume_map *map = group_read(run, 0, 2);
    assert_plex(map, 0, PLEX_DOUBTFUL, "both");
    assert_plex(map, 1, PLEX_STALE, "both");
    map = group_read(run, 0, 1);
    assert_plex(map, 1, PLEX_MISSING, "first alone");
    assert_int_equal(map->volumes[0].status, DYNAMIC_FAILED_REDUNDANCY);
    map = group_read(run, 1, 1);
    assert_int_equal(map->volumes[0].status, DYNAMIC_FAILED);
    group_free(run);
}

static void raid5_lives_without_one_column(void **state)
{
    struct group_run *run = group_new(&some_volumes[3], 1, 3);

    (void)state;
    group_write(run);
    const struct volume_map *map = group_read(run, 1, 2);
    assert_int_equal(map->volumes[0].status, DYNAMIC_FAILED_REDUNDANCY);
    assert_false(map->plexes[0].complete);
    map = group_read(run, 1, 1);
    assert_int_equal(map->volumes[0].status, DYNAMIC_FAILED);
    leave_behind(run, 1);
    map = group_read_all(run);
    assert_int_equal(map->volumes[0].status, DYNAMIC_FAILED_REDUNDANCY);
    assert_true(map->plexes[0].complete);
    assert_int_equal(map->extents[1].state, PLEX_STALE);
    leave_behind(run, 2);
    assert_int_equal(group_read_all(run)->volumes[0].status, DYNAMIC_FAILED);
    group_free(run);
}

static void lone_plex_on_a_disk_that_is_behind_is_at_risk(void **state)
{
    struct group_run *run = group_new(some_volumes, 5, SOME_DISKS);

    (void)state;
    leave_behind(run, 0);
    const struct volume_map *map = group_read_all(run);
    assert_int_equal(map->volumes[0].status, DYNAMIC_AT_RISK);
    assert_int_equal(map->volumes[2].status, DYNAMIC_HEALTHY);
    assert_int_equal(map->dynamic_disks[0].status, DYNAMIC_DISK_ERRORS);
    group_free(run);
}

static void volume_of_a_form_windows_does_not_make_is_unknown(void **state)
{
    const struct ldm_extent_spec extents[] = {
        {.disk = 0, .size = 64}, {.disk = 1, .size = 64}, {.disk = 2, .size = 64}};
    const struct ldm_plex_spec plexes[] = {
        {.extents = &extents[0], .extent_count = 1},
        {.extents = &extents[1], .extent_count = 1},
        {.extents = &extents[2], .extent_count = 1},
    };
    const struct ldm_volume_spec volume = {.name = "Volume1",
                                           .guid = VOLUME_GUID("001"),
                                           .size = 64,
                                           .plexes = plexes,
                                           .plex_count = 3};
    struct group_run *run = group_new(&volume, 1, 3);
    const struct volume_map *map = group_read_all(run);

    (void)state;
    assert_int_equal(map->volumes[0].type, DYNAMIC_OTHER);
    assert_int_equal(map->volumes[0].status, DYNAMIC_UNKNOWN);
    assert_plex(map, 2, PLEX_DOUBTFUL, "three plexes");
    group_free(run);
}

static void log_of_a_simple_volume_does_not_matter(void **state)
{
    const struct ldm_log_spec dirty = {.status = 2};
    const struct ldm_log_spec unknown = {.status = 9};
    struct group_run *run = group_new(some_volumes, 5, SOME_DISKS);

    (void)state;
    run->disks[0].log = &dirty;
    run->disks[0].log_count = 1;
    const struct volume_map *map = group_read_all(run);
    assert_true(map->groups[0].log_dirty);
    assert_int_equal(map->disks[0].log, VOLUME_LOG_DIRTY);
    assert_int_equal(map->disks[1].log, VOLUME_LOG_EMPTY);
    assert_int_equal(map->volumes[0].status, DYNAMIC_HEALTHY);
    assert_int_equal(map->volumes[2].status, DYNAMIC_HEALTHY);
    assert_int_equal(map->volumes[3].status, DYNAMIC_AT_RISK);
    assert_int_equal(map->volumes[4].status, DYNAMIC_AT_RISK);
    run->disks[0].log = &unknown;
    map = group_read_all(run);
    assert_int_equal(map->disks[0].log, VOLUME_LOG_DAMAGED);
    assert_int_equal(map->volumes[0].status, DYNAMIC_HEALTHY);
    assert_int_equal(map->volumes[3].status, DYNAMIC_AT_RISK);
    assert_int_equal(map->volumes[4].status, DYNAMIC_HEALTHY);
    group_free(run);
}

static void damaged_log_makes_its_disk_doubtful(void **state)
{
    struct state *s = *state;
    uint8_t *log = s->regions[1] + 1498 * 512;

    log[0] = 'X';
    read_both(s);
    assert_int_equal(s->map.disks[1].log, VOLUME_LOG_DAMAGED);
    assert_int_equal(s->map.disks[1].state, VOLUME_DISK_OK);
    assert_plex(&s->map, 0, PLEX_GOOD, "log");
    assert_plex(&s->map, 1, PLEX_DOUBTFUL, "log");
    log[0] = 'K';
    mem_block_spoil(s->disks[1], 12000 + 1499, 1);
    assert_int_equal(read_both(s)->disks[1].log, VOLUME_LOG_DAMAGED);
}

static void log_of_more_pages_than_its_region_is_damaged(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 2; i++)
        put(s->regions[0] + (1498 + i) * 512 + 0x10, 129, 4);
    assert_int_equal(read_both(s)->disks[0].log, VOLUME_LOG_DAMAGED);
    for (size_t i = 0; i < 2; i++)
        put(s->regions[0] + (i == 0 ? LDM_FIXTURE_TOC_1 : LDM_FIXTURE_TOC_2) + 0x58, 1, 8);
    for (size_t i = 0; i < 2; i++)
        ldm_fixture_seal(s->regions[0] + (i == 0 ? LDM_FIXTURE_TOC_1 : LDM_FIXTURE_TOC_2));
    for (size_t i = 0; i < 2; i++)
        put(s->regions[0] + (1498 + i) * 512 + 0x10, 2, 4);
    assert_int_equal(read_both(s)->disks[0].log, VOLUME_LOG_DAMAGED);
}

static void disk_without_a_log_is_doubtful(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 2; i++) {
        uint8_t *toc = s->regions[0] + (i == 0 ? LDM_FIXTURE_TOC_1 : LDM_FIXTURE_TOC_2);
        memset(toc + 0x46, 0, 34);
        ldm_fixture_seal(toc);
    }
    read_both(s);
    assert_int_equal(s->map.disks[0].log, VOLUME_LOG_UNKNOWN);
    assert_plex(&s->map, 0, PLEX_DOUBTFUL, "no log");
}

static void damaged_copy_is_told_of(void **state)
{
    struct state *s = *state;

    assert_false(read_both(s)->disks[0].copy_damaged);
    s->regions[0][LDM_FIXTURE_HEAD_2 + 0x20] ^= 1;
    assert_first_disk(s, VOLUME_DISK_OK);
    assert_true(s->map.disks[0].copy_damaged);
    assert_false(s->map.disks[1].copy_damaged);
    s->regions[0][LDM_FIXTURE_HEAD_2 + 0x20] ^= 1;
    memset(s->regions[0] + LDM_FIXTURE_TOC_2, 0, 512);
    assert_first_disk(s, VOLUME_DISK_OK);
    assert_true(s->map.disks[0].copy_damaged);
}

static void piece_must_lie_in_one_data_partition(void **state)
{
    struct state *s = *state;
    const struct volume_area exact[] = {{4096, 4096}};
    const struct volume_area two[] = {{12000, 100}, {4000, 4192}};
    const struct volume_area twice[] = {{4096, 4096}, {4000, 8000}};
    const struct volume_area split[] = {{4096, 2048}, {6144, 2048}};
    const struct volume_area beside[] = {{0, 4096}, {UINT64_MAX, UINT64_MAX}};

    s->sources[0].areas = exact;
    s->sources[0].area_count = 1;
    assert_first_disk(s, VOLUME_DISK_OK);
    s->sources[0].areas = two;
    s->sources[0].area_count = 2;
    assert_first_disk(s, VOLUME_DISK_OK);
    const struct volume_area *const wrong[] = {twice, split, beside};
    for (size_t i = 0; i < 3; i++) {
        s->sources[0].areas = wrong[i];
        assert_first_disk(s, VOLUME_DISK_CONFLICT);
        assert_int_equal(s->map.extents[0].lba, 4096);
        assert_plex(&s->map, 0, PLEX_DOUBTFUL, "areas");
        assert_int_equal(s->map.volumes[0].status, DYNAMIC_AT_RISK);
    }
    s->sources[0].area_count = 0;
    assert_first_disk(s, VOLUME_DISK_CONFLICT);
}

static void disk_that_is_behind_unknown_to_the_group_may_be_a_split(void **state)
{
    const struct mark_case plain = {.what = ""};
    const struct mark_case known = {.extent_flags = {0, 0x10}};
    struct marked marked;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct group_run *run = marked_mirrors(i == 0 ? &plain : &known, 1, &marked);
        leave_behind(run, 1);
        const struct volume_map *map = group_read_all(run);
        assert_int_equal(map->disks[1].state, VOLUME_DISK_BEHIND);
        assert_int_equal(map->groups[0].may_be_split, i == 0);
        assert_false(map->groups[0].split);
        assert_plex(map, 0, PLEX_GOOD, "winner");
        assert_plex(map, 1, PLEX_STALE, "behind");
        assert_int_equal(map->volumes[0].status, DYNAMIC_FAILED_REDUNDANCY);
        group_free(run);
    }
}

static void number_of_databases_compared_is_told(void **state)
{
    struct state *s = *state;

    assert_int_equal(read_both(s)->groups[0].database_count, 2);
    assert_int_equal(read_some(s, 0, 1)->groups[0].database_count, 1);
    config(s, 0)[128 * 1000] ^= 1;
    assert_int_equal(read_some(s, 0, 1)->groups[0].database_count, 0);
}

static void database_with_a_status_that_must_not_be_used_never_wins(void **state)
{
    static const uint16_t updates[] = {0, 4, 5, 6, 7, 8, 0xffff};
    struct state *s = *state;

    for (size_t i = 0; i < sizeof updates / sizeof updates[0]; i++) {
        put(config(s, 0) + 0x10, updates[i], 2);
        put(config(s, 0) + 0x75, 40, 8);
        put(config(s, 0) + 0x7d, 40, 8);
        assert_first_disk(s, VOLUME_DISK_DAMAGED);
        assert_int_equal(s->map.groups[0].transaction, 12);
        assert_int_equal(s->map.extents[0].disk, 10);
        assert_plex(&s->map, 0, PLEX_DOUBTFUL, "status");
        assert_plex(&s->map, 1, PLEX_GOOD, "status");
    }
}

static void contradiction_of_status_and_transaction_is_damaged(void **state)
{
    struct state *s = *state;

    put(config(s, 0) + 0x7d, 13, 8);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

/* The first disk's piece is to move: the record of its old place is leaving, one of the new place
 * arriving. */
static void begin_move(struct state *s, size_t disk, uint16_t update, uint64_t start)
{
    uint8_t *old = config(s, disk) + 128 * LDM_SLOT_PIECE_1;
    uint8_t *new = config(s, disk) + 128 * LDM_SLOT_FREE;

    memcpy(new + 8, old + 8, 120);
    put(new + 8, 500, 4);
    put(new + 0x10, 2, 2);
    put(new + 0x18 + 2 + 9 + 4 + 8, start, 8);
    put(old + 0x10, 1, 2);
    put(config(s, disk) + 0x10, update, 2);
    if (update != 1)
        put(config(s, disk) + 0x7d, 13, 8);
}

static void place_is_certain_only_when_an_open_change_leaves_it(void **state)
{
    struct state *s = *state;

    for (uint16_t update = 1; update <= 3; update++)
        for (size_t moved = 0; moved < 2; moved++) {
            for (size_t i = 0; i < 2; i++) {
                ldm_fixture_build(&s->fixture, i, s->regions[i]);
                begin_move(s, i, update, moved ? 96 : 0);
            }
            read_both(s);
            assert_int_equal(s->map.disks[0].state, VOLUME_DISK_OK);
            assert_false(s->map.groups[0].clean);
            assert_true(s->map.disks[0].unfinished);
            assert_int_equal(s->map.groups[0].pending, update == 1 ? 12 : 13);
            assert_int_equal(s->map.extents[0].lba, 4096 + (moved && update == 3 ? 96 : 0));
            assert_int_equal(s->map.plexes[0].place_certain, moved == 0);
            assert_true(s->map.plexes[1].place_certain);
            assert_plex(&s->map, 0, PLEX_DOUBTFUL, "open");
            assert_plex(&s->map, 1, PLEX_DOUBTFUL, "open");
            assert_int_equal(s->map.volumes[0].status, DYNAMIC_AT_RISK);
        }
}

static void group_without_the_system_is_foreign_beside_one_with_it(void **state)
{
    struct group_run *home = group_new(some_volumes, 5, SOME_DISKS);
    struct state *s = *state;
    struct volume_source sources[SOME_DISKS + 2];

    read_both(s);
    assert_false(s->map.groups[0].foreign);
    group_read_all(home);
    assert_false(home->map.groups[0].foreign);
    memcpy(sources, s->sources, sizeof s->sources);
    memcpy(sources + 2, home->sources, SOME_DISKS * sizeof sources[0]);
    s->fixture.group_guid = "a1b2c3d4-9999-11e1-8000-000102030405";
    for (size_t i = 0; i < 2; i++)
        ldm_fixture_build(&s->fixture, i, s->regions[i]);
    read_both(s);
    assert_int_equal(volumes_read(sources, SOME_DISKS + 2, &s->arena, &s->map), ST_OK);
    assert_int_equal(s->map.group_count, 2);
    assert_true(s->map.groups[0].foreign);
    assert_false(s->map.groups[1].foreign);
    group_free(home);
}

/* --- Many ----------------------------------------------------------------------------------- */

#define MANY_VOLUMES 1000

/* Mirrors, each over two disks that are next to each other. */
static struct group_run *many_mirrors(struct ldm_volume_spec *volumes, struct ldm_plex_spec *plexes,
                                      struct ldm_extent_spec *extents, char names[][12])
{
    struct group_run *run = group_new(volumes, MANY_VOLUMES, GROUP_DISKS);

    for (size_t i = 0; i < MANY_VOLUMES; i++) {
        snprintf(names[i], sizeof names[i], "Volume%zu", i + 1);
        for (size_t j = 0; j < 2; j++) {
            extents[2 * i + j] = (struct ldm_extent_spec){
                .disk = (2 * i + j) % GROUP_DISKS, .start = 2 * i, .size = 2};
            plexes[2 * i + j] =
                (struct ldm_plex_spec){.extents = &extents[2 * i + j], .extent_count = 1};
        }
        volumes[i] = (struct ldm_volume_spec){.name = names[i],
                                              .guid = VOLUME_GUID("001"),
                                              .size = 2,
                                              .plexes = &plexes[2 * i],
                                              .plex_count = 2};
    }
    return run;
}

static void a_thousand_volumes_on_64_disks_take_little_memory(void **state)
{
    static struct ldm_volume_spec volumes[MANY_VOLUMES];
    static struct ldm_plex_spec plexes[2 * MANY_VOLUMES];
    static struct ldm_extent_spec extents[2 * MANY_VOLUMES];
    static char names[MANY_VOLUMES][12];
    struct group_run *run = many_mirrors(volumes, plexes, extents, names);
    const struct volume_map *map = group_read_all(run);

    (void)state;
    assert_int_equal(map->disk_count, 64);
    assert_int_equal(map->dynamic_disk_count, 64);
    assert_int_equal(map->volume_count, 1000);
    assert_int_equal(map->extent_count, 2000);
    for (size_t i = 0; i < MANY_VOLUMES; i++) {
        assert_int_equal(map->volumes[i].status, DYNAMIC_HEALTHY);
        assert_int_equal(map->volumes[i].type, DYNAMIC_MIRROR);
    }
    for (size_t i = 0; i < GROUP_DISKS; i++)
        assert_true(map->disks[i].read_bytes <= 800 * 1024);
    /* Read once, whatever the number of disks. */
    assert_true(run->arena.used < 2u << 20);
    assert_true(run->arena.peak < 5u << 20);
    group_free(run);
}

/* --- Disks that Windows made ---------------------------------------------------------------- */

struct image {
    const char *name;
    bool gpt;
    const char *guid;
};

/* In the order of the group's disks, Disk1 to Disk9. */
static const struct image images[] = {
    {"ldm-2008r2-spanned-1.img", false, "06495a85-fbfd-11e1-8cf9-52540061f5db"},
    {"ldm-2008r2-spanned-2.img", true, "06495a89-fbfd-11e1-8cf9-52540061f5db"},
    {"ldm-2008r2-striped-1.img", false, "06495a94-fbfd-11e1-8cf9-52540061f5db"},
    {"ldm-2008r2-striped-2.img", true, "06495a98-fbfd-11e1-8cf9-52540061f5db"},
    {"ldm-2008r2-mirrored-1.img", false, "06495aa3-fbfd-11e1-8cf9-52540061f5db"},
    {"ldm-2008r2-mirrored-2.img", true, "06495aa7-fbfd-11e1-8cf9-52540061f5db"},
    {"ldm-2008r2-raid5-1.img", false, "06495ab2-fbfd-11e1-8cf9-52540061f5db"},
    {"ldm-2008r2-raid5-2.img", true, "06495ab6-fbfd-11e1-8cf9-52540061f5db"},
    {"ldm-2008r2-raid5-3.img", true, "06495abb-fbfd-11e1-8cf9-52540061f5db"},
};
#define IMAGES 9

static const struct {
    uint64_t id;
    const char *name;
    const char *guid;
    enum dynamic_type type;
    uint64_t size;
    const char *hint;
} windows_volumes[] = {
    {4, "Volume1", "06495a8d-fbfd-11e1-8cf9-52540061f5db", DYNAMIC_SPANNED, 129024, "E:"},
    {10, "Volume2", "06495a9c-fbfd-11e1-8cf9-52540061f5db", DYNAMIC_STRIPED, 65536, "F:"},
    {16, "Volume3", "06495aab-fbfd-11e1-8cf9-52540061f5db", DYNAMIC_MIRROR, 32768, "G:"},
    {24, "Volume4", "06495ac0-fbfd-11e1-8cf9-52540061f5db", DYNAMIC_RAID5, 65536, "H:"},
    {29, "Volume5", "06495ac6-fbfd-11e1-8cf9-52540061f5db", DYNAMIC_SPANNED, 190464, "I:"},
};

/* Volumes from 0, disks from 1. */
static const struct {
    size_t volume, disk;
    uint64_t plex, offset, size, column, lba;
} windows_extents[] = {
    {0, 1, 5, 0, 96256, 0, 128},        {0, 2, 5, 96256, 32768, 0, 65664},
    {1, 3, 11, 0, 32768, 0, 128},       {1, 4, 11, 0, 32768, 1, 65664},
    {2, 5, 17, 0, 32768, 0, 128},       {2, 6, 19, 0, 32768, 0, 65664},
    {3, 7, 25, 0, 32768, 0, 128},       {3, 8, 25, 0, 32768, 1, 65664},
    {3, 9, 25, 0, 32768, 2, 65664},     {4, 7, 30, 0, 63488, 0, 32896},
    {4, 3, 30, 63488, 63488, 0, 32896}, {4, 5, 30, 126976, 63488, 0, 32896},
};

static const char *image_folder;

static int unpack_images(void **state)
{
    (void)state;
    image_folder = ldm_images_unpack("*.img");
    return 0;
}

static int remove_images(void **state)
{
    (void)state;
    ldm_images_remove();
    return 0;
}

struct image_run {
    bool present[IMAGES + 1]; /* by number of the disk, from 1 */
    struct image_block *disks[IMAGES];
    struct block_port ports[IMAGES];
    struct volume_source sources[IMAGES];
    size_t count;
    struct volume_map map;
    struct arena arena;
    void *memory;
};

static void add_image(struct image_run *run, size_t number)
{
    const struct image *image = &images[number - 1];
    char path[256];
    size_t i = run->count++;

    snprintf(path, sizeof path, "%s/%s", image_folder, image->name);
    assert_int_equal(image_block_open(path, 512, span_of(end_node, 4), "image", &run->disks[i]),
                     ST_OK);
    run->ports[i] = image_block_port(run->disks[i]);
    run->sources[i] =
        (struct volume_source){.disk = number, .port = &run->ports[i], .gpt = image->gpt};
    if (image->gpt) {
        run->sources[i].metadata_lba = 34;
        run->sources[i].metadata_blocks = 2048;
    }
    run->present[number] = true;
}

/* Opens the disks whose numbers are the digits of `digits`, in that order. */
static void open_images(struct image_run *run, const char *digits)
{
    if (image_folder == NULL)
        SKIP_BECAUSE(LDM_IMAGES NO_SHARED_DATA);
    memset(run, 0, sizeof *run);
    for (const char *digit = digits; *digit != '\0'; digit++)
        add_image(run, (size_t)(*digit - '0'));
    run->memory = malloc(ARENA_BYTES);
    arena_init(&run->arena, run->memory, ARENA_BYTES);
}

static void read_opened_images(struct image_run *run)
{
    assert_int_equal(volumes_read(run->sources, run->count, &run->arena, &run->map), ST_OK);
    for (size_t i = 0; i < run->count; i++)
        image_block_close(run->disks[i]);
}

/* Opens and reads them. */
static void read_images(struct image_run *run, const char *digits)
{
    open_images(run, digits);
    read_opened_images(run);
}

static void check_disks(const struct image_run *run)
{
    const struct volume_map *map = &run->map;

    assert_int_equal(map->disk_count, run->count);
    for (size_t i = 0; i < run->count; i++) {
        assert_int_equal(map->disks[i].state, VOLUME_DISK_OK);
        assert_guid(&map->disks[i].guid, images[map->disks[i].disk - 1].guid);
        assert_int_equal(map->disks[i].transaction, 39);
        assert_true(map->disks[i].read_bytes <= 800 * 1024);
        assert_int_equal(map->disks[i].log, VOLUME_LOG_EMPTY);
        assert_false(map->disks[i].copy_damaged);
    }
    assert_int_equal(map->group_count, 1);
    assert_guid(&map->groups[0].guid, "06495a84-fbfd-11e1-8cf9-52540061f5db");
    assert_string_equal(map->groups[0].name, "WIN-ERRDJSBDAVF-Dg0");
    assert_true(map->groups[0].known && map->groups[0].clean && map->groups[0].agreed);
    assert_int_equal(map->groups[0].disk_count, 9);
    assert_int_equal(map->groups[0].missing_disks, 9 - run->count);
}

static void check_volumes(const struct image_run *run, const char *healthy)
{
    const struct volume_map *map = &run->map;

    assert_int_equal(map->volume_count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct dynamic_volume *volume = &map->volumes[i];
        assert_int_equal(volume->id, windows_volumes[i].id);
        assert_string_equal(volume->name, windows_volumes[i].name);
        assert_guid(&volume->guid, windows_volumes[i].guid);
        assert_int_equal(volume->type, windows_volumes[i].type);
        assert_int_equal(volume->size, windows_volumes[i].size);
        assert_string_equal(volume->drive_hint, windows_volumes[i].hint);
        assert_int_equal(volume->number, i + 1);
        assert_int_equal(volume->status == DYNAMIC_HEALTHY, healthy[i] == '+');
    }
}

static void check_extents(const struct image_run *run)
{
    const struct volume_map *map = &run->map;

    assert_int_equal(map->extent_count, 12);
    for (size_t i = 0; i < 12; i++) {
        const struct dynamic_extent *extent = &map->extents[i];
        size_t disk = windows_extents[i].disk;
        bool present = run->present[disk];
        char name[16];
        snprintf(name, sizeof name, "Disk%zu", disk);
        assert_int_equal(map->plexes[extent->plex].id, windows_extents[i].plex);
        assert_int_equal(map->plexes[extent->plex].volume, windows_extents[i].volume);
        assert_string_equal(extent->disk_name, name);
        assert_guid(&extent->disk_guid, images[disk - 1].guid);
        assert_int_equal(extent->disk, present ? disk : VOLUME_NONE);
        assert_int_equal(extent->lba, present ? windows_extents[i].lba : 0);
        assert_int_equal(extent->blocks, present ? windows_extents[i].size : 0);
        assert_int_equal(extent->size, windows_extents[i].size);
        assert_int_equal(extent->offset, windows_extents[i].offset);
        assert_int_equal(extent->column, windows_extents[i].column);
    }
}

/* `complete` has a letter for each plex in order of ID: '+' when all of it is here; `healthy` one
 * for each volume: '+' when all its plexes are. */
static void check_images(const char *digits, const char *complete, const char *healthy)
{
    struct image_run run;

    read_images(&run, digits);
    check_disks(&run);
    check_volumes(&run, healthy);
    check_extents(&run);
    assert_int_equal(run.map.plex_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(run.map.plexes[i].complete, complete[i] == '+');
        assert_int_equal(run.map.plexes[i].state == PLEX_GOOD, complete[i] == '+');
    }
    free(run.memory);
}

static void windows_disks_together_give_every_volume(void **state)
{
    (void)state;
    check_images("123456789", "++++++", "+++++");
    check_images("987654321", "++++++", "+++++");
}

static void windows_disks_of_one_volume_give_that_one(void **state)
{
    (void)state;
    check_images("12", "+-----", "+----");
    check_images("34", "-+----", "-+---");
    check_images("56", "--++--", "--+--");
    check_images("789", "----+-", "---+-");
}

static void windows_disk_alone_gives_the_whole_database(void **state)
{
    (void)state;
    check_images("1", "------", "-----");
    check_images("2", "------", "-----");
    check_images("3", "------", "-----");
    check_images("4", "------", "-----");
    check_images("5", "--+---", "-----");
    check_images("6", "---+--", "-----");
    check_images("7", "------", "-----");
    check_images("8", "------", "-----");
    check_images("9", "------", "-----");
}

static void windows_data_partition_leads_to_its_volume(void **state)
{
    struct image_run run;
    size_t volume = 77;

    (void)state;
    read_images(&run, "56");
    assert_true(volume_map_at(&run.map, 6, 65570, 36797, &volume));
    assert_string_equal(run.map.volumes[volume].name, "Volume3");
    assert_true(volume_map_at(&run.map, 5, 63, 100289, &volume));
    assert_string_equal(run.map.volumes[volume].name, "Volume3");
    assert_true(volume_map_at(&run.map, 5, 32896, 63488, &volume));
    assert_string_equal(run.map.volumes[volume].name, "Volume5");
    free(run.memory);
}

/* A disk of which one byte reads as another. */
struct altered {
    struct block_port under;
    uint64_t at;
};

static enum status read_altered(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct altered *altered = ctx;
    enum status status = altered->under.read(altered->under.ctx, lba, count, ret_data);

    if (status == ST_OK && altered->at >= lba * 512 && altered->at < (lba + count) * 512)
        ((uint8_t *)ret_data)[altered->at - lba * 512] ^= 1;
    return status;
}

/* Reads the two disks of the mirror; on the second one a byte of the database is another one. */
static void read_altered_mirror(struct image_run *run, uint64_t at)
{
    struct altered altered;

    open_images(run, "56");
    altered = (struct altered){.under = run->ports[1], .at = (34 + 17) * 512 + at};
    run->ports[1].ctx = &altered;
    run->ports[1].read = read_altered;
    read_opened_images(run);
}

static void windows_disks_may_differ_in_a_free_slot(void **state)
{
    struct image_run run;

    (void)state;
    read_altered_mirror(&run, 128 * 28 + 0x20);
    assert_true(run.map.groups[0].known && run.map.groups[0].differs_unused);
    assert_false(run.map.groups[0].agreed || run.map.groups[0].split);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(run.map.disks[i].state, VOLUME_DISK_OK);
    check_volumes(&run, "--+--");
    check_extents(&run);
    free(run.memory);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(mirror_on_two_disks_is_found),
        CASE(disk_alone_tells_of_the_missing_one),
        CASE(no_disks_give_an_empty_map),
        CASE(mbr_disk_is_found_by_its_third_header),
        CASE(mbr_disk_is_found_by_any_one_of_three_headers),
        CASE(two_groups_are_kept_apart),
        CASE(volume_number_comes_from_its_default_name),
        CASE(no_two_volumes_have_one_number),
        CASE(drive_hint_is_given),
        CASE(large_blocks_divide_sectors),
        CASE(piece_belongs_to_the_volume_only_as_a_whole),
        CASE(of_two_volumes_the_first_on_the_disk_counts),
        CASE(disk_without_metadata_partition_is_absent),
        CASE(empty_metadata_partition_is_absent),
        CASE(metadata_partition_past_the_disk_is_damaged),
        CASE(metadata_partition_of_one_block_is_survived),
        CASE(one_damaged_header_does_no_harm),
        CASE(unreadable_header_is_made_good_by_the_other),
        CASE(headers_of_two_disks_on_one_are_damaged),
        CASE(header_of_the_later_sequence_is_used),
        CASE(headers_of_one_sequence_must_agree),
        CASE(header_that_is_not_of_this_partition_is_damaged),
        CASE(outdated_tocblock_is_passed_over),
        CASE(tocblock_ahead_of_the_header_is_passed_over),
        CASE(tocblocks_must_agree),
        CASE(stray_tocblock_is_a_last_resort),
        CASE(disk_without_tocblock_is_damaged),
        CASE(damaged_database_is_made_good_by_the_other_disk),
        CASE(unreadable_database_is_made_good_by_the_other_disk),
        CASE(no_sound_database_means_no_volumes),
        CASE(disk_that_is_gone_is_unreadable),
        CASE(database_of_another_group_is_damaged),
        CASE(unknown_record_is_unsupported),
        CASE(database_larger_than_the_limit_is_unsupported),
        CASE(piece_past_the_public_region_has_no_place),
        CASE(mark_of_trouble_makes_a_plex_unhealthy),
        CASE(later_transaction_wins_in_any_order),
        CASE(different_records_of_one_transaction_leave_no_volumes),
        CASE(different_unused_places_do_no_harm),
        CASE(record_later_than_its_database_makes_it_damaged),
        CASE(public_region_may_enclose_the_private_one_of_a_gpt),
        CASE(regions_of_an_mbr_disk_are_apart),
        CASE(clones_are_not_used),
        CASE(disk_that_left_the_group_is_no_member),
        CASE(change_decided_on_one_disk_counts_for_all),
        CASE(change_begun_on_one_disk_alone_is_no_contradiction),
        CASE(records_alone_tell_of_the_volumes),
        CASE(records_alone_tell_nothing_of_free_slots),
        CASE(too_little_memory_is_reported),
        CASE(damaged_log_makes_its_disk_doubtful),
        CASE(log_of_more_pages_than_its_region_is_damaged),
        CASE(disk_without_a_log_is_doubtful),
        CASE(damaged_copy_is_told_of),
        CASE(piece_must_lie_in_one_data_partition),
        CASE(disk_that_is_behind_unknown_to_the_group_may_be_a_split),
        CASE(number_of_databases_compared_is_told),
        CASE(database_with_a_status_that_must_not_be_used_never_wins),
        CASE(contradiction_of_status_and_transaction_is_damaged),
        CASE(place_is_certain_only_when_an_open_change_leaves_it),
        CASE(group_without_the_system_is_foreign_beside_one_with_it),
        cmocka_unit_test(every_kind_of_volume_is_found_on_every_kind_of_disk),
        cmocka_unit_test(flags_of_a_volume_are_told),
        cmocka_unit_test(disks_of_the_database_are_told),
        cmocka_unit_test(mark_on_a_volume_makes_its_plexes_less_trusted),
        cmocka_unit_test(mark_on_a_disk_makes_plexes_less_trusted),
        cmocka_unit_test(worse_of_two_marks_counts),
        cmocka_unit_test(raid5_lives_without_one_column),
        cmocka_unit_test(lone_plex_on_a_disk_that_is_behind_is_at_risk),
        cmocka_unit_test(volume_of_a_form_windows_does_not_make_is_unknown),
        cmocka_unit_test(log_of_a_simple_volume_does_not_matter),
        cmocka_unit_test(a_thousand_volumes_on_64_disks_take_little_memory),
        cmocka_unit_test(windows_disks_together_give_every_volume),
        cmocka_unit_test(windows_disks_of_one_volume_give_that_one),
        cmocka_unit_test(windows_disk_alone_gives_the_whole_database),
        cmocka_unit_test(windows_data_partition_leads_to_its_volume),
        cmocka_unit_test(windows_disks_may_differ_in_a_free_slot),
    };

    return cmocka_run_group_tests(tests, unpack_images, remove_images);
}
