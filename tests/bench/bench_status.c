#include <stdio.h>

#include "bench/bench.h"
#include "unit/cost_fixture.h"

static void print_cost(const char *what, const struct cost *cost)
{
    printf("%-44s %6llu reads %10llu bytes %6zu KiB of memory\n", what,
           (unsigned long long)cost->counts.block_reads,
           (unsigned long long)cost->counts.block_read_bytes, cost->memory / 1024);
}

/* Against the limits: of a disk, and of the ESPs' used bytes where those are read. */
static void print_limits(const struct cost *cost, size_t disks, enum scan_depth depth)
{
    if (depth == SCAN_QUICK) {
        printf("%-44s %6.2f of 1 MiB a disk, %zu of %zu copies of volumes looked into\n", "",
               (double)cost->most_bytes / COST_DISK, cost->looked, cost->copies);
        printf("%-44s %6zu files and folders seen on %zu ESPs, %zu boot stores read\n", "",
               cost->esp_items, cost->esps, cost->stores);
        return;
    }
    double above = (double)cost->counts.block_read_bytes - (double)cost->used_bytes;
    printf("%-44s %10llu bytes used on ESPs, %.2f of 1 MiB a disk beside\n", "",
           (unsigned long long)cost->used_bytes, above / (double)disks / COST_DISK);
}

static void bench_shape(const char *what, const struct cost_shape *shape)
{
    static const struct {
        const char *name;
        enum scan_depth depth;
    } depths[] = {{"status -quick", SCAN_QUICK}, {"status", SCAN_FULL}};
    struct host *host = cost_machine(shape);
    char text[80];

    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        struct cost cost = cost_of_scan(host, depths[i].depth);
        snprintf(text, sizeof(text), "%s, %s", depths[i].name, what);
        print_cost(text, &cost);
        print_limits(&cost, shape->disks, depths[i].depth);
    }
    host_free(host);
}

/* Where a quick look is likely to read too much. */
static void bench_worst(uint32_t block_size)
{
    struct cost_shape volumes = {.block_size = block_size,
                                 .disks = 2,
                                 .esps = 1,
                                 .boot_files = true,
                                 .ldm = true,
                                 .volumes = 1000,
                                 .plexes = 2,
                                 .filled = 16};
    struct cost_shape partitions = {.block_size = block_size, .disks = 1, .plain = 128};
    struct cost_shape esps = {
        .block_size = block_size, .disks = 1, .esps = 8, .boot_files = true, .ldm = true};
    struct {
        const char *name;
        const struct cost_shape *shape;
    } shapes[] = {{"1,000 mirrors", &volumes}, {"128 x NTFS", &partitions}, {"8 ESPs", &esps}};
    char text[80];

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct cost cost = cost_of(shapes[i].shape, SCAN_QUICK);
        snprintf(text, sizeof(text), "status -quick, %s, %u-byte blocks", shapes[i].name,
                 block_size);
        print_cost(text, &cost);
        print_limits(&cost, shapes[i].shape->disks, SCAN_QUICK);
    }
}

static void bench_disks(size_t disks)
{
    struct cost_shape shape = {.block_size = 512,
                               .disks = disks,
                               .esps = 1,
                               .files = 100,
                               .ldm = true,
                               .volumes = disks,
                               .plexes = 1,
                               .filled = disks};
    struct cost cost = cost_of(&shape, SCAN_FULL);
    char text[80];

    snprintf(text, sizeof(text), "status, %zu disk%s", disks, disks == 1 ? "" : "s");
    print_cost(text, &cost);
    printf("%-44s %6.1f reads %10.1f bytes a disk\n", "", (double)cost.counts.block_reads / disks,
           (double)cost.counts.block_read_bytes / disks);
}

static void bench_volumes(size_t volumes, const struct cost *none)
{
    struct cost_shape shape = {
        .block_size = 512, .disks = 2, .ldm = true, .volumes = volumes, .plexes = 2};
    struct cost cost = cost_of(&shape, SCAN_FULL);
    char text[80];

    snprintf(text, sizeof(text), "status, %zu volumes on two disks", volumes);
    print_cost(text, &cost);
    printf("%-44s %6.2f of 1 MiB a disk, %.1f bytes of memory a volume\n", "",
           (double)cost.most_bytes / COST_DISK,
           (double)(cost.memory - none->memory) / (double)volumes);
}

static void bench_files(unsigned files, const struct cost *none)
{
    struct cost_shape shape = {.block_size = 512, .disks = 1, .esps = 1, .files = files};
    struct cost cost = cost_of(&shape, SCAN_FULL);
    char text[80];

    snprintf(text, sizeof(text), "status, %u files on an ESP", files);
    print_cost(text, &cost);
    printf("%-44s %6.3f reads %10.1f bytes a file\n", "",
           (double)(cost.counts.block_reads - none->counts.block_reads) / files,
           (double)(cost.counts.block_read_bytes - none->counts.block_read_bytes) / files);
}

static void bench_growth(void)
{
    struct cost_shape no_volumes = {.block_size = 512, .disks = 2, .ldm = true, .plexes = 2};
    struct cost_shape no_files = {.block_size = 512, .disks = 1, .esps = 1};
    struct cost none = cost_of(&no_volumes, SCAN_FULL);

    for (size_t disks = 1; disks <= 64; disks *= 8)
        bench_disks(disks);
    for (size_t volumes = 10; volumes <= 1000; volumes *= 10)
        bench_volumes(volumes, &none);
    none = cost_of(&no_files, SCAN_FULL);
    for (unsigned files = 100; files <= 10000; files *= 10)
        bench_files(files, &none);
}

/* What is read beside what has to be: all ESPs once, and what was written. */
static void bench_copy(void)
{
    struct host *host = cost_copy_machine();
    struct cost before = cost_of_scan(host, SCAN_FULL);
    struct port_counts copy = cost_of_command(host, COST_COPY);

    printf("%-44s %6llu reads %10llu bytes, %llu bytes written\n", "copy onto an empty file system",
           (unsigned long long)copy.block_reads, (unsigned long long)copy.block_read_bytes,
           (unsigned long long)copy.block_written_bytes);
    printf("%-44s %6.2f times all ESPs and what was written\n", "",
           (double)copy.block_read_bytes /
               (double)(before.counts.block_read_bytes + copy.block_written_bytes));
    host_free(host);
}

void bench_status(void)
{
    struct cost_shape small = cost_usual(512);
    struct cost_shape large = cost_usual(4096);
    struct cost_shape largest = {.block_size = 512,
                                 .disks = 64,
                                 .esps = 1,
                                 .files = 1000,
                                 .ldm = true,
                                 .volumes = 1000,
                                 .plexes = 2,
                                 .filled = 64};

    bench_shape("usual mirror, 512-byte blocks", &small);
    bench_shape("usual mirror, 4096-byte blocks", &large);
    bench_worst(512);
    bench_worst(4096);
    bench_growth();
    bench_copy();
    bench_shape("64 disks, 1,000 volumes", &largest);
}
