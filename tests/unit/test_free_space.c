/* Where a disk has room for a partition, and what is never taken for room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/free_space.h"
#include "unit/mirror_fixture.h"

/* The fixture's disk: 2,000,000 blocks of 512 bytes, 128 entries: blocks 34 to 1,999,966 are
 * usable. Partitions take 2048 to 241,663 without a gap, then LDM data up to 1,241,663. */
#define FIRST_USABLE 34u
#define LAST_USABLE  1999966u
#define DATA_END     1241664u

static struct free_space space_on(struct mirror *mirror, size_t disk)
{
    struct free_space space;

    assert_int_equal(free_space_find(&mirror->arena, &mirror->machine, disk, &space), ST_OK);
    return space;
}

static void assert_area(const struct free_area *area, uint64_t first, uint64_t last)
{
    assert_int_equal(area->first_lba, first);
    assert_int_equal(area->first_lba + area->block_count - 1, last);
}

static void room_is_what_partitions_leave_of_the_usable_range(void **state)
{
    struct free_space space = space_on(*state, 1);

    assert_int_equal(space.count, 2);
    assert_area(&space.areas[0], FIRST_USABLE, 2047);
    assert_area(&space.areas[1], DATA_END, LAST_USABLE);
}

static void extents_of_volumes_are_not_free_even_outside_partitions(void **state)
{
    struct mirror *mirror = *state;

    mirror->extents[1].lba = 1500000;
    mirror->extents[1].blocks = 1000;
    struct free_space space = space_on(mirror, 1);
    assert_int_equal(space.count, 3);
    assert_area(&space.areas[1], DATA_END, 1499999);
    assert_area(&space.areas[2], 1501000, LAST_USABLE);
}

static void copies_of_volumes_are_not_free_even_outside_partitions(void **state)
{
    struct mirror *mirror = *state;

    mirror->copies[1].partition = NO_INDEX;
    mirror->copies[1].lba = 1999000;
    mirror->copies[1].block_count = 5000; /* past the end */
    struct free_space space = space_on(mirror, 1);
    assert_int_equal(space.count, 2);
    assert_area(&space.areas[1], DATA_END, 1998999);
}

static void extents_of_other_disks_do_not_matter(void **state)
{
    struct mirror *mirror = *state;

    mirror->extents[0].lba = 1500000;
    assert_int_equal(space_on(mirror, 1).count, 2);
}

static void overlapping_partitions_leave_no_more_than_the_longest(void **state)
{
    struct mirror *mirror = *state;

    mirror->partitions[MIRROR_LDM(1)].block_count = 1500000; /* over all that follow */
    struct free_space space = space_on(mirror, 1);
    assert_int_equal(space.count, 2);
    assert_area(&space.areas[1], 206848 + 1500000, LAST_USABLE);
}

/* The range that both copies will leave when they are written anew, not that of the old header; and
 * the old backup is not free while it may be the only good copy. */
static void disk_that_has_grown_has_room_up_to_its_new_end(void **state)
{
    struct mirror *mirror = *state;
    struct disk *disk = &mirror->disks[1];

    disk->block_count = 3000000;
    struct free_space space = space_on(mirror, 1);
    assert_int_equal(space.count, 3);
    assert_area(&space.areas[1], DATA_END, LAST_USABLE); /* array 1,999,967, header 1,999,999 */
    assert_area(&space.areas[2], 2000000, 2999966);
}

/* 64 KiB in the entries of a table of 512: 128 blocks for each copy. */
static void table_with_more_entries_leaves_less(void **state)
{
    struct mirror *mirror = *state;

    mirror->disks[1].primary.header.entry_count = 512;
    mirror->disks[1].backup.header.entry_count = 512;
    mirror->disks[1].backup.header.entries_lba = 2000000 - 129;
    struct free_space space = space_on(mirror, 1);
    assert_area(&space.areas[0], 130, 2047);
    assert_area(&space.areas[1], DATA_END, 2000000 - 130);
}

static void disk_without_a_table_has_room_between_the_copies_to_come(void **state)
{
    struct mirror *mirror = *state;
    struct disk *disk = &mirror->disks[1];

    mirror->machine.volumes.extent_count = 1;
    mirror->machine.copy_count = 1;
    disk->style = DISK_RAW;
    disk->partition_count = 0;
    disk->block_size = 4096;
    disk->block_count = 250000;
    struct free_space space = space_on(mirror, 1);
    assert_int_equal(space.count, 1);
    assert_area(&space.areas[0], 6, 249994); /* 16 KiB of entries are four blocks */
}

static void disk_too_small_for_a_table_has_no_room(void **state)
{
    struct mirror *mirror = *state;

    mirror->disks[1].style = DISK_RAW;
    mirror->disks[1].block_count = 60;
    assert_int_equal(space_on(mirror, 1).count, 0);
}

static const struct free_area three[] = {{100, 1000}, {5000, 300}, {10001, 300}};
static const struct free_space of_three = {three, 3};

static void smallest_area_that_holds_it_is_taken(void **state)
{
    struct free_area area = {0, 0};

    (void)state;
    assert_true(free_space_best(&of_three, 300, 1, &area));
    assert_area(&area, 5000, 5299);
    assert_true(free_space_best(&of_three, 301, 1, &area));
    assert_area(&area, 100, 400);
    assert_false(free_space_best(&of_three, 1001, 1, &area));
}

static void alignment_may_rule_an_area_out(void **state)
{
    struct free_area area = {0, 0};

    (void)state;
    assert_true(free_space_best(&of_three, 290, 8, &area)); /* 10,008 leaves 293 */
    assert_area(&area, 10008, 10297);
    assert_true(free_space_best(&of_three, 300, 1000, &area)); /* of {100, 1000} 100 are left */
    assert_area(&area, 5000, 5299);
    assert_false(free_space_best(&of_three, 301, 1000, &area));
}

static void largest_area_begins_and_ends_aligned(void **state)
{
    struct free_area area = {0, 0};

    (void)state;
    assert_true(free_space_largest(&of_three, 128, &area));
    assert_area(&area, 128, 128 + 896 - 1);
    assert_false(free_space_largest(&of_three, 2048, &area));
}

static void blocks_of_a_volume_are_known(void **state)
{
    struct mirror *mirror = *state;
    const struct machine *machine = &mirror->machine;

    assert_true(free_space_is_volume(machine, 1, 241664, 1));
    assert_true(free_space_is_volume(machine, 1, 0, 241665));
    assert_false(free_space_is_volume(machine, 1, 0, 241664));
    assert_true(free_space_is_volume(machine, 1, DATA_END - 1, 1));
    assert_false(free_space_is_volume(machine, 1, DATA_END, 1000));
}

#define ON_MIRROR(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_MIRROR(room_is_what_partitions_leave_of_the_usable_range),
        ON_MIRROR(extents_of_volumes_are_not_free_even_outside_partitions),
        ON_MIRROR(copies_of_volumes_are_not_free_even_outside_partitions),
        ON_MIRROR(extents_of_other_disks_do_not_matter),
        ON_MIRROR(overlapping_partitions_leave_no_more_than_the_longest),
        ON_MIRROR(disk_that_has_grown_has_room_up_to_its_new_end),
        ON_MIRROR(table_with_more_entries_leaves_less),
        ON_MIRROR(disk_without_a_table_has_room_between_the_copies_to_come),
        ON_MIRROR(disk_too_small_for_a_table_has_no_room),
        cmocka_unit_test(smallest_area_that_holds_it_is_taken),
        cmocka_unit_test(alignment_may_rule_an_area_out),
        cmocka_unit_test(largest_area_begins_and_ends_aligned),
        ON_MIRROR(blocks_of_a_volume_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
