/*
 * How the hive editor's cost grows with the hive: the same edits of a small and of a large one, in
 * turn, in processor time. Only the ratio says anything; the best of several rounds is taken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "format/regf/regf_edit.h"
#include "format/regf/regf_make.h"

#define NOW       0x01d5000000000000u
#define SMALL     (64u << 10)
#define LARGE     (1u << 20)
#define ROOM      (2u << 20)
#define EDITS     10000u
#define ROUNDS    5u
#define KEYS_EACH 100u /* below one key, so that no list grows with the hive */
#define DATA_MOST 96u

/* A hive that is filled up, and the key whose values are changed. */
struct hive {
    uint8_t *file;
    uint8_t *memory;
    struct arena arena;
    struct regf_edit edit;
    uint32_t key;
};

static void check(enum status status, const char *what)
{
    if (status == ST_OK)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, status_text(status));
    exit(1);
}

/* Keys with a value each, KEYS_EACH below each of as many as it takes. */
static void fill(struct hive *hive, size_t size)
{
    static const uint8_t data[DATA_MOST];
    char name[32];
    uint32_t root = hive->edit.hive.root;
    uint32_t parent = 0;
    uint32_t key = 0;

    for (unsigned i = 0; hive->edit.hive.bins.size + 4096u < size; i++) {
        if (i % KEYS_EACH == 0) {
            snprintf(name, sizeof(name), "Objects%u", i / KEYS_EACH);
            check(regf_create_key(&hive->edit, root, regf_name_of(name), &parent), "create_key");
        }
        snprintf(name, sizeof(name), "%08x", i);
        check(regf_create_key(&hive->edit, parent, regf_name_of(name), &key), "create_key");
        check(regf_set_value(&hive->edit, key, regf_name_of("Element"), 3,
                             span_of(data, sizeof(data))),
              "set_value");
    }
    hive->key = key;
}

static void open_hive(struct hive *hive, size_t size)
{
    static const uint8_t security[20] = {1};
    struct span file;

    hive->file = calloc(1, ROOM);
    hive->memory = malloc(ROOM);
    if (hive->file == NULL || hive->memory == NULL)
        check(ST_NO_MEMORY, "memory");
    arena_init(&hive->arena, hive->memory, ROOM);
    check(regf_make(hive->file, ROOM, regf_name_of("BCD"), span_of(security, sizeof(security)), NOW,
                    &file),
          "make");
    check(regf_edit_open(&hive->arena, hive->file, file.size, ROOM, NOW, &hive->edit), "open");
    fill(hive, size);
}

/* Data that grows and shrinks, so that cells are freed, merged and used again. */
static double seconds_of_edits(struct hive *hive)
{
    static const uint8_t data[DATA_MOST];
    clock_t start = clock();

    for (unsigned i = 0; i < EDITS; i++)
        check(regf_set_value(&hive->edit, hive->key, regf_name_of("Element"), 3,
                             span_of(data, 1 + (size_t)i * 37 % DATA_MOST)),
              "set_value");
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

void bench_hive(void)
{
    struct hive small = {.key = 0};
    struct hive large = {.key = 0};
    double of_small = 1e9;
    double of_large = 1e9;

    open_hive(&small, SMALL);
    open_hive(&large, LARGE);
    for (unsigned i = 0; i < ROUNDS; i++) {
        of_small = least(of_small, seconds_of_edits(&small));
        of_large = least(of_large, seconds_of_edits(&large));
    }
    printf("%-40s %6.2f times the time of a hive of 64 KiB\n", "10,000 edits of a hive of 1 MiB",
           of_large / of_small);
    free(small.file);
    free(small.memory);
    free(large.file);
    free(large.memory);
}
