/* Where new files go on a volume whose table was read in larger steps than an entry; and folders that grow by a
 * link of FAT12 that lies in two blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/fat/fat_edit.h"
#include "host/host_alloc.h"
#include "unit/fat_fixture.h"
#include "unit/image_fixture.h"

#define BLOCK   512u
#define CLUSTER 4u /* blocks */
#define BYTES   (20u << 20)
#define MEMORY  (4u << 20)
#define ENTRIES (BLOCK / 2u) /* of FAT16 in a sector of the table */

/* The cluster of a file is `cluster`, and nothing else is on the volume. A new one takes as much as there
 * is before it, and a cluster more: so no room is left but behind. */
static void assert_kept(uint32_t cluster)
{
    struct image image = image_make(BLOCK, BYTES / BLOCK);
    struct fat_fixture fat;
    struct fat_volume volume;
    struct fat_report report;
    struct disk_edit edit;
    struct arena arena;
    void *memory = host_alloc(1, MEMORY);
    struct fat_entry_request request = {.path = "\\NEW.BIN",
                                        .attributes = 0x20,
                                        .size = (cluster - 1) * (uint64_t)(CLUSTER * BLOCK)};

    fat_fixture_format(&fat, image.bytes, BYTES, 16, BLOCK, CLUSTER);
    fat.next_cluster = cluster;
    assert_int_equal(fat_fixture_add_file(&fat, 0, "KEPT.BIN", "x", 1), cluster);
    struct block_port port = image_port(&image);
    arena_init(&arena, memory, MEMORY);
    assert_int_equal(fat_open(&arena, &port, 0, port.block_count, &volume), ST_OK);
    assert_int_equal(fat_check(&arena, &volume, UINT64_MAX, &report), ST_OK);
    assert_int_equal(fat_edit(&arena, &volume, &report, &request, 1, &edit), ST_OK);
    uint64_t kept = fat.data_offset / BLOCK + (cluster - 2) * CLUSTER;
    assert_int_equal(edit.file_count, 1);
    for (size_t i = 0; i < edit.files[0].extent_count; i++) {
        const struct disk_extent *extent = &edit.files[0].extents[i];
        assert_true(extent->lba >= kept + CLUSTER || extent->lba + extent->bytes / BLOCK <= kept);
    }
    free(memory);
    free(image.bytes);
}

static void file_behind_free_sectors_of_the_table_is_kept(void **state)
{
    (void)state;
    for (uint32_t sector = 1; sector <= 3; sector++) {
        assert_kept(sector * ENTRIES - 1);
        assert_kept(sector * ENTRIES);
        assert_kept(sector * ENTRIES + 1);
    }
}

/* --- A link in two blocks ----------------------------------------------------------------------- */

/* Of FAT12: its 12 bits begin in the last byte of a sector (341 * 3 / 2 = 511), the low four of them there. */
#define SPLIT  341u
#define FLOPPY (1440u << 10)
#define IN_ONE 16u /* entries of 32 bytes in a cluster */

struct floppy {
    struct image image;
    struct fat_fixture fat;
    void *memory;
    struct arena arena;
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;
};

/* A volume with a folder in that cluster, which is full. */
static struct floppy *floppy_new(void)
{
    struct floppy *floppy = host_alloc(1, sizeof(*floppy));
    char name[13];

    floppy->memory = host_alloc(1, MEMORY);
    floppy->image = image_make(BLOCK, FLOPPY / BLOCK);
    fat_fixture_format(&floppy->fat, floppy->image.bytes, FLOPPY, 12, BLOCK, 1);
    floppy->fat.next_cluster = SPLIT;
    assert_int_equal(fat_fixture_add_directory(&floppy->fat, 0, "EFI"), SPLIT);
    for (unsigned i = 2; i < IN_ONE; i++) { /* behind "." and ".." */
        snprintf(name, sizeof(name), "OLD%02u", i);
        fat_fixture_add(&floppy->fat, SPLIT, name, 0x20, 0, 0);
    }
    return floppy;
}

static void floppy_free(struct floppy *floppy)
{
    free(floppy->memory);
    free(floppy->image.bytes);
    free(floppy);
}

static void look_at(struct floppy *floppy)
{
    floppy->port = image_port(&floppy->image);
    arena_init(&floppy->arena, floppy->memory, MEMORY);
    assert_int_equal(
        fat_open(&floppy->arena, &floppy->port, 0, floppy->port.block_count, &floppy->volume),
        ST_OK);
    assert_int_equal(fat_check(&floppy->arena, &floppy->volume, UINT64_MAX, &floppy->report),
                     ST_OK);
}

static struct span no_content(void *ctx, size_t source)
{
    (void)ctx;
    (void)source;
    return span_of(NULL, 0);
}

/* So many empty files in the folder. */
static struct fat_entry_request *empty_files(size_t count)
{
    static struct fat_entry_request requests[64];
    static char paths[64][32];

    for (size_t i = 0; i < count; i++) {
        snprintf(paths[i], sizeof(paths[i]), "\\EFI\\NEW%02zu", i);
        requests[i] = (struct fat_entry_request){.path = paths[i], .attributes = 0x20, .source = i};
    }
    return requests;
}

static enum status add_empty(struct floppy *floppy, size_t count)
{
    struct disk_edit edit;

    look_at(floppy);
    enum status status = fat_edit(&floppy->arena, &floppy->volume, &floppy->report,
                                  empty_files(count), count, &edit);
    if (status != ST_OK)
        return status;
    struct image_units units = image_units_of(&floppy->image, &edit, no_content, NULL);
    image_apply(&floppy->image, &units);
    image_units_free(&units);
    return ST_OK;
}

/* Fails the test unless the folder has so many clusters, and its first link is one that came by one write. */
static void assert_grown(struct floppy *floppy, size_t clusters, size_t files)
{
    uint32_t link = fat_fixture_link(&floppy->fat, SPLIT);

    assert_int_equal(link & 0x00f,
                     0x00f); /* as in the 0xfff that was there: only the other block differs */
    for (; clusters > 2; clusters--)
        link = fat_fixture_link(&floppy->fat, link);
    assert_int_equal(fat_fixture_link(&floppy->fat, link), fat_fixture_end(&floppy->fat));
    look_at(floppy);
    assert_int_equal(floppy->report.file_count, 1 + files);
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++)
        assert_int_equal(floppy->report.problems[i], 0);
}

/* Else a power cut could leave a half of either, and lead anywhere. */
static void link_in_two_blocks_changes_in_one_of_them(void **state)
{
    (void)state;
    for (size_t clusters = 2; clusters <= 4; clusters++) {
        struct floppy *floppy = floppy_new();
        size_t more = (clusters - 1) * IN_ONE;
        assert_int_equal(add_empty(floppy, more), ST_OK);
        assert_grown(floppy, clusters, IN_ONE - 2 + more);
        floppy_free(floppy);
    }
}

/* Sets the link of each free cluster whose number would leave the first of the two blocks alone. */
static void set_fitting(struct floppy *floppy, uint32_t value)
{
    for (uint32_t cluster = 15; cluster < floppy->fat.clusters + 2; cluster += 16) {
        if (fat_fixture_link(&floppy->fat, cluster) == 0)
            fat_fixture_set_link(&floppy->fat, cluster, value);
    }
}

static void folder_does_not_grow_by_a_cluster_that_does_not_fit(void **state)
{
    struct floppy *floppy = floppy_new();

    (void)state;
    set_fitting(floppy, fat_fixture_bad(&floppy->fat));
    assert_int_equal(add_empty(floppy, 1), ST_NO_SPACE);
    floppy_free(floppy);
}

static void lost_cluster_that_fits_is_taken_and_the_others_set_free(void **state)
{
    struct floppy *floppy = floppy_new();

    (void)state;
    set_fitting(floppy, fat_fixture_end(&floppy->fat));
    look_at(floppy);
    assert_int_not_equal(floppy->report.problems[FAT_CHAIN_LOST], 0);
    assert_int_equal(add_empty(floppy, 2 * IN_ONE), ST_OK);
    assert_grown(floppy, 3, IN_ONE - 2 + 2 * IN_ONE);
    floppy_free(floppy);
}

/* The one that fits is there, and what else is needed is not. */
static void folder_that_cannot_grow_enough_does_not_grow(void **state)
{
    struct floppy *floppy = floppy_new();

    (void)state;
    for (uint32_t cluster = 2; cluster < floppy->fat.clusters + 2; cluster++) {
        if (fat_fixture_link(&floppy->fat, cluster) == 0 && cluster != 15)
            fat_fixture_set_link(&floppy->fat, cluster, fat_fixture_bad(&floppy->fat));
    }
    assert_int_equal(add_empty(floppy, IN_ONE + 1), ST_NO_SPACE);
    assert_int_equal(add_empty(floppy, IN_ONE), ST_OK);
    assert_int_equal(fat_fixture_link(&floppy->fat, SPLIT), 15);
    floppy_free(floppy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_behind_free_sectors_of_the_table_is_kept),
        cmocka_unit_test(link_in_two_blocks_changes_in_one_of_them),
        cmocka_unit_test(folder_does_not_grow_by_a_cluster_that_does_not_fit),
        cmocka_unit_test(lost_cluster_that_fits_is_taken_and_the_others_set_free),
        cmocka_unit_test(folder_that_cannot_grow_enough_does_not_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
