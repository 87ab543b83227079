/* Where new files go on a volume whose table was read in larger steps than an entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_behind_free_sectors_of_the_table_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
