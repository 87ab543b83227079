/* What `status` costs: bytes and calls through the counting port, and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/host_alloc.h"
#include "model/scan.h"
#include "unit/cost_fixture.h"
#include "unit/sample.h"
#include "unit/scan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define EXIT_NO_MEMORY  9u
#define FILES_EACH      (160u / ONE_IN(16)) /* of the largest machine, on each disk */

static const uint32_t block_sizes[] = {512, 4096};

/* --- Limits --------------------------------------------------------------------------------- */

static void quick_look_at_a_usual_mirror_reads_at_most_1_mib_of_a_disk(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(block_sizes); i++) {
        struct cost_shape shape = cost_usual(block_sizes[i]);
        struct cost cost = cost_of(&shape, SCAN_QUICK);
        assert_in_range(cost.most_bytes, 1, COST_DISK);
        assert_int_equal(cost.esps, 2);
        assert_true(cost.esp_files > 0);
        assert_int_equal(cost.volumes, 1);
        assert_int_equal(cost.windows, 2);
    }
}

/* 154 files in 46 folders, whatever the clusters: those of Windows, of mkfs.fat, and the smallest;
 * and beside it what LDM has to say, of whose database of 740 KiB a few records are read. */
static void quick_look_sees_all_of_an_ordinary_esp_and_its_store(void **state)
{
    static const struct {
        uint32_t block_size, cluster;
        uint64_t mib;
        bool ldm;
    } kinds[] = {{512, 0, 100, true},  {512, 1, 100, true},  {512, 1, 260, true},
                 {512, 8, 260, true},  {512, 0, 100, false}, {512, 1, 260, false},
                 {512, 8, 260, false}, {512, 8, 260, true},  {4096, 1, 260, false},
                 {4096, 1, 260, true}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct cost_shape shape = cost_usual(kinds[i].block_size);
        shape.ldm = kinds[i].ldm;
        shape.filled = shape.volumes = kinds[i].ldm;
        shape.cluster = kinds[i].cluster;
        shape.esp_mib = kinds[i].mib;
        shape.files = 14;
        struct cost cost = cost_of(&shape, SCAN_QUICK);
        assert_in_range(cost.most_bytes, 1, COST_DISK);
        assert_int_equal(cost.esp_files, 2 * 154);
        assert_int_equal(cost.esp_items, 2 * 200);
        assert_int_equal(cost.stores, 2);
        assert_int_equal(cost.windows, 2 * shape.volumes);
    }
}

static void many_volumes_are_not_all_looked_into(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(block_sizes); i++) {
        struct cost_shape shape = cost_usual(block_sizes[i]);
        shape.volumes = 1000;
        shape.filled = 16;
        shape.names = 0;
        struct cost cost = cost_of(&shape, SCAN_QUICK);
        assert_in_range(cost.most_bytes, 1, COST_DISK);
        assert_int_equal(cost.volumes, 1000);
        assert_int_equal(cost.copies, 2000);
        assert_in_range(cost.windows, 2, 100);
    }
}

/* Empty volumes cost as well: NTFS is looked for at their ends. */
static void volumes_without_a_file_system_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(block_sizes); i++) {
        struct cost_shape shape = cost_usual(block_sizes[i]);
        shape.volumes = 500;
        shape.filled = 0;
        struct cost cost = cost_of(&shape, SCAN_QUICK);
        assert_in_range(cost.most_bytes, 1, COST_DISK);
        assert_int_equal(cost.volumes, 500);
        assert_in_range(cost.looked, 2, 999);
    }
}

static void many_partitions_are_not_all_looked_into(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(block_sizes); i++) {
        struct cost_shape shape = {.block_size = block_sizes[i], .disks = 1, .plain = 128};
        struct cost cost = cost_of(&shape, SCAN_QUICK);
        assert_in_range(cost.most_bytes, 1, COST_DISK);
        assert_int_equal(cost.copies, 128);
        assert_in_range(cost.windows, 8, 127);
        assert_int_equal(cost.windows, cost.looked);
    }
}

static void esps_of_one_disk_share_its_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(block_sizes); i++) {
        struct cost_shape shape = cost_usual(block_sizes[i]);
        shape.disks = 1;
        shape.plexes = 1;
        shape.esps = 8;
        struct cost cost = cost_of(&shape, SCAN_QUICK);
        assert_in_range(cost.most_bytes, 1, COST_DISK);
        assert_int_equal(cost.esps, 8);
        assert_true(cost.esp_files >= 2 * 5);
        assert_int_equal(cost.windows, 1);
    }
}

/* Where not even the first blocks of all fit, the rest is as if nobody had looked. */
static void many_blank_esps_do_not_go_past_the_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(block_sizes); i++) {
        struct cost_shape shape = {
            .block_size = block_sizes[i], .disks = 1, .esps = 126, .blank = true, .ldm = true};
        struct cost cost = cost_of(&shape, SCAN_QUICK);
        assert_in_range(cost.most_bytes, 1, COST_DISK);
        assert_int_equal(cost.esps, 126);
    }
}

static void full_look_reads_used_bytes_and_at_most_1_mib_of_a_disk(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(block_sizes); i++) {
        struct cost_shape shape = cost_usual(block_sizes[i]);
        struct cost cost = cost_of(&shape, SCAN_FULL);
        assert_int_equal(cost.incomplete, 0);
        assert_int_equal(cost.esp_files, 2 * 140);
        assert_int_equal(cost.windows, 2);
        assert_true(cost.used_bytes > 2 * (10u << 20));
        assert_true(cost.counts.block_read_bytes > cost.used_bytes);
        assert_in_range(cost.counts.block_read_bytes - cost.used_bytes, 1, 2 * COST_DISK);
    }
}

static void large_files_are_read_in_large_pieces(void **state)
{
    struct cost_shape shape = {.block_size = 512, .disks = 1, .esps = 1};
    struct cost none = cost_of(&shape, SCAN_FULL);

    (void)state;
    shape.large = 8;
    struct cost cost = cost_of(&shape, SCAN_FULL);
    assert_int_equal(cost.esp_files, 8);
    assert_true(cost.counts.block_read_bytes - none.counts.block_read_bytes >= 8 * COST_LARGE_FILE);
    assert_int_equal(cost.counts.block_reads - none.counts.block_reads, 8 * 2);
}

/* The files of a mirror are there twice and kept once, and told apart without a digest. */
static void what_is_there_twice_is_kept_once(void **state)
{
    struct cost_shape shape = cost_usual(512);
    struct host *host = cost_machine(&shape);
    void *memory = host_alloc(1, COST_ARENA);
    struct machine machine;
    struct arena arena;

    (void)state;
    arena_init(&arena, memory, COST_ARENA);
    assert_int_equal(scan_machine(&arena, host_ports(host), SCAN_FULL, &machine), ST_OK);
    const struct esp *esps = machine.esps;
    assert_int_equal(machine.esp_count, 2);
    for (size_t i = 0; i < esps[0].report.file_count; i++) {
        size_t twin = fat_find(&esps[1].report, esps[0].report.files[i].path);
        if (esps[0].report.files[i].is_directory)
            continue;
        assert_non_null(esps[0].contents[i].kept);
        assert_ptr_equal(esps[0].contents[i].kept, esps[1].contents[twin].kept);
    }
    free(memory);
    host_free(host);
}

/* --- Changes -------------------------------------------------------------------------------- */

/* All ESPs once to know what differs, and what was written back once; the rest is FATs and folders. */
static void copying_reads_all_once_and_what_it_writes_once(void **state)
{
    struct host *host = cost_copy_machine();
    struct cost before = cost_of_scan(host, SCAN_FULL);
    struct port_counts copy = cost_of_command(host, COST_COPY);
    uint64_t needed = before.counts.block_read_bytes + copy.block_written_bytes;

    (void)state;
    assert_true(copy.block_written_bytes > 5u << 20);
    assert_in_range(copy.block_read_bytes, 1, needed * 110 / 100);
    /* Both have all files now: a second time they are read once each, and nothing else is. */
    struct cost full = cost_of_scan(host, SCAN_FULL);
    copy = cost_of_command(host, COST_COPY);
    assert_int_equal(copy.block_written_bytes, 0);
    assert_int_equal(copy.block_read_bytes, full.counts.block_read_bytes);
    host_free(host);
}

/* --- Growth --------------------------------------------------------------------------------- */

/* Fails unless `value` is `times` as much as `one`, within so many in a thousand. */
static void assert_grows(uint64_t value, uint64_t one, uint64_t times, uint64_t thousandths)
{
    uint64_t wanted = one * times;
    uint64_t slack = wanted * thousandths / 1000;

    assert_in_range(value, wanted - slack, wanted + slack);
}

static void cost_is_linear_in_disks(void **state)
{
    static const size_t counts[] = {1, 8, 64 / ONE_IN(4)};
    struct cost first = {.memory = 0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        size_t disks = counts[i];
        struct cost_shape shape = {.block_size = 512,
                                   .disks = disks,
                                   .esps = 1,
                                   .files = 100,
                                   .ldm = true,
                                   .volumes = disks,
                                   .plexes = 1,
                                   .filled = disks};
        struct cost cost = cost_of(&shape, SCAN_FULL);
        if (i == 0)
            first = cost;
        assert_int_equal(cost.windows, disks);
        assert_int_equal(cost.esp_files, 100 * disks);
        assert_grows(cost.counts.block_reads, first.counts.block_reads, disks, 10);
        assert_grows(cost.counts.block_read_bytes, first.counts.block_read_bytes, disks, 10);
        assert_true(cost.memory <= first.memory * disks);
    }
}

static void cost_does_not_grow_with_volumes_past_the_limit(void **state)
{
    static const size_t counts[] = {10, 100, 1000};
    struct cost_shape shape = {.block_size = 512, .disks = 2, .ldm = true, .plexes = 2};
    struct cost none = cost_of(&shape, SCAN_FULL);
    uint64_t each = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        shape.volumes = counts[i];
        struct cost cost = cost_of(&shape, SCAN_FULL);
        assert_int_equal(cost.volumes, counts[i]);
        assert_in_range(cost.most_bytes, 1, COST_DISK + COST_GAPS);
        if (i == 0)
            each = (cost.memory - none.memory) / counts[i] + 1;
        assert_true(cost.memory - none.memory <= 2 * each * counts[i]);
    }
}

static void cost_is_linear_in_files(void **state)
{
    static const unsigned counts[] = {100, 1000, 10000 / ONE_IN(5)};
    struct cost_shape shape = {.block_size = 512, .disks = 1, .esps = 1};
    struct cost none = cost_of(&shape, SCAN_FULL);
    struct cost first = {.memory = 0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        shape.files = counts[i];
        struct cost cost = cost_of(&shape, SCAN_FULL);
        cost.counts.block_reads -= none.counts.block_reads;
        cost.counts.block_read_bytes -= none.counts.block_read_bytes;
        if (i == 0)
            first = cost;
        uint64_t times = counts[i] / counts[0];
        assert_int_equal(cost.esp_files, counts[i]);
        assert_in_range(cost.counts.block_reads, 1, first.counts.block_reads * times);
        assert_grows(cost.counts.block_read_bytes, first.counts.block_read_bytes, times, 20);
    }
}

/* --- Memory --------------------------------------------------------------------------------- */

/* 64 disks, 1,000 volumes, more than 10,000 files; under the sanitizers a sixteenth of the files. */
static struct host *largest_machine(void)
{
    struct cost_shape shape = {.block_size = 512,
                               .disks = COST_DISKS_MAX,
                               .esps = 1,
                               .files = FILES_EACH,
                               .ldm = true,
                               .volumes = 1000,
                               .plexes = 2,
                               .filled = 64};

    return cost_machine(&shape);
}

static void largest_machine_fits_its_memory(void **state)
{
    struct host *host = largest_machine();
    struct cost cost = cost_of_scan(host, SCAN_FULL);

    (void)state;
    assert_int_equal(cost.volumes, 1000);
    assert_int_equal(cost.esp_files, COST_DISKS_MAX * FILES_EACH);
    assert_in_range(cost.memory, 1, COST_ARENA / 4);
    host_free(host);
}

/* The whole command: it says what it found, or that there is not enough memory. */
static void status_of_the_largest_machine_is_whole_or_out_of_memory(void **state)
{
    struct host *host = largest_machine();
    const struct ports *ports = host_ports(host);

    (void)state;
    assert_int_not_equal(fixture_run_in(ports, "status", COST_ARENA), EXIT_NO_MEMORY);
    assert_says(host_console_text(host->console), "Disk 63");
    for (size_t size = 16u << 20; size >= 256u << 10; size /= 4) {
        host_console_clear(host->console);
        unsigned code = fixture_run_in(ports, "status -quick", size);
        if (size <= 1u << 20)
            assert_int_equal(code, EXIT_NO_MEMORY);
        if (code == EXIT_NO_MEMORY)
            assert_says(host_console_text(host->console), "out of memory");
    }
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_look_at_a_usual_mirror_reads_at_most_1_mib_of_a_disk),
        cmocka_unit_test(quick_look_sees_all_of_an_ordinary_esp_and_its_store),
        cmocka_unit_test(many_volumes_are_not_all_looked_into),
        cmocka_unit_test(volumes_without_a_file_system_are_counted),
        cmocka_unit_test(many_partitions_are_not_all_looked_into),
        cmocka_unit_test(esps_of_one_disk_share_its_limit),
        cmocka_unit_test(many_blank_esps_do_not_go_past_the_limit),
        cmocka_unit_test(full_look_reads_used_bytes_and_at_most_1_mib_of_a_disk),
        cmocka_unit_test(large_files_are_read_in_large_pieces),
        cmocka_unit_test(what_is_there_twice_is_kept_once),
        cmocka_unit_test(copying_reads_all_once_and_what_it_writes_once),
        cmocka_unit_test(cost_is_linear_in_disks),
        cmocka_unit_test(cost_does_not_grow_with_volumes_past_the_limit),
        cmocka_unit_test(cost_is_linear_in_files),
        cmocka_unit_test(largest_machine_fits_its_memory),
        cmocka_unit_test(status_of_the_largest_machine_is_whole_or_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
