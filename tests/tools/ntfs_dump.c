/*
 * What the program sees in an NTFS volume, for tests against other software.
 *
 *   ntfs_dump [-b BLOCK_SIZE] [-o FIRST_LBA] [-n BLOCK_COUNT] IMAGE <PATHS
 *
 * Prints the volume as "name=value" lines, and for each path (a line of standard input) a line of
 * six fields with tabs between: status, record number, flags (d directory, c compressed, s sparse,
 * e encrypted, r reparse point), size, SHA-256 of the content or the status of reading it, path.
 * Exit status: that of opening the volume.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "format/ntfs/ntfs.h"
#include "host/host_alloc.h"
#include "host/image_block.h"

#define ARENA_BYTES (8u << 20)
#define CHUNK_BYTES (1u << 20)
#define PATH_BYTES  8192

static const char *const states[] = {"good", "damaged", "differs", "unreadable"};

static const uint8_t end_node[] = {0x7f, 0xff, 0x04, 0x00};

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
static void print_digest(struct ntfs_volume *volume, const struct ntfs_file *file)
{
    static uint8_t chunk[CHUNK_BYTES];
    struct sha256_state state;
    uint64_t offset = 0;
    size_t got = 0;

    sha256_start(&state);
    do {
        enum status status = ntfs_read(volume, file, offset, chunk, sizeof chunk, &got);
        if (status != ST_OK) {
            printf("%s", status_text(status));
            return;
        }
        sha256_feed(&state, span_of(chunk, got));
        offset += got;
    } while (got == sizeof chunk);
    struct sha256 digest = sha256_finish(&state);
    for (size_t i = 0; i < sizeof digest.bytes; i++)
        printf("%02x", digest.bytes[i]);
}

static void print_file(struct ntfs_volume *volume, const char *path)
{
    struct ntfs_file file;
    enum status status = ntfs_lookup(volume, path, &file);

    if (status != ST_OK) {
        printf("%s\t-\t-\t-\t-\t%s\n", status_text(status), path);
        return;
    }
    printf("%s\t%llu\t%s%s%s%s%s\t%llu\t", status_text(status), (unsigned long long)file.record,
           file.is_directory ? "d" : "", file.compressed ? "c" : "", file.sparse ? "s" : "",
           file.encrypted ? "e" : "", file.reparse ? "r" : "", (unsigned long long)file.size);
    print_digest(volume, &file);
    printf("\t%s\n", path);
}

static void print_files(struct ntfs_volume *volume)
{
    static char path[PATH_BYTES];
    size_t used = volume->arena->used;

    while (fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        print_file(volume, path);
    }
    if (volume->arena->used != used)
        host_fail("ntfs_dump: memory was not given back");
}

/* Gives the status of opening. */
static enum status dump(const char *image, uint32_t block_size, uint64_t first_lba,
                        uint64_t block_count)
{
    static uint8_t memory[ARENA_BYTES];
    struct image_block *disk = NULL;
    struct ntfs_volume volume;
    struct arena arena;

    if (image_block_open(image, block_size, span_of(end_node, 4), "", &disk) != ST_OK)
        host_fail("ntfs_dump: no such image");
    struct block_port port = image_block_port(disk);
    arena_init(&arena, memory, sizeof memory);
    if (block_count == 0)
        block_count = port.block_count - first_lba;
    enum status status = ntfs_open(&arena, &port, first_lba, block_count, &volume);
    printf("open=%s\n", status_text(status));
    if (status == ST_OK) {
        print_volume(&volume);
        printf("opening=%llu\n", (unsigned long long)volume.read_bytes);
        print_files(&volume);
        printf("read_bytes=%llu\nmirror_used_at_end=%d\narena_peak=%zu\n",
               (unsigned long long)volume.read_bytes, volume.mirror_used, arena.peak);
    }
    image_block_close(disk);
    return status;
}

int main(int argc, char **argv)
{
    static const char usage[] = "usage: ntfs_dump [-b SIZE] [-o LBA] [-n BLOCKS] IMAGE";
    uint64_t block_size = 512;
    uint64_t first_lba = 0;
    uint64_t block_count = 0;
    int option;

    while ((option = getopt(argc, argv, "b:o:n:")) != -1) {
        uint64_t number = optarg != NULL ? strtoull(optarg, NULL, 0) : 0;
        if (option == 'b')
            block_size = number;
        else if (option == 'o')
            first_lba = number;
        else if (option == 'n')
            block_count = number;
        else
            host_fail(usage);
    }
    if (optind + 1 != argc)
        host_fail(usage);
    return (int)dump(argv[optind], (uint32_t)block_size, first_lba, block_count);
}
