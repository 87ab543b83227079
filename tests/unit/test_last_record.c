/* Which entry alone tells of a loader. The machine is the mirror of mirror_fixture, with an entry
 * Boot0007 for a partition that no disk has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "audit/last_record.h"
#include "unit/mirror_fixture.h"

#define GONE 7

static struct fixture_entry gone_entry(const char *file)
{
    struct fixture_entry entry = {.number = GONE,
                                  .description = "CentOS",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(ARTICLE_ESP_0),
                                  .file = file};

    return entry;
}

static void put_gone(struct mirror *m, const char *file)
{
    struct fixture_entry entry = gone_entry(file);

    mirror_put_entry(m, &entry);
    mirror_set_order(m, (const uint16_t[]){GONE, 0, 1}, 3);
}

static bool is_last(struct mirror *m)
{
    return entry_is_last_record(&m->machine, machine_find_entry(&m->machine, GONE));
}

static void drop_entries(struct mirror *m)
{
    mirror_drop_entry(m, 0);
    mirror_drop_entry(m, 1);
    mirror_set_order(m, (const uint16_t[]){GONE}, 1);
}

static void entry_whose_file_another_starts_is_none(void **state)
{
    put_gone(*state, "\\efi\\MICROSOFT\\boot\\bootmgfw.efi");
    assert_false(is_last(*state));
}

static void the_only_entry_is_one(void **state)
{
    put_gone(*state, MIRROR_MANAGER);
    drop_entries(*state);
    assert_true(is_last(*state));
}

/* Windows starts, and nothing tells of the shim that is on an ESP. */
static void entry_for_a_loader_that_is_here_is_one(void **state)
{
    struct mirror *m = *state;

    put_gone(m, MIRROR_SHIM);
    assert_false(loader_is_here(&m->machine, MIRROR_SHIM));
    assert_false(is_last(m));
    mirror_add_file(m, 1, "\\EFI\\debian", 0, 0);
    mirror_add_file(m, 1, MIRROR_SHIM, 1000, 1);
    assert_true(loader_is_here(&m->machine, MIRROR_SHIM));
    assert_true(loader_is_on(&m->machine, 1, MIRROR_SHIM));
    assert_false(loader_is_on(&m->machine, 0, MIRROR_SHIM));
    assert_true(is_last(m));
}

static void entry_for_a_loader_of_another_machine_is_none_while_this_one_starts(void **state)
{
    put_gone(*state, "\\EFI\\elsewhere\\loader.efi");
    assert_false(is_last(*state));
    drop_entries(*state);
    assert_true(is_last(*state));
}

/* It has to be tried, active, no application, and its file there. */
static void entry_that_does_not_start_is_no_other_record(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry other = mirror_windows_entry(m, 0, 0);

    put_gone(m, MIRROR_MANAGER);
    drop_entries(m);
    mirror_put_entry(m, &other);
    assert_true(is_last(m)); /* outside BootOrder */
    mirror_set_order(m, (const uint16_t[]){GONE, 0}, 2);
    assert_false(is_last(m));
    other.inactive = true;
    mirror_put_entry(m, &other);
    assert_true(is_last(m));
    other.inactive = false;
    other.file = "\\EFI\\Microsoft\\Boot\\none.efi";
    mirror_put_entry(m, &other);
    assert_true(is_last(m));
}

static void without_boot_order_every_entry_counts(void **state)
{
    struct mirror *m = *state;

    put_gone(m, MIRROR_MANAGER);
    mem_vars_drop(m->host->vars, NULL, "BootOrder");
    mirror_read_entries(m);
    assert_false(is_last(m));
}

static void order_that_is_going_to_be_counts_instead(void **state)
{
    struct mirror *m = *state;
    bool named[3] = {true, false, false};

    put_gone(m, MIRROR_MANAGER);
    assert_int_equal(m->machine.entry_count, 3);
    assert_int_equal(m->machine.entries[0].number, GONE);
    assert_true(entry_will_be_last_record(&m->machine, named, 0));
    named[2] = true;
    assert_false(entry_will_be_last_record(&m->machine, named, 0));
}

static void removable_media_file_is_known_without_an_entry(void **state)
{
    struct mirror *m = *state;

    put_gone(m, MIRROR_FALLBACK);
    drop_entries(m);
    m->partitions[MIRROR_ESP(0)].fallback_status = ST_ABSENT;
    m->partitions[MIRROR_ESP(1)].fallback_status = ST_ABSENT;
    assert_true(is_last(m));
    m->partitions[MIRROR_ESP(1)].fallback_status = ST_OK;
    assert_false(is_last(m));
}

static void entry_of_the_firmwares_own_tells_of_nothing(void **state)
{
    struct fixture_entry entry = gone_entry(MIRROR_SHIM);

    entry.optional = FIXTURE_AUTO_CREATED;
    mirror_put_entry(*state, &entry);
    mirror_set_order(*state, (const uint16_t[]){GONE}, 1);
    assert_false(is_last(*state));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(entry_whose_file_another_starts_is_none),
        CASE(the_only_entry_is_one),
        CASE(entry_for_a_loader_that_is_here_is_one),
        CASE(entry_for_a_loader_of_another_machine_is_none_while_this_one_starts),
        CASE(entry_that_does_not_start_is_no_other_record),
        CASE(without_boot_order_every_entry_counts),
        CASE(order_that_is_going_to_be_counts_instead),
        CASE(removable_media_file_is_known_without_an_entry),
        CASE(entry_of_the_firmwares_own_tells_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
