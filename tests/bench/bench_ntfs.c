/*
 * NTFS as a source: what a file costs to find and read, by how it is kept, and how long unpacking
 * takes beside copying the same bytes. The packed bytes are stored inputs of the fuzz targets, which
 * wimlib packed (make_corpus_unpack.py).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "format/ntfs/ntfs_data.h"
#include "format/unpack/unpack.h"
#include "unit/ntfs_fixture.h"

#define VOLUME_MEMORY (4u << 20)
#define UNPACK_MEMORY 32768u
#define CONTENT_MAX   65536u
#define REPEATS       4000u
#define CORPUS        "tests/fuzz/corpus/"

static void must(enum status status, const char *what)
{
    if (status == ST_OK)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, status_text(status));
    exit(1);
}

/* --- Reads ------------------------------------------------------------------------------------ */

static void bench_file(struct ntfs_fixture *fixture, struct ntfs_volume *volume, const char *path)
{
    static uint8_t content[CONTENT_MAX];
    size_t mark = arena_mark(volume->arena);
    struct ntfs_file file;
    struct ntfs_data data;
    size_t got = 0;

    fixture->reads = fixture->read_bytes = 0;
    must(ntfs_lookup(volume, path, &file), path);
    must(ntfs_data_open(volume, &file, &data), path);
    must(ntfs_data_read(&data, 0, content, sizeof(content), &got), path);
    printf("%-40s %5llu reads %8llu bytes of %5zu %5zu KiB of memory\n", ntfs_form_text(file.form),
           (unsigned long long)fixture->reads, (unsigned long long)fixture->read_bytes, got,
           (arena_mark(volume->arena) - mark) / 1024);
    arena_release(volume->arena, mark);
}

static void bench_files(void)
{
    static const char *const paths[] = {"\\Windows\\System32\\winload.efi", "\\lznt1.bin",
                                        "\\xpress.bin", "\\lzx.bin"};
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    void *memory = malloc(VOLUME_MEMORY);
    struct ntfs_volume volume;
    struct arena arena;

    shape.packed = true;
    struct ntfs_fixture *fixture = ntfs_fixture_new(&shape);
    struct block_port port = ntfs_fixture_port(fixture);
    arena_init(&arena, memory, VOLUME_MEMORY);
    must(ntfs_open(&arena, &port, 0, ntfs_fixture_blocks(fixture), &volume), "ntfs_open");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        bench_file(fixture, &volume, paths[i]);
    ntfs_fixture_free(fixture);
    free(memory);
}

/* --- Unpacking -------------------------------------------------------------------------------- */

typedef enum status unpack_one(struct unpack_tables *tables, struct span packed, uint8_t *ret_data,
                               size_t size);

static enum status unpack_nothing(struct unpack_tables *tables, struct span packed,
                                  uint8_t *ret_data, size_t size)
{
    static uint8_t plain[CONTENT_MAX];

    (void)tables;
    plain[0] = packed.at[0];
    memcpy(ret_data, plain, size);
    return ST_OK;
}

static enum status unpack_ntfs(struct unpack_tables *tables, struct span packed, uint8_t *ret_data,
                               size_t size)
{
    size_t there = 0;

    (void)tables;
    return unpack_lznt1(packed, ret_data, size, &there);
}

/* Nanoseconds of processor time for each byte that comes out. */
static double cost_of(unpack_one *unpack, struct span packed, size_t size)
{
    static uint8_t memory[UNPACK_MEMORY];
    static uint8_t content[CONTENT_MAX];
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    struct unpack_tables *tables = unpack_tables_new(&arena);
    clock_t start = clock();
    for (unsigned i = 0; i < REPEATS; i++)
        must(unpack(tables, packed, content, size), "unpack");
    return (double)(clock() - start) / CLOCKS_PER_SEC * 1e9 / REPEATS / (double)size;
}

static void bench_unpack(const char *what, unpack_one *unpack, const char *input)
{
    static uint8_t bytes[CONTENT_MAX];
    FILE *file = fopen(input, "rb");
    size_t size = file != NULL ? fread(bytes, 1, sizeof(bytes), file) : 0;

    if (size < 3) {
        fprintf(stderr, "bench: no %s\n", input);
        exit(1);
    }
    fclose(file);
    size_t unpacked = (size_t)ld_le16(bytes) + 1;
    struct span packed = span_of(bytes + 2, size - 2);
    double copying = cost_of(unpack_nothing, packed, unpacked);
    double cost = cost_of(unpack, packed, unpacked);
    printf("%-40s %6.2f ns a byte, %5.2f to copy it (%zu of %zu bytes)\n", what, cost, copying,
           packed.size, unpacked);
}

void bench_ntfs(void)
{
    bench_files();
    bench_unpack("LZNT1, packed", unpack_ntfs, CORPUS "lznt1/tokens");
    bench_unpack("LZNT1, runs", unpack_ntfs, CORPUS "lznt1/runs");
    bench_unpack("XPRESS4K, calls", unpack_xpress, CORPUS "xpress/xpress4k_calls");
    bench_unpack("XPRESS4K, text", unpack_xpress, CORPUS "xpress/xpress4k_text");
    bench_unpack("LZX, numbers", unpack_lzx, CORPUS "lzx/lzx_skewed");
    bench_unpack("LZX, calls", unpack_lzx, CORPUS "lzx/lzx_calls");
}
