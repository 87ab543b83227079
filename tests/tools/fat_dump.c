/*
 * Shows what the FAT reader makes of an image: fat_dump IMAGE [BLOCK_SIZE [READ_LIMIT]]
 *
 *   type fat32 sector 512 cluster 4096 clusters 65525 label ESP
 *   dir \EFI ok
 *   file \EFI\A.TXT ok 12 1980-01-02T03:04:06 <sha256, or a status>
 *   problem N damage|harmless TEXT: PLACE
 *   complete yes|no, used N, free N, read N
 *   verdict clean|harmless|damaged
 *
 * Or the one line "status TEXT" when it cannot be opened.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/sha256.h"
#include "format/fat/fat.h"
#include "host/disk_path.h"
#include "host/host_alloc.h"
#include "host/image_block.h"

#define ARENA_SIZE  (256u << 20)
#define BUFFER_SIZE (1u << 20) /* the largest cluster is half of it */

static void print_digest(struct fat_volume *volume, const struct fat_file *file)
{
    static uint8_t buffer[BUFFER_SIZE];
    struct sha256_state state;
    struct fat_reader reader;
    enum status status = ST_OK;
    size_t got = 1;

    sha256_start(&state);
    fat_reader_start(&reader, volume, file);
    while (status == ST_OK && got > 0) {
        status = fat_reader_next(&reader, buffer, sizeof(buffer), &got);
        if (status == ST_OK)
            sha256_feed(&state, span_of(buffer, got));
    }
    struct sha256 digest = sha256_finish(&state);
    if (status != ST_OK)
        printf("%s", status_text(status));
    for (size_t i = 0; status == ST_OK && i < sizeof(digest.bytes); i++)
        printf("%02x", digest.bytes[i]);
}

static void print_file(struct fat_volume *volume, const struct fat_file *file)
{
    const struct date_time *at = &file->written;

    printf("%s %s %s", file->is_directory ? "dir" : "file", file->path,
           file->status == ST_OK ? "ok" : status_text(file->status));
    if (!file->is_directory) {
        printf(" %llu %04u-%02u-%02uT%02u:%02u:%02u ", (unsigned long long)file->size, at->year,
               at->month, at->day, at->hour, at->minute, at->second);
        print_digest(volume, file);
    }
    printf("\n");
}

static void print_report(struct fat_volume *volume, const struct fat_report *report)
{
    const char *verdict = "clean";

    printf("complete %s, used %llu, free %llu, read %llu\n", report->complete ? "yes" : "no",
           (unsigned long long)report->used_clusters, (unsigned long long)report->free_clusters,
           (unsigned long long)volume->read_bytes);
    for (size_t i = 0; i < report->file_count; i++)
        print_file(volume, &report->files[i]);
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++) {
        if (report->problems[i] == 0)
            continue;
        verdict = "harmless";
        printf("problem %u %s %s: %s\n", report->problems[i],
               fat_problem_is_damage(i) ? "damage" : "harmless", fat_problem_text(i),
               report->first_place[i]);
    }
    printf("verdict %s\n", fat_report_has_damage(report) ? "damaged" : verdict);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"fat12", "fat16", "fat32"};
    static uint8_t memory[ARENA_SIZE];
    uint8_t path[DISK_PATH_SIZE];
    size_t path_size = disk_path_make(DISK_NVME, 0, path);
    uint32_t block_size = argc > 2 ? (uint32_t)atoi(argv[2]) : 512;
    uint64_t limit = argc > 3 ? strtoull(argv[3], NULL, 0) : UINT64_MAX;
    struct image_block *disk = NULL;
    struct fat_volume volume;
    struct fat_report report;
    struct arena arena;

    if (argc < 2 || image_block_open(argv[1], block_size, span_of(path, path_size), "", &disk))
        host_fail("usage: fat_dump IMAGE [BLOCK_SIZE [READ_LIMIT]]");
    arena_init(&arena, memory, sizeof(memory));
    struct block_port port = image_block_port(disk);
    enum status status = fat_open(&arena, &port, 0, port.block_count, &volume);
    if (status == ST_OK)
        status = fat_check(&arena, &volume, limit, &report);
    if (status == ST_OK) {
        printf("type %s sector %u cluster %u clusters %u label %s\n", names[volume.type],
               volume.sector_size, volume.cluster_size, volume.cluster_count, volume.label);
        print_report(&volume, &report);
    } else {
        printf("status %s\n", status_text(status));
    }
    image_block_close(disk);
    return 0;
}
