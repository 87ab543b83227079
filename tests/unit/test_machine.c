/* Questions to the machine as a value, and where paths lead in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/resolve.h"
#include "unit/mirror_fixture.h"

/* --- Partitions ----------------------------------------------------------------------------- */

static void partition_is_found_by_its_guid(void **state)
{
    struct mirror *mirror = *state;
    struct guid guid = mirror->partitions[MIRROR_ESP(1)].unique;
    size_t count = 7;

    assert_int_equal(machine_find_partition(&mirror->machine, &guid, &count), MIRROR_ESP(1));
    assert_int_equal(count, 1);
    assert_int_equal(machine_find_partition(&mirror->machine, &guid, NULL), MIRROR_ESP(1));
    guid.bytes[0] ^= 1;
    assert_int_equal(machine_find_partition(&mirror->machine, &guid, &count), NO_INDEX);
    assert_int_equal(count, 0);
}

static void first_of_several_partitions_is_found_and_all_are_counted(void **state)
{
    struct mirror *mirror = *state;
    size_t count = 0;

    mirror->partitions[MIRROR_ESP(1)].unique = mirror->partitions[MIRROR_ESP(0)].unique;
    assert_int_equal(
        machine_find_partition(&mirror->machine, &mirror->partitions[MIRROR_ESP(1)].unique, &count),
        MIRROR_ESP(0));
    assert_int_equal(count, 2);
}

static void partitions_of_an_mbr_have_no_guid(void **state)
{
    struct mirror *mirror = *state;

    mirror->disks[1].style = DISK_MBR;
    assert_int_equal(
        machine_find_partition(&mirror->machine, &mirror->partitions[MIRROR_ESP(1)].unique, NULL),
        NO_INDEX);
}

/* --- Variables ------------------------------------------------------------------------------ */

/* A journal keeps what is there, whatever is wrong with its structure. */
static void damaged_variable_that_was_read_is_there(void **state)
{
    struct mirror *mirror = *state;

    mem_vars_put(mirror->host->vars, NULL, "BootOrder", 7, "\0\0\1", 3);
    mem_vars_put(mirror->host->vars, NULL, "Boot0001", 7, "bad", 3);
    mirror_read_entries(mirror);
    assert_int_equal(mirror->machine.order.status, ST_DAMAGED);
    struct variable_state order = machine_variable(&mirror->machine, "BootOrder");
    struct variable_state entry = machine_variable(&mirror->machine, "Boot0001");
    assert_int_equal(order.status, ST_OK);
    assert_int_equal(order.value.size, 3);
    assert_int_equal(entry.status, ST_OK);
    assert_int_equal(entry.value.size, 3);
    assert_int_equal(machine_variable(&mirror->machine, "Boot0002").status, ST_ABSENT);
    assert_int_equal(machine_variable(&mirror->machine, "BootNext").status, ST_ABSENT);
    assert_int_equal(machine_variable(&mirror->machine, "Setup").status, ST_UNSUPPORTED);
}

static void entry_of_windows_is_known_by_its_options_sound_or_not(void **state)
{
    static const struct {
        enum optional_kind kind;
        bool windows;
    } cases[] = {{OPTIONAL_WINDOWS, true},
                 {OPTIONAL_WINDOWS_BCD, true},
                 {OPTIONAL_WINDOWS_BROKEN, true},
                 {OPTIONAL_OTHER, false},
                 {OPTIONAL_NONE, false}};
    struct mirror *mirror = *state;
    struct entry *entry = &mirror->machine.entries[0];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        entry->optional_kind = cases[i].kind;
        assert_int_equal(entry_is_windows(entry), cases[i].windows);
    }
    entry->optional_kind = OPTIONAL_WINDOWS;
    entry->status = ST_DAMAGED;
    assert_false(entry_is_windows(entry));
}

/* --- Where paths lead ----------------------------------------------------------------------- */

/* What Boot0001 leads to when it names this place. */
static const struct target *target_of(struct mirror *mirror, enum fixture_path form,
                                      struct host_partition place)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    entry.form = form;
    entry.partition = place;
    mirror_put_entry(mirror, &entry);
    return &mirror->machine.entries[1].boot;
}

static void partition_has_moved_when_any_number_of_its_place_is_another(void **state)
{
    struct mirror *mirror = *state;

    for (int i = 0; i < 4; i++) {
        struct host_partition place = mirror_place(mirror, MIRROR_ESP(1));
        place.number += i == 1;
        place.start += i == 2;
        place.size += i == 3;
        const struct target *target = target_of(mirror, FIXTURE_SHORT, place);
        assert_int_equal(target->partition, MIRROR_ESP(1));
        assert_int_equal(target->disk, 1);
        assert_int_equal(target->moved, i > 0);
        assert_false(target->elsewhere);
    }
}

static void partition_on_another_disk_than_the_path_says_is_elsewhere(void **state)
{
    struct mirror *mirror = *state;
    struct host_partition place = mirror_place(mirror, MIRROR_ESP(1));

    assert_false(target_of(mirror, FIXTURE_FULL, place)->elsewhere);
    place.disk = 0;
    const struct target *target = target_of(mirror, FIXTURE_FULL, place);
    assert_int_equal(target->partition, MIRROR_ESP(1));
    assert_int_equal(target->disk, 1);
    assert_true(target->elsewhere);
    assert_false(target_of(mirror, FIXTURE_SHORT, place)->elsewhere);
}

/* The disk's signature is that of all its partitions. */
static void partition_of_an_mbr_is_known_by_its_number(void **state)
{
    struct mirror *mirror = *state;

    mirror->disks[1].style = DISK_MBR;
    mirror->disks[1].mbr.signature = 0x1234abcd;
    for (size_t i = MIRROR_ESP(1); i <= MIRROR_DATA(1); i++) {
        struct hd_node hd = partition_hd_node(&mirror->machine, &mirror->partitions[i]);
        assert_int_equal(hd.signature_type, HD_SIGNATURE_MBR);
        assert_int_equal(resolve_hd(&mirror->machine, NO_INDEX, &hd), i);
        assert_int_equal(resolve_hd(&mirror->machine, 0, &hd), NO_INDEX);
        hd.signature[0] ^= 1;
        assert_int_equal(resolve_hd(&mirror->machine, 1, &hd), NO_INDEX);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(partition_is_found_by_its_guid),
        TEST(first_of_several_partitions_is_found_and_all_are_counted),
        TEST(partitions_of_an_mbr_have_no_guid),
        TEST(damaged_variable_that_was_read_is_there),
        TEST(entry_of_windows_is_known_by_its_options_sound_or_not),
        TEST(partition_has_moved_when_any_number_of_its_place_is_another),
        TEST(partition_on_another_disk_than_the_path_says_is_elsewhere),
        TEST(partition_of_an_mbr_is_known_by_its_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
