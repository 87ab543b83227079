/*
 * What the program costs, in calls and bytes through the counting port: figures that are the same
 * on every machine, and how they grow. Printed by `make bench`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "bench/bench.h"
#include "model/scan.h"
#include "port/count.h"
#include "unit/machine_fixture.h"

#define ARENA_SIZE  (64u << 20)
#define BLOCKS_EACH 2048u
#define DISKS_MAX   64u
#define ENTRIES_MAX 500u
#define FIRST_ENTRY 0x100u

struct cost {
    struct port_counts counts;
    size_t memory; /* bytes of the arena */
    size_t disks;
    size_t partitions;
    size_t entries;
};

/* Entries that name ESPs of all disks in turn. */
static void add_entries(struct host *host, unsigned disks, unsigned count)
{
    uint16_t order[ENTRIES_MAX];

    for (unsigned i = 0; i < count; i++) {
        struct fixture_entry entry = {.number = (uint16_t)(FIRST_ENTRY + i),
                                      .description = "Windows Boot Manager",
                                      .form = FIXTURE_SHORT,
                                      .partition = fixture_full_disk_esp(i % disks, BLOCKS_EACH),
                                      .file = BOOTMGFW,
                                      .optional = FIXTURE_BCD,
                                      .options = FIXTURE_BOOTMGR_OBJECT};
        order[i] = entry.number;
        fixture_add_entry(host, &entry);
    }
    fixture_set_order(host, order, count);
}

static struct cost scan(struct host *host, enum scan_depth depth)
{
    struct cost cost = {.memory = 0};
    struct arena arena;
    struct machine machine;
    struct ports counted;
    void *memory = malloc(ARENA_SIZE);

    arena_init(&arena, memory, ARENA_SIZE);
    if (memory == NULL || ports_count(&arena, host_ports(host), &cost.counts, &counted) != ST_OK ||
        scan_machine(&arena, &counted, depth, &machine) != ST_OK) {
        fprintf(stderr, "bench: the scan failed\n");
        exit(1);
    }
    cost.memory = arena.peak;
    cost.disks = machine.disk_count;
    cost.partitions = machine.partition_count;
    cost.entries = machine.entry_count;
    free(memory);
    return cost;
}

static void print_cost(const char *what, const struct cost *cost)
{
    printf("%-40s %5llu reads %8llu bytes %5llu variable calls %5zu KiB\n", what,
           (unsigned long long)cost->counts.block_reads,
           (unsigned long long)cost->counts.block_read_bytes,
           (unsigned long long)cost->counts.var_calls, cost->memory / 1024);
}

static void bench_one_disk(uint32_t block_size)
{
    struct host *host = host_new();
    char what[64];

    fixture_add_full_disk(host, block_size, BLOCKS_EACH);
    struct cost cost = scan(host, SCAN_DISKS);
    snprintf(what, sizeof(what), "disks, one disk, %u-byte blocks", block_size);
    print_cost(what, &cost);
    printf("%-40s %6.2f of 64 KiB\n", "", (double)cost.counts.block_read_bytes / 65536);
    host_free(host);
}

static void bench_disks(unsigned disks)
{
    struct host *host = host_new();
    char what[64];

    for (unsigned i = 0; i < disks; i++)
        fixture_add_full_disk(host, 512, BLOCKS_EACH);
    struct cost cost = scan(host, SCAN_DISKS);
    snprintf(what, sizeof(what), "disks, %u disks x %u partitions", disks, FIXTURE_FULL_PARTITIONS);
    print_cost(what, &cost);
    printf("%-40s %6.2f reads %9.1f bytes a disk\n", "", (double)cost.counts.block_reads / disks,
           (double)cost.counts.block_read_bytes / disks);
    host_free(host);
}

static void bench_entries(unsigned entries)
{
    struct host *host = host_new();
    char what[64];

    for (unsigned i = 0; i < 2; i++)
        fixture_add_full_disk(host, 512, BLOCKS_EACH);
    add_entries(host, 2, entries);
    struct cost cost = scan(host, SCAN_ENTRIES);
    snprintf(what, sizeof(what), "entries, %u entries", entries);
    print_cost(what, &cost);
    printf("%-40s %6.2f variable calls an entry\n", "", (double)cost.counts.var_calls / entries);
    host_free(host);
}

/* Everything at once, the largest machine that is promised. */
static void bench_largest(void)
{
    struct host *host = host_new();

    for (unsigned i = 0; i < DISKS_MAX; i++)
        fixture_add_full_disk(host, 512, BLOCKS_EACH);
    add_entries(host, DISKS_MAX, ENTRIES_MAX);
    struct cost cost = scan(host, SCAN_ENTRIES);
    print_cost("64 disks, 8,192 partitions, 500 entries", &cost);
    host_free(host);
}

int main(void)
{
    bench_one_disk(512);
    bench_one_disk(4096);
    for (unsigned disks = 8; disks <= DISKS_MAX; disks *= 2)
        bench_disks(disks);
    for (unsigned entries = 125; entries <= ENTRIES_MAX; entries *= 2)
        bench_entries(entries);
    bench_largest();
    bench_status();
    bench_digest();
    bench_hive();
    bench_ntfs();
    return 0;
}
