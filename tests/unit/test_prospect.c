/* What comes of each disk by a plan, and whether any starts less well (I9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan/prospect.h"
#include "unit/mirror_fixture.h"

struct prospected {
    struct mirror *mirror;
    struct plan plan;
    struct prospect prospect;
};

static struct prospected begin(struct mirror *mirror)
{
    struct prospected prospected = {.mirror = mirror};

    plan_init(&prospected.plan, &mirror->arena, &mirror->machine);
    return prospected;
}

static void delete_variable(struct prospected *prospected, const char *name)
{
    plan_delete_variable(&prospected->plan, name, "delete");
}

/* The entry of Windows for the ESP of a disk. */
static void set_entry(struct prospected *prospected, const char *name, size_t disk,
                      const char *description)
{
    struct mirror *mirror = prospected->mirror;
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, disk);
    struct fixture_bytes *value = arena_alloc(&mirror->arena, 1, sizeof(*value));

    entry.description = description;
    fixture_entry_value(mirror->host, &entry, value);
    plan_set_variable(&prospected->plan, name, 7, span_of(value->at, value->size), "set");
}

/* "Disk 0 starts: yes, by Boot0000; Disk 1 ..." */
static void assert_promises(struct prospected *prospected, const char *wanted)
{
    struct judgement now = mirror_judge(prospected->mirror);
    const struct plan *plan = &prospected->plan;
    char text[256] = "";
    size_t used = 0;

    assert_int_equal(prospect_find(&prospected->plan, &now, &prospected->prospect), ST_OK);
    for (size_t i = 0; i < plan->promise_count; i++) {
        const struct promise *promise = &plan->promises[i];
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%sDisk %zu %s: %s",
                             i == 0 ? "" : "; ", promise->disk, promise->verdict, promise->text);
    }
    assert_string_equal(text, wanted);
}

static void assert_worse(const struct prospected *prospected, size_t disk, const char *text,
                         const char *then)
{
    assert_int_equal(prospected->prospect.worse, disk);
    assert_string_equal(prospected->prospect.text, text);
    assert_string_equal(prospected->prospect.then, then);
}

static void plan_of_nothing_leaves_all_as_it_is(void **state)
{
    struct prospected prospected = begin(*state);

    assert_promises(&prospected,
                    "Disk 0 starts: yes, by Boot0000; Disk 1 starts: yes, by Boot0001");
    assert_worse(&prospected, NO_INDEX, "", "");
    assert_int_equal(prospected.prospect.hopeful, 2);
}

static void new_entry_is_called_new_and_a_changed_one_is_not(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_entry(mirror, 1);
    struct prospected prospected = begin(mirror);
    set_entry(&prospected, "Boot0000", 0, "Other name");
    set_entry(&prospected, "Boot0001", 1, "Mirror");
    assert_promises(&prospected,
                    "Disk 0 starts: yes, by Boot0000; Disk 1 starts: yes, by the new Boot0001");
    assert_worse(&prospected, NO_INDEX, "", "");
}

/* The removable-media path is left to them, which not every firmware tries. */
static void disk_without_its_entry_starts_less_well(void **state)
{
    struct prospected prospected = begin(*state);

    delete_variable(&prospected, "Boot0001");
    assert_promises(&prospected, "Disk 0 starts: yes, by Boot0000; Disk 1 fallback: perhaps");
    assert_worse(&prospected, 1, "yes", "perhaps");
    assert_int_equal(prospected.prospect.hopeful, 2);
}

static void first_disk_that_starts_less_well_is_named(void **state)
{
    struct prospected prospected = begin(*state);

    delete_variable(&prospected, "Boot0000");
    delete_variable(&prospected, "Boot0001");
    assert_promises(&prospected, "Disk 0 fallback: perhaps; Disk 1 fallback: perhaps");
    assert_worse(&prospected, 0, "yes", "perhaps");
}

/* Whether it starts could not be told: that it does not is worse. */
static void what_fails_is_worse_than_what_cannot_be_told(void **state)
{
    struct mirror *mirror = *state;

    mirror->plexes[1].state = PLEX_DOUBTFUL;
    mirror->plexes[1].reason = "so it is";
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
    struct prospected prospected = begin(mirror);
    delete_variable(&prospected, "Boot0001");
    assert_promises(&prospected, "Disk 0 starts: yes, by Boot0000; Disk 1 fails: no");
    assert_worse(&prospected, 1, "not known", "no");
    assert_int_equal(prospected.prospect.hopeful, 1);
}

/* Its entry was all that made it one of the disks that something is started from. */
static void disk_that_is_no_member_afterwards_starts_nothing(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_plain(mirror);
    mirror_drop_files(mirror, 1);
    struct prospected prospected = begin(mirror);
    delete_variable(&prospected, "Boot0001");
    assert_promises(&prospected, "Disk 0 starts: yes, by Boot0000; Disk 1 fails: no");
    assert_worse(&prospected, NO_INDEX, "", "");
}

static void deleted_entries_are_told_from_other_variables(void **state)
{
    struct mirror *mirror = *state;

    fixture_set_u16(mirror->host, "BootNext", 1);
    mirror_read_entries(mirror);
    struct prospected prospected = begin(mirror);
    delete_variable(&prospected, "BootNext");
    set_entry(&prospected, "Boot0001", 1, "Other name");
    assert_int_equal(prospected.plan.count, 2);
    assert_false(prospect_deletes_entries(&prospected.plan));
    delete_variable(&prospected, "Boot0000");
    assert_true(prospect_deletes_entries(&prospected.plan));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plan_of_nothing_leaves_all_as_it_is),
        TEST(new_entry_is_called_new_and_a_changed_one_is_not),
        TEST(disk_without_its_entry_starts_less_well),
        TEST(first_disk_that_starts_less_well_is_named),
        TEST(what_fails_is_worse_than_what_cannot_be_told),
        TEST(disk_that_is_no_member_afterwards_starts_nothing),
        TEST(deleted_entries_are_told_from_other_variables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
