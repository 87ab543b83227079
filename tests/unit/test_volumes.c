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
    assert_true(map->volumes[0].healthy);
    assert_int_equal(map->plex_count, 2);
    assert_true(map->plexes[0].healthy && map->plexes[0].complete);
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
        assert_false(map->volumes[0].healthy);
        assert_int_equal(map->plex_count, 2);
        assert_true(map->plexes[i].complete && map->plexes[i].healthy);
        assert_false(map->plexes[1 - i].complete || map->plexes[1 - i].healthy);
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
    assert_false(s->map.plexes[0].healthy);
    /* Nor can it deny what a sound disk says of the same transaction. */
    set_transaction(s, 0, 12);
    config(s, 0)[0xbd]++;
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
}

static void disk_without_tocblock_is_damaged(void **state)
{
    struct state *s = *state;

    memset(s->regions[0] + LDM_FIXTURE_TOC_1, 0, 512);
    memset(s->regions[0] + LDM_FIXTURE_TOC_2, 0, 512);
    assert_first_disk(s, VOLUME_DISK_DAMAGED);
    assert_int_equal(s->map.extents[0].disk, 10);
    assert_false(s->map.volumes[0].healthy);
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
    assert_false(s->map.plexes[0].healthy);
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
    assert_true(map->plexes[0].healthy);
    assert_false(map->plexes[1].healthy);
    assert_true(map->plexes[1].complete);
    assert_false(map->volumes[0].healthy);
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
        assert_false(map->plexes[1 - late].healthy);
        assert_true(map->plexes[late].healthy);
    }
}

static void different_databases_of_one_transaction_leave_no_volumes(void **state)
{
    struct state *s = *state;

    config(s, 1)[0xbd]++;
    const struct volume_map *map = read_both(s);
    assert_int_equal(map->disks[0].state, VOLUME_DISK_CONFLICT);
    assert_int_equal(map->disks[1].state, VOLUME_DISK_CONFLICT);
    assert_false(map->groups[0].known);
    assert_int_equal(map->volume_count, 0);
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
    assert_false(map->volumes[0].healthy);
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
    config(s, 0)[128 * LDM_SLOT_VOLUME + 0x10 + 8 + 3] = 'v';
    assert_false(read_both(s)->groups[0].known);
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
        assert_true(room <= 3u << 20);
    }
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

/* Reads the disks whose numbers are the digits of `digits`, in that order. */
static void read_images(struct image_run *run, const char *digits)
{
    if (image_folder == NULL)
        skip();
    memset(run, 0, sizeof *run);
    for (const char *digit = digits; *digit != '\0'; digit++)
        add_image(run, (size_t)(*digit - '0'));
    run->memory = malloc(ARENA_BYTES);
    arena_init(&run->arena, run->memory, ARENA_BYTES);
    assert_int_equal(volumes_read(run->sources, run->count, &run->arena, &run->map), ST_OK);
    for (size_t i = 0; i < run->count; i++)
        image_block_close(run->disks[i]);
}

static void check_disks(const struct image_run *run)
{
    const struct volume_map *map = &run->map;

    assert_int_equal(map->disk_count, run->count);
    for (size_t i = 0; i < run->count; i++) {
        assert_int_equal(map->disks[i].state, VOLUME_DISK_OK);
        assert_guid(&map->disks[i].guid, images[map->disks[i].disk - 1].guid);
        assert_int_equal(map->disks[i].transaction, 39);
        assert_true(map->disks[i].read_bytes <= VOLUME_READ_MAX);
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
        assert_int_equal(volume->healthy, healthy[i] == '+');
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
        assert_int_equal(run.map.plexes[i].healthy, complete[i] == '+');
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

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(mirror_on_two_disks_is_found),
        CASE(disk_alone_tells_of_the_missing_one),
        CASE(no_disks_give_an_empty_map),
        CASE(mbr_disk_is_found_by_its_third_header),
        CASE(two_groups_are_kept_apart),
        CASE(volume_number_comes_from_its_default_name),
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
        CASE(different_databases_of_one_transaction_leave_no_volumes),
        CASE(clones_are_not_used),
        CASE(disk_that_left_the_group_is_no_member),
        CASE(change_decided_on_one_disk_counts_for_all),
        CASE(change_begun_on_one_disk_alone_is_no_contradiction),
        CASE(too_little_memory_is_reported),
        cmocka_unit_test(windows_disks_together_give_every_volume),
        cmocka_unit_test(windows_disks_of_one_volume_give_that_one),
        cmocka_unit_test(windows_disk_alone_gives_the_whole_database),
        cmocka_unit_test(windows_data_partition_leads_to_its_volume),
    };

    return cmocka_run_group_tests(tests, unpack_images, remove_images);
}
