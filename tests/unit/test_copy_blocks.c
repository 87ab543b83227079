/*
 * The blocks of a copy of a volume as one disk. A plex's extents in order of their offset make up the
 * volume (LDM database, section 9, step 3); block n of a piece is block n behind its first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "host/mem_block.h"
#include "model/copy_blocks.h"

#define DISKS  2
#define BLOCKS 64u
#define PIECES 3
#define MEMORY 4096u

/* What another plex has, then three pieces of 4, 5 and 2 blocks: the first and the last on Disk 1, the second on
 * Disk 0. */
static const struct dynamic_extent extents[] = {
    {.disk = 0, .lba = 50, .blocks = 9},
    {.disk = 1, .lba = 40, .blocks = 4},
    {.disk = 0, .lba = 7, .blocks = 5},
    {.disk = 1, .lba = 3, .blocks = 2},
};

struct world {
    struct mem_block *own[DISKS];
    struct block_port ports[DISKS];
    struct disk disks[DISKS];
    struct dynamic_plex plex;
    struct machine machine;
    struct arena arena;
    _Alignas(16) uint8_t memory[MEMORY];
};

/* Each block begins with the number of its disk, then its own. The machine counts the disks of the
 * ports from the last. */
static void set_up(struct world *world, uint32_t block_size, uint32_t other_size)
{
    memset(world, 0, sizeof(*world));
    for (uint8_t i = 0; i < DISKS; i++) {
        uint32_t size = i == 0 ? block_size : other_size;
        world->own[i] = mem_block_new(size, BLOCKS, span_of(NULL, 0), "");
        for (uint8_t lba = 0; lba < BLOCKS; lba++) {
            uint8_t mark[] = {i, lba};
            mem_block_write(world->own[i], (uint64_t)lba * size, mark, sizeof(mark));
        }
        world->ports[DISKS - 1 - i] = mem_block_port(world->own[i]);
        world->disks[i].port = (size_t)DISKS - 1 - i;
    }
    world->plex = (struct dynamic_plex){.first_extent = 1, .extent_count = PIECES};
    world->machine = (struct machine){.disks = world->disks, .disk_count = DISKS};
    world->machine.volumes.plexes = &world->plex;
    world->machine.volumes.plex_count = 1;
    world->machine.volumes.extents = extents;
    world->machine.volumes.extent_count = 1 + PIECES;
    arena_init(&world->arena, world->memory, MEMORY);
}

static void tear_down(struct world *world)
{
    for (size_t i = 0; i < DISKS; i++)
        mem_block_free(world->own[i]);
}

static const struct system_copy in_pieces = {
    .disk = 1, .plex = 0, .lba = 40, .block_count = 4, .pieces = PIECES};

static const struct block_port *open_copy(struct world *world, const struct system_copy *copy)
{
    const struct block_port *port = NULL;

    assert_int_equal(copy_blocks_open(&world->arena, world->ports, &world->machine, copy, &port),
                     ST_OK);
    return port;
}

static void pieces_stand_one_behind_the_other(void **state)
{
    static const uint8_t expected[][2] = {{1, 40}, {1, 41}, {1, 42}, {1, 43}, {0, 7}, {0, 8},
                                          {0, 9},  {0, 10}, {0, 11}, {1, 3},  {1, 4}};
    const uint64_t total = sizeof(expected) / sizeof(expected[0]);
    uint8_t data[16 * 512];
    struct world world;
    (void)state;

    set_up(&world, 512, 512);
    const struct block_port *port = open_copy(&world, &in_pieces);
    assert_int_equal(port->block_count, total);
    assert_int_equal(port->block_size, 512);
    for (uint64_t lba = 0; lba < total; lba++) {
        for (uint32_t count = 1; count <= total - lba; count++) {
            assert_int_equal(port->read(port->ctx, lba, count, data), ST_OK);
            for (uint32_t i = 0; i < count; i++)
                assert_memory_equal(data + (size_t)i * 512, expected[lba + i], 2);
        }
    }
    tear_down(&world);
}

static void nothing_lies_behind_the_last_piece(void **state)
{
    uint8_t data[2 * 512];
    struct world world;
    (void)state;

    set_up(&world, 512, 512);
    const struct block_port *port = open_copy(&world, &in_pieces);
    assert_int_equal(port->read(port->ctx, 11, 1, data), ST_IO);
    assert_int_equal(port->read(port->ctx, 10, 2, data), ST_IO);
    assert_int_equal(port->read(port->ctx, UINT64_MAX, 1, data), ST_IO);
    tear_down(&world);
}

static void what_a_disk_says_is_handed_on(void **state)
{
    uint8_t data[8 * 512];
    struct world world;
    (void)state;

    set_up(&world, 512, 512);
    const struct block_port *port = open_copy(&world, &in_pieces);
    mem_block_spoil(world.own[0], 9, 1);
    assert_int_equal(port->read(port->ctx, 2, 4, data), ST_OK);
    assert_int_equal(port->read(port->ctx, 2, 5, data), ST_IO);
    tear_down(&world);
}

static void nothing_is_written(void **state)
{
    uint8_t data[512] = {0};
    struct world world;
    (void)state;

    set_up(&world, 512, 512);
    const struct block_port *port = open_copy(&world, &in_pieces);
    assert_true(port->read_only);
    assert_int_equal(port->write(port->ctx, 0, 1, data), ST_READ_ONLY);
    mem_block_peek(world.own[1], 40 * 512, data, 2);
    assert_int_equal(data[0], 1);
    assert_int_equal(port->flush(port->ctx), ST_OK);
    tear_down(&world);
}

static void blocks_of_two_sizes_are_not_joined(void **state)
{
    const struct block_port *port = NULL;
    struct world world;
    (void)state;

    set_up(&world, 512, 4096);
    assert_int_equal(copy_blocks_open(&world.arena, world.ports, &world.machine, &in_pieces, &port),
                     ST_UNSUPPORTED);
    assert_null(port);
    tear_down(&world);
}

static void plain_partition_is_one_piece(void **state)
{
    const struct system_copy plain = {
        .disk = 0, .plex = NO_INDEX, .lba = 20, .block_count = 6, .pieces = 1};
    uint8_t data[6 * 512];
    struct world world;
    (void)state;

    set_up(&world, 512, 512);
    const struct block_port *port = open_copy(&world, &plain);
    assert_int_equal(port->block_count, 6);
    assert_int_equal(port->read(port->ctx, 0, 6, data), ST_OK);
    assert_int_equal(data[5 * 512 + 1], 25);
    assert_int_equal(port->read(port->ctx, 6, 1, data), ST_IO);
    tear_down(&world);
}

static void without_memory_there_is_no_port(void **state)
{
    const struct block_port *port = NULL;
    struct world world;
    (void)state;

    set_up(&world, 512, 512);
    arena_init(&world.arena, world.memory, 16);
    assert_int_equal(copy_blocks_open(&world.arena, world.ports, &world.machine, &in_pieces, &port),
                     ST_NO_MEMORY);
    assert_null(port);
    tear_down(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_stand_one_behind_the_other),
        cmocka_unit_test(nothing_lies_behind_the_last_piece),
        cmocka_unit_test(what_a_disk_says_is_handed_on),
        cmocka_unit_test(nothing_is_written),
        cmocka_unit_test(blocks_of_two_sizes_are_not_joined),
        cmocka_unit_test(plain_partition_is_one_piece),
        cmocka_unit_test(without_memory_there_is_no_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
