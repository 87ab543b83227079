/* The count of unattended starts, and the log they leave: in a row, after a pause, with broken clocks
 * and stores; bounded, whatever lies there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/run_log.h"
#include "apply/start_guard.h"
#include "host/host_ports.h"

static const struct guid own_vendor = VAR_OWN_VENDOR;

static int set_up(void **state)
{
    *state = host_new();
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

/* One start at that minute of an hour; gives how many there were in a row, this one included. */
static unsigned start_at(struct host *host, unsigned hour, unsigned minute)
{
    host->clock.time.hour = (uint8_t)hour;
    host->clock.time.minute = (uint8_t)minute;
    const struct ports *ports = host_ports(host);
    struct start_guard guard = start_guard_read(ports);
    assert_int_equal(start_guard_count(ports, &guard), ST_OK);
    return guard.starts;
}

static void starts_in_a_row_are_counted(void **state)
{
    struct host *host = *state;

    assert_false(start_guard_is_shut(&(struct start_guard){.starts = START_GUARD_MOST - 1}));
    assert_true(start_guard_is_shut(&(struct start_guard){.starts = START_GUARD_MOST}));
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(start_at(host, 3, i), i);
}

static void start_that_has_lasted_counts_no_more(void **state)
{
    struct host *host = *state;

    assert_int_equal(start_at(host, 3, 0), 1);
    assert_int_equal(start_at(host, 3, START_GUARD_PAUSE - 1), 2); /* since the one before */
    assert_int_equal(start_at(host, 3, 2 * START_GUARD_PAUSE - 1), 1);
    assert_int_equal(start_at(host, 3, 2 * START_GUARD_PAUSE), 2);
}

static void clock_that_was_set_back_opens_it(void **state)
{
    struct host *host = *state;

    assert_int_equal(start_at(host, 3, 0), 1);
    assert_int_equal(start_at(host, 2, 59), 2);
    assert_int_equal(start_at(host, 1, 0), 1);
}

static void without_a_clock_no_start_has_lasted(void **state)
{
    struct host *host = *state;
    struct ports ports = *host_ports(host);

    ports.clock = host_clock_broken();
    for (unsigned i = 1; i <= 4; i++) {
        struct start_guard guard = start_guard_read(&ports);
        assert_int_equal(guard.starts, i - 1);
        assert_int_equal(start_guard_count(&ports, &guard), ST_OK);
    }
    /* ... also when there is a clock again, as nobody knows when they were. */
    assert_int_equal(start_guard_read(host_ports(host)).starts, 4);
}

/* Whether the clock tells how long ago a start at that time was, when it is `now` seconds past 3 o'clock. */
static bool is_blind_at(struct host *host, unsigned hour, unsigned minute, unsigned second)
{
    host->clock.time.hour = (uint8_t)hour;
    host->clock.time.minute = (uint8_t)minute;
    host->clock.time.second = (uint8_t)second;
    return start_guard_read(host_ports(host)).is_blind;
}

/* An empty battery: each time the power comes back it is the same time again. */
static void clock_that_does_not_go_on_tells_nothing(void **state)
{
    struct host *host = *state;

    host->clock.time.second = 58;
    (void)start_at(host, 3, 30);
    assert_true(is_blind_at(host, 3, 30, 58));
    assert_true(is_blind_at(host, 3, 31, 0)); /* the firmware alone takes longer */
    assert_false(is_blind_at(host, 3, 31, 1));
    assert_false(is_blind_at(host, 3, 44, 0));
    assert_true(is_blind_at(host, 3, 20, 0)); /* it has gone back */
    assert_int_equal(start_guard_read(host_ports(host)).starts, 1);
}

static void without_a_clock_nothing_is_told(void **state)
{
    struct host *host = *state;
    struct ports ports = *host_ports(host);

    ports.clock = host_clock_broken();
    struct start_guard guard = start_guard_read(&ports);
    assert_false(guard.is_blind); /* there was no start yet */
    assert_int_equal(start_guard_count(&ports, &guard), ST_OK);
    assert_true(start_guard_read(&ports).is_blind);
    assert_true(is_blind_at(host, 3, 30, 0)); /* ... of which nobody knows when it was */
}

static void one_start_passes_after_a_pause(void **state)
{
    struct start_guard guard = {.starts = START_GUARD_MOST + 2};

    (void)state;
    start_guard_let_one_pass(&guard);
    assert_false(start_guard_is_shut(&guard));
    assert_int_equal(guard.starts, START_GUARD_MOST - 1); /* one */
    start_guard_let_one_pass(&guard);
    assert_int_equal(guard.starts, START_GUARD_MOST - 1);
    guard.starts = 0;
    start_guard_let_one_pass(&guard);
    assert_int_equal(guard.starts, 0);
}

static void damaged_count_is_none(void **state)
{
    static const uint8_t odd[] = {9, 3, 0, 0, 0, 0, 0, 0};
    struct host *host = *state;

    mem_vars_put(host->vars, &own_vendor, START_GUARD_NAME, VAR_BOOT_OPTION, odd, sizeof(odd));
    assert_int_equal(start_guard_read(host_ports(host)).starts, 0);
    mem_vars_put(host->vars, &own_vendor, START_GUARD_NAME, VAR_BOOT_OPTION, odd, 3);
    assert_int_equal(start_guard_read(host_ports(host)).starts, 0);
}

static void person_begins_anew_with_a_write_only_where_something_was_counted(void **state)
{
    struct host *host = *state;

    start_guard_clear(host_ports(host));
    assert_int_equal(mem_vars_log_count(host->vars), 0);
    assert_int_equal(start_at(host, 3, 0), 1);
    mem_vars_log_clear(host->vars);
    start_guard_clear(host_ports(host));
    start_guard_clear(host_ports(host));
    assert_int_equal(mem_vars_log_count(host->vars), 1);
    assert_int_equal(start_guard_read(host_ports(host)).starts, 0);
}

static void store_that_takes_nothing_is_told(void **state)
{
    struct host *host = *state;
    struct start_guard guard = start_guard_read(host_ports(host));

    mem_vars_set_read_only(host->vars, true);
    assert_int_equal(start_guard_count(host_ports(host), &guard), ST_READ_ONLY);
}

/* A thousand starts leave the store as small as the first. */
static void store_does_not_grow(void **state)
{
    struct host *host = *state;

    (void)start_at(host, 3, 0);
    uint64_t used = mem_vars_used(host->vars);
    for (unsigned i = 0; i < 1000; i++)
        (void)start_at(host, i / 60 % 24, i % 60);
    assert_int_equal(mem_vars_used(host->vars), used);
    assert_int_equal(mem_vars_count(host->vars), 1);
}

/* --- The log -------------------------------------------------------------------------------- */

/* A machine started from a volume; the arena for what is written. */
static struct arena log_arena(struct host *host, uint8_t *memory, size_t size)
{
    const struct host_partition part = {.number = 1, .start = 2048, .size = 2048};
    struct arena arena;

    if (host->disk_count == 0) {
        (void)host_add_disk(host, DISK_AHCI, 512, 8192);
        mem_files_set_self(host->files, host_add_volume(host, &part, 0));
    }
    arena_init(&arena, memory, size);
    return arena;
}

static enum status append(struct host *host, const char *text)
{
    static uint8_t memory[4 * RUN_LOG_MOST];
    struct arena arena = log_arena(host, memory, sizeof(memory));
    const struct ports *ports = host_ports(host);

    return run_log_append(&arena, &ports->files, &ports->clock, span_of(text, strlen(text)));
}

static const char *log_text(struct host *host)
{
    static char text[RUN_LOG_MOST + 1];
    struct span log = mem_files_find(host->files, 0, RUN_LOG_FILE);

    assert_in_range(log.size, 0, RUN_LOG_MOST);
    memcpy(text, log.at, log.size);
    text[log.size] = 0;
    return text;
}

static void runs_stand_one_behind_the_other(void **state)
{
    struct host *host = *state;

    assert_int_equal(append(host, "one\n"), ST_OK);
    assert_int_equal(append(host, "two\n"), ST_OK);
    assert_string_equal(log_text(host), "=== shadowboot 2026-01-02 03:04:05\none\n"
                                        "=== shadowboot 2026-01-02 03:04:05\ntwo\n");
}

static void oldest_runs_go_whole(void **state)
{
    struct host *host = *state;
    char run[3001];

    for (unsigned i = 0; i < 20; i++) {
        memset(run, 'a' + (char)i, sizeof(run) - 2);
        run[sizeof(run) - 2] = '\n';
        run[sizeof(run) - 1] = 0;
        assert_int_equal(append(host, run), ST_OK);
        assert_int_equal(strncmp(log_text(host), "=== shadowboot ", 15), 0);
    }
    assert_non_null(strchr(log_text(host), 't')); /* the last one */
    assert_null(strstr(log_text(host), "\naaa"));
}

static void what_is_no_log_gives_way(void **state)
{
    struct host *host = *state;

    assert_int_equal(append(host, "one\n"), ST_OK);
    mem_files_put(host->files, 0, RUN_LOG_FILE, "\0\1\2rubbish === shadowboot \n", 26);
    assert_int_equal(append(host, "two\n"), ST_OK);
    assert_string_equal(log_text(host), "=== shadowboot 2026-01-02 03:04:05\ntwo\n");
}

static void no_place_for_the_log_is_told(void **state)
{
    struct host *host = *state;

    assert_int_equal(append(host, "one\n"), ST_OK);
    mem_files_set_read_only(host->files, 0, true);
    assert_int_equal(append(host, "two\n"), ST_READ_ONLY);
    mem_files_set_self(host->files, FILES_NO_VOLUME);
    assert_int_equal(append(host, "two\n"), ST_ABSENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(starts_in_a_row_are_counted),
        TEST(start_that_has_lasted_counts_no_more),
        TEST(clock_that_was_set_back_opens_it),
        TEST(without_a_clock_no_start_has_lasted),
        TEST(clock_that_does_not_go_on_tells_nothing),
        TEST(without_a_clock_nothing_is_told),
        TEST(one_start_passes_after_a_pause),
        TEST(damaged_count_is_none),
        TEST(person_begins_anew_with_a_write_only_where_something_was_counted),
        TEST(store_that_takes_nothing_is_told),
        TEST(store_does_not_grow),
        TEST(runs_stand_one_behind_the_other),
        TEST(oldest_runs_go_whole),
        TEST(what_is_no_log_gives_way),
        TEST(no_place_for_the_log_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
