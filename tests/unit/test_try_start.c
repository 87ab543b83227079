/* `test`: one disk is started once, that is remembered, and told later as far as it can be known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "format/start_tests.h"
#include "unit/line_fixture.h"

#define MEMORY "ShadowbootTests"

static const struct guid vendor = VAR_OWN_VENDOR;

static const struct mem_var *memory_of(const struct host *host)
{
    return mem_vars_find(host->vars, &vendor, MEMORY);
}

static void assert_next(const struct host *host, int number)
{
    const struct mem_var *next = mem_vars_find(host->vars, NULL, "BootNext");

    if (number < 0) {
        assert_null(next);
        return;
    }
    assert_non_null(next);
    assert_int_equal(next->size, 2);
    assert_int_equal(next->data[0] | next->data[1] << 8, number);
}

/* How often the machine was restarted, in the only way that is asked for. */
static size_t restarts(const struct host *host)
{
    for (size_t i = 0; i < host_start_count(host->start); i++) {
        assert_int_equal(host_start_at(host->start, i)->kind, HOST_START_RESET);
        assert_int_equal(host_start_at(host->start, i)->reset, START_RESET_COLD);
    }
    return host_start_count(host->start);
}

/* The firmware takes BootNext as it starts. */
static void start_once(struct host *host)
{
    mem_vars_drop(host->vars, NULL, "BootNext");
}

static struct host *usual_machine(void)
{
    struct disk_machine_shape shape = disk_machine_usual();

    return disk_machine_new(&shape);
}

static void the_shadow_is_started_once(void **state)
{
    struct host *host = usual_machine();

    (void)state;
    run_to_say(
        host, "test -y", 3,
        "start Boot0001 \"Boot Mirror\", from Disk 1|set BootNext|This firmware does not restart");
    assert_next(host, 1);
    assert_int_equal(restarts(host), 1);
    run_to_say(host, "status", 0,
               "Test of Disk 1, asked for 2026-01-02 03:04: waits. Boot0001 is still");
    run_to_say(host, "status -sfo", 0,
               "TestInfo,\"1\",\"Boot0001\",\"2026-01-02 03:04\",\"waits\"");
    start_once(host);
    run_to_say(host, "status", 0,
               "Test of Disk 1, asked for 2026-01-02 03:04: the firmware has taken Boot0001 since");
    run_to_say(host, "status -sfo", 0, "\"used\"");
    host_free(host);
}

static void a_disk_is_named_and_replaces_the_test_before(void **state)
{
    struct host *host = usual_machine();

    (void)state;
    run_to_say(host, "test 1 -y", 3, "Boot0001");
    run_to_say(host, "test 0 -y", 3, "start Boot0000 \"Windows Boot Manager\", from Disk 0");
    assert_next(host, 0);
    assert_int_equal(memory_of(host)->size, START_TESTS_HEADER + START_TEST_SIZE);
    host_free(host);
}

static void nothing_happens_without_a_yes(void **state)
{
    struct host *host = usual_machine();
    struct host *before = host_clone(host);

    (void)state;
    run_to_say(host, "test 1 -n", 0, "set BootNext|Nothing was changed (-n).");
    host_console_answer(host->console, "n");
    run_to_say(host, "test 1", 21, "Nothing was changed.");
    run_to_say(host, "test 2 -y", 14, "Disk 2 is no disk of the mirror. Nothing was changed.");
    run_to_say(host, "test 9 -y", 14, "Nothing was changed.");
    run_to_say(host, "test 1 -all -y", 2, "leave the disk out. Nothing was changed.");
    assert_true(mem_vars_equal(host->vars, before->vars));
    assert_int_equal(restarts(host), 0);
    host_free(before);
    host_free(host);
}

static void a_disk_without_an_entry_is_refused(void **state)
{
    struct host *host = usual_machine();

    (void)state;
    mem_vars_drop(host->vars, NULL, "Boot0001");
    run_to_say(
        host, "test 1 -y", 14,
        "No boot entry starts from Disk 1. \"shadowboot repair\" makes one. Nothing was changed.");
    assert_next(host, -1);
    assert_null(memory_of(host));
    host_free(host);
}

/* Alone it starts by the other's entry; with both there, firmware would take the other. */
static void an_entry_that_may_start_another_disk_is_not_taken(void **state)
{
    struct host *host = usual_machine();

    (void)state;
    disk_machine_repeat_esp(host);
    run_to_say(host, "test 1 -y", 15,
               "Another partition has the GUID of the ESP of Disk 1|diskid|Nothing was changed.");
    assert_next(host, -1);
    assert_null(memory_of(host));
    assert_int_equal(restarts(host), 0);
    host_free(host);
}

static void a_disk_that_may_not_start_is_tried_with_a_note(void **state)
{
    struct host *host = usual_machine();

    (void)state;
    disk_machine_zero(host, 1, PART_DATA);
    run_to_say(host, "test 1 -y", 3, "Note: Disk 1 alone may not start.|start Boot0001");
    assert_next(host, 1);
    host_free(host);
}

static void all_disks_are_tried_one_start_each(void **state)
{
    struct host *host = usual_machine();

    (void)state;
    run_to_say(host, "test -all -y", 3, "its menu begins with the next disk|from Disk 0");
    run_to_say(host, "test -all -y", 3, "waits|from Disk 0"); /* it was not started yet */
    assert_next(host, 0);
    start_once(host);
    run_to_say(host, "status", 0, "Test of Disk 0, asked for|test of all disks is not at its end");
    run_to_say(host, "test -all -y", 3, "Test of Disk 0, asked for|from Disk 1");
    assert_next(host, 1);
    start_once(host);
    assert_int_equal(restarts(host), 3);
    run_to_say(host, "test -all -n", 0, "Each disk of the mirror was tried once.");
    assert_non_null(memory_of(host));
    run_to_say(
        host, "test -all -y", 0,
        "Test of Disk 0, asked for|Test of Disk 1, asked for|Each disk of the mirror was tried once.");
    assert_null(memory_of(host));
    assert_next(host, -1);
    assert_int_equal(restarts(host), 3);
    run_to_say(host, "test -all -y", 3, "from Disk 0"); /* from the beginning */
    host_free(host);
}

static void what_cannot_be_remembered_is_said_and_nothing_restarts(void **state)
{
    struct host *host = usual_machine();

    (void)state;
    /* A variable of that name that nobody can replace. */
    mem_vars_put(host->vars, &vendor, MEMORY, VAR_BOOT_SERVICE, "x", 1);
    run_to_say(host, "test 1 -y", 15,
               "The test could not be remembered|Boot0001 is the entry for the next start");
    assert_int_equal(restarts(host), 0);
    host_free(host);
}

/* ---- the record ---- */

static struct start_test test_of(uint8_t seed)
{
    struct start_test test = {.entry = (uint16_t)(0x100 + seed),
                              .asked = {2026, 11, 20, 12, 34, seed}};

    memset(test.esp.bytes, seed, sizeof(test.esp.bytes));
    return test;
}

static void a_record_is_written_as_it_is_described(void **state)
{
    static const uint8_t wanted[] = {'T', 1, 1, 0, 7, 7, 7, 7,    7,    7,  7,  7,  7,  7, 7,
                                     7,   7, 7, 7, 7, 7, 1, 0xea, 0x07, 11, 20, 12, 34, 7, 0};
    struct start_tests tests = {.count = 0};
    struct start_tests again;
    struct start_test test = test_of(7);
    uint8_t bytes[START_TESTS_BYTES];

    (void)state;
    start_tests_add(&tests, &test);
    assert_int_equal(start_tests_write(&tests, bytes), sizeof(wanted));
    assert_memory_equal(bytes, wanted, sizeof(wanted));
    assert_int_equal(start_tests_read(span_of(wanted, sizeof(wanted)), &again), ST_OK);
    assert_int_equal(again.count, 1);
    assert_false(again.walk);
    tests.walk = true;
    (void)start_tests_write(&tests, bytes);
    assert_int_equal(bytes[3], 1);
    assert_memory_equal(&again.items[0], &test, sizeof(test));
}

static void what_is_no_record_is_not_believed(void **state)
{
    uint8_t bytes[START_TESTS_BYTES + 1];
    struct start_tests tests = {.walk = true};
    struct start_tests untouched = {.count = 77};

    (void)state;
    for (unsigned i = 0; i < START_TESTS_MOST; i++) {
        struct start_test test = test_of((uint8_t)i);
        start_tests_add(&tests, &test);
    }
    size_t size = start_tests_write(&tests, bytes);
    assert_int_equal(size, START_TESTS_BYTES);
    assert_int_equal(start_tests_read(span_of(bytes, size), &tests), ST_OK);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(start_tests_read(span_of(bytes, cut), &untouched), ST_DAMAGED);
    assert_int_equal(start_tests_read(span_of(bytes, size + 1), &untouched), ST_DAMAGED);
    for (size_t at = 0; at < START_TESTS_HEADER; at++) {
        bytes[at]++;
        assert_int_equal(start_tests_read(span_of(bytes, size), &untouched), ST_DAMAGED);
        bytes[at]--;
    }
    assert_int_equal(untouched.count, 77);
}

static void the_oldest_gives_way(void **state)
{
    struct start_tests tests = {.count = 0};

    (void)state;
    for (unsigned i = 0; i < START_TESTS_MOST + 1; i++) {
        struct start_test test = test_of((uint8_t)i);
        start_tests_add(&tests, &test);
    }
    assert_int_equal(tests.count, START_TESTS_MOST);
    assert_int_equal(tests.items[0].esp.bytes[0], 1);
    struct start_test again = test_of(5);
    start_tests_add(&tests, &again);
    assert_int_equal(tests.count, START_TESTS_MOST);
    assert_int_equal(tests.items[START_TESTS_MOST - 1].esp.bytes[0], 5);
    assert_int_equal(tests.items[4].esp.bytes[0], 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shadow_is_started_once),
        cmocka_unit_test(a_disk_is_named_and_replaces_the_test_before),
        cmocka_unit_test(nothing_happens_without_a_yes),
        cmocka_unit_test(a_disk_without_an_entry_is_refused),
        cmocka_unit_test(an_entry_that_may_start_another_disk_is_not_taken),
        cmocka_unit_test(a_disk_that_may_not_start_is_tried_with_a_note),
        cmocka_unit_test(all_disks_are_tried_one_start_each),
        cmocka_unit_test(what_cannot_be_remembered_is_said_and_nothing_restarts),
        cmocka_unit_test(a_record_is_written_as_it_is_described),
        cmocka_unit_test(what_is_no_record_is_not_believed),
        cmocka_unit_test(the_oldest_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
