/*
 * What `prepare` and `repair` ask of a machine, counted at its ports: calls and bytes that do not
 * hang on the host. A change costs two looks, before and behind, and what it writes three times: read
 * for the journal, read where it comes from, and read back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/cost_fixture.h"
#include "unit/disk_machine_fixture.h"

#define MANAGER "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"

/* Of a command after some damage: what it may cost at most, and has to write at least. */
struct row {
    const char *line;
    void (*damage)(struct host *host);
    uint64_t gaps; /* how often free space may be looked through for marks of others */
    uint64_t least_bytes;
    uint64_t writes;
    uint64_t flushes;
    uint64_t variables; /* written */
};

static void drop_esp(struct host *host)
{
    disk_machine_drop_partition(host, 1, PART_ESP);
}

static void drop_manager(struct host *host)
{
    disk_machine_delete(host, 1, MANAGER);
}

static void drop_entry(struct host *host)
{
    disk_machine_drop_entry(host, 1);
}

/* prepare makes an entry and puts it in order; the old one, which names a partition that is gone,
 * is repair's to take away. */
static const struct row rows[] = {
    {"prepare 1 -y -format", drop_esp, 2, 100u << 10, 12, 8, 2},
    {"repair -y -format", drop_esp, 1, 100u << 10, 12, 8, 3},
    {"repair -y", drop_manager, 0, 10u << 10, 4, 3, 0},
    {"repair -y", drop_entry, 0, 0, 0, 0, 2},
};

static void a_change_costs_two_looks_and_what_it_writes(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct host *host = disk_machine_new(&shape);
        rows[i].damage(host);
        struct cost look = cost_of_scan(host, SCAN_FULL);
        struct port_counts cost = cost_of_command(host, rows[i].line);
        assert_in_range(cost.block_read_bytes, 2 * look.counts.block_read_bytes * 9 / 10,
                        2 * look.counts.block_read_bytes + 3 * cost.block_written_bytes +
                            rows[i].gaps * COST_GAPS);
        assert_in_range(cost.block_reads, 1, 5 * look.counts.block_reads / 2);
        assert_in_range(cost.block_written_bytes, rows[i].least_bytes, rows[i].least_bytes * 2);
        assert_in_range(cost.block_writes, rows[i].writes * 3 / 4, rows[i].writes);
        assert_int_equal(cost.block_flushes, rows[i].flushes);
        assert_int_equal(cost.var_writes, rows[i].variables);
        assert_int_equal(cost.file_writes, 2); /* the journal: before, and that all is done */
        host_free(host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_costs_two_looks_and_what_it_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
