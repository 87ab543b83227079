#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/sha256_blocks.h"
#include "bench/bench.h"
#include "host/host_alloc.h"
#include "model/contents.h"
#include "model/scan.h"
#include "unit/cost_fixture.h"
#include "unit/disk_machine_fixture.h"

#define ROUNDS     5
#define HASH_BYTES (16u << 20)

/* Processor time of one look at the machine, and with the digests of all files in seconds. */
struct looks {
    double plain;
    double with_digests;
};

static void make_digests(const struct machine *machine)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        for (size_t k = 0; k < machine->esps[i].report.file_count; k++) {
            if (machine->esps[i].contents[k].status == ST_OK)
                (void)content_digest(&machine->esps[i].contents[k]);
        }
    }
}

static void look(struct host *host, void *memory, struct looks *io_looks)
{
    struct machine machine;
    struct arena arena;

    arena_init(&arena, memory, 2 * COST_ARENA);
    clock_t start = clock();
    if (scan_machine(&arena, host_ports(host), SCAN_FULL, &machine) != ST_OK)
        host_fail("bench: the machine cannot be read");
    clock_t seen = clock();
    make_digests(&machine);
    io_looks->plain += (double)(seen - start);
    io_looks->with_digests += (double)(clock() - start);
}

static double seconds_of(sha256_blocks *way, const uint8_t *bytes)
{
    uint32_t words[8] = {0};
    clock_t start = clock();

    for (int i = 0; i < ROUNDS; i++)
        way(words, bytes, HASH_BYTES / SHA256_BLOCK);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* Seconds of processor time of a command, which may end as it likes. */
static double seconds_of_command(struct host *host, const char *line)
{
    clock_t start = clock();

    for (int i = 0; i < ROUNDS; i++) {
        (void)fixture_run_in(host_ports(host), line, 2 * COST_ARENA);
        host_console_clear(host->console);
    }
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* The same of a digest of each file, also of those that are alike. */
static double seconds_of_digests(struct host *host, void *memory)
{
    struct machine machine;
    struct arena arena;

    arena_init(&arena, memory, 2 * COST_ARENA);
    if (scan_machine(&arena, host_ports(host), SCAN_FULL, &machine) != ST_OK)
        host_fail("bench: the machine cannot be read");
    clock_t start = clock();
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < machine.esp_count; i++) {
            for (size_t k = 0; k < machine.esps[i].report.file_count; k++)
                (void)sha256_of(content_bytes(&machine.esps[i].contents[k]));
        }
    }
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void bench_status_command(struct host *host, void *memory)
{
    double status = seconds_of_command(host, "status");
    double json = seconds_of_command(host, "status -json report.jsn");
    double digests = seconds_of_digests(host, memory);

    printf("status: %.2f, with -json %.2f of its processor time with a digest of each file, "
           "0.50 at most wanted\n",
           status / (status + digests), json / (status + digests));
}

void bench_digest(void)
{
    struct cost_shape shape = cost_usual(512);
    struct host *host = cost_machine(&shape);
    void *memory = host_alloc(1, 2 * COST_ARENA);
    uint8_t *bytes = host_alloc(1, HASH_BYTES);
    sha256_blocks *own = sha256_blocks_of_processor();
    struct looks looks = {0, 0};

    for (int i = 0; i < ROUNDS; i++)
        look(host, memory, &looks);
    printf("status, usual mirror: %.2f of the processor time that a digest of each content takes\n",
           looks.plain / looks.with_digests);
    disk_machine_add_stick(host);
    bench_status_command(host, memory);
    if (own != NULL)
        printf("a digest by the processor's own instructions: %.1f times as fast as without\n",
               seconds_of(sha256_blocks_plain, bytes) / seconds_of(own, bytes));
    free(bytes);
    free(memory);
    host_free(host);
}
