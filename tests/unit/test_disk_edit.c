/*
 * Edits of disks: what they are put together from stays apart where a change's safety rests on it.
 * Writes of one phase do not overlap, no write is joined over the border of a phase or of what is
 * in use, and all that was added is there, in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/disk_edit.h"
#include "host/host_alloc.h"

#define BLOCK      512u
#define ARENA_SIZE (16u << 20)
#define MANY       150 /* more than there is room for at first, twice */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct bench {
    uint8_t *memory;
    struct arena arena;
    struct disk_edit_builder builder;
    struct disk_edit edit;
};

static int set_up(void **state)
{
    struct bench *bench = host_alloc(1, sizeof(*bench));

    bench->memory = host_alloc(1, ARENA_SIZE);
    arena_init(&bench->arena, bench->memory, ARENA_SIZE);
    disk_edit_start(&bench->builder, &bench->arena, BLOCK);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    free(bench->memory);
    free(bench);
    return 0;
}

static void start_anew(struct bench *bench, uint32_t block_size)
{
    arena_init(&bench->arena, bench->memory, ARENA_SIZE);
    disk_edit_start(&bench->builder, &bench->arena, block_size);
}

/* Adds `blocks` blocks of the byte `fill`. */
static void add(struct bench *bench, unsigned phase, uint64_t lba, size_t blocks, int fill,
                bool free_space)
{
    size_t size = blocks * bench->builder.block_size;
    uint8_t *data = arena_alloc(&bench->arena, 1, size);

    memset(data, fill, size);
    disk_edit_write(&bench->builder, phase, lba, span_of(data, size), free_space);
}

static enum status finish(struct bench *bench, unsigned phases)
{
    memset(&bench->edit, 0xa5, sizeof(bench->edit));
    return disk_edit_finish(&bench->builder, phases, &bench->edit);
}

/* What a write at `index` holds: so many blocks from `lba` on, the first and last byte of it. */
static void expect_write(const struct bench *bench, size_t index, unsigned phase, uint64_t lba,
                         size_t blocks, int first, int last)
{
    const struct disk_write *write = &bench->edit.writes[index];

    assert_true(index < bench->edit.write_count);
    assert_int_equal(write->phase, phase);
    assert_int_equal(write->lba, lba);
    assert_int_equal(write->data.size, blocks * bench->builder.block_size);
    assert_int_equal(write->data.at[0], first);
    assert_int_equal(write->data.at[write->data.size - 1], last);
}

/* --- Overlap -------------------------------------------------------------------------------- */

/* Two runs of blocks, of which a block is the same or none is. */
static const struct {
    uint64_t lba[2];
    size_t blocks[2];
    bool overlap;
} pairs[] = {
    {{100, 100}, {1, 1}, true},  {{100, 100}, {8, 1}, true},   {{100, 107}, {8, 1}, true},
    {{100, 103}, {8, 2}, true},  {{100, 107}, {8, 8}, true},   {{100, 108}, {8, 8}, false},
    {{100, 101}, {1, 1}, false}, {{100, 4000}, {8, 8}, false}, {{0, 0}, {1, 2}, true},
    {{0, 1}, {1, 1}, false},
};

static void blocks_that_are_written_twice_in_a_phase_are_refused(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < 2 * COUNT_OF(pairs); i++) {
        size_t pair = i / 2;
        size_t first = i % 2; /* in either order */
        start_anew(bench, BLOCK);
        add(bench, 3, pairs[pair].lba[first], pairs[pair].blocks[first], 1, false);
        add(bench, 3, pairs[pair].lba[!first], pairs[pair].blocks[!first], 2, i % 4 < 2);
        assert_int_equal(finish(bench, 4), pairs[pair].overlap ? ST_REFUSED : ST_OK);
    }
}

/* Far from each other in the order in which they were added, and zeros as well as bytes. */
static void overlap_is_found_among_many(void **state)
{
    struct bench *bench = *state;

    for (int twice = 0; twice < 2; twice++) {
        start_anew(bench, BLOCK);
        for (uint64_t i = 0; i < MANY; i++)
            add(bench, 1, 10000 - 4 * i, 2, (int)i, false);
        disk_edit_zero(&bench->builder, 1, twice ? 10000 - 4 * 70 + 1 : 20000, 1);
        assert_int_equal(finish(bench, 2), twice ? ST_REFUSED : ST_OK);
    }
}

static void blocks_may_be_written_again_in_another_phase(void **state)
{
    struct bench *bench = *state;

    add(bench, 1, 100, 2, 1, false);
    add(bench, 0, 101, 2, 2, false);
    add(bench, 2, 100, 1, 3, false);
    assert_int_equal(finish(bench, 3), ST_OK);
    assert_int_equal(bench->edit.write_count, 3);
    expect_write(bench, 0, 0, 101, 2, 2, 2);
    expect_write(bench, 1, 1, 100, 2, 1, 1);
    expect_write(bench, 2, 2, 100, 1, 3, 3);
}

/* With a larger block the same bytes are fewer blocks. */
static void the_size_of_a_block_counts(void **state)
{
    struct bench *bench = *state;

    start_anew(bench, 4096);
    add(bench, 0, 100, 2, 1, false);
    add(bench, 0, 102, 1, 2, false);
    assert_int_equal(finish(bench, 1), ST_OK);
    start_anew(bench, 4096);
    add(bench, 0, 100, 3, 1, false);
    add(bench, 0, 102, 1, 2, false);
    assert_int_equal(finish(bench, 1), ST_REFUSED);
}

/* --- Files ---------------------------------------------------------------------------------- */

static struct disk_file file_at(const struct disk_extent *extents, size_t count, unsigned phase)
{
    struct disk_file file = {.phase = phase, .extents = extents, .extent_count = count};

    for (size_t i = 0; i < count; i++)
        file.size += extents[i].bytes;
    return file;
}

/* A file's content is written in its phase like everything else. */
static void content_of_a_file_is_in_nobodys_way(void **state)
{
    static const struct disk_extent extents[] = {{500, 8 * BLOCK}, {100, 2 * BLOCK + 1}};
    static const struct {
        uint64_t lba;
        enum status status;
    } places[] = {{499, ST_OK},      {500, ST_REFUSED}, {507, ST_REFUSED}, {508, ST_OK},
                  {102, ST_REFUSED}, {103, ST_OK},      {99, ST_OK},       {100, ST_REFUSED}};
    struct bench *bench = *state;
    struct disk_file file = file_at(extents, COUNT_OF(extents), 0);

    for (size_t i = 0; i < 2 * COUNT_OF(places); i++) {
        unsigned phase = i % 2;
        start_anew(bench, BLOCK);
        disk_edit_file(&bench->builder, &file);
        add(bench, phase, places[i / 2].lba, 1, 1, true);
        assert_int_equal(finish(bench, 2), phase == 0 ? places[i / 2].status : ST_OK);
    }
}

static void two_files_do_not_share_a_block(void **state)
{
    static const struct disk_extent first[] = {{500, 3 * BLOCK}, {700, BLOCK}};
    struct bench *bench = *state;

    for (uint64_t lba = 698; lba < 703; lba++) {
        const struct disk_extent second[] = {{lba, 2 * BLOCK}};
        struct disk_file files[2] = {file_at(first, 2, 1), file_at(second, 1, 1)};
        start_anew(bench, BLOCK);
        disk_edit_file(&bench->builder, &files[0]);
        disk_edit_file(&bench->builder, &files[1]);
        assert_int_equal(finish(bench, 2), lba == 699 || lba == 700 ? ST_REFUSED : ST_OK);
    }
}

static void files_come_by_phase_and_place(void **state)
{
    static const struct disk_extent extents[] = {{900, BLOCK}, {300, BLOCK}, {600, BLOCK}};
    static const size_t expected[] = {1, 2, 0};
    struct bench *bench = *state;

    for (size_t i = 0; i < 3; i++) {
        struct disk_file file = file_at(&extents[i], 1, i == 1 ? 0 : 1);
        file.source = i;
        file.free_space = i == 2;
        disk_edit_file(&bench->builder, &file);
    }
    assert_int_equal(finish(bench, 2), ST_OK);
    assert_int_equal(bench->edit.file_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bench->edit.files[i].source, expected[i]);
        assert_int_equal(bench->edit.files[i].free_space, expected[i] == 2);
    }
}

/* --- Order and joining ---------------------------------------------------------------------- */

static void neighbours_become_one_write(void **state)
{
    struct bench *bench = *state;

    add(bench, 0, 102, 2, 3, false);
    add(bench, 0, 100, 1, 1, false);
    add(bench, 0, 101, 1, 2, false);
    add(bench, 0, 105, 1, 4, false); /* a block between */
    assert_int_equal(finish(bench, 1), ST_OK);
    assert_int_equal(bench->edit.write_count, 2);
    expect_write(bench, 0, 0, 100, 4, 1, 3);
    assert_int_equal(bench->edit.writes[0].data.at[BLOCK], 2);
    assert_int_equal(bench->edit.writes[0].data.at[2 * BLOCK - 1], 2);
    assert_int_equal(bench->edit.writes[0].data.at[2 * BLOCK], 3);
    expect_write(bench, 1, 0, 105, 1, 4, 4);
}

/* What is in use is kept for undo, what is free is not: one write is one or the other. */
static void used_and_free_blocks_are_not_joined(void **state)
{
    struct bench *bench = *state;

    add(bench, 0, 100, 1, 1, false);
    add(bench, 0, 101, 1, 2, true);
    add(bench, 0, 102, 1, 3, true);
    add(bench, 0, 103, 1, 4, false);
    assert_int_equal(finish(bench, 1), ST_OK);
    assert_int_equal(bench->edit.write_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bench->edit.writes[i].free_space, i == 1);
    expect_write(bench, 1, 0, 101, 2, 2, 3);
}

/* Between them the disk is flushed. */
static void neighbours_of_two_phases_are_not_joined(void **state)
{
    struct bench *bench = *state;

    add(bench, 1, 100, 1, 2, false);
    add(bench, 0, 101, 1, 1, false);
    add(bench, 2, 101, 1, 3, false);
    assert_int_equal(finish(bench, 3), ST_OK);
    assert_int_equal(bench->edit.write_count, 3);
    assert_int_equal(bench->edit.phase_count, 3);
    expect_write(bench, 0, 0, 101, 1, 1, 1);
    expect_write(bench, 1, 1, 100, 1, 2, 2);
    expect_write(bench, 2, 2, 101, 1, 3, 3);
}

static void more_writes_than_there_is_room_for_at_first_are_all_there(void **state)
{
    struct bench *bench = *state;

    for (uint64_t i = 0; i < MANY; i++)
        add(bench, 0, 2 * (MANY - i), 1, (int)i, i % 2 == 0);
    assert_int_equal(finish(bench, 1), ST_OK);
    assert_int_equal(bench->edit.write_count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        int fill = MANY - 1 - (int)i;
        expect_write(bench, i, 0, 2 * (i + 1), 1, fill, fill);
        assert_int_equal(bench->edit.writes[i].free_space, fill % 2 == 0);
    }
}

/* --- Large runs ----------------------------------------------------------------------------- */

static void a_run_is_divided_into_writes_that_follow_each_other(void **state)
{
    struct bench *bench = *state;
    size_t blocks = 2 * DISK_WRITE_MAX / BLOCK + 3;
    uint8_t *data = arena_alloc(&bench->arena, blocks, BLOCK);

    for (size_t i = 0; i < blocks; i++)
        memset(data + i * BLOCK, (int)(i % 251), BLOCK);
    disk_edit_write(&bench->builder, 0, 5000, span_of(data, blocks * BLOCK), true);
    assert_int_equal(finish(bench, 1), ST_OK);
    uint64_t lba = 5000;
    for (size_t i = 0; i < bench->edit.write_count; i++) {
        const struct disk_write *write = &bench->edit.writes[i];
        assert_int_equal(write->lba, lba);
        assert_true(write->free_space);
        assert_in_range(write->data.size, 1, DISK_WRITE_MAX);
        assert_memory_equal(write->data.at, data + (lba - 5000) * BLOCK, write->data.size);
        lba += write->data.size / BLOCK;
    }
    assert_int_equal(lba, 5000 + blocks);
}

static void zeros_are_zeros_wherever_they_are(void **state)
{
    struct bench *bench = *state;
    uint64_t large = 3 * DISK_WRITE_MAX / BLOCK + 1;

    disk_edit_zero(&bench->builder, 0, 10, 2);
    disk_edit_zero(&bench->builder, 0, 100000, large);
    assert_int_equal(finish(bench, 1), ST_OK);
    uint64_t blocks = 0;
    for (size_t i = 0; i < bench->edit.write_count; i++) {
        const struct disk_write *write = &bench->edit.writes[i];
        assert_int_equal(write->lba, i == 0 ? 10 : 100000 + blocks);
        assert_in_range(write->data.size, 1, DISK_WRITE_MAX);
        assert_true(span_is_zero(write->data));
        blocks += i == 0 ? 0 : write->data.size / BLOCK;
    }
    assert_int_equal(bench->edit.writes[0].data.size, 2 * BLOCK);
    assert_int_equal(blocks, large);
}

/* --- What is given up ----------------------------------------------------------------------- */

static void content_that_is_given_up_is_all_noted(void **state)
{
    struct bench *bench = *state;

    disk_edit_freed(&bench->builder, 100, 2 * BLOCK);
    disk_edit_freed(&bench->builder, 102, 3 * BLOCK); /* goes on */
    disk_edit_freed(&bench->builder, 106, BLOCK);     /* a block between */
    disk_edit_freed(&bench->builder, 104, BLOCK);     /* back */
    assert_int_equal(finish(bench, 1), ST_OK);
    assert_int_equal(bench->edit.freed_count, 3);
    assert_int_equal(bench->edit.freed[0].lba, 100);
    assert_int_equal(bench->edit.freed[0].bytes, 5 * BLOCK);
    assert_int_equal(bench->edit.freed[1].lba, 106);
    assert_int_equal(bench->edit.freed[1].bytes, BLOCK);
    assert_int_equal(bench->edit.freed[2].lba, 104);
}

/* --- Little memory -------------------------------------------------------------------------- */

static enum status build_in(struct arena *arena)
{
    static const struct disk_extent extents[] = {{9000, BLOCK}};
    static const uint8_t block[BLOCK];
    struct disk_file file = file_at(extents, 1, 0);
    struct disk_edit_builder builder;
    struct disk_edit edit;

    disk_edit_start(&builder, arena, BLOCK);
    for (uint64_t i = 0; i < MANY; i++)
        disk_edit_write(&builder, 0, i, span_of(block, BLOCK), false);
    disk_edit_zero(&builder, 1, 50, 3);
    disk_edit_file(&builder, &file);
    disk_edit_freed(&builder, 1, BLOCK);
    enum status status = disk_edit_finish(&builder, 2, &edit);
    if (status == ST_OK) {
        assert_int_equal(edit.write_count, 2);
        assert_int_equal(edit.writes[0].data.size, MANY * BLOCK);
        assert_int_equal(edit.writes[1].data.size, 3 * BLOCK);
        assert_int_equal(edit.file_count, 1);
        assert_int_equal(edit.freed_count, 1);
    }
    return status;
}

/* Never an edit with something missing. */
static void with_too_little_memory_there_is_no_edit(void **state)
{
    struct bench *bench = *state;
    enum status status = ST_NO_MEMORY;

    for (size_t size = 0; status != ST_OK; size += 256) {
        assert_true(size < ARENA_SIZE);
        arena_init(&bench->arena, bench->memory, size);
        status = build_in(&bench->arena);
        assert_true(status == ST_OK || status == ST_NO_MEMORY);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(blocks_that_are_written_twice_in_a_phase_are_refused),
        CASE(overlap_is_found_among_many),
        CASE(blocks_may_be_written_again_in_another_phase),
        CASE(the_size_of_a_block_counts),
        CASE(content_of_a_file_is_in_nobodys_way),
        CASE(two_files_do_not_share_a_block),
        CASE(files_come_by_phase_and_place),
        CASE(neighbours_become_one_write),
        CASE(used_and_free_blocks_are_not_joined),
        CASE(neighbours_of_two_phases_are_not_joined),
        CASE(more_writes_than_there_is_room_for_at_first_are_all_there),
        CASE(a_run_is_divided_into_writes_that_follow_each_other),
        CASE(zeros_are_zeros_wherever_they_are),
        CASE(content_that_is_given_up_is_all_noted),
        CASE(with_too_little_memory_there_is_no_edit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
