/*
 * What the program sees in an NTFS volume, for tests against other software.
 *
 *   ntfs_dump [-b BLOCK_SIZE] [-o FIRST_LBA] [-n BLOCK_COUNT] [-c CHUNK] [-l] IMAGE <PATHS
 *
 * Prints the volume as "name=value" lines, and for each path (a line of standard input) a line of
 * nine fields with tabs between: status, record number, flags (d directory, c compressed, s sparse,
 * e encrypted, r reparse point), form, size, SHA-256 of the content (read CHUNK bytes at a time, 1
 * MiB at most) or the status of reading it, reads of the disk and bytes read for both, path.
 * With -l what is in the folders with these paths: status, record number, flags, size, path, name;
 * of a folder that cannot be listed only the first and the path. Exit status: that of opening the
 * volume.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "base/text.h"
#include "format/ntfs/ntfs.h"
#include "format/ntfs/ntfs_data.h"
#include "format/ntfs/ntfs_folder.h"
#include "host/host_alloc.h"
#include "host/image_block.h"

#define ARENA_BYTES (8u << 20)
#define CHUNK_MAX   (1u << 20)
#define PATH_BYTES  8192

static const char *const states[] = {"good", "damaged", "differs", "unreadable"};

static const uint8_t end_node[] = {0x7f, 0xff, 0x04, 0x00};

/* A disk that counts. */
static struct block_port inner;
static uint64_t reads;
static uint32_t largest_read; /* blocks */

static enum status counting_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    (void)ctx;
    reads++;
    if (count > largest_read)
        largest_read = count;
    return inner.read(inner.ctx, lba, count, ret_data);
}

static void print_volume(const struct ntfs_volume *volume)
{
    printf("boot=%s\nbackup=%s\n", states[volume->boot], states[volume->backup]);
    printf("sector_size=%u\ncluster_size=%u\n", volume->sector_size, volume->cluster_size);
    printf("record_size=%u\nindex_size=%u\n", volume->record_size, volume->index_size);
    printf("sectors=%llu\nclusters=%llu\n", (unsigned long long)volume->sectors,
           (unsigned long long)volume->clusters);
    printf("serial=%016llx\n", (unsigned long long)volume->serial);
    printf("mft=%llu\nmirror=%llu\n", (unsigned long long)volume->mft_cluster,
           (unsigned long long)volume->mirror_cluster);
    printf("mirror_used=%d\n", volume->mirror_used);
    printf("facts=%s\n", status_text(volume->facts_status));
    printf("version=%u.%u\ndirty=%d\nlabel=%s\n", volume->version_major, volume->version_minor,
           volume->dirty, volume->label);
}

/* The digest of a file's content as text, or why there is none. */
static void print_digest(struct ntfs_volume *volume, const struct ntfs_file *file, size_t chunk)
{
    static uint8_t bytes[CHUNK_MAX];
    struct sha256_state state;
    struct ntfs_data data;
    size_t got = 0;
    enum status status = ntfs_data_open(volume, file, &data);

    sha256_start(&state);
    for (uint64_t offset = 0; status == ST_OK && offset < data.size; offset += got) {
        status = ntfs_data_read(&data, offset, bytes, chunk, &got);
        if (status == ST_OK)
            sha256_feed(&state, span_of(bytes, got));
    }
    if (status != ST_OK) {
        printf("%s", status_text(status));
        return;
    }
    struct sha256 digest = sha256_finish(&state);
    for (size_t i = 0; i < sizeof digest.bytes; i++)
        printf("%02x", digest.bytes[i]);
}

static void print_file(struct ntfs_volume *volume, const char *path, size_t chunk)
{
    size_t mark = arena_mark(volume->arena);
    uint64_t reads_before = reads;
    uint64_t bytes_before = volume->read_bytes;
    struct ntfs_file file;
    enum status status = ntfs_lookup(volume, path, &file);

    if (status != ST_OK) {
        printf("%s\t-\t-\t-\t-\t-\t-\t-\t%s\n", status_text(status), path);
        return;
    }
    printf("%s\t%llu\t%s%s%s%s%s\t%s\t%llu\t", status_text(status), (unsigned long long)file.record,
           file.is_directory ? "d" : "", file.compressed ? "c" : "", file.sparse ? "s" : "",
           file.encrypted ? "e" : "", file.reparse ? "r" : "", ntfs_form_text(file.form),
           (unsigned long long)file.size);
    print_digest(volume, &file, chunk);
    printf("\t%llu\t%llu\t%s\n", (unsigned long long)(reads - reads_before),
           (unsigned long long)(volume->read_bytes - bytes_before), path);
    arena_release(volume->arena, mark);
}

static void print_folder(struct ntfs_volume *volume, const char *path)
{
    size_t mark = arena_mark(volume->arena);
    struct ntfs_item *item = NULL;
    struct ntfs_file file;
    enum status status = ntfs_lookup(volume, path, &file);

    if (status == ST_OK)
        status = ntfs_list(volume, ntfs_reference(&file), &item);
    if (status != ST_OK)
        printf("%s\t-\t-\t-\t%s\t\n", status_text(status), path);
    for (; item != NULL; item = item->next)
        printf("%s\t%llu\t%s%s\t%llu\t%s\t%s\n", status_text(status),
               (unsigned long long)(item->reference & 0xffffffffffff),
               item->is_directory ? "d" : "", item->reparse ? "r" : "",
               (unsigned long long)item->size, path, text_from_ucs2(volume->arena, item->name));
    arena_release(volume->arena, mark);
}

static void print_files(struct ntfs_volume *volume, size_t chunk, bool folders)
{
    static char path[PATH_BYTES];
    size_t used = volume->arena->used;
    size_t size = volume->arena->size;

    while (fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        if (folders)
            print_folder(volume, path);
        else
            print_file(volume, path, chunk);
    }
    if (volume->arena->used != used || volume->arena->size != size)
        host_fail("ntfs_dump: memory was not given back");
}

/* Gives the status of opening. */
static enum status dump(const char *image, uint32_t block_size, uint64_t first_lba,
                        uint64_t block_count, size_t chunk, bool folders)
{
    static uint8_t memory[ARENA_BYTES];
    struct image_block *disk = NULL;
    struct ntfs_volume volume;
    struct arena arena;

    if (image_block_open(image, block_size, span_of(end_node, 4), "", &disk) != ST_OK)
        host_fail("ntfs_dump: no such image");
    inner = image_block_port(disk);
    struct block_port port = inner;
    port.read = counting_read;
    arena_init(&arena, memory, sizeof memory);
    if (block_count == 0)
        block_count = port.block_count - first_lba;
    enum status status = ntfs_open(&arena, &port, first_lba, block_count, &volume);
    printf("open=%s\n", status_text(status));
    if (status == ST_OK) {
        print_volume(&volume);
        printf("opening=%llu\n", (unsigned long long)volume.read_bytes);
        print_files(&volume, chunk, folders);
        printf("read_bytes=%llu\nreads=%llu\nlargest_read=%llu\n",
               (unsigned long long)volume.read_bytes, (unsigned long long)reads,
               (unsigned long long)largest_read * block_size);
        printf("mirror_used_at_end=%d\narena_peak=%zu\n", volume.mirror_used, arena.peak);
    }
    image_block_close(disk);
    return status;
}

int main(int argc, char **argv)
{
    static const char usage[] =
        "usage: ntfs_dump [-b SIZE] [-o LBA] [-n BLOCKS] [-c CHUNK] [-l] IMAGE";
    uint64_t block_size = 512;
    uint64_t first_lba = 0;
    uint64_t block_count = 0;
    uint64_t chunk = CHUNK_MAX;
    bool folders = false;
    int option;

    while ((option = getopt(argc, argv, "b:o:n:c:l")) != -1) {
        uint64_t number = optarg != NULL ? strtoull(optarg, NULL, 0) : 0;
        if (option == 'b')
            block_size = number;
        else if (option == 'o')
            first_lba = number;
        else if (option == 'n')
            block_count = number;
        else if (option == 'c' && number > 0 && number <= CHUNK_MAX)
            chunk = number;
        else if (option == 'l')
            folders = true;
        else
            host_fail(usage);
    }
    if (optind + 1 != argc)
        host_fail(usage);
    return (int)dump(argv[optind], (uint32_t)block_size, first_lba, block_count, (size_t)chunk,
                     folders);
}
