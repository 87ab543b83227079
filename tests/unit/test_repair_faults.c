/*
 * Commands on a whole machine whose files lie on its disks, interrupted everywhere: what is judged
 * and how is told in unit/cuts_fixture.h. The harness does the same for its catalogue of damages,
 * state by state; here a few stand for all, some of them under the sanitizers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/cuts_fixture.h"
#include "unit/line_fixture.h"
#include "unit/sample.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void no_entry(struct host *host)
{
    disk_machine_drop_entry(host, 1);
}

static void no_folder(struct host *host)
{
    disk_machine_delete(host, 1, "\\EFI\\Microsoft");
}

static void no_file_system(struct host *host)
{
    disk_machine_zero(host, 1, PART_ESP);
}

static void no_esp(struct host *host)
{
    disk_machine_drop_partition(host, 1, PART_ESP);
}

static void blank(struct host *host)
{
    disk_machine_blank(host, 1);
}

static void table_damaged(struct host *host)
{
    disk_machine_break_gpt(host, 1, PRIMARY);
}

static void healthy(struct host *host)
{
    (void)host;
}

enum { ENTRY, BOOT_FILES }; /* places in the list */

static const struct scenario {
    const char *name;
    void (*inflict)(struct host *host);
    const char *line;
    uint32_t free_mib;
} scenarios[] = {
    {"no entry for the shadow", no_entry, "repair -y", 128},
    {"no boot files on the shadow", no_folder, "copy -y", 128},
    {"shadow not formatted", no_file_system, "repair -y -format", 128},
    {"shadow without ESP", no_esp, "prepare -y -format 1", 128},
    {"shadow without ESP and room", line_leave_no_room, "repair -y -format -msr", 0},
    {"blank disk", blank, "prepare -y -format 1", 128},
    {"primary table damaged", table_damaged, "prepare -y -gpt 1", 128},
    {"another GUID for the disk", healthy,
     "diskid 1 -set {11111111-2222-4333-8444-555555555555} -y", 128},
};

static struct host *machine_of(const struct scenario *scenario)
{
    struct disk_machine_shape shape = disk_machine_usual();

    shape.free_mib = scenario->free_mib;
    shape.languages = 1;
    struct host *host = disk_machine_new(&shape);
    scenario->inflict(host);
    return host;
}

static void try_scenario(const struct scenario *scenario, enum cuts_mode mode,
                         const struct cuts_range *range)
{
    struct host *host = machine_of(scenario);
    struct cuts *cuts = cuts_new(host, scenario->name, scenario->line);

    assert_true(cuts_has_changed(cuts));
    assert_int_equal(cuts_violations(cuts), 0);
    assert_true(cuts_try(cuts, mode, range));
    assert_true(cuts_states(cuts) > 0);
    print_message("%s, %s: %llu states, %llu of them different\n", scenario->name, scenario->line,
                  (unsigned long long)cuts_states(cuts), (unsigned long long)cuts_distinct(cuts));
    cuts_free(cuts);
    host_free(host);
}

/* A few writes of each; all of them, and all fates of the caches, are the harness' business. */
static void power_cuts_leave_a_machine_that_can_be_finished_or_taken_back(void **state)
{
    struct cuts_range range = {.first = 2, .step = 4 * ONE_IN(12)};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++)
        try_scenario(&scenarios[i], CUTS_POWER, &range);
}

static void failing_calls_do(void **state)
{
    struct cuts_range range = {.first = 40, .step = 97 * ONE_IN(4)};

    (void)state;
    try_scenario(&scenarios[BOOT_FILES], CUTS_CALL, &range);
    try_scenario(&scenarios[ENTRY], CUTS_NO_SPACE, &(struct cuts_range){.step = 2});
}

static void lack_of_memory_does(void **state)
{
    struct cuts_range range = {.pieces = 8 / ONE_IN(2)};

    (void)state;
    try_scenario(&scenarios[BOOT_FILES], CUTS_MEMORY, &range);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_leave_a_machine_that_can_be_finished_or_taken_back),
        cmocka_unit_test(failing_calls_do),
        cmocka_unit_test(lack_of_memory_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
