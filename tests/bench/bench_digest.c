#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/sha256_blocks.h"
#include "bench/bench.h"
#include "host/host_alloc.h"
#include "model/contents.h"
#include "model/scan.h"
#include "unit/cost_fixture.h"

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
    if (own != NULL)
        printf("a digest by the processor's own instructions: %.1f times as fast as without\n",
               seconds_of(sha256_blocks_plain, bytes) / seconds_of(own, bytes));
    free(bytes);
    free(memory);
    host_free(host);
}
